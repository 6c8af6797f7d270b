//! The one place where media crosses from those who have it to those who want it.
//!
//! A [`Stream`] is one feed of one camera. A [`Publisher`] puts access units in; [`Cursor`]s read them out of one
//! shared ring. **Publishing never waits**: a reader that is too slow loses media, by its declared [`Lag`] policy, and
//! is told so; nobody else notices. No protocol, file or user lives here.

pub mod cursor;
pub mod gate;
pub mod meter;
pub mod past;
pub mod publish;
mod ring;
pub mod state;
pub mod stream;
pub mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use vigie_base::{CameraId, StreamKey};

use ring::Room;

pub use cursor::{Closed, Cursor, Event, Join, Lag, Purpose, SubscribeOptions};
pub use gate::{Gate, OpenSession, Principal, Refused, Verb};
pub use past::Past;
pub use publish::{Publisher, SourceTrack, SourceUnit};
pub use state::{Failure, Gap, GapCause, Reason, Status, StreamState};
pub use stream::{Demand, Hold, Stream};

/// Limits of the hub.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of media that all rings together may hold. Over it claimed history goes first, where there is most of it,
    /// then every stream is held to an equal share.
    pub budget_bytes: usize,
    /// Most one stream may hold; a group of pictures larger than this cannot be joined instantly.
    pub stream_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { budget_bytes: 512 << 20, stream_bytes: 64 << 20 }
    }
}

/// Bytes held by all rings, against the one global budget.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) config: Config,
    used: AtomicUsize,
    /// The part of it that only claims keep.
    history: AtomicUsize,
    streams: AtomicUsize,
    /// Streams whose history is claimed.
    claimed: AtomicUsize,
}

impl Budget {
    pub(crate) fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }
    pub(crate) fn sub(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
    /// Tells of a change in what one stream keeps for claims only.
    pub(crate) fn history(&self, before: usize, after: usize) {
        if after >= before {
            self.history.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.history.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
    /// What one stream with that many bytes of claimed history may hold now. For readers: everything while there is
    /// room, an equal share when there is none; claimed history does not count there, because it goes first.
    pub(crate) fn room(&self, history: usize) -> Room {
        let Config { budget_bytes, stream_bytes } = self.config;
        let (used, all) = (self.used.load(Ordering::Relaxed), self.history.load(Ordering::Relaxed));
        let mut room = Room { live: stream_bytes, total: stream_bytes, history: usize::MAX };
        if used.saturating_sub(all) > budget_bytes {
            room.live = stream_bytes.min(budget_bytes / self.streams.load(Ordering::Relaxed).max(1));
        }
        if used > budget_bytes {
            // Those with more than the average give way; all of them when those do not, because their cameras are gone.
            let average = all / self.claimed.load(Ordering::Relaxed).max(1);
            let over = used - budget_bytes;
            if history >= average || over > budget_bytes / 16 {
                room.history = history.saturating_sub(over);
            }
        }
        room
    }
}

/// All streams by key. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    streams: Arc<RwLock<BTreeMap<StreamKey, Arc<Stream>>>>,
    budget: Arc<Budget>,
}

impl Hub {
    /// An empty hub.
    pub fn new(config: Config) -> Self {
        let zero = || AtomicUsize::new(0);
        let budget = Budget { config, used: zero(), history: zero(), streams: zero(), claimed: zero() };
        Self { streams: Arc::default(), budget: Arc::new(budget) }
    }

    /// The stream of that key, made when there is none yet. Its readers and its source come and go independently.
    pub fn ensure(&self, key: StreamKey) -> Arc<Stream> {
        let mut streams = self.streams.write();
        Arc::clone(streams.entry(key).or_insert_with(|| {
            self.budget.streams.fetch_add(1, Ordering::Relaxed);
            Stream::new(key, Arc::clone(&self.budget))
        }))
    }

    /// The stream of that key.
    pub fn get(&self, key: StreamKey) -> Option<Arc<Stream>> {
        self.streams.read().get(&key).cloned()
    }

    /// Ends a stream for good: its readers see [`Closed`].
    pub fn remove(&self, key: StreamKey) {
        if let Some(s) = self.streams.write().remove(&key) {
            self.budget.streams.fetch_sub(1, Ordering::Relaxed);
            s.close();
        }
    }

    /// Ends all streams of a camera.
    pub fn remove_camera(&self, camera: CameraId) {
        let keys: Vec<_> = self.streams.read().keys().filter(|k| k.camera == camera).copied().collect();
        for key in keys {
            self.remove(key);
        }
    }

    /// All streams, in key order.
    pub fn list(&self) -> Vec<Arc<Stream>> {
        self.streams.read().values().cloned().collect()
    }

    /// Bytes of media held by all rings.
    pub fn held_bytes(&self) -> usize {
        self.budget.used.load(Ordering::Relaxed)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(Config::default())
    }
}
