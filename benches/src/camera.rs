//! A camera made of nothing: frames of the sizes of a 1080p25 stream of 4 Mbit/s, with the time of their birth inside.

use bytes::Bytes;

use crate::sys;

/// Frames per second.
pub(crate) const FPS: u64 = 25;
/// Bytes per second.
pub(crate) const BYTES_PER_S: usize = 500_000;
const KEY_BYTES: usize = 110_000;
/// Marks the eight bytes of time that follow. Its first bit says that the slice is the first of its picture.
pub(crate) const MAGIC: [u8; 8] = *b"\x88IGIE-ts";
/// Over the time, whose leading zeros would look like a start code.
const MASK: u64 = 0x5555_5555_5555_5555;

/// The time of birth behind [`MAGIC`].
pub(crate) fn born(bytes: [u8; 8]) -> u64 {
    u64::from_be_bytes(bytes) ^ MASK
}

/// SPS of a 1080p25 stream (High 4.0) and its PPS, as x264 writes them.
pub(crate) const SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x28, 0xac, 0xb2, 0x00, 0xf0, 0x04, 0x4f, 0xcb, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00,
    0x00, 0x03, 0x01, 0x90, 0x78, 0xc1, 0x92, 0x40,
];
/// See [`SPS`].
pub(crate) const PPS: &[u8] = &[0x68, 0xeb, 0xc3, 0xcb, 0x22, 0xc0];

/// The `i`-th frame with a key frame every `gop` frames, length-prefixed, born now.
pub(crate) fn frame(i: u64, gop: u64) -> (bool, Bytes) {
    let key = i.is_multiple_of(gop);
    let gop_bytes = BYTES_PER_S * gop as usize / FPS as usize;
    let size = if key { KEY_BYTES } else { (gop_bytes - KEY_BYTES) / (gop as usize - 1) };
    let mut out = Vec::with_capacity(size + 64);
    let mut nal = |n: &[u8], fill: usize| {
        out.extend_from_slice(&((n.len() + fill) as u32).to_be_bytes());
        out.extend_from_slice(n);
        out.resize(out.len() + fill, 0x55);
    };
    if key {
        nal(SPS, 0);
        nal(PPS, 0);
    }
    let mut head = vec![if key { 0x65 } else { 0x41 }];
    head.extend_from_slice(&MAGIC);
    head.extend_from_slice(&(sys::monotonic_ns() ^ MASK).to_be_bytes());
    nal(&head, size - head.len());
    (key, Bytes::from(out))
}
