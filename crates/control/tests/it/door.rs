//! Who gets in at the outputs, and what paths mean.

use std::time::{Duration, Instant};

use serde_json::json;
use vigie_base::{CameraId, StreamKey, StreamName};
use vigie_control::Kind;
use vigie_control::config::RtspAuthMethod;
use vigie_control::events::Notice;
use vigie_control::sessions::SessionRequest;
use vigie_hub::{Failure, Principal, Reason, Status, Verb};

use crate::house::{House, admin, config, links, secret};

#[tokio::test]
async fn paths_lead_to_streams() {
    let house = House::new().await;
    let a = house.camera(json!({"name": "Front", "url": "rtsp://h/x", "sub_url": "rtsp://h/y"})).await.id;
    let b = house.camera(json!({"name": "Yard", "url": "rtsp://h/z"})).await.id;
    let _sending = house.sends(a);
    let request = SessionRequest { camera_id: Some(a), ..Default::default() };
    let session = house.control.sessions.create(&admin(), request, &links()).await.unwrap().session_id;
    let gate = house.control.gate();
    let main = |id| Some(StreamKey::main(CameraId(id)));
    let sub = |id| Some(StreamKey { camera: CameraId(id), stream: StreamName::Sub });
    for (path, key) in [
        (format!("cam/{a}"), main(a)),
        (format!("cam/{a}/main"), main(a)),
        (format!("cam/{a}/sub"), sub(a)),
        ("cam/front/main".to_owned(), main(a)),
        ("front".to_owned(), main(a)),
        ("front/sub".to_owned(), sub(a)),
        ("yard".to_owned(), main(b)),
        (format!("session/{session}"), main(a)),
        ("yard/sub".to_owned(), None),
        ("cam/front/third".to_owned(), None),
        (format!("{a}"), None),
        ("cam/999".to_owned(), None),
        (String::new(), None),
        ("cam".to_owned(), None),
        ("session/sess_0_9_9".to_owned(), None),
        ("front/main/extra".to_owned(), None),
    ] {
        assert_eq!(gate.resolve(&path).await, key, "{path}");
    }
    house.control.sessions.close(&admin(), &session).await.unwrap();
    assert_eq!(gate.resolve(&format!("session/{session}")).await, None, "a closed session streams nothing");
}

#[tokio::test]
async fn tickets_open_their_stream_and_nothing_else() {
    let house = House::new().await;
    let auth = &house.control.auth;
    let signed = auth.setup(crate::house::from("::1"), "root", &secret("korrekt-horse-7"), None).await.unwrap();
    let who = auth.authenticate(signed.token.reveal()).unwrap();
    let a = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let b = house.camera(json!({"name": "B", "url": "rtsp://h/x"})).await.id;
    let gate = house.control.gate();
    let ticket = house.control.cameras.ticket(&who, "a").await.unwrap();
    assert_eq!(ticket.expires_in, 600);
    let holder = Principal::Ticket(ticket.ticket.reveal().to_owned());
    let key = |id| StreamKey::main(CameraId(id));
    assert!(gate.allow(&holder, key(a), Verb::View).await);
    assert!(!gate.allow(&holder, key(b), Verb::View).await && !gate.allow(&holder, key(a), Verb::Publish).await);
    assert!(gate.allow(&who.principal(), key(b), Verb::Snapshot).await);
    assert!(!gate.allow(&who.principal(), key(99), Verb::View).await);
    auth.logout(&who).await.unwrap();
    assert!(!gate.allow(&holder, key(a), Verb::View).await, "it ends with the sign-in it was made with");
    assert!(!gate.allow(&Principal::Ticket("vgk_guess".to_owned()), key(a), Verb::View).await);
    assert!(!gate.allow(&Principal::User { id: 77, name: "root".to_owned() }, key(a), Verb::View).await);
}

#[tokio::test]
async fn rtsp_is_closed_unless_it_is_opened() {
    let key = StreamKey::main(CameraId(1));
    let body = json!({"name": "A", "url": "rtsp://h/x"});
    let house = House::new().await;
    house.camera(body.clone()).await;
    let gate = house.control.gate();
    let access = gate.rtsp_access();
    assert!(access.trust_loopback && !access.open && access.basic && access.digest);
    assert!(gate.allow(&Principal::Loopback, key, Verb::View).await);
    assert!(!gate.allow(&Principal::Anonymous, key, Verb::View).await);

    let house = House::with(tempfile::tempdir().unwrap(), |c| {
        c.rtsp.user = Some("nvr".to_owned());
        c.rtsp.password = Some(secret("s3cret"));
        c.rtsp.auth_method = RtspAuthMethod::Digest;
        c.rtsp.open = true;
    })
    .await;
    house.camera(body.clone()).await;
    let gate = house.control.gate();
    let access = gate.rtsp_access();
    assert!(!access.trust_loopback && !access.open && !access.basic && access.digest, "an account asks everybody");
    assert_eq!(gate.stream_secret("nvr").await, Some((Principal::RtspAccount, secret("s3cret"))));
    assert!(gate.stream_secret("other").await.is_none());
    assert!(gate.allow(&Principal::RtspAccount, key, Verb::View).await);
    assert!(!gate.allow(&Principal::Loopback, key, Verb::View).await);

    let house = House::with(tempfile::tempdir().unwrap(), |c| c.rtsp.open = true).await;
    house.camera(body).await;
    assert!(house.control.gate().allow(&Principal::OpenDoor, key, Verb::View).await);
    assert!(!house.control.gate().allow(&Principal::Anonymous, key, Verb::View).await, "HTTP stays closed");
    let _ = config(house.dir.path());
}

#[tokio::test]
async fn going_and_coming_is_told_once_each_and_outlives_a_restart() {
    let house = House::new().await;
    let id = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let mut notices = house.control.events.subscribe();
    let stream = house.hub.get(StreamKey::main(CameraId(id))).unwrap();
    stream.set_status(Status::Live);
    house.event("camera_online").await;
    assert_eq!(notices.recv().await.unwrap(), Notice::Event(1), "whoever listens hears of it");
    let failure = Failure { reason: Reason::Timeout, message: "no answer in 5 seconds".to_owned() };
    stream.set_failure(Some(failure));
    stream.set_status(Status::Silent);
    house.event("camera_offline").await;
    stream.set_status(Status::Waiting { attempt: 4, at: Instant::now() + Duration::from_secs(80) });
    crate::house::until(async || house.store.camera(CameraId(id)).await.unwrap().unwrap().health.failures == 4).await;
    stream.set_status(Status::Suspended);
    house.event("camera_suspended").await;
    stream.set_status(Status::Live);
    crate::house::until(async || house.events().await.len() == 4).await;
    assert_eq!(house.events().await, ["camera_online", "camera_offline", "camera_suspended", "camera_online"]);
    stream.set_status(Status::Waiting { attempt: 2, at: Instant::now() + Duration::from_secs(20) });
    crate::house::until(async || house.store.camera(CameraId(id)).await.unwrap().unwrap().health.failures == 2).await;
    drop(stream);
    let due = house.store.camera(CameraId(id)).await.unwrap().unwrap().health.next_attempt_at;
    let house = House::with(house.end().await, |_| {}).await;
    let resumed = house.host.applied.lock()[0].clone();
    assert_eq!(resumed.failures, 2, "the place in the back-off table is kept");
    assert!(due.is_some() && resumed.next_attempt == due, "{:?} instead of {due:?}", resumed.next_attempt);
    let c = house.control.cameras.get(&admin(), "a").await.unwrap();
    assert_eq!(
        (c.connection_health.as_str(), c.last_error_message.as_deref()),
        ("offline", Some("no answer in 5 seconds"))
    );
    let few = house.control.events.of_camera(&admin(), "a", None, 2).await.unwrap();
    assert_eq!(few.len(), 2);
    let nobody = house.control.events.of_camera(&admin(), "nowhere", None, 2).await.unwrap_err();
    assert_eq!(nobody.kind(), Kind::NotFound);
}
