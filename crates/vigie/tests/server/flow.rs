//! The story of issue and contract: set up, add a camera, look, record, take the file home.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::harness::{Server, decode_errors, ffprobe, ok, until};

#[tokio::test(flavor = "multi_thread")]
async fn from_first_start_to_a_downloaded_recording() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    assert_eq!(
        s.fails(Method::POST, "/api/setup", Some(json!({"username": "x", "password": "long enough for it"}))).await.0,
        409
    );

    let camera = s.test_card("Court 1").await;
    let test = s.post(&format!("/api/cameras/{camera}/test"), json!({})).await;
    assert_eq!((&test["result"]["success"], &test["result"]["resolution"]), (&json!(true), &json!("320x240")));
    assert_picture(&test, (320, 240));
    let test = s.post("/api/cameras/test", json!({ "url": "testcard:?width=1280&height=720&fps=25" })).await;
    assert_picture(&test, (480, 270));

    let picture = s.request(Method::GET, &format!("/api/cameras/{camera}/snapshot.jpg")).send().await.unwrap();
    assert_eq!(
        (picture.status().as_u16(), &picture.headers()[header::CONTENT_TYPE]),
        (200, &"image/jpeg".parse().unwrap())
    );
    assert!(picture.bytes().await.unwrap().starts_with(&[0xFF, 0xD8, 0xFF]));

    let session = s.session(camera).await;
    let again = s.post("/api/video/session/create", json!({ "camera_id": camera, "reuse": true })).await;
    assert_eq!(again["session"]["session_id"], json!(session));
    assert_eq!(
        s.fails(Method::POST, "/api/video/session/create", Some(json!({ "camera_id": camera }))).await.1,
        "session_exists"
    );

    s.record(&session, 50).await;
    assert_eq!(
        s.fails(Method::POST, "/api/video/session/close", Some(json!({ "session_id": session }))).await.1,
        "recording_active"
    );
    let stopped = s.post("/api/video/record/stop", json!({ "session_id": session })).await;
    let twice = s.post("/api/video/record/stop", json!({ "session_id": session })).await;
    assert_eq!(stopped, twice, "a second stop gives the same answer");

    let url = stopped["download_url"].as_str().unwrap().to_owned();
    let path = url.find("/api/").map(|at| url[at..].to_owned()).unwrap();
    let whole = s.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "video/mp4");
    assert!(whole.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    let bytes = whole.bytes().await.unwrap();
    // The size that is told is the media's. The file has its tables besides, and at first what is left of the room
    // that was set aside for them.
    let media = usize::try_from(stopped["size_bytes"].as_i64().unwrap()).unwrap();
    assert!(bytes.len() >= media && bytes.len() < media + (8 << 20), "{} for {media}", bytes.len());
    let part = s.request(Method::GET, &path).header(header::RANGE, "bytes=4-7").send().await.unwrap();
    assert_eq!(part.status().as_u16(), 206);
    assert_eq!(&part.bytes().await.unwrap()[..], b"ftyp");

    let file = dir.path().join("taken-home.mp4");
    std::fs::write(&file, &bytes).unwrap();
    let (kinds, seconds) = ffprobe(&file);
    assert!(kinds.contains(&"video".to_owned()) && kinds.contains(&"audio".to_owned()), "{kinds:?}");
    assert!((1.5..60.0).contains(&seconds), "{seconds} s");
    assert_eq!(decode_errors(&file), "");

    let list = s.get("/api/video/files/list?club_id=0").await;
    let video = list["videos"].as_array().unwrap().iter().find(|v| v["session_id"] == json!(session)).cloned().unwrap();
    assert_eq!(video["size_bytes"], stopped["size_bytes"]);
    let gone = format!("/api/video/files/{session}/delete?club_id=0");
    let lock = format!("/api/video/files/{session}/lock");
    let locked = s.post(&lock, json!({ "locked": true, "recording_id": video["recording_id"] })).await;
    assert_eq!(locked["video"]["locked"], json!(true));
    assert_eq!(s.fails(Method::DELETE, &gone, None).await, (423, "locked".to_owned()));
    assert_eq!(s.fails(Method::POST, &lock, Some(json!({ "locked": "yes" }))).await.0, 400);
    assert_eq!(s.post(&lock, json!({ "locked": false })).await["video"]["locked"], json!(false));
    ok(s.request(Method::DELETE, &gone).send().await.unwrap()).await;
    assert_eq!(s.fails(Method::GET, &path, None).await, (404, "video_not_found".to_owned()));
    s.post("/api/video/session/close", json!({ "session_id": session })).await;
    assert_eq!(s.get("/api/video/session/list").await["count"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_as_events() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let mut stream = s.request(Method::GET, "/api/events/stream").send().await.unwrap();
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert!(stream.chunk().await.unwrap().is_some(), "a first event opens the stream");
    let camera = s.test_card("Court 1").await;
    let mut seen = String::new();
    while !seen.contains("event: camera") {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    let data = seen.lines().skip_while(|l| *l != "event: camera").find_map(|l| l.strip_prefix("data: ")).unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["id"], &data["name"]), (&json!(camera), &json!("Court 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_the_streams_and_the_routes() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let _session = s.session(camera).await;
    let line = format!("vigie_stream_state{{camera=\"{camera}\",stream=\"main\",state=\"live\"}} 1");
    until("the stream is live in /metrics", async || {
        let text = s.client.get(format!("{}/metrics", s.http)).send().await.unwrap().text().await.unwrap();
        text.contains(&line) && text.contains("route=\"/api/video/session/create\"")
    })
    .await;
}

/// The test of a camera shows what it saw, in that size.
fn assert_picture(test: &Value, size: (u32, u32)) {
    let url = test["result"]["picture"].as_str().unwrap_or_else(|| panic!("no picture in {test}"));
    assert!(url.len() <= 200_023, "{} bytes", url.len());
    let jpeg = STANDARD.decode(url.strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap();
    let video = vigie_media::jpeg::params(&jpeg).unwrap().video;
    assert_eq!((video.width, video.height), size);
}
