//! H.264 parameter sets: what is read has sane bounds, and reading twice says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::{h264, nal};

fuzz_target!(|data: &[u8]| {
    let nals = nal::split_annex_b(data);
    for sps in nals.iter().copied().chain([data]) {
        let plain = h264::is_plain_420(sps);
        match h264::params(sps, &[&[0x68, 0xce, 0x3c, 0x80]]) {
            Ok(p) => {
                assert!((1..=32_768).contains(&p.video.width) && (1..=32_768).contains(&p.video.height));
                assert!(p.video.reorder_depth <= 16 && p.video.rfc6381.len() == 11);
                assert!(p.video.fps.is_none_or(|f| f.is_finite() && f > 0.0));
                assert_eq!(h264::params(&p.sps, &[&p.pps[0]]).as_ref(), Ok(&p));
            }
            Err(e) => assert!(!e.to_string().is_empty() && !plain || h264::params(sps, &[]).is_err()),
        }
    }
    let au = nal::join(nals.iter().copied());
    h264::is_key(&au);
    if let Some((sps, pps)) = h264::params_in(&au) {
        let _ = h264::params(sps, &pps);
    }
    h264::is_key(data);
});
