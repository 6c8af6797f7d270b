//! Who may do what. **Every permission is decided here and nowhere else**: everybody else asks [`decide`].
//!
//! The table is the one of contract §0.9, with the protection rules of §20.11. A camera or session without a club
//! belongs to super administrators alone (court-less sessions). A kiosk pass is a player of its club who sees one court
//! and has no account.

use std::net::IpAddr;

use vigie_base::UserId;
use vigie_hub::Principal;
use vigie_store::Role;

/// Somebody who was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user; of an API token, its maker.
    pub user_id: UserId,
    /// The name for logs and the audit.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// Their club.
    pub club_id: Option<i64>,
    /// The one court that they may touch: they came with its kiosk pass.
    pub terrain_id: Option<i64>,
    /// The API token they came with.
    pub api_token: Option<i64>,
    /// The sign-in they came with.
    pub sign_in: Option<String>,
    /// Whether they may only read.
    pub read_only: bool,
    /// Where they came from, for the audit; decides nothing.
    pub address: Option<IpAddr>,
}

impl Identity {
    /// Vigie itself: the configuration file, timers, start-up.
    pub fn system() -> Self {
        Self {
            user_id: UserId(0),
            username: "vigie".to_owned(),
            role: Role::SuperAdmin,
            club_id: None,
            terrain_id: None,
            api_token: None,
            sign_in: None,
            read_only: false,
            address: None,
        }
    }

    /// Whoever comes while nobody has to sign in (`auth.mode = "open"`).
    pub fn open() -> Self {
        Self { username: "open".to_owned(), ..Self::system() }
    }

    /// How outputs know them. An API token goes by the negative of its number, since it may do less than its maker.
    pub fn principal(&self) -> Principal {
        let id = self.api_token.map_or(self.user_id.0, |t| -t);
        Principal::User { id, name: self.username.clone() }
    }

    fn is_super(&self) -> bool {
        self.role == Role::SuperAdmin && self.terrain_id.is_none()
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make a capture session.
    CreateSession,
    /// See a session, its preview and its status.
    ViewSession,
    /// Close a session, start or stop its recording.
    ControlSession,
    /// List and download recorded files.
    ReadFile,
    /// Delete or lock recorded files.
    DeleteFile,
    /// Remove what is left over.
    CleanUp,
    /// See a camera: its data, state and pictures.
    ViewCamera,
    /// Add, change, test, reconnect or delete a camera.
    ManageCamera,
    /// Use a connection type that reaches into this machine (file, usb, screen, testcard).
    UseLocalSource,
    /// See a secret in clear (`?reveal=1`).
    RevealSecret,
    /// See a club and its courts.
    ViewClub,
    /// Make and remove clubs.
    ManageClubs,
    /// Rename a club, set its time zone.
    EditClub,
    /// Add, change and remove courts, and the kiosk passes that open them.
    ManageCourts,
    /// See which kiosk passes open a court.
    ViewPasses,
    /// See accounts.
    ViewUsers,
    /// Add, change and delete accounts, set their passwords.
    ManageUsers,
    /// Read the audit log.
    ReadAudit,
    /// Read configuration and machine status.
    ReadSystem,
    /// Change configuration and the machine.
    ManageSystem,
    /// Make, list and drop one's own API tokens.
    OwnTokens,
    /// Change one's own password, see one's own stream password.
    OwnAccount,
}

impl Action {
    /// Every action, for tests and documents.
    pub const ALL: [Action; 22] = [
        Action::CreateSession,
        Action::ViewSession,
        Action::ControlSession,
        Action::ReadFile,
        Action::DeleteFile,
        Action::CleanUp,
        Action::ViewCamera,
        Action::ManageCamera,
        Action::UseLocalSource,
        Action::RevealSecret,
        Action::ViewClub,
        Action::ManageClubs,
        Action::EditClub,
        Action::ManageCourts,
        Action::ViewPasses,
        Action::ViewUsers,
        Action::ManageUsers,
        Action::ReadAudit,
        Action::ReadSystem,
        Action::ManageSystem,
        Action::OwnTokens,
        Action::OwnAccount,
    ];

    /// Whether it changes nothing, so that a read-only token may do it.
    pub fn is_read(self) -> bool {
        use Action::*;
        matches!(self, ViewSession | ReadFile | ViewCamera | ViewClub | ViewPasses | ViewUsers | ReadAudit | ReadSystem)
    }

    /// Whether a kiosk pass may do it, on its court.
    fn is_play(self) -> bool {
        use Action::*;
        matches!(self, CreateSession | ViewSession | ControlSession | ReadFile | ViewCamera | ViewClub)
    }
}

/// To what. A club of `None` means that it belongs to no club.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing in particular.
    Any,
    /// A club as a whole.
    Club(i64),
    /// A camera.
    Camera {
        /// Its club.
        club_id: Option<i64>,
        /// The court that it looks at; of several, the one that matters to who asks.
        terrain_id: Option<i64>,
    },
    /// A court; or a camera without one, for a new session.
    Court {
        /// Its club.
        club_id: Option<i64>,
        /// Its number.
        terrain_id: Option<i64>,
    },
    /// A capture session or a file made in one.
    Session {
        /// Its club.
        club_id: Option<i64>,
        /// Its court.
        terrain_id: Option<i64>,
        /// Who made it.
        user_id: Option<UserId>,
    },
    /// What belongs to a user: their own account, their tokens.
    User(UserId),
    /// An account, as it is or as it shall become.
    Account {
        /// Its club.
        club_id: Option<i64>,
        /// What it may do.
        role: Role,
    },
}

/// Not allowed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", sentence(.code))]
pub struct Denied {
    /// `forbidden`, `not_owner`, `other_club` or `read_only_token`.
    pub code: &'static str,
}

fn sentence(code: &str) -> &'static str {
    match code {
        "not_owner" => "this belongs to somebody else",
        "other_club" => "this belongs to another club",
        "read_only_token" => "this token may only read",
        _ => "you are not allowed to do this",
    }
}

const FORBIDDEN: Denied = Denied { code: "forbidden" };
const NOT_OWNER: Denied = Denied { code: "not_owner" };
const OTHER_CLUB: Denied = Denied { code: "other_club" };
const READ_ONLY: Denied = Denied { code: "read_only_token" };

/// Whether `who` may do that to it.
pub fn decide(who: &Identity, action: Action, target: &Target) -> Result<(), Denied> {
    if who.terrain_id.is_some() && !action.is_play() {
        return Err(FORBIDDEN);
    }
    if who.read_only && !action.is_read() {
        return Err(READ_ONLY);
    }
    if who.is_super() {
        return Ok(());
    }
    match action {
        Action::OwnAccount | Action::OwnTokens => match target {
            Target::User(id) if *id != who.user_id => Err(NOT_OWNER),
            _ => Ok(()),
        },
        Action::UseLocalSource
        | Action::RevealSecret
        | Action::ManageClubs
        | Action::ReadAudit
        | Action::ManageSystem => Err(FORBIDDEN),
        Action::ReadSystem
        | Action::DeleteFile
        | Action::CleanUp
        | Action::ManageCamera
        | Action::EditClub
        | Action::ManageCourts
        | Action::ViewPasses
        | Action::ViewUsers
        | Action::ManageUsers
            if who.role == Role::Player =>
        {
            Err(FORBIDDEN)
        }
        Action::ReadSystem => Ok(()),
        Action::CreateSession
        | Action::ViewSession
        | Action::ControlSession
        | Action::ReadFile
        | Action::DeleteFile
        | Action::CleanUp
        | Action::ViewCamera
        | Action::ManageCamera
        | Action::ViewClub
        | Action::EditClub
        | Action::ManageCourts
        | Action::ViewPasses
        | Action::ViewUsers
        | Action::ManageUsers => within_club(who, target),
    }
}

/// What everybody but a super administrator finds: the walls of the club, and for players those of the court and of
/// what is their own.
fn within_club(who: &Identity, target: &Target) -> Result<(), Denied> {
    let player = who.role == Role::Player || who.terrain_id.is_some();
    let same_club = |club: Option<i64>| match (club, who.club_id) {
        (Some(a), Some(b)) if a == b => Ok(()),
        _ => Err(OTHER_CLUB),
    };
    let same_court = |court: Option<i64>| match who.terrain_id {
        Some(only) if court != Some(only) => Err(FORBIDDEN),
        _ => Ok(()),
    };
    match target {
        Target::Any => Ok(()),
        Target::Club(club) => same_club(Some(*club)),
        Target::Court { club_id, terrain_id } => {
            same_club(*club_id)?;
            same_court(*terrain_id)
        }
        Target::Camera { club_id, terrain_id } => {
            same_club(*club_id)?;
            same_court(*terrain_id)?;
            if player && terrain_id.is_none() { Err(FORBIDDEN) } else { Ok(()) }
        }
        Target::Session { club_id, terrain_id, user_id } => {
            same_club(*club_id)?;
            same_court(*terrain_id)?;
            if player && *user_id != Some(who.user_id) { Err(NOT_OWNER) } else { Ok(()) }
        }
        Target::User(_) => Err(FORBIDDEN),
        // Administrators of a club look after its players, not after each other.
        Target::Account { role: Role::Player, club_id } => same_club(*club_id),
        Target::Account { .. } => Err(FORBIDDEN),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
