//! The layers of the configuration, declared cameras, reload without disconnecting anybody, restarts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vigie_tests::{Player, Vigie, until};

const ONE: &str = r#"
[[cameras]]
slug = "entrance"
name = "Entrance"
url = "testcard:?width=320&height=180&fps=10&gop=10&bitrate=200"
"#;

fn cameras(vigie: &Vigie) -> Result<Vec<Value>> {
    Ok(vigie.get("/api/cameras")?.body["cameras"].as_array().context("cameras")?.clone())
}

#[test]
fn declared_cameras_are_there_and_a_reload_disconnects_nobody() -> Result<()> {
    let vigie = Vigie::start(ONE, &[])?;
    let list = cameras(&vigie)?;
    ensure!(list.len() == 1 && list[0]["slug"] == json!("entrance"), "{list:?}");
    let id = list[0]["id"].as_i64().context("id")?;

    let mut player = Player::start(&vigie, "entrance")?;
    until("the player plays", Duration::from_secs(20), || Ok((player.frames()? > 5).then_some(())))?;

    // Fields that the file sets belong to the file.
    let a = vigie.send_json("PATCH", &format!("/api/cameras/{id}"), &json!({"name": "Back door"}))?;
    ensure!(a.status == 409 && a.body["code"] == json!("declared_in_file"), "{a:?}");

    let two = format!(
        "{ONE}\n[[cameras]]\nslug = \"yard\"\nname = \"Yard\"\nurl = \"testcard:?width=320&height=180&fps=5\"\n"
    );
    std::fs::write(vigie.data_dir().join("vigie.toml"), &two)?;
    vigie.signal("HUP")?;
    until("the second camera appears", Duration::from_secs(10), || Ok((cameras(&vigie)?.len() == 2).then_some(())))?;

    // A file that cannot be read changes nothing.
    std::fs::write(vigie.data_dir().join("vigie.toml"), "[[cameras]]\nslug = 5\n")?;
    vigie.signal("HUP")?;
    until("the fault is logged", Duration::from_secs(10), || {
        Ok(vigie.log_text().contains("not usable").then_some(()))
    })?;
    ensure!(cameras(&vigie)?.len() == 2, "a bad file removed cameras");

    // A camera that leaves the file is switched off, not deleted.
    std::fs::write(vigie.data_dir().join("vigie.toml"), ONE)?;
    vigie.signal("HUP")?;
    until("the second camera is off", Duration::from_secs(10), || {
        let off = cameras(&vigie)?.iter().any(|c| c["slug"] == json!("yard") && c["enabled"] == json!(false));
        Ok(off.then_some(()))
    })?;

    let seen = player.frames()?;
    until("the player still plays", Duration::from_secs(10), || Ok((player.frames()? > seen + 10).then_some(())))?;
    ensure!(player.is_playing()?, "the player was thrown out");
    Ok(())
}

#[test]
fn what_the_api_changes_survives_a_restart_and_a_clean_end_finishes_recordings() -> Result<()> {
    let mut vigie = Vigie::start("", &[])?;
    let url = "testcard:?width=320&height=180&fps=10&gop=10&bitrate=200";
    let camera = json!({"name": "Court 2", "connection_type": "testcard", "primary_stream_url": url});
    let id = vigie.add_camera(&camera)?;
    let session = vigie.open_session(id)?;
    let a = vigie.post("/api/video/record/start", &json!({"session_id": session}))?;
    ensure!(a.status == 200, "{a:?}");
    until("something is recorded", Duration::from_secs(10), || {
        let s = vigie.get(&format!("/api/video/record/status/{session}"))?;
        Ok((s.body["status"]["frames"].as_u64() > Some(10)).then_some(()))
    })?;
    vigie.terminate()?;
    let name = format!("{session}.mp4");
    let file = vigie.data_dir().join("media/videos/0").join(&name);
    let probed = vigie_tests::ffprobe_json(file.to_str().context("path")?, &[])?;
    ensure!(probed["streams"][0]["codec_name"] == json!("h264"), "{probed}");

    vigie.restart()?;
    let list = cameras(&vigie)?;
    ensure!(list.len() == 1 && list[0]["name"] == json!("Court 2"), "{list:?}");
    let files = vigie.get("/api/video/files/list?club_id=0")?;
    ensure!(files.body["videos"][0]["filename"] == json!(name), "{files:?}");
    Ok(())
}

#[test]
fn a_killed_recorder_leaves_a_playable_file_that_is_marked() -> Result<()> {
    let mut vigie = Vigie::start("", &[])?;
    let url = "testcard:?width=320&height=180&fps=20&gop=20&bitrate=300";
    let camera = json!({"name": "Court 3", "connection_type": "testcard", "primary_stream_url": url});
    let id = vigie.add_camera(&camera)?;
    let session = vigie.open_session(id)?;
    vigie.post("/api/video/record/start", &json!({"session_id": session}))?;
    let recorded = until("four seconds are recorded", Duration::from_secs(15), || {
        let s = vigie.get(&format!("/api/video/record/status/{session}"))?;
        Ok(s.body["status"]["frames"].as_u64().filter(|f| *f > 80))
    })?;
    vigie.kill()?;
    vigie.restart()?;
    let file = vigie.data_dir().join(format!("media/videos/0/{session}.mp4"));
    let options = ["-count_packets", "-select_streams", "v"];
    let probed = vigie_tests::ffprobe_json(file.to_str().context("path")?, &options)?;
    let packets: u64 = probed["streams"][0]["nb_read_packets"].as_str().context("packets")?.parse()?;
    // At most the fragment that was being written, and one picture.
    ensure!(packets + 21 >= recorded, "{packets} of {recorded} pictures are left");
    let files = vigie.get("/api/video/files/list?club_id=0")?;
    ensure!(files.body["videos"][0]["interrupted"] == json!(true), "{files:?}");
    Ok(())
}

/// Contract GEN-039: what is set on several levels counts as the highest one says, whichever of them are left.
#[test]
fn levels_are_removed_one_by_one() -> Result<()> {
    let mut vigie = Vigie::start("[record]\nmax_concurrent = 3\n", &[])?;
    let etc = vigie.data_dir().join("etc");
    std::fs::create_dir_all(&etc)?;
    std::fs::write(etc.join("config.env"), "# the older system\nexport MAX_CONCURRENT_RECORDINGS=\"2\"\n")?;
    std::fs::write(etc.join("config.json"), r#"{"record": {"max_concurrent": 1}}"#)?;
    let line = ["--set", "record.max_concurrent=6"];
    let (own, seed) = (("VIGIE_RECORD_MAX_CONCURRENT", "5"), ("MAX_CONCURRENT_RECORDINGS", "4"));
    let level = |vigie: &mut Vigie, args: &[&str], env: &[(&str, &str)], expected: u64| {
        vigie.terminate()?;
        vigie.configure(args, env);
        vigie.restart()?;
        let now = vigie.get("/api/video/health")?.body["max_concurrent_recordings"].clone();
        ensure!(now == json!(expected), "{now} instead of {expected}");
        Ok(())
    };
    level(&mut vigie, &line, &[own, seed], 6)?;
    level(&mut vigie, &[], &[own, seed], 5)?;
    level(&mut vigie, &[], &[seed], 4)?;
    level(&mut vigie, &[], &[], 3)?;
    std::fs::write(vigie.data_dir().join("vigie.toml"), "")?;
    level(&mut vigie, &[], &[], 2)?;
    std::fs::remove_file(etc.join("config.env"))?;
    level(&mut vigie, &[], &[], 1)?;
    std::fs::remove_file(etc.join("config.json"))?;
    level(&mut vigie, &[], &[], 10)
}

/// The folders of the older systems (contract §20.10): the files lie there, and everything finds them.
#[test]
fn videos_and_their_logs_can_lie_elsewhere() -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let (videos, logs) = (elsewhere.path().join("static/videos"), elsewhere.path().join("logs/video"));
    let mut vigie = Vigie::start("", &[])?;
    vigie.terminate()?;
    let text = |p: &std::path::Path| p.to_str().context("path").map(str::to_owned);
    let (v, l) = (text(&videos)?, text(&logs)?);
    vigie.configure(&[], &[("VIDEOS_DIR", v.as_str()), ("LOGS_DIR", l.as_str())]);
    vigie.restart()?;
    let url = "testcard:?width=320&height=180&fps=10&gop=10&bitrate=200";
    let camera = json!({"name": "Court 4", "connection_type": "testcard", "primary_stream_url": url});
    let id = vigie.add_camera(&camera)?;
    let session = vigie.open_session(id)?;
    vigie.post("/api/video/record/start", &json!({"session_id": session}))?;
    until("something is recorded", Duration::from_secs(10), || {
        let s = vigie.get(&format!("/api/video/record/status/{session}"))?;
        Ok((s.body["status"]["frames"].as_u64() > Some(10)).then_some(()))
    })?;
    let a = vigie.post("/api/video/record/stop", &json!({"session_id": session}))?;
    ensure!(a.status == 200, "{a:?}");
    ensure!(videos.join(format!("0/{session}.mp4")).is_file(), "the file is not where VIDEOS_DIR says");
    ensure!(logs.join(format!("{session}.ffmpeg.log")).is_file(), "the log is not where LOGS_DIR says");
    let bytes = vigie.download(&format!("/api/video/files/{session}/download?club_id=0"))?;
    ensure!(bytes.get(4..8) == Some(b"ftyp".as_slice()), "the download finds it");
    Ok(())
}
