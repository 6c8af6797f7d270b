//! One recording: a reader of the hub that writes a file.
//!
//! **It looks at the stream ten times a second, not at every unit**: the hub keeps what was not taken yet, and a
//! hundred recordings cost a hundred times ten wake-ups. A crash loses what was not written: at most one second.

mod run;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use vigie_base::{RecordingId, UnixMillis};
use vigie_hub::{Status, Stream};

use crate::clip::Asks;
use crate::recorder::Shared;
use crate::{RecordError, Request};

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Media is being written.
    Recording,
    /// The file is being finished.
    Stopping,
    /// The file is finished.
    Complete,
    /// There is no finished file.
    Failed,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody stopped it.
    Stopped,
    /// Its time was up.
    Elapsed,
    /// The camera was removed.
    CameraRemoved,
    /// It could not go on; [`Finished::error`] says why.
    Broken,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Its row; the newest one when it has several files.
    pub id: RecordingId,
    /// Its file below the media folder, likewise.
    pub path: String,
    /// Further files, older first: the codec changed while it ran.
    pub earlier: Vec<(RecordingId, String)>,
    /// Bytes of media in the newest file.
    pub size_bytes: u64,
    /// Length of all files.
    pub duration: Duration,
    /// Video frames in all files.
    pub frames: u64,
    /// Why it ended.
    pub ended: Ended,
    /// What went wrong, when something did.
    pub error: Option<RecordError>,
}

/// A snapshot of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingStatus {
    /// Where it stands.
    pub phase: Phase,
    /// Since the click; frozen at the end.
    pub elapsed: Duration,
    /// What was asked for.
    pub planned: Duration,
    /// Wall time of the click.
    pub started_at: UnixMillis,
    /// The file being written, below the media folder.
    pub path: String,
    /// Its row.
    pub id: RecordingId,
    /// Bytes of media written.
    pub size_bytes: u64,
    /// Video frames taken.
    pub frames: u64,
    /// Holes so far.
    pub gaps: u32,
    /// Average over the recording.
    pub bitrate_bps: u64,
    /// Whether the camera sends now.
    pub source_connected: bool,
    /// `copy` or `encode`.
    pub mode: &'static str,
    /// What went wrong.
    pub error: Option<RecordError>,
}

impl RecordingStatus {
    /// Whole percents of the planned time, at most 100 (contract §20.4).
    pub fn progress_percent(&self) -> u8 {
        let planned = self.planned.as_millis().max(1);
        u8::try_from((self.elapsed.as_millis() * 100 / planned).min(100)).unwrap_or(100)
    }
}

#[derive(Debug, Clone)]
struct Live {
    phase: Phase,
    path: String,
    id: RecordingId,
    size_bytes: u64,
    frames: u64,
    gaps: u32,
    mode: &'static str,
    error: Option<RecordError>,
    ended_after: Option<Duration>,
    /// Who wants to know where its newest media is.
    asks: Asks,
}

/// A running or finished recording. Dropping it does not end it.
#[derive(Debug)]
pub struct Recording {
    request: Request,
    clicked: Instant,
    started_at: UnixMillis,
    stream: Arc<Stream>,
    live: Arc<Mutex<Live>>,
    stop: CancellationToken,
    outcome: watch::Receiver<Option<Result<Finished, RecordError>>>,
}

impl Recording {
    /// What was asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Wall time of the click.
    pub fn started_at(&self) -> UnixMillis {
        self.started_at
    }

    /// Whether it has ended, well or badly.
    pub fn is_over(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    pub(crate) fn asks(&self) -> Asks {
        self.live.lock().asks.clone()
    }

    /// Everything known now.
    pub fn status(&self) -> RecordingStatus {
        let live = self.live.lock().clone();
        let elapsed = live.ended_after.unwrap_or_else(|| self.clicked.elapsed()).min(self.request.duration);
        let seconds = elapsed.as_secs_f64();
        RecordingStatus {
            phase: live.phase,
            elapsed,
            planned: self.request.duration,
            started_at: self.started_at,
            path: live.path,
            id: live.id,
            size_bytes: live.size_bytes,
            frames: live.frames,
            gaps: live.gaps,
            bitrate_bps: if seconds > 0.5 { (live.size_bytes as f64 * 8.0 / seconds) as u64 } else { 0 },
            source_connected: self.stream.state().status == Status::Live,
            mode: live.mode,
            error: live.error,
        }
    }

    /// Stops it and waits until its file is complete and its row sealed. A second call gives the same answer.
    pub async fn stop(&self) -> Result<Finished, RecordError> {
        self.stop.cancel();
        self.wait().await
    }

    /// Waits until it has ended by itself.
    pub async fn wait(&self) -> Result<Finished, RecordError> {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await {
            Ok(v) => v.clone().unwrap_or(Err(RecordError::Empty)),
            // The task is gone without a word: it panicked.
            Err(_) => Err(RecordError::Disk("the recording task has ended".into())),
        }
    }
}

/// Starts the task and waits until its first file is open.
pub(crate) async fn spawn(
    shared: Arc<Shared>,
    request: Request,
    clicked: Instant,
) -> Result<Arc<Recording>, RecordError> {
    let stream = shared.hub.ensure(request.stream);
    let started_at = shared.clock.wall();
    let stop = CancellationToken::new();
    let (outcome_tx, outcome) = watch::channel(None);
    let (opened_tx, opened) = oneshot::channel();
    let task = Box::new(run::Task::new(shared, request.clone(), &stream, clicked, started_at, stop.clone()));
    let guard = stop.clone().drop_guard();
    tokio::spawn(async move {
        let end = task.run(opened_tx).await;
        outcome_tx.send_replace(Some(end));
    });
    // A task that could not open its file has said why; one whose caller goes away now is stopped.
    let live = opened.await.map_err(|_| RecordError::Disk("the recording task has ended".into()))??;
    guard.disarm();
    Ok(Arc::new(Recording { request, clicked, started_at, stream, live, stop, outcome }))
}
