//! A camera's password goes in and never comes out: not in an answer, not in the log, not in a file.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Server, ok};

const SECRET: &str = "S3cr3t!x";
const ENCODED: &str = "S3cr3t%21x";

fn check(place: &str, text: &[u8]) {
    for secret in [SECRET, ENCODED, crate::harness::PASSWORD] {
        assert!(!text.windows(secret.len()).any(|w| w == secret.as_bytes()), "a password stands in {place}");
    }
}

fn check_files(dir: &Path) -> usize {
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            seen += check_files(&path);
        } else {
            check(&path.display().to_string(), &std::fs::read(&path).unwrap());
            seen += 1;
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_s_password_never_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = crate::harness::command(dir.path());
    c.env("VIGIE_LOG", "debug,sqlx=trace");
    let mut s = Server::start_with(c).await;
    s.sign_in().await;
    // Nothing listens there, so that connecting, its failure and the retry are logged too.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = json!({ "name": "Gate", "primary_stream_url": format!("rtsp://admin:{ENCODED}@{closed}/live") });
    let created = s.request(Method::POST, "/api/cameras").json(&body).send().await.unwrap();
    let created = created.text().await.unwrap();
    check("the answer to create", created.as_bytes());
    let camera: Value = serde_json::from_str(&created).unwrap();
    assert_eq!(camera["camera"]["has_password"], json!(true));
    let id = camera["camera"]["id"].as_i64().unwrap();

    let test = s.post(&format!("/api/cameras/{id}/test"), json!({})).await;
    assert_eq!(test["result"]["success"], json!(false));
    check("the answer to a test", test.to_string().as_bytes());
    let failed =
        s.request(Method::POST, "/api/video/session/create").json(&json!({ "camera_id": id })).send().await.unwrap();
    check("the answer to a session", &failed.bytes().await.unwrap());
    ok(s.request(Method::PATCH, &format!("/api/cameras/{id}"))
        .json(&json!({ "password": SECRET }))
        .send()
        .await
        .unwrap())
    .await;

    let spec = s.get_any("/api/openapi.json").await;
    for (path, item) in spec["paths"].as_object().unwrap() {
        // Streams do not end by themselves.
        if item["get"].is_null() || path.contains("stream") || path.ends_with("/ws") {
            continue;
        }
        let path = path.replace("{id}", &id.to_string()).replace("{session_id}", "sess_0_1_1");
        let r = s.request(Method::GET, &path).send().await.unwrap();
        let headers = format!("{:?}", r.headers());
        check(&path, headers.as_bytes());
        check(&path, &r.bytes().await.unwrap());
    }
    check("the log", s.log().as_bytes());
    assert!(check_files(dir.path()) >= 2, "database and key are there");
}

impl Server {
    /// The JSON of an answer that has no envelope.
    async fn get_any(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }
}
