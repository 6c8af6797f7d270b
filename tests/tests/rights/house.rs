//! Two clubs and everybody who might ask something.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vigie_tests::{Answer, Vigie, until};

use super::ask;

/// In the order of the table's columns.
///
/// `anon` nobody; `super` the super administrator; `admin` and `other` administrators of clubs A and B; `owner` the player
/// of club A whose session it is; `mate` another player of club A; `away` a player of club B; `kiosk` the tablet of the
/// court in question; `kiosk2` the tablet of another court of club A; `reader` a token of `admin` that may only read;
/// `ticket` a ticket for the owner's session and `ticket2` one for a session in club B, in the address.
pub(crate) const PERSONAS: [&str; 12] =
    ["anon", "super", "admin", "other", "owner", "mate", "away", "kiosk", "kiosk2", "reader", "ticket", "ticket2"];

/// Everybody's, also that of [`Vigie`]'s administrator, so that one body of the table fits all.
const PASSWORD: &str = "correct horse battery";
const CARD: &str = "testcard:?width=160&height=120&fps=10&gop=5&bitrate=100";

/// See the module.
pub(crate) struct House {
    pub(crate) vigie: Vigie,
    credentials: RefCell<BTreeMap<&'static str, String>>,
    /// What stands throughout: `club`, `terrain`, `camera`, `session`, `recording`, `user`, …
    standing: BTreeMap<&'static str, String>,
    made: Cell<u32>,
}

fn id(a: &Answer, of: &str) -> Result<String> {
    ensure!(matches!(a.status, 200 | 201), "{of}: {a:?}");
    match &a.body[of]["id"] {
        Value::Number(n) => Ok(n.to_string()),
        _ => a.body[of]["session_id"].as_str().map(str::to_owned).with_context(|| format!("{of}: {a:?}")),
    }
}

impl House {
    pub(crate) fn build() -> Result<Self> {
        let vigie = Vigie::start("[record]\nmax_concurrent = 50\n", &[])?;
        let mut house = Self { vigie, credentials: RefCell::default(), standing: BTreeMap::new(), made: Cell::new(0) };
        let v = &house.vigie;
        let club = |name: &str| id(&v.post("/api/clubs", &json!({"name": name, "timezone": "UTC"}))?, "club");
        let (a, b) = (club("Club A")?, club("Club B")?);
        let court = |club: &str, name: &str| -> Result<(String, String)> {
            let camera =
                json!({"name": format!("Camera {name}"), "primary_stream_url": CARD, "club_id": club.parse::<i64>()?});
            let camera = v.add_camera(&camera)?;
            let body = json!({"name": name, "camera_id": camera});
            Ok((id(&v.post(&format!("/api/clubs/{club}/terrains"), &body)?, "terrain")?, camera.to_string()))
        };
        let (one, camera) = court(&a, "Court 1")?;
        let (two, _) = court(&a, "Court 2")?;
        let (spare, _) = court(&a, "Court 3")?;
        let (far, _) = court(&b, "Court 4")?;
        let user = |name: &str, role: &str, club: &str| {
            let body = json!({"username": name, "password": PASSWORD, "role": role, "club_id": club.parse::<i64>()?});
            id(&v.post("/api/admin/users", &body)?, "user")
        };
        user("admin-a", "CLUB_ADMIN", &a)?;
        user("admin-b", "CLUB_ADMIN", &b)?;
        let owner = user("owner", "PLAYER", &a)?;
        user("mate", "PLAYER", &a)?;
        user("away", "PLAYER", &b)?;
        let mut tokens = BTreeMap::new();
        let names = [("super", "admin"), ("admin", "admin-a"), ("other", "admin-b")];
        for (persona, name) in names.into_iter().chain([("owner", "owner"), ("mate", "mate"), ("away", "away")]) {
            tokens.insert(persona, sign_in(v, name)?);
        }
        let reader = json!({"name": "reader", "read_only": true});
        let reader = as_(v, &tokens["admin"], "POST", "/api/auth/tokens", &reader)?;
        tokens.insert("reader", reader["token"].as_str().context("token")?.to_owned());
        for (persona, court) in [("kiosk", &one), ("kiosk2", &two)] {
            let pass = as_(v, &tokens["admin"], "POST", &format!("/api/terrains/{court}/kiosk"), &json!({"hours": 1}))?;
            let secret = pass["url"].as_str().and_then(|u| u.split_once('#')).context("the link's secret")?.1;
            tokens.insert(persona, secret.to_owned());
        }
        let session = open_session(v, &tokens["owner"], &one)?;
        let tablet_session = open_session(v, &tokens["kiosk2"], &two)?;
        let recording = record(v, &tokens["owner"], &session, true)?;
        let running_recording = record(v, &tokens["owner"], &session, false)?;
        // Of sign-ins that nobody ends: a ticket lives no longer than the one it was made with.
        for (persona, name, session) in
            [("ticket", "owner", session.clone()), ("ticket2", "away", open_session(v, &tokens["away"], &far)?)]
        {
            let path = format!("/api/preview/{session}/ticket");
            let made = as_(v, &sign_in(v, name)?, "POST", &path, &json!({}))?;
            tokens.insert(persona, made["ticket"].as_str().context("ticket")?.to_owned());
        }
        house.standing = BTreeMap::from([
            ("club", a),
            ("terrain", one),
            ("spare_court", spare),
            ("camera", camera),
            ("session", session),
            ("tablet_session", tablet_session),
            ("recording", recording),
            ("running_recording", running_recording),
            ("none", "999999".to_owned()),
            ("user", owner),
        ]);
        house.credentials = RefCell::new(tokens);
        Ok(house)
    }

    fn token(&self, persona: &str) -> Option<String> {
        self.credentials.borrow().get(persona).cloned()
    }

    /// The status of that request, with fresh spares in it.
    pub(crate) fn ask(&self, persona: &str, method: &str, path: &str, body: &str) -> Result<u16> {
        let (path, spare) = self.fill(path)?;
        let (body, spare_of_body) = self.fill(body)?;
        let token = self.token(persona);
        let status = if let Some(ticket) = token.as_deref().filter(|_| persona.starts_with("ticket")) {
            let joint = if path.contains('?') { '&' } else { '?' };
            ask::status(&self.vigie.http, method, &format!("{path}{joint}ticket={ticket}"), None, &body)?
        } else {
            ask::status(&self.vigie.http, method, &path, token.as_deref(), &body)?
        };
        for session in spare.into_iter().chain(spare_of_body) {
            self.put_away(&session)?;
        }
        if path.starts_with("/api/auth/log") && status < 300 {
            self.sign_in_again(persona)?;
        }
        Ok(status)
    }

    fn sign_in_again(&self, persona: &str) -> Result<()> {
        let name = match persona {
            "super" => "admin",
            "admin" => "admin-a",
            "other" => "admin-b",
            "owner" | "mate" | "away" => persona,
            _ => return Ok(()),
        };
        let token = sign_in(&self.vigie, name)?;
        let persona = PERSONAS.iter().find(|p| **p == persona).context("persona")?;
        self.credentials.borrow_mut().insert(persona, token);
        Ok(())
    }

    /// `{name=thing}` and `{thing}` become the thing's id. Sessions made for it are given back too, to be put away.
    fn fill(&self, text: &str) -> Result<(String, Vec<String>)> {
        let mut out = String::new();
        let mut spare = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            // JSON bodies have braces too: only a plain word is a placeholder.
            let word = after.split_once('}').filter(|(w, _)| {
                !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '=')
            });
            match word {
                Some((word, after)) => {
                    let thing = word.split_once('=').map_or(word, |(_, thing)| thing);
                    let value = self.thing(thing)?;
                    if matches!(thing, "spare_session" | "running_session") {
                        spare.push(value.clone());
                    }
                    out.push_str(&value);
                    rest = after;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Ok((out, spare))
    }

    fn thing(&self, thing: &str) -> Result<String> {
        if let Some(id) = self.standing.get(thing) {
            return Ok(id.clone());
        }
        let n = self.made.get() + 1;
        self.made.set(n);
        let v = &self.vigie;
        let root = self.token("super").context("super")?;
        let make = |path: &str, body: Value| as_(v, &root, "POST", path, &body);
        let number = |v: &Value| v.as_i64().map(|n| n.to_string()).context("a number");
        let club = &self.standing["club"];
        match thing {
            "fresh" => Ok(format!("fresh-{n}")),
            "spare_club" => number(&make("/api/clubs", json!({"name": format!("Spare {n}")}))?["club"]["id"]),
            "spare_terrain" => {
                let body = json!({"name": format!("Spare {n}")});
                number(&make(&format!("/api/clubs/{club}/terrains"), body)?["terrain"]["id"])
            }
            "spare_user" => {
                let body = json!({"username": format!("spare-{n}"), "password": PASSWORD, "role": "PLAYER",
                    "club_id": club.parse::<i64>()?});
                number(&make("/api/admin/users", body)?["user"]["id"])
            }
            "spare_admin" => {
                let body = json!({"username": format!("spare-{n}"), "password": PASSWORD, "role": "CLUB_ADMIN",
                    "club_id": club.parse::<i64>()?});
                number(&make("/api/admin/users", body)?["user"]["id"])
            }
            "spare_camera" => {
                let body = json!({"name": format!("Spare {n}"), "primary_stream_url": "rtsp://192.0.2.1/x",
                    "club_id": club.parse::<i64>()?});
                number(&make("/api/cameras", body)?["camera"]["id"])
            }
            "spare_pass" => {
                let path = format!("/api/terrains/{}/kiosk", self.standing["terrain"]);
                number(&make(&path, json!({"hours": 1}))?["pass"]["id"])
            }
            "spare_marker" => {
                let path = format!("/api/video/session/{}/mark", self.standing["session"]);
                number(&make(&path, json!({"clip": false}))?["marker"]["id"])
            }
            "spare_token" => {
                let owner = self.token("owner").context("owner")?;
                let body = json!({"name": format!("spare-{n}")});
                number(&as_(v, &owner, "POST", "/api/auth/tokens", &body)?["api_token"]["id"])
            }
            "spare_session" | "running_session" => {
                let owner = self.token("owner").context("owner")?;
                let session = open_session(v, &owner, &self.standing["spare_court"])?;
                if thing == "running_session" {
                    record(v, &owner, &session, false)?;
                }
                Ok(session)
            }
            _ => anyhow::bail!("the table names {thing}, which this test does not know"),
        }
    }

    fn put_away(&self, session: &str) -> Result<()> {
        let body = json!({"session_id": session});
        // Either of them may have been what was asked.
        self.vigie.post("/api/video/record/stop", &body)?;
        let closed = self.vigie.post("/api/video/session/close", &body)?;
        ensure!(matches!(closed.status, 200 | 404), "close {session}: {closed:?}");
        Ok(())
    }
}

fn sign_in(v: &Vigie, name: &str) -> Result<String> {
    let a = v.post("/api/auth/login", &json!({"username": name, "password": PASSWORD}))?;
    a.body["token"].as_str().map(str::to_owned).with_context(|| format!("{name}: {a:?}"))
}

fn open_session(v: &Vigie, token: &str, terrain: &str) -> Result<String> {
    let made = as_(v, token, "POST", "/api/video/session/create", &json!({"terrain_id": terrain.parse::<i64>()?}))?;
    made["session"]["session_id"].as_str().map(str::to_owned).context("session_id")
}

/// An allowed request of somebody.
fn as_(v: &Vigie, token: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", v.http));
    let request = request.header("Authorization", format!("Bearer {token}")).header("Content-Type", "application/json");
    let mut response = agent.run(request.body(serde_json::to_vec(body)?)?)?;
    let status = response.status().as_u16();
    let bytes = response.body_mut().read_to_vec()?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    ensure!(matches!(status, 200 | 201), "{method} {path}: {status} {body}");
    Ok(body)
}

/// Records some pictures; the recording's id. Ends it when `finish`.
fn record(v: &Vigie, token: &str, session: &str, finish: bool) -> Result<String> {
    let body = json!({"session_id": session, "duration_minutes": 5});
    let started = as_(v, token, "POST", "/api/video/record/start", &body)?;
    let path = format!("/api/video/record/status/{session}");
    until("pictures are recorded", Duration::from_secs(15), || {
        Ok((v.get(&path)?.body["status"]["frames"].as_i64() > Some(1)).then_some(()))
    })?;
    if finish {
        as_(v, token, "POST", "/api/video/record/stop", &json!({"session_id": session}))?;
    }
    started["recording"]["recording_id"].as_i64().map(|n| n.to_string()).context("recording_id")
}
