//! One RTP packet taken apart, and timestamps that do not wrap (RFC 3550 §5.1).

use super::{RTP_HEADER, RtpError};

/// One packet: what its header says, and its payload without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Set on the last packet of a picture, or of a piece of sound that has several.
    pub marker: bool,
    /// Which format the payload has; 7 bits.
    pub payload_type: u8,
    /// Goes up by one with each packet, and wraps.
    pub sequence: u16,
    /// Ticks of the track's clock, from anywhere, modulo 2³².
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Behind header, contributing sources and extension, and before the padding.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Takes a packet apart. Contributing sources and header extensions are skipped.
    pub fn parse(data: &'a [u8]) -> Result<Self, RtpError> {
        let cut = || RtpError::Malformed("a packet shorter than its header says");
        let (h, rest) = data.split_first_chunk::<RTP_HEADER>().ok_or_else(cut)?;
        if h[0] >> 6 != 2 {
            return Err(RtpError::Malformed("not version 2 of RTP"));
        }
        let mut payload = rest.get(usize::from(h[0] & 0x0f) * 4..).ok_or_else(cut)?;
        if h[0] & 0x10 != 0 {
            let (x, behind) = payload.split_first_chunk::<4>().ok_or_else(cut)?;
            payload = behind.get(usize::from(u16::from_be_bytes([x[2], x[3]])) * 4..).ok_or_else(cut)?;
        }
        if h[0] & 0x20 != 0 {
            let padding = payload.last().map(|n| usize::from(*n)).filter(|n| *n > 0).ok_or_else(cut)?;
            payload = &payload[..payload.len().checked_sub(padding).ok_or_else(cut)?];
        }
        Ok(Self {
            marker: h[1] & 0x80 != 0,
            payload_type: h[1] & 0x7f,
            sequence: u16::from_be_bytes([h[2], h[3]]),
            timestamp: u32::from_be_bytes([h[4], h[5], h[6], h[7]]),
            ssrc: u32::from_be_bytes([h[8], h[9], h[10], h[11]]),
            payload,
        })
    }
}

/// Counts the wraps of one track's timestamps. **Of the two ways round, the shorter is taken**: a picture that is shown
/// before the one sent ahead of it is earlier, not 2³² ticks later.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unroll {
    last: Option<i64>,
}

impl Unroll {
    /// The timestamp of a unit; later ones are measured from it.
    pub fn unit(&mut self, timestamp: u32) -> i64 {
        let at = self.report(timestamp);
        self.last = Some(at);
        at
    }

    /// The timestamp of a sender report, which may lie a little beside the units.
    pub fn report(&mut self, timestamp: u32) -> i64 {
        let last = *self.last.get_or_insert(i64::from(timestamp));
        // The low 32 bits of the count are the last timestamp; the difference is meant to be taken modulo 2³².
        last.saturating_add(i64::from(timestamp.wrapping_sub(last as u32) as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_extension_and_padding_are_left_out() {
        let mut p = vec![0xb1, 0xe0, 0, 9, 0, 0, 0, 7, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 8, 8, 8, 8];
        p.extend_from_slice(&[5, 6, 7, 0, 2]);
        let packet = Packet::parse(&p).unwrap();
        assert_eq!(packet.payload, [5, 6, 7]);
        assert_eq!((packet.marker, packet.payload_type, packet.sequence, packet.timestamp), (true, 96, 9, 7));
        for cut in 0..p.len() {
            // Shorter by a byte or more, it is either refused or a shorter payload; nothing panics.
            let _ = Packet::parse(&p[..cut]);
        }
        assert!(Packet::parse(&p[..20]).is_err(), "an extension that is cut off");
        *p.last_mut().unwrap() = 200;
        assert!(Packet::parse(&p).is_err(), "more padding than packet");
        p[0] = 0x40;
        assert!(Packet::parse(&p).is_err());
    }

    #[test]
    fn time_goes_on_over_the_wrap_and_back_for_reordered_pictures() {
        let mut u = Unroll::default();
        let near = u32::MAX - 1000;
        assert_eq!(u.report(near), i64::from(near));
        assert_eq!(u.unit(near + 500), i64::from(near) + 500);
        assert_eq!(u.unit(2000), i64::from(near) + 3001);
        assert_eq!(u.unit(near + 900), i64::from(near) + 900);
        assert_eq!(u.report(10), i64::from(near) + 1011);
        for i in 0..10u32 {
            u.unit(i.wrapping_mul(0x6000_0000));
        }
        assert!(u.unit(0) > i64::from(u32::MAX) * 3);
    }
}
