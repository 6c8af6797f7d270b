//! One process per data directory.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::StoreError;

/// Held for as long as the store is open; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Makes the directory when missing (0750) and locks it.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let io = |path: &Path, source| StoreError::Io { path: path.display().to_string(), source };
        DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(|e| io(dir, e))?;
        let path = dir.join("vigie.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&path)
            .map_err(|e| io(&path, e))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|e| {
            let e = std::io::Error::from(e);
            match e.kind() {
                ErrorKind::WouldBlock => StoreError::InUse(dir.display().to_string()),
                _ => io(&path, e),
            }
        })?;
        // The number is for the person who wonders; the lock itself is what counts.
        let write =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        write.map_err(|e| io(&path, e))?;
        Ok(Self { _file: file })
    }
}
