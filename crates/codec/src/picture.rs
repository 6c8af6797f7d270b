//! Pictures in the clear: 8-bit 4:2:0 planes.

use crate::colour::{Colour, Convert};
use crate::resize::resize_plane;

/// Most pixels in one direction; larger sizes are an attack or a mistake.
pub const MAX_SIDE: u32 = 8192;

/// A borrowed picture: three planes, chroma at half size rounded up.
#[derive(Debug, Clone, Copy)]
pub struct PictureRef<'a> {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Luma, Cb, Cr.
    pub planes: [&'a [u8]; 3],
    /// Bytes from one row to the next, per plane; at least the row's pixels.
    pub strides: [usize; 3],
    /// What the numbers mean.
    pub colour: Colour,
}

impl PictureRef<'_> {
    fn plane_size(&self, plane: usize) -> (usize, usize) {
        plane_size(self.width, self.height, plane)
    }

    /// Whether every row that the size promises is there.
    pub fn is_whole(&self) -> bool {
        self.width > 0
            && self.height > 0
            && (0..3).all(|p| {
                let (w, h) = self.plane_size(p);
                self.strides[p] >= w && self.planes[p].len() >= self.strides[p] * (h - 1) + w
            })
    }

    /// A copy of its own, scaled to `size` and turned into `colour`.
    pub fn render(&self, size: (u32, u32), colour: Colour) -> Picture {
        let mut out = Picture::new(size.0, size.1, colour);
        for p in 0..3 {
            let from = self.plane_size(p);
            let (w, h) = plane_size(size.0, size.1, p);
            let target = out.plane_mut(p);
            if from == (w, h) {
                for (row, source) in target.chunks_exact_mut(w).zip(self.planes[p].chunks(self.strides[p])) {
                    row.copy_from_slice(&source[..w]);
                }
            } else {
                resize_plane(self.planes[p], self.strides[p], from, target, (w, h));
            }
        }
        if let Some(convert) = Convert::new(self.colour, colour) {
            out.convert(&convert);
        }
        out
    }

    /// The size for a wanted width: never larger than the picture, the shape kept, even numbers.
    pub fn size_for(&self, width: Option<u32>) -> (u32, u32) {
        fit(self.width, self.height, width)
    }
}

/// See [`PictureRef::size_for`].
pub fn fit(width: u32, height: u32, wanted: Option<u32>) -> (u32, u32) {
    match wanted {
        Some(w) if w < width && width > 0 => {
            let w = w.max(16) & !1;
            let h = (u64::from(height) * u64::from(w) + u64::from(width) / 2) / u64::from(width);
            (w.min(width), (u32::try_from(h).unwrap_or(height).max(2) + 1) & !1)
        }
        _ => (width, height),
    }
}

fn plane_size(width: u32, height: u32, plane: usize) -> (usize, usize) {
    let (w, h) = if plane == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) };
    (w as usize, h as usize)
}

/// A picture of its own, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    colour: Colour,
    data: Vec<u8>,
}

impl Picture {
    /// A picture of zeros. Sides are limited to 1..=[`MAX_SIDE`].
    pub fn new(width: u32, height: u32, colour: Colour) -> Self {
        let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
        let size = (0..3).map(|p| plane_size(width, height, p)).map(|(w, h)| w * h).sum();
        Self { width, height, colour, data: vec![0; size] }
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What the numbers mean.
    pub fn colour(&self) -> Colour {
        self.colour
    }

    /// All three planes, each after the other.
    pub fn split_mut(&mut self) -> [&mut [u8]; 3] {
        let (w, h) = plane_size(self.width, self.height, 0);
        let (y, rest) = self.data.split_at_mut(w * h);
        let (cb, cr) = rest.split_at_mut(rest.len() / 2);
        [y, cb, cr]
    }

    fn plane_mut(&mut self, plane: usize) -> &mut [u8] {
        let [y, cb, cr] = self.split_mut();
        match plane {
            0 => y,
            1 => cb,
            _ => cr,
        }
    }

    /// The picture, borrowed.
    pub fn view(&self) -> PictureRef<'_> {
        let (w, h) = plane_size(self.width, self.height, 0);
        let (y, rest) = self.data.split_at(w * h);
        let (cb, cr) = rest.split_at(rest.len() / 2);
        let cw = plane_size(self.width, self.height, 1).0;
        PictureRef {
            width: self.width,
            height: self.height,
            planes: [y, cb, cr],
            strides: [w, cw, cw],
            colour: self.colour,
        }
    }

    /// The three planes, borrowed.
    pub fn planes(&self) -> [&[u8]; 3] {
        self.view().planes
    }

    /// The colour of one pixel as RGB; black outside.
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        let v = self.view();
        let (x, y) = (x as usize, y as usize);
        let at = |p: usize, x: usize, y: usize| v.planes[p].get(y * v.strides[p] + x).copied();
        match (at(0, x, y), at(1, x / 2, y / 2), at(2, x / 2, y / 2)) {
            (Some(l), Some(cb), Some(cr)) => self.colour.to_rgb([l, cb, cr]),
            _ => [0; 3],
        }
    }

    fn convert(&mut self, convert: &Convert) {
        let (w, _) = plane_size(self.width, self.height, 0);
        let (cw, _) = plane_size(self.width, self.height, 1);
        let mut add = vec![0; cw];
        let [luma, cb, cr] = self.split_mut();
        for ((rows, cb), cr) in luma.chunks_mut(2 * w).zip(cb.chunks_exact_mut(cw)).zip(cr.chunks_exact_mut(cw)) {
            convert.chroma_row(cb, cr, &mut add);
            for row in rows.chunks_exact_mut(w) {
                convert.luma_row(row, &add);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(width: u32, height: u32, rgb: [u8; 3], colour: Colour) -> Picture {
        let mut p = Picture::new(width, height, colour);
        let values = colour.from_rgb(rgb);
        for (plane, v) in p.split_mut().into_iter().zip(values) {
            plane.fill(v);
        }
        p
    }

    #[test]
    fn scaling_and_conversion_keep_a_flat_colour_at_any_odd_size() {
        let p = filled(101, 57, [200, 40, 90], Colour::HD);
        for size in [(101, 57), (50, 28), (33, 19), (202, 114)] {
            let out = p.view().render(size, Colour::JPEG);
            assert_eq!((out.width(), out.height()), size);
            for (x, y) in [(0, 0), (size.0 - 1, size.1 - 1), (size.0 / 2, size.1 / 3)] {
                let seen = out.rgb(x, y);
                assert!(seen.iter().zip([200u8, 40, 90]).all(|(a, b)| a.abs_diff(b) <= 4), "{seen:?} at {x},{y}");
            }
        }
    }

    #[test]
    fn a_wanted_width_never_enlarges() {
        assert_eq!(fit(1920, 1080, Some(640)), (640, 360));
        assert_eq!(fit(1920, 1080, Some(4000)), (1920, 1080));
        assert_eq!(fit(1920, 1080, Some(0)), (16, 10));
        assert_eq!(fit(640, 480, None), (640, 480));
    }

    #[test]
    fn a_short_plane_is_noticed() {
        let p = filled(16, 16, [1, 2, 3], Colour::SD);
        let mut v = p.view();
        assert!(v.is_whole());
        v.planes[2] = &v.planes[2][1..];
        assert!(!v.is_whole());
    }
}
