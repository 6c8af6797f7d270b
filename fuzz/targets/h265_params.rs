//! H.265 parameter sets: what is read has sane bounds, and reading twice says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::{h265, nal};

fuzz_target!(|data: &[u8]| {
    let nals = nal::split_annex_b(data);
    if let Ok(s) = h265::Sps::parse(data) {
        assert!((1..=32_768).contains(&s.width) && (1..=32_768).contains(&s.height) && s.reorder_depth <= 16);
    }
    let of = |t: u8| nals.iter().copied().filter(move |n| h265::nal_type(n[0]) == t);
    let pps: Vec<&[u8]> = of(h265::PPS).collect();
    for vps in of(h265::VPS) {
        for sps in of(h265::SPS) {
            if let Ok(p) = h265::params(vps, sps, &pps) {
                assert!(p.video.rfc6381.starts_with("hvc1."));
                assert!(p.video.fps.is_none_or(|f| f.is_finite() && f > 0.0));
                let pps: Vec<&[u8]> = p.pps.iter().map(|p| &p[..]).collect();
                assert_eq!(h265::params(&p.vps, &p.sps, &pps).as_ref(), Ok(&p));
            }
        }
    }
    let au = nal::join(nals.iter().copied());
    h265::is_key(&au);
    h265::params_in(&au);
    h265::is_key(data);
});
