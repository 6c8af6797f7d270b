//! Recorded files (contract §20.6, §20.7).

use std::io::SeekFrom;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use vigie_base::UnixMillis;
use vigie_control::recordings::{Cleaned, Download, FileList};
use vigie_store::RecordingKind;

use super::cameras::switch;
use super::range::{Part, part};
use super::{DONE, Done};
use crate::app::App;
use crate::auth::Who;
use crate::auth::may::{CleanUp, DeleteFile, May};
use crate::error::{ApiError, ApiResult, Path, Query};

/// Bytes read from a file at once.
const CHUNK: usize = 64 << 10;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Whose files; one's own club when missing.
    club_id: Option<i64>,
    /// `session` (default): whole recordings; `clip`: moments kept of them; `all`.
    kind: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FilesReply {
    success: bool,
    #[serde(flatten)]
    files: FileList,
}

/// Recorded files, newest first.
#[utoipa::path(get, path = "/api/video/files/list", tag = "files", params(ListQuery), responses((status = 200, body = FilesReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    Who(who): Who,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<FilesReply>> {
    let kind = match q.kind.as_deref() {
        None | Some("" | "session") => Some(RecordingKind::Session),
        Some("clip") => Some(RecordingKind::Clip),
        Some("all") => None,
        Some(_) => return Err(ApiError::invalid("kind", "`kind` is session, clip or all")),
    };
    let files = app
        .control()
        .recordings
        .files(&who, &vigie_control::recordings::FileQuery { club_id: q.club_id, kind })
        .await?;
    Ok(Json(FilesReply { success: true, files }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    club_id: Option<i64>,
    /// Which file of the session; the newest when missing.
    recording_id: Option<i64>,
    /// `1` shows it in the page instead of saving it.
    inline: Option<String>,
}

/// The file, or a part of it.
#[utoipa::path(get, path = "/api/video/files/{session_id}/download", tag = "files",
    params(("session_id" = String, Path), FileQuery),
    responses((status = 200, content_type = "video/mp4"), (status = 206, content_type = "video/mp4"), (status = 304), (status = 416)))]
pub(crate) async fn download(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
    Query(q): Query<FileQuery>,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let inline = switch("inline", q.inline.as_deref())?;
    let file = app.control().recordings.download(&who, &id, q.club_id, q.recording_id).await?;
    send(&file, inline, &method, &headers).await
}

/// Sends the file as it is **when it is opened**: the recorder may put a smaller one in its place at any moment, and
/// the open file stays what it was.
async fn send(file: &Download, inline: bool, method: &Method, headers: &HeaderMap) -> ApiResult<Response> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let mut reader = tokio::fs::File::open(&file.path).await.map_err(|e| unreadable(file, &e))?;
    let facts = reader.metadata().await.map_err(|e| unreadable(file, &e))?;
    let size = facts.len();
    let changed = facts.modified().map_or(file.modified, UnixMillis::from);
    let etag = format!("\"{}-{size}-{}\"", file.recording_id, changed.0);
    let modified = http_date(changed);
    let common = Response::builder()
        .header(header::ETAG, &etag)
        .header(header::LAST_MODIFIED, &modified)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "private, no-cache");
    let built = |r: Result<Response, axum::http::Error>| {
        r.map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal"))
    };
    let fresh = match text(header::IF_NONE_MATCH) {
        Some(v) => v.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == etag),
        // Only our own date is compared, letter by letter: nothing else was ever said to anybody.
        None => text(header::IF_MODIFIED_SINCE).is_some_and(|v| v == modified),
    };
    if fresh {
        return built(common.status(StatusCode::NOT_MODIFIED).body(Body::empty()));
    }
    // A part is only good to somebody who has the rest of the same file (RFC 9110 §13.1.5).
    let same = text(header::IF_RANGE).is_none_or(|v| v == etag || v == modified);
    let wanted = part(text(header::RANGE).filter(|_| same), size);
    let (status, first, length) = match wanted {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Unsatisfiable => {
            use axum::response::IntoResponse;
            let mut r = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable").into_response();
            if let Ok(v) = format!("bytes */{size}").parse() {
                r.headers_mut().insert(header::CONTENT_RANGE, v);
            }
            return Ok(r);
        }
    };
    let disposition =
        format!("{}; filename=\"{}\"", if inline { "inline" } else { "attachment" }, plain(&file.filename));
    let mut builder = common
        .status(status)
        .header(header::CONTENT_TYPE, "video/mp4")
        .header(header::CONTENT_LENGTH, length)
        .header(header::CONTENT_DISPOSITION, disposition);
    if let Part::Bytes { first, last } = wanted {
        builder = builder.header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"));
    }
    if method == Method::HEAD {
        return built(builder.body(Body::empty()));
    }
    if first > 0 {
        reader.seek(SeekFrom::Start(first)).await.map_err(|e| unreadable(file, &e))?;
    }
    let body = Body::from_stream(ReaderStream::with_capacity(reader.take(length), CHUNK));
    built(builder.body(body))
}

fn unreadable(file: &Download, e: &std::io::Error) -> ApiError {
    if e.kind() == std::io::ErrorKind::NotFound {
        return ApiError::new(StatusCode::NOT_FOUND, "video_not_found");
    }
    tracing::error!(path = %file.path.display(), error = %e, "a recorded file cannot be read");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
}

/// A name that can stand between quotes.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '_' }).collect()
}

fn http_date(t: UnixMillis) -> String {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    OffsetDateTime::from_unix_timestamp(t.seconds())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(format)
        .unwrap_or_default()
}

/// Delete a file; for administrators.
#[utoipa::path(delete, path = "/api/video/files/{session_id}/delete", tag = "files",
    params(("session_id" = String, Path), FileQuery),
    responses((status = 200, body = Done), (status = 423, description = "`locked`")))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<DeleteFile>,
    Path(id): Path<String>,
    Query(q): Query<FileQuery>,
) -> ApiResult<Json<Done>> {
    app.control().recordings.delete(&who, &id, q.club_id, q.recording_id).await?;
    Ok(DONE)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CleanUpReply {
    success: bool,
    cleaned: Cleaned,
    /// What was removed, one by one.
    details: Vec<Value>,
}

/// Remove what is left over; for administrators.
#[utoipa::path(post, path = "/api/video/cleanup", tag = "files", responses((status = 200, body = CleanUpReply)))]
pub(crate) async fn clean_up(State(app): State<App>, May(who, ..): May<CleanUp>) -> ApiResult<Json<CleanUpReply>> {
    let (cleaned, details) = app.control().recordings.clean_up(&who).await?;
    Ok(Json(CleanUpReply { success: true, cleaned, details }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fetch(headers: &[(header::HeaderName, &str)], method: Method) -> (StatusCode, HeaderMap, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mp4");
        std::fs::write(&path, b"0123456789").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_701_234_567);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let file =
            Download { path, filename: "a\"\n.mp4".into(), size_bytes: 99, modified: UnixMillis(0), recording_id: 7 };
        let mut map = HeaderMap::new();
        for (n, v) in headers {
            map.insert(n, v.parse().unwrap());
        }
        let r = match send(&file, false, &method, &map).await {
            Ok(r) => r,
            Err(e) => axum::response::IntoResponse::into_response(e),
        };
        let (parts, body) = r.into_parts();
        (parts.status, parts.headers, axum::body::to_bytes(body, 1000).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn a_file_is_sent_whole_or_in_parts() {
        let (status, h, body) = fetch(&[], Method::GET).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, &b"0123456789"[..]));
        assert_eq!(h[header::CONTENT_DISPOSITION], "attachment; filename=\"a__.mp4\"");
        assert_eq!(h[header::LAST_MODIFIED], "Wed, 29 Nov 2023 05:09:27 GMT");
        let (status, h, body) = fetch(&[(header::RANGE, "bytes=3-5")], Method::GET).await;
        assert_eq!((status, body.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"345"[..]));
        assert_eq!(
            (&h[header::CONTENT_RANGE], &h[header::CONTENT_LENGTH]),
            (&"bytes 3-5/10".parse().unwrap(), &"3".parse().unwrap())
        );
        let (status, h, _) = fetch(&[(header::RANGE, "bytes=10-")], Method::GET).await;
        assert_eq!(
            (status, &h[header::CONTENT_RANGE]),
            (StatusCode::RANGE_NOT_SATISFIABLE, &"bytes */10".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn what_the_client_has_is_not_sent_again() {
        let (_, h, _) = fetch(&[], Method::HEAD).await;
        let etag = h[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(fetch(&[(header::IF_NONE_MATCH, &etag)], Method::GET).await.0, StatusCode::NOT_MODIFIED);
        let both = [(header::IF_RANGE, "\"other\""), (header::RANGE, "bytes=3-5")];
        assert_eq!(fetch(&both, Method::GET).await.0, StatusCode::OK, "the part of another file is of no use");
        let (status, h, body) = fetch(&[], Method::HEAD).await;
        assert_eq!((status, &h[header::CONTENT_LENGTH], body.len()), (StatusCode::OK, &"10".parse().unwrap(), 0));
    }
}
