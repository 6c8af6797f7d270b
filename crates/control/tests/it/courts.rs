//! Sessions on courts: whose they are, what stands in their way, and what a jumping clock does to them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vigie_base::{CameraId, SessionId, StreamKey, UnixMillis};
use vigie_control::events::Notice;
use vigie_control::recordings::{EstimateQuery, FileQuery};
use vigie_control::sessions::SessionRequest;
use vigie_control::{Identity, Kind, SessionPorts};
use vigie_hub::{Principal, Refused, Verb};
use vigie_store::{NewClub, NewTerrain, NewUser, Role, Terrain};

use crate::house::{House, T0, admin, links, until};

/// Two clubs with two courts each, a camera on every court, and people in both.
pub(crate) struct Clubs {
    pub(crate) house: House,
    /// Courts of club 1, then of club 2, with their cameras.
    pub(crate) courts: Vec<(i64, i64)>,
    pub(crate) player: Identity,
    pub(crate) other_player: Identity,
    pub(crate) admin: Identity,
    /// Plays in club 2.
    pub(crate) stranger: Identity,
    pub(crate) other_admin: Identity,
    _sending: Vec<tokio_util::sync::DropGuard>,
}

impl Clubs {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut vigie_control::Config)) -> Self {
        let house = House::new().await;
        let mut courts = Vec::new();
        for club in [1, 2] {
            let new = NewClub { name: format!("Club {club}"), timezone: "UTC".into(), at: T0 };
            assert_eq!(house.store.insert_club(new).await.unwrap().id, club);
            for n in [1, 2] {
                let camera = house.camera(json!({"name": format!("cam {club} {n}"), "url": "rtsp://h/x"})).await.id;
                let new = NewTerrain {
                    club_id: club,
                    name: format!("Court {n}"),
                    camera_id: Some(CameraId(camera)),
                    enabled: true,
                    at: T0,
                };
                courts.push((house.store.insert_terrain(new).await.unwrap().id, camera));
            }
        }
        let mut people = Vec::new();
        for (name, role, club) in [
            ("anna", Role::Player, 1),
            ("ben", Role::Player, 1),
            ("carla", Role::ClubAdmin, 1),
            ("dan", Role::Player, 2),
            ("eva", Role::ClubAdmin, 2),
        ] {
            let new = NewUser {
                username: name.into(),
                password_hash: "x".into(),
                role,
                club_id: Some(club),
                enabled: true,
                at: T0,
            };
            let id = house.store.insert_user(new).await.unwrap().id;
            people.push(Identity { username: name.into(), ..crate::house::person(id.0, role, Some(club)) });
        }
        // Clubs and people are known from the start of the process on.
        let house = House::with(house.end().await, change).await;
        let sending = courts.iter().map(|(_, camera)| house.sends(*camera)).collect();
        let mut people = people.into_iter();
        let mut next = || people.next().unwrap();
        let (player, other_player, admin, stranger, other_admin) = (next(), next(), next(), next(), next());
        Self { house, courts, player, other_player, admin, stranger, other_admin, _sending: sending }
    }

    pub(crate) async fn session(&self, who: &Identity, court: usize) -> String {
        self.house.control.sessions.create(who, on(self.courts[court].0), &links()).await.unwrap().session_id
    }

    fn camera_of(&self, court: usize) -> StreamKey {
        StreamKey::main(CameraId(self.courts[court].1))
    }

    async fn change_court(&self, court: usize, change: impl FnOnce(&mut Terrain)) {
        let all = self.house.store.terrains().await.unwrap();
        let mut terrain = all.into_iter().find(|t| t.id == self.courts[court].0).unwrap();
        change(&mut terrain);
        self.house.store.update_terrain(&terrain).await.unwrap();
    }
}

fn on(terrain: i64) -> SessionRequest {
    SessionRequest { terrain_id: Some(terrain), ..Default::default() }
}

#[tokio::test]
async fn a_session_on_a_court_is_named_after_it_and_says_whose_it_is() {
    let c = Clubs::new().await;
    let (court, camera) = c.courts[1];
    let mut notices = c.house.control.events.subscribe();
    let s = c.house.control.sessions.create(&c.player, on(court), &links()).await.unwrap();
    let mut told = Vec::new();
    while let Ok(n) = notices.try_recv() {
        told.push(n);
    }
    let of_court = |n: &&Notice| **n == Notice::Terrain(court);
    assert!(told.iter().filter(of_court).count() >= 2, "taken, then ready to record: {told:?}");
    assert_eq!(s.session_id, format!("sess_1_{court}_{}", T0.seconds()));
    assert_eq!((s.club_id, s.terrain_id, s.camera_id), (1, Some(court), Some(camera)));
    assert_eq!(s.terrain_name.as_deref(), Some("Court 2"));
    assert_eq!((s.camera_name.as_deref(), s.username.as_deref()), (Some("cam 1 2"), Some("anna")));
    assert!(s.verified && s.duration_seconds.is_none() && s.remaining_seconds.is_none());
    assert_eq!(s.expires_at, Some(UnixMillis(T0.0 + 7_200_000).rfc3339()));
    // The short form leads to it, the full one is answered.
    let short = format!("sess_{court}_{}", T0.seconds());
    assert_eq!(c.house.control.sessions.get(&c.player, &short, &links()).await.unwrap().session_id, s.session_id);

    c.house.control.recordings.start(&c.player, &s.session_id, Some(2.0), None).await.unwrap();
    let s = c.house.control.sessions.get(&c.player, &s.session_id, &links()).await.unwrap();
    assert_eq!((s.duration_seconds, s.expires_at), (Some(120), None), "what records does not run out");
    assert!(s.remaining_seconds.is_some_and(|r| (118..=120).contains(&r)));
    let stopped = c.house.control.recordings.stop(&c.player, &s.session_id).await.unwrap();
    assert!(stopped.video_path.ends_with(&format!("/videos/1/{}.mp4", s.session_id)), "{}", stopped.video_path);
}

#[tokio::test]
async fn of_two_who_come_at_once_exactly_one_gets_the_court() {
    let c = Clubs::new().await;
    let sessions = &c.house.control.sessions;
    let (court, links) = (c.courts[0].0, links());
    let (a, b) = tokio::join!(
        sessions.create(&c.player, on(court), &links),
        sessions.create(&c.other_player, on(court), &links)
    );
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    let (won, lost) = (won.unwrap(), lost.unwrap_err());
    assert_eq!((lost.code(), lost.kind()), ("session_exists", Kind::Conflict));
    assert_eq!(lost.details().unwrap()["session_id"], json!(won.session_id));
    assert_eq!(sessions.list(&admin(), &links).await.unwrap().len(), 1);
    assert_eq!(c.house.hub.get(c.camera_of(0)).unwrap().state().holds, 1);

    // The same person twice, who wants the same one back: a double click.
    let reuse = || SessionRequest { reuse: true, ..on(c.courts[1].0) };
    let (a, b) = tokio::join!(sessions.create(&c.player, reuse(), &links), sessions.create(&c.player, reuse(), &links));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((&a.session_id, a.verified, b.verified), (&b.session_id, true, true));
    // Another court of the club is free all the while, and so is a session without a court on the same camera.
    let free = SessionRequest { camera_id: Some(c.courts[0].1), ..Default::default() };
    assert!(sessions.create(&admin(), free.clone(), &links).await.is_ok());
    assert_eq!(sessions.create(&admin(), free, &links).await.unwrap_err().code(), "session_exists");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_said_and_leaves_nothing() {
    let c = Clubs::new().await;
    c.change_court(0, |t| t.enabled = false).await;
    c.change_court(1, |t| t.camera_id = None).await;
    let Clubs { house, courts, player, other_admin, .. } = c;
    let house = House::with(house.end().await, |_| {}).await;
    let sessions = &house.control.sessions;
    let both = SessionRequest { camera_id: Some(courts[2].1), ..on(courts[2].0) };
    let elsewhere = SessionRequest { club_id: Some(1), ..on(courts[2].0) };
    for (who, request, code) in [
        (&player, on(courts[0].0), "terrain_disabled"),
        (&player, on(courts[1].0), "no_camera"),
        (&player, on(courts[2].0), "other_club"),
        (&player, on(999), "terrain_not_found"),
        (&player, on(-1), "terrain_not_found"),
        (&player, SessionRequest::default(), "missing_field"),
        (&player, SessionRequest { camera_id: Some(courts[0].1), ..Default::default() }, "other_club"),
        (&admin(), both, "invalid_field"),
        (&other_admin, elsewhere, "invalid_field"),
    ] {
        let e = sessions.create(who, request, &links()).await.unwrap_err();
        assert_eq!(e.code(), code, "{e}");
    }
    assert!(sessions.list(&admin(), &links()).await.unwrap().is_empty());
    assert!(house.store.open_sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_foreign_session_is_refused_to_players_and_other_clubs_in_every_way() {
    let c = Clubs::new().await;
    let (sessions, recordings) = (&c.house.control.sessions, &c.house.control.recordings);
    let id = c.session(&c.player, 0).await;
    recordings.start(&c.player, &id, None, None).await.unwrap();
    until(async || recordings.status(&c.player, &id).await.unwrap().frames >= 3).await;
    for (who, code) in [(&c.other_player, "not_owner"), (&c.stranger, "other_club"), (&c.other_admin, "other_club")] {
        let refusals = [
            sessions.get(who, &id, &links()).await.unwrap_err(),
            sessions.close(who, &id).await.unwrap_err(),
            sessions.ticket(who, &id).await.unwrap_err(),
            recordings.status(who, &id).await.unwrap_err(),
            recordings.start(who, &id, None, None).await.unwrap_err(),
            recordings.stop(who, &id).await.unwrap_err(),
            recordings.download(who, &id, None, None).await.unwrap_err(),
            c.house.control.markers.list(who, &id).await.unwrap_err(),
            c.house.control.markers.mark(who, &id, Default::default()).await.unwrap_err(),
        ];
        for e in refusals {
            assert_eq!((e.code(), e.kind()), (code, Kind::Forbidden), "{}", who.username);
        }
        assert!(sessions.list(who, &links()).await.unwrap().is_empty());
        let gate = c.house.control.gate();
        assert_eq!(gate.session(&who.principal(), &id, Verb::View).await, Err(Refused::Denied(code)));
    }
    assert!(recordings.status(&c.player, &id).await.unwrap().active, "nobody stopped it");
    // Who comes to the court learns who is there and until when, and has nothing to touch it by.
    let court = c.house.control.courts.get(&c.other_player, c.courts[0].0).unwrap();
    let shown = (court.status, court.session_id, court.recording_by.as_deref());
    assert_eq!(shown, ("recording", None, Some(c.player.username.as_str())));
    assert!(court.recording_until.is_some());
    let gate = c.house.control.gate();
    for who in [&c.player, &c.admin] {
        let seen = gate.session(&who.principal(), &id, Verb::View).await.unwrap();
        assert!(seen.recording && seen.key == c.camera_of(0) && seen.id.0 == id);
    }
    let ticket = sessions.ticket(&c.player, &id).await.unwrap().ticket.reveal().to_owned();
    let own = c.session(&c.player, 1).await;
    assert!(gate.session(&Principal::Ticket(ticket.clone()), &id, Verb::View).await.is_ok());
    assert_eq!(
        gate.session(&Principal::Ticket(ticket), &own, Verb::View).await,
        Err(Refused::Denied("forbidden")),
        "a ticket is for one session"
    );
    assert_eq!(gate.session(&Principal::Anonymous, &id, Verb::View).await, Err(Refused::Denied("forbidden")));

    // The administrator of the club stops it, sees it, and alone deletes it.
    assert_eq!(sessions.list(&c.admin, &links()).await.unwrap().len(), 2);
    recordings.stop(&c.admin, &id).await.unwrap();
    let files = async |who: &Identity| recordings.files(who, &FileQuery::default()).await.unwrap().videos;
    let mine = files(&c.player).await;
    assert_eq!((mine.len(), mine[0].kind, mine[0].username.as_deref()), (1, "session", Some("anna")));
    assert_eq!(mine[0].terrain_name.as_deref(), Some("Court 1"));
    assert_eq!((files(&c.other_player).await.len(), files(&c.admin).await.len()), (0, 1));
    let other = FileQuery { club_id: Some(1), kind: None };
    assert_eq!(recordings.files(&c.stranger, &other).await.unwrap_err().code(), "other_club");
    assert_eq!(recordings.delete(&c.player, &id, None, None).await.unwrap_err().code(), "forbidden");
    let log = recordings.log(&c.admin, &id).await.unwrap();
    assert!(log.contains("start:") && log.contains("end:"), "{log}");
    assert_eq!(recordings.log(&c.player, &id).await.unwrap_err().code(), "forbidden");
    assert_eq!(recordings.log(&c.other_admin, &id).await.unwrap_err().code(), "other_club");
    assert_eq!(recordings.log(&c.admin, &own).await.unwrap_err().code(), "log_not_found");
    recordings.delete(&c.admin, &id, Some(1), None).await.unwrap();
    assert_eq!(recordings.delete(&c.admin, &id, Some(1), None).await.unwrap_err().code(), "video_not_found");
}

#[tokio::test]
async fn a_session_keeps_its_camera_when_the_court_gets_another() {
    let c = Clubs::new().await;
    let id = c.session(&c.player, 0).await;
    let (other, key) = (c.courts[1].1, c.camera_of(0));
    c.change_court(0, |t| t.camera_id = Some(CameraId(other))).await;
    let seen = c.house.control.gate().session(&c.player.principal(), &id, Verb::View).await.unwrap();
    assert_eq!(seen.key, key);
    let recordings = &c.house.control.recordings;
    recordings.start(&c.player, &id, None, None).await.unwrap();
    assert!(c.house.hub.get(key).unwrap().state().recorders == 1);
}

#[tokio::test]
async fn a_clock_that_jumps_closes_nothing_and_turns_no_time_back() {
    let c = Clubs::new().await;
    let (sessions, recordings) = (&c.house.control.sessions, &c.house.control.recordings);
    let idle = c.session(&c.player, 0).await;
    let id = c.session(&c.player, 1).await;
    recordings.start(&c.player, &id, Some(2.0), None).await.unwrap();
    until(async || recordings.status(&c.player, &id).await.unwrap().elapsed_seconds >= 1).await;
    c.house.clock.set_wall(UnixMillis(T0.0 + 86_400_000));
    let ahead = recordings.status(&c.player, &id).await.unwrap();
    assert!((1..=30).contains(&ahead.elapsed_seconds), "{ahead:?}");
    assert_eq!(recordings.clean_up(&admin()).await.unwrap().0.sessions, 0, "a day later by the wall clock only");
    c.house.clock.set_wall(UnixMillis(T0.0 - 86_400_000));
    let back = recordings.status(&c.player, &id).await.unwrap();
    assert!(back.elapsed_seconds >= ahead.elapsed_seconds && back.progress_percent <= 100, "{back:?}");
    recordings.stop(&c.player, &id).await.unwrap();
    let ended = recordings.status(&c.player, &id).await.unwrap();
    assert!((back.elapsed_seconds..=back.elapsed_seconds + 5).contains(&ended.elapsed_seconds), "{ended:?}");
    // Also when only the rows are left to tell.
    assert_eq!(sessions.list(&c.player, &links()).await.unwrap().len(), 2);
    c.house.clock.advance(Duration::from_secs(7201));
    let (cleaned, _) = recordings.clean_up(&c.admin).await.unwrap();
    assert_eq!((cleaned.sessions, cleaned.proxies), (2, 2));
    let Clubs { house, player, .. } = c;
    let house = House::with(house.end().await, |_| {}).await;
    let rows = house.control.recordings.status(&player, &id).await.unwrap();
    assert!(!rows.active && (0..=10).contains(&rows.elapsed_seconds), "{rows:?}");
    assert_eq!(house.control.sessions.get(&player, &idle, &links()).await.unwrap().state, "CLOSED");
}

#[tokio::test]
async fn an_administrator_cleans_up_the_own_club_alone() {
    let c = Clubs::new().await;
    let recordings = &c.house.control.recordings;
    let mut files = Vec::new();
    for (club, name, bytes) in [(1, "a", 500), (1, "b", 2048), (2, "c", 500)] {
        let folder = c.house.dir.path().join(format!("media/videos/{club}"));
        std::fs::create_dir_all(&folder).unwrap();
        files.push(folder.join(format!("{name}.mp4")));
        std::fs::write(files.last().unwrap(), vec![0; bytes]).unwrap();
    }
    c.session(&c.player, 0).await;
    c.session(&c.stranger, 2).await;
    c.house.clock.advance(Duration::from_secs(7200));
    assert_eq!(recordings.clean_up(&c.player).await.unwrap_err().code(), "forbidden");
    let (cleaned, details) = recordings.clean_up(&c.admin).await.unwrap();
    assert_eq!((cleaned.sessions, cleaned.proxies, cleaned.empty_files), (1, 1, 1), "{details:?}");
    let there: Vec<bool> = files.iter().map(|f| f.exists()).collect();
    assert_eq!(there, [false, true, true]);
    let (cleaned, _) = recordings.clean_up(&admin()).await.unwrap();
    assert_eq!((cleaned.sessions, cleaned.empty_files), (1, 1));
}

#[tokio::test]
async fn sessions_have_ports_of_their_own_as_long_as_there_are_any() {
    let c = Clubs::with(|_| {}).await;
    *c.house.ports.free.lock() = vec![9001];
    let sessions = &c.house.control.sessions;
    let first = sessions.create(&c.player, on(c.courts[0].0), &links()).await.unwrap();
    assert_eq!((first.proxy_port, first.local_url.as_str()), (9001, "http://127.0.0.1:9001/stream.mjpg"));
    let e = sessions.create(&c.player, on(c.courts[1].0), &links()).await.unwrap_err();
    assert_eq!((e.code(), e.kind()), ("no_free_port", Kind::Unavailable));
    assert_eq!(sessions.list(&c.player, &links()).await.unwrap().len(), 1, "nothing is left behind");
    assert_eq!(c.house.control.recordings.video_health().await.unwrap().proxy_ports, [9001]);
    sessions.close(&c.player, &first.session_id).await.unwrap();
    assert_eq!(c.session(&c.player, 1).await.split('_').nth(1), Some("1"));
    // A listener whose session is gone is found at the next clean-up.
    *c.house.ports.free.lock() = vec![9002];
    let ports: Arc<dyn SessionPorts> = c.house.ports.clone();
    ports.allocate(&SessionId("sess_1_9_9".into())).unwrap();
    assert_eq!(c.house.control.recordings.clean_up(&c.admin).await.unwrap().0.proxies, 0, "not one of this club");
    assert_eq!(c.house.control.recordings.clean_up(&admin()).await.unwrap().0.proxies, 1);
}

#[tokio::test]
async fn an_estimate_is_made_of_what_the_camera_sends_and_what_others_still_need() {
    let c = Clubs::new().await;
    let recordings = &c.house.control.recordings;
    let id = c.session(&c.player, 0).await;
    let ask = async |who: &Identity, query: EstimateQuery| recordings.estimate(who, &query).await;
    let of = |minutes| EstimateQuery { session_id: Some(id.clone()), duration_minutes: minutes, ..Default::default() };
    until(async || ask(&c.player, of(None)).await.unwrap().measured).await;
    let e = ask(&c.player, of(Some(60.0))).await.unwrap();
    assert!(e.fits && e.mode == "copy" && e.bitrate_kbps > 0 && e.max_minutes == 720, "{e:?}");
    assert!(e.bytes.abs_diff(e.bitrate_kbps * 1000 / 8 * 3600) <= 3600 * 125, "{e:?}");
    let half = ask(&c.player, of(Some(30.0))).await.unwrap();
    assert!(half.bytes < e.bytes, "{half:?}");
    let court = EstimateQuery { terrain_id: Some(c.courts[1].0), ..Default::default() };
    assert!(!ask(&c.player, court.clone()).await.unwrap().measured, "nobody looked at it yet");
    for (who, query, code) in [
        (&c.player, of(Some(0.0)), "duration_out_of_range"),
        (&c.player, of(Some(f64::NAN)), "duration_out_of_range"),
        (&c.other_player, of(None), "not_owner"),
        (&c.stranger, court.clone(), "other_club"),
        (&c.player, EstimateQuery::default(), "missing_field"),
        (&c.player, EstimateQuery { camera_id: Some(1), ..court }, "invalid_field"),
        (&c.player, EstimateQuery { camera_id: Some(3), ..Default::default() }, "other_club"),
    ] {
        assert_eq!(ask(who, query).await.unwrap_err().code(), code);
    }
    // A recording of twelve hours takes from what is free for the others.
    let before = ask(&c.player, of(None)).await.unwrap().free_bytes;
    recordings.start(&c.player, &id, Some(720.0), None).await.unwrap();
    until(async || {
        let now = ask(&c.player, of(None)).await.unwrap().free_bytes;
        before.saturating_sub(now) > e.bytes * 6
    })
    .await;
}
