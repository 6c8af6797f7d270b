//! What signed-in people are given: API tokens, tickets, stream passwords.

use serde::Serialize;
use serde_json::json;
use tracing::warn;
use vigie_base::{Secret, UnixMillis, UserId};
use vigie_hub::Principal;
use vigie_store::{ApiToken, Role, User};

use super::Auth;
use super::tickets::{self, TicketScope};
use crate::crypto::{Place, random_token, sha256};
use crate::error::{Error, Result};
use crate::policy::{Action, Denied, Identity, Target, decide};

/// What API tokens begin with, so that they are not taken for access tokens, and are found by secret scanners.
pub(super) const API_PREFIX: &str = "vgt_";
const API_TOKENS_PER_USER: usize = 100;
/// Uses of a token closer together than this are one.
const TOKEN_USE_STEP_MS: i64 = 60_000;

/// A password for RTSP (and later ONVIF).
#[derive(Debug, Clone)]
pub struct StreamCredentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// An API token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// Its number.
    pub id: i64,
    /// What the owner calls it.
    pub name: String,
    /// What it may do at most.
    pub role: &'static str,
    /// The club it is limited to.
    pub club_id: Option<i64>,
    /// Whether it may only read.
    pub read_only: bool,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it ends (RFC 3339).
    pub expires_at: Option<String>,
    /// When it last let somebody in, to the minute (RFC 3339).
    pub last_used_at: Option<String>,
}

impl From<&ApiToken> for TokenView {
    fn from(t: &ApiToken) -> Self {
        Self {
            id: t.id,
            name: t.name.clone(),
            role: t.role.as_str(),
            club_id: t.club_id,
            read_only: t.read_only,
            created_at: t.created_at.rfc3339(),
            expires_at: t.expires_at.map(UnixMillis::rfc3339),
            last_used_at: t.last_used_at.map(UnixMillis::rfc3339),
        }
    }
}

/// A wish for an API token.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What to call it.
    pub name: String,
    /// Role, at most the maker's; `None` means the maker's.
    pub role: Option<Role>,
    /// Limits it to a club.
    pub club_id: Option<i64>,
    /// May only read.
    pub read_only: bool,
    /// When it ends.
    pub expires_at: Option<UnixMillis>,
}

/// A ticket.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// For `?ticket=`.
    pub ticket: Secret,
    /// Seconds; 600.
    pub expires_in: u64,
}

impl Auth {
    /// Notes the use of a token. Once a minute is enough to tell a token that is used from a forgotten one.
    pub(super) fn used(&self, t: &ApiToken) {
        let now = self.clock.wall();
        if t.last_used_at.is_some_and(|at| (0..TOKEN_USE_STEP_MS).contains(&now.since_ms(at))) {
            return;
        }
        match self.known.write().tokens.get_mut(&t.hash) {
            // Somebody else noted it between the look and the lock.
            Some(known) if known.last_used_at != t.last_used_at => return,
            Some(known) => known.last_used_at = Some(now),
            None => return,
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (store, id) = (self.store.clone(), t.id);
        runtime.spawn(async move {
            if let Err(e) = store.api_token_used(id, now).await {
                // It may just have been dropped.
                tracing::debug!(token = id, error = %e, "the use of a token could not be noted");
            }
        });
    }

    /// An API token never may more than its maker may now.
    pub(super) fn token_identity(&self, t: &ApiToken) -> Option<Identity> {
        if t.expires_at.is_some_and(|e| e <= self.clock.wall()) {
            return None;
        }
        let user = self.user(t.user_id).filter(|u| u.enabled)?;
        let mut role = weaker(t.role, user.role);
        let club_id = if user.role == Role::SuperAdmin { t.club_id } else { user.club_id };
        if club_id.is_some() {
            // Whoever is held to one club does not rule over all.
            role = weaker(role, Role::ClubAdmin);
        }
        // A pass of somebody who moved to another club would open a court that they may not open themselves.
        if t.terrain_id.is_some() && club_id != t.club_id {
            return None;
        }
        Some(Identity {
            user_id: user.id,
            username: format!("{}/{}", user.username, t.name),
            role,
            club_id,
            terrain_id: t.terrain_id,
            api_token: Some(t.id),
            sign_in: None,
            read_only: t.read_only,
            address: None,
        })
    }

    /// One's own stream password; made when there is none yet, or when `renew`.
    pub async fn stream_password(&self, who: &Identity, renew: bool) -> Result<StreamCredentials> {
        decide(who, Action::OwnAccount, &Target::User(who.user_id))?;
        if who.api_token.is_some() {
            return Err(Error::Denied(Denied { code: "forbidden" }));
        }
        let _one = self.changes.lock().await;
        let mut user = self.user(who.user_id).ok_or(Error::Unauthenticated)?;
        if !renew && let Some(password) = self.open_stream_password(&user) {
            return Ok(StreamCredentials { username: user.username, password });
        }
        // 16 random bytes: 128 bits.
        let password = random_token("", 16);
        user.stream_password = Some(self.keys.seal(stream_place(user.id), password.reveal().as_bytes()));
        user.updated_at = self.clock.wall();
        self.store.update_user(&user).await?;
        self.known.write().users.insert(user.id, user.clone());
        self.note(who, "stream_password", &format!("user/{}", user.id), json!({ "renewed": renew })).await;
        Ok(StreamCredentials { username: user.username, password })
    }

    fn open_stream_password(&self, user: &User) -> Option<Secret> {
        let sealed = user.stream_password.as_ref()?;
        match self.keys.open(stream_place(user.id), sealed) {
            Ok(plain) => String::from_utf8(plain.to_vec()).ok().map(Secret::new),
            Err(e) => {
                warn!(user = %user.id, error = %e, "a stream password cannot be used");
                None
            }
        }
    }

    /// The stream password of a user name, for [`vigie_hub::Gate::stream_secret`].
    pub(crate) fn stream_secret(&self, username: &str) -> Option<(Principal, Secret)> {
        let user = self.known.read().by_name(username).filter(|u| u.enabled).cloned()?;
        let secret = self.open_stream_password(&user)?;
        Some((Principal::User { id: user.id.0, name: user.username }, secret))
    }

    /// One's API tokens.
    pub fn tokens(&self, who: &Identity) -> Result<Vec<TokenView>> {
        let known = self.known.read();
        // Kiosk passes are listed at their court.
        let of = |t: &&ApiToken| t.user_id == who.user_id && t.terrain_id.is_none();
        let mut mine: Vec<&ApiToken> = known.tokens.values().filter(of).collect();
        mine.sort_by_key(|t| t.id);
        Ok(mine.into_iter().map(TokenView::from).collect())
    }

    /// Makes an API token; the secret is shown this once.
    pub async fn create_token(&self, who: &Identity, new: NewToken) -> Result<(TokenView, Secret)> {
        decide(who, Action::OwnTokens, &Target::User(who.user_id))?;
        let name = new.name.trim();
        if name.is_empty() {
            return Err(Error::missing("name"));
        }
        if name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Error::field("name", "too_long", "a token's name has at most 100 characters"));
        }
        let club_id = if who.role == Role::SuperAdmin && who.club_id.is_none() { new.club_id } else { who.club_id };
        if new.club_id.is_some() && new.club_id != club_id {
            return Err(Denied { code: "other_club" }.into());
        }
        if club_id.is_some_and(|c| self.club_name(c).is_none()) {
            return Err(Error::field("club_id", "value", "there is no such club"));
        }
        let most = if club_id.is_some() { weaker(who.role, Role::ClubAdmin) } else { who.role };
        let role = new.role.unwrap_or(most);
        if weaker(role, most) != role {
            let error = if weaker(role, who.role) == role {
                "a token for one club is at most CLUB_ADMIN"
            } else {
                "a token may not do more than you"
            };
            return Err(Error::field("role", "not_allowed", error));
        }
        if role != Role::SuperAdmin && club_id.is_none() {
            return Err(Error::field("club_id", "missing", "this role needs a club: `club_id` is missing"));
        }
        let now = self.clock.wall();
        if new.expires_at.is_some_and(|e| e <= now) {
            return Err(Error::field("expires_at", "value", "the token would have ended already"));
        }
        let _one = self.changes.lock().await;
        if self.tokens(who)?.len() >= API_TOKENS_PER_USER {
            return Err(Error::field("name", "not_allowed", "you have 100 tokens: drop one first"));
        }
        let secret = random_token(API_PREFIX, 32);
        let token = ApiToken {
            id: 0,
            user_id: who.user_id,
            name: name.to_owned(),
            hash: sha256(secret.reveal()),
            role,
            club_id,
            terrain_id: None,
            read_only: new.read_only || who.read_only,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let token = self.store.insert_api_token(token).await?;
        let view = TokenView::from(&token);
        let details = json!({ "name": view.name, "role": view.role, "club_id": club_id, "read_only": view.read_only });
        self.note(who, "token.create", &format!("token/{}", token.id), details).await;
        self.known.write().tokens.insert(token.hash, token);
        Ok((view, secret))
    }

    /// Drops an API token of one's own (or anybody's, for super administrators).
    pub async fn delete_token(&self, who: &Identity, id: i64) -> Result<()> {
        let _one = self.changes.lock().await;
        let token = self.known.read().tokens.values().find(|t| t.id == id).cloned();
        let token = token.filter(|t| t.terrain_id.is_none()).ok_or(Error::TokenNotFound)?;
        decide(who, Action::OwnTokens, &Target::User(token.user_id))?;
        self.store.delete_api_token(id).await?;
        self.known.write().tokens.remove(&token.hash);
        self.note(who, "token.delete", &format!("token/{id}"), json!({ "name": token.name })).await;
        Ok(())
    }

    /// A ticket. The caller has checked that `who` may see what it opens.
    pub(crate) fn issue_ticket(&self, who: &Identity, scope: TicketScope) -> Result<Ticket> {
        let version = self.version_of(who)?;
        let ticket = self.tickets.issue(scope, who, version, self.clock.now());
        Ok(Ticket { ticket, expires_in: tickets::LIFETIME.as_secs() })
    }

    /// What a ticket opens, and for whom, with the rights of now. In memory. A ticket ends with the sign-in or token it
    /// was made with.
    pub fn redeem_ticket(&self, ticket: &str) -> Option<(TicketScope, Identity)> {
        let (scope, who, version) = self.tickets.redeem(ticket, self.clock.now())?;
        Some((scope, self.still_who(&who, version)?))
    }
}

fn stream_place(user: UserId) -> Place {
    Place { table: "users", id: user.0, column: "stream_password" }
}

fn weaker(a: Role, b: Role) -> Role {
    let rank = |r: Role| match r {
        Role::SuperAdmin => 2,
        Role::ClubAdmin => 1,
        Role::Player => 0,
    };
    if rank(a) <= rank(b) { a } else { b }
}
