//! Program tables (ISO/IEC 13818-1 §2.4.4): which packets hold what.

use mpeg2ts_reader::mpegts_crc::sum32;

/// Puts sections together from packets.
#[derive(Debug, Default)]
pub(super) struct Sections {
    data: Vec<u8>,
}

impl Sections {
    /// A section without its checksum, when this packet completes one that is undamaged.
    pub(super) fn push(&mut self, start: bool, payload: &[u8]) -> Option<Vec<u8>> {
        if start {
            // What stands before the pointer ends the section before, which is sent again soon.
            let pointer = usize::from(*payload.first()?);
            self.data.clear();
            self.data.extend_from_slice(payload.get(1 + pointer..)?);
        } else if self.data.is_empty() {
            return None;
        } else {
            self.data.extend_from_slice(payload);
        }
        let &[_, high, low] = self.data.first_chunk()?;
        let len = 3 + usize::from(u16::from_be_bytes([high & 0x0f, low]));
        let section = self.data.get(..len)?;
        let whole = (len > 12 && sum32(section) == 0).then(|| section[..len - 4].to_vec());
        self.data.clear();
        whole
    }
}

/// The table's packets of the first program in a program association section.
pub(super) fn first_program(section: &[u8]) -> Option<u16> {
    if *section.first()? != 0 {
        return None;
    }
    let entries = section.get(8..)?.chunks_exact(4);
    let mut programs = entries.map(|e| (u16::from_be_bytes([e[0], e[1]]), u16::from_be_bytes([e[2], e[3]]) & 0x1fff));
    programs.find(|(number, _)| *number != 0).map(|(_, pid)| pid)
}

/// Type and packets of each stream in a program map section.
pub(super) fn streams(section: &[u8]) -> Vec<(u8, u16)> {
    let mut out = Vec::new();
    let length = |b: &[u8], at: usize| b.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0] & 0x0f, b[1]])));
    if section.first() != Some(&2) {
        return out;
    }
    let Some(mut rest) = length(section, 10).and_then(|skip| section.get(12 + skip..)) else { return out };
    while let (Some(&[kind, high, low]), Some(skip)) = (rest.first_chunk::<3>(), length(rest, 3)) {
        out.push((kind, u16::from_be_bytes([high & 0x1f, low])));
        let Some(next) = rest.get(5 + skip..) else { break };
        rest = next;
    }
    out
}
