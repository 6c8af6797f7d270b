//! The shared history of a stream: enough to start at the last key frame, and no more.

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

#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Each entry with the sum of bytes before it since the stream began.
    entries: VecDeque<(u64, Entry)>,
    /// Sequence number of `entries[0]`.
    base: u64,
    total: u64,
    bytes: usize,
    /// Sequence number of the newest place where a decoder can start, while it is in the ring.
    join_at: Option<u64>,
    last_key: Option<Arc<AccessUnit>>,
    description: Option<Arc<StreamDescription>>,
    pins: Vec<Arc<Pin>>,
}

impl Ring {
    /// One past the newest entry.
    pub(crate) fn head(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
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

    /// Appends an entry. `join` says that a decoder can start here.
    pub(crate) fn push(&mut self, entry: Entry, join: bool) {
        let bytes = entry.bytes();
        let seq = self.head();
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

    /// Lets go of what nobody needs. `share` is what this stream may hold now.
    pub(crate) fn trim(&mut self, now: Instant, share: usize) {
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
        // What is said right before the key frame (a gap, new parameters) belongs to it: a reader that took everything
        // up to there must not miss it.
        let mut start = self.join_at.unwrap_or(u64::MAX);
        while start != u64::MAX
            && matches!(self.get(start.wrapping_sub(1)), Some(Entry::Description(_) | Entry::Gap(_)))
        {
            start -= 1;
        }
        while let Some((_, e)) = self.entries.front() {
            let young = match e {
                Entry::Unit(u) => now.saturating_duration_since(u.arrived) < GRACE,
                Entry::Description(_) | Entry::Gap(_) => false,
            };
            let over = self.bytes > share;
            let needed = self.base >= start || young;
            // The newest entry always stays: somebody is about to read it.
            if self.base >= pinned || (needed && !over) || self.entries.len() == 1 {
                break;
            }
            self.pop();
        }
        if self.join_at.is_some_and(|j| j < self.base) {
            self.join_at = None;
        }
    }

    fn pop(&mut self) {
        if let Some((_, e)) = self.entries.pop_front() {
            self.bytes -= e.bytes();
            self.base += 1;
        }
    }

    /// Forgets all media (the source is idle): nobody should join into the past.
    pub(crate) fn clear(&mut self) {
        let pinned = self.pins.iter().map(|p| p.next.load(Ordering::Acquire)).min().unwrap_or(u64::MAX);
        while !self.entries.is_empty() && self.base < pinned {
            self.pop();
        }
        self.join_at = None;
    }
}
