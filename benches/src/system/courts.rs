//! What a player waits for beside a court: the estimate, a moment kept as a clip, a part of what was recorded.

use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::server::Server;
use super::{Options, folder, wait};
use crate::farm::Farm;
use crate::table::{Table, Times};

/// How much of the past a clip holds, in seconds.
const CLIP: u32 = 10;

pub(super) fn run(o: &Options, table: &mut Table) -> Result<()> {
    let farm = Farm::picture()?;
    let dir = folder(1, Some(farm.address))?;
    let mut server = Server::start(&o.vigie, dir.path())?;
    server.sign_in()?;
    let camera = server.camera(1)?;
    let session = server.session(camera)?.0;
    wait(f64::from(CLIP) + 2.0);

    let mut asked = Times::default();
    for _ in 0..200 {
        let path = format!("/api/video/record/estimate?session_id={session}&duration_minutes=90");
        asked.add(server.get(&path)?.1);
    }
    table.note(&format!("estimate, ms: p50 / p95 / most of {}", asked.len()), asked.three());

    let kept = clips(&server, &session, o.rounds)?;
    let what = format!("clip of {CLIP} s from memory, 4 Mbit/s, ms: p50 / p95 / most of {}", kept.len());
    table.note(&what, kept.three());

    server.record(&session)?;
    wait(f64::from(CLIP) + 2.0);
    let cut = clips(&server, &session, o.rounds)?;
    let what = format!("clip of {CLIP} s from the growing file, ms: p50 / p95 / most of {}", cut.len());
    table.note(&what, cut.three());
    let status = server.status(&session)?.0;
    ensure!(status["active"] == true && status["gaps"] == 0, "the recording was held up: {status}");
    server.stop_recording(&session)?;

    let mut first = Times::default();
    for n in 0..o.rounds * 4 {
        let from = 1.0 + 0.04 * n as f64;
        first.add(first_byte(&server, &format!("/api/video/files/{session}/clip?from={from}&to={}", from + 5.0))?);
    }
    let what = format!("part of a recording to its first byte, ms: p50 / p95 / most of {}", first.len());
    table.note(&what, first.three());
    server.stop()
}

fn clips(server: &Server, session: &str, rounds: usize) -> Result<Times> {
    let mut times = Times::default();
    for _ in 0..rounds * 2 {
        let (answer, took) = server.post(&format!("/api/video/session/{session}/mark"), &json!({ "seconds": CLIP }))?;
        let seconds = answer["clip"]["duration_seconds"].as_f64().context("no clip")?;
        ensure!(seconds > f64::from(CLIP) - 1.5, "only {seconds} s were kept");
        times.add(took);
    }
    Ok(times)
}

fn first_byte(server: &Server, path: &str) -> Result<Duration> {
    let begun = Instant::now();
    let mut body = server.open(path)?;
    let mut byte = [0];
    body.read_exact(&mut byte)?;
    let took = begun.elapsed();
    std::io::copy(&mut body, &mut std::io::sink())?;
    Ok(took)
}
