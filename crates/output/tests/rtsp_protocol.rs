//! RFC 2326, case by case, over raw sockets.

// Everything here is a test, helpers included.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, unreachable_pub)]
#[path = "support/rtsp.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::*;
use tokio::net::UdpSocket;
use vigie_hub::{GapCause, SourceTrack, SourceUnit};
use vigie_media::rtp::depacketize::InOrder;
use vigie_media::{Codec, JpegParams, TrackId, VideoInfo, h264};
use vigie_output::rtsp::RtspConfig;

const TCP: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";

#[tokio::test]
async fn a_whole_session_over_tcp() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 30);
    let url = server.url("cam/1/main");
    let mut c = Client::connect(&server).await;
    let a = c.ask("OPTIONS", "*", "").await;
    assert_eq!(a.status, 200);
    for m in ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"] {
        assert!(a.header("Public").unwrap().contains(m));
    }
    let a = c.ask("DESCRIBE", &url, "Accept: application/sdp\r\n").await;
    assert_eq!((a.status, a.header("Content-Type")), (200, Some("application/sdp")));
    assert_eq!(a.header("Content-Base"), Some(format!("{url}/").as_str()));
    assert!(a.body.contains("H264/90000") && a.body.contains("mpeg4-generic/48000/2"), "{}", a.body);
    assert!(a.header("Date").unwrap().ends_with("GMT") && a.header("Server").is_some());
    let session = c.set_up(&url, &[0, 1]).await;
    let a = c.ask("PLAY", &url, &format!("Session: {session}\r\nRange: npt=0.000-\r\n")).await;
    assert_eq!((a.status, a.header("Range")), (200, Some("npt=now-")));
    let info = a.header("RTP-Info").unwrap().to_owned();
    let field = |track: u8, name: &str| -> u32 {
        let part = info.split(',').find(|p| p.contains(&format!("trackID={track}"))).unwrap();
        part.split(';').find_map(|f| f.strip_prefix(&format!("{name}="))).unwrap().parse().unwrap()
    };
    // A report of each track, then the pictures since the last key frame: RTP-Info told their first numbers.
    let mut video = InOrder::new(&Fixture::load().video);
    let mut first = [None, None];
    let mut reports = [0, 0];
    let mut pictures = Vec::new();
    while pictures.len() < 20 {
        let (channel, p) = c.packet().await;
        let track = usize::from(channel / 2);
        if channel % 2 == 1 {
            assert_eq!((p[1], p.len() % 4), (200, 0));
            reports[track] += 1;
            continue;
        }
        assert!(reports[track] > 0, "media before the first report");
        let seq = u32::from(u16::from_be_bytes([p[2], p[3]]));
        let stamp = u32::from_be_bytes([p[4], p[5], p[6], p[7]]);
        first[track].get_or_insert((seq, stamp));
        if track == 0 {
            pictures.extend(video.push(&p).unwrap());
        }
    }
    assert_eq!(first[0], Some((field(0, "seq"), field(0, "rtptime"))));
    assert_eq!(first[1].unwrap().0, field(1, "seq"));
    // Both start at the same moment, within a few frames of sound.
    let sound = i64::from(first[1].unwrap().1) - i64::from(field(1, "rtptime"));
    assert!((-4096..=4096).contains(&sound), "{sound}");
    assert!(h264::is_key(&pictures[0].data));
    assert!(pictures.windows(2).all(|w| w[1].timestamp > w[0].timestamp));
    assert_eq!(server.metrics.readers_tcp.load(Relaxed), 1);
    assert_eq!(server.hub.get(CAMERA).unwrap().state().viewers, 1);

    let in_session = format!("Session: {session}\r\n");
    assert_eq!(c.ask("GET_PARAMETER", &url, &in_session).await.status, 200);
    assert_eq!(c.ask("PLAY", &url, &in_session).await.status, 200);
    assert_eq!(c.ask("PAUSE", &url, &in_session).await.status, 200);
    assert_eq!(server.metrics.readers_tcp.load(Relaxed), 0);
    // Nothing flows while paused: the next message is the next answer.
    c.packets.clear();
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(c.ask("GET_PARAMETER", &url, &in_session).await.status, 200);
    assert!(c.packets.is_empty());
    let a = c.ask("PLAY", &url, &in_session).await;
    assert!(a.header("RTP-Info").unwrap().contains("seq="));
    c.packet().await;
    assert_eq!(c.ask("TEARDOWN", &url, &in_session).await.status, 200);
    assert_eq!(c.ask("PLAY", &url, &in_session).await.status, 454);
    drop(c);
    eventually("the viewer has left", || server.hub.get(CAMERA).unwrap().state().viewers == 0).await;
    eventually("the connection is gone", || server.metrics.connections.load(Relaxed) == 0).await;
}

#[tokio::test]
async fn wrong_requests_get_their_status() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 1);
    let url = server.url("door");
    let one = server.url("door/trackID=0");
    let mut c = Client::connect(&server).await;
    for (status, method, uri, headers) in [
        (404, "DESCRIBE", server.url("nothing"), ""),
        (404, "SETUP", server.url("door/trackID=9"), TCP),
        (400, "DESCRIBE", "http://x/y".to_owned(), ""),
        (405, "ANNOUNCE", url.clone(), ""),
        (405, "RECORD", url.clone(), ""),
        (406, "DESCRIBE", url.clone(), "Accept: text/html\r\n"),
        (454, "PLAY", url.clone(), "Session: 12345\r\n"),
        (455, "PLAY", url.clone(), ""),
        (455, "PAUSE", url.clone(), ""),
        (459, "SETUP", url.clone(), TCP),
        (400, "SETUP", one.clone(), ""),
        (461, "SETUP", one.clone(), "Transport: RTP/AVP;multicast\r\n"),
        (461, "SETUP", one.clone(), "Transport: RTP/SAVP;unicast;client_port=1-2\r\n"),
        (461, "SETUP", one.clone(), "Transport: RTP/AVP/TCP;interleaved=0-1;mode=record\r\n"),
        (501, "DANCE", url.clone(), ""),
        (503, "DESCRIBE", server.url("cam/2/main"), ""),
        (551, "DESCRIBE", url.clone(), "Require: com.example.magic\r\n"),
    ] {
        let a = c.ask(method, &uri, headers).await;
        assert_eq!(a.status, status, "{method} {uri} {headers}: {}", a.head);
        match status {
            405 => assert!(a.header("Allow").unwrap().contains("DESCRIBE")),
            455 => assert!(a.header("Allow").is_some()),
            503 => assert!(a.header("Retry-After").is_some()),
            551 => assert_eq!(a.header("Unsupported"), Some("com.example.magic")),
            _ => {}
        }
    }
    let session = c.set_up(&url, &[0, 1]).await;
    let in_session = format!("Session: {session}\r\n");
    assert_eq!(c.ask("PLAY", &one, &in_session).await.status, 460);
    assert_eq!(c.ask("PLAY", &url, &format!("{in_session}Range: smpte=0:10:20-\r\n")).await.status, 457);
    assert_eq!(c.ask("PLAY", &server.url("cam/2/main"), &in_session).await.status, 404);
    assert_eq!(c.ask("PLAY", &url, &in_session).await.status, 200);
    assert_eq!(c.ask("SETUP", &one, &format!("{in_session}{TCP}")).await.status, 455);
    c.send(
        format!("SET_PARAMETER {url} RTSP/1.0\r\nCSeq: 900\r\n{in_session}Content-Length: 6\r\n\r\na: b\r\n")
            .as_bytes(),
    )
    .await;
    assert_eq!(c.answer().await.status, 451);
    c.send(b"OPTIONS * RTSP/2.0\r\nCSeq: 901\r\n\r\n").await;
    assert_eq!(c.answer().await.status, 505);
    c.send(b"OPTIONS * RTSP/1.0\r\n\r\n").await;
    let a = c.answer().await;
    assert_eq!((a.status, a.header("CSeq")), (400, None));
    // Still alive: media and answers go on.
    assert_eq!(c.ask("GET_PARAMETER", &url, &in_session).await.status, 200);
    c.packet().await;
}

#[tokio::test]
async fn garbage_ends_the_connection_and_nothing_else() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 1);
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 4\r\nContent-Length: nonsense\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 4\r\nContent-Length: 99999999\r\n\r\n",
        &[b'A'; 20_000],
    ] {
        let mut c = Client::connect(&server).await;
        c.send(garbage).await;
        let a = c.answer().await;
        assert!(matches!(a.status, 400 | 413), "{}", a.head);
        assert!(c.next().await.is_none(), "the connection stays open after garbage");
    }
    // Requests in one packet, with a report between them that claims channel 200.
    let mut c = Client::connect(&server).await;
    c.send(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n$\xc8\x00\x04abcdOPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n").await;
    assert_eq!(c.answer().await.header("CSeq"), Some("1"));
    assert_eq!(c.answer().await.header("CSeq"), Some("2"));
    eventually("only one is left", || server.metrics.connections.load(Relaxed) == 1).await;
}

fn digest(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    use md5::{Digest as _, Md5};
    let hex = |s: String| Md5::digest(s.as_bytes()).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let response =
        hex(format!("{}:{nonce}:{}", hex(format!("{user}:Vigie:{password}")), hex(format!("{method}:{uri}"))));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"Vigie\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\"\r\n"
    )
}

#[tokio::test]
async fn strangers_are_challenged_before_anything_is_revealed() {
    let server = Server::start(LOCKED).await;
    publish(&server, CAMERA, 1);
    let url = server.url("door");
    let mut c = Client::connect(&server).await;
    assert_eq!(c.ask("OPTIONS", &url, "").await.status, 200);
    // An unknown path looks exactly like a known one.
    for path in ["door", "nothing"] {
        let a = c.ask("DESCRIBE", &server.url(path), "").await;
        assert_eq!(a.status, 401);
        let schemes: Vec<_> = a.head.lines().filter_map(|l| l.strip_prefix("WWW-Authenticate: ")).collect();
        assert!(
            schemes[0].starts_with("Digest realm=\"Vigie\"") && schemes[1] == "Basic realm=\"Vigie\"",
            "{schemes:?}"
        );
    }
    let a = c.ask("DESCRIBE", &url, "").await;
    let challenge = a.header("WWW-Authenticate").unwrap().to_owned();
    for (user, password, status) in
        [(USER, "wrong", 401), ("nobody", PASSWORD, 401), ("guest", "guest", 403), (USER, PASSWORD, 200)]
    {
        let a = c.ask("DESCRIBE", &url, &digest(&challenge, user, password, "DESCRIBE", &url)).await;
        assert_eq!(a.status, status, "{user}");
    }
    assert_eq!(c.ask("DESCRIBE", &server.url("nothing"), "").await.status, 404);
    // A nonce from before a restart: the player is told to take a new one, not to ask its user.
    let mut c = Client::connect(&server).await;
    let old = challenge.replace("nonce=\"0", "nonce=\"1");
    let a = c.ask("DESCRIBE", &url, &digest(&old, USER, PASSWORD, "DESCRIBE", &url)).await;
    assert!(a.status == 401 && a.header("WWW-Authenticate").unwrap().contains("stale=true"), "{}", a.head);
    // Basic: joe:p@ss:w"rd
    let a = c.ask("DESCRIBE", &url, "Authorization: Basic am9lOnBAc3M6dyJyZA==\r\n").await;
    assert_eq!(a.status, 200);
}

#[tokio::test]
async fn joining_at_the_next_key_frame_or_at_once() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 30);
    for (join, key) in [("key", true), ("burst", true), ("live", false)] {
        let mut c = Client::connect(&server).await;
        let url = server.url("door");
        assert_eq!(c.ask("DESCRIBE", &format!("{url}?join={join}"), "").await.status, 200);
        let session = c.set_up(&url, &[0]).await;
        let a = c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await;
        assert_eq!(a.header("RTP-Info").is_some(), join != "key", "{join}");
        let mut video = InOrder::new(&Fixture::load().video);
        let picture = loop {
            let (channel, p) = c.packet().await;
            if channel == 0
                && let Some(u) = video.push(&p).unwrap()
            {
                break u;
            }
        };
        // `live` may hit a key frame by chance, one time in 25.
        assert!(!key || h264::is_key(&picture.data), "{join}");
    }
}

#[tokio::test]
async fn other_channels_carry_the_same_packets() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 30);
    let url = server.url("door");
    let mut c = Client::connect(&server).await;
    let a = c.ask("SETUP", &format!("{url}/trackID=1"), "Transport: RTP/AVP/TCP;interleaved=0-1\r\n").await;
    let session = a.session();
    // Channels 0 and 1 are taken by the sound: the pictures get others.
    let a = c.ask("SETUP", &format!("{url}/trackID=0"), &format!("Session: {session}\r\n{TCP}")).await;
    assert!(a.header("Transport").unwrap().contains("interleaved=2-3"), "{}", a.head);
    c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await;
    let mut seen = [false; 2];
    while seen != [true; 2] {
        let (channel, p) = c.packet().await;
        match (channel, p[1] & 0x7f) {
            (0, 97) => seen[0] = true,
            (2, 96) => seen[1] = true,
            (1 | 3, 72) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_over_udp_lives_by_reports_and_ends_without() {
    let config = RtspConfig { session_timeout: Duration::from_millis(700), ..RtspConfig::default() };
    let server = Server::with(OPEN, config).await;
    publish(&server, CAMERA, 30);
    let url = server.url("door");
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let rtcp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ports = format!("{}-{}", rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port());
    let transport = format!("Transport: RTP/AVP;unicast;client_port={ports}\r\n");
    let mut c = Client::connect(&server).await;
    let a = c.ask("SETUP", &format!("{url}/trackID=0"), &transport).await;
    assert!(a.header("Transport").unwrap().contains(&format!("client_port={ports};server_port=")), "{}", a.head);
    let session = a.session();
    // The same ports for somebody else: refused.
    let mut other = Client::connect(&server).await;
    assert_eq!(other.ask("SETUP", &format!("{url}/trackID=0"), &transport).await.status, 400);
    let a = c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await;
    let info = a.header("RTP-Info").unwrap().to_owned();
    let mut buf = [0; 2000];
    let (n, from) = tokio::time::timeout(Duration::from_secs(5), rtcp.recv_from(&mut buf)).await.unwrap().unwrap();
    assert_eq!((buf[1], n % 4), (200, 0));
    let mut video = InOrder::new(&Fixture::load().video);
    let started = std::time::Instant::now();
    let (mut pictures, mut first) = (Vec::new(), None);
    // Twice the time-out, with reports.
    while started.elapsed() < Duration::from_millis(1500) {
        let n = tokio::time::timeout(Duration::from_secs(5), rtp.recv(&mut buf)).await.unwrap().unwrap();
        assert!(n <= 1400);
        first.get_or_insert(u16::from_be_bytes([buf[2], buf[3]]));
        pictures.extend(video.push(&buf[..n]).unwrap());
        rtcp.send_to(&[0x80, 201, 0, 1, 0, 0, 0, 9], from).await.unwrap();
    }
    assert!(info.contains(&format!("seq={};", first.unwrap())), "{info}");
    assert!(h264::is_key(&pictures[0].data) && pictures.len() > 30, "{}", pictures.len());
    assert_eq!(server.metrics.readers_udp.load(Relaxed), 1);
    // Without reports it ends, and says good-bye.
    assert!(c.next().await.is_none());
    assert_eq!((server.metrics.timed_out.load(Relaxed), server.metrics.readers_udp.load(Relaxed)), (1, 0));
    loop {
        let n = tokio::time::timeout(Duration::from_secs(5), rtcp.recv(&mut buf)).await.unwrap().unwrap();
        if vigie_media::rtcp::parse(&buf[..n]).unwrap().bye {
            break;
        }
    }
    // The ports are free again.
    assert_eq!(other.ask("SETUP", &format!("{url}/trackID=0"), &transport).await.status, 200);
}

/// GStreamer ends its stream at a good-bye, and would not go on after a pause.
#[tokio::test]
async fn a_pause_over_udp_is_no_good_bye() {
    let server = Server::with(OPEN, RtspConfig::default()).await;
    publish(&server, CAMERA, 30);
    let url = server.url("door");
    let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let rtcp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ports = format!("{}-{}", rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port());
    let mut c = Client::connect(&server).await;
    let transport = format!("Transport: RTP/AVP;unicast;client_port={ports}\r\n");
    let session = c.ask("SETUP", &format!("{url}/trackID=0"), &transport).await.session();
    let in_session = format!("Session: {session}\r\n");
    let mut buf = [0; 2000];
    let mut reports = Vec::new();
    for _ in 0..2 {
        assert_eq!(c.ask("PLAY", &url, &in_session).await.status, 200);
        tokio::time::timeout(Duration::from_secs(5), rtp.recv(&mut buf)).await.unwrap().unwrap();
        assert_eq!(c.ask("PAUSE", &url, &in_session).await.status, 200);
        let n = tokio::time::timeout(Duration::from_secs(5), rtcp.recv(&mut buf)).await.unwrap().unwrap();
        reports.push(vigie_media::rtcp::parse(&buf[..n]).unwrap().bye);
        while let Ok(n) = rtcp.try_recv(&mut buf) {
            reports.push(vigie_media::rtcp::parse(&buf[..n]).unwrap().bye);
        }
        while rtp.try_recv(&mut buf).is_ok() {}
    }
    assert!(!reports.contains(&true), "{reports:?}");
    assert_eq!(c.ask("PLAY", &url, &in_session).await.status, 200);
    assert_eq!(c.ask("TEARDOWN", &url, &in_session).await.status, 200);
    loop {
        let n = tokio::time::timeout(Duration::from_secs(5), rtcp.recv(&mut buf)).await.unwrap().unwrap();
        if vigie_media::rtcp::parse(&buf[..n]).unwrap().bye {
            break;
        }
    }
}

/// A picture of that many bytes, key or not.
#[tokio::test]
async fn a_camera_that_goes_stalls_its_readers_and_another_codec_ends_them() {
    let server = Server::start(OPEN).await;
    let fixture = Fixture::load();
    let stream = server.hub.ensure(CAMERA);
    let mut out = stream.publisher(GapCause::SourceLost);
    out.describe(fixture.tracks()).unwrap();
    out.push(fixture.picture(0)).unwrap();
    let url = server.url("door");
    let mut c = Client::connect(&server).await;
    let session = c.set_up(&url, &[0]).await;
    c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await;
    let mut video = InOrder::new(&fixture.video);
    let mut next_picture = async |c: &mut Client| loop {
        let (channel, p) = c.packet().await;
        if channel == 0
            && let Some(u) = video.push(&p).unwrap()
        {
            return u.data;
        }
    };
    assert!(h264::is_key(&next_picture(&mut c).await));
    // The camera comes back with another publisher: the same session goes on, with numbers that go on.
    drop(out);
    let mut out = stream.publisher(GapCause::SourceLost);
    out.describe(fixture.tracks()).unwrap();
    out.push(fixture.picture(25)).unwrap();
    assert!(h264::is_key(&next_picture(&mut c).await));
    // Now it sends JPEG: good-bye.
    let jpeg = Codec::Jpeg(Arc::new(JpegParams { video: VideoInfo { width: 64, height: 48, ..Default::default() } }));
    out.describe(vec![SourceTrack { clock_rate: 90_000, codec: jpeg }]).unwrap();
    let mut bye = false;
    while let Some(m) = c.next().await {
        if let Message::Packet(1, p) = m {
            bye |= vigie_media::rtcp::parse(&p).unwrap().bye;
        }
    }
    assert!(bye, "the session ended without a good-bye");
}

#[tokio::test]
async fn a_jpeg_that_rtp_cannot_carry_is_refused_also_when_it_comes_late() {
    let server = Server::start(OPEN).await;
    let stream = server.hub.ensure(CAMERA);
    let mut out = stream.publisher(GapCause::SourceLost);
    let data = Bytes::from_static(include_bytes!("../../media/testdata/jpeg_444.jpg"));
    let codec = Codec::Jpeg(Arc::new(vigie_media::jpeg::params(&data).unwrap()));
    out.describe(vec![SourceTrack { clock_rate: 90_000, codec }]).unwrap();
    let mut demand = stream.demand();
    let late = tokio::spawn(async move {
        demand.wait_for(|d| d.viewers > 0).await.unwrap();
        let (track, arrived) = (TrackId(0), Instant::now());
        out.push(SourceUnit { track, pts: 0, dts: None, shared_ns: None, arrived, key: true, data }).unwrap();
        out
    });
    let mut c = Client::connect(&server).await;
    let a = c.ask("DESCRIBE", &server.url("door"), "").await;
    assert_eq!(a.status, 415, "{}", a.body);
    drop(late.await.unwrap());
}

/// Many readers over several shards, some of which pause and play again: nobody misses or repeats a packet.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn many_readers_on_many_shards_miss_nothing() {
    let server = Server::with(OPEN, RtspConfig { workers: 4, ..RtspConfig::default() }).await;
    publish(&server, CAMERA, 10);
    let url = server.url("door");
    let mut readers = tokio::task::JoinSet::new();
    for i in 0..120 {
        let mut c = Client::connect(&server).await;
        let url = url.clone();
        readers.spawn(async move {
            let session = c.set_up(&url, &[0, 1]).await;
            let in_session = format!("Session: {session}\r\n");
            for _ in 0..1 + i % 2 {
                let a = c.ask("PLAY", &url, &in_session).await;
                let info = a.header("RTP-Info").unwrap().to_owned();
                let mut expected: Vec<u16> = info
                    .split(',')
                    .map(|p| p.split("seq=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap())
                    .collect();
                for _ in 0..150 {
                    let (channel, p) = c.packet().await;
                    if channel % 2 == 0 {
                        let next = &mut expected[usize::from(channel / 2)];
                        assert_eq!(u16::from_be_bytes([p[2], p[3]]), *next, "reader {i}, channel {channel}");
                        *next = next.wrapping_add(1);
                    }
                }
                assert_eq!(c.ask("PAUSE", &url, &in_session).await.status, 200);
                c.packets.clear();
            }
        });
    }
    while let Some(r) = readers.join_next().await {
        r.unwrap();
    }
    assert_eq!(server.metrics.skipped.load(Relaxed), 0);
    assert!(server.metrics.packets.load(Relaxed) >= 120 * 150);
}

#[tokio::test]
async fn a_changed_password_ends_the_sessions_that_used_the_old_one() {
    let config = RtspConfig { review_interval: Duration::from_millis(50), ..RtspConfig::default() };
    let server = Server::with(LOCKED, config).await;
    publish(&server, CAMERA, 1);
    let url = server.url("door");
    let basic = "Authorization: Basic am9lOnBAc3M6dyJyZA==\r\n";
    let mut c = Client::connect(&server).await;
    assert_eq!(c.ask("DESCRIBE", &url, basic).await.status, 200);
    let session = c.set_up(&url, &[0]).await;
    assert_eq!(c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await.status, 200);
    // Several reviews pass while the password is right.
    for _ in 0..10 {
        c.packet().await;
    }
    server.changed.store(true, Relaxed);
    while c.next().await.is_some() {}
    eventually("the reader is gone", || server.metrics.readers_tcp.load(Relaxed) == 0).await;
    let mut c = Client::connect(&server).await;
    assert_eq!(c.ask("DESCRIBE", &url, basic).await.status, 401);
}
