//! Courts: the places of a club that are recorded.

use vigie_base::CameraId;
use vigie_store::Terrain;

use crate::core::Core;
use crate::policy::Target;

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
}
