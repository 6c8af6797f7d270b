//! Who may do what. **Every permission is decided here and nowhere else**: everybody else asks [`decide`].
//!
//! The table is the one of contract §0.9, with the protection rules of §20.11. A camera or session without a club
//! belongs to super administrators alone (court-less sessions).

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
    /// The API token they came with.
    pub api_token: Option<i64>,
    /// The sign-in they came with.
    pub sign_in: Option<String>,
    /// Whether they may only read.
    pub read_only: bool,
}

impl Identity {
    /// Vigie itself: the configuration file, timers, start-up.
    pub fn system() -> Self {
        Self {
            user_id: UserId(0),
            username: "vigie".to_owned(),
            role: Role::SuperAdmin,
            club_id: None,
            api_token: None,
            sign_in: None,
            read_only: false,
        }
    }

    /// How outputs know them. An API token goes by the negative of its number, since it may do less than its maker.
    pub fn principal(&self) -> Principal {
        let id = self.api_token.map_or(self.user_id.0, |t| -t);
        Principal::User { id, name: self.username.clone() }
    }

    fn is_super(&self) -> bool {
        self.role == Role::SuperAdmin
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
    /// Add, change and delete users.
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
    pub const ALL: [Action; 16] = [
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
        Action::ManageUsers,
        Action::ReadAudit,
        Action::ReadSystem,
        Action::ManageSystem,
        Action::OwnTokens,
        Action::OwnAccount,
    ];

    /// Whether it changes nothing, so that a read-only token may do it.
    pub fn is_read(self) -> bool {
        matches!(
            self,
            Action::ViewSession | Action::ReadFile | Action::ViewCamera | Action::ReadAudit | Action::ReadSystem
        )
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
        /// Whether it looks at a court.
        on_court: bool,
    },
    /// A court, or a camera without one, for a new session.
    Court {
        /// Its club.
        club_id: Option<i64>,
    },
    /// A capture session or a file made in one.
    Session {
        /// Its club.
        club_id: Option<i64>,
        /// Who made it.
        user_id: Option<UserId>,
    },
    /// A user.
    User(UserId),
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
    if who.read_only && !action.is_read() {
        return Err(READ_ONLY);
    }
    if who.is_super() {
        return Ok(());
    }
    let same_club = |club: Option<i64>| match (club, who.club_id) {
        (Some(a), Some(b)) if a == b => Ok(()),
        _ => Err(OTHER_CLUB),
    };
    match action {
        Action::OwnAccount | Action::OwnTokens => match target {
            Target::User(id) if *id != who.user_id => Err(NOT_OWNER),
            _ => Ok(()),
        },
        Action::UseLocalSource
        | Action::RevealSecret
        | Action::ManageUsers
        | Action::ReadAudit
        | Action::ManageSystem => Err(FORBIDDEN),
        Action::ReadSystem => match who.role {
            Role::Player => Err(FORBIDDEN),
            _ => Ok(()),
        },
        Action::DeleteFile | Action::CleanUp | Action::ManageCamera if who.role == Role::Player => Err(FORBIDDEN),
        Action::CreateSession
        | Action::ViewSession
        | Action::ControlSession
        | Action::ReadFile
        | Action::DeleteFile
        | Action::CleanUp
        | Action::ViewCamera
        | Action::ManageCamera => match target {
            Target::Any => Ok(()),
            Target::Club(club) => same_club(Some(*club)),
            Target::Court { club_id } => same_club(*club_id),
            Target::Camera { club_id, on_court } => {
                same_club(*club_id)?;
                if who.role == Role::Player && !on_court { Err(FORBIDDEN) } else { Ok(()) }
            }
            Target::Session { club_id, user_id } => {
                same_club(*club_id)?;
                if who.role == Role::Player && *user_id != Some(who.user_id) { Err(NOT_OWNER) } else { Ok(()) }
            }
            Target::User(_) => Err(FORBIDDEN),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(role: Role) -> Identity {
        let club_id = (role != Role::SuperAdmin).then_some(1);
        Identity { user_id: UserId(7), role, club_id, ..Identity::system() }
    }

    /// `y` allowed, `f` forbidden, `c` other club, `o` not the owner. Columns: in order of `COLUMNS`.
    const TABLE: [(Action, [&str; 2]); 16] = [
        //                        CLUB_ADMIN   PLAYER
        //                        own other none | same for the player, then own session and a stranger's in the club
        (Action::CreateSession, ["ycc yy", "ycc yo"]),
        (Action::ViewSession, ["ycc yy", "ycc yo"]),
        (Action::ControlSession, ["ycc yy", "ycc yo"]),
        (Action::ReadFile, ["ycc yy", "ycc yo"]),
        (Action::DeleteFile, ["ycc yy", "fff ff"]),
        (Action::CleanUp, ["ycc yy", "fff ff"]),
        (Action::ViewCamera, ["ycc yy", "ycc yo"]),
        (Action::ManageCamera, ["ycc yy", "fff ff"]),
        (Action::UseLocalSource, ["fff ff", "fff ff"]),
        (Action::RevealSecret, ["fff ff", "fff ff"]),
        (Action::ManageUsers, ["fff ff", "fff ff"]),
        (Action::ReadAudit, ["fff ff", "fff ff"]),
        (Action::ReadSystem, ["yyy yy", "fff ff"]),
        (Action::ManageSystem, ["fff ff", "fff ff"]),
        (Action::OwnTokens, ["yyy yy", "yyy yy"]),
        (Action::OwnAccount, ["yyy yy", "yyy yy"]),
    ];

    const COLUMNS: [Target; 5] = [
        Target::Court { club_id: Some(1) },
        Target::Court { club_id: Some(2) },
        Target::Court { club_id: None },
        Target::Session { club_id: Some(1), user_id: Some(UserId(7)) },
        Target::Session { club_id: Some(1), user_id: Some(UserId(8)) },
    ];

    #[test]
    fn the_table_of_the_contract_holds() {
        for (action, [admin, player]) in TABLE {
            for target in &COLUMNS {
                assert_eq!(decide(&who(Role::SuperAdmin), action, target), Ok(()), "{action:?} {target:?}");
            }
            for (role, row) in [(Role::ClubAdmin, admin), (Role::Player, player)] {
                let cells = row.chars().filter(|c| *c != ' ');
                for (target, cell) in COLUMNS.iter().zip(cells) {
                    let wanted = match cell {
                        'y' => Ok(()),
                        'f' => Err(FORBIDDEN),
                        'c' => Err(OTHER_CLUB),
                        _ => Err(NOT_OWNER),
                    };
                    assert_eq!(decide(&who(role), action, target), wanted, "{role} {action:?} {target:?}");
                }
            }
        }
        let listed: Vec<Action> = TABLE.iter().map(|(a, _)| *a).collect();
        assert_eq!(listed, Action::ALL, "every action stands in the table");
    }

    #[test]
    fn players_see_cameras_of_courts_only() {
        let camera = |on_court| Target::Camera { club_id: Some(1), on_court };
        assert_eq!(decide(&who(Role::Player), Action::ViewCamera, &camera(true)), Ok(()));
        assert_eq!(decide(&who(Role::Player), Action::ViewCamera, &camera(false)), Err(FORBIDDEN));
        assert_eq!(decide(&who(Role::ClubAdmin), Action::ViewCamera, &camera(false)), Ok(()));
        let other = Target::User(UserId(8));
        assert_eq!(decide(&who(Role::Player), Action::OwnAccount, &other), Err(NOT_OWNER));
        assert_eq!(decide(&who(Role::ClubAdmin), Action::ManageUsers, &other), Err(FORBIDDEN));
    }

    #[test]
    fn a_read_only_token_changes_nothing_whatever_its_role() {
        for action in Action::ALL {
            let token = Identity { read_only: true, ..who(Role::SuperAdmin) };
            let wanted = if action.is_read() { Ok(()) } else { Err(READ_ONLY) };
            assert_eq!(decide(&token, action, &Target::Any), wanted, "{action:?}");
        }
    }

    #[test]
    fn somebody_without_a_club_is_in_none() {
        let lost = Identity { club_id: None, ..who(Role::ClubAdmin) };
        for target in
            [Target::Club(1), Target::Court { club_id: None }, Target::Camera { club_id: None, on_court: true }]
        {
            assert_eq!(decide(&lost, Action::ViewCamera, &target), Err(OTHER_CLUB), "{target:?}");
        }
    }
}
