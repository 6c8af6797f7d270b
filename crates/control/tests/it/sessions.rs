//! Capture sessions and what they record.

use std::time::Duration;

use serde_json::json;
use vigie_base::{CameraId, StreamKey};
use vigie_control::recordings::FileQuery;
use vigie_control::sessions::SessionRequest;
use vigie_control::{Error, Identity, Kind};
use vigie_hub::Status;
use vigie_store::Role;

use crate::house::{House, T0, admin, links, person, until};

fn of(camera: i64) -> SessionRequest {
    SessionRequest { camera_id: Some(camera), ..Default::default() }
}

fn club(club_id: i64) -> FileQuery {
    FileQuery { club_id: Some(club_id), kind: None }
}

async fn root(house: &House) -> Identity {
    let auth = &house.control.auth;
    let caller = crate::house::from("127.0.0.1");
    let signed = auth.setup(caller, "root", &crate::house::secret("korrekt-horse-7"), None).await.unwrap();
    auth.authenticate(signed.token.reveal()).unwrap()
}

#[tokio::test]
async fn a_session_is_verified_by_a_frame_and_claims_its_camera() {
    let house = House::new().await;
    let who = root(&house).await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let _sending = house.sends(camera);
    let sessions = &house.control.sessions;
    let s = sessions.create(&who, of(camera), &links()).await.unwrap();
    assert_eq!(s.session_id, format!("sess_0_{camera}_{}", T0.seconds()));
    assert!(s.verified && s.state == "SESSION_CREATED" && s.user_id == Some(who.user_id.0));
    assert_eq!(s.local_url, format!("http://127.0.0.1:5000/proxy/{}/stream.mjpg", s.session_id));
    assert_eq!(s.rtsp_url, Some(format!("rtsp://192.0.2.9:8554/session/{}", s.session_id)));
    let stream = house.hub.get(StreamKey::main(CameraId(camera))).unwrap();
    assert_eq!(stream.state().holds, 1);
    house.event("session_created").await;

    let again = sessions.create(&who, of(camera), &links()).await.unwrap_err();
    assert_eq!(
        (again.code(), again.details().unwrap()["session_id"].as_str()),
        ("session_exists", Some(&*s.session_id))
    );
    let reuse = SessionRequest { reuse: true, ..of(camera) };
    assert_eq!(sessions.create(&who, reuse.clone(), &links()).await.unwrap().session_id, s.session_id);
    assert!(sessions.create(&admin(), reuse, &links()).await.is_err(), "only its owner gets it back");
    let short = format!("sess_{camera}_{}", T0.seconds());
    assert_eq!(sessions.get(&who, &short, &links()).await.unwrap().session_id, s.session_id);
    assert_eq!(sessions.list(&who, &links()).await.unwrap().len(), 1);

    sessions.close(&who, &s.session_id).await.unwrap();
    assert_eq!(sessions.close(&who, &s.session_id).await.unwrap_err().code(), "session_not_found");
    assert_eq!(stream.state().holds, 0);
    assert!(sessions.list(&who, &links()).await.unwrap().is_empty());
    // In the same second again: the next free one is taken.
    let next = sessions.create(&who, of(camera), &links()).await.unwrap();
    assert_eq!(next.session_id, format!("sess_0_{camera}_{}", T0.seconds() + 1));
}

#[tokio::test]
async fn without_a_frame_there_is_no_session_but_a_reason() {
    let house = House::new().await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    house.refuses(camera);
    let e = house.control.sessions.create(&admin(), of(camera), &links()).await.unwrap_err();
    assert_eq!((e.code(), e.kind()), ("camera_unreachable", Kind::Upstream));
    assert_eq!(e.details().unwrap(), json!({"reason": "auth"}));
    assert!(house.control.sessions.list(&admin(), &links()).await.unwrap().is_empty());
    assert_eq!(house.hub.get(StreamKey::main(CameraId(camera))).unwrap().state().holds, 0);
    house.event("camera_offline").await;
    let c = house.control.cameras.get(&admin(), "a").await.unwrap();
    assert_eq!((c.connection_health.as_str(), c.failed_connection_attempts), ("offline", 1));
    assert_eq!(c.streams[0].error_code, Some("auth"));

    for (request, code) in [
        (SessionRequest::default(), "missing_field"),
        (SessionRequest { terrain_id: Some(1), ..Default::default() }, "terrain_not_found"),
        (of(999), "camera_not_found"),
    ] {
        assert_eq!(house.control.sessions.create(&admin(), request, &links()).await.unwrap_err().code(), code);
    }
    for who in [person(3, Role::ClubAdmin, Some(1)), person(4, Role::Player, Some(1))] {
        let e = house.control.sessions.create(&who, of(camera), &links()).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Forbidden, "sessions without a court are for super administrators");
    }
}

#[tokio::test]
async fn a_recording_from_click_to_download() {
    let house = House::new().await;
    let who = root(&house).await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let _sending = house.sends(camera);
    let (sessions, recordings) = (&house.control.sessions, &house.control.recordings);
    let id = sessions.create(&who, of(camera), &links()).await.unwrap().session_id;

    assert!(matches!(recordings.stop(&who, &id).await, Err(Error::NotRecording)));
    for wrong in [0.0, 0.5, 721.0, f64::NAN, -3.0] {
        assert_eq!(recordings.start(&who, &id, Some(wrong), None).await.unwrap_err().code(), "duration_out_of_range");
    }
    assert_eq!(recordings.start(&who, "sess_0_9_9", None, None).await.unwrap_err().code(), "session_not_found");
    let started = recordings.start(&who, &id, None, None).await.unwrap();
    assert_eq!((started.duration_seconds, started.mode.as_str()), (5400, "copy"));
    assert!(started.video_path.ends_with(&format!("videos/0/{id}.mp4")), "{}", started.video_path);
    assert_eq!(recordings.start(&who, &id, None, None).await.unwrap_err().code(), "already_recording");
    assert_eq!(sessions.close(&who, &id).await.unwrap_err().code(), "recording_active");
    assert_eq!(house.control.cameras.delete(&admin(), "a", false).await.unwrap_err().code(), "recording_active");
    assert!(recordings.files(&who, &club(0)).await.unwrap().videos.is_empty(), "unfinished files are not listed");
    assert_eq!(recordings.download(&who, &id, Some(0), None).await.unwrap_err().code(), "recording_active");

    until(async || recordings.status(&who, &id).await.unwrap().frames >= 5).await;
    let status = recordings.status(&who, &id).await.unwrap();
    assert!(status.active && status.source_connected && status.state == "RECORDING" && status.video_path.is_none());
    let stopped = recordings.stop(&who, &id).await.unwrap();
    assert!(stopped.size_bytes > 0 && stopped.duration_seconds > 0.0, "{stopped:?}");
    assert_eq!(recordings.stop(&who, &id).await.unwrap(), stopped, "a second stop answers the same");
    let status = recordings.status(&who, &id).await.unwrap();
    assert!(!status.active && status.state == "COMPLETE" && status.video_path == Some(stopped.video_path.clone()));
    house.event("recording_finished").await;
    assert_eq!(house.events().await.iter().filter(|k| *k == "recording_finished").count(), 1);

    let files = recordings.files(&who, &club(0)).await.unwrap();
    assert_eq!((files.count, files.videos[0].session_id.as_str()), (1, id.as_str()));
    let download = recordings.download(&who, &id, Some(0), None).await.unwrap();
    assert_eq!(download.filename, format!("{id}.mp4"));
    assert_eq!(std::fs::metadata(&download.path).unwrap().len(), download.size_bytes);
    assert_eq!(recordings.download(&who, &id, Some(7), None).await.unwrap_err().code(), "video_not_found");

    // A second take of the session is a second file; either can be had.
    let second = recordings.start(&who, &id, Some(1.0), None).await.unwrap();
    until(async || recordings.status(&who, &id).await.unwrap().frames >= 2).await;
    recordings.stop(&who, &id).await.unwrap();
    assert_ne!(second.recording_id, started.recording_id);
    let newest = recordings.download(&who, &id, None, None).await.unwrap();
    assert_eq!((newest.recording_id, newest.filename), (second.recording_id, format!("{id}_2.mp4")));
    let first = recordings.download(&who, &id, None, Some(started.recording_id)).await.unwrap();
    assert_eq!(first.filename, format!("{id}.mp4"));

    recordings.lock(&who, &id, None, true).await.unwrap();
    let e = recordings.delete(&who, &id, Some(0), None).await.unwrap_err();
    assert_eq!((e.code(), e.kind()), ("locked", Kind::Locked));
    recordings.lock(&who, &id, None, false).await.unwrap();
    let stranger = person(9, Role::ClubAdmin, Some(1));
    assert_eq!(recordings.delete(&stranger, &id, None, None).await.unwrap_err().kind(), Kind::Forbidden);
    recordings.delete(&who, &id, Some(0), None).await.unwrap();
    assert!(!newest.path.exists() && first.path.exists());
    assert_eq!(recordings.files(&who, &club(0)).await.unwrap().count, 1);
    assert_eq!(recordings.video_health().await.unwrap().videos.count, 1);
}

#[tokio::test]
async fn a_session_closes_with_its_recording_where_that_is_wanted() {
    let house = House::with(tempfile::tempdir().unwrap(), |c| c.close_on_stop = true).await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let _sending = house.sends(camera);
    let session = house.control.sessions.create(&admin(), of(camera), &links()).await.unwrap();
    let recordings = &house.control.recordings;
    recordings.start(&admin(), &session.session_id, None, None).await.unwrap();
    until(async || recordings.status(&admin(), &session.session_id).await.unwrap().frames >= 2).await;
    let stopped = recordings.stop(&admin(), &session.session_id).await.unwrap();
    assert!(house.control.sessions.list(&admin(), &links()).await.unwrap().is_empty());
    assert_eq!(recordings.start(&admin(), &session.session_id, None, None).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(recordings.stop(&admin(), &session.session_id).await.unwrap(), stopped);
}

#[tokio::test]
async fn the_limit_of_recordings_is_kept() {
    let house = House::new().await;
    let mut guards = Vec::new();
    let mut ids = Vec::new();
    for n in 0..3 {
        let camera = house.camera(json!({"name": format!("cam {n}"), "url": "rtsp://h/x"})).await.id;
        guards.push(house.sends(camera));
        ids.push(house.control.sessions.create(&admin(), of(camera), &links()).await.unwrap().session_id);
    }
    for id in &ids[..2] {
        house.control.recordings.start(&admin(), id, None, None).await.unwrap();
    }
    let e = house.control.recordings.start(&admin(), &ids[2], None, None).await.unwrap_err();
    assert_eq!((e.code(), e.kind()), ("max_concurrent_recordings", Kind::TooMany));
    // With force, a camera that is recorded goes; its file is finished and stays.
    house.control.cameras.delete(&admin(), "cam-0", true).await.unwrap();
    let files = house.control.recordings.files(&admin(), &club(0)).await.unwrap();
    assert_eq!((files.count, files.videos[0].camera_id, files.videos[0].camera_name.as_str()), (1, None, "cam 0"));
    house.control.recordings.start(&admin(), &ids[2], None, None).await.unwrap();
    let dir = house.end().await;
    // The end of the process finished the others, and their sessions are over.
    let house = House::with(dir, |_| {}).await;
    assert_eq!(house.control.recordings.files(&admin(), &club(0)).await.unwrap().count, 3);
    let s = house.control.sessions.get(&admin(), &ids[2], &links()).await.unwrap();
    assert_eq!((s.state, s.verified), ("CLOSED", false));
    assert!(!house.control.recordings.status(&admin(), &ids[2]).await.unwrap().active);
}

#[tokio::test]
async fn an_idle_session_is_closed_after_two_hours() {
    let house = House::new().await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let _sending = house.sends(camera);
    let id = house.control.sessions.create(&admin(), of(camera), &links()).await.unwrap().session_id;
    let cleaned = async || house.control.recordings.clean_up(&admin()).await.unwrap().0.sessions;
    house.clock.advance(Duration::from_secs(7199));
    assert_eq!(cleaned().await, 0);
    house.control.gate().touch_session(&id);
    house.clock.advance(Duration::from_secs(7199));
    assert_eq!(cleaned().await, 0, "a look at it counts");
    let stream = house.hub.get(StreamKey::main(CameraId(camera))).unwrap();
    let viewer = stream.subscribe(vigie_hub::SubscribeOptions::view());
    house.clock.advance(Duration::from_secs(7201));
    assert_eq!(cleaned().await, 0, "so does a viewer");
    drop(viewer);
    house.clock.advance(Duration::from_secs(7200));
    assert_eq!(cleaned().await, 1);
    assert!(house.control.sessions.list(&admin(), &links()).await.unwrap().is_empty());
    let player = person(2, Role::Player, Some(1));
    assert!(house.control.recordings.clean_up(&player).await.is_err());
}

#[tokio::test]
async fn a_session_left_by_a_crash_is_over_at_the_next_start() {
    let house = House::new().await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/x"})).await.id;
    let _sending = house.sends(camera);
    let id = house.control.sessions.create(&admin(), of(camera), &links()).await.unwrap().session_id;
    // The crash: no shutdown, only the lock is let go.
    until(async || house.store.remembered_streams().await.unwrap().len() == 1).await;
    let House { control, store, dir, .. } = house;
    let copy = tempfile::tempdir().unwrap();
    store.close().await;
    for name in ["vigie.db", "secret.key"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    drop(control);
    let house = House::with(copy, |_| {}).await;
    assert_eq!(house.control.sessions.get(&admin(), &id, &links()).await.unwrap().state, "CLOSED");
    let stream = house.hub.get(StreamKey::main(CameraId(camera))).unwrap();
    assert!(stream.description().is_some(), "the tracks are known before the camera answers");
    assert_eq!(stream.state().status, Status::Idle);
}
