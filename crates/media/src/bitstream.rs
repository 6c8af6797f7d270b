//! Reading bit by bit, and what can be wrong with an elementary stream.
//!
//! **Reads past the end are errors, loops are bounded by the standard's own limits, and nothing is allocated by a
//! number that the stream names.**

use vigie_base::Fault;

/// Why bytes of a camera or file could not be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BitstreamError {
    /// They ended early.
    #[error("the {what} ends too early")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// A value the standard forbids.
    #[error("the {what} is not valid")]
    Invalid {
        /// What was being read.
        what: &'static str,
    },
    /// Allowed by the standard, but nothing that we handle.
    #[error("{what} cannot be used here")]
    Unsupported {
        /// What it is.
        what: &'static str,
    },
}

impl BitstreamError {
    /// Whose fault that is: the sender's.
    pub fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// A reader of big-endian bit fields. With `unescape`, the emulation prevention bytes of a NAL unit (ITU-T H.264
/// §7.4.1.1, H.265 §7.4.2.1) are left out while reading.
#[derive(Debug, Clone)]
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    /// Next byte to load.
    at: usize,
    zeros: u8,
    unescape: bool,
    current: u8,
    left: u8,
    what: &'static str,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(data: &'a [u8], what: &'static str) -> Self {
        Self { data, at: 0, zeros: 0, unescape: false, current: 0, left: 0, what }
    }

    pub(crate) fn of_nal(payload: &'a [u8], what: &'static str) -> Self {
        Self { unescape: true, ..Self::new(payload, what) }
    }

    fn load(&mut self) -> Result<(), BitstreamError> {
        let end = BitstreamError::Truncated { what: self.what };
        let mut byte = *self.data.get(self.at).ok_or(end)?;
        self.at += 1;
        if self.unescape && self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.data.get(self.at).ok_or(end)?;
            self.at += 1;
        }
        self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        self.current = byte;
        self.left = 8;
        Ok(())
    }

    pub(crate) fn bit(&mut self) -> Result<bool, BitstreamError> {
        if self.left == 0 {
            self.load()?;
        }
        self.left -= 1;
        Ok(self.current >> self.left & 1 == 1)
    }

    /// Up to 32 bits, most significant first.
    pub(crate) fn u(&mut self, count: u32) -> Result<u32, BitstreamError> {
        debug_assert!(count <= 32);
        let mut value = 0u32;
        let mut need = count;
        while need > 0 {
            if self.left == 0 {
                self.load()?;
            }
            let take = need.min(u32::from(self.left));
            self.left -= take as u8;
            let chunk = u32::from(self.current >> self.left) & ((1 << take) - 1);
            value = (value << take) | chunk;
            need -= take;
        }
        Ok(value)
    }

    /// Up to 8 bits.
    pub(crate) fn u8(&mut self, count: u32) -> Result<u8, BitstreamError> {
        debug_assert!(count <= 8);
        Ok(self.u(count)? as u8)
    }

    pub(crate) fn skip(&mut self, count: u32) -> Result<(), BitstreamError> {
        let mut left = count;
        while left > 0 {
            let n = left.min(32);
            self.u(n)?;
            left -= n;
        }
        Ok(())
    }

    /// Unsigned Exp-Golomb (ITU-T H.264 §9.1).
    pub(crate) fn ue(&mut self) -> Result<u32, BitstreamError> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(self.invalid());
            }
        }
        Ok(((1u64 << zeros) - 1 + u64::from(self.u(zeros)?)) as u32)
    }

    /// Unsigned Exp-Golomb that may not be over `max`.
    pub(crate) fn ue_max(&mut self, max: u32) -> Result<u32, BitstreamError> {
        let v = self.ue()?;
        if v > max { Err(self.invalid()) } else { Ok(v) }
    }

    /// Bits that are left, emulation prevention bytes counted in.
    pub(crate) fn remaining(&self) -> usize {
        (self.data.len() - self.at) * 8 + usize::from(self.left)
    }

    /// Goes to the next byte boundary.
    pub(crate) fn align(&mut self) {
        self.left = 0;
    }

    pub(crate) fn invalid(&self) -> BitstreamError {
        BitstreamError::Invalid { what: self.what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_any_width_cross_byte_borders() {
        let mut b = Bits::new(&[0b1010_0101, 0xff, 0x00, 0x12, 0x34], "test");
        assert_eq!(b.u(3), Ok(0b101));
        assert_eq!(b.u(9), Ok(0b0_0101_1111));
        assert_eq!(b.u(28), Ok(0x0f00_1234));
        assert_eq!(b.bit(), Err(BitstreamError::Truncated { what: "test" }));
    }

    #[test]
    fn exp_golomb_from_the_table_of_the_standard() {
        // 1 | 010 | 011 | 00100 | 00101
        let mut b = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], "test");
        assert_eq!((0..5).map(|_| b.ue()).collect::<Result<Vec<_>, _>>(), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(Bits::new(&[0; 9], "test").ue(), Err(BitstreamError::Invalid { what: "test" }));
    }

    #[test]
    fn emulation_prevention_is_left_out() {
        let mut b = Bits::of_nal(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3], "test");
        assert_eq!(b.u(32), Ok(0x0000_0100));
        assert_eq!(b.u(24), Ok(0));
        assert!(b.bit().is_err());
        assert_eq!(Bits::new(&[0, 0, 3, 1], "test").u(32), Ok(0x0000_0301));
    }
}
