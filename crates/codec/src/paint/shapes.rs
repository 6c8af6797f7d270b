//! Shapes with smooth edges on 4:2:0 planes. Nothing outside the picture is ever touched.

use super::font::Letters;
use crate::{Colour, Picture};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

pub(super) struct Canvas<'a> {
    w: usize,
    h: usize,
    luma: &'a mut [u8],
    cb: &'a mut [u8],
    cr: &'a mut [u8],
    colour: Colour,
}

fn blend(under: u8, over: u8, alpha: f32) -> u8 {
    (f32::from(under) + (f32::from(over) - f32::from(under)) * alpha).round() as u8
}

impl<'a> Canvas<'a> {
    pub(super) fn new(picture: &'a mut Picture, colour: Colour) -> Self {
        let (w, h) = (picture.width() as usize, picture.height() as usize);
        let [luma, cb, cr] = picture.split_mut();
        Self { w, h, luma, cb, cr, colour }
    }

    /// Columns and rows of `r` that lie in the picture.
    fn clip(&self, r: Rect) -> (usize, usize, usize, usize) {
        let (x, y) = ((r.x as usize).min(self.w), (r.y as usize).min(self.h));
        (x, y, (r.x + r.w).min(self.w as u32) as usize, (r.y + r.h).min(self.h as u32) as usize)
    }

    pub(super) fn fill_luma(&mut self, r: Rect, value: u8) {
        let (x, y, right, bottom) = self.clip(r);
        for row in y..bottom {
            self.luma[row * self.w + x..row * self.w + right].fill(value);
        }
    }

    fn fill_yuv(&mut self, r: Rect, [l, cb, cr]: [u8; 3]) {
        self.fill_luma(r, l);
        let (x, y, right, bottom) = self.clip(r);
        let cw = self.w.div_ceil(2);
        for row in y / 2..bottom.div_ceil(2) {
            let span = row * cw + x / 2..row * cw + right.div_ceil(2);
            self.cb[span.clone()].fill(cb);
            self.cr[span].fill(cr);
        }
    }

    pub(super) fn fill(&mut self, r: Rect, rgb: [u8; 3]) {
        let yuv = self.colour.from_rgb(rgb);
        self.fill_yuv(r, yuv);
    }

    pub(super) fn fill_grey(&mut self, r: Rect, grey: u8) {
        self.fill(r, [grey; 3]);
    }

    /// Black to white from left to right.
    pub(super) fn ramp(&mut self, r: Rect) {
        self.fill_grey(r, 0);
        let (x, y, right, bottom) = self.clip(r);
        let values: Vec<u8> =
            (x..right).map(|i| self.colour.from_rgb([((i - x) * 255 / (right - x).max(1)) as u8; 3])[0]).collect();
        for row in y..bottom {
            self.luma[row * self.w + x..row * self.w + right].copy_from_slice(&values);
        }
    }

    /// Puts back what was there before.
    pub(super) fn restore(&mut self, from: &Picture, r: Rect) {
        let [luma, cb, cr] = from.planes();
        let (x, y, right, bottom) = self.clip(r);
        for row in y..bottom {
            let span = row * self.w + x..row * self.w + right;
            self.luma[span.clone()].copy_from_slice(&luma[span]);
        }
        let cw = self.w.div_ceil(2);
        for row in y / 2..bottom.div_ceil(2) {
            let span = row * cw + x / 2..row * cw + right.div_ceil(2);
            self.cb[span.clone()].copy_from_slice(&cb[span.clone()]);
            self.cr[span.clone()].copy_from_slice(&cr[span]);
        }
    }

    /// A disc in the middle of `r`, of `size` times its half width.
    pub(super) fn disc(&mut self, r: Rect, size: f32, rgb: [u8; 3]) {
        let [l, cb, cr] = self.colour.from_rgb(rgb);
        let radius = r.w as f32 / 2.0 * size;
        let (mx, my) = (r.x as f32 + r.w as f32 / 2.0, r.y as f32 + r.h as f32 / 2.0);
        let cover = move |x: f32, y: f32, soft: f32| {
            let d = ((x - mx).powi(2) + (y - my).powi(2)).sqrt();
            ((radius - d) / soft + 0.5).clamp(0.0, 1.0)
        };
        let (x, y, right, bottom) = self.clip(around(mx, my, radius + 2.0));
        for row in y..bottom {
            for col in x..right {
                let a = cover(col as f32 + 0.5, row as f32 + 0.5, 1.0);
                if a > 0.0 {
                    let p = &mut self.luma[row * self.w + col];
                    *p = blend(*p, l, a);
                }
            }
        }
        let cw = self.w.div_ceil(2);
        for row in y / 2..bottom.div_ceil(2) {
            for col in x / 2..right.div_ceil(2) {
                let a = cover(col as f32 * 2.0 + 1.0, row as f32 * 2.0 + 1.0, 2.0);
                if a > 0.0 {
                    let i = row * cw + col;
                    self.cb[i] = blend(self.cb[i], cb, a);
                    self.cr[i] = blend(self.cr[i], cr, a);
                }
            }
        }
    }

    /// A ring between two radii, as parts of the half width of `r`; luma only.
    pub(super) fn ring(&mut self, r: Rect, inner: f32, outer: f32, grey: u8) {
        let l = self.colour.from_rgb([grey; 3])[0];
        let half = r.w as f32 / 2.0;
        let (mx, my) = (r.x as f32 + half, r.y as f32 + r.h as f32 / 2.0);
        self.shade(r, l, |x, y| {
            let d = ((x - mx).powi(2) + (y - my).powi(2)).sqrt();
            (half * outer - d + 0.5).min(d - half * inner + 0.5)
        });
    }

    /// A stroke from one radius to another at `turn` (0 is up, 0.25 right); luma only.
    pub(super) fn tick(&mut self, r: Rect, turn: f64, from: f32, to: f32, grey: u8) {
        let l = self.colour.from_rgb([grey; 3])[0];
        let half = r.w as f32 / 2.0;
        let (mx, my) = (r.x as f32 + half, r.y as f32 + r.h as f32 / 2.0);
        let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
        let (dx, dy) = (sin as f32, -(cos as f32));
        let thick = (half * 0.025).max(0.8);
        let ends = [from * half, to * half];
        let (ax, bx) = (mx + dx * ends[0], mx + dx * ends[1]);
        let (ay, by) = (my + dy * ends[0], my + dy * ends[1]);
        let pad = thick + 2.0;
        let (left, top) = (ax.min(bx) - pad, ay.min(by) - pad);
        let area = Rect {
            x: left.max(0.0) as u32,
            y: top.max(0.0) as u32,
            w: ((ax - bx).abs() + 2.0 * pad) as u32 + 1,
            h: ((ay - by).abs() + 2.0 * pad) as u32 + 1,
        };
        self.shade(area, l, |x, y| {
            let (px, py) = (x - mx, y - my);
            let along = (px * dx + py * dy).clamp(ends[0], ends[1]);
            thick - ((px - dx * along).powi(2) + (py - dy * along).powi(2)).sqrt() + 0.5
        });
    }

    fn shade(&mut self, area: Rect, value: u8, cover: impl Fn(f32, f32) -> f32) {
        let (x, y, right, bottom) = self.clip(area);
        for row in y..bottom {
            for col in x..right {
                let a = cover(col as f32 + 0.5, row as f32 + 0.5).clamp(0.0, 1.0);
                if a > 0.0 {
                    let p = &mut self.luma[row * self.w + col];
                    *p = blend(*p, value, a);
                }
            }
        }
    }

    /// Letters in grey; luma only, so they take the tint of what is below.
    pub(super) fn text(&mut self, letters: &Letters, x: u32, y: u32, text: &str, grey: u8) {
        let value = self.colour.from_rgb([grey; 3])[0];
        let mut left = x as usize;
        for c in text.chars() {
            let mask = letters.mask(c);
            for (row, line) in mask.chunks_exact(letters.cell_width()).enumerate() {
                let row = y as usize + row;
                if row >= self.h {
                    break;
                }
                for (i, &a) in line.iter().enumerate() {
                    if a > 0 && left + i < self.w {
                        let p = &mut self.luma[row * self.w + left + i];
                        *p = blend(*p, value, f32::from(a) / 255.0);
                    }
                }
            }
            left += letters.cell_width();
        }
    }
}

fn around(x: f32, y: f32, radius: f32) -> Rect {
    let (left, top) = ((x - radius).max(0.0), (y - radius).max(0.0));
    Rect { x: left as u32, y: top as u32, w: (x + radius - left) as u32 + 1, h: (y + radius - top) as u32 + 1 }
}
