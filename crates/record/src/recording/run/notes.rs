//! What a recording says: in its row, in its log, to those who ask.

use std::sync::Arc;
use std::time::Instant;

use tracing::{info, warn};
use vigie_hub::{Gap, GapCause, Status};
use vigie_store::RecordedGap;

use super::file::progress;
use super::{ENCODER, Finished, Phase, QUIET, Task, millis};
use crate::RecordError;
use crate::recorder::disk_full;

impl Task {
    pub(super) fn report(&self, result: &Result<Finished, RecordError>, end_at: Instant) {
        let session = &self.request.session_id;
        self.with_live(|l| {
            l.ended_after = Some(end_at.saturating_duration_since(self.clicked));
            match result {
                Ok(f) => {
                    l.phase = Phase::Complete;
                    l.error.clone_from(&f.error);
                }
                Err(e) => {
                    l.phase = Phase::Failed;
                    l.error = Some(e.clone());
                }
            }
        });
        match result {
            Ok(f) => {
                info!(%session, path = f.path, seconds = f.duration.as_secs_f64(), frames = f.frames, "recorded");
                self.say(format_args!("end: {:?}, {} frames, {:?}, {}", f.ended, f.frames, f.duration, f.path));
                if let Some(e) = &f.error {
                    warn!(%session, error = %e, "the recording ended early");
                    self.say(format_args!("it ended early: {e}"));
                }
            }
            Err(e) => {
                warn!(%session, error = %e, "nothing was recorded");
                self.say(format_args!("nothing was recorded: {e}"));
            }
        }
    }

    /// The row's figures, and whether there is still room.
    pub(super) async fn book(&mut self) -> Result<(), RecordError> {
        let Some(o) = &self.open else { return Ok(()) };
        let progress = progress(o);
        if let Err(e) = self.shared.index.progress(o.id, progress).await {
            // The file goes on; the row is put right at the end.
            warn!(recording = %o.id, error = %e, "progress could not be noted");
        }
        let shared = Arc::clone(&self.shared);
        let space = tokio::task::spawn_blocking(move || shared.writer.volume().space()).await;
        match space {
            Ok(Ok(s)) => disk_full(s.free, self.shared.config.keep_free_bytes / 2),
            _ => Ok(()),
        }
    }

    pub(super) fn publish_status(&self) {
        let (frames, size) = self.open.as_ref().map_or((0, 0), |o| (o.file.frames(), o.file.media_bytes()));
        self.with_live(|l| {
            l.frames = self.done_frames + frames;
            l.size_bytes = size;
            if let Some(o) = &self.open {
                l.id = o.id;
                l.path.clone_from(&o.path);
            }
        });
    }

    pub(super) async fn gap(&mut self, gap: Gap) {
        // Who encodes falls behind because of the encoder.
        let cause = match gap.cause {
            GapCause::Overrun if self.intake.is_heavy() => {
                self.intake.fell_behind();
                ENCODER
            }
            other => other.as_str(),
        };
        self.gap_of(gap.from, gap.to, cause).await;
    }

    pub(super) async fn gap_of(&mut self, from: Instant, to: Instant, cause: &str) {
        let Some(o) = &self.open else { return };
        if to <= self.clicked {
            return;
        }
        let from = from.max(self.clicked);
        let row = RecordedGap {
            recording_id: o.id,
            from: self.wall_of(from),
            to: Some(self.wall_of(to)),
            offset_ms: millis(from.saturating_duration_since(self.clicked)),
            cause: cause.to_owned(),
        };
        if let Err(e) = self.shared.index.gap(&row).await {
            warn!(recording = %o.id, error = %e, "a gap could not be noted");
        }
        let length = to.saturating_duration_since(from);
        self.say(format_args!("gap of {length:?} at {} ms: {}", row.offset_ms, row.cause));
        self.with_live(|l| l.gaps += 1);
    }

    /// A camera that is gone when the recording ends leaves a gap too.
    pub(super) async fn trailing_gap(&mut self, end: Instant) {
        if end.saturating_duration_since(self.last_media) > QUIET {
            let connected = matches!(self.stream.state().status, Status::Live | Status::Silent);
            let cause = if connected { GapCause::SourceSilent } else { GapCause::SourceLost };
            self.gap(Gap { cause, from: self.last_media, to: end }).await;
        }
    }
}
