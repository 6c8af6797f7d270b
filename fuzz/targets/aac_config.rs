//! AudioSpecificConfig and ADTS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::aac;

fuzz_target!(|data: &[u8]| {
    if let Ok(p) = aac::params(data) {
        assert!((1000..=192_000).contains(&p.sample_rate) && p.channels > 0);
        assert!((480..=2048).contains(&p.frame_samples));
        assert_eq!(aac::params(&p.config).as_ref(), Ok(&p));
    }
    if let Ok(h) = aac::adts_header(data) {
        assert!(h.frame_len >= h.header_len && h.blocks >= 1);
        let _ = h.params();
    }
    if let Some(&[a, b, c, channels]) = data.first_chunk() {
        let rate = u32::from_be_bytes([0, a, b, c]);
        if let Some(config) = aac::lc_config(rate, channels) {
            let p = aac::params(&config).expect("what was built can be read");
            assert_eq!((p.sample_rate, p.channels), (rate, channels));
        }
    }
});
