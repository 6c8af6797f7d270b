//! What may be said of a camera by whom. **A camera is a way to make this machine call somebody**: an administrator of
//! a club may not point one at this machine or at what only this machine can reach (decision 51), and nobody may send
//! a stored password to another host.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};
use url::{Host, Url};
use vigie_base::CameraId;
use vigie_store::Role;

use super::Cameras;
use super::draft::{Draft, Which, infer};
use super::input::is_loopback;
use crate::error::{Error, Result};
use crate::policy::{Action, Identity, Target, decide};

/// How long a name may take to look up; one that does not resolve now is looked at again when it is connected.
const LOOK_UP: Duration = Duration::from_secs(3);

impl Cameras {
    /// What the connection type, the target and the club ask of whoever sets them.
    pub(super) fn allow(&self, who: &Identity, draft: &mut Draft, before: Option<&Draft>) -> Result<()> {
        if who.role != Role::SuperAdmin && draft.fields.club_id.is_none() && before.is_none() {
            draft.fields.club_id = who.club_id;
        }
        self.follow_court(who, draft, before)?;
        let f = &draft.fields;
        let target = Target::Camera { club_id: f.club_id, terrain_id: f.terrain_id };
        decide(who, Action::ManageCamera, &target)?;
        if f.club_id.is_some_and(|c| !self.core.clubs.read().contains_key(&c)) {
            return Err(Error::field("club_id", "value", "there is no such club"));
        }
        if same_way_in(draft, before) {
            return Ok(());
        }
        let urls: Vec<&Url> = Which::ALL.iter().filter_map(|w| draft.url(*w).as_ref().map(|u| u.reveal())).collect();
        let local = |t: &str| ["file", "usb", "csi", "screen", "testcard"].contains(&t);
        if local(&f.connection_type) || urls.iter().any(|u| infer(u).is_some_and(local)) {
            decide(who, Action::UseLocalSource, &target)?;
        }
        draft.walled = who.role != Role::SuperAdmin;
        Ok(())
    }

    /// The court that a camera is given, and the club that comes with it; they agree, or nothing happens.
    fn follow_court(&self, who: &Identity, draft: &mut Draft, before: Option<&Draft>) -> Result<()> {
        let was = before.and_then(|b| b.fields.terrain_id);
        let courts_club = match draft.fields.terrain_id {
            Some(court) if was != Some(court) => {
                let court = self.core.court(court).ok_or(Error::TerrainNotFound)?;
                decide(who, Action::ManageCourts, &court.target())?;
                Some(court.club_id)
            }
            Some(court) => self.core.court(court).map(|c| c.club_id),
            None => {
                if let Some(court) = was.and_then(|t| self.core.court(t)) {
                    decide(who, Action::ManageCourts, &court.target())?;
                }
                None
            }
        };
        match (courts_club, draft.fields.club_id) {
            (Some(club), None) => draft.fields.club_id = Some(club),
            (Some(club), Some(other)) if club != other => return Err(Error::CameraInOtherClub),
            _ => {}
        }
        Ok(())
    }

    /// Makes the courts say what was said of a camera: the one it was given looks through it, or none does any more.
    /// With `camera_changes` held.
    pub(super) async fn assign(&self, id: CameraId, was: Option<i64>, wanted: Option<i64>) -> Result<()> {
        if was == wanted {
            return Ok(());
        }
        for court in self.core.courts_of_camera(id) {
            if Some(court) != wanted {
                self.core.set_court_camera(court, None).await?;
            }
        }
        match wanted {
            Some(court) => self.core.set_court_camera(court, Some(id)).await,
            None => Ok(()),
        }
    }
}

fn same_way_in(draft: &Draft, before: Option<&Draft>) -> bool {
    let same = |b: &Draft| b.fields.connection_type == draft.fields.connection_type;
    before.is_some_and(|b| same(b) && Which::ALL.iter().all(|w| b.url(*w) == draft.url(*w)))
}

/// Whether new addresses lead out of this machine, for whoever may not reach into it. Looks names up: hold no lock.
pub(super) async fn reach(who: &Identity, draft: &Draft, before: Option<&Draft>) -> Result<()> {
    if who.role == Role::SuperAdmin || same_way_in(draft, before) {
        return Ok(());
    }
    for which in Which::ALL {
        if let Some(url) = draft.url(which) {
            outside(which, url.reveal()).await?;
        }
    }
    Ok(())
}

/// A stored password belongs to the hosts it was given for: with another host it has to be given again.
pub(super) fn keeps_password(before: &Draft, draft: &Draft, body: &Map<String, Value>) -> Result<()> {
    let kept = before.password.is_some() && before.password == draft.password && !body.contains_key("password");
    let in_url = |v: &Value| {
        v.as_str().and_then(|s| Url::parse(s.trim()).ok()).is_some_and(|u| u.password().is_some_and(|p| p != "***"))
    };
    let known = hosts(before);
    if kept && !hosts(draft).is_subset(&known) && !body.values().any(in_url) {
        return Err(Error::field("password", "missing", "the address changed: enter the password again"));
    }
    Ok(())
}

fn hosts(draft: &Draft) -> BTreeSet<String> {
    let of = |w: &Which| draft.url(*w).as_ref().and_then(|u| u.reveal().host_str().map(str::to_ascii_lowercase));
    Which::ALL.iter().filter_map(of).collect()
}

/// Whether a URL leads out of this machine, whatever its name resolves to now.
async fn outside(which: Which, url: &Url) -> Result<()> {
    let field = match which {
        Which::Primary => "primary_stream_url",
        Which::Secondary => "secondary_stream_url",
        Which::Snapshot => "snapshot_url",
    };
    let refused = || Err(Error::field(field, "not_allowed", "addresses of this machine are not allowed"));
    if is_loopback(url) {
        return refused();
    }
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return if is_inside(IpAddr::V4(ip)) { refused() } else { Ok(()) },
        Some(Host::Ipv6(ip)) => return if is_inside(IpAddr::V6(ip)) { refused() } else { Ok(()) },
        Some(Host::Domain(name)) => name.to_owned(),
        None => return Ok(()),
    };
    let port = super::port_of(url).unwrap_or(80);
    let found = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((name, port))).await;
    let inside = found.is_ok_and(|f| f.is_ok_and(|mut addresses| addresses.any(|a| is_inside(a.ip()))));
    if inside { refused() } else { Ok(()) }
}

/// Addresses of this machine, of its link, and those where clouds keep the secrets of their machines.
pub(crate) fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0 || v4.octets() == [100, 100, 100, 200]
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_only_this_machine_reaches_is_inside_in_every_disguise() {
        for bad in [
            "rtsp://127.0.0.1/a",
            "rtsp://127.9.9.9/a",
            "rtsp://[::1]/a",
            "rtsp://[::ffff:127.0.0.1]/a",
            "rtsp://localhost/a",
            "rtsp://cam.localhost./a",
            "http://0/a",
            "rtsp://0x7f000001/a",
            "http://2130706433/a",
            "http://169.254.169.254/latest/meta-data",
            "rtsp://[fe80::1]/a",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
        ] {
            assert!(outside(Which::Primary, &Url::parse(bad).unwrap()).await.is_err(), "{bad}");
        }
        for good in ["rtsp://192.168.1.20/a", "rtsp://10.0.0.5:8554/a", "http://[2001:db8::5]/", "usb:///dev/video0"] {
            assert!(outside(Which::Primary, &Url::parse(good).unwrap()).await.is_ok(), "{good}");
        }
    }
}
