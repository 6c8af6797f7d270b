//! What a stream keeps of its past, taken at one moment.
//!
//! **A snapshot, not a reader**: it holds references to units that were published, costs the stream nothing while it
//! lives, and does not grow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_media::{AccessUnit, StreamDescription};

use crate::cursor::Event;
use crate::ring::Entry;

impl From<&Entry> for Event {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Unit(u) => Event::Unit(Arc::clone(u)),
            Entry::Description(d) => Event::Description(Arc::clone(d)),
            Entry::Gap(g) => Event::Gap(*g),
        }
    }
}

/// See [`crate::Stream::past`].
#[derive(Debug, Clone)]
pub struct Past {
    /// The instant of media time zero: `origin + pts` is when a unit was due.
    pub origin: Instant,
    /// When the snapshot was taken.
    pub taken: Instant,
    /// The tracks in force at the beginning.
    pub description: Arc<StreamDescription>,
    /// In the order of the stream; begins with a key frame (of the video track, when there is one).
    pub events: Vec<Event>,
}

impl Past {
    /// The units, in the order of the stream.
    pub fn units(&self) -> impl Iterator<Item = &Arc<AccessUnit>> {
        self.events.iter().filter_map(|e| if let Event::Unit(u) = e { Some(u) } else { None })
    }

    /// Key frames that it holds.
    pub fn key_frames(&self) -> usize {
        let video = self.description.video().map(|t| t.id);
        self.units().filter(|u| u.key && video.is_none_or(|v| v == u.track)).count()
    }

    /// Time from the arrival of its first unit to that of its last one.
    pub fn length(&self) -> Duration {
        let first = self.units().next().map(|u| u.arrived);
        let last = self.units().last().map(|u| u.arrived);
        first.zip(last).map_or(Duration::ZERO, |(a, b)| b.saturating_duration_since(a))
    }
}
