//! Every door in the description is locked, but for the ones that say they are not.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Server, failure};

/// A path of the description with something in place of each parameter.
fn filled(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push_str(if name.contains("session") { "sess_0_1_1" } else { "1" });
        rest = tail;
    }
    out + rest
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_without_credentials_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::start(&dir).await;
    let spec: Value = s.client.get(format!("{}/api/openapi.json", s.http)).send().await.unwrap().json().await.unwrap();
    assert!(spec["openapi"].as_str().unwrap().starts_with("3.1"));
    let (mut open, mut locked) = (Vec::new(), 0);
    for (path, item) in spec["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let security =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} does not say who may"));
            if security.is_empty() {
                open.push(format!("{method} {path}"));
                continue;
            }
            let m = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for ticket in ["", "?ticket=nonsense"] {
                let url = format!("{}{}{ticket}", s.http, filled(path));
                let r = s.client.request(m.clone(), &url).send().await.unwrap();
                assert_eq!(failure(r).await, (401, "unauthenticated".to_owned()), "{method} {path}");
            }
            locked += 1;
        }
    }
    open.sort();
    assert_eq!(
        open,
        [
            "get /api/health",
            "get /api/setup",
            "get /api/video/health",
            "get /health",
            "get /metrics",
            "post /api/auth/kiosk",
            "post /api/auth/login",
            "post /api/auth/refresh",
            "post /api/setup",
        ]
    );
    assert!(locked >= 30, "only {locked} operations are described");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_the_contract_are_described() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::start(&dir).await;
    let spec: Value = s.client.get(format!("{}/api/openapi.json", s.http)).send().await.unwrap().json().await.unwrap();
    for path in [
        "/api/cameras/{id}/snapshot.jpg",
        "/api/cameras/{id}/stream.mjpeg",
        "/api/live/ws",
        "/api/preview/{session_id}/stream.mjpeg",
        "/api/preview/{session_id}/snapshot.jpg",
        "/api/preview/{session_id}/info",
        "/api/preview/{session_id}/ws",
        "/proxy/{session_id}/stream.mjpg",
        "/proxy/{session_id}/snapshot.jpg",
        "/proxy/{session_id}/health",
        "/api/video/files/{session_id}/download",
        "/api/video/cleanup",
        "/api/events/stream",
    ] {
        assert!(spec["paths"].get(path).is_some(), "{path} is not described");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_signs_in_a_page_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let body = serde_json::json!({ "username": crate::harness::ADMIN, "password": crate::harness::PASSWORD });
    let r = s.client.post(format!("{}/api/auth/login", s.http)).json(&body).send().await.unwrap();
    let cookies: Vec<String> =
        r.headers().get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().all(|c| c.contains("HttpOnly") && c.contains("SameSite=Strict") && !c.contains("Secure")));
    let pair = cookies.iter().find(|c| c.starts_with("vigie_session=")).unwrap().split(';').next().unwrap().to_owned();
    let with = |m: Method, path: &str| s.client.request(m, format!("{}{path}", s.http)).header("cookie", &pair);

    assert_eq!(with(Method::GET, "/api/auth/me").send().await.unwrap().status().as_u16(), 200);
    let bare = with(Method::POST, "/api/auth/stream-password").send().await.unwrap();
    assert_eq!(failure(bare).await, (403, "csrf".to_owned()));
    let foreign = with(Method::POST, "/api/auth/stream-password")
        .header("x-requested-with", "vigie")
        .header("origin", "http://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(failure(foreign).await, (403, "bad_origin".to_owned()));
    let own = with(Method::POST, "/api/auth/stream-password")
        .header("x-requested-with", "vigie")
        .header("origin", &s.http)
        .send()
        .await
        .unwrap();
    assert_eq!(own.status().as_u16(), 200);
    let out = with(Method::POST, "/api/auth/logout").header("x-requested-with", "vigie").send().await.unwrap();
    assert_eq!(out.status().as_u16(), 200);
    assert_eq!(with(Method::GET, "/api/auth/me").send().await.unwrap().status().as_u16(), 401, "signed out means out");
}
