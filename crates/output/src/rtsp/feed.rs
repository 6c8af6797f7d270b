//! One stream on its way to its RTSP readers.
//!
//! A pump takes units from the hub, packetises each once and puts it into the [`Ring`]; then **each shard walks over
//! its readers and writes to them directly, without waking a task per reader**. Small streams have one shard, served by
//! the pump itself: one wake-up per frame and stream. A feed exists while somebody plays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::Mutex;
use smallvec::smallvec;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use vigie_hub::{Cursor, Event, Join, Lag, Purpose, Stream, SubscribeOptions};
use vigie_media::rtcp::{self, SenderInfo};
use vigie_media::rtp::{self, Packets, Payloader, RTP_HEADER, Run, rtp_timestamp};
use vigie_media::{AccessUnit, MediaTime, StreamDescription, Track};

use super::metrics::RtspMetrics;
use super::ring::{Prepared, Ring};
use super::tcp::TcpReader;
use super::udp::{UdpShard, UdpSockets};

/// Sender reports follow each other at this distance (RFC 3550 §6.2 asks for about that).
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// The first shard takes this many readers before others are used.
const FIRST_SHARD: usize = 24;
/// Slots handed to the readers in one round.
const BATCH: usize = 32;
/// Readers served before other tasks get a turn: well below a millisecond of writing.
const READERS_PER_TURN: usize = 24;

/// What a feed is made with.
#[derive(Debug, Clone)]
pub(super) struct FeedConfig {
    pub(super) packet_bytes: usize,
    pub(super) shards: usize,
    pub(super) ring_bytes: usize,
    pub(super) cname: Arc<str>,
    pub(super) metrics: Arc<RtspMetrics>,
    pub(super) udp: Option<Arc<UdpSockets>>,
}

/// Readers that one task serves.
#[derive(Debug, Default)]
pub(super) struct Shard {
    incoming: Mutex<Vec<(Arc<TcpReader>, u64)>>,
    count: AtomicUsize,
    wake: Notify,
}

/// How a track's packets are made now.
#[derive(Debug)]
struct TrackOut {
    payloader: Arc<Payloader>,
    next_seq: u16,
    sent_packets: u32,
    sent_octets: u32,
    /// A unit that RTP cannot carry was reported.
    complained: bool,
}

#[derive(Debug)]
pub(super) struct Feed {
    pub(super) stream: Arc<Stream>,
    pub(super) ring: Mutex<Ring>,
    config: FeedConfig,
    tracks: Mutex<Vec<TrackOut>>,
    description: Mutex<Arc<StreamDescription>>,
    shards: Vec<Shard>,
    pub(super) udp: UdpShard,
    /// Cancelled when the stream cannot go on for its readers: another codec, or removed.
    pub(super) ended: CancellationToken,
    generation: AtomicU64,
    has_video: AtomicBool,
}

/// Keeps a feed running; the last one dropped ends it.
#[derive(Debug)]
pub(super) struct FeedHandle {
    pub(super) feed: Arc<Feed>,
    stop: CancellationToken,
}

impl Drop for FeedHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The synchronisation source of a stream's track: the same as long as the process runs.
pub(super) fn ssrc(boot: u64, stream: &Stream, track: u8) -> u32 {
    let key = stream.key();
    let mut h = boot ^ (key.camera.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h ^= (key.stream as u64) << 32 | u64::from(track) << 40;
    // A finaliser that spreads every bit (splitmix64).
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (h ^ (h >> 31)) as u32
}

impl FeedHandle {
    /// Starts a feed of `stream`, which has been described. What the hub holds since the last key frame is packetised
    /// before this returns, so that a reader can start at once.
    pub(super) fn start(
        stream: Arc<Stream>,
        description: Arc<StreamDescription>,
        boot: u64,
        config: FeedConfig,
    ) -> Result<Arc<FeedHandle>, rtp::RtpError> {
        let now = Instant::now();
        let mut tracks = Vec::with_capacity(description.tracks.len());
        for t in &description.tracks {
            let payloader = Arc::new(Payloader::new(t, ssrc(boot, &stream, t.id.0), config.packet_bytes)?);
            tracks.push(TrackOut { payloader, next_seq: 0, sent_packets: 0, sent_octets: 0, complained: false });
        }
        let shards = config.shards.max(1);
        let options = SubscribeOptions { join: Join::Burst, lag: Lag::Live, purpose: Purpose::Observe };
        let mut cursor = stream.subscribe(options);
        let feed = Arc::new(Feed {
            ring: Mutex::new(Ring::new(now, config.ring_bytes)),
            udp: UdpShard::new(config.udp.clone()),
            stream,
            tracks: Mutex::new(tracks),
            has_video: AtomicBool::new(description.video().is_some()),
            description: Mutex::new(description),
            shards: (0..shards).map(|_| Shard::default()).collect(),
            config,
            ended: CancellationToken::new(),
            generation: AtomicU64::new(0),
        });
        let mut events = Vec::new();
        loop {
            let full = cursor.drain(256, &mut events).is_ok() && !events.is_empty();
            for e in events.drain(..) {
                feed.take(e);
            }
            if !full {
                break;
            }
        }
        let stop = CancellationToken::new();
        let pump = Arc::clone(&feed).pump(cursor);
        spawn(&stop, pump);
        for i in 1..feed.shards.len() {
            spawn(&stop, Arc::clone(&feed).serve_shard(i));
        }
        if feed.config.udp.is_some() {
            spawn(&stop, Arc::clone(&feed).serve_udp());
        }
        Ok(Arc::new(FeedHandle { feed, stop }))
    }
}

fn spawn(stop: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(work).await;
    });
}

impl Feed {
    pub(super) fn metrics(&self) -> &RtspMetrics {
        &self.config.metrics
    }

    pub(super) fn has_video(&self) -> bool {
        self.has_video.load(Ordering::Relaxed)
    }

    async fn pump(self: Arc<Self>, mut cursor: Cursor) {
        let mut events: Vec<Event> = Vec::with_capacity(8);
        let mut round = Round::default();
        let mut reported = Instant::now();
        loop {
            match cursor.next().await {
                Ok(e) => events.push(e),
                Err(_) => break,
            }
            // Whatever else is there already goes out in the same round.
            if cursor.drain(BATCH, &mut events).is_err() {
                break;
            }
            for e in events.drain(..) {
                self.take(e);
            }
            if self.ended.is_cancelled() {
                return;
            }
            if reported.elapsed() >= REPORT_INTERVAL {
                reported = Instant::now();
                self.report();
            }
            for s in self.shards.iter().skip(1).filter(|s| s.count.load(Ordering::Relaxed) > 0) {
                s.wake.notify_one();
            }
            self.udp.wake();
            self.serve(0, &mut round).await;
        }
        debug!(stream = %self.stream.key(), "stream removed");
        self.ended.cancel();
    }

    async fn serve_shard(self: Arc<Self>, i: usize) {
        let mut round = Round::default();
        loop {
            self.shards[i].wake.notified().await;
            self.serve(i, &mut round).await;
        }
    }

    /// Brings every live reader of a shard up to the head of the ring.
    async fn serve(&self, i: usize, round: &mut Round) {
        loop {
            round.batch.clear();
            round.next = self.ring.lock().ready_from(round.next, BATCH, &mut round.batch);
            if round.batch.is_empty() {
                return;
            }
            // After looking at the ring: a reader that is live now was put in before, so it is found here.
            let shard = &self.shards[i];
            round.readers.append(&mut shard.incoming.lock());
            let (mut packets, mut bytes) = (0u64, 0u64);
            let mut at = 0;
            while at < round.readers.len() {
                let (reader, play) = &round.readers[at];
                match reader.deliver(*play, &round.batch) {
                    Some(sent) => {
                        packets += sent.0;
                        bytes += sent.1;
                        at += 1;
                    }
                    None => {
                        round.readers.swap_remove(at);
                        shard.count.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                if at % READERS_PER_TURN == READERS_PER_TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
            RtspMetrics::add(&self.config.metrics.packets, packets);
            RtspMetrics::add(&self.config.metrics.bytes, bytes);
        }
    }

    /// Adds a reader to the shard with the fewest.
    pub(super) fn add(&self, reader: Arc<TcpReader>, play: u64) {
        let load = |s: &Shard| s.count.load(Ordering::Relaxed);
        let shard = match self.shards.first() {
            Some(first) if load(first) < FIRST_SHARD => first,
            _ => match self.shards.iter().min_by_key(|s| load(s)) {
                Some(s) => s,
                None => return,
            },
        };
        shard.count.fetch_add(1, Ordering::Relaxed);
        shard.incoming.lock().push((reader, play));
    }

    fn take(&self, event: Event) {
        match event {
            Event::Unit(u) => self.packetise(u),
            Event::Description(d) => self.describe(d),
            // Readers see the hole in the timestamps; there is nothing to say in RTP.
            Event::Gap(_) => {}
            Event::Skipped(n) => {
                warn!(stream = %self.stream.key(), units = n, "the RTSP server was too slow for a stream")
            }
        }
    }

    fn describe(&self, d: Arc<StreamDescription>) {
        let mut known = self.description.lock();
        if known.generation == d.generation && known.tracks == d.tracks {
            return;
        }
        if !known.continues_as(&d) {
            info!(stream = %self.stream.key(), "codec changed: RTSP sessions end");
            self.ended.cancel();
            return;
        }
        let mut tracks = self.tracks.lock();
        for (t, out) in d.tracks.iter().zip(tracks.iter_mut()) {
            match Payloader::new(t, out.payloader.ssrc(), self.config.packet_bytes) {
                Ok(p) => out.payloader = Arc::new(p),
                Err(e) => {
                    warn!(stream = %self.stream.key(), "{e}");
                    self.ended.cancel();
                    return;
                }
            }
        }
        self.ring.lock().forget_join();
        *known = d;
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn packetise(&self, unit: Arc<AccessUnit>) {
        let mut tracks = self.tracks.lock();
        let Some(out) = tracks.get_mut(usize::from(unit.track.0)) else { return };
        let packets = match out.payloader.packetize(&unit, out.next_seq) {
            Ok(p) => p,
            Err(e) => {
                RtspMetrics::add(&self.config.metrics.unsendable, 1);
                if !std::mem::replace(&mut out.complained, true) {
                    warn!(stream = %self.stream.key(), "a unit cannot be sent over RTP: {e}");
                }
                return;
            }
        };
        let first_seq = out.next_seq;
        out.next_seq = first_seq.wrapping_add(packets.count as u16);
        out.sent_packets = out.sent_packets.wrapping_add(packets.count);
        out.sent_octets = out.sent_octets.wrapping_add(packets.payload_bytes);
        let payloader = Arc::clone(&out.payloader);
        let video = self.has_video();
        let is_picture = payloader.channel() == 0;
        let key = unit.key && (is_picture || !video);
        self.ring.lock().push_unit(unit, payloader, first_seq, packets, (key, key), Instant::now());
    }

    /// Puts a sender report of every track into the stream.
    fn report(&self) {
        let now = Instant::now();
        for (track, channel, packets) in self.reports(now) {
            self.ring.lock().push_report(track, channel, packets, now);
        }
    }

    /// Sender reports of all tracks, all for the same moment, on the default RTCP channels.
    pub(super) fn reports(&self, now: Instant) -> Vec<(u8, u8, Packets)> {
        // Media time zero in wall time, by the clocks as they are now: follows NTP, and is one for all tracks.
        let origin = self.stream.origin();
        let passed = now.saturating_duration_since(origin);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let tracks = self.tracks.lock();
        let report = |(i, t): (usize, &TrackOut)| {
            let rtp = rtp_timestamp(MediaTime::from_duration(passed, t.payloader.clock_rate()));
            let info =
                SenderInfo { ssrc: t.payloader.ssrc(), wall, rtp, packets: t.sent_packets, octets: t.sent_octets };
            let channel = t.payloader.channel() + 1;
            (i as u8, channel, interleave(channel, &rtcp::sender_report(&info, &self.config.cname)))
        };
        tracks.iter().enumerate().map(report).collect()
    }

    /// Where a reader starts: its place in the ring, whether it waits for a key frame, and for each of its tracks the
    /// first sequence number and the RTP time of the starting point, as far as they are known now.
    pub(super) fn start_of(&self, join: Join, wanted: &[u8]) -> (u64, bool, Vec<Start>) {
        let tracks = self.tracks.lock();
        let ring = self.ring.lock();
        let video = self.has_video();
        let (at, wait) = match (join, ring.join_at()) {
            (Join::Burst, Some(at)) => (at, false),
            (Join::Burst | Join::Key, _) => (ring.head(), video),
            (Join::Live, _) => (ring.head(), false),
        };
        let rate = |track: u8| tracks.get(usize::from(track)).map_or(90_000, |t| t.payloader.clock_rate());
        // The moment that the player starts at: the first unit of the first track (the pictures, if there are any).
        let moment =
            (0..tracks.len() as u8).find_map(|t| ring.first_of(t, at).map(|(_, pts)| MediaTime(pts).nanos(rate(t))));
        let starts = wanted.iter().map(|&track| {
            let first = ring.first_of(track, at).map(|(seq, _)| seq);
            let next = tracks.get(usize::from(track)).map(|t| t.next_seq);
            let seq = if wait { None } else { first.or(next) };
            let rtptime =
                moment.filter(|_| !wait).map(|ns| rtp_timestamp(MediaTime(ns).rescale(1_000_000_000, rate(track))));
            (track, seq, rtptime)
        });
        let starts = starts.collect();
        (at, wait, starts)
    }

    /// Good-byes of all tracks, on the default RTCP channels.
    pub(super) fn byes(&self) -> Vec<(u8, Packets)> {
        let tracks = self.tracks.lock();
        let bye = |(i, t): (usize, &TrackOut)| {
            (i as u8, interleave(t.payloader.channel() + 1, &rtcp::bye(t.payloader.ssrc())))
        };
        tracks.iter().enumerate().map(bye).collect()
    }
}

/// A track, its first sequence number and the RTP time of the starting point.
type Start = (u8, Option<u16>, Option<u32>);

/// One packet behind an interleaving header, as [`Packets`].
fn interleave(channel: u8, packet: &[u8]) -> Packets {
    let len = u16::try_from(packet.len()).unwrap_or(0);
    let mut data = Vec::with_capacity(packet.len() + 4);
    data.extend_from_slice(&[b'$', channel]);
    data.extend_from_slice(&len.to_be_bytes());
    data.extend_from_slice(packet);
    let payload_bytes = u32::from(len).saturating_sub(RTP_HEADER as u32);
    let runs = smallvec![Run { offset: 0, size: len, count: 1, last: len }];
    Packets { data: Bytes::from(data), runs, count: 1, payload_bytes }
}

/// A shard's place and its readers.
#[derive(Default)]
struct Round {
    next: u64,
    batch: Vec<Arc<Prepared>>,
    readers: Vec<(Arc<TcpReader>, u64)>,
}

/// Checks that a track can be sent at all, and if a picture is at hand, that this one can.
pub(super) fn check(track: &Track, sample: Option<&AccessUnit>, packet_bytes: usize) -> Result<(), rtp::RtpError> {
    let p = Payloader::new(track, 0, packet_bytes)?;
    match sample.filter(|u| u.track == track.id) {
        Some(u) => p.packetize(u, 0).map(|_| ()),
        None => Ok(()),
    }
}
