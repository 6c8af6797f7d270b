//! Those who stay connected. **A right that was taken back ends what it opened**, also for somebody who listens on and
//! sends no further request.

use vigie_base::UserId;

use super::{Auth, identity};
use crate::error::{Error, Result};
use crate::policy::Identity;

/// Somebody who is connected, as known when the connection was made.
#[derive(Debug, Clone)]
pub struct Standing {
    who: Identity,
    /// The user's token version then.
    version: i64,
}

impl Auth {
    /// Remembers who makes a lasting connection now.
    pub fn standing(&self, who: &Identity) -> Result<Standing> {
        Ok(Standing { who: who.clone(), version: self.version_of(who)? })
    }

    /// What has to stay as it is for somebody to go on.
    pub(super) fn version_of(&self, who: &Identity) -> Result<i64> {
        if who.user_id.0 == 0 {
            // Nobody signed in: the doors are open, and stay so while Vigie runs.
            return Ok(0);
        }
        Ok(self.user(who.user_id).ok_or(Error::Unauthenticated)?.token_version)
    }

    /// Who that is now. [`Error::Unauthenticated`] once the sign-in ended, the token was dropped or expired, or the
    /// user was changed or shut out. In memory; cheap enough to be asked before each message.
    pub fn still(&self, standing: &Standing) -> Result<Identity> {
        self.still_who(&standing.who, standing.version).ok_or(Error::Unauthenticated)
    }

    /// What somebody who was identified earlier may do now; `None` when nothing.
    pub(super) fn still_who(&self, who: &Identity, version: i64) -> Option<Identity> {
        if who.user_id.0 == 0 {
            return Some(who.clone());
        }
        let now = match who.api_token {
            Some(id) => {
                let token = self.known.read().tokens.values().find(|t| t.id == id).cloned();
                self.token_identity(&token?)?
            }
            None => {
                let known = self.known.read();
                let ended = who.sign_in.as_ref().is_some_and(|s| known.ended.contains_key(s));
                let user = known.users.get(&who.user_id).filter(|u| u.enabled && u.token_version == version)?;
                (!ended).then(|| identity(user, who.sign_in.clone()))?
            }
        };
        Some(Identity { address: who.address, ..now })
    }

    /// What a user is called; `None` when there is no such user any more.
    pub(crate) fn name_of(&self, id: UserId) -> Option<String> {
        self.known.read().users.get(&id).map(|u| u.username.clone())
    }
}
