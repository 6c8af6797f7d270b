//! When the supervisor has to look again, and how it tells silence from slowness.

use std::time::Duration;

use tokio::time::Instant;

use super::Saved;
use super::attempt::Attempt;
use super::run::Run;

/// Longer than this without taking the stream over, beyond ten of its time-outs, and a source hangs.
const ATTEMPT_SLACK: Duration = Duration::from_secs(10);
/// How often it is looked whether a connection made beside another one has tracks.
const SETTLE_INTERVAL: Duration = Duration::from_millis(200);
/// Pauses up to this are taken for the camera's pace rather than for trouble.
const LONGEST_PACE: Duration = Duration::from_secs(15);

impl Run {
    /// The camera was only slow: it will not be taken for silent at that pace again.
    pub(super) fn learn_pace(&mut self) {
        if let (Some(before), Some(now)) = (self.heard.1, self.stream.last_arrival()) {
            let pause = now.saturating_duration_since(before);
            if pause < LONGEST_PACE {
                self.pace = self.pace.max(pause * 4);
            }
        }
    }

    pub(super) fn silence_limit(&self) -> Duration {
        let asked = self.spec.config.fps_limit.filter(|f| *f > 0.01).map_or(0.0, |f| (4.0 / f).min(60.0));
        self.stream.silence_limit().max(self.pace).max(Duration::from_secs_f64(asked))
    }

    /// Notes the newest arrival; whether there was one since the last look.
    pub(super) fn hear(&mut self) -> bool {
        let newest = self.stream.last_arrival();
        let news = newest != self.heard.1;
        if news {
            let now = Instant::now();
            let age = newest.map_or(Duration::ZERO, |t| now.into_std().saturating_duration_since(t));
            self.heard = (now.checked_sub(age).unwrap_or(now), newest);
        }
        news
    }

    pub(super) fn live(&self) -> Option<&Attempt> {
        self.active.as_ref().filter(|a| a.live_since.is_some())
    }

    pub(super) fn silence_at(&self) -> Option<Instant> {
        (self.live().is_some() && self.silent_since.is_none()).then(|| self.heard.0 + self.silence_limit())
    }

    pub(super) fn healthy_at(&self) -> Option<Instant> {
        let live = self.live()?.live_since?;
        (self.saved != Saved::default() && self.silent_since.is_none()).then_some(live + self.options.healthy_after)
    }

    pub(super) fn hanging_at(&self) -> Option<Instant> {
        let trying = self.candidate.as_ref().or(self.active.as_ref().filter(|a| a.live_since.is_none()))?;
        let taken_over = trying.epoch != self.stream.epoch();
        // With tracks but no key frame yet, the wait is for the camera's key-frame interval.
        let patience = if taken_over { 20 } else { 10 };
        Some(trying.started + self.spec.config.timeout() * patience + ATTEMPT_SLACK)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let probe_at = self.wait.as_ref().and_then(|w| w.probe_at).filter(|_| self.wanted && self.probing.is_none());
        let silent = self.silent_since.filter(|_| self.active.is_some()).map(|t| t + self.options.keep_silent);
        [
            self.wait.as_ref().map(|w| w.at),
            probe_at,
            silent,
            self.linger_until,
            self.healthy_at(),
            self.silence_at(),
            self.hanging_at(),
            self.candidate.is_some().then(|| Instant::now() + SETTLE_INTERVAL),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
