//! What the HTTP-shaped outputs share: the caller, the stream they ask for, and failures as the contract's envelope.
//!
//! **Nothing is shown before the gate was asked.** Failures have the codes of §20.15; the surface that mounts these
//! routes may translate their sentences.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::timeout_at;
use vigie_base::{SessionId, StreamKey, StreamName};
use vigie_hub::{
    Cursor, Gate, Hub, Join, Lag, OpenSession, Principal, Purpose, Refused, Status, Stream, SubscribeOptions, Verb,
};
use vigie_media::AccessUnit;

/// How long a request waits for the first picture of a stream that has to be started.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(5);

/// A failed request.
#[derive(Debug, Clone)]
pub(crate) struct HttpError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable word for programs.
    pub code: &'static str,
    /// For people, without secrets.
    pub message: String,
    /// Particulars for programs.
    pub details: Option<Value>,
}

impl HttpError {
    /// A failure of that status and code.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None }
    }

    /// 400 for a parameter that makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_field", message)
    }

    /// 503 for a stream without pictures.
    pub(crate) fn no_frame() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_frame_yet", "there is no picture of this camera yet")
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut body = json!({ "success": false, "error": self.message, "code": self.code });
        if let Some(d) = self.details {
            body["details"] = d;
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// Who asks: what the sign-in layer found out, or nobody.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Caller(parts.extensions.get::<Principal>().cloned().unwrap_or(Principal::Anonymous)))
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A camera by number or slug.
    Camera(&'a str, StreamName),
    /// The camera of a capture session.
    Session(&'a str),
}

impl Target<'_> {
    fn not_found(self) -> HttpError {
        let (code, message) = match self {
            Target::Camera(..) => ("camera_not_found", "there is no such camera"),
            Target::Session(_) => ("session_not_found", "there is no such session"),
        };
        HttpError::new(StatusCode::NOT_FOUND, code, message)
    }
}

/// What somebody was let in to.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The stream.
    pub(crate) stream: Arc<Stream>,
    /// The capture session through which they came to it, where they did.
    pub(crate) session: Option<SessionId>,
}

/// The stream of `target`, if `who` may do that with it. A camera without a small stream is shown by its main one.
pub(crate) async fn open(
    hub: &Hub,
    gate: &dyn Gate,
    who: &Principal,
    target: Target<'_>,
    verb: Verb,
) -> Result<Shown, HttpError> {
    let key = match target {
        Target::Session(id) => {
            let (session, stream) = open_session(hub, gate, who, id, verb).await?;
            return Ok(Shown { stream, session: Some(session.id) });
        }
        Target::Camera(id, stream) if is_word(id) => match gate.resolve(&format!("cam/{id}/{}", stream.as_str())).await
        {
            None if stream == StreamName::Sub => gate.resolve(&format!("cam/{id}/main")).await,
            found => found,
        },
        Target::Camera(..) => None,
    };
    let key = match key {
        Some(key) => key,
        // Strangers learn nothing about what exists.
        None if *who == Principal::Anonymous => return Err(unauthenticated()),
        None => return Err(target.not_found()),
    };
    if !gate.allow(who, key, verb).await {
        return Err(refused(who, "forbidden"));
    }
    Ok(Shown { stream: hub.ensure(key), session: None })
}

/// How often whoever watches on is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Comes true once `who` may watch the stream no longer: disabled, removed, moved to another club, a token dropped. Who
/// came through a session sees what that session sees: its preview ends with it.
pub(crate) async fn shut_out(gate: Arc<dyn Gate>, who: Principal, key: StreamKey, session: Option<SessionId>) {
    let who = gate.holder(&who);
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let welcome = match &session {
            Some(id) => gate.session(&who, &id.0, Verb::View).await.is_ok(),
            None => gate.allow(&who, key, Verb::View).await,
        };
        if !welcome {
            return;
        }
    }
}

/// An open capture session and its stream, if `who` may do that with it; the session counts as used.
pub(crate) async fn open_session(
    hub: &Hub,
    gate: &dyn Gate,
    who: &Principal,
    id: &str,
    verb: Verb,
) -> Result<(OpenSession, Arc<Stream>), HttpError> {
    let found = if is_word(id) { gate.session(who, id, verb).await } else { Err(Refused::NotFound) };
    match found {
        Ok(session) => {
            gate.touch_session(&session.id.0);
            let stream = hub.ensure(session.key);
            Ok((session, stream))
        }
        Err(_) if *who == Principal::Anonymous => Err(unauthenticated()),
        Err(Refused::NotFound) => Err(Target::Session(id).not_found()),
        Err(Refused::Denied(code)) => Err(refused(who, code)),
    }
}

fn refused(who: &Principal, code: &'static str) -> HttpError {
    match (who, code) {
        (Principal::Anonymous, _) => unauthenticated(),
        (_, "not_owner") => HttpError::new(StatusCode::FORBIDDEN, code, "this belongs to somebody else"),
        (_, "other_club") => HttpError::new(StatusCode::FORBIDDEN, code, "this belongs to another club"),
        _ => HttpError::new(StatusCode::FORBIDDEN, "forbidden", "you may not see this"),
    }
}

fn unauthenticated() -> HttpError {
    HttpError::new(StatusCode::UNAUTHORIZED, "unauthenticated", "sign in to see this camera")
}

/// A path segment that is safe inside a resolver path.
fn is_word(s: &str) -> bool {
    !s.is_empty() && s.len() <= 128 && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Counts as a viewer while it lives, without reading.
pub(crate) fn presence(stream: &Arc<Stream>) -> Cursor {
    stream.subscribe(SubscribeOptions { join: Join::Live, lag: Lag::Live, purpose: Purpose::View })
}

/// The newest key frame of a stream that is running, or that starts within [`START_LIMIT`] because the caller counts
/// as a viewer meanwhile.
pub(crate) async fn newest_key(stream: &Arc<Stream>) -> Result<Arc<AccessUnit>, HttpError> {
    let asked = Instant::now();
    let was_running = matches!(*stream.status().borrow(), Status::Live | Status::Silent);
    let fresh = || stream.last_key().filter(|k| was_running || k.arrived >= asked);
    if was_running && let Some(key) = fresh() {
        return Ok(key);
    }
    let _viewer = presence(stream);
    let mut status = stream.status();
    let deadline = tokio::time::Instant::from_std(asked + START_LIMIT);
    loop {
        let published = stream.notified();
        tokio::pin!(published);
        published.as_mut().enable();
        if let Some(key) = fresh() {
            return Ok(key);
        }
        if stream.is_closed() {
            return Err(HttpError::new(StatusCode::NOT_FOUND, "camera_not_found", "the camera was removed"));
        }
        if matches!(*status.borrow_and_update(), Status::Waiting { .. } | Status::Disabled) {
            return Err(unreachable(stream));
        }
        let change = async {
            tokio::select! {
                () = published => {}
                // The sender lives in the stream that we hold.
                _ = status.changed() => {}
            }
        };
        if timeout_at(deadline, change).await.is_err() {
            return Err(unreachable(stream));
        }
    }
}

/// 502 with the reason when one is known, else 503.
pub(crate) fn unreachable(stream: &Stream) -> HttpError {
    match stream.state().failure {
        Some(f) => HttpError {
            details: Some(json!({ "reason": f.reason.as_str(), "message": f.message })),
            ..HttpError::new(
                StatusCode::BAD_GATEWAY,
                "camera_unreachable",
                format!("the camera cannot be reached: {}", f.message),
            )
        },
        None => HttpError::no_frame(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::atomic::Ordering;

    use vigie_base::CameraId;

    use crate::testing::{OneCamera, user};

    #[tokio::test]
    async fn who_came_through_a_session_sees_no_more_once_it_is_closed() {
        let gate = Arc::new(OneCamera::default());
        let key = StreamKey::main(CameraId(1));
        let watch = |session: Option<&str>| {
            tokio::spawn(shut_out(Arc::clone(&gate) as _, user(), key, session.map(|s| SessionId(s.to_owned()))))
        };
        let (preview, camera) = (watch(Some("sess_0_1_7")), watch(None));
        tokio::time::sleep(LOOK_AGAIN + LOOK_AGAIN / 2).await;
        assert!(!preview.is_finished() && !camera.is_finished());
        gate.closed.store(true, Ordering::Relaxed);
        tokio::time::timeout(LOOK_AGAIN * 2, preview).await.expect("it ends").unwrap();
        assert!(!camera.is_finished(), "the camera is there without the session");
        camera.abort();
    }
}
