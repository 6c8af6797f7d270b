//! A real process that records onto a real disk and is killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_hub::Hub;
use vigie_record::{Disk, Recorder};
use vigie_store::{RecordingFilter, RecordingState, Store};

use crate::bench::{Camera, config, request};
use crate::fixture;

const FOLDER: &str = "VIGIE_TEST_CRASH_FOLDER";

async fn open(dir: &Path, hub: &Hub) -> (Recorder, Store) {
    let store = Store::open(dir).await.expect("a store");
    let disk = Disk::new(dir.join("media")).expect("a folder");
    let recorder = Recorder::new(config(dir), hub.clone(), Arc::new(disk), Arc::new(store.clone())).expect("threads");
    (recorder, store)
}

/// The process that gets killed: records in real time until then.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, as a process of its own"]
async fn child() {
    let Ok(dir) = std::env::var(FOLDER) else { return };
    let dir = Path::new(&dir);
    let f = fixture::read(&dir.join("reference-320x180.mp4"));
    let hub = Hub::default();
    let (recorder, store) = open(dir, &hub).await;
    // Rows refer to their camera and session.
    crate::bench::seed(&store).await;
    let mut camera = Camera::new(&hub);
    camera.describe(&f);
    let recording = tokio::spawn(async move { recorder.start(request(Duration::from_secs(600))).await });
    camera.wanted().await;
    camera.start = Instant::now();
    let mut shown = Duration::ZERO;
    loop {
        let next = shown + Duration::from_millis(40);
        let lap = Duration::from_secs(4) * (shown.as_millis() / 4000) as u32;
        camera.play_between(&f, lap, shown - lap..next - lap);
        shown = next;
        tokio::time::sleep_until((camera.start + shown).into()).await;
        assert!(shown < Duration::from_secs(60), "nobody killed this process");
        if recording.is_finished() && shown > Duration::from_secs(50) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_at_most_a_second() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let exe = std::env::current_exe().expect("this test");
    let mut child = Command::new(exe)
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(FOLDER, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");

    // Until about two seconds of media are on the disk.
    let media: u64 = f.units.iter().map(|u| u.data.len() as u64).sum();
    let path = dir.path().join("media/videos/0/sess_0_1_1700000000.mp4");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut begun: Option<(u64, Instant)> = None;
    loop {
        assert!(Instant::now() < deadline, "the child wrote nothing");
        assert!(child.try_wait().expect("a child").is_none(), "the child ended by itself");
        if let Ok(m) = std::fs::metadata(&path) {
            let (reserve, _) = *begun.get_or_insert((m.len(), Instant::now()));
            if m.len() > reserve + media / 2 {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let recorded_for = begun.expect("begun").1.elapsed();
    child.kill().expect("killed");
    child.wait().expect("gone");

    let (recorder, store) = open(dir.path(), &Hub::default()).await;
    let report = recorder.repair_all().await.expect("repaired");
    assert_eq!((report.repaired, report.failed), (1, 0));
    fixture::decodes(&path);
    let rows = store.recordings(&RecordingFilter::default()).await.expect("rows");
    assert_eq!((rows.len(), rows[0].state, rows[0].interrupted), (1, RecordingState::Sealed, true));
    let row = &rows[0];
    assert_eq!((row.codec.as_deref(), row.audio_codec.as_deref()), (Some("h264"), Some("aac")));
    assert_eq!((row.width, row.height), (Some(320), Some(180)));
    let kept = Duration::from_millis(rows[0].duration_ms as u64);
    assert!(kept + Duration::from_millis(1200) > recorded_for, "{kept:?} of {recorded_for:?}");
    let found = fixture::read(&path);
    assert_eq!(found.units.iter().filter(|u| u.track.0 == 0).count() as i64, rows[0].frames);
    // Nothing is left to repair the next time.
    assert_eq!(recorder.repair_all().await.expect("repaired").repaired, 0);
}

/// The process that gets killed while its file outgrows its plan.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, as a process of its own"]
async fn fast_child() {
    let Ok(dir) = std::env::var(FOLDER) else { return };
    let dir = Path::new(&dir);
    let f = fixture::fast(dir, FAST);
    let hub = Hub::default();
    let (recorder, store) = open(dir, &hub).await;
    crate::bench::seed(&store).await;
    let mut camera = Camera::new(&hub);
    camera.describe(&f);
    let recording = tokio::spawn(async move { recorder.start(request(Duration::from_secs(60))).await });
    camera.wanted().await;
    camera.start = Instant::now();
    camera.play(&f, Duration::ZERO);
    let _recording = recording.await.expect("no panic").expect("started");
    tokio::time::sleep(Duration::from_secs(60)).await;
    panic!("nobody killed this process");
}

/// Pictures that [`fast_child`] records, within 40 seconds of media.
const FAST: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_the_reserve_grows_on_a_real_disk_loses_nothing_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let exe = std::env::current_exe().expect("this test");
    let mut child = Command::new(exe)
        .args(["--exact", "crash::fast_child", "--ignored", "--nocapture"])
        .env(FOLDER, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    // The line is written right after the space was inserted, or refused by this file system.
    let log = dir.path().join("logs/sess_0_1_1700000000.ffmpeg.log");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("more pictures than planned")) {
        assert!(Instant::now() < deadline, "its plan was never too small");
        assert!(child.try_wait().expect("a child").is_none(), "the child ended by itself");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().expect("killed");
    child.wait().expect("gone");

    let (recorder, store) = open(dir.path(), &Hub::default()).await;
    let report = recorder.repair_all().await.expect("repaired");
    assert_eq!((report.repaired, report.failed), (1, 0));
    let row = store.recordings(&RecordingFilter::default()).await.expect("rows").remove(0);
    recorder.settled(row.id, Duration::from_secs(30)).await;
    assert_eq!((row.state, row.interrupted), (RecordingState::Sealed, true));
    // Everything up to the moment when the plan was used up.
    assert!(row.frames > 7000, "{}", row.frames);
    let path = dir.path().join("media/videos/0/sess_0_1_1700000000.mp4");
    let pictures = fixture::tool(
        "ffprobe",
        &[
            "-v",
            "error",
            "-count_frames",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
            path.to_str().expect("UTF-8"),
        ],
    );
    assert_eq!(pictures.trim().trim_end_matches(',').parse(), Ok(row.frames));
}
