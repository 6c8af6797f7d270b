//! JPEG pictures of a 1080p camera with a key frame each second.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::server::{Picture, Server};
use super::{Options, cores, folder, wait};
use crate::farm::Farm;
use crate::table::{Table, Times};

/// People who ask at once.
const CROWD: usize = 20;
/// Asked so much after a key frame is due that it is surely there.
const MARGIN: Duration = Duration::from_millis(60);

pub(super) fn run(o: &Options, table: &mut Table) -> Result<()> {
    let farm = Farm::picture()?;
    let dir = folder(1, Some(farm.address))?;
    let mut server = Server::start(&o.vigie, dir.path())?;
    server.sign_in()?;
    let camera = server.camera(1)?;
    // Somebody watches: the stream is pulled.
    let _session = server.session(camera)?.0;
    let last = server.picture(camera)?.arrived;
    let mut clock = KeyFrames { server: &server, camera, last };

    let mut fresh = Times::default();
    let mut bytes = 0;
    for _ in 0..o.rounds * 6 {
        let picture = clock.fresh()?;
        bytes = picture.bytes.len();
        fresh.add(picture.took);
    }
    let mut repeated = Times::default();
    while repeated.len() < 500 {
        let picture = server.picture(camera)?;
        // The first of each new key frame is the fresh one.
        if clock.note(&picture) {
            continue;
        }
        repeated.add(picture.took);
    }

    wait(2.0);
    let idle = cores(&server, 5.0)?;
    let alone = cpu_of_a_round(&mut clock, o.rounds * 2, idle, 1)?;
    let crowd = cpu_of_a_round(&mut clock, o.rounds * 2, idle, CROWD)?;

    let p95 = fresh.ms(0.95);
    let what = format!("snapshot of 1080p, fresh ({} KiB), ms: p50 / p95 / most of {}", bytes / 1024, fresh.len());
    table.row(&what, fresh.three(), "<= 60 (p95)", p95 <= 60.0);
    let p95 = repeated.ms(0.95);
    let what = format!("  already made, ms: p50 / p95 / most of {}", repeated.len());
    table.row(&what, repeated.three(), "<= 5 (p95)", p95 <= 5.0);
    let what = format!("  CPU ms per fresh picture: asked once / asked {CROWD} times at once");
    table.row(&what, format!("{alone:.1} / {crowd:.1}"), "less than two decodes", crowd < 2.0 * alone);
    server.stop()
}

/// When key frames come.
struct KeyFrames<'a> {
    server: &'a Server,
    camera: i64,
    /// When the newest known one arrived, about.
    last: Instant,
}

impl KeyFrames<'_> {
    /// Whether this picture is of another key frame than the last.
    fn note(&mut self, picture: &Picture) -> bool {
        let new = picture.arrived.duration_since(self.last) > Duration::from_millis(500);
        self.last = if new { picture.arrived } else { self.last };
        new
    }

    fn wait_for_the_next(&self) {
        let due = self.last + Duration::from_secs(1) + MARGIN;
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }

    /// The first picture of a new key frame.
    fn fresh(&mut self) -> Result<Picture> {
        for _ in 0..5 {
            self.wait_for_the_next();
            let picture = self.server.picture(self.camera)?;
            if self.note(&picture) {
                return Ok(picture);
            }
        }
        anyhow::bail!("no new key frame in five seconds")
    }
}

/// Milliseconds of CPU that each new key frame costs when so many ask for its picture at once, without what the stream
/// costs anyway.
fn cpu_of_a_round(clock: &mut KeyFrames<'_>, rounds: usize, idle: f64, people: usize) -> Result<f64> {
    let mut spent = 0.0;
    for _ in 0..rounds {
        clock.fresh()?;
        clock.wait_for_the_next();
        let (begun, cpu) = (Instant::now(), clock.server.cpu()?);
        let (server, camera) = (clock.server, clock.camera);
        let pictures: Vec<Result<Picture>> = std::thread::scope(|s| {
            let asked: Vec<_> = (0..people).map(|_| s.spawn(move || server.picture(camera))).collect();
            asked.into_iter().filter_map(|a| a.join().ok()).collect()
        });
        spent += (clock.server.cpu()? - cpu).as_secs_f64() - begun.elapsed().as_secs_f64() * idle;
        let pictures = pictures.into_iter().collect::<Result<Vec<_>>>()?;
        ensure!(pictures.len() == people, "somebody got no answer");
        ensure!(pictures.iter().all(|p| p.bytes == pictures[0].bytes), "they got different pictures");
        ensure!(clock.note(&pictures[0]), "there was no new key frame");
    }
    Ok(spent * 1e3 / rounds as f64)
}
