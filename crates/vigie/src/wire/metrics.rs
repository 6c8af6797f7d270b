//! Counters of parts that `api` cannot see, in its words.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vigie_api::Readings;
use vigie_output::rtsp::RtspMetrics;

/// The RTSP server's counters.
pub(super) fn rtsp(m: Arc<RtspMetrics>) -> Readings {
    let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
    Readings(Arc::new(move || {
        vec![
            ("rtsp_connections", "Connections open now", false, read(&m.connections)),
            ("rtsp_readers_tcp", "Readers over TCP now", false, read(&m.readers_tcp)),
            ("rtsp_readers_udp", "Readers over UDP now", false, read(&m.readers_udp)),
            ("rtsp_requests", "Requests answered", true, read(&m.requests)),
            ("rtsp_unauthorized", "Requests refused for want of a password", true, read(&m.unauthorized)),
            ("rtsp_packets", "RTP packets sent", true, read(&m.packets)),
            ("rtsp_bytes", "Bytes of RTP sent", true, read(&m.bytes)),
            ("rtsp_skipped_frames", "Frames that slow readers had to skip", true, read(&m.skipped)),
            ("rtsp_readers_cut", "Readers cut because they took nothing", true, read(&m.cut)),
            ("rtsp_sessions_timed_out", "UDP sessions that gave no sign of life", true, read(&m.timed_out)),
            ("rtsp_udp_dropped", "Datagrams that the kernel refused", true, read(&m.udp_dropped)),
            ("rtsp_unsendable_frames", "Frames that cannot be sent as RTP", true, read(&m.unsendable)),
        ]
    }))
}
