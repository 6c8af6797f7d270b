//! Clips: of what the hub keeps, of a file that is being recorded, through crashes and full disks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vigie_base::SessionId;
use vigie_hub::{Hold, Hub};
use vigie_record::{Clip, ClipRequest, RecordError, Recorder, Recording, Volume};
use vigie_store::{RecordingKind, RecordingState};

use crate::bench::{Camera, Fuse, KEY, MemoryDisk, MemoryIndex, recorder, request};
use crate::cut::{Shown, shown};
use crate::fixture::{self, Fixture, Recipe};
use crate::session::save;

const PLAN: Duration = Duration::from_secs(600);
const CLIP: &str = "videos/0/sess_0_1_1700000000_clip1.mp4";

fn ask(length: Duration) -> ClipRequest {
    ClipRequest {
        session_id: SessionId("sess_0_1_1700000000".into()),
        stream: KEY,
        camera_name: "Court 1".into(),
        club_id: 0,
        terrain_id: None,
        user_id: None,
        length,
        not_before: None,
    }
}

/// A session that keeps the past, and a camera that has sent the whole fixture in the four seconds until now.
async fn sent(hub: &Hub, f: &Fixture) -> (Camera, Hold) {
    let mut camera = Camera::new(hub);
    let hold = camera.stream.hold_history(Duration::from_secs(30));
    // A stream's time begins with the stream: the past has to pass.
    tokio::time::sleep_until((camera.start + Duration::from_secs(4)).into()).await;
    camera.describe(f);
    camera.play(f, Duration::ZERO);
    (camera, hold)
}

/// As [`sent`], all at once: a clip of any length has everything in it.
fn sent_at_once(hub: &Hub, f: &Fixture, laps: u64) -> (Camera, Hold) {
    let mut camera = Camera::new(hub);
    let hold = camera.stream.hold_history(Duration::from_secs(120));
    camera.describe(f);
    for lap in 0..laps {
        camera.play(f, Duration::from_secs(4 * lap));
    }
    (camera, hold)
}

fn kinds(disk: &[u8]) -> Vec<String> {
    let (mut at, mut out) = (0, Vec::new());
    while at < disk.len() {
        let size = u32::from_be_bytes(disk[at..at + 4].try_into().unwrap()) as usize;
        out.push(String::from_utf8_lossy(&disk[at + 4..at + 8]).into_owned());
        at += size.max(8);
    }
    assert_eq!(at, disk.len(), "the boxes cover the file exactly");
    out
}

/// The clip's pictures, which have to be pictures of the source in a row.
fn pictures(dir: &Path, disk: &MemoryDisk, clip: &Clip, source: &[Shown]) -> Vec<Shown> {
    let bytes = disk.bytes(&clip.path).expect("a file");
    assert_eq!(bytes.len() as u64, clip.size_bytes);
    assert_eq!(kinds(&bytes), ["ftyp", "moov", "mdat"], "a plain file that starts at once");
    let path = save(dir, "clip.mp4", &bytes);
    fixture::decodes(&path);
    let frames = shown(&path, "0:v");
    let at = source.iter().position(|s| s.hash == frames[0].hash).expect("a picture of the source");
    for (a, b) in frames.iter().zip(source[at..].iter().chain(source.iter().cycle())) {
        assert_eq!(a.hash, b.hash, "{a:?}");
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_seconds_are_kept_although_nothing_is_recorded() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, Recipe { seconds: 4, ..fixture::HEVC_OPUS }] {
        let f = fixture::make(dir.path(), recipe);
        let source = shown(&f.path, "0:v");
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let _camera = sent(&hub, &f).await;
        let r = recorder(dir.path(), &hub, &disk, &index);
        let clip = r.clip(ask(Duration::from_millis(2500))).await.expect("a clip");
        assert_eq!((clip.path.as_str(), clip.of), (CLIP, None));
        let frames = pictures(dir.path(), &disk, &clip, &source);
        // The camera has sent nothing for some milliseconds, and may hold back pictures that are shown later.
        assert!((54..=64).contains(&frames.len()), "{} pictures", frames.len());
        assert!(clip.duration.as_millis().abs_diff(frames.len() as u128 * 40) <= 45, "{:?}", clip.duration);
        assert!(frames.iter().enumerate().all(|(i, s)| (s.at_ms - i as i64 * 40).abs() <= 40), "{frames:?}");
        let path = dir.path().join("clip.mp4");
        let sound = shown(&path, "0:a");
        assert!(sound[0].at_ms.abs() <= 21, "sound begins with the pictures: {:?}", sound[0]);
        let row = &index.all()[0];
        assert_eq!((row.kind, row.state, row.clip_of), (RecordingKind::Clip, RecordingState::Sealed, None));
        assert_eq!((row.mode.as_str(), row.width, row.interrupted), ("copy", None, false));
        assert_eq!(row.size_bytes as u64, clip.size_bytes);
        assert_eq!(row.duration_ms, clip.duration.as_millis() as i64);
        let ago = vigie_base::UnixMillis::from(std::time::SystemTime::now()).0 - clip.started_at.0;
        assert!((2400..6000).contains(&ago), "it began {ago} ms ago");

        // More than there is: everything from the first key frame on.
        let all = r.clip(ask(Duration::from_secs(60))).await.expect("a clip");
        assert_eq!(all.path, "videos/0/sess_0_1_1700000000_clip2.mp4");
        assert!(pictures(dir.path(), &disk, &all, &source).len() >= 96);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_the_session_is_not_shown_and_nothing_kept_is_no_clip() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let r = recorder(dir.path(), &hub, &disk, &index);
    assert!(matches!(r.clip(ask(Duration::from_secs(10))).await, Err(RecordError::StreamClosed)));
    let (camera, _hold) = sent(&hub, &f).await;
    let opened = camera.start + Duration::from_secs(3);
    let request = ClipRequest { not_before: Some(opened), ..ask(Duration::from_secs(30)) };
    let clip = r.clip(request).await.expect("a clip");
    assert!(clip.duration <= Duration::from_millis(1100), "{:?}", clip.duration);
    let now = ClipRequest { not_before: Some(Instant::now() + Duration::from_secs(1)), ..ask(Duration::from_secs(30)) };
    assert_eq!(r.clip(now).await.expect_err("nothing"), RecordError::NothingKept);
    camera.stream.clear();
    assert_eq!(r.clip(ask(Duration::from_secs(30))).await.expect_err("nothing"), RecordError::NothingKept);
    assert_eq!(index.all().len(), 1, "what came to nothing leaves no row");
}

/// Starts a recording, and plays the fixture as if it had begun `ago`.
async fn start(r: &Recorder, camera: &mut Camera, f: &Fixture) -> Arc<Recording> {
    let started = tokio::spawn({
        let r = r.clone();
        async move { r.start(request(PLAN)).await }
    });
    camera.wanted().await;
    camera.start = Instant::now();
    camera.describe(f);
    camera.play(f, Duration::ZERO);
    started.await.expect("no panic").expect("started")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_of_a_running_recording_is_cut_from_its_file_and_the_recording_does_not_notice() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let source = shown(&f.path, "0:v");
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &f).await;
    // Everybody clicks at once.
    let (a, b, c) = tokio::join!(
        r.clip(ask(Duration::from_millis(1500))),
        r.clip(ask(Duration::from_millis(1500))),
        r.clip(ask(Duration::from_secs(120))),
    );
    let (a, b, c) = (a.expect("a clip"), b.expect("a clip"), c.expect("a clip"));
    let id = recording.status().id;
    for clip in [&a, &b] {
        let frames = pictures(dir.path(), &disk, clip, &source);
        assert!((36..=39).contains(&frames.len()), "{} pictures", frames.len());
        let (of, offset) = clip.of.expect("a recording");
        assert_eq!(of, id);
        let end = offset + clip.duration;
        assert!(end > Duration::from_millis(3800) && end <= Duration::from_millis(4000), "{offset:?} {end:?}");
        let now = vigie_base::UnixMillis::from(std::time::SystemTime::now()).0;
        let begun = now - camera.start.elapsed().as_millis() as i64;
        let at = clip.started_at.0 - begun;
        assert!((at - offset.as_millis() as i64).abs() <= 150, "{at} ms after the beginning, offset {offset:?}");
    }
    assert_eq!(disk.bytes(&a.path), disk.bytes(&b.path), "the same part has the same bytes");
    assert!(pictures(dir.path(), &disk, &c, &source).len() >= 95);
    assert_eq!(c.of, Some((id, Duration::ZERO)));
    let paths: Vec<_> = index.all().into_iter().filter(|r| r.kind == RecordingKind::Clip).map(|r| r.path).collect();
    assert_eq!(paths.len(), 3);
    assert!(index.all().iter().filter(|r| r.kind == RecordingKind::Clip).all(|r| r.clip_of == Some(id)));

    let done = recording.stop().await.expect("finished");
    assert_eq!((done.frames, done.error), (100, None));
    // On a slow machine the camera has been silent for long by now, which is a gap too.
    assert!(index.rows.gaps.lock().iter().all(|g| g.cause != "overrun"), "{:?}", index.rows.gaps.lock());
    let path = save(dir.path(), "whole.mp4", &disk.bytes(&done.path).expect("a file"));
    let hashes = |all: &[Shown]| all.iter().map(|s| s.hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&shown(&path, "0:v")), hashes(&source));

    // The finished recording gives parts without a file.
    let part = r.part(done.id, Duration::from_millis(1000), Duration::from_millis(2000)).await.expect("a part");
    let mut bytes = Vec::new();
    let mut buffer = [0; 777];
    loop {
        match part.read_at(bytes.len() as u64, &mut buffer).expect("read") {
            0 => break,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    assert_eq!(bytes.len() as u64, part.length());
    let again = r.part(done.id, Duration::from_millis(1000), Duration::from_millis(2000)).await.expect("a part");
    assert_eq!((again.tag(), again.length()), (part.tag(), part.length()));
    let frames = shown(&save(dir.path(), "part.mp4", &bytes), "0:v");
    assert!((25..=26).contains(&frames.len()), "{}", frames.len());
    let beyond = r.part(done.id, Duration::from_secs(900), Duration::from_secs(901)).await;
    assert!(matches!(beyond, Err(RecordError::BeyondEnd { duration_ms }) if duration_ms > 3900));
    let none = r.part(done.id, Duration::from_secs(2), Duration::from_secs(2)).await;
    assert_eq!(none.expect_err("empty"), RecordError::EmptyPart);
    // What was planned once needs no look at the file; a deleted recording has no parts, planned or not.
    disk.remove(&done.path).expect("removed behind its back");
    let kept = r.part(done.id, Duration::from_millis(1000), Duration::from_millis(2000)).await.expect("a part");
    assert_eq!(kept.tag(), part.tag());
    assert!(r.part(done.id, Duration::from_millis(1001), Duration::from_millis(2000)).await.is_err());
    r.delete(done.id).await.expect("deleted");
    let gone = r.part(done.id, Duration::from_millis(1000), Duration::from_millis(2000)).await;
    assert_eq!(gone.expect_err("gone"), RecordError::NotFinished);
    let unknown = r.part(vigie_base::RecordingId(99), Duration::ZERO, Duration::from_secs(2)).await;
    assert_eq!(unknown.expect_err("unknown"), RecordError::NotFinished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_while_the_recording_ends_still_gets_its_clip() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let source = shown(&f.path, "0:v");
    for _ in 0..5 {
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let mut camera = Camera::new(&hub);
        let r = recorder(dir.path(), &hub, &disk, &index);
        let recording = start(&r, &mut camera, &f).await;
        let (clip, done) = tokio::join!(r.clip(ask(Duration::from_secs(2))), recording.stop());
        let (clip, done) = (clip.expect("a clip"), done.expect("finished"));
        assert_eq!(clip.of.map(|(id, _)| id), Some(done.id));
        pictures(dir.path(), &disk, &clip, &source);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_and_sound_that_files_cannot_hold_are_converted_as_in_recordings() {
    let dir = tempfile::tempdir().expect("a directory");
    for f in [fixture::jpeg_and_g711(dir.path(), 4), fixture::h264_and_g711(dir.path(), 4)] {
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let _camera = sent(&hub, &f).await;
        let r = recorder(dir.path(), &hub, &disk, &index);
        let clip = r.clip(ask(Duration::from_secs(2))).await.expect("a clip");
        let row = &index.all()[0];
        let coded = matches!(f.description.tracks[0].codec, vigie_media::Codec::Jpeg(_));
        assert_eq!(row.mode, if coded { "encode" } else { "copy" });
        assert_eq!((row.codec.as_deref(), row.audio_codec.as_deref()), (Some("h264"), Some("aac")));
        let path = save(dir.path(), "clip.mp4", &disk.bytes(&clip.path).expect("a file"));
        fixture::decodes(&path);
        let (frames, sound) = (shown(&path, "0:v"), shown(&path, "0:a"));
        assert!((42..=52).contains(&frames.len()), "{} pictures", frames.len());
        let (first, last) = (sound[0].at_ms, sound[sound.len() - 1].at_ms);
        let end = frames[frames.len() - 1].at_ms;
        assert!(first.abs() <= 25 && (last - end).abs() <= 80, "sound from {first} to {last}, pictures to {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_minutes_of_telephone_sound_all_come_out_of_the_encoder() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::h264_and_g711(dir.path(), 4);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let _camera = sent_at_once(&hub, &f, 30);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let clip = r.clip(ask(Duration::from_secs(120))).await.expect("a clip");
    assert!(clip.duration > Duration::from_secs(115), "{:?}", clip.duration);
    let path = save(dir.path(), "clip.mp4", &disk.bytes(&clip.path).expect("a file"));
    // The last seconds sound like the first ones.
    let p = path.to_str().expect("UTF-8");
    let out = std::process::Command::new("ffmpeg")
        .args(["-v", "info", "-hide_banner", "-nostats", "-ss", "112", "-t", "2", "-i", p, "-map", "0:a"])
        .args(["-af", "volumedetect", "-f", "null", "-"])
        .output()
        .expect("ffmpeg");
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let loud = text.split("max_volume: ").nth(1).and_then(|t| t.split(' ').next()).expect("a volume");
    assert!(loud.parse::<f64>().expect("a number") > -40.0, "{loud} dB");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_effect_a_clip_is_whole_or_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let source = shown(&f.path, "0:v");
    let (mut sealed, mut gone) = (0, 0);
    for effects in 0.. {
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let fuse = Fuse::new(effects);
        let _camera = sent_at_once(&hub, &f, 1);
        let r = recorder(dir.path(), &hub, &disk.with_fuse(&fuse), &index.with_fuse(&fuse));
        let outcome = r.clip(ask(Duration::from_secs(3))).await;
        assert_eq!(outcome.is_ok(), !fuse.is_out(), "{effects}: {outcome:?}");
        drop(r);
        let next = recorder(dir.path(), &hub, &disk, &index);
        next.repair_all().await.expect("repaired");
        match index.all().as_slice() {
            [] => {
                assert_eq!(disk.list("videos").expect("files"), [""; 0], "{effects}: a file without a row");
                gone += 1;
            }
            [row] => {
                assert_eq!((row.state, row.interrupted), (RecordingState::Sealed, false), "{effects}");
                let bytes = disk.bytes(&row.path).expect("a file");
                let path = save(dir.path(), "killed.mp4", &bytes);
                fixture::decodes(&path);
                let frames = shown(&path, "0:v");
                assert!(frames.len() > 60 && source.iter().any(|s| s.hash == frames[0].hash), "{effects}");
                assert!(row.frames as usize >= frames.len() && row.duration_ms > 2500, "{effects}: {row:?}");
                sealed += 1;
            }
            rows => panic!("{effects}: {rows:?}"),
        }
        assert!(next.repair_all().await.expect("repaired") == Default::default(), "{effects}: nothing is left to do");
        if !fuse.is_out() {
            break;
        }
    }
    assert!(gone >= 5 && sealed >= 2, "{gone} gone, {sealed} whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_the_clip_and_not_the_recording() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &f).await;
    r.clip(ask(Duration::from_secs(1))).await.expect("a clip");
    let rows = index.all().len();
    disk.free.store(1 << 20, Ordering::SeqCst);
    assert!(matches!(r.clip(ask(Duration::from_secs(3))).await, Err(RecordError::DiskFull { .. })));
    assert_eq!(index.all().len(), rows);
    disk.free.store(1 << 40, Ordering::SeqCst);
    // Everything of the recording is written; what is free does not hold the clip.
    disk.room.store(1000, Ordering::SeqCst);
    assert!(matches!(r.clip(ask(Duration::from_secs(3))).await, Err(RecordError::DiskFull { .. })));
    assert_eq!((index.all().len(), disk.list("videos").expect("files").len()), (rows, 2), "no half clip stays");
    disk.room.store(u64::MAX, Ordering::SeqCst);
    let done = recording.stop().await.expect("finished");
    assert_eq!((done.frames, done.error), (100, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_moves_its_media_while_it_is_read_gives_right_clips() {
    let dir = tempfile::tempdir().expect("a directory");
    // So many pictures that the tables outgrow the plan while clips are made.
    let f = fixture::fast(dir.path(), 10_000);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    disk.inserts.store(true, Ordering::SeqCst);
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let started = tokio::spawn({
        let r = r.clone();
        async move { r.start(request(Duration::from_secs(30))).await }
    });
    camera.wanted().await;
    camera.start = Instant::now();
    camera.describe(&f);
    let mut clips = Vec::new();
    let mut recording = None;
    let mut started = Some(started);
    for second in 0..20 {
        camera.play_between(&f, Duration::ZERO, Duration::from_secs(second)..Duration::from_secs(second + 1));
        if let Some(s) = started.take() {
            recording = Some(s.await.expect("no panic").expect("started"));
        }
        if second > 0 {
            clips.push(r.clip(ask(Duration::from_millis(900))).await.expect("a clip"));
        }
    }
    let done = recording.expect("a recording").stop().await.expect("finished");
    assert_eq!(done.error, None);
    let source = shown(&f.path, "0:v");
    for clip in clips.iter().step_by(3) {
        let path = save(dir.path(), "clip.mp4", &disk.bytes(&clip.path).expect("a file"));
        let frames = shown(&path, "0:v");
        assert!(frames.len() > 300, "{}", frames.len());
        assert!(frames.iter().all(|a| source.iter().any(|b| b.hash == a.hash)));
    }
}
