//! Accounts, as administrators manage them. **Somebody always can sign in who may do everything**: the last enabled
//! super administrator is neither removed, demoted nor disabled, and nobody does that to themselves.
//!
//! A changed role or club counts from the next call, without a new sign-in; disabling, removing and a new password end
//! every sign-in of the account at once.

use serde::Serialize;
use serde_json::json;
use vigie_base::{Secret, UnixMillis, UserId};
use vigie_store::{NewUser, Role, StoreError, User};

use super::passwords::{check_new_password, check_username};
use super::{Auth, Known};
use crate::crypto::random_code;
use crate::error::{Error, Result};
use crate::names;
use crate::policy::{Action, Identity, Target, decide};

/// An account as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountView {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub username: String,
    /// `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`.
    pub role: &'static str,
    /// Its club; null for super administrators, and for accounts whose club was removed.
    pub club_id: Option<i64>,
    /// What that is called.
    pub club_name: Option<String>,
    /// Whether it may sign in.
    pub enabled: bool,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When somebody last signed in with it (RFC 3339).
    pub last_login_at: Option<String>,
}

/// A wish for an account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Unique without regard to case.
    pub username: String,
    /// `None`: one is made up and given back.
    pub password: Option<Secret>,
    /// What it may do.
    pub role: Role,
    /// Its club. A club administrator who names none means the own one.
    pub club_id: Option<i64>,
    /// Whether it may sign in.
    pub enabled: bool,
}

/// What is to change about an account; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Unique without regard to case.
    pub username: Option<String>,
    /// What it may do.
    pub role: Option<Role>,
    /// Its club, or none.
    pub club_id: Option<Option<i64>>,
    /// Whether it may sign in.
    pub enabled: Option<bool>,
}

fn target(u: &User) -> Target {
    Target::Account { club_id: u.club_id, role: u.role }
}

/// A super administrator who can sign in.
fn rules(u: &User) -> bool {
    u.enabled && u.role == Role::SuperAdmin
}

impl Auth {
    /// Held from reading accounts or tokens to writing them back.
    pub(crate) fn changes(&self) -> &tokio::sync::Mutex<()> {
        &self.changes
    }

    /// Reads accounts and tokens again after something else changed them. With [`Auth::changes`] held.
    pub(crate) async fn reload(&self) -> Result<()> {
        let users = self.store.users().await?.into_iter().map(|u| (u.id, u)).collect();
        let tokens = self.store.api_tokens().await?.into_iter().map(|t| (t.hash, t)).collect();
        let mut known = self.known.write();
        known.users = users;
        known.tokens = tokens;
        Ok(())
    }

    /// How many accounts belong to a club.
    pub(crate) fn count_of_club(&self, club: i64) -> usize {
        self.known.read().users.values().filter(|u| u.club_id == Some(club)).count()
    }

    /// Accounts that `who` may see, by name; of one club when that is asked for.
    pub fn accounts(&self, who: &Identity, club: Option<i64>) -> Result<Vec<AccountView>> {
        decide(who, Action::ViewUsers, &Target::Any)?;
        if let Some(id) = club {
            self.club_name(id).ok_or(Error::ClubNotFound)?;
            decide(who, Action::ViewUsers, &Target::Club(id))?;
        }
        let mut users: Vec<User> = {
            let known = self.known.read();
            let seen = |u: &&User| {
                club.is_none_or(|c| u.club_id == Some(c)) && decide(who, Action::ViewUsers, &target(u)).is_ok()
            };
            known.users.values().filter(seen).cloned().collect()
        };
        users.sort_by_cached_key(|u| (u.username.to_lowercase(), u.id));
        Ok(users.iter().map(|u| self.account_view(u)).collect())
    }

    /// One account.
    pub fn account(&self, who: &Identity, id: i64) -> Result<AccountView> {
        Ok(self.account_view(&self.account_for(who, Action::ViewUsers, id)?))
    }

    fn account_for(&self, who: &Identity, action: Action, id: i64) -> Result<User> {
        // Who may manage nobody learns nothing, not even which numbers there are.
        decide(who, action, &Target::Any)?;
        let user = self.user(UserId(id)).ok_or(Error::UserNotFound)?;
        decide(who, action, &target(&user))?;
        Ok(user)
    }

    /// Adds an account. Its password is given back when it was made up here.
    pub async fn create_account(&self, who: &Identity, new: NewAccount) -> Result<(AccountView, Option<Secret>)> {
        decide(who, Action::ManageUsers, &Target::Any)?;
        let club_id = new.club_id.or(if new.role == Role::SuperAdmin { None } else { who.club_id });
        decide(who, Action::ManageUsers, &Target::Account { club_id, role: new.role })?;
        let username = new.username.trim().to_owned();
        check_username(&username)?;
        let (password, made_up) = self.choose(new.password, &username)?;
        self.check_club(new.role, club_id)?;
        self.check_free(&username, None)?;
        let password_hash = self.passwords.hash(&password).await?;
        let _one = self.changes.lock().await;
        // Both may have been taken or removed while we hashed.
        self.check_club(new.role, club_id)?;
        self.check_free(&username, None)?;
        let at = self.clock.wall();
        let new = NewUser { username, password_hash, role: new.role, club_id, enabled: new.enabled, at };
        let user = self.store.insert_user(new).await.map_err(taken)?;
        self.known.write().users.insert(user.id, user.clone());
        self.note_account(who, "user.create", &user).await;
        Ok((self.account_view(&user), made_up))
    }

    /// Changes an account.
    pub async fn change_account(&self, who: &Identity, id: i64, change: AccountChange) -> Result<AccountView> {
        self.account_for(who, Action::ManageUsers, id)?;
        if let Some(name) = &change.username {
            check_username(name.trim())?;
        }
        let _one = self.changes.lock().await;
        let old = self.account_for(who, Action::ManageUsers, id)?;
        let mut user = old.clone();
        if let Some(name) = change.username {
            name.trim().clone_into(&mut user.username);
            self.check_free(&user.username, Some(user.id))?;
        }
        user.role = change.role.unwrap_or(user.role);
        user.enabled = change.enabled.unwrap_or(user.enabled);
        match change.club_id {
            Some(club) => user.club_id = club,
            // Who becomes a super administrator leaves the club.
            None if user.role == Role::SuperAdmin => user.club_id = None,
            None => {}
        }
        decide(who, Action::ManageUsers, &target(&user))?;
        self.check_club(user.role, user.club_id)?;
        if rules(&old) && !rules(&user) {
            self.not_the_last(old.id)?;
        }
        let demoted = user.role != old.role || !user.enabled;
        if who.user_id == user.id && demoted {
            return Err(Error::OwnAccount);
        }
        let shut_out = old.enabled && !user.enabled;
        if shut_out {
            user.token_version += 1;
        }
        user.updated_at = self.clock.wall();
        self.store.update_user(&user).await.map_err(taken)?;
        self.known.write().users.insert(user.id, user.clone());
        if shut_out {
            self.store.delete_sign_ins(user.id).await?;
        }
        self.note_account(who, "user.update", &user).await;
        Ok(self.account_view(&user))
    }

    /// Removes an account with everything issued to it. What it recorded stays.
    pub async fn delete_account(&self, who: &Identity, id: i64) -> Result<()> {
        self.account_for(who, Action::ManageUsers, id)?;
        let _one = self.changes.lock().await;
        let user = self.account_for(who, Action::ManageUsers, id)?;
        if rules(&user) {
            self.not_the_last(user.id)?;
        }
        if who.user_id == user.id {
            return Err(Error::OwnAccount);
        }
        self.store.delete_user(user.id).await.map_err(taken)?;
        {
            let mut known = self.known.write();
            known.users.remove(&user.id);
            known.tokens.retain(|_, t| t.user_id != user.id);
        }
        self.note_account(who, "user.delete", &user).await;
        Ok(())
    }

    /// Gives an account another password; it is given back when it was made up here. Every sign-in of the account ends.
    pub async fn reset_password(&self, who: &Identity, id: i64, password: Option<Secret>) -> Result<Option<Secret>> {
        let user = self.account_for(who, Action::ManageUsers, id)?;
        if who.user_id == user.id {
            // One's own takes the old one: a browser left open must not be enough to lock its owner out.
            return Err(Error::OwnAccount);
        }
        let (password, made_up) = self.choose(password, &user.username)?;
        let password_hash = self.passwords.hash(&password).await?;
        let _one = self.changes.lock().await;
        self.account_for(who, Action::ManageUsers, id)?;
        let user = self
            .change_user_locked(user.id, |u| {
                u.password_hash = password_hash;
                Ok(())
            })
            .await?;
        self.note_account(who, "user.password", &user).await;
        Ok(made_up)
    }

    /// The password asked for, or one made up, which is the second part too.
    fn choose(&self, password: Option<Secret>, username: &str) -> Result<(Secret, Option<Secret>)> {
        match password {
            Some(p) => {
                check_new_password("password", username, &p)?;
                Ok((p, None))
            }
            None => {
                // Four groups of four characters of five bits: 80 bits, easy to read out.
                let p = random_code(4);
                Ok((p.clone(), Some(p)))
            }
        }
    }

    fn check_club(&self, role: Role, club: Option<i64>) -> Result<()> {
        match (role, club) {
            (Role::SuperAdmin, Some(_)) => {
                Err(Error::field("club_id", "not_allowed", "a super administrator belongs to no club"))
            }
            (Role::SuperAdmin, None) => Ok(()),
            (_, None) => Err(Error::field("club_id", "missing", "this role needs a club: `club_id` is missing")),
            (_, Some(id)) => match self.club_name(id) {
                Some(_) => Ok(()),
                None => Err(Error::field("club_id", "value", "there is no such club")),
            },
        }
    }

    /// The store compares only ASCII without regard to case.
    fn check_free(&self, username: &str, own: Option<UserId>) -> Result<()> {
        let known = self.known.read();
        let taken = known.users.values().any(|u| Some(u.id) != own && names::same(&u.username, username));
        if taken { Err(Error::DuplicateUsername) } else { Ok(()) }
    }

    fn not_the_last(&self, id: UserId) -> Result<()> {
        let others = |known: &Known| known.users.values().any(|u| u.id != id && rules(u));
        if others(&self.known.read()) { Ok(()) } else { Err(Error::LastSuperAdmin) }
    }

    fn account_view(&self, u: &User) -> AccountView {
        AccountView {
            id: u.id.0,
            username: u.username.clone(),
            role: u.role.as_str(),
            club_id: u.club_id,
            club_name: u.club_id.and_then(|c| self.club_name(c)),
            enabled: u.enabled,
            created_at: u.created_at.rfc3339(),
            last_login_at: u.last_login_at.map(UnixMillis::rfc3339),
        }
    }

    async fn note_account(&self, who: &Identity, action: &str, u: &User) {
        let details =
            json!({ "username": u.username, "role": u.role.as_str(), "club_id": u.club_id, "enabled": u.enabled });
        self.note(who, action, &format!("user/{}", u.id), details).await;
    }
}

fn taken(e: StoreError) -> Error {
    match e {
        StoreError::Conflict("username") => Error::DuplicateUsername,
        StoreError::NotFound("user") => Error::UserNotFound,
        e => e.into(),
    }
}
