//! The one thing that crosses the hub.

use std::time::Instant;

use bytes::Bytes;

use crate::{MediaTime, TrackId};

/// One video picture or one audio frame, shared by everyone who reads the stream and never copied for them.
///
/// **`dts` never goes backwards within a track; `pts ≥ dts`.**
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// Which track of the current [`crate::StreamDescription`].
    pub track: TrackId,
    /// When it is shown.
    pub pts: MediaTime,
    /// When it is decoded; derived from the reorder depth, since RTP does not carry it.
    pub dts: MediaTime,
    /// When its last byte reached us.
    pub arrived: Instant,
    /// A decoder can start here (IDR, CRA, BLA; every JPEG; every audio frame).
    pub key: bool,
    /// H.264/H.265: NAL units, each behind its length in 4 bytes, big-endian, parameter sets as the camera sent
    /// them. JPEG: a whole picture. Audio: one raw frame.
    pub data: Bytes,
}
