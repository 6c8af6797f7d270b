//! The HTTP contract, asked from outside: statuses, codes and shapes as `docs/` promises them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use ureq::http::{Request, Response};
use vigie_tests::{Answer, Vigie, until};

const TESTCARD: &str = "testcard:?width=160&height=120&fps=10&gop=10&bitrate=100";

/// One request with whatever headers, its status, headers and bytes.
fn ask(vigie: &Vigie, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response<Vec<u8>>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let mut request = Request::builder().method(method).uri(format!("{}{path}", vigie.http));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, mut body) = agent.run(request.body(body.to_vec())?)?.into_parts();
    Ok(Response::from_parts(parts, body.with_config().limit(64 << 20).read_to_vec()?))
}

fn signed(vigie: &Vigie, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response<Vec<u8>>> {
    let bearer = format!("Bearer {}", vigie.token());
    let mut all = vec![("Authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    ask(vigie, method, path, &all, body)
}

/// A failure must be the envelope, with that status and code.
fn fails(a: &Answer, status: u16, code: &str) -> Result<()> {
    let b = &a.body;
    ensure!(a.status == status && b["code"] == json!(code), "wanted {status} {code}: {a:?}");
    ensure!(b["success"] == json!(false) && b["error"].as_str().is_some_and(|e| !e.is_empty()), "{a:?}");
    Ok(())
}

fn refused(r: &Response<Vec<u8>>, status: u16, code: &str) -> Result<()> {
    let body = serde_json::from_slice(r.body()).unwrap_or(Value::Null);
    fails(&Answer { status: r.status().as_u16(), body }, status, code)
}

#[test]
fn the_description_is_whole_and_every_route_in_it_answers() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let document = vigie.get("/api/openapi.json")?.body;
    ensure!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1.")), "{}", document["openapi"]);
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for (method, operation) in item.as_object().context("path item")? {
            let Some(responses) = operation["responses"].as_object() else { continue };
            for (status, response) in responses {
                let said = response["description"].as_str().is_some_and(|d| !d.is_empty());
                ensure!(said || response["$ref"].is_string(), "{method} {path} {status} has no description");
            }
            let name = operation["operationId"].as_str().context("operationId")?;
            ensure!(names.insert(name.to_owned()), "{name} is there twice");
            let filled = path
                .replace("{id}", "99")
                .replace("{pass_id}", "9")
                .replace("{marker_id}", "9")
                .replace("{session_id}", "sess_0_9_9");
            ensure!(!filled.contains('{'), "{path} has a parameter that this test does not know");
            let r = ask(&vigie, &method.to_uppercase(), &filled, &[("Content-Type", "application/json")], b"{}")?;
            let open = operation["security"].as_array().is_none_or(Vec::is_empty);
            let status = r.status().as_u16();
            ensure!(status < 500 && status != 405, "{method} {path}: {status}");
            if !open {
                refused(&r, 401, "unauthenticated").with_context(|| format!("{method} {path}"))?;
                ensure!(r.headers().contains_key("www-authenticate"), "{method} {path}: a 401 without a challenge");
            }
        }
    }
    for (method, path, status, code) in
        [("GET", "/api/nothing", 404, "route_not_found"), ("PUT", "/api/video/session/list", 405, "method_not_allowed")]
    {
        refused(&signed(&vigie, method, path, &[], b"")?, status, code)?;
    }
    Ok(())
}

#[test]
fn sessions_and_recordings_answer_as_promised() -> Result<()> {
    let vigie = Vigie::start("[record]\nmax_concurrent = 1\n", &[])?;
    let camera = |name: &str| vigie.add_camera(&json!({"name": name, "primary_stream_url": TESTCARD}));
    let (one, two) = (camera("One")?, camera("Two")?);
    let create = |body: Value| vigie.post("/api/video/session/create", &body);
    fails(&create(json!({}))?, 400, "missing_field")?;
    fails(&create(json!({"terrain_id": "x"}))?, 400, "invalid_field")?;
    fails(&create(json!({"terrain_id": 1}))?, 404, "terrain_not_found")?;
    fails(&create(json!({"camera_id": -1}))?, 404, "camera_not_found")?;

    let id = vigie.open_session(one)?;
    let again = create(json!({"camera_id": one}))?;
    fails(&again, 409, "session_exists")?;
    ensure!(again.body["details"]["session_id"] == json!(id), "{again:?}");
    let reused = create(json!({"camera_id": one, "reuse": true}))?;
    ensure!(reused.status == 200 && reused.body["session"]["session_id"] == json!(id), "{reused:?}");

    let start = |session: &str, minutes: Value| {
        vigie.post("/api/video/record/start", &json!({"session_id": session, "duration_minutes": minutes}))
    };
    for minutes in [json!(0), json!(-1), json!(721), json!(0.5)] {
        fails(&start(&id, minutes)?, 422, "duration_out_of_range")?;
    }
    fails(&start(&id, json!("abc"))?, 400, "invalid_field")?;
    fails(&start("sess_0_9_9", json!(1))?, 404, "session_not_found")?;
    fails(&vigie.post("/api/video/record/start", &json!({}))?, 400, "missing_field")?;
    fails(&vigie.post("/api/video/record/stop", &json!({"session_id": id}))?, 409, "not_recording")?;

    // Many clicks at once start one recording.
    let answers: Vec<Answer> = thread::scope(|s| {
        let clicks: Vec<_> = (0..6).map(|_| s.spawn(|| start(&id, Value::Null))).collect();
        clicks.into_iter().filter_map(|c| c.join().ok()?.ok()).collect()
    });
    let started: Vec<&Answer> = answers.iter().filter(|a| a.status == 200).collect();
    ensure!(answers.len() == 6 && started.len() == 1, "{answers:?}");
    ensure!(started[0].body["recording"]["duration_seconds"] == json!(5400), "{started:?}");
    for a in answers.iter().filter(|a| a.status != 200) {
        // At the limit of one recording, the limit may be what is said.
        ensure!(matches!((a.status, a.body["code"].as_str()), (409, Some("already_recording")) | (429, _)), "{a:?}");
    }
    let other = vigie.open_session(two)?;
    fails(&start(&other, json!(1))?, 429, "max_concurrent_recordings")?;
    fails(&vigie.post("/api/video/session/close", &json!({"session_id": id}))?, 409, "recording_active")?;
    fails(&vigie.send_json("DELETE", &format!("/api/cameras/{one}"), &Value::Null)?, 409, "recording_active")?;
    let status_path = format!("/api/video/record/status/{id}");
    until("some frames are recorded", Duration::from_secs(10), || {
        Ok((vigie.get(&status_path)?.body["status"]["frames"].as_i64() > Some(5)).then_some(()))
    })?;
    let file = format!("/api/video/files/{id}/download?club_id=0");
    fails(&vigie.get(&file)?, 409, "recording_active")?;

    let stops: Vec<Answer> = thread::scope(|s| {
        let stop = || vigie.post("/api/video/record/stop", &json!({"session_id": id}));
        let clicks: Vec<_> = (0..4).map(|_| s.spawn(stop)).collect();
        clicks.into_iter().filter_map(|c| c.join().ok()?.ok()).collect()
    });
    ensure!(stops.len() == 4 && stops.iter().all(|a| a.status == 200 && a.body == stops[0].body), "{stops:?}");
    let ended = vigie.get(&status_path)?.body["status"].clone();
    ensure!(ended["active"] == json!(false) && ended["duration_seconds"] == json!(5400), "{ended}");

    fails(&vigie.get("/api/video/files/list")?, 400, "missing_field")?;
    ensure!(vigie.get("/api/video/files/list?club_id=0")?.body["count"] == json!(1));
    ranges(&vigie, &file)?;

    let close = || vigie.post("/api/video/session/close", &json!({"session_id": id}));
    ensure!(close()?.status == 200);
    fails(&close()?, 404, "session_not_found")?;
    let delete = || vigie.send_json("DELETE", &format!("/api/video/files/{id}/delete?club_id=0"), &Value::Null);
    ensure!(delete()?.status == 200);
    fails(&delete()?, 404, "video_not_found")?;

    // Cleaning up takes what is empty, and that alone.
    let club = vigie.data_dir().join("media/videos/0");
    std::fs::write(club.join("empty.mp4"), [0; 500])?;
    std::fs::write(club.join("small.mp4"), [0; 2048])?;
    let cleaned = vigie.post("/api/video/cleanup", &json!({}))?;
    ensure!(cleaned.body["cleaned"]["empty_files"] == json!(1), "{cleaned:?}");
    ensure!(!club.join("empty.mp4").exists() && club.join("small.mp4").exists());
    Ok(())
}

fn ranges(vigie: &Vigie, file: &str) -> Result<()> {
    let whole = signed(vigie, "GET", file, &[], b"")?;
    let bytes = whole.body();
    let n = bytes.len();
    for (range, status, part) in [
        ("bytes=0-99", 206, &bytes[..100]),
        ("bytes=-100", 206, &bytes[n - 100..]),
        ("bytes=5-", 206, &bytes[5..]),
        ("bytes=5-99999999999999999999999", 206, &bytes[5..]),
        ("bytes=0-1,5-6", 200, &bytes[..]),
        ("bytes=9-2", 200, &bytes[..]),
    ] {
        let r = signed(vigie, "GET", file, &[("Range", range)], b"")?;
        ensure!(r.status() == status && r.body() == part, "{range}: {} and {} bytes", r.status(), r.body().len());
    }
    for range in ["bytes=9999999999-", "bytes=99999999999999999999999-", "bytes=-0"] {
        let r = signed(vigie, "GET", file, &[("Range", range)], b"")?;
        refused(&r, 416, "range_not_satisfiable")?;
        ensure!(r.headers()["content-range"] == format!("bytes */{n}"), "{range}");
    }
    let head = signed(vigie, "HEAD", file, &[], b"")?;
    ensure!(head.headers()["content-length"] == n.to_string() && head.body().is_empty());
    for (condition, known) in [("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")] {
        let value = head.headers()[known].to_str()?;
        let r = signed(vigie, "GET", file, &[(condition, value)], b"")?;
        ensure!(r.status() == 304 && r.body().is_empty(), "{condition}: {}", r.status());
    }
    Ok(())
}

/// A server that gives every RTSP request of every client the answer that `answer` makes of method and CSeq; its port.
/// It lives as long as the process.
fn camera(answer: fn(&str, &str) -> String) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || talk(client, answer));
        }
    });
    Ok(port)
}

fn talk(client: TcpStream, answer: fn(&str, &str) -> String) -> Option<()> {
    let mut out = client.try_clone().ok()?;
    let mut lines = BufReader::new(client).lines();
    let (mut method, mut cseq) = (String::new(), String::new());
    loop {
        let line = lines.next()?.ok()?;
        if method.is_empty() {
            method = line.split(' ').next()?.to_owned();
        } else if let Some(n) = line.to_ascii_lowercase().strip_prefix("cseq:") {
            cseq = n.trim().to_owned();
        } else if line.is_empty() {
            out.write_all(answer(&method, &cseq).as_bytes()).ok()?;
            method.clear();
        }
    }
}

fn only(status: &str, cseq: &str) -> String {
    format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n")
}

#[test]
fn a_camera_that_cannot_be_reached_says_why() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let locked = camera(|_, cseq| only("401 Unauthorized", cseq))?;
    let elsewhere = camera(|_, cseq| only("404 Not Found", cseq))?;
    let sound_alone = camera(|method, cseq| {
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:t0\r\n";
        let body = if method == "DESCRIBE" { sdp } else { "" };
        let length = body.len();
        format!(
            "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    })?;
    // Accepts, because the system does, and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0")?;
    for (name, host, reason) in [
        ("dns", "no-such-host.invalid".to_owned(), "dns"),
        ("tcp", format!("127.0.0.1:{closed}"), "tcp"),
        ("auth", format!("admin:wrong@127.0.0.1:{locked}"), "auth"),
        ("not found", format!("127.0.0.1:{elsewhere}"), "not_found"),
        ("no video", format!("127.0.0.1:{sound_alone}"), "no_video"),
        ("timeout", format!("127.0.0.1:{}", mute.local_addr()?.port()), "timeout"),
    ] {
        let url = format!("rtsp://{host}/live");
        let config = json!({"timeout_ms": 1000, "transport": "tcp"});
        let id = vigie.add_camera(&json!({"name": name, "primary_stream_url": url, "connection_config": config}))?;
        let a = vigie.post("/api/video/session/create", &json!({"camera_id": id}))?;
        fails(&a, 502, "camera_unreachable").context(name)?;
        ensure!(a.body["details"]["reason"] == json!(reason), "{name}: {a:?}");
    }
    ensure!(vigie.get("/api/video/session/list")?.body["count"] == json!(0), "nothing is left behind");
    Ok(())
}

#[test]
fn bad_input_is_refused_with_a_reason() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let json_type = [("Content-Type", "application/json")];
    let post = |body: &[u8]| signed(&vigie, "POST", "/api/cameras/", &json_type, body);
    refused(&post(b"{\"name\":\"\xff\xfe\"}")?, 400, "malformed_json")?;
    refused(&post(b"{\"name\":\"\\ud800\"}")?, 400, "malformed_json")?;
    refused(&post(b"")?, 400, "malformed_json")?;
    let deep = format!("{{\"connection_config\":{}1{}}}", "{\"a\":".repeat(5000), "}".repeat(5000));
    refused(&post(deep.as_bytes())?, 400, "malformed_json")?;
    let text = signed(&vigie, "POST", "/api/cameras", &[("Content-Type", "text/plain")], b"{}")?;
    refused(&text, 415, "unsupported_media_type")?;
    for path in ["..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "sess_0_1_99999999999999999999", "%27%20or%201=1"] {
        for view in ["preview/X/info", "preview/X/snapshot.jpg", "video/record/status/X", "video/files/X/download"] {
            let path = format!("/api/{}", view.replace('X', path));
            let r = signed(&vigie, "GET", &path, &[], b"")?;
            ensure!([400, 404].contains(&r.status().as_u16()), "{path}: {}", r.status());
        }
    }
    let token = |body: Value| vigie.post("/api/auth/tokens", &body);
    let a = token(json!({}))?;
    fails(&a, 400, "missing_field")?;
    ensure!(a.body["details"]["field"] == json!("name"), "{a:?}");
    // A limit that is spelt wrong must not make a token without a limit.
    fails(&token(json!({"name": "x", "expires_in": 60}))?, 400, "invalid_field")?;
    let made = token(json!({"name": "nvr", "read_only": true}))?;
    let secret = made.body["token"].as_str().context("token")?;
    let bearer = format!("Bearer {secret}");
    let by_token =
        |method: &str| ask(&vigie, method, "/api/cameras", &[json_type[0], ("Authorization", &bearer)], b"{}");
    ensure!(by_token("GET")?.status() == 200);
    refused(&by_token("POST")?, 403, "read_only_token")?;
    let listed = vigie.get("/api/auth/tokens")?.body;
    ensure!(listed["tokens"][0]["last_used_at"].is_string() && !listed.to_string().contains(secret), "{listed}");

    let old = json!({"name": "Old", "rtsp_url": "rtsp://admin:pass@192.0.2.1:554/stream1", "connection_config": {"timeout": 10}});
    let a = vigie.post("/api/cameras/", &old)?;
    let c = &a.body["camera"];
    ensure!(a.status == 201 && c["connection_config"]["timeout_ms"] == json!(10_000), "{a:?}");
    ensure!(c["ip_address"] == json!("192.0.2.1") && c["port"] == json!(554), "{a:?}");
    fails(&vigie.post("/api/cameras", &old)?, 409, "duplicate_name")
}

#[test]
fn a_browser_s_cookie_serves_its_own_page_alone() -> Result<()> {
    let vigie = Vigie::start("", &[])?;
    let who = json!({"username": "admin", "password": "correct horse battery"});
    let json_type = ("Content-Type", "application/json");
    let r = ask(&vigie, "POST", "/api/auth/login", &[json_type], &serde_json::to_vec(&who)?)?;
    let mut cookies = Vec::new();
    for cookie in r.headers().get_all("set-cookie") {
        let cookie = cookie.to_str()?;
        ensure!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookies.push(cookie.split(';').next().context("cookie")?.to_owned());
    }
    let cookie = cookies.join("; ");
    let with = |method: &str, path: &str, more: &[(&str, &str)]| {
        let mut headers = vec![json_type, ("Cookie", cookie.as_str())];
        headers.extend_from_slice(more);
        ask(&vigie, method, path, &headers, b"{}")
    };
    let evil = ("Origin", "http://evil.example");
    let named = ("X-Requested-With", "vigie");
    refused(&with("POST", "/api/cameras", &[])?, 403, "csrf")?;
    refused(&with("POST", "/api/cameras", &[evil, named])?, 403, "bad_origin")?;
    refused(&with("POST", "/api/cameras", &[("Origin", &vigie.http), named])?, 400, "invalid_field")?;
    let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")];
    let key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    refused(&with("GET", "/api/live/ws", &[upgrade[0], upgrade[1], upgrade[2], key, evil])?, 403, "bad_origin")?;

    // A program renews with the token alone, until it has signed out.
    let body: Value = serde_json::from_slice(r.body())?;
    let token = body["token"].as_str().context("token")?;
    let claims = token.split('.').nth(1).context("claims")?;
    ensure!(String::from_utf8(base64(claims))?.contains("\"role\":\"SUPER_ADMIN\""), "the role stands in the token");
    let bearer = format!("Bearer {token}");
    let renew = |path: &str| ask(&vigie, "POST", path, &[("Authorization", &bearer)], b"");
    let renewed: Value = serde_json::from_slice(renew("/api/auth/refresh")?.body())?;
    ensure!(renewed["token"].is_string(), "{renewed}");
    ensure!(renew("/api/auth/logout")?.status() == 200);
    refused(&renew("/api/auth/refresh")?, 401, "unauthenticated")?;
    refused(&with("GET", "/api/auth/me", &[])?, 401, "unauthenticated")
}

/// URL-safe base64 without padding.
fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'-' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let bits = four.iter().fold(0, |a, c| a << 6 | value(*c)) << (6 * (4 - four.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    out
}

#[test]
fn a_password_in_a_url_is_seen_by_nobody_who_does_not_ask() -> Result<()> {
    const SECRET: &str = "S3cr3t!x";
    let vigie = Vigie::start("", &[])?;
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let hidden = |what: &str, text: &str| -> Result<()> {
        ensure!(!text.contains("S3cr3t"), "the password stands in {what}");
        Ok(())
    };
    // As events come: opened before anything happens.
    let mut stream = TcpStream::connect(vigie.http.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    write!(stream, "GET /api/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", vigie.token())?;
    let mut ids = Vec::new();
    for (name, url) in [
        ("user info", format!("rtsp://admin:{SECRET}@127.0.0.1:{closed}/x")),
        ("query", format!("http://127.0.0.1:{closed}/v.cgi?loginuse=admin&loginpas={SECRET}")),
        ("path", format!("rtsp://127.0.0.1:{closed}/user=admin&password={SECRET}&channel=1")),
    ] {
        let a = vigie.post("/api/cameras", &json!({"name": name, "primary_stream_url": url}))?;
        hidden(name, &a.body.to_string())?;
        let id = a.body["camera"]["id"].as_i64().context("id")?;
        ids.push((id, url));
    }
    for (id, url) in &ids {
        for (method, path) in [
            ("POST", "/api/video/session/create".to_owned()),
            ("POST", format!("/api/cameras/{id}/test")),
            ("GET", format!("/api/cameras/{id}")),
            ("GET", format!("/api/cameras/{id}/streams")),
            ("GET", format!("/api/cameras/{id}/events")),
        ] {
            let a = vigie.send_json(method, &path, &json!({"camera_id": id}))?;
            hidden(&path, &a.body.to_string())?;
        }
        let a = vigie.get(&format!("/api/cameras/{id}?reveal=1"))?;
        ensure!(a.body["camera"]["primary_stream_url"] == json!(url), "{a:?}");
        // What was shown means the same camera when it is given back as it is, and is no password for another.
        let path = format!("/api/cameras/{id}");
        let shown = vigie.get(&path)?.body["camera"]["primary_stream_url"].as_str().context("url")?.to_owned();
        let same = vigie.send_json("PATCH", &path, &json!({"primary_stream_url": shown}))?;
        ensure!(same.status == 200, "{same:?}");
        let revealed = vigie.get(&format!("{path}?reveal=1"))?;
        ensure!(revealed.body["camera"]["primary_stream_url"] == json!(url), "{revealed:?}");
        let other = shown.replace("127.0.0.1", "127.0.0.2");
        let a = vigie.send_json("PATCH", &path, &json!({"primary_stream_url": other}))?;
        fails(&a, 422, "masked_credentials")?;
    }
    hidden("the list", &vigie.get("/api/cameras")?.body.to_string())?;
    hidden("the log", &vigie.log_text())?;
    for name in ["vigie.db", "vigie.db-wal"] {
        let bytes = std::fs::read(vigie.data_dir().join(name)).unwrap_or_default();
        hidden(name, &String::from_utf8_lossy(&bytes))?;
    }
    let mut events = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        events.extend_from_slice(&buffer[..n]);
    }
    let events = String::from_utf8_lossy(&events);
    ensure!(events.contains("event: camera") || events.contains("event:camera"), "no event came: {events}");
    hidden("the events", &events)
}
