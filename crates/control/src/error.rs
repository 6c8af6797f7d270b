//! Every way a request to `control` can fail: a stable code, whose fault, one sentence, sometimes details.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use vigie_base::{Fault, SessionId};
use vigie_hub::Reason;
use vigie_store::StoreError;

use crate::policy::Denied;

/// Shorthand of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of a failure. The API maps it to a status code; nothing else depends on HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read (400).
    Malformed,
    /// Who asks is not known (401).
    Unauthenticated,
    /// Who asks may not (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// Not in this state (409).
    Conflict,
    /// It can be read but makes no sense (422).
    Invalid,
    /// Outside of what is there (416).
    OutOfRange,
    /// The file is protected (423).
    Locked,
    /// A limit was reached (429).
    TooMany,
    /// We are wrong (500).
    Internal,
    /// Not on this machine (501).
    Unsupported,
    /// The camera does not answer as it should (502).
    Upstream,
    /// A part of Vigie is down or full (503).
    Unavailable,
    /// No room (507).
    NoSpace,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name in the request.
    pub field: String,
    /// A stable word: `missing`, `type`, `value`, `too_long`, `reserved`, `taken`, `masked_credentials`, `not_allowed`.
    pub code: &'static str,
    /// One sentence.
    pub error: String,
    /// Whether the field could not even be read (400), instead of making no sense (422).
    #[serde(skip)]
    pub malformed: bool,
}

/// A failure. Its `Display` is one English sentence for people; translations go by [`Error::code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, an expired one, or one that was taken back.
    #[error("you are not signed in, or your sign-in has ended")]
    Unauthenticated,
    /// The name or the password is wrong. Which of them is not said.
    #[error("the user name or the password is wrong")]
    BadCredentials,
    /// Too many wrong passwords.
    #[error("too many attempts: try again in {} seconds", .0.as_secs().max(1))]
    RateLimited(Duration),
    /// Too many people sign in at this moment.
    #[error("too many people are signing in at this moment: try again in a second")]
    SignInBusy,
    /// Not allowed.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// There are users already.
    #[error("Vigie was set up already: sign in instead")]
    SetupDone,
    /// The code printed at the console is needed.
    #[error("the set-up code is missing or wrong: Vigie prints it in its log when it starts")]
    SetupCode,
    /// Fields that are missing, unreadable or nonsense.
    #[error("{}", fields_sentence(.0))]
    Fields(Vec<FieldError>),
    /// No such camera.
    #[error("there is no such camera")]
    CameraNotFound,
    /// No such capture session.
    #[error("there is no such session")]
    SessionNotFound,
    /// No such club.
    #[error("there is no such club")]
    ClubNotFound,
    /// No such court.
    #[error("there is no such court")]
    TerrainNotFound,
    /// No such kiosk pass at this court.
    #[error("there is no such pass")]
    PassNotFound,
    /// The club has courts.
    #[error("this club has courts: remove them first")]
    ClubHasTerrains,
    /// The camera belongs to another club than the court.
    #[error("this camera belongs to another club")]
    CameraInOtherClub,
    /// A session is open on the court.
    #[error("a session is open on this court: close it first")]
    SessionActive,
    /// Nobody would be left who may do everything.
    #[error("this is the last super administrator who can sign in: make another one first")]
    LastSuperAdmin,
    /// That cannot be done to one's own account.
    #[error("this cannot be done to your own account")]
    OwnAccount,
    /// No such recorded file.
    #[error("there is no such video")]
    VideoNotFound,
    /// Nothing was recorded in the session, or its log was removed.
    #[error("there is no log of this session")]
    LogNotFound,
    /// No such marker.
    #[error("there is no such marker")]
    MarkerNotFound,
    /// No such user.
    #[error("there is no such user")]
    UserNotFound,
    /// No such API token.
    #[error("there is no such token")]
    TokenNotFound,
    /// Another one of that name.
    #[error("this name is taken")]
    DuplicateName,
    /// Another camera of that slug.
    #[error("another camera has this slug")]
    DuplicateSlug,
    /// Another user of that name.
    #[error("another user has this name")]
    DuplicateUsername,
    /// The configuration file sets these fields.
    #[error("the configuration file sets {}: change it there", .0.join(", "))]
    DeclaredInFile(Vec<String>),
    /// There is a session on this court, or for this camera, already.
    #[error("there is an open session here already")]
    SessionExists(SessionId),
    /// The court is switched off.
    #[error("this court is switched off")]
    TerrainDisabled,
    /// No camera looks at the court.
    #[error("no camera looks at this court")]
    NoCamera,
    /// It is being recorded.
    #[error("a recording is running: stop it first")]
    RecordingActive,
    /// The session records already.
    #[error("this session is recording already")]
    AlreadyRecording,
    /// The session does not record and never did.
    #[error("nothing is being recorded in this session")]
    NotRecording,
    /// The session is over.
    #[error("this session is closed")]
    SessionClosed,
    /// Outside 1–720 minutes.
    #[error("a recording lasts between 1 and 720 minutes")]
    DurationOutOfRange,
    /// A clip of that length is not made.
    #[error("a clip holds between 10 and 120 seconds")]
    SecondsOutOfRange,
    /// The session has so many markers that another would not be found again.
    #[error("this session has {0} markers already")]
    TooManyMarkers(usize),
    /// Nothing is kept that a clip could be made of.
    #[error("no picture is kept yet: try again in a moment")]
    NoFrameYet,
    /// A part that begins behind the end.
    #[error("the recording is {} seconds long", *duration_ms as f64 / 1000.0)]
    PartBeyondEnd {
        /// How long it is.
        duration_ms: i64,
    },
    /// The file is protected.
    #[error("this video is locked: unlock it first")]
    Locked,
    /// All recorders are busy.
    #[error("{0} recordings are running, which is the limit of this machine")]
    MaxConcurrent(usize),
    /// The camera does not deliver.
    #[error("{message}")]
    CameraUnreachable {
        /// The class.
        reason: Reason,
        /// One redacted sentence.
        message: String,
    },
    /// The encoder is missing on this machine.
    #[error("{0}")]
    EncoderUnavailable(String),
    /// Every port for sessions is taken.
    #[error("{0}")]
    NoFreePort(#[from] crate::host::NoFreePort),
    /// No room for the planned recording.
    #[error("the disk has no room for this recording")]
    DiskFull {
        /// What it is expected to need.
        needed_bytes: u64,
        /// What may be used.
        available_bytes: u64,
    },
    /// Vigie is stopping.
    #[error("Vigie is stopping")]
    Stopping,
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The key file cannot be used.
    #[error("{0}")]
    Key(#[from] crate::crypto::CryptoError),
    /// The recorder or the file system failed.
    #[error("{message}")]
    Recorder {
        /// Whose fault.
        fault: Fault,
        /// One sentence.
        message: String,
    },
    /// We are wrong.
    #[error("something went wrong inside Vigie: {0}")]
    Internal(String),
}

fn fields_sentence(fields: &[FieldError]) -> String {
    fields.iter().map(|f| f.error.as_str()).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// One field that cannot work.
    pub fn field(field: &str, code: &'static str, error: impl Into<String>) -> Self {
        Error::Fields(vec![FieldError { field: field.to_owned(), code, error: error.into(), malformed: false }])
    }

    /// One field that is missing.
    pub fn missing(field: &str) -> Self {
        let error = format!("`{field}` is missing");
        Error::Fields(vec![FieldError { field: field.to_owned(), code: "missing", error, malformed: true }])
    }

    /// One field that cannot be read.
    pub fn malformed(field: &str, error: impl Into<String>) -> Self {
        Error::Fields(vec![FieldError { field: field.to_owned(), code: "type", error: error.into(), malformed: true }])
    }

    /// The stable code of API answers.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Unauthenticated => "unauthenticated",
            Error::BadCredentials => "bad_credentials",
            Error::RateLimited(_) => "rate_limited",
            Error::SignInBusy => "sign_in_busy",
            Error::Denied(d) => d.code,
            Error::SetupDone => "setup_done",
            Error::SetupCode => "setup_code",
            Error::Fields(f) => match f.as_slice() {
                [one] if one.code == "missing" => "missing_field",
                [one] if one.code == "masked_credentials" => "masked_credentials",
                _ => "invalid_field",
            },
            Error::CameraNotFound => "camera_not_found",
            Error::SessionNotFound => "session_not_found",
            Error::ClubNotFound => "club_not_found",
            Error::TerrainNotFound => "terrain_not_found",
            Error::PassNotFound => "pass_not_found",
            Error::ClubHasTerrains => "club_has_terrains",
            Error::CameraInOtherClub => "camera_in_other_club",
            Error::SessionActive => "session_active",
            Error::LastSuperAdmin => "last_super_admin",
            Error::OwnAccount => "own_account",
            Error::VideoNotFound => "video_not_found",
            Error::LogNotFound => "log_not_found",
            Error::MarkerNotFound => "marker_not_found",
            Error::UserNotFound => "user_not_found",
            Error::TokenNotFound => "token_not_found",
            Error::DuplicateName => "duplicate_name",
            Error::DuplicateSlug => "duplicate_slug",
            Error::DuplicateUsername => "duplicate_username",
            Error::DeclaredInFile(_) => "declared_in_file",
            Error::SessionExists(_) => "session_exists",
            Error::TerrainDisabled => "terrain_disabled",
            Error::NoCamera => "no_camera",
            Error::RecordingActive => "recording_active",
            Error::AlreadyRecording => "already_recording",
            Error::NotRecording => "not_recording",
            // The contract knows one word for a session that cannot be used (§20.15); the sentence says which it is.
            Error::SessionClosed => "session_not_found",
            Error::DurationOutOfRange => "duration_out_of_range",
            Error::SecondsOutOfRange => "seconds_out_of_range",
            Error::TooManyMarkers(_) => "too_many_markers",
            Error::NoFrameYet => "no_frame_yet",
            Error::PartBeyondEnd { .. } => "range_not_satisfiable",
            Error::Locked => "locked",
            Error::MaxConcurrent(_) => "max_concurrent_recordings",
            Error::CameraUnreachable { .. } => "camera_unreachable",
            Error::EncoderUnavailable(_) => "encoder_unavailable",
            Error::NoFreePort(_) => "no_free_port",
            Error::DiskFull { .. } => "disk_full",
            Error::Stopping => "stopping",
            Error::Store(StoreError::DiskFull) => "disk_full",
            Error::Store(_) | Error::Internal(_) | Error::Key(_) => "internal",
            Error::Recorder { .. } => "recorder_failed",
        }
    }

    /// The class of the failure.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Unauthenticated | Error::BadCredentials => Kind::Unauthenticated,
            Error::RateLimited(_) | Error::SignInBusy | Error::MaxConcurrent(_) | Error::TooManyMarkers(_) => {
                Kind::TooMany
            }
            Error::Denied(_) | Error::SetupCode => Kind::Forbidden,
            Error::Fields(f) if f.iter().any(|f| f.malformed) => Kind::Malformed,
            Error::Fields(_) | Error::DurationOutOfRange | Error::SecondsOutOfRange => Kind::Invalid,
            Error::PartBeyondEnd { .. } => Kind::OutOfRange,
            Error::CameraNotFound
            | Error::SessionNotFound
            | Error::SessionClosed
            | Error::ClubNotFound
            | Error::TerrainNotFound
            | Error::PassNotFound
            | Error::VideoNotFound
            | Error::LogNotFound
            | Error::MarkerNotFound
            | Error::UserNotFound
            | Error::TokenNotFound => Kind::NotFound,
            Error::SetupDone
            | Error::ClubHasTerrains
            | Error::CameraInOtherClub
            | Error::SessionActive
            | Error::LastSuperAdmin
            | Error::OwnAccount
            | Error::DuplicateName
            | Error::DuplicateSlug
            | Error::DuplicateUsername
            | Error::DeclaredInFile(_)
            | Error::SessionExists(_)
            | Error::TerrainDisabled
            | Error::NoCamera
            | Error::RecordingActive
            | Error::AlreadyRecording
            | Error::NotRecording => Kind::Conflict,
            Error::Locked => Kind::Locked,
            Error::CameraUnreachable { .. } => Kind::Upstream,
            Error::EncoderUnavailable(_) | Error::NoFreePort(_) | Error::NoFrameYet | Error::Stopping => {
                Kind::Unavailable
            }
            Error::DiskFull { .. } | Error::Store(StoreError::DiskFull) => Kind::NoSpace,
            Error::Store(_) | Error::Internal(_) | Error::Key(_) | Error::Recorder { .. } => Kind::Internal,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Error::Store(e) => e.fault(),
            Error::Key(e) => e.fault(),
            Error::Recorder { fault, .. } => *fault,
            Error::CameraUnreachable { reason, .. } => reason.fault(),
            e => match e.kind() {
                Kind::Unauthenticated | Kind::Forbidden => Fault::Auth,
                Kind::NotFound => Fault::NotFound,
                Kind::TooMany | Kind::Unavailable => Fault::Capacity,
                Kind::NoSpace => Fault::Disk,
                Kind::Unsupported => Fault::Unsupported,
                Kind::Internal => Fault::Bug,
                Kind::Malformed | Kind::Conflict | Kind::Invalid | Kind::OutOfRange | Kind::Locked | Kind::Upstream => {
                    Fault::Config
                }
            },
        }
    }

    /// What machines can make use of, for `details` of the answer.
    pub fn details(&self) -> Option<Value> {
        match self {
            Error::Fields(f) => Some(Value::Object(
                f.iter().map(|f| (f.field.clone(), json!({"code": f.code, "error": f.error}))).collect(),
            )),
            Error::DeclaredInFile(f) => Some(json!({ "fields": f })),
            Error::SessionExists(id) => Some(json!({ "session_id": id })),
            Error::CameraUnreachable { reason, .. } => Some(json!({ "reason": reason.as_str() })),
            Error::PartBeyondEnd { duration_ms } => Some(json!({ "duration_seconds": *duration_ms as f64 / 1000.0 })),
            Error::MaxConcurrent(n) => Some(json!({ "max_concurrent_recordings": n })),
            Error::DiskFull { needed_bytes, available_bytes } => {
                Some(json!({ "needed_bytes": needed_bytes, "available_bytes": available_bytes }))
            }
            _ => None,
        }
    }

    /// How long to wait before asking again, for `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited(d) => Some((*d).max(Duration::from_secs(1))),
            Error::SignInBusy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}
