//! Pictures that are encoded: by a real x264, by the built-in encoder, and by encoders that misbehave.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_hub::Hub;
use vigie_media::TrackId;
use vigie_record::{Config, EncoderChoice, Encoding, Finished, RecordError, Recorder, Recording, VideoMode};

use crate::bench::{Camera, KEY, MemoryDisk, MemoryIndex, config, request};
use crate::fixture::{self, Fixture};
use crate::session::save;

struct House {
    dir: tempfile::TempDir,
    disk: MemoryDisk,
    index: MemoryIndex,
    camera: Camera,
    recorder: Recorder,
}

const NO_FFMPEG: &str = "/nonexistent/ffmpeg";

impl House {
    fn new(change: impl FnOnce(&Path, &mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let mut limits = config(dir.path());
        limits.first_picture = Duration::from_secs(20);
        change(dir.path(), &mut limits);
        let camera = Camera::new(&hub);
        let recorder = Recorder::new(limits, hub, Arc::new(disk.clone()), Arc::new(index.clone())).expect("threads");
        Self { dir, disk, index, camera, recorder }
    }

    /// With an `ffmpeg` that runs this for our pictures, and is a real one for everything else.
    fn with_wrapper(script: &str) -> Self {
        let text =
            format!("#!/bin/sh\ncase \"$*\" in *'-video_size 320x180'*)\n{script}\n;; esac\nexec ffmpeg \"$@\"\n");
        Self::new(|dir, c| c.ffmpeg = wrapper(dir, &text))
    }

    async fn start(&mut self, f: &Fixture, mode: Option<VideoMode>) -> Result<Arc<Recording>, RecordError> {
        let r = self.recorder.clone();
        let request = vigie_record::Request { mode, ..request(Duration::from_secs(600)) };
        // Tried out beforehand, as a server does when it starts.
        self.recorder.encoder().await;
        let started = tokio::spawn(async move { r.start(request).await });
        self.camera.wanted().await;
        self.camera.start = Instant::now();
        self.camera.describe(f);
        self.camera.play(f, Duration::ZERO);
        started.await.expect("no panic")
    }

    async fn record(&mut self, f: &Fixture, mode: Option<VideoMode>) -> Finished {
        let started = self.start(f, mode).await;
        started.unwrap_or_else(|e| panic!("{e}: {}", self.log())).stop().await.expect("finished")
    }

    fn file(&self, done: &Finished) -> PathBuf {
        let path = save(self.dir.path(), "out.mp4", &self.disk.bytes(&done.path).expect("a file"));
        fixture::decodes(&path);
        path
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("logs/sess_0_1_1700000000.ffmpeg.log")).expect("a log")
    }
}

fn wrapper(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("wrapper");
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

fn mjpeg(h: &House, seconds: u32) -> Fixture {
    fixture::jpeg_and_g711(h.dir.path(), seconds)
}

/// Codec, rate, number of frames and duration of the pictures, and the duration of the sound.
fn facts(path: &Path) -> (String, String, usize, f64, f64) {
    let p = path.to_str().expect("UTF-8");
    let show = |stream: &str, entries: &str| {
        let args =
            ["-v", "error", "-count_frames", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", p];
        fixture::tool("ffprobe", &args).trim().to_owned()
    };
    let video = show("v", "stream=codec_name,avg_frame_rate,duration,nb_read_frames");
    let v: Vec<&str> = video.split(',').collect();
    let sound = show("a", "stream=duration");
    (
        v[0].into(),
        v[1].into(),
        v[3].parse().expect("frames"),
        v[2].parse().expect("seconds"),
        sound.parse().unwrap_or(0.0),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn mjpeg_becomes_x264_with_the_parameters_of_the_contract() {
    let mut h = House::new(|_, _| {});
    let f = mjpeg(&h, 4);
    let state = h.recorder.encoder().await;
    assert_eq!((state.name, state.available, state.why), ("libx264", true, None));
    let done = h.record(&f, None).await;
    assert_eq!((done.frames, done.error.clone(), done.earlier.len()), (100, None, 0));
    assert_eq!(h.index.all()[0].mode, "encode");
    let path = h.file(&done);
    let (codec, rate, frames, pictures, sound) = facts(&path);
    assert_eq!((codec.as_str(), rate.as_str(), frames), ("h264", "25/1", 100));
    assert!((pictures - 4.0).abs() < 0.05 && (pictures - sound).abs() <= 0.08, "{pictures} s and {sound} s");
    let bytes = std::fs::read(&path).expect("a file");
    let text = String::from_utf8_lossy(&bytes);
    for expected in ["x264 - core", "rc=crf", "crf=23.0", "subme=2"] {
        assert!(text.contains(expected), "{expected} is missing");
    }
    assert!(h.log().contains("-c:v libx264 -preset veryfast -crf 23"), "{}", h.log());
    assert!(h.index.rows.gaps.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parameters_are_those_that_were_configured() {
    let mut h = House::new(|_, c| {
        let preset = vigie_codec::ffmpeg::x264::Preset::Ultrafast;
        c.encoding = Encoding { fps: 10, crf: 35, preset, ..Encoding::default() };
    });
    let f = mjpeg(&h, 3);
    let done = h.record(&f, None).await;
    let path = h.file(&done);
    let (_, rate, frames, pictures, _) = facts(&path);
    // The last picture is nearest to the frame at three seconds.
    assert_eq!((rate.as_str(), frames), ("10/1", 31));
    assert!((pictures - 3.1).abs() < 0.01, "{pictures}");
    let bytes = std::fs::read(&path).expect("a file");
    assert!(String::from_utf8_lossy(&bytes).contains("crf=35.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ffmpeg_the_built_in_encoder_does_it_unless_x264_was_demanded() {
    let mut h = House::new(|_, c| c.ffmpeg = NO_FFMPEG.into());
    let f = mjpeg(&h, 2);
    let state = h.recorder.encoder().await;
    assert_eq!((state.name, state.available), ("openh264", true));
    assert!(state.why.expect("a reason").contains("not installed"));
    let done = h.record(&f, None).await;
    let (codec, rate, frames, ..) = facts(&h.file(&done));
    assert_eq!((codec.as_str(), rate.as_str(), frames), ("h264", "25/1", 50));
    assert!(h.log().contains("openh264 (built in)"), "{}", h.log());

    let mut h = House::new(|_, c| {
        c.ffmpeg = NO_FFMPEG.into();
        c.encoding.encoder = EncoderChoice::Libx264;
    });
    let state = h.recorder.encoder().await;
    assert_eq!((state.name, state.available), ("libx264", false));
    let refused = h.start(&f, None).await.expect_err("no encoder");
    assert_eq!(refused.code(), "encoder_unavailable");
    assert!(refused.to_string().contains("not installed"), "{refused}");
    let estimate = h.recorder.estimate(KEY, Duration::from_secs(60), None).await.expect("an estimate");
    assert_eq!((estimate.mode, estimate.encoder_available, estimate.measured), ("encode", false, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_cannot_be_copied_is_refused_with_the_way_out() {
    let mut h = House::new(|_, _| {});
    let f = mjpeg(&h, 1);
    let refused = h.start(&f, Some(VideoMode::Copy)).await.expect_err("MJPEG is no MP4");
    assert_eq!(refused.code(), "invalid_field");
    assert!(refused.to_string().contains("`encode`"), "{refused}");
    // H.264 is copied unless somebody asks.
    let mut h = House::new(|_, _| {});
    let f = fixture::make(h.dir.path(), fixture::B_FRAMES_AAC);
    let done = h.record(&f, None).await;
    assert_eq!((h.index.all()[0].mode.as_str(), done.frames), ("copy", 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn coded_pictures_are_encoded_anew_when_asked() {
    for (ffmpeg, recipe) in
        [("ffmpeg", fixture::B_FRAMES_AAC), ("ffmpeg", fixture::HEVC_OPUS), (NO_FFMPEG, fixture::B_FRAMES_AAC)]
    {
        let mut h = House::new(|_, c| c.ffmpeg = ffmpeg.into());
        let f = fixture::make(h.dir.path(), recipe);
        let done = h.record(&f, Some(VideoMode::Encode)).await;
        assert_eq!((h.index.all()[0].mode.as_str(), done.error.clone()), ("encode", None), "{ffmpeg}");
        let path = h.file(&done);
        let (codec, rate, frames, pictures, sound) = facts(&path);
        let expected = recipe.seconds as usize * 25;
        assert_eq!((codec.as_str(), rate.as_str()), ("h264", "25/1"));
        assert!(frames.abs_diff(expected) <= 2, "{ffmpeg}: {frames} of {expected}");
        assert!((pictures - sound).abs() <= 0.16, "{ffmpeg}: {pictures} s and {sound} s");
        // The same pictures: little is lost at this rate factor.
        if ffmpeg != NO_FFMPEG {
            let p = path.to_str().expect("UTF-8");
            let args = [
                "-hide_banner",
                "-nostats",
                "-i",
                p,
                "-i",
                f.path.to_str().expect("UTF-8"),
                "-lavfi",
                "psnr",
                "-f",
                "null",
                "-",
            ];
            let out = std::process::Command::new("ffmpeg").args(args).output().expect("ffmpeg");
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            let average = text.split("average:").nth(1).and_then(|t| t.split(' ').next()).expect("a figure");
            assert!(average == "inf" || average.parse::<f64>().expect("dB") > 28.0, "{average} dB");
        }
    }
    let mut h = House::new(|_, c| c.ffmpeg = NO_FFMPEG.into());
    let f = fixture::make(h.dir.path(), fixture::HEVC_OPUS);
    let refused = h.start(&f, Some(VideoMode::Encode)).await.expect_err("nobody decodes H.265 here");
    assert_eq!(refused.code(), "encoder_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_does_not_end_delays_nothing() {
    let mut h = House::with_wrapper("trap '' INT\nffmpeg \"$@\"\nsleep 20\nexit 0");
    let f = mjpeg(&h, 2);
    let recording = h.start(&f, None).await.expect("started");
    let clock = Instant::now();
    let done = recording.stop().await.expect("finished");
    assert!(clock.elapsed() < Duration::from_secs(9), "{:?}", clock.elapsed());
    assert_eq!((done.frames, done.error.clone()), (50, None));
    assert_eq!(facts(&h.file(&done)).2, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_dies_once_leaves_a_gap_and_is_started_again() {
    // It gets 20 of our pictures the first time.
    let mut h =
        House::with_wrapper("if mkdir \"$0.once\" 2>/dev/null; then head -c 1728000 | ffmpeg \"$@\"; exit 1; fi");
    let f = mjpeg(&h, 4);
    let done = h.record(&f, None).await;
    assert_eq!((done.error.clone(), done.earlier.len()), (None, 0));
    let gaps = h.index.rows.gaps.lock().clone();
    assert_eq!(gaps.iter().map(|g| g.cause.as_str()).collect::<Vec<_>>(), ["encoder"]);
    assert!((740..=900).contains(&gaps[0].offset_ms), "{:?}", gaps[0]);
    let path = h.file(&done);
    let (_, _, frames, pictures, sound) = facts(&path);
    assert!((60..100).contains(&frames), "{frames}");
    assert!((pictures - 4.0).abs() < 0.05 && (pictures - sound).abs() <= 0.08, "{pictures} s and {sound} s");
    assert!(h.log().contains("the encoder failed") && h.log().matches("encoder: ").count() >= 2, "{}", h.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_always_dies_is_replaced_by_the_built_in_one() {
    let mut h = House::with_wrapper("echo 'out of luck' >&2; exit 1");
    let f = mjpeg(&h, 4);
    let done = h.record(&f, None).await;
    assert_eq!(done.error.clone(), None);
    let (codec, _, frames, ..) = facts(&h.file(&done));
    assert!(codec == "h264" && frames > 50, "{codec}, {frames}");
    let log = h.log();
    assert!(log.contains("out of luck") && log.contains("openh264 (built in)"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_is_too_slow_leaves_gaps_with_its_name_and_bounded_memory() {
    // Ten of our pictures a second get through.
    let slow = "{ while :; do n=$(head -c 86400 | tee /dev/fd/3 | wc -c); [ \"$n\" -gt 0 ] || break; sleep 0.1; done; } \
                3>&1 | ffmpeg \"$@\"; exit 0";
    let mut h = House::with_wrapper(slow);
    let f = mjpeg(&h, 30);
    let limit = f.units.iter().filter(|u| u.track == TrackId(0)).take(10).map(|u| u.data.len()).sum();
    let (hub, disk, index) = (Hub::default(), h.disk.clone(), h.index.clone());
    let mut limits = config(h.dir.path());
    (limits.ffmpeg, limits.lag_bytes) = (h.dir.path().join("wrapper"), limit);
    limits.first_picture = Duration::from_secs(20);
    h.camera = Camera::new(&hub);
    h.recorder = Recorder::new(limits, hub, Arc::new(disk), Arc::new(index)).expect("threads");
    h.recorder.encoder().await;
    let r = h.recorder.clone();
    let started = tokio::spawn(async move { r.start(request(Duration::from_secs(600))).await });
    h.camera.wanted().await;
    h.camera.start = Instant::now();
    h.camera.describe(&f);
    let step = Duration::from_millis(40);
    // On until the encoder, however slow its start, has been too slow for some seconds.
    let (mut n, mut enough) = (0, 750);
    while n < enough {
        h.camera.play_between(&f, Duration::ZERO, step * n..step * (n + 1));
        n += 1;
        tokio::time::sleep_until((h.camera.start + step * n).into()).await;
        if started.is_finished() {
            enough = enough.min(n.max(25) + 125);
        }
    }
    let played = (step * n).as_secs_f64();
    let recording = started.await.expect("no panic").expect("started");
    let clock = Instant::now();
    let done = recording.stop().await.expect("finished");
    assert!(clock.elapsed() < Duration::from_secs(60), "{:?}", clock.elapsed());
    let gaps = h.index.rows.gaps.lock().clone();
    // While the encoder gives out what it still has, the camera sends no more: that silence is not the encoder's.
    let last = (played * 1000.0) as i64 - 500;
    let holes: Vec<_> = gaps.iter().filter(|g| g.offset_ms < last).collect();
    assert!(!holes.is_empty() && holes.iter().all(|g| g.cause == "encoder"), "{gaps:?}");
    assert!(recording.status().gaps as usize == gaps.len());
    // The timeline is true to the camera's, with the last picture before each hole held.
    let (_, _, frames, pictures, _) = facts(&h.file(&done));
    assert!(pictures > played - 1.5 && frames > 20, "{frames} in {pictures} s of {played}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_camera_is_gone_frames_go_on_and_then_say_so() {
    let mut h = House::new(|_, c| c.encoding.encoder = EncoderChoice::Openh264);
    let f = mjpeg(&h, 1);
    let recording = h.start(&f, None).await.expect("started");
    let began = h.camera.start;
    // The last picture is held for two seconds; frames are made up a second after their time.
    while began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let running = recording.status().frames;
    assert!((85..=105).contains(&running), "a constant rate: {running} after five seconds");
    let done = recording.stop().await.expect("finished");
    let path = h.file(&done);
    let (_, rate, frames, pictures, _) = facts(&path);
    assert_eq!(rate, "25/1");
    assert!((pictures - 5.0).abs() < 0.5 && (frames as f64 / 25.0 - pictures).abs() < 0.1, "{frames} in {pictures} s");
    let hashes = fixture::frame_hashes(&path, "0:v");
    let hash = |n: usize| hashes[n].rsplit(',').next().map(str::to_owned);
    // The slate does not move, and is not the last picture.
    assert_eq!(hash(hashes.len() - 1), hash(hashes.len() - 10));
    assert_ne!(hash(hashes.len() - 1), hash(30));
    assert_eq!(fixture::read(&path).units.iter().filter(|u| u.track == TrackId(0)).count(), frames);
}
