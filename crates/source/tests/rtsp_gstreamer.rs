//! A real RTSP server that nobody here wrote, as the camera: GStreamer's, started by `testkit/cameras/gst_rtsp.py`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Secret, StreamKey};
use vigie_hub::{Cursor, Event, Gap, GapCause, Hub, Reason, Status, Stream, SubscribeOptions};
use vigie_media::{AccessUnit, MediaKind, StreamDescription};
use vigie_source::{ConnectionConfig, Options, SourceSpec, Transport, probe, supervise};

struct Camera {
    process: Child,
    port: u16,
}

impl Camera {
    async fn start(args: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testkit/cameras/gst_rtsp.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(args.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is part of the project's setup");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(Duration::from_secs(20), lines.next_line()).await.expect("the camera starts").unwrap();
        let line = line.expect("GStreamer's RTSP server for Python is part of the project's setup");
        let port = line.split("port=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        Self { process, port }
    }

    async fn kill(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.port
    }

    fn spec(&self, transport: Transport) -> SourceSpec {
        let config = ConnectionConfig { timeout_ms: 8000, transport, ..ConnectionConfig::default() };
        SourceSpec {
            kind: "rtsp".into(),
            url: format!("rtsp://127.0.0.1:{}/cam", self.port).parse().unwrap(),
            credentials: None,
            config,
        }
    }
}

fn with_password(spec: SourceSpec, password: &str) -> SourceSpec {
    SourceSpec { credentials: Some(("admin".into(), Secret::new(password))), ..spec }
}

fn stream() -> (Hub, Arc<Stream>) {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    (hub, stream)
}

/// Everything a reader saw, in order.
#[derive(Default)]
struct Seen {
    description: Option<Arc<StreamDescription>>,
    units: Vec<Arc<AccessUnit>>,
    gaps: Vec<Gap>,
}

impl Seen {
    fn take(&mut self, event: Event) {
        match event {
            Event::Description(d) => self.description = Some(d),
            Event::Unit(u) => self.units.push(u),
            Event::Gap(g) => self.gaps.push(g),
            Event::Skipped(_) => {}
        }
    }

    async fn read(&mut self, cursor: &mut Cursor, within: Duration, enough: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + within;
        while !enough(self) {
            let Ok(event) = tokio::time::timeout_at(deadline, cursor.next()).await else {
                panic!("media did not come in time, {} units so far: {:?}", self.units.len(), cursor.stream().state());
            };
            self.take(event.unwrap());
        }
    }

    /// Takes what is there.
    fn drain(&mut self, cursor: &mut Cursor) {
        while let Some(e) = cursor.try_next().unwrap() {
            self.take(e);
        }
    }

    fn of(&self, kind: MediaKind) -> impl Iterator<Item = &Arc<AccessUnit>> {
        let d = self.description.clone();
        self.units.iter().filter(move |u| d.as_ref().and_then(|d| d.track(u.track)).is_some_and(|t| t.kind() == kind))
    }

    fn seconds(&self, u: &AccessUnit) -> f64 {
        u.pts.0 as f64 / f64::from(self.description.as_ref().unwrap().track(u.track).unwrap().clock_rate)
    }

    fn assert_monotonic(&self) {
        let mut last = HashMap::new();
        for u in &self.units {
            assert!(u.pts >= u.dts, "shown before it is decoded: {u:?}");
            if let Some(before) = last.insert(u.track, u.dts) {
                assert!(u.dts > before, "decode time went from {before:?} to {:?}", u.dts);
            }
        }
    }
}

/// Two seconds of that camera.
async fn watch(args: &str, transport: Transport, audio: Option<&str>, video: &str) -> Seen {
    let camera = Camera::start(args).await;
    let (_hub, stream) = stream();
    let mut cursor = stream.subscribe(SubscribeOptions::view());
    let supervisor =
        supervise(Arc::clone(&stream), camera.spec(transport), Options::default(), CancellationToken::new());
    let mut seen = Seen::default();
    seen.read(&mut cursor, Duration::from_secs(15), |s| {
        s.of(MediaKind::Video).count() >= 60 && (audio.is_none() || s.of(MediaKind::Audio).count() >= 30)
    })
    .await;
    supervisor.stop().await;
    let d = seen.description.clone().unwrap();
    let v = d.video().unwrap();
    assert_eq!(v.codec.name(), video, "{args}");
    assert_eq!((v.video().unwrap().width, v.video().unwrap().height), (320, 240), "{args}");
    assert_eq!(d.audio().map(|t| t.codec.name()), audio, "{args}");
    seen.assert_monotonic();
    assert!(seen.of(MediaKind::Video).next().unwrap().key, "{args}: the first picture can be decoded");
    let pictures: Vec<f64> = seen.of(MediaKind::Video).map(|u| seen.seconds(u)).collect();
    let span = pictures.last().unwrap() - pictures[0];
    let expected = (pictures.len() - 1) as f64 / 25.0;
    assert!((span - expected).abs() < 0.3, "{args}: {span} s of pictures, {expected} expected");
    seen
}

/// Sound and pictures that arrive together belong together.
fn assert_in_step(seen: &Seen) {
    let audio = seen.of(MediaKind::Audio).last().unwrap();
    let near = seen
        .of(MediaKind::Video)
        .min_by_key(|v| if v.arrived > audio.arrived { v.arrived - audio.arrived } else { audio.arrived - v.arrived });
    let apart = seen.seconds(audio) - seen.seconds(near.unwrap());
    assert!(apart.abs() < 0.5, "sound and pictures are {apart} s apart");
}

#[tokio::test]
async fn h264_with_aac() {
    let seen = watch("--codec h264 --audio aac --gop 10", Transport::Auto, Some("aac"), "h264").await;
    assert_in_step(&seen);
    let keys = seen.of(MediaKind::Video).filter(|u| u.key).count();
    assert!((6..=8).contains(&keys), "{keys} key frames in 60 pictures");
}

#[tokio::test]
async fn h264_with_b_frames_and_opus() {
    let seen = watch("--codec h264 --bframes 2 --audio opus", Transport::Tcp, Some("opus"), "h264").await;
    assert!(seen.units.iter().any(|u| u.pts > u.dts), "pictures are reordered");
    assert_in_step(&seen);
}

#[tokio::test]
async fn h265_key_frames_are_found_by_their_nal_units() {
    let seen = watch("--codec h265 --gop 20", Transport::Auto, None, "h265").await;
    let keys = seen.of(MediaKind::Video).filter(|u| u.key).count();
    assert!((3..=4).contains(&keys), "{keys} key frames in 60 pictures");
}

#[tokio::test]
async fn mjpeg_with_a_law() {
    let seen = watch("--codec mjpeg --audio pcma", Transport::Auto, Some("pcm_alaw"), "mjpeg").await;
    assert!(seen.units.iter().all(|u| u.key));
    assert_in_step(&seen);
}

#[tokio::test]
async fn datagrams_with_mu_law() {
    let seen = watch("--codec h264 --audio pcmu", Transport::Udp, Some("pcm_mulaw"), "h264").await;
    assert_in_step(&seen);
}

#[tokio::test]
async fn a_camera_that_refuses_tcp_is_read_by_datagrams() {
    watch("--codec h264 --transport udp", Transport::Auto, None, "h264").await;
}

#[tokio::test]
async fn passwords_basic_and_digest() {
    for scheme in ["basic", "digest"] {
        let camera = Camera::start(&format!("--auth {scheme} --user admin --password s3cr3t")).await;
        let spec = camera.spec(Transport::Auto);
        let report = probe(&with_password(spec.clone(), "s3cr3t"), Duration::from_secs(10)).await.unwrap();
        assert_eq!((report.width, report.height, report.codec.as_str()), (320, 240, "h264"));
        assert!(report.response_time_ms > 0 && report.response_time_ms < 9000);
        assert!(report.fps.is_some_and(|f| (20.0..30.0).contains(&f)), "{report:?}");
        for spec in [with_password(spec.clone(), "wr0ng"), spec] {
            let e = probe(&spec, Duration::from_secs(10)).await.unwrap_err();
            assert_eq!(e.reason, Reason::Auth, "{scheme}: {e}");
            assert!(!e.message.contains("wr0ng"));
        }
        let elsewhere = SourceSpec {
            url: format!("rtsp://127.0.0.1:{}/elsewhere", camera.port).parse().unwrap(),
            ..with_password(camera.spec(Transport::Tcp), "s3cr3t")
        };
        let e = probe(&elsewhere, Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(e.reason, Reason::NotFound, "{e}");
    }
}

#[tokio::test]
async fn a_camera_that_dies_and_comes_back_is_there_within_a_second_for_the_same_reader() {
    let args = "--codec h264 --audio aac --gop 25";
    let camera = Camera::start(args).await;
    let (_hub, stream) = stream();
    let mut cursor = stream.subscribe(SubscribeOptions::view());
    let options = Options { healthy_after: Duration::from_millis(500), ..Options::default() };
    let _supervisor = supervise(Arc::clone(&stream), camera.spec(Transport::Auto), options, CancellationToken::new());
    let mut seen = Seen::default();
    seen.read(&mut cursor, Duration::from_secs(15), |s| s.of(MediaKind::Video).count() >= 25).await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let port = camera.kill().await;
    let mut status = stream.status();
    let waiting = status.wait_for(|s| matches!(s, Status::Waiting { .. }));
    timeout(Duration::from_secs(3), waiting).await.expect("the cut is noticed").unwrap();
    let killed = Instant::now();
    seen.drain(&mut cursor);
    // Long enough to be a gap.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let _camera = Camera::start(&format!("{args} --port {port}")).await;
    let back = Instant::now();
    let before = seen.units.len();
    seen.read(&mut cursor, Duration::from_secs(10), |s| s.units.last().is_some_and(|u| u.arrived > back)).await;
    let first = seen.units.iter().find(|u| u.arrived > killed + Duration::from_secs(1)).unwrap();
    let after = first.arrived.saturating_duration_since(back);
    println!("first unit {} ms after the camera listened again", after.as_millis());
    // The goal is one second; this leaves room for a busy machine and for the server's own start.
    assert!(after < Duration::from_secs(3), "{after:?}");
    seen.read(&mut cursor, Duration::from_secs(10), |s| s.units.len() > before + 100).await;
    seen.assert_monotonic();
    assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
    let gap = seen.gaps[0];
    assert_eq!(gap.cause, GapCause::SourceLost);
    // Time stays true: the hole in the timeline is as long as the outage.
    let last_before = seen.of(MediaKind::Video).filter(|u| u.arrived <= gap.from).last().unwrap();
    let first_after = seen.of(MediaKind::Video).find(|u| u.arrived >= gap.to).unwrap();
    let hole = seen.seconds(first_after) - seen.seconds(last_before);
    let outage = (gap.to - gap.from).as_secs_f64();
    assert!((hole - outage).abs() < 0.5, "a hole of {hole} s for an outage of {outage} s");
    assert_in_step(&seen);
}
