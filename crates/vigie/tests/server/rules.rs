//! The common rules of HTTP (contract §0.8), and what happens at start.

use std::process::Stdio;

use reqwest::{Method, header};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Server, command, failure, until};

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_is_an_envelope() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let post = |body: &str, kind: &str| {
        s.request(Method::POST, "/api/cameras").header(header::CONTENT_TYPE, kind).body(body.to_owned()).send()
    };
    let big = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    for (r, expected) in [
        (s.request(Method::GET, "/api/nothing").send().await, (404, "route_not_found")),
        (s.request(Method::DELETE, "/api/cameras").send().await, (405, "method_not_allowed")),
        (post("{", "application/json").await, (400, "malformed_json")),
        (post("[1]", "application/json").await, (400, "invalid_field")),
        (post("a=1", "application/x-www-form-urlencoded").await, (415, "unsupported_media_type")),
        (post(&big, "application/json").await, (413, "payload_too_large")),
        (s.request(Method::GET, "/api/cameras/999").send().await, (404, "camera_not_found")),
        (s.request(Method::GET, "/api/cameras?page=x").send().await, (400, "invalid_field")),
        (s.request(Method::POST, "/api/video/record/start").json(&json!({})).send().await, (400, "missing_field")),
    ] {
        let (status, code) = failure(r.unwrap()).await;
        assert_eq!((status, code.as_str()), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_follow_the_common_rules() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let a: Value = s.get("/api/cameras").await;
    let b: Value = s.get("/api/cameras/").await;
    assert_eq!(a, b, "a trailing slash makes no difference");

    let r = s.request(Method::GET, "/api/cameras").send().await.unwrap();
    let h = r.headers();
    assert_eq!(h[header::CACHE_CONTROL], "no-store");
    assert_eq!(h[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(h[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
    assert!(!h.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));

    let r = s.request(Method::GET, "/api/cameras/999").header(header::ACCEPT_LANGUAGE, "fr").send().await.unwrap();
    assert_eq!(r.headers()[header::CONTENT_LANGUAGE], "fr");
    assert_eq!(r.json::<Value>().await.unwrap()["error"], "Cette caméra n’existe pas.");

    let page = s.request(Method::GET, "/somewhere/in/the/page").send().await.unwrap();
    assert!(page.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let docs = s.request(Method::GET, "/api/docs").send().await.unwrap();
    assert_eq!(docs.status().as_u16(), 200);
    assert!(!docs.text().await.unwrap().contains("https://"), "the page asks nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Server::start(&dir).await;
    let second = command(dir.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let out = tokio::task::spawn_blocking(move || second.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("vigie: ") && said.contains("data"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_account_stops_the_start_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    let run = c.env("RTSP_USER", "viewer").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let out = tokio::task::spawn_blocking(move || run.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("rtsp.password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unattended_start_has_its_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_ADMIN_USERNAME", crate::harness::ADMIN).env("VIGIE_ADMIN_PASSWORD", crate::harness::PASSWORD);
    let mut s = Server::start_with(c).await;
    assert_eq!(s.get("/api/setup").await["needed"], json!(false));
    s.sign_in().await;
    assert_eq!(s.get("/api/auth/me").await["user"]["role"], "SUPER_ADMIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_cameras_follow_their_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let file = dir.path().join("data/vigie.toml");
    let table = |slug: &str| format!("[[cameras]]\nslug = '{slug}'\nurl = 'testcard:?width=320&height=240'\n");
    std::fs::write(&file, table("one")).unwrap();
    let s = Server::with_admin(&dir).await;
    let one = s.get("/api/cameras/one").await["camera"].clone();
    assert_eq!(one["declared"], json!(true));
    let refused = s.fails(Method::PATCH, "/api/cameras/one", Some(json!({ "primary_stream_url": "testcard:" }))).await;
    assert_eq!(refused, (409, "declared_in_file".to_owned()));

    std::fs::write(&file, "[[cameras]\n").unwrap();
    s.signal(Signal::HUP);
    until("the bad file is said", async || s.log().contains("everything stays as it was")).await;
    assert_eq!(s.get("/api/cameras").await["count"], json!(1));
    until("the bad file is an event", async || {
        s.get("/api/events").await["events"].as_array().unwrap().iter().any(|e| e["kind"] == "configuration_rejected")
    })
    .await;

    std::fs::write(&file, table("two")).unwrap();
    s.signal(Signal::HUP);
    until("the file is read again", async || s.get("/api/cameras").await["count"] == json!(2)).await;
    until("a camera that left the file is switched off, not deleted", async || {
        s.get("/api/cameras/one").await["camera"]["enabled"] == json!(false)
    })
    .await;
}

#[test]
fn the_doctor_and_the_version_answer() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_vigie"))
            .args(arguments)
            .env("VIGIE_HTTP", "127.0.0.1:0")
            .env("VIGIE_RTSP", "127.0.0.1:0")
            .env("VIGIE_DATA_DIR", dir.path())
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (code, said) = run(&["doctor"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("free for recordings") && said.contains("This machine can run Vigie"), "{said}");
    let (code, said) = run(&["--version"]);
    assert_eq!((code, said.trim()), (Some(0), concat!("vigie ", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn https_works_from_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.arg("--tls-self-signed");
    let s = Server::start_with(c).await;
    assert!(s.http.starts_with("https://"), "{}", s.http);
    let trusting = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let body = json!({ "username": crate::harness::ADMIN, "password": crate::harness::PASSWORD });
    let r = trusting.post(format!("{}/api/setup", s.http)).json(&body).send().await.unwrap();
    assert_eq!(r.status().as_u16(), 201);
    let cookies: Vec<_> = r.headers().get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|c| c.contains("Secure")), "{}", cookies.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_origins_may_call_from_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = command(dir.path());
    c.env("VIGIE_HTTP_CORS_ORIGINS", "http://panel.example:5173");
    let s = Server::start_with(c).await;
    let ask = |origin: &'static str| {
        s.request(Method::OPTIONS, "/api/cameras")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type,x-requested-with")
            .send()
    };
    let allowed = ask("http://panel.example:5173").await.unwrap();
    assert_eq!(allowed.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "http://panel.example:5173");
    let other = ask("http://evil.example").await.unwrap();
    assert!(!other.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}
