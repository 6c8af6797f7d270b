//! `rtsp.open` opens RTSP, and nothing else.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

use anyhow::{Result, ensure};
use serde_json::json;
use vigie_tests::{Vigie, ffprobe};

#[test]
fn an_open_rtsp_server_does_not_open_the_pictures_over_http() -> Result<()> {
    let vigie = Vigie::start("[rtsp]\nopen = true\n", &[])?;
    let url = "testcard:?width=320&height=180&fps=10&gop=10&bitrate=200";
    let id = vigie.add_camera(&json!({"name": "Open", "connection_type": "testcard", "primary_stream_url": url}))?;
    let host = vigie.rtsp.trim_start_matches("rtsp://").to_owned();
    ensure!(ffprobe(&format!("rtsp://{host}/open"), &["-rtsp_transport", "tcp"])?[0] == "h264", "RTSP is open");

    let address = vigie.http.trim_start_matches("http://").to_owned();
    for path in ["snapshot.jpg", "stream.mjpeg"] {
        let mut s = TcpStream::connect(&address)?;
        write!(s, "GET /api/cameras/{id}/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        s.take(4096).read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 401"), "{path}: {}", answer.lines().next().unwrap_or_default());
    }
    Ok(())
}
