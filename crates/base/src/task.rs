//! Tasks that are owned: named in the log, cancelled with their owner, and whose panic is seen.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info_span};

/// A running task that is cancelled when this handle is dropped.
#[derive(Debug)]
pub struct Task {
    cancel: CancellationToken,
    handle: Option<JoinHandle<()>>,
}

impl Task {
    /// Runs `f(cancel)`; the task must return soon after the token is cancelled.
    pub fn spawn<F, Fut>(name: &'static str, f: F) -> Self
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let work = f(cancel.clone());
        let handle = tokio::spawn(
            async move {
                // A panic here would otherwise vanish with the handle.
                if let Err(e) = tokio::spawn(work.in_current_span()).await
                    && e.is_panic()
                {
                    error!(task = name, "task panicked: this is a bug in Vigie");
                }
            }
            .instrument(info_span!("task", name)),
        );
        Self { cancel, handle: Some(handle) }
    }

    /// Asks the task to end.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Asks the task to end and waits until it has.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        if let Some(h) = self.handle.take() {
            // The wrapper neither panics nor is aborted, so there is nothing to report.
            let _ = h.await;
        }
    }

    /// Waits for the task to end by itself.
    pub async fn join(mut self) {
        if let Some(h) = self.handle.take() {
            let _ = h.await;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.handle.is_some() {
            self.cancel.cancel();
        }
    }
}
