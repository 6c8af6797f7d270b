//! Ways in: one file per kind of camera, one list, and the supervisor that keeps them running.
//!
//! A source connects once, publishes until something ends it, and says why. **It never retries**: waiting, probing
//! and giving up are the supervisor's business alone.

pub mod spec;

use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use vigie_hub::{Failure, Publisher, Reason};

pub use spec::{ConnectionConfig, SourceSpec, Transport};

/// A way in, for one connection.
#[async_trait]
pub trait Source: Send {
    /// Connects, describes, publishes; returns when the connection ended. Must return soon after `cancel`.
    ///
    /// A stream that ends by itself (a file that does not loop) returns `Ok`.
    async fn run(&mut self, out: Publisher, cancel: CancellationToken) -> Result<(), SourceError>;
}

/// Why a connection ended: whose fault, and one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The class; decides about retries and probes.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

impl SourceError {
    /// An error of that class.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
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
