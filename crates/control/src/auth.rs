//! Who somebody is: setting up, signing in, access tokens, API tokens, tickets, stream passwords.
//!
//! Users and tokens are held in memory, so that asking who somebody is costs a signature or a hash, never a query and
//! never Argon2. **What is taken back stops working at once**: an access token names its sign-in and the user's token
//! version, and both are looked at on every use (decision 54).

mod issued;
mod limiter;
mod passes;
mod passwords;
mod standing;
mod tickets;
mod users;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{info, warn};
use vigie_base::{Clock, Secret, UnixMillis, UserId};
use vigie_hub::Principal;
use vigie_store::{ApiToken, NewUser, Role, SignIn, Store, StoreError, User};

use crate::audit::NOBODY;
use crate::config::Config;
use crate::core::ClubTable;
use crate::crypto::{Keys, random_code, random_token, sha256};
use crate::error::{Error, Result};
use crate::policy::{Action, Identity, Target, decide};
use issued::API_PREFIX;
pub use issued::{NewToken, StreamCredentials, Ticket, TokenView};
use limiter::Limiter;
use passwords::{Passwords, check_new_password, check_username};
pub use standing::Standing;
pub use tickets::TicketScope;
use tickets::Tickets;
pub use users::{AccountChange, AccountView, NewAccount};

/// How long an access token works.
const ACCESS: Duration = Duration::from_secs(900);
/// How long a refresh token works after its last use.
const REFRESH: Duration = Duration::from_secs(30 * 86_400);
/// A use of a refresh token moves its end only when that gains at least this much, to spare the disk.
const REFRESH_STEP: Duration = Duration::from_secs(3600);
/// How long a sign-in that was ended is remembered: longer than its last access token works, also when the wall clock
/// is set back meanwhile.
const ENDED_KNOWN: Duration = Duration::from_secs(86_400);

/// Who knocks, before anybody is identified. `address` is the socket's peer, never a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The peer's address.
    pub address: IpAddr,
}

impl Caller {
    /// Whether the caller is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.address.to_canonical().is_loopback()
    }
}

/// A user as the API shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserView {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub username: String,
    /// `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`.
    pub role: &'static str,
    /// Its club.
    pub club_id: Option<i64>,
    /// What that is called.
    pub club_name: Option<String>,
    /// Of a kiosk pass: the one court that it opens.
    pub terrain_id: Option<i64>,
}

/// The answer to a successful sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Access token (JWT), for the cookie and for `Authorization: Bearer`.
    pub token: Secret,
    /// Seconds until it ends; at most 900.
    pub expires_in: u64,
    /// Refresh token, for a cookie limited to `/api/auth`.
    pub refresh_token: Secret,
    /// Seconds until that ends.
    pub refresh_expires_in: u64,
    /// Who signed in.
    pub user: UserView,
}

/// What an access token says (RFC 7519).
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The user's number.
    sub: i64,
    /// The sign-in.
    sid: String,
    /// The user's role when it was made, for whoever reads the token. What counts is the user as known now.
    #[serde(default)]
    role: String,
    /// The user's token version.
    ver: i64,
    /// Unix seconds.
    iat: i64,
    /// Unix seconds.
    exp: i64,
}

#[derive(Debug, Default)]
struct Known {
    users: HashMap<UserId, User>,
    tokens: HashMap<[u8; 32], ApiToken>,
    /// Sign-ins that ended while access tokens of theirs may be about, until when they are remembered.
    ended: HashMap<String, UnixMillis>,
    setup_code: Option<Secret>,
}

impl Known {
    fn by_name(&self, name: &str) -> Option<&User> {
        self.users.values().find(|u| u.username.eq_ignore_ascii_case(name))
    }
}

/// Signing in. See the module.
pub struct Auth {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    clubs: ClubTable,
    keys: Arc<Keys>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    passwords: Passwords,
    limiter: Limiter,
    tickets: Tickets,
    known: RwLock<Known>,
    /// Held from reading a user to writing it back, so that no change undoes another.
    changes: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("users", &self.known.read().users.len()).finish_non_exhaustive()
    }
}

impl Auth {
    pub(crate) async fn open(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        keys: Arc<Keys>,
        clubs: ClubTable,
    ) -> Result<Self> {
        let users = store.users().await?.into_iter().map(|u| (u.id, u)).collect();
        let tokens = store.api_tokens().await?.into_iter().map(|t| (t.hash, t)).collect();
        let ended = store.ended_sign_ins().await?.into_iter().collect();
        let auth = Self {
            encoding: EncodingKey::from_secret(keys.signing()),
            decoding: DecodingKey::from_secret(keys.signing()),
            store,
            clock,
            clubs,
            keys,
            passwords: Passwords::new(config.argon2).await?,
            limiter: Limiter::default(),
            tickets: Tickets::default(),
            known: RwLock::new(Known { users, tokens, ended, ..Known::default() }),
            changes: tokio::sync::Mutex::default(),
        };
        if auth.setup_needed() {
            match &config.admin {
                Some((name, password)) => {
                    auth.first_user(name, password).await?;
                    info!(username = %name, "made the first administrator from the environment");
                }
                None => auth.known.write().setup_code = Some(random_code(2)),
            }
        }
        Ok(auth)
    }

    /// Whether there is no user yet.
    pub fn setup_needed(&self) -> bool {
        self.known.read().users.is_empty()
    }

    /// The one-time code that set-up from another machine needs; for the log. `None` once there is a user.
    pub fn setup_code(&self) -> Option<Secret> {
        self.known.read().setup_code.clone()
    }

    async fn first_user(&self, username: &str, password: &Secret) -> Result<User> {
        check_username(username)?;
        check_new_password("password", username, password)?;
        let hash = self.passwords.hash(password).await?;
        let new = NewUser {
            username: username.to_owned(),
            password_hash: hash,
            role: Role::SuperAdmin,
            club_id: None,
            enabled: true,
            at: self.clock.wall(),
        };
        let user = self.store.insert_first_user(new).await?.ok_or(Error::SetupDone)?;
        let mut known = self.known.write();
        known.setup_code = None;
        known.users.insert(user.id, user.clone());
        Ok(user)
    }

    /// Makes the first super administrator and signs in. From another machine it takes the code of the log.
    pub async fn setup(
        &self,
        caller: Caller,
        username: &str,
        password: &Secret,
        code: Option<&str>,
    ) -> Result<SignedIn> {
        if !self.setup_needed() {
            return Err(Error::SetupDone);
        }
        if !caller.is_loopback() {
            self.limiter.begin(caller.address, "set-up", self.clock.now()).map_err(Error::RateLimited)?;
            let plain = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
            let right = self.setup_code().is_some_and(|right| {
                // Hashes are compared, so that the time it takes says nothing of the code.
                sha256(&plain(right.reveal())) == sha256(&plain(code.unwrap_or_default()))
            });
            if !right {
                return Err(Error::SetupCode);
            }
            self.limiter.forgive(caller.address, "set-up");
        }
        let user = self.first_user(username.trim(), password).await?;
        self.audit(Some(user.id), &user.username, "setup", "user", Some(caller)).await;
        self.sign_in(&user).await
    }

    /// Signs in.
    pub async fn login(&self, caller: Caller, username: &str, password: &Secret) -> Result<SignedIn> {
        let username = username.trim();
        self.limiter.begin(caller.address, username, self.clock.now()).map_err(Error::RateLimited)?;
        let user = self.known.read().by_name(username).cloned();
        let verified = self.passwords.verify(password, user.as_ref().map(|u| u.password_hash.as_str())).await;
        if matches!(verified, Err(Error::SignInBusy)) {
            self.limiter.forgive(caller.address, username);
        }
        let right = verified?;
        match user.filter(|u| right && u.enabled) {
            Some(user) => {
                self.limiter.forgive(caller.address, username);
                self.audit(Some(user.id), &user.username, "login", "user", Some(caller)).await;
                self.sign_in(&user).await
            }
            None => {
                warn!(address = %caller.address, "a sign-in was refused");
                // A name that nobody has may be a password that was typed into the wrong field.
                let known = self.known.read().by_name(username).map(|u| (u.id, u.username.clone()));
                let (id, actor) = known.map_or((None, NOBODY.to_owned()), |(id, name)| (Some(id), name));
                self.audit(id, &actor, "login.refused", "user", Some(caller)).await;
                Err(Error::BadCredentials)
            }
        }
    }

    async fn sign_in(&self, user: &User) -> Result<SignedIn> {
        let _one = self.changes.lock().await;
        self.sign_in_locked(user.id).await
    }

    /// The user may have changed since it was looked up: what counts is what is known now, under the lock.
    async fn sign_in_locked(&self, user: UserId) -> Result<SignedIn> {
        let user = self.user(user).filter(|u| u.enabled).ok_or(Error::BadCredentials)?;
        let now = self.clock.wall();
        let refresh_token = random_token("vgr_", 32);
        let sign_in = SignIn {
            id: random_token("", 12).reveal().to_owned(),
            user_id: user.id,
            hash: sha256(refresh_token.reveal()),
            created_at: now,
            expires_at: UnixMillis(now.0 + millis(REFRESH)),
        };
        self.store.insert_sign_in(&sign_in).await?;
        if let Some(u) = self.known.write().users.get_mut(&user.id) {
            u.last_login_at = Some(now);
        }
        self.signed_in(&user, &sign_in.id, refresh_token)
    }

    fn signed_in(&self, user: &User, sign_in: &str, refresh_token: Secret) -> Result<SignedIn> {
        let now = self.clock.wall().seconds();
        let exp = now + ACCESS.as_secs().cast_signed();
        let (sid, role) = (sign_in.to_owned(), user.role.as_str().to_owned());
        let claims = Claims { sub: user.id.0, sid, role, ver: user.token_version, iat: now, exp };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|e| Error::Internal(format!("signing a token: {e}")))?;
        Ok(SignedIn {
            token: Secret::new(token),
            expires_in: ACCESS.as_secs(),
            refresh_token,
            refresh_expires_in: REFRESH.as_secs(),
            user: self.view(user),
        })
    }

    /// A new access token for a refresh token.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<SignedIn> {
        let _one = self.changes.lock().await;
        let now = self.clock.wall();
        let found = self.store.sign_in_by_hash(&sha256(refresh_token.reveal())).await?;
        let sign_in = found.filter(|s| s.expires_at > now).ok_or(Error::Unauthenticated)?;
        let user = self.user(sign_in.user_id).filter(|u| u.enabled).ok_or(Error::Unauthenticated)?;
        let until = UnixMillis(now.0 + millis(REFRESH));
        if until.since_ms(sign_in.expires_at) >= millis(REFRESH_STEP) {
            self.store.extend_sign_in(&sign_in.id, until).await?;
        }
        self.signed_in(&user, &sign_in.id, refresh_token.clone())
    }

    /// A new access token for one that is still valid: programs that keep no refresh token. API tokens need none.
    pub async fn renew(&self, who: &Identity) -> Result<SignedIn> {
        let id = who.sign_in.as_ref().ok_or(Error::Unauthenticated)?;
        let _one = self.changes.lock().await;
        let user = self.user(who.user_id).filter(|u| u.enabled).ok_or(Error::Unauthenticated)?;
        let until = UnixMillis(self.clock.wall().0 + millis(REFRESH));
        // Fails for a sign-in that has ended, whatever this process remembers of it.
        self.store.extend_sign_in(id, until).await.map_err(|e| match e {
            StoreError::NotFound(_) => Error::Unauthenticated,
            e => e.into(),
        })?;
        self.signed_in(&user, id, Secret::new(""))
    }

    /// Ends the sign-in that `who` came with.
    pub async fn logout(&self, who: &Identity) -> Result<()> {
        let Some(id) = &who.sign_in else { return Ok(()) };
        let _one = self.changes.lock().await;
        let now = self.clock.wall();
        let until = UnixMillis(now.0 + millis(ENDED_KNOWN));
        {
            let mut known = self.known.write();
            known.ended.retain(|_, until| *until > now);
            known.ended.insert(id.clone(), until);
        }
        self.store.end_sign_in(id, now, until).await?;
        self.note(who, "logout", &format!("user/{}", who.user_id), Value::Null).await;
        Ok(())
    }

    /// Ends every sign-in of the user.
    pub async fn logout_everywhere(&self, who: &Identity) -> Result<()> {
        decide(who, Action::OwnAccount, &Target::User(who.user_id))?;
        self.change_user(who.user_id, |_| Ok(())).await?;
        self.note(who, "logout_everywhere", &format!("user/{}", who.user_id), Value::Null).await;
        Ok(())
    }

    /// Writes a changed user and voids everything that was issued to it before.
    async fn change_user(&self, id: UserId, change: impl FnOnce(&mut User) -> Result<()> + Send) -> Result<User> {
        let _one = self.changes.lock().await;
        self.change_user_locked(id, change).await
    }

    async fn change_user_locked(&self, id: UserId, change: impl FnOnce(&mut User) -> Result<()>) -> Result<User> {
        let mut user = self.user(id).ok_or(Error::UserNotFound)?;
        change(&mut user)?;
        user.token_version += 1;
        user.updated_at = self.clock.wall();
        self.store.update_user(&user).await?;
        self.known.write().users.insert(id, user.clone());
        self.store.delete_sign_ins(id).await?;
        Ok(user)
    }

    /// Who holds this access token or API token. In memory; no waiting, no Argon2.
    pub fn authenticate(&self, token: &str) -> Result<Identity> {
        if token.starts_with(API_PREFIX) {
            let token = self.known.read().tokens.get(&sha256(token)).cloned().ok_or(Error::Unauthenticated)?;
            let identity = self.token_identity(&token).ok_or(Error::Unauthenticated)?;
            self.used(&token);
            return Ok(identity);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // Judged below by our own clock, without leeway.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| Error::Unauthenticated)?
            .claims;
        let known = self.known.read();
        if claims.exp <= self.clock.wall().seconds() || known.ended.contains_key(&claims.sid) {
            return Err(Error::Unauthenticated);
        }
        match known.users.get(&UserId(claims.sub)) {
            Some(u) if u.enabled && u.token_version == claims.ver => Ok(identity(u, Some(claims.sid))),
            _ => Err(Error::Unauthenticated),
        }
    }

    /// Who stands behind a principal that an output asks for.
    pub(crate) fn identity_of(&self, principal: &Principal) -> Option<Identity> {
        let Principal::User { id, .. } = principal else { return None };
        if *id == 0 {
            // No user has this number: the surface let somebody in without a sign-in.
            return Some(Identity::open());
        }
        if *id < 0 {
            let token = self.known.read().tokens.values().find(|t| t.id == -*id).cloned();
            return token.and_then(|t| self.token_identity(&t));
        }
        self.user(UserId(*id)).filter(|u| u.enabled).map(|u| identity(&u, None))
    }

    fn user(&self, id: UserId) -> Option<User> {
        self.known.read().users.get(&id).cloned()
    }

    /// The user as the API shows it; of an API token, what the token may.
    pub fn me(&self, who: &Identity) -> Result<UserView> {
        if who.user_id.0 == 0 {
            // Nobody signed in: the doors are open.
            let (username, role) = (who.username.clone(), who.role.as_str());
            return Ok(UserView { username, role, ..UserView::default() });
        }
        let user = self.user(who.user_id).ok_or(Error::Unauthenticated)?;
        let mut view = self.view(&user);
        view.role = who.role.as_str();
        view.club_id = who.club_id;
        view.club_name = who.club_id.and_then(|c| self.club_name(c));
        if let Some(court) = who.terrain_id {
            // A tablet is called what its pass is called: its maker is not the one who stands before it.
            let passes = self.passes(court);
            view.username = passes.into_iter().find(|t| Some(t.id) == who.api_token).map_or(view.username, |t| t.name);
            view.terrain_id = Some(court);
        }
        Ok(view)
    }

    fn view(&self, u: &User) -> UserView {
        UserView {
            id: u.id.0,
            username: u.username.clone(),
            role: u.role.as_str(),
            club_id: u.club_id,
            club_name: u.club_id.and_then(|c| self.club_name(c)),
            terrain_id: None,
        }
    }

    /// What a club is called; `None` when there is none of that number.
    fn club_name(&self, id: i64) -> Option<String> {
        self.clubs.read().get(&id).map(|c| c.name.clone())
    }

    /// Changes one's own password; every sign-in ends but the one made here.
    pub async fn change_password(
        &self,
        who: &Identity,
        caller: Caller,
        old: &Secret,
        new: &Secret,
    ) -> Result<SignedIn> {
        decide(who, Action::OwnAccount, &Target::User(who.user_id))?;
        let user = self.user(who.user_id).ok_or(Error::Unauthenticated)?;
        if who.api_token.is_some() {
            return Err(Error::Denied(crate::policy::Denied { code: "forbidden" }));
        }
        self.limiter.begin(caller.address, &user.username, self.clock.now()).map_err(Error::RateLimited)?;
        if !self.passwords.verify(old, Some(&user.password_hash)).await? {
            return Err(Error::BadCredentials);
        }
        self.limiter.forgive(caller.address, &user.username);
        check_new_password("new_password", &user.username, new)?;
        let hash = self.passwords.hash(new).await?;
        let _one = self.changes.lock().await;
        self.change_user_locked(user.id, |u| {
            // Somebody else changed it while we hashed: what was proven is not true any more.
            if u.password_hash != user.password_hash {
                return Err(Error::BadCredentials);
            }
            u.password_hash = hash;
            Ok(())
        })
        .await?;
        self.audit(Some(user.id), &user.username, "password", "user", Some(caller)).await;
        self.sign_in_locked(user.id).await
    }
}

fn identity(u: &User, sign_in: Option<String>) -> Identity {
    Identity {
        user_id: u.id,
        username: u.username.clone(),
        role: u.role,
        club_id: u.club_id,
        terrain_id: None,
        api_token: None,
        sign_in,
        read_only: false,
        address: None,
    }
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}
