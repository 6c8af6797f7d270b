//! Clubs and courts: names, cameras, what stays and what goes.

use serde_json::json;
use vigie_control::clubs::ClubChange;
use vigie_control::courts::{CourtChange, NewCourt};
use vigie_control::sessions::SessionRequest;
use vigie_control::{Error, Identity, Kind};
use vigie_store::Role;

use crate::house::{House, admin, links, object, person};

fn named(name: &str, camera: Option<i64>) -> NewCourt {
    NewCourt { name: name.to_owned(), camera_id: camera, enabled: true }
}

#[tokio::test]
async fn names_are_unique_to_people_and_hold_no_tricks() {
    let house = House::new().await;
    let clubs = &house.control.clubs;
    let a = clubs.create(&admin(), "  Évian 🎾 ", None).await.unwrap();
    assert_eq!((a.name.as_str(), a.terrain_count, a.user_count), ("Évian 🎾", 0, 0));
    for taken in ["évian 🎾", "ÉVIAN 🎾"] {
        assert!(matches!(clubs.create(&admin(), taken, None).await, Err(Error::DuplicateName)), "{taken}");
    }
    let sql = clubs.create(&admin(), "'); DROP TABLE clubs; --", Some("Europe/Paris")).await.unwrap();
    assert_eq!(clubs.list(&admin()).unwrap(), [a.clone(), sql.clone()]);
    let long = "x".repeat(10_000);
    for bad in ["", "  ", "a\nb", "a\0", "\u{202e}evil", &long] {
        assert_eq!(clubs.create(&admin(), bad, None).await.unwrap_err().kind(), Kind::Invalid, "{bad:?}");
    }
    let odd = clubs.create(&admin(), "C", Some("Mars/Base")).await.unwrap_err();
    assert!(odd.details().unwrap()["timezone"].is_object());
    // Another case of one's own name is no conflict.
    let change = ClubChange { name: Some("évian 🎾".to_owned()), timezone: None };
    let renamed = clubs.change(&admin(), a.id, change).await.unwrap();
    assert_eq!((renamed.name.as_str(), &renamed.timezone), ("évian 🎾", &a.timezone));
    let clash = ClubChange { name: Some("ÉVIAN 🎾".to_owned()), timezone: None };
    assert!(matches!(clubs.change(&admin(), sql.id, clash).await, Err(Error::DuplicateName)));
    for id in [-1, 0, 999, i64::MAX, i64::MIN] {
        assert!(matches!(clubs.get(&admin(), id), Err(Error::ClubNotFound)), "{id}");
        assert!(matches!(clubs.delete(&admin(), id).await, Err(Error::ClubNotFound)), "{id}");
        assert!(matches!(house.control.courts.get(&admin(), id), Err(Error::TerrainNotFound)), "{id}");
        assert!(matches!(house.control.courts.delete(&admin(), id).await, Err(Error::TerrainNotFound)), "{id}");
    }
}

#[tokio::test]
async fn everybody_sees_their_own_club_and_administrators_edit_it() {
    let house = House::new().await;
    let (north, south) = (house.club("North").await, house.club("South").await);
    let (c1, c2) = (house.court(north, "1", None).await, house.court(south, "1", None).await);
    let (boss, player) = (person(5, Role::ClubAdmin, Some(north)), person(6, Role::Player, Some(north)));
    let (clubs, courts) = (&house.control.clubs, &house.control.courts);
    for who in [&boss, &player] {
        assert_eq!(clubs.list(who).unwrap().iter().map(|c| c.id).collect::<Vec<_>>(), [north]);
        assert_eq!(courts.list(who, None).unwrap().iter().map(|t| t.id).collect::<Vec<_>>(), [c1]);
        assert_eq!(clubs.get(who, south).unwrap_err().code(), "other_club");
        assert_eq!(courts.get(who, c2).unwrap_err().code(), "other_club");
        assert_eq!(courts.list(who, Some(south)).unwrap_err().code(), "other_club");
        assert_eq!(clubs.create(who, "Own", None).await.unwrap_err().code(), "forbidden");
        assert_eq!(clubs.delete(who, north).await.unwrap_err().code(), "forbidden");
        assert_eq!(courts.create(who, south, named("2", None)).await.unwrap_err().kind(), Kind::Forbidden);
    }
    assert_eq!(courts.list(&admin(), None).unwrap().len(), 2);
    let rename = || ClubChange { name: Some("Nord".to_owned()), timezone: None };
    assert_eq!(clubs.change(&player, north, rename()).await.unwrap_err().code(), "forbidden");
    assert_eq!(clubs.change(&boss, south, rename()).await.unwrap_err().code(), "other_club");
    clubs.change(&boss, north, rename()).await.unwrap();
    assert_eq!(courts.get(&player, c1).unwrap().club_name, "Nord");
    courts.create(&boss, north, named("2", None)).await.unwrap();
    assert_eq!(courts.create(&player, north, named("3", None)).await.unwrap_err().code(), "forbidden");
    let off = CourtChange { enabled: Some(false), ..Default::default() };
    assert_eq!(courts.change(&player, c1, off.clone()).await.unwrap_err().code(), "forbidden");
    assert_eq!(courts.change(&boss, c1, off).await.unwrap().status, "disabled");
    let read_only = Identity { read_only: true, ..boss };
    assert_eq!(courts.delete(&read_only, c1).await.unwrap_err().code(), "read_only_token");
}

#[tokio::test]
async fn a_camera_follows_its_court_into_the_club() {
    let house = House::new().await;
    let (north, south) = (house.club("North").await, house.club("South").await);
    let cam = house.camera(json!({"name": "A", "url": "rtsp://h/a"})).await.id;
    let (courts, cameras) = (&house.control.courts, &house.control.cameras);
    let place = async || {
        let c = cameras.get(&admin(), &cam.to_string()).await.unwrap();
        (c.club_id, c.terrain_id)
    };
    let one = house.court(north, "1", Some(cam)).await;
    assert_eq!(place().await, (Some(north), Some(one)));
    let taken = courts.create(&admin(), south, named("1", Some(cam))).await;
    assert!(matches!(taken, Err(Error::CameraInOtherClub)));
    let none = courts.create(&admin(), south, named("1", Some(999))).await;
    assert!(matches!(none, Err(Error::CameraNotFound)));
    // Two courts, one camera.
    let two = house.court(north, "2", Some(cam)).await;
    assert_eq!(place().await, (Some(north), Some(one)));
    let view = courts.get(&admin(), two).unwrap();
    assert_eq!((view.camera_name.as_deref(), view.status, view.live), (Some("A"), "ready", false));
    let away = CourtChange { camera_id: Some(None), ..Default::default() };
    assert_eq!(courts.change(&admin(), one, away).await.unwrap().status, "no_camera");
    assert_eq!(place().await, (Some(north), Some(two)));

    // A club that its court is not in, or a court that is not there: neither can be said at the camera.
    let patch = async |body: serde_json::Value| cameras.update(&admin(), &cam.to_string(), object(&body), false).await;
    assert!(matches!(patch(json!({"club_id": south})).await, Err(Error::CameraInOtherClub)));
    assert!(matches!(patch(json!({"terrain_id": 999})).await, Err(Error::TerrainNotFound)));
    assert_eq!(patch(json!({"club_id": 999, "terrain_id": null})).await.unwrap_err().code(), "invalid_field");
    let moved = patch(json!({"terrain_id": one})).await.unwrap();
    assert_eq!((moved.club_id, moved.terrain_id), (Some(north), Some(one)));
    assert_eq!(courts.get(&admin(), two).unwrap().camera_id, None);
    // Sent back as it was shown, all of it: nothing moves.
    let shown = serde_json::to_value(&moved).unwrap();
    cameras.update(&admin(), &cam.to_string(), object(&shown), true).await.unwrap();
    assert_eq!(place().await, (Some(north), Some(one)));
    let replaced = json!({"name": "A", "url": "rtsp://h/a", "club_id": north});
    cameras.update(&admin(), &cam.to_string(), object(&replaced), true).await.unwrap();
    assert_eq!(place().await, (Some(north), Some(one)), "a court is not taken away by silence");
    patch(json!({"terrain_id": null})).await.unwrap();
    assert_eq!((place().await, courts.get(&admin(), one).unwrap().camera_id), ((Some(north), None), None));

    // An administrator of a club takes cameras of the club only.
    let boss = person(5, Role::ClubAdmin, Some(north));
    let free = house.camera(json!({"name": "Free", "url": "rtsp://h/f"})).await.id;
    let take = |camera| CourtChange { camera_id: Some(Some(camera)), ..Default::default() };
    assert_eq!(courts.change(&boss, one, take(free)).await.unwrap_err().code(), "other_club");
    courts.change(&boss, one, take(cam)).await.unwrap();
    cameras.delete(&admin(), &cam.to_string(), false).await.unwrap();
    assert_eq!(courts.get(&boss, one).unwrap().status, "no_camera");
    // The store says the same after a restart.
    let house = House::with(house.end().await, |_| {}).await;
    let views = house.control.courts.list(&admin(), None).unwrap();
    assert_eq!(views.iter().map(|t| (t.id, t.camera_id)).collect::<Vec<_>>(), [(one, None), (two, None)]);
}

#[tokio::test]
async fn a_court_stays_while_somebody_plays_and_a_club_while_it_has_courts() {
    let house = House::new().await;
    let club = house.club("North").await;
    let cam = house.camera(json!({"name": "A", "url": "rtsp://h/a"})).await.id;
    let court = house.court(club, "1", Some(cam)).await;
    let courts = &house.control.courts;
    let _sends = house.sends(cam);
    let request = SessionRequest { terrain_id: Some(court), ..Default::default() };
    let session = house.control.sessions.create(&admin(), request, &links()).await.unwrap();
    let view = courts.get(&admin(), court).unwrap();
    assert_eq!(
        (view.status, view.live, view.session_id.as_deref()),
        ("reserved", true, Some(session.session_id.as_str()))
    );
    let stranger = person(9, Role::Player, Some(club));
    let seen = courts.get(&stranger, court).unwrap();
    assert_eq!((seen.status, seen.session_id), ("reserved", None), "that it is taken, not by which session");
    assert!(matches!(courts.delete(&admin(), court).await, Err(Error::SessionActive)));
    assert_eq!(courts.get(&admin(), court).unwrap().id, court, "a refused removal takes nothing away");
    assert!(matches!(house.control.clubs.delete(&admin(), club).await, Err(Error::ClubHasTerrains)));
    house.control.sessions.close(&admin(), &session.session_id).await.unwrap();
    courts.delete(&admin(), court).await.unwrap();
    assert!(matches!(courts.get(&admin(), court), Err(Error::TerrainNotFound)));
    assert_eq!(house.control.cameras.get(&admin(), "a").await.unwrap().terrain_id, None);

    let player = house.account("left", Role::Player, Some(club)).await;
    let who = house.sign_in("left").await;
    house.control.clubs.delete(&admin(), club).await.unwrap();
    assert_eq!(house.control.cameras.get(&admin(), "a").await.unwrap().club_id, None);
    let left = house.control.auth.account(&admin(), player).unwrap();
    assert_eq!((left.club_id, left.enabled), (None, true));
    assert!(house.control.auth.me(&who).is_ok_and(|me| me.club_id == Some(club)), "an old identity knows no better");
    let now = house.sign_in("left").await;
    assert!(house.control.clubs.list(&now).unwrap().is_empty());
}

#[tokio::test]
async fn of_two_at_once_one_wins() {
    let house = House::new().await;
    let club = house.club("North").await;
    let (courts, clubs) = (&house.control.courts, &house.control.clubs);
    let root = admin();
    let (a, b) = tokio::join!(
        courts.create(&root, club, named("Center", None)),
        courts.create(&root, club, named("CENTER", None))
    );
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
    let court = a.or(b).unwrap().id;
    let (a, b) = tokio::join!(courts.delete(&root, court), courts.delete(&root, court));
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    assert!(won.is_ok() && matches!(lost, Err(Error::TerrainNotFound)));
    let (a, b) = tokio::join!(clubs.delete(&root, club), courts.create(&root, club, named("Late", None)));
    assert!(a.is_ok() != b.is_ok(), "a court in a club that is gone, or a club that went with its court");
    let one = house.account("one", Role::SuperAdmin, None).await;
    let two = house.account("two", Role::SuperAdmin, None).await;
    let auth = &house.control.auth;
    let (a, b) = tokio::join!(auth.delete_account(&root, one), auth.delete_account(&root, two));
    assert!(a.is_ok() != b.is_ok(), "one of them has to stay");
}
