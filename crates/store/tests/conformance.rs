//! What every backend must do. The suite knows only [`Repository`]; a new backend adds one line at the bottom.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should stop there")]

#[path = "conformance/clubs.rs"]
mod clubs;

use serde_json::json;
use vigie_base::{CameraId, RecordingId, SessionId, StreamName, UnixMillis, UserId};
use vigie_store::*;

const T0: UnixMillis = UnixMillis(1_700_000_000_000);

fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.to_owned(),
        password_hash: "$argon2id$x".to_owned(),
        role: Role::SuperAdmin,
        club_id: None,
        enabled: true,
        at: T0,
    }
}

fn fields(slug: &str, name: &str) -> CameraFields {
    CameraFields {
        slug: slug.to_owned(),
        name: name.to_owned(),
        connection_type: "rtsp".to_owned(),
        primary_stream_url: Some("rtsp://192.0.2.1/a".to_owned()),
        secondary_stream_url: None,
        snapshot_url: None,
        username: Some("admin".to_owned()),
        connection_config: json!({"timeout_ms": 5000}),
        cloud_config: json!({}),
        manufacturer: None,
        model: Some("M1".to_owned()),
        firmware_version: None,
        serial_number: None,
        club_id: None,
        terrain_id: None,
        enabled: true,
        always_on: false,
        tags: vec!["door".to_owned(), "nord-süd".to_owned()],
        declared_fields: vec![],
    }
}

async fn camera(r: &dyn Repository, slug: &str) -> Camera {
    r.insert_camera(fields(slug, slug), &|_| None, T0).await.unwrap()
}

fn session(id: &str, camera: CameraId, user: Option<UserId>) -> CaptureSession {
    CaptureSession {
        id: SessionId(id.to_owned()),
        camera_id: Some(camera),
        club_id: 0,
        terrain_id: None,
        user_id: user,
        state: SessionState::Created,
        created_at: T0,
        last_activity_at: T0,
        closed_at: None,
        error: None,
    }
}

fn new_recording(session: &str, camera: CameraId, path: &str) -> NewRecording {
    NewRecording {
        kind: RecordingKind::Session,
        session_id: Some(SessionId(session.to_owned())),
        camera_id: camera,
        camera_name: "Door".to_owned(),
        club_id: 0,
        terrain_id: None,
        user_id: None,
        path: path.to_owned(),
        started_at: T0,
        planned_ms: 60_000,
        mode: "copy".to_owned(),
        clip_of: None,
    }
}

async fn users(r: &dyn Repository) {
    let first = r.insert_first_user(new_user("Admin")).await.unwrap().unwrap();
    assert!(r.insert_first_user(new_user("late")).await.unwrap().is_none(), "the first user is first only once");
    assert!(matches!(r.insert_user(new_user("aDMIN")).await, Err(StoreError::Conflict("username"))));
    let second = r.insert_user(new_user("zoé")).await.unwrap();
    assert!(second.id > first.id);

    let mut changed = second.clone();
    changed.role = Role::Player;
    changed.club_id = Some(4);
    changed.enabled = false;
    changed.token_version = 7;
    changed.stream_password = Some(vec![0, 255, 1]);
    r.update_user(&changed).await.unwrap();
    assert_eq!(r.users().await.unwrap(), [first.clone(), changed.clone()]);
    changed.username = "ADMIN".to_owned();
    assert!(matches!(r.update_user(&changed).await, Err(StoreError::Conflict("username"))));

    let sign_in = SignIn {
        id: "abc".to_owned(),
        user_id: second.id,
        hash: [7; 32],
        created_at: T0,
        expires_at: UnixMillis(T0.0 + 10),
    };
    r.insert_sign_in(&sign_in).await.unwrap();
    assert_eq!(r.sign_in_by_hash(&[7; 32]).await.unwrap(), Some(sign_in.clone()));
    assert_eq!(r.sign_in_by_hash(&[8; 32]).await.unwrap(), None);
    r.extend_sign_in("abc", UnixMillis(T0.0 + 100)).await.unwrap();
    assert_eq!(r.users().await.unwrap()[1].last_login_at, Some(T0));
    // One that was ended stays known until its access tokens are over, and opens nothing.
    r.end_sign_in("abc", UnixMillis(T0.0 + 50), UnixMillis(T0.0 + 90)).await.unwrap();
    assert_eq!(r.sign_in_by_hash(&[7; 32]).await.unwrap(), None);
    assert!(matches!(r.extend_sign_in("abc", UnixMillis(T0.0 + 500)).await, Err(StoreError::NotFound("sign-in"))));
    r.end_sign_in("abc", UnixMillis(T0.0 + 60), UnixMillis(T0.0 + 900)).await.unwrap();
    assert_eq!(r.ended_sign_ins().await.unwrap(), [("abc".to_owned(), UnixMillis(T0.0 + 90))], "ended once");
    // The next sign-in sweeps those that expired.
    let later = SignIn { id: "def".into(), hash: [9; 32], created_at: UnixMillis(T0.0 + 100), ..sign_in.clone() };
    r.insert_sign_in(&SignIn { expires_at: UnixMillis(T0.0 + 500), ..later }).await.unwrap();
    assert!(r.ended_sign_ins().await.unwrap().is_empty());

    let token = ApiToken {
        id: 0,
        user_id: second.id,
        name: "nvr".to_owned(),
        hash: [3; 32],
        role: Role::Player,
        club_id: Some(4),
        terrain_id: None,
        read_only: true,
        created_at: T0,
        expires_at: None,
        last_used_at: None,
    };
    let token = r.insert_api_token(token).await.unwrap();
    assert_eq!(r.api_tokens().await.unwrap(), std::slice::from_ref(&token));
    r.api_token_used(token.id, UnixMillis(T0.0 + 5)).await.unwrap();
    assert_eq!(r.api_tokens().await.unwrap()[0].last_used_at, Some(UnixMillis(T0.0 + 5)));
    assert!(matches!(r.api_token_used(token.id + 1, T0).await, Err(StoreError::NotFound("token"))));
    r.delete_user(second.id).await.unwrap();
    assert!(r.api_tokens().await.unwrap().is_empty(), "tokens go with their maker");
    assert_eq!(r.sign_in_by_hash(&[9; 32]).await.unwrap(), None, "sign-ins go with their user");
    assert!(matches!(r.delete_user(second.id).await, Err(StoreError::NotFound("user"))));
    let third = r.insert_user(NewUser { enabled: false, ..new_user("third") }).await.unwrap();
    assert!(!third.enabled);
    assert!(third.id > second.id, "a number is never given out twice");
    r.delete_user(third.id).await.unwrap();
    r.delete_user(first.id).await.unwrap();
}

async fn cameras(r: &dyn Repository) {
    let a =
        r.insert_camera(fields("front", "Front"), &|id| Some(format!("sealed-{id}").into_bytes()), T0).await.unwrap();
    assert_eq!(a.secrets, Some(format!("sealed-{}", a.id).into_bytes()), "sealing knows the number");
    assert_eq!(r.camera(a.id).await.unwrap(), Some(a.clone()));
    assert_eq!(r.camera_by_slug("front").await.unwrap(), Some(a.clone()));
    assert_eq!(a.fields, fields("front", "Front"));

    let taken = r.insert_camera(fields("front", "Other"), &|_| None, T0).await;
    assert!(matches!(taken, Err(StoreError::Conflict("slug"))));
    let taken = r.insert_camera(fields("other", "fRONT"), &|_| None, T0).await;
    assert!(matches!(taken, Err(StoreError::Conflict("name"))));
    let elsewhere = CameraFields { club_id: Some(2), ..fields("club2", "Front") };
    let b = r.insert_camera(elsewhere, &|_| None, T0).await.unwrap();

    let health = CameraHealth {
        level: "good".to_owned(),
        checked_at: Some(T0),
        last_seen_at: Some(T0),
        failures: 3,
        next_attempt_at: Some(UnixMillis(T0.0 + 40_000)),
        suspended: true,
        last_error: Some("refused".to_owned()),
        uptime_percentage: Some(99.5),
    };
    r.set_camera_health(a.id, &health).await.unwrap();
    let later = UnixMillis(T0.0 + 5);
    let renamed = r.update_camera(a.id, fields("front-2", "Front 2"), None, later).await.unwrap();
    assert_eq!(renamed.health, health, "what people say leaves alone what was observed");
    assert_eq!((renamed.created_at, renamed.updated_at, renamed.secrets), (T0, later, None));
    assert!(r.camera_by_slug("front").await.unwrap().is_none());
    let clash = CameraFields { club_id: Some(2), ..fields("front-2", "Front") };
    assert!(matches!(r.update_camera(a.id, clash, None, later).await, Err(StoreError::Conflict("name"))));

    let seen = RememberedStream {
        camera_id: a.id,
        stream: StreamName::Main,
        description: json!({"tracks": [1, 2]}),
        seen_at: T0,
    };
    r.remember_stream(&seen).await.unwrap();
    let seen = RememberedStream { description: json!({"tracks": []}), ..seen };
    r.remember_stream(&seen).await.unwrap();
    assert_eq!(r.remembered_streams().await.unwrap(), std::slice::from_ref(&seen));

    r.delete_camera(a.id).await.unwrap();
    assert!(r.remembered_streams().await.unwrap().is_empty());
    // A watcher that is a moment late must not bring anything back.
    r.remember_stream(&seen).await.unwrap();
    r.set_camera_health(a.id, &health).await.unwrap();
    assert!(r.remembered_streams().await.unwrap().is_empty());
    assert!(matches!(r.delete_camera(a.id).await, Err(StoreError::NotFound("camera"))));
    assert_eq!(r.cameras().await.unwrap(), std::slice::from_ref(&b));
    r.delete_camera(b.id).await.unwrap();
}

async fn sessions(r: &dyn Repository) {
    let cam = camera(r, "s-cam").await;
    let user = r.insert_user(new_user("s-user")).await.unwrap();
    let mut s = session("sess_0_1_1700000000", cam.id, Some(user.id));
    r.insert_session(&s).await.unwrap();
    assert!(matches!(r.insert_session(&s).await, Err(StoreError::Conflict("session id"))));
    s.state = SessionState::Recording;
    s.last_activity_at = UnixMillis(T0.0 + 9);
    r.update_session(&s).await.unwrap();
    assert_eq!(r.session(&s.id).await.unwrap(), Some(s.clone()));
    assert_eq!(r.open_sessions().await.unwrap(), std::slice::from_ref(&s));
    assert_eq!(r.sessions_ending_with("_1_1700000000").await.unwrap(), std::slice::from_ref(&s));
    assert!(r.sessions_ending_with("_2_1700000000").await.unwrap().is_empty());

    r.delete_camera(cam.id).await.unwrap();
    r.delete_user(user.id).await.unwrap();
    s.camera_id = None;
    s.user_id = None;
    assert_eq!(r.session(&s.id).await.unwrap(), Some(s.clone()), "a session outlives camera and user");
    s.state = SessionState::Closed;
    assert!(r.update_session(&s).await.is_err(), "closed means closed at a time");
    s.closed_at = Some(T0);
    r.update_session(&s).await.unwrap();
    assert!(r.open_sessions().await.unwrap().is_empty());
    let unknown = session("sess_9", CameraId(1), None);
    assert!(matches!(r.update_session(&unknown).await, Err(StoreError::NotFound("session"))));
}

async fn recordings(r: &dyn Repository) {
    let cam = camera(r, "r-cam").await;
    r.insert_session(&session("sess_r", cam.id, None)).await.unwrap();
    let a = r.insert_recording(new_recording("sess_r", cam.id, "videos/0/sess_r.mp4")).await.unwrap();
    assert_eq!((a.state, a.size_bytes, a.locked), (RecordingState::Open, 0, false));
    let twice = r.insert_recording(new_recording("sess_r", cam.id, "videos/0/sess_r.mp4")).await;
    assert!(matches!(twice, Err(StoreError::Conflict("path"))));
    for outside in ["/etc/passwd", "videos/../x.mp4"] {
        assert!(r.insert_recording(new_recording("sess_r", cam.id, outside)).await.is_err());
    }

    let progress = RecordingProgress { duration_ms: 2000, size_bytes: 5000, frames: 50 };
    r.set_recording_progress(a.id, progress).await.unwrap();
    let gap = RecordedGap {
        recording_id: a.id,
        from: UnixMillis(T0.0 + 500),
        to: None,
        offset_ms: 500,
        cause: "source_lost".to_owned(),
    };
    r.insert_gap(&gap).await.unwrap();
    let earlier = RecordedGap { from: UnixMillis(T0.0 + 100), to: Some(UnixMillis(T0.0 + 200)), ..gap.clone() };
    r.insert_gap(&earlier).await.unwrap();
    assert_eq!(r.gaps(a.id).await.unwrap(), [earlier.clone(), gap.clone()]);

    assert!(r.mark_recording_deleting(a.id).await.is_err(), "an open recording is not deleted");
    let end = RecordingEnd {
        progress,
        ended_at: UnixMillis(T0.0 + 2000),
        interrupted: true,
        codec: Some("h264".to_owned()),
        audio_codec: None,
        width: Some(1280),
        height: Some(720),
    };
    r.seal_recording(a.id, &end).await.unwrap();
    assert!(matches!(r.seal_recording(a.id, &end).await, Err(StoreError::NotFound(_))), "sealed once");
    assert!(matches!(r.set_recording_progress(a.id, progress).await, Err(StoreError::NotFound(_))));
    assert_eq!(r.gaps(a.id).await.unwrap()[1].to, Some(end.ended_at), "a gap ends with its recording");
    let sealed = r.recording(a.id).await.unwrap().unwrap();
    assert_eq!((sealed.state, sealed.interrupted, sealed.width), (RecordingState::Sealed, true, Some(1280)));
    r.set_recording_checksum(a.id, "00ff").await.unwrap();

    let later = NewRecording { started_at: UnixMillis(T0.0 + 9), club_id: 3, ..new_recording("sess_r", cam.id, "b") };
    let b = r.insert_recording(later).await.unwrap();
    let newest_first: Vec<RecordingId> =
        r.recordings(&RecordingFilter::default()).await.unwrap().iter().map(|r| r.id).collect();
    assert_eq!(newest_first, [b.id, a.id]);
    let some = RecordingFilter { club_id: Some(3), ..Default::default() };
    assert_eq!(r.recordings(&some).await.unwrap().len(), 1);
    let some = RecordingFilter { state: Some(RecordingState::Open), limit: Some(5), ..Default::default() };
    assert_eq!(r.recordings(&some).await.unwrap()[0].id, b.id);
    let none = RecordingFilter { user_id: Some(UserId(77)), ..Default::default() };
    assert!(r.recordings(&none).await.unwrap().is_empty());
    assert_eq!(r.recordings_total().await.unwrap(), (1, 5000));

    r.fail_recording(b.id, T0, "no picture came").await.unwrap();
    assert!(matches!(r.fail_recording(a.id, T0, "no").await, Err(StoreError::NotFound(_))));
    r.lock_recording(a.id, true).await.unwrap();
    assert!(matches!(r.mark_recording_deleting(a.id).await, Err(StoreError::Conflict("lock"))));
    r.lock_recording(a.id, false).await.unwrap();
    assert!(r.delete_recording(a.id).await.is_err(), "marked first, dropped second");
    r.mark_recording_deleting(a.id).await.unwrap();
    r.mark_recording_deleting(a.id).await.unwrap();
    r.delete_recording(a.id).await.unwrap();
    assert!(r.gaps(a.id).await.unwrap().is_empty());
    r.delete_camera(cam.id).await.unwrap();
    let b = r.recording(b.id).await.unwrap().unwrap();
    assert_eq!((b.kind, b.clip_of), (RecordingKind::Session, None));
    assert_eq!((b.camera_id, b.camera_name.as_str()), (None, "Door"), "a recording outlives its camera");
}

async fn journal(r: &dyn Repository) {
    let event = |kind: &str, camera| NewEvent {
        at: T0,
        kind: kind.to_owned(),
        camera_id: Some(CameraId(camera)),
        session_id: None,
        recording_id: None,
        message: "It's \"here\"; ça va?".to_owned(),
        data: json!({"n": 1}),
    };
    let first = r.insert_event(&event("camera_online", 501)).await.unwrap();
    let second = r.insert_event(&event("camera_offline", 502)).await.unwrap();
    assert!(second.id > first.id);
    let filter = EventFilter { limit: 10, ..Default::default() };
    assert_eq!(r.events(&filter).await.unwrap(), [second.clone(), first.clone()]);
    let before = EventFilter { before: Some(second.id), ..filter.clone() };
    assert_eq!(r.events(&before).await.unwrap(), std::slice::from_ref(&first));
    let of = EventFilter { camera_id: Some(CameraId(502)), ..filter };
    assert_eq!(r.events(&of).await.unwrap(), [second]);

    let entry = AuditEntry {
        at: T0,
        user_id: Some(UserId(1)),
        actor: "admin".to_owned(),
        action: "camera.delete".to_owned(),
        target: "camera/3".to_owned(),
        address: Some("192.0.2.7".to_owned()),
        details: json!(null),
    };
    r.insert_audit(&entry).await.unwrap();
    let refused = AuditEntry { action: "login.refused".to_owned(), actor: "anonymous".to_owned(), ..entry.clone() };
    r.insert_audit(&refused).await.unwrap();
    let all = AuditFilter { limit: 10, ..Default::default() };
    let found = r.audit(&all).await.unwrap();
    assert_eq!(found.iter().map(|a| &a.entry).collect::<Vec<_>>(), [&refused, &entry], "newest first");
    assert!(found[0].id > found[1].id);
    let older = AuditFilter { before: Some(found[0].id), ..all.clone() };
    assert_eq!(r.audit(&older).await.unwrap(), &found[1..]);
    for (actor, action, wanted) in [
        (Some("ADMIN"), None, &found[1..]),
        (None, Some("camera.delete"), &found[1..]),
        (None, Some("camera."), &found[1..]),
        (None, Some("camera"), &[]),
        (None, Some("'; DROP TABLE audit; --."), &[]),
        (Some("anonymous"), Some("login.refused"), &found[..1]),
    ] {
        let some = AuditFilter { actor: actor.map(str::to_owned), action: action.map(str::to_owned), ..all.clone() };
        assert_eq!(r.audit(&some).await.unwrap(), wanted, "{actor:?} {action:?}");
    }

    assert_eq!(r.setting("x").await.unwrap(), None);
    r.set_setting("x", Some(&json!([1, "two"]))).await.unwrap();
    r.set_setting("x", Some(&json!(3))).await.unwrap();
    assert_eq!(r.setting("x").await.unwrap(), Some(json!(3)));
    r.set_setting("x", None).await.unwrap();
    assert_eq!(r.setting("x").await.unwrap(), None);
}

/// Twenty writers at once: every one succeeds, none waits for a lock that is not released.
async fn crowd(store: &Store) {
    let cam = camera(&**store, "crowd").await;
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..20u32 {
        let store = store.clone();
        tasks.spawn(async move {
            let health = CameraHealth { failures: i, ..Default::default() };
            store.set_camera_health(cam.id, &health).await.unwrap();
            store.camera(cam.id).await.unwrap().unwrap().health.failures
        });
    }
    while let Some(seen) = tasks.join_next().await {
        assert!(seen.unwrap() < 20);
    }
    store.delete_camera(cam.id).await.unwrap();
}

async fn everything(store: Store) {
    store.ping().await.unwrap();
    users(&*store).await;
    cameras(&*store).await;
    sessions(&*store).await;
    recordings(&*store).await;
    journal(&*store).await;
    clubs::clubs(&*store).await;
    clubs::courts(&*store).await;
    clubs::markers(&*store).await;
    crowd(&store).await;
    store.close().await;
}

#[tokio::test]
async fn sqlite_conforms() {
    let dir = tempfile::tempdir().unwrap();
    everything(Store::open(dir.path()).await.unwrap()).await;
}
