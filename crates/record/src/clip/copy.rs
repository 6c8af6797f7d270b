//! From where a clip's media comes onto the disk.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use vigie_media::mp4::cut::{Cut, CutError, Fragment, Place, cut_growing, media_start};

use super::replay::Image;
use crate::RecordError;
use crate::volume::{Reader, Volume, VolumeFile};

/// Bytes copied at a time.
const PIECE: u64 = 1 << 20;
/// Bytes after which the copy is synced, so that the syncs of running recordings never wait for much of it.
const SYNC_EVERY: u64 = 16 << 20;
/// What marks a file as begun: see the order of effects.
const MARK: usize = 8;

/// Where the pieces of a cut are.
pub(super) enum Source {
    /// In a file that may still grow, whose media began there when the cut was planned.
    File {
        file: Arc<dyn VolumeFile>,
        media_start: u64,
    },
    Memory(Image),
}

impl Source {
    fn read(&self, at: u64, len: u64) -> io::Result<Bytes> {
        match self {
            Source::Memory(image) => image.get(at, len),
            Source::File { file, .. } => {
                let mut piece = vec![0; usize::try_from(len.min(PIECE)).map_err(io::Error::other)?];
                let n = file.read_at(at, &mut piece)?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                piece.truncate(n);
                Ok(piece.into())
            }
        }
    }

    /// Whether everything is still where it was.
    fn stays(&self) -> Result<(), RecordError> {
        match self {
            Source::Memory(_) => Ok(()),
            Source::File { file, media_start: before } => {
                // A head that cannot be read is one that is being written.
                let now = media_start(&mut Reader::new(Arc::clone(file)));
                if now.is_ok_and(|now| now == *before) { Ok(()) } else { Err(RecordError::Moved) }
            }
        }
    }
}

/// Plans the last `length` of a file that is being recorded.
pub(super) fn plan_growing(
    file: &Arc<dyn VolumeFile>,
    fragments: &[Fragment],
    length: Duration,
) -> Result<(Cut, Source), RecordError> {
    let mut reader = Reader::new(Arc::clone(file));
    let mut result = Err(CutError::Nothing);
    // Space may be inserted between two reads; it is rare, and over in a moment.
    for _ in 0..super::ATTEMPTS {
        let media_start = media_start(&mut reader)?;
        result = cut_growing(&mut reader, fragments, length);
        if let Ok(cut) = result {
            return Ok((cut, Source::File { file: Arc::clone(file), media_start }));
        }
    }
    Err(result.map_or_else(Into::into, |_| RecordError::Moved))
}

/// Makes the file, under the first number that is free.
pub(super) fn create(volume: &dyn Volume, stem: &str) -> Result<(String, Arc<dyn VolumeFile>), RecordError> {
    let mut n = 1u32;
    loop {
        let path = format!("{stem}{n}.mp4");
        n += 1;
        if volume.exists(&path) {
            continue;
        }
        match volume.create(&path) {
            Ok(file) => {
                volume.sync_folder_of(&path).map_err(disk)?;
                return Ok((path, file));
            }
            // Somebody was faster.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(disk(e)),
        }
    }
}

/// Writes everything; the file is nothing until the last write.
pub(super) fn fill(file: &dyn VolumeFile, cut: &Cut, source: &Source) -> Result<(), RecordError> {
    // Room first: a disk that is full is known before anything is read.
    file.allocate(cut.length).map_err(disk)?;
    let mut at = MARK as u64;
    let mut synced = 0;
    while let Some(place) = cut.at(at) {
        let piece = match place {
            Place::Head(bytes) => Bytes::copy_from_slice(bytes),
            Place::Source { at, len } => source.read(at, len).map_err(disk)?,
        };
        let n = piece.len() as u64;
        file.write_at(at, &[piece]).map_err(disk)?;
        at += n;
        if at - synced >= SYNC_EVERY {
            file.sync().map_err(disk)?;
            synced = at;
        }
    }
    source.stays()?;
    file.sync().map_err(disk)?;
    file.write_at(0, &[cut.head.slice(..MARK.min(cut.head.len()))]).map_err(disk)?;
    file.sync().map_err(disk)
}

pub(super) fn disk(e: io::Error) -> RecordError {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RecordError::DiskFull { free_mb: 0, needed_mb: 0 },
        _ => RecordError::Disk(e.to_string()),
    }
}
