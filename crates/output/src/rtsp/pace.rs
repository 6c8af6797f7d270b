//! The common allowance for catching up: **a thousand players that join at once must not take the machine from those
//! who watch already.** First come, first served; the key frame that makes a picture appear is not made to wait, but
//! is charged.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// Debts below this are carried, because timers are no finer.
const SLACK: Duration = Duration::from_millis(2);

/// Waiting longer than this for one turn, a reader falls behind faster than it catches up.
const HOPELESS: Duration = Duration::from_millis(120);

#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_s: u64,
    /// When everything allowed so far is paid for. The lock is held while waiting: that is the queue.
    free_at: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), free_at: Mutex::new(Instant::now()) }
    }

    /// Charges `bytes` that were written, and waits until they are paid for. False when that took so long that there is
    /// no hope of catching up: too many try.
    pub(super) async fn turn(&self, bytes: usize) -> bool {
        let asked = Instant::now();
        let mut free_at = self.free_at.lock().await;
        let now = Instant::now();
        let cost = Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / self.bytes_per_s);
        *free_at = (*free_at).max(now) + cost;
        if *free_at > now + SLACK {
            tokio::time::sleep_until((*free_at).into()).await;
        } else {
            drop(free_at);
            tokio::task::yield_now().await;
        }
        asked.elapsed() < HOPELESS
    }
}
