//! RTSP as real clients speak it: FFmpeg and GStreamer, over TCP and UDP, with and without passwords.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use serde_json::json;
use vigie_tests::{Vigie, ffprobe, require};

const CARD: &str = "testcard:?width=640&height=360&fps=25&gop=25&bitrate=800&name=Clients";

fn with_card(config: &str) -> Result<(Vigie, i64)> {
    let vigie = Vigie::start(config, &[])?;
    let id =
        vigie.add_camera(&json!({"name": "Clients", "connection_type": "testcard", "primary_stream_url": CARD}))?;
    Ok((vigie, id))
}

/// Bytes of decoded pictures that GStreamer gets in a while.
fn gstreamer_frames(url: &str, protocols: &str) -> Result<u64> {
    require("gst-launch-1.0")?;
    let out = Command::new("timeout")
        .args(["20", "gst-launch-1.0", "-q", "rtspsrc"])
        .args([&format!("location={url}"), &format!("protocols={protocols}"), "latency=0"])
        .args(["!", "application/x-rtp,media=video", "!", "decodebin", "!", "videoconvert", "!"])
        .args(["video/x-raw,format=I420", "!", "identity", "eos-after=20", "!", "fdsink", "fd=1"])
        .stderr(Stdio::null())
        .output()?;
    Ok(out.stdout.len() as u64 / (640 * 360 * 3 / 2))
}

/// Pictures that FFmpeg decodes without a complaint.
fn ffmpeg_frames(url: &str, transport: &str) -> Result<usize> {
    require("ffmpeg")?;
    let out = Command::new("timeout")
        .args(["20", "ffmpeg", "-v", "error", "-rtsp_transport", transport, "-i", url])
        .args(["-map", "0:v", "-frames:v", "30", "-f", "framemd5", "-"])
        .output()?;
    let complaints = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(out.status.success() && complaints.trim().is_empty(), "ffmpeg over {transport}: {complaints}");
    Ok(String::from_utf8_lossy(&out.stdout).lines().filter(|l| !l.starts_with('#')).count())
}

#[test]
fn ffmpeg_and_gstreamer_play_over_tcp_and_udp() -> Result<()> {
    let (vigie, id) = with_card("")?;
    for url in [format!("{}/cam/{id}/main", vigie.rtsp), format!("{}/clients", vigie.rtsp)] {
        let url = format!("rtsp://{}", url.trim_start_matches("rtsp://"));
        for transport in ["tcp", "udp"] {
            let codecs = ffprobe(&url, &["-rtsp_transport", transport])?;
            ensure!(codecs == ["h264", "opus"], "{transport}: {codecs:?}");
        }
    }
    let url = format!("rtsp://{}/clients", vigie.rtsp.trim_start_matches("rtsp://"));
    for transport in ["tcp", "udp"] {
        let frames = ffmpeg_frames(&url, transport)?;
        ensure!(frames == 30, "ffmpeg over {transport} decoded {frames} pictures");
        let frames = gstreamer_frames(&url, transport)?;
        ensure!(frames >= 10, "GStreamer over {transport} decoded {frames} pictures");
    }
    Ok(())
}

#[test]
fn an_account_is_demanded_of_everyone_and_both_methods_let_in() -> Result<()> {
    for method in ["basic", "digest", "both"] {
        let config = format!("[rtsp]\nuser = \"viewer\"\npassword = \"p@ss/w0rd\"\nauth_method = \"{method}\"\n");
        let (vigie, _) = with_card(&config)?;
        let host = vigie.rtsp.trim_start_matches("rtsp://").to_owned();
        ensure!(ffprobe(&format!("rtsp://{host}/clients"), &["-rtsp_transport", "tcp"]).is_err(), "{method}: open");
        let wrong = format!("rtsp://viewer:wrong@{host}/clients");
        ensure!(ffprobe(&wrong, &["-rtsp_transport", "tcp"]).is_err(), "{method}: wrong password");
        let right = format!("rtsp://viewer:p%40ss%2Fw0rd@{host}/clients");
        let codecs = ffprobe(&right, &["-rtsp_transport", "tcp"])?;
        ensure!(codecs.first().is_some_and(|c| c == "h264"), "{method}: {codecs:?}");
        ensure!(!vigie.log_text().contains("p@ss/w0rd"), "{method}: the password is in the log");
    }
    Ok(())
}
