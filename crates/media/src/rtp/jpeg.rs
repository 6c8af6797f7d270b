//! JPEG over RTP (RFC 2435): baseline, three components, 4:2:2 or 4:2:0, at most 2040 pixels, standard Huffman tables.
//!
//! Quantisation tables travel with the first packet of every picture (Q = 255), so each picture stands alone.

use super::jpeg_tables::STANDARD;
use super::{RtpError, Writer};

const MAX_PIXELS: u32 = 2040;

pub(super) fn check_size(width: u32, height: u32) -> Result<(), RtpError> {
    if width > MAX_PIXELS || height > MAX_PIXELS {
        return Err(RtpError::Jpeg("RFC 2435 has room for 2040 pixels in each direction; ask for a smaller picture"));
    }
    Ok(())
}

/// What RFC 2435 needs of a picture.
#[derive(Debug, Default)]
struct Picture<'a> {
    width: u16,
    height: u16,
    /// 0 is 4:2:2, 1 is 4:2:0 (§4.1).
    kind: u8,
    tables: [Option<&'a [u8]>; 4],
    used: [u8; 2],
    restart_interval: u16,
    scan: &'a [u8],
}

fn parse(data: &[u8]) -> Result<Picture<'_>, RtpError> {
    let truncated = RtpError::Malformed("the JPEG is cut off");
    let mut p = Picture::default();
    let mut rest = data.strip_prefix(&[0xff, 0xd8]).ok_or(RtpError::Malformed("not a JPEG"))?;
    loop {
        while let [0xff, tail @ ..] = rest {
            if tail.first() != Some(&0xff) {
                break;
            }
            rest = tail;
        }
        let [0xff, marker, tail @ ..] = rest else { return Err(truncated) };
        let (len, body) = tail.split_first_chunk::<2>().ok_or(truncated.clone())?;
        let len = usize::from(u16::from_be_bytes(*len)).checked_sub(2).ok_or(truncated.clone())?;
        if len > body.len() {
            return Err(truncated);
        }
        let (segment, after) = body.split_at(len);
        rest = after;
        match marker {
            0xc0 | 0xc1 => frame_header(&mut p, segment)?,
            0xc2..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(RtpError::Jpeg("it is not baseline (RFC 2435 knows no progressive or lossless JPEG)"));
            }
            0xc4 => huffman(segment)?,
            0xdb => quantisation(&mut p, segment)?,
            0xdd => p.restart_interval = segment.first_chunk().map_or(0, |b| u16::from_be_bytes(*b)),
            0xda => {
                if p.width == 0 {
                    return Err(RtpError::Malformed("the JPEG has no frame header"));
                }
                p.scan = after;
                // The end marker is the receiver's business; some cameras pad after it.
                if let Some(end) = after.windows(2).rposition(|w| w == [0xff, 0xd9]) {
                    p.scan = &after[..end];
                }
                return Ok(p);
            }
            _ => {}
        }
    }
}

fn frame_header(p: &mut Picture<'_>, s: &[u8]) -> Result<(), RtpError> {
    let [8, h1, h0, w1, w0, components, rest @ ..] = s else {
        return Err(RtpError::Jpeg("it does not have 8 bits per sample"));
    };
    p.height = u16::from_be_bytes([*h1, *h0]);
    p.width = u16::from_be_bytes([*w1, *w0]);
    check_size(p.width.into(), p.height.into())?;
    if p.width == 0 || p.height == 0 {
        return Err(RtpError::Malformed("the JPEG has no size"));
    }
    let ([_, luma, q0, _, cb, q1, _, cr, q2, ..], 3) = (rest, components) else {
        return Err(RtpError::Jpeg("it does not have three components (grey pictures cannot be sent)"));
    };
    p.kind = match (luma, cb, cr) {
        (0x21, 0x11, 0x11) => 0,
        (0x22, 0x11, 0x11) => 1,
        _ => return Err(RtpError::Jpeg("its colours are sampled neither 4:2:0 nor 4:2:2")),
    };
    if q1 != q2 || *q0 > 3 || *q1 > 3 {
        return Err(RtpError::Jpeg("its two colour components are quantised differently"));
    }
    p.used = [*q0, *q1];
    Ok(())
}

fn quantisation<'a>(p: &mut Picture<'a>, mut s: &'a [u8]) -> Result<(), RtpError> {
    while let [id, rest @ ..] = s {
        if id >> 4 != 0 {
            return Err(RtpError::Jpeg("its quantisation tables have 16 bits"));
        }
        if *id > 3 || rest.len() < 64 {
            return Err(RtpError::Malformed("a quantisation table is cut off"));
        }
        let (table, after) = rest.split_at(64);
        p.tables[usize::from(*id)] = Some(table);
        s = after;
    }
    Ok(())
}

fn huffman(mut s: &[u8]) -> Result<(), RtpError> {
    while let [class, rest @ ..] = s {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or(RtpError::Malformed("a Huffman table is cut off"))?;
        let n: usize = counts.iter().map(|c| usize::from(*c)).sum();
        if n > rest.len() {
            return Err(RtpError::Malformed("a Huffman table is cut off"));
        }
        let (values, after) = rest.split_at(n);
        if !STANDARD.iter().any(|(c, k, v)| c == class && k == counts && *v == values) {
            return Err(RtpError::Jpeg("its Huffman tables are not the standard ones (optimised coding)"));
        }
        s = after;
    }
    Ok(())
}

pub(super) fn packetize(w: &mut Writer, room: usize, data: &[u8]) -> Result<(), RtpError> {
    let p = parse(data)?;
    let table =
        |i: usize| p.tables[usize::from(p.used[i])].ok_or(RtpError::Malformed("a quantisation table is missing"));
    let tables = [table(0)?, table(1)?];
    // Whole blocks of 8 pixels; a picture may be up to 7 pixels larger than its camera meant.
    let blocks = |pixels: u16| u8::try_from(pixels.div_ceil(8)).unwrap_or(255);
    let kind = p.kind | if p.restart_interval > 0 { 64 } else { 0 };
    let mut offset = 0usize;
    loop {
        let mut header = 8;
        if p.restart_interval > 0 {
            header += 4;
        }
        if offset == 0 {
            header += 4 + 128;
        }
        let chunk = &p.scan[offset..p.scan.len().min(offset + room - header)];
        let last = offset + chunk.len() == p.scan.len();
        w.begin(last);
        let position = u32::try_from(offset).ok().filter(|o| *o < 1 << 24);
        let position = position.ok_or(RtpError::Jpeg("it is larger than 16 MiB"))?;
        // Type-specific byte 0: progressive scan order of lines; then 24 bits of offset.
        w.put(&position.to_be_bytes());
        w.put(&[kind, 255, blocks(p.width), blocks(p.height)]);
        if p.restart_interval > 0 {
            w.put(&p.restart_interval.to_be_bytes());
            // F and L set, count 0x3fff: whole pictures only, the restart interval is not aligned to packets (§3.1.7).
            w.put(&[0xff, 0xff]);
        }
        if offset == 0 {
            w.put(&[0, 0, 0, 128]);
            w.put(tables[0]);
            w.put(tables[1]);
        }
        w.put(chunk);
        w.end();
        offset += chunk.len();
        if last {
            return Ok(());
        }
    }
}
