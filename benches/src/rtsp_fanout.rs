//! One camera to many readers, and many cameras to one reader each.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Secret, StreamKey};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{GapCause, Gate, Hub, Principal, SourceTrack, SourceUnit, Verb};
use vigie_media::rtp::{DEFAULT_PACKET_BYTES, INTERLEAVE_HEADER, Payloader};
use vigie_media::{AccessUnit, Codec, MediaTime, Track, TrackId, h264};
use vigie_output::rtsp::{RtspConfig, RtspMetrics, serve};

use crate::table::Table;
use crate::{camera, floor, sys};

/// What to run.
pub(crate) struct Options {
    readers: usize,
    udp_readers: usize,
    cameras: usize,
    seconds: u64,
}

impl Options {
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut o = Self { readers: 1000, udp_readers: 100, cameras: 100, seconds: 8 };
        for pair in args.chunks(2) {
            match pair {
                ["--readers", n] => o.readers = n.parse()?,
                ["--udp-readers", n] => o.udp_readers = n.parse()?,
                ["--cameras", n] => o.cameras = n.parse()?,
                ["--seconds", n] => o.seconds = n.parse()?,
                other => bail!("unknown option {other:?}"),
            }
        }
        Ok(o)
    }
}

/// The players' process.
pub(crate) struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub(crate) fn start(kind: &str, address: SocketAddr, readers: usize, cameras: usize) -> Result<Self> {
        Self::spawn(&["drain", kind, &address.to_string(), &readers.to_string(), &cameras.to_string()])
    }

    /// This program once more, with other words.
    pub(crate) fn spawn(args: &[&str]) -> Result<Self> {
        let mut process =
            Command::new(std::env::current_exe()?).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().context("no pipe")?).lines();
        Ok(Self { process, input, lines })
    }

    /// The rest of the next line, which begins with `prefix`.
    pub(crate) fn line(&mut self, prefix: &str) -> Result<String> {
        let line = self.lines.next().context("the players ended")??;
        Ok(line.strip_prefix(prefix).with_context(|| format!("`{line}` instead of `{prefix}`"))?.to_owned())
    }

    pub(crate) fn ready(&mut self) -> Result<()> {
        self.line("ready").map(drop)
    }

    pub(crate) fn say(&mut self, word: &str) -> Result<()> {
        Ok(writeln!(self.input.as_mut().context("no pipe")?, "{word}")?)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        Ok(self.process.wait().map(drop)?)
    }

    /// The players' figures: bytes, number of frames, then p50, p99 and most of their ages in nanoseconds.
    pub(crate) fn finish(mut self) -> Result<Vec<u64>> {
        let numbers = self.line("result ")?.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        self.process.wait()?;
        Ok(numbers)
    }
}

struct Everybody;

#[async_trait]
impl Gate for Everybody {
    fn rtsp_access(&self) -> RtspAccess {
        RtspAccess { basic: true, digest: true, trust_loopback: true, open: true }
    }
    async fn stream_secret(&self, _user: &str) -> Option<(Principal, Secret)> {
        None
    }
    async fn allow(&self, _who: &Principal, _key: StreamKey, _verb: Verb) -> bool {
        true
    }
    async fn resolve(&self, path: &str) -> Option<StreamKey> {
        let n = path.strip_prefix("cam/")?.strip_suffix("/main")?.parse().ok()?;
        Some(StreamKey::main(CameraId(n)))
    }
}

fn codec() -> Result<Codec> {
    Ok(Codec::H264(Arc::new(h264::params(camera::SPS, &[camera::PPS])?)))
}

/// One frame as interleaved packets, for the bare loops.
pub(crate) fn packets_of(i: u64, gop: u64) -> Result<Vec<Vec<u8>>> {
    let (key, data) = camera::frame(i, gop);
    let pts = MediaTime((i * 3600) as i64);
    let unit = AccessUnit { track: TrackId(0), pts, dts: pts, arrived: Instant::now(), key, data };
    let track = Track { id: TrackId(0), clock_rate: 90_000, codec: codec()? };
    let packets = Payloader::new(&track, 1, DEFAULT_PACKET_BYTES)?.packetize(&unit, 0)?;
    let mut rest = &packets.data[..];
    let mut out = Vec::new();
    while let [_, _, h, l, ..] = rest {
        let (packet, tail) = rest.split_at(INTERLEAVE_HEADER + usize::from(u16::from_be_bytes([*h, *l])));
        out.push(packet.to_vec());
        rest = tail;
    }
    Ok(out)
}

/// What the cameras send: the same from all of them, 25 frames a second.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) codec: Codec,
    /// The `i`-th frame, length-prefixed, and whether it is a key frame.
    pub(crate) frame: Arc<dyn Fn(u64) -> (bool, Bytes) + Send + Sync>,
}

impl Feed {
    /// Frames of the right sizes with nothing in them, a key frame every `gop`.
    pub(crate) fn synthetic(gop: u64) -> Result<Self> {
        Ok(Self { codec: codec()?, frame: Arc::new(move |i| camera::frame(i, gop)) })
    }
}

/// The server with its cameras, in this process.
pub(crate) struct Bench {
    runtime: tokio::runtime::Runtime,
    hub: Hub,
    pub(crate) address: SocketAddr,
    /// The frame `i` of camera `n` of `N` is born `n / N` frames and `i` frames after this, on the monotonic clock.
    pub(crate) begun_ns: u64,
    metrics: Arc<RtspMetrics>,
    cancel: CancellationToken,
}

impl Bench {
    fn start(cameras: usize, gop: u64) -> Result<Self> {
        Self::start_on(TcpListener::bind("127.0.0.1:0")?, cameras, &Feed::synthetic(gop)?)
    }

    pub(crate) fn start_on(listener: TcpListener, cameras: usize, feed: &Feed) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let hub = Hub::default();
        let (cancel, metrics) = (CancellationToken::new(), Arc::<RtspMetrics>::default());
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
        let config = RtspConfig { rtp_port: 0, metrics: Arc::clone(&metrics), ..RtspConfig::default() };
        runtime.spawn(serve(listener, hub.clone(), Arc::new(Everybody), config, cancel.clone()));
        let (begun, begun_ns) = (tokio::time::Instant::now(), sys::monotonic_ns());
        for n in 1..=cameras {
            let mut out = hub.ensure(StreamKey::main(CameraId(n as i64))).publisher(GapCause::SourceLost);
            out.describe(vec![SourceTrack { clock_rate: 90_000, codec: feed.codec.clone() }])?;
            let (cancel, frame) = (cancel.clone(), Arc::clone(&feed.frame));
            // Spread over the frame interval, as cameras are.
            let phase = Duration::from_micros(40_000 * n as u64 / cameras as u64);
            runtime.spawn(async move {
                let mut tick = tokio::time::interval_at(begun + phase, Duration::from_millis(40));
                let mut i = 0u64;
                while cancel.run_until_cancelled(tick.tick()).await.is_some() {
                    let (key, data) = frame(i);
                    let pts = (i * 3600) as i64;
                    let arrived = Instant::now();
                    let unit = SourceUnit { track: TrackId(0), pts, dts: None, shared_ns: None, arrived, key, data };
                    if out.push(unit).is_err() {
                        return;
                    }
                    i += 1;
                }
            });
        }
        Ok(Self { runtime, hub, address, begun_ns, metrics, cancel })
    }

    fn held_kib(&self) -> u64 {
        self.hub.held_bytes() as u64 / 1024
    }

    pub(crate) fn stop(self) {
        self.cancel.cancel();
        self.runtime.shutdown_timeout(Duration::from_secs(2));
    }
}

struct Figures {
    cores: f64,
    gbit: f64,
    us_per_packet: f64,
    kib_per_reader: f64,
    ages_ms: [f64; 3],
}

/// Memory of all TCP sockets of the machine, both ends of ours included.
fn tcp_memory_kib() -> u64 {
    let stat = std::fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = stat.lines().find_map(|l| l.strip_prefix("TCP:")).unwrap_or_default();
    let pages = line.split_whitespace().skip_while(|w| *w != "mem").nth(1).and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * 4
}

fn wait(seconds: f64) {
    std::thread::park_timeout(Duration::from_secs_f64(seconds));
}

fn measure(kind: &str, readers: usize, cameras: usize, seconds: u64) -> Result<Figures> {
    let bench = Bench::start(cameras, 2 * camera::FPS)?;
    // Two groups of pictures, so that the ring has its size.
    wait(4.5);
    let (rss, held) = (sys::rss_kib(), bench.held_kib());
    let mut child = Child::start(kind, bench.address, readers, cameras)?;
    child.ready()?;
    wait(4.0);
    let (cpu, packets, bytes) = (sys::cpu(false), count(&bench.metrics.packets), count(&bench.metrics.bytes));
    let skipped = count(&bench.metrics.skipped);
    child.say("mark")?;
    let start = Instant::now();
    wait(seconds as f64);
    let took = start.elapsed().as_secs_f64();
    let kernel_kib = tcp_memory_kib();
    let cpu = (sys::cpu(false) - cpu).as_secs_f64();
    let packets = count(&bench.metrics.packets) - packets;
    let bytes = count(&bench.metrics.bytes) - bytes;
    let (rss_after, held_after) = (sys::rss_kib(), bench.held_kib());
    child.say("stop")?;
    let result = child.finish()?;
    let [_, _, p50, p99, most] = result[..] else { bail!("odd figures {result:?}") };
    let (skipped_before, skipped) = (skipped, count(&bench.metrics.skipped) - skipped);
    let expected = (readers as f64) * took * camera::BYTES_PER_S as f64;
    println!(
        "    {kind}: {readers} readers of {cameras} camera(s), {:.1} s: {packets} packets ({:.0} % of what was due), \
         {skipped} units skipped ({skipped_before} while all joined), {} readers cut, {} sends dropped; CPU {cpu:.2} s; \
         {kernel_kib} KiB in the kernel's TCP buffers, both ends",
        took,
        100.0 * bytes as f64 / expected,
        count(&bench.metrics.cut),
        count(&bench.metrics.udp_dropped),
    );
    bench.stop();
    let grown = (rss_after as f64 - held_after as f64) - (rss as f64 - held as f64);
    Ok(Figures {
        cores: cpu / took,
        gbit: bytes as f64 * 8.0 / took / 1e9,
        us_per_packet: cpu * 1e6 / packets as f64,
        kib_per_reader: grown / readers as f64,
        ages_ms: [p50, p99, most].map(|ns| ns as f64 / 1e6),
    })
}

fn count(c: &std::sync::atomic::AtomicU64) -> u64 {
    c.load(Ordering::Relaxed)
}

pub(crate) fn run(o: &Options) -> Result<()> {
    let _ = sys::pin(0);
    println!("RTSP fan-out, 1080p25 4 Mbit/s (synthetic H.264), server on core 0, players on core 1");
    let mut table = Table::default();
    let mut row = |what: &str, figure: String, goal: &str, met: bool| match goal {
        "" => table.note(what, figure),
        _ => table.row(what, figure, goal, met),
    };

    if o.readers > 0 {
        let few = o.readers.min(100);
        let tcp_few = measure("tcp", few, 1, o.seconds)?;
        let bare = floor::tcp(o.readers, o.seconds)?;
        println!(
            "    bare writev loop: {} packets in {} s; CPU {:.2} s",
            bare.packets,
            o.seconds,
            bare.cpu.as_secs_f64()
        );
        let tcp = measure("tcp", o.readers, 1, o.seconds)?;
        let floor_us = bare.cpu.as_secs_f64() * 1e6 / bare.packets as f64;
        let ratio = tcp.us_per_packet / floor_us;
        let n = o.readers;
        row(
            &format!("TCP, 1 camera x {n}: us CPU per packet and reader"),
            format!("{:.2}", tcp.us_per_packet),
            "<= 1.6",
            tcp.us_per_packet <= 1.6,
        );
        row("  the bare writev loop", format!("{floor_us:.2}"), "", true);
        row("  ratio to it", format!("{ratio:.2}"), "<= 1.3", ratio <= 1.3);
        row("  cores per Gbit/s", format!("{:.3}", tcp.cores / tcp.gbit), "<= 0.15", tcp.cores / tcp.gbit <= 0.15);
        row("  KiB per reader (RSS)", format!("{:.1}", tcp.kib_per_reader), "<= 16", tcp.kib_per_reader <= 16.0);
        let [p50, p99, most] = tcp.ages_ms;
        row(
            &format!("  latency ms at {n}: p50 / p99 / most"),
            format!("{p50:.1} / {p99:.1} / {most:.1}"),
            "p99 <= 50",
            p99 <= 50.0,
        );
        let [p50, p99, most] = tcp_few.ages_ms;
        row(
            &format!("  latency ms at {few}: p50 / p99 / most"),
            format!("{p50:.1} / {p99:.1} / {most:.1}"),
            "p99 <= 8",
            p99 <= 8.0,
        );
    }
    if o.udp_readers > 0 {
        let bare = floor::udp(o.udp_readers, o.seconds)?;
        let udp = measure("udp", o.udp_readers, 1, o.seconds)?;
        let floor_us = bare.cpu.as_secs_f64() * 1e6 / bare.packets as f64;
        let ratio = udp.us_per_packet / floor_us;
        row(
            &format!("UDP, 1 camera x {}: us CPU per packet and reader", o.udp_readers),
            format!("{:.2}", udp.us_per_packet),
            "<= 2.7",
            udp.us_per_packet <= 2.7,
        );
        row("  the bare segmentation-offload loop", format!("{floor_us:.2}"), "", true);
        row("  ratio to it", format!("{ratio:.2}"), "<= 1.5", ratio <= 1.5);
        row("  cores per Gbit/s", format!("{:.3}", udp.cores / udp.gbit), "<= 0.25", udp.cores / udp.gbit <= 0.25);
    }
    if o.cameras > 0 {
        let many = measure("tcp", o.cameras, o.cameras, o.seconds)?;
        row(
            &format!("{} cameras x 1 reader: cores (publishing included)", o.cameras),
            format!("{:.3}", many.cores),
            "<= 0.2",
            many.cores <= 0.2,
        );
        row(
            "  KiB per camera's reader and feed (RSS)",
            format!("{:.0}", many.kib_per_reader),
            "<= 1024",
            many.kib_per_reader <= 1024.0,
        );
    }
    let bench = Bench::start(1, 4 * camera::FPS)?;
    wait(8.5);
    let mut child = Child::start("join", bench.address, 200, 1)?;
    child.ready()?;
    let result = child.finish()?;
    let [_, _, p50, p99, most] = result[..] else { bail!("odd figures {result:?}") };
    let [p50, p99, most] = [p50, p99, most].map(|ns| ns as f64 / 1e6);
    row(
        "join, 4 s between key frames: ms to the first whole key frame, p50 / p99 / most",
        format!("{p50:.1} / {p99:.1} / {most:.1}"),
        "p50 <= 20, p99 <= 100",
        p50 <= 20.0 && p99 <= 100.0,
    );
    bench.stop();

    table.print();
    Ok(())
}
