//! Peers that break the rules cost a clear answer and bounded memory; everybody else plays on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use vigie_tests::{Vigie, ffprobe, until};

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
