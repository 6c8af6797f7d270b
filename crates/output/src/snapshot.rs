//! One picture: the newest key frame as a JPEG, or on request the newest frame.
//!
//! **One decode per picture and form, however many ask**: whoever comes while it is being made waits for the same one,
//! whoever comes later is given it. A camera's own JPEG is passed on as it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::OnceCell;
use vigie_base::{Fault, StreamKey};
use vigie_codec::CodecError;
use vigie_hub::{Cursor, Stream, Verb};
use vigie_media::MediaTime;

use crate::http::{Caller, HttpError, START_LIMIT, Target, newest_key, presence};
use crate::pictures::{PictureQuery, Pictures};
use crate::rendition::{Form, Pace, Rendition, Renditions, WARM, still};

/// Pictures kept ready; beyond it the longest unused goes.
const MAX_KEPT: usize = 256;
/// A ready picture nobody asked for in this time goes.
const KEEP: Duration = Duration::from_secs(15);
/// How long the newest frame is waited for before the newest key frame is good enough.
const NEWEST_LIMIT: Duration = Duration::from_secs(2);

/// A JPEG and when its picture reached us.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) jpeg: Bytes,
    pub(crate) arrived: Instant,
}

type Cell = Arc<OnceCell<Result<Bytes, CodecError>>>;

#[derive(Debug)]
struct Kept {
    /// The key frame it was made of.
    of: (Instant, MediaTime),
    cell: Cell,
    used: Instant,
}

#[derive(Debug)]
struct Warm {
    rendition: Arc<Rendition>,
    /// Pollers count as one viewer between their questions.
    _viewer: Cursor,
    used: Instant,
}

/// Pictures that are ready or being made.
pub(crate) struct Snapshots {
    renditions: Arc<Renditions>,
    kept: Mutex<HashMap<(StreamKey, Form), Kept>>,
    warm: Mutex<HashMap<(StreamKey, Form), Warm>>,
    sweeping: AtomicBool,
}

impl Snapshots {
    pub(crate) fn new(renditions: Arc<Renditions>) -> Arc<Self> {
        Arc::new(Self { renditions, kept: Mutex::default(), warm: Mutex::default(), sweeping: AtomicBool::new(false) })
    }

    /// A picture of the stream; starts it when it is not running.
    pub(crate) async fn take(
        self: &Arc<Self>,
        stream: &Arc<Stream>,
        form: Form,
        newest: bool,
    ) -> Result<Taken, HttpError> {
        let key = newest_key(stream).await?;
        if newest && let Some(taken) = self.newest(stream, form).await {
            return Ok(taken);
        }
        let Some(codec) = stream.description().and_then(|d| d.video().map(|t| t.codec.clone())) else {
            return Err(HttpError::no_frame());
        };
        let of = (key.arrived, key.pts);
        let cell = self.cell(stream.key(), form, of);
        let arrived = key.arrived;
        let made = cell.get_or_init(|| still(&self.renditions, &codec, key, form)).await;
        self.sweep_later();
        match made {
            Ok(jpeg) => Ok(Taken { jpeg: jpeg.clone(), arrived }),
            Err(e) => Err(failed(e)),
        }
    }

    fn cell(&self, stream: StreamKey, form: Form, of: (Instant, MediaTime)) -> Cell {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        if let Some(k) = kept.get_mut(&(stream, form))
            && k.of == of
        {
            k.used = now;
            return Arc::clone(&k.cell);
        }
        if kept.len() >= MAX_KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, k)| k.used).map(|(k, _)| *k)
        {
            kept.remove(&oldest);
        }
        let cell = Cell::default();
        kept.insert((stream, form), Kept { of, cell: Arc::clone(&cell), used: now });
        cell
    }

    /// The next frame that arrives, from a decoder that stays warm while it is polled.
    async fn newest(self: &Arc<Self>, stream: &Arc<Stream>, form: Form) -> Option<Taken> {
        let rendition = {
            let mut warm = self.warm.lock();
            warm.retain(|_, w| !w.rendition.ended().is_cancelled());
            let w = warm.entry((stream.key(), form)).or_insert_with(|| Warm {
                rendition: self.renditions.get(stream, form, Pace::OnDemand),
                _viewer: presence(stream),
                used: Instant::now(),
            });
            w.used = Instant::now();
            Arc::clone(&w.rendition)
        };
        self.sweep_later();
        let mut shots = rendition.shots();
        shots.borrow_and_update();
        rendition.ask();
        match tokio::time::timeout(NEWEST_LIMIT, shots.changed()).await {
            Ok(Ok(())) => shots.borrow().as_ref().map(|s| Taken { jpeg: s.jpeg.clone(), arrived: s.arrived }),
            _ => None,
        }
    }

    /// Lets go of what nobody asks for any more, some seconds from now.
    fn sweep_later(self: &Arc<Self>) {
        if self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let me = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WARM / 2).await;
                let Some(me) = me.upgrade() else { return };
                me.warm.lock().retain(|_, w| w.used.elapsed() < WARM);
                me.kept.lock().retain(|_, k| k.used.elapsed() < KEEP);
                let decoders = me.renditions.sweep();
                if !decoders && me.warm.lock().is_empty() && me.kept.lock().is_empty() {
                    me.sweeping.store(false, Ordering::Release);
                    return;
                }
            }
        });
    }
}

/// What went wrong with a picture, as an answer.
pub(crate) fn failed(e: &CodecError) -> HttpError {
    let (status, code) = match e.fault() {
        Fault::Unsupported => (StatusCode::NOT_IMPLEMENTED, "unsupported"),
        Fault::Capacity => (StatusCode::SERVICE_UNAVAILABLE, "no_frame_yet"),
        Fault::Peer => (StatusCode::BAD_GATEWAY, "camera_unreachable"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    };
    let details = (code == "camera_unreachable").then(|| json!({ "reason": "no_video" }));
    HttpError { details, ..HttpError::new(status, code, e.to_string()) }
}

pub(crate) fn answer(taken: Taken) -> Response {
    let age = taken.arrived.elapsed();
    let mut response = taken.jpeg.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-frame-age-ms", HeaderValue::from(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
    let at = OffsetDateTime::from(SystemTime::now() - age);
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    if let Ok(date) = at.format(&format)
        && let Ok(value) = HeaderValue::try_from(date)
    {
        headers.insert(header::LAST_MODIFIED, value);
    }
    response
}

pub(crate) async fn respond(
    s: &Pictures,
    caller: &Caller,
    target: Target<'_>,
    query: &PictureQuery,
) -> Result<Response, HttpError> {
    let form = query.form()?;
    let stream = s.open(caller, target, Verb::Snapshot).await?.stream;
    let take = s.snapshots.take(&stream, form, query.newest());
    // Starting may take its time, and so may a decoder; nobody waits longer than for both.
    match tokio::time::timeout(START_LIMIT + Duration::from_secs(12), take).await {
        Ok(taken) => taken.map(answer),
        Err(_) => Err(HttpError::no_frame()),
    }
}

pub(crate) fn query(q: Result<Query<PictureQuery>, QueryRejection>) -> Result<PictureQuery, HttpError> {
    q.map(|Query(q)| q).map_err(|e| HttpError::invalid(e.body_text()))
}

/// A still picture of a camera.
///
/// The newest key frame, with its age in `X-Frame-Age-Ms`; `newest=1` decodes up to the newest frame. A camera that is
/// not running is started and waited for up to five seconds.
#[utoipa::path(
    get, path = "/api/cameras/{id}/snapshot.jpg", tag = "live",
    params(("id" = String, Path, description = "Number or slug"), PictureQuery),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 403, description = "`forbidden`"), (status = 404, description = "`camera_not_found`"),
        (status = 501, description = "`unsupported`: needs ffmpeg"),
        (status = 502, description = "`camera_unreachable`"), (status = 503, description = "`no_frame_yet`"),
    )
)]
pub(crate) async fn camera_snapshot(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    let q = query(q)?;
    respond(&s, &caller, Target::Camera(&id, q.stream()?), &q).await
}
