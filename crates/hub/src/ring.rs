//! The shared history of a stream: enough to start at the last key frame, and as much more as somebody claims.
//!
//! **Claimed history is the first to go and is never a reader's backlog**: behind `live` it is dropped by whole groups
//! of pictures when room is short, and a slow viewer skips as if it were not there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vigie_media::{AccessUnit, StreamDescription};

use crate::Gap;

/// Units this young stay, even when a newer key frame is there: a reader that is a moment late loses nothing.
const GRACE: Duration = Duration::from_millis(1000);
/// Charged for an entry beside its media.
const ENTRY_BYTES: usize = 160;

#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Unit(Arc<AccessUnit>),
    Description(Arc<StreamDescription>),
    Gap(Gap),
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Entry::Unit(u) => ENTRY_BYTES + u.data.len(),
            Entry::Description(_) | Entry::Gap(_) => ENTRY_BYTES,
        }
    }
}

/// The place of a reader that must not lose anything, and how much may be kept for it.
#[derive(Debug)]
pub(crate) struct Pin {
    pub(crate) next: AtomicU64,
    pub(crate) limit_bytes: usize,
    pub(crate) released: AtomicBool,
}

/// A place where a decoder can start.
#[derive(Debug)]
struct JoinPoint {
    seq: u64,
    arrived: Instant,
    /// The tracks in force there.
    description: Option<Arc<StreamDescription>>,
}

/// What a ring may hold now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Bytes for readers: the newest group of pictures and what is too young to go.
    pub(crate) live: usize,
    /// Bytes with claimed history.
    pub(crate) total: usize,
    /// Bytes of claimed history alone.
    pub(crate) history: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Each entry with the sum of bytes before it since the stream began.
    entries: VecDeque<(u64, Entry)>,
    /// Sequence number of `entries[0]`.
    base: u64,
    /// Sequence number of the oldest entry that viewers may still get; what lies before it is history.
    live: u64,
    total: u64,
    bytes: usize,
    /// Sequence number of the newest place where a decoder can start, while it is in the ring.
    join_at: Option<u64>,
    last_key: Option<Arc<AccessUnit>>,
    description: Option<Arc<StreamDescription>>,
    pins: Vec<Arc<Pin>>,
    /// All join points in the ring, oldest first.
    joins: VecDeque<JoinPoint>,
    /// How much of the past each claim wants; the longest counts.
    claims: Vec<Duration>,
    /// When the newest unit arrived.
    newest: Option<Instant>,
}

impl Ring {
    /// One past the newest entry.
    pub(crate) fn head(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Sequence number of the oldest entry that a viewer may get.
    pub(crate) fn live(&self) -> u64 {
        self.live
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that only claims keep.
    pub(crate) fn history_bytes(&self) -> usize {
        self.bytes.saturating_sub(usize::try_from(self.bytes_from(self.live)).unwrap_or(usize::MAX))
    }

    pub(crate) fn join_at(&self) -> Option<u64> {
        self.join_at
    }

    pub(crate) fn last_key(&self) -> Option<&Arc<AccessUnit>> {
        self.last_key.as_ref()
    }

    pub(crate) fn description(&self) -> Option<&Arc<StreamDescription>> {
        self.description.as_ref()
    }

    /// The description in force at `seq`: the last one before it that is still in the ring, else the oldest known.
    pub(crate) fn get(&self, seq: u64) -> Option<&Entry> {
        let i = usize::try_from(seq.checked_sub(self.base)?).ok()?;
        self.entries.get(i).map(|e| &e.1)
    }

    /// Bytes between `seq` and the head.
    pub(crate) fn bytes_from(&self, seq: u64) -> u64 {
        match seq.checked_sub(self.base).and_then(|i| usize::try_from(i).ok()) {
            Some(i) => self.entries.get(i).map_or(0, |e| self.total - e.0),
            None => self.bytes as u64,
        }
    }

    pub(crate) fn pin(&mut self, pin: Arc<Pin>) {
        self.pins.push(pin);
    }

    pub(crate) fn unpin(&mut self, pin: &Arc<Pin>) {
        self.pins.retain(|p| !Arc::ptr_eq(p, pin));
    }

    /// Another claim on the past.
    pub(crate) fn claim(&mut self, past: Duration) {
        self.claims.push(past);
    }

    /// Takes one claim of that length back.
    pub(crate) fn unclaim(&mut self, past: Duration) {
        if let Some(i) = self.claims.iter().position(|c| *c == past) {
            self.claims.swap_remove(i);
        }
    }

    /// Whether anybody claims history.
    pub(crate) fn is_claimed(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Sequence number of the newest join point that arrived at or before `at`, else of the oldest one, with the tracks
    /// in force there.
    pub(crate) fn join_before(&self, at: Instant) -> Option<(u64, Arc<StreamDescription>)> {
        let after = self.joins.partition_point(|j| j.arrived <= at);
        let join = self.joins.get(after.saturating_sub(1))?;
        Some((join.seq, Arc::clone(join.description.as_ref()?)))
    }

    /// When the newest unit arrived.
    pub(crate) fn newest(&self) -> Option<Instant> {
        self.newest
    }

    /// The entries from `seq` on.
    pub(crate) fn entries_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        let from = usize::try_from(seq.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.range(from..).map(|e| &e.1)
    }

    /// Appends an entry. `join` says that a decoder can start here.
    pub(crate) fn push(&mut self, entry: Entry, join: bool) {
        let bytes = entry.bytes();
        let seq = self.head();
        if let Entry::Unit(u) = &entry {
            self.newest = Some(self.newest.map_or(u.arrived, |n| n.max(u.arrived)));
            if join {
                let description = self.description.clone();
                self.joins.push_back(JoinPoint { seq, arrived: u.arrived, description });
            }
        }
        match &entry {
            Entry::Description(d) => {
                self.description = Some(Arc::clone(d));
                // What came before cannot be decoded with what comes now.
                self.join_at = None;
                self.last_key = None;
            }
            Entry::Unit(u) if join => {
                self.join_at = Some(seq);
                self.last_key = Some(Arc::clone(u));
            }
            Entry::Unit(_) | Entry::Gap(_) => {}
        }
        self.entries.push_back((self.total, entry));
        self.total += bytes as u64;
        self.bytes += bytes;
    }

    /// Lets go of what nobody needs. The cost is that of the entries that go, whatever the ring holds.
    pub(crate) fn trim(&mut self, now: Instant, room: Room) {
        let pinned = self.pinned();
        self.advance_live(now, room.live, pinned);
        if self.join_at.is_some_and(|j| j < self.live) {
            self.join_at = None;
        }
        let keep = self.history_start(room).min(pinned).min(self.live);
        while self.base < keep && self.entries.len() > 1 {
            self.pop();
        }
    }

    /// The oldest entry that a reader who must not lose anything still has to get.
    fn pinned(&self) -> u64 {
        let mut pinned = u64::MAX;
        for pin in &self.pins {
            let next = pin.next.load(Ordering::Acquire);
            if self.bytes_from(next) > pin.limit_bytes as u64 {
                pin.released.store(true, Ordering::Release);
            } else {
                pin.released.store(false, Ordering::Release);
                pinned = pinned.min(next);
            }
        }
        pinned
    }

    /// What is said right before an entry (a gap, new parameters) belongs to it: a reader that took everything up to
    /// there must not miss it.
    fn lead(&self, mut seq: u64) -> u64 {
        while matches!(self.get(seq.wrapping_sub(1)), Some(Entry::Description(_) | Entry::Gap(_))) {
            seq -= 1;
        }
        seq
    }

    fn advance_live(&mut self, now: Instant, share: usize, pinned: u64) {
        let start = self.join_at.map_or(u64::MAX, |j| self.lead(j));
        while let Some(e) = self.get(self.live) {
            let young = match e {
                Entry::Unit(u) => now.saturating_duration_since(u.arrived) < GRACE,
                Entry::Description(_) | Entry::Gap(_) => false,
            };
            let over = self.bytes_from(self.live) > share as u64;
            let needed = self.live >= start || young;
            // The newest entry always stays: somebody is about to read it.
            if self.live >= pinned || (needed && !over) || self.live + 1 == self.head() {
                break;
            }
            self.live += 1;
        }
    }

    /// Where the claimed history begins, after letting go of groups of pictures that are older than any claim or that
    /// there is no room for.
    fn history_start(&mut self, room: Room) -> u64 {
        let (Some(&past), Some(newest)) = (self.claims.iter().max(), self.newest) else { return u64::MAX };
        while let Some(first) = self.joins.front().filter(|j| j.seq < self.live) {
            let start = self.lead(first.seq);
            let total = self.bytes_from(start);
            let history = total.saturating_sub(self.bytes_from(self.live));
            let short = total > room.total as u64 || history > room.history as u64;
            let old = self.joins.get(1).is_some_and(|next| newest.saturating_duration_since(next.arrived) >= past);
            if !short && !old {
                return start;
            }
            self.joins.pop_front();
        }
        u64::MAX
    }

    fn pop(&mut self) {
        if let Some((_, e)) = self.entries.pop_front() {
            self.bytes -= e.bytes();
            self.base += 1;
            self.live = self.live.max(self.base);
            if self.joins.front().is_some_and(|j| j.seq < self.base) {
                self.joins.pop_front();
            }
        }
    }

    /// Forgets all media (the source is idle): nobody should join into the past.
    pub(crate) fn clear(&mut self) {
        let pinned = self.pins.iter().map(|p| p.next.load(Ordering::Acquire)).min().unwrap_or(u64::MAX);
        while !self.entries.is_empty() && self.base < pinned {
            self.pop();
        }
        self.live = self.head().min(pinned).max(self.base);
        self.join_at = None;
        self.joins.clear();
    }
}
