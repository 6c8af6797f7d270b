//! Accounts, and the log of who did what.

use serde_json::json;
use vigie_control::audit::AuditQuery;
use vigie_control::auth::{AccountChange, NewAccount};
use vigie_control::{Error, Identity, Kind};
use vigie_store::Role;

use crate::house::{House, PASSWORD, admin, from, person, secret};

const HERE: &str = "127.0.0.1";

fn new(name: &str, role: Role, club: Option<i64>) -> NewAccount {
    NewAccount { username: name.to_owned(), password: Some(secret(PASSWORD)), role, club_id: club, enabled: true }
}

#[tokio::test]
async fn a_changed_right_counts_from_the_next_call_and_a_lost_account_is_out() {
    let house = House::new().await;
    let auth = &house.control.auth;
    let club = house.club("North").await;
    house.account("root", Role::SuperAdmin, None).await;
    let id = house.account("coach", Role::ClubAdmin, Some(club)).await;
    let signed = auth.login(from(HERE), "coach", &secret(PASSWORD)).await.unwrap();
    assert_eq!((signed.user.role, signed.user.club_name.as_deref()), ("CLUB_ADMIN", Some("North")));
    let who = || auth.authenticate(signed.token.reveal());
    assert!(auth.accounts(&who().unwrap(), None).is_ok());
    let standing = auth.standing(&who().unwrap()).unwrap();
    let demote = AccountChange { role: Some(Role::Player), ..Default::default() };
    auth.change_account(&admin(), id, demote).await.unwrap();
    let now = who().unwrap();
    assert_eq!(now.role, Role::Player, "the sign-in goes on with the rights of now");
    assert_eq!(auth.accounts(&now, None).unwrap_err().code(), "forbidden");
    assert_eq!(auth.still(&standing).unwrap().role, Role::Player);

    let off = AccountChange { enabled: Some(false), ..Default::default() };
    auth.change_account(&admin(), id, off).await.unwrap();
    assert!(who().is_err() && auth.still(&standing).is_err() && auth.refresh(&signed.refresh_token).await.is_err());
    assert!(auth.login(from(HERE), "coach", &secret(PASSWORD)).await.is_err());
    let on = AccountChange { enabled: Some(true), ..Default::default() };
    auth.change_account(&admin(), id, on).await.unwrap();
    assert!(who().is_err(), "what was taken back does not come back");

    let signed = auth.login(from(HERE), "coach", &secret(PASSWORD)).await.unwrap();
    let made = auth.reset_password(&admin(), id, None).await.unwrap().unwrap();
    assert!(auth.authenticate(signed.token.reveal()).is_err());
    assert!(auth.login(from(HERE), "coach", &secret(PASSWORD)).await.is_err());
    auth.login(from(HERE), "coach", &made).await.unwrap();
    assert_eq!(auth.reset_password(&admin(), id, Some(secret("short"))).await.unwrap_err().kind(), Kind::Invalid);
    auth.delete_account(&admin(), id).await.unwrap();
    assert!(auth.login(from(HERE), "coach", &made).await.is_err());
    assert!(matches!(auth.account(&admin(), id), Err(Error::UserNotFound)));
}

#[tokio::test]
async fn somebody_who_may_do_everything_always_stays() {
    let house = House::new().await;
    let auth = &house.control.auth;
    let club = house.club("North").await;
    let root = house.account("root", Role::SuperAdmin, None).await;
    let me = house.sign_in("root").await;
    let changes = [
        AccountChange { role: Some(Role::ClubAdmin), club_id: Some(Some(club)), ..Default::default() },
        AccountChange { enabled: Some(false), ..Default::default() },
    ];
    for who in [&me, &admin()] {
        for change in changes.clone() {
            assert!(matches!(auth.change_account(who, root, change).await, Err(Error::LastSuperAdmin)));
        }
        assert!(matches!(auth.delete_account(who, root).await, Err(Error::LastSuperAdmin)));
    }
    // One who cannot sign in does not count.
    let spare = NewAccount { enabled: false, ..new("spare", Role::SuperAdmin, None) };
    let spare = auth.create_account(&admin(), spare).await.unwrap().0.id;
    assert!(matches!(auth.delete_account(&me, root).await, Err(Error::LastSuperAdmin)));
    auth.change_account(&me, spare, AccountChange { enabled: Some(true), ..Default::default() }).await.unwrap();
    for change in changes {
        assert!(matches!(auth.change_account(&me, root, change).await, Err(Error::OwnAccount)));
    }
    assert!(matches!(auth.delete_account(&me, root).await, Err(Error::OwnAccount)));
    assert!(matches!(auth.reset_password(&me, root, None).await, Err(Error::OwnAccount)));
    // One's own name may change.
    let renamed = AccountChange { username: Some("chief".to_owned()), ..Default::default() };
    assert_eq!(auth.change_account(&me, root, renamed).await.unwrap().username, "chief");
    auth.delete_account(&me, spare).await.unwrap();
}

#[tokio::test]
async fn administrators_of_a_club_manage_its_players_and_nobody_else() {
    let house = House::new().await;
    let auth = &house.control.auth;
    let (north, south) = (house.club("North").await, house.club("South").await);
    let root = house.account("root", Role::SuperAdmin, None).await;
    let peer = house.account("peer", Role::ClubAdmin, Some(north)).await;
    let theirs = house.account("theirs", Role::Player, Some(south)).await;
    let boss = person(77, Role::ClubAdmin, Some(north));
    let mine = auth.create_account(&boss, new("mine", Role::Player, None)).await.unwrap().0;
    assert_eq!(mine.club_id, Some(north), "the own club goes without saying");
    assert_eq!(auth.accounts(&boss, None).unwrap(), std::slice::from_ref(&mine));
    assert_eq!(auth.accounts(&boss, Some(south)).unwrap_err().code(), "other_club");
    assert_eq!(auth.accounts(&admin(), Some(south)).unwrap().len(), 1);
    for (id, code) in [(root, "forbidden"), (peer, "forbidden"), (theirs, "other_club")] {
        assert_eq!(auth.account(&boss, id).unwrap_err().code(), code);
        let none = AccountChange::default();
        assert_eq!(auth.change_account(&boss, id, none).await.unwrap_err().code(), code);
        assert_eq!(auth.delete_account(&boss, id).await.unwrap_err().code(), code);
        assert_eq!(auth.reset_password(&boss, id, None).await.unwrap_err().code(), code);
    }
    for (role, club, code) in [
        (Role::ClubAdmin, Some(north), "forbidden"),
        (Role::SuperAdmin, None, "forbidden"),
        (Role::Player, Some(south), "other_club"),
    ] {
        assert_eq!(auth.create_account(&boss, new("x", role, club)).await.unwrap_err().code(), code);
        let raise = AccountChange { role: Some(role), club_id: Some(club), ..Default::default() };
        assert_eq!(auth.change_account(&boss, mine.id, raise).await.unwrap_err().code(), code, "{role}");
    }
    let player = person(78, Role::Player, Some(north));
    assert_eq!(auth.accounts(&player, None).unwrap_err().code(), "forbidden");
    assert_eq!(auth.account(&player, 999).unwrap_err().code(), "forbidden", "nor whether there is such a number");
    assert_eq!(auth.account(&boss, 999).unwrap_err().code(), "user_not_found");
}

#[tokio::test]
async fn accounts_are_checked_before_anything_is_kept() {
    let house = House::new().await;
    let auth = &house.control.auth;
    let club = house.club("North").await;
    let (made, password) = auth
        .create_account(&admin(), NewAccount { password: None, ..new("zoé", Role::Player, Some(club)) })
        .await
        .unwrap();
    let password = password.unwrap();
    assert_eq!(password.reveal().len(), 19);
    auth.login(from(HERE), "zoé", &password).await.unwrap();
    assert!(auth.account(&admin(), made.id).unwrap().last_login_at.is_some());
    for taken in ["ZOé", "ZOÉ"] {
        let again = auth.create_account(&admin(), new(taken, Role::Player, Some(club))).await;
        assert!(matches!(again, Err(Error::DuplicateUsername)), "{taken}");
    }
    let long = "x".repeat(10_000);
    for bad in ["", " ", "a b", "a\nb", "'; DROP TABLE users; --", "🎾", &long] {
        let e = auth.create_account(&admin(), new(bad, Role::Player, Some(club))).await.unwrap_err();
        assert!(matches!(e.kind(), Kind::Invalid | Kind::Malformed), "{bad:?}");
    }
    for (role, club, kind) in [
        (Role::Player, None, "missing_field"),
        (Role::ClubAdmin, None, "missing_field"),
        (Role::Player, Some(999), "invalid_field"),
        (Role::Player, Some(-1), "invalid_field"),
        (Role::SuperAdmin, Some(club), "invalid_field"),
    ] {
        let e = auth.create_account(&admin(), new("y", role, club)).await.unwrap_err();
        assert_eq!((e.code(), e.kind()), (kind, Kind::Invalid), "{role} {club:?}");
    }
    for id in [-1, 0, 999, i64::MAX] {
        assert!(matches!(auth.account(&admin(), id), Err(Error::UserNotFound)), "{id}");
        assert!(matches!(auth.delete_account(&admin(), id).await, Err(Error::UserNotFound)), "{id}");
    }
    // A super administrator leaves the club.
    let raise = AccountChange { role: Some(Role::SuperAdmin), ..Default::default() };
    assert_eq!(auth.change_account(&admin(), made.id, raise).await.unwrap().club_id, None);
    assert_eq!(auth.accounts(&admin(), None).unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_done_is_written_down_with_its_address_and_without_secrets() {
    let house = House::new().await;
    let auth = &house.control.auth;
    house.account("root", Role::SuperAdmin, None).await;
    let who = Identity { address: Some("192.0.2.7".parse().unwrap()), ..house.sign_in("root").await };
    auth.login(from("192.0.2.8"), "ROOT", &secret("wrong-password")).await.unwrap_err();
    auth.login(from("192.0.2.8"), "hunter2-my-secret", &secret("wrong-password")).await.unwrap_err();
    let club = house.control.clubs.create(&who, "North", None).await.unwrap().id;
    let body = json!({"name": "A", "url": "rtsp://u:camera-secret@h/a", "club_id": club});
    let cameras = &house.control.cameras;
    cameras.create(&who, crate::house::object(&body)).await.unwrap();
    cameras.reveal(&who, "a").await.unwrap();
    cameras
        .update(&who, "a", crate::house::object(&json!({"name": "B", "password": "other-secret"})), false)
        .await
        .unwrap();
    auth.create_account(&who, new("kid", Role::Player, Some(club))).await.unwrap();
    let all = AuditQuery { limit: 100, ..Default::default() };
    let log = house.control.audit.list(&who, all.clone()).await.unwrap();
    let text = serde_json::to_string(&log).unwrap();
    for secret in [PASSWORD, "camera-secret", "other-secret", "hunter2-my-secret", "wrong-password"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let of = |action: &str| log.iter().filter(|e| e.action == action).collect::<Vec<_>>();
    let refused = of("login.refused");
    assert_eq!((refused[0].actor.as_str(), refused[0].address.as_deref()), ("anonymous", Some("192.0.2.8")));
    assert_eq!(refused[1].actor, "root");
    for action in ["club.create", "camera.create", "camera.reveal", "camera.update", "user.create"] {
        let entry = of(action).into_iter().find(|e| e.address.is_some()).expect(action);
        assert_eq!(
            (entry.actor.as_str(), entry.user_id, entry.address.as_deref()),
            ("root", Some(who.user_id.0), Some("192.0.2.7"))
        );
    }
    assert_eq!(of("camera.update")[0].details["changed"], json!(["name", "password"]));
    let some = AuditQuery { action: Some("camera.".to_owned()), before: Some(of("camera.update")[0].id), ..all };
    let older = house.control.audit.list(&who, some).await.unwrap();
    assert_eq!(older.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(), ["camera.reveal", "camera.create"]);
    for role in [Role::ClubAdmin, Role::Player] {
        let e = house.control.audit.list(&person(9, role, Some(club)), AuditQuery::default()).await.unwrap_err();
        assert_eq!(e.code(), "forbidden");
    }
}
