//! Clubs: the tenants. **A club's walls are those of [`policy`](crate::policy)**; here stands only what a club is.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use tracing::info;
use vigie_store::{Club, NewClub, StoreError};

use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::names;
use crate::policy::{Action, Identity, Target, decide};

/// Longest name of a club or court, in characters.
pub(crate) const MAX_NAME: usize = 80;

/// A club as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClubView {
    /// Its number.
    pub id: i64,
    /// Its name; unique.
    pub name: String,
    /// IANA name of its time zone, e.g. `Europe/Paris`.
    pub timezone: String,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// How many courts it has.
    pub terrain_count: usize,
    /// How many accounts belong to it.
    pub user_count: usize,
}

/// What is to change about a club; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ClubChange {
    /// 1–80 characters.
    pub name: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
}

/// Clubs. See the module.
#[derive(Debug, Clone)]
pub struct Clubs {
    pub(crate) core: Arc<Core>,
}

impl Clubs {
    /// Clubs that `who` may see, by number.
    pub fn list(&self, who: &Identity) -> Result<Vec<ClubView>> {
        decide(who, Action::ViewClub, &Target::Any)?;
        let clubs: Vec<Club> = {
            let all = self.core.clubs.read();
            all.values().filter(|c| decide(who, Action::ViewClub, &Target::Club(c.id)).is_ok()).cloned().collect()
        };
        Ok(clubs.iter().map(|c| self.view(c)).collect())
    }

    /// One club.
    pub fn get(&self, who: &Identity, id: i64) -> Result<ClubView> {
        Ok(self.view(&self.core.club_for(who, Action::ViewClub, id)?))
    }

    /// Adds a club; without a time zone it gets this machine's.
    pub async fn create(&self, who: &Identity, name: &str, timezone: Option<&str>) -> Result<ClubView> {
        decide(who, Action::ManageClubs, &Target::Any)?;
        let name = names::check("name", name, MAX_NAME)?;
        let timezone = zone(timezone)?;
        let _one = self.core.camera_changes.lock().await;
        self.free(&name, None)?;
        let new = NewClub { name, timezone, at: self.core.clock.wall() };
        let club = self.core.store.insert_club(new).await.map_err(taken)?;
        self.core.clubs.write().insert(club.id, club.clone());
        self.note(who, "club.create", &club).await;
        info!(club = %club.id, "club added");
        Ok(self.view(&club))
    }

    /// Changes name or time zone.
    pub async fn change(&self, who: &Identity, id: i64, change: ClubChange) -> Result<ClubView> {
        self.core.club_for(who, Action::EditClub, id)?;
        let name = change.name.as_deref().map(|n| names::check("name", n, MAX_NAME)).transpose()?;
        let timezone = change.timezone.as_deref().map(|t| zone(Some(t))).transpose()?;
        let _one = self.core.camera_changes.lock().await;
        let mut club = self.core.club_for(who, Action::EditClub, id)?;
        if let Some(name) = name {
            self.free(&name, Some(id))?;
            club.name = name;
        }
        club.timezone = timezone.unwrap_or(club.timezone);
        club.updated_at = self.core.clock.wall();
        self.core.store.update_club(&club).await.map_err(taken)?;
        self.core.clubs.write().insert(id, club.clone());
        self.note(who, "club.update", &club).await;
        for terrain in self.core.terrains_of(id) {
            self.core.bus.tell(Notice::Terrain(terrain));
        }
        Ok(self.view(&club))
    }

    /// Removes a club without courts. Its accounts stay without a club and may do nothing until they get another; its
    /// cameras are the super administrators'; its recordings keep its number.
    pub async fn delete(&self, who: &Identity, id: i64) -> Result<()> {
        let _one = self.core.camera_changes.lock().await;
        let _people = self.core.auth.changes().lock().await;
        let club = self.core.club_for(who, Action::ManageClubs, id)?;
        self.core.store.delete_club(id, self.core.clock.wall()).await.map_err(|e| match e {
            StoreError::Conflict("terrains") => Error::ClubHasTerrains,
            e => taken(e),
        })?;
        self.core.clubs.write().remove(&id);
        self.core.auth.reload().await?;
        self.core.reload_cameras().await?;
        self.note(who, "club.delete", &club).await;
        info!(club = %id, "club removed");
        Ok(())
    }

    /// With `camera_changes` held.
    fn free(&self, name: &str, own: Option<i64>) -> Result<()> {
        let clubs = self.core.clubs.read();
        let taken = clubs.values().any(|c| Some(c.id) != own && names::same(&c.name, name));
        if taken { Err(Error::DuplicateName) } else { Ok(()) }
    }

    fn view(&self, c: &Club) -> ClubView {
        ClubView {
            id: c.id,
            name: c.name.clone(),
            timezone: c.timezone.clone(),
            created_at: c.created_at.rfc3339(),
            terrain_count: self.core.terrains_of(c.id).len(),
            user_count: self.core.auth.count_of_club(c.id),
        }
    }

    async fn note(&self, who: &Identity, action: &str, club: &Club) {
        let details = json!({ "name": club.name, "timezone": club.timezone });
        self.core.auth.note(who, action, &format!("club/{}", club.id), details).await;
    }
}

impl Core {
    /// A club that `who` may do that to.
    pub(crate) fn club_for(&self, who: &Identity, action: Action, id: i64) -> Result<Club> {
        let club = self.clubs.read().get(&id).cloned().ok_or(Error::ClubNotFound)?;
        decide(who, action, &Target::Club(id))?;
        Ok(club)
    }

    /// Numbers of the courts of a club.
    pub(crate) fn terrains_of(&self, club: i64) -> Vec<i64> {
        self.terrains.read().values().filter(|t| t.club_id == club).map(|t| t.id).collect()
    }
}

/// A time zone that is known; this machine's when none is named, `UTC` where that has no name.
fn zone(name: Option<&str>) -> Result<String> {
    let unknown = || Error::field("timezone", "value", "there is no such time zone: use a name such as Europe/Paris");
    match name.map(str::trim).filter(|n| !n.is_empty()) {
        None => Ok(TimeZone::system().iana_name().unwrap_or("UTC").to_owned()),
        // Longer ones exist nowhere, and a path is no name.
        Some(n) if n.len() > 64 || n.starts_with('/') || n.contains("..") => Err(unknown()),
        Some(n) => {
            let zone = TimeZone::get(n).map_err(|_| unknown())?;
            Ok(zone.iana_name().unwrap_or(n).to_owned())
        }
    }
}

fn taken(e: StoreError) -> Error {
    match e {
        StoreError::Conflict("name") => Error::DuplicateName,
        StoreError::NotFound("club") => Error::ClubNotFound,
        e => e.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_are_those_of_the_world() {
        assert_eq!(zone(Some("Europe/Paris")).unwrap(), "Europe/Paris");
        assert_eq!(zone(Some("utc")).unwrap(), "UTC");
        assert!(!zone(None).unwrap().is_empty());
        let long = "x".repeat(10_000);
        for bad in ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe/Paris\0", "'; --", &long] {
            assert_eq!(zone(Some(bad)).unwrap_err().code(), "invalid_field", "{bad:?}");
        }
    }
}
