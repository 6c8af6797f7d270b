//! Our own packets, back again.

use bytes::Bytes;

use super::{AacLayout, Body, Depacketizer, Family, Format, Limits, Pictures};
use crate::Codec;
use crate::rtp::RtpError;
use crate::rtp::packet::Packet;

/// One unit, as it was before it was packetised (parameter sets that were prepended included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depacketized {
    /// The RTP timestamp.
    pub timestamp: u32,
    /// In the form of [`crate::AccessUnit::data`].
    pub data: Bytes,
}

/// For round trips in tests, fuzzing and benches: **whatever a faultless sender in order would not send is an error**,
/// and every byte of a unit comes out as it went in.
#[derive(Debug)]
pub struct InOrder(Depacketizer);

impl InOrder {
    /// For packets of that codec.
    pub fn new(codec: &Codec) -> Self {
        let layout = AacLayout {
            size_length: 13,
            index_length: 3,
            index_delta_length: 3,
            constant_size: 0,
            // One frame in a packet.
            frame_ticks: 0,
        };
        let limits = Limits { unit_bytes: 32 << 20, unit_packets: u32::MAX };
        Self(match codec {
            Codec::H264(_) => Depacketizer::of(Body::Pictures(Pictures::verbatim(Family::H264)), limits),
            Codec::H265(_) => Depacketizer::of(Body::Pictures(Pictures::verbatim(Family::H265)), limits),
            Codec::Jpeg(_) => Depacketizer::new(&Format::Jpeg, limits),
            Codec::Aac(_) => Depacketizer::new(&Format::Aac(layout), limits),
            Codec::G711(_) => Depacketizer::new(&Format::G711, limits),
            Codec::Opus(_) => Depacketizer::new(&Format::Opus, limits),
        })
    }

    /// Takes one RTP packet; returns the unit that it completes.
    pub fn push(&mut self, packet: &[u8]) -> Result<Option<Depacketized>, RtpError> {
        let packet = Packet::parse(packet)?;
        let before = self.0.counters();
        self.0.push(&packet).map_err(|_| RtpError::Malformed("a unit without an end"))?;
        let unit = self.0.pop();
        if self.0.counters() != before {
            return Err(RtpError::Malformed("a packet is missing or not ours"));
        }
        if self.0.pop().is_some() {
            return Err(RtpError::Malformed("two units at once"));
        }
        Ok(unit.map(|u| Depacketized { timestamp: u.timestamp, data: u.data }))
    }
}
