//! A database that an earlier version left behind keeps everything.

#![allow(clippy::unwrap_used, reason = "a test that meets an error should stop there")]

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use vigie_base::{CameraId, RecordingId, SessionId, UnixMillis, UserId};
use vigie_store::{NewRecording, RecordingFilter, RecordingKind, RecordingState, Store};

/// What stood in a database before there were clubs.
const BEFORE: &str = "
INSERT INTO users (id, username, password_hash, role, club_id, created_at, updated_at)
    VALUES (1, 'admin', 'x', 'SUPER_ADMIN', NULL, 1, 1), (2, 'coach', 'x', 'CLUB_ADMIN', 3, 5, 5);
INSERT INTO sign_ins VALUES ('s', 1, zeroblob(32), 1, 9000000000000);
INSERT INTO api_tokens (id, user_id, name, hash, role, club_id, created_at)
    VALUES (1, 1, 't', randomblob(32), 'PLAYER', 4, 2);
INSERT INTO cameras (id, slug, name, connection_type, club_id, terrain_id, created_at, updated_at)
    VALUES (1, 'a', 'A', 'rtsp', 3, 7, 6, 6), (2, 'b', 'B', 'rtsp', 3, 7, 6, 6), (3, 'c', 'C', 'rtsp', NULL, 9, 6, 6);
INSERT INTO capture_sessions (id, camera_id, user_id, state, created_at, last_activity_at, closed_at)
    VALUES ('sess_0_1_1', 1, 1, 'CLOSED', 1, 1, 2);
INSERT INTO recordings (id, kind, session_id, camera_id, camera_name, user_id, path, state, started_at, ended_at,
    planned_ms, duration_ms, size_bytes, frames, interrupted, locked, mode, codec, audio_codec, width, height, checksum)
    VALUES (1, 'session', 'sess_0_1_1', 1, 'A', 1, 'videos/0/a.mp4', 'sealed', 1, 2, 60000, 1000, 2000, 25, 1, 1,
        'copy', 'h264', 'aac', 640, 360, 'ff'),
    (2, 'session', 'sess_0_1_1', 1, 'A', 1, 'videos/0/a_2.mp4', 'open', 3, NULL, 60000, 0, 0, 0, 0, 0, 'copy', NULL,
        NULL, NULL, NULL, NULL),
    (8, 'session', NULL, NULL, 'gone', NULL, 'videos/0/z.mp4', 'deleting', 3, NULL, 1, 0, 0, 0, 0, 0, 'copy', NULL,
        NULL, NULL, NULL, NULL);
DELETE FROM recordings WHERE id = 8;
INSERT INTO gaps (recording_id, from_at, to_at, offset_ms, cause)
    VALUES (1, 10, 20, 5, 'source_lost'), (1, 30, 40, 25, 'overload'), (2, 50, NULL, 1, 'source_lost');
";

async fn make_old(dir: &Path) {
    let old = dir.join("migrations");
    std::fs::create_dir(&old).unwrap();
    for name in ["0001_spine.sql", "0002_token_use.sql"] {
        std::fs::copy(format!("migrations/sqlite/{name}"), old.join(name)).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(dir.join("vigie.db")).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.foreign_keys(true)).await.unwrap();
    Migrator::new(old.as_path()).await.unwrap().run(&pool).await.unwrap();
    sqlx::raw_sql(BEFORE).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_database_of_the_first_version_keeps_recordings_gaps_and_rights() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path()).await;
    let store = Store::open(dir.path()).await.unwrap();

    let recordings = store.recordings(&RecordingFilter::default()).await.unwrap();
    assert_eq!(recordings.iter().map(|r| r.id.0).collect::<Vec<_>>(), [2, 1]);
    let r = &recordings[1];
    assert_eq!((r.kind, r.state, r.clip_of), (RecordingKind::Session, RecordingState::Sealed, None));
    assert_eq!((r.path.as_str(), r.session_id.clone()), ("videos/0/a.mp4", Some(SessionId("sess_0_1_1".to_owned()))));
    assert_eq!((r.size_bytes, r.frames, r.interrupted, r.locked), (2000, 25, true, true));
    assert_eq!(
        (r.codec.as_deref(), r.audio_codec.as_deref(), r.checksum.as_deref()),
        (Some("h264"), Some("aac"), Some("ff"))
    );
    assert_eq!((r.width, r.user_id, r.camera_id), (Some(640), Some(UserId(1)), Some(CameraId(1))));
    let gaps = store.gaps_of(&[RecordingId(1), RecordingId(2)]).await.unwrap();
    assert_eq!(gaps.iter().map(|g| (g.recording_id.0, g.from.0)).collect::<Vec<_>>(), [(1, 10), (1, 30), (2, 50)]);

    // Numbers that were clubs and courts only by name have rows now.
    let clubs = store.clubs().await.unwrap();
    assert_eq!(clubs.iter().map(|c| (c.id, c.name.as_str())).collect::<Vec<_>>(), [(3, "Club 3"), (4, "Club 4")]);
    assert_eq!(clubs[0].created_at, UnixMillis(5));
    let courts = store.terrains().await.unwrap();
    assert_eq!(courts.iter().map(|t| (t.id, t.club_id, t.camera_id)).collect::<Vec<_>>(), [(7, 3, Some(CameraId(1)))]);
    let cameras = store.cameras().await.unwrap();
    let seen: Vec<_> = cameras.iter().map(|c| (c.fields.club_id, c.fields.terrain_id)).collect();
    assert_eq!(seen, [(Some(3), Some(7)), (Some(3), None), (None, None)]);
    assert!(store.sign_in_by_hash(&[0; 32]).await.unwrap().is_some(), "nobody is signed out");

    // Gaps still belong to recordings, and numbers of deleted ones stay used up.
    let new = NewRecording {
        kind: RecordingKind::Clip,
        session_id: Some(SessionId("sess_0_1_1".to_owned())),
        camera_id: CameraId(1),
        camera_name: "A".to_owned(),
        club_id: 0,
        terrain_id: None,
        user_id: None,
        path: "videos/0/clip.mp4".to_owned(),
        started_at: UnixMillis(9),
        planned_ms: 1,
        mode: "copy".to_owned(),
        clip_of: Some(RecordingId(1)),
    };
    assert_eq!(store.insert_recording(new).await.unwrap().id, RecordingId(9));
    store.lock_recording(RecordingId(1), false).await.unwrap();
    store.mark_recording_deleting(RecordingId(1)).await.unwrap();
    store.delete_recording(RecordingId(1)).await.unwrap();
    assert!(store.gaps(RecordingId(1)).await.unwrap().is_empty(), "gaps go with their recording");
    assert_eq!(store.recording(RecordingId(9)).await.unwrap().unwrap().clip_of, None);
    store.close().await;
    drop(store);

    let url = format!("sqlite:{}", dir.path().join("vigie.db").display());
    let pool = SqlitePool::connect(&url).await.unwrap();
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'recordings' AND sql IS NOT NULL ORDER BY name",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(indexes, ["recordings_clip_of", "recordings_club", "recordings_session", "recordings_unfinished"]);
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(check, "ok");
    pool.close().await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_old_version_whole() {
    let dir = tempfile::tempdir().unwrap();
    make_old(dir.path()).await;
    let url = format!("sqlite:{}", dir.path().join("vigie.db").display());
    // Something points at what is not there: the migration must not be half done.
    let options = SqliteConnectOptions::new().filename(dir.path().join("vigie.db")).foreign_keys(false);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql("UPDATE recordings SET camera_id = 99 WHERE id = 1").execute(&pool).await.unwrap();
    pool.close().await;
    assert!(Store::open(dir.path()).await.is_err());
    let pool = SqlitePool::connect(&url).await.unwrap();
    let gaps: i64 = sqlx::query_scalar("SELECT count(*) FROM gaps").fetch_one(&pool).await.unwrap();
    let clubs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'clubs'").fetch_one(&pool).await.unwrap();
    assert_eq!((gaps, clubs), (3, 0));
    sqlx::raw_sql("UPDATE recordings SET camera_id = 1 WHERE id = 1").execute(&pool).await.unwrap();
    pool.close().await;
    Store::open(dir.path()).await.unwrap().close().await;
}
