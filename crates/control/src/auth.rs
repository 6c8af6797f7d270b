//! Signing in.
use std::net::IpAddr;
use serde::Serialize;
use vigie_base::{Secret, UnixMillis, UserId};
use vigie_store::Role;
use crate::error::Result;
use crate::policy::Identity;

/// Who knocks, before anybody is identified. `address` is the socket's peer, never a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The peer's address.
    pub address: IpAddr,
}

/// A user as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// What a ticket opens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TicketScope {
    /// Views of one capture session.
    Session(vigie_base::SessionId),
    /// Views of one camera.
    Camera(vigie_base::CameraId),
}

/// A ticket.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// For `?ticket=`.
    pub ticket: Secret,
    /// Seconds; 600.
    pub expires_in: u64,
}

/// Signing in. See the module.
#[derive(Debug)]
pub struct Auth {}

impl Auth {
    /// Whether there is no user yet.
    pub fn setup_needed(&self) -> bool {
        todo!()
    }
    /// The one-time code that set-up from another machine needs; for the log. `None` once there is a user.
    pub fn setup_code(&self) -> Option<Secret> {
        todo!()
    }
    /// Makes the first super administrator and signs in.
    pub async fn setup(&self, caller: Caller, username: &str, password: &Secret, code: Option<&str>) -> Result<SignedIn> {
        todo!()
    }
    /// Signs in.
    pub async fn login(&self, caller: Caller, username: &str, password: &Secret) -> Result<SignedIn> {
        todo!()
    }
    /// A new access token for a refresh token.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<SignedIn> {
        todo!()
    }
    /// Ends the sign-in that `who` came with.
    pub async fn logout(&self, who: &Identity) -> Result<()> {
        todo!()
    }
    /// Ends every sign-in of the user.
    pub async fn logout_everywhere(&self, who: &Identity) -> Result<()> {
        todo!()
    }
    /// Who holds this access token or API token. In memory; no waiting, no argon2.
    pub fn authenticate(&self, token: &str) -> Result<Identity> {
        todo!()
    }
    /// The user as the API shows it.
    pub fn me(&self, who: &Identity) -> Result<UserView> {
        todo!()
    }
    /// Changes one's own password; every sign-in ends but the one made here.
    pub async fn change_password(&self, who: &Identity, caller: Caller, old: &Secret, new: &Secret) -> Result<SignedIn> {
        todo!()
    }
    /// One's own stream password; made when there is none yet, or when `renew`.
    pub async fn stream_password(&self, who: &Identity, renew: bool) -> Result<StreamCredentials> {
        todo!()
    }
    /// One's API tokens.
    pub fn tokens(&self, who: &Identity) -> Result<Vec<TokenView>> {
        todo!()
    }
    /// Makes an API token; the secret is shown this once.
    pub async fn create_token(&self, who: &Identity, new: NewToken) -> Result<(TokenView, Secret)> {
        todo!()
    }
    /// Drops an API token of one's own (or anybody's, for super administrators).
    pub async fn delete_token(&self, who: &Identity, id: i64) -> Result<()> {
        todo!()
    }
    /// What a ticket opens, and for whom. In memory.
    pub fn redeem_ticket(&self, ticket: &str) -> Option<(TicketScope, Identity)> {
        todo!()
    }
    /// A user id.
    #[doc(hidden)]
    pub fn _id(&self) -> UserId { UserId(0) }
}
