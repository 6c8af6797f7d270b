//! One log file per recording, `<session>.ffmpeg.log` (contract §20.1; the name is kept, no ffmpeg writes it).

use std::fmt;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;
use vigie_base::UnixMillis;

/// Lines with the wall time in front. A log that cannot be written is reported once and then missing: it must never
/// end a recording.
#[derive(Debug)]
pub struct SessionLog {
    file: Mutex<Option<File>>,
}

impl SessionLog {
    /// Opens the log of a session, to append.
    pub fn open(folder: &Path, session: &str) -> Self {
        let path = folder.join(format!("{session}.ffmpeg.log"));
        let file = create_dir_all(folder).and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
        let file =
            file.inspect_err(|e| tracing::warn!(path = %path.display(), error = %e, "no log for this recording"));
        Self { file: Mutex::new(file.ok()) }
    }

    /// Adds a line.
    pub fn line(&self, at: UnixMillis, text: impl fmt::Display) {
        let mut file = self.file.lock();
        let broken = file.as_mut().is_some_and(|f| writeln!(f, "{} {text}", at.rfc3339()).is_err());
        if broken {
            *file = None;
        }
    }
}
