//! Moving JPEG: `multipart/x-mixed-replace`, as browsers show it in an `<img>`.
//!
//! **A client that reads slowly gets fewer pictures, never older ones**, and nobody else notices.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use vigie_hub::{Cursor, Verb};

use crate::http::{Caller, HttpError, Shown, Target, newest_key, presence, shut_out};
use crate::pictures::{PictureQuery, Pictures};
use crate::rendition::{Pace, Rendition, Shot};
use crate::snapshot::query;

const BOUNDARY: &str = "frame";

/// One client's place: what it was given last, and its claim on the stream.
struct Viewer {
    shots: watch::Receiver<Option<Arc<Shot>>>,
    rendition: Arc<Rendition>,
    _presence: Cursor,
    /// Pieces of the current part that were not handed out yet, last first.
    pieces: Vec<Bytes>,
}

impl Viewer {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        loop {
            if let Some(piece) = self.pieces.pop() {
                return Some((Ok(piece), self));
            }
            let ended = self.rendition.ended().clone();
            tokio::select! {
                r = self.shots.changed() => r.ok()?,
                () = ended.cancelled() => return None,
            }
            let shot = self.shots.borrow_and_update().clone();
            if let Some(shot) = shot {
                self.pieces = part(&shot.jpeg);
            }
        }
    }
}

/// A part, last piece first. It ends with the next boundary, for browsers show a picture when they see that one.
fn part(jpeg: &Bytes) -> Vec<Bytes> {
    let head = format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
    vec![Bytes::from_static(b"\r\n--frame\r\n"), jpeg.clone(), head.into()]
}

pub(crate) async fn respond(
    s: &Pictures,
    caller: &Caller,
    target: Target<'_>,
    query: &PictureQuery,
) -> Result<Response, HttpError> {
    let (form, interval) = (query.form()?, query.interval_ms(0)?);
    let Shown { stream, session } = s.open(caller, target, Verb::View).await?;
    let presence = presence(&stream);
    // An answer that can still say what is wrong, before it becomes a picture that never comes.
    newest_key(&stream).await?;
    let rendition = s.renditions.get(&stream, form, Pace::Every(interval));
    let mut shots = rendition.shots();
    shots.mark_changed();
    let first = Bytes::from(format!("--{BOUNDARY}\r\n"));
    let viewer = Viewer { shots, rendition, _presence: presence, pieces: vec![first] };
    let end = shut_out(Arc::clone(&s.gate), caller.0.clone(), stream.key(), session);
    let body = Body::from_stream(stream::unfold(viewer, Viewer::next).take_until(Box::pin(end)));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("multipart/x-mixed-replace; boundary=frame"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Live pictures of a camera as multipart MJPEG.
#[utoipa::path(
    get, path = "/api/cameras/{id}/stream.mjpeg", tag = "live",
    params(("id" = String, Path, description = "Number or slug"), PictureQuery),
    responses(
        (status = 200, content_type = "multipart/x-mixed-replace; boundary=frame", body = Vec<u8>),
        (status = 403, description = "`forbidden`"), (status = 404, description = "`camera_not_found`"),
        (status = 502, description = "`camera_unreachable`"), (status = 503, description = "`no_frame_yet`"),
    )
)]
pub(crate) async fn camera_mjpeg(
    State(s): State<Pictures>,
    caller: Caller,
    Path(id): Path<String>,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    let q = query(q)?;
    respond(&s, &caller, Target::Camera(&id, q.stream()?), &q).await
}
