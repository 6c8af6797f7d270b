//! Writes one frame of the test card as a JPEG: `cargo run -p vigie-codec --example card -- 1280 720 card.jpg`.
#![allow(clippy::print_stdout)]

use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{Colour, jpeg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| arguments.next().and_then(|a| a.parse().ok()).unwrap_or(default);
    let (width, height) = (number(1280), number(720));
    let path = std::env::args().nth(3).unwrap_or_else(|| "card.jpg".into());
    let note = format!("{width}×{height}  25 fps  H.264");
    let mut card = Card::new(&CardOptions { width, height, name: "Demo camera".into(), note, colour: Colour::HD });
    let picture = card.paint(Moment { frame: 4711, unix_ms: 1_763_695_320_240, zone_s: 0 });
    std::fs::write(&path, jpeg::Encoder::new(90)?.still(picture.view(), None)?)?;
    println!("{path}");
    Ok(())
}
