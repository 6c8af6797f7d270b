//! The disk, as far as a recorder needs it: a trait, so that tests can let it fail.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use vigie_media::mp4::session::Op;

/// Room on a volume, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What we may still use.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// A folder that recordings go into. Paths are relative, with `/` between parts. Calls block.
pub trait Volume: Send + Sync + fmt::Debug + 'static {
    /// Makes a file that must not exist yet, and the folders above it.
    fn create(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>>;
    /// Opens a file for reading and writing.
    fn open(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>>;
    /// Whether there is such a file.
    fn exists(&self, path: &str) -> bool;
    /// The files in a folder and in those below it; none when there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Puts a file in the place of another in the same folder, at once.
    fn replace(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the entry of `path` in its folder durable, or its absence.
    fn sync_folder_of(&self, path: &str) -> io::Result<()>;
    /// Room left.
    fn space(&self) -> io::Result<Space>;
}

/// An open file of a volume. Calls block.
pub trait VolumeFile: Send + Sync + fmt::Debug {
    /// Writes the pieces one after another from `at` on: all of them, or an error.
    fn write_at(&self, at: u64, data: &[Bytes]) -> io::Result<()>;
    /// Reads up to `buf.len()` bytes from `at` on.
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// Length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Cuts it off.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Takes disk blocks for the first `len` bytes now, so that writing there cannot find the disk full. Without
    /// effect where the file system cannot.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Inserts `len` zero bytes at `at`; what lies behind moves. Both are multiples of 4096. An error, usually
    /// [`io::ErrorKind::Unsupported`], where the file system cannot; the file is then as it was.
    fn insert(&self, at: u64, len: u64) -> io::Result<()>;
    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;
}

/// Bytes copied at a time.
const PIECE: u64 = 1 << 20;

/// Carries out one operation of a session file.
pub fn carry_out(file: &dyn VolumeFile, op: &Op) -> io::Result<()> {
    match *op {
        Op::Write(ref w) => file.write_at(w.at, &w.data),
        Op::Truncate(len) => file.truncate(len),
        Op::Copy { from, to, len } => change(file, from, to, len, |_| {}),
        Op::Add { at, count, by } => change(file, at, at, count.saturating_mul(8), |piece| {
            for number in piece.chunks_exact_mut(8) {
                if let Some(n) = number.first_chunk_mut::<8>() {
                    *n = u64::from_be_bytes(*n).wrapping_add(by).to_be_bytes();
                }
            }
        }),
        Op::Sync => file.sync(),
    }
}

/// Reads, changes and writes piece by piece.
fn change(file: &dyn VolumeFile, from: u64, to: u64, len: u64, with: impl Fn(&mut [u8])) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        let mut piece = vec![0; usize::try_from(PIECE.min(len - done)).unwrap_or(0)];
        let mut filled = 0;
        while filled < piece.len() {
            match file.read_at(from + done + filled as u64, &mut piece[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => filled += n,
            }
        }
        with(&mut piece);
        file.write_at(to + done, &[piece.into()])?;
        done += filled as u64;
    }
    Ok(())
}

/// A folder of this machine.
#[derive(Debug, Clone)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The folder is made when it is missing.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// Where a relative path is. Paths that lead out of the folder are refused.
    pub fn path(&self, path: &str) -> io::Result<PathBuf> {
        let relative = Path::new(path);
        if path.is_empty() || !relative.components().all(|c| matches!(c, Component::Normal(_))) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path outside the media folder"));
        }
        Ok(self.root.join(relative))
    }
}

impl Volume for Disk {
    fn create(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>> {
        let path = self.path(path)?;
        if let Some(parent) = path.parent()
            && !parent.is_dir()
        {
            fs::create_dir_all(parent)?;
            // The new folder's own entry.
            if let Some(above) = parent.parent() {
                fs::File::open(above)?.sync_all()?;
            }
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>> {
        Ok(Arc::new(DiskFile(OpenOptions::new().read(true).write(true).open(self.path(path)?)?)))
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).is_ok_and(|p| p.exists())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut folders = vec![folder.to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.path(&folder)?) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                // We give no names that are not UTF-8; links are not followed.
                let Ok(name) = entry.file_name().into_string() else { continue };
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(format!("{folder}/{name}"));
                } else if kind.is_file() {
                    files.push(format!("{folder}/{name}"));
                }
            }
        }
        Ok(files)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.path(path)?)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?)
    }

    fn sync_folder_of(&self, path: &str) -> io::Result<()> {
        let path = self.path(path)?;
        fs::File::open(path.parent().unwrap_or(&self.root))?.sync_all()
    }

    fn space(&self) -> io::Result<Space> {
        // The operator may have put the videos on a disk of their own, which a link leads to.
        let videos = self.root.join("videos");
        let s = rustix::fs::statvfs(if videos.exists() { &videos } else { &self.root })?;
        Ok(Space { free: s.f_bavail.saturating_mul(s.f_frsize), total: s.f_blocks.saturating_mul(s.f_frsize) })
    }
}

#[derive(Debug)]
struct DiskFile(fs::File);

impl VolumeFile for DiskFile {
    fn write_at(&self, mut at: u64, data: &[Bytes]) -> io::Result<()> {
        // Most systems take 1024 pieces at once.
        for batch in data.chunks(512) {
            let mut slices: Vec<IoSlice<'_>> = batch.iter().map(|b| IoSlice::new(b)).collect();
            let mut rest = &mut slices[..];
            while rest.iter().any(|s| !s.is_empty()) {
                let n = rustix::io::pwritev(&self.0, rest, at)?;
                if n == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                at += n as u64;
                IoSlice::advance_slices(&mut rest, n);
            }
        }
        Ok(())
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, buf, at)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        match rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::KEEP_SIZE, 0, len) {
            Err(e) if e == rustix::io::Errno::OPNOTSUPP || e == rustix::io::Errno::NOSYS => {}
            other => other?,
        }
        let _ = len;
        Ok(())
    }

    fn insert(&self, at: u64, len: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::INSERT_RANGE, at, len)?;
        #[cfg(not(target_os = "linux"))]
        return Err(io::Error::new(io::ErrorKind::Unsupported, format!("{len} bytes cannot be inserted at {at}")));
        #[cfg(target_os = "linux")]
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// A volume's file as a stream, for readers that want one.
#[derive(Debug)]
pub struct Reader {
    file: Arc<dyn VolumeFile>,
    at: u64,
}

impl Reader {
    /// Begins at the beginning.
    pub fn new(file: Arc<dyn VolumeFile>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.at, buf)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(d) => self.file.size()?.checked_add_signed(d),
            SeekFrom::Current(d) => self.at.checked_add_signed(d),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().join("media")).unwrap();
        for bad in ["", "../x", "/etc/passwd", "a/../../x"] {
            assert!(disk.create(bad).is_err(), "{bad}");
        }
        disk.create("videos/0/a.mp4").unwrap();
        assert!(disk.create("videos/0/a.mp4").is_err(), "an existing file is never opened by accident");
        assert_eq!(disk.list("videos").unwrap(), ["videos/0/a.mp4"]);
        assert!(disk.list("nowhere").unwrap().is_empty());
        disk.remove("videos/0/a.mp4").unwrap();
        disk.sync_folder_of("videos/0/a.mp4").unwrap();
        assert!(disk.space().unwrap().free > 0);
    }

    #[test]
    fn numbers_are_added_to_and_bytes_copied_across_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let file = Disk::new(dir.path()).unwrap().create("a").unwrap();
        let count = PIECE / 8 + 3;
        let numbers: Vec<u8> = (0..count).flat_map(u64::to_be_bytes).collect();
        file.write_at(5, &[numbers.into()]).unwrap();
        carry_out(file.as_ref(), &Op::Add { at: 5, count, by: 1 << 33 }).unwrap();
        let to = 3 * PIECE;
        carry_out(file.as_ref(), &Op::Copy { from: 5, to, len: count * 8 }).unwrap();
        let mut copied = vec![0; usize::try_from(count * 8).unwrap()];
        assert_eq!(file.read_at(to, &mut copied).unwrap(), copied.len());
        let expected: Vec<u8> = (0..count).flat_map(|n| (n + (1 << 33)).to_be_bytes()).collect();
        assert!(copied == expected);
        let beyond = Op::Copy { from: 20 * PIECE, to: 0, len: 1 };
        assert_eq!(carry_out(file.as_ref(), &beyond).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn many_pieces_arrive_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path()).unwrap();
        let file = disk.create("a").unwrap();
        file.allocate(100).unwrap();
        let pieces: Vec<Bytes> = (0..2000u32).map(|i| Bytes::copy_from_slice(&i.to_be_bytes())).collect();
        file.write_at(3, &pieces).unwrap();
        file.sync().unwrap();
        let mut all = Vec::new();
        Reader::new(file).read_to_end(&mut all).unwrap();
        assert_eq!(&all[3..], pieces.concat());
    }
}
