//! Who may see what, asked by outputs and answered by `control`. Outputs know no users; this trait is all they see.

use async_trait::async_trait;
use vigie_base::{Secret, SessionId, StreamKey};

/// Somebody who was identified, or nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// No credentials were given.
    Anonymous,
    /// A client on this machine's loopback interface, judged by the socket's peer address only.
    Loopback,
    /// Anybody over RTSP, while `rtsp.open` says so. HTTP never makes one of these.
    OpenDoor,
    /// A signed-in user or API token; `id` is the user's number.
    User {
        /// The user's number.
        id: i64,
        /// The name shown in logs.
        name: String,
    },
    /// The one account of `rtsp.user`.
    RtspAccount,
    /// The holder of a ticket for one session or camera.
    Ticket(String),
}

/// What somebody wants to do with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Watch it, in any form.
    View,
    /// Take a still picture.
    Snapshot,
    /// Publish into it.
    Publish,
}

/// What RTSP clients are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtspAccess {
    /// Offer Basic.
    pub basic: bool,
    /// Offer Digest (MD5; RFC 2617 as RTSP clients know it).
    pub digest: bool,
    /// Loopback clients need no password.
    pub trust_loopback: bool,
    /// Nobody needs a password.
    pub open: bool,
}

/// An open capture session, as outputs see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Its full id, whichever form was asked for.
    pub id: SessionId,
    /// The stream it is about.
    pub key: StreamKey,
    /// Whether it is being recorded. Others may record the same stream.
    pub recording: bool,
}

/// Why a session is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no open session of that id.
    NotFound,
    /// Not to this one: `forbidden`, `not_owner` or `other_club`.
    Denied(&'static str),
}

/// The door. Implemented by `control`; cheap enough to be asked once per connection or request.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// How RTSP clients are to be let in now.
    fn rtsp_access(&self) -> RtspAccess;

    /// The stream password of that user name (never the login password), for Basic and Digest.
    async fn stream_secret(&self, user: &str) -> Option<(Principal, Secret)>;

    /// Whether `who` may do that.
    async fn allow(&self, who: &Principal, key: StreamKey, verb: Verb) -> bool;

    /// Who stands behind a principal while they watch on: the holder of a ticket, since a ticket is looked at when a view
    /// is opened and not while it runs; everybody else as they are.
    fn holder(&self, who: &Principal) -> Principal {
        who.clone()
    }

    /// The stream behind a path such as `cam/3/main`, `cam/front-door/sub`, `front-door` or `session/<id>`; no
    /// leading or trailing slash. `None` when there is no such thing.
    async fn resolve(&self, path: &str) -> Option<StreamKey>;

    /// An open capture session, if `who` may do that with it. Somebody may see a camera and yet not what another person
    /// does with it, so this is asked beside [`Gate::allow`], not instead. Without sessions there is none.
    async fn session(&self, _who: &Principal, _id: &str, _verb: Verb) -> Result<OpenSession, Refused> {
        Err(Refused::NotFound)
    }

    /// Somebody used this capture session: it is not idle.
    fn touch_session(&self, _session: &str) {}
}
