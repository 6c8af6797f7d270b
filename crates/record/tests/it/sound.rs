//! G.711 in the file: AAC by a real ffmpeg, at the right time, whatever happens to the camera or to ffmpeg.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_hub::Hub;
use vigie_media::TrackId;
use vigie_record::{Recorder, Recording};

use crate::bench::{Camera, MemoryDisk, MemoryIndex, config, request};
use crate::fixture::{self, Fixture};
use crate::session::save;

struct House {
    dir: tempfile::TempDir,
    fixture: Fixture,
    disk: MemoryDisk,
    index: MemoryIndex,
    camera: Camera,
    recorder: Recorder,
}

impl House {
    fn new(seconds: u32, ffmpeg: impl Fn(&Path) -> std::path::PathBuf) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let fixture = fixture::h264_and_g711(dir.path(), seconds);
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let mut limits = config(dir.path());
        limits.ffmpeg = ffmpeg(dir.path());
        let camera = Camera::new(&hub);
        let recorder = Recorder::new(limits, hub, Arc::new(disk.clone()), Arc::new(index.clone())).expect("threads");
        Self { dir, fixture, disk, index, camera, recorder }
    }

    async fn start(&mut self) -> Arc<Recording> {
        let r = self.recorder.clone();
        let started = tokio::spawn(async move { r.start(request(Duration::from_secs(600))).await });
        self.camera.wanted().await;
        self.camera.start = Instant::now();
        self.camera.describe(&self.fixture);
        self.camera.play(&self.fixture, Duration::ZERO);
        started.await.expect("no panic").expect("started")
    }

    fn file(&self, name: &str, path: &str) -> std::path::PathBuf {
        let path = save(self.dir.path(), name, &self.disk.bytes(path).expect("a file"));
        fixture::decodes(&path);
        path
    }
}

/// Codec, sampling rate and duration of each stream.
fn streams(path: &Path) -> Vec<(String, f64)> {
    let p = path.to_str().expect("UTF-8");
    let show = ["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0", p];
    let text = fixture::tool("ffprobe", &show);
    let fields = text.lines().filter_map(|l| l.split_once(','));
    fields.map(|(name, d)| (name.to_owned(), d.trim().parse().expect("a duration"))).collect()
}

/// Root mean square of 440 Hz and of everything, between two instants of the decoded sound.
fn energy(path: &Path, from: f64, to: f64) -> (f64, f64) {
    let (ss, t) = (from.to_string(), (to - from).to_string());
    let p = path.to_str().expect("UTF-8");
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-i", p, "-ss", &ss, "-t", &t, "-map", "0:a", "-ac", "1", "-ar", "8000"])
        .args(["-f", "s16le", "-"])
        .output()
        .expect("ffmpeg");
    let samples: Vec<f64> = out.stdout.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]]))).collect();
    let n = samples.len() as f64;
    assert!((n / 8000.0 - (to - from)).abs() < 0.05, "{n} samples between {from} and {to}");
    let turn = std::f64::consts::TAU * 440.0 / 8000.0;
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (i, s) in samples.iter().enumerate() {
        re += s * (turn * i as f64).cos();
        im += s * (turn * i as f64).sin();
        all += s * s;
    }
    ((2.0 * (re * re + im * im)).sqrt() / n, (all / n).sqrt())
}

#[tokio::test(flavor = "multi_thread")]
async fn telephone_sound_becomes_aac_of_the_same_length_with_the_same_tone() {
    let mut h = House::new(4, |_| "ffmpeg".into());
    let done = h.start().await.stop().await.expect("finished");
    assert_eq!((done.frames, done.error, done.earlier.len()), (100, None, 0));
    let row = &h.index.all()[0];
    assert_eq!((row.audio_codec.as_deref(), row.mode.as_str()), (Some("aac"), "copy"));
    let path = h.file("aac.mp4", &done.path);
    let s = streams(&path);
    assert_eq!((s[0].0.as_str(), s[1].0.as_str()), ("h264", "aac"));
    assert!((s[0].1 - s[1].1).abs() <= 0.08, "pictures last {}, sound {}", s[0].1, s[1].1);
    // ffmpeg's sine has an eighth of full scale.
    let (tone, all) = energy(&path, 0.1, 3.9);
    assert!((2000.0..4000.0).contains(&tone) && tone > all * 0.95, "{tone} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_converted_sound_is_where_the_pictures_are() {
    let mut h = House::new(4, |_| "ffmpeg".into());
    let recording = h.start().await;
    // The camera was gone from second 4 to second 11.
    h.camera.reconnect();
    h.camera.describe(&h.fixture);
    h.camera.play(&h.fixture, Duration::from_secs(11));
    let done = recording.stop().await.expect("finished");
    let path = h.file("cut.mp4", &done.path);
    let out = fixture::read(&path);
    let ends: Vec<f64> = [(TrackId(0), 90_000.0), (TrackId(1), 48_000.0)]
        .iter()
        .map(|(t, rate)| {
            out.units.iter().filter(|u| u.track == *t).map(|u| u.pts).max().expect("units").0 as f64 / rate
        })
        .collect();
    assert!((ends[0] - ends[1]).abs() <= 0.08, "pictures end at {}, sound at {}", ends[0], ends[1]);
    assert!(energy(&path, 2.0, 3.0).0 > 2000.0);
    assert!(energy(&path, 5.0, 10.0).1 < 100.0, "silence while the camera was away");
    assert!(energy(&path, 11.1, 14.5).0 > 2000.0);
    // The tone is back with the pictures, not before or after.
    assert!(energy(&path, 10.7, 10.92).1 < 300.0 && energy(&path, 11.06, 11.2).0 > 1500.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_inside_the_encoder_belongs_to_the_part_that_it_was_heard_in() {
    let mut h = House::new(4, |_| "ffmpeg".into());
    let recording = h.start().await;
    // The camera changes its codec: another file begins.
    let mut next = fixture::make(h.dir.path(), fixture::Recipe { audio: &[], ..fixture::HEVC_OPUS });
    next.description.tracks.push(h.fixture.description.tracks[1].clone());
    next.units.extend(h.fixture.units.iter().filter(|u| u.track == TrackId(1) && u.pts.0 < 16_000).cloned());
    let rate = |t: TrackId| next.description.tracks[usize::from(t.0)].clock_rate;
    next.units.sort_by_key(|u| (u.dts.nanos(rate(u.track)), u.track.0));
    h.camera.describe(&next);
    h.camera.play(&next, Duration::from_secs(4));
    let done = recording.stop().await.expect("finished");
    assert_eq!(done.earlier.len(), 1);
    for (name, path, length) in
        [("first.mp4", done.earlier[0].1.as_str(), 4.0), ("second.mp4", done.path.as_str(), 2.0)]
    {
        let path = h.file(name, path);
        let s = streams(&path);
        assert_eq!(s[1].0, "aac");
        assert!((s[0].1 - s[1].1).abs() <= 0.08, "{name}: pictures last {}, sound {}", s[0].1, s[1].1);
        assert!(energy(&path, 0.1, length - 0.1).0 > 2000.0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ffmpeg_that_dies_costs_sound_and_nothing_else() {
    // Tells what it can do as the real one does, and dies at the first samples.
    let mut h = House::new(2, |dir| {
        let path = dir.join("ffmpeg");
        let script = "#!/bin/sh\ncase \"$*\" in *s16le*) head -c 1000 >/dev/null; exit 1;; esac\nexec ffmpeg \"$@\"\n";
        std::fs::write(&path, script).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        path
    });
    let recording = h.start().await;
    let done = recording.stop().await.expect("finished");
    assert_eq!((done.frames, done.error, done.earlier.len()), (50, None, 0));
    let path = h.file("mute.mp4", &done.path);
    assert_eq!(fixture::frame_hashes(&path, "0:v").len(), 50);
    assert_eq!(streams(&path)[0].0, "h264");
}
