//! The rules: who may do what, which cameras there are, which sessions and recordings run.
//!
//! Everything a person can ask for goes through [`Control`]; [`policy`] alone decides about rights; outputs ask through
//! [`vigie_hub::Gate`]. **No HTTP and no SQL in here**, and no view of sources or outputs: the binary hands in a
//! [`StreamHost`] and a [`Prober`].

pub mod audit;
pub mod auth;
pub mod cameras;
pub mod clubs;
pub mod config;
mod core;
pub mod courts;
pub mod crypto;
pub mod error;
pub mod events;
mod gate;
pub mod host;
pub mod links;
pub mod markers;
mod names;
pub mod policy;
pub mod recordings;
mod remember;
pub mod sessions;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_base::Clock;
use vigie_base::task::Task;
use vigie_hub::{Gate, Hub};
use vigie_record::Recorder;
use vigie_store::Store;

use crate::core::Core;
use crate::crypto::Keys;

pub use config::Config;
pub use error::{Error, FieldError, Kind, Result};
pub use host::{Prober, SessionPorts, StreamHost};
pub use links::Links;
pub use policy::{Action, Denied, Identity, Target, decide};

/// How often left-overs are looked for (contract §20.7).
const CLEAN_UP_EVERY: Duration = Duration::from_secs(300);

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
    /// Listeners of single sessions; [`host::NoPorts`] where they have none.
    pub ports: Arc<dyn SessionPorts>,
    /// Writes files, below [`Config::media_dir`].
    pub recorder: Recorder,
}

/// Everything, wired. One per process.
#[derive(Debug)]
pub struct Control {
    /// Signing in.
    pub auth: Arc<auth::Auth>,
    /// Clubs.
    pub clubs: clubs::Clubs,
    /// Courts, and the tablets beside them.
    pub courts: courts::Courts,
    /// Who did what.
    pub audit: audit::Audit,
    /// Cameras.
    pub cameras: cameras::Cameras,
    /// Capture sessions.
    pub sessions: sessions::Sessions,
    /// Recordings and files.
    pub recordings: recordings::Recordings,
    /// Marked moments and their clips.
    pub markers: markers::Markers,
    /// Events.
    pub events: events::Events,
    core: Arc<Core>,
    timer: Mutex<Option<Task>>,
}

impl Control {
    /// Opens the key, loads users and cameras, hands the cameras to the host, closes sessions that a crash left open,
    /// and starts the timers. Call it after the recorder's repair.
    pub async fn start(config: Config, parts: Parts) -> Result<Arc<Self>> {
        if config.rtsp.user.is_some() != config.rtsp.password.is_some() {
            let missing = if config.rtsp.user.is_some() { "rtsp.password" } else { "rtsp.user" };
            return Err(Error::field(
                missing,
                "missing",
                "rtsp.user and rtsp.password belong together: set both, or none",
            ));
        }
        let key = config.data_dir.join("secret.key");
        let keys = tokio::task::spawn_blocking(move || Keys::load_or_create(&key))
            .await
            .map_err(|_| Error::Internal("reading the key panicked".to_owned()))??;
        let keys = Arc::new(keys);
        let store = parts.store;
        let clubs = store.clubs().await?.into_iter().map(|c| (c.id, c)).collect();
        let clubs = Arc::new(parking_lot::RwLock::new(clubs));
        let (clock, shared) = (Arc::clone(&parts.clock), Arc::clone(&clubs));
        let auth = auth::Auth::open(&config, store.clone(), clock, Arc::clone(&keys), shared).await?;
        let cameras = store.cameras().await?.into_iter().map(|c| (c.id, c)).collect();
        let terrains = store.terrains().await?.into_iter().map(|t| (t.id, t)).collect();
        let core = Arc::new(Core {
            config,
            store,
            hub: parts.hub,
            clock: parts.clock,
            streams: parts.streams,
            prober: parts.prober,
            ports: parts.ports,
            recorder: parts.recorder,
            keys,
            auth: Arc::new(auth),
            bus: events::Bus::new(),
            cameras: parking_lot::RwLock::new(cameras),
            camera_changes: tokio::sync::Mutex::default(),
            clubs,
            terrains: parking_lot::RwLock::new(terrains),
            sessions: sessions::Table::default(),
            watched: Mutex::default(),
            connect_ms: Mutex::default(),
            stopping: CancellationToken::new(),
        });
        sessions::close_left_over(&core).await?;
        let sessions = sessions::Sessions { core: Arc::clone(&core) };
        let recordings = recordings::Recordings::new(Arc::clone(&core), sessions.clone());
        let control = Arc::new(Self {
            auth: Arc::clone(&core.auth),
            clubs: clubs::Clubs { core: Arc::clone(&core) },
            courts: courts::Courts { core: Arc::clone(&core) },
            audit: audit::Audit { core: Arc::clone(&core) },
            cameras: cameras::Cameras::new(Arc::clone(&core)),
            markers: markers::Markers::new(Arc::clone(&core), sessions.clone(), recordings.clone()),
            recordings,
            sessions,
            events: events::Events::new(Arc::clone(&core)),
            core,
            timer: Mutex::default(),
        });
        control.cameras.start().await?;
        let recordings = control.recordings.clone();
        // A shorter patience with idle sessions has to be looked after as often.
        let every = CLEAN_UP_EVERY.min(control.core.config.session_timeout).max(Duration::from_secs(1));
        *control.timer.lock() = Some(Task::spawn("clean-up", move |cancel| clean_up(recordings, every, cancel)));
        Ok(control)
    }

    /// The door for outputs.
    pub fn gate(self: &Arc<Self>) -> Arc<dyn Gate> {
        Arc::new(gate::Door(Arc::clone(&self.core)))
    }

    /// Finishes recordings, closes sessions and ends the timers. The store may be closed afterwards.
    pub async fn shutdown(&self) {
        // 1. Nothing new begins.
        self.core.stopping.cancel();
        let timer = self.timer.lock().take();
        if let Some(timer) = timer {
            timer.stop().await;
        }
        // 2. Files are finished.
        self.core.recorder.stop_all().await;
        // 3. Sessions are closed, so that the next start has nothing to clear up.
        for row in self.core.sessions.all() {
            sessions::close(&self.core, &row.id, None).await;
        }
    }
}

async fn clean_up(recordings: recordings::Recordings, every: Duration, cancel: CancellationToken) {
    // The encoder is tried out now, so that nobody who asks how things are has to wait for it.
    let _ = cancel.run_until_cancelled(recordings.core.recorder.encoder()).await;
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = cancel.cancelled() => return,
        }
        if let Err(e) = recordings.clean_up(&Identity::system()).await {
            warn!(error = %e, "the clean-up failed");
        }
    }
}
