//! Many cameras at once: watched, reserved, recorded, stopped.

use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::server::Server;
use super::{Options, cores, folder, wait};
use crate::farm::Farm;
use crate::rtsp_fanout::Child;
use crate::table::{Table, Times};
use crate::{camera, drain};

pub(super) fn run(o: &Options, table: &mut Table) -> Result<()> {
    let n = o.cameras;
    let farm = Farm::synthetic(0, n)?;
    let dir = folder(n, Some(farm.address))?;
    // The first start makes the administrator. Only the second is measured, and nobody signs in before the memory is:
    // hashing a password takes room that cameras could use afterwards.
    let mut server = Server::start(&o.vigie, dir.path())?;
    server.sign_in()?;
    for i in [1, n] {
        // Players ask for cameras by their number.
        ensure!(server.camera(i)? == i as i64, "the cameras are not numbered from 1");
    }
    server.stop()?;
    let mut server = Server::start(&o.vigie, dir.path())?;
    measure(o, &mut server, table).inspect_err(|_| println!("{}", server.last_words()))?;
    server.stop()
}

fn measure(o: &Options, server: &mut Server, table: &mut Table) -> Result<()> {
    let (n, seconds) = (o.cameras, o.seconds as f64);
    wait(2.0);
    let before = server.rss_kib() - server.held_kib()?;

    let mut players = Child::start("tcp", server.rtsp, n, n)?;
    players.ready()?;
    wait(6.0);
    players.say("mark")?;
    let marked = Instant::now();
    let watched = cores(server, seconds)?;
    let beyond = (server.rss_kib() - server.held_kib()? - before) / n as f64;
    let what = format!("{n} cameras x 1 reader: cores");
    table.row(&what, format!("{watched:.3}"), "<= 0.2", watched <= 0.2);
    table.row("  KiB per camera and reader beyond the media held", kib(beyond), "<= 1024", beyond <= 1024.0);
    table.note("  MiB of media held", format!("{:.0}", server.held_kib()? / 1024.0));

    server.sign_in()?;
    let (mut created, mut sessions) = (Times::default(), Vec::new());
    for camera in 1..=n {
        let (id, took) = server.session(camera as i64)?;
        created.add(took);
        sessions.push(id);
    }
    players.say("stop")?;
    let due = marked.elapsed().as_secs_f64() * camera::FPS as f64 * drain::sampled(n) as f64;
    let result = players.finish()?;
    let [_, frames, p50, p99, most] = result[..] else { bail!("odd figures {result:?}") };
    let share = frames as f64 * 100.0 / due;
    table.row("  % of the frames due that were whole at the players", format!("{share:.1}"), ">= 99", share >= 99.0);
    let [p50, p99, most] = [p50, p99, most].map(|ns| ns as f64 / 1e6);
    let what = "  latency ms, camera to player over both connections: p50 / p99 / most";
    table.note(what, format!("{p50:.1} / {p99:.1} / {most:.1}"));

    wait(3.0);
    let pulled = cores(server, seconds)?;
    let pulled_beyond = (server.rss_kib() - server.held_kib()? - before) / n as f64;

    let mut begun = Times::default();
    for id in &sessions {
        begun.add(server.record(id)?);
    }
    wait(5.0);
    let recorded = cores(server, seconds)?;
    let recorded_beyond = (server.rss_kib() - server.held_kib()? - before) / n as f64;
    let mut asked = Times::default();
    for i in 0..1000 {
        asked.add(server.status(&sessions[i % n])?.1);
    }
    let mut incomplete = 0;
    for id in &sessions {
        let status = server.status(id)?.0;
        let (frames, due) = (status["frames"].as_f64().unwrap_or(0.0), (seconds + 3.0) * 25.0);
        incomplete += usize::from(frames < due || status["gaps"] != 0 || status["active"] != true);
    }
    let mut stopped = Times::default();
    for id in &sessions {
        stopped.add(server.stop_recording(id)?);
    }

    let percent = recorded * 100.0 / n as f64;
    let what = format!("{n} cameras pulled and recorded: % of a core per camera");
    table.row(&what, format!("{percent:.3}"), "<= 0.35", percent <= 0.35);
    table.note("  of which for pulling alone", format!("{:.3}", pulled * 100.0 / n as f64));
    let mib = recorded_beyond / 1024.0;
    table.row("  MiB per camera beyond the media held", format!("{mib:.2}"), "<= 2", mib <= 2.0);
    table.note("  of which for pulling alone", format!("{:.2}", pulled_beyond / 1024.0));
    table.row("  recordings with a gap or too few frames", incomplete.to_string(), "0", incomplete == 0);
    let p95 = stopped.ms(0.95);
    let what = format!("stop to finished file, ms: p50 / p95 / most of {}", stopped.len());
    table.row(&what, stopped.three(), "<= 50 (p95)", p95 <= 50.0);
    let p95 = created.ms(0.95);
    table.row("session on a stream already pulled, ms: p50 / p95 / most", created.three(), "<= 20 (p95)", p95 <= 20.0);
    let p95 = begun.ms(0.95);
    table.row("start to record, ms: p50 / p95 / most", begun.three(), "<= 50 (p95)", p95 <= 50.0);
    let p95 = asked.ms(0.95);
    let what = format!("status while {n} record, ms: p50 / p95 / most of {}", asked.len());
    table.row(&what, asked.three(), "<= 2 (p95)", p95 <= 2.0);
    Ok(())
}

fn kib(x: f64) -> String {
    format!("{x:.0}")
}
