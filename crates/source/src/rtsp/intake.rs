//! From packets to units: one depacketiser for each track, and the clock that both share.
//!
//! **What is held of a camera is one unfinished unit of each track**, which [`Limits`] bound in bytes and in packets.
//! A picture that lost a piece is dropped, and with it those up to the next key frame: they may have been predicted
//! from it, and nothing in them says so. JPEG pictures stand alone; only the damaged one is dropped. Sound goes on with
//! the next frame.

use std::time::Instant;

use retina::client::PacketItem;
use retina::rtcp::ReceivedCompoundPacket;
use retina::rtp::ReceivedPacket;
use tracing::{debug, info};
use vigie_hub::Reason;
use vigie_media::rtp::depacketize::{Counters, Depacketizer, Limits, ParameterSets, Unit};
use vigie_media::rtp::packet::{Packet, Unroll};

use super::sync::SharedClock;
use super::tracks::Tracks;
use crate::SourceError;

/// One whole unit of a track.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) is_video: bool,
    pub(super) pts: i64,
    pub(super) shared_ns: Option<i64>,
    /// When the packet came that completed it.
    pub(super) arrived: Instant,
    pub(super) unit: Unit,
}

#[derive(Debug)]
struct Line {
    stream: usize,
    name: &'static str,
    depacketizer: Depacketizer,
    time: Unroll,
    reported: Counters,
}

impl Line {
    fn push(&mut self, packet: &ReceivedPacket) -> Result<(), SourceError> {
        let header = packet.header();
        let packet = Packet {
            marker: header.mark(),
            payload_type: header.payload_type(),
            sequence: header.sequence_number(),
            timestamp: header.timestamp(),
            ssrc: header.ssrc(),
            payload: packet.payload(),
        };
        self.depacketizer.push(&packet).map_err(|e| {
            let message = format!("the camera breaks the protocol with its {}: {e}", self.name);
            SourceError::new(Reason::Protocol, message)
        })?;
        let counters = self.depacketizer.counters();
        if counters != self.reported {
            debug!(track = self.name, ?counters, "packets are missing or damaged");
            self.reported = counters;
        }
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Counters { lost_packets, damaged_units, malformed_packets } = self.depacketizer.counters();
        if lost_packets + damaged_units + malformed_packets > 0 {
            info!(track = self.name, lost_packets, damaged_units, malformed_packets, "of this connection");
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Intake {
    video: Line,
    audio: Option<Line>,
    clock: SharedClock,
    /// When the newest packet came.
    arrived: Instant,
}

impl Intake {
    pub(super) fn new(tracks: &Tracks) -> Self {
        let line = |name, stream, format| Line {
            stream,
            name,
            depacketizer: Depacketizer::new(format, Limits::default()),
            time: Unroll::default(),
            reported: Counters::default(),
        };
        let (stream, format) = tracks.pictures();
        Self {
            video: line("pictures", stream, format),
            audio: tracks.sound().map(|(stream, format)| line("sound", stream, format)),
            clock: SharedClock::new(tracks.video_rate(), tracks.audio_rate()),
            arrived: Instant::now(),
        }
    }

    /// Takes what came; [`Self::pop`] has what is whole.
    pub(super) fn push(&mut self, item: &PacketItem) -> Result<(), SourceError> {
        match item {
            PacketItem::Rtp(packet) => {
                self.arrived = packet.ctx().received();
                match self.line(packet.stream_id()) {
                    Some((_, line)) => line.push(packet),
                    None => Ok(()),
                }
            }
            PacketItem::Rtcp(compound) => {
                self.report(compound);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self, stream: usize) -> Option<(bool, &mut Line)> {
        if stream == self.video.stream {
            return Some((true, &mut self.video));
        }
        self.audio.as_mut().filter(|a| a.stream == stream).map(|a| (false, a))
    }

    fn report(&mut self, compound: &ReceivedCompoundPacket) {
        let report = compound.pkts().next().and_then(|p| p.as_sender_report().ok().flatten());
        if let Some(report) = report
            && let Some((is_video, line)) = self.line(compound.stream_id())
        {
            let ticks = line.time.report(report.rtp_timestamp());
            self.clock.report(is_video, ticks, report.ntp_timestamp().0);
        }
    }

    /// The next whole unit.
    pub(super) fn pop(&mut self) -> Option<Ready> {
        let arrived = self.arrived;
        if let Some(unit) = self.video.depacketizer.pop() {
            let pts = self.video.time.unit(unit.timestamp);
            let shared_ns = self.clock.video(pts, arrived);
            return Some(Ready { is_video: true, pts, shared_ns, arrived, unit });
        }
        let line = self.audio.as_mut()?;
        let unit = line.depacketizer.pop()?;
        let pts = line.time.unit(unit.timestamp);
        let shared_ns = self.clock.audio(pts, arrived);
        Some(Ready { is_video: false, pts, shared_ns, arrived, unit })
    }

    /// What the pictures' parameter sets are, where they have any.
    pub(super) fn parameter_sets(&self) -> Option<&ParameterSets> {
        self.video.depacketizer.parameter_sets()
    }
}
