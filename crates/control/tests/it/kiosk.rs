//! Kiosk passes: one court, no account, an end.

use std::time::Duration;

use serde_json::json;
use vigie_base::{CameraId, StreamKey};
use vigie_control::auth::{AccountChange, NewToken};
use vigie_control::courts::NewPass;
use vigie_control::sessions::SessionRequest;
use vigie_control::{Error, Identity, Kind};
use vigie_hub::Verb;
use vigie_store::Role;

use crate::house::{House, admin, from, links, secret};

const TABLET: &str = "192.0.2.30";

struct Club {
    house: House,
    boss: Identity,
    boss_id: i64,
    camera: i64,
    court: i64,
    other: i64,
}

async fn club() -> Club {
    let house = House::new().await;
    let club = house.club("North").await;
    let boss_id = house.account("boss", Role::ClubAdmin, Some(club)).await;
    let boss = house.sign_in("boss").await;
    let camera = house.camera(json!({"name": "A", "url": "rtsp://h/a"})).await.id;
    let second = house.camera(json!({"name": "B", "url": "rtsp://h/b"})).await.id;
    let (court, other) = (house.court(club, "1", Some(camera)).await, house.court(club, "2", Some(second)).await);
    Club { house, boss, boss_id, camera, court, other }
}

#[tokio::test]
async fn a_pass_opens_its_court_and_nothing_else() {
    let Club { house, boss, camera, court, other, .. } = club().await;
    let (auth, courts) = (&house.control.auth, &house.control.courts);
    let wish = NewPass { hours: None, name: Some("Tablet 1".to_owned()) };
    let (pass, secret_) = courts.create_pass(&boss, court, wish).await.unwrap();
    assert_eq!((pass.terrain_id, pass.name.as_str(), pass.last_used_at.as_deref()), (court, "Tablet 1", None));
    let signed = courts.kiosk(from(TABLET), &secret_).await.unwrap();
    assert_eq!(signed.expires_in, Duration::from_secs(12 * 3600));
    assert_eq!(
        (signed.user.role, signed.user.terrain_id, signed.user.username.as_str()),
        ("PLAYER", Some(court), "Tablet 1")
    );
    assert_eq!(signed.terrain.id, court);
    let who = auth.authenticate(signed.token.reveal()).unwrap();
    assert_eq!((who.role, who.terrain_id), (Role::Player, Some(court)));
    assert!(courts.passes(&boss, court).unwrap()[0].last_used_at.is_some());

    assert_eq!(courts.list(&who, None).unwrap().iter().map(|t| t.id).collect::<Vec<_>>(), [court]);
    assert_eq!(courts.get(&who, other).unwrap_err().code(), "forbidden");
    let cameras = &house.control.cameras;
    assert!(cameras.get(&who, "a").await.is_ok());
    assert_eq!(cameras.get(&who, "b").await.unwrap_err().code(), "forbidden");
    let gate = house.control.gate();
    let sees = async |camera: i64| gate.allow(&who.principal(), StreamKey::main(CameraId(camera)), Verb::View).await;
    assert!(sees(camera).await && !sees(camera + 1).await);
    let _sends = house.sends(camera);
    let on = |terrain| SessionRequest { terrain_id: Some(terrain), ..Default::default() };
    house.control.sessions.create(&who, on(court), &links()).await.unwrap();
    assert_eq!(house.control.sessions.create(&who, on(other), &links()).await.unwrap_err().code(), "forbidden");

    // No account and no tokens, of the maker or anybody.
    let token = NewToken { name: "x".to_owned(), role: None, club_id: None, read_only: false, expires_at: None };
    assert_eq!(auth.create_token(&who, token).await.unwrap_err().code(), "forbidden");
    assert_eq!(auth.stream_password(&who, false).await.unwrap_err().code(), "forbidden");
    assert_eq!(auth.logout_everywhere(&who).await.unwrap_err().code(), "forbidden");
    assert_eq!(auth.accounts(&who, None).unwrap_err().code(), "forbidden");
    assert_eq!(courts.passes(&who, court).unwrap_err().code(), "forbidden");
    assert_eq!(courts.create_pass(&who, court, NewPass::default()).await.unwrap_err().code(), "forbidden");
    let change = auth.change_password(&who, from(TABLET), &secret("x"), &secret("longer-password-9")).await;
    assert_eq!(change.unwrap_err().code(), "forbidden");
    assert!(auth.tokens(&boss).unwrap().is_empty(), "passes are not the maker's tokens");
    assert!(matches!(auth.delete_token(&boss, pass.id).await, Err(Error::TokenNotFound)));
}

#[tokio::test]
async fn a_pass_ends_by_itself_by_hand_and_with_what_it_stands_on() {
    let Club { house, boss, boss_id, court, other, .. } = club().await;
    let (auth, courts) = (&house.control.auth, &house.control.courts);
    let make = async |hours: i64| {
        let wish = NewPass { hours: Some(hours), name: None };
        courts.create_pass(&boss, court, wish).await
    };
    for bad in [0, -1, 8761, i64::MAX, i64::MIN] {
        assert_eq!(make(bad).await.unwrap_err().code(), "invalid_field", "{bad}");
    }
    let (short, first) = make(1).await.unwrap();
    let (_, second) = make(8760).await.unwrap();
    assert_eq!(short.name, "1", "called as its court");
    assert!(matches!(courts.delete_pass(&boss, other, short.id).await, Err(Error::PassNotFound)), "of another court");
    house.clock.advance(Duration::from_secs(3600));
    assert!(auth.authenticate(first.reveal()).is_err());
    assert_eq!(courts.kiosk(from(TABLET), &first).await.unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(courts.passes(&boss, court).unwrap().len(), 1);
    assert!(matches!(courts.delete_pass(&boss, court, short.id).await, Err(Error::PassNotFound)));

    let (third, by_hand) = make(2).await.unwrap();
    let who = auth.authenticate(by_hand.reveal()).unwrap();
    let standing = auth.standing(&who).unwrap();
    courts.delete_pass(&boss, court, third.id).await.unwrap();
    assert!(auth.authenticate(by_hand.reveal()).is_err() && auth.still(&standing).is_err());

    // Its maker moves to another club, or may not sign in any more.
    let south = house.club("South").await;
    let club = |id| AccountChange { club_id: Some(Some(id)), ..Default::default() };
    let before = auth.account(&admin(), boss_id).unwrap().club_id.unwrap();
    auth.change_account(&admin(), boss_id, club(south)).await.unwrap();
    assert!(auth.authenticate(second.reveal()).is_err());
    auth.change_account(&admin(), boss_id, club(before)).await.unwrap();
    auth.authenticate(second.reveal()).unwrap();
    let off = AccountChange { enabled: Some(false), ..Default::default() };
    auth.change_account(&admin(), boss_id, off).await.unwrap();
    assert!(auth.authenticate(second.reveal()).is_err());
    auth.change_account(&admin(), boss_id, AccountChange { enabled: Some(true), ..Default::default() }).await.unwrap();

    let house = House::with(house.end().await, |_| {}).await;
    let (auth, courts) = (&house.control.auth, &house.control.courts);
    auth.authenticate(second.reveal()).unwrap();
    courts.delete(&admin(), court).await.unwrap();
    assert!(auth.authenticate(second.reveal()).is_err(), "it goes with its court");
    let house = House::with(house.end().await, |_| {}).await;
    assert!(house.control.auth.authenticate(second.reveal()).is_err());
}

#[tokio::test]
async fn guessing_a_pass_is_slowed_down() {
    let Club { house, boss, court, .. } = club().await;
    let courts = &house.control.courts;
    let (_, good) = courts.create_pass(&boss, court, NewPass::default()).await.unwrap();
    let mut codes = Vec::new();
    for n in 0..7 {
        codes.push(courts.kiosk(from(TABLET), &secret(&format!("vgt_guess-{n}"))).await.unwrap_err().code());
    }
    assert_eq!(codes[4..], ["unauthenticated", "rate_limited", "rate_limited"]);
    assert_eq!(courts.kiosk(from(TABLET), &good).await.unwrap_err().code(), "rate_limited");
    courts.kiosk(from("192.0.2.31"), &good).await.unwrap();
    // An API token opens no tablet.
    let wish = NewToken { name: "t".to_owned(), role: None, club_id: None, read_only: false, expires_at: None };
    let (_, token) = house.control.auth.create_token(&boss, wish).await.unwrap();
    let refused = courts.kiosk(from("192.0.2.32"), &token).await.unwrap_err();
    assert_eq!(refused.code(), "unauthenticated");
}

#[tokio::test]
async fn a_token_for_one_club_is_held_to_it_whoever_made_it() {
    let Club { house, .. } = club().await;
    let auth = &house.control.auth;
    house.account("root", Role::SuperAdmin, None).await;
    let (root, south) = (house.sign_in("root").await, house.club("South").await);
    let wish = NewToken { name: "nvr".to_owned(), role: None, club_id: Some(south), read_only: true, expires_at: None };
    let (view, token) = auth.create_token(&root, wish.clone()).await.unwrap();
    assert_eq!((view.role, view.club_id), ("CLUB_ADMIN", Some(south)));
    let who = auth.authenticate(token.reveal()).unwrap();
    let clubs = house.control.clubs.list(&who).unwrap();
    assert_eq!(clubs.iter().map(|c| c.id).collect::<Vec<_>>(), [south]);
    assert_eq!(house.control.cameras.get(&who, "a").await.unwrap_err().code(), "other_club");
    assert_eq!(house.control.clubs.create(&who, "x", None).await.unwrap_err().code(), "read_only_token");
    for (role, club_id) in [(Some(Role::SuperAdmin), Some(south)), (Some(Role::Player), None), (None, Some(999))] {
        let e = auth.create_token(&root, NewToken { role, club_id, ..wish.clone() }).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Invalid, "{role:?} {club_id:?}");
    }
}
