//! Keeps one stream's source running: starts it when somebody wants it, stops it when nobody does, and brings it back.
//!
//! **A reconnect never breaks a reader or a recording**: the stream stays, the new connection publishes into it, and
//! an old connection that only fell silent is kept until the new one has tracks to show (make before break).
//!
//! Waiting follows the contract's table (§10.8) to the second. While somebody watches, a bare connect each second
//! brings the next attempt forward the moment the camera answers again.

mod attempt;
mod due;
mod run;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use vigie_base::task::Task;
use vigie_base::{Clock, SystemClock, UnixMillis};
use vigie_hub::Stream;

use crate::{Source, SourceError, SourceSpec};

/// Makes a source for one connection.
pub type Make = Arc<dyn Fn(&SourceSpec) -> Result<Box<dyn Source>, SourceError> + Send + Sync>;

/// Told whenever [`Saved`] changes, from the supervisor's task: must not block.
pub type OnChange = Arc<dyn Fn(Saved) + Send + Sync>;

/// Says whether a host answers at all.
#[async_trait]
pub trait Reach: Send + Sync {
    /// Connects without sending a byte, and closes. Bounded by the caller.
    async fn answers(&self, host: &str, port: u16) -> bool;
}

/// What survives a restart of Vigie (contract §10.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saved {
    /// Consecutive failures.
    pub failures: u32,
    /// When the next attempt is due; `None` when none is.
    pub next: Option<UnixMillis>,
}

/// How a stream is supervised.
#[derive(Clone)]
pub struct Options {
    /// How long a source runs on after its last reader left (contract §10.7: 10 s).
    pub linger: Duration,
    /// Keep it running whether or not somebody reads.
    pub always_on: bool,
    /// Bring attempts forward by connect probes (`reconnect.probe`); off shows the naked table.
    pub probe: bool,
    /// How long a connection that fell silent is kept while new ones are tried.
    pub keep_silent: Duration,
    /// How long media has to flow before the failures before it are forgiven.
    pub healthy_after: Duration,
    /// State of an earlier run.
    pub saved: Saved,
    /// Where that state goes.
    pub on_change: Option<OnChange>,
    /// Makes the sources; [`crate::make`] unless a test says otherwise.
    pub make: Make,
    /// Probes hosts; a TCP connect unless a test says otherwise.
    pub reach: Arc<dyn Reach>,
    /// For the wall times in [`Saved`].
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(10),
            always_on: false,
            probe: true,
            keep_silent: Duration::from_secs(60),
            healthy_after: Duration::from_secs(2),
            saved: Saved::default(),
            on_change: None,
            make: Arc::new(crate::make),
            reach: Arc::new(attempt::TcpReach),
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("linger", &self.linger)
            .field("always_on", &self.always_on)
            .field("probe", &self.probe)
            .field("saved", &self.saved)
            .finish_non_exhaustive()
    }
}

/// A supervised stream. Dropping it stops the source.
#[derive(Debug)]
pub struct Supervisor {
    spec: watch::Sender<Arc<SourceSpec>>,
    reconnect: Arc<Notify>,
    task: Task,
}

impl Supervisor {
    /// Connects by other settings from now on: failures are forgotten, an attempt starts at once when the stream is
    /// wanted or was being retried, readers stay. Nothing happens when the settings are the same.
    pub fn update(&self, spec: SourceSpec) {
        self.spec.send_if_modified(|now| {
            let changed = **now != spec;
            if changed {
                *now = Arc::new(spec);
            }
            changed
        });
    }

    /// Forgets failures and connects anew at once, also when nobody watches. A connection that works is kept until
    /// the new one has tracks.
    pub fn reconnect(&self) {
        self.reconnect.notify_one();
    }

    /// Stops the source and waits until it has ended.
    pub async fn stop(self) {
        self.task.stop().await;
    }
}

/// Supervises the source of `stream` until `cancel`, until the stream is removed, or until the handle is dropped.
pub fn supervise(stream: Arc<Stream>, spec: SourceSpec, options: Options, cancel: CancellationToken) -> Supervisor {
    let (sender, receiver) = watch::channel(Arc::new(spec));
    let reconnect = Arc::new(Notify::new());
    let notify = Arc::clone(&reconnect);
    let task = Task::spawn("supervisor", |own| async move {
        // The task ends by whichever comes first: the caller's token or the handle.
        let stop = cancel.child_token();
        let guard = stop.clone().drop_guard();
        tokio::select! {
            () = run::Run::new(stream, receiver, notify, options).run(stop) => {}
            () = async { own.cancelled().await; guard.disarm().cancel(); std::future::pending().await } => {}
        }
    });
    Supervisor { spec: sender, reconnect, task }
}
