//! The states of one connection's session (RFC 2326 appendix A.2).
//!
//! A request is first [screened](Machine::screen) for what needs no knowledge of anything, then (the shell having asked
//! who it is) [handled](Machine::handle): answered, or turned into an [`Ask`] whose result comes back through one of
//! the `…_done` methods. **One connection holds at most one session, and the session ends with it**: RFC 2326 §1.3
//! lets a session outlive its connection; no player we know uses that, and one that crashed would be sent UDP for a
//! minute more.

use super::message::{Method, PUBLIC, Request, Response, Status};
use super::transport::{Chosen, Offer, offers};
use super::uri::{Join, Target};
use super::{SESSION_TIMEOUT_S, message};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// No track is set up.
    #[default]
    Init,
    /// Tracks are set up, nothing flows.
    Ready,
    /// Media flows.
    Playing,
}

/// A track that the player takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSetup {
    /// The track's number in the description.
    pub track: u8,
    /// How it travels.
    pub transport: Chosen,
}

/// What the shell has to do before the request can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Nothing: this is the answer.
    Answer(Response),
    /// Find the stream and describe it; then [`Machine::described`] or an error.
    Describe(Target),
    /// Check the track and choose a transport; then [`Machine::set_up`] or an error.
    Setup(Target, Vec<Offer>),
    /// Start the media; then [`Machine::played`].
    Play,
    /// Stop the media; then [`Machine::paused`].
    Pause,
    /// End the session; then [`Machine::torn_down`].
    Teardown,
}

/// One connection's session.
#[derive(Debug, Default)]
pub struct Machine {
    state: State,
    session: Option<String>,
    /// Base URL of the stream, as the client wrote it.
    base: String,
    path: String,
    join: Option<Join>,
    tracks: Vec<TrackSetup>,
    /// Number of tracks that the stream had when the first was set up.
    available: usize,
}

impl Machine {
    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The tracks set up so far.
    pub fn tracks(&self) -> &[TrackSetup] {
        &self.tracks
    }

    /// The path of the stream that was described or set up.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How the player asked to join.
    pub fn join(&self) -> Option<Join> {
        self.join
    }

    /// The session's id, while there is one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The interleaved channels in use.
    pub fn channels(&self) -> Vec<u8> {
        let tcp = |t: &TrackSetup| match t.transport {
            Chosen::Tcp(a, b) => Some([a, b]),
            Chosen::Udp(..) => None,
        };
        self.tracks.iter().filter_map(tcp).flatten().collect()
    }

    /// What can be said without knowing who asks: wrong versions, missing numbers, unknown options and methods, and
    /// OPTIONS itself.
    pub fn screen(request: &Request) -> Result<Target, Response> {
        if !request.version_1_0 {
            return Err(Response::explained(Status::VersionNotSupported, "This server speaks RTSP/1.0."));
        }
        if request.cseq().is_none() {
            return Err(Response::explained(Status::BadRequest, "Every request needs a CSeq header with a number."));
        }
        if let Some(options) = request.header("Require").or_else(|| request.header("Proxy-Require")) {
            return Err(Response::new(Status::OptionNotSupported).header("Unsupported", options));
        }
        match request.method {
            Method::Options => return Err(Response::new(Status::Ok).header("Public", PUBLIC)),
            Method::Announce | Method::Record | Method::Redirect => {
                return Err(Response::new(Status::MethodNotAllowed).header("Allow", message::PUBLIC));
            }
            Method::Other => return Err(Response::new(Status::NotImplemented).header("Public", PUBLIC)),
            _ => {}
        }
        Target::parse(&request.uri)
            .ok_or_else(|| Response::explained(Status::BadRequest, "That is not an rtsp:// URL."))
    }

    /// The next step for a request of somebody who may make it.
    pub fn handle(&mut self, request: &Request, target: Target) -> Ask {
        if let Some(id) = request.session()
            && self.session.as_deref() != Some(id)
        {
            return Ask::Answer(Response::new(Status::SessionNotFound));
        }
        let named = request.session().is_some();
        match request.method {
            Method::Describe => {
                if request.header("Accept").is_some_and(|a| !accepts_sdp(a)) {
                    return Ask::Answer(Response::explained(
                        Status::NotAcceptable,
                        "Descriptions are application/sdp.",
                    ));
                }
                Ask::Describe(target)
            }
            Method::Setup => self.setup(request, target),
            Method::Play | Method::Pause | Method::Teardown if self.session.is_none() => self.refuse(),
            Method::Play | Method::Pause | Method::Teardown if !named => {
                Ask::Answer(Response::new(Status::SessionNotFound))
            }
            Method::Play | Method::Pause if target.track.is_some() && self.tracks.len() > 1 => {
                Ask::Answer(Response::new(Status::OnlyAggregateAllowed))
            }
            Method::Play | Method::Pause | Method::Teardown if !target.path.is_empty() && target.path != self.path => {
                Ask::Answer(Response::new(Status::NotFound))
            }
            Method::Play => match request.header("Range").map(range_is_live) {
                Some(false) => Ask::Answer(Response::explained(Status::InvalidRange, "A live stream starts now.")),
                _ => Ask::Play,
            },
            Method::Pause if self.state != State::Playing => self.refuse(),
            Method::Pause => Ask::Pause,
            Method::Teardown => Ask::Teardown,
            // An empty one is a sign of life (§10.8); there are no parameters to get or set.
            Method::GetParameter | Method::SetParameter => {
                let empty = request.body.iter().all(u8::is_ascii_whitespace);
                let status = if empty { Status::Ok } else { Status::ParameterNotUnderstood };
                Ask::Answer(self.in_session(Response::new(status)))
            }
            _ => Ask::Answer(Response::new(Status::NotImplemented)),
        }
    }

    fn setup(&mut self, request: &Request, target: Target) -> Ask {
        if self.state == State::Playing {
            return self.refuse();
        }
        if self.session.is_some() && target.path != self.path {
            return Ask::Answer(Response::explained(Status::AggregateNotAllowed, "One session plays one stream."));
        }
        let Some(transport) = request.header("Transport") else {
            return Ask::Answer(Response::explained(Status::BadRequest, "SETUP needs a Transport header."));
        };
        Ask::Setup(target, offers(transport))
    }

    fn refuse(&self) -> Ask {
        let allow = match self.state {
            State::Init => "OPTIONS, DESCRIBE, SETUP",
            State::Ready => "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER",
            State::Playing => "OPTIONS, DESCRIBE, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER",
        };
        Ask::Answer(self.in_session(Response::new(Status::NotValidInState).header("Allow", allow)))
    }

    fn in_session(&self, r: Response) -> Response {
        match &self.session {
            Some(id) => r.header("Session", format!("{id};timeout={SESSION_TIMEOUT_S}")),
            None => r,
        }
    }

    /// The answer to DESCRIBE.
    pub fn described(&mut self, target: &Target, sdp: String) -> Response {
        if self.session.is_none() {
            self.path.clone_from(&target.path);
            self.join = target.join;
        }
        Response::new(Status::Ok)
            .header("Content-Base", format!("{}/", target.base))
            .header("Cache-Control", "no-cache")
            .body("application/sdp", sdp)
    }

    /// The answer to SETUP. `available` is the number of tracks of the stream, `transport` the header to answer with.
    /// A track that was set up before is set up anew.
    pub fn set_up(
        &mut self,
        target: &Target,
        setup: TrackSetup,
        available: usize,
        transport: String,
        fresh_id: impl FnOnce() -> String,
    ) -> Response {
        if self.path != target.path {
            self.join = None;
        }
        self.join = target.join.or(self.join);
        self.path.clone_from(&target.path);
        self.base.clone_from(&target.base);
        self.available = available;
        self.tracks.retain(|t| t.track != setup.track);
        self.tracks.push(setup);
        self.session.get_or_insert_with(fresh_id);
        self.state = State::Ready;
        self.in_session(Response::new(Status::Ok)).header("Transport", transport).header("Cache-Control", "no-cache")
    }

    /// The answer to PLAY. `starts` holds, per track set up, its first sequence number and the RTP time of the
    /// starting point, as far as they are known.
    pub fn played(&mut self, starts: &[(u8, Option<u16>, Option<u32>)]) -> Response {
        self.state = State::Playing;
        let info: Vec<String> = starts
            .iter()
            .filter(|(_, seq, rtptime)| seq.is_some() || rtptime.is_some())
            .map(|(track, seq, rtptime)| {
                let seq = seq.map_or(String::new(), |s| format!(";seq={s}"));
                let rtptime = rtptime.map_or(String::new(), |t| format!(";rtptime={t}"));
                format!("url={}/trackID={track}{seq}{rtptime}", self.base)
            })
            .collect();
        let r = self.in_session(Response::new(Status::Ok)).header("Range", "npt=now-");
        if info.is_empty() { r } else { r.header("RTP-Info", info.join(",")) }
    }

    /// The answer to PAUSE.
    pub fn paused(&mut self) -> Response {
        self.state = State::Ready;
        self.in_session(Response::new(Status::Ok))
    }

    /// The answer to TEARDOWN; the session is over and another may be set up.
    pub fn torn_down(&mut self) -> Response {
        let r = self.in_session(Response::new(Status::Ok));
        *self = Machine::default();
        r
    }
}

fn accepts_sdp(accept: &str) -> bool {
    accept.split(',').any(|a| {
        let kind = a.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/sdp") || kind == "application/*" || kind == "*/*"
    })
}

/// Whether a range can be served by a live stream: NPT that is well formed. Its start is not looked at, because
/// players ask for 0, for now, or for where they believe to have paused, and all mean "go on".
fn range_is_live(range: &str) -> bool {
    let Some(npt) = range.split(';').next().and_then(|r| r.trim().strip_prefix("npt")) else { return false };
    let Some((from, to)) = npt.trim_start().strip_prefix('=').and_then(|r| r.trim().split_once('-')) else {
        return false;
    };
    let seconds = |s: &str| -> Option<f64> {
        s.split(':').try_fold(0.0, |sum, part| {
            let digits = part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            if digits { part.parse::<f64>().ok().map(|v| sum * 60.0 + v) } else { None }
        })
    };
    match (from.trim(), to.trim()) {
        ("now" | "", "") => true,
        ("now" | "", to) => seconds(to).is_some(),
        (from, "") => seconds(from).is_some(),
        (from, to) => matches!((seconds(from), seconds(to)), (Some(a), Some(b)) if a <= b),
    }
}

#[cfg(test)]
mod tests;
