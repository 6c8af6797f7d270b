//! What the parts of `control` share.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, Clock, StreamKey};
use vigie_hub::{Hub, Stream};
use vigie_record::Recorder;
use vigie_store::{Camera, Club, Store, Terrain};

use crate::auth::Auth;
use crate::config::Config;
use crate::crypto::Keys;
use crate::error::{Error, Result};
use crate::events::Bus;
use crate::host::{Prober, SessionPorts, StreamHost};
use crate::policy::{Action, Identity, Target, decide};
use crate::sessions::Table;

/// Clubs by number; shared with those who only need to know what a club is called.
pub(crate) type ClubTable = Arc<RwLock<BTreeMap<i64, Club>>>;

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) hub: Hub,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) streams: Arc<dyn StreamHost>,
    pub(crate) prober: Arc<dyn Prober>,
    pub(crate) ports: Arc<dyn SessionPorts>,
    pub(crate) recorder: Recorder,
    pub(crate) keys: Arc<Keys>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) bus: Bus,
    /// All cameras, as stored. Read on every connection of every output, so kept here; what people say is written
    /// only together with the store, under `camera_changes`.
    pub(crate) cameras: RwLock<BTreeMap<CameraId, Camera>>,
    pub(crate) camera_changes: tokio::sync::Mutex<()>,
    /// All clubs and courts, as stored; written only together with the store, under `camera_changes`, for a court
    /// rules its camera.
    pub(crate) clubs: ClubTable,
    pub(crate) terrains: RwLock<BTreeMap<i64, Terrain>>,
    pub(crate) sessions: Table,
    /// Streams that have a watcher.
    pub(crate) watched: Mutex<BTreeMap<StreamKey, Weak<Stream>>>,
    pub(crate) connect_ms: Mutex<BTreeMap<CameraId, u64>>,
    /// Cancelled when Vigie stops.
    pub(crate) stopping: CancellationToken,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("cameras", &self.cameras.read().len()).finish_non_exhaustive()
    }
}

impl Core {
    /// A camera by number or slug, whoever asks.
    pub(crate) fn find_camera(&self, id_or_slug: &str) -> Option<Camera> {
        let cameras = self.cameras.read();
        match id_or_slug.parse() {
            Ok(id) => cameras.get(&CameraId(id)).cloned(),
            Err(_) => cameras.values().find(|c| c.fields.slug == id_or_slug).cloned(),
        }
    }

    /// A camera that `who` may do that to.
    pub(crate) fn camera_for(&self, who: &Identity, action: Action, id_or_slug: &str) -> Result<Camera> {
        let camera = self.find_camera(id_or_slug).ok_or(Error::CameraNotFound)?;
        decide(who, action, &self.camera_target(who, &camera))?;
        Ok(camera)
    }

    /// Takes over what people say of a camera now; what was observed meanwhile stays.
    pub(crate) fn put_camera(&self, camera: Camera) {
        let mut cameras = self.cameras.write();
        let health = cameras.get(&camera.id).map(|c| c.health.clone());
        let health = health.unwrap_or_else(|| camera.health.clone());
        cameras.insert(camera.id, Camera { health, ..camera });
    }

    /// What the rules look at. Of several courts that a camera looks at, the one of a kiosk pass counts for its holder.
    pub(crate) fn camera_target(&self, who: &Identity, camera: &Camera) -> Target {
        let own = who.terrain_id.filter(|t| {
            let terrains = self.terrains.read();
            terrains.get(t).is_some_and(|t| t.camera_id == Some(camera.id))
        });
        Target::Camera { club_id: camera.fields.club_id, terrain_id: own.or(camera.fields.terrain_id) }
    }
}
