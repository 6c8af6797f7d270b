//! One session's routes as the old proxy had them on a port of its own: `/stream.mjpg`, `/snapshot.jpg`, `/health`
//! (contract X-03).
//!
//! **Whoever reaches the port may see that session, and nothing else.** The listener belongs on loopback; a page of the
//! internet whose name was made to mean this machine is told apart by the host that it names.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use vigie_base::{Secret, StreamKey};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{Gate, OpenSession, Principal, Refused, Verb};

use crate::http::{Caller, HttpError};
use crate::pictures::{PictureQuery, Pictures};
use crate::preview;

/// The routes of that session, sharing everything that is made of its stream.
pub(crate) fn router(pictures: &Pictures, session: &str) -> Router {
    let gate = OneSession { inner: Arc::clone(&pictures.gate), session: session.to_owned() };
    let pictures = Pictures { gate: Arc::new(gate), ..pictures.clone() };
    Router::new()
        .route("/stream.mjpg", get(stream))
        .route("/snapshot.jpg", get(snapshot))
        .route("/health", get(health))
        .fallback(|| async {
            HttpError::new(StatusCode::NOT_FOUND, "route_not_found", "there is nothing at this address")
        })
        .with_state((pictures, session.to_owned()))
        .layer(from_fn(plainly_named))
}

type Fixed = State<(Pictures, String)>;

async fn stream(State((s, id)): Fixed, q: Result<Query<PictureQuery>, QueryRejection>) -> Result<Response, HttpError> {
    preview::preview_mjpeg(State(s), here(), Path(id), q).await
}

async fn snapshot(
    State((s, id)): Fixed,
    q: Result<Query<PictureQuery>, QueryRejection>,
) -> Result<Response, HttpError> {
    preview::preview_snapshot(State(s), here(), Path(id), q).await
}

async fn health(State((s, id)): Fixed) -> Result<Response, HttpError> {
    preview::proxy_health(State(s), here(), Path(id)).await
}

fn here() -> Caller {
    Caller(Principal::Loopback)
}

/// Refuses requests that name this machine otherwise than by a loopback address or as `localhost` (DNS rebinding).
async fn plainly_named(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    if host.is_none_or(means_loopback) {
        return next.run(request).await;
    }
    HttpError::new(StatusCode::FORBIDDEN, "bad_origin", "this port answers to 127.0.0.1 and localhost alone")
        .into_response()
}

fn means_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && !port.contains(']') => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|a| a.to_canonical().is_loopback())
}

/// The gate of a session's own port: who comes through it needs no sign-in, and sees that session alone.
struct OneSession {
    inner: Arc<dyn Gate>,
    session: String,
}

#[async_trait]
impl Gate for OneSession {
    fn rtsp_access(&self) -> RtspAccess {
        RtspAccess { basic: false, digest: false, trust_loopback: false, open: false }
    }

    async fn stream_secret(&self, _: &str) -> Option<(Principal, Secret)> {
        None
    }

    async fn allow(&self, _: &Principal, _: StreamKey, _: Verb) -> bool {
        false
    }

    async fn resolve(&self, _: &str) -> Option<StreamKey> {
        None
    }

    async fn session(&self, _: &Principal, id: &str, verb: Verb) -> Result<OpenSession, Refused> {
        if id != self.session {
            return Err(Refused::NotFound);
        }
        // Number 0 is nobody's: somebody whom the surface let in without a sign-in.
        self.inner.session(&Principal::User { id: 0, name: "session port".to_owned() }, id, verb).await
    }

    fn touch_session(&self, session: &str) {
        self.inner.touch_session(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use axum::body::Body;
    use futures_util::StreamExt;
    use tower::ServiceExt;
    use vigie_base::{CameraId, SessionId};

    use crate::http::shut_out;
    use crate::testing::{Camera, GOP, OneCamera, Sound, World, body};

    async fn get_from(router: &Router, host: &str, path: &str) -> Response {
        let request = Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn it_shows_its_session_without_a_sign_in_and_nothing_else() {
        let w = World::new();
        let mut camera = Camera::h264(&w.stream, Sound::Nothing);
        for _ in 0..=GOP {
            camera.send();
        }
        let port = router(&w.pictures, "sess_0_1_7");
        let get = async |path: &str| get_from(&port, "127.0.0.1:8080", path).await;
        let health: serde_json::Value = serde_json::from_slice(&body(get("/health").await).await).unwrap();
        assert_eq!((&health["session_id"], &health["clients"]), (&"sess_0_1_7".into(), &0.into()));
        let picture = get("/snapshot.jpg").await;
        assert_eq!(
            (picture.status(), &picture.headers()["content-type"]),
            (StatusCode::OK, &"image/jpeg".parse().unwrap())
        );
        for nothing in ["/", "/api/health", "/api/cameras/1/snapshot.jpg", "/proxy/sess_0_1_7/health"] {
            assert_eq!(get(nothing).await.status(), StatusCode::NOT_FOUND, "{nothing}");
        }
        let rebound = get_from(&port, "evil.example:8080", "/snapshot.jpg").await;
        assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
        let gone = router(&w.pictures, "sess_0_1_9");
        assert_eq!(get_from(&gone, "localhost", "/health").await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn who_watches_through_it_is_a_viewer() {
        let w = World::new();
        let mut camera = Camera::h264(&w.stream, Sound::Nothing);
        for _ in 0..=GOP {
            camera.send();
        }
        let port = router(&w.pictures, "sess_0_1_7");
        let r = get_from(&port, "localhost:8080", "/stream.mjpg").await;
        assert_eq!(r.headers()["content-type"], "multipart/x-mixed-replace; boundary=frame");
        let mut parts = r.into_body().into_data_stream();
        tokio::time::timeout(Duration::from_secs(5), parts.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(w.stream.state().viewers, 1);
    }

    #[tokio::test]
    async fn who_watches_through_it_does_so_until_the_session_closes() {
        let inner = Arc::new(OneCamera::default());
        let gate: Arc<dyn Gate> =
            Arc::new(OneSession { inner: Arc::clone(&inner) as _, session: "sess_0_1_7".to_owned() });
        let (key, id) = (StreamKey::main(CameraId(1)), SessionId("sess_0_1_7".to_owned()));
        let end = tokio::spawn(shut_out(gate, here().0, key, Some(id)));
        tokio::time::sleep(Duration::from_millis(3500)).await;
        assert!(!end.is_finished());
        inner.closed.store(true, Ordering::Relaxed);
        tokio::time::timeout(Duration::from_secs(4), end).await.unwrap().unwrap();
    }

    #[test]
    fn only_names_that_mean_this_machine_are_answered() {
        for ours in ["127.0.0.1:8080", "localhost", "LOCALHOST:8080", "[::1]:8080", "app.localhost:8080", "127.0.0.2"] {
            assert!(means_loopback(ours), "{ours}");
        }
        for theirs in ["evil.example:8080", "localhost.evil.example", "192.168.1.9:8080", "127.0.0.1.evil.example", ""]
        {
            assert!(!means_loopback(theirs), "{theirs}");
        }
    }
}
