//! The session file in every state of its life, read by ffmpeg and by a reader that is not ours.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vigie_media::mp4::repair::{self, Verdict};
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::{MediaKind, TrackId};

use crate::fixture::{self, Fixture, Recipe, frame_hashes};

pub(crate) const PLAN: Plan = Plan { duration: Duration::from_secs(60), click_ns: None, fps: 25.0 };

pub(crate) fn apply(disk: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Write(w) => {
            let mut at = w.at as usize;
            for piece in &w.data {
                if disk.len() < at + piece.len() {
                    disk.resize(at + piece.len(), 0);
                }
                disk[at..at + piece.len()].copy_from_slice(piece);
                at += piece.len();
            }
        }
        Op::Truncate(len) => disk.truncate(*len as usize),
        Op::Copy { from, to, len } => {
            let copied = disk[*from as usize..(from + len) as usize].to_vec();
            apply(disk, &Op::Write(vigie_media::mp4::tables::Write::new(*to, copied)));
        }
        Op::Add { at, count, by } => {
            for entry in disk[*at as usize..].chunks_exact_mut(8).take(*count as usize) {
                let n = u64::from_be_bytes(entry.try_into().expect("eight bytes")) + by;
                entry.copy_from_slice(&n.to_be_bytes());
            }
        }
        Op::Sync => {}
    }
}

/// Everything that is done to a file while `f` is recorded, and where in it the stop begins.
pub(crate) fn record(f: &Fixture, plan: Plan) -> (Vec<Op>, usize) {
    let (mut file, mut ops) = SessionFile::create(&f.description, &f.units[0], plan);
    for u in &f.units[1..] {
        ops.extend(file.push(u));
    }
    let stop = ops.len();
    ops.extend(file.finish(None));
    assert_eq!(file.dropped(), 0);
    (ops, stop)
}

pub(crate) fn save(dir: &Path, name: &str, disk: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, disk).expect("written");
    path
}

pub(crate) fn repaired(disk: &[u8]) -> Option<Vec<u8>> {
    match repair::inspect(&mut Cursor::new(disk)).expect("readable") {
        Verdict::Finished(_) => Some(disk.to_vec()),
        Verdict::Repair(_, ops) => {
            let mut disk = disk.to_vec();
            ops.iter().for_each(|op| apply(&mut disk, op));
            Some(disk)
        }
        Verdict::Empty => None,
    }
}

/// Kinds of the boxes at the top of a file, each once where it repeats.
pub(crate) fn top_level(disk: &[u8]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < disk.len() {
        let mut size = u64::from(u32::from_be_bytes(disk[at..at + 4].try_into().unwrap()));
        if size == 1 {
            size = u64::from_be_bytes(disk[at + 8..at + 16].try_into().unwrap());
        }
        let kind = String::from_utf8_lossy(&disk[at + 4..at + 8]).into_owned();
        if !(out.len() > 4 && out[out.len() - 2] == kind) {
            out.push(kind);
        }
        at += size as usize;
    }
    assert_eq!(at, disk.len(), "the boxes cover the file exactly");
    out
}

/// Samples of a file must be those of the stream, in number as given.
fn same_samples(path: &Path, f: &Fixture) {
    let ours = fixture::read(path);
    assert_eq!(ours.units.len(), f.units.len());
    for t in [TrackId(0), TrackId(1)] {
        let ours: Vec<_> = ours.units.iter().filter(|u| u.track == t).collect();
        let theirs: Vec<_> = f.units.iter().filter(|u| u.track == t).collect();
        assert_eq!(ours.len(), theirs.len());
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!((a.pts - ours[0].pts, a.dts - ours[0].dts), (b.pts - theirs[0].pts, b.dts - theirs[0].dts));
            assert_eq!((a.key, &a.data), (b.key, &b.data));
        }
    }
}

#[test]
fn the_same_frames_come_out_while_recording_when_staged_and_when_finished() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, fixture::HEVC_OPUS] {
        let f = fixture::make(dir.path(), recipe);
        let (ops, stop) = record(&f, PLAN);
        let flip = ops.len() - 2;
        let mut disk = Vec::new();
        let mut states = Vec::new();
        for (i, op) in ops.iter().enumerate() {
            if i == flip {
                states.push(save(dir.path(), "staged.mp4", &disk));
                assert_eq!(top_level(&disk)[..5], ["ftyp", "moov", "free", "moof", "mdat"]);
            }
            apply(&mut disk, op);
            if i == stop {
                states.push(save(dir.path(), "recording.mp4", &disk));
            }
        }
        states.push(save(dir.path(), "finished.mp4", &disk));
        assert_eq!(top_level(&disk), ["ftyp", "free", "moov", "free", "mdat"]);
        same_samples(states.last().expect("three states"), &f);

        for map in ["0:v", "0:a"] {
            let reference = frame_hashes(&states[2], map);
            assert!(reference.len() >= recipe.seconds as usize * 25, "{}", reference.len());
            for state in &states {
                assert!(frame_hashes(state, map) == reference, "{} differs", state.display());
            }
        }
        let hash = |lines: Vec<String>| lines.iter().filter_map(|l| l.rsplit(',').next().map(str::to_owned)).collect();
        let (ours, theirs): (Vec<String>, Vec<String>) =
            (hash(frame_hashes(&states[2], "0:v")), hash(frame_hashes(&f.path, "0:v")));
        assert_eq!(ours, theirs, "the pictures of ffmpeg's own file");
    }
}

#[test]
fn after_a_crash_at_any_operation_everything_whole_is_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (ops, _) = record(&f, PLAN);
    let mut disk: Vec<u8> = Vec::new();
    let mut whole = 0;
    for (n, op) in ops.iter().enumerate() {
        // The operation is torn: only part of its bytes arrived.
        if let Op::Write(w) = op {
            let data: Vec<u8> = w.data.concat();
            for cut in [1, data.len() / 2, data.len() - 1] {
                let mut torn = disk.clone();
                // The flip is 8 bytes in one sector: a disk writes them or does not.
                let cut = if data.len() == 8 { 0 } else { cut };
                apply(&mut torn, &Op::Write(vigie_media::mp4::tables::Write::new(w.at, data[..cut].to_vec())));
                check(dir.path(), &torn, whole, n, &f, n % 7 == 0 && cut > 1);
            }
        }
        apply(&mut disk, op);
        if let Op::Write(w) = op
            && w.data[0].get(4..8) == Some(b"moof")
        {
            whole += w.data.len() - 1;
        }
        check(dir.path(), &disk, whole, n, &f, n % 3 == 0 || n + 6 > ops.len());
    }
    assert_eq!(whole, f.units.len());
}

fn check(dir: &Path, disk: &[u8], whole: usize, n: usize, f: &Fixture, decode: bool) {
    let Some(fixed) = repaired(disk) else {
        assert_eq!(whole, 0, "operation {n}: {whole} samples were given up");
        return;
    };
    let path = save(dir, "crashed.mp4", &fixed);
    let found = fixture::read(&path);
    assert_eq!(found.units.len(), whole, "operation {n}");
    for t in [TrackId(0), TrackId(1)] {
        let expected = f.units.iter().filter(|u| u.track == t);
        for (a, b) in found.units.iter().filter(|u| u.track == t).zip(expected) {
            assert_eq!((a.key, &a.data), (b.key, &b.data), "operation {n}");
        }
    }
    if decode {
        fixture::decodes(&path);
    }
    // Once more changes nothing, and a repair that was itself interrupted is taken up again.
    match repair::inspect(&mut Cursor::new(&fixed)).expect("readable") {
        Verdict::Finished(facts) => assert_eq!(facts.frames as usize, video(&found)),
        other => panic!("operation {n}: not finished after repair: {other:?}"),
    }
    if let Verdict::Repair(facts, ops) = repair::inspect(&mut Cursor::new(disk)).expect("readable") {
        assert_eq!(facts.frames as usize, video(&found));
        let mut half = disk.to_vec();
        for op in &ops[..ops.len() / 2] {
            apply(&mut half, op);
        }
        assert_eq!(repaired(&half).as_deref(), Some(&fixed[..]), "operation {n}");
    }
}

fn video(f: &Fixture) -> usize {
    f.units.iter().filter(|u| f.description.track(u.track).is_some_and(|t| t.kind() == MediaKind::Video)).count()
}

#[test]
fn a_file_whose_last_bytes_never_reached_the_disk_loses_only_those() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    let (ops, stop) = record(&f, PLAN);
    let mut disk = Vec::new();
    ops[..stop].iter().for_each(|op| apply(&mut disk, op));
    let fragments: Vec<_> = ops[..stop]
        .iter()
        .filter_map(|op| match op {
            Op::Write(w) if w.data[0].get(4..8) == Some(b"moof") => Some(w),
            _ => None,
        })
        .collect();
    // The length of the file and the heads are there, the samples of the last but one fragment are zeros.
    let lost = fragments[fragments.len() - 2];
    let from = lost.at as usize + lost.data[0].len();
    disk[from..(lost.at + lost.len()) as usize].fill(0);
    // (Pictures that refer to the lost ones cannot be decoded cleanly, so ffmpeg is not asked here.)
    let path = save(dir.path(), "holes.mp4", &repaired(&disk).expect("not empty"));
    let kept: usize = fragments.iter().map(|w| w.data.len() - 1).sum::<usize>() - (lost.data.len() - 1);
    let found = fixture::read(&path);
    assert_eq!(found.units.len(), kept);
    // The time of what follows is what it was.
    let last = found.units.iter().rfind(|u| u.track == TrackId(0)).expect("pictures");
    let written = f.units.iter().find(|u| u.data == last.data && u.track == TrackId(0)).expect("the same picture");
    let first = f.units.iter().find(|u| u.track == TrackId(0)).expect("pictures");
    let start = found.units.iter().find(|u| u.track == TrackId(0)).expect("pictures");
    assert_eq!(last.dts - start.dts, written.dts - first.dts);
}

#[test]
fn a_damaged_file_is_an_answer_and_never_a_panic() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), Recipe { seconds: 1, ..fixture::B_FRAMES_AAC });
    let (ops, stop) = record(&f, Plan { duration: Duration::ZERO, ..PLAN });
    let mut growing = Vec::new();
    ops[..stop + 1].iter().for_each(|op| apply(&mut growing, op));
    let mut finished = growing.clone();
    ops[stop + 1..].iter().for_each(|op| apply(&mut finished, op));
    // Where the heads are: the beginning, and every fragment's.
    let heads: Vec<usize> = growing.windows(4).enumerate().filter(|(_, w)| *w == b"moof").map(|(i, _)| i - 4).collect();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    let mut answers = [0; 4];
    for round in 0..1500 {
        let mut disk = if round % 3 == 0 { finished.clone() } else { growing.clone() };
        for _ in 0..=next() % 4 {
            let base = if next() % 2 == 0 { 0 } else { heads[next() % heads.len()] };
            let at = (base + next() % 2000).min(disk.len() - 1);
            disk[at] = [0, 0xff, 0x7f, 0x80, next() as u8][next() % 5];
        }
        if next() % 4 == 0 {
            disk.truncate(next() % disk.len());
        }
        answers[match repair::inspect(&mut Cursor::new(&disk)) {
            Ok(Verdict::Repair(_, ops)) => {
                let grows: u64 = ops.iter().map(|op| if let Op::Write(w) = op { w.len() } else { 0 }).sum();
                assert!(grows < 8 << 20, "a repair writes tables, not {grows} bytes");
                0
            }
            Ok(Verdict::Finished(_)) => 1,
            Ok(Verdict::Empty) => 2,
            Err(_) => 3,
        }] += 1;
        // Nothing to say about a damaged file is an answer too.
        let _ = vigie_media::mp4::compact::compact(&mut Cursor::new(&disk));
    }
    assert!(answers.iter().all(|&n| n > 0), "every kind of answer was seen: {answers:?}");
}
