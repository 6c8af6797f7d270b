//! The way back: access units from the packets of a camera.
//!
//! **Never trusts a length, never holds more than [`Limits`] allow, and never passes on a unit that lost a piece.**
//! Packets come in the order of their sequence numbers, and a number that is left out is a lost packet. A unit that is
//! damaged is dropped and counted, and the next whole unit says that something before it is missing. What to do then is
//! the caller's decision: pictures that were predicted from the missing one cannot be told from others.
//!
//! The payload formats: H.264 (RFC 6184, not interleaved), H.265 (RFC 7798), JPEG (RFC 2435), AAC (RFC 3640, and RFC
//! 6416 with the configuration in the session description), G.711 (RFC 3551 §4.5.14), Opus (RFC 7587). What cameras do
//! beside them and can be understood is: start codes inside packets, empty parts of an aggregate, no marker, a marker
//! or a new timestamp behind parameter sets, ADTS headers on AAC frames, padding.

mod in_order;
mod jpeg;
mod pictures;
mod sets;
mod sound;

use std::collections::VecDeque;

use bytes::Bytes;

use self::jpeg::Jpeg;
use self::pictures::{Family, Pictures};
use self::sound::{Aac, Latm};
use super::packet::Packet;
use crate::opus;

pub use self::in_order::{Depacketized, InOrder};
pub use self::sets::ParameterSets;
pub use self::sound::AacLayout;

/// So many packets that make no sense, and not one unit in between, are no camera.
const MAX_MALFORMED: u32 = 200;

/// How the packets of one track are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// RFC 6184.
    H264 {
        /// Parameter sets that are known beforehand, as NAL units.
        sets: Vec<Bytes>,
    },
    /// RFC 7798.
    H265 {
        /// Parameter sets that are known beforehand, as NAL units.
        sets: Vec<Bytes>,
    },
    /// RFC 2435.
    Jpeg,
    /// RFC 3640.
    Aac(AacLayout),
    /// RFC 6416 §6, one layer of one program, configured out of band.
    Latm {
        /// Frames in an element.
        subframes: u8,
        /// Ticks from one frame to the next.
        frame_ticks: u32,
    },
    /// One byte per sample.
    G711,
    /// RFC 7587.
    Opus,
}

/// What one access unit may take. More of it is not a picture any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes. The default of 8 MiB is some four times what a key frame of a 12-megapixel camera has.
    pub unit_bytes: usize,
    /// Packets, by default 20,000: a unit of that size in packets of 420 bytes.
    pub unit_packets: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unit_bytes: 8 << 20, unit_packets: 20_000 }
    }
}

/// Why nothing more can be expected of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DepacketizeError {
    /// A unit is larger than [`Limits`] allow.
    #[error("a picture never ends: {bytes} bytes in {packets} packets and no end, where {limit} bytes are allowed")]
    Endless {
        /// Bytes so far.
        bytes: usize,
        /// Packets so far.
        packets: u32,
        /// [`Limits::unit_bytes`].
        limit: usize,
    },
    /// Nothing but packets that make no sense.
    #[error("{packets} packets in a row make no sense, the last one was {what}")]
    Unreadable {
        /// How many.
        packets: u32,
        /// What was wrong with the last.
        what: &'static str,
    },
}

/// One whole access unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The RTP timestamp.
    pub timestamp: u32,
    /// In the form of [`crate::AccessUnit::data`], without the parameter sets.
    pub data: Bytes,
    /// Packets were lost, or a unit was damaged, since the unit before.
    pub after_loss: bool,
    /// From this picture on other parameter sets hold: [`Depacketizer::parameter_sets`].
    pub new_sets: bool,
}

/// What went wrong so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets that never came.
    pub lost_packets: u64,
    /// Units that were begun and dropped.
    pub damaged_units: u64,
    /// Packets that made no sense.
    pub malformed_packets: u64,
}

/// What is wrong with one packet. The unit that it belongs to is already given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It breaks the payload format.
    Malformed(&'static str),
    /// It is the rest of something whose beginning was lost, or was before our time.
    Incomplete,
}

/// Units that are whole.
#[derive(Debug, Default)]
struct Out {
    ready: VecDeque<Unit>,
    broken: bool,
    damaged: u64,
    made: u64,
}

impl Out {
    fn unit(&mut self, timestamp: u32, data: Bytes, new_sets: bool) {
        let after_loss = std::mem::take(&mut self.broken);
        self.made += 1;
        self.ready.push_back(Unit { timestamp, data, after_loss, new_sets });
    }

    fn damaged(&mut self) {
        self.damaged += 1;
        self.broken = true;
    }
}

#[derive(Debug)]
enum Body {
    Pictures(Pictures),
    Jpeg(Jpeg),
    Aac(Aac),
    Latm(Latm),
    G711,
    Opus,
}

/// Puts the units of one track together. Between two calls of [`Self::push`], [`Self::pop`] everything.
#[derive(Debug)]
pub struct Depacketizer {
    body: Body,
    limits: Limits,
    next_sequence: Option<u16>,
    out: Out,
    lost_packets: u64,
    malformed_packets: u64,
    /// Malformed packets since the last unit.
    unreadable: u32,
}

impl Depacketizer {
    /// For one track.
    pub fn new(format: &Format, limits: Limits) -> Self {
        let body = match format {
            Format::H264 { sets } => pictures(Family::H264, sets),
            Format::H265 { sets } => pictures(Family::H265, sets),
            Format::Jpeg => Body::Jpeg(Jpeg::new()),
            Format::Aac(layout) => Body::Aac(Aac::new(*layout)),
            Format::Latm { subframes, frame_ticks } => Body::Latm(Latm::new(*subframes, *frame_ticks)),
            Format::G711 => Body::G711,
            Format::Opus => Body::Opus,
        };
        Self::of(body, limits)
    }

    fn of(body: Body, limits: Limits) -> Self {
        Self {
            body,
            limits,
            next_sequence: None,
            out: Out::default(),
            lost_packets: 0,
            malformed_packets: 0,
            unreadable: 0,
        }
    }

    /// Takes one packet. An error ends the track.
    pub fn push(&mut self, p: &Packet<'_>) -> Result<(), DepacketizeError> {
        let expected = self.next_sequence.replace(p.sequence.wrapping_add(1));
        let missing = expected.map_or(0, |e| p.sequence.wrapping_sub(e));
        if missing > 0 {
            // A number from behind is a sender that began anew: how many are lost nobody knows.
            self.lost_packets += u64::from(if missing < 1 << 15 { missing } else { 1 });
            self.out.broken = true;
        }
        let made = self.out.made;
        let lost = missing > 0;
        let result = match &mut self.body {
            Body::Pictures(b) => b.push(p, lost, &mut self.out),
            Body::Jpeg(b) => b.push(p, lost, &mut self.out),
            Body::Aac(b) => b.push(p, lost, &mut self.out),
            Body::Latm(b) => b.push(p, lost, &mut self.out),
            Body::G711 => one(p, &mut self.out),
            Body::Opus if p.payload.is_empty() || opus::duration(p.payload).is_ok() => one(p, &mut self.out),
            Body::Opus => Err(Fault::Malformed("not an Opus packet")),
        };
        if self.out.made > made {
            self.unreadable = 0;
        }
        match result {
            Ok(()) => {}
            Err(Fault::Incomplete) if self.out.broken => self.out.damaged(),
            Err(Fault::Incomplete) => {}
            Err(Fault::Malformed(what)) => {
                self.out.damaged();
                self.malformed_packets += 1;
                self.unreadable += 1;
                if self.unreadable >= MAX_MALFORMED {
                    return Err(DepacketizeError::Unreadable { packets: self.unreadable, what });
                }
            }
        }
        self.check_limits()
    }

    fn check_limits(&mut self) -> Result<(), DepacketizeError> {
        let (bytes, packets) = self.held();
        if bytes <= self.limits.unit_bytes && packets <= self.limits.unit_packets {
            return Ok(());
        }
        match &mut self.body {
            Body::Pictures(b) => b.discard(),
            Body::Jpeg(b) => b.discard(),
            Body::Aac(_) | Body::Latm(_) | Body::G711 | Body::Opus => {}
        }
        Err(DepacketizeError::Endless { bytes, packets, limit: self.limits.unit_bytes })
    }

    /// Bytes of the unit that is being put together, and the packets that they came in.
    pub fn held(&self) -> (usize, u32) {
        match &self.body {
            Body::Pictures(b) => (b.held(), b.packets),
            Body::Jpeg(b) => (b.held(), b.packets),
            Body::Aac(b) => (b.held(), 0),
            Body::Latm(b) => (b.held(), 0),
            Body::G711 | Body::Opus => (0, 0),
        }
    }

    /// The next whole unit.
    pub fn pop(&mut self) -> Option<Unit> {
        self.out.ready.pop_front()
    }

    /// What is known of a picture track that has parameter sets.
    pub fn parameter_sets(&self) -> Option<&ParameterSets> {
        match &self.body {
            Body::Pictures(b) => b.sets.as_ref(),
            _ => None,
        }
    }

    /// What went wrong so far.
    pub fn counters(&self) -> Counters {
        Counters {
            lost_packets: self.lost_packets,
            damaged_units: self.out.damaged,
            malformed_packets: self.malformed_packets,
        }
    }
}

fn pictures(family: Family, sets: &[Bytes]) -> Body {
    Body::Pictures(Pictures::new(family, ParameterSets::new(family, sets)))
}

/// A packet that is a unit.
fn one(p: &Packet<'_>, out: &mut Out) -> Result<(), Fault> {
    if !p.payload.is_empty() {
        out.unit(p.timestamp, Bytes::copy_from_slice(p.payload), false);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
