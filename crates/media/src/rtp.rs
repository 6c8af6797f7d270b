//! RTP packets of access units: built once per stream, shared by all of its readers.
//!
//! **One access unit becomes one contiguous buffer** in which every packet already stands behind the four bytes of
//! RTSP interleaving (`$`, channel, length; RFC 2326 §10.12). A TCP reader is sent the buffer as it is, in one write;
//! a UDP sender gathers the same memory and leaves those four bytes out. Packetising is a pure function of the unit
//! and its first sequence number, so that packets may be dropped and made again.
//!
//! RTP timestamps are the unit's presentation time modulo 2³², sequence numbers start at 0 with the stream.

pub mod depacketize;
pub mod format;
mod jpeg;
mod jpeg_tables;
mod nal;
pub mod packet;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{AccessUnit, Codec, G711Law, MediaTime, Track};

/// Bytes of the fixed RTP header (RFC 3550 §5.1); we never send contributing sources or extensions.
pub const RTP_HEADER: usize = 12;
/// Bytes of RTSP interleaving before each packet.
pub const INTERLEAVE_HEADER: usize = 4;
/// Default size of an RTP packet, header included: fits an Ethernet frame inside one more tunnel, and 46 of them fit
/// the largest datagram that segmentation offload takes.
pub const DEFAULT_PACKET_BYTES: usize = 1400;
/// Smallest size of a packet that is accepted.
pub const MIN_PACKET_BYTES: usize = 256;
/// Largest size of a packet: the interleaving has 16 bits for it.
pub const MAX_PACKET_BYTES: usize = 65_000;

/// Why something cannot travel over RTP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// RFC 2435 cannot express this JPEG picture.
    #[error("this JPEG cannot be sent over RTP: {0}")]
    Jpeg(&'static str),
    /// Channels or rates that the payload format has no words for.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The unit is empty or malformed.
    #[error("malformed access unit: {0}")]
    Malformed(&'static str),
}

/// Consecutive packets of one size; only the last may be shorter. What segmentation offload takes in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where the interleaving header of the first packet stands in [`Packets::data`].
    pub offset: u32,
    /// RTP bytes of every packet but the last.
    pub size: u16,
    /// Number of packets.
    pub count: u16,
    /// RTP bytes of the last packet, at most `size`.
    pub last: u16,
}

/// All packets of one access unit.
#[derive(Debug, Clone, Default)]
pub struct Packets {
    /// The packets, each behind its interleaving header.
    pub data: Bytes,
    /// The same packets by size, in order.
    pub runs: SmallVec<[Run; 2]>,
    /// Number of packets.
    pub count: u32,
    /// Payload bytes, as counted by RTCP (RFC 3550 §6.4.1).
    pub payload_bytes: u32,
}

impl Packets {
    /// The RTP packets, without interleaving.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        split_interleaved(&self.data).map(|(_, p)| p)
    }

    /// The same packets for another interleaved channel: a copy with one byte of each packet changed.
    pub fn for_channel(&self, channel: u8) -> Bytes {
        let mut copy = self.data.to_vec();
        let mut at = 0;
        while let Some(len) = copy.get(at + 2..at + 4).map(|l| usize::from(u16::from_be_bytes([l[0], l[1]]))) {
            copy[at + 1] = channel;
            at += INTERLEAVE_HEADER + len;
        }
        Bytes::from(copy)
    }
}

/// Walks over interleaved packets: channel and packet. Stops at whatever is not one.
pub fn split_interleaved(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[0] != b'$' || len > tail.len() {
            return None;
        }
        let (packet, tail) = tail.split_at(len);
        rest = tail;
        Some((head[1], packet))
    })
}

/// Collects packets into the one buffer.
#[derive(Debug)]
struct Writer {
    out: Vec<u8>,
    runs: SmallVec<[Run; 2]>,
    count: u32,
    payload_bytes: u32,
    channel: u8,
    payload_type: u8,
    ssrc: u32,
    seq: u16,
    timestamp: u32,
    /// Start of the packet being written.
    start: usize,
}

impl Writer {
    fn begin(&mut self, marker: bool) {
        self.start = self.out.len();
        self.out.extend_from_slice(&[b'$', self.channel, 0, 0]);
        self.out.extend_from_slice(&[0x80, self.payload_type | u8::from(marker) << 7]);
        self.out.extend_from_slice(&self.seq.to_be_bytes());
        self.out.extend_from_slice(&self.timestamp.to_be_bytes());
        self.out.extend_from_slice(&self.ssrc.to_be_bytes());
        self.seq = self.seq.wrapping_add(1);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn end(&mut self) {
        // Packets are at most MAX_PACKET_BYTES long, so 16 bits are enough.
        let size = u16::try_from(self.out.len() - self.start - INTERLEAVE_HEADER).unwrap_or(u16::MAX);
        self.out[self.start + 2..self.start + 4].copy_from_slice(&size.to_be_bytes());
        self.count += 1;
        self.payload_bytes += u32::from(size) - RTP_HEADER as u32;
        match self.runs.last_mut() {
            Some(run) if run.last == run.size && size <= run.size => {
                run.count += 1;
                run.last = size;
            }
            _ => {
                let offset = u32::try_from(self.start).unwrap_or(u32::MAX);
                self.runs.push(Run { offset, size, count: 1, last: size });
            }
        }
    }

    fn set_marker(&mut self) {
        if let Some(b) = self.out.get_mut(self.start + INTERLEAVE_HEADER + 1) {
            *b |= 0x80;
        }
    }
}

/// Makes the packets of one track. Immutable: parameters that change make a new one, so that units from before the
/// change still packetise to the same number of packets.
#[derive(Debug, Clone)]
pub struct Payloader {
    codec: Codec,
    clock_rate: u32,
    ssrc: u32,
    payload_type: u8,
    channel: u8,
    packet_bytes: usize,
}

impl Payloader {
    /// A payloader for packets of at most `packet_bytes` (RTP header included, interleaving not).
    pub fn new(track: &Track, ssrc: u32, packet_bytes: usize) -> Result<Self, RtpError> {
        if let Codec::Jpeg(p) = &track.codec {
            jpeg::check_size(p.video.width, p.video.height)?;
        }
        Ok(Self {
            codec: track.codec.clone(),
            clock_rate: track.clock_rate,
            ssrc,
            payload_type: payload_type(track),
            channel: default_channel(track),
            packet_bytes: packet_bytes.clamp(MIN_PACKET_BYTES, MAX_PACKET_BYTES),
        })
    }

    /// The synchronisation source of every packet.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The clock of the timestamps, in Hz.
    pub fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// The interleaved channel of the prepared packets.
    pub fn channel(&self) -> u8 {
        self.channel
    }

    /// The packets of `unit`, numbered from `first_seq`.
    pub fn packetize(&self, unit: &AccessUnit, first_seq: u16) -> Result<Packets, RtpError> {
        if unit.data.is_empty() {
            return Err(RtpError::Malformed("it is empty"));
        }
        let room = self.packet_bytes - RTP_HEADER;
        let packets = unit.data.len() / (room - 8) + 3;
        let mut w = Writer {
            out: Vec::with_capacity(unit.data.len() + packets * (INTERLEAVE_HEADER + RTP_HEADER + 8)),
            runs: SmallVec::new(),
            count: 0,
            payload_bytes: 0,
            channel: self.channel,
            payload_type: self.payload_type,
            ssrc: self.ssrc,
            seq: first_seq,
            timestamp: rtp_timestamp(unit.pts),
            start: 0,
        };
        match &self.codec {
            Codec::H264(p) => nal::h264(&mut w, room, unit, p),
            Codec::H265(p) => nal::h265(&mut w, room, unit, p),
            Codec::Jpeg(_) => jpeg::packetize(&mut w, room, &unit.data)?,
            Codec::Aac(_) => aac(&mut w, room, &unit.data)?,
            Codec::G711(p) => g711(&mut w, room, &unit.data, p.channels),
            Codec::Opus(_) => {
                if unit.data.len() > MAX_PACKET_BYTES - RTP_HEADER {
                    return Err(RtpError::Malformed("an Opus packet larger than a datagram"));
                }
                w.begin(false);
                w.put(&unit.data);
                w.end();
            }
        }
        if w.count == 0 {
            return Err(RtpError::Malformed("nothing in it can be sent"));
        }
        Ok(Packets { data: Bytes::from(w.out), runs: w.runs, count: w.count, payload_bytes: w.payload_bytes })
    }
}

/// The RTP timestamp of a media time: its ticks modulo 2³².
pub fn rtp_timestamp(t: MediaTime) -> u32 {
    // Truncation is the point: RTP timestamps wrap.
    t.0 as u32
}

/// The payload type of a track: the static ones where RFC 3551 has one, 96 + track otherwise.
pub fn payload_type(track: &Track) -> u8 {
    match &track.codec {
        Codec::Jpeg(_) => 26,
        Codec::G711(p) if p.sample_rate == 8000 && p.channels == 1 => match p.law {
            G711Law::Mu => 0,
            G711Law::A => 8,
        },
        _ => 96 + (track.id.0 & 0x0f),
    }
}

/// The interleaved channel that a track's packets are prepared for: 0 for the first track, 2 for the second.
pub fn default_channel(track: &Track) -> u8 {
    (track.id.0 & 0x0f) * 2
}

/// RFC 3640 §3.3.6, AAC-hbr: a 16-bit header (13 bits of size, 3 of index) per access unit, one unit per packet. A
/// unit larger than a packet is fragmented, each fragment with the size of the whole (§3.2.3.1).
fn aac(w: &mut Writer, room: usize, data: &[u8]) -> Result<(), RtpError> {
    let size = u16::try_from(data.len()).ok().filter(|s| *s < 1 << 13);
    let size = size.ok_or(RtpError::Malformed("an AAC frame of 8 KiB or more"))?;
    let chunks = data.chunks(room - 4);
    let last = chunks.len() - 1;
    for (i, chunk) in chunks.enumerate() {
        w.begin(i == last);
        w.put(&[0, 16]);
        w.put(&(size << 3).to_be_bytes());
        w.put(chunk);
        w.end();
    }
    Ok(())
}

/// One byte per sample; a unit larger than a packet continues in the next, later by the samples sent.
fn g711(w: &mut Writer, room: usize, data: &[u8], channels: u8) {
    let channels = usize::from(channels.max(1));
    let per_packet = room / channels * channels;
    for chunk in data.chunks(per_packet) {
        w.begin(false);
        w.put(chunk);
        w.end();
        w.timestamp = w.timestamp.wrapping_add(u32::try_from(chunk.len() / channels).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests;
