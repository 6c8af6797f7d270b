//! What a recording does to its files: open, make room, continue in another one, finish.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;
use vigie_base::{RecordingId, UnixMillis};
use vigie_media::mp4::session::{Plan, SessionFile};
use vigie_media::{AccessUnit, StreamDescription};
use vigie_store::{NewRecording, RecordingEnd, RecordingKind, RecordingProgress};

use super::{Task, millis};
use crate::intake::Piece;
use crate::repair::salvage;
use crate::writer::Sink;
use crate::{RecordError, shrink};

/// The file being written.
pub(super) struct Open {
    pub(super) id: RecordingId,
    pub(super) path: String,
    pub(super) sink: Arc<Sink>,
    pub(super) file: SessionFile,
    pub(super) description: Arc<StreamDescription>,
}

impl Task {
    /// Ends this file and lets the next picture begin another.
    pub(super) async fn rotate(&mut self, why: &str) -> Result<(), RecordError> {
        self.say(format_args!("continuing in another file: {why}"));
        // Sound that is still inside an encoder belongs into this file.
        let rest = self.intake.finish().await;
        for piece in rest {
            if let (Piece::Unit(u), Some(o)) = (piece, &mut self.open) {
                let ops = o.file.push(&u);
                self.shared.writer.queue(&o.sink, ops).await;
            }
        }
        let mut error = None;
        if let Some((id, path, _)) = self.close(None, &mut error).await {
            self.earlier.push((id, path));
        }
        self.part += 1;
        error.map_or(Ok(()), Err)
    }

    /// Enlarges the reserve as long as a table is nearly full. Media that comes meanwhile waits in the hub's ring.
    pub(super) async fn make_room(&mut self) -> Result<(), RecordError> {
        while let Some((growth, ops)) = self.open.as_ref().and_then(|o| o.file.grow()) {
            let Some(o) = &mut self.open else { return Ok(()) };
            // 1. and 2. of `session::grow`, and everything before them.
            self.shared.writer.finish(&o.sink, ops).await?;
            // 3. The space, with disk blocks where the file system gives them.
            let (file, reserve) = (Arc::clone(o.sink.file()), o.file.reserve_bytes() + growth.len);
            let inserted = tokio::task::spawn_blocking(move || {
                file.insert(growth.at, growth.len)?;
                // Without them, a disk that is full later ends the recording as it would have anyway.
                Ok::<_, std::io::Error>(file.allocate(reserve).is_ok())
            });
            match inserted.await.map_err(std::io::Error::other).flatten() {
                Ok(_) => {
                    // 4. to 7.
                    let ops = o.file.grown(growth);
                    self.shared.writer.queue(&o.sink, ops).await;
                    self.say(format_args!("more pictures than planned: {} KiB more for the index", growth.len >> 10));
                }
                Err(e) => {
                    o.file.cannot_grow();
                    self.say(format_args!("more pictures than planned: the index goes behind the media ({e})"));
                }
            }
        }
        Ok(())
    }

    fn free_path(&self) -> String {
        let stem = format!("videos/{}/{}", self.request.club_id, self.request.session_id);
        let volume = self.shared.writer.volume();
        let part = if self.part > 1 { format!("-part{}", self.part) } else { String::new() };
        let mut n = 1u32;
        loop {
            let number = if n > 1 { format!("_{n}") } else { String::new() };
            let path = format!("{stem}{number}{part}.mp4");
            if !volume.exists(&path) {
                return path;
            }
            n += 1;
        }
    }

    pub(super) async fn open_file(
        &mut self,
        description: &Arc<StreamDescription>,
        first: &AccessUnit,
    ) -> Result<(), RecordError> {
        let click_ns = (self.part == 1).then(|| self.stream_ns(self.clicked));
        let left = self.request.duration.saturating_sub(self.clicked.elapsed());
        let plan = Plan { duration: left, click_ns, fps: self.intake.fps().unwrap_or_else(|| self.stream.state().fps) };
        let (file, head) = SessionFile::create(description, first, plan);

        // 1. The file, with disk blocks for its reserve and its head synced; 2. its entry in the folder.
        let path = self.free_path();
        let (shared, name, reserve) = (Arc::clone(&self.shared), path.clone(), file.file_bytes());
        let made = tokio::task::spawn_blocking(move || {
            let handle = shared.writer.volume().create(&name)?;
            handle.allocate(reserve)?;
            Ok::<_, std::io::Error>(handle)
        });
        let handle = made.await.map_err(std::io::Error::other).flatten().map_err(|e| match e.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                RecordError::DiskFull { free_mb: 0, needed_mb: reserve >> 20 }
            }
            _ => RecordError::Disk(e.to_string()),
        })?;
        let sink = self.shared.writer.adopt(&path, handle);
        self.shared.writer.finish(&sink, head).await?;
        let (shared, name) = (Arc::clone(&self.shared), path.clone());
        let synced = tokio::task::spawn_blocking(move || shared.writer.volume().sync_folder_of(&name));
        synced.await.map_err(std::io::Error::other).flatten().map_err(|e| RecordError::Disk(e.to_string()))?;

        // 3. The row.
        let elapsed = i64::try_from(self.clicked.elapsed().as_millis()).unwrap_or(0);
        let late = if self.part > 1 { elapsed } else { 0 };
        let new = NewRecording {
            kind: RecordingKind::Session,
            session_id: Some(self.request.session_id.clone()),
            camera_id: self.request.stream.camera,
            camera_name: self.request.camera_name.clone(),
            club_id: self.request.club_id,
            terrain_id: self.request.terrain_id,
            user_id: self.request.user_id,
            path: path.clone(),
            started_at: UnixMillis(self.started_at.0 + late),
            planned_ms: i64::try_from(left.as_millis()).unwrap_or(i64::MAX),
            mode: self.intake.mode().into(),
            clip_of: None,
        };
        let id = self.shared.index.opened(new).await?;
        self.say(format_args!("file: {path} (recording {id}, {})", self.intake.mode()));
        self.open = Some(Open { id, path, sink, file, description: Arc::clone(description) });
        Ok(())
    }

    /// Finishes the open file and seals its row. What goes wrong is put into `error`.
    pub(super) async fn close(
        &mut self,
        end_ns: Option<i64>,
        error: &mut Option<RecordError>,
    ) -> Option<(RecordingId, String, u64)> {
        let mut o = self.open.take()?;
        // 5. The file.
        let ops = o.file.finish(end_ns);
        let mut facts = progress(&o);
        if let Err(e) = self.shared.writer.finish(&o.sink, ops).await {
            error.get_or_insert(e);
        }
        if let Some(e) = o.sink.failure() {
            // What reached the disk before is kept: the file is finished as start-up would.
            let salvaged = match e {
                RecordError::DiskFull { .. } => salvage(Arc::clone(o.sink.file())).await.ok().flatten(),
                // After a failed sync nobody knows what is on the disk; the file is left as it is, and said so.
                _ => None,
            };
            match salvaged {
                Some(f) => {
                    facts = RecordingProgress {
                        duration_ms: millis(f.duration),
                        size_bytes: i64::try_from(f.media_bytes).unwrap_or(i64::MAX),
                        frames: i64::try_from(f.frames).unwrap_or(i64::MAX),
                    };
                }
                None => {
                    self.fail_row(o.id, &e).await;
                    error.get_or_insert(e);
                    return None;
                }
            }
        }
        // 6. The row.
        let video = o.description.video();
        let end = RecordingEnd {
            progress: facts,
            ended_at: self.shared.clock.wall(),
            interrupted: false,
            codec: video.map(|t| t.codec.name().to_owned()),
            audio_codec: o.description.audio().map(|t| t.codec.name().to_owned()),
            width: video.and_then(|t| t.video()).map(|v| i64::from(v.width)),
            height: video.and_then(|t| t.video()).map(|v| i64::from(v.height)),
        };
        let behind = o.file.is_spilled();
        if behind {
            self.say("its index lies behind the media; a file that starts at once is made in the background");
            if let Err(e) = shrink::flag(&self.shared, &o.path).await {
                warn!(recording = %o.id, error = %e, "the file could not be flagged; a restart leaves it as it is");
            }
        }
        let better = shrink::announce(&self.shared, o.id, o.file.media_bytes(), behind);
        if let Err(e) = self.shared.index.sealed(o.id, &end).await {
            // The file is whole; the next start finds it finished and seals the row.
            error.get_or_insert(e.into());
        }
        if let Some(better) = better {
            shrink::later(better, o.path.clone());
        }
        self.done_duration += Duration::from_millis(u64::try_from(facts.duration_ms).unwrap_or(0));
        self.done_frames += u64::try_from(facts.frames).unwrap_or(0);
        self.with_live(|l| l.size_bytes = u64::try_from(facts.size_bytes).unwrap_or(0));
        Some((o.id, o.path, u64::try_from(facts.size_bytes).unwrap_or(0)))
    }

    async fn fail_row(&self, id: RecordingId, why: &RecordError) {
        if let Err(e) = self.shared.index.failed(id, self.shared.clock.wall(), &why.to_string()).await {
            warn!(recording = %id, error = %e, "the row could not be closed; the next start will");
        }
    }
}

/// The figures of the row.
pub(super) fn progress(o: &Open) -> RecordingProgress {
    RecordingProgress {
        duration_ms: millis(o.file.duration()),
        size_bytes: i64::try_from(o.file.media_bytes()).unwrap_or(i64::MAX),
        frames: i64::try_from(o.file.frames()).unwrap_or(i64::MAX),
    }
}
