//! A camera that loses its power for five seconds while somebody watches and a recording runs.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::server::Server;
use super::{Options, folder, wait};
use crate::drain::{Player, play};
use crate::farm::Farm;
use crate::sys;
use crate::table::{Table, Times};

/// How long the camera is away.
const AWAY_S: f64 = 5.0;
/// How long it is waited for once it is back.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(o: &Options, table: &mut Table) -> Result<()> {
    let mut farm = Farm::synthetic(0, 1)?;
    let dir = folder(1, Some(farm.address))?;
    let mut server = Server::start(&o.vigie, dir.path())?;
    server.sign_in()?;
    let camera = server.camera(1)?;
    let session = server.session(camera)?.0;
    server.record(&session)?;
    let mut socket = TcpStream::connect(server.rtsp)?;
    play(&mut socket, server.rtsp, &format!("cam/{camera}/main"), "RTP/AVP/TCP;unicast;interleaved=0-1")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut player = Player::new(socket);
    let mut back = Times::default();
    let mut frames = -1.0;
    // Long enough for fragments, so that the recording shows whether it goes on.
    let settle = |player: &mut Player| frame_born_after(player, sys::monotonic_ns() + 5_000_000_000);
    for round in 1..=o.rounds {
        settle(&mut player).context("the camera does not play")?;
        let status = server.status(&session)?.0;
        let now = status["frames"].as_f64().unwrap_or(-1.0);
        ensure!(status["active"] == true && now > frames, "the recording does not go on: {status}");
        frames = now;
        let port = farm.address.port();
        farm.kill()?;
        // Not always at the same point between two looks at the camera.
        wait(AWAY_S + 0.15 * (round - 1) as f64);
        farm = Farm::synthetic(port, 1)?;
        let seen = frame_born_after(&mut player, farm.accepting_ns)
            .inspect_err(|_| println!("{}", server.last_words()))
            .with_context(|| format!("round {round}: the reader"))?;
        println!("    round {round}: back after {:.0} ms", (seen - farm.accepting_ns) as f64 / 1e6);
        back.add(Duration::from_nanos(seen - farm.accepting_ns));
    }
    settle(&mut player).context("the camera does not play")?;
    let status = server.status(&session)?.0;
    let gaps = status["gaps"].as_u64().unwrap_or(0);
    ensure!(status["active"] == true && status["frames"].as_f64() > Some(frames), "the recording ended: {status}");
    server.stop_recording(&session)?;
    let figure = format!("{:.0} / {:.0}", back.ms(0.5), back.ms(1.0));
    let what =
        format!("camera back after {AWAY_S:.0} s: ms to the reader's first frame, median / most of {}", back.len());
    table.row(&what, figure, "<= 1000", back.ms(1.0) <= 1000.0);
    table.row(
        "  reader and recording kept; gaps noted",
        gaps.to_string(),
        &o.rounds.to_string(),
        gaps == o.rounds as u64,
    );
    server.stop()
}

/// Waits for the last byte of a frame that the camera made after that moment; when it came.
fn frame_born_after(player: &mut Player, ns: u64) -> Result<u64> {
    let begun = Instant::now();
    let mut seen = None;
    while seen.is_none() {
        let open = player.read(|born| {
            if born >= ns && seen.is_none() {
                seen = Some(sys::monotonic_ns());
            }
        });
        ensure!(open, "was disconnected");
        ensure!(begun.elapsed() < PATIENCE, "got no new frame for {} s", PATIENCE.as_secs());
    }
    seen.context("no frame")
}
