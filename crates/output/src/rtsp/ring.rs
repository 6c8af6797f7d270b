//! The packets of a stream since its last key frame, made once for all readers.
//!
//! **Packets are a cache, units are the truth**: a slot keeps the access unit (shared with the hub) and its first
//! sequence number; the packets of a moment ago are let go and made again, byte for byte, when somebody joins. So a
//! stream holds its group of pictures once and not twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use smallvec::SmallVec;
use vigie_media::AccessUnit;
use vigie_media::rtp::{Packets, Payloader};

/// Slots this young stay although a newer key frame is there, for readers that are a moment late.
const GRACE: Duration = Duration::from_secs(1);
/// Packets that nobody asked for during this time are let go.
const COOL: Duration = Duration::from_millis(150);

/// Packets ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Place in the stream.
    pub(super) seq: u64,
    /// Which track.
    pub(super) track: u8,
    /// A decoder can start here.
    pub(super) key: bool,
    /// These are RTCP packets.
    pub(super) rtcp: bool,
    pub(super) packets: Packets,
    /// The channel that `packets` were made for.
    channel: u8,
    others: Mutex<SmallVec<[(u8, Bytes); 1]>>,
}

impl Prepared {
    pub(super) fn new(seq: u64, track: u8, key: bool, rtcp: bool, channel: u8, packets: Packets) -> Self {
        Self { seq, track, key, rtcp, packets, channel, others: Mutex::default() }
    }

    /// The bytes for an interleaved channel.
    pub(super) fn bytes(&self, channel: u8) -> Bytes {
        if channel == self.channel {
            return self.packets.data.clone();
        }
        let mut others = self.others.lock();
        if let Some((_, b)) = others.iter().find(|o| o.0 == channel) {
            return b.clone();
        }
        let b = self.packets.for_channel(channel);
        others.push((channel, b.clone()));
        b
    }
}

#[derive(Debug)]
enum Body {
    Unit {
        unit: Arc<AccessUnit>,
        payloader: Arc<Payloader>,
        first_seq: u16,
    },
    /// Small; kept as it is.
    Report,
}

#[derive(Debug)]
struct Slot {
    body: Body,
    track: u8,
    /// A decoder can start here.
    key: bool,
    made: Instant,
    ready: Option<Arc<Prepared>>,
    touched: Instant,
}

#[derive(Debug)]
pub(super) struct Ring {
    slots: VecDeque<Slot>,
    /// Place of `slots[0]`.
    base: u64,
    join_at: Option<u64>,
    swept: Instant,
    max_bytes: usize,
    bytes: usize,
}

/// What a reader finds at its place.
pub(super) enum Next {
    /// These packets.
    Ready(Arc<Prepared>),
    /// Nothing yet.
    AtHead,
    /// Its place is gone; this is where it can go on, and how many units it lost.
    Lost {
        /// The newest place to start, or the head.
        at: u64,
        /// Units between.
        units: u64,
    },
}

impl Ring {
    pub(super) fn new(now: Instant, max_bytes: usize) -> Self {
        Self { slots: VecDeque::new(), base: 0, join_at: None, swept: now, max_bytes, bytes: 0 }
    }

    pub(super) fn head(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    /// Where a newcomer can start now.
    pub(super) fn join_at(&self) -> Option<u64> {
        self.join_at
    }

    /// Adds a unit with its packets. `join` says that a newcomer can start here.
    pub(super) fn push_unit(
        &mut self,
        unit: Arc<AccessUnit>,
        payloader: Arc<Payloader>,
        first_seq: u16,
        packets: Packets,
        (key, join): (bool, bool),
        now: Instant,
    ) {
        let seq = self.head();
        let ready = Arc::new(Prepared::new(seq, unit.track.0, key, false, payloader.channel(), packets));
        self.bytes += unit.data.len();
        let track = unit.track.0;
        let body = Body::Unit { unit, payloader, first_seq };
        self.slots.push_back(Slot { body, track, key, made: now, ready: Some(ready), touched: now });
        if join {
            self.join_at = Some(seq);
        }
        self.trim(now);
    }

    /// Adds an RTCP packet at this place of the stream.
    pub(super) fn push_report(&mut self, track: u8, channel: u8, packets: Packets, now: Instant) {
        let ready = Arc::new(Prepared::new(self.head(), track, false, true, channel, packets));
        self.slots.push_back(Slot {
            body: Body::Report,
            track,
            key: false,
            made: now,
            ready: Some(ready),
            touched: now,
        });
    }

    fn trim(&mut self, now: Instant) {
        while let Some(s) = self.slots.front() {
            let needed = self.join_at.is_some_and(|j| self.base >= j);
            let young = now.saturating_duration_since(s.made) < GRACE;
            if self.slots.len() == 1 || ((needed || young) && self.bytes <= self.max_bytes) {
                break;
            }
            if let Some(Slot { body: Body::Unit { unit, .. }, .. }) = self.slots.pop_front() {
                self.bytes -= unit.data.len();
            }
            self.base += 1;
        }
        if self.join_at.is_some_and(|j| j < self.base) {
            self.join_at = None;
        }
        if now.saturating_duration_since(self.swept) >= COOL {
            self.swept = now;
            for s in &mut self.slots {
                if matches!(s.body, Body::Unit { .. }) && now.saturating_duration_since(s.touched) >= COOL {
                    s.ready = None;
                }
            }
        }
    }

    /// The packets at `seq`.
    pub(super) fn get(&mut self, seq: u64, now: Instant) -> Next {
        let Some(i) = seq.checked_sub(self.base).and_then(|i| usize::try_from(i).ok()) else {
            let at = self.join_at.unwrap_or(self.head());
            return Next::Lost { at, units: at - seq };
        };
        let Some(slot) = self.slots.get_mut(i) else { return Next::AtHead };
        slot.touched = now;
        if let Some(r) = &slot.ready {
            return Next::Ready(Arc::clone(r));
        }
        let packets = match &slot.body {
            // It was packetised before, so it can be again; an empty result would only skip the slot.
            Body::Unit { unit, payloader, first_seq } => payloader.packetize(unit, *first_seq).unwrap_or_default(),
            Body::Report => Packets::default(),
        };
        let channel = match &slot.body {
            Body::Unit { payloader, .. } => payloader.channel(),
            Body::Report => 0,
        };
        let ready = Arc::new(Prepared::new(seq, slot.track, slot.key, false, channel, packets));
        slot.ready = Some(Arc::clone(&ready));
        Next::Ready(ready)
    }

    /// Everything from `from` on that is ready, at most `max` slots; returns the place after them. A caller that fell
    /// behind the ring goes on at its base: its readers are somewhere else by then.
    pub(super) fn ready_from(&mut self, from: u64, max: usize, out: &mut Vec<Arc<Prepared>>) -> u64 {
        let now = Instant::now();
        let mut at = from.max(self.base);
        for _ in 0..max {
            match self.get(at, now) {
                Next::Ready(p) => out.push(p),
                Next::AtHead | Next::Lost { .. } => break,
            }
            at += 1;
        }
        at
    }

    /// First unit of a track at or after `from`: its sequence number and presentation time.
    pub(super) fn first_of(&self, track: u8, from: u64) -> Option<(u16, i64)> {
        let skip = usize::try_from(from.saturating_sub(self.base)).ok()?;
        self.slots.iter().skip(skip).filter(|s| s.track == track).find_map(|s| match &s.body {
            Body::Unit { unit, first_seq, .. } => Some((*first_seq, unit.pts.0)),
            Body::Report => None,
        })
    }

    /// Forgets everything: what comes now cannot be decoded with what came before.
    pub(super) fn forget_join(&mut self) {
        self.join_at = None;
    }
}

#[cfg(test)]
mod tests {
    use vigie_media::{Codec, G711Law, G711Params, MediaTime, Track, TrackId};

    use super::*;

    fn payloader() -> Arc<Payloader> {
        let codec = Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 });
        Arc::new(Payloader::new(&Track { id: TrackId(0), clock_rate: 8000, codec }, 7, 1400).unwrap())
    }

    fn push(ring: &mut Ring, p: &Arc<Payloader>, i: u16, join: bool, now: Instant) {
        let pts = MediaTime(i64::from(i) * 160);
        let data = Bytes::from(vec![i as u8; 3000]);
        let unit = AccessUnit { track: TrackId(0), pts, dts: pts, arrived: now, key: join, data };
        let packets = p.packetize(&unit, i * 3).unwrap();
        ring.push_unit(Arc::new(unit), Arc::clone(p), i * 3, packets, (join, join), now);
    }

    fn ready(ring: &mut Ring, seq: u64, now: Instant) -> Arc<Prepared> {
        match ring.get(seq, now) {
            Next::Ready(p) => p,
            _ => panic!("{seq} is not there"),
        }
    }

    #[test]
    fn packets_that_were_let_go_come_back_byte_for_byte() {
        let (start, p) = (Instant::now(), payloader());
        let mut ring = Ring::new(start, 1 << 20);
        push(&mut ring, &p, 0, true, start);
        let before = ready(&mut ring, 0, start).packets.data.clone();
        for i in 1..20 {
            push(&mut ring, &p, i, false, start + Duration::from_millis(u64::from(i) * 100));
        }
        assert!(ring.slots[0].ready.is_none(), "nobody asked for them for 1.9 s");
        assert!(ring.slots[19].ready.is_some());
        let after = ready(&mut ring, 0, start + Duration::from_secs(2));
        assert_eq!((after.packets.data.clone(), after.key), (before, true));
    }

    #[test]
    fn the_last_group_stays_and_late_readers_are_sent_to_its_beginning() {
        let (start, p) = (Instant::now(), payloader());
        let mut ring = Ring::new(start, 1 << 20);
        for i in 0..60u16 {
            push(&mut ring, &p, i, i % 25 == 0, start + Duration::from_millis(u64::from(i) * 40));
        }
        // Key frames at 0, 25 and 50; less than one second of grace before now (59 x 40 ms).
        assert_eq!((ring.join_at(), ring.base), (Some(50), 35));
        let now = start + Duration::from_secs(3);
        assert!(matches!(ring.get(3, now), Next::Lost { at: 50, units: 47 }));
        assert!(matches!(ring.get(60, now), Next::AtHead));
        assert_eq!(ring.first_of(0, 50), Some((150, 8000)));
        let mut out = Vec::new();
        assert_eq!(ring.ready_from(0, 5, &mut out), 40);
        assert_eq!(out.iter().map(|p| p.seq).collect::<Vec<_>>(), [35, 36, 37, 38, 39]);
    }

    #[test]
    fn a_group_larger_than_the_bound_cannot_be_joined() {
        let (start, p) = (Instant::now(), payloader());
        let mut ring = Ring::new(start, 30_000);
        for i in 0..30u16 {
            push(&mut ring, &p, i, i == 0, start + Duration::from_millis(u64::from(i)));
        }
        assert_eq!(ring.join_at(), None);
        assert!(ring.bytes <= 30_000 && ring.slots.len() == 10);
    }
}
