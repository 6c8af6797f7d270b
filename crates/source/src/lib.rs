//! Ways in: one file per kind of camera, one list, and the supervisor that keeps them running.
//!
//! A source connects once, publishes until something ends it, and says why. **It never retries**: waiting, probing
//! and giving up are the supervisor's business alone.

pub mod address;
pub mod file;
pub mod http_mjpeg;
pub mod kinds;
pub mod probe;
pub mod rtsp;
pub mod spec;
pub mod supervisor;
pub mod testcard;

use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use vigie_hub::publish::PublishError;
use vigie_hub::{Failure, Publisher, Reason};

pub use kinds::{KINDS, Kind, PLANNED, infer_kind, make};
pub use probe::{ProbeReport, probe};
pub use spec::{ConnectionConfig, SourceSpec, Transport};
pub use supervisor::{Options, Saved, Supervisor, supervise};

/// A way in, for one connection.
#[async_trait]
pub trait Source: Send {
    /// Connects, describes, publishes; returns when the connection ended. Must return soon after `cancel`.
    ///
    /// A stream that ends by itself (a file that does not loop) returns `Ok`, and so does one whose publisher was
    /// superseded.
    async fn run(&mut self, out: Publisher, cancel: CancellationToken) -> Result<(), SourceError>;
}

/// Why a connection ended: whose fault, and one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The class; decides about retries and probes.
    pub reason: Reason,
    /// For people.
    pub message: String,
    /// The camera has no room for one more connection (RTSP 453 or 503): an old one has to be closed first.
    pub busy: bool,
}

impl SourceError {
    /// An error of that class.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), busy: false }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.reason.as_str())
    }
}

impl std::error::Error for SourceError {}

impl From<SourceError> for Failure {
    fn from(e: SourceError) -> Self {
        Failure { reason: e.reason, message: e.message }
    }
}

/// How a source ends when it cannot publish: well, when somebody else took the stream over; as the camera's fault
/// otherwise.
pub fn unpublishable(e: PublishError) -> Result<(), SourceError> {
    match e {
        PublishError::Superseded => Ok(()),
        PublishError::UnknownTrack | PublishError::BadDescription => {
            Err(SourceError::new(Reason::Protocol, format!("the camera's tracks make no sense: {e}")))
        }
    }
}
