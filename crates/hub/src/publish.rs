//! The way into a stream.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use vigie_media::{AccessUnit, Codec, MediaKind, StreamDescription, Track, TrackId};

use crate::ring::Entry;
use crate::state::Status;
use crate::stream::Stream;
use crate::{Gap, GapCause};

/// A new connection that brings pictures this soon after the old one has left no hole.
const MIN_CUT: Duration = Duration::from_millis(200);
/// Within one connection, a hole shorter than this is jitter.
const MIN_SILENCE: Duration = Duration::from_secs(3);

/// A track as the source describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceTrack {
    /// Ticks per second of its timestamps, not zero.
    pub clock_rate: u32,
    /// Codec and parameters.
    pub codec: Codec,
}

/// A unit as the source delivers it.
#[derive(Debug, Clone)]
pub struct SourceUnit {
    /// Index into the described tracks.
    pub track: TrackId,
    /// Presentation time in source ticks: any origin, no wrap (unroll RTP's 32 bits first).
    pub pts: i64,
    /// Decode time in source ticks, when the source knows it; derived otherwise.
    pub dts: Option<i64>,
    /// Presentation time in nanoseconds of a clock that all tracks of the source share, when there is one.
    pub shared_ns: Option<i64>,
    /// When its last byte arrived.
    pub arrived: Instant,
    /// A decoder can start here.
    pub key: bool,
    /// The payload, in the form that [`AccessUnit::data`] documents.
    pub data: Bytes,
}

/// Why nothing can be published any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// A newer publisher took over, or the stream was removed.
    #[error("somebody else publishes this stream now, or it was removed")]
    Superseded,
    /// A unit of a track that was not described.
    #[error("a unit of a track that was not described")]
    UnknownTrack,
    /// No tracks, more than 8 of them, or a clock rate of zero.
    #[error("a stream needs one to eight tracks with a clock rate")]
    BadDescription,
}

/// The right to publish into one stream, for one connection of its source.
#[derive(Debug)]
pub struct Publisher {
    stream: Arc<Stream>,
    /// `None` until a standby publisher takes over.
    epoch: Option<u64>,
    cause: GapCause,
    first: bool,
    need_key: bool,
    video: Option<TrackId>,
}

impl Publisher {
    pub(crate) fn new(stream: Arc<Stream>, cause: GapCause) -> Self {
        let mut publisher = Self::standby(stream, cause);
        publisher.claim();
        publisher
    }

    pub(crate) fn standby(stream: Arc<Stream>, cause: GapCause) -> Self {
        Self { stream, epoch: None, cause, first: true, need_key: true, video: None }
    }

    /// Takes the stream over from whoever had it.
    fn claim(&mut self) {
        self.epoch = Some(self.stream.epoch.fetch_add(1, Ordering::AcqRel) + 1);
        self.stream.timeline.lock().reconnect();
    }

    /// The stream that is published into.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    fn check(&self) -> Result<(), PublishError> {
        let current = self.stream.epoch.load(Ordering::Acquire);
        if self.epoch == Some(current) { Ok(()) } else { Err(PublishError::Superseded) }
    }

    /// Says what the tracks are. May be called again whenever parameters change; nothing happens when they did not.
    pub fn describe(&mut self, tracks: Vec<SourceTrack>) -> Result<Arc<StreamDescription>, PublishError> {
        if self.epoch.is_some() {
            self.check()?;
        }
        if tracks.is_empty() || tracks.len() > 8 || tracks.iter().any(|t| t.clock_rate == 0) {
            return Err(PublishError::BadDescription);
        }
        if self.epoch.is_none() {
            if self.stream.is_closed() {
                return Err(PublishError::Superseded);
            }
            self.claim();
        }
        let mut ring = self.stream.ring.lock();
        let known = ring.description().cloned();
        let tracks: Vec<Track> = tracks
            .into_iter()
            .zip(0u8..)
            .map(|(t, i)| Track { id: TrackId(i), clock_rate: t.clock_rate, codec: t.codec })
            .collect();
        let description = match known {
            Some(d) if d.tracks == tracks => d,
            known => {
                let generation = known.map_or(1, |d| d.generation + 1);
                let d = Arc::new(StreamDescription { generation, tracks });
                self.stream.append(&mut ring, Entry::Description(Arc::clone(&d)), false);
                self.need_key = true;
                d
            }
        };
        drop(ring);
        self.video = description.video().map(|t| t.id);
        self.stream.timeline.lock().describe(&description);
        self.stream.changed.notify_waiters();
        Ok(description)
    }

    /// Publishes one unit. Never waits.
    pub fn push(&mut self, unit: SourceUnit) -> Result<(), PublishError> {
        if self.epoch.is_none() {
            return Err(PublishError::UnknownTrack);
        }
        self.check()?;
        let is_video = self.video == Some(unit.track);
        // Before the first key frame of a connection nothing can be decoded; sound waits with the pictures.
        if self.need_key && self.video.is_some() && !(is_video && unit.key) {
            self.stream.observed.lock().discarded += 1;
            return Ok(());
        }
        let placed = self
            .stream
            .timeline
            .lock()
            .place(unit.track, unit.pts, unit.dts, unit.shared_ns, unit.arrived)
            .ok_or(PublishError::UnknownTrack)?;
        let bytes = unit.data.len();
        let access_unit = Arc::new(AccessUnit {
            track: unit.track,
            pts: placed.pts,
            dts: placed.dts,
            arrived: unit.arrived,
            key: unit.key,
            data: unit.data,
        });

        let was_first = std::mem::take(&mut self.first);
        self.need_key = false;
        let (previous, went_live) = {
            let mut o = self.stream.observed.lock();
            o.units += 1;
            o.bytes += bytes as u64;
            o.meter.add(unit.arrived, bytes, is_video);
            if was_first {
                o.connects += 1;
                o.connected_at = Some(SystemTime::now().into());
            }
            let paced = is_video || self.video.is_none();
            let previous = if paced { o.last_video.replace(unit.arrived) } else { None };
            o.last_unit = Some(unit.arrived);
            let went_live = o.status != Status::Live;
            if went_live {
                o.failure = None;
            }
            (previous, went_live)
        };
        if went_live {
            self.stream.set_status(Status::Live);
        }

        let join = unit.key && (is_video || self.video.is_none());
        let mut ring = self.stream.ring.lock();
        if let Some(from) = previous {
            let hole = unit.arrived.saturating_duration_since(from);
            let limit = if was_first { MIN_CUT } else { MIN_SILENCE };
            if hole > limit {
                let cause = if was_first { self.cause } else { GapCause::SourceSilent };
                let gap = Gap { cause, from, to: unit.arrived };
                self.stream.append(&mut ring, Entry::Gap(gap), false);
            }
        }
        self.stream.append(&mut ring, Entry::Unit(access_unit), join);
        drop(ring);
        self.stream.changed.notify_waiters();
        Ok(())
    }

    /// The kind of a described track.
    pub fn kind(&self, track: TrackId) -> Option<MediaKind> {
        self.stream.description().and_then(|d| d.track(track).map(Track::kind))
    }

    /// Units were lost or damaged: pictures are withheld until the next key frame, and readers are told.
    pub fn lost(&mut self, cause: GapCause) {
        self.cause = cause;
        self.need_key = true;
    }
}
