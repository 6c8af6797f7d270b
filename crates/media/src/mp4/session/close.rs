//! Finishing a session file.
//!
//! When its tables did not fit into the reserve, the movie goes behind the media. It is staged there as the payload of
//! a `free` box; the one `mdat` that the flip reveals ends after the header of that box, so that the movie appears at
//! the same instant as everything else. **The order of the steps is the same**: tail, stage, sync, flip, sync.

use super::{FTYP, Lane, Op, SessionFile};
use crate::MediaTime;
use crate::mp4::boxes::{self, BoxWriter, Edit, TrackHead};
use crate::mp4::finish::{FinalTrack, final_moov};
use crate::mp4::tables::{Write, free_header};

/// Enough for every box of a track before its tables, except its sample entries.
const HEAD: u64 = 1024;

impl SessionFile {
    /// Finishes the file. The last picture lasts until `end_ns` of the stream's timeline (the instant of the stop),
    /// or as long as pictures usually do. Nothing may be pushed afterwards.
    pub fn finish(&mut self, end_ns: Option<i64>) -> Vec<Op> {
        let mut ops = Vec::new();

        // 1. The tail.
        for i in 0..self.lanes.len() {
            self.settle_last(i, end_ns, &mut ops);
        }
        self.cut(&mut ops);

        // 2. The stage, inside the payload of the `free` box.
        let mut writes = Vec::new();
        self.lanes.iter_mut().for_each(|l| l.tables.flush(&mut writes));
        if self.is_spilled() {
            ops.extend(writes.into_iter().map(Op::Write));
            self.stage_behind(&mut ops);
            self.flip(&mut ops);
            return ops;
        }
        for l in &mut self.lanes {
            l.tables.finish(&mut writes);
        }
        let at = self.init.0 + self.init.1 + 8;
        let tracks: Vec<FinalTrack> = self.lanes.iter().zip(1u32..).map(|(l, n)| self.final_track(l, n)).collect();
        let duration = tracks.iter().map(|t| t.movie_duration).max().unwrap_or(0);
        let end = tracks.last().map_or(at, |t| t.tables.1);
        if final_moov(at, self.timescale, duration, &tracks, &mut writes).is_err() {
            // Cannot happen: `describe` has kept the room. The growing file stays what it is, which is playable.
            ops.push(Op::Sync);
            return ops;
        }
        writes.extend(mdat_from(end, self.data_start, self.tail));
        ops.extend(writes.into_iter().map(Op::Write));
        self.flip(&mut ops);
        ops
    }

    /// 3. Sync; 4. the flip; 5. sync.
    fn flip(&self, ops: &mut Vec<Op>) {
        ops.push(Op::Sync);
        ops.push(Op::Write(Write::new(self.init.0, free_header(self.init.1 + 8))));
        ops.push(Op::Sync);
        debug_assert!(self.init.0 >= FTYP && self.init.0.is_multiple_of(8), "the flip stays within one sector");
    }

    fn stage_behind(&mut self, ops: &mut Vec<Op>) {
        let moov = self.tail + 8;
        let mut at = moov;
        for i in 0..self.lanes.len() {
            let lane = &self.lanes[i];
            let entries: usize = lane.entries.iter().map(super::entry_bytes).sum();
            let first = (at + entries as u64 + HEAD).next_multiple_of(8);
            at = first;
            self.lanes[i].tables.behind(&mut at, ops);
            self.lanes[i].span = (first, at);
        }
        let tracks: Vec<FinalTrack> = self.lanes.iter().zip(1u32..).map(|(l, n)| self.final_track(l, n)).collect();
        let duration = tracks.iter().map(|t| t.movie_duration).max().unwrap_or(0);
        let mut writes = Vec::new();
        if final_moov(moov, self.timescale, duration, &tracks, &mut writes).is_err() {
            // Cannot happen: the room before each track's tables was measured above.
            return;
        }
        writes.push(Write::new(self.tail, free_header(at - self.tail)));
        let free_at = self.init.0 + self.init.1;
        writes.extend(mdat_from(free_at + 8, self.data_start, moov));
        ops.extend(writes.into_iter().map(Op::Write));
    }

    fn settle_last(&mut self, index: usize, end_ns: Option<i64>, ops: &mut Vec<Op>) {
        let rate = self.lanes[index].rate();
        let base = self.base_ticks(rate);
        let paces = self.paces(index);
        let end = end_ns.map(|ns| MediaTime(ns).rescale(1_000_000_000, rate).0.saturating_sub(base));
        let lane = &mut self.lanes[index];
        let Some(p) = &lane.pending else { return };
        let last_shown = lane.last_shown.max(p.pts);
        // A stop that lies before the last picture (its camera's clock runs ahead) hides none.
        let end = end.filter(|&e| e > last_shown);
        // The picture that is decoded last need not be the one that is shown last.
        let nominal = i64::from(lane.nominal);
        let usual = lane.end.max(p.pts + nominal);
        let until = end.filter(|_| paces).unwrap_or(usual);
        let next = p.dts + (nominal + until - usual).max(1);
        self.settle(index, next, ops);
        let lane = &mut self.lanes[index];
        lane.end = end.map_or(until, |e| if paces { e } else { lane.end.min(e) });
    }

    fn final_track(&self, lane: &Lane, number: u32) -> FinalTrack {
        let rate = lane.rate();
        let start = i64::try_from(super::skip(self.base_ns, self.start_ns, rate)).unwrap_or(i64::MAX);
        let edits = edit_list(lane.first_dts.unwrap_or(0), start, lane.end, rate, self.timescale);
        let mut tkhd = BoxWriter::new();
        let mut hdlr = BoxWriter::new();
        let mut minf_head = BoxWriter::new();
        let mut stsd = BoxWriter::new();
        if let Some(t) = lane.entries.first() {
            boxes::tkhd(&mut tkhd, number, t, TrackHead::default());
        }
        boxes::hdlr(&mut hdlr, lane.kind());
        boxes::minf_head(&mut minf_head, lane.kind());
        boxes::stsd(&mut stsd, lane.entries.iter());
        FinalTrack {
            tkhd: tkhd.into_vec(),
            hdlr: hdlr.into_vec(),
            minf_head: minf_head.into_vec(),
            stsd: stsd.into_vec(),
            rate,
            media_duration: lane.media_duration,
            movie_duration: edits.iter().map(|e| e.duration).sum(),
            edits,
            tables: lane.span,
        }
    }
}

/// The visible part of a track whose first sample is at `first`: from `start` to `end`, all in ticks since the file's
/// zero. The track's own zero is its first sample.
pub(in crate::mp4) fn edit_list(first: i64, start: i64, end: i64, rate: u32, timescale: u32) -> Vec<Edit> {
    let movie = |ticks: i64| u64::try_from(MediaTime(ticks).rescale(rate, timescale).0).unwrap_or(0);
    if first > start {
        vec![
            Edit { duration: movie(first.saturating_sub(start)), media_time: None },
            Edit { duration: movie(end.saturating_sub(first)), media_time: Some(0) },
        ]
    } else {
        let media_time = u64::try_from(start.saturating_sub(first)).unwrap_or(0);
        vec![Edit { duration: movie(end.saturating_sub(start)), media_time: Some(media_time) }]
    }
}

/// A `free` box from `at` to the 16 bytes before `data_start`, and there the header of an `mdat` up to `tail`.
pub(in crate::mp4) fn mdat_from(at: u64, data_start: u64, tail: u64) -> [Write; 2] {
    let header = data_start - 16;
    let mut mdat = BoxWriter::new();
    mdat.u32(1);
    mdat.bytes(b"mdat");
    mdat.u64(tail - header);
    [Write::new(at, free_header(header - at)), Write::new(header, mdat.into_vec())]
}
