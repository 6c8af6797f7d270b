//! Whole recordings: hub in, file and row out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vigie_hub::Hub;
use vigie_media::TrackId;
use vigie_record::{Ended, Finished, RecordError, Recorder, Recording, Volume};
use vigie_store::RecordingState;

use crate::bench::{Camera, Fuse, MemoryDisk, MemoryIndex, recorder, request};
use crate::fixture::{self, Fixture, Recipe};
use crate::session::save;

const PATH: &str = "videos/0/sess_0_1_1700000000.mp4";
const PLAN: Duration = Duration::from_secs(600);

/// Starts a recording, and plays the fixture as soon as it is wanted.
async fn start(r: &Recorder, camera: &mut Camera, f: &Fixture) -> Result<Arc<Recording>, RecordError> {
    let started = tokio::spawn({
        let r = r.clone();
        async move { r.start(request(PLAN)).await }
    });
    camera.wanted().await;
    // The first picture is taken after the click.
    camera.start = Instant::now();
    camera.describe(f);
    camera.play(f, Duration::ZERO);
    started.await.expect("no panic")
}

fn pictures(path: &Path) -> Vec<String> {
    let lines = fixture::frame_hashes(path, "0:v");
    lines.iter().filter_map(|l| l.rsplit(',').next().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_camera_sent_is_what_plays() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &f).await.expect("started");
    assert!(matches!(r.start(request(PLAN)).await, Err(RecordError::AlreadyRecording)));

    let clock = Instant::now();
    let done = recording.stop().await.expect("finished");
    assert!(clock.elapsed() < Duration::from_secs(2));
    assert_eq!((done.path.as_str(), done.ended, done.frames), (PATH, Ended::Stopped, 100));
    assert_eq!(recording.stop().await.as_ref(), Ok(&done), "a second stop gives the same answer");

    let path = save(dir.path(), "out.mp4", &disk.bytes(PATH).expect("a file"));
    fixture::decodes(&path);
    assert_eq!(pictures(&path), pictures(&f.path));
    let row = &index.all()[0];
    assert_eq!((row.state, row.frames, row.interrupted), (RecordingState::Sealed, 100, false));
    assert_eq!((row.codec.as_deref(), row.audio_codec.as_deref()), (Some("h264"), Some("aac")));
    // The sound of the fixture ends a frame and a half after its pictures.
    assert!((3995..=4045).contains(&row.duration_ms), "{}", row.duration_ms);

    // Another recording of the same session is another file; deleting takes file and row.
    let again = start(&r, &mut camera, &f).await.expect("started").stop().await.expect("finished");
    assert_eq!(again.path, "videos/0/sess_0_1_1700000000_2.mp4");
    r.delete(done.id).await.expect("deleted");
    assert!(disk.bytes(PATH).is_none());
    assert_eq!(index.all().len(), 1);
    let log = std::fs::read_to_string(dir.path().join("logs/sess_0_1_1700000000.ffmpeg.log")).expect("a log");
    assert!(log.contains("end: Stopped, 100 frames"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_effect_the_next_start_puts_everything_right() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let mut sealed = 0;
    for effects in 0.. {
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        let fuse = Fuse::new(effects);
        let mut camera = Camera::new(&hub);
        let r = recorder(dir.path(), &hub, &disk.with_fuse(&fuse), &index.with_fuse(&fuse));
        if let Ok(recording) = start(&r, &mut camera, &f).await
            && let Ok(Finished { id, .. }) = recording.stop().await
        {
            // Deleting is part of what may be interrupted, but then there is nothing left to look at.
            if effects % 2 == 0 {
                let _ = r.delete(id).await;
            }
        }
        let survived = !fuse.is_out();
        drop(r);

        let before: usize = disk.bytes(PATH).map_or(0, |d| whole_samples(&d));
        let next = recorder(dir.path(), &hub, &disk, &index);
        next.repair_all().await.expect("repaired");
        for row in index.all() {
            assert!(matches!(row.state, RecordingState::Sealed | RecordingState::Failed), "{effects}: {:?}", row.state);
            if row.state == RecordingState::Failed {
                assert_eq!(before, 0, "{effects}: {before} samples were given up: {:?}", row.error);
                continue;
            }
            let path = save(dir.path(), "killed.mp4", &disk.bytes(PATH).expect("a file"));
            let found = fixture::read(&path);
            let video = found.units.iter().filter(|u| u.track == TrackId(0)).count();
            assert_eq!(row.frames as usize, video, "{effects}");
            assert!(found.units.len() >= before, "{effects}: {} of {before}", found.units.len());
            for t in [TrackId(0), TrackId(1)] {
                let expected = f.units.iter().filter(|u| u.track == t);
                for (a, b) in found.units.iter().filter(|u| u.track == t).zip(expected) {
                    assert_eq!(a.data, b.data, "{effects}");
                }
            }
            sealed += 1;
            if effects % 5 == 0 {
                fixture::decodes(&path);
            }
        }
        // No file without a row.
        if index.all().is_empty() {
            assert_eq!((before, disk.bytes(PATH)), (0, None), "{effects}");
        }
        if survived {
            assert!(effects > 20 && sealed > 10, "{effects} effects, {sealed} sealed");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_rows_are_removed_only_when_nothing_is_in_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let done = start(&r, &mut camera, &f).await.expect("started").stop().await.expect("finished");
    drop(r);
    let whole = disk.bytes(&done.path).expect("a file");
    // Empty, blank; whole but unknown, something else, one whose head is lost, and other names.
    let put = |path: &str, bytes: &[u8]| {
        disk.create(path).expect("a file").write_at(0, &[bytes.to_vec().into()]).expect("written");
    };
    let kept = [
        "videos/0/sess_7_1.mp4",
        "videos/0/sess_7_2.mp4",
        "videos/0/sess_7_4.mp4",
        "videos/0/holiday.mp4",
        "videos/0/sess_7_3.mp4.txt",
    ];
    put("videos/0/sess_8_1.mp4", &[]);
    put("videos/3/sess_8_2-part2.mp4", &[0; 70_000]);
    put(kept[0], &whole);
    put(kept[1], b"something that is no video");
    put(kept[2], &[&[0; 4096], &whole[4096..]].concat());
    put(kept[3], &[]);
    put(kept[4], &[]);
    let report = recorder(dir.path(), &hub, &disk, &index).repair_all().await.expect("repaired");
    assert_eq!((report.cleared, report.repaired, report.failed), (2, 0, 0));
    let mut left: Vec<String> = disk.list("videos").expect("files");
    left.sort();
    let mut expected: Vec<&str> = kept.into_iter().chain([done.path.as_str()]).collect();
    expected.sort();
    assert_eq!(left, expected);
}

/// Samples in whole fragments of a growing file, counted without our own reader; 0 for any other file.
fn whole_samples(disk: &[u8]) -> usize {
    let mut found = 0;
    let mut at = 0;
    let word = |at: usize| disk.get(at..at + 4).map(|b| u32::from_be_bytes(b.try_into().unwrap()) as usize);
    let mut moof: Option<usize> = None;
    while let (Some(size), Some(kind)) = (word(at), disk.get(at + 4..at + 8)) {
        if size < 8 || at + size > disk.len() {
            break;
        }
        if kind == b"moof" {
            let body = &disk[at..at + size];
            let truns = body.windows(4).enumerate().filter(|(_, w)| w == b"trun");
            moof = Some(truns.filter_map(|(i, _)| word(at + i + 8)).sum());
        } else if kind == b"mdat" {
            found += moof.take().unwrap_or(0);
        }
        at += size;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_leaves_a_gap_row_and_sound_stays_with_the_pictures() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &f).await.expect("started");
    // The camera was gone from second 4 to second 11.
    camera.reconnect();
    camera.describe(&f);
    camera.play(&f, Duration::from_secs(11));
    let done = recording.stop().await.expect("finished");

    let gaps = index.rows.gaps.lock().clone();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].cause, "source_lost");
    let length = gaps[0].to.expect("over").since_ms(gaps[0].from);
    assert!((6900..=7200).contains(&length), "{length}");
    assert_eq!(recording.status().gaps, 1);

    let path = save(dir.path(), "gap.mp4", &disk.bytes(&done.path).expect("a file"));
    fixture::decodes(&path);
    let out = fixture::read(&path);
    let ends: Vec<f64> = [(TrackId(0), 90_000.0), (TrackId(1), 48_000.0)]
        .iter()
        .map(|(t, rate)| {
            let of: Vec<_> = out.units.iter().filter(|u| u.track == *t).collect();
            (of.last().expect("units").dts - of[0].dts) as f64 / rate
        })
        .collect();
    assert!((ends[0] - ends[1]).abs() <= 0.08, "pictures end at {}, sound at {}", ends[0], ends[1]);
    assert!((14.8..15.1).contains(&ends[0]), "the timeline is true to wall time: {}", ends[0]);
    // No sample of sound is long: players that count samples instead of reading times stay right.
    let sound: Vec<_> = out.units.iter().filter(|u| u.track == TrackId(1)).collect();
    assert!(sound.windows(2).all(|w| (1..=2048).contains(&(w[1].dts - w[0].dts))));
    // The last second of sound stands where the last second of pictures stands.
    let tone = |at: &str| {
        let p = path.to_str().expect("a path in UTF-8");
        let args = ["-v", "info", "-hide_banner", "-nostats", "-ss", at, "-t", "0.5", "-i", p];
        let out = std::process::Command::new("ffmpeg")
            .args(args)
            .args(["-map", "0:a", "-af", "volumedetect", "-f", "null", "-"])
            .output()
            .expect("ffmpeg");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        let value = text.split("max_volume: ").nth(1).and_then(|t| t.split(' ').next()).expect("a volume").to_owned();
        value.parse::<f64>().expect("a number")
    };
    assert!(tone("2") > -40.0 && tone("7") < -80.0 && tone("13") > -40.0, "{} {} {}", tone("2"), tone("7"), tone("13"));
}

const LARGER: Recipe = Recipe { size: "640x360", ..fixture::B_FRAMES_AAC };

#[tokio::test(flavor = "multi_thread")]
async fn another_picture_size_goes_on_in_the_same_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let (small, large) = (fixture::make(dir.path(), fixture::B_FRAMES_AAC), fixture::make(dir.path(), LARGER));
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &small).await.expect("started");
    camera.describe(&large);
    camera.play(&large, Duration::from_secs(4));
    camera.describe(&small);
    camera.play(&small, Duration::from_secs(8));
    let done = recording.stop().await.expect("finished");
    assert_eq!((done.frames, done.earlier.len()), (300, 0));
    let path = save(dir.path(), "sizes.mp4", &disk.bytes(&done.path).expect("a file"));
    fixture::decodes(&path);
    assert_eq!(fixture::read(&path).units.iter().filter(|u| u.track == TrackId(0)).count(), 300);
    let sizes = fixture::tool(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "frame=width",
            "-of",
            "csv=p=0",
            path.to_str().unwrap(),
        ],
    );
    // (Frames with side data take two lines.)
    let widths: Vec<&str> = sizes.lines().map(|l| l.trim_end_matches(',')).filter(|l| !l.is_empty()).collect();
    assert_eq!((widths.len(), widths[10], widths[150], widths[290]), (300, "320", "640", "320"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_codec_goes_on_in_a_second_part() {
    let dir = tempfile::tempdir().expect("a directory");
    let (avc, hevc) = (fixture::make(dir.path(), LARGER), fixture::make(dir.path(), fixture::HEVC_OPUS));
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &avc).await.expect("started");
    camera.describe(&hevc);
    camera.play(&hevc, Duration::from_secs(4));
    let done = recording.stop().await.expect("finished");
    assert_eq!(done.earlier.iter().map(|e| e.1.as_str()).collect::<Vec<_>>(), [PATH]);
    assert_eq!((done.path.as_str(), done.frames), ("videos/0/sess_0_1_1700000000-part2.mp4", 150));
    for (name, reference) in [(PATH, &avc), (done.path.as_str(), &hevc)] {
        let path = save(dir.path(), "part.mp4", &disk.bytes(name).expect("a file"));
        fixture::decodes(&path);
        assert_eq!(pictures(&path), pictures(&reference.path));
    }
    assert!(index.all().iter().all(|r| r.state == RecordingState::Sealed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_it_loudly_with_everything_before() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    disk.free.store(100 << 20, Ordering::SeqCst);
    assert!(matches!(r.start(request(PLAN)).await, Err(RecordError::DiskFull { free_mb: 100, needed_mb: 512 })));
    disk.free.store(1 << 40, Ordering::SeqCst);

    // Room for the reserve and about half of the media.
    let media: usize = f.units.iter().map(|u| u.data.len()).sum();
    let reserve = 16u64 << 20;
    disk.room.store(reserve + media as u64 / 2, Ordering::SeqCst);
    let recording = start(&r, &mut camera, &f).await.expect("started");
    let size = disk.bytes(PATH).expect("a file").len() as u64;
    assert!(size < reserve + media as u64, "{size}");
    disk.room.fetch_min(media as u64 / 2, Ordering::SeqCst);
    camera.play(&f, Duration::from_secs(4));
    let done = recording.wait().await.expect("what was before is kept");
    assert_eq!((done.ended, done.error.as_ref().map(RecordError::code)), (Ended::Broken, Some("disk_full")));
    assert!(done.frames > 10 && done.frames < 200, "{}", done.frames);
    let path = save(dir.path(), "full.mp4", &disk.bytes(&done.path).expect("a file"));
    fixture::decodes(&path);
    assert_eq!(index.all()[0].state, RecordingState::Sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_never_papered_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let recording = start(&r, &mut camera, &f).await.expect("started");
    disk.sync_fails.store(true, Ordering::SeqCst);
    // Noticed by the sync of each second, without anybody asking.
    camera.play(&f, Duration::from_secs(4));
    let end = recording.wait().await;
    assert!(matches!(&end, Err(RecordError::Disk(why)) if why.contains("syncing")), "{end:?}");
    disk.sync_fails.store(false, Ordering::SeqCst);
    assert_eq!(index.all()[0].state, RecordingState::Failed);
    assert!(recording.status().error.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_by_itself_on_time_and_hides_what_was_before_the_click() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    // The click comes 0.6 s after the key frame that the recording has to begin with.
    let click = Duration::from_millis(600);
    camera.describe(&f);
    camera.play_between(&f, Duration::ZERO, Duration::ZERO..click);
    let r = recorder(dir.path(), &hub, &disk, &index);
    tokio::time::sleep_until((camera.start + click).into()).await;
    let recording = r.start(request(Duration::from_secs(2))).await.expect("started");
    camera.play_between(&f, Duration::ZERO, click..Duration::MAX);
    let done = recording.wait().await.expect("finished");
    assert_eq!(done.ended, Ended::Elapsed);
    let path = save(dir.path(), "timed.mp4", &disk.bytes(&done.path).expect("a file"));
    fixture::decodes(&path);
    let duration = fixture::tool(
        "ffprobe",
        &["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path.to_str().unwrap()],
    );
    let seconds: f64 = duration.trim().parse().expect("a number");
    assert!((seconds - 2.0).abs() <= 0.002, "{seconds} s instead of 2 s");
    // The pictures from before the click are there, but not shown.
    assert!((62..=70).contains(&done.frames), "{}", done.frames);
    assert!((1999..=2001).contains(&index.all()[0].duration_ms), "{}", index.all()[0].duration_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_never_sends_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut config = crate::bench::config(dir.path());
    config.first_picture = Duration::from_millis(50);
    let r = Recorder::new(config, hub, Arc::new(disk.clone()), Arc::new(index.clone())).expect("threads");
    assert!(matches!(r.start(request(PLAN)).await, Err(RecordError::SourceDown(_))));
    assert!(r.active().is_empty() && index.all().is_empty() && disk.files.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_take_of_a_long_plan_becomes_a_small_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let done = start(&r, &mut camera, &f).await.expect("started").stop().await.expect("finished");
    let media: usize = f.units.iter().map(|u| u.data.len()).sum();
    let deadline = Instant::now() + Duration::from_secs(5);
    let small = loop {
        let bytes = disk.bytes(&done.path).expect("a file");
        if bytes.len() < media * 2 {
            break bytes;
        }
        assert!(Instant::now() < deadline, "still {} bytes for {media} bytes of media", bytes.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let path = save(dir.path(), "small.mp4", &small);
    fixture::decodes(&path);
    assert_eq!(pictures(&path), pictures(&f.path));
    assert_eq!(fixture::frame_hashes(&path, "0:a").len(), fixture::frame_hashes(&f.path, "0:a").len() + 1);
    assert_eq!(disk.files.lock().len(), 1, "no copy is left beside it");
}

#[tokio::test(flavor = "multi_thread")]
async fn jpeg_pictures_and_telephone_sound_become_what_every_player_plays() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::jpeg_and_g711(dir.path(), 2);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    // Without ffmpeg, sound becomes Opus.
    let mut config = crate::bench::config(dir.path());
    config.ffmpeg = "/nonexistent/ffmpeg".into();
    let r = Recorder::new(config, hub.clone(), Arc::new(disk.clone()), Arc::new(index.clone())).expect("threads");
    let recording = start(&r, &mut camera, &f).await.expect("started");
    let done = recording.stop().await.expect("finished");
    assert_eq!((done.frames, recording.status().mode), (50, "encode"));
    let row = &index.all()[0];
    assert_eq!((row.codec.as_deref(), row.audio_codec.as_deref()), (Some("h264"), Some("opus")));
    let path = save(dir.path(), "converted.mp4", &disk.bytes(&done.path).expect("a file"));
    fixture::decodes(&path);
    assert_eq!(pictures(&path).len(), 50);
    let show = ["-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0", path.to_str().unwrap()];
    let streams = fixture::tool("ffprobe", &show);
    let durations: Vec<f64> = streams.lines().filter_map(|l| l.split(',').nth(1)?.parse().ok()).collect();
    assert!(streams.starts_with("h264,") && streams.contains("opus,"), "{streams}");
    assert!(durations.iter().all(|d| (1.9..=2.1).contains(d)), "{streams}");
}
