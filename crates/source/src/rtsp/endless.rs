//! Pictures that never end.
//!
//! **Data that keeps coming without ever completing a picture ends the connection**; silence does not, that is the
//! supervisor's business.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use vigie_hub::Reason;

use crate::SourceError;

/// A picture may always take this long to arrive.
const PATIENCE: Duration = Duration::from_secs(3);
/// However slow a camera is.
const MOST: Duration = Duration::from_secs(30);
/// Arrivals per second that count as data that keeps coming: more than the sound and the reports of any camera.
const BUSY: u32 = 150;

/// Watches a connection for data without pictures.
#[derive(Debug)]
pub(super) struct Endless {
    /// When the last picture was complete.
    since: Instant,
    /// Longest time between two pictures so far.
    longest: Duration,
    /// How often something came since, and no picture was complete.
    arrivals: u32,
}

impl Endless {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, longest: Duration::ZERO, arrivals: 0 }
    }

    /// A picture is complete.
    pub(super) fn picture(&mut self, now: Instant) {
        self.longest = self.longest.max(now - self.since);
        self.since = now;
        self.arrivals = 0;
    }

    fn is_over(&self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.since);
        let seconds = u32::try_from(waited.as_secs()).unwrap_or(u32::MAX);
        waited > (self.longest * 4).clamp(PATIENCE, MOST) && self.arrivals > BUSY.saturating_mul(seconds)
    }

    /// Waits for what comes next, unless too much came already.
    pub(super) async fn guard<T>(&mut self, next: impl Future<Output = T>) -> Result<T, SourceError> {
        let mut next = pin!(next);
        poll_fn(|cx| match next.as_mut().poll(cx) {
            Poll::Ready(item) => Poll::Ready(Ok(item)),
            Poll::Pending => {
                self.arrivals = self.arrivals.saturating_add(1);
                if self.is_over(Instant::now()) {
                    let message = "the camera sends data, but its picture never ends";
                    return Poll::Ready(Err(SourceError::new(Reason::Protocol, message)));
                }
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: f64, arrivals: u32, longest: f64) -> bool {
        let start = Instant::now();
        let mut e = Endless::new(start);
        e.longest = Duration::from_secs_f64(longest);
        e.arrivals = arrivals;
        e.is_over(start + Duration::from_secs_f64(seconds))
    }

    #[test]
    fn only_a_flood_without_pictures_is_over() {
        assert!(after(3.1, 5000, 0.04));
        assert!(!after(2.9, 5000, 0.04), "a big picture over a slow line");
        assert!(!after(60.0, 60 * 60, 0.04), "sound without pictures");
        assert!(!after(15.0, 50_000, 5.0), "a picture every five seconds");
        assert!(after(21.0, 50_000, 5.0));
        assert!(after(31.0, 50_000, 60.0));
    }
}
