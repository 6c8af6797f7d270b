//! NAL units: both forms hold the same, and a lie about a length ends the walk.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vigie_media::nal;

fuzz_target!(|data: &[u8]| {
    let total: usize = nal::units(data).map(|n| n.len() + 4).sum();
    assert!(total <= data.len());
    let shared = Bytes::copy_from_slice(data);
    assert!(nal::shared_units(&shared).eq(nal::units(data).map(Bytes::copy_from_slice)));
    let nals = nal::split_annex_b(data);
    let joined = nal::join(nals.iter().copied());
    assert!(nal::units(&joined).eq(nals.iter().copied()));
    assert_eq!(nal::split_annex_b(&nal::to_annex_b(&joined)), nals);
});
