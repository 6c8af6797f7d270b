use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;
use vigie_codec::{jpeg, paint};
use vigie_hub::{Failure, Principal, Reason, Status};

use crate::testing::{Camera, GOP, SIZE, Sound, World, body, until, user};

/// Reads whole parts of a multipart answer.
struct Parts {
    data: axum::body::BodyDataStream,
    held: Vec<u8>,
}

impl Parts {
    fn new(r: Response) -> Self {
        assert_eq!(r.status(), StatusCode::OK);
        assert_eq!(r.headers()["content-type"], "multipart/x-mixed-replace; boundary=frame");
        Self { data: r.into_body().into_data_stream(), held: Vec::new() }
    }

    async fn next(&mut self) -> Bytes {
        loop {
            if let Some(part) = self.take() {
                return part;
            }
            let chunk = timeout(Duration::from_secs(5), self.data.next()).await.expect("pictures come");
            self.held.extend_from_slice(&chunk.unwrap().unwrap());
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        let end = self.held.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&self.held[..end]).unwrap().to_owned();
        let lines: Vec<&str> = head.split("\r\n").filter(|l| !l.is_empty()).collect();
        assert_eq!(lines[..2], ["--frame", "Content-Type: image/jpeg"], "{head}");
        let size: usize = lines[2].strip_prefix("Content-Length: ").unwrap().parse().unwrap();
        if self.held.len() < end + 4 + size {
            return None;
        }
        let part = Bytes::copy_from_slice(&self.held[end + 4..end + 4 + size]);
        self.held.drain(..end + 4 + size);
        Some(part)
    }
}

fn code_of(jpeg: &[u8]) -> u32 {
    paint::read_code(&jpeg::decode(jpeg).unwrap()).expect("the time can be read from the picture")
}

#[tokio::test]
async fn a_snapshot_is_the_newest_key_frame_in_the_right_colours() {
    let w = World::new();
    let mut camera = Camera::h264(&w.stream, Sound::Nothing);
    for _ in 0..GOP + 4 {
        camera.send();
    }
    let r = w.get("/api/cameras/door/snapshot.jpg").await;
    assert_eq!(r.status(), StatusCode::OK);
    assert_eq!(r.headers()["content-type"], "image/jpeg");
    assert_eq!(r.headers()["cache-control"], "no-store");
    let age: u64 = r.headers()["x-frame-age-ms"].to_str().unwrap().parse().unwrap();
    assert!(age < 5000, "{age}");
    assert!(r.headers()["last-modified"].to_str().unwrap().ends_with(" GMT"));
    let picture = jpeg::decode(&body(r).await).unwrap();
    assert_eq!((picture.width(), picture.height()), SIZE);
    assert_eq!(paint::read_code(&picture), Some(Camera::code(i64::from(GOP))));
    let bars = [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];
    for (i, rgb) in (0u32..).zip(bars) {
        let seen = picture.rgb(SIZE.0 * i / 7 + 30, 14);
        assert!(seen.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 8), "bar {i} of {rgb:?} is seen as {seen:?}");
    }
}

#[tokio::test]
async fn however_many_ask_a_picture_is_made_once_per_form() {
    let w = Arc::new(World::new());
    let mut camera = Camera::h264(&w.stream, Sound::Nothing);
    camera.send();
    let ask = |uri: &'static str| {
        let w = Arc::clone(&w);
        tokio::spawn(async move { body(w.get(uri).await).await })
    };
    let asked: Vec<_> = (0..20).map(|_| ask("/api/cameras/1/snapshot.jpg?t=1")).collect();
    let mut places = Vec::new();
    for a in asked {
        places.push(a.await.unwrap().as_ptr());
    }
    places.dedup();
    assert_eq!(places.len(), 1, "all were given the same bytes");
    let small = ask("/api/cameras/1/snapshot.jpg?width=320&quality=50").await.unwrap();
    assert_eq!(jpeg::decode(&small).unwrap().width(), 320);
    assert_ne!(small.as_ptr(), places[0]);
    for _ in 0..GOP {
        camera.send();
    }
    assert_ne!(
        ask("/api/cameras/1/snapshot.jpg").await.unwrap().as_ptr(),
        places[0],
        "a new key frame is a new picture"
    );
}

#[tokio::test]
async fn strangers_and_wrong_addresses_get_the_contracts_codes() {
    let w = World::new();
    let cases = [
        (user(), "/api/cameras/9/snapshot.jpg", 404, "camera_not_found"),
        (user(), "/api/cameras/2/stream.mjpeg", 403, "forbidden"),
        (user(), "/api/cameras/..%2f1/snapshot.jpg", 404, "camera_not_found"),
        (user(), "/api/preview/sess_9/info", 404, "session_not_found"),
        (user(), "/proxy/sess_9/health", 404, "session_not_found"),
        (user(), "/api/preview/sess_0_1_8/info", 403, "not_owner"),
        (user(), "/api/preview/sess_0_1_8/stream.mjpeg", 403, "not_owner"),
        (user(), "/proxy/sess_0_1_8/snapshot.jpg", 403, "not_owner"),
        (user(), "/api/preview/..%2fsess_0_1_7/info", 404, "session_not_found"),
        (Principal::Anonymous, "/api/preview/sess_0_1_7/info", 401, "unauthenticated"),
        (Principal::Anonymous, "/proxy/sess_9/snapshot.jpg", 401, "unauthenticated"),
        (Principal::Anonymous, "/api/cameras/1/snapshot.jpg", 401, "unauthenticated"),
        (Principal::Anonymous, "/api/cameras/9/snapshot.jpg", 401, "unauthenticated"),
        (user(), "/api/cameras/1/snapshot.jpg?width=x", 400, "invalid_field"),
        (user(), "/api/cameras/1/snapshot.jpg?width=3", 400, "invalid_field"),
        (user(), "/api/cameras/1/stream.mjpeg?fps=0", 400, "invalid_field"),
        (user(), "/api/cameras/1/snapshot.jpg?stream=third", 400, "invalid_field"),
    ];
    for (who, uri, status, code) in cases {
        let (got, answer) = w.json(who, uri).await;
        assert_eq!((got, answer["code"].as_str()), (status, Some(code)), "{uri}");
        assert_eq!(answer["success"], false);
        assert!(answer["error"].as_str().is_some_and(|e| !e.is_empty()));
    }
}

#[tokio::test]
async fn a_camera_that_cannot_be_reached_says_why() {
    let w = World::new();
    w.stream.set_failure(Some(Failure { reason: Reason::Auth, message: "the camera refused the password".into() }));
    let at = std::time::Instant::now() + Duration::from_secs(60);
    w.stream.set_status(Status::Waiting { attempt: 3, at });
    let (status, answer) = w.json(user(), "/api/cameras/1/snapshot.jpg").await;
    assert_eq!((status, answer["code"].as_str()), (502, Some("camera_unreachable")));
    assert_eq!(answer["details"]["reason"], "auth");
}

#[tokio::test]
async fn asking_starts_a_camera_that_is_not_running() {
    let w = World::new();
    let mut demand = w.stream.demand();
    let stream = Arc::clone(&w.stream);
    let source = tokio::spawn(async move {
        demand.wait_for(|d| d.viewers == 1).await.unwrap();
        Camera::h264(&stream, Sound::Nothing).send();
    });
    let r = w.get("/api/cameras/1/snapshot.jpg").await;
    assert_eq!(r.status(), StatusCode::OK);
    source.await.unwrap();
    assert!(!w.stream.demand().borrow().any(), "nobody is left behind");
}

#[tokio::test]
async fn the_newest_frame_is_newer_than_the_question() {
    let w = World::new();
    let mut camera = Camera::h264(&w.stream, Sound::Nothing);
    for _ in 0..3 {
        camera.send();
    }
    let running = camera.run();
    let mut last = 0;
    for _ in 0..3 {
        let code = code_of(&body(w.get("/api/cameras/1/snapshot.jpg?newest=1").await).await);
        assert!(code > Camera::code(2) && code > last, "{code} after {last}");
        last = code;
    }
    assert_eq!(w.pictures.renditions.running(), 1, "the decoder stays warm for the next question");
    running.abort();
}

#[tokio::test]
async fn jpeg_cameras_are_passed_on_as_they_are() {
    let w = World::new();
    let mut camera = Camera::mjpeg(&w.stream);
    let (_, sent) = camera.send();
    let got = body(w.get("/api/cameras/1/snapshot.jpg").await).await;
    assert_eq!(got.as_ptr(), sent.as_ptr(), "not even copied");
    let small = body(w.get("/api/cameras/1/snapshot.jpg?width=160").await).await;
    assert_eq!(jpeg::decode(&small).unwrap().width(), 160);
    let mut parts = Parts::new(w.get("/api/cameras/1/stream.mjpeg").await);
    assert_eq!(parts.next().await, sent);
    let (_, second) = camera.send();
    assert_eq!(parts.next().await, second);
}

#[tokio::test]
async fn viewers_of_moving_jpeg_share_one_decoder_which_goes_with_the_last() {
    let w = World::new();
    let running = Camera::h264(&w.stream, Sound::Nothing).run();
    let mut a = Parts::new(w.get("/api/cameras/1/stream.mjpeg?width=320").await);
    let mut b = Parts::new(w.get("/api/preview/sess_0_1_7/stream.mjpeg?width=320&fps=5").await);
    let mut c = Parts::new(w.get("/proxy/sess_0_1_7/stream.mjpg").await);
    let mut codes = Vec::new();
    for _ in 0..8 {
        let part = a.next().await;
        assert_eq!(jpeg::decode(&part).unwrap().width(), 320);
        codes.push(code_of(&part));
    }
    assert!(codes.windows(2).all(|w| w[1] > w[0]), "{codes:?}");
    let (first, _, third) = (code_of(&b.next().await), b.next().await, code_of(&b.next().await));
    assert!(third - first >= 360, "five per second are 200 ms apart: {first} {third}");
    assert_eq!(jpeg::decode(&c.next().await).unwrap().width(), SIZE.0);
    assert_eq!(w.pictures.renditions.running(), 1);
    assert_eq!(w.stream.demand().borrow().viewers, 3);
    drop((a, b, c));
    until("everything is let go", || w.pictures.renditions.running() == 0 && !w.stream.demand().borrow().any()).await;
    running.abort();
}

#[tokio::test]
async fn a_viewer_that_does_not_read_misses_pictures_and_delays_nobody() {
    let w = World::new();
    let running = Camera::h264(&w.stream, Sound::Nothing).run();
    let mut slow = Parts::new(w.get("/api/cameras/1/stream.mjpeg?width=160").await);
    let mut fast = Parts::new(w.get("/api/cameras/1/stream.mjpeg?width=160").await);
    let early = code_of(&slow.next().await);
    let mut newest = 0;
    for _ in 0..20 {
        newest = code_of(&fast.next().await);
    }
    // What was handed to the slow one already, then the newest.
    let (_, after) = (slow.next().await, code_of(&slow.next().await));
    assert!(early < newest && after + 80 >= newest, "{early} {after} {newest}");
    running.abort();
}

#[tokio::test]
async fn a_preview_says_what_it_shows() {
    let w = World::new();
    let mut camera = Camera::h264(&w.stream, Sound::Nothing);
    camera.send();
    // The short id is understood, and the full one answered.
    let (status, answer) = w.json(user(), "/api/preview/sess_1_7/info").await;
    let p = &answer["preview"];
    assert_eq!((status, p["session_id"].as_str(), p["active"].as_bool()), (200, Some("sess_0_1_7"), Some(true)));
    assert_eq!((p["width"].as_u64(), p["height"].as_u64()), (Some(640), Some(360)));
    assert_eq!((p["source_connected"].as_bool(), p["recording_active"].as_bool()), (Some(true), Some(true)));
    assert_eq!(p["stream_url"], "/api/preview/sess_0_1_7/stream.mjpeg");
    let (status, answer) = w.json(user(), "/proxy/sess_0_1_7/health").await;
    assert_eq!((status, answer["status"].as_str(), answer["connected"].as_bool()), (200, Some("ok"), Some(true)));
    assert!(answer["last_frame_age_ms"].as_u64().is_some_and(|a| a < 5000));
    assert_eq!(answer["clients"], 0);
}
