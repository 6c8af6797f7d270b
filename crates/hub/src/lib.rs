//! The one place where media crosses from those who have it to those who want it.
//!
//! A [`Stream`] is one feed of one camera. A [`Publisher`] puts access units in; [`Cursor`]s read them out of one
//! shared ring. **Publishing never waits**: a reader that is too slow loses media, by its declared [`Lag`] policy, and
//! is told so; nobody else notices. No protocol, file or user lives here.

pub mod cursor;
pub mod gate;
pub mod meter;
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

pub use cursor::{Closed, Cursor, Event, Join, Lag, Purpose, SubscribeOptions};
pub use gate::{Gate, Principal, Verb};
pub use publish::{Publisher, SourceTrack, SourceUnit};
pub use state::{Failure, Gap, GapCause, Reason, Status, StreamState};
pub use stream::{Demand, Hold, Stream};

/// Limits of the hub.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bytes of media that all rings together may hold. Over it, streams keep less history, longest first.
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
    streams: AtomicUsize,
}

impl Budget {
    pub(crate) fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }
    pub(crate) fn sub(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
    /// What one stream may hold now: everything while there is room, an equal share when there is none.
    pub(crate) fn share(&self) -> usize {
        let cap = self.config.stream_bytes;
        if self.used.load(Ordering::Relaxed) <= self.config.budget_bytes {
            return cap;
        }
        cap.min(self.config.budget_bytes / self.streams.load(Ordering::Relaxed).max(1))
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
        let budget = Budget { config, used: AtomicUsize::new(0), streams: AtomicUsize::new(0) };
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
