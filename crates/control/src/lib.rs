//! The rules: who may do what, which cameras there are, which sessions and recordings run.
//!
//! Everything a person can ask for goes through [`Control`]; [`policy`] alone decides about rights; outputs ask through
//! [`vigie_hub::Gate`]. **No HTTP and no SQL in here**, and no view of sources or outputs: the binary hands in a
//! [`StreamHost`], a [`Prober`] and a [`Recorder`].

pub mod auth;
pub mod cameras;
pub mod config;
pub mod error;
pub mod events;
pub mod host;
pub mod links;
pub mod policy;
pub mod recordings;
pub mod sessions;

use std::sync::Arc;

use vigie_base::Clock;
use vigie_hub::{Gate, Hub};
use vigie_store::Store;

pub use config::Config;
pub use error::{Error, FieldError, Kind, Result};
pub use host::{Prober, Recorder, StreamHost};
pub use links::Links;
pub use policy::{Action, Denied, Identity, Target, decide};

/// What `control` works with.
#[derive(Clone)]
pub struct Parts {
    /// What outlives the process.
    pub store: Store,
    /// Where media flows.
    pub hub: Hub,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Runs sources.
    pub streams: Arc<dyn StreamHost>,
    /// Tests connections.
    pub prober: Arc<dyn Prober>,
    /// Writes files.
    pub recorder: Arc<dyn Recorder>,
}

/// Everything, wired. One per process.
#[derive(Debug)]
pub struct Control {
    /// Signing in.
    pub auth: auth::Auth,
    /// Cameras.
    pub cameras: cameras::Cameras,
    /// Capture sessions.
    pub sessions: sessions::Sessions,
    /// Recordings and files.
    pub recordings: recordings::Recordings,
    /// Events.
    pub events: events::Events,
}

impl Control {
    /// Opens the key, loads users and cameras, hands the cameras to the host, closes sessions that a crash left open,
    /// and starts the timers. Call it after the recorder's repair.
    pub async fn start(config: Config, parts: Parts) -> Result<Arc<Self>> {
        let _ = (config, parts);
        todo!()
    }

    /// The door for outputs.
    pub fn gate(self: &Arc<Self>) -> Arc<dyn Gate> {
        todo!()
    }

    /// Finishes recordings and ends the timers. The store may be closed afterwards.
    pub async fn shutdown(&self) {
        todo!()
    }
}
