//! The final `moov` around tables that are in place already.

use super::boxes::{self, BoxWriter, Edit};
use super::tables::{Write, free_header};

/// A track of the final `moov`: finished boxes, and where its tables are.
#[derive(Debug)]
pub(super) struct FinalTrack {
    /// `tkhd` of version 1; its duration is filled in.
    pub(super) tkhd: Vec<u8>,
    pub(super) hdlr: Vec<u8>,
    /// Media header and `dinf`.
    pub(super) minf_head: Vec<u8>,
    pub(super) stsd: Vec<u8>,
    pub(super) rate: u32,
    pub(super) media_duration: u64,
    pub(super) movie_duration: u64,
    pub(super) edits: Vec<Edit>,
    /// First byte of the tables and first byte after them.
    pub(super) tables: (u64, u64),
}

/// The boxes do not fit between the reserve's beginning and the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Writes everything of a `moov` that begins at `at` except the tables. It ends where the last tables end.
pub(super) fn final_moov(
    at: u64,
    timescale: u32,
    duration: u64,
    tracks: &[FinalTrack],
    out: &mut Vec<Write>,
) -> Result<(), NoRoom> {
    let end = tracks.last().ok_or(NoRoom)?.tables.1;
    let mut b = BoxWriter::new();
    let open = |b: &mut BoxWriter, at: u64, kind: &[u8; 4], end: u64| {
        let start = at + b.len() as u64;
        b.u32(u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX));
        b.bytes(kind);
    };
    let mut start = at;
    open(&mut b, start, b"moov", end);
    boxes::mvhd(&mut b, timescale, duration, u32::try_from(tracks.len() + 1).unwrap_or(u32::MAX));
    for t in tracks {
        let (first, end) = t.tables;
        open(&mut b, start, b"trak", end);
        let mut tkhd = t.tkhd.clone();
        if let Some(slot) = tkhd.get_mut(36..44) {
            slot.copy_from_slice(&t.movie_duration.to_be_bytes());
        }
        b.bytes(&tkhd);
        boxes::edts(&mut b, &t.edits);
        open(&mut b, start, b"mdia", end);
        boxes::mdhd(&mut b, t.rate, t.media_duration);
        b.bytes(&t.hdlr);
        open(&mut b, start, b"minf", end);
        b.bytes(&t.minf_head);
        open(&mut b, start, b"stbl", end);
        b.bytes(&t.stsd);
        let here = start + b.len() as u64;
        let pad = first.checked_sub(here).filter(|&p| p >= 8).ok_or(NoRoom)?;
        b.bytes(&free_header(pad));
        out.push(Write::new(start, std::mem::take(&mut b).into_vec()));
        start = end;
    }
    Ok(())
}
