//! Courts: the places of a club that are recorded. **Which camera looks at a court is said at the court**; what a
//! camera says of its court and club follows.
//!
//! A court that goes is taken out of sight first and looked at for open sessions second, while a new session is put on
//! the table first and looks for its court second: of the two that come at once, one is refused.

mod kiosk;
mod view;

use std::sync::Arc;

use serde_json::json;
use tracing::info;
use vigie_base::CameraId;
use vigie_store::{Camera, NewTerrain, StoreError, Terrain};

use crate::clubs::MAX_NAME;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::names;
use crate::policy::{Action, Identity, Target, decide};

pub use kiosk::{NewPass, PassView};
pub use view::TerrainView;

/// A court with its club.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Court {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) club_id: i64,
    pub(crate) club_name: String,
    /// The camera that looks at it.
    pub(crate) camera_id: Option<CameraId>,
    /// Whether sessions may be made on it.
    pub(crate) enabled: bool,
}

impl Court {
    /// What the rules look at.
    pub(crate) fn target(&self) -> Target {
        Target::Court { club_id: Some(self.club_id), terrain_id: Some(self.id) }
    }
}

/// A wish for a court.
#[derive(Debug, Clone)]
pub struct NewCourt {
    /// 1–80 characters, unique in the club.
    pub name: String,
    /// The camera that looks at it.
    pub camera_id: Option<i64>,
    /// Whether sessions may be made on it.
    pub enabled: bool,
}

/// What is to change about a court; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct CourtChange {
    /// 1–80 characters, unique in the club.
    pub name: Option<String>,
    /// Another camera, or none.
    pub camera_id: Option<Option<i64>>,
    /// Whether sessions may be made on it.
    pub enabled: Option<bool>,
}

/// Courts. See the module.
#[derive(Debug, Clone)]
pub struct Courts {
    pub(crate) core: Arc<Core>,
}

impl Courts {
    /// Courts that `who` may see, by club and number; of one club when that is asked for.
    pub fn list(&self, who: &Identity, club: Option<i64>) -> Result<Vec<TerrainView>> {
        decide(who, Action::ViewClub, &Target::Any)?;
        if let Some(id) = club {
            self.core.club_for(who, Action::ViewClub, id)?;
        }
        let ids: Vec<(i64, i64)> = self.core.terrains.read().values().map(|t| (t.club_id, t.id)).collect();
        let mut courts: Vec<Court> = ids
            .into_iter()
            .filter(|(of, _)| club.is_none_or(|c| c == *of))
            .filter_map(|(_, id)| self.core.court(id))
            .filter(|c| decide(who, Action::ViewClub, &c.target()).is_ok())
            .collect();
        courts.sort_by_key(|c| (c.club_id, c.id));
        Ok(self.views(who, &courts))
    }

    /// One court.
    pub fn get(&self, who: &Identity, id: i64) -> Result<TerrainView> {
        let court = self.core.court_for(who, Action::ViewClub, id)?;
        Ok(self.view(who, &court))
    }

    /// Adds a court to a club.
    pub async fn create(&self, who: &Identity, club: i64, new: NewCourt) -> Result<TerrainView> {
        self.core.club_for(who, Action::ManageCourts, club)?;
        let name = names::check("name", &new.name, MAX_NAME)?;
        let _one = self.core.camera_changes.lock().await;
        self.free(club, &name, None)?;
        let camera_id = new.camera_id.map(|c| self.camera(who, club, c)).transpose()?;
        let at = self.core.clock.wall();
        let new = NewTerrain { club_id: club, name, camera_id, enabled: new.enabled, at };
        let terrain = self.core.store.insert_terrain(new).await.map_err(taken)?;
        self.core.take_over(&terrain, None).await?;
        self.note(who, "terrain.create", &terrain).await;
        info!(terrain = %terrain.id, club, "court added");
        self.get(who, terrain.id)
    }

    /// Changes a court. A session that is open on it goes on with the camera that it began with.
    pub async fn change(&self, who: &Identity, id: i64, change: CourtChange) -> Result<TerrainView> {
        self.core.court_for(who, Action::ManageCourts, id)?;
        let name = change.name.as_deref().map(|n| names::check("name", n, MAX_NAME)).transpose()?;
        let _one = self.core.camera_changes.lock().await;
        let mut terrain = self.core.terrains.read().get(&id).cloned().ok_or(Error::TerrainNotFound)?;
        let before = terrain.camera_id;
        if let Some(name) = name {
            self.free(terrain.club_id, &name, Some(id))?;
            terrain.name = name;
        }
        match change.camera_id {
            Some(Some(camera)) if before != Some(CameraId(camera)) => {
                terrain.camera_id = Some(self.camera(who, terrain.club_id, camera)?);
            }
            Some(None) => terrain.camera_id = None,
            Some(Some(_)) | None => {}
        }
        terrain.enabled = change.enabled.unwrap_or(terrain.enabled);
        terrain.updated_at = self.core.clock.wall();
        self.core.store.update_terrain(&terrain).await.map_err(taken)?;
        self.core.take_over(&terrain, before).await?;
        self.note(who, "terrain.update", &terrain).await;
        self.get(who, id)
    }

    /// Removes a court without an open session, and its kiosk passes with it. Recordings keep its number.
    pub async fn delete(&self, who: &Identity, id: i64) -> Result<()> {
        let _one = self.core.camera_changes.lock().await;
        let _people = self.core.auth.changes().lock().await;
        self.core.court_for(who, Action::ManageCourts, id)?;
        // 1. Out of sight. 2. Nobody is on it, or it comes back. 3. The row.
        let Some(terrain) = self.core.terrains.write().remove(&id) else { return Err(Error::TerrainNotFound) };
        let busy = self.core.sessions.all().iter().any(|s| s.terrain_id == Some(id));
        let gone =
            if busy { Err(Error::SessionActive) } else { self.core.store.delete_terrain(id).await.map_err(taken) };
        if let Err(e) = gone {
            self.core.terrains.write().insert(id, terrain);
            return Err(e);
        }
        self.core.auth.forget_passes(id);
        if let Some(camera) = terrain.camera_id {
            self.core.reload_camera(camera).await?;
        }
        self.core.bus.tell(Notice::TerrainRemoved(id));
        self.note(who, "terrain.delete", &terrain).await;
        info!(terrain = %id, "court removed");
        Ok(())
    }

    /// A camera that `who` may put on a court of that club.
    fn camera(&self, who: &Identity, club: i64, id: i64) -> Result<CameraId> {
        let camera = self.core.cameras.read().get(&CameraId(id)).cloned().ok_or(Error::CameraNotFound)?;
        decide(who, Action::ManageCamera, &self.core.camera_target(who, &camera))?;
        match camera.fields.club_id {
            Some(other) if other != club => Err(Error::CameraInOtherClub),
            _ => Ok(camera.id),
        }
    }

    /// With `camera_changes` held.
    fn free(&self, club: i64, name: &str, own: Option<i64>) -> Result<()> {
        let terrains = self.core.terrains.read();
        let taken = terrains.values().any(|t| t.club_id == club && Some(t.id) != own && names::same(&t.name, name));
        if taken { Err(Error::DuplicateName) } else { Ok(()) }
    }

    async fn note(&self, who: &Identity, action: &str, t: &Terrain) {
        let camera = t.camera_id.map(|c| c.0);
        let details = json!({ "club_id": t.club_id, "name": t.name, "camera_id": camera, "enabled": t.enabled });
        self.core.auth.note(who, action, &format!("terrain/{}", t.id), details).await;
    }
}

impl Core {
    /// A court, whoever asks. In memory.
    pub(crate) fn court(&self, id: i64) -> Option<Court> {
        let t: Terrain = self.terrains.read().get(&id).cloned()?;
        let club_name = self.clubs.read().get(&t.club_id).map(|c| c.name.clone()).unwrap_or_default();
        Some(Court {
            id: t.id,
            name: t.name,
            club_id: t.club_id,
            club_name,
            camera_id: t.camera_id,
            enabled: t.enabled,
        })
    }

    /// A court that `who` may do that to.
    pub(crate) fn court_for(&self, who: &Identity, action: Action, id: i64) -> Result<Court> {
        let court = self.court(id).ok_or(Error::TerrainNotFound)?;
        decide(who, action, &court.target())?;
        Ok(court)
    }

    /// Takes over a written court and what its cameras, the old and the new, now say of it. With `camera_changes` held.
    async fn take_over(&self, terrain: &Terrain, before: Option<CameraId>) -> Result<()> {
        self.terrains.write().insert(terrain.id, terrain.clone());
        self.bus.tell(Notice::Terrain(terrain.id));
        let both = [before, terrain.camera_id];
        for camera in both.into_iter().flatten().filter(|_| before != terrain.camera_id) {
            self.reload_camera(camera).await?;
        }
        Ok(())
    }

    /// Makes that court's camera the one given, or none. With `camera_changes` held.
    pub(crate) async fn set_court_camera(&self, id: i64, camera: Option<CameraId>) -> Result<()> {
        let mut terrain = self.terrains.read().get(&id).cloned().ok_or(Error::TerrainNotFound)?;
        let before = terrain.camera_id;
        if before == camera {
            return Ok(());
        }
        terrain.camera_id = camera;
        terrain.updated_at = self.clock.wall();
        self.store.update_terrain(&terrain).await.map_err(taken)?;
        self.take_over(&terrain, before).await
    }

    /// Numbers of the courts that a camera looks at.
    pub(crate) fn courts_of_camera(&self, camera: CameraId) -> Vec<i64> {
        self.terrains.read().values().filter(|t| t.camera_id == Some(camera)).map(|t| t.id).collect()
    }

    /// A camera is gone: its courts have none. The store has done the same.
    pub(crate) fn courts_lose_camera(&self, camera: CameraId) {
        let courts = self.courts_of_camera(camera);
        for id in courts {
            if let Some(t) = self.terrains.write().get_mut(&id) {
                t.camera_id = None;
            }
            self.bus.tell(Notice::Terrain(id));
        }
    }

    /// Reads a camera again whose court or club followed a change of the courts.
    pub(crate) async fn reload_camera(&self, id: CameraId) -> Result<()> {
        if let Some(camera) = self.store.camera(id).await? {
            self.put_camera(camera);
            self.bus.tell(Notice::Camera(id));
        }
        Ok(())
    }

    /// Reads all cameras again.
    pub(crate) async fn reload_cameras(&self) -> Result<()> {
        let cameras: Vec<Camera> = self.store.cameras().await?;
        for camera in cameras {
            let id = camera.id;
            self.put_camera(camera);
            self.bus.tell(Notice::Camera(id));
        }
        Ok(())
    }
}

fn taken(e: StoreError) -> Error {
    match e {
        StoreError::Conflict("name" | "camera name") => Error::DuplicateName,
        StoreError::Conflict("camera club") => Error::CameraInOtherClub,
        StoreError::NotFound("club") => Error::ClubNotFound,
        StoreError::NotFound("camera") => Error::CameraNotFound,
        StoreError::NotFound("court") => Error::TerrainNotFound,
        e => e.into(),
    }
}
