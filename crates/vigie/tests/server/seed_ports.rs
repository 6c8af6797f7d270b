//! A client of the older systems finds every port where it was (contract; GEN-003, REC-009…013, REC-078).
//!
//! The ports themselves may be taken on the machine that tests; what they are by default, unit tests say.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::harness::{Server, command, failure, until};

/// So many ports in a row that were free a moment ago; listeners hold them until dropped.
fn row(count: u16) -> (u16, Vec<TcpListener>) {
    let hold = |p| TcpListener::bind((Ipv4Addr::LOCALHOST, p)).ok();
    (30_000..32_700)
        .step_by(usize::from(count))
        .find_map(|first| Some((first, (first..first + count).map(hold).collect::<Option<Vec<_>>>()?)))
        .expect("somewhere ports are free")
}

#[tokio::test(flavor = "multi_thread")]
async fn compat_ports_answer_as_the_main_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let (first, mut held) = row(3);
    let busy = held.pop().unwrap();
    drop(held);
    let (one, two, taken) = (first, first + 1, busy.local_addr().unwrap().port());
    let mut c = command(dir.path());
    c.args(["--seed-ports", "--compat-ports", &format!("{one},{two},{taken}")]);
    let mut s = Server::start_with(c).await;
    s.sign_in().await;
    let camera = s.test_card("Court 1").await;

    let log = s.log();
    let warning =
        log.lines().find(|l| l.contains("WARN") && l.contains("compat port")).unwrap_or_else(|| panic!("{log}"));
    assert!(warning.contains(&taken.to_string()), "{warning}");

    let main = s.http.clone();
    let here = s.get("/api/health/status").await;
    for port in [one, two] {
        s.http = format!("http://127.0.0.1:{port}");
        assert_eq!(s.get("/api/health/status").await, here);
        assert_eq!(s.client.get(format!("{}/api/cameras", s.http)).send().await.unwrap().status(), 401);
        let spec: Value =
            s.client.get(format!("{}/api/openapi.json", s.http)).send().await.unwrap().json().await.unwrap();
        assert!(spec["paths"]["/api/video/session/create"].is_object());
    }
    // Addresses in answers lead back to the port that was used.
    let made = s.post("/api/video/session/create", json!({ "camera_id": camera })).await;
    let stream = made["session"]["preview"]["stream"].as_str().unwrap();
    assert!(stream.starts_with(&format!("http://127.0.0.1:{two}/")), "{stream}");
    s.http = main;
    let listed = s.get("/api/video/session/list").await;
    let stream = listed["sessions"][0]["preview"]["stream"].as_str().unwrap();
    assert!(stream.starts_with(&s.http), "{stream}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_has_a_loopback_port_while_it_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let (base, mut held) = row(3);
    // Somebody else listens on the first port of the range.
    let _busy = held.remove(0);
    drop(held);
    let mut c = command(dir.path());
    c.env("VIGIE_COMPAT_SESSION_PORTS", "1").env("PROXY_BASE_PORT", base.to_string());
    c.env("VIGIE_COMPAT_SESSION_PORT_LAST", (base + 2).to_string());
    let mut s = Server::start_with(c).await;
    s.sign_in().await;
    let mut cameras = Vec::new();
    for n in 1..=3 {
        cameras.push(s.test_card(&format!("Court {n}")).await);
    }
    let create = async |camera: i64| {
        s.post("/api/video/session/create", json!({ "camera_id": camera })).await["session"].clone()
    };
    let (a, b) = (create(cameras[0]).await, create(cameras[1]).await);
    for (session, port) in [(&a, base + 1), (&b, base + 2)] {
        assert_eq!(session["proxy_port"], json!(port));
        assert_eq!(session["local_url"], json!(format!("http://127.0.0.1:{port}/stream.mjpg")));
        let health = s.client.get(format!("http://127.0.0.1:{port}/health")).send().await.unwrap();
        let health: Value = health.json().await.unwrap();
        assert_eq!((&health["session_id"], &health["connected"]), (&session["session_id"], &json!(true)));
    }
    assert_eq!(s.get("/api/video/health").await["proxy_ports"], json!([base + 1, base + 2]));

    let picture = s.client.get(format!("http://127.0.0.1:{}/snapshot.jpg", base + 1)).send().await.unwrap();
    assert_eq!(picture.headers()[header::CONTENT_TYPE], "image/jpeg");
    assert!(picture.bytes().await.unwrap().starts_with(&[0xFF, 0xD8, 0xFF]));
    let played = Command::new("ffmpeg")
        .args(["-v", "error", "-i", a["local_url"].as_str().unwrap(), "-frames:v", "15", "-f", "null", "-"])
        .output()
        .expect("ffmpeg is installed (make setup)");
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));

    // A page of the internet whose name means this machine sees nothing.
    let rebound = s.client.get(format!("http://127.0.0.1:{}/snapshot.jpg", base + 1)).header("host", "evil.example");
    assert_eq!(failure(rebound.send().await.unwrap()).await, (403, "bad_origin".to_owned()));
    let elsewhere = s.client.get(format!("http://127.0.0.1:{}/api/cameras", base + 1)).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404, "the port shows its session alone");

    let third = json!({ "camera_id": cameras[2] });
    let refused = s.fails(Method::POST, "/api/video/session/create", Some(third.clone())).await;
    assert_eq!(refused, (503, "no_free_port".to_owned()));

    // Whoever watches counts, and is told when the session is closed.
    let mut watching = s.client.get(b["local_url"].as_str().unwrap()).send().await.unwrap();
    assert!(watching.chunk().await.unwrap().is_some());
    let preview = format!("/api/preview/{}/info", b["session_id"].as_str().unwrap());
    until("the viewer counts", async || s.get(&preview).await["preview"]["viewers"] == json!(1)).await;
    s.post("/api/video/session/close", json!({ "session_id": b["session_id"] })).await;
    while watching.chunk().await.unwrap().is_some() {}
    let again = create(cameras[2]).await;
    assert_eq!(again["proxy_port"], json!(base + 2), "a closed session's port is free at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_mode_sessions_are_found_under_their_path() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let made = s.post("/api/video/session/create", json!({ "camera_id": camera })).await["session"].clone();
    let port: u16 = s.http.rsplit(':').next().unwrap().parse().unwrap();
    let id = made["session_id"].as_str().unwrap();
    assert_eq!(made["proxy_port"], json!(port));
    assert_eq!(made["local_url"], json!(format!("http://127.0.0.1:{port}/proxy/{id}/stream.mjpg")));
    assert_eq!(s.get("/api/video/health").await["proxy_ports"], json!([]));
}
