//! Recordings that outgrow their plan: the reserve grows in place, or the movie goes behind the media. In neither case
//! does anything stop, split or get lost, wherever the power goes.

use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vigie_hub::Hub;
use vigie_media::TrackId;
use vigie_media::mp4::compact::compact;
use vigie_media::mp4::session::grow::Growth;
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::mp4::tables::Write;
use vigie_record::{Finished, RecordError, Recorder, Volume};
use vigie_store::RecordingState;

use crate::bench::{Camera, Fuse, MemoryDisk, MemoryIndex, recorder, request};
use crate::fixture::{self, Fixture, frame_hashes};
use crate::session::{apply, repaired, save, top_level};

const PATH: &str = "videos/0/sess_0_1_1700000000.mp4";
/// The shortest plan there is; the camera below sends twenty times as much.
const PLAN: Plan = Plan { duration: Duration::ZERO, click_ns: None, fps: 25.0 };

#[derive(Debug)]
enum Effect {
    Op(Op),
    Insert(Growth),
}

impl Effect {
    fn apply(&self, disk: &mut Vec<u8>) {
        match self {
            Effect::Op(op) => apply(disk, op),
            Effect::Insert(Growth { at, len }) => {
                assert!(at.is_multiple_of(4096) && len.is_multiple_of(4096) && (*at as usize) < disk.len());
                disk.splice(*at as usize..*at as usize, std::iter::repeat_n(0, *len as usize));
            }
        }
    }
}

/// Everything that is done to a file while `f` is recorded, and where in it the stop begins.
fn record(f: &Fixture, inserts: bool) -> (Vec<Effect>, usize) {
    let (mut file, head) = SessionFile::create(&f.description, &f.units[0], PLAN);
    let mut effects: Vec<Effect> = head.into_iter().map(Effect::Op).collect();
    for u in &f.units[1..] {
        effects.extend(file.push(u).into_iter().map(Effect::Op));
        while let Some((growth, before)) = file.grow() {
            if !inserts {
                file.cannot_grow();
                break;
            }
            effects.extend(before.into_iter().map(Effect::Op));
            effects.push(Effect::Insert(growth));
            effects.extend(file.grown(growth).into_iter().map(Effect::Op));
        }
    }
    let stop = effects.len();
    assert_eq!(file.is_spilled(), !inserts);
    effects.extend(file.finish(None).into_iter().map(Effect::Op));
    assert_eq!(file.dropped(), 0);
    (effects, stop)
}

fn build<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> Vec<u8> {
    let mut disk = Vec::new();
    effects.into_iter().for_each(|e| e.apply(&mut disk));
    disk
}

/// The hash of each picture, without its time.
fn pictures(path: &Path) -> Vec<String> {
    let path = path.to_str().expect("a path in UTF-8");
    // Every one of them, whatever ffmpeg thinks of a rate of 500.
    let every = ["-vsync", "passthrough", "-enc_time_base", "1:90000", "-f", "framemd5", "-"];
    let lines = fixture::tool("ffmpeg", &[&["-v", "error", "-i", path, "-map", "0:v"][..], &every].concat());
    lines.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next().map(str::to_owned)).collect()
}

fn expected_pictures(f: &Fixture) -> Vec<String> {
    let once = pictures(&f.path);
    let laps = f.units.iter().filter(|u| u.track == TrackId(0)).count() / once.len();
    once.iter().cycle().take(once.len() * laps).cloned().collect()
}

/// `whole` samples are in the file, and they are those of the camera.
fn same_samples(path: &Path, f: &Fixture, whole: usize, when: &str) {
    let found = fixture::read(path);
    assert_eq!(found.units.len(), whole, "{when}");
    for t in [TrackId(0), TrackId(1)] {
        let (ours, theirs) = (found.units.iter().filter(|u| u.track == t), f.units.iter().filter(|u| u.track == t));
        assert!(ours.zip(theirs).all(|(a, b)| a.key == b.key && a.data == b.data), "{when}");
    }
}

#[test]
fn the_same_frames_come_out_in_every_state_of_a_file_that_outgrew_its_plan() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::fast(dir.path(), 12_500);
    let expected = expected_pictures(&f);
    for inserts in [true, false] {
        let (effects, stop) = record(&f, inserts);
        let growths = effects.iter().filter(|e| matches!(e, Effect::Insert(_))).count();
        assert!(if inserts { growths >= 2 } else { growths == 0 }, "{growths}");
        let recording = save(dir.path(), "recording.mp4", &build(&effects[..stop]));
        let staged = save(dir.path(), "staged.mp4", &build(&effects[..effects.len() - 2]));
        let disk = build(&effects);
        let shape = top_level(&disk);
        let whole =
            if inserts { ["ftyp", "free", "moov", "free", "mdat"] } else { ["ftyp", "free", "free", "mdat", "moov"] };
        assert_eq!(shape, whole);
        let finished = save(dir.path(), "finished.mp4", &disk);
        same_samples(&finished, &f, f.units.len(), "finished");
        // The last fragment is still in memory while it is recorded.
        let so_far = pictures(&recording);
        assert!(so_far.len() + 500 > expected.len() && so_far == expected[..so_far.len()], "{}", so_far.len());
        assert!(pictures(&staged) == expected);
        assert!(pictures(&finished) == expected);

        let smaller = compact(&mut Cursor::new(&disk)).expect("readable").expect("something to gain");
        assert_eq!(smaller.behind, !inserts);
        let from = smaller.from as usize;
        let front = [&smaller.head[..], &disk[from..from + smaller.len as usize]].concat();
        assert_eq!(top_level(&front), ["ftyp", "moov", "mdat"]);
        let front = save(dir.path(), "front.mp4", &front);
        same_samples(&front, &f, f.units.len(), "rewritten");
        assert!(pictures(&front) == expected);
        assert!(frame_hashes(&front, "0:a") == frame_hashes(&finished, "0:a"));
    }
}

#[test]
fn a_crash_between_any_two_steps_of_growing_or_finishing_keeps_everything_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    for (inserts, frames) in [(true, 8_500), (false, 12_500)] {
        let f = fixture::fast(dir.path(), frames);
        let (effects, stop) = record(&f, inserts);
        let mut disk = Vec::new();
        let (mut whole, mut checked) = (0, 0);
        for (n, effect) in effects.iter().enumerate() {
            // Around every growth, around pages between the fragments, and at the end.
            let spilled = |e: &Effect| matches!(e, Effect::Op(Op::Write(w)) if w.data[0].get(4..) == Some(b"free"));
            let near = effects[n.saturating_sub(6)..(n + 3).min(effects.len())]
                .iter()
                .any(|e| matches!(e, Effect::Insert(_)) || (spilled(e) && n % 30 == 0));
            let near = (near && n < 400) || n + 7 > effects.len() || (n > stop && n % 9 == 0);
            if near && let Effect::Op(Op::Write(w)) = effect {
                let data = w.data.concat();
                // Eight bytes within one sector are written or not.
                let half = if data.len() == 8 { 0 } else { data.len() / 2 };
                let mut torn = disk.clone();
                apply(&mut torn, &Op::Write(Write::new(w.at, data[..half].to_vec())));
                check(dir.path(), &torn, &f, whole, &format!("inserts {inserts}, effect {n} torn"));
            }
            effect.apply(&mut disk);
            if let Effect::Op(Op::Write(w)) = effect
                && w.data[0].get(4..8) == Some(b"moof")
            {
                whole += w.data.len() - 1;
            }
            if near {
                check(dir.path(), &disk, &f, whole, &format!("inserts {inserts}, after effect {n}"));
                // Not only repairable: playable, before anybody repairs it.
                if n % 7 == 0 {
                    let path = save(dir.path(), "raw.mp4", &disk);
                    let shown = pictures(&path).len();
                    assert!(shown > 7000, "inserts {inserts}, effect {n}: {shown} pictures");
                }
                checked += 1;
            }
        }
        assert!(checked > 8, "{checked}");
    }
}

fn check(dir: &Path, disk: &[u8], f: &Fixture, whole: usize, when: &str) {
    let fixed = repaired(disk).unwrap_or_else(|| panic!("{when}: {whole} samples were given up"));
    same_samples(&save(dir, "crashed.mp4", &fixed), f, whole, when);
    assert_eq!(repaired(&fixed).as_deref(), Some(&fixed[..]), "{when}: once more changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_left_by_a_crash_are_removed_and_made_again_for_what_is_finished() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::fast(dir.path(), 500);
    let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
    let mut camera = Camera::new(&hub);
    let r = recorder(dir.path(), &hub, &disk, &index);
    let done = run(&r, &mut camera, &f, 60).await.expect("finished");
    r.settled(done.id, Duration::from_secs(20)).await;
    drop(r);
    let whole = disk.bytes(PATH).expect("a file");
    for (path, bytes) in [
        ("videos/0/sess_0_1_1700000000.mp4.part", &whole[..whole.len() / 2]),
        ("videos/0/sess_9_9_1.mp4.part", &[]),
        ("videos/0/holiday.mp4.part", &[]),
    ] {
        disk.create(path).expect("a file").write_at(0, &[bytes.to_vec().into()]).expect("written");
    }
    let next = recorder(dir.path(), &hub, &disk, &index);
    assert_eq!(next.repair_all().await.expect("repaired").resumed, 1);
    next.settled(done.id, Duration::from_secs(20)).await;
    assert_eq!(disk.list("videos").expect("files"), ["videos/0/holiday.mp4.part", PATH]);
    assert!(disk.bytes(PATH).as_ref() == Some(&whole), "there was nothing to gain");
}

/// Records it all, with a plan for `seconds`.
async fn run(r: &Recorder, camera: &mut Camera, f: &Fixture, seconds: u64) -> Result<Finished, RecordError> {
    let started = tokio::spawn({
        let r = r.clone();
        async move { r.start(request(Duration::from_secs(seconds))).await }
    });
    camera.wanted().await;
    camera.start = Instant::now();
    camera.describe(f);
    camera.play(f, Duration::ZERO);
    started.await.expect("no panic")?.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_much_faster_than_measured_is_one_file_that_starts_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::fast(dir.path(), 20_000);
    let expected = expected_pictures(&f);
    for inserts in [true, false] {
        let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
        disk.inserts.store(inserts, Ordering::SeqCst);
        let mut camera = Camera::new(&hub);
        let r = recorder(dir.path(), &hub, &disk, &index);
        let done = run(&r, &mut camera, &f, 60).await.expect("finished");
        assert_eq!((done.path.as_str(), done.earlier.len(), done.error), (PATH, 0, None));
        assert_eq!(done.frames as usize, expected.len());
        let limit = Duration::from_secs(20);
        r.settled(done.id, limit).await;
        let bytes = disk.bytes(PATH).expect("a file");
        assert_eq!(top_level(&bytes), ["ftyp", "moov", "mdat"], "fast start once it is settled");
        assert!(pictures(&save(dir.path(), "out.mp4", &bytes)) == expected);
        assert_eq!(disk.files.lock().len(), 1, "no copy and no flag is left");
        let log = std::fs::read_to_string(dir.path().join("logs/sess_0_1_1700000000.ffmpeg.log")).expect("a log");
        let word = if inserts { "KiB more for the index" } else { "the index goes behind the media" };
        assert!(log.contains(word), "{log}");
        r.delete(done.id).await.expect("deleted");
        assert!(disk.files.lock().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_effect_a_file_that_outgrew_its_plan_is_put_right() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::fast(dir.path(), 14_000);
    for inserts in [true, false] {
        let (mut effects, mut resumed, mut sealed) = (20, 0, 0);
        loop {
            let (hub, disk, index) = (Hub::default(), MemoryDisk::new(), MemoryIndex::new());
            disk.inserts.store(inserts, Ordering::SeqCst);
            let fuse = Fuse::new(effects);
            let mut camera = Camera::new(&hub);
            let r = recorder(dir.path(), &hub, &disk.with_fuse(&fuse), &index.with_fuse(&fuse));
            let ended = run(&r, &mut camera, &f, 30).await;
            if let Ok(done) = &ended {
                r.settled(done.id, Duration::from_secs(20)).await;
            }
            let survived = !fuse.is_out();
            drop(r);

            let next = recorder(dir.path(), &hub, &disk, &index);
            let report = next.repair_all().await.expect("repaired");
            let rows = index.all();
            assert!(rows.iter().all(|r| r.state == RecordingState::Sealed), "{effects}: {rows:?}");
            for row in &rows {
                next.settled(row.id, Duration::from_secs(20)).await;
                let bytes = disk.bytes(PATH).expect("a file");
                // In place as it was made, or with its movie in front.
                let last = top_level(&bytes).pop();
                assert_eq!(last.as_deref(), Some("mdat"), "{effects}: the movie lies in front in the end");
                let path = save(dir.path(), "killed.mp4", &bytes);
                let found = fixture::read(&path).units.len();
                same_samples(&path, &f, found, "killed");
                let video = fixture::read(&path).units.iter().filter(|u| u.track == TrackId(0)).count();
                assert_eq!(row.frames as usize, video, "{effects}");
                sealed += 1;
            }
            resumed += report.resumed;
            assert!(disk.files.lock().keys().all(|p| !p.ends_with(".part")), "{effects}");
            if survived {
                break;
            }
            effects += if effects < 60 { 20 } else { 5 };
        }
        assert!(sealed > 10, "{sealed}");
        assert!(inserts || resumed > 0, "a rewriting that was cut off is taken up again");
    }
}
