//! Marks, clips, parts, events and the diagnosis through the whole program; and what people send by mistake.

use futures_util::StreamExt;
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{DEADLINE, Server, decode_errors, failure, ffprobe, until};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn listen(s: &Server, token: Option<&str>) -> Result<Socket, u16> {
    let url = format!("{}/api/events/ws", s.http.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    if let Some(t) = token {
        request.headers_mut().insert("authorization", format!("Bearer {t}").parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(r)) => Err(r.status().as_u16()),
        Err(e) => panic!("{e}"),
    }
}

/// The next message that tells something; `None` once the other side has ended it.
async fn told(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(DEADLINE, socket.next()).await.expect("something is told in time") {
            Some(Ok(Message::Text(t))) => return Some(serde_json::from_str(&t).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

async fn told_of(socket: &mut Socket, event: &str) -> Value {
    loop {
        let message = told(socket).await.expect("the socket stays open");
        if message["event"] == event {
            return message["data"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_over_a_websocket_until_the_right_to_listen_ends() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    assert_eq!(listen(&s, None).await.unwrap_err(), 401);
    let who = json!({ "username": crate::harness::ADMIN, "password": crate::harness::PASSWORD });
    let own = s.post("/api/auth/login", who).await["token"].as_str().unwrap().to_owned();
    let mut socket = listen(&s, Some(&own)).await.unwrap();
    assert_eq!(told(&mut socket).await.unwrap()["event"], "hello");
    let camera = s.test_card("Court 1").await;
    let told_camera = told_of(&mut socket, "camera").await;
    assert_eq!((&told_camera["id"], &told_camera["name"]), (&json!(camera), &json!("Court 1")));
    let session = s.session(camera).await;
    // The states of the contract, in their order (REC-056).
    let mut states = vec![told_of(&mut socket, "session").await["state"].clone()];
    s.record(&session, 5).await;
    s.post("/api/video/record/stop", json!({ "session_id": session })).await;
    s.post("/api/video/session/close", json!({ "session_id": session })).await;
    while states.last() != Some(&json!("CLOSED")) {
        states.push(told_of(&mut socket, "session").await["state"].clone());
    }
    states.dedup();
    let order =
        ["CREATING_SESSION", "SESSION_CREATED", "STARTING_RECORDING", "RECORDING", "STOPPING", "COMPLETE", "CLOSED"];
    let places: Vec<usize> =
        states.iter().map(|s| order.iter().position(|o| s == o).unwrap_or_else(|| panic!("{s}"))).collect();
    assert!(places.is_sorted() && places.len() >= 3, "{states:?}");

    // Signed out elsewhere: nothing is told any more.
    let gone = s.client.post(format!("{}/api/auth/logout", s.http)).bearer_auth(&own).send().await.unwrap();
    assert_eq!(gone.status().as_u16(), 200);
    s.test_card("Court 2").await;
    while let Some(m) = told(&mut socket).await {
        assert_ne!(m["data"]["name"], "Court 2", "it was told to somebody who may not know");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_becomes_a_clip_and_two_times_a_part() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let session = s.session(camera).await;
    // Nobody records: the clip is made of what is kept.
    let mark = format!("/api/video/session/{session}/mark");
    let clip_of = async |body: Value| {
        let answer = s.post(&mark, body).await;
        let path = answer["clip"]["download_url"].as_str().unwrap().to_owned();
        let bytes = s.request(Method::GET, &path).send().await.unwrap().bytes().await.unwrap();
        let file = dir.path().join("clip.mp4");
        std::fs::write(&file, &bytes).unwrap();
        let (kinds, seconds) = ffprobe(&file);
        assert!(kinds.contains(&"video".to_owned()) && decode_errors(&file).is_empty(), "{kinds:?}");
        let said = answer["clip"]["duration_seconds"].as_f64().unwrap();
        assert!((seconds - said).abs() < 0.15, "{seconds} s instead of {said}");
        (answer, seconds)
    };
    until("a picture is kept", async || {
        s.request(Method::POST, &mark).json(&json!({"clip": true})).send().await.unwrap().status() == 200
    })
    .await;
    let (kept, _) = clip_of(json!({ "seconds": 10 })).await;
    assert_eq!((&kept["marker"]["recording_id"], &kept["marker"]["offset_seconds"]), (&Value::Null, &Value::Null));
    s.record(&session, 60).await;
    let (recorded, seconds) = clip_of(json!({ "label": "match point" })).await;
    assert!((1.0..=30.5).contains(&seconds), "{seconds}");
    assert_eq!(recorded["marker"]["label"], "match point");
    let offset = recorded["marker"]["offset_seconds"].as_f64().unwrap();
    assert!(offset >= 1.0, "{offset}");
    let part = |from: &str, to: &str| format!("/api/video/files/{session}/clip?from={from}&to={to}");
    assert_eq!(s.fails(Method::GET, &part("0", "1"), None).await, (409, "recording_active".to_owned()));
    s.post("/api/video/record/stop", json!({ "session_id": session })).await;

    // A part: exact, playable, in pieces.
    let whole = s.request(Method::GET, &part("0.48", "1.48")).send().await.unwrap();
    assert_eq!((whole.status().as_u16(), &whole.headers()[header::CONTENT_TYPE]), (200, &"video/mp4".parse().unwrap()));
    let etag = whole.headers()[header::ETAG].clone();
    let bytes = whole.bytes().await.unwrap();
    let file = dir.path().join("part.mp4");
    std::fs::write(&file, &bytes).unwrap();
    let (_, seconds) = ffprobe(&file);
    assert!((seconds - 1.0).abs() < 0.1, "{seconds}");
    assert_eq!(decode_errors(&file), "");
    let piece =
        s.request(Method::GET, &part("0.48", "1.48")).header(header::RANGE, "bytes=100-199").send().await.unwrap();
    assert_eq!((piece.status().as_u16(), &piece.headers()[header::ETAG]), (206, &etag));
    assert_eq!(piece.bytes().await.unwrap(), bytes.slice(100..200));
    let same = s.request(Method::GET, &part("0.48", "1.48")).header(header::IF_NONE_MATCH, &etag).send().await.unwrap();
    assert_eq!(same.status().as_u16(), 304);
    let past =
        s.request(Method::GET, &part("0.48", "1.48")).header(header::RANGE, "bytes=99999999-").send().await.unwrap();
    assert_eq!(past.status().as_u16(), 416);
    for (from, to, expected) in [
        ("1", "1", (422, "invalid_field")),
        ("-1", "1", (422, "invalid_field")),
        ("9000", "9001", (416, "range_not_satisfiable")),
        ("x", "1", (400, "invalid_field")),
        ("NaN", "1", (422, "invalid_field")),
    ] {
        let (status, code) = s.fails(Method::GET, &part(from, to), None).await;
        assert_eq!((status, code.as_str()), expected, "{from} {to}");
    }

    // Lists: whole recordings unless somebody asks for clips; undone, the clip stays.
    let list = async |kind: &str| s.get(&format!("/api/video/files/list?club_id=0{kind}")).await;
    assert_eq!((&list("").await["count"], &list("").await["videos"][0]["markers"]), (&json!(1), &json!(1)));
    let clips = list("&kind=clip").await["count"].as_i64().unwrap();
    assert!(clips >= 3, "{clips}");
    let markers = s.get(&format!("/api/video/session/{session}/markers")).await;
    let id = markers["markers"][0]["id"].as_i64().unwrap();
    let one = format!("/api/video/session/{session}/markers/{id}");
    s.request(Method::DELETE, &one).send().await.unwrap();
    assert_eq!(s.fails(Method::DELETE, &one, None).await, (404, "marker_not_found".to_owned()));
    assert_eq!(list("&kind=clip").await["count"], json!(clips));
    assert_eq!(s.fails(Method::POST, &mark, Some(json!({ "seconds": 9 }))).await, (422, "seconds_out_of_range".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_says_what_somebody_needs_to_help() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let secret = json!({ "name": "Gate", "connection_type": "rtsp", "enabled": false,
        "primary_stream_url": "rtsp://viewer:hunter2@192.0.2.7/live" });
    s.post("/api/cameras", secret).await;
    let session = s.session(camera).await;
    s.record(&session, 5).await;
    let anonymous = s.client.get(format!("{}/api/system/diagnose", s.http)).send().await.unwrap();
    assert_eq!(failure(anonymous).await.0, 401);
    let r = s.request(Method::GET, "/api/system/diagnose?download=1").send().await.unwrap();
    let name = r.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"vigie-diagnosis-"), "{name}");
    let text = r.text().await.unwrap();
    assert!(!text.contains("hunter2"), "no secret leaves");
    let d: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(d["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&d["sessions"][0]["session_id"], &d["recordings"][0]["active"]), (&json!(session), &json!(true)));
    assert!(d["encoder"]["name"].is_string() && d["encoder"]["available"].is_boolean(), "{}", d["encoder"]);
    assert!(d["disk"]["total"].as_u64() > Some(0) && d["components"]["store"] == "ok");
    assert_eq!(d["streams"].as_array().unwrap().len(), 2);
    let log = d["log"].as_array().unwrap();
    assert!(log.len() <= 200 && log.iter().any(|l| l.as_str().unwrap().contains("recording")), "{log:?}");
    let health = s.get("/api/video/health").await;
    assert_eq!((&health["active_recordings"], &health["encoder"]["name"]), (&json!(1), &d["encoder"]["name"]));
    s.post("/api/video/record/stop", json!({ "session_id": session })).await;
    let log = s.request(Method::GET, &format!("/api/video/record/{session}/log")).send().await.unwrap();
    assert!(log.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
    let log = log.text().await.unwrap();
    assert!(log.contains("start:") && log.contains("end:"), "{log}");
    assert_eq!(s.fails(Method::GET, "/api/video/record/sess_0_9_9/log", None).await.1, "session_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_send_by_mistake_is_refused_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let s = Server::with_admin(&dir).await;
    let camera = s.test_card("Court 1").await;
    let session = s.session(camera).await;
    let start = |minutes: Value| json!({ "session_id": session, "duration_minutes": minutes });
    for (minutes, expected) in [
        (json!(0), (422, "duration_out_of_range")),
        (json!(-1), (422, "duration_out_of_range")),
        (json!(721), (422, "duration_out_of_range")),
        (json!(0.5), (422, "duration_out_of_range")),
        (json!("abc"), (400, "invalid_field")),
        (json!([1]), (400, "invalid_field")),
    ] {
        let (status, code) = s.fails(Method::POST, "/api/video/record/start", Some(start(minutes.clone()))).await;
        assert_eq!((status, code.as_str()), expected, "{minutes}");
    }
    let odd = json!({ "session_id": session, "mode": "best" });
    assert_eq!(s.fails(Method::POST, "/api/video/record/start", Some(odd)).await, (422, "invalid_field".into()));
    for id in ["..%2f..%2fetc%2fpasswd", "sess_0_1_1%00", "sess_%2e%2e", "%ff", "sess_0_1_99999999999999999999999"] {
        for path in ["record/status/", "files/"] {
            let tail = if path == "files/" { "/download" } else { "" };
            let (status, _) = s.fails(Method::GET, &format!("/api/video/{path}{id}{tail}"), None).await;
            assert!(matches!(status, 400 | 404), "{path}{id}: {status}");
        }
    }
    for (body, expected) in [
        (json!({}), (400, "missing_field")),
        (json!({ "terrain_id": null }), (400, "missing_field")),
        (json!({ "terrain_id": "one" }), (400, "invalid_field")),
        (json!({ "terrain_id": 1.5 }), (400, "invalid_field")),
        (json!({ "terrain_id": 4711 }), (404, "terrain_not_found")),
        (json!({ "camera_id": 4711 }), (404, "camera_not_found")),
        (json!({ "camera_id": camera }), (409, "session_exists")),
    ] {
        let (status, code) = s.fails(Method::POST, "/api/video/session/create", Some(body.clone())).await;
        assert_eq!((status, code.as_str()), expected, "{body}");
    }
    let ten_megabytes = json!({ "session_id": "x".repeat(10 << 20) });
    let big = s.fails(Method::POST, "/api/video/record/start", Some(ten_megabytes)).await;
    assert_eq!(big, (413, "payload_too_large".to_owned()));
    // A usual length, asked for in the older systems' way; then null, which is as good as nothing.
    s.post("/api/video/record/start", start(Value::Null)).await;
    let status = s.get(&format!("/api/video/record/status/{session}")).await["status"].clone();
    assert_eq!((&status["duration_seconds"], &status["mode"]), (&json!(5400), &json!("copy")));
    let estimate = s.get(&format!("/api/video/record/estimate?session_id={session}&duration_minutes=10")).await;
    assert_eq!((&estimate["estimate"]["mode"], &estimate["estimate"]["fits"]), (&json!("copy"), &json!(true)));
    // Of two who stop at once both are told the same.
    let stop = json!({ "session_id": session });
    let (a, b) = tokio::join!(s.post("/api/video/record/stop", stop.clone()), s.post("/api/video/record/stop", stop));
    assert_eq!(a, b);
}
