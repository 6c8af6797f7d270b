//! The stored things, as plain data. **Every time is [`UnixMillis`]; every secret is a hash or sealed bytes.**
//!
//! What the fields mean, and what always holds between them, stands in `migrations/sqlite/`, column by column.

use std::fmt;

use serde::{Deserialize, Serialize};
use vigie_base::{CameraId, RecordingId, SessionId, StreamName, UnixMillis, UserId};

use crate::StoreError;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// The stored word, which is the word of the API too.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// Reads the stored word.
            pub fn parse(word: &str) -> Result<Self, StoreError> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(StoreError::Corrupt($what)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What a user may do, in three steps (contract §0.3).
    Role, "role" {
        /// Everything.
        SuperAdmin = "SUPER_ADMIN",
        /// Everything inside one club.
        ClubAdmin = "CLUB_ADMIN",
        /// Records and watches courts of one club.
        Player = "PLAYER",
    }
);

words!(
    /// Where a capture session stands (contract §20.8).
    SessionState, "session state" {
        /// The camera is being checked.
        Creating = "CREATING_SESSION",
        /// Usable, nothing recorded yet.
        Created = "SESSION_CREATED",
        /// A recording was asked for.
        Starting = "STARTING_RECORDING",
        /// A recording runs.
        Recording = "RECORDING",
        /// The file is being finished.
        Stopping = "STOPPING",
        /// The last recording is finished.
        Complete = "COMPLETE",
        /// The camera could not be reached, or the recording failed.
        Failed = "FAILED",
        /// Over.
        Closed = "CLOSED",
    }
);

words!(
    /// What made a recording.
    RecordingKind, "recording kind" {
        /// One MP4 of a capture session.
        Session = "session",
        /// A short piece of one, kept by a click.
        Clip = "clip",
    }
);

words!(
    /// Where a recorded file stands.
    RecordingState, "recording state" {
        /// Being written, or left behind by a crash: the recorder's repair looks at these at start-up.
        Open = "open",
        /// Finished and playable.
        Sealed = "sealed",
        /// It ended without anything playable in it.
        Failed = "failed",
        /// Marked for deletion; the file goes first, then the row.
        Deleting = "deleting",
    }
);

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// Unique without regard to ASCII case.
    pub username: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// The club, for everybody but super administrators.
    pub club_id: Option<i64>,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Grows whenever everything issued earlier must stop working.
    pub token_version: i64,
    /// Sealed password for RTSP and ONVIF; `None` until the owner asks for one.
    pub stream_password: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
    /// When somebody last signed in with it.
    pub last_login_at: Option<UnixMillis>,
}

/// A user that does not exist yet.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique without regard to ASCII case.
    pub username: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// The club.
    pub club_id: Option<i64>,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Now.
    pub at: UnixMillis,
}

/// One browser or program that signed in: what a refresh token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Random, part of every access token.
    pub id: String,
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the refresh token.
    pub hash: [u8; 32],
    /// When.
    pub created_at: UnixMillis,
    /// When the refresh token stops working.
    pub expires_at: UnixMillis,
}

/// A long-lived token for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// Who made it; it works only while that user is enabled.
    pub user_id: UserId,
    /// What the owner calls it.
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// At most the maker's role.
    pub role: Role,
    /// The club it is limited to.
    pub club_id: Option<i64>,
    /// Of a kiosk pass: the one court that it opens.
    pub terrain_id: Option<i64>,
    /// Whether it may only read.
    pub read_only: bool,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it stops working.
    pub expires_at: Option<UnixMillis>,
    /// When it last let somebody in, to the minute.
    pub last_used_at: Option<UnixMillis>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Club {
    /// Its number; never given out again.
    pub id: i64,
    /// Unique without regard to ASCII case.
    pub name: String,
    /// IANA name of its time zone.
    pub timezone: String,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
}

/// A club that does not exist yet.
#[derive(Debug, Clone)]
pub struct NewClub {
    /// Unique without regard to ASCII case.
    pub name: String,
    /// IANA name of its time zone.
    pub timezone: String,
    /// Now.
    pub at: UnixMillis,
}

/// A place of a club that can be recorded: a court.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terrain {
    /// Its number; never given out again.
    pub id: i64,
    /// Its club, for good.
    pub club_id: i64,
    /// Unique in its club without regard to ASCII case.
    pub name: String,
    /// The camera that looks at it.
    pub camera_id: Option<CameraId>,
    /// Whether sessions may be made on it.
    pub enabled: bool,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
}

/// A court that does not exist yet.
#[derive(Debug, Clone)]
pub struct NewTerrain {
    /// Its club.
    pub club_id: i64,
    /// Unique in its club without regard to ASCII case.
    pub name: String,
    /// The camera that looks at it.
    pub camera_id: Option<CameraId>,
    /// Whether sessions may be made on it.
    pub enabled: bool,
    /// Now.
    pub at: UnixMillis,
}

/// What a person or a file says about a camera (contract §10.6). What is observed is in [`CameraHealth`].
#[derive(Debug, Clone, PartialEq)]
pub struct CameraFields {
    /// The name in paths: `[a-z][a-z0-9-]{0,62}`, unique.
    pub slug: String,
    /// The name people read; unique per club, without regard to case.
    pub name: String,
    /// The way in: an entry of the source list.
    pub connection_type: String,
    /// Best picture, printable: no user information, secret query values masked.
    pub primary_stream_url: Option<String>,
    /// Small picture, printable.
    pub secondary_stream_url: Option<String>,
    /// Still picture, printable.
    pub snapshot_url: Option<String>,
    /// User name at the camera.
    pub username: Option<String>,
    /// Timeouts, transport and the like.
    pub connection_config: serde_json::Value,
    /// Cloud account, without tokens.
    pub cloud_config: serde_json::Value,
    /// Vendor, lower case.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Firmware version.
    pub firmware_version: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Which club it belongs to.
    pub club_id: Option<i64>,
    /// Which court it looks at; of several, the lowest. Follows the courts: what is written here has no effect.
    pub terrain_id: Option<i64>,
    /// Whether it may be pulled.
    pub enabled: bool,
    /// Whether it is pulled even while nobody watches.
    pub always_on: bool,
    /// Free words.
    pub tags: Vec<String>,
    /// Fields that the configuration file sets; empty for a camera made through the API.
    pub declared_fields: Vec<String>,
}

/// A registered video source.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Its number.
    pub id: CameraId,
    /// What was said about it.
    pub fields: CameraFields,
    /// Sealed password and sealed true URLs.
    pub secrets: Option<Vec<u8>>,
    /// What was observed about it.
    pub health: CameraHealth,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When a person or the file last changed it.
    pub updated_at: UnixMillis,
}

/// What was observed about a camera; written often, kept apart from what people say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CameraHealth {
    /// `excellent|good|fair|poor|offline|unknown`; empty means unknown.
    pub level: String,
    /// When it was last checked.
    pub checked_at: Option<UnixMillis>,
    /// When media last flowed.
    pub last_seen_at: Option<UnixMillis>,
    /// Consecutive failures.
    pub failures: u32,
    /// When the next attempt is due.
    pub next_attempt_at: Option<UnixMillis>,
    /// Five attempts failed and nobody watched.
    pub suspended: bool,
    /// Redacted.
    pub last_error: Option<String>,
    /// Sliding thirty days, 0–100.
    pub uptime_percentage: Option<f64>,
}

/// The tracks a stream had when it was last seen, as JSON of `control`.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedStream {
    /// Whose.
    pub camera_id: CameraId,
    /// Which stream.
    pub stream: StreamName,
    /// Tracks with their parameter sets.
    pub description: serde_json::Value,
    /// When it was seen.
    pub seen_at: UnixMillis,
}

/// A person's reservation of a camera's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureSession {
    /// `sess_<club>_<terrain>_<unix seconds>`.
    pub id: SessionId,
    /// The camera; `None` when it was deleted since.
    pub camera_id: Option<CameraId>,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who made it; `None` when that user was deleted since.
    pub user_id: Option<UserId>,
    /// Where it stands.
    pub state: SessionState,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last used.
    pub last_activity_at: UnixMillis,
    /// When it ended.
    pub closed_at: Option<UnixMillis>,
    /// Why it failed, redacted.
    pub error: Option<String>,
}

/// One recorded file.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its number.
    pub id: RecordingId,
    /// What made it.
    pub kind: RecordingKind,
    /// The capture session.
    pub session_id: Option<SessionId>,
    /// The camera; `None` when it was deleted since.
    pub camera_id: Option<CameraId>,
    /// What the camera was called then.
    pub camera_name: String,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who started it; `None` when that user was deleted since.
    pub user_id: Option<UserId>,
    /// Below the media folder, `/` between parts, unique.
    pub path: String,
    /// Where it stands.
    pub state: RecordingState,
    /// The instant of the click: media time zero of the edited timeline.
    pub started_at: UnixMillis,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
    /// How long it was meant to become.
    pub planned_ms: i64,
    /// How long it is.
    pub duration_ms: i64,
    /// Bytes on disk that are media.
    pub size_bytes: i64,
    /// Video frames in it.
    pub frames: i64,
    /// Whether the process died while it was open.
    pub interrupted: bool,
    /// Whether retention and people must leave it alone.
    pub locked: bool,
    /// `copy` or `encode`.
    pub mode: String,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Width in pixels.
    pub width: Option<i64>,
    /// Height in pixels.
    pub height: Option<i64>,
    /// SHA-256 in hex, when somebody asked for it.
    pub checksum: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Of a clip: the recording that it was cut from.
    pub clip_of: Option<RecordingId>,
}

/// A recording that does not exist yet. It starts `open`.
#[derive(Debug, Clone)]
pub struct NewRecording {
    /// What makes it.
    pub kind: RecordingKind,
    /// The capture session.
    pub session_id: Option<SessionId>,
    /// The camera.
    pub camera_id: CameraId,
    /// What the camera is called now.
    pub camera_name: String,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who starts it.
    pub user_id: Option<UserId>,
    /// Below the media folder, `/` between parts, unique.
    pub path: String,
    /// The instant of the click.
    pub started_at: UnixMillis,
    /// How long it is meant to become.
    pub planned_ms: i64,
    /// `copy` or `encode`.
    pub mode: String,
    /// Of a clip: the recording that it is cut from.
    pub clip_of: Option<RecordingId>,
}

/// How far an open recording has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordingProgress {
    /// How long it is.
    pub duration_ms: i64,
    /// Bytes on disk that are media.
    pub size_bytes: i64,
    /// Video frames in it.
    pub frames: i64,
}

/// What is written when a recording ends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordingEnd {
    /// Final figures.
    pub progress: RecordingProgress,
    /// When it ended.
    pub ended_at: UnixMillis,
    /// Whether the process died while it was open.
    pub interrupted: bool,
    /// Video codec.
    pub codec: Option<String>,
    /// Audio codec.
    pub audio_codec: Option<String>,
    /// Width in pixels.
    pub width: Option<i64>,
    /// Height in pixels.
    pub height: Option<i64>,
}

/// A hole in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedGap {
    /// In which recording.
    pub recording_id: RecordingId,
    /// Wall time of its beginning.
    pub from: UnixMillis,
    /// Wall time of its end; `None` while it lasts.
    pub to: Option<UnixMillis>,
    /// Where it begins on the recording's own timeline, in ms.
    pub offset_ms: i64,
    /// The word of `hub::GapCause`.
    pub cause: String,
}

/// A moment of a session that somebody wants to find again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Its number.
    pub id: i64,
    /// In which session.
    pub session_id: SessionId,
    /// In which recording; `None` when nothing was recorded then, or it was deleted since.
    pub recording_id: Option<RecordingId>,
    /// When.
    pub at: UnixMillis,
    /// Where on the recording's edited timeline, in ms.
    pub offset_ms: Option<i64>,
    /// What it is called.
    pub label: Option<String>,
    /// Who set it; `None` when that user was deleted since.
    pub user_id: Option<UserId>,
    /// The clip that was kept of it.
    pub clip_id: Option<RecordingId>,
}

/// A marker that does not exist yet.
#[derive(Debug, Clone)]
pub struct NewMarker {
    /// In which session.
    pub session_id: SessionId,
    /// In which recording.
    pub recording_id: Option<RecordingId>,
    /// When.
    pub at: UnixMillis,
    /// Where on the recording's edited timeline, in ms.
    pub offset_ms: Option<i64>,
    /// What to call it.
    pub label: Option<String>,
    /// Who sets it.
    pub user_id: Option<UserId>,
    /// The clip that was kept of it.
    pub clip_id: Option<RecordingId>,
}

/// Which recordings are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct RecordingFilter {
    /// Of this kind.
    pub kind: Option<RecordingKind>,
    /// Of this session.
    pub session_id: Option<SessionId>,
    /// Of this club.
    pub club_id: Option<i64>,
    /// Of this court.
    pub terrain_id: Option<i64>,
    /// Of this user.
    pub user_id: Option<UserId>,
    /// Of this camera.
    pub camera_id: Option<CameraId>,
    /// In this state.
    pub state: Option<RecordingState>,
    /// At most so many; `None` means all.
    pub limit: Option<u32>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Grows with time.
    pub id: i64,
    /// When.
    pub at: UnixMillis,
    /// What, as a stable word such as `camera_offline`.
    pub kind: String,
    /// To which camera.
    pub camera_id: Option<CameraId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// To which recording.
    pub recording_id: Option<RecordingId>,
    /// One sentence, redacted.
    pub message: String,
    /// More, for machines.
    pub data: serde_json::Value,
}

/// An event that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// When.
    pub at: UnixMillis,
    /// What, as a stable word.
    pub kind: String,
    /// To which camera.
    pub camera_id: Option<CameraId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// To which recording.
    pub recording_id: Option<RecordingId>,
    /// One sentence, redacted.
    pub message: String,
    /// More, for machines.
    pub data: serde_json::Value,
}

/// Which events are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this camera.
    pub camera_id: Option<CameraId>,
    /// Of this session.
    pub session_id: Option<SessionId>,
    /// Older than this event.
    pub before: Option<i64>,
    /// At most so many (1–1000).
    pub limit: u32,
}

/// Who did what.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// Who; `None` for somebody not signed in.
    pub user_id: Option<UserId>,
    /// The name then.
    pub actor: String,
    /// What, as a stable word such as `camera.delete`.
    pub action: String,
    /// To what, e.g. `camera/3`.
    pub target: String,
    /// From which address.
    pub address: Option<String>,
    /// More, without secrets.
    pub details: serde_json::Value,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAudit {
    /// Grows with time.
    pub id: i64,
    /// Who did what.
    pub entry: AuditEntry,
}

/// Which entries of the audit log are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By this name, without regard to ASCII case.
    pub actor: Option<String>,
    /// This action, or with a trailing dot every action that begins so.
    pub action: Option<String>,
    /// Older than this entry.
    pub before: Option<i64>,
    /// At most so many (1–1000).
    pub limit: u32,
}
