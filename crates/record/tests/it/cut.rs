//! Parts of recordings, decoded by ffmpeg and compared with what they were cut from.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_media::mp4::compact::compact;
use vigie_media::mp4::cut::{Cut, CutError, Place, cut, cut_growing};
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::{AccessUnit, MediaKind, MediaTime};

use crate::fixture::{self, Fixture, Recipe};
use crate::session::{PLAN, apply, record, save};

/// The bytes of the new file.
pub(crate) fn assemble(cut: &Cut, old: &[u8]) -> Vec<u8> {
    let mut new = Vec::new();
    while let Some(place) = cut.at(new.len() as u64) {
        match place {
            Place::Head(bytes) => new.extend_from_slice(bytes),
            Place::Source { at, len } => new.extend_from_slice(&old[at as usize..(at + len) as usize]),
        }
    }
    assert_eq!(new.len() as u64, cut.length, "the length that is promised");
    new
}

/// A frame that is shown: when, in milliseconds, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) at_ms: i64,
    pub(crate) hash: String,
}

/// The frames of a track as a player shows them.
pub(crate) fn shown(path: &Path, map: &str) -> Vec<Shown> {
    let p = path.to_str().expect("UTF-8");
    let out = fixture::tool(
        "ffmpeg",
        &["-v", "error", "-i", p, "-map", map, "-fps_mode", "passthrough", "-f", "framemd5", "-"],
    );
    let base = out.lines().find_map(|l| l.strip_prefix("#tb 0: ")).expect("a time base");
    let (n, d) = base.split_once('/').expect("a fraction");
    let (n, d): (i64, i64) = (n.trim().parse().expect("a number"), d.trim().parse().expect("a number"));
    let frame = |l: &str| {
        let fields: Vec<&str> = l.split(',').map(str::trim).collect();
        let pts: i64 = fields[2].parse().expect("a time");
        Shown { at_ms: (pts * n * 1000 + d / 2) / d, hash: fields[5].to_owned() }
    };
    out.lines().filter(|l| !l.starts_with('#')).map(frame).collect()
}

fn finished(f: &Fixture) -> Vec<u8> {
    let mut disk = Vec::new();
    record(f, PLAN).0.iter().for_each(|op| apply(&mut disk, op));
    disk
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Cuts, saves and checks that ffmpeg has nothing to complain of.
fn cut_to(dir: &Path, disk: &[u8], from: Duration, to: Duration) -> (Cut, PathBuf) {
    let c = cut(&mut Cursor::new(disk), from, to).expect("a part");
    let path = save(dir, &format!("cut-{}-{}.mp4", from.as_millis(), to.as_millis()), &assemble(&c, disk));
    fixture::decodes(&path);
    (c, path)
}

/// The pictures of the cut are those of the whole between the two times, at their times, and no others.
fn same_pictures(whole: &[Shown], part: &Path, c: &Cut, to: Duration) {
    let from = c.start.as_millis() as i64;
    let expected: Vec<Shown> = whole
        .iter()
        .filter(|s| s.at_ms >= from && s.at_ms < to.as_millis() as i64)
        .map(|s| Shown { at_ms: s.at_ms - from, hash: s.hash.clone() })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(shown(part, "0:v"), expected);
}

#[test]
fn the_first_picture_is_the_asked_one_and_all_are_those_of_the_recording() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, Recipe { seconds: 4, ..fixture::HEVC_OPUS }] {
        let f = fixture::make(dir.path(), recipe);
        let disk = finished(&f);
        let whole = shown(&save(dir.path(), "whole.mp4", &disk), "0:v");
        assert_eq!(whole.len(), 100);
        // Key frames lie a second apart: on one, right after, right before, in between, first and last instants.
        for (from, to) in
            [(0, 4000), (0, 40), (1000, 2000), (1040, 1080), (960, 2520), (1480, 3000), (2520, 3999), (3960, 4000)]
        {
            let (c, path) = cut_to(dir.path(), &disk, ms(from), ms(to));
            assert_eq!(c.start, ms(from), "the picture at {from}");
            same_pictures(&whole, &path, &c, ms(to));
            let played = c.duration.as_millis() as u64;
            assert!(played.abs_diff(to - from) <= 45, "{from}-{to} plays {played} ms");
        }
        // Between two pictures, the one that is being shown; a hair before one, that one.
        for (from, first) in
            [(ms(1499), ms(1480)), (Duration::from_nanos(1_479_999_999), ms(1480)), (ms(3985), ms(3960))]
        {
            assert_eq!(cut(&mut Cursor::new(&disk), from, ms(4000)).expect("a part").start, first, "{from:?}");
        }
    }
}

#[test]
fn sound_and_pictures_stay_together() {
    let dir = tempfile::tempdir().expect("a directory");
    // A flash and a beep at every full second.
    let path = dir.path().join("beeps.mp4");
    let picture = "color=black:s=160x120:r=25,drawbox=color=white:t=fill:enable='lt(mod(t,1),0.04)'";
    let beep = "aevalsrc='if(lt(mod(t,1),0.04),sin(2*PI*1000*t),0)':s=48000";
    let p = path.to_str().expect("UTF-8");
    for sound in [&["-c:a", "aac", "-b:a", "128k"][..], &["-c:a", "libopus"]] {
        let mut args = vec!["-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", beep, "-t", "8"];
        args.extend([
            "-pix_fmt",
            "yuv420p",
            "-video_track_timescale",
            "90000",
            "-c:v",
            "libx264",
            "-bf",
            "2",
            "-g",
            "50",
        ]);
        args.extend_from_slice(sound);
        args.extend(["-strict", "-2", p]);
        fixture::tool("ffmpeg", &args);
        let mut f = fixture::read(&path);
        drop_priming(&mut f);
        let disk = finished(&f);
        let reference = beeps(&save(dir.path(), "whole.mp4", &disk));
        assert!(reference.len() >= 7, "{reference:?}");
        let late = reference[1] - 1000;
        for (from, to) in [(0, 8000), (2480, 5480), (3720, 7000), (4960, 6500)] {
            let (c, part) = cut_to(dir.path(), &disk, ms(from), ms(to));
            let heard = beeps(&part);
            let first_second = (from as i64).div_euclid(1000) * 1000 + if from % 1000 > 40 { 1000 } else { 0 };
            let seconds: Vec<i64> = (0..)
                .map(|n| first_second + n * 1000)
                .take_while(|s| *s + 40 < to as i64)
                .map(|s| s - c.start.as_millis() as i64)
                .collect();
            assert_eq!(heard.len(), seconds.len(), "{from}: {heard:?} {seconds:?}");
            for (h, s) in heard.iter().zip(&seconds) {
                assert!(
                    (h - s - late).abs() <= 20,
                    "{from}: a beep at {h} ms, its flash at {s} ms, {late} ms late before"
                );
            }
        }
        // A recording that begins between two pictures: its first one is shown for what is left of it.
        let click = Plan { click_ns: Some(1_020_000_000), ..PLAN };
        let mut disk = Vec::new();
        record(&f, click).0.iter().for_each(|op| apply(&mut disk, op));
        let (c, part) = cut_to(dir.path(), &disk, ms(0), ms(4000));
        assert_eq!(c.start, ms(0));
        let heard = beeps(&part);
        let whole: Vec<i64> = heard.into_iter().filter(|h| *h > 300).collect();
        assert!(whole.len() >= 3, "{whole:?}");
        for h in whole {
            let off = (h - late - 980 + 500).rem_euclid(1000) - 500;
            assert!(off.abs() <= 20, "a beep at {h} ms, {off} ms from its flash");
        }
    }
}

/// ffmpeg hides the priming of its encoders by an edit list, which a camera has not: it is cut off here.
fn drop_priming(f: &mut Fixture) {
    let first = f.units.iter().find(|u| u.track.0 == 0).expect("pictures").pts.nanos(90_000);
    f.units.retain(|u| u.track.0 == 0 || u.pts.nanos(48_000) >= first);
}

/// When it becomes loud, in milliseconds.
fn beeps(path: &Path) -> Vec<i64> {
    let p = path.to_str().expect("UTF-8");
    let out = std::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            p,
            "-map",
            "0:a",
            "-af",
            "aresample=async=1:first_pts=0",
            "-ac",
            "1",
            "-ar",
            "8000",
            "-f",
            "s16le",
            "-",
        ])
        .output()
        .expect("ffmpeg");
    let samples: Vec<i16> = out.stdout.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let mut all: Vec<i64> = Vec::new();
    for (i, s) in samples.iter().enumerate() {
        let at = i as i64 / 8;
        if s.unsigned_abs() > 8000 && all.last().is_none_or(|last| at - last > 300) {
            all.push(at);
        }
    }
    all
}

#[test]
fn a_part_has_the_same_bytes_every_time_and_after_the_file_was_made_smaller() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let disk = finished(&f);
    let c = cut(&mut Cursor::new(&disk), ms(1480), ms(3000)).expect("a part");
    let bytes = assemble(&c, &disk);
    let plan = compact(&mut Cursor::new(&disk)).expect("readable").expect("smaller");
    let mut small = plan.head.clone();
    small.extend_from_slice(&disk[plan.from as usize..(plan.from + plan.len) as usize]);
    let again = cut(&mut Cursor::new(&small), ms(1480), ms(3000)).expect("a part");
    assert_eq!(assemble(&again, &small), bytes);
    // Any range of it is the same bytes, too.
    for at in [0, 1, 31, c.head.len() - 1, c.head.len(), c.head.len() + 1, bytes.len() - 1] {
        let (first, place) = (bytes[at], c.at(at as u64).expect("inside"));
        let found = match place {
            Place::Head(b) => b[0],
            Place::Source { at, .. } => disk[at as usize],
        };
        assert_eq!(found, first, "byte {at}");
    }
    assert!(c.at(c.length).is_none() && c.at(u64::MAX).is_none());
    // A part of a part is a file of ours as well.
    let (inner, path) = cut_to(dir.path(), &bytes, ms(500), ms(1000));
    assert_eq!((inner.start, shown(&path, "0:v").len()), (ms(480), 13));
}

#[test]
fn what_makes_no_sense_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), Recipe { seconds: 1, ..fixture::B_FRAMES_AAC });
    let disk = finished(&f);
    let ask = |from, to| cut(&mut Cursor::new(&disk), ms(from), ms(to));
    assert!(matches!(ask(500, 500), Err(CutError::EmptyRange)));
    assert!(matches!(ask(600, 500), Err(CutError::EmptyRange)));
    assert!(
        matches!(ask(5000, 6000), Err(CutError::BeyondEnd { duration }) if duration >= ms(1000) && duration < ms(1100))
    );
    assert!(matches!(ask(u64::MAX / 2, u64::MAX), Err(CutError::BeyondEnd { .. })));
    // The end may lie behind the end: players round.
    assert_eq!(ask(0, 1_000_000).expect("all of it").frames, 25);
    let (ops, stop) = record(&f, PLAN);
    let mut growing = Vec::new();
    ops[..stop].iter().for_each(|op| apply(&mut growing, op));
    assert!(matches!(cut(&mut Cursor::new(&growing), ms(0), ms(500)), Err(CutError::Unfinished)));
    assert!(cut(&mut Cursor::new(b"not a movie at all, but long enough"), ms(0), ms(500)).is_err());
}

/// `units`, with those from `at` on `by` later.
fn later(f: &Fixture, at: Duration, by: Duration) -> Vec<AccessUnit> {
    let rate = |u: &AccessUnit| f.description.tracks[usize::from(u.track.0)].clock_rate;
    let border = at.as_nanos() as i64;
    f.units
        .iter()
        .map(|u| {
            let by = MediaTime::from_duration(by, rate(u)).0;
            // Pictures that are decoded before the border belong before it.
            let moved =
                if u.dts.nanos(rate(u)) >= border - 80_000_000 && (u.pts.nanos(rate(u)) >= border) { by } else { 0 };
            AccessUnit { pts: u.pts + moved, dts: u.dts + moved, ..u.clone() }
        })
        .collect()
}

#[test]
fn a_hole_keeps_its_length_and_a_part_may_begin_and_end_inside_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let recipe = Recipe {
        video: &[
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-bf",
            "2",
            "-x264-params",
            "keyint=25:scenecut=0:open-gop=0",
        ],
        ..fixture::B_FRAMES_AAC
    };
    let mut f = fixture::make(dir.path(), recipe);
    // The camera is gone from 2 s to 12 s.
    f.units = later(&f, ms(2000), ms(10_000));
    let disk = finished(&f);
    let whole = shown(&save(dir.path(), "whole.mp4", &disk), "0:v");
    assert_eq!(whole.len(), 100);
    // Across it.
    let (c, path) = cut_to(dir.path(), &disk, ms(1480), ms(13_000));
    same_pictures(&whole, &path, &c, ms(13_000));
    assert!(c.duration.abs_diff(ms(11_520)) < ms(45), "{:?}", c.duration);
    // It begins inside: the picture that stood still is shown for what is left of the hole.
    let (c, path) = cut_to(dir.path(), &disk, ms(7000), ms(13_000));
    assert!(c.start.abs_diff(ms(7000)) <= ms(1) && c.duration.abs_diff(ms(6000)) < ms(45), "{c:?}");
    let frames = shown(&path, "0:v");
    let still = whole.iter().rfind(|s| s.at_ms < 3000).expect("the last before the hole");
    assert_eq!((frames[0].at_ms, &frames[0].hash), (0, &still.hash));
    assert_eq!(frames.len(), 26);
    assert!((frames[1].at_ms - 5000).abs() <= 2, "{:?}", frames[1]);
    // It ends inside.
    let (c, path) = cut_to(dir.path(), &disk, ms(1000), ms(6000));
    same_pictures(&whole, &path, &c, ms(6000));
    assert!(c.duration.abs_diff(ms(5000)) < ms(45), "{:?}", c.duration);
    // It lies in it.
    let (c, path) = cut_to(dir.path(), &disk, ms(5000), ms(6000));
    assert_eq!(shown(&path, "0:v").len(), 1);
    assert!(c.duration.abs_diff(ms(1000)) <= ms(25), "{:?}", c.duration);
}

/// Two streams of the same codec with other parameters, one after the other, in one file.
fn two_sizes(dir: &Path) -> (Vec<u8>, Vec<Shown>) {
    let first = fixture::make(dir, fixture::B_FRAMES_AAC);
    let second = fixture::make(dir, Recipe { size: "160x96", ..fixture::B_FRAMES_AAC });
    let (mut file, mut ops) = SessionFile::create(&first.description, &first.units[0], PLAN);
    first.units[1..].iter().for_each(|u| ops.extend(file.push(u)));
    ops.extend(file.describe(&second.description).expect("the same codec"));
    let end = |u: &&AccessUnit| u.track.0 == 0;
    let last = first.units.iter().filter(end).map(|u| u.pts.0).max().expect("pictures") + 3600;
    for u in &second.units {
        let rate = second.description.tracks[usize::from(u.track.0)].clock_rate;
        let by = MediaTime(last).rescale(90_000, rate).0;
        ops.extend(file.push(&AccessUnit { pts: u.pts + by, dts: u.dts + by, ..u.clone() }));
    }
    ops.extend(file.finish(None));
    let mut disk = Vec::new();
    ops.iter().for_each(|op| apply(&mut disk, op));
    let reference = [&first, &second].into_iter().flat_map(|f| shown(&f.path, "0:v")).collect();
    (disk, reference)
}

#[test]
fn parameters_that_change_inside_come_along_and_those_that_are_not_used_do_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, reference) = two_sizes(dir.path());
    assert_eq!(reference.len(), 200);
    // Behind the change only the second size is there, first and alone.
    let (c, path) = cut_to(dir.path(), &disk, ms(5480), ms(7000));
    assert_eq!(c.video, Some(("h264", 160, 96)));
    assert_eq!(fixture::read_entries(&path).len(), 2);
    let hashes = |s: &[Shown]| s.iter().map(|s| s.hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&shown(&path, "0:v")), hashes(&reference[137..175]));
    // Before it, only the first.
    let (c, path) = cut_to(dir.path(), &disk, ms(480), ms(2000));
    assert_eq!(c.video, Some(("h264", 320, 180)));
    assert_eq!(hashes(&shown(&path, "0:v")), hashes(&reference[12..50]));
    // Across it, both: ffmpeg scales to the first, so that only the number tells.
    let (c, path) = cut_to(dir.path(), &disk, ms(3480), ms(4520));
    assert_eq!(c.video, Some(("h264", 320, 180)));
    let both = shown(&path, "0:v");
    assert_eq!(both.len(), 26);
    assert_eq!(hashes(&both[..13]), hashes(&reference[87..100]));
}

#[test]
fn the_newest_part_of_a_growing_file_is_cut_while_it_grows() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, Recipe { seconds: 4, ..fixture::HEVC_OPUS }] {
        let f = fixture::make(dir.path(), recipe);
        let reference = shown(&f.path, "0:v");
        let (mut file, ops) =
            SessionFile::create(&f.description, &f.units[0], Plan { click_ns: Some(500_000_000), ..PLAN });
        let mut disk = Vec::new();
        let run = |disk: &mut Vec<u8>, ops: Vec<Op>| ops.iter().for_each(|op| apply(disk, op));
        run(&mut disk, ops);
        for u in &f.units[1..] {
            run(&mut disk, file.push(u));
        }
        run(&mut disk, file.flush());
        let recent = file.recent();
        let c = cut_growing(&mut Cursor::new(&disk), &recent, ms(1500)).expect("a part");
        let path = save(dir.path(), "tail.mp4", &assemble(&c, &disk));
        fixture::decodes(&path);
        let frames = shown(&path, "0:v");
        // The last picture is still waiting for its duration, those of its group may be.
        assert!((36..=39).contains(&frames.len()), "{}", frames.len());
        let at = reference.iter().position(|r| r.hash == frames[0].hash).expect("a picture of the source");
        for (a, b) in frames.iter().zip(&reference[at..]) {
            assert_eq!(a.hash, b.hash);
        }
        assert!(c.duration.abs_diff(ms(1500)) <= ms(45), "{:?}", c.duration);
        // More than there is: from the click on, not from the key frame before it.
        let all = cut_growing(&mut Cursor::new(&disk), &recent, ms(60_000)).expect("a part");
        assert!(all.start < ms(40), "{:?}", all.start);
        assert!(all.duration < ms(3560), "{:?}", all.duration);
        // The file is finished while its snapshot is still being used.
        run(&mut disk, file.finish(None));
        let after = cut_growing(&mut Cursor::new(&disk), &recent, ms(1500)).expect("a part");
        assert!(after.duration.abs_diff(ms(1500)) <= ms(45));
    }
}

#[test]
fn an_old_index_without_its_key_frame_begins_at_the_next_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (mut file, ops) = SessionFile::create(&f.description, &f.units[0], PLAN);
    let mut disk = Vec::new();
    ops.iter().for_each(|op| apply(&mut disk, op));
    for u in &f.units[1..] {
        file.push(u).iter().for_each(|op| apply(&mut disk, op));
    }
    file.flush().iter().for_each(|op| apply(&mut disk, op));
    let recent = file.recent();
    let cut_off = recent.iter().skip(1).position(|f| !f.key).map(|n| n + 1);
    let Some(n) = cut_off else { return };
    let c = cut_growing(&mut Cursor::new(&disk), &recent[n..], ms(60_000)).expect("a part");
    let path = save(dir.path(), "later.mp4", &assemble(&c, &disk));
    fixture::decodes(&path);
    assert!(c.start >= ms(960), "{:?}", c.start);
}

/// Reads count what they are asked for.
struct Counted<'a>(Cursor<&'a [u8]>, u64);

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(buf)?;
        self.1 += n as u64;
        Ok(n)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn media_is_not_read_to_plan_a_part() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), Recipe { size: "640x360", ..fixture::B_FRAMES_AAC });
    let disk = finished(&f);
    let media: usize = f.units.iter().map(|u| u.data.len()).sum();
    let mut file = Counted(Cursor::new(&disk), 0);
    cut(&mut file, ms(1480), ms(3000)).expect("a part");
    assert!(file.1 < 16 << 10, "{} bytes were read; the file has {media} of media", file.1);
}

#[test]
fn a_damaged_file_is_an_answer_and_never_a_panic_or_a_lie_about_its_length() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), Recipe { seconds: 1, ..fixture::B_FRAMES_AAC });
    let plan = Plan { duration: Duration::ZERO, ..PLAN };
    let mut disk = Vec::new();
    record(&f, plan).0.iter().for_each(|op| apply(&mut disk, op));
    let small = compact(&mut Cursor::new(&disk)).expect("readable").expect("smaller");
    let head = small.head.len();
    let mut good = small.head;
    good.extend_from_slice(&disk[small.from as usize..(small.from + small.len) as usize]);
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    let mut answers = BTreeSet::new();
    for _ in 0..3000 {
        let mut bad = good.clone();
        for _ in 0..=next() % 3 {
            bad[next() % head] = [0, 0xff, 0x7f, 0x80, next() as u8][next() % 5];
        }
        if next() % 8 == 0 {
            bad.truncate(next() % bad.len());
        }
        match cut(&mut Cursor::new(&bad), ms((next() % 1200) as u64), ms((next() % 1200) as u64)) {
            Ok(c) => {
                assert!(c.pieces.iter().all(|p| p.at + p.len <= bad.len() as u64), "inside the file");
                let sum: u64 = c.pieces.iter().map(|p| p.len).sum();
                assert_eq!(c.head.len() as u64 + sum, c.length);
                answers.insert("a part");
            }
            Err(CutError::Damaged(what)) => {
                answers.insert(what);
            }
            Err(_) => {}
        }
    }
    assert!(answers.len() > 8 && answers.contains("a part"), "{answers:?}");
}

#[test]
fn sound_alone_is_cut_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    f.description.tracks.remove(0);
    f.description.tracks[0].id = vigie_media::TrackId(0);
    f.units.retain(|u| u.track.0 == 1);
    f.units.iter_mut().for_each(|u| u.track = vigie_media::TrackId(0));
    assert!(f.description.tracks.iter().all(|t| t.kind() == MediaKind::Audio));
    let disk = finished(&f);
    let (c, _) = cut_to(dir.path(), &disk, ms(1234), ms(2345));
    assert_eq!((c.start, c.frames, c.video), (ms(1234), 0, None));
    assert!(c.duration.abs_diff(ms(1111)) <= ms(1), "{:?}", c.duration);
}
