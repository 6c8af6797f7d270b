//! MJPEG as cameras send it over HTTP: pictures behind each other in one endless answer (`multipart/x-mixed-replace`).
//!
//! **Pictures are found by their own structure; the multipart framing only helps to get back in step.** Cameras write
//! wrong lengths, boundaries with and without their dashes, quoted or not at all, and send the boundary *before* the
//! next picture only, so waiting for it would cost a picture of delay. A JPEG knows where it ends.

use bytes::{Bytes, BytesMut};
use vigie_media::jpeg::{Finder, Found};

/// A boundary shorter than this could occur inside a picture by chance.
const MIN_NEEDLE: usize = 8;
/// Largest picture accepted unless said otherwise.
pub const MAX_PICTURE_BYTES: usize = 16 << 20;

/// What came is larger than any picture should be; nothing after it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {0} bytes without a whole picture")]
pub struct Oversized(pub usize);

/// Takes pieces of a body, gives pictures.
#[derive(Debug)]
pub struct Multipart {
    buffer: BytesMut,
    finder: Finder,
    /// `--` and the boundary.
    needle: Option<Vec<u8>>,
    /// Bytes of the buffer in which no boundary begins.
    searched: usize,
    max: usize,
    damaged: u64,
}

impl Multipart {
    /// For a body of that `Content-Type`; one without a usable boundary does, too.
    pub fn new(content_type: &str) -> Self {
        Self::with_max(content_type, MAX_PICTURE_BYTES)
    }

    /// Like [`Self::new`], with another bound for one picture.
    pub fn with_max(content_type: &str, max: usize) -> Self {
        let needle = boundary(content_type).map(|b| [b"--", b.as_bytes()].concat()).filter(|n| n.len() >= MIN_NEEDLE);
        Self { buffer: BytesMut::new(), finder: Finder::default(), needle, searched: 0, max, damaged: 0 }
    }

    /// Takes more of the body. Take out all pictures by [`Self::next_picture`] before the next call.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Oversized> {
        if self.buffer.len() + piece.len() > self.max {
            self.drop_front(self.buffer.len());
            self.finder.restart();
            return Err(Oversized(self.max));
        }
        self.buffer.extend_from_slice(piece);
        Ok(())
    }

    /// The next whole picture, from its SOI to its EOI marker.
    pub fn next_picture(&mut self) -> Option<Bytes> {
        loop {
            match self.finder.find(&self.buffer) {
                Found::Picture(start, end) => {
                    // A picture with a boundary inside is two halves of different ones.
                    if let Some(at) = self.find_needle(start, end) {
                        self.resume_behind(at);
                        continue;
                    }
                    let _ = self.buffer.split_to(start);
                    let picture = self.buffer.split_to(end - start).freeze();
                    self.finder.removed(end);
                    self.searched = 0;
                    return Some(picture);
                }
                Found::Partial(start) => {
                    if let Some(at) = self.find_needle(start.max(self.searched), self.buffer.len()) {
                        self.resume_behind(at);
                        continue;
                    }
                    let overlap = self.needle.as_ref().map_or(0, |n| n.len() - 1);
                    self.searched = self.buffer.len().saturating_sub(overlap);
                    self.drop_front(start);
                    return None;
                }
                Found::Nothing => {
                    self.drop_front(self.buffer.len().saturating_sub(1));
                    return None;
                }
            }
        }
    }

    /// Pictures that began and never ended.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Bytes held.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    fn find_needle(&self, from: usize, to: usize) -> Option<usize> {
        let needle = self.needle.as_deref()?;
        let hay = self.buffer.get(from..to)?;
        let mut at = 0;
        while let Some(i) = hay.get(at..).and_then(|h| h.iter().position(|b| *b == b'-')) {
            at += i;
            if hay[at..].starts_with(needle) {
                return Some(from + at);
            }
            at += 1;
        }
        None
    }

    fn resume_behind(&mut self, needle_at: usize) {
        self.damaged += 1;
        let length = self.needle.as_ref().map_or(0, Vec::len);
        self.drop_front(needle_at + length);
        self.finder.restart();
    }

    fn drop_front(&mut self, count: usize) {
        let _ = self.buffer.split_to(count);
        self.finder.removed(count);
        self.searched = self.searched.saturating_sub(count);
    }
}

/// The boundary parameter of a `Content-Type` (RFC 2046 §5.1.1), without quotes and without leading dashes, which
/// some cameras count as part of it and others do not.
pub fn boundary(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("boundary") {
            return None;
        }
        let value = value.trim().trim_matches('"').trim_start_matches('-').trim();
        (!value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Markers only: what a picture looks like from outside, with a thumbnail's markers inside a segment.
    fn jpeg(fill: u8, length: usize) -> Vec<u8> {
        let mut j = vec![0xff, 0xd8, 0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9];
        j.extend([0xff, 0xda, 0x00, 0x03, 0x01]);
        j.extend(std::iter::repeat_n(fill, length));
        j.extend([0xff, 0xd9]);
        j
    }

    fn pictures(content_type: &str, body: &[u8], piece: usize) -> Vec<Bytes> {
        let mut m = Multipart::new(content_type);
        let mut out = Vec::new();
        for p in body.chunks(piece) {
            m.push(p).unwrap();
            while let Some(x) = m.next_picture() {
                out.push(x);
            }
        }
        out
    }

    fn body(separator: &str, lengths: [&str; 3]) -> Vec<u8> {
        let mut b = Vec::new();
        for (i, length) in lengths.iter().enumerate() {
            b.extend(format!("{separator}\r\nContent-Type: image/jpeg\r\n{length}\r\n").bytes());
            b.extend(jpeg(i as u8, 50 + i));
            b.extend(b"\r\n");
        }
        b
    }

    #[test]
    fn boundaries_in_all_their_forms() {
        for t in [
            "multipart/x-mixed-replace;boundary=myboundary",
            "multipart/x-mixed-replace; boundary=\"myboundary\"",
            "multipart/x-mixed-replace; charset=x; BOUNDARY=--myboundary",
            "Multipart/X-Mixed-Replace; boundary = \"--myboundary\" ",
        ] {
            assert_eq!(boundary(t), Some("myboundary"), "{t}");
        }
        assert_eq!(boundary("multipart/x-mixed-replace"), None);
        assert_eq!(boundary("multipart/x-mixed-replace; boundary="), None);
    }

    #[test]
    fn pictures_come_out_whatever_the_framing_and_the_pieces() {
        let lying = ["Content-Length: 3\r\n", "Content-Length: 999999\r\n", ""];
        for separator in ["--myboundary", "myboundary", "--somethingelse"] {
            for content_type in ["multipart/x-mixed-replace; boundary=myboundary", "image/jpeg", ""] {
                let b = body(separator, lying);
                for piece in [1, 7, 64, 10_000] {
                    let got = pictures(content_type, &b, piece);
                    assert_eq!(got.len(), 3, "{separator} {content_type} {piece}");
                    assert_eq!(got[2], jpeg(2, 52));
                }
            }
        }
    }

    #[test]
    fn a_picture_is_given_out_without_waiting_for_the_next_boundary() {
        let mut m = Multipart::new("multipart/x-mixed-replace; boundary=myboundary");
        m.push(b"--myboundary\r\n\r\n").unwrap();
        m.push(&jpeg(1, 9)).unwrap();
        assert_eq!(m.next_picture().unwrap(), jpeg(1, 9));
        assert!(m.held() <= 1);
    }

    #[test]
    fn a_torn_picture_is_dropped_and_the_next_one_is_whole() {
        let whole = jpeg(7, 60);
        for cut in 3..whole.len() - 1 {
            let mut b = b"--myboundary\r\n\r\n".to_vec();
            b.extend(&whole[..cut]);
            b.extend(b"\r\n--myboundary\r\n\r\n");
            b.extend(&whole);
            for piece in [1, 16, 4096] {
                let got = pictures("multipart/x-mixed-replace; boundary=myboundary", &b, piece);
                assert_eq!(got, [Bytes::from(whole.clone())], "cut at {cut}, pieces of {piece}");
            }
        }
    }

    #[test]
    fn an_endless_picture_is_refused_and_memory_stays_flat() {
        let mut m = Multipart::with_max("", 1000);
        m.push(&[0xff, 0xd8]).unwrap();
        let mut refused = 0;
        for _ in 0..100 {
            refused += usize::from(m.push(&[0; 100]).is_err());
            assert!(m.next_picture().is_none());
            assert!(m.held() <= 1000);
        }
        assert!(refused > 0);
        m.push(&jpeg(3, 10)).unwrap();
        assert_eq!(m.next_picture().unwrap(), jpeg(3, 10));
    }
}
