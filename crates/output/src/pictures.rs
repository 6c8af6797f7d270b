//! Pictures and live video over HTTP: snapshots, multipart MJPEG, previews of capture sessions, and fMP4 over one
//! WebSocket for browsers.
//!
//! [`router`] mounts everything. **Whatever is decoded or packaged is made once per stream and shared**; a request
//! only ever adds a reader.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vigie_base::StreamName;
use vigie_hub::{Gate, Hub, OpenSession, Stream, Verb};
use vigie_media::{AccessUnit, Codec};

use crate::http::{Caller, HttpError, Shown, Target, open, open_session};
use crate::mse::feed::Feeds;
use crate::rendition::{Form, Renditions, still};
use crate::snapshot::Snapshots;
use crate::{mjpeg, mse, preview, session_port, snapshot};

/// What may be set from outside.
#[derive(Debug, Clone)]
pub struct Options {
    /// The ffmpeg program (`tools.ffmpeg`, `FFMPEG_PATH`); only needed for stills of H.265.
    pub ffmpeg: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self { ffmpeg: PathBuf::from("ffmpeg") }
    }
}

/// Single pictures for who is not a route of this module, such as the test of a camera. Cheap to clone.
#[derive(Clone)]
pub struct Stills(Arc<Renditions>);

impl Stills {
    /// With the ffmpeg program that is asked when nothing built in can decode; probed when first needed.
    pub fn new(ffmpeg: PathBuf) -> Self {
        Self(Renditions::new(ffmpeg))
    }

    /// A JPEG of that key frame, scaled down to `width` pixels in a row; `quality` from 1 to 100. `None` when it
    /// cannot be decoded here.
    pub async fn jpeg(&self, codec: &Codec, key: Arc<AccessUnit>, width: u32, quality: u8) -> Option<Bytes> {
        let form = Form { width: Some(width), quality: Some(quality) };
        let made = still(&self.0, codec, key, form).await;
        // Nobody asks for the same camera again soon.
        self.0.forget();
        made.inspect_err(|e| tracing::debug!(error = %e, "a picture could not be made")).ok()
    }
}

/// What all routes share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pictures {
    pub(crate) hub: Hub,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) renditions: Arc<Renditions>,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) feeds: Arc<Feeds>,
}

impl Pictures {
    pub(crate) fn new(hub: Hub, gate: Arc<dyn Gate>, options: Options) -> Self {
        let renditions = Renditions::new(options.ffmpeg);
        let snapshots = Snapshots::new(Arc::clone(&renditions));
        Self { hub, gate, renditions, snapshots, feeds: Arc::default() }
    }

    pub(crate) async fn open(&self, caller: &Caller, target: Target<'_>, verb: Verb) -> Result<Shown, HttpError> {
        open(&self.hub, self.gate.as_ref(), &caller.0, target, verb).await
    }

    /// An open session, to be watched.
    pub(crate) async fn session(&self, caller: &Caller, id: &str) -> Result<(OpenSession, Arc<Stream>), HttpError> {
        open_session(&self.hub, self.gate.as_ref(), &caller.0, id, Verb::View).await
    }
}

/// All routes, for the HTTP surface to mount. The caller is taken from the [`vigie_hub::Principal`] that the sign-in
/// layer leaves in the request's extensions.
pub fn router(hub: Hub, gate: Arc<dyn Gate>) -> OpenApiRouter {
    router_with(hub, gate, Options::default())
}

/// [`router`] with settings of its own.
pub fn router_with(hub: Hub, gate: Arc<dyn Gate>, options: Options) -> OpenApiRouter {
    routes_of(Pictures::new(hub, gate, options))
}

/// All HTTP outputs, where more than one listener shows them: what is made of a stream is made once for all.
#[derive(Clone)]
pub struct Outputs(Pictures);

impl Outputs {
    /// Over that hub, behind that gate.
    pub fn new(hub: Hub, gate: Arc<dyn Gate>, options: Options) -> Self {
        Self(Pictures::new(hub, gate, options))
    }

    /// All routes; see [`router`].
    pub fn routes(&self) -> OpenApiRouter {
        routes_of(self.0.clone())
    }

    /// The routes of one session's own port, without a sign-in; see [`crate::session_port`].
    pub fn session_port(&self, session: &str) -> axum::Router {
        session_port::router(&self.0, session)
    }
}

pub(crate) fn routes_of(state: Pictures) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(snapshot::camera_snapshot))
        .routes(routes!(mjpeg::camera_mjpeg))
        .routes(routes!(preview::preview_mjpeg))
        .routes(routes!(preview::preview_snapshot))
        .routes(routes!(preview::preview_info))
        .routes(routes!(preview::preview_socket))
        .routes(routes!(preview::proxy_mjpeg))
        .routes(routes!(preview::proxy_snapshot))
        .routes(routes!(preview::proxy_health))
        .routes(routes!(mse::live_socket))
        .with_state(state)
}

/// The query of every picture route. What a client adds for itself (`t=` against caches) is ignored.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PictureQuery {
    /// `main` (default) or `sub`.
    pub(crate) stream: Option<String>,
    /// Most pixels in a row; never enlarged. 16 to 8192.
    pub(crate) width: Option<u32>,
    /// JPEG quality, 1 to 100.
    pub(crate) quality: Option<u8>,
    /// Most pictures per second.
    pub(crate) fps: Option<f64>,
    /// `1`: the newest frame instead of the newest key frame.
    pub(crate) newest: Option<String>,
}

impl PictureQuery {
    pub(crate) fn stream(&self) -> Result<StreamName, HttpError> {
        let name = self.stream.as_deref().unwrap_or("main");
        name.parse().map_err(|_| HttpError::invalid("`stream` is main or sub"))
    }

    pub(crate) fn form(&self) -> Result<Form, HttpError> {
        if self.width.is_some_and(|w| !(16..=8192).contains(&w)) {
            return Err(HttpError::invalid("`width` is 16 to 8192"));
        }
        if self.quality.is_some_and(|q| !(1..=100).contains(&q)) {
            return Err(HttpError::invalid("`quality` is 1 to 100"));
        }
        // Forms are shared and cached: a client that counts widths up must not multiply the work.
        Ok(Form { width: self.width.map(|w| w.next_multiple_of(16)), quality: self.quality })
    }

    pub(crate) fn interval_ms(&self, default: u32) -> Result<u32, HttpError> {
        match self.fps {
            None => Ok(default),
            Some(f) if (0.1..=120.0).contains(&f) => Ok((1000.0 / f) as u32),
            Some(_) => Err(HttpError::invalid("`fps` is 0.1 to 120")),
        }
    }

    pub(crate) fn newest(&self) -> bool {
        matches!(self.newest.as_deref(), Some("1" | "true" | ""))
    }
}

#[cfg(test)]
#[path = "pictures_tests.rs"]
mod tests;
