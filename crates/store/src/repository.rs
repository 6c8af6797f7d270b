//! What a backend can do, one trait per kind of thing. **A method is one transaction: all of it happened, or nothing.**
//!
//! Rules (who may, what is allowed when) are not here; only what must hold whoever writes: uniqueness, references, and
//! that a recording's state goes forward only. Every backend passes the suite in `tests/conformance.rs`.

use std::fmt;

use async_trait::async_trait;
use vigie_base::{CameraId, RecordingId, SessionId, UnixMillis, UserId};

use crate::StoreError;
use crate::entity::*;

/// Shorthand of this module.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Seals the secrets of a row whose number is known only inside the transaction.
pub type Seal<'a> = &'a (dyn Fn(CameraId) -> Option<Vec<u8>> + Send + Sync);

/// People, and what they sign in with.
#[async_trait]
pub trait Users {
    /// All users by number.
    async fn users(&self) -> Result<Vec<User>>;
    /// Adds a user. `Conflict("username")` when the name is taken.
    async fn insert_user(&self, new: NewUser) -> Result<User>;
    /// Adds a user only while there is none at all; `None` when there is one.
    async fn insert_first_user(&self, new: NewUser) -> Result<Option<User>>;
    /// Writes everything but the number and the creation time.
    async fn update_user(&self, user: &User) -> Result<()>;
    /// Removes a user with everything issued to it.
    async fn delete_user(&self, id: UserId) -> Result<()>;
    /// Notes a sign-in, and drops those that expired.
    async fn insert_sign_in(&self, sign_in: &SignIn) -> Result<()>;
    /// The sign-in behind a refresh token, unless it was ended.
    async fn sign_in_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SignIn>>;
    /// Moves the end of a sign-in that was not ended.
    async fn extend_sign_in(&self, id: &str, expires_at: UnixMillis) -> Result<()>;
    /// Ends one sign-in: its refresh token is void at once. It stays known until `until`, when the last access token
    /// made from it is over.
    async fn end_sign_in(&self, id: &str, at: UnixMillis, until: UnixMillis) -> Result<()>;
    /// Sign-ins that were ended and are not forgotten yet, each with the time until which it is known.
    async fn ended_sign_ins(&self) -> Result<Vec<(String, UnixMillis)>>;
    /// Ends all sign-ins of a user.
    async fn delete_sign_ins(&self, user: UserId) -> Result<()>;
    /// All API tokens by number.
    async fn api_tokens(&self) -> Result<Vec<ApiToken>>;
    /// Adds a token; the number in `token` is ignored.
    async fn insert_api_token(&self, token: ApiToken) -> Result<ApiToken>;
    /// Notes that a token let somebody in.
    async fn api_token_used(&self, id: i64, at: UnixMillis) -> Result<()>;
    /// Removes a token.
    async fn delete_api_token(&self, id: i64) -> Result<()>;
}

/// Tenants.
#[async_trait]
pub trait Clubs {
    /// All clubs by number.
    async fn clubs(&self) -> Result<Vec<Club>>;
    /// Adds a club. `Conflict("name")` when the name is taken.
    async fn insert_club(&self, new: NewClub) -> Result<Club>;
    /// Writes name, time zone and time of change.
    async fn update_club(&self, club: &Club) -> Result<()>;
    /// Removes a club. `Conflict("terrains")` while it has courts. Its users and cameras stay without a club (a camera
    /// whose name is taken there gets its slug behind it), tokens limited to it go, and access tokens of its users end.
    async fn delete_club(&self, id: i64, at: UnixMillis) -> Result<()>;
}

/// Places of clubs. **A camera's court and club follow** in the same transaction.
#[async_trait]
pub trait Courts {
    /// All courts by number.
    async fn terrains(&self) -> Result<Vec<Terrain>>;
    /// Adds a court. `Conflict("name")` when its club has one of that name, `Conflict("camera club")` when the camera
    /// belongs to another club, `Conflict("camera name")` when the club it comes into has a camera of that name,
    /// `NotFound` for an unknown club or camera.
    async fn insert_terrain(&self, new: NewTerrain) -> Result<Terrain>;
    /// Writes name, camera, state and time of change; the club stays. Errors as for [`Courts::insert_terrain`].
    async fn update_terrain(&self, terrain: &Terrain) -> Result<()>;
    /// Removes a court with its kiosk passes; sessions and recordings keep its number.
    async fn delete_terrain(&self, id: i64) -> Result<()>;
}

/// Moments of sessions.
#[async_trait]
pub trait Markers {
    /// Adds a marker.
    async fn insert_marker(&self, new: NewMarker) -> Result<Marker>;
    /// Notes the clip that was kept of it, or that there is none any more.
    async fn set_marker_clip(&self, id: i64, clip: Option<RecordingId>) -> Result<()>;
    /// One marker.
    async fn marker(&self, id: i64) -> Result<Option<Marker>>;
    /// Markers of a session, oldest first.
    async fn markers(&self, session: &SessionId) -> Result<Vec<Marker>>;
    /// How many markers each of these recordings has; those without any are left out.
    async fn marker_counts(&self, recordings: &[RecordingId]) -> Result<Vec<(RecordingId, i64)>>;
    /// Removes a marker; its clip stays.
    async fn delete_marker(&self, id: i64) -> Result<()>;
}

/// Video sources.
#[async_trait]
pub trait Cameras {
    /// All cameras by number.
    async fn cameras(&self) -> Result<Vec<Camera>>;
    /// One camera.
    async fn camera(&self, id: CameraId) -> Result<Option<Camera>>;
    /// One camera by its slug.
    async fn camera_by_slug(&self, slug: &str) -> Result<Option<Camera>>;
    /// Adds a camera. `Conflict("slug")` or `Conflict("name")` when taken.
    async fn insert_camera(&self, fields: CameraFields, seal: Seal<'_>, at: UnixMillis) -> Result<Camera>;
    /// Writes what people say about a camera.
    async fn update_camera(
        &self,
        id: CameraId,
        fields: CameraFields,
        secrets: Option<Vec<u8>>,
        at: UnixMillis,
    ) -> Result<Camera>;
    /// Writes what was observed about a camera.
    async fn set_camera_health(&self, id: CameraId, health: &CameraHealth) -> Result<()>;
    /// Removes a camera; its recordings stay, without a camera.
    async fn delete_camera(&self, id: CameraId) -> Result<()>;
    /// All remembered streams.
    async fn remembered_streams(&self) -> Result<Vec<RememberedStream>>;
    /// Remembers the tracks of a stream. Without effect for a camera that is gone.
    async fn remember_stream(&self, stream: &RememberedStream) -> Result<()>;
    /// Forgets the tracks of a camera's streams.
    async fn forget_streams(&self, id: CameraId) -> Result<()>;
}

/// Capture sessions.
#[async_trait]
pub trait Sessions {
    /// Adds a session. `Conflict("session id")` when taken.
    async fn insert_session(&self, session: &CaptureSession) -> Result<()>;
    /// Writes state, times and error.
    async fn update_session(&self, session: &CaptureSession) -> Result<()>;
    /// One session.
    async fn session(&self, id: &SessionId) -> Result<Option<CaptureSession>>;
    /// Sessions whose id ends like that, newest first, at most two: enough to know whether a short id is ambiguous.
    async fn sessions_ending_with(&self, suffix: &str) -> Result<Vec<CaptureSession>>;
    /// Sessions that are not over, oldest first.
    async fn open_sessions(&self) -> Result<Vec<CaptureSession>>;
}

/// Recorded files.
#[async_trait]
pub trait Recordings {
    /// Adds an `open` recording. `Conflict("path")` when the path is taken.
    async fn insert_recording(&self, new: NewRecording) -> Result<Recording>;
    /// Notes how far an open recording has come.
    async fn set_recording_progress(&self, id: RecordingId, progress: RecordingProgress) -> Result<()>;
    /// `open` → `sealed`.
    async fn seal_recording(&self, id: RecordingId, end: &RecordingEnd) -> Result<()>;
    /// `open` → `failed`.
    async fn fail_recording(&self, id: RecordingId, at: UnixMillis, error: &str) -> Result<()>;
    /// `sealed` or `failed` → `deleting`. `Conflict("lock")` when it is locked.
    async fn mark_recording_deleting(&self, id: RecordingId) -> Result<()>;
    /// Drops the row; the file is gone already.
    async fn delete_recording(&self, id: RecordingId) -> Result<()>;
    /// Protects it, or no longer.
    async fn lock_recording(&self, id: RecordingId, locked: bool) -> Result<()>;
    /// Notes the SHA-256 of the finished file.
    async fn set_recording_checksum(&self, id: RecordingId, sha256_hex: &str) -> Result<()>;
    /// One recording.
    async fn recording(&self, id: RecordingId) -> Result<Option<Recording>>;
    /// Recordings, newest first.
    async fn recordings(&self, filter: &RecordingFilter) -> Result<Vec<Recording>>;
    /// Number and bytes of all finished recordings.
    async fn recordings_total(&self) -> Result<(i64, i64)>;
    /// Adds a gap.
    async fn insert_gap(&self, gap: &RecordedGap) -> Result<()>;
    /// Gaps of all these recordings, by recording, oldest first.
    async fn gaps_of(&self, ids: &[RecordingId]) -> Result<Vec<RecordedGap>>;
    /// Gaps of a recording, oldest first.
    async fn gaps(&self, id: RecordingId) -> Result<Vec<RecordedGap>>;
}

/// What happened, who did what, and settings.
#[async_trait]
pub trait Journal {
    /// Stores an event; the oldest go when there are more than [`crate::MAX_EVENTS`].
    async fn insert_event(&self, event: &NewEvent) -> Result<StoredEvent>;
    /// Events, newest first.
    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>>;
    /// Stores who did what. Of refused sign-ins (`login.refused`) about [`crate::MAX_REFUSED`] are kept.
    async fn insert_audit(&self, entry: &AuditEntry) -> Result<()>;
    /// Entries of the audit log, newest first.
    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<StoredAudit>>;
    /// A setting.
    async fn setting(&self, key: &str) -> Result<Option<serde_json::Value>>;
    /// Writes a setting; `None` removes it.
    async fn set_setting(&self, key: &str, value: Option<&serde_json::Value>) -> Result<()>;
}

/// A backend.
#[async_trait]
pub trait Repository:
    Users + Clubs + Courts + Cameras + Sessions + Recordings + Markers + Journal + Send + Sync + fmt::Debug
{
    /// Answers when the database does.
    async fn ping(&self) -> Result<()>;
    /// Writes everything out and ends all connections.
    async fn close(&self);
}
