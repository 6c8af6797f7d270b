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
        let user = self.user(who.user_id).ok_or(Error::Unauthenticated)?;
        Ok(Standing { who: who.clone(), version: user.token_version })
    }

    /// Who that is now. [`Error::Unauthenticated`] once the sign-in ended, the token was dropped or expired, or the
    /// user was changed or shut out. In memory; cheap enough to be asked before each message.
    pub fn still(&self, standing: &Standing) -> Result<Identity> {
        let who = &standing.who;
        if let Some(id) = who.api_token {
            let token = self.known.read().tokens.values().find(|t| t.id == id).cloned();
            return token.and_then(|t| self.token_identity(&t)).ok_or(Error::Unauthenticated);
        }
        let known = self.known.read();
        let ended = who.sign_in.as_ref().is_some_and(|s| known.ended.contains_key(s));
        match known.users.get(&who.user_id) {
            Some(u) if u.enabled && u.token_version == standing.version && !ended => {
                Ok(identity(u, who.sign_in.clone()))
            }
            _ => Err(Error::Unauthenticated),
        }
    }

    /// What a user is called; `None` when there is no such user any more.
    pub(crate) fn name_of(&self, id: UserId) -> Option<String> {
        self.known.read().users.get(&id).map(|u| u.username.clone())
    }
}
