//! What recording costs: `cargo bench -p vigie-record`.
//!
//! `stop_90min`: a synthetic recording of 90 minutes (25 pictures and 47 sounds a second) is written to disk without
//! waiting for time to pass; then the stop is measured, with its syncs, as are memory and the reserve.
//!
//! `record_100_cameras`: so many cameras of 4 Mbit/s each, in real time for ten seconds, all recorded: CPU per camera
//! and memory beyond the media held. `VIGIE_BENCH_DIR` chooses the disk.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, reason = "a bench prints and gives up loudly")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use vigie_base::{CameraId, RecordingId, SessionId, StreamKey, UnixMillis};
use vigie_hub::{GapCause, Hub, SourceTrack, SourceUnit};
use vigie_media::mp4::session::{Op, Plan, SessionFile};
use vigie_media::{AacParams, AccessUnit, Codec, H264Params, MediaTime, StreamDescription, Track, TrackId, VideoInfo};
use vigie_record::volume::carry_out;
use vigie_record::{Config, Disk, Index, Recorder, Request, Volume};
use vigie_store::{
    NewRecording, RecordedGap, Recording as Row, RecordingEnd, RecordingProgress, RecordingState, StoreError,
};

fn main() {
    let base = std::env::var_os("VIGIE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(base).expect("a directory");
    stop_90min(dir.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(record_100_cameras(dir.path()));
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

/// Resident memory of this process in KiB.
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn stop_90min(dir: &Path) {
    const MINUTES: i64 = 90;
    let disk = Disk::new(dir).expect("a folder");
    let description = description();
    // 1 Mbit/s is enough: what is measured grows with the number of samples, not with their size.
    let picture = Bytes::from(vec![0x41u8; 5000]);
    let sound = Bytes::from(vec![0x21u8; 170]);
    let unit = |track: u8, pts: i64, dts: i64, key: bool| AccessUnit {
        track: TrackId(track),
        pts: MediaTime(pts),
        dts: MediaTime(dts),
        arrived: Instant::now(),
        key,
        data: if track == 0 { picture.clone() } else { sound.clone() },
    };
    for (name, minutes) in [("warm-up", 1), ("9 minutes", 9), ("90 minutes", MINUTES)] {
        let file = disk.create(&format!("{minutes}.mp4")).expect("a file");
        let run = |ops: Vec<Op>| {
            for op in ops {
                carry_out(file.as_ref(), &op).expect("carried out");
            }
        };
        let plan = Plan { duration: Duration::from_secs(90 * 60), click_ns: None, fps: 25.0 };
        let (mut session, ops) = SessionFile::create(&description, &unit(0, 7200, 0, true), plan);
        run(ops);
        let memory = resident_kib();
        let (mut sounds, began) = (0i64, Instant::now());
        for n in 1..minutes * 60 * 25 {
            // Every third picture is shown out of order, and every time stamp shivers as after a network.
            let dts = n * 3600 + (n * 7919 % 90);
            let pts = dts + 7200 + if n % 3 == 1 { 3600 } else { 0 };
            run(session.push(&unit(0, pts, dts, n % 50 == 0)));
            while sounds * 1024 * 90_000 / 48_000 < dts {
                run(session.push(&unit(1, sounds * 1024, sounds * 1024, true)));
                sounds += 1;
            }
            // As the recorder does: once a second everything goes to the disk.
            if n % (25 * 60) == 0 {
                file.sync().expect("synced");
            }
        }
        assert!(session.grow().is_none(), "the plan was too small");
        let writing = began.elapsed();
        file.sync().expect("synced");
        let grown = resident_kib() - memory;
        let began = Instant::now();
        let ops = session.finish(None);
        let count = ops.len();
        run(ops);
        let stop = began.elapsed();
        println!(
            "stop_90min: {name}: stop {:.1} ms ({count} operations, two syncs), written in {:.1} s, memory grew {grown} KiB, \
             reserve {} KiB of {} MiB",
            stop.as_secs_f64() * 1e3,
            writing.as_secs_f64(),
            (session.file_bytes() - session.media_bytes()) >> 10,
            session.file_bytes() >> 20,
        );
    }
}

#[derive(Debug, Default)]
struct NoRows(AtomicI64);

#[async_trait]
impl Index for NoRows {
    async fn opened(&self, _: NewRecording) -> Result<RecordingId, StoreError> {
        Ok(RecordingId(self.0.fetch_add(1, Ordering::Relaxed)))
    }
    async fn progress(&self, _: RecordingId, _: RecordingProgress) -> Result<(), StoreError> {
        Ok(())
    }
    async fn gap(&self, gap: &RecordedGap) -> Result<(), StoreError> {
        println!("a gap that should not be: {gap:?}");
        Ok(())
    }
    async fn sealed(&self, _: RecordingId, _: &RecordingEnd) -> Result<(), StoreError> {
        Ok(())
    }
    async fn failed(&self, id: RecordingId, _: UnixMillis, error: &str) -> Result<(), StoreError> {
        println!("recording {id} failed: {error}");
        Ok(())
    }
    async fn rows(&self, _: RecordingState) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }
    async fn row(&self, _: RecordingId) -> Result<Option<Row>, StoreError> {
        Ok(None)
    }
    async fn deleting(&self, _: RecordingId) -> Result<(), StoreError> {
        Ok(())
    }
    async fn dropped(&self, _: RecordingId) -> Result<(), StoreError> {
        Ok(())
    }
}

/// User and system time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or("");
    let ticks: u64 = after.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Plays `seconds` of every camera in real time; the CPU and the memory it took.
async fn play(hub: &Hub, cameras: i64, seconds: u64) -> Duration {
    let description = description();
    let tracks = || description.tracks.iter().map(|t| SourceTrack { clock_rate: t.clock_rate, codec: t.codec.clone() });
    let mut publishers: Vec<_> = (0..cameras)
        .map(|n| {
            let mut p = hub.ensure(StreamKey::main(CameraId(n))).publisher(GapCause::SourceLost);
            p.describe(tracks().collect()).expect("described");
            p
        })
        .collect();
    let (start, before) = (Instant::now(), cpu());
    let mut sounds = 0i64;
    for n in 0..(seconds * 25) as i64 {
        tokio::time::sleep_until((start + Duration::from_millis(40) * n as u32).into()).await;
        let key = n % 50 == 0;
        let mut send = |track: u8, pts: i64, size: usize, key: bool| {
            for p in &mut publishers {
                // Memory of its own for every unit, as from a network.
                let data = Bytes::from(vec![0x41; size]);
                let unit = SourceUnit {
                    track: TrackId(track),
                    pts,
                    dts: Some(pts),
                    shared_ns: None,
                    arrived: Instant::now(),
                    key,
                    data,
                };
                p.push(unit).expect("published");
            }
        };
        send(0, n * 3600, if key { 100_000 } else { 18_000 }, key);
        while sounds * 1024 * 90_000 / 48_000 < n * 3600 {
            send(1, sounds * 1024, 170, true);
            sounds += 1;
        }
    }
    cpu() - before
}

async fn record_100_cameras(dir: &Path) {
    const CAMERAS: i64 = 100;
    const SECONDS: u64 = 10;
    let hub = Hub::default();
    let config = Config { max_concurrent: 1000, log_dir: dir.join("logs"), ..Config::default() };
    let disk = Arc::new(Disk::new(dir.join("media")).expect("a folder"));
    let recorder = Recorder::new(config, hub.clone(), disk, Arc::new(NoRows::default())).expect("threads");
    let memory = resident_kib();
    let starts: Vec<_> = (0..CAMERAS)
        .map(|n| {
            let request = Request {
                session_id: SessionId(format!("sess_0_{n}_1700000000")),
                stream: StreamKey::main(CameraId(n)),
                camera_name: String::new(),
                club_id: 0,
                terrain_id: None,
                user_id: None,
                duration: Duration::from_secs(90 * 60),
                mode: None,
            };
            let r = recorder.clone();
            tokio::spawn(async move { r.start(request).await.expect("started") })
        })
        .collect();
    let recorded = play(&hub, CAMERAS, SECONDS).await;
    let grown = resident_kib() - memory - (hub.held_bytes() >> 10) as i64;
    let mut stops = Vec::new();
    for s in starts {
        let recording = s.await.expect("no panic");
        let began = Instant::now();
        let done = recording.stop().await.expect("finished");
        assert!(done.frames as u64 + 3 > SECONDS * 25 && recording.status().gaps == 0, "{done:?}");
        stops.push(began.elapsed());
    }
    stops.sort();
    // The same cameras without a recorder: what publishing costs is not what recording costs. Afterwards, so that
    // memory given back by one run is not found again by the other.
    drop((recorder, hub));
    let alone = play(&Hub::default(), CAMERAS, SECONDS).await;
    let percent = |d: Duration| d.as_secs_f64() * 100.0 / SECONDS as f64 / CAMERAS as f64;
    println!(
        "record_100_cameras: {:.3} % of a core per camera of 3.9 Mbit/s ({:.3} % with publishing, {:.3} % publishing \
         alone), {} KiB each beyond the media held, stop p50 {:.1} ms, p95 {:.1} ms",
        percent(recorded.saturating_sub(alone)),
        percent(recorded),
        percent(alone),
        grown / CAMERAS,
        stops[50].as_secs_f64() * 1e3,
        stops[95].as_secs_f64() * 1e3,
    );
}
