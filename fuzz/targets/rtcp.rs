//! RTCP from receivers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::{rtcp, rtp};

fuzz_target!(|data: &[u8]| {
    if let Ok(r) = rtcp::parse(data) {
        assert!(r.reports.len() * 24 <= data.len());
    }
    let total: usize = rtp::split_interleaved(data).map(|(_, packet)| packet.len() + 4).sum();
    assert!(total <= data.len());
});
