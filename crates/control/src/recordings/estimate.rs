//! What a recording would weigh, before it is started (contract §20.9, X-19).
//!
//! **Recordings that run are counted in**: what they still need is not free for another.

use std::time::Duration;

use serde::Serialize;
use vigie_base::StreamKey;
use vigie_record::{Estimate, VideoMode};

use super::Recordings;
use super::running::record_error;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::policy::{Action, Identity};

/// Longest recording, in minutes (contract §20.4).
const LONGEST: u64 = 720;

/// Of what an estimate is wanted: exactly one of the three.
#[derive(Debug, Clone, Default)]
pub struct EstimateQuery {
    /// A session.
    pub session_id: Option<String>,
    /// A court.
    pub terrain_id: Option<i64>,
    /// A camera without a court.
    pub camera_id: Option<i64>,
    /// 1–720, 90 when missing.
    pub duration_minutes: Option<f64>,
    /// As configured when missing.
    pub mode: Option<VideoMode>,
}

/// What a recording would need.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EstimateView {
    /// What it is reckoned with.
    pub bitrate_kbps: u64,
    /// Whether that was measured on this stream; otherwise it is what such a recording usually has.
    pub measured: bool,
    /// Bytes of the whole recording.
    pub bytes: u64,
    /// The same in units of 1,048,576 bytes, two decimals.
    pub size_mb: f64,
    /// What may be used: without what has to stay free, and without what running recordings still need.
    pub free_bytes: u64,
    /// Whether the disk can hold it; when not, `record/start` answers 507.
    pub fits: bool,
    /// `copy` or `encode`: what the recording would be.
    pub mode: &'static str,
    /// Whether there is an encoder, should it need one.
    pub encoder_available: bool,
    /// The longest recording that fits, at most 720.
    pub max_minutes: u64,
}

impl Recordings {
    /// What a recording would need; for whoever may see the session, court or camera.
    pub async fn estimate(&self, who: &Identity, query: &EstimateQuery) -> Result<EstimateView> {
        let duration = self.duration(query.duration_minutes)?;
        let camera = match (&query.session_id, query.terrain_id, query.camera_id) {
            (Some(id), None, None) => {
                self.sessions.find(who, Action::ViewSession, id).await?.camera_id.ok_or(Error::CameraNotFound)?
            }
            // An estimate changes nothing: whoever may see the court or the camera may have it.
            (None, Some(court), None) => self.sessions.recordable_court(who, Action::ViewClub, court)?.camera,
            (None, None, Some(camera)) => {
                let camera = self.core.camera_for(who, Action::ViewCamera, &camera.to_string())?.id;
                self.sessions.check_camera(camera)?;
                camera
            }
            (None, None, None) => return Err(Error::missing("terrain_id")),
            _ => {
                let message = "give a session, a court or a camera, and only one of them";
                return Err(Error::field("terrain_id", "not_allowed", message));
            }
        };
        let e = of(&self.core, StreamKey::main(camera), duration, query.mode).await?;
        Ok(EstimateView {
            bitrate_kbps: e.bitrate_bps / 1000,
            measured: e.measured,
            bytes: e.bytes,
            size_mb: (e.bytes as f64 / 1_048_576.0 * 100.0).round() / 100.0,
            free_bytes: e.free_bytes,
            fits: e.fits(),
            mode: e.mode,
            encoder_available: e.encoder_available,
            max_minutes: (e.free_bytes.saturating_mul(8) / e.bitrate_bps.max(1) / 60).min(LONGEST),
        })
    }
}

/// The recorder's estimate, less what the recordings that run will still write.
pub(super) async fn of(
    core: &Core,
    stream: StreamKey,
    duration: Duration,
    mode: Option<VideoMode>,
) -> Result<Estimate> {
    let estimate = core.recorder.estimate(stream, duration, mode).await.map_err(record_error)?;
    let promised: u64 = core
        .recorder
        .active()
        .iter()
        .map(|r| {
            let s = r.status();
            let measured = || core.hub.get(r.request().stream).map_or(0, |stream| stream.state().bitrate_bps);
            let bps = if s.bitrate_bps > 0 { s.bitrate_bps } else { measured() };
            (bps / 8).saturating_mul(s.planned.saturating_sub(s.elapsed).as_secs())
        })
        .fold(0, u64::saturating_add);
    Ok(Estimate { free_bytes: estimate.free_bytes.saturating_sub(promised), ..estimate })
}
