//! JPEG pictures: where they begin and end, and what their headers say (ITU-T T.81).
//!
//! **A picture is followed segment by segment**: a thumbnail inside an application segment is neither a beginning nor
//! an end.

use crate::bitstream::BitstreamError;
use crate::{JpegParams, VideoInfo};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// What a frame header says (§B.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Several scans, each adding detail.
    pub progressive: bool,
    /// How colour is sampled.
    pub sampling: Sampling,
    /// The picture has restart markers this many blocks apart; 0 is none.
    pub restart_interval: u16,
}

/// Sampling of the colour components against the brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Brightness only.
    Gray,
    /// Every pixel has a colour.
    S444,
    /// One colour for two pixels side by side.
    S422,
    /// One colour for four pixels.
    S420,
    /// One colour for two pixels above each other.
    S440,
    /// Anything else.
    Other,
}

/// Size of the picture, from its frame header.
pub fn params(picture: &[u8]) -> Result<JpegParams, BitstreamError> {
    let h = header(picture)?;
    Ok(JpegParams {
        video: VideoInfo {
            width: h.width,
            height: h.height,
            fps: None,
            reorder_depth: 0,
            // Object type 0x6C of MPEG-4 visual (RFC 6381 §3.3): JPEG.
            rfc6381: "mp4v.6C".to_owned(),
        },
    })
}

/// Reads the headers of a picture up to its first scan.
pub fn header(picture: &[u8]) -> Result<Header, BitstreamError> {
    const WHAT: &str = "JPEG header";
    let truncated = BitstreamError::Truncated { what: WHAT };
    let invalid = BitstreamError::Invalid { what: WHAT };
    if picture.first_chunk() != Some(&[0xff, SOI]) {
        return Err(invalid);
    }
    let mut at = 2;
    let mut frame = None;
    let mut restart_interval = 0;
    while let Some((marker, body, next)) = segment(picture, at).ok_or(truncated)? {
        match marker {
            0xc0..=0xc2 => frame = Some((marker, body)),
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(BitstreamError::Unsupported { what: "lossless or arithmetic JPEG" });
            }
            0xdd => restart_interval = body.first_chunk().map_or(0, |b| u16::from_be_bytes(*b)),
            _ => {}
        }
        at = next;
    }
    let (marker, body) = frame.ok_or(invalid)?;
    let &[precision, h1, h0, w1, w0, components] = body.first_chunk::<6>().ok_or(truncated)?;
    let (width, height) = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
    if precision != 8 {
        return Err(BitstreamError::Unsupported { what: "JPEG that is not 8 bit" });
    }
    if width == 0 || height == 0 {
        return Err(invalid);
    }
    let factors: Vec<u8> = body[6..].chunks_exact(3).take(usize::from(components)).map(|c| c[1]).collect();
    let sampling = match factors[..] {
        [_] => Sampling::Gray,
        [y, cb, cr] if cb == cr && cb != 0 => match (y >> 4, y & 15, cb >> 4, cb & 15) {
            (a, b, c, d) if a == c && b == d => Sampling::S444,
            (a, b, c, d) if a == 2 * c && b == d => Sampling::S422,
            (a, b, c, d) if a == 2 * c && b == 2 * d => Sampling::S420,
            (a, b, c, d) if a == c && b == 2 * d => Sampling::S440,
            _ => Sampling::Other,
        },
        [] => return Err(truncated),
        _ => Sampling::Other,
    };
    Ok(Header { width, height, progressive: marker == 0xc2, sampling, restart_interval })
}

/// The segment at `at`: marker, contents, place behind it. `Some(None)` at the first scan or the end of the picture,
/// `None` when the data ends inside.
#[allow(clippy::type_complexity)]
fn segment(data: &[u8], mut at: usize) -> Option<Option<(u8, &[u8], usize)>> {
    // Anything may stand before a marker's 0xff in the pictures of some cameras; fill bytes are 0xff themselves.
    loop {
        while *data.get(at)? != 0xff {
            at += 1;
        }
        match *data.get(at + 1)? {
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd7 | SOI => at += 2,
            EOI | SOS => return Some(None),
            marker => {
                let &[a, b] = data.get(at + 2..at + 4)?.first_chunk()?;
                let len = usize::from(u16::from_be_bytes([a, b])).max(2);
                let end = at + 2 + len;
                return Some(Some((marker, data.get(at + 4..end)?, end)));
            }
        }
    }
}

/// Where the next whole picture is in a growing buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// At these offsets: first byte of the SOI, first byte behind the EOI.
    Picture(usize, usize),
    /// A picture began at this offset and is not complete; everything before it can be dropped.
    Partial(usize),
    /// No picture begins here; everything but the last byte can be dropped.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Search,
    Segments,
    Scan,
}

/// Finds pictures in bytes that arrive in pieces, looking at each byte once.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    state: At,
    start: usize,
    at: usize,
}

impl Finder {
    /// Looks for the next picture in `buffer`, which must be the buffer of the call before with more bytes behind it
    /// or with bytes removed that [`Finder::removed`] was told of.
    pub fn find(&mut self, buffer: &[u8]) -> Found {
        loop {
            match self.state {
                At::Search => {
                    let Some(i) = buffer.get(self.at..).and_then(|b| b.windows(2).position(|w| w == [0xff, SOI]))
                    else {
                        self.at = buffer.len().saturating_sub(1).max(self.at);
                        return Found::Nothing;
                    };
                    self.start = self.at + i;
                    self.at = self.start + 2;
                    self.state = At::Segments;
                }
                At::Segments => {
                    let Some(i) = buffer.get(self.at..).and_then(|b| b.iter().position(|&b| b == 0xff)) else {
                        self.at = buffer.len().max(self.at);
                        return Found::Partial(self.start);
                    };
                    self.at += i;
                    match buffer.get(self.at + 1) {
                        None => return Found::Partial(self.start),
                        Some(0xff) => self.at += 1,
                        Some(0x00 | 0x01 | 0xd0..=0xd7) => self.at += 2,
                        // The picture before was never finished.
                        Some(&SOI) => {
                            self.start = self.at;
                            self.at += 2;
                        }
                        Some(&EOI) => return self.done(),
                        Some(&marker) => {
                            let Some(&[a, b]) = buffer.get(self.at + 2..).and_then(|b| b.first_chunk::<2>()) else {
                                return Found::Partial(self.start);
                            };
                            self.at += 2 + usize::from(u16::from_be_bytes([a, b])).max(2);
                            if marker == SOS {
                                self.state = At::Scan;
                            }
                        }
                    }
                }
                At::Scan => {
                    let Some(i) = buffer.get(self.at..).and_then(|b| b.iter().position(|&b| b == 0xff)) else {
                        self.at = buffer.len().max(self.at);
                        return Found::Partial(self.start);
                    };
                    self.at += i;
                    match buffer.get(self.at + 1) {
                        None => return Found::Partial(self.start),
                        Some(0x00 | 0xd0..=0xd7) => self.at += 2,
                        Some(0xff) => self.at += 1,
                        Some(_) => self.state = At::Segments,
                    }
                }
            }
        }
    }

    fn done(&mut self) -> Found {
        let (start, end) = (self.start, self.at + 2);
        self.state = At::Search;
        self.at = end;
        Found::Picture(start, end)
    }

    /// `count` bytes were removed from the front of the buffer.
    pub fn removed(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
        self.start = self.start.saturating_sub(count);
    }

    /// Begins anew, for a buffer that was emptied.
    pub fn restart(&mut self) {
        *self = Self::default();
    }
}
