//! A finished session file without the space that its plan did not use, and with its movie in front.
//!
//! The reserve is made for the planned length; a ten-second take of a ninety-minute plan would carry megabytes of
//! zeros to everyone who downloads it. A recording that outgrew its plan has the movie behind the media, where a
//! browser has to look for it. **The media is copied as it is; only `moov` is written anew**, and what every `co64`
//! entry points at stays the same byte.

use std::io::{self, Read, Seek, SeekFrom};

use super::boxes::{self, BoxWriter};
use super::read::{boxes as children, u32_at};
use super::repair::RepairError;

/// How to write the smaller file: these bytes, then so much of the old one.
#[derive(Debug)]
pub struct Compact {
    /// `ftyp`, `moov` and the header of `mdat`.
    pub head: Vec<u8>,
    /// First byte of the old file that follows.
    pub from: u64,
    /// How many.
    pub len: u64,
    /// The movie lies behind the media now.
    pub behind: bool,
}

/// Looks at a finished session file. `None` when there is nothing to gain, or it is not one of ours.
pub fn compact<R: Read + Seek>(file: &mut R) -> Result<Option<Compact>, RepairError> {
    let len = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    let mut moov = None;
    let mut media = None;
    let mut behind = false;
    while moov.is_none() || media.is_none() {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        if at.saturating_add(16) > len || file.read_exact(&mut head).is_err() {
            return Ok(None);
        }
        let mut size = u64::from(u32_at(&head, 0).unwrap_or(0));
        match &head[4..8] {
            b"mdat" if size == 1 && media.is_none() => {
                size = head[8..].iter().fold(0u64, |n, &b| n << 8 | u64::from(b)).max(16);
                media = Some((at + 16, (size - 16).min(len - at - 16)));
                behind = moov.is_none();
            }
            b"moov" if size >= 8 && size <= len - at => {
                let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(&mut bytes)?;
                moov = Some(bytes);
            }
            b"ftyp" | b"free" if size >= 8 => {}
            _ => return Ok(None),
        }
        at = at.saturating_add(size);
    }
    let (Some(moov), Some((mdat, payload))) = (moov, media) else { return Ok(None) };
    // Once to learn how long it becomes, once with the offsets that follow from it.
    let size = ftyp_and(&moov, 0).len() as u64;
    let (Ok(new), Ok(old)) = (i64::try_from(size + 16), i64::try_from(mdat)) else { return Ok(None) };
    let head = ftyp_and(&moov, new - old);
    if size + 16 + (64 << 10) >= mdat && !behind {
        return Ok(None);
    }
    let mut b = BoxWriter::new();
    b.bytes(&head);
    b.u32(1);
    b.bytes(b"mdat");
    b.u64(payload + 16);
    Ok(Some(Compact { head: b.into_vec(), from: mdat, len: payload, behind }))
}

fn ftyp_and(moov: &[u8], by: i64) -> Vec<u8> {
    let mut b = BoxWriter::new();
    boxes::ftyp(&mut b);
    copy(&mut b, moov, by);
    b.into_vec()
}

/// Copies boxes without `free` ones, all chunks moved `by` so many bytes.
fn copy(b: &mut BoxWriter, data: &[u8], by: i64) {
    for found in children(data) {
        match &found.kind {
            b"free" => {}
            b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" => b.atom(&found.kind, |b| copy(b, found.body, by)),
            b"co64" => b.atom(b"co64", |b| {
                b.bytes(found.body.get(..8).unwrap_or(found.body));
                let entries = found.body.get(8..).unwrap_or(&[]).chunks_exact(8);
                for entry in entries {
                    let at = entry.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
                    b.u64(at.saturating_add_signed(by));
                }
            }),
            _ => b.bytes(found.whole),
        }
    }
}
