//! A camera is unplugged and plugged in again while it is watched and recorded. Nobody is thrown out, the file is one, and
//! the hole in it is known.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vigie_tests::{GstCamera, Player, Vigie, ffprobe_json, until};

fn status(vigie: &Vigie, session: &str) -> Result<Value> {
    Ok(vigie.get(&format!("/api/video/record/status/{session}"))?.body["status"].clone())
}

#[test]
fn watched_and_recorded_through_a_cut() -> Result<()> {
    let mut camera = GstCamera::start(&["--codec", "h264", "--audio", "aac", "--gop", "15"])?;
    let vigie = Vigie::start("", &[])?;
    let url = format!("rtsp://127.0.0.1:{}/cam", camera.port);
    let id = vigie.add_camera(&json!({"name": "Court 1", "primary_stream_url": url}))?;

    // A player that nobody here wrote watches through all of it.
    let mut player = Player::start(&vigie, &format!("cam/{id}/main"))?;
    until("the player plays", Duration::from_secs(20), || Ok((player.frames()? > 20).then_some(())))?;

    let session = vigie.open_session(id)?;
    let a = vigie.post("/api/video/record/start", &json!({"session_id": session, "duration_minutes": 5}))?;
    ensure!(a.status == 200, "start: {a:?}");
    let started = Instant::now();
    until("three seconds are recorded", Duration::from_secs(20), || {
        Ok((status(&vigie, &session)?["frames"].as_u64() > Some(75)).then_some(()))
    })?;

    camera.unplug()?;
    let watched = player.frames()?;
    until("the loss is seen", Duration::from_secs(10), || {
        Ok((status(&vigie, &session)?["source_connected"] == json!(false)).then_some(()))
    })?;
    // Long enough to be a hole by any measure.
    let cut = Instant::now();
    until("four seconds pass", Duration::from_secs(5), || Ok((cut.elapsed() > Duration::from_secs(4)).then_some(())))?;
    camera.replug()?;
    until("the player plays on", Duration::from_secs(15), || Ok((player.frames()? > watched + 40).then_some(())))?;
    ensure!(player.is_playing()?, "the player was thrown out");
    until("recording goes on", Duration::from_secs(15), || {
        let s = status(&vigie, &session)?;
        Ok((s["source_connected"] == json!(true) && s["gaps"] != json!(0) && s["gaps"] != json!([])).then_some(()))
    })?;

    let a = vigie.post("/api/video/record/stop", &json!({"session_id": session}))?;
    let wall = started.elapsed().as_secs_f64();
    ensure!(a.status == 200, "stop: {a:?}");
    let path = a.body["video_path"].as_str().context("video_path")?;
    let probed = ffprobe_json(path, &[])?;
    let duration: f64 = probed["format"]["duration"].as_str().context("duration")?.parse()?;
    ensure!((duration - wall).abs() < 1.0, "{duration} s in the file, {wall} s on the clock");
    let codecs: Vec<_> = probed["streams"].as_array().context("streams")?.iter().map(|s| &s["codec_name"]).collect();
    ensure!(codecs == [&json!("h264"), &json!("aac")], "{codecs:?}");

    let decoded = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-i", path, "-f", "null", "-"]).output()?;
    let complaints = String::from_utf8_lossy(&decoded.stderr).into_owned();
    ensure!(decoded.status.success() && complaints.trim().is_empty(), "ffmpeg on the file: {complaints}");
    ensure!(vigie.download(&format!("/api/video/files/{session}/download"))? == std::fs::read(path)?, "download");
    Ok(())
}
