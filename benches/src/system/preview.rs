//! How much later a picture is in a browser's MJPEG preview than it was in the camera: 1080p25 H.264, so each picture is
//! decoded and made a JPEG on the way.
//!
//! Each picture carries a row of cells that says which of its second it is (`vigie_codec::paint`), and the farm says when
//! its second began; so the age is that of the picture itself, whatever was skipped between.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vigie_codec::{jpeg, paint};

use super::server::Server;
use super::{Options, folder};
use crate::farm::Farm;
use crate::sys;
use crate::table::{Table, Times};

const SECOND_NS: u64 = 1_000_000_000;
/// Of one camera, the only one: it is a whole frame behind the beginning.
const PHASE_NS: u64 = SECOND_NS / 25;
/// Pictures until decoder and encoder are warm.
const WARM: usize = 25;
const PICTURES: usize = 150;

pub(super) fn run(o: &Options, table: &mut Table) -> Result<()> {
    let farm = Farm::picture()?;
    let dir = folder(1, Some(farm.address))?;
    let mut server = Server::start(&o.vigie, dir.path())?;
    server.sign_in()?;
    let session = server.session(server.camera(1)?)?.0;

    let mut body = BufReader::new(server.open(&format!("/api/preview/{session}/stream.mjpeg?fps=25"))?);
    let mut ages = Times::default();
    let begun = sys::monotonic_ns();
    for n in 0..WARM + PICTURES {
        let picture = part(&mut body)?;
        let now = sys::monotonic_ns();
        if n < WARM {
            continue;
        }
        let shown = paint::read_code(&jpeg::decode(&picture)?).context("a picture without its row of cells")?;
        let born = u64::from(shown) * 1_000_000 + farm.begun_ns + PHASE_NS;
        ages.add(Duration::from_nanos((now - born) % SECOND_NS));
    }
    let rate = (WARM + PICTURES) as f64 / ((sys::monotonic_ns() - begun) as f64 / SECOND_NS as f64);
    drop(body);
    let p95 = ages.ms(0.95);
    let what = format!("MJPEG preview of 1080p H.264, age of its pictures, ms: p50 / p95 / most of {}", ages.len());
    table.row(&what, ages.three(), "<= 50 (p95)", p95 <= 50.0);
    table.note("  pictures per second, of 25", format!("{rate:.1}"));
    server.stop()
}

/// The next JPEG of a multipart body.
fn part(body: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        ensure!(body.read_line(&mut line)? > 0, "the preview ended");
        let line = line.trim_end();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse()?);
        }
        // The empty line before the boundary belongs to the part before.
        if let (true, Some(length)) = (line.is_empty(), length) {
            let mut picture = vec![0; length];
            body.read_exact(&mut picture)?;
            return Ok(picture);
        }
    }
}
