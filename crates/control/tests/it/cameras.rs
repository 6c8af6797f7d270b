//! Cameras: what is accepted, what is shown, what is told to the host.

use bytes::Bytes;
use serde_json::{Value, json};
use vigie_base::StreamName;
use vigie_control::cameras::CameraFilter;
use vigie_control::host::ProbeReport;
use vigie_control::{Error, Kind};
use vigie_store::Role;

use crate::house::{House, admin, object, person};

#[tokio::test]
async fn the_legacy_request_of_the_contract_works() {
    let house = House::new().await;
    let c =
        house.camera(json!({"name": "Front Door", "rtsp_url": "rtsp://admin:p%40ss@192.168.1.100:554/stream1"})).await;
    assert_eq!(c.connection_type, "rtsp");
    assert_eq!(c.primary_stream_url.as_deref(), Some("rtsp://admin:***@192.168.1.100:554/stream1"));
    assert_eq!((c.ip_address.as_deref(), c.port), (Some("192.168.1.100"), Some(554)));
    assert_eq!((c.username.as_deref(), c.has_password, c.slug.as_str()), (Some("admin"), true, "front-door"));
    let sent = house.host.applied.lock().last().cloned().unwrap();
    let main = &sent.streams[0];
    assert_eq!(main.url.as_str(), "rtsp://192.168.1.100:554/stream1");
    let (user, password) = main.credentials.clone().unwrap();
    assert_eq!((user.as_str(), password.reveal()), ("admin", "p@ss"));
    // Nothing readable holds the password: neither the answer nor any file of the data directory.
    assert!(!serde_json::to_string(&c).unwrap().contains("p@ss"));
    for file in std::fs::read_dir(house.dir.path()).unwrap().flatten().filter(|f| f.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in [b"p@ss".as_slice(), b"p%40ss"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{:?}", file.path());
        }
    }
    let c = house.camera(json!({"name": "b", "ip_address": "10.0.0.7", "port": 8554})).await;
    assert_eq!(c.primary_stream_url.as_deref(), Some("rtsp://10.0.0.7:8554/"));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let house = House::new().await;
    let body = json!({"url": "ftp://x/y", "enabled": "yes", "tags": [1], "connection_config": {"timeout_ms": 1, "odd": 2},
        "sub_url": "rtsp://u:***@h/x", "colour": "red"});
    let e = house.control.cameras.create(&admin(), object(&body)).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Malformed);
    let details = e.details().unwrap();
    let fields: Vec<&str> = object(&details).keys().map(String::as_str).collect();
    let wanted = [
        "colour",
        "connection_config.odd",
        "connection_config.timeout_ms",
        "enabled",
        "name",
        "sub_url",
        "tags",
        "url",
    ];
    assert_eq!(fields, wanted);
    for (body, code) in [
        (json!({"url": "rtsp://h/x"}), "missing_field"),
        (json!({"name": "x"}), "missing_field"),
        (json!({"name": "x", "url": "rtsp://u:********@h/x"}), "masked_credentials"),
        (json!({"name": "x", "url": "rtsp://h/x", "password": "***"}), "masked_credentials"),
        (json!({"name": "x", "url": "rtsp://h/x", "slug": "api"}), "invalid_field"),
        (json!({"name": "x", "url": "rtsp://169.254.169.254/x"}), "invalid_field"),
        (json!({"name": "x", "url": "rtsp://0xa9fea9fe/x"}), "invalid_field"),
        (json!({"name": "x", "url": "http://[fe80::1]/x"}), "invalid_field"),
        (json!({"name": "x", "url": "rtsp://h/x", "connection_type": "http_mjpeg"}), "invalid_field"),
        (json!({"name": "x", "url": "rtmp://h/x"}), "invalid_field"),
        (json!({"name": "x", "ip_address": "10.0.0.1", "port": 80}), "invalid_field"),
    ] {
        assert_eq!(house.control.cameras.create(&admin(), object(&body)).await.unwrap_err().code(), code, "{body}");
    }
    house.camera(json!({"name": "Door", "url": "rtsp://h/x"})).await;
    let twice = house.control.cameras.create(&admin(), object(&json!({"name": "dOOR", "url": "rtsp://h/y"}))).await;
    assert!(matches!(twice, Err(Error::DuplicateName)));
    let c = house.camera(json!({"name": "Door!", "url": "rtsp://h/y"})).await;
    assert_eq!(c.slug, "door-2");
}

#[tokio::test]
async fn only_what_concerns_a_stream_reaches_the_host() {
    let house = House::new().await;
    let cameras = &house.control.cameras;
    let body = json!({"name": "A", "url": "rtsp://u:secret-1@h/main", "sub_url": "rtsp://h/sub", "transport": "tcp"});
    let c = house.camera(body).await;
    assert_eq!(house.host.applied.lock().len(), 1);
    let id = c.id.to_string();
    let patch = async |body: Value| cameras.update(&admin(), &id, object(&body), false).await;
    // Sent back as shown, with another name: nothing that the host runs by has changed.
    let mut shown = serde_json::to_value(&c).unwrap();
    shown["name"] = json!("B");
    let same = cameras.update(&admin(), &id, object(&shown), true).await.unwrap();
    assert_eq!((same.name.as_str(), same.has_password, same.slug.as_str()), ("B", true, "a"));
    patch(json!({"tags": ["x"], "model": "M", "club_id": null})).await.unwrap();
    assert_eq!(house.host.applied.lock().len(), 1);
    // Another small stream: the main one is told as it was.
    patch(json!({"sub_url": "http://h/sub.mjpg"})).await.unwrap();
    let sent = house.host.applied.lock().clone();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].streams[0], sent[1].streams[0]);
    assert_eq!((sent[1].streams[1].stream, sent[1].streams[1].kind.as_str()), (StreamName::Sub, "http_mjpeg"));
    // Legacy fields move the host of the URL and keep the rest.
    let elsewhere = patch(json!({"ip_address": "10.1.1.1", "port": 8554})).await.unwrap_err();
    assert_eq!((elsewhere.code(), elsewhere.kind()), ("missing_field", Kind::Invalid), "a password is for its host");
    assert!(elsewhere.details().unwrap()["password"].is_object());
    let own = json!({"url": "rtsp://v:other-pass@10.1.1.2/main"});
    patch(own).await.unwrap();
    let moved = patch(json!({"ip_address": "10.1.1.1", "port": 8554, "username": "u", "password": "secret-1"}));
    let moved = moved.await.unwrap();
    assert_eq!(moved.primary_stream_url.as_deref(), Some("rtsp://u:***@10.1.1.1:8554/main"));
    patch(json!({"password": "secret-2"})).await.unwrap();
    let last = house.host.applied.lock().last().cloned().unwrap();
    assert_eq!(last.streams[0].credentials.as_ref().unwrap().1.reveal(), "secret-2");
    let off = patch(json!({"enabled": false, "password": null})).await.unwrap();
    assert!(!off.has_password && off.streams[0].state == "disabled");
    assert!(!house.host.applied.lock().last().unwrap().enabled);
    assert_eq!(patch(json!({"name": null})).await.unwrap_err().code(), "missing_field");
    let gone = cameras.update(&admin(), "nowhere", object(&json!({})), false).await;
    assert!(matches!(gone, Err(Error::CameraNotFound)));
    cameras.delete(&admin(), &id, false).await.unwrap();
    assert!(cameras.get(&admin(), &id).await.is_err() && house.host.removed.lock().len() == 1);
}

#[tokio::test]
async fn secrets_in_queries_are_masked_and_kept() {
    let house = House::new().await;
    let c = house.camera(json!({"name": "F", "url": "http://h/cgi?cmd=mjpeg&pwd=hush&usr=a"})).await;
    let shown = c.primary_stream_url.clone().unwrap();
    assert!(shown.contains("pwd=***") && !shown.contains("hush"), "{shown}");
    let body = json!({"primary_stream_url": shown, "model": "x"});
    house.control.cameras.update(&admin(), "f", object(&body), false).await.unwrap();
    house.control.cameras.update(&admin(), "f", object(&json!({"always_on": true})), false).await.unwrap();
    let sent = house.host.applied.lock().last().cloned().unwrap();
    assert!(sent.streams[0].url.query().unwrap().contains("pwd=hush"));
    let dir = house.end().await;
    let house = House::with(dir, |_| {}).await;
    let sent = house.host.applied.lock().last().cloned().unwrap();
    assert!(sent.streams[0].url.query().unwrap().contains("pwd=hush") && sent.always_on, "also after a restart");
}

#[tokio::test]
async fn a_club_administrator_reaches_no_further_than_the_club() {
    let house = House::new().await;
    let cameras = &house.control.cameras;
    let (own, foreign) = (house.club("Own").await, house.club("Foreign").await);
    let boss = person(5, Role::ClubAdmin, Some(own));
    let mine = cameras.create(&boss, object(&json!({"name": "c", "url": "rtsp://10.0.0.1/x"}))).await.unwrap();
    assert_eq!(mine.club_id, Some(own));
    // What a club's administrator points somewhere is held out of this machine when it is connected, too.
    let walled = || house.host.applied.lock().last().unwrap().streams[0].config["walled"].clone();
    assert_eq!(walled(), json!(true));
    let url = json!({"url": "rtsp://127.0.0.1/x"});
    assert_eq!(cameras.update(&boss, "c", object(&url), false).await.unwrap_err().code(), "invalid_field");
    cameras.update(&admin(), "c", object(&url), false).await.unwrap();
    assert_eq!(walled(), json!(null), "what a super administrator says is not");
    cameras.update(&boss, "c", object(&json!({"model": "M"})), false).await.unwrap();
    assert_eq!(walled(), json!(null), "another field is no other address");
    let forged = json!({"connection_config": {"walled": false}});
    assert_eq!(cameras.update(&boss, "c", object(&forged), false).await.unwrap_err().code(), "invalid_field");
    let other = house.camera(json!({"name": "o", "url": "rtsp://10.0.0.2/x", "club_id": foreign})).await;
    for (body, code) in [
        (json!({"name": "n", "url": "rtsp://10.0.0.1/x", "club_id": foreign}), "other_club"),
        (json!({"name": "n", "url": "/etc/passwd"}), "forbidden"),
        (json!({"name": "n", "connection_type": "testcard"}), "forbidden"),
        (json!({"name": "n", "url": "rtsp://127.0.0.1/x"}), "invalid_field"),
        (json!({"name": "n", "url": "rtsp://localhost:9000/x"}), "invalid_field"),
        (json!({"name": "n", "url": "rtsp://2130706433/x"}), "invalid_field"),
    ] {
        assert_eq!(cameras.create(&boss, object(&body)).await.unwrap_err().code(), code, "{body}");
    }
    let id = other.id.to_string();
    assert_eq!(cameras.get(&boss, &id).await.unwrap_err().code(), "other_club");
    assert_eq!(cameras.delete(&boss, &id, true).await.unwrap_err().kind(), Kind::Forbidden);
    let (total, list) = cameras.list(&boss, &CameraFilter::default()).await.unwrap();
    assert_eq!((total, list[0].id), (1, mine.id));
    let player = person(6, Role::Player, Some(own));
    assert!(cameras.get(&player, &mine.slug).await.is_err(), "no court looks through it");
    assert!(cameras.update(&player, &mine.slug, object(&json!({"name": "x"})), false).await.is_err());
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let house = House::new().await;
    for (name, url) in [("Alpha", "rtsp://h1/x"), ("Beta", "http://h2/x"), ("Gamma", "rtsp://h3/x")] {
        house.camera(json!({"name": name, "url": url, "tags": ["yard"]})).await;
    }
    let list = async |f: CameraFilter| {
        let (total, list) = house.control.cameras.list(&admin(), &f).await.unwrap();
        (total, list.into_iter().map(|c| c.name).collect::<Vec<_>>())
    };
    let rtsp = CameraFilter { connection_type: Some("rtsp".to_owned()), ..Default::default() };
    assert_eq!(list(rtsp.clone()).await, (2, vec!["Alpha".to_owned(), "Gamma".to_owned()]));
    let page = CameraFilter { page: Some(2), per_page: Some(1), ..rtsp };
    assert_eq!(list(page).await, (2, vec!["Gamma".to_owned()]));
    let words = CameraFilter { q: Some("YARD h2".to_owned()), ..Default::default() };
    assert_eq!(list(words).await, (1, vec!["Beta".to_owned()]));
    let none = CameraFilter { health: Some("good".to_owned()), ..Default::default() };
    assert_eq!(list(none).await.0, 0);
}

#[tokio::test]
async fn a_test_reports_and_is_remembered() {
    let house = House::new().await;
    house.camera(json!({"name": "A", "url": "rtsp://u:p@h/x"})).await;
    let bad = house.control.cameras.test(&admin(), "a").await.unwrap();
    assert_eq!((bad.success, bad.error_code), (false, Some("tcp")));
    assert_eq!(house.control.cameras.get(&admin(), "a").await.unwrap().connection_health, "offline");
    *house.probe.answer.lock() = Some(Ok(ProbeReport {
        response_time_ms: 620,
        width: 1920,
        height: 1080,
        fps: Some(25.0),
        codec: Some("h264".to_owned()),
        audio_codec: None,
        picture: Some(Bytes::from_static(b"\xff\xd8small")),
    }));
    let good = house.control.cameras.test(&admin(), "a").await.unwrap();
    assert_eq!((good.success, good.resolution.as_deref()), (true, Some("1920x1080")));
    assert_eq!(good.url.as_deref(), Some("rtsp://u:***@h/x"));
    assert_eq!(house.control.cameras.get(&admin(), "a").await.unwrap().connection_health, "good");
    assert_eq!(good.picture.as_deref(), Some("data:image/jpeg;base64,/9hzbWFsbA=="));
    if let Some(Ok(report)) = &mut *house.probe.answer.lock() {
        report.picture = Some(vec![0; 150_001].into());
    }
    let body = json!({"url": "rtsp://u:q@h/y"});
    let new = house.control.cameras.test_new(&admin(), object(&body)).await.unwrap();
    assert_eq!((new.success, new.picture), (true, None), "a picture that is too large is left out");
    assert_eq!(house.probe.seen.lock().last().unwrap().credentials.as_ref().unwrap().1.reveal(), "q");
}

#[tokio::test]
async fn the_file_rules_what_it_sets() {
    let house = House::new().await;
    let cameras = &house.control.cameras;
    let table = |v: Value| v.as_object().unwrap().clone();
    let one = table(json!({"slug": "door", "url": "rtsp://u:p@10.0.0.1/a", "transport": "tcp"}));
    let two = table(json!({"slug": "yard", "name": "Yard", "url": "rtsp://10.0.0.2/a"}));
    let done = cameras.reconcile(&[one.clone(), two.clone()]).await.unwrap();
    assert_eq!(done.added, ["door", "yard"]);
    let again = cameras.reconcile(&[one.clone(), two.clone()]).await.unwrap();
    assert_eq!(again, Default::default(), "the same file changes nothing");
    assert_eq!(house.host.applied.lock().len(), 2);

    for body in [json!({"url": "rtsp://10.0.0.9/a"}), json!({"password": "x"}), json!({"transport": "udp"})] {
        let e = cameras.update(&admin(), "door", object(&body), false).await.unwrap_err();
        assert_eq!((e.code(), e.kind()), ("declared_in_file", Kind::Conflict), "{body}");
    }
    let free =
        cameras.update(&admin(), "door", object(&json!({"always_on": true, "tags": ["t"]})), false).await.unwrap();
    assert!(free.declared && free.always_on);
    assert_eq!(cameras.delete(&admin(), "door", true).await.unwrap_err().code(), "declared_in_file");

    let bad = [one.clone(), table(json!({"slug": "Bad Slug", "url": "rtsp://h/x"})), table(json!({"slug": "c"}))];
    let e = cameras.reconcile(&bad).await.unwrap_err().to_string();
    assert!(e.contains("Bad Slug") && e.contains('c'), "{e}");
    assert!(cameras.get(&admin(), "yard").await.unwrap().enabled, "a bad file changes nothing");

    let moved = table(json!({"slug": "door", "url": "rtsp://10.0.0.3/a"}));
    let done = cameras.reconcile(std::slice::from_ref(&moved)).await.unwrap();
    assert_eq!(
        (done.changed.as_slice(), done.disabled.as_slice()),
        (["door".to_owned()].as_slice(), ["yard".to_owned()].as_slice())
    );
    let door = cameras.get(&admin(), "door").await.unwrap();
    assert_eq!(door.primary_stream_url.as_deref(), Some("rtsp://10.0.0.3/a"));
    assert!(!door.has_password && door.always_on && door.connection_config == json!({}));
    let yard = cameras.get(&admin(), "yard").await.unwrap();
    assert!(!yard.enabled && !yard.declared);
    let back = cameras.reconcile(&[moved, two]).await.unwrap();
    assert_eq!(back.changed, ["yard"]);
    assert!(cameras.get(&admin(), "yard").await.unwrap().enabled);
}

#[tokio::test]
async fn a_password_file_is_read_only_for_the_configuration_file() {
    let house = House::new().await;
    let path = house.dir.path().join("pw");
    std::fs::write(&path, "from-file\n").unwrap();
    let body = json!({"slug": "d", "url": "rtsp://u@h/a", "password_file": path});
    house.control.cameras.reconcile(&[object(&body).clone()]).await.unwrap();
    let sent = house.host.applied.lock().last().cloned().unwrap();
    assert_eq!(sent.streams[0].credentials.as_ref().unwrap().1.reveal(), "from-file");
    let api = json!({"name": "e", "url": "rtsp://h/a", "password_file": path});
    assert_eq!(house.control.cameras.create(&admin(), object(&api)).await.unwrap_err().code(), "invalid_field");
}
