//! One feed of one camera.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use vigie_base::{StreamKey, UnixMillis};
use vigie_media::{AccessUnit, StreamDescription};

use crate::cursor::{Cursor, Event, Purpose, SubscribeOptions};
use crate::meter::Meter;
use crate::past::Past;
use crate::publish::Publisher;
use crate::ring::{Entry, Ring};
use crate::state::{Failure, Status, StreamState};
use crate::timeline::Timeline;
use crate::{Budget, GapCause};

/// Who wants a stream now. Sources start and stop by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Readers that watch.
    pub viewers: usize,
    /// Readers that record.
    pub recorders: usize,
    /// Other claims: open capture sessions, `always_on`.
    pub holds: usize,
}

impl Demand {
    /// Whether anybody wants it.
    pub fn any(self) -> bool {
        self.viewers + self.recorders + self.holds > 0
    }
}

#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) status: Status,
    pub(crate) since: Instant,
    pub(crate) connected_at: Option<UnixMillis>,
    pub(crate) failure: Option<Failure>,
    pub(crate) meter: Meter,
    pub(crate) last_unit: Option<Instant>,
    pub(crate) last_video: Option<Instant>,
    pub(crate) units: u64,
    pub(crate) bytes: u64,
    pub(crate) discarded: u64,
    pub(crate) connects: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Stream {
    key: StreamKey,
    budget: Arc<Budget>,
    pub(crate) ring: Mutex<Ring>,
    pub(crate) timeline: Mutex<Timeline>,
    pub(crate) observed: Mutex<Observed>,
    /// Told about every publication, and about the end.
    pub(crate) changed: Notify,
    status: watch::Sender<Status>,
    demand: watch::Sender<Demand>,
    pub(crate) epoch: AtomicU64,
    closed: AtomicBool,
    skipped: AtomicU64,
}

impl Stream {
    pub(crate) fn new(key: StreamKey, budget: Arc<Budget>) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            key,
            budget,
            ring: Mutex::default(),
            timeline: Mutex::new(Timeline::new(now)),
            observed: Mutex::new(Observed {
                status: Status::Idle,
                since: now,
                connected_at: None,
                failure: None,
                meter: Meter::new(now),
                last_unit: None,
                last_video: None,
                units: 0,
                bytes: 0,
                discarded: 0,
                connects: 0,
            }),
            changed: Notify::new(),
            status: watch::Sender::new(Status::Idle),
            demand: watch::Sender::new(Demand::default()),
            epoch: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            skipped: AtomicU64::new(0),
        })
    }

    /// Whose feed this is.
    pub fn key(&self) -> StreamKey {
        self.key
    }

    /// The right to publish. The newest holder has it alone; earlier ones are told on their next push. `cause` is
    /// what a hole before the first unit will be put down to.
    pub fn publisher(self: &Arc<Self>, cause: GapCause) -> Publisher {
        Publisher::new(Arc::clone(self), cause)
    }

    /// Like [`Self::publisher`], but whoever publishes now keeps the stream until this one describes its tracks: a
    /// new connection is made before the old one is given up.
    pub fn standby(self: &Arc<Self>, cause: GapCause) -> Publisher {
        Publisher::standby(Arc::clone(self), cause)
    }

    /// Grows by one each time somebody takes the stream over.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Starts reading.
    pub fn subscribe(self: &Arc<Self>, options: SubscribeOptions) -> Cursor {
        let cursor = Cursor::new(Arc::clone(self), options);
        self.demand.send_modify(|d| match options.purpose {
            Purpose::View => d.viewers += 1,
            Purpose::Record => d.recorders += 1,
            Purpose::Observe => {}
        });
        cursor
    }

    pub(crate) fn leave(&self, purpose: Purpose) {
        self.demand.send_modify(|d| match purpose {
            Purpose::View => d.viewers -= 1,
            Purpose::Record => d.recorders -= 1,
            Purpose::Observe => {}
        });
    }

    /// A claim that keeps the source running without reading.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.demand.send_modify(|d| d.holds += 1);
        Hold { stream: Arc::clone(self), past: None }
    }

    /// As [`Self::hold`]; while it lives, at least that much of the past is kept for [`Self::past`], counted back from
    /// the newest unit and in whole groups of pictures, as far as the hub's budget goes. Of several claims the longest
    /// counts. What had been let go before does not come back.
    pub fn hold_history(self: &Arc<Self>, past: Duration) -> Hold {
        let mut hold = self.hold();
        hold.past = Some(past);
        let mut ring = self.ring.lock();
        if !ring.is_claimed() {
            self.budget.claimed.fetch_add(1, Ordering::Relaxed);
        }
        ring.claim(past);
        drop(ring);
        hold
    }

    fn give_back_history(&self, past: Duration) {
        let mut ring = self.ring.lock();
        ring.unclaim(past);
        if !ring.is_claimed() {
            self.budget.claimed.fetch_sub(1, Ordering::Relaxed);
        }
        self.trim(&mut ring);
    }

    /// The last `length` up to now, from the key frame at or before its beginning on. `None` when no unit of that time
    /// is kept. Costs one reference per unit, and holds up the publisher for as long as taking them takes.
    pub fn past(&self, length: Duration) -> Option<Past> {
        let now = Instant::now();
        let from = now.checked_sub(length);
        let origin = self.origin();
        let ring = self.ring.lock();
        if from.is_some_and(|from| ring.newest().is_none_or(|n| n < from)) {
            return None;
        }
        let (at, description) = ring.join_before(from.unwrap_or(origin))?;
        let events = ring.entries_from(at).map(Event::from).collect();
        Some(Past { origin, taken: now, description, events })
    }

    /// Who wants it, now and from now on.
    pub fn demand(&self) -> watch::Receiver<Demand> {
        self.demand.subscribe()
    }

    /// Where the source stands, now and from now on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Set by the source's supervisor.
    pub fn set_status(&self, status: Status) {
        {
            let mut o = self.observed.lock();
            if o.status == status {
                return;
            }
            o.status = status.clone();
            o.since = Instant::now();
        }
        self.status.send_replace(status);
    }

    /// Set by the source's supervisor; `None` once media flows again.
    pub fn set_failure(&self, failure: Option<Failure>) {
        self.observed.lock().failure = failure;
    }

    /// Parameters known from an earlier run, so that a client can be told the tracks before the camera answers.
    /// Without effect once the stream was described by a source.
    pub fn remember(&self, description: StreamDescription) {
        let mut ring = self.ring.lock();
        if ring.description().is_none() {
            self.timeline.lock().describe(&description);
            self.append(&mut ring, Entry::Description(Arc::new(description)), false);
        }
    }

    /// The current tracks, once they are known.
    pub fn description(&self) -> Option<Arc<StreamDescription>> {
        self.ring.lock().description().cloned()
    }

    /// The newest key frame of the video track, however large the group of pictures after it is.
    pub fn last_key(&self) -> Option<Arc<AccessUnit>> {
        self.ring.lock().last_key().cloned()
    }

    /// The instant of media time zero: `origin + pts` is when a unit was due, in monotonic time.
    pub fn origin(&self) -> Instant {
        self.timeline.lock().origin()
    }

    /// When the newest unit arrived.
    pub fn last_arrival(&self) -> Option<Instant> {
        self.observed.lock().last_unit
    }

    /// Everything observed.
    pub fn state(&self) -> StreamState {
        let now = Instant::now();
        let (description, ring_bytes, instant_join) = {
            let r = self.ring.lock();
            (r.description().cloned(), r.bytes(), r.join_at().is_some())
        };
        let d = *self.demand.borrow();
        let o = self.observed.lock();
        let (bitrate_bps, fps) = o.meter.rates(now);
        StreamState {
            status: o.status.clone(),
            since: o.since,
            connected_at: o.connected_at,
            failure: o.failure.clone(),
            description,
            bitrate_bps,
            fps,
            last_unit_age: o.last_unit.map(|t| now.saturating_duration_since(t)),
            viewers: d.viewers,
            recorders: d.recorders,
            holds: d.holds,
            units: o.units,
            bytes: o.bytes,
            skipped_units: self.skipped.load(Ordering::Relaxed),
            discarded_units: o.discarded,
            connects: o.connects,
            ring_bytes,
            instant_join,
        }
    }

    /// How long the stream may be without media before it counts as silent: 3 s, or four intervals of a slow camera.
    pub fn silence_limit(&self) -> Duration {
        let fps = self.observed.lock().meter.rates(Instant::now()).1;
        let interval = if fps > 0.0 { Duration::from_secs_f64((4.0 / fps).min(60.0)) } else { Duration::ZERO };
        interval.max(Duration::from_secs(3))
    }

    /// Forgets held media, for a source that was stopped because nobody wants it.
    pub fn clear(&self) {
        let mut ring = self.ring.lock();
        let (before, history) = (ring.bytes(), ring.history_bytes());
        ring.clear();
        self.budget.sub(before - ring.bytes());
        self.budget.history(history, ring.history_bytes());
    }

    pub(crate) fn append(&self, ring: &mut Ring, entry: Entry, join: bool) {
        let before = ring.bytes();
        ring.push(entry, join);
        self.budget.add(ring.bytes() - before);
        self.trim(ring);
    }

    fn trim(&self, ring: &mut Ring) {
        let (before, history) = (ring.bytes(), ring.history_bytes());
        ring.trim(Instant::now(), self.budget.room(history));
        self.budget.sub(before - ring.bytes());
        self.budget.history(history, ring.history_bytes());
    }

    pub(crate) fn count_skipped(&self, n: u64) {
        self.skipped.fetch_add(n, Ordering::Relaxed);
    }

    /// Whether it was removed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Waits until something is published or the stream ends. For readers that look at several cursors; register
    /// (`enable`) before looking.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let ring = self.ring.get_mut();
        self.budget.sub(ring.bytes());
        self.budget.history(ring.history_bytes(), 0);
    }
}

/// See [`Stream::hold`] and [`Stream::hold_history`].
#[derive(Debug)]
pub struct Hold {
    stream: Arc<Stream>,
    past: Option<Duration>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(past) = self.past {
            self.stream.give_back_history(past);
        }
        self.stream.demand.send_modify(|d| d.holds -= 1);
    }
}
