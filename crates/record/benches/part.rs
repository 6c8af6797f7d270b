//! What a part of a long recording costs before its first byte: `cargo bench -p vigie-record --bench part`.
//!
//! Recordings of 90 minutes and of 12 hours (25 pictures with B-frames and times that shiver, and 47 sounds a second) are
//! written with small samples: what is measured grows with their number, not with their size. `VIGIE_BENCH_DIR` chooses
//! the disk; the file was written a moment ago, so what is read comes from memory.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a bench prints and gives up loudly")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vigie_media::mp4::cut::{Place, cut};
use vigie_media::mp4::session::{Plan, SessionFile};
use vigie_media::{AacParams, AccessUnit, Codec, H264Params, MediaTime, StreamDescription, Track, TrackId, VideoInfo};
use vigie_record::volume::{Reader, VolumeFile, carry_out};
use vigie_record::{Disk, Volume};

fn main() {
    let base = std::env::var_os("VIGIE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(base).expect("a directory");
    for (name, minutes) in [("90 minutes", 90), ("12 hours", 720)] {
        let file = recording(dir.path(), minutes);
        let length = Duration::from_secs(60 * minutes);
        for (what, from, to) in [
            ("10 s at the beginning", Duration::from_secs(10), Duration::from_secs(20)),
            ("10 s in the middle", length / 2, length / 2 + Duration::from_secs(10)),
            ("10 s at the end", length - Duration::from_secs(15), length - Duration::from_secs(5)),
            ("all of it", Duration::ZERO, length),
        ] {
            measure(&format!("{what} of {name}"), &file, from, to);
        }
    }
}

fn measure(name: &str, file: &Arc<dyn VolumeFile>, from: Duration, to: Duration) {
    let mut times = Vec::new();
    let mut head = 0;
    let memory = peak_kib();
    for _ in 0..7 {
        let began = Instant::now();
        let part = cut(&mut Reader::new(Arc::clone(file)), from, to).expect("a part");
        // The first byte is in memory now; the first one of media takes one read more.
        let media = part.at(part.head.len() as u64);
        let Some(Place::Source { at, .. }) = media else { panic!("no media: {media:?}") };
        file.read_at(at, &mut [0; 1]).expect("read");
        times.push(began.elapsed());
        head = part.head.len();
    }
    times.sort();
    println!(
        "part: {name}: {:.1} ms to the first byte (slowest of 7: {:.1} ms), head {} KiB, peak of memory grew {} KiB",
        times[3].as_secs_f64() * 1e3,
        times[6].as_secs_f64() * 1e3,
        head >> 10,
        peak_kib() - memory,
    );
}

/// The most that was resident so far.
fn peak_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn recording(dir: &Path, minutes: u64) -> Arc<dyn VolumeFile> {
    let disk = Disk::new(dir).expect("a folder");
    let file = disk.create(&format!("{minutes}.mp4")).expect("a file");
    let description = description();
    let (picture, sound) = (Bytes::from(vec![0x41u8; 100]), Bytes::from(vec![0x21u8; 20]));
    let unit = |track: u8, pts: i64, dts: i64, key: bool| AccessUnit {
        track: TrackId(track),
        pts: MediaTime(pts),
        dts: MediaTime(dts),
        arrived: Instant::now(),
        key,
        data: if track == 0 { picture.clone() } else { sound.clone() },
    };
    let plan = Plan { duration: Duration::from_secs(60 * minutes), click_ns: None, fps: 25.0 };
    let (mut session, ops) = SessionFile::create(&description, &unit(0, 7200, 0, true), plan);
    ops.iter().for_each(|op| carry_out(file.as_ref(), op).expect("carried out"));
    let mut sounds = 0i64;
    for n in 1..i64::try_from(minutes).expect("a number") * 60 * 25 {
        // An odd tick now and then, as from a network: every sample has an entry of its own.
        let dts = n * 3600 + n % 3;
        let shown = [7200, 10_800, 3600, 3600][usize::try_from(n % 4).expect("small")];
        let mut ops = session.push(&unit(0, dts + shown, dts, n % 50 == 0));
        while sounds * 1024 * 90_000 / 48_000 < n * 3600 {
            ops.extend(session.push(&unit(1, sounds * 1024, sounds * 1024, true)));
            sounds += 1;
        }
        ops.iter().for_each(|op| carry_out(file.as_ref(), op).expect("carried out"));
    }
    session.finish(None).iter().for_each(|op| carry_out(file.as_ref(), op).expect("carried out"));
    file
}

fn description() -> StreamDescription {
    let video = VideoInfo { width: 1920, height: 1080, fps: Some(25.0), reorder_depth: 2, rfc6381: String::new() };
    let sps = Bytes::from_static(&[0x67, 0x64, 0, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5]);
    let h264 = H264Params { sps, pps: vec![Bytes::from_static(&[0x68, 0xeb, 0xe3, 0xcb])], video };
    let aac = AacParams {
        config: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1024,
        object_type: 2,
    };
    let track = |id, clock_rate, codec| Track { id: TrackId(id), clock_rate, codec };
    StreamDescription {
        generation: 1,
        tracks: vec![track(0, 90_000, Codec::H264(Arc::new(h264))), track(1, 48_000, Codec::Aac(Arc::new(aac)))],
    }
}
