//! The door for outputs: who may see which stream, and which stream a path means.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::warn;
use vigie_base::{CameraId, Secret, SessionId, StreamKey, StreamName};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{Gate, OpenSession, Principal, Refused, Verb};

use crate::auth::TicketScope;
use crate::cameras::stream_names;
use crate::config::RtspAuthMethod;
use crate::core::Core;
use crate::policy::{Action, Identity, decide};
use crate::sessions;

/// Implements [`vigie_hub::Gate`] over the rules.
#[derive(Debug)]
pub(crate) struct Door(pub(crate) Arc<Core>);

impl Door {
    /// A session's camera, and whether this session is open now.
    fn session_camera(&self, id: &SessionId) -> Option<CameraId> {
        self.0.sessions.get(id).and_then(|s| s.camera_id)
    }

    fn stream_of(&self, camera: &str, stream: StreamName) -> Option<StreamKey> {
        let camera = self.0.find_camera(camera)?;
        stream_names(&camera).contains(&stream).then_some(StreamKey { camera: camera.id, stream })
    }
}

#[async_trait]
impl Gate for Door {
    fn rtsp_access(&self) -> RtspAccess {
        let c = &self.0.config.rtsp;
        // With an account, everybody is asked, this machine's own clients too (decision 18).
        let account = c.user.is_some();
        RtspAccess {
            basic: matches!(c.auth_method, RtspAuthMethod::Both | RtspAuthMethod::Basic),
            digest: matches!(c.auth_method, RtspAuthMethod::Both | RtspAuthMethod::Digest),
            trust_loopback: c.trust_loopback && !account,
            open: c.open && !account,
        }
    }

    async fn stream_secret(&self, user: &str) -> Option<(Principal, Secret)> {
        let c = &self.0.config.rtsp;
        if let (Some(name), Some(password)) = (&c.user, &c.password)
            && name == user
        {
            return Some((Principal::RtspAccount, password.clone()));
        }
        self.0.auth.stream_secret(user)
    }

    async fn allow(&self, who: &Principal, key: StreamKey, verb: Verb) -> bool {
        let Some(camera) = self.0.cameras.read().get(&key.camera).cloned() else { return false };
        if verb == Verb::Publish {
            // Publishing comes with the stream keys; nobody has one yet.
            return false;
        }
        match who {
            Principal::Anonymous => false,
            Principal::OpenDoor => self.rtsp_access().open,
            Principal::Loopback => self.rtsp_access().trust_loopback || self.rtsp_access().open,
            Principal::RtspAccount => true,
            Principal::Ticket(ticket) => match self.0.auth.redeem_ticket(ticket) {
                Some((TicketScope::Camera(id), who)) => {
                    id == key.camera && decide(&who, Action::ViewCamera, &self.0.camera_target(&who, &camera)).is_ok()
                }
                Some((TicketScope::Session(id), who)) => self.0.sessions.get(&id).is_some_and(|s| {
                    s.camera_id == Some(key.camera) && decide(&who, Action::ViewSession, &sessions::target(&s)).is_ok()
                }),
                None => false,
            },
            Principal::User { .. } => {
                let Some(who) = self.0.auth.identity_of(who) else { return false };
                decide(&who, Action::ViewCamera, &self.0.camera_target(&who, &camera)).is_ok()
                    || self.0.sessions.all().iter().any(|s| {
                        s.camera_id == Some(key.camera)
                            && decide(&who, Action::ViewSession, &sessions::target(s)).is_ok()
                    })
            }
        }
    }

    fn holder(&self, who: &Principal) -> Principal {
        match who {
            Principal::Ticket(ticket) => match self.0.auth.redeem_ticket(ticket) {
                Some((_, holder)) => holder.principal(),
                None => Principal::Anonymous,
            },
            who => who.clone(),
        }
    }

    async fn session(&self, who: &Principal, id: &str, _verb: Verb) -> Result<OpenSession, Refused> {
        let found = self.0.find_session(id).await.map_err(|e| {
            warn!(session = id, error = %e, "a session could not be looked up");
            Refused::NotFound
        })?;
        let row = found.and_then(|row| self.0.sessions.get(&row.id)).ok_or(Refused::NotFound)?;
        let camera = row.camera_id.ok_or(Refused::NotFound)?;
        let seen_by = |who: Option<Identity>| match who {
            Some(who) => {
                decide(&who, Action::ViewSession, &sessions::target(&row)).map_err(|d| Refused::Denied(d.code))
            }
            None => Err(Refused::Denied("forbidden")),
        };
        match who {
            Principal::User { .. } => seen_by(self.0.auth.identity_of(who)),
            Principal::Ticket(ticket) => match self.0.auth.redeem_ticket(ticket) {
                Some((TicketScope::Session(id), holder)) if id == row.id => seen_by(Some(holder)),
                // A ticket for the camera opens a session of its owner's, too.
                Some((TicketScope::Camera(id), holder)) if id == camera => seen_by(Some(holder)),
                _ => Err(Refused::Denied("forbidden")),
            },
            Principal::Loopback | Principal::OpenDoor | Principal::RtspAccount | Principal::Anonymous => seen_by(None),
        }?;
        let recording = self.0.is_recording(&row.id);
        Ok(OpenSession { id: row.id, key: StreamKey::main(camera), recording })
    }

    async fn resolve(&self, path: &str) -> Option<StreamKey> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["cam", camera] => self.stream_of(camera, StreamName::Main),
            ["cam", camera, stream] => self.stream_of(camera, stream.parse().ok()?),
            ["session", id] => {
                // Unlike API lookups only open sessions: a closed one streams nothing.
                let row = self.0.find_session(id).await.ok()??;
                self.session_camera(&row.id).map(StreamKey::main)
            }
            // The short form is a slug, never a number.
            [slug] if slug.parse::<i64>().is_err() => self.stream_of(slug, StreamName::Main),
            [slug, stream] if slug.parse::<i64>().is_err() => self.stream_of(slug, stream.parse().ok()?),
            _ => None,
        }
    }

    fn touch_session(&self, session: &str) {
        self.0.sessions.touch(&SessionId(session.to_owned()), self.0.clock.as_ref());
    }
}
