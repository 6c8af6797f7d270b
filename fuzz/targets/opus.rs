//! Opus packets and headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::opus;

fuzz_target!(|data: &[u8]| {
    if let Ok(samples) = opus::duration(data) {
        assert!((120..=5760).contains(&samples));
    }
    if let Ok(p) = opus::head(data) {
        assert!((1..=2).contains(&p.channels));
    }
    opus::channels(data);
});
