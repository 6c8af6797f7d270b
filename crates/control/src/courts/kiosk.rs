//! Kiosk passes: a tablet beside a court that records without anybody signing in on it. **A pass opens one court and
//! no account**; it ends by itself, with its court, and with whoever made it.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use vigie_base::{Secret, UnixMillis};
use vigie_store::ApiToken;

use super::{Courts, TerrainView};
use crate::auth::{Caller, UserView};
use crate::error::{Error, Result};
use crate::names;
use crate::policy::{Action, Identity};

/// How long a pass works when nothing is said.
const HOURS: i64 = 12;
/// Longest life of a pass: a year.
const MAX_HOURS: i64 = 8760;
/// Passes of one court at one time.
const MAX_PASSES: usize = 50;

/// A pass as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassView {
    /// Its number.
    pub id: i64,
    /// The court that it opens.
    pub terrain_id: i64,
    /// What it is called.
    pub name: String,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it ends (RFC 3339).
    pub expires_at: Option<String>,
    /// When it last let somebody in, to the minute (RFC 3339).
    pub last_used_at: Option<String>,
}

impl PassView {
    fn of(t: &ApiToken, terrain_id: i64) -> Self {
        Self {
            id: t.id,
            terrain_id,
            name: t.name.clone(),
            created_at: t.created_at.rfc3339(),
            expires_at: t.expires_at.map(UnixMillis::rfc3339),
            last_used_at: t.last_used_at.map(UnixMillis::rfc3339),
        }
    }
}

/// A wish for a pass.
#[derive(Debug, Clone, Default)]
pub struct NewPass {
    /// 1–8760; 12 when nothing is said.
    pub hours: Option<i64>,
    /// What to call it.
    pub name: Option<String>,
}

/// The answer to a tablet that shows its pass.
#[derive(Debug, Clone)]
pub struct KioskSignIn {
    /// For the cookie.
    pub token: Secret,
    /// How long the cookie is good for.
    pub expires_in: Duration,
    /// When the pass ends (RFC 3339).
    pub expires_at: String,
    /// What the pass may do.
    pub user: UserView,
    /// The court.
    pub terrain: TerrainView,
}

impl Courts {
    /// Passes of a court that still work, by number.
    pub fn passes(&self, who: &Identity, terrain: i64) -> Result<Vec<PassView>> {
        self.core.court_for(who, Action::ViewPasses, terrain)?;
        Ok(self.core.auth.passes(terrain).iter().map(|t| PassView::of(t, terrain)).collect())
    }

    /// Makes a pass; the secret is shown this once.
    pub async fn create_pass(&self, who: &Identity, terrain: i64, new: NewPass) -> Result<(PassView, Secret)> {
        let court = self.core.court_for(who, Action::ManageCourts, terrain)?;
        let hours = new.hours.unwrap_or(HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(Error::field("hours", "value", format!("a pass works for 1 to {MAX_HOURS} hours")));
        }
        let name = match new.name.as_deref().map(str::trim) {
            None | Some("") => court.name.clone(),
            Some(name) => names::check("name", name, 100)?,
        };
        if self.core.auth.passes(terrain).len() >= MAX_PASSES {
            return Err(Error::field("name", "not_allowed", "this court has 50 passes: drop one first"));
        }
        let (token, secret) = self.core.auth.issue_pass(who, court.club_id, terrain, name, hours * 3_600_000).await?;
        let view = PassView::of(&token, terrain);
        let details = json!({ "terrain_id": terrain, "name": view.name, "expires_at": view.expires_at });
        self.core.auth.note(who, "kiosk.create", &format!("pass/{}", view.id), details).await;
        Ok((view, secret))
    }

    /// Ends a pass.
    pub async fn delete_pass(&self, who: &Identity, terrain: i64, pass: i64) -> Result<()> {
        self.core.court_for(who, Action::ManageCourts, terrain)?;
        self.core.auth.drop_pass(terrain, pass).await?;
        self.core.auth.note(who, "kiosk.delete", &format!("pass/{pass}"), json!({ "terrain_id": terrain })).await;
        Ok(())
    }

    /// Lets a tablet in that shows its pass.
    pub async fn kiosk(&self, caller: Caller, pass: &Secret) -> Result<KioskSignIn> {
        let (who, expires_at) = self.core.auth.show_pass(caller, pass)?;
        let terrain = who.terrain_id.ok_or(Error::Unauthenticated)?;
        let court = self.core.court_for(&who, Action::ViewClub, terrain)?;
        let left = expires_at.since_ms(self.core.clock.wall()).max(0);
        let signed_in = KioskSignIn {
            token: pass.clone(),
            expires_in: Duration::from_millis(left.unsigned_abs()),
            expires_at: expires_at.rfc3339(),
            user: self.core.auth.me(&who)?,
            terrain: self.view(&who, &court),
        };
        let target = format!("pass/{}", who.api_token.unwrap_or_default());
        self.core.auth.note(&who, "kiosk.login", &target, json!({ "terrain_id": terrain })).await;
        Ok(signed_in)
    }
}
