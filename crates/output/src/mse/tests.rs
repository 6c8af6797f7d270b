use std::net::SocketAddr;
use std::time::Duration;

use axum::Extension;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use vigie_codec::{jpeg, paint};

use crate::testing::{Camera, Sound, World, until, user};

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(at: SocketAddr, path: &str) -> Self {
        Self(connect_async(format!("ws://{at}{path}")).await.unwrap().0)
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        loop {
            let m = timeout(Duration::from_secs(5), self.0.next()).await.expect("something comes").unwrap().unwrap();
            if !matches!(m, Message::Ping(_) | Message::Pong(_)) {
                return m;
            }
        }
    }

    /// The next text of that type; what comes before it is passed over.
    async fn text(&mut self, kind: &str) -> Value {
        loop {
            if let Message::Text(t) = self.next().await {
                let v: Value = serde_json::from_str(&t).unwrap();
                if v["type"] == kind {
                    return v;
                }
            }
        }
    }

    /// The next binary message: id, kind, payload.
    async fn binary(&mut self) -> (u32, u8, Vec<u8>) {
        loop {
            if let Message::Binary(b) = self.next().await {
                return (u32::from_be_bytes([b[0], b[1], b[2], b[3]]), b[4], b[5..].to_vec());
            }
        }
    }
}

async fn listen(w: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let app = w.router.clone().layer(Extension(user()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    at
}

#[tokio::test]
async fn tiles_of_one_stream_share_one_feed_and_start_at_a_key_frame() {
    let w = World::new();
    let at = listen(&w).await;
    let running = Camera::h264(&w.stream, Sound::G711).run();
    let mut a = Client::connect(at, "/api/live/ws").await;
    a.say(r#"{"type":"hello","mse":["avc1","opus","mp4a"]}"#).await;
    a.say(r#"{"type":"open","id":7,"camera":1,"stream":"main"}"#).await;
    let init = a.text("init").await;
    assert_eq!((init["id"].as_u64(), init["codec"].as_str()), (Some(7), Some("h264")));
    assert_eq!((init["width"].as_u64(), init["height"].as_u64()), (Some(640), Some(360)));
    let mime = init["mime"].as_str().unwrap();
    assert!(mime.starts_with("video/mp4; codecs=\"avc1.42c0") && mime.contains("opus"), "{mime}");
    let (id, kind, segment) = a.binary().await;
    assert_eq!((id, kind, &segment[4..8]), (7, 0, &b"ftyp"[..]));
    let mut sizes = Vec::new();
    for _ in 0..12 {
        let (id, kind, fragment) = a.binary().await;
        assert_eq!((id, kind, &fragment[4..8]), (7, 1, &b"moof"[..]));
        sizes.push(fragment.len());
    }
    assert!(sizes[0] > 3 * sizes[1], "the first picture is a key frame: {sizes:?}");

    let mut b = Client::connect(at, "/api/live/ws").await;
    b.say(r#"{"type":"open","id":1,"camera":"door","stream":"sub"}"#).await;
    b.say(r#"{"type":"open","id":2,"session":"sess_0_1_7"}"#).await;
    b.text("init").await;
    b.text("init").await;
    assert_eq!(w.pictures.feeds.running(), 1);
    assert_eq!(w.stream.demand().borrow().viewers, 3);
    b.say(r#"{"type":"close","id":2}"#).await;
    until("a closed tile does not count", || w.stream.demand().borrow().viewers == 2).await;
    drop((a, b));
    until("everything is let go", || w.pictures.feeds.running() == 0 && !w.stream.demand().borrow().any()).await;
    running.abort();
}

#[tokio::test]
async fn mistakes_are_answered_per_tile_and_leave_the_others_alone() {
    let w = World::new();
    let at = listen(&w).await;
    let mut c = Client::connect(at, "/api/live/ws").await;
    for (message, id, code) in [
        (r#"{"type":"open","id":3,"camera":9}"#, Some(3), "camera_not_found"),
        (r#"{"type":"open","id":4,"camera":2}"#, Some(4), "forbidden"),
        (r#"{"type":"open","id":5}"#, Some(5), "invalid_field"),
        (r#"{"type":"open","id":6,"camera":1,"stream":"third"}"#, Some(6), "invalid_field"),
        (r#"{"type":"open","id":8,"session":"sess_9"}"#, Some(8), "session_not_found"),
        (r#"{"type":"dance"}"#, None, "invalid_message"),
        ("not json", None, "invalid_message"),
    ] {
        c.say(message).await;
        let e = c.text("error").await;
        assert_eq!((e["id"].as_u64(), e["code"].as_str()), (id, Some(code)), "{message}");
    }
    for id in 0..64 {
        c.say(&format!(r#"{{"type":"open","id":{id},"camera":1}}"#)).await;
    }
    c.say(r#"{"type":"open","id":64,"camera":1}"#).await;
    assert_eq!(c.text("error").await["code"], "too_many");
    c.say(r#"{"type":"ping"}"#).await;
    c.text("pong").await;
}

#[tokio::test]
async fn the_state_of_the_camera_is_told() {
    let w = World::new();
    let at = listen(&w).await;
    let mut c = Client::connect(at, "/api/live/ws").await;
    c.say(r#"{"type":"open","id":1,"camera":1}"#).await;
    assert_eq!(c.text("state").await["state"], "connecting");
    let mut camera = Camera::h264(&w.stream, Sound::Nothing);
    camera.send();
    assert_eq!(c.text("state").await["state"], "live");
    let failure = vigie_hub::Failure { reason: vigie_hub::Reason::Tcp, message: "refused".into() };
    w.stream.set_failure(Some(failure));
    let at = std::time::Instant::now() + Duration::from_secs(10);
    w.stream.set_status(vigie_hub::Status::Waiting { attempt: 1, at });
    let state = c.text("state").await;
    assert_eq!((state["state"].as_str(), state["message"].as_str()), (Some("waiting"), Some("refused")));
    assert!((1..=10_000).contains(&state["retry_in_ms"].as_u64().unwrap()), "{state}");
}

#[tokio::test]
async fn what_a_browser_cannot_play_comes_as_jpeg() {
    let w = World::new();
    let at = listen(&w).await;
    let running = Camera::mjpeg(&w.stream).run();
    let mut c = Client::connect(at, "/api/live/ws").await;
    c.say(r#"{"type":"open","id":1,"camera":1}"#).await;
    assert_eq!(c.text("init").await["mime"], "image/jpeg");
    let (_, kind, first) = c.binary().await;
    let (_, _, second) = c.binary().await;
    assert_eq!(kind, 2);
    let code = |j: &[u8]| paint::read_code(&jpeg::decode(j).unwrap()).unwrap();
    assert!(code(&second) > code(&first));
    running.abort();
}

#[tokio::test]
async fn a_preview_socket_gives_pictures_and_states() {
    let w = World::new();
    let at = listen(&w).await;
    let running = Camera::h264(&w.stream, Sound::Nothing).run();
    let mut c = Client::connect(at, "/api/preview/sess_0_1_7/ws?width=320&fps=20").await;
    assert!(matches!(c.text("state").await["state"].as_str(), Some("idle" | "live")));
    let mut pictures = 0;
    while pictures < 3 {
        if let Message::Binary(b) = c.next().await {
            assert_eq!(jpeg::decode(&b).unwrap().width(), 320);
            pictures += 1;
        }
    }
    drop(c);
    until("everything is let go", || w.pictures.renditions.running() == 0 && !w.stream.demand().borrow().any()).await;
    running.abort();
}

#[tokio::test]
async fn a_removed_camera_ends_its_tile_and_not_the_connection() {
    let w = World::new();
    let at = listen(&w).await;
    let running = Camera::h264(&w.stream, Sound::Nothing);
    let mut c = Client::connect(at, "/api/live/ws").await;
    c.say(r#"{"type":"open","id":1,"camera":1}"#).await;
    c.text("state").await;
    w.pictures.hub.remove(w.stream.key());
    drop(running);
    c.say(r#"{"type":"ping"}"#).await;
    c.text("pong").await;
    until("nobody reads it", || !w.stream.demand().borrow().any()).await;
}
