//! The table of contract §0.9 with the protection rules of §20.11, cell by cell.

use super::*;

fn who(role: Role) -> Identity {
    let club_id = (role != Role::SuperAdmin).then_some(1);
    Identity { user_id: UserId(7), role, club_id, ..Identity::system() }
}

/// The pass of court 4 in club 1, made by user 7.
fn kiosk() -> Identity {
    Identity { terrain_id: Some(4), api_token: Some(3), ..who(Role::Player) }
}

/// `y` allowed, `f` forbidden, `c` other club, `o` not the owner. Columns: in order of `COLUMNS`.
const TABLE: [(Action, [&str; 3]); 22] = [
    //                        CLUB_ADMIN            PLAYER                kiosk pass
    //                        court of own, other, no club; session: own, a stranger's, own on another court, other club
    (Action::CreateSession, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::ViewSession, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::ControlSession, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::ReadFile, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::DeleteFile, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::CleanUp, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ViewCamera, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::ManageCamera, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::UseLocalSource, ["fff ffff", "fff ffff", "fff ffff"]),
    (Action::RevealSecret, ["fff ffff", "fff ffff", "fff ffff"]),
    (Action::ViewClub, ["ycc yyyc", "ycc yoyc", "ycc yofc"]),
    (Action::ManageClubs, ["fff ffff", "fff ffff", "fff ffff"]),
    (Action::EditClub, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ManageCourts, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ViewPasses, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ViewUsers, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ManageUsers, ["ycc yyyc", "fff ffff", "fff ffff"]),
    (Action::ReadAudit, ["fff ffff", "fff ffff", "fff ffff"]),
    (Action::ReadSystem, ["yyy yyyy", "fff ffff", "fff ffff"]),
    (Action::ManageSystem, ["fff ffff", "fff ffff", "fff ffff"]),
    (Action::OwnTokens, ["yyy yyyy", "yyy yyyy", "fff ffff"]),
    (Action::OwnAccount, ["yyy yyyy", "yyy yyyy", "fff ffff"]),
];

const COLUMNS: [Target; 7] = [
    Target::Court { club_id: Some(1), terrain_id: Some(4) },
    Target::Court { club_id: Some(2), terrain_id: Some(9) },
    Target::Court { club_id: None, terrain_id: None },
    Target::Session { club_id: Some(1), terrain_id: Some(4), user_id: Some(UserId(7)) },
    Target::Session { club_id: Some(1), terrain_id: Some(4), user_id: Some(UserId(8)) },
    Target::Session { club_id: Some(1), terrain_id: Some(5), user_id: Some(UserId(7)) },
    Target::Session { club_id: Some(2), terrain_id: Some(9), user_id: Some(UserId(7)) },
];

fn wanted(cell: char) -> Result<(), Denied> {
    match cell {
        'y' => Ok(()),
        'f' => Err(FORBIDDEN),
        'c' => Err(OTHER_CLUB),
        'o' => Err(NOT_OWNER),
        other => panic!("{other} is no cell"),
    }
}

#[test]
fn the_table_of_the_contract_holds() {
    for (action, rows) in TABLE {
        for target in &COLUMNS {
            assert_eq!(decide(&who(Role::SuperAdmin), action, target), Ok(()), "{action:?} {target:?}");
        }
        for (who, row) in [who(Role::ClubAdmin), who(Role::Player), kiosk()].iter().zip(rows) {
            let cells: Vec<char> = row.chars().filter(|c| *c != ' ').collect();
            assert_eq!(cells.len(), COLUMNS.len());
            for (target, cell) in COLUMNS.iter().zip(cells) {
                let name = (who.role, who.terrain_id);
                assert_eq!(decide(who, action, target), wanted(cell), "{name:?} {action:?} {target:?}");
            }
        }
    }
    let listed: Vec<Action> = TABLE.iter().map(|(a, _)| *a).collect();
    assert_eq!(listed, Action::ALL, "every action stands in the table");
}

#[test]
fn administrators_of_a_club_look_after_its_players_alone() {
    for action in [Action::ViewUsers, Action::ManageUsers] {
        for (club_id, role, cell) in [
            (Some(1), Role::Player, 'y'),
            (Some(2), Role::Player, 'c'),
            (None, Role::Player, 'c'),
            (Some(1), Role::ClubAdmin, 'f'),
            (Some(1), Role::SuperAdmin, 'f'),
            (None, Role::SuperAdmin, 'f'),
        ] {
            let account = Target::Account { club_id, role };
            assert_eq!(decide(&who(Role::ClubAdmin), action, &account), wanted(cell), "{action:?} {account:?}");
            assert_eq!(decide(&who(Role::Player), action, &account), Err(FORBIDDEN));
            assert_eq!(decide(&kiosk(), action, &account), Err(FORBIDDEN));
            assert_eq!(decide(&who(Role::SuperAdmin), action, &account), Ok(()));
        }
    }
}

#[test]
fn players_see_cameras_of_courts_only_and_a_pass_that_of_its_own() {
    let camera = |terrain_id| Target::Camera { club_id: Some(1), terrain_id };
    assert_eq!(decide(&who(Role::Player), Action::ViewCamera, &camera(Some(5))), Ok(()));
    assert_eq!(decide(&who(Role::Player), Action::ViewCamera, &camera(None)), Err(FORBIDDEN));
    assert_eq!(decide(&who(Role::ClubAdmin), Action::ViewCamera, &camera(None)), Ok(()));
    assert_eq!(decide(&kiosk(), Action::ViewCamera, &camera(Some(4))), Ok(()));
    assert_eq!(decide(&kiosk(), Action::ViewCamera, &camera(Some(5))), Err(FORBIDDEN));
    let other = Target::User(UserId(8));
    assert_eq!(decide(&who(Role::Player), Action::OwnAccount, &other), Err(NOT_OWNER));
    assert_eq!(decide(&who(Role::ClubAdmin), Action::ManageUsers, &other), Err(FORBIDDEN));
}

#[test]
fn a_pass_opens_one_court_whatever_its_role_says() {
    let odd = Identity { role: Role::SuperAdmin, ..kiosk() };
    for action in Action::ALL.into_iter().filter(|a| !a.is_play()) {
        assert_eq!(decide(&odd, action, &Target::Any), Err(FORBIDDEN), "{action:?}");
    }
    for action in Action::ALL.into_iter().filter(|a| a.is_play()) {
        for target in COLUMNS {
            assert_eq!(decide(&odd, action, &target), decide(&kiosk(), action, &target), "{action:?} {target:?}");
        }
    }
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
    for target in [
        Target::Club(1),
        Target::Court { club_id: None, terrain_id: None },
        Target::Camera { club_id: None, terrain_id: Some(1) },
        Target::Account { club_id: None, role: Role::Player },
    ] {
        assert_eq!(decide(&lost, Action::ViewCamera, &target), Err(OTHER_CLUB), "{target:?}");
    }
}
