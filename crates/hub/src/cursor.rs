//! A reader's place in a stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use vigie_media::{AccessUnit, MediaKind, StreamDescription};

use crate::ring::{Entry, Pin, Ring};
use crate::stream::Stream;
use crate::{Gap, GapCause};

/// Where a newcomer starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// At the last key frame, everything since then at once: a picture immediately, some seconds late for players
    /// that do not catch up.
    #[default]
    Burst,
    /// At the next key frame: no catching up, up to one key-frame interval of waiting.
    Key,
    /// At the very next unit, decodable or not.
    Live,
}

/// What happens to a reader that is slower than the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// Skip to the newest key frame, and count what was lost.
    Live,
    /// Keep up to this many bytes for the reader; beyond it, an explicit gap.
    Keep {
        /// The bound.
        bytes: usize,
    },
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Somebody watches.
    View,
    /// It is being recorded.
    Record,
    /// Nobody counts it: it reads what is there, but does not make a source start.
    Observe,
}

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct SubscribeOptions {
    /// Where to start.
    pub join: Join,
    /// What to do when late.
    pub lag: Lag,
    /// Who reads.
    pub purpose: Purpose,
}

impl SubscribeOptions {
    /// A viewer: starts at the last key frame, skips when late.
    pub fn view() -> Self {
        Self { join: Join::Burst, lag: Lag::Live, purpose: Purpose::View }
    }

    /// A recorder that may fall behind by `bytes`.
    pub fn record(bytes: usize) -> Self {
        Self { join: Join::Burst, lag: Lag::Keep { bytes }, purpose: Purpose::Record }
    }
}

/// What a reader gets, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// The tracks from here on. Always comes before the first unit, and again whenever something changes.
    Description(Arc<StreamDescription>),
    /// One picture or one piece of sound.
    Unit(Arc<AccessUnit>),
    /// Media is missing here for everybody.
    Gap(Gap),
    /// This reader was too slow and lost this many entries; the next unit of the video track is a key frame.
    Skipped(u64),
}

/// The stream was removed; nothing more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream was removed")]
pub struct Closed;

/// Reads one stream. Dropping it ends the reader's demand.
#[derive(Debug)]
pub struct Cursor {
    stream: Arc<Stream>,
    options: SubscribeOptions,
    next: u64,
    /// Units are withheld until a key frame.
    need_key: bool,
    pin: Option<Arc<Pin>>,
    ready: VecDeque<Event>,
    described: bool,
    last_arrival: Option<Instant>,
}

impl Cursor {
    pub(crate) fn new(stream: Arc<Stream>, options: SubscribeOptions) -> Self {
        let mut ring = stream.ring.lock();
        let (next, need_key) = match (options.join, ring.join_at()) {
            (Join::Burst, Some(at)) => (at, true),
            (Join::Burst | Join::Key, _) => (ring.head(), true),
            (Join::Live, _) => (ring.head(), false),
        };
        let pin = match options.lag {
            Lag::Live => None,
            Lag::Keep { bytes } => {
                let next = AtomicU64::new(next);
                let pin = Arc::new(Pin { next, limit_bytes: bytes, released: AtomicBool::new(false) });
                ring.pin(Arc::clone(&pin));
                Some(pin)
            }
        };
        let mut ready = VecDeque::new();
        let mut described = false;
        if let Some(d) = ring.description() {
            ready.push_back(Event::Description(Arc::clone(d)));
            described = true;
        }
        drop(ring);
        Self { stream, options, next, need_key, pin, ready, described, last_arrival: None }
    }

    /// The stream being read.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// The next event, when there is one now.
    pub fn try_next(&mut self) -> Result<Option<Event>, Closed> {
        if self.ready.is_empty() {
            self.fill(1);
        }
        match self.ready.pop_front() {
            Some(e) => Ok(Some(e)),
            None if self.stream.is_closed() => Err(Closed),
            None => Ok(None),
        }
    }

    /// The next event, waiting for it. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, Closed> {
        let stream = Arc::clone(&self.stream);
        loop {
            let changed = stream.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that nothing published in between is slept through.
            changed.as_mut().enable();
            if let Some(e) = self.try_next()? {
                return Ok(e);
            }
            changed.await;
        }
    }

    /// Takes everything there is now, up to `max` entries of the ring, with one look at it.
    pub fn drain(&mut self, max: usize, out: &mut Vec<Event>) -> Result<(), Closed> {
        if self.ready.len() < max {
            self.fill(max - self.ready.len());
        }
        if self.ready.is_empty() && self.stream.is_closed() {
            return Err(Closed);
        }
        out.extend(self.ready.drain(..));
        Ok(())
    }

    /// Entries and bytes published that this reader has not taken yet.
    pub fn lag(&self) -> (u64, u64) {
        let ring = self.stream.ring.lock();
        let next = self.next.max(self.oldest(&ring));
        (ring.head() - next, ring.bytes_from(next))
    }

    /// Gives up everything before the newest key frame (or waits for the next one when there is none in the ring);
    /// returns how many entries were lost. For a reader whose own queue is full.
    pub fn skip_to_key(&mut self) -> u64 {
        let ring = self.stream.ring.lock();
        let to = ring.join_at().filter(|&j| j >= self.next).unwrap_or(ring.head());
        let lost = to.saturating_sub(self.next) + self.ready.len() as u64;
        self.next = to;
        drop(ring);
        // A change of description must not be lost with the media.
        self.ready.retain(|e| matches!(e, Event::Description(_)));
        self.need_key = true;
        self.moved();
        self.stream.count_skipped(lost);
        lost
    }

    /// The oldest entry that this reader may still get: what is only kept as history is nobody's backlog.
    fn oldest(&self, ring: &Ring) -> u64 {
        if self.pin.is_some() { ring.base() } else { ring.live() }
    }

    fn moved(&self) {
        if let Some(pin) = &self.pin {
            pin.next.store(self.next, Ordering::Release);
        }
    }

    fn fill(&mut self, max: usize) {
        let stream = Arc::clone(&self.stream);
        let ring = stream.ring.lock();
        if self.next < self.oldest(&ring) {
            let to = ring.join_at().unwrap_or(ring.head());
            let lost = to - self.next;
            self.next = to;
            self.need_key = true;
            if let Some(d) = ring.description() {
                // It may have changed in what was lost.
                self.ready.push_back(Event::Description(Arc::clone(d)));
            }
            match self.options.lag {
                Lag::Live => self.ready.push_back(Event::Skipped(lost)),
                Lag::Keep { .. } => {
                    let now = Instant::now();
                    let from = self.last_arrival.unwrap_or(now);
                    self.ready.push_back(Event::Gap(Gap { cause: GapCause::Overrun, from, to: now }));
                }
            }
            stream.count_skipped(lost);
        }
        let has_video = ring.description().is_some_and(|d| d.video().is_some());
        while self.ready.len() < max {
            let Some(entry) = ring.get(self.next) else { break };
            self.next += 1;
            match entry {
                Entry::Description(d) => {
                    self.described = true;
                    self.ready.push_back(Event::Description(Arc::clone(d)));
                }
                Entry::Gap(g) => self.ready.push_back(Event::Gap(*g)),
                Entry::Unit(u) => {
                    let video =
                        ring.description().and_then(|d| d.track(u.track)).is_some_and(|t| t.kind() == MediaKind::Video);
                    if self.need_key && has_video && !(video && u.key) {
                        continue;
                    }
                    self.need_key = false;
                    self.last_arrival = Some(u.arrived);
                    self.ready.push_back(Event::Unit(Arc::clone(u)));
                }
            }
        }
        drop(ring);
        self.moved();
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        if let Some(pin) = &self.pin {
            self.stream.ring.lock().unpin(pin);
        }
        self.stream.leave(self.options.purpose);
    }
}
