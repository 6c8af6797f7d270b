//! A server in this process, a gate that knows two cameras, a publisher that plays a recorded stream in real time,
//! and a client of raw sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Secret, StreamKey, StreamName};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{GapCause, Gate, Hub, Principal, Publisher, SourceTrack, SourceUnit, Verb};
use vigie_media::{AacParams, Codec, MediaTime, TrackId, aac, h264, nal};
use vigie_output::rtsp::{RtspConfig, RtspMetrics, serve};

pub const CAMERA: StreamKey = StreamKey { camera: CameraId(1), stream: StreamName::Main };
/// A camera that nobody publishes.
pub const SILENT: StreamKey = StreamKey { camera: CameraId(2), stream: StreamName::Main };
pub const USER: &str = "joe";
pub const PASSWORD: &str = "p@ss:w\"rd";

pub struct TestGate(pub RtspAccess, pub Arc<std::sync::atomic::AtomicBool>);

#[async_trait]
impl Gate for TestGate {
    fn rtsp_access(&self) -> RtspAccess {
        self.0
    }
    async fn stream_secret(&self, user: &str) -> Option<(Principal, Secret)> {
        match user {
            USER if self.1.load(std::sync::atomic::Ordering::Relaxed) => {
                Some((Principal::RtspAccount, Secret::new("changed")))
            }
            USER => Some((Principal::RtspAccount, Secret::new(PASSWORD))),
            "guest" => Some((Principal::User { id: 7, name: "guest".into() }, Secret::new("guest"))),
            _ => None,
        }
    }
    async fn allow(&self, who: &Principal, _key: StreamKey, _verb: Verb) -> bool {
        !matches!(who, Principal::User { .. })
    }
    async fn resolve(&self, path: &str) -> Option<StreamKey> {
        match path {
            "cam/1/main" | "door" => Some(CAMERA),
            "cam/2/main" => Some(SILENT),
            _ => None,
        }
    }
}

pub const OPEN: RtspAccess = RtspAccess { basic: true, digest: true, trust_loopback: true, open: false };
pub const LOCKED: RtspAccess = RtspAccess { basic: true, digest: true, trust_loopback: false, open: false };

pub struct Server {
    pub hub: Hub,
    pub address: SocketAddr,
    pub metrics: Arc<RtspMetrics>,
    pub cancel: CancellationToken,
    /// Set: the password has changed.
    pub changed: Arc<std::sync::atomic::AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Server {
    pub async fn start(access: RtspAccess) -> Server {
        Self::with(access, RtspConfig::default()).await
    }

    pub async fn with(access: RtspAccess, config: RtspConfig) -> Server {
        let hub = Hub::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cancel = CancellationToken::new();
        let config = RtspConfig { rtp_port: 0, describe_timeout: Duration::from_millis(300), ..config };
        let metrics = Arc::clone(&config.metrics);
        let changed = Arc::<std::sync::atomic::AtomicBool>::default();
        let gate = Arc::new(TestGate(access, Arc::clone(&changed)));
        tokio::spawn(serve(listener, hub.clone(), gate, config, cancel.clone()));
        Server { hub, address, metrics, cancel, changed }
    }

    pub fn url(&self, path: &str) -> String {
        format!("rtsp://{}/{path}", self.address)
    }
}

/// The fixture: pictures of 40 ms each, key frame every second; sound in frames of 1024 samples.
pub struct Fixture {
    pub pictures: Vec<Bytes>,
    pub sound: Vec<Bytes>,
    pub video: Codec,
    pub audio: Codec,
}

fn testdata(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

impl Fixture {
    pub fn load() -> Fixture {
        let stream = testdata("ffmpeg_testsrc2_320x240_25fps.h264");
        let mut pictures: Vec<Vec<&[u8]>> = Vec::new();
        let (mut sps, mut pps) = (None, None);
        for n in nal::split_annex_b(&stream) {
            match h264::nal_type(n[0]) {
                h264::AUD => pictures.push(Vec::new()),
                h264::SPS => sps = Some(n),
                h264::PPS => pps = Some(n),
                _ => {}
            }
            if let Some(p) = pictures.last_mut() {
                p.push(n);
            }
        }
        let video = h264::params(sps.unwrap(), &[pps.unwrap()]).unwrap();
        let pictures: Vec<Bytes> = pictures.iter().map(|p| nal::join(p.iter().copied())).collect();
        assert_eq!(pictures.len(), 100);
        let adts = testdata("ffmpeg_sine_48k_stereo.aac");
        let mut sound = Vec::new();
        let mut rest = &adts[..];
        let mut params: Option<AacParams> = None;
        while rest.len() > 7 {
            let size = (usize::from(rest[3] & 3) << 11) | usize::from(rest[4]) << 3 | usize::from(rest[5] >> 5);
            params.get_or_insert_with(|| aac::adts_header(rest).unwrap().params().unwrap());
            sound.push(Bytes::copy_from_slice(&rest[7..size]));
            rest = &rest[size..];
        }
        Fixture { pictures, sound, video: Codec::H264(Arc::new(video)), audio: Codec::Aac(Arc::new(params.unwrap())) }
    }

    pub fn tracks(&self) -> Vec<SourceTrack> {
        vec![
            SourceTrack { clock_rate: 90_000, codec: self.video.clone() },
            SourceTrack { clock_rate: 48_000, codec: self.audio.clone() },
        ]
    }

    pub fn picture(&self, i: usize) -> SourceUnit {
        let data = self.pictures[i % self.pictures.len()].clone();
        unit(0, i as i64 * 3600, 90_000, h264::is_key(&data), data)
    }

    pub fn piece_of_sound(&self, i: usize) -> SourceUnit {
        unit(1, i as i64 * 1024, 48_000, true, self.sound[i % self.sound.len()].clone())
    }
}

pub fn unit(track: u8, pts: i64, rate: u32, key: bool, data: Bytes) -> SourceUnit {
    let shared_ns = Some(MediaTime(pts).nanos(rate));
    SourceUnit { track: TrackId(track), pts, dts: None, shared_ns, arrived: Instant::now(), key, data }
}

/// Publishes the fixture in real time until the server ends; the first `ahead` pictures at once.
pub fn publish(server: &Server, key: StreamKey, ahead: usize) {
    let stream = server.hub.ensure(key);
    let mut out: Publisher = stream.publisher(GapCause::SourceLost);
    let fixture = Fixture::load();
    out.describe(fixture.tracks()).unwrap();
    let cancel = server.cancel.clone();
    let (mut picture, mut sound) = (0, 0);
    let mut step = move || {
        out.push(fixture.picture(picture)).unwrap();
        picture += 1;
        while sound * 1024 * 25 < picture * 48_000 {
            out.push(fixture.piece_of_sound(sound)).unwrap();
            sound += 1;
        }
    };
    (0..ahead).for_each(|_| step());
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(40));
        while cancel.run_until_cancelled(tick.tick()).await.is_some() {
            step();
        }
    });
}

/// What came back for a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|l| l.split_once(':'))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    }

    pub fn session(&self) -> String {
        self.header("Session").unwrap().split(';').next().unwrap().to_owned()
    }
}

/// Either kind of message on the connection.
#[derive(Debug)]
pub enum Message {
    Answer(Answer),
    Packet(u8, Vec<u8>),
}

pub struct Client {
    pub socket: TcpStream,
    buf: Vec<u8>,
    cseq: u32,
    pub packets: Vec<(u8, Vec<u8>)>,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl Client {
    pub async fn connect(server: &Server) -> Client {
        let socket = TcpStream::connect(server.address).await.unwrap();
        Client { socket, buf: Vec::new(), cseq: 0, packets: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    /// Bytes that were read past this client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    async fn more(&mut self) -> bool {
        let n =
            tokio::time::timeout(PATIENCE, self.socket.read_buf(&mut self.buf)).await.expect("the server is silent");
        n.is_ok_and(|n| n > 0)
    }

    /// The next message; `None` when the server closed.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let [b'$', channel, h, l, rest @ ..] = &self.buf[..] {
                let len = usize::from(u16::from_be_bytes([*h, *l]));
                if rest.len() >= len {
                    let m = Message::Packet(*channel, rest[..len].to_vec());
                    self.buf.drain(..4 + len);
                    return Some(m);
                }
            } else if let Some(end) = self.buf.windows(4).position(|w| w == b"\r\n\r\n") {
                assert!(self.buf.starts_with(b"RTSP/1.0 "), "{}", self.buf[..9].escape_ascii());
                let head = String::from_utf8(self.buf[..end].to_vec()).unwrap();
                let status = head[9..12].parse().unwrap();
                let mut answer = Answer { status, head, body: String::new() };
                let len: usize = answer.header("Content-Length").map_or(0, |l| l.parse().unwrap());
                if self.buf.len() >= end + 4 + len {
                    answer.body = String::from_utf8(self.buf[end + 4..end + 4 + len].to_vec()).unwrap();
                    self.buf.drain(..end + 4 + len);
                    return Some(Message::Answer(answer));
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next answer; packets before it are kept.
    pub async fn answer(&mut self) -> Answer {
        loop {
            match self.next().await.expect("closed instead of answered") {
                Message::Answer(a) => return a,
                Message::Packet(c, p) => self.packets.push((c, p)),
            }
        }
    }

    /// The next packet.
    pub async fn packet(&mut self) -> (u8, Vec<u8>) {
        if !self.packets.is_empty() {
            return self.packets.remove(0);
        }
        match self.next().await.expect("closed instead of a packet") {
            Message::Packet(c, p) => (c, p),
            Message::Answer(a) => panic!("an answer nobody asked for: {a:?}"),
        }
    }

    pub async fn ask(&mut self, method: &str, uri: &str, headers: &str) -> Answer {
        self.cseq += 1;
        let text = format!("{method} {uri} RTSP/1.0\r\nCSeq: {}\r\n{headers}\r\n", self.cseq);
        self.send(text.as_bytes()).await;
        let a = self.answer().await;
        assert_eq!(a.header("CSeq"), Some(self.cseq.to_string().as_str()), "{}", a.head);
        a
    }

    /// Sets up tracks over TCP on their usual channels; returns the session.
    pub async fn set_up(&mut self, url: &str, tracks: &[u8]) -> String {
        let mut session = String::new();
        for t in tracks {
            let channels = format!("{}-{}", 2 * t, 2 * t + 1);
            let known = if session.is_empty() { String::new() } else { format!("Session: {session}\r\n") };
            let headers = format!("{known}Transport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n");
            let a = self.ask("SETUP", &format!("{url}/trackID={t}"), &headers).await;
            assert_eq!(a.status, 200, "{}", a.head);
            assert!(a.header("Transport").unwrap().contains(&format!("interleaved={channels}")), "{}", a.head);
            session = a.session();
        }
        session
    }
}

/// Waits for a condition, five seconds at most.
pub async fn eventually(what: &str, mut f: impl FnMut() -> bool) {
    for _ in 0..500 {
        if f() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
