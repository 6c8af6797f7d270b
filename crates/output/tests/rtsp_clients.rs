//! Players that nobody here wrote: ffprobe, ffmpeg and GStreamer, over TCP and UDP.

// Everything here is a test, helpers included.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, unreachable_pub)]
#[path = "support/rtsp.rs"]
mod support;

use std::process::{Output, Stdio};
use std::time::Duration;

use support::*;
use tokio::process::Command;
use vigie_hub::{GapCause, SourceTrack};
use vigie_media::{Codec, G711Law, G711Params, OpusParams};

async fn run(program: &str, args: &[&str]) -> Output {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("{program} is needed for this test ({e}); `make setup` installs it"));
    tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await.expect("the player hangs").unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_decodes_pictures_and_sound() {
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 30);
    for transport in ["tcp", "udp"] {
        let url = server.url("cam/1/main");
        let out = run(
            "ffmpeg",
            &[
                "-v",
                "warning",
                "-rtsp_transport",
                transport,
                "-i",
                &url,
                "-t",
                "1.5",
                "-map",
                "0:v",
                "-map",
                "0:a",
                "-f",
                "framemd5",
                "-",
            ],
        )
        .await;
        let (lines, errors) = (text(&out.stdout), text(&out.stderr));
        let count = |stream: &str| lines.lines().filter(|l| l.starts_with(stream)).count();
        assert!(out.status.success(), "{transport}: {errors}");
        assert!(count("0,") >= 30 && count("1,") >= 50, "{transport}: {} {} {errors}", count("0,"), count("1,"));
        for bad in ["error while decoding", "missed", "concealing", "Invalid", "out of order", "corrupt"] {
            assert!(!errors.contains(bad), "{transport}: {errors}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffprobe_signs_in_with_digest_and_with_basic() {
    for (basic, digest) in [(true, true), (false, true), (true, false)] {
        let server = Server::start(vigie_hub::gate::RtspAccess { basic, digest, ..LOCKED }).await;
        publish(&server, CAMERA, 30);
        let probe = async |credentials: &str| {
            let url = format!("rtsp://{credentials}{}/door", server.address);
            let show = "stream=codec_name,width,sample_rate";
            run("ffprobe", &["-v", "error", "-rtsp_transport", "tcp", "-show_entries", show, "-of", "csv=p=0", &url])
                .await
        };
        let out = probe("joe:p%40ss%3Aw%22rd@").await;
        assert_eq!(
            text(&out.stdout).trim(),
            "h264,320\naac,48000",
            "basic {basic}, digest {digest}: {}",
            text(&out.stderr)
        );
        let out = probe("joe:wrong@").await;
        assert!(!out.status.success() && text(&out.stderr).contains("401"), "{}", text(&out.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gstreamer_plays_both_ways() {
    if std::process::Command::new("gst-launch-1.0").arg("--version").output().is_err() {
        eprintln!("skipped: gst-launch-1.0 is not installed");
        return;
    }
    let server = Server::start(OPEN).await;
    publish(&server, CAMERA, 30);
    for transport in ["tcp", "udp"] {
        let (location, protocols) = (format!("location={}", server.url("door")), format!("protocols={transport}"));
        let out = run(
            "gst-launch-1.0",
            &[
                "-q",
                "rtspsrc",
                &location,
                &protocols,
                "latency=100",
                "name=s",
                "s.",
                "!",
                "rtph264depay",
                "!",
                "h264parse",
                "!",
                "avdec_h264",
                "!",
                "identity",
                "eos-after=30",
                "!",
                "fakesink",
                "sync=false",
                "s.",
                "!",
                "rtpmp4gdepay",
                "!",
                "aacparse",
                "!",
                "avdec_aac",
                "!",
                "identity",
                "eos-after=30",
                "!",
                "fakesink",
                "sync=false",
            ],
        )
        .await;
        assert!(out.status.success() && !text(&out.stderr).contains("ERROR"), "{transport}: {}", text(&out.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffprobe_knows_the_other_sounds() {
    for (codec, rate, data, name) in [
        (
            Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 }),
            8000,
            vec![0xd5; 160],
            "pcm_alaw,8000,1",
        ),
        (
            Codec::G711(G711Params { law: G711Law::Mu, sample_rate: 16_000, channels: 1 }),
            16_000,
            vec![0xff; 320],
            "pcm_mulaw,16000,1",
        ),
        // 20 ms of silence (RFC 6716: CELT, full band, stereo).
        (Codec::Opus(OpusParams { channels: 2, pre_skip: 0 }), 48_000, vec![0xfc, 0xff, 0xfe], "opus,48000,2"),
    ] {
        let server = Server::start(OPEN).await;
        let mut out = server.hub.ensure(CAMERA).publisher(GapCause::SourceLost);
        out.describe(vec![SourceTrack { clock_rate: rate, codec }]).unwrap();
        let cancel = server.cancel.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            let mut at = 0;
            while cancel.run_until_cancelled(tick.tick()).await.is_some() {
                out.push(unit(0, at, rate, true, data.clone().into())).unwrap();
                at += i64::from(rate) / 50;
            }
        });
        let url = server.url("door");
        let show = "stream=codec_name,sample_rate,channels";
        let args = [
            "-v",
            "error",
            "-rtsp_transport",
            "tcp",
            "-analyzeduration",
            "500000",
            "-show_entries",
            show,
            "-of",
            "csv=p=0",
            &url,
        ];
        let out = run("ffprobe", &args).await;
        assert_eq!(text(&out.stdout).trim(), name, "{}", text(&out.stderr));
    }
}
