//! Recordings: what `control` asks for, made by `record`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use tracing::info;
use vigie_base::RecordingId;
use vigie_control::Recorder;
use vigie_control::host::{ActiveRecording, RecordDone, RecordFailure, RecordJob, RecordProgress};
use vigie_hub::{GapCause, Hub};
use vigie_record::{Disk, Finished, Phase, RecordError, Recording, Request};
use vigie_store::Store;

/// Writes session files below the media folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    recorder: vigie_record::Recorder,
    store: Store,
}

impl Files {
    /// Finishes what the last process left behind, and is ready to record.
    pub(super) async fn open(store: &Store, hub: &Hub, config: &vigie_control::Config) -> anyhow::Result<Self> {
        let media = &config.media_dir;
        let volume = Disk::new(media).with_context(|| format!("the media folder {}", media.display()))?;
        let limits = vigie_record::Config {
            max_concurrent: config.max_concurrent_recordings,
            keep_free_bytes: config.min_free_bytes,
            log_dir: config.log_dir.join("video"),
            ..vigie_record::Config::default()
        };
        let recorder = vigie_record::Recorder::new(limits, hub.clone(), Arc::new(volume), Arc::new(store.clone()))?;
        let report = recorder.repair_all().await?;
        if report.repaired + report.failed + report.deleted > 0 {
            info!(
                repaired = report.repaired,
                failed = report.failed,
                deleted = report.deleted,
                "put right what the last run left behind"
            );
        }
        Ok(Self { recorder, store: store.clone() })
    }
}

#[async_trait]
impl Recorder for Files {
    async fn start(&self, job: RecordJob) -> Result<Arc<dyn ActiveRecording>, RecordFailure> {
        let request = Request {
            session_id: job.session,
            stream: job.stream,
            camera_name: job.camera_name,
            club_id: job.club_id,
            terrain_id: job.terrain_id,
            user_id: job.user_id,
            duration: job.planned,
        };
        let recording = self.recorder.start(request).await.map_err(|e| failure(&e))?;
        let first = recording.status().id;
        Ok(Arc::new(Active { recording, first, store: self.store.clone() }))
    }

    async fn delete(&self, id: RecordingId) -> Result<(), RecordFailure> {
        self.recorder.delete(id).await.map_err(|e| failure(&e))
    }
}

#[derive(Debug)]
struct Active {
    recording: Arc<Recording>,
    first: RecordingId,
    store: Store,
}

#[async_trait]
impl ActiveRecording for Active {
    fn row(&self) -> RecordingId {
        self.first
    }

    fn progress(&self) -> RecordProgress {
        let s = self.recording.status();
        RecordProgress {
            duration_ms: milliseconds(s.elapsed),
            size_bytes: s.size_bytes,
            frames: s.frames,
            gaps: s.gaps,
            ended: match (s.phase, &s.error) {
                (Phase::Complete, _) => Some(Ok(())),
                (Phase::Failed, Some(e)) => Some(Err(failure(e))),
                (Phase::Failed, None) => Some(Err(failure(&RecordError::Empty))),
                (Phase::Recording | Phase::Stopping, _) => None,
            },
        }
    }

    async fn stop(&self) -> Result<RecordDone, RecordFailure> {
        let done = self.recording.stop().await.map_err(|e| failure(&e))?;
        Ok(self.done(&done).await)
    }

    async fn ended(&self) {
        // How it ended stands in `progress` and in its row.
        let _ = self.recording.wait().await;
    }
}

impl Active {
    async fn done(&self, f: &Finished) -> RecordDone {
        // The row knows what was in the file; without it the answer is only shorter.
        let row = self.store.recording(f.id).await.ok().flatten();
        RecordDone {
            duration_ms: milliseconds(f.duration),
            size_bytes: f.size_bytes,
            frames: f.frames,
            codec: row.as_ref().and_then(|r| r.codec.clone()),
            audio_codec: row.as_ref().and_then(|r| r.audio_codec.clone()),
            width: row.as_ref().and_then(|r| r.width).and_then(|w| u32::try_from(w).ok()),
            height: row.as_ref().and_then(|r| r.height).and_then(|h| u32::try_from(h).ok()),
        }
    }
}

fn milliseconds(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

fn failure(e: &RecordError) -> RecordFailure {
    let cause = match e {
        RecordError::SourceDown(_) | RecordError::StreamClosed | RecordError::Empty => Some(GapCause::SourceLost),
        RecordError::DiskFull { .. } | RecordError::Disk(_) => Some(GapCause::Disk),
        _ => None,
    };
    RecordFailure { fault: e.fault(), message: e.to_string(), cause }
}
