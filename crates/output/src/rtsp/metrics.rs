//! What the RTSP server counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and what is there now. Read them whenever you like.
#[derive(Debug, Default)]
pub struct RtspMetrics {
    /// Connections open now.
    pub connections: AtomicU64,
    /// Readers playing now, over TCP.
    pub readers_tcp: AtomicU64,
    /// Readers playing now, over UDP.
    pub readers_udp: AtomicU64,
    /// RTP packets sent.
    pub packets: AtomicU64,
    /// Bytes sent, RTP and interleaving.
    pub bytes: AtomicU64,
    /// Units that readers lost because they were too slow.
    pub skipped: AtomicU64,
    /// Readers cut because they took nothing for too long.
    pub cut: AtomicU64,
    /// UDP sessions that ended without a sign of life.
    pub timed_out: AtomicU64,
    /// Datagrams or runs of them that found no room in the socket.
    pub udp_dropped: AtomicU64,
    /// Requests answered.
    pub requests: AtomicU64,
    /// Requests refused for want of the right credentials.
    pub unauthorized: AtomicU64,
    /// Units that RTP cannot carry (a JPEG that RFC 2435 has no words for).
    pub unsendable: AtomicU64,
}

impl RtspMetrics {
    pub(super) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// One more of something that is there now, until the guard is dropped.
    pub(super) fn hold(counter: &AtomicU64) -> Held<'_> {
        counter.fetch_add(1, Ordering::Relaxed);
        Held(counter)
    }
}

/// See [`RtspMetrics::hold`].
pub(super) struct Held<'a>(&'a AtomicU64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
