//! A file of more than 4 GB, on a disk that stores only what is not zero.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use vigie_media::mp4::compact::compact;
use vigie_media::mp4::repair::{self, Verdict};
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::{AccessUnit, MediaTime};

use crate::fixture::{self, Recipe};

const PLAN: Plan = Plan { duration: Duration::from_secs(600), click_ns: None, fps: 25.0 };
/// Filler in each picture of the middle (ITU-T H.264 §7.3.2.7); zeros cost no disk.
const FILLER: usize = 32 << 20;

/// Writes everything but zeros.
fn write(file: &File, op: &Op, zeros: &Bytes) {
    match op {
        Op::Write(w) => {
            let mut at = w.at;
            for piece in &w.data {
                // Its own bytes are in front of the zeros.
                let real = if piece.len() > zeros.len() { piece.len() - zeros.len() } else { piece.len() };
                file.write_all_at(&piece[..real], at).expect("written");
                at += piece.len() as u64;
            }
            if file.metadata().expect("a file").len() < at {
                file.set_len(at).expect("a length");
            }
        }
        Op::Truncate(len) => file.set_len(*len).expect("a length"),
        Op::Copy { .. } | Op::Add { .. } => panic!("nothing was planned too small"),
        Op::Sync => {}
    }
}

fn top(path: &Path) -> Vec<(String, u64)> {
    let file = File::open(path).expect("a file");
    let (len, mut at, mut out) = (file.metadata().expect("a file").len(), 0, Vec::new());
    while at < len {
        let mut head = [0; 16];
        file.read_at(&mut head, at).expect("a box");
        let size = match u32::from_be_bytes(head[..4].try_into().expect("four")) {
            1 => u64::from_be_bytes(head[8..].try_into().expect("eight")),
            n => u64::from(n),
        };
        out.push((String::from_utf8_lossy(&head[4..8]).into_owned(), size));
        at += size;
    }
    assert_eq!(at, len, "the boxes cover the file");
    out
}

/// Decodes the last 100 pictures, which begin with a key frame at second 300, and leaves out the first.
fn last_pictures(path: &Path) -> Vec<String> {
    let p = path.to_str().expect("UTF-8");
    let args = ["-v", "error", "-ss", "300.5", "-i", p, "-map", "0:v", "-f", "framemd5", "-"];
    let lines = fixture::tool("ffmpeg", &args);
    lines.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next().map(str::to_owned)).collect()
}

/// Copies what a file has stored from `at` on.
fn copy(from: &File, at: u64, to: &File, target: u64) {
    let end = from.metadata().expect("a file").len();
    let mut piece = vec![0; 1 << 16];
    let mut next = at;
    // After the last stored byte there is none to be found.
    while let Ok(stored) = rustix::fs::seek(from, rustix::fs::SeekFrom::Data(next)) {
        let n = from.read_at(&mut piece, stored).expect("read");
        to.write_all_at(&piece[..n], target + (stored - at)).expect("written");
        next = stored + n as u64;
        if next >= end {
            break;
        }
    }
    to.set_len(target + (end - at)).expect("a length");
}

fn file(path: &Path) -> File {
    File::options().create(true).truncate(false).read(true).write(true).open(path).expect("a file")
}

#[test]
fn beyond_4_gib_every_offset_and_length_is_right_also_after_a_crash() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), Recipe { audio: &[], ..fixture::B_FRAMES_AAC });
    let zeros = Bytes::from(vec![0u8; FILLER]);
    // Four times the same 100 pictures, one a second, so that each is a fragment and none stays in memory. Most of the
    // second and third time are one padded picture.
    let padded: Bytes = [&f.units[0].data[..], &(FILLER as u32 + 1).to_be_bytes(), &[12], &zeros].concat().into();
    let unit = |n: usize| {
        let u = &f.units[n % f.units.len()];
        let later = (n / f.units.len()) as i64 * 4 * 90_000;
        let data = if (100..300).contains(&n) && !n.is_multiple_of(3) { padded.clone() } else { u.data.clone() };
        let slow = |t: MediaTime| MediaTime((t.0 + later) * 25);
        AccessUnit { pts: slow(u.pts), dts: slow(u.dts), data, ..u.clone() }
    };
    let (growing, finished) = (file(&dir.path().join("growing.mp4")), file(&dir.path().join("finished.mp4")));
    let (mut session, head) = SessionFile::create(&f.description, &unit(0), PLAN);
    head.iter().for_each(|op| write(&growing, op, &zeros));
    for n in 1..4 * f.units.len() {
        session.push(&unit(n)).iter().for_each(|op| write(&growing, op, &zeros));
    }
    // The tail belongs to the file that will be finished and to the one whose process dies.
    session.flush().iter().for_each(|op| write(&growing, op, &zeros));
    copy(&growing, 0, &finished, 0);
    session.finish(None).iter().for_each(|op| write(&finished, op, &zeros));

    let meta = finished.metadata().expect("a file");
    assert!(meta.len() > 4 << 30, "{}", meta.len());
    assert!(meta.blocks() * 512 < 64 << 20, "this file system stores zeros: {} blocks", meta.blocks());
    let path = dir.path().join("finished.mp4");
    let boxes = top(&path);
    let kinds: Vec<&str> = boxes.iter().map(|b| b.0.as_str()).collect();
    assert_eq!(kinds, ["ftyp", "free", "moov", "free", "mdat"]);
    assert!(boxes[4].1 > 4 << 30);
    let expected = last_pictures(&path);
    let source = fixture::frame_hashes(&f.path, "0:v");
    let source: Vec<&str> = source.iter().filter_map(|l| l.rsplit(',').next()).collect();
    assert_eq!(expected, source[1..], "what lies beyond 4 GiB is decoded");

    // The process died instead: the repair reads its way through. The last picture was in memory.
    let mut growing = growing;
    let Verdict::Repair(facts, ops) = repair::inspect(&mut growing).expect("readable") else { panic!("not finished") };
    assert_eq!(facts.frames, 399);
    ops.iter().for_each(|op| write(&growing, op, &zeros));
    assert!(last_pictures(&dir.path().join("growing.mp4")) == expected[..98]);

    // And without its reserve, every offset moves.
    let mut finished = finished;
    let plan = compact(&mut finished).expect("readable").expect("a reserve to lose");
    let path = dir.path().join("front.mp4");
    let front = file(&path);
    front.write_all_at(&plan.head, 0).expect("written");
    copy(&finished, plan.from, &front, plan.head.len() as u64);
    assert_eq!(top(&path).iter().map(|b| b.0.as_str()).collect::<Vec<_>>(), ["ftyp", "moov", "mdat"]);
    assert!(last_pictures(&path) == expected);
}
