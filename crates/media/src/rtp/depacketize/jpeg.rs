//! JPEG out of RFC 2435: a header made from what the packets say, and the scan behind it.
//!
//! **Every packet says where its bytes belong**, so a hole is seen without looking at sequence numbers.

use super::{Fault, Out, Packet};
use crate::rtp::jpeg_tables::{STANDARD, scaled_tables};

/// Puts pictures together.
#[derive(Debug, Default)]
pub(super) struct Jpeg {
    unit: Vec<u8>,
    /// Bytes of `unit` before the scan; 0 while no picture is begun.
    header: usize,
    usual: usize,
    timestamp: u32,
    pub(super) packets: u32,
    skip: Option<u32>,
    doubtful: bool,
    /// Quantisation of Q 128 to 254, which stays the same once it was sent (§4.2).
    kept: Vec<(u8, Vec<u8>)>,
}

impl Jpeg {
    pub(super) fn new() -> Self {
        Self { doubtful: true, ..Self::default() }
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.unit.len()
    }

    pub(super) fn discard(&mut self) {
        self.unit.clear();
        self.header = 0;
        self.packets = 0;
    }

    pub(super) fn push(&mut self, p: &Packet<'_>, lost: bool, out: &mut Out) -> Result<(), Fault> {
        if lost {
            self.doubtful = true;
            if self.header > 0 {
                out.damaged();
                self.skip = Some(self.timestamp);
            }
            self.discard();
        }
        if let Some(skipped) = self.skip {
            if skipped == p.timestamp {
                if p.marker {
                    self.skip = None;
                }
                return Ok(());
            }
            self.skip = None;
        }
        if self.header > 0 && p.timestamp != self.timestamp {
            // Some never set the marker.
            self.finish(out);
        }
        if p.payload.is_empty() && !p.marker {
            return Ok(());
        }
        self.timestamp = p.timestamp;
        self.packets += 1;
        if let Err(fault) = self.payload(p.payload) {
            self.discard();
            self.skip = (!p.marker).then_some(p.timestamp);
            return Err(fault);
        }
        self.doubtful = false;
        if p.marker && self.header > 0 {
            self.finish(out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out) {
        if !self.unit.ends_with(&[0xff, 0xd9]) {
            self.unit.extend_from_slice(&[0xff, 0xd9]);
        }
        let mut data = std::mem::take(&mut self.unit);
        self.usual = data.len();
        data.shrink_to_fit();
        out.unit(self.timestamp, data.into(), false);
        self.discard();
    }

    fn payload(&mut self, p: &[u8]) -> Result<(), Fault> {
        if p.is_empty() {
            return Ok(());
        }
        let cut = Fault::Malformed("a JPEG packet that is cut off");
        let (h, mut rest) = p.split_first_chunk::<8>().ok_or(cut)?;
        let offset = u32::from_be_bytes([0, h[1], h[2], h[3]]) as usize;
        let mut restart = None;
        if h[4] >= 64 {
            let (r, tail) = rest.split_first_chunk::<4>().ok_or(cut)?;
            restart = Some([r[0], r[1]]).filter(|r| *r != [0, 0]);
            rest = tail;
        }
        if offset == 0 {
            if self.header > 0 {
                return Err(Fault::Malformed("a JPEG that begins twice"));
            }
            if h[6] == 0 || h[7] == 0 {
                return Err(Fault::Malformed("a JPEG larger than the 2040 pixels that RFC 2435 has room for"));
            }
            let (tables, scan) = self.quantisation(h[5], rest)?;
            self.unit.reserve(self.usual.min(256 << 10).max(1024 + scan.len()));
            write_header(&mut self.unit, h, &tables, restart);
            self.header = self.unit.len();
            rest = scan;
        } else if self.header == 0 {
            return Err(if self.doubtful {
                Fault::Incomplete
            } else {
                Fault::Malformed("a JPEG without its beginning")
            });
        } else if offset != self.unit.len() - self.header {
            return Err(Fault::Malformed("a JPEG with a hole"));
        }
        self.unit.extend_from_slice(rest);
        Ok(())
    }

    /// The DQT segments that `q` stands for (§3.1.8, §4.2), and what follows them in the packet.
    fn quantisation<'a>(&mut self, q: u8, rest: &'a [u8]) -> Result<(Vec<u8>, &'a [u8]), Fault> {
        let missing = Fault::Malformed("a JPEG without its quantisation tables");
        if q < 128 {
            return Ok((segments(&scaled_tables(q), 0).ok_or(missing)?, rest));
        }
        let (t, tail) = rest.split_first_chunk::<4>().ok_or(missing)?;
        let length = usize::from(u16::from_be_bytes([t[2], t[3]]));
        let (tables, scan) = tail.split_at_checked(length).ok_or(missing)?;
        if tables.is_empty() {
            let kept = self.kept.iter().find(|(k, _)| *k == q && q < 255).ok_or(missing)?;
            return Ok((kept.1.clone(), scan));
        }
        let made = segments(tables, t[1]).ok_or(missing)?;
        if q < 255 {
            match self.kept.iter_mut().find(|(k, _)| *k == q) {
                Some((_, old)) if *old == made => {}
                Some((_, old)) => old.clone_from(&made),
                None => self.kept.push((q, made.clone())),
            }
        }
        Ok((made, scan))
    }
}

/// Two DQT segments: luma, then colour; one table serves both. A bit of `precision` is set for a table of 16 bits.
fn segments(tables: &[u8], precision: u8) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(tables.len() + 10);
    let mut rest = tables;
    let mut table = &[][..];
    for id in 0..2u8 {
        let wide = precision >> id & 1;
        if !rest.is_empty() {
            (table, rest) = rest.split_at_checked(64 << wide)?;
        }
        let wide = u8::from(table.len() == 128);
        out.extend_from_slice(&[0xff, 0xdb, 0, 67 + 64 * wide, wide << 4 | id]);
        out.extend_from_slice(table);
    }
    (!table.is_empty()).then_some(out)
}

/// A JFIF header for what RFC 2435 leaves out (§3.1, appendix B).
fn write_header(out: &mut Vec<u8>, h: &[u8; 8], tables: &[u8], restart: Option<[u8; 2]>) {
    out.extend_from_slice(&[0xff, 0xd8]);
    out.extend_from_slice(tables);
    if let Some([a, b]) = restart {
        out.extend_from_slice(&[0xff, 0xdd, 0, 4, a, b]);
    }
    // Type 0 is 4:2:2, 1 is 4:2:0 (§4.1); with restart markers 64 is added.
    let luma = if h[4] & 0x3f == 0 { 0x21 } else { 0x22 };
    let (width, height) = (u16::from(h[6]) * 8, u16::from(h[7]) * 8);
    out.extend_from_slice(&[0xff, 0xc0, 0, 17, 8]);
    out.extend_from_slice(&height.to_be_bytes());
    out.extend_from_slice(&width.to_be_bytes());
    out.extend_from_slice(&[3, 1, luma, 0, 2, 0x11, 1, 3, 0x11, 1]);
    for (class, counts, values) in STANDARD {
        out.extend_from_slice(&[0xff, 0xc4]);
        out.extend_from_slice(&u16::try_from(values.len() + 19).unwrap_or(0).to_be_bytes());
        out.push(class);
        out.extend_from_slice(&counts);
        out.extend_from_slice(values);
    }
    out.extend_from_slice(&[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
}
