//! Reading parameter sets of cameras that are careless behind the part that every decoder needs.
//!
//! Some leave bytes behind the end, some cut the VUI off, some declare fewer frame buffers than reference frames. None
//! of that changes the size of the picture, so **what is missing in the VUI reads as zero, and is thereby absent**.

use h264_reader::rbsp::{BitRead, BitReaderError, Numeric, Primitive};

type Result<T> = std::result::Result<T, BitReaderError>;

/// A reader that forgives what is said above.
pub(super) struct Lenient<R> {
    inner: R,
    in_vui: bool,
    /// Nothing more is read: the VUI broke off.
    broken: bool,
    reference_frames: u32,
    reorder_frames: u32,
}

impl<R> Lenient<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, in_vui: false, broken: false, reference_frames: 0, reorder_frames: 0 }
    }

    fn forgive<T: Default>(&mut self, read: Result<T>) -> Result<T> {
        match read {
            Err(_) if self.in_vui => {
                self.broken = true;
                Ok(T::default())
            }
            other => other,
        }
    }
}

impl<R: BitRead> BitRead for Lenient<R> {
    fn read_ue(&mut self, name: &'static str) -> Result<u32> {
        let read = if self.broken { Ok(0) } else { self.inner.read_ue(name) };
        let value = self.forgive(read)?;
        Ok(match name {
            "max_num_ref_frames" => {
                self.reference_frames = value;
                value
            }
            "max_num_reorder_frames" => {
                self.reorder_frames = value;
                value
            }
            "max_dec_frame_buffering" => value.max(self.reference_frames).max(self.reorder_frames),
            _ => value,
        })
    }

    fn read_se(&mut self, name: &'static str) -> Result<i32> {
        if self.broken {
            return Ok(0);
        }
        let read = self.inner.read_se(name);
        self.forgive(read)
    }

    fn read_bool(&mut self, name: &'static str) -> Result<bool> {
        if self.broken {
            return Ok(false);
        }
        let read = self.inner.read_bool(name);
        let value = self.forgive(read)?;
        self.in_vui |= name == "vui_parameters_present_flag";
        Ok(value)
    }

    fn read<U: Numeric>(&mut self, bit_count: u32, name: &'static str) -> Result<U> {
        if self.broken {
            return Ok(U::default());
        }
        let read = self.inner.read(bit_count, name);
        self.forgive(read)
    }

    fn read_to<V: Primitive>(&mut self, name: &'static str) -> Result<V> {
        self.inner.read_to(name)
    }

    fn skip(&mut self, bit_count: u32, name: &'static str) -> Result<()> {
        self.inner.skip(bit_count, name)
    }

    fn has_more_rbsp_data(&mut self, name: &'static str) -> Result<bool> {
        self.inner.has_more_rbsp_data(name)
    }

    fn finish_rbsp(self) -> Result<()> {
        Ok(())
    }

    fn finish_sei_payload(self) -> Result<()> {
        Ok(())
    }
}
