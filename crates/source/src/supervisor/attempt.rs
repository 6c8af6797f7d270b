//! One connection of a source, as a task that is watched.

use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::error;
use vigie_hub::{Publisher, Reason};

use super::Reach;
use crate::{Source, SourceError};

/// How long a cancelled source may take to end before it is cut off.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A running source.
#[derive(Debug)]
pub(super) struct Attempt {
    cancel: CancellationToken,
    task: JoinHandle<Result<(), SourceError>>,
    /// The stream's epoch before this one: it has taken the stream over once the epoch differs.
    pub(super) epoch: u64,
    pub(super) started: Instant,
    /// First unit, once there was one.
    pub(super) live_since: Option<Instant>,
    /// Started because a probe was answered, not because the table said so.
    pub(super) by_probe: bool,
}

impl Attempt {
    pub(super) fn start(mut source: Box<dyn Source>, out: Publisher, by_probe: bool) -> Self {
        let cancel = CancellationToken::new();
        let epoch = out.stream().epoch();
        let token = cancel.clone();
        let task = tokio::spawn(async move { source.run(out, token).await });
        Self { cancel, task, epoch, started: Instant::now(), live_since: None, by_probe }
    }

    /// Waits for its end. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Result<(), SourceError> {
        match (&mut self.task).await {
            Ok(result) => result,
            Err(e) if e.is_panic() => {
                error!("a source panicked: this is a bug in Vigie");
                Err(SourceError::new(Reason::Protocol, "reading this camera hit a bug in Vigie; please report it"))
            }
            Err(_) => Ok(()),
        }
    }

    /// Ends it and waits until it has, for a short while.
    pub(super) async fn retire(mut self) {
        self.cancel.cancel();
        if tokio::time::timeout(END_WITHIN, self.ended()).await.is_err() {
            error!("a source did not end when told to: this is a bug in Vigie");
            self.task.abort();
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Probes by a TCP connect that is closed at once.
pub(super) struct TcpReach;

#[async_trait]
impl Reach for TcpReach {
    async fn answers(&self, host: &str, port: u16) -> bool {
        TcpStream::connect((host, port)).await.is_ok()
    }
}
