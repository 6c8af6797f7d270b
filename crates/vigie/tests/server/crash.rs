//! Ended politely or not, a recording is a file that plays.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Server, decode_errors, ffprobe, until};

fn the_video(dir: &Path) -> PathBuf {
    let folder = dir.join("data/media/videos/0");
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "mp4"));
    let file = files.next().expect("one video");
    assert!(files.next().is_none(), "only one video");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polite_end_finishes_the_recording() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let session = s.session(camera).await;
    s.record(&session, 50).await;
    s.signal(Signal::TERM);
    assert_eq!(s.wait().await.code(), Some(0), "{}", s.log());
    let file = the_video(dir.path());
    let (kinds, seconds) = ffprobe(&file);
    assert!(kinds.contains(&"video".to_owned()) && seconds >= 1.5, "{kinds:?}, {seconds} s");
    assert_eq!(decode_errors(&file), "");

    let mut s = Server::start(&dir).await;
    s.sign_in().await;
    let videos = s.get("/api/video/files/list?club_id=0").await["videos"].clone();
    assert_eq!((&videos[0]["state"], &videos[0]["interrupted"]), (&json!("sealed"), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_repairs_its_recording_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let session = s.session(camera).await;
    s.record(&session, 75).await;
    s.signal(Signal::KILL);
    s.wait().await;
    drop(s);

    let mut s = Server::start(&dir).await;
    s.sign_in().await;
    until("the recording is repaired", async || {
        let v = s.get("/api/video/files/list?club_id=0").await["videos"][0].clone();
        v["state"] == json!("sealed") && v["interrupted"] == json!(true)
    })
    .await;
    let file = the_video(dir.path());
    let (kinds, seconds) = ffprobe(&file);
    // 75 frames are 3 s; at most the fragment being written (1 s) is lost.
    assert!(kinds.contains(&"video".to_owned()) && seconds >= 1.5, "{kinds:?}, {seconds} s");
    assert_eq!(decode_errors(&file), "");
    assert_eq!(s.get("/api/video/session/list").await["count"], json!(0), "the session was closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_watch_do_not_hold_up_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let mut open = Vec::new();
    for path in ["/api/events/stream".to_owned(), format!("/api/cameras/{camera}/stream.mjpeg")] {
        let mut r = s.request(Method::GET, &path).send().await.unwrap();
        assert!(r.chunk().await.unwrap().is_some(), "{path} has begun");
        open.push(r);
    }
    let asked = Instant::now();
    s.signal(Signal::TERM);
    assert_eq!(s.wait().await.code(), Some(0), "{}", s.log());
    // The grace for requests that still run is 2 s; streams are ended, not waited for.
    assert!(asked.elapsed() < Duration::from_millis(1900), "{:?}", asked.elapsed());
}
