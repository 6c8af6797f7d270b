//! Moments that somebody wants to find again, and the clips that keep them.
//!
//! **A mark means the moment of the click**, however long its clip takes to write. A clip is made of what the camera
//! sent since the session was opened, never of what it showed somebody else before.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tracing::warn;
use vigie_base::{RecordingId, StreamKey, UnixMillis, UserId};
use vigie_record::{Clip, ClipRequest};
use vigie_store::{CaptureSession, Marker, NewMarker, RecordingKind, RecordingState, SessionState};

use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::policy::{Action, Identity};
use crate::recordings::{Recordings, clip_file, record_error};
use crate::sessions::{Sessions, user_of};

/// Seconds that a clip may hold.
const LENGTHS: std::ops::RangeInclusive<f64> = 10.0..=120.0;
/// Seconds that it holds when nobody says.
const USUAL: f64 = 30.0;
/// Letters of a label.
const LABEL_CHARS: usize = 80;
/// Markers of one session: more than anybody finds again.
const MOST: usize = 1000;

/// What to mark.
#[derive(Debug, Clone, Default)]
pub struct NewMark {
    /// How much of the past the clip holds: 10–120, 30 when missing.
    pub seconds: Option<f64>,
    /// What to call it.
    pub label: Option<String>,
    /// Whether to keep a clip.
    pub clip: bool,
    /// A place in a recording of the session, instead of now.
    pub recording_id: Option<i64>,
    /// Where in it, in seconds as it plays.
    pub offset_seconds: Option<f64>,
}

/// A marker as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarkerView {
    /// Its number.
    pub id: i64,
    /// In which session.
    pub session_id: String,
    /// In which recording; missing when nothing was recorded then, or it was deleted since.
    pub recording_id: Option<i64>,
    /// RFC 3339.
    pub at: String,
    /// Where in the recording as it plays.
    pub offset_seconds: Option<f64>,
    /// What it is called.
    pub label: Option<String>,
    /// Who set it.
    pub user_id: Option<i64>,
    /// The file that keeps it.
    pub clip_recording_id: Option<i64>,
}

impl From<Marker> for MarkerView {
    fn from(m: Marker) -> Self {
        Self {
            id: m.id,
            session_id: m.session_id.0,
            recording_id: m.recording_id.map(|r| r.0),
            at: m.at.rfc3339(),
            offset_seconds: m.offset_ms.map(|ms| ms as f64 / 1000.0),
            label: m.label,
            user_id: m.user_id.map(|u| u.0),
            clip_recording_id: m.clip_id.map(|r| r.0),
        }
    }
}

/// A clip that was kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClipView {
    /// Its row.
    pub recording_id: i64,
    /// The session.
    pub session_id: String,
    /// `sess_…_clip1.mp4`.
    pub filename: String,
    /// Its length: less than was asked for when less was there.
    pub duration_seconds: f64,
    /// Its size.
    pub size_bytes: u64,
    /// RFC 3339: its first picture.
    pub started_at: String,
    /// Where to get it.
    pub download_url: String,
}

/// What came of a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// The marker.
    pub marker: MarkerView,
    /// Its clip, when one was wanted and could be kept.
    pub clip: Option<ClipView>,
    /// Why a clip that was wanted could not be kept; the moment stands in the recording all the same.
    pub clip_error: Option<String>,
}

/// Markers. See the module.
#[derive(Debug, Clone)]
pub struct Markers {
    core: Arc<Core>,
    sessions: Sessions,
    recordings: Recordings,
}

impl Markers {
    pub(crate) fn new(core: Arc<Core>, sessions: Sessions, recordings: Recordings) -> Self {
        Self { core, sessions, recordings }
    }

    /// Marks this moment, or a place in a recording that is there.
    pub async fn mark(&self, who: &Identity, session_id: &str, mark: NewMark) -> Result<Marked> {
        let session = self.sessions.find(who, Action::ControlSession, session_id).await?;
        let label = label(mark.label.as_deref())?;
        let seconds = mark.seconds.unwrap_or(USUAL);
        if !LENGTHS.contains(&seconds) {
            return Err(Error::SecondsOutOfRange);
        }
        if self.core.store.markers(&session.id).await?.len() >= MOST {
            return Err(Error::TooManyMarkers(MOST));
        }
        let user = user_of(who);
        let marked = if mark.recording_id.is_some() || mark.offset_seconds.is_some() {
            let place = self.place(&session, mark.recording_id, mark.offset_seconds).await?;
            let marker = self.core.store.insert_marker(NewMarker { label, user_id: user, ..place }).await?;
            self.core.bus.tell(Notice::Marker { session: session.id.clone(), marker: marker.id });
            Marked { marker: marker.into(), clip: None, clip_error: None }
        } else {
            if session.state == SessionState::Closed {
                return Err(Error::SessionClosed);
            }
            // A caller that goes away does not leave a clip without its marker.
            let (core, length) = (Arc::clone(&self.core), mark.clip.then(|| Duration::from_secs_f64(seconds)));
            let work = tokio::spawn(async move { now(&core, &session, user, label, length).await });
            work.await.map_err(|_| Error::Internal("marking a moment panicked".to_owned()))??
        };
        let target = format!("marker/{}", marked.marker.id);
        self.core.auth.note(who, "marker.create", &target, Value::Null).await;
        Ok(marked)
    }

    /// Markers of a session, oldest first.
    pub async fn list(&self, who: &Identity, session_id: &str) -> Result<Vec<MarkerView>> {
        let session = self.sessions.find(who, Action::ViewSession, session_id).await?;
        Ok(self.core.store.markers(&session.id).await?.into_iter().map(MarkerView::from).collect())
    }

    /// One marker of a session.
    pub async fn get(&self, who: &Identity, session_id: &str, marker: i64) -> Result<MarkerView> {
        Ok(self.find(who, Action::ViewSession, session_id, marker).await?.into())
    }

    /// Takes a marker back. Its clip stays, unless `with_clip`: that is the deletion of a file, which players may not.
    pub async fn delete(&self, who: &Identity, session_id: &str, marker: i64, with_clip: bool) -> Result<()> {
        let marker = self.find(who, Action::ControlSession, session_id, marker).await?;
        if let Some(clip) = marker.clip_id.filter(|_| with_clip) {
            match self.recordings.delete(who, &marker.session_id.0, None, Some(clip.0)).await {
                // Somebody else was faster.
                Ok(()) | Err(Error::VideoNotFound) => {}
                Err(e) => return Err(e),
            }
        }
        match self.core.store.delete_marker(marker.id).await {
            Err(vigie_store::StoreError::NotFound(_)) => return Err(Error::MarkerNotFound),
            done => done?,
        }
        let target = format!("marker/{}", marker.id);
        self.core.auth.note(who, "marker.delete", &target, Value::Null).await;
        self.core.bus.tell(Notice::MarkerRemoved { session: marker.session_id, marker: marker.id });
        Ok(())
    }

    async fn find(&self, who: &Identity, action: Action, session_id: &str, marker: i64) -> Result<Marker> {
        let session = self.sessions.find(who, action, session_id).await?;
        let found = self.core.store.marker(marker).await?;
        found.filter(|m| m.session_id == session.id).ok_or(Error::MarkerNotFound)
    }

    /// A place in a recording of the session: the one that is named, or else the newest.
    async fn place(&self, session: &CaptureSession, recording: Option<i64>, offset: Option<f64>) -> Result<NewMarker> {
        let offset = offset.ok_or(Error::missing("offset_seconds"))?;
        let row = match recording {
            Some(id) => self.core.store.recording(RecordingId(id)).await?,
            None => self.recordings.newest(&session.id).await?,
        };
        let usable = matches!(row.as_ref().map(|r| r.state), Some(RecordingState::Sealed | RecordingState::Open));
        let row = row
            .filter(|r| usable && r.kind == RecordingKind::Session && r.session_id.as_ref() == Some(&session.id))
            .ok_or(Error::VideoNotFound)?;
        let running = self.core.recorder.get(&session.id).map(|r| r.status()).filter(|s| s.id == row.id);
        let length_ms = running.map_or(row.duration_ms, |s| whole_ms(s.elapsed));
        let offset_ms = (offset * 1000.0).round();
        if !(offset_ms.is_finite() && offset_ms >= 0.0 && offset_ms <= length_ms as f64) {
            let message = "`offset_seconds` lies outside the recording";
            return Err(Error::field("offset_seconds", "value", message));
        }
        let offset_ms = offset_ms as i64;
        Ok(NewMarker {
            session_id: session.id.clone(),
            recording_id: Some(row.id),
            at: UnixMillis(row.started_at.0.saturating_add(offset_ms)),
            offset_ms: Some(offset_ms),
            label: None,
            user_id: None,
            clip_id: None,
        })
    }
}

/// Marks the moment, keeps its clip when `length` says how long it should be, and tells of both.
async fn now(
    core: &Arc<Core>,
    session: &CaptureSession,
    user: Option<UserId>,
    label: Option<String>,
    length: Option<Duration>,
) -> Result<Marked> {
    // 1. The moment, before anything takes its time.
    let at = core.clock.wall();
    let running = core.recorder.get(&session.id).filter(|r| !r.is_over()).map(|r| r.status());
    // 2. The clip.
    let (clip, clip_error) = match length {
        None => (None, None),
        Some(length) => match keep(core, session, user, length).await {
            Ok(clip) => (Some(clip), None),
            Err(e) if running.is_some() => {
                warn!(session = %session.id, error = %e, "the moment is marked, but its clip could not be kept");
                (None, Some(e.to_string()))
            }
            Err(e) => return Err(e),
        },
    };
    // 3. The marker.
    let marker = NewMarker {
        session_id: session.id.clone(),
        recording_id: running.as_ref().map(|s| s.id),
        at,
        offset_ms: running.as_ref().map(|s| whole_ms(s.elapsed)),
        label,
        user_id: user,
        clip_id: clip.as_ref().map(|c| c.id),
    };
    let marker = core.store.insert_marker(marker).await?;
    core.bus.tell(Notice::Marker { session: session.id.clone(), marker: marker.id });
    if let Some(c) = &clip {
        core.bus.tell(Notice::Recording { session: session.id.clone(), recording: c.id });
    }
    let clip = clip.map(|c| view(session, &c));
    Ok(Marked { marker: marker.into(), clip, clip_error })
}

async fn keep(core: &Core, session: &CaptureSession, user: Option<UserId>, length: Duration) -> Result<Clip> {
    let camera = session.camera_id.ok_or(Error::CameraNotFound)?;
    let name = core.cameras.read().get(&camera).map(|c| c.fields.name.clone()).ok_or(Error::CameraNotFound)?;
    let request = ClipRequest {
        session_id: session.id.clone(),
        stream: StreamKey::main(camera),
        camera_name: name,
        club_id: session.club_id,
        terrain_id: session.terrain_id,
        user_id: user.or(session.user_id),
        length,
        not_before: core.sessions.opened(&session.id),
    };
    core.recorder.clip(request).await.map_err(record_error)
}

fn view(session: &CaptureSession, clip: &Clip) -> ClipView {
    let (filename, download_url) = clip_file(&session.id, session.club_id, clip.id, &clip.path);
    ClipView {
        recording_id: clip.id.0,
        session_id: session.id.0.clone(),
        filename,
        duration_seconds: whole_ms(clip.duration) as f64 / 1000.0,
        size_bytes: clip.size_bytes,
        started_at: clip.started_at.rfc3339(),
        download_url,
    }
}

/// A label as it is kept; nothing when there is nothing in it.
fn label(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else { return Ok(None) };
    if text.chars().count() > LABEL_CHARS {
        return Err(Error::field("label", "too_long", "a label has at most 80 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::field("label", "value", "a label is one line of text"));
    }
    Ok(Some(text.to_owned()))
}

fn whole_ms(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_short_line() {
        assert_eq!(label(Some("  smash  ")).unwrap().as_deref(), Some("smash"));
        assert_eq!(label(Some(" ")).unwrap(), None);
        assert!(label(Some(&"é".repeat(80))).unwrap().is_some());
        assert_eq!(label(Some(&"é".repeat(81))).unwrap_err().code(), "invalid_field");
        assert_eq!(label(Some("a\nb")).unwrap_err().code(), "invalid_field");
    }
}
