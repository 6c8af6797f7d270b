//! Clubs, courts, markers.

use vigie_base::{CameraId, RecordingId, SessionId, UnixMillis, UserId};
use vigie_store::*;

use super::{T0, camera, fields, new_recording, new_user, session};

const LATER: UnixMillis = UnixMillis(T0.0 + 7);

fn new_club(name: &str) -> NewClub {
    NewClub { name: name.to_owned(), timezone: "Europe/Paris".to_owned(), at: T0 }
}

fn new_terrain(club_id: i64, name: &str, camera_id: Option<CameraId>) -> NewTerrain {
    NewTerrain { club_id, name: name.to_owned(), camera_id, enabled: true, at: T0 }
}

pub(crate) async fn clubs(r: &dyn Repository) {
    let a = r.insert_club(new_club("Zürich Ouest")).await.unwrap();
    assert_eq!((a.name.as_str(), a.timezone.as_str(), a.created_at), ("Zürich Ouest", "Europe/Paris", T0));
    assert!(matches!(r.insert_club(new_club("zürich ouest")).await, Err(StoreError::Conflict("name"))));
    let b = r.insert_club(new_club("'; DROP TABLE clubs; --")).await.unwrap();
    let clash = Club { name: "Zürich OUEST".to_owned(), ..b.clone() };
    assert!(matches!(r.update_club(&clash).await, Err(StoreError::Conflict("name"))));
    let b = Club { name: "B".to_owned(), timezone: "UTC".to_owned(), updated_at: LATER, ..b };
    r.update_club(&b).await.unwrap();
    assert_eq!(r.clubs().await.unwrap(), [a.clone(), b.clone()]);
    assert!(matches!(r.update_club(&Club { id: 999, ..b.clone() }).await, Err(StoreError::NotFound("club"))));

    // A club with courts stays; without them it goes, and what was its own is nobody's.
    let court = r.insert_terrain(new_terrain(b.id, "1", None)).await.unwrap();
    assert!(matches!(r.delete_club(b.id, LATER).await, Err(StoreError::Conflict("terrains"))));
    r.delete_terrain(court.id).await.unwrap();
    let user = r.insert_user(NewUser { role: Role::Player, club_id: Some(b.id), ..new_user("left") }).await.unwrap();
    let free = camera(r, "same").await;
    let own = CameraFields { club_id: Some(b.id), ..fields("own", "SAME") };
    let own = r.insert_camera(own, &|_| None, T0).await.unwrap();
    let sign_in =
        SignIn { id: "left".into(), user_id: user.id, hash: [1; 32], created_at: T0, expires_at: UnixMillis(i64::MAX) };
    r.insert_sign_in(&sign_in).await.unwrap();
    let token = ApiToken {
        id: 0,
        user_id: user.id,
        name: "limited".to_owned(),
        hash: [2; 32],
        role: Role::Player,
        club_id: Some(b.id),
        terrain_id: None,
        read_only: false,
        created_at: T0,
        expires_at: None,
        last_used_at: None,
    };
    r.insert_api_token(token).await.unwrap();
    r.delete_club(b.id, LATER).await.unwrap();
    assert_eq!(r.clubs().await.unwrap(), std::slice::from_ref(&a));
    let left = r.users().await.unwrap().into_iter().find(|u| u.id == user.id).unwrap();
    assert_eq!((left.club_id, left.token_version), (None, user.token_version + 1));
    let moved = r.camera(own.id).await.unwrap().unwrap();
    assert_eq!((moved.fields.club_id, moved.fields.name.as_str()), (None, "SAME (own)"));
    assert!(r.api_tokens().await.unwrap().is_empty(), "a token that lost its limit would open more");
    assert_eq!(r.sign_in_by_hash(&[1; 32]).await.unwrap(), None);
    assert!(matches!(r.delete_club(b.id, LATER).await, Err(StoreError::NotFound("club"))));
    let c = r.insert_club(new_club("B")).await.unwrap();
    assert!(c.id > b.id, "a number is never given out twice");

    r.delete_user(user.id).await.unwrap();
    for id in [free.id, own.id] {
        r.delete_camera(id).await.unwrap();
    }
    for id in [a.id, c.id] {
        r.delete_club(id, LATER).await.unwrap();
    }
}

pub(crate) async fn courts(r: &dyn Repository) {
    let club = r.insert_club(new_club("courts")).await.unwrap();
    let other = r.insert_club(new_club("others")).await.unwrap();
    let cam = camera(r, "court-cam").await;
    assert!(matches!(r.insert_terrain(new_terrain(999, "1", None)).await, Err(StoreError::NotFound("club"))));
    let nobody = Some(CameraId(9999));
    assert!(matches!(r.insert_terrain(new_terrain(club.id, "1", nobody)).await, Err(StoreError::NotFound("camera"))));

    let one = r.insert_terrain(new_terrain(club.id, "Court 1", Some(cam.id))).await.unwrap();
    let seen = async || {
        let f = r.camera(cam.id).await.unwrap().unwrap().fields;
        (f.club_id, f.terrain_id)
    };
    assert_eq!(seen().await, (Some(club.id), Some(one.id)), "the camera follows");
    let two = r.insert_terrain(new_terrain(club.id, "Court 2", Some(cam.id))).await.unwrap();
    assert_eq!(seen().await, (Some(club.id), Some(one.id)), "of several courts the lowest counts");
    assert!(matches!(r.insert_terrain(new_terrain(club.id, "COURT 1", None)).await, Err(StoreError::Conflict("name"))));
    let taken = r.insert_terrain(new_terrain(other.id, "Court 1", Some(cam.id))).await;
    assert!(matches!(taken, Err(StoreError::Conflict("camera club"))));
    let same_name = r.insert_terrain(new_terrain(other.id, "Court 1", None)).await.unwrap();
    assert_eq!(r.terrains().await.unwrap(), [one.clone(), two.clone(), same_name.clone()]);

    // What people say of a camera does not move it to another court.
    let said = CameraFields { club_id: Some(club.id), terrain_id: Some(77), ..fields("court-cam", "court-cam") };
    let written = r.update_camera(cam.id, said, None, LATER).await.unwrap();
    assert_eq!(written.fields.terrain_id, Some(one.id));

    let off = Terrain { camera_id: None, enabled: false, updated_at: LATER, ..one.clone() };
    r.update_terrain(&off).await.unwrap();
    assert_eq!(seen().await, (Some(club.id), Some(two.id)));
    let clash = Terrain { name: "court 2".to_owned(), ..off.clone() };
    assert!(matches!(r.update_terrain(&clash).await, Err(StoreError::Conflict("name"))));
    let gone = Terrain { id: 999, ..off.clone() };
    assert!(matches!(r.update_terrain(&gone).await, Err(StoreError::NotFound("court"))));
    let taken = Terrain { camera_id: Some(cam.id), ..same_name.clone() };
    assert!(matches!(r.update_terrain(&taken).await, Err(StoreError::Conflict("camera club"))));

    // A camera without a club comes into the court's, where names are unique.
    let unnamed = r.insert_camera(fields("court-cam-2", "Front"), &|_| None, T0).await.unwrap();
    let front = CameraFields { club_id: Some(club.id), ..fields("court-cam-3", "front") };
    let front = r.insert_camera(front, &|_| None, T0).await.unwrap();
    let clash = Terrain { camera_id: Some(unnamed.id), ..off.clone() };
    assert!(matches!(r.update_terrain(&clash).await, Err(StoreError::Conflict("camera name"))));
    assert_eq!(r.terrains().await.unwrap()[0], off, "nothing of a refused change stays");

    // Passes go with their court; a court outlives its camera.
    let user = r.insert_user(new_user("court-user")).await.unwrap();
    let pass = ApiToken {
        id: 0,
        user_id: user.id,
        name: "tablet".to_owned(),
        hash: [5; 32],
        role: Role::Player,
        club_id: Some(club.id),
        terrain_id: Some(two.id),
        read_only: false,
        created_at: T0,
        expires_at: Some(LATER),
        last_used_at: None,
    };
    let pass = r.insert_api_token(pass).await.unwrap();
    assert_eq!((r.api_tokens().await.unwrap(), pass.terrain_id), (vec![pass.clone()], Some(two.id)));
    r.delete_camera(cam.id).await.unwrap();
    assert_eq!(r.terrains().await.unwrap()[1], Terrain { camera_id: None, ..two.clone() });
    r.delete_terrain(two.id).await.unwrap();
    assert!(r.api_tokens().await.unwrap().is_empty());
    assert!(matches!(r.delete_terrain(two.id).await, Err(StoreError::NotFound("court"))));
    let three = r.insert_terrain(new_terrain(club.id, "Court 2", Some(front.id))).await.unwrap();
    assert!(three.id > same_name.id && three.id > two.id, "a number is never given out twice");
    r.delete_terrain(three.id).await.unwrap();
    assert_eq!(r.camera(front.id).await.unwrap().unwrap().fields.terrain_id, None);

    for id in [one.id, same_name.id] {
        r.delete_terrain(id).await.unwrap();
    }
    for id in [unnamed.id, front.id] {
        r.delete_camera(id).await.unwrap();
    }
    r.delete_user(user.id).await.unwrap();
    for id in [club.id, other.id] {
        r.delete_club(id, LATER).await.unwrap();
    }
}

pub(crate) async fn markers(r: &dyn Repository) {
    let cam = camera(r, "m-cam").await;
    let user = r.insert_user(new_user("m-user")).await.unwrap();
    r.insert_session(&session("sess_m", cam.id, Some(user.id))).await.unwrap();
    let game = r.insert_recording(new_recording("sess_m", cam.id, "videos/0/sess_m.mp4")).await.unwrap();
    let orphan = NewRecording { clip_of: Some(game.id), ..new_recording("sess_m", cam.id, "videos/0/x.mp4") };
    assert!(r.insert_recording(orphan).await.is_err(), "only a clip is cut from something");
    let clip = NewRecording {
        kind: RecordingKind::Clip,
        clip_of: Some(game.id),
        ..new_recording("sess_m", cam.id, "videos/0/sess_m_clip1.mp4")
    };
    let clip = r.insert_recording(clip).await.unwrap();
    assert_eq!((clip.kind, clip.clip_of), (RecordingKind::Clip, Some(game.id)));
    let only = |kind| RecordingFilter {
        kind: Some(kind),
        session_id: Some(SessionId("sess_m".to_owned())),
        ..Default::default()
    };
    assert_eq!(r.recordings(&only(RecordingKind::Clip)).await.unwrap(), std::slice::from_ref(&clip));
    assert_eq!(r.recordings(&only(RecordingKind::Session)).await.unwrap(), std::slice::from_ref(&game));
    let court = RecordingFilter { terrain_id: Some(4), ..only(RecordingKind::Clip) };
    assert!(r.recordings(&court).await.unwrap().is_empty());

    let new = NewMarker {
        session_id: SessionId("sess_m".to_owned()),
        recording_id: Some(game.id),
        at: LATER,
        offset_ms: Some(7),
        label: Some("Ace 🎾".to_owned()),
        user_id: Some(user.id),
        clip_id: None,
    };
    let second = r.insert_marker(new.clone()).await.unwrap();
    let bare = NewMarker { recording_id: None, at: T0, offset_ms: None, label: None, clip_id: Some(clip.id), ..new };
    let first = r.insert_marker(bare.clone()).await.unwrap();
    assert_eq!((second.label.as_deref(), second.offset_ms, second.user_id), (Some("Ace 🎾"), Some(7), Some(user.id)));
    let unknown = NewMarker { session_id: SessionId("sess_none".to_owned()), ..bare };
    assert!(r.insert_marker(unknown).await.is_err());
    r.set_marker_clip(second.id, Some(clip.id)).await.unwrap();
    let second = Marker { clip_id: Some(clip.id), ..second };
    let sess = SessionId("sess_m".to_owned());
    assert_eq!(r.markers(&sess).await.unwrap(), [first.clone(), second.clone()], "oldest first");
    assert_eq!(r.marker(second.id).await.unwrap(), Some(second.clone()));
    let asked = [game.id, clip.id, RecordingId(99_999)];
    assert_eq!(r.marker_counts(&asked).await.unwrap(), [(game.id, 1)]);

    // A marker outlives the clip, the recording and the user.
    for id in [clip.id, game.id] {
        r.fail_recording(id, LATER, "no picture came").await.unwrap();
        r.mark_recording_deleting(id).await.unwrap();
        r.delete_recording(id).await.unwrap();
    }
    r.delete_user(user.id).await.unwrap();
    let bare = Marker { recording_id: None, clip_id: None, user_id: None::<UserId>, ..second.clone() };
    assert_eq!(r.marker(second.id).await.unwrap(), Some(bare));
    r.delete_marker(second.id).await.unwrap();
    assert!(matches!(r.delete_marker(second.id).await, Err(StoreError::NotFound("marker"))));
    assert!(matches!(r.set_marker_clip(second.id, None).await, Err(StoreError::NotFound("marker"))));
    r.delete_marker(first.id).await.unwrap();
    r.delete_camera(cam.id).await.unwrap();
}
