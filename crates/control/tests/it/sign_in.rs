//! Setting up, signing in, and taking back.

use std::time::Duration;

use vigie_base::UnixMillis;
use vigie_control::Kind;
use vigie_control::auth::{NewToken, TokenView};
use vigie_store::Role;

use crate::house::{House, PASSWORD, admin, from, secret};

const HERE: &str = "127.0.0.1";
const AWAY: &str = "192.0.2.50";

async fn ready() -> House {
    let house = House::new().await;
    house.control.auth.setup(from(HERE), "admin", &secret(PASSWORD), None).await.unwrap();
    house
}

#[tokio::test]
async fn the_first_comer_from_elsewhere_needs_the_code_of_the_log() {
    let house = House::new().await;
    let auth = &house.control.auth;
    assert!(auth.setup_needed());
    let code = auth.setup_code().unwrap();
    for wrong in [None, Some(""), Some("AAAA-AAAA")] {
        let refused = auth.setup(from(AWAY), "admin", &secret(PASSWORD), wrong).await.unwrap_err();
        assert_eq!(refused.code(), "setup_code");
    }
    let weak = auth.setup(from(AWAY), "admin", &secret("short"), Some(code.reveal())).await.unwrap_err();
    assert_eq!(weak.kind(), Kind::Invalid);
    let lower = code.reveal().to_lowercase().replace('-', " ");
    let done = auth.setup(from(AWAY), "admin", &secret(PASSWORD), Some(&lower)).await.unwrap();
    assert_eq!((done.user.role, done.expires_in), ("SUPER_ADMIN", 900));
    assert!(!auth.setup_needed() && auth.setup_code().is_none());
    let again = auth.setup(from(HERE), "second", &secret(PASSWORD), None).await.unwrap_err();
    assert_eq!((again.code(), again.kind()), ("setup_done", Kind::Conflict));
}

#[tokio::test]
async fn guessing_the_code_is_slowed_down() {
    let house = House::new().await;
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(house.control.auth.setup(from(AWAY), "a", &secret(PASSWORD), Some("x")).await.unwrap_err().code());
    }
    assert_eq!(codes[4..], ["setup_code", "rate_limited", "rate_limited"]);
}

#[tokio::test]
async fn the_environment_makes_an_administrator_only_where_there_is_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let first = |c: &mut vigie_control::Config| c.admin = Some(("root".to_owned(), secret(PASSWORD)));
    let house = House::with(dir, first).await;
    assert!(!house.control.auth.setup_needed());
    let dir = house.end().await;
    let second = |c: &mut vigie_control::Config| c.admin = Some(("root".to_owned(), secret("another-pass-9")));
    let house = House::with(dir, second).await;
    assert!(house.control.auth.login(from(HERE), "root", &secret("another-pass-9")).await.is_err());
    house.control.auth.login(from(HERE), "ROOT", &secret(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn wrong_passwords_say_nothing_and_soon_wait() {
    let house = ready().await;
    let auth = &house.control.auth;
    for name in ["admin", "nobody"] {
        let e = auth.login(from(AWAY), name, &secret("wrong-password")).await.unwrap_err();
        assert_eq!((e.code(), e.kind()), ("bad_credentials", Kind::Unauthenticated));
    }
    for _ in 0..4 {
        auth.login(from(AWAY), "admin", &secret("wrong-password")).await.unwrap_err();
    }
    let e = auth.login(from(AWAY), "admin", &secret(PASSWORD)).await.unwrap_err();
    assert_eq!((e.code(), e.kind()), ("rate_limited", Kind::TooMany));
    assert_eq!(e.retry_after(), Some(Duration::from_secs(15)));
    auth.login(from("192.0.2.51"), "admin", &secret(PASSWORD)).await.unwrap();
    house.clock.advance(Duration::from_secs(15));
    auth.login(from(AWAY), "admin", &secret(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn access_tokens_end_and_refresh_tokens_bring_new_ones() {
    let house = ready().await;
    let auth = &house.control.auth;
    let signed = auth.login(from(HERE), "admin", &secret(PASSWORD)).await.unwrap();
    let who = auth.authenticate(signed.token.reveal()).unwrap();
    assert_eq!((who.username.as_str(), who.role), ("admin", Role::SuperAdmin));
    house.clock.advance(Duration::from_secs(900));
    assert!(auth.authenticate(signed.token.reveal()).is_err());
    let fresh = auth.refresh(&signed.refresh_token).await.unwrap();
    auth.authenticate(fresh.token.reveal()).unwrap();
    house.clock.advance(Duration::from_secs(31 * 86_400));
    assert!(auth.refresh(&signed.refresh_token).await.is_err());
    // Changed by one character, signed by nobody, or no token at all.
    let text = fresh.token.reveal();
    let cut = &text[..text.len() - 2];
    for bad in [cut, "", "a.b.c", "vgt_x", "eyJhbGciOiJub25lIn0.eyJzdWIiOjF9."] {
        assert!(auth.authenticate(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn what_is_taken_back_stops_at_once() {
    let house = ready().await;
    let auth = &house.control.auth;
    let one = auth.login(from(HERE), "admin", &secret(PASSWORD)).await.unwrap();
    let two = auth.login(from(HERE), "admin", &secret(PASSWORD)).await.unwrap();
    let who = auth.authenticate(one.token.reveal()).unwrap();
    auth.logout(&who).await.unwrap();
    assert!(auth.authenticate(one.token.reveal()).is_err() && auth.refresh(&one.refresh_token).await.is_err());
    let who = auth.authenticate(two.token.reveal()).unwrap();

    let wrong = auth.change_password(&who, from(HERE), &secret("not-it"), &secret("new-password-1")).await;
    assert_eq!(wrong.unwrap_err().code(), "bad_credentials");
    let same = auth.change_password(&who, from(HERE), &secret(PASSWORD), &secret("admin")).await;
    assert_eq!(same.unwrap_err().kind(), Kind::Invalid);
    let new = auth.change_password(&who, from(HERE), &secret(PASSWORD), &secret("new-password-1")).await.unwrap();
    assert!(auth.authenticate(two.token.reveal()).is_err() && auth.refresh(&two.refresh_token).await.is_err());
    auth.authenticate(new.token.reveal()).unwrap();
    auth.refresh(&new.refresh_token).await.unwrap();
    assert!(auth.login(from(HERE), "admin", &secret(PASSWORD)).await.is_err());

    let two = auth.login(from(HERE), "admin", &secret("new-password-1")).await.unwrap();
    let who = auth.authenticate(two.token.reveal()).unwrap();
    auth.logout(&who).await.unwrap();
    // The access token is good for minutes yet, and nothing of this process remembers that it was taken back.
    let house = House::with(house.end().await, |_| {}).await;
    let auth = &house.control.auth;
    assert!(auth.authenticate(two.token.reveal()).is_err(), "a restart does not revive it");
    auth.authenticate(new.token.reveal()).unwrap();
}

#[tokio::test]
async fn api_tokens_do_at_most_what_their_maker_may() {
    let house = ready().await;
    let auth = &house.control.auth;
    let signed = auth.login(from(HERE), "admin", &secret(PASSWORD)).await.unwrap();
    let who = auth.authenticate(signed.token.reveal()).unwrap();
    let club = house.control.clubs.create(&admin(), "North", None).await.unwrap().id;
    let wish = NewToken {
        name: "nvr".to_owned(),
        role: Some(Role::ClubAdmin),
        club_id: Some(club),
        read_only: true,
        expires_at: Some(UnixMillis(crate::house::T0.0 + 60_000)),
    };
    let (view, token) = auth.create_token(&who, wish.clone()).await.unwrap();
    let program = auth.authenticate(token.reveal()).unwrap();
    assert_eq!((program.role, program.club_id, program.read_only), (Role::ClubAdmin, Some(club), true));
    let more = NewToken { role: Some(Role::SuperAdmin), ..wish.clone() };
    assert_eq!(auth.create_token(&program, more).await.unwrap_err().code(), "read_only_token");
    assert_eq!(view.last_used_at, None);
    let used = TokenView { last_used_at: Some(crate::house::T0.rfc3339()), ..view };
    assert_eq!(auth.tokens(&who).unwrap(), [used]);
    house.clock.advance(Duration::from_secs(60));
    assert!(auth.authenticate(token.reveal()).is_err(), "it has ended");
    let (view, token) = auth.create_token(&who, NewToken { expires_at: None, ..wish }).await.unwrap();
    auth.delete_token(&who, view.id).await.unwrap();
    assert!(auth.authenticate(token.reveal()).is_err());
    assert_eq!(auth.delete_token(&who, view.id).await.unwrap_err().code(), "token_not_found");
}

#[tokio::test]
async fn stream_passwords_are_strong_sealed_and_shown_again_to_their_owner() {
    let house = ready().await;
    let auth = &house.control.auth;
    let signed = auth.login(from(HERE), "admin", &secret(PASSWORD)).await.unwrap();
    let who = auth.authenticate(signed.token.reveal()).unwrap();
    let gate = house.control.gate();
    assert!(gate.stream_secret("admin").await.is_none(), "none until its owner asks");
    let first = auth.stream_password(&who, false).await.unwrap();
    assert!(first.password.reveal().len() >= 22 && first.password.reveal() != PASSWORD);
    assert_eq!(auth.stream_password(&who, false).await.unwrap().password, first.password);
    let (principal, secret_) = gate.stream_secret("ADMIN").await.unwrap();
    assert_eq!((principal, secret_), (who.principal(), first.password.clone()));
    let stored = house.store.users().await.unwrap()[0].stream_password.clone().unwrap();
    let clear = first.password.reveal().as_bytes();
    assert!(!stored.windows(clear.len()).any(|w| w == clear));
    let renewed = auth.stream_password(&who, true).await.unwrap();
    assert_ne!(renewed.password, first.password);
}
