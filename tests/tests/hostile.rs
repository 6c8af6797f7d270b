//! Peers that break the rules cost a clear answer and bounded memory; everybody else plays on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use vigie_tests::{Vigie, ffprobe, pause, until};

fn talk(address: &str, bytes: &[u8]) -> Result<String> {
    let mut s = TcpStream::connect(address)?;
    s.set_read_timeout(Some(Duration::from_secs(10)))?;
    s.set_write_timeout(Some(Duration::from_secs(10)))?;
    // The server may hang up before it has read everything, which is what it should do.
    let _ = s.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n) = s.read(&mut buffer) {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..n]);
        if answer.windows(4).any(|w| w == b"\r\n\r\n") {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn garbage_on_both_ports_costs_nothing() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let url = "testcard:?width=320&height=180&fps=10&gop=10&bitrate=200";
    vigie.add_camera(&json!({"name": "Calm", "connection_type": "testcard", "primary_stream_url": url}))?;
    let rtsp = vigie.rtsp.trim_start_matches("rtsp://").to_owned();
    let http = vigie.http.trim_start_matches("http://").to_owned();

    let bad = talk(&rtsp, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is not RTSP\r\n\r\n")?;
    ensure!(bad.is_empty() || bad.starts_with("RTSP/1.0 400"), "{bad}");
    let lying = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999999\r\n\r\n";
    let bad = talk(&rtsp, lying)?;
    ensure!(bad.starts_with("RTSP/1.0 4"), "{bad}");
    let version = talk(&rtsp, b"OPTIONS * RTSP/3.0\r\nCSeq: 1\r\n\r\n")?;
    ensure!(version.starts_with("RTSP/1.0 505"), "{version}");

    let before = vigie.rss_kib()?;
    let mut flood = vec![b'A'; 64 << 20];
    flood[..8].copy_from_slice(b"OPTIONS ");
    for _ in 0..4 {
        talk(&rtsp, &flood)?;
        talk(&http, &flood)?;
    }
    let body = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: {http}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        2u64 << 30
    );
    let mut huge = body.into_bytes();
    huge.extend(std::iter::repeat_n(b'{', 32 << 20));
    let answer = talk(&http, &huge)?;
    ensure!(answer.starts_with("HTTP/1.1 413"), "{}", answer.lines().next().unwrap_or("nothing"));
    let grown = vigie.rss_kib()?.saturating_sub(before);
    ensure!(grown < 24 * 1024, "memory grew by {grown} KiB");

    let codecs = ffprobe(&format!("rtsp://{rtsp}/calm"), &["-rtsp_transport", "tcp"])?;
    ensure!(codecs.first().is_some_and(|c| c == "h264"), "{codecs:?}");
    Ok(())
}

#[test]
fn a_reader_that_does_not_read_is_cut_and_others_are_untouched() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let url = "testcard:?width=1280&height=720&fps=25&gop=25&bitrate=8000";
    let id = vigie.add_camera(&json!({"name": "Busy", "connection_type": "testcard", "primary_stream_url": url}))?;
    let host = vigie.rtsp.trim_start_matches("rtsp://").to_owned();
    let base = format!("rtsp://{host}/cam/{id}/main");
    let mut lazy = TcpStream::connect(&host)?;
    lazy.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut answer = vec![0u8; 8192];
    let mut session = String::new();
    for (i, request) in [
        format!("DESCRIBE {base} RTSP/1.0\r\n"),
        format!("SETUP {base}/trackID=0 RTSP/1.0\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        format!("PLAY {base} RTSP/1.0\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        lazy.write_all(format!("{request}CSeq: {}\r\n{session}\r\n", i + 1).as_bytes())?;
        let n = lazy.read(&mut answer)?;
        let text = String::from_utf8_lossy(&answer[..n]).into_owned();
        ensure!(text.starts_with("RTSP/1.0 200"), "{text}");
        if let Some(line) = text.lines().find(|l| l.to_ascii_lowercase().starts_with("session:")) {
            session = format!("Session: {}\r\n", line[8..].split(';').next().unwrap_or_default().trim());
        }
    }
    // From here on it never reads again.
    until("somebody else plays meanwhile", Duration::from_secs(20), || {
        Ok(ffprobe(&base, &["-rtsp_transport", "tcp"]).ok().filter(|c| c.first().is_some_and(|c| c == "h264")))
    })?;
    until("the lazy reader is gone", Duration::from_secs(60), || {
        let state = vigie.get(&format!("/api/cameras/{id}"))?;
        let viewers = state.body["camera"]["streams"][0]["viewers"].as_u64();
        Ok((viewers == Some(0)).then_some(()))
    })?;
    Ok(())
}

/// A camera whose only picture goes on as fast as the network takes it. Counts what it got rid of.
fn endless_camera(tcp: TcpStream, sent: &AtomicU64) -> Result<()> {
    let mut lines = BufReader::new(tcp.try_clone()?).lines();
    let mut tcp = tcp;
    loop {
        let (mut method, mut echo, mut cseq) = (String::new(), String::new(), String::new());
        loop {
            let Some(line) = lines.next() else { return Ok(()) };
            let line = line?;
            match line.split_once(": ") {
                _ if line.is_empty() => break,
                Some(("CSeq", n)) => cseq = n.to_owned(),
                Some(("Transport", _)) => echo = format!("{line}\r\n"),
                Some(_) => {}
                None => method = line,
            }
        }
        let sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
                   a=rtpmap:96 H264/90000\r\na=control:v\r\n";
        let body = if method.starts_with("DESCRIBE") { sdp } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let head = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{echo}{kind}Session: 1\r\n");
        tcp.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
        if method.starts_with("PLAY") {
            break;
        }
    }
    for i in (0u16..=u16::MAX).cycle() {
        // The first of all fragments begins a key picture, the others are its middle.
        let mut packet = vec![b'$', 0, 0x05, 0x78, 0x80, 96];
        packet.extend_from_slice(&i.to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4, 0x7c, if i == 0 { 0x85 } else { 0x05 }, 0x88]);
        packet.resize(4 + 0x578, 0x55);
        tcp.write_all(&packet)?;
        sent.fetch_add(packet.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}

#[test]
fn a_camera_whose_picture_never_ends_is_hung_up_on_and_memory_stays_flat() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let (sent, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let vigie = Vigie::start("", &[])?;
    std::thread::scope(|s| -> Result<()> {
        s.spawn(|| {
            while let Ok((tcp, _)) = listener.accept() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let sent = &sent;
                // It ends when it is hung up on.
                s.spawn(move || endless_camera(tcp, sent));
            }
        });
        let before = vigie.rss_kib()?;
        let peak = s.spawn(|| {
            let mut peak = 0;
            while !over.load(Ordering::Relaxed) {
                peak = vigie.rss_kib().unwrap_or(0).max(peak);
                pause(Duration::from_millis(2));
            }
            peak
        });
        let attempts = (0..8).map(|_| -> Result<()> {
            let started = Instant::now();
            let url = format!("rtsp://127.0.0.1:{port}/cam");
            let a = vigie.post("/api/cameras/test", &json!({"name": "Endless", "url": url}))?;
            let result = &a.body["result"];
            ensure!(result["success"] == false && result["error_code"] == "protocol", "{a:?}");
            ensure!(result["error"].as_str().is_some_and(|m| m.contains("never ends")), "{a:?}");
            // Most of it is the wait for an answer to TEARDOWN.
            ensure!(started.elapsed() < Duration::from_secs(5), "only after {:?}", started.elapsed());
            Ok(())
        });
        let outcome: Result<Vec<()>> = attempts.collect();
        over.store(true, Ordering::Relaxed);
        // Wakes the camera, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", port));
        let peak = peak.join().map_err(|_| anyhow::anyhow!("the watcher panicked"))?;
        outcome?;
        // Eight connections of 8 MiB each went through, and one such unit is held at a time; the connections that wait for
        // an answer to TEARDOWN hold nothing.
        let sent = sent.load(Ordering::Relaxed) >> 10;
        ensure!(sent > 8 * 8 * 1024, "the camera sent only {sent} KiB");
        let grown = peak.saturating_sub(before);
        ensure!(grown < 32 * 1024, "memory grew by {grown} KiB while {sent} KiB came");
        Ok(())
    })
}
