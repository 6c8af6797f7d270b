//! What clubs are promised of sessions and recordings, with the clock on the wall: asked from outside, files looked at by
//! programs that nobody here wrote.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use vigie_tests::{Vigie, ffprobe_json, pause, until};

const LIMIT: Duration = Duration::from_secs(20);

fn test_card(name: &str) -> serde_json::Value {
    json!({"name": name, "connection_type": "testcard",
        "primary_stream_url": "testcard:?width=320&height=240&fps=25&gop=25"})
}

/// REC-027, REC-029: a minute is a minute, to the picture, and nobody has to press stop.
#[test]
fn a_recording_ends_by_itself_when_its_time_is_up() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let camera = vigie.add_camera(&test_card("Court 1"))?;
    let session = vigie.open_session(camera)?;
    let started = Instant::now();
    let a = vigie.post("/api/video/record/start", &json!({"session_id": session, "duration_minutes": 1}))?;
    ensure!(a.status == 200 && a.body["recording"]["duration_seconds"] == 60, "{a:?}");
    let status = format!("/api/video/record/status/{session}");
    let mut seen = -1;
    let done = until("the recording ends by itself", Duration::from_secs(75), || {
        let s = vigie.get(&status)?.body["status"].clone();
        let (elapsed, percent) = (s["elapsed_seconds"].as_i64().unwrap_or(-1), s["progress_percent"].as_i64());
        ensure!(elapsed >= seen && percent.is_some_and(|p| (0..=100).contains(&p)), "time went back: {s}");
        seen = elapsed;
        Ok((s["active"] == false).then_some(s))
    })?;
    let took = started.elapsed().as_secs_f64();
    ensure!((59.9..=62.0).contains(&took), "{took} s");
    ensure!(done["state"] == "COMPLETE" && done["elapsed_seconds"] == 60 && done["progress_percent"] == 100, "{done}");
    let path = done["video_path"].as_str().context("video_path")?;
    let probed = ffprobe_json(path, &["-count_packets"])?;
    let seconds: f64 = probed["format"]["duration"].as_str().context("duration")?.parse()?;
    ensure!((seconds - 60.0).abs() <= 0.041, "{seconds} s is not a minute to the picture");
    let bytes = std::fs::read(path)?;
    let at = |name: &[u8]| bytes.windows(4).position(|w| w == name);
    ensure!(at(b"moov") < at(b"mdat"), "the index does not come first");
    Ok(())
}

/// REC-046, REC-047: who goes away without a word holds neither court nor camera for ever.
#[test]
fn an_idle_session_goes_and_with_it_the_pull() -> Result<()> {
    let vigie = Vigie::start("[session]\ntimeout_seconds = 3\n", &[])?;
    let (idle, busy) = (vigie.add_camera(&test_card("A"))?, vigie.add_camera(&test_card("B"))?);
    vigie.open_session(idle)?;
    let recorded = vigie.open_session(busy)?;
    let a = vigie.post("/api/video/record/start", &json!({"session_id": recorded, "duration_minutes": 5}))?;
    ensure!(a.status == 200, "{a:?}");
    until("the idle session is gone", LIMIT, || {
        let list = vigie.get("/api/video/session/list")?.body;
        let ids: Vec<&str> =
            list["sessions"].as_array().into_iter().flatten().filter_map(|s| s["session_id"].as_str()).collect();
        ensure!(ids.contains(&recorded.as_str()), "the one that records stays: {list}");
        Ok((ids.len() == 1).then_some(()))
    })?;
    until("its camera is not pulled any more", LIMIT, || {
        let state = vigie.get(&format!("/api/cameras/{idle}"))?.body["camera"]["streams"][0]["state"].clone();
        Ok((state == "idle").then_some(()))
    })
}

/// A viewer over a plain socket.
fn watch(vigie: &Vigie, path: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(vigie.http.trim_start_matches("http://"))?;
    socket.set_read_timeout(Some(LIMIT))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", vigie.token())?;
    let mut head = [0; 12];
    socket.read_exact(&mut head)?;
    ensure!(&head == b"HTTP/1.1 200", "{}", String::from_utf8_lossy(&head));
    Ok(socket)
}

/// REC-034, REC-036: parts arrive as fast as the camera sends; viewers are counted, and gone soon after they left.
#[test]
fn a_preview_counts_its_viewers() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let session = vigie.open_session(vigie.add_camera(&test_card("Court 1"))?)?;
    let info = || Ok::<_, anyhow::Error>(vigie.get(&format!("/api/preview/{session}/info"))?.body["preview"].clone());
    let path = format!("/api/preview/{session}/stream.mjpeg");
    let (mut first, second) = (watch(&vigie, &path)?, watch(&vigie, &format!("/proxy/{session}/stream.mjpg"))?);
    until("two viewers are counted", LIMIT, || Ok((info()?["viewers"] == 2).then_some(())))?;
    let seen = info()?;
    ensure!(seen["width"] == 320 && seen["height"] == 240 && seen["recording_active"] == false, "{seen}");
    let (mut bytes, begun, mut piece) = (Vec::new(), Instant::now(), [0; 65536]);
    while begun.elapsed() < Duration::from_secs(3) {
        let n = first.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..n]);
    }
    let parts = bytes.windows(7).filter(|w| w == b"--frame").count();
    ensure!(parts >= 15, "{parts} parts in three seconds");
    drop((first, second));
    until("viewers that left are not counted", Duration::from_secs(5), || Ok((info()?["viewers"] == 0).then_some(())))?;
    // Signed out, there is nothing to see; with a ticket, there is.
    let ticket = vigie.post(&format!("/api/preview/{session}/ticket"), &json!({}))?.body;
    ensure!(ticket["expires_in"] == 600, "{ticket}");
    let ticket = ticket["ticket"].as_str().context("ticket")?;
    for (query, expected) in
        [(String::new(), 401), (format!("?ticket={ticket}"), 200), ("?ticket=vgk_guess".into(), 401)]
    {
        let url = format!("{}/api/preview/{session}/snapshot.jpg{query}", vigie.http);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let status = agent.get(&url).call()?.status().as_u16();
        ensure!(status == expected, "{query}: {status}");
    }
    Ok(())
}

/// REC-035: the newest picture, five times a second, and never an error.
#[test]
fn snapshots_can_be_polled_five_times_a_second() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let session = vigie.open_session(vigie.add_camera(&test_card("Court 1"))?)?;
    let mut different = HashSet::new();
    for n in 0..25 {
        let jpeg = vigie.download(&format!("/api/preview/{session}/snapshot.jpg?t={n}&newest=1"))?;
        ensure!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) && jpeg.ends_with(&[0xFF, 0xD9]), "picture {n}");
        different.insert(jpeg);
        pause(Duration::from_millis(200));
    }
    ensure!(different.len() >= 20, "{} different pictures of 25", different.len());
    Ok(())
}

/// REC-056, REC-057: killed in the middle, a recording is there again, said to be interrupted, and its session is over.
#[test]
fn a_recording_that_was_cut_off_is_shown_as_such() -> Result<()> {
    let mut vigie = Vigie::start("", &[])?;
    let session = vigie.open_session(vigie.add_camera(&test_card("Court 1"))?)?;
    let a = vigie.post("/api/video/record/start", &json!({"session_id": session}))?;
    ensure!(a.status == 200, "{a:?}");
    let status = format!("/api/video/record/status/{session}");
    until("three seconds are recorded", LIMIT, || {
        Ok((vigie.get(&status)?.body["status"]["frames"].as_i64() >= Some(75)).then_some(()))
    })?;
    vigie.kill()?;
    vigie.restart()?;
    let s = vigie.get(&status)?.body["status"].clone();
    ensure!(s["interrupted"] == true && s["active"] == false && s["state"] == "CLOSED", "{s}");
    ensure!(s["elapsed_seconds"].as_i64().is_some_and(|e| (1..=10).contains(&e)), "{s}");
    let probed = ffprobe_json(s["video_path"].as_str().context("video_path")?, &[])?;
    let seconds: f64 = probed["format"]["duration"].as_str().context("duration")?.parse()?;
    ensure!(seconds >= 1.5, "{seconds} s");
    ensure!(vigie.get("/api/video/session/list")?.body["count"] == 0, "the session is over");
    let again = vigie.post("/api/video/record/start", &json!({"session_id": session}))?;
    ensure!(again.status == 404 && again.body["code"] == "session_not_found", "{again:?}");
    Ok(())
}
