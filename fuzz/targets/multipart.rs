//! Multipart bodies of MJPEG cameras, in pieces: whole pictures come out, and never more is held than allowed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_proto::multipart::{Multipart, boundary};

const MAX: usize = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let Some((&cut, data)) = data.split_first() else { return };
    let kind = if cut & 1 == 0 { "multipart/x-mixed-replace; boundary=--vigieframe" } else { "image/jpeg" };
    let mut parser = Multipart::with_max(kind, MAX);
    for piece in data.chunks(usize::from(cut) * 4 + 1) {
        let _ = parser.push(piece);
        while let Some(picture) = parser.next_picture() {
            assert!(picture.starts_with(&[0xff, 0xd8]) && picture.ends_with(&[0xff, 0xd9]));
        }
        assert!(parser.held() <= MAX);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = boundary(text);
    }
});
