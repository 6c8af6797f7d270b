//! Identifiers as types, so that a camera's number is never taken for a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A camera of the registry.
    CameraId
);
number_id!(
    /// A person who can sign in.
    UserId
);
number_id!(
    /// One recorded file.
    RecordingId
);

/// A capture session: `sess_<club>_<terrain>_<unix seconds>` (contract §0.5.2). Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of a camera's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamName {
    /// The best picture.
    Main,
    /// The small one, for tiles and analysis.
    Sub,
}

impl StreamName {
    /// The word used in paths and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            StreamName::Main => "main",
            StreamName::Sub => "sub",
        }
    }
}

impl FromStr for StreamName {
    type Err = UnknownStream;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "main" => Ok(StreamName::Main),
            "sub" => Ok(StreamName::Sub),
            _ => Err(UnknownStream),
        }
    }
}

/// A stream name that is neither `main` nor `sub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stream is `main` or `sub`")]
pub struct UnknownStream;

/// One stream of one camera: what the hub pulls once and hands to everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// Whose stream.
    pub camera: CameraId,
    /// Which stream.
    pub stream: StreamName,
}

impl StreamKey {
    /// The camera's main stream.
    pub fn main(camera: CameraId) -> Self {
        Self { camera, stream: StreamName::Main }
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cam/{}/{}", self.camera, self.stream.as_str())
    }
}
