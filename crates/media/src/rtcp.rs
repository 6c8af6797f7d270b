//! RTCP as a sender needs it (RFC 3550 §6): sender reports, a name, a good-bye; and the receivers' answers.
//!
//! **A sender report maps media time to the wall time of capture**, the same mapping for all tracks of a stream: that
//! is what keeps sound and pictures together at the receiver.

use std::time::Duration;

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_OFFSET: u64 = 2_208_988_800;

/// What a sender has sent and where its clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Who sends.
    pub ssrc: u32,
    /// Wall time since 1970 at which media time [`Self::rtp`] was captured.
    pub wall: Duration,
    /// RTP timestamp of that moment.
    pub rtp: u32,
    /// Packets sent so far, modulo 2³².
    pub packets: u32,
    /// Payload bytes sent so far, modulo 2³².
    pub octets: u32,
}

/// Sender report and CNAME in one compound packet (§6.1 wants both).
pub fn sender_report(info: &SenderInfo, cname: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(28 + 12 + cname.len() + 4);
    out.extend_from_slice(&[0x80, SR, 0, 6]);
    out.extend_from_slice(&info.ssrc.to_be_bytes());
    let seconds = info.wall.as_secs().wrapping_add(NTP_OFFSET) as u32;
    let fraction = ((u64::from(info.wall.subsec_nanos()) << 32) / 1_000_000_000) as u32;
    for word in [seconds, fraction, info.rtp, info.packets, info.octets] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    let cname = &cname.as_bytes()[..cname.len().min(255)];
    // SSRC, type, length, text, at least one zero, up to a multiple of 4.
    let body = 4 + 2 + cname.len() + 1;
    let words = body.div_ceil(4);
    out.extend_from_slice(&[0x81, SDES, 0, u8::try_from(words).unwrap_or(0)]);
    out.extend_from_slice(&info.ssrc.to_be_bytes());
    out.extend_from_slice(&[1, u8::try_from(cname.len()).unwrap_or(0)]);
    out.extend_from_slice(cname);
    out.resize(28 + 4 + words * 4, 0);
    out
}

/// Says that a sender is gone (§6.6), with the empty report that a compound packet must begin with.
pub fn bye(ssrc: u32) -> Vec<u8> {
    let mut out = vec![0x80, RR, 0, 1];
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[0x81, BYE, 0, 1]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out
}

/// What one receiver says about one of our streams (§6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The sender it is about.
    pub ssrc: u32,
    /// Share of packets lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; negative with duplicates.
    pub lost: i32,
    /// Interarrival jitter in ticks of the media clock.
    pub jitter: u32,
}

/// What came from a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// Every report block of the compound packet.
    pub reports: Vec<ReportBlock>,
    /// The receiver leaves.
    pub bye: bool,
}

/// Not RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RTCP packet")]
pub struct NotRtcp;

/// Reads a compound packet. Anything that is not RTCP of version 2 from its first byte to its last is refused.
pub fn parse(mut data: &[u8]) -> Result<Received, NotRtcp> {
    let mut out = Received::default();
    if data.is_empty() {
        return Err(NotRtcp);
    }
    while let [first, kind, l1, l0, ..] = *data {
        let bytes = 4 + 4 * usize::from(u16::from_be_bytes([l1, l0]));
        if first >> 6 != 2 || !(192..=223).contains(&kind) || bytes > data.len() {
            return Err(NotRtcp);
        }
        let (packet, rest) = data.split_at(bytes);
        let blocks = match kind {
            SR => packet.get(28..),
            RR => packet.get(8..),
            _ => None,
        };
        for b in blocks.unwrap_or_default().as_chunks::<24>().0.iter().take(usize::from(first & 0x1f)) {
            let lost = i32::from_be_bytes([b[5], b[6], b[7], 0]) >> 8;
            out.reports.push(ReportBlock {
                ssrc: u32::from_be_bytes([b[0], b[1], b[2], b[3]]),
                fraction_lost: b[4],
                lost,
                jitter: u32::from_be_bytes([b[12], b[13], b[14], b[15]]),
            });
        }
        out.bye |= kind == BYE;
        data = rest;
    }
    if data.is_empty() { Ok(out) } else { Err(NotRtcp) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_report_carries_wall_time_in_ntp_form() {
        let info = SenderInfo {
            ssrc: 0x0102_0304,
            wall: Duration::new(1_700_000_000, 500_000_000),
            rtp: 90_000,
            packets: 7,
            octets: 7000,
        };
        let p = sender_report(&info, "vigie");
        assert_eq!(p[8..12], 3_908_988_800u32.to_be_bytes());
        assert_eq!(p[12..16], 0x8000_0000u32.to_be_bytes());
        assert_eq!(p.len() % 4, 0);
        assert_eq!(parse(&p), Ok(Received::default()));
        assert_eq!(&p[28..36], &[0x81, 202, 0, 3, 1, 2, 3, 4]);
        assert_eq!(&p[36..43], b"\x01\x05vigie");
    }

    #[test]
    fn receivers_are_heard_and_garbage_is_not() {
        let mut rr = vec![0x81, 201, 0, 7];
        rr.extend_from_slice(&[0; 4]);
        rr.extend_from_slice(&[0, 0, 0, 9, 64, 0xff, 0xff, 0xfe]);
        rr.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
        rr.extend_from_slice(&bye(9));
        let r = parse(&rr).unwrap();
        assert_eq!(r.reports, [ReportBlock { ssrc: 9, fraction_lost: 64, lost: -2, jitter: 5 }]);
        assert!(r.bye);
        for cut in 1..rr.len() {
            // A prefix is either a whole packet or refused; nothing panics.
            assert_eq!(parse(&rr[..cut]).is_ok(), cut == 32 || cut == 40);
        }
        assert_eq!(parse(b""), Err(NotRtcp));
        assert_eq!(parse(b"GET / HTTP/1.0\r\n"), Err(NotRtcp));
    }
}
