//! A camera and a gate for the tests of the HTTP outputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use axum::{Extension, Router};
use bytes::Bytes;
use tower::ServiceExt;
use vigie_base::{CameraId, Secret, SessionId, StreamKey, StreamName};
use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{Colour, VideoEncoder, h264, jpeg};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{
    GapCause, Gate, Hub, OpenSession, Principal, Publisher, Refused, SourceTrack, SourceUnit, Stream, Verb,
};
use vigie_media::{Codec, G711Law, G711Params, TrackId};

use crate::pictures::{Options, Pictures, routes_of};

/// One camera, number 1 or `door`, whose session is `sess_0_1_7`; camera 2 exists and is forbidden, and so is
/// `sess_0_1_8`, which belongs to somebody else.
#[derive(Default)]
pub(crate) struct OneCamera {
    /// Whether its session was closed.
    pub(crate) closed: AtomicBool,
}

#[async_trait]
impl Gate for OneCamera {
    fn rtsp_access(&self) -> RtspAccess {
        RtspAccess { basic: false, digest: false, trust_loopback: true, open: false }
    }
    async fn stream_secret(&self, _: &str) -> Option<(Principal, Secret)> {
        None
    }
    async fn allow(&self, who: &Principal, key: StreamKey, _: Verb) -> bool {
        *who != Principal::Anonymous && key.camera == CameraId(1)
    }
    async fn resolve(&self, path: &str) -> Option<StreamKey> {
        match path {
            "cam/1/main" | "cam/door/main" => Some(StreamKey::main(CameraId(1))),
            "cam/2/main" => Some(StreamKey { camera: CameraId(2), stream: StreamName::Main }),
            _ => None,
        }
    }
    async fn session(&self, who: &Principal, id: &str, _: Verb) -> Result<OpenSession, Refused> {
        match id {
            _ if *who == Principal::Anonymous => Err(Refused::Denied("forbidden")),
            _ if self.closed.load(Ordering::Relaxed) => Err(Refused::NotFound),
            "sess_0_1_7" | "sess_1_7" => Ok(OpenSession {
                id: SessionId("sess_0_1_7".into()),
                key: StreamKey::main(CameraId(1)),
                recording: true,
            }),
            "sess_0_1_8" => Err(Refused::Denied("not_owner")),
            _ => Err(Refused::NotFound),
        }
    }
}

pub(crate) fn user() -> Principal {
    Principal::User { id: 1, name: "viewer".into() }
}

/// The routes over a hub with one camera.
pub(crate) struct World {
    pub(crate) stream: Arc<Stream>,
    pub(crate) pictures: Pictures,
    pub(crate) router: Router,
}

impl World {
    pub(crate) fn new() -> Self {
        let hub = Hub::default();
        let stream = hub.ensure(StreamKey::main(CameraId(1)));
        let pictures = Pictures::new(hub, Arc::new(OneCamera::default()), Options::default());
        let router = routes_of(pictures.clone()).split_for_parts().0;
        Self { stream, pictures, router }
    }

    /// A request as somebody.
    pub(crate) async fn get_as(&self, who: Principal, uri: &str) -> Response {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        self.router.clone().layer(Extension(who)).oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, uri: &str) -> Response {
        self.get_as(user(), uri).await
    }

    pub(crate) async fn json(&self, who: Principal, uri: &str) -> (u16, serde_json::Value) {
        let r = self.get_as(who, uri).await;
        (r.status().as_u16(), serde_json::from_slice(&body(r).await).unwrap())
    }
}

pub(crate) async fn body(r: Response) -> Bytes {
    axum::body::to_bytes(r.into_body(), 32 << 20).await.unwrap()
}

/// What the camera sends besides pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sound {
    Nothing,
    G711,
    /// Described, but never sent.
    Mute,
}

/// A camera that sends a picture each time it is told to, 40 ms of stream time apart.
pub(crate) struct Camera {
    out: Publisher,
    card: Card,
    encoder: Box<dyn VideoEncoder>,
    sound: Sound,
    n: i64,
    described: bool,
}

pub(crate) const SIZE: (u32, u32) = (640, 360);
/// Pictures from one key frame to the next.
pub(crate) const GOP: u32 = 10;

impl Camera {
    pub(crate) fn h264(stream: &Arc<Stream>, sound: Sound) -> Self {
        let options = h264::EncoderOptions { fps: 25.0, bitrate_bps: 2_000_000, key_interval: GOP, colour: Colour::SD };
        Self::new(stream, Box::new(h264::Encoder::new(options).unwrap()), sound)
    }

    pub(crate) fn mjpeg(stream: &Arc<Stream>) -> Self {
        Self::new(stream, Box::new(jpeg::Encoder::new(80).unwrap()), Sound::Nothing)
    }

    fn new(stream: &Arc<Stream>, encoder: Box<dyn VideoEncoder>, sound: Sound) -> Self {
        let options =
            CardOptions { width: SIZE.0, height: SIZE.1, name: "Door".into(), note: String::new(), colour: Colour::SD };
        let out = stream.publisher(GapCause::Restart);
        Self { out, card: Card::new(&options), encoder, sound, n: 0, described: false }
    }

    /// Milliseconds shown on the card of picture `n`.
    pub(crate) fn code(n: i64) -> u32 {
        (1_000_000 + n * 40) as u32
    }

    /// Sends one picture and the sound that belongs to it; gives the picture's number and bytes.
    pub(crate) fn send(&mut self) -> (i64, Bytes) {
        let n = self.n;
        self.n += 1;
        let moment = Moment { frame: n as u64, unix_ms: i64::from(Self::code(n)), zone_s: 0 };
        let picture = self.card.paint(moment);
        let made = self.encoder.encode(picture.view(), Duration::from_millis(n as u64 * 40), false).unwrap();
        if !std::mem::replace(&mut self.described, true) {
            let mut tracks = vec![SourceTrack { clock_rate: 90_000, codec: self.encoder.codec().unwrap() }];
            if self.sound != Sound::Nothing {
                let params = G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 };
                tracks.push(SourceTrack { clock_rate: 8000, codec: Codec::G711(params) });
            }
            self.out.describe(tracks).unwrap();
        }
        self.push(0, n * 3600, 90_000, made.key, made.data.clone());
        if self.sound == Sound::G711 {
            for half in 0..2 {
                let at = n * 320 + half * 160;
                self.push(1, at, 8000, true, Bytes::from(vec![0xd5; 160]));
            }
        }
        (n, made.data)
    }

    fn push(&mut self, track: u8, pts: i64, rate: u32, key: bool, data: Bytes) {
        let shared_ns = Some(vigie_media::MediaTime(pts).nanos(rate));
        let unit =
            SourceUnit { track: TrackId(track), pts, dts: Some(pts), shared_ns, arrived: Instant::now(), key, data };
        self.out.push(unit).unwrap();
    }

    /// Sends a picture every 20 ms until the task is aborted: twice as fast as it says, so that tests are short.
    pub(crate) fn run(mut self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                self.send();
            }
        })
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
