//! The test card: colour bars, a grey ramp, a dial that turns once a second, a marker that travels, the wall clock and
//! the frame number, and a row of cells that a program can read the time from.
//!
//! **What does not move is painted once**; a frame repaints only the few rectangles that change, so a 720p frame
//! costs well under a millisecond.

mod font;
mod shapes;

use crate::{Colour, Picture};
use font::Letters;
use shapes::{Canvas, Rect};

/// Cells of the machine-readable row: the low 32 bits of the milliseconds since 1970, highest first.
pub const CODE_BITS: u32 = 32;

/// What a test card looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct CardOptions {
    /// Pixels in a row; made even, 160 at least.
    pub width: u32,
    /// Rows; made even, 96 at least.
    pub height: u32,
    /// Shown in the panel.
    pub name: String,
    /// Second line of the panel, e.g. size and rate.
    pub note: String,
    /// What the numbers of the picture mean.
    pub colour: Colour,
}

/// The instant a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Number of the frame.
    pub frame: u64,
    /// Wall time in milliseconds since 1970, UTC.
    pub unix_ms: i64,
    /// Added for the clock on the card, in seconds (local time).
    pub zone_s: i32,
}

impl Moment {
    /// Milliseconds within the wall clock's second.
    fn part(self) -> u32 {
        u32::try_from(self.unix_ms.rem_euclid(1000)).unwrap_or(0)
    }

    /// Whether the card flashes: the first 100 ms of each second, when the tone beeps.
    pub fn flashes(self) -> bool {
        self.part() < 100
    }

    /// `HH:MM:SS.mmm`
    pub fn clock(self) -> String {
        let ms = (self.unix_ms + i64::from(self.zone_s) * 1000).rem_euclid(86_400_000);
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        format!("{h:02}:{m:02}:{s:02}.{:03}", ms % 1000)
    }
}

const INK: u8 = 228;
const FAINT: u8 = 138;

/// What is shown while there is no picture: grey, with two words.
pub fn no_signal(width: u32, height: u32, colour: Colour) -> Picture {
    let mut picture = Picture::new(width, height, colour);
    let (width, height) = (picture.width(), picture.height());
    let mut canvas = Canvas::new(&mut picture, colour);
    canvas.fill(Rect { x: 0, y: 0, w: width, h: height }, [22, 27, 34]);
    let letters = Letters::new((height / 12).clamp(7, 200));
    let text = letters.clip("NO SIGNAL", width);
    let at = (width.saturating_sub(letters.width(&text)) / 2, height.saturating_sub(letters.height()) / 2);
    canvas.text(&letters, at.0 & !1, at.1 & !1, &text, FAINT);
    picture
}

/// Paints frames of one size.
pub struct Card {
    picture: Picture,
    background: Picture,
    colour: Colour,
    u: u32,
    clock: Rect,
    clock_letters: Letters,
    frame: Rect,
    small_letters: Letters,
    dial: Rect,
    ramp: Rect,
    code: Rect,
    panel_luma: u8,
}

impl Card {
    /// Paints the background.
    pub fn new(options: &CardOptions) -> Self {
        let (w, h) = (options.width.clamp(160, 8192) & !1, options.height.clamp(96, 8192) & !1);
        let colour = options.colour;
        let mut background = Picture::new(w, h, colour);
        // A 36th of the height, even so that chroma lines up; smaller on narrow cards so that the clock fits.
        let u = ((h / 36).min(w / 56) & !1).max(2);
        let even = |v: u32| v & !1;
        let ramp = Rect { x: 0, y: even(h - 13 * u), w, h: 3 * u };
        let panel = Rect { x: 0, y: ramp.y + ramp.h, w, h: h - ramp.y - ramp.h };
        let code = Rect { x: 0, y: h - u, w, h: u };
        let side = even((ramp.y * 3 / 5).min(w / 3));
        let dial = Rect { x: even((w - side) / 2), y: even((ramp.y - side) / 2), w: side, h: side };

        let mut c = Canvas::new(&mut background, colour);
        let bars =
            [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];
        for (i, rgb) in (0u32..).zip(bars) {
            let (x, end) = (even(w * i / 7), even(w * (i + 1) / 7));
            c.fill(Rect { x, y: 0, w: if i == 6 { w - x } else { end - x }, h: ramp.y }, rgb);
        }
        c.ramp(ramp);
        let slate = [22, 27, 34];
        c.fill(panel, slate);
        c.fill(Rect { x: 0, y: panel.y, w, h: (u / 4).max(2) & !1 }, [45, 212, 191]);
        c.disc(dial, 1.0, slate);
        c.ring(dial, 0.93, 0.97, INK);
        for i in 0..12 {
            c.tick(dial, f64::from(i) / 12.0, if i % 3 == 0 { 0.70 } else { 0.80 }, 0.90, FAINT);
        }
        let margin = even(u * 2);
        let small_letters = Letters::new((u * 4 / 3).max(7));
        let clock_letters = Letters::new((u * 3).max(7));
        let clock_w = clock_letters.width("00:00:00.000");
        let top = panel.y + u * 5 / 4;
        let clock = Rect {
            x: w - margin.min(w - clock_w.min(w)) - clock_w.min(w),
            y: top,
            w: clock_w.min(w),
            h: clock_letters.height(),
        };
        let text_w = clock.x.saturating_sub(margin);
        let name_letters = Letters::new((u * 5 / 2).max(7));
        c.text(&name_letters, margin, top, &name_letters.clip(&options.name, text_w), INK);
        c.text(&small_letters, margin, top + u * 15 / 4, &small_letters.clip(&options.note, text_w), FAINT);
        let below = top + u * 6 - u / 4;
        c.text(&small_letters, clock.x, top + u * 15 / 4, "UTC", FAINT);
        let frame = Rect {
            x: margin,
            y: below,
            w: text_w.min(small_letters.width("frame 0000000000")),
            h: small_letters.height(),
        };
        let panel_luma = colour.from_rgb(slate)[0];
        let picture = background.clone();
        Self {
            picture,
            background,
            colour,
            u,
            clock,
            clock_letters,
            frame,
            small_letters,
            dial,
            ramp,
            code,
            panel_luma,
        }
    }

    /// Says which time zone the clock shows (`UTC`, `local`).
    pub fn zone_label(&mut self, label: &str) {
        let at = (self.clock.x, self.clock.y + self.u * 15 / 4);
        let width = self.small_letters.width("UTC").max(self.small_letters.width(label));
        let area = Rect { x: at.0, y: at.1, w: width.min(self.picture.width() - at.0), h: self.small_letters.height() };
        for picture in [&mut self.background, &mut self.picture] {
            let mut c = Canvas::new(picture, self.colour);
            c.fill_luma(area, self.panel_luma);
            c.text(&self.small_letters, at.0, at.1, label, FAINT);
        }
    }

    /// Paints one frame.
    pub fn paint(&mut self, at: Moment) -> &Picture {
        let mut c = Canvas::new(&mut self.picture, self.colour);
        for area in [self.clock, self.frame, self.dial, self.ramp] {
            c.restore(&self.background, area);
        }
        c.text(&self.clock_letters, self.clock.x, self.clock.y, &at.clock(), INK);
        let frame = self.small_letters.clip(&format!("frame {}", at.frame), self.frame.w);
        c.text(&self.small_letters, self.frame.x, self.frame.y, &frame, FAINT);

        let turn = f64::from(at.part()) / 1000.0;
        c.tick(self.dial, turn, -0.12, 0.86, INK);
        if at.flashes() {
            c.disc(self.dial, 0.42, [255, 255, 255]);
        } else {
            c.disc(self.dial, 0.06, [45, 212, 191]);
        }

        // Four seconds from edge to edge: an uneven pace is seen at once.
        let across = u32::try_from(at.unix_ms.rem_euclid(4000)).unwrap_or(0);
        let size = (self.ramp.h & !1).max(2);
        let x = (u64::from(self.ramp.w - size) * u64::from(across) / 4000) as u32;
        let ball = Rect { x, y: self.ramp.y, w: size, h: size };
        c.disc(ball, 0.86, [245, 158, 11]);
        c.disc(ball, 0.40, [255, 255, 255]);

        let code = at.unix_ms as u32;
        for bit in 0..CODE_BITS {
            let (x, end) = (self.code.w * bit / CODE_BITS, self.code.w * (bit + 1) / CODE_BITS);
            let on = code >> (CODE_BITS - 1 - bit) & 1 == 1;
            c.fill_grey(
                Rect { x: x & !1, y: self.code.y, w: (end & !1) - (x & !1), h: self.u },
                if on { INK } else { 20 },
            );
        }
        &self.picture
    }

    /// The picture size after rounding.
    pub fn size(&self) -> (u32, u32) {
        (self.picture.width(), self.picture.height())
    }
}

/// Reads back the row of cells: the low 32 bits of the time the frame shows, if the row is there.
pub fn read_code(picture: &Picture) -> Option<u32> {
    let (w, h) = (picture.width(), picture.height());
    let u = ((h / 36).min(w / 56) & !1).max(2);
    let mut code = 0;
    for bit in 0..CODE_BITS {
        let x = (w * bit / CODE_BITS + w * (bit + 1) / CODE_BITS) / 2;
        match picture.rgb(x, h - u / 2)[1] {
            0..=80 => code <<= 1,
            160..=255 => code = code << 1 | 1,
            _ => return None,
        }
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(width: u32, height: u32) -> Card {
        let options = CardOptions {
            width,
            height,
            name: "Court 1, été".into(),
            note: format!("{width}×{height} 25 fps"),
            colour: Colour::HD,
        };
        Card::new(&options)
    }

    #[test]
    fn the_time_can_be_read_back_at_every_size() {
        for (w, h) in [(1280, 720), (1920, 1080), (640, 480), (321, 181), (160, 96), (480, 1280)] {
            let mut c = card(w, h);
            for ms in [0i64, 1_763_695_320_123, 4_294_967_295] {
                let p = c.paint(Moment { frame: 7, unix_ms: ms, zone_s: 0 });
                assert_eq!(read_code(p), Some(ms as u32), "{w}×{h}");
            }
        }
    }

    #[test]
    fn bars_have_their_colours() {
        let mut c = card(1280, 720);
        let p = c.paint(Moment { frame: 0, unix_ms: 500, zone_s: 0 });
        for (i, rgb) in
            [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]]
                .into_iter()
                .enumerate()
        {
            let seen = p.rgb(1280 * i as u32 / 7 + 40, 20);
            assert!(seen.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 2), "bar {i}: {seen:?}");
        }
    }

    #[test]
    fn each_frame_stands_for_itself() {
        let (mut a, mut b) = (card(640, 360), card(640, 360));
        for ms in (0..5000).step_by(37) {
            a.paint(Moment { frame: ms, unix_ms: ms as i64, zone_s: 0 });
        }
        let last = Moment { frame: 9, unix_ms: 86_399_999, zone_s: 0 };
        assert!(a.paint(last) == b.paint(last), "something of an earlier frame was left behind");
        assert_eq!(last.clock(), "23:59:59.999");
        assert_eq!(Moment { zone_s: -7200, ..last }.clock(), "21:59:59.999");
        assert!(Moment { unix_ms: 1_050, ..last }.flashes() && !last.flashes());
    }
}
