//! The supervisor's loop: what happened, then what follows from it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};
use vigie_base::backoff::{Backoff, MAX_DELAY, MAX_IDLE_ATTEMPTS, Next};
use vigie_hub::{Failure, GapCause, Reason, Status, Stream};

use super::attempt::Attempt;
use super::{Options, Saved};
use crate::{SourceError, SourceSpec};

/// A camera is left alone this long between a probe and the connection that follows it: servers have been seen to close
/// the second of two connections when the first vanished in the same moment.
const PROBE_REST: Duration = Duration::from_millis(50);
/// Connect probes are this far apart, and bounded by it: a little less than a second, so that the first picture, too, is
/// there within a second of the camera's return.
const PROBE_INTERVAL: Duration = Duration::from_millis(750);

/// Waiting for the next attempt.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) at: Instant,
    /// Next connect probe; `None` while probing makes no sense or is muted.
    pub(super) probe_at: Option<Instant>,
    /// The failure was one of the way to the camera, so that probing says something.
    network: bool,
    /// A probe was answered: the attempt comes early.
    by_probe: bool,
}

pub(super) struct Run {
    pub(super) stream: Arc<Stream>,
    specs: watch::Receiver<Arc<SourceSpec>>,
    pub(super) spec: Arc<SourceSpec>,
    reconnect: Arc<Notify>,
    pub(super) options: Options,
    backoff: Backoff,
    /// The connection that publishes, or the only one that tries to.
    pub(super) active: Option<Attempt>,
    /// A connection being made while `active` still has the stream.
    pub(super) candidate: Option<Attempt>,
    pub(super) wait: Option<Wait>,
    pub(super) probing: Option<JoinHandle<bool>>,
    suspended: bool,
    /// The source ended well; nothing happens before new demand.
    finished: bool,
    /// When the newest unit was seen, and the arrival that was then newest.
    pub(super) heard: (Instant, Option<std::time::Instant>),
    pub(super) silent_since: Option<Instant>,
    /// Silence that this connection was seen to come back from by itself, four times over.
    pub(super) pace: Duration,
    pub(super) linger_until: Option<Instant>,
    pub(super) wanted: bool,
    pub(super) saved: Saved,
}

/// What woke the loop.
enum Woken {
    Stop,
    Demand,
    Spec,
    Reconnect,
    Status,
    Active(Result<(), SourceError>),
    Candidate(Result<(), SourceError>),
    Probe(bool),
    Time,
}

impl Run {
    pub(super) fn new(
        stream: Arc<Stream>,
        specs: watch::Receiver<Arc<SourceSpec>>,
        reconnect: Arc<Notify>,
        options: Options,
    ) -> Self {
        let spec = Arc::clone(&specs.borrow());
        let backoff = Backoff::resume(options.saved.failures);
        let saved = options.saved;
        Self {
            stream,
            specs,
            spec,
            reconnect,
            options,
            backoff,
            active: None,
            candidate: None,
            wait: None,
            probing: None,
            suspended: false,
            finished: false,
            heard: (Instant::now(), None),
            silent_since: None,
            pace: Duration::ZERO,
            linger_until: None,
            wanted: false,
            saved,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let span = info_span!("source", stream = %self.stream.key(), kind = %self.spec.kind);
        async move {
            let _hold = self.options.always_on.then(|| self.stream.hold());
            self.resume();
            let mut demand = self.stream.demand();
            let mut status = self.stream.status();
            self.wanted = demand.borrow_and_update().any();
            self.on_demand();
            let stream = Arc::clone(&self.stream);
            loop {
                self.settle();
                // Registered before looking: a removed stream wakes everybody who waits for it.
                let removed = stream.notified();
                tokio::pin!(removed);
                removed.as_mut().enable();
                if stream.is_closed() {
                    break;
                }
                let quiet = self.active.is_none() && self.candidate.is_none();
                let deadline = self.deadline();
                let woken = tokio::select! {
                    biased;
                    () = stop.cancelled() => Woken::Stop,
                    r = ended(&mut self.active) => Woken::Active(r),
                    r = ended(&mut self.candidate) => Woken::Candidate(r),
                    Ok(()) = status.changed() => { status.mark_unchanged(); Woken::Status }
                    Ok(()) = demand.changed() => Woken::Demand,
                    Ok(()) = self.specs.changed() => Woken::Spec,
                    () = self.reconnect.notified() => Woken::Reconnect,
                    answered = probed(&mut self.probing) => Woken::Probe(answered),
                    () = until(deadline) => Woken::Time,
                    () = removed, if quiet => continue,
                };
                match woken {
                    Woken::Stop => break,
                    Woken::Demand => {
                        let wanted = demand.borrow_and_update().any();
                        if wanted != self.wanted {
                            self.wanted = wanted;
                            self.on_demand();
                        }
                    }
                    Woken::Spec => self.on_spec().await,
                    Woken::Reconnect => self.on_reconnect().await,
                    Woken::Status => self.on_status(),
                    Woken::Active(result) => self.on_active_end(result),
                    Woken::Candidate(result) => self.on_candidate_end(result).await,
                    Woken::Probe(answered) => self.on_probe(answered),
                    Woken::Time => self.on_time().await,
                }
            }
            self.stop_all().await;
            self.stream.set_status(Status::Idle);
        }
        .instrument(span)
        .await;
    }

    /// A new connection that has tracks to show replaces the old one.
    fn settle(&mut self) {
        if self.candidate.as_ref().is_some_and(|c| c.epoch != self.stream.epoch()) {
            self.promote();
            // Its next unit says Live again, and is noticed by that.
            self.stream.set_status(Status::Connecting);
        }
    }

    /// Takes up what an earlier run left.
    fn resume(&mut self) {
        if self.saved.failures == 0 {
            return;
        }
        match self.saved.next {
            None => {
                self.suspended = true;
                self.stream.set_status(Status::Suspended);
            }
            Some(next) => {
                let ms = next.since_ms(self.options.clock.wall()).max(0).unsigned_abs();
                let delay = Duration::from_millis(ms).min(MAX_DELAY);
                self.wait_for(delay, true, None);
            }
        }
    }

    fn on_demand(&mut self) {
        if !self.wanted {
            self.finished = false;
            if self.active.as_ref().is_some_and(|a| a.live_since.is_some()) {
                self.linger_until = Some(Instant::now() + self.options.linger);
            }
            return;
        }
        self.linger_until = None;
        match &mut self.wait {
            // Somebody new is here: look at once whether the camera is back.
            Some(w) if w.network && self.options.probe && !w.by_probe => w.probe_at = Some(Instant::now()),
            Some(_) => {}
            None if self.active.is_none() && !self.finished => self.attempt(false),
            None => {}
        }
    }

    async fn on_spec(&mut self) {
        let spec = Arc::clone(&self.specs.borrow_and_update());
        if spec == self.spec {
            return;
        }
        info!("settings changed");
        self.spec = spec;
        let was_busy = self.wait.is_some() || self.suspended || self.active.is_some();
        self.stop_all().await;
        self.forget_failures();
        if self.wanted || was_busy {
            self.attempt(false);
        } else {
            self.stream.set_status(Status::Idle);
        }
    }

    async fn on_reconnect(&mut self) {
        info!("reconnecting on request");
        if let Some(c) = self.candidate.take() {
            c.retire().await;
        }
        if self.active.as_ref().is_some_and(|a| a.live_since.is_none())
            && let Some(a) = self.active.take()
        {
            a.retire().await;
        }
        self.forget_failures();
        self.attempt(false);
    }

    /// Forgets everything that failed; an operator, a setting or media says that it is over.
    fn forget_failures(&mut self) {
        self.backoff.reset();
        self.wait = None;
        self.suspended = false;
        self.finished = false;
        self.save(Saved::default());
    }

    fn on_status(&mut self) {
        if *self.stream.status().borrow() != Status::Live {
            return;
        }
        let epoch = self.stream.epoch();
        if self.candidate.as_ref().is_some_and(|c| c.epoch != epoch) {
            self.promote();
        } else if let Some(c) = self.candidate.take() {
            // The old connection came back to life by itself; dropping the new one ends it.
            drop(c);
        }
        let now = Instant::now();
        match &mut self.active {
            Some(a) if a.epoch != epoch => {
                if a.live_since.is_none() {
                    a.live_since = Some(now);
                    info!(after_ms = a.started.elapsed().as_millis() as u64, "live");
                }
                self.wait = None;
                self.suspended = false;
                if self.silent_since.take().is_some() {
                    self.learn_pace();
                }
                self.hear();
                if !self.wanted && self.linger_until.is_none() {
                    self.linger_until = Some(now + self.options.linger);
                }
            }
            // The last word of a connection that is already given up.
            Some(_) => self.stream.set_status(Status::Connecting),
            None => {}
        }
    }

    /// The candidate has the stream: what was active is history.
    fn promote(&mut self) {
        if let Some(c) = self.candidate.take() {
            self.silent_since = None;
            self.pace = Duration::ZERO;
            // Dropping the old one cancels it.
            self.active = Some(c);
        }
    }

    fn on_active_end(&mut self, result: Result<(), SourceError>) {
        let Some(ended) = self.active.take() else { return };
        let epoch = self.stream.epoch();
        if let Some(c) = self.candidate.take() {
            let took_over = c.epoch != epoch;
            self.active = Some(c);
            self.silent_since = None;
            if took_over || result.is_err() {
                // Its first unit says Live again.
                self.stream.set_status(Status::Connecting);
            }
            return;
        }
        let was_silent = self.silent_since.take().is_some();
        match result {
            Err(_) if was_silent && self.wait.is_some() => {}
            Err(e) => {
                let healthy = ended.live_since.is_some_and(|t| t.elapsed() >= self.options.healthy_after);
                self.fail(e, healthy, ended.by_probe);
            }
            Ok(()) => {
                debug!("the source came to its end");
                self.finished = true;
                self.linger_until = None;
                self.wait = None;
                self.stream.set_failure(None);
                self.stream.set_status(Status::Idle);
            }
        }
    }

    async fn on_candidate_end(&mut self, result: Result<(), SourceError>) {
        let Some(ended) = self.candidate.take() else { return };
        let Err(e) = result else { return };
        let Some(active) = self.active.take() else {
            self.fail(e, false, ended.by_probe);
            return;
        };
        if e.busy {
            info!("the camera has no room for a second connection: closing the first");
            active.retire().await;
            self.silent_since = None;
            self.attempt(false);
            return;
        }
        self.active = Some(active);
        if self.silent_since.is_some() {
            self.fail(e, false, ended.by_probe);
        } else {
            // A reconnect on request failed while the old connection works: nothing is lost.
            warn!(reason = e.reason.as_str(), "the new connection failed, keeping the old one: {}", e.message);
        }
    }

    fn on_probe(&mut self, answered: bool) {
        let Some(w) = &mut self.wait else { return };
        if answered {
            info!("the camera answers again");
            w.at = w.at.min(Instant::now() + PROBE_REST);
            w.probe_at = None;
            w.by_probe = true;
        }
    }

    async fn on_time(&mut self) {
        let now = Instant::now();
        if self.linger_until.is_some_and(|t| t <= now) {
            self.linger_until = None;
            info!("nobody wants it any more: stopping");
            self.stop_all().await;
            self.forget_failures();
            self.stream.clear();
            self.stream.set_status(Status::Idle);
            return;
        }
        if let Some(w) = &mut self.wait {
            if w.at <= now {
                let by_probe = w.by_probe;
                self.attempt(by_probe);
            } else if w.probe_at.is_some_and(|t| t <= now) {
                w.probe_at = Some(now + PROBE_INTERVAL);
                self.probe();
            }
        }
        if self.silent_since.is_some_and(|t| t + self.options.keep_silent <= now)
            && let Some(a) = self.active.take()
        {
            self.silent_since = None;
            debug!("giving up the connection that fell silent");
            a.retire().await;
            self.active = self.candidate.take();
        }
        self.check_healthy(now);
        self.check_silence(now).await;
        self.check_hanging(now).await;
    }

    fn check_healthy(&mut self, now: Instant) {
        if self.healthy_at().is_some_and(|t| t <= now) {
            self.backoff.reset();
            self.save(Saved::default());
        }
    }

    async fn check_silence(&mut self, now: Instant) {
        if self.silence_at().is_none_or(|t| t > now) {
            return;
        }
        if self.hear() {
            return;
        }
        let limit = self.silence_limit();
        warn!(silent_ms = (now - self.heard.0).as_millis() as u64, "connected, but no media");
        self.silent_since = Some(now);
        self.stream.set_status(Status::Silent);
        let message = format!("the camera is connected but has sent nothing for {:.0} s", limit.as_secs_f64());
        self.stream.set_failure(Some(Failure { reason: Reason::NoVideo, message }));
        if self.spec.target().is_none() {
            // A device or file can only be opened once: break, then make.
            self.silent_since = None;
            if let Some(a) = self.active.take() {
                a.retire().await;
            }
        }
        self.attempt(false);
    }

    async fn check_hanging(&mut self, now: Instant) {
        let Some(at) = self.hanging_at() else { return };
        if at > now {
            return;
        }
        let e = SourceError::new(Reason::Timeout, "the camera did not get as far as sending pictures in time");
        if let Some(c) = self.candidate.take() {
            let by_probe = c.by_probe;
            c.retire().await;
            self.fail(e, false, by_probe);
        } else if let Some(a) = self.active.take() {
            let by_probe = a.by_probe;
            a.retire().await;
            self.fail(e, false, by_probe);
        }
    }

    /// Starts a connection: beside the one that has the stream, when there is one.
    fn attempt(&mut self, by_probe: bool) {
        self.wait = None;
        self.suspended = false;
        if let Some(p) = self.probing.take() {
            p.abort();
        }
        let source = match (self.options.make)(&self.spec) {
            Ok(s) => s,
            Err(e) => return self.fail(e, false, by_probe),
        };
        if self.active.is_none() {
            self.pace = Duration::ZERO;
            self.stream.set_status(Status::Connecting);
        }
        debug!(by_probe, failures = self.backoff.failures(), "connecting");
        let cause = if self.silent_since.is_some() { GapCause::SourceSilent } else { GapCause::SourceLost };
        let attempt = Attempt::start(source, self.stream.standby(cause), by_probe);
        if self.active.is_some() {
            self.candidate = Some(attempt);
        } else {
            self.active = Some(attempt);
        }
    }

    /// An attempt or a connection failed: what next?
    fn fail(&mut self, e: SourceError, healthy: bool, by_probe: bool) {
        warn!(reason = e.reason.as_str(), failures = self.backoff.failures() + 1, "{}", e.message);
        self.linger_until = None;
        let network = e.reason.fault() == vigie_base::Fault::Network;
        // A camera that worked a moment ago deserves a look whatever it stumbled over.
        let worth_a_probe = network || (healthy && e.reason.fault().is_transient());
        // One that answers probes but then fails is a booting one: the table alone brings it back.
        let muted = by_probe && !healthy;
        self.stream.set_failure(Some(e.into()));
        if healthy {
            self.backoff.reset();
        }
        match self.backoff.fail(self.wanted) {
            Next::Suspend => {
                self.suspended = true;
                self.save(Saved { failures: self.backoff.failures(), next: None });
                info!(attempts = MAX_IDLE_ATTEMPTS, "nobody watches and the camera stays away: suspended");
                self.stream.set_status(Status::Suspended);
            }
            Next::After(delay) => {
                let now = Instant::now();
                let probe_at = match (self.options.probe && worth_a_probe && !muted, healthy) {
                    (false, _) => None,
                    (true, true) => Some(now),
                    (true, false) => Some(now + PROBE_INTERVAL),
                };
                self.wait_for(delay, worth_a_probe, probe_at);
                let due = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                let next = vigie_base::UnixMillis(self.options.clock.wall().0.saturating_add(due));
                self.save(Saved { failures: self.backoff.failures(), next: Some(next) });
            }
        }
    }

    fn wait_for(&mut self, delay: Duration, network: bool, probe_at: Option<Instant>) {
        let at = Instant::now() + delay;
        self.wait = Some(Wait { at, probe_at, network, by_probe: false });
        self.stream.set_status(Status::Waiting { attempt: self.backoff.failures(), at: at.into_std() });
    }

    fn probe(&mut self) {
        let Some((host, port)) = self.spec.target() else { return };
        let reach = Arc::clone(&self.options.reach);
        let probe = async move { timeout(PROBE_INTERVAL, reach.answers(&host, port)).await.unwrap_or(false) };
        self.probing = Some(tokio::spawn(probe));
    }

    fn save(&mut self, saved: Saved) {
        if self.saved != saved {
            self.saved = saved;
            if let Some(f) = &self.options.on_change {
                f(saved);
            }
        }
    }

    async fn stop_all(&mut self) {
        self.wait = None;
        self.silent_since = None;
        self.linger_until = None;
        if let Some(p) = self.probing.take() {
            p.abort();
        }
        for attempt in [self.candidate.take(), self.active.take()].into_iter().flatten() {
            attempt.retire().await;
        }
    }
}

async fn ended(attempt: &mut Option<Attempt>) -> Result<(), SourceError> {
    match attempt {
        Some(a) => a.ended().await,
        None => std::future::pending().await,
    }
}

async fn probed(probing: &mut Option<JoinHandle<bool>>) -> bool {
    let Some(handle) = probing else { return std::future::pending().await };
    let answered = handle.await.unwrap_or(false);
    *probing = None;
    answered
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(t) => sleep_until(t).await,
        None => std::future::pending().await,
    }
}
