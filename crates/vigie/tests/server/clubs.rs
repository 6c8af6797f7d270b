//! Clubs, accounts and tablets from outside: who gets what, foreign pages, odd numbers, and the end of a picture that is
//! being watched.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{DEADLINE, PASSWORD, Server, failure, ok};

struct Club {
    s: Server,
    club: i64,
    court: i64,
    camera: i64,
    _dir: tempfile::TempDir,
}

async fn club() -> Club {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Center").await;
    let club = s.post("/api/clubs", json!({ "name": "North", "timezone": "Europe/Paris" })).await;
    let club = club["club"]["id"].as_i64().unwrap();
    let court = json!({ "name": "Center", "camera_id": camera });
    let court = s.post(&format!("/api/clubs/{club}/terrains"), court).await["terrain"]["id"].as_i64().unwrap();
    Club { s, club, court, camera, _dir: dir }
}

impl Club {
    /// An account; its number.
    async fn account(&self, name: &str, role: &str) -> i64 {
        let body = json!({ "username": name, "password": PASSWORD, "role": role, "club_id": self.club });
        self.s.post("/api/admin/users", body).await["user"]["id"].as_i64().unwrap()
    }

    async fn token(&self, name: &str) -> String {
        let body = json!({ "username": name, "password": PASSWORD });
        let r = self.s.client.post(format!("{}/api/auth/login", self.s.http)).json(&body).send().await.unwrap();
        ok(r).await["token"].as_str().unwrap().to_owned()
    }

    fn as_(&self, token: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.s.client.request(method, format!("{}{path}", self.s.http)).bearer_auth(token)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_club_is_set_up_and_told_as_the_contract_says() {
    let c = club().await;
    let s = &c.s;
    let clubs = s.get("/api/clubs/").await;
    assert_eq!((&clubs["count"], &clubs["clubs"][0]["timezone"]), (&json!(1), &json!("Europe/Paris")));
    let terrain = &s.get(&format!("/api/terrains/{}", c.court)).await["terrain"];
    assert_eq!((&terrain["club_name"], &terrain["camera_id"]), (&json!("North"), &json!(c.camera)));
    assert_eq!((&terrain["session_id"], &terrain["enabled"]), (&Value::Null, &json!(true)));
    let path = format!("/api/terrains/{}", c.court);
    let put = |body: Value| s.request(Method::PUT, &path).json(&body).send();
    let away = ok(put(json!({ "camera_id": null })).await.unwrap()).await;
    assert_eq!((&away["terrain"]["status"], &away["terrain"]["name"]), (&json!("no_camera"), &json!("Center")));
    let back = ok(put(json!({ "camera_id": c.camera, "name": "Court 🎾" })).await.unwrap()).await;
    assert_eq!(back["terrain"]["name"], json!("Court 🎾"));

    let made = s.post("/api/admin/users", json!({ "username": "kid", "role": "PLAYER", "club_id": c.club })).await;
    assert!(made["password"].as_str().is_some_and(|p| p.len() >= 16) && made["user"].get("password_hash").is_none());
    let users = s.get("/api/admin/users").await;
    assert!(!users.to_string().contains("argon2") && users["count"] == json!(2));

    for (method, path, code) in [
        (Method::GET, "/api/clubs/999", "club_not_found"),
        (Method::GET, "/api/clubs/-1", "club_not_found"),
        (Method::GET, "/api/clubs/0", "club_not_found"),
        (Method::GET, "/api/clubs/9223372036854775807", "club_not_found"),
        (Method::DELETE, "/api/terrains/9223372036854775807", "terrain_not_found"),
        (Method::DELETE, "/api/admin/users/-1", "user_not_found"),
        (Method::GET, "/api/admin/users/999", "user_not_found"),
        (Method::DELETE, "/api/terrains/1/kiosk/77", "pass_not_found"),
    ] {
        assert_eq!(s.fails(method, path, None).await, (404, code.to_owned()), "{path}");
    }
    for path in
        ["/api/clubs/abc", "/api/terrains/1e3", "/api/admin/users/9223372036854775808", "/api/terrains/1/kiosk/x"]
    {
        let method = if path.contains("kiosk") { Method::DELETE } else { Method::GET };
        assert_eq!(s.fails(method, path, None).await, (400, "invalid_field".to_owned()), "{path}");
    }
    let long = "x".repeat(10_000);
    for (path, body, wanted) in [
        ("/api/clubs", json!({ "name": long }), (422, "invalid_field")),
        ("/api/clubs", json!({ "name": "a\u{0}b" }), (422, "invalid_field")),
        ("/api/clubs", json!({ "name": "NORTH" }), (409, "duplicate_name")),
        ("/api/clubs", json!({ "name": "S", "timezone": "Mars/Base" }), (422, "invalid_field")),
        ("/api/clubs", json!({}), (400, "missing_field")),
        ("/api/clubs", json!({ "name": 5 }), (400, "invalid_field")),
        (
            "/api/admin/users",
            json!({ "username": "KID", "role": "PLAYER", "club_id": c.club }),
            (409, "duplicate_username"),
        ),
        ("/api/admin/users", json!({ "username": "x", "role": "ROOT" }), (400, "invalid_field")),
        ("/api/admin/users", json!({ "username": "x", "role": "PLAYER" }), (422, "missing_field")),
    ] {
        let (status, code) = s.fails(Method::POST, path, Some(body.clone())).await;
        let short: String = body.to_string().chars().take(80).collect();
        assert_eq!((status, code.as_str()), wanted, "{short}");
    }
    let own = s.get("/api/auth/me").await["user"]["id"].as_i64().unwrap();
    let last = s.fails(Method::DELETE, &format!("/api/admin/users/{own}"), None).await;
    assert_eq!(last, (409, "last_super_admin".to_owned()));
    let club = format!("/api/clubs/{}", c.club);
    assert_eq!(s.fails(Method::DELETE, &club, None).await, (409, "club_has_terrains".to_owned()));
    ok(s.request(Method::DELETE, &path).send().await.unwrap()).await;
    ok(s.request(Method::DELETE, &club).send().await.unwrap()).await;
    let log = s.get("/api/admin/audit?action=club.").await;
    assert_eq!(log["entries"][0]["action"], json!("club.delete"));
    assert_eq!(log["entries"][0]["address"], json!("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demotion_bites_at_the_next_call_and_who_is_shut_out_sees_nothing_more() {
    let c = club().await;
    let id = c.account("coach", "CLUB_ADMIN").await;
    let token = c.token("coach").await;
    let path = format!("/api/admin/users/{id}");
    ok(c.as_(&token, Method::GET, "/api/admin/users").send().await.unwrap()).await;
    ok(c.s.request(Method::PUT, &path).json(&json!({ "role": "PLAYER" })).send().await.unwrap()).await;
    let refused = c.as_(&token, Method::GET, "/api/admin/users").send().await.unwrap();
    assert_eq!(failure(refused).await, (403, "forbidden".to_owned()));
    let me = ok(c.as_(&token, Method::GET, "/api/auth/me").send().await.unwrap()).await;
    assert_eq!((&me["user"]["role"], &me["user"]["club_name"]), (&json!("PLAYER"), &json!("North")));

    let ticket =
        ok(c.as_(&token, Method::POST, &format!("/api/cameras/{}/ticket", c.camera)).send().await.unwrap()).await;
    let ticket = ticket["ticket"].as_str().unwrap();
    let stream = format!("/api/cameras/{}/stream.mjpeg?width=160", c.camera);
    let mut watched = c.as_(&token, Method::GET, &stream).send().await.unwrap();
    assert_eq!(watched.status(), StatusCode::OK);
    let by_ticket = format!("{}{stream}&ticket={ticket}", c.s.http);
    let mut lent = c.s.client.get(by_ticket).send().await.unwrap();
    assert_eq!(lent.status(), StatusCode::OK);
    assert!(watched.chunk().await.unwrap().is_some() && lent.chunk().await.unwrap().is_some());
    ok(c.s.request(Method::PUT, &path).json(&json!({ "enabled": false })).send().await.unwrap()).await;
    let began = Instant::now();
    for stream in [&mut watched, &mut lent] {
        // Whatever was on its way still comes; then it ends, well or badly, instead of going on.
        while let Ok(Some(_)) = stream.chunk().await {
            assert!(began.elapsed() < Duration::from_secs(10), "the picture goes on");
        }
    }
    assert!(began.elapsed() < DEADLINE);
    let out = c.as_(&token, Method::GET, "/api/auth/me").send().await.unwrap();
    assert_eq!(failure(out).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tablet_comes_in_by_its_link_and_foreign_pages_do_not() {
    let c = club().await;
    let s = &c.s;
    let kiosk = format!("/api/terrains/{}/kiosk", c.court);
    let made = s.post(&kiosk, json!({ "hours": 2, "name": "Tablet" })).await;
    let url = made["url"].as_str().unwrap();
    let (page, pass) = url.split_once('#').unwrap();
    assert_eq!(page, format!("{}/kiosk/{}", s.http, c.court));
    assert!(made["qr_svg"].as_str().unwrap().contains("<svg") && !made["qr_svg"].as_str().unwrap().contains(pass));
    assert!(!s.get(&kiosk).await.to_string().contains(pass), "the secret is shown once");

    let sign_in = |pass: &str| s.client.post(format!("{}/api/auth/kiosk", s.http)).json(&json!({ "pass": pass }));
    let foreign = sign_in(pass).header(header::ORIGIN, "https://evil.example").send().await.unwrap();
    assert_eq!(failure(foreign).await, (403, "bad_origin".to_owned()));
    let r = sign_in(pass).send().await.unwrap();
    let cookies: Vec<String> =
        r.headers().get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().all(|c| c.contains("HttpOnly") && c.contains("SameSite=Strict")), "{cookies:?}");
    let cookie =
        cookies.iter().find(|c| c.starts_with("vigie_session=")).unwrap().split(';').next().unwrap().to_owned();
    let answer = ok(r).await;
    assert_eq!((&answer["terrain"]["id"], &answer["user"]["terrain_id"]), (&json!(c.court), &json!(c.court)));

    let with = |method: Method, path: &str| {
        s.client.request(method, format!("{}{path}", s.http)).header(header::COOKIE, cookie.clone())
    };
    let me = ok(with(Method::GET, "/api/auth/me").send().await.unwrap()).await;
    assert_eq!((&me["user"]["username"], &me["user"]["role"]), (&json!("Tablet"), &json!("PLAYER")));
    // Every route that changes something refuses the cookie from another page, and without our own page's header.
    for (method, path) in [
        (Method::POST, "/api/clubs".to_owned()),
        (Method::PUT, format!("/api/clubs/{}", c.club)),
        (Method::DELETE, format!("/api/clubs/{}", c.club)),
        (Method::POST, format!("/api/clubs/{}/terrains", c.club)),
        (Method::PUT, format!("/api/terrains/{}", c.court)),
        (Method::DELETE, format!("/api/terrains/{}", c.court)),
        (Method::POST, kiosk.clone()),
        (Method::DELETE, format!("{kiosk}/1")),
        (Method::POST, "/api/admin/users".to_owned()),
        (Method::PUT, "/api/admin/users/1".to_owned()),
        (Method::DELETE, "/api/admin/users/1".to_owned()),
        (Method::POST, "/api/admin/users/1/password".to_owned()),
        (Method::POST, "/api/auth/kiosk".to_owned()),
    ] {
        let evil = with(method.clone(), &path).header(header::ORIGIN, "https://evil.example").json(&json!({}));
        let evil = evil.header("x-requested-with", "vigie").send().await.unwrap();
        assert_eq!(failure(evil).await, (403, "bad_origin".to_owned()), "{path}");
        let bare = with(method.clone(), &path).json(&json!({})).send().await.unwrap();
        assert_eq!(failure(bare).await, (403, "csrf".to_owned()), "{path}");
    }
    let users = with(Method::GET, "/api/admin/users").send().await.unwrap();
    assert_eq!(failure(users).await, (403, "forbidden".to_owned()));

    let id = made["pass"]["id"].as_i64().unwrap();
    ok(s.request(Method::DELETE, &format!("{kiosk}/{id}")).send().await.unwrap()).await;
    assert_eq!(failure(with(Method::GET, "/api/auth/me").send().await.unwrap()).await.0, 401);
    let mut last = (0, String::new());
    for n in 0..20 {
        let r = sign_in(&format!("vgt_guess-{n}")).send().await.unwrap();
        let waits = r.headers().contains_key(header::RETRY_AFTER);
        last = failure(r).await;
        assert_eq!(waits, last.0 == 429);
    }
    assert_eq!(last, (429, "rate_limited".to_owned()));
}
