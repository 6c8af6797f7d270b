//! What start-up does with what the last process left behind.
//!
//! **Only rows that are `open` or `deleting` are touched.** An open recording's file is finished in place and its row
//! sealed with `interrupted`; a deletion that had begun is completed. A file that was made when the process died before
//! its row was written is removed, if there is nothing in it; one with anything in it stays, and is named in the log.
//! Copies that were being made of finished files are removed, and made again ([`crate::shrink`]).

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use tracing::{info, warn};
use vigie_base::UnixMillis;
use vigie_media::mp4::repair::{Facts, RepairError, Verdict, inspect};
use vigie_store::{Recording as Row, RecordingEnd, RecordingKind, RecordingProgress, RecordingState};

use crate::volume::{Reader, VolumeFile, carry_out};
use crate::{RecordError, Recorder, shrink};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepairReport {
    /// Files finished and sealed as interrupted.
    pub repaired: usize,
    /// Rows whose files hold nothing, are missing or cannot be read.
    pub failed: usize,
    /// Deletions completed.
    pub deleted: usize,
    /// Files without a row and without content, removed.
    pub cleared: usize,
    /// Finished files that were being rewritten, or were to be: it begins again, in the background.
    pub resumed: usize,
}

/// Finishes a file in place. `None` when there is nothing in it.
pub(crate) async fn salvage(file: Arc<dyn VolumeFile>) -> Result<Option<Facts>, RecordError> {
    let work = tokio::task::spawn_blocking(move || -> Result<Option<Facts>, RepairError> {
        let (facts, ops) = match inspect(&mut Reader::new(Arc::clone(&file)))? {
            Verdict::Empty => return Ok(None),
            Verdict::Finished(facts) => return Ok(Some(facts)),
            Verdict::Repair(facts, ops) => (facts, ops),
        };
        for op in &ops {
            carry_out(file.as_ref(), op)?;
        }
        Ok(Some(facts))
    });
    let result = work.await.map_err(|_| RecordError::Disk("the repair has crashed".into()))?;
    result.map_err(|e| RecordError::Disk(e.to_string()))
}

/// Whether we could have given that name.
fn is_session_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("sess_") && name.ends_with(".mp4")
}

/// Whether nothing would be lost with a file: it has our head and not one whole fragment, or it is all zeros.
fn is_vain(file: &Arc<dyn VolumeFile>) -> io::Result<bool> {
    match inspect(&mut Reader::new(Arc::clone(file))) {
        Ok(Verdict::Empty) => {
            let mut head = [0; 8];
            if file.read_at(0, &mut head)? == 8 && head.ends_with(b"ftyp") {
                return Ok(true);
            }
        }
        Ok(Verdict::Finished(_) | Verdict::Repair(..)) => return Ok(false),
        Err(RepairError::Io(e)) if e.kind() != io::ErrorKind::UnexpectedEof => return Err(e),
        Err(_) => {}
    }
    let mut buffer = vec![0; 64 << 10];
    let mut at = 0;
    loop {
        match file.read_at(at, &mut buffer)? {
            0 => return Ok(true),
            n if buffer.iter().take(n).any(|&b| b != 0) => return Ok(false),
            n => at += n as u64,
        }
    }
}

impl Recorder {
    /// To be called once, before anything is recorded.
    pub async fn repair_all(&self) -> Result<RepairReport, RecordError> {
        let mut report = RepairReport::default();
        for row in self.shared.index.rows(RecordingState::Deleting).await? {
            match self.erase(row.id, &row.path).await {
                Ok(()) => report.deleted += 1,
                Err(e) => warn!(recording = %row.id, error = %e, "a deletion could not be completed"),
            }
        }
        for row in self.shared.index.rows(RecordingState::Open).await? {
            match self.repair_row(&row).await {
                Ok(facts) => {
                    report.repaired += 1;
                    info!(recording = %row.id, path = row.path, seconds = facts.duration.as_secs_f64(), "repaired");
                }
                // A clip is whole or nothing.
                Err(e) if row.kind == RecordingKind::Clip => {
                    report.cleared += 1;
                    info!(recording = %row.id, path = row.path, "a clip that was not finished is removed");
                    self.abandon_clip(row.id, &row.path, &e).await;
                }
                Err(e) => {
                    report.failed += 1;
                    warn!(recording = %row.id, path = row.path, error = %e, "could not be repaired");
                    self.shared.index.failed(row.id, self.shared.clock.wall(), &e.to_string()).await?;
                }
            }
        }
        // Those whose removal was interrupted.
        for row in self.shared.index.rows(RecordingState::Failed).await? {
            if row.kind == RecordingKind::Clip {
                self.shared.index.deleting(row.id).await?;
                self.erase(row.id, &row.path).await?;
                report.cleared += 1;
            }
        }
        match self.clear_copies().await {
            Ok(n) => report.resumed = n,
            Err(e) => warn!(error = %e, "copies of finished files could not be looked for"),
        }
        match self.clear_orphans().await {
            Ok(n) => report.cleared = n,
            Err(e) => warn!(error = %e, "files without rows could not be looked for"),
        }
        Ok(report)
    }

    async fn list(&self) -> Result<Vec<String>, RecordError> {
        let shared = Arc::clone(&self.shared);
        let listed = tokio::task::spawn_blocking(move || shared.writer.volume().list("videos"));
        listed.await.map_err(io::Error::other).flatten().map_err(|e| RecordError::Disk(e.to_string()))
    }

    /// Removes the copies that a crash has left, and begins them again for recordings that are finished.
    async fn clear_copies(&self) -> Result<usize, RecordError> {
        let mut paths = self.list().await?;
        paths.retain_mut(|copy| match copy.strip_suffix(".part") {
            Some(path) if is_session_file(path) => {
                *copy = path.to_owned();
                true
            }
            _ => false,
        });
        if paths.is_empty() {
            return Ok(0);
        }
        let (shared, copies) = (Arc::clone(&self.shared), paths.clone());
        let removed = tokio::task::spawn_blocking(move || {
            for path in copies {
                let volume = shared.writer.volume();
                let copy = shrink::beside(&path);
                match volume.remove(&copy).and_then(|()| volume.sync_folder_of(&path)) {
                    Ok(()) => info!(path = copy, "removed a copy that was being made when the last run ended"),
                    Err(e) => warn!(path = copy, error = %e, "a copy left by the last run could not be removed"),
                }
            }
        });
        removed.await.map_err(|e| RecordError::Disk(e.to_string()))?;
        let mut resumed = 0;
        for row in self.shared.index.rows(RecordingState::Sealed).await? {
            if paths.contains(&row.path) {
                let bytes = u64::try_from(row.size_bytes).unwrap_or(0);
                // Whether there is anything to do is seen when the file is looked at.
                if let Some(pending) = shrink::announce(&self.shared, row.id, bytes, true) {
                    shrink::later(pending, row.path);
                    resumed += 1;
                }
            }
        }
        Ok(resumed)
    }

    async fn clear_orphans(&self) -> Result<usize, RecordError> {
        let disk = |e: io::Error| RecordError::Disk(e.to_string());
        let mut files = self.list().await?;
        files.retain(|f| is_session_file(f));
        if files.is_empty() {
            return Ok(0);
        }
        let mut known = HashSet::new();
        for state in [RecordingState::Open, RecordingState::Sealed, RecordingState::Failed, RecordingState::Deleting] {
            known.extend(self.shared.index.rows(state).await?.into_iter().map(|r| r.path));
        }
        files.retain(|f| !known.contains(f));
        let shared = Arc::clone(&self.shared);
        let cleared = tokio::task::spawn_blocking(move || {
            let volume = shared.writer.volume();
            let mut cleared = 0;
            for path in files {
                match volume.open(&path).and_then(|file| is_vain(&file)) {
                    Ok(true) => match volume.remove(&path).and_then(|()| volume.sync_folder_of(&path)) {
                        Ok(()) => {
                            info!(path, "removed a file that was begun and never written");
                            cleared += 1;
                        }
                        Err(e) => warn!(path, error = %e, "an empty file without a row could not be removed"),
                    },
                    Ok(false) => warn!(path, "a file that no recording knows of; it is left alone"),
                    Err(e) => warn!(path, error = %e, "a file that no recording knows of cannot be read"),
                }
            }
            cleared
        });
        cleared.await.map_err(io::Error::other).map_err(disk)
    }

    async fn repair_row(&self, row: &Row) -> Result<Facts, RecordError> {
        let (shared, path) = (Arc::clone(&self.shared), row.path.clone());
        let opened = tokio::task::spawn_blocking(move || shared.writer.volume().open(&path));
        let file = opened.await.map_err(io::Error::other).flatten().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => RecordError::Disk("its file is gone".into()),
            _ => RecordError::Disk(e.to_string()),
        })?;
        let facts = salvage(file).await?.ok_or(RecordError::Empty)?;
        if facts.behind
            && let Err(e) = shrink::flag(&self.shared, &row.path).await
        {
            warn!(path = row.path, error = %e, "it will start slowly in browsers");
        }
        let duration_ms = i64::try_from(facts.duration.as_millis()).unwrap_or(i64::MAX);
        let end = RecordingEnd {
            progress: RecordingProgress {
                duration_ms,
                size_bytes: i64::try_from(facts.media_bytes).unwrap_or(i64::MAX),
                frames: i64::try_from(facts.frames).unwrap_or(i64::MAX),
            },
            ended_at: UnixMillis(row.started_at.0.saturating_add(duration_ms)),
            interrupted: row.kind != RecordingKind::Clip,
            codec: facts.video.map(|v| v.0.to_owned()),
            audio_codec: facts.audio.map(str::to_owned),
            width: facts.video.map(|v| i64::from(v.1)),
            height: facts.video.map(|v| i64::from(v.2)),
        };
        self.shared.index.sealed(row.id, &end).await?;
        Ok(facts)
    }
}
