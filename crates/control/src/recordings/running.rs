//! A recording from the click to its end, as its session and everybody who listens see it.
//!
//! **What was begun goes on without the caller**, and its end is said once, whoever notices it first.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tracing::info;
use vigie_base::{SessionId, StreamKey, UserId};
use vigie_hub::Reason;
use vigie_record::{Finished, RecordError, Recording, Request, VideoMode};
use vigie_store::{CaptureSession, SessionState};

use super::estimate;
use super::view::StartedView;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::{About, Notice};

/// Begins; answers when the file is open.
pub(super) async fn start(
    core: &Arc<Core>,
    session: CaptureSession,
    user_id: Option<UserId>,
    duration: Duration,
    mode: Option<VideoMode>,
) -> Result<StartedView> {
    let id = session.id.clone();
    let camera = session.camera_id.ok_or(Error::CameraNotFound)?;
    let name = core.cameras.read().get(&camera).map(|c| c.fields.name.clone()).ok_or(Error::CameraNotFound)?;
    if core.is_recording(&id) {
        return Err(Error::AlreadyRecording);
    }
    let limit = core.recorder.config().max_concurrent;
    if core.recorder.active().len() >= limit {
        return Err(Error::MaxConcurrent(limit));
    }
    let stream = StreamKey::main(camera);
    let needed = estimate::of(core, stream, duration, mode).await?;
    if !needed.fits() {
        return Err(Error::DiskFull { needed_bytes: needed.bytes, available_bytes: needed.free_bytes });
    }
    // From here on nobody else starts in this session.
    let before = core.sessions.begin(&id)?.ok_or(Error::AlreadyRecording)?;
    core.set_session_state(&id, SessionState::Starting, None).await;
    let request = Request {
        session_id: id.clone(),
        stream,
        camera_name: name.clone(),
        club_id: session.club_id,
        terrain_id: session.terrain_id,
        user_id,
        duration,
        mode,
    };
    let recording = match core.recorder.start(request).await {
        Ok(r) => r,
        Err(e) => {
            // The session is as usable as before.
            core.set_session_state(&id, before, Some(e.to_string())).await;
            return Err(match e {
                RecordError::SourceDown(_) => unreachable_now(core, stream, &e),
                e => record_error(e),
            });
        }
    };
    core.sessions.recorded_by(&id, &recording);
    core.set_session_state(&id, SessionState::Recording, None).await;
    let status = recording.status();
    info!(session = %id, recording = %status.id, seconds = duration.as_secs(), "recording");
    let about = About { camera: Some(camera), session: Some(id.clone()), recording: Some(status.id) };
    core.event("recording_started", about, format!("{name} is being recorded"), json!(null)).await;
    core.bus.tell(Notice::Recording { session: id.clone(), recording: status.id });
    let view = StartedView {
        session_id: id.0.clone(),
        recording_id: status.id.0,
        started_at: status.started_at.rfc3339(),
        duration_seconds: duration.as_secs().cast_signed(),
        video_path: core.config.media_dir.join(&status.path).display().to_string(),
        mode: status.mode.to_owned(),
    };
    let core = Arc::clone(core);
    tokio::spawn(async move {
        let end = recording.wait().await;
        finish(&core, &id, &recording, end).await;
    });
    Ok(view)
}

/// What the camera itself said is worth more than that no picture came.
fn unreachable_now(core: &Core, stream: StreamKey, e: &RecordError) -> Error {
    let failure = core.hub.get(stream).and_then(|s| s.state().failure);
    let (reason, message) = failure.map_or((Reason::NoVideo, e.to_string()), |f| (f.reason, f.message));
    Error::CameraUnreachable { reason, message }
}

/// Says once that a recording has ended, and moves its session on.
pub(super) async fn finish(
    core: &Arc<Core>,
    session: &SessionId,
    recording: &Recording,
    end: Result<Finished, RecordError>,
) {
    let id = recording.status().id;
    let state = if end.is_ok() { SessionState::Complete } else { SessionState::Failed };
    if core.sessions.take_end(session, recording, state) {
        let error = match &end {
            Ok(f) => f.error.as_ref().map(ToString::to_string),
            Err(e) => Some(e.to_string()),
        };
        core.set_session_state(session, state, error.clone()).await;
        let about = About {
            camera: Some(recording.request().stream.camera),
            session: Some(session.clone()),
            recording: Some(id),
        };
        let name = &recording.request().camera_name;
        match &end {
            Ok(f) => {
                let text = format!("the recording of {name} is finished");
                let data =
                    json!({"size_bytes": f.size_bytes, "duration_seconds": f.duration.as_secs_f64(), "error": error});
                core.event("recording_finished", about, text, data).await;
            }
            Err(e) => {
                core.event("recording_failed", about, format!("the recording of {name} failed: {e}"), json!(null))
                    .await;
            }
        }
    }
    // By whoever is here first: a caller that was told of the end finds the session closed.
    if core.config.close_on_stop {
        crate::sessions::close(core, session, end.as_ref().err().map(ToString::to_string)).await;
    }
    core.bus.tell(Notice::Recording { session: session.clone(), recording: id });
}

/// The recorder's refusals in the words of the contract.
pub(crate) fn record_error(e: RecordError) -> Error {
    let message = e.to_string();
    match e {
        RecordError::AlreadyRecording => Error::AlreadyRecording,
        RecordError::TooMany(n) => Error::MaxConcurrent(n),
        RecordError::SourceDown(_) | RecordError::StreamClosed | RecordError::Empty | RecordError::NothingToRecord => {
            Error::CameraUnreachable { reason: Reason::NoVideo, message }
        }
        RecordError::DiskFull { free_mb, needed_mb } => {
            Error::DiskFull { needed_bytes: needed_mb << 20, available_bytes: free_mb << 20 }
        }
        RecordError::EncoderUnavailable(_) => Error::EncoderUnavailable(message),
        RecordError::CannotCopy(_) => Error::field("mode", "not_allowed", message),
        RecordError::NotFinished => Error::VideoNotFound,
        RecordError::NothingKept => Error::NoFrameYet,
        RecordError::EmptyPart => Error::field("to", "value", message),
        RecordError::BeyondEnd { duration_ms } => Error::PartBeyondEnd { duration_ms },
        RecordError::Disk(_) | RecordError::Index(_) | RecordError::Moved => {
            Error::Recorder { fault: e.fault(), message }
        }
    }
}
