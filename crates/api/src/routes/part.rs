//! A part of a recording as a file of its own, made while it is sent (contract of the replay: no coding, no temporary
//! file).
//!
//! **The part's bytes depend on nothing but the recording and the two times**, so ranges and validators mean what they
//! mean for any other file.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::Stream;
use serde::Deserialize;
use utoipa::IntoParams;
use vigie_control::recordings::{Part as Piece, PartQuery};

use super::cameras::switch;
use super::range::{Part, part};
use crate::app::App;
use crate::auth::Who;
use crate::error::{ApiError, ApiResult, Path, Query};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClipQuery {
    /// Seconds as the recording plays.
    from: Option<f64>,
    /// Seconds; moved to the end when it lies behind it.
    to: Option<f64>,
    /// Which file of the session; the newest recording when missing.
    recording_id: Option<i64>,
    /// Checked when given.
    club_id: Option<i64>,
    /// `1` shows it in the page instead of saving it.
    inline: Option<String>,
}

/// The part of a finished recording between two times, as an MP4 that begins to play at once. Nothing is coded anew; it
/// begins at the very picture that was asked for.
#[utoipa::path(get, path = "/api/video/files/{session_id}/clip", tag = "files",
    params(("session_id" = String, Path), ClipQuery),
    responses((status = 200, content_type = "video/mp4"), (status = 206, content_type = "video/mp4"), (status = 304),
        (status = 409, description = "`recording_active`"), (status = 416), (status = 422)))]
pub(crate) async fn clip(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<ClipQuery>,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let inline = switch("inline", q.inline.as_deref())?;
    let (from, to) = (q.from.ok_or_else(|| ApiError::missing("from"))?, q.to.ok_or_else(|| ApiError::missing("to"))?);
    let query = PartQuery { club_id: q.club_id, recording_id: q.recording_id, from, to };
    let piece = app.control().recordings.part(&who, &id, &query).await?;
    send(piece, inline, &method, &headers)
}

fn send(piece: Piece, inline: bool, method: &Method, headers: &HeaderMap) -> ApiResult<Response> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let size = piece.file.length();
    let etag = format!("\"{}\"", piece.file.tag());
    let common = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "private, no-cache");
    let built = |r: Result<Response, axum::http::Error>| {
        r.map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"))
    };
    let same = |v: &str| v.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == etag);
    if text(header::IF_NONE_MATCH).is_some_and(same) {
        return built(common.status(StatusCode::NOT_MODIFIED).body(Body::empty()));
    }
    // A part is only good to somebody who has the rest of the same file (RFC 9110 §13.1.5).
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|v| v == etag));
    let (first, last, status) = match part(range, size) {
        Part::Whole => (0, size.saturating_sub(1), StatusCode::OK),
        Part::Bytes { first, last } => (first, last, StatusCode::PARTIAL_CONTENT),
        Part::Unsatisfiable => {
            let mut r = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable").into_response();
            if let Ok(v) = format!("bytes */{size}").parse() {
                r.headers_mut().insert(header::CONTENT_RANGE, v);
            }
            return Ok(r);
        }
    };
    let disposition = format!("{}; filename=\"{}\"", if inline { "inline" } else { "attachment" }, piece.filename);
    let mut builder = common
        .status(status)
        .header(header::CONTENT_TYPE, "video/mp4")
        .header(header::CONTENT_LENGTH, last + 1 - first)
        .header(header::CONTENT_DISPOSITION, disposition);
    if status == StatusCode::PARTIAL_CONTENT {
        builder = builder.header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    if method == Method::HEAD {
        return built(builder.body(Body::empty()));
    }
    built(builder.body(Body::from_stream(read(piece, first, last + 1))))
}

/// The bytes from `at` to before `end`, read where reading may block.
fn read(piece: Piece, at: u64, end: u64) -> impl Stream<Item = std::io::Result<Bytes>> {
    futures_util::stream::try_unfold((piece.file, at), move |(file, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let wanted = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let work = tokio::task::spawn_blocking(move || {
            let mut buf = vec![0; wanted];
            let n = file.read_at(at, &mut buf)?;
            buf.truncate(n);
            Ok::<_, std::io::Error>((file, buf))
        });
        let (file, buf) = work.await.map_err(std::io::Error::other)??;
        if buf.is_empty() {
            // Its length was promised: a shorter body has to look like the failure that it is.
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let next = at + buf.len() as u64;
        Ok(Some((Bytes::from(buf), (file, next))))
    })
}
