//! RTP packets of any codec: pieces of the input, each behind a length of two bytes.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vigie_media::rtp::depacketize::Depacketizer;
use vigie_media::{Codec, G711Law, G711Params, OpusParams, aac, h264, h265, jpeg};

const SPS: &[u8] = &[0x67, 0x42, 0x00, 0x0a, 0xf4, 0x04, 0x04, 0x20];

fn codec(kind: u8) -> Option<Codec> {
    Some(match kind % 6 {
        0 => Codec::H264(Arc::new(h264::params(SPS, &[&[0x68, 0xce, 0x3c, 0x80]]).ok()?)),
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

fuzz_target!(|data: &[u8]| {
    let Some((&kind, mut rest)) = data.split_first() else { return };
    let Some(codec) = codec(kind) else { return };
    let mut depacketizer = Depacketizer::new(codec);
    while let Some((len, behind)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len)).min(behind.len());
        let (packet, next) = behind.split_at(len);
        if let Ok(Some(unit)) = depacketizer.push(packet) {
            assert!(unit.data.len() <= 32 << 20);
        }
        rest = next;
    }
});
