//! What the numbers of a picture mean, and turning one meaning into another.
//!
//! **A picture never travels without its matrix and range.** Cameras send BT.709 (HD) or BT.601 (SD), nearly always
//! in limited range; a JPEG (JFIF 1.02) is BT.601 in full range. Taking one for the other is the usual reason for
//! greenish grass and grey blacks.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::nal::{Nal, RefNal};

/// Coefficients of luma and chroma (ITU-T H.264 table E-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601, also called SMPTE 170M and BT.470BG.
    Bt601,
    /// ITU-R BT.709.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

impl Matrix {
    /// (Kr, Kb)
    fn weights(self) -> (f64, f64) {
        match self {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// Which numbers mean black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// 16 to 235, chroma 16 to 240.
    Limited,
    /// 0 to 255.
    Full,
}

/// Matrix and range of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    /// Luma and chroma coefficients.
    pub matrix: Matrix,
    /// Black and white.
    pub range: Range,
}

impl Colour {
    /// What JFIF prescribes.
    pub const JPEG: Colour = Colour { matrix: Matrix::Bt601, range: Range::Full };
    /// HD video.
    pub const HD: Colour = Colour { matrix: Matrix::Bt709, range: Range::Limited };
    /// SD video.
    pub const SD: Colour = Colour { matrix: Matrix::Bt601, range: Range::Limited };

    /// What players take a stream for that says nothing: HD from 720 lines.
    pub fn assumed(height: u32) -> Colour {
        if height >= 720 { Colour::HD } else { Colour::SD }
    }

    /// What an H.264 sequence parameter set says (NAL unit without start code), as far as it says it; the rest is
    /// assumed by `height`.
    pub fn of_h264(sps: &[u8], height: u32) -> Colour {
        let assumed = Colour::assumed(height);
        let Some(signal) = parse_sps(sps).and_then(|s| s.vui_parameters).and_then(|v| v.video_signal_type) else {
            return assumed;
        };
        let matrix = match signal.colour_description.map(|c| c.matrix_coefficients) {
            Some(1) => Matrix::Bt709,
            Some(4..=7) => Matrix::Bt601,
            Some(9 | 10) => Matrix::Bt2020,
            _ => assumed.matrix,
        };
        let range = if signal.video_full_range_flag { Range::Full } else { Range::Limited };
        Colour { matrix, range }
    }

    /// 8-bit Y, Cb, Cr of a non-linear RGB colour.
    pub fn from_rgb(self, [r, g, b]: [u8; 3]) -> [u8; 3] {
        let (kr, kb) = self.matrix.weights();
        let (r, g, b) = (f64::from(r) / 255.0, f64::from(g) / 255.0, f64::from(b) / 255.0);
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (cb, cr) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
        let (offset, luma, chroma) = self.scale();
        [clamp(offset + y * luma), clamp(128.0 + cb * chroma), clamp(128.0 + cr * chroma)]
    }

    /// The RGB colour of 8-bit Y, Cb, Cr.
    pub fn to_rgb(self, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let (kr, kb) = self.matrix.weights();
        let (offset, luma, chroma) = self.scale();
        let y = (f64::from(y) - offset) / luma;
        let (cb, cr) = ((f64::from(cb) - 128.0) / chroma, (f64::from(cr) - 128.0) / chroma);
        let r = y + 2.0 * (1.0 - kr) * cr;
        let b = y + 2.0 * (1.0 - kb) * cb;
        let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
        [clamp(r * 255.0), clamp(g * 255.0), clamp(b * 255.0)]
    }

    /// (black, luma excursion, chroma excursion)
    fn scale(self) -> (f64, f64, f64) {
        match self.range {
            Range::Limited => (16.0, 219.0, 224.0),
            Range::Full => (0.0, 255.0, 255.0),
        }
    }
}

fn clamp(v: f64) -> u8 {
    // Saturating by definition of the cast.
    v.round() as u8
}

/// The sequence parameter set as data, when it can be read.
pub(crate) fn parse_sps(sps: &[u8]) -> Option<SeqParameterSet> {
    if sps.len() < 4 {
        return None;
    }
    SeqParameterSet::from_bits(RefNal::new(sps, &[], true).rbsp_bits()).ok()
}

const SHIFT: u32 = 14;

/// Turns YCbCr of one colour into another with integers: grey stays grey, so the new chroma depends on chroma alone
/// and the new luma is the old one scaled plus a share of chroma.
#[derive(Debug, Clone)]
pub(crate) struct Convert {
    luma: i32,
    /// Luma offset, rounding included.
    base: i32,
    luma_cb: i32,
    luma_cr: i32,
    cb_cb: i32,
    cb_cr: i32,
    cr_cb: i32,
    cr_cr: i32,
}

impl Convert {
    pub(crate) fn new(from: Colour, to: Colour) -> Option<Self> {
        if from == to {
            return None;
        }
        let ((kr, kb), (kr2, kb2)) = (from.matrix.weights(), to.matrix.weights());
        let (offset, luma, chroma) = from.scale();
        let (offset2, luma2, chroma2) = to.scale();
        // R, G, B of unit chroma at luma 0, in the old matrix.
        let rgb = |cb: f64, cr: f64| {
            let (r, b) = (2.0 * (1.0 - kr) * cr, 2.0 * (1.0 - kb) * cb);
            (r, -(kr * r + kb * b) / (1.0 - kr - kb), b)
        };
        let yuv = |(r, g, b): (f64, f64, f64)| {
            let y = kr2 * r + (1.0 - kr2 - kb2) * g + kb2 * b;
            (y, (b - y) / (2.0 * (1.0 - kb2)), (r - y) / (2.0 * (1.0 - kr2)))
        };
        let (y_cb, cb_cb, cr_cb) = yuv(rgb(1.0, 0.0));
        let (y_cr, cb_cr, cr_cr) = yuv(rgb(0.0, 1.0));
        let fix = |v: f64| (v * f64::from(1u32 << SHIFT)).round() as i32;
        let scale = luma2 / luma;
        let half = 1 << (SHIFT - 1);
        Some(Self {
            luma: fix(scale),
            base: fix(offset2) - (offset * scale * f64::from(1u32 << SHIFT)).round() as i32 + half,
            luma_cb: fix(y_cb * luma2 / chroma),
            luma_cr: fix(y_cr * luma2 / chroma),
            cb_cb: fix(cb_cb * chroma2 / chroma),
            cb_cr: fix(cb_cr * chroma2 / chroma),
            cr_cb: fix(cr_cb * chroma2 / chroma),
            cr_cr: fix(cr_cr * chroma2 / chroma),
        })
    }

    /// Converts one row of chroma in place and leaves what it adds to luma in `add`.
    pub(crate) fn chroma_row(&self, cb: &mut [u8], cr: &mut [u8], add: &mut [i32]) {
        let half = (128 << SHIFT) + (1 << (SHIFT - 1));
        for ((cb, cr), add) in cb.iter_mut().zip(cr.iter_mut()).zip(add.iter_mut()) {
            let (u, v) = (i32::from(*cb) - 128, i32::from(*cr) - 128);
            *add = self.luma_cb * u + self.luma_cr * v + self.base;
            *cb = ((self.cb_cb * u + self.cb_cr * v + half) >> SHIFT).clamp(0, 255) as u8;
            *cr = ((self.cr_cb * u + self.cr_cr * v + half) >> SHIFT).clamp(0, 255) as u8;
        }
    }

    /// Converts one row of luma in place; `add` comes from the chroma row that covers it.
    pub(crate) fn luma_row(&self, luma: &mut [u8], add: &[i32]) {
        for (pair, add) in luma.chunks_mut(2).zip(add) {
            for y in pair {
                *y = ((self.luma * i32::from(*y) + add) >> SHIFT).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURS: [[u8; 3]; 9] = [
        [0, 0, 0],
        [255, 255, 255],
        [191, 191, 0],
        [0, 191, 191],
        [0, 191, 0],
        [191, 0, 191],
        [191, 0, 0],
        [0, 0, 191],
        [90, 120, 60],
    ];

    #[test]
    fn known_values_of_the_standards() {
        assert_eq!(Colour::HD.from_rgb([255, 255, 255]), [235, 128, 128]);
        assert_eq!(Colour::HD.from_rgb([255, 0, 0]), [63, 102, 240]);
        assert_eq!(Colour::SD.from_rgb([255, 0, 0]), [81, 90, 240]);
        assert_eq!(Colour::JPEG.from_rgb([0, 0, 255]), [29, 255, 107]);
    }

    #[test]
    fn every_conversion_keeps_the_colour_that_is_seen() {
        for from in [Colour::HD, Colour::SD] {
            let c = Convert::new(from, Colour::JPEG).unwrap();
            for rgb in COLOURS {
                let [y, cb, cr] = from.from_rgb(rgb);
                let (mut y, mut cb, mut cr, mut add) = ([y; 2], [cb], [cr], [0]);
                c.chroma_row(&mut cb, &mut cr, &mut add);
                c.luma_row(&mut y, &add);
                let seen = Colour::JPEG.to_rgb([y[0], cb[0], cr[0]]);
                for (a, b) in rgb.iter().zip(seen) {
                    assert!(a.abs_diff(b) <= 3, "{from:?} {rgb:?} became {seen:?}");
                }
            }
        }
    }

    #[test]
    fn nonsense_parameter_sets_are_assumed_by_size() {
        assert_eq!(Colour::of_h264(&[0x67, 1, 2], 1080), Colour::HD);
        assert_eq!(Colour::of_h264(&[], 480), Colour::SD);
    }
}
