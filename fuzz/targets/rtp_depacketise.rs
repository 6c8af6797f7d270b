//! RTP from a camera. One byte chooses the format; then either arbitrary packets, each behind a length, a sequence step
//! and a timestamp, or a unit that our own packetiser sends, with packets missing.
#![no_main]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vigie_media::rtp::Payloader;
use vigie_media::rtp::depacketize::{AacLayout, Depacketizer, Format, InOrder, Limits};
use vigie_media::rtp::format;
use vigie_media::rtp::packet::Packet;
use vigie_media::{
    AccessUnit, Codec, G711Law, G711Params, MediaTime, OpusParams, Track, TrackId, aac, h264, h265, jpeg, nal,
};

const SPS: &[u8] = &[0x67, 0x42, 0x00, 0x0a, 0xf4, 0x04, 0x04, 0x20];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const LIMITS: Limits = Limits { unit_bytes: 100_000, unit_packets: 200 };

fn codec(kind: u8) -> Option<Codec> {
    Some(match kind % 6 {
        0 => Codec::H264(Arc::new(h264::params(SPS, &[PPS]).ok()?)),
        1 => {
            let nals =
                vigie_media::nal::split_annex_b(include_bytes!("../../crates/media/testdata/h265_main10_1080p.h265"));
            let of = |t: u8| nals.iter().copied().find(|n| h265::nal_type(n[0]) == t);
            let (vps, sps, pps) = (of(h265::VPS)?, of(h265::SPS)?, of(h265::PPS)?);
            Codec::H265(Arc::new(h265::params(vps, sps, &[pps]).ok()?))
        }
        2 => Codec::Jpeg(Arc::new(jpeg::params(include_bytes!("../../crates/media/testdata/jpeg_420.jpg")).ok()?)),
        3 => Codec::Aac(Arc::new(aac::params(&[0x12, 0x10]).ok()?)),
        4 => Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 }),
        _ => Codec::Opus(OpusParams { channels: 2, pre_skip: 312 }),
    })
}

fn format(kind: u8) -> Format {
    let aac = |size_length, index_length, constant_size| {
        Format::Aac(AacLayout {
            size_length,
            index_length,
            index_delta_length: index_length,
            constant_size,
            frame_ticks: 1024,
        })
    };
    match kind % 9 {
        0 => Format::H264 { sets: vec![Bytes::from_static(SPS)] },
        1 => Format::H265 { sets: Vec::new() },
        2 => Format::Jpeg,
        3 => aac(13, 3, 0),
        4 => aac(6, 2, 0),
        5 => aac(0, 0, 7),
        6 => Format::Latm { subframes: 2, frame_ticks: 1024 },
        7 => Format::G711,
        _ => Format::Opus,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    match kind >> 6 {
        0 | 1 => arbitrary(kind & 0x3f, rest),
        2 => round_trip(kind & 0x3f, rest),
        _ => {
            for m in format::media(rest) {
                let _ = format::pictures(&m.encoding, &m.fmtp);
                for encoding in ["mpeg4-generic", "mp4a-latm", "opus", "pcma", &m.encoding] {
                    let _ = format::sound(encoding, 48_000, None, &m.fmtp);
                }
                let _ = (format::pictures("h264", &m.fmtp), format::pictures("h265", &m.fmtp));
            }
        }
    }
});

/// Two bytes of length, one with marker (bit 7), steps of the sequence number (bits 4 to 6) and of the timestamp (the
/// rest); then the payload. A length over 0xff00 is a whole packet, header included.
fn arbitrary(kind: u8, mut rest: &[u8]) {
    let mut depacketizer = Depacketizer::new(&format(kind), LIMITS);
    let (mut sequence, mut timestamp) = (65_500u16, u32::MAX - 5);
    while let Some(([a, b, how], behind)) = rest.split_first_chunk::<3>() {
        let asked = usize::from(u16::from_be_bytes([*a, *b]));
        let (bytes, next) = behind.split_at((asked & 0xfff).min(behind.len()));
        rest = next;
        sequence = sequence.wrapping_add(u16::from(how >> 4 & 7));
        timestamp = timestamp.wrapping_add(u32::from(how & 0x0f));
        let packet = if asked >= 0xff00 {
            let Ok(p) = Packet::parse(bytes) else { continue };
            assert!(p.payload.len() <= bytes.len());
            p
        } else {
            Packet { marker: how & 0x80 != 0, payload_type: 96, sequence, timestamp, ssrc: 1, payload: bytes }
        };
        let result = depacketizer.push(&packet);
        while let Some(unit) = depacketizer.pop() {
            assert!(!unit.data.is_empty() && unit.data.len() <= LIMITS.unit_bytes + 8192);
            if kind % 9 < 2 {
                // Whole NAL units, at least one, and no parameter sets among them.
                let covered: usize = nal::units(&unit.data).map(|n| n.len() + 4).sum();
                assert_eq!(covered, unit.data.len());
                let of = |n: &[u8]| if kind % 9 == 0 { h264::nal_type(n[0]) } else { h265::nal_type(n[0]) };
                let sets = if kind % 9 == 0 { h264::SPS..=h264::PPS } else { h265::VPS..=h265::PPS };
                assert!(nal::units(&unit.data).all(|n| !sets.contains(&of(n))));
                let _ = depacketizer.parameter_sets().map(|s| s.codec());
            }
        }
        if result.is_err() {
            return;
        }
        assert!(depacketizer.held().0 <= LIMITS.unit_bytes);
    }
}

/// What goes in comes out, byte for byte; and with packets missing, nothing does that did not go in.
fn round_trip(kind: u8, data: &[u8]) {
    let Some(codec) = codec(kind) else { return };
    let Some(([size, key, lost @ ..], body)) = data.split_first_chunk::<4>() else { return };
    let data = if let Codec::H264(_) | Codec::H265(_) = codec {
        // Each NAL unit behind a byte of length, 16 bytes a step.
        let (mut nals, mut rest) = (Vec::new(), body);
        while let Some((len, behind)) = rest.split_first() {
            let (n, next) = behind.split_at((usize::from(*len) * 16 + 3).min(behind.len()));
            let mut n = n.to_vec();
            if let Some(first) = n.first_mut() {
                // The bit that says "damaged" is not ours to send.
                *first &= 0x7f;
            }
            nals.push(n);
            rest = next;
        }
        nal::join(nals.iter().map(|n| &n[..]))
    } else {
        Bytes::copy_from_slice(body)
    };
    let track = Track { id: TrackId(0), clock_rate: 90_000, codec: codec.clone() };
    let Ok(payloader) = Payloader::new(&track, 9, 256 + usize::from(*size) * 4) else { return };
    let (pts, arrived) = (MediaTime(1 << 33), Instant::now());
    let unit = AccessUnit { track: TrackId(0), pts, dts: pts, arrived, key: key & 1 == 1, data };
    let Ok(packets) = payloader.packetize(&unit, 65_534) else { return };
    let plain = matches!(codec, Codec::Opus(_)) && vigie_media::opus::duration(&unit.data).is_err();
    let mut strict = InOrder::new(&codec);
    let mut whole = Vec::new();
    for p in packets.iter() {
        match strict.push(p) {
            Ok(unit) => whole.extend(unit),
            Err(_) => assert!(plain, "a packet of our own was not understood"),
        }
    }
    if let Codec::H264(_) | Codec::H265(_) = codec {
        assert_eq!(whole.len(), 1);
    }
    if let (Codec::Aac(_), Err(_)) = (&codec, aac::adts_header(&unit.data)) {
        assert!(whole.iter().map(|u| &u.data).eq([&unit.data]));
    }
    if let (Codec::H264(_), false) = (&codec, unit.key) {
        let sent = nal::units(&unit.data).filter(|n| !n.is_empty() && matches!(n[0] & 0x1f, 1..=23));
        assert!(sent.eq(nal::units(&whole[0].data)));
    }
    let lost = u16::from_be_bytes(*lost);
    let mut strict = InOrder::new(&codec);
    let mut failed = false;
    for (i, p) in packets.iter().enumerate() {
        if lost >> (i % 16) & 1 == 1 {
            continue;
        }
        match strict.push(p) {
            Ok(Some(unit)) if !failed => assert!(whole.contains(&unit) || lost != 0),
            Ok(_) => {}
            Err(_) => failed = true,
        }
    }
}
