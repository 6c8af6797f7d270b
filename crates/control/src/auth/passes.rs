//! Kiosk passes, as far as signing in goes: API tokens that name a court. Which court and whose, [`crate::courts`] says.

use vigie_base::{Secret, UnixMillis};
use vigie_store::{ApiToken, Role, StoreError};

use super::issued::API_PREFIX;
use super::{Auth, Caller};
use crate::crypto::{random_token, sha256};
use crate::error::{Error, Result};
use crate::policy::{Denied, Identity};

/// What the limiter counts guesses under; no user name has a space in it.
const GUESSES: &str = "kiosk pass";

impl Auth {
    /// Passes of a court that have not ended, by number.
    pub(crate) fn passes(&self, terrain: i64) -> Vec<ApiToken> {
        let now = self.clock.wall();
        let known = self.known.read();
        let of = |t: &&ApiToken| t.terrain_id == Some(terrain) && t.expires_at.is_none_or(|e| e > now);
        let mut passes: Vec<ApiToken> = known.tokens.values().filter(of).cloned().collect();
        passes.sort_by_key(|t| t.id);
        passes
    }

    /// Makes a pass. The caller holds the court.
    pub(crate) async fn issue_pass(
        &self,
        who: &Identity,
        club: i64,
        terrain: i64,
        name: String,
        lifetime_ms: i64,
    ) -> Result<(ApiToken, Secret)> {
        if who.user_id.0 <= 0 {
            // A pass stands and falls with its maker.
            return Err(Denied { code: "forbidden" }.into());
        }
        let _one = self.changes.lock().await;
        let secret = random_token(API_PREFIX, 32);
        let now = self.clock.wall();
        let pass = ApiToken {
            id: 0,
            user_id: who.user_id,
            name,
            hash: sha256(secret.reveal()),
            role: Role::Player,
            club_id: Some(club),
            terrain_id: Some(terrain),
            read_only: false,
            created_at: now,
            expires_at: Some(UnixMillis(now.0.saturating_add(lifetime_ms))),
            last_used_at: None,
        };
        let pass = self.store.insert_api_token(pass).await?;
        let mut known = self.known.write();
        // Those that ended open nothing; they need not be kept in memory until the next start.
        known.tokens.retain(|_, t| t.terrain_id.is_none() || t.expires_at.is_none_or(|e| e > now));
        known.tokens.insert(pass.hash, pass.clone());
        Ok((pass, secret))
    }

    /// Ends a pass of that court.
    pub(crate) async fn drop_pass(&self, terrain: i64, id: i64) -> Result<()> {
        let _one = self.changes.lock().await;
        let pass = self.passes(terrain).into_iter().find(|t| t.id == id).ok_or(Error::PassNotFound)?;
        self.store.delete_api_token(id).await.map_err(|e| match e {
            StoreError::NotFound(_) => Error::PassNotFound,
            e => e.into(),
        })?;
        self.known.write().tokens.remove(&pass.hash);
        Ok(())
    }

    /// The court is gone, and the store has dropped its passes.
    pub(crate) fn forget_passes(&self, terrain: i64) {
        self.known.write().tokens.retain(|_, t| t.terrain_id != Some(terrain));
    }

    /// Who holds this pass, and until when it works. Guessing is slowed down.
    pub(crate) fn show_pass(&self, caller: Caller, pass: &Secret) -> Result<(Identity, UnixMillis)> {
        self.limiter.begin(caller.address, GUESSES, self.clock.now()).map_err(Error::RateLimited)?;
        let token = self.known.read().tokens.get(&sha256(pass.reveal())).cloned();
        let token = token.filter(|t| t.terrain_id.is_some()).ok_or(Error::Unauthenticated)?;
        let who = self.token_identity(&token).ok_or(Error::Unauthenticated)?;
        self.limiter.forgive(caller.address, GUESSES);
        self.used(&token);
        let until = token.expires_at.ok_or(Error::Unauthenticated)?;
        Ok((Identity { address: Some(caller.address), ..who }, until))
    }
}
