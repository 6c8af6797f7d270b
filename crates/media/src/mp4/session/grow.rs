//! More is recorded than was planned: a camera that sends more pictures than it says, or was measured at a bad moment.
//!
//! **Nothing stops and nothing splits.** Where the file system can insert space into the middle of a file, the reserve
//! becomes larger in place; it takes its new size in steps, and after each of them the file is valid:
//!
//! 1. The header of a `free` box is planted at `at`, a block boundary in the unused part of the table that is nearly
//!    full. It lies inside the payload of the reserve's `free` box, invisible. Its size is the distance from there to
//!    the media, and so is the space that will be inserted.
//! 2. Sync.
//! 3. The space is inserted at `at`. The planted header moves with what lies behind it to the very place where the
//!    media began before: the reserve is now two `free` boxes in a row. Offsets in fragments count from their `moof`,
//!    so the fragments mean what they meant.
//! 4. Sync.
//! 5. The first header takes the size of both: eight bytes within one sector.
//! 6. Sync: from here on the tables may write over the planted header.
//! 7. What the tables say about where the media lies is corrected. Nobody looks at it before the flip, and the repair
//!    of a file makes its tables from the fragments.
//!
//! Where space cannot be inserted ([`SessionFile::cannot_grow`]), the pages of a full table go between the fragments,
//! each in a `free` box of its own, and stopping puts the whole movie together behind the media
//! ([`super::close`]); the file is then rewritten with the movie in front when there is time.

use super::{Op, SessionFile};
use crate::mp4::tables::{Write, free_header};

/// The reserve is never made larger than this: box sizes have 32 bits.
const MAX_RESERVE: u64 = 1 << 30;

/// Space to be inserted into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Where, a multiple of 4096.
    pub at: u64,
    /// How many bytes, a multiple of 4096.
    pub len: u64,
}

impl SessionFile {
    /// Asks for more room when a table is nearly full: the operations come first and have to be carried out before
    /// the space is inserted. Then call [`Self::grown`], or [`Self::cannot_grow`] when it was not inserted. To be
    /// asked after every [`Self::push`], until it is `None`.
    pub fn grow(&self) -> Option<(Growth, Vec<Op>)> {
        if self.fixed || self.is_spilled() {
            return None;
        }
        let at = self.lanes.iter().find_map(|l| l.tables.room_at())?;
        let len = self.data_start.checked_sub(at).filter(|len| self.data_start + len <= MAX_RESERVE)?;
        // 1. Planted; 2. sync.
        Some((Growth { at, len }, vec![Op::Write(Write::new(at, free_header(len))), Op::Sync]))
    }

    /// 3. is done: the space is there.
    pub fn grown(&mut self, Growth { at, len }: Growth) -> Vec<Op> {
        self.data_start += len;
        self.tail += len;
        let free_at = self.init.0 + self.init.1;
        // 4. Sync; 5. one `free` box; 6. sync.
        let header = Write::new(free_at, free_header(self.data_start - free_at));
        let mut ops = vec![Op::Sync, Op::Write(header), Op::Sync];
        // 7. The offsets.
        for lane in &mut self.lanes {
            if lane.span.0 > at {
                lane.span.0 += len;
            }
            if lane.span.1 > at {
                lane.span.1 += len;
            }
            ops.extend(lane.tables.inserted(at, len));
        }
        ops
    }

    /// The file system does not insert space: from now on full tables go between the fragments.
    pub fn cannot_grow(&mut self) {
        self.fixed = true;
    }

    /// Whether the movie will lie behind the media.
    pub fn is_spilled(&self) -> bool {
        self.lanes.iter().any(|l| l.tables.is_spilled())
    }

    /// Bytes before the media.
    pub fn reserve_bytes(&self) -> u64 {
        self.data_start
    }

    /// Writes the pages that have no place in the reserve.
    pub(super) fn spill(&mut self, ops: &mut Vec<Op>) {
        let tail = &mut self.tail;
        let before = *tail;
        for lane in &mut self.lanes {
            lane.tables.spill(|page| {
                let (at, size) = (*tail, page.len() as u64 + 8);
                ops.push(Op::Write(Write { at, data: vec![free_header(size).into(), page] }));
                *tail += size;
                at + 8
            });
        }
        self.spilled += *tail - before;
    }
}
