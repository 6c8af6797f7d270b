//! Cameras that misbehave, one sentence each: every one ends in the right reason, in time, and without a secret.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Secret, StreamKey};
use vigie_hub::{Event, GapCause, Hub, Reason, Status, Stream, SubscribeOptions};
use vigie_source::supervisor::{Options as SupervisorOptions, supervise};
use vigie_source::{ConnectionConfig, SourceError, SourceSpec, Transport, make};

const PASSWORD: &str = "Tr0ub4dor";
const WITHIN: Duration = Duration::from_millis(400);
const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\na=control:*\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
    a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z00AKeKQFAe2AtwEBAaQeJEV,aO48gA==\r\na=control:trackID=0\r\n";
const OTHER_TRACKS: &str = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 OPUS/48000/2\r\na=control:trackID=1\r\n\
    m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata/90000\r\na=control:trackID=2\r\n\
    m=video 0 RTP/AVP 99\r\na=rtpmap:99 AV1/90000\r\na=control:trackID=3\r\n\
    m=audio 0 RTP/AVP 100\r\na=rtpmap:100 MP4A-LATM/48000\r\na=control:trackID=4\r\n";

/// One connection, from the camera's side.
struct Conn {
    tcp: TcpStream,
    seen: Arc<Seen>,
}

/// What a camera was asked.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: parking_lot::Mutex<Vec<String>>,
}

impl Seen {
    fn count(&self, what: &str) -> usize {
        self.requests.lock().iter().filter(|r| r.contains(what)).count()
    }
}

struct Request {
    method: String,
    cseq: String,
    text: String,
}

impl Conn {
    /// The next request; `None` when the client hung up.
    async fn request(&mut self) -> Option<Request> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut b = [0];
            if self.tcp.read(&mut b).await.ok()? == 0 {
                return None;
            }
            text.push(b[0]);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        self.seen.requests.lock().push(text.clone());
        let method = text.split(' ').next()?.to_owned();
        let cseq = text.lines().find_map(|l| l.strip_prefix("CSeq: "))?.to_owned();
        Some(Request { method, cseq, text })
    }

    async fn send(&mut self, bytes: &[u8]) {
        // The client may have had enough; that is what some tests are about.
        let _ = self.tcp.write_all(bytes).await;
    }

    async fn answer(&mut self, r: &Request, status: &str, headers: &str, body: &str) {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let text = format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n{headers}{length}\r\n{body}", r.cseq);
        self.send(text.as_bytes()).await;
    }

    /// A camera as it should be, up to and with the answer to PLAY.
    async fn play(&mut self, sdp: &str) -> Option<()> {
        loop {
            let r = self.request().await?;
            match r.method.as_str() {
                "DESCRIBE" => {
                    let headers = "Content-Base: rtsp://127.0.0.1/cam/\r\nContent-Type: application/sdp\r\n";
                    self.answer(&r, "200 OK", headers, sdp).await;
                }
                "SETUP" => {
                    let transport = r.text.lines().find(|l| l.starts_with("Transport"))?.to_owned();
                    self.answer(&r, "200 OK", &format!("{transport}\r\nSession: 1234;timeout=60\r\n"), "").await;
                }
                _ => {
                    self.answer(&r, "200 OK", "Session: 1234\r\n", "").await;
                    if r.method == "PLAY" {
                        return Some(());
                    }
                }
            }
        }
    }

    async fn rtp(&mut self, sequence: u16, timestamp: u32, mark: bool, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 12).unwrap();
        let mut b = vec![b'$', 0];
        b.extend(length.to_be_bytes());
        b.extend([0x80, 96 | if mark { 0x80 } else { 0 }]);
        b.extend(sequence.to_be_bytes());
        b.extend(timestamp.to_be_bytes());
        b.extend([1, 2, 3, 4]);
        b.extend(payload);
        self.send(&b).await;
    }

    async fn pictures(&mut self, from: u16, count: u16) {
        for i in 0..count {
            self.rtp(from + i, u32::from(from + i) * 3600, true, &[0x65, 0x88, 0x84, 0x21, 0xa0]).await;
        }
    }

    /// Holds the connection open until the client hangs up.
    async fn hold(&mut self) {
        while self.request().await.is_some() {}
    }
}

/// Starts a camera that does this with every connection; returns its port.
async fn camera<F, Fut>(behaviour: F) -> (u16, Arc<Seen>)
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let s = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            s.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(behaviour(Conn { tcp, seen: Arc::clone(&s) }));
        }
    });
    (port, seen)
}

fn spec(port: u16, transport: Transport, password: bool) -> SourceSpec {
    let config = ConnectionConfig {
        timeout_ms: u64::try_from(WITHIN.as_millis()).unwrap(),
        transport,
        ..ConnectionConfig::default()
    };
    SourceSpec {
        kind: "rtsp".into(),
        url: format!("rtsp://127.0.0.1:{port}/cam").parse().unwrap(),
        credentials: password.then(|| ("admin".to_owned(), Secret::new(PASSWORD))),
        config,
    }
}

struct Outcome {
    result: Result<(), SourceError>,
    stream: Arc<Stream>,
    took: Duration,
}

impl Outcome {
    fn reason(&self) -> Reason {
        self.result.as_ref().unwrap_err().reason
    }
}

/// Runs the source once, with an end to patience.
async fn connect(spec: SourceSpec) -> Outcome {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let started = Instant::now();
    let mut source = make(&spec).unwrap();
    let run = source.run(stream.standby(GapCause::SourceLost), CancellationToken::new());
    let result = timeout(Duration::from_secs(8), run).await.expect("the source hangs");
    if let Err(e) = &result {
        assert!(!e.message.contains(PASSWORD) && !e.message.contains('\n') && e.message.len() < 400, "{}", e.message);
    }
    Outcome { result, stream, took: started.elapsed() }
}

async fn meet<F, Fut>(behaviour: F) -> Outcome
where
    F: Fn(Conn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (port, _) = camera(behaviour).await;
    connect(spec(port, Transport::Auto, true)).await
}

#[tokio::test]
async fn accepts_and_never_answers() {
    let o = meet(|mut c| async move { c.hold().await }).await;
    assert_eq!(o.reason(), Reason::Timeout, "{:?}", o.result);
    assert!(o.took >= WITHIN && o.took < WITHIN * 3, "{:?}", o.took);
}

#[tokio::test]
async fn nobody_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let o = connect(spec(port, Transport::Auto, false)).await;
    assert_eq!(o.reason(), Reason::Tcp, "{:?}", o.result);
    let unknown =
        SourceSpec { url: "rtsp://no-such-camera.invalid/".parse().unwrap(), ..spec(1, Transport::Tcp, false) };
    assert_eq!(connect(unknown).await.reason(), Reason::Dns);
}

#[tokio::test]
async fn asks_for_a_password_for_ever() {
    for challenge in ["Digest realm=\"cam\", nonce=\"abc\"", "Basic realm=\"cam\"", "Nonsense", "Digest qop="] {
        let (port, seen) = camera(move |mut c| async move {
            while let Some(r) = c.request().await {
                c.answer(&r, "401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), "").await;
            }
        })
        .await;
        let o = connect(spec(port, Transport::Auto, true)).await;
        assert_eq!(o.reason(), Reason::Auth, "{challenge}: {:?}", o.result);
        assert!(seen.count("DESCRIBE") <= 2, "{challenge}");
        let o = connect(spec(port, Transport::Auto, false)).await;
        assert_eq!(o.reason(), Reason::Auth, "{challenge}: {:?}", o.result);
        assert!(seen.count("DESCRIBE") <= 3, "{challenge}");
        assert_eq!(seen.connections.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn refuses_with_a_status() {
    for (status, reason, busy) in [
        ("404 Stream Not Found", Reason::NotFound, false),
        ("403 Forbidden", Reason::Auth, false),
        ("453 Not Enough Bandwidth", Reason::Tcp, true),
        ("503 Service Unavailable", Reason::Tcp, true),
        ("500 Internal Server Error", Reason::Protocol, false),
        ("302 Moved", Reason::Protocol, false),
    ] {
        let o = meet(move |mut c| async move {
            while let Some(r) = c.request().await {
                c.answer(&r, status, "", "").await;
            }
        })
        .await;
        let e = o.result.unwrap_err();
        assert_eq!((e.reason, e.busy), (reason, busy), "{status}: {e}");
    }
}

#[tokio::test]
async fn has_no_pictures() {
    for (tracks, word) in [
        ("m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:a\r\n", "no pictures"),
        ("m=video 0 RTP/AVP 99\r\na=rtpmap:99 AV1/90000\r\na=control:v\r\n", "av1"),
        ("", "no stream"),
    ] {
        let o = meet(move |mut c| async move {
            c.play(&format!("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\n{tracks}")).await;
        })
        .await;
        let e = o.result.unwrap_err();
        assert_eq!(e.reason, Reason::NoVideo, "{e}");
        assert!(e.message.contains(word), "{e}");
    }
}

#[tokio::test]
async fn speaks_something_else() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"\x00\x01\x02\x03garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x01",
    ] {
        let o = meet(move |mut c| async move {
            c.request().await;
            c.send(bytes).await;
            c.hold().await;
        })
        .await;
        assert_eq!(o.reason(), Reason::Protocol, "{:?} after {:?}", o.result, String::from_utf8_lossy(bytes));
        assert!(o.took < WITHIN * 3);
    }
}

#[tokio::test]
async fn promises_a_giant_answer() {
    let o = meet(|mut c| async move {
        c.request().await;
        c.send(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\nv=0")
            .await;
        c.hold().await;
    })
    .await;
    assert!(matches!(o.reason(), Reason::Timeout | Reason::Protocol), "{:?}", o.result);
    assert!(o.took < WITHIN * 3);
}

#[tokio::test]
async fn hangs_up_instead_of_answering() {
    let o = meet(|mut c| async move {
        c.request().await;
        c.send(b"RTSP/1.0 20").await;
    })
    .await;
    assert_eq!(o.reason(), Reason::Tcp, "{:?}", o.result);
}

#[tokio::test]
async fn plays_but_never_sends() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        c.hold().await;
    })
    .await;
    assert_eq!(o.reason(), Reason::NoVideo, "{:?}", o.result);
    assert!(o.took >= WITHIN && o.took < WITHIN * 4, "{:?}", o.took);
}

#[tokio::test]
async fn closes_in_the_middle() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1, 20).await;
    })
    .await;
    assert_eq!(o.reason(), Reason::Tcp, "{:?}", o.result);
    let state = o.stream.state();
    assert!(state.units >= 19 && state.status == Status::Live, "{state:?}");
    assert!(state.description.unwrap().video().unwrap().video().unwrap().width > 0);
}

#[tokio::test]
async fn counts_backwards() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1000, 10).await;
        c.pictures(5, 10).await;
        c.hold().await;
    })
    .await;
    assert_eq!(o.reason(), Reason::Protocol, "{:?}", o.result);
    assert!(o.stream.state().units >= 9);
}

#[tokio::test]
async fn sends_torn_fragments() {
    // The middle of a fragmented unit without its beginning, a beginning without its end, cut-off headers and lengths,
    // and what nobody reads: each costs the picture that it is part of.
    for (first, second) in [
        (&[0x7c, 0x05, 1, 2][..], &[0x7c, 0x45, 3, 4][..]),
        (&[0x7c, 0x85, 1, 2], &[0x7c, 0x85, 3, 4]),
        (&[0x7c], &[0x7c, 0x45, 3, 4]),
        (&[0x78, 0xff, 0xff, 0x65], &[0x65, 0x88, 0x84]),
        (&[0x7d, 0x85, 1, 2], &[0x65, 0x88, 0x84]),
        (&[0xff], &[0x65, 0x88, 0x84]),
    ] {
        let o = meet(move |mut c| async move {
            c.play(SDP).await;
            c.pictures(1, 5).await;
            c.rtp(6, 6 * 3600, false, first).await;
            c.rtp(7, 6 * 3600, true, second).await;
            c.pictures(8, 5).await;
        })
        .await;
        assert_eq!(o.reason(), Reason::Tcp, "{:?}", o.result);
        assert_eq!(o.stream.state().units, 10, "{first:?}");
    }
}

#[tokio::test]
async fn loses_packets_and_nothing_is_shown_that_needs_them() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        let (key, inter) = (&[0x65, 0x88, 0x84, 0x21][..], &[0x41, 0x9a, 0x84, 0x21][..]);
        for (sequence, picture) in [(1, key), (2, inter), (4, inter), (5, inter), (6, key), (7, inter)] {
            c.rtp(sequence, u32::from(sequence) * 3600, true, picture).await;
        }
    })
    .await;
    let state = o.stream.state();
    assert_eq!((state.units, state.discarded_units), (4, 2), "{state:?}");
}

#[tokio::test]
async fn never_sets_the_marker() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        for i in 0..10 {
            c.rtp(i, u32::from(i) * 3600, false, &[0x65, 0x88, 0x84, 0x21]).await;
        }
    })
    .await;
    assert_eq!(o.stream.state().units, 9, "the last one may go on");
}

#[tokio::test]
async fn lies_about_its_parameter_sets_and_sends_better_ones() {
    let sps = [0x67, 0x4d, 0, 0x29, 0xe2, 0x90, 0x14, 7, 0xb6, 2, 0xdc, 4, 4, 6, 0x90, 0x78, 0x91, 0x15];
    for lie in ["!!!,AAAA", "Z2QAHw==,aAE=", "Z00AKeKQFAe2AtwEBAaQeJEV", ""] {
        let sdp = SDP.replace("Z00AKeKQFAe2AtwEBAaQeJEV,aO48gA==", lie);
        let audio = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\n\
            a=fmtp:97 mode=AAC-hbr;config=zz;sizelength=99\r\na=control:trackID=1\r\n";
        let o = meet(move |mut c| {
            let sdp = format!("{sdp}{audio}");
            async move {
                c.play(&sdp).await;
                c.pictures(1, 3).await;
                c.rtp(4, 4 * 3600, false, &sps).await;
                c.rtp(5, 4 * 3600, false, &[0x68, 0xee, 0x3c, 0x80]).await;
                c.rtp(6, 4 * 3600, true, &[0x65, 0x88, 0x84, 0x21]).await;
                c.pictures(7, 5).await;
            }
        })
        .await;
        assert_eq!(o.reason(), Reason::Tcp, "{lie}: {:?}", o.result);
        let description = o.stream.description().expect(lie);
        assert_eq!(description.tracks.len(), 1, "{lie}");
        assert!(description.video().unwrap().video().unwrap().width > 0, "{lie}");
        assert!(o.stream.state().units >= 6, "{lie}");
    }
}

#[tokio::test]
async fn changes_its_parameter_sets() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1, 3).await;
        // 512×128 pixels, then a picture that needs that.
        c.rtp(4, 4 * 3600, false, &[0x67, 0x42, 0x00, 0x0a, 0xf4, 0x04, 0x04, 0x20]).await;
        c.rtp(5, 4 * 3600, false, &[0x68, 0xce, 0x3c, 0x80]).await;
        c.pictures(6, 3).await;
    })
    .await;
    let description = o.stream.description().unwrap();
    assert_eq!((description.generation, o.stream.state().units), (2, 6));
    let video = description.video().unwrap().video().unwrap();
    assert_eq!((video.width, video.height), (512, 128));
}

#[tokio::test]
async fn lies_about_the_length_of_its_packets() {
    for (bytes, reason) in [
        // Shorter than any packet, and with more padding, sources or extension than packet.
        (&[b'$', 0, 0, 3, 0x80, 96, 0][..], Reason::Protocol),
        (&[b'$', 0, 0, 13, 0xa0, 96, 0, 6, 0, 0, 0, 1, 1, 2, 3, 4, 99], Reason::Protocol),
        (&[b'$', 0, 0, 13, 0x8f, 96, 0, 6, 0, 0, 0, 1, 1, 2, 3, 4, 99], Reason::Protocol),
        (&[b'$', 0, 0, 13, 0x90, 96, 0, 6, 0, 0, 0, 1, 1, 2, 3, 4, 99], Reason::Protocol),
        // Longer than what comes before the end.
        (&[b'$', 0, 0xff, 0xff, 0x80, 96, 0, 6], Reason::Tcp),
        // A report that is none.
        (&[b'$', 1, 0, 8, 0x80, 200, 0xff, 0xff, 1, 2, 3, 4], Reason::Protocol),
    ] {
        let o = meet(move |mut c| async move {
            c.play(SDP).await;
            c.pictures(1, 5).await;
            c.send(bytes).await;
        })
        .await;
        assert_eq!(o.reason(), reason, "{bytes:?}: {:?}", o.result);
        assert!(o.stream.state().units >= 4);
    }
}

#[tokio::test]
async fn sends_a_picture_that_never_ends() {
    let middle = [[0x7c, 0x05].as_slice(), &[0x55; 1398]].concat();
    let slices = [[0x41, 0x4a].as_slice(), &[0x55; 1398]].concat();
    for endless in [middle, slices, vec![0x7c, 0x05]] {
        let before = resident_kib();
        let o = meet(move |mut c| {
            let endless = endless.clone();
            async move {
                c.play(SDP).await;
                c.pictures(1, 20).await;
                let first = if endless[0] == 0x7c { &[0x7c, 0x85, 0x88, 2][..] } else { &[0x41, 0x9a, 1] };
                c.rtp(21, 21 * 3600, false, first).await;
                // As fast as it goes.
                for i in (0u16..=u16::MAX).cycle().take(1_000_000) {
                    c.rtp(22u16.wrapping_add(i), 21 * 3600, false, &endless).await;
                }
            }
        })
        .await;
        assert_eq!(o.reason(), Reason::Protocol, "{:?}", o.result);
        let message = o.result.unwrap_err().message;
        assert!(message.contains("never ends") && message.contains(" bytes in "), "{message}");
        // A second of it is for an answer to TEARDOWN that never comes.
        assert!(o.took < Duration::from_secs(3), "{:?}", o.took);
        // One unit of 8 MiB, and the buffer that it grew in.
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 32 << 10, "{grown} KiB more than before");
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn sends_garbage_for_pictures() {
    let o = meet(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1, 5).await;
        c.send(b"\x17\x03\x03 this is no interleaved packet").await;
        c.hold().await;
    })
    .await;
    assert_eq!(o.reason(), Reason::Protocol, "{:?}", o.result);
}

#[tokio::test]
async fn has_tracks_nobody_knows() {
    let (port, seen) = camera(|mut c| async move {
        c.play(&format!("{SDP}{OTHER_TRACKS}")).await;
        c.pictures(1, 5).await;
    })
    .await;
    let o = connect(spec(port, Transport::Auto, false)).await;
    assert_eq!(o.reason(), Reason::Tcp, "{:?}", o.result);
    assert!(o.stream.state().units >= 4);
    let description = o.stream.description().unwrap();
    assert_eq!(description.audio().map(|t| t.codec.name()), Some("opus"));
    assert_eq!(seen.count("SETUP "), 2, "only what we can read is set up");
}

#[tokio::test]
async fn wants_datagrams() {
    let (port, seen) = camera(|mut c| async move {
        while let Some(r) = c.request().await {
            match r.method.as_str() {
                "DESCRIBE" => {
                    let headers = "Content-Base: rtsp://127.0.0.1/cam/\r\nContent-Type: application/sdp\r\n";
                    c.answer(&r, "200 OK", headers, SDP).await;
                }
                "SETUP" if r.text.contains("RTP/AVP/TCP") => c.answer(&r, "461 Unsupported Transport", "", "").await,
                "SETUP" => c.answer(&r, "404 Not Found", "", "").await,
                _ => c.answer(&r, "200 OK", "", "").await,
            }
        }
    })
    .await;
    let o = connect(spec(port, Transport::Auto, false)).await;
    assert_eq!(o.reason(), Reason::NotFound, "{:?}", o.result);
    assert_eq!((seen.count("RTP/AVP/TCP"), seen.count("RTP/AVP/UDP")), (1, 1), "TCP first, then UDP");
    assert_eq!(seen.connections.load(Ordering::Relaxed), 1);
    let o = connect(spec(port, Transport::Tcp, false)).await;
    assert_eq!(o.reason(), Reason::Config, "{:?}", o.result);
}

#[tokio::test]
async fn falls_silent_and_is_hung_up_on_properly() {
    let (port, seen) = camera(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1, 10).await;
        while let Some(r) = c.request().await {
            c.answer(&r, "200 OK", "Session: 1234\r\n", "").await;
        }
    })
    .await;
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let mut status = stream.status();
    let cancel = CancellationToken::new();
    let mut source = make(&spec(port, Transport::Auto, false)).unwrap();
    let run = source.run(stream.standby(GapCause::SourceLost), cancel.clone());
    let watch = async {
        timeout(Duration::from_secs(5), status.wait_for(|s| *s == Status::Live)).await.unwrap().unwrap();
        // Silence is the supervisor's business: the source waits.
        tokio::time::sleep(WITHIN * 2).await;
        cancel.cancel();
        Instant::now()
    };
    let (result, cancelled) = tokio::join!(run, watch);
    assert_eq!(result, Ok(()));
    assert!(cancelled.elapsed() < Duration::from_millis(500));
    assert_eq!(seen.count("TEARDOWN"), 1);
}

#[tokio::test]
async fn stays_connected_but_falls_silent_and_the_gap_says_so() {
    let (port, seen) = camera(|mut c| async move {
        c.play(SDP).await;
        c.pictures(1, 25).await;
        c.hold().await;
    })
    .await;
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    // As a recorder does: it reads, and keeps the source wanted.
    let mut cursor = stream.subscribe(SubscribeOptions::record(1 << 20));
    let supervisor = supervise(
        Arc::clone(&stream),
        spec(port, Transport::Tcp, false),
        SupervisorOptions::default(),
        CancellationToken::new(),
    );
    let mut status = stream.status();
    timeout(Duration::from_secs(5), status.wait_for(|s| *s == Status::Live)).await.unwrap().unwrap();
    let live = Instant::now();
    timeout(Duration::from_secs(6), status.wait_for(|s| *s == Status::Silent)).await.unwrap().unwrap();
    assert!(live.elapsed() < Duration::from_secs(4), "noticed after {:?}", live.elapsed());
    // A second connection beside the silent one brings pictures again, and the reader is told what was missing.
    let gap = async {
        loop {
            if let Event::Gap(gap) = cursor.next().await.unwrap() {
                return gap;
            }
        }
    };
    let gap = timeout(Duration::from_secs(5), gap).await.unwrap();
    assert_eq!(gap.cause, GapCause::SourceSilent);
    let length = gap.to - gap.from;
    assert!((Duration::from_millis(2500)..Duration::from_secs(5)).contains(&length), "{length:?}");
    assert!(seen.connections.load(Ordering::Relaxed) >= 2);
    supervisor.stop().await;
}
