//! RTSP cameras (RFC 2326): TCP or UDP, Basic and Digest, H.264, H.265, MJPEG, AAC, G.711, Opus.
//!
//! The session is the retina client's; packets become units in `vigie_media::rtp::depacketize`, because what a camera
//! can make us hold must be bounded. **Only tracks that can be understood are set up**: a camera's subtitles, metadata
//! or exotic sound never cost its pictures. Everything odd that cameras do and that can be lived with is lived with.

mod errors;
mod intake;
mod sync;
mod tracks;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use retina::client::{
    Credentials, Described, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Playing, Session,
    SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy,
    UdpTransportOptions, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;
use vigie_hub::{GapCause, Publisher, Reason, SourceUnit};
use vigie_media::TrackId;

use self::errors::{Place, Stage};
use self::intake::{Intake, Ready};
use self::tracks::Tracks;
use crate::{Source, SourceError, SourceSpec, Transport, address, unpublishable};

/// How long the end of a session waits for the camera's answer to TEARDOWN.
const TEARDOWN_WITHIN: Duration = Duration::from_secs(1);

/// One connection to an RTSP camera.
#[derive(Debug)]
pub struct RtspSource {
    spec: SourceSpec,
}

/// How RTP travels in one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Tcp,
    Udp,
}

/// Makes the source; refuses what this version cannot do.
pub fn make(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    let refuse = |what: &str| Err(SourceError::new(Reason::Config, format!("{what} is not available in this version")));
    match (spec.url.scheme(), spec.config.transport) {
        ("rtsps", _) => return refuse("RTSP over TLS (rtsps)"),
        (_, Transport::Multicast) => return refuse("RTP by multicast"),
        (_, Transport::Http) => return refuse("RTSP inside HTTP"),
        ("rtsp", _) => {}
        _ => return Err(SourceError::new(Reason::Config, "an RTSP camera's URL begins with rtsp://")),
    }
    if spec.url.host_str().is_none_or(str::is_empty) {
        return Err(SourceError::new(Reason::Config, "the RTSP URL has no host"));
    }
    Ok(Box::new(RtspSource { spec: spec.clone() }))
}

#[async_trait]
impl Source for RtspSource {
    async fn run(&mut self, out: Publisher, cancel: CancellationToken) -> Result<(), SourceError> {
        let group = Arc::new(SessionGroup::default());
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Ok(()),
            // Dropping the work drops its session, which sends TEARDOWN.
            result = self.work(out, &group) => result,
        };
        // The camera may allow one session only: whoever comes next should find this one gone.
        let _ = timeout(TEARDOWN_WITHIN, group.await_teardown()).await;
        result
    }
}

impl RtspSource {
    async fn work(&self, out: Publisher, group: &Arc<SessionGroup>) -> Result<(), SourceError> {
        let (host, port) =
            self.spec.target().ok_or_else(|| SourceError::new(Reason::Config, "the RTSP URL has no host"))?;
        let within = self.spec.config.timeout();
        let found = address::resolve_within(&host, port, within, self.spec.config.walled).await?;
        // One address is dialled; where a name has both kinds, the one that every network has.
        let dialled = found.iter().find(|a| a.is_ipv4()).or(found.first());
        let url = match dialled {
            Some(checked) if self.spec.config.walled => pinned(&self.spec.url, checked.ip())?,
            _ => self.spec.url.clone(),
        };
        let place = Place { host, port, has_credentials: self.spec.credentials.is_some() };
        let (session, tracks, carrier) = self.open(group, url, &place).await?;
        info!(?carrier, tracks = %tracks, "connected");
        self.pump(session, tracks, carrier, &place, out).await
    }

    /// DESCRIBE, SETUP of what we understand, PLAY; each within the time-out.
    async fn open(
        &self,
        group: &Arc<SessionGroup>,
        url: Url,
        place: &Place,
    ) -> Result<(Session<Playing>, Tracks, Carrier), SourceError> {
        let within = self.spec.config.timeout();
        let options = self.session_options(group);
        let mut session: Session<Described> = match timeout(within, Session::describe(url, options)).await {
            Ok(r) => r.map_err(|e| place.explain(&e, Stage::Describe))?,
            Err(_) => return Err(place.late(Stage::Describe, within)),
        };
        let mut tracks = Tracks::choose(session.streams(), session.sdp())?;
        let mut carrier = match self.spec.config.transport {
            Transport::Udp => Carrier::Udp,
            _ => Carrier::Tcp,
        };
        for (n, stream) in tracks.streams().into_iter().enumerate() {
            let mut set_up = timeout(within, session.setup(stream, setup_options(carrier))).await;
            if let Ok(Err(e)) = &set_up
                && (n, carrier, self.spec.config.transport) == (0, Carrier::Tcp, Transport::Auto)
                && errors::refuses_transport(e)
            {
                // On the same connection: some servers are confused by a second one right behind the first.
                info!("the camera refuses RTP over TCP, trying UDP: {}", errors::brief(e));
                carrier = Carrier::Udp;
                set_up = timeout(within, session.setup(stream, setup_options(carrier))).await;
            }
            match set_up {
                Ok(Ok(())) => {}
                // Pictures without sound are better than nothing.
                Ok(Err(e)) if n > 0 && e.status_code().is_some() => {
                    info!("the camera does not hand out its sound: {}", errors::brief(&e));
                    tracks.drop_audio();
                }
                Ok(Err(e)) => return Err(place.explain(&e, Stage::Setup)),
                Err(_) => return Err(place.late(Stage::Setup, within)),
            }
        }
        // Presentation times are mapped by sender reports, so that an absent or wrong RTP-Info does no harm.
        let play = PlayOptions::default()
            .initial_timestamp(InitialTimestampPolicy::Ignore)
            .initial_seq(InitialSequenceNumberPolicy::Ignore)
            .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::ProcessPackets);
        let playing = match timeout(within, session.play(play)).await {
            Ok(r) => r.map_err(|e| place.explain(&e, Stage::Play))?,
            Err(_) => return Err(place.late(Stage::Play, within)),
        };
        Ok((playing, tracks, carrier))
    }

    fn session_options(&self, group: &Arc<SessionGroup>) -> SessionOptions {
        let creds = self
            .spec
            .credentials
            .as_ref()
            .map(|(user, password)| Credentials { username: user.clone(), password: password.reveal().to_owned() });
        let agent = self.spec.config.user_agent.clone();
        SessionOptions::default()
            .creds(creds)
            .user_agent(agent.unwrap_or_else(|| concat!("Vigie/", env!("CARGO_PKG_VERSION")).to_owned()))
            .session_group(Arc::clone(group))
            .teardown(TeardownPolicy::Auto)
            .session_id(SessionIdPolicy::UseFirst)
            .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore)
    }

    /// Units into the hub, until something ends it.
    async fn pump(
        &self,
        mut session: Session<Playing>,
        mut tracks: Tracks,
        carrier: Carrier,
        place: &Place,
        mut out: Publisher,
    ) -> Result<(), SourceError> {
        let within = self.spec.config.timeout();
        let started = Instant::now();
        let mut deadline = Some((started + within, no_pictures(carrier, within)));
        let mut intake = Intake::new(&tracks);
        loop {
            let item = match &deadline {
                Some((at, error)) => match timeout_at(*at, session.next()).await {
                    Ok(item) => item,
                    Err(_) => return Err(error.clone()),
                },
                None => session.next().await,
            };
            match item {
                None => return Err(place.closed()),
                Some(Err(e)) => return Err(place.explain(&e, Stage::Stream)),
                Some(Ok(item)) => intake.push(&item)?,
            }
            while let Some(Ready { is_video, pts, shared_ns, arrived, unit }) = intake.pop() {
                if !is_video && !tracks.is_described() {
                    continue;
                }
                if is_video && unit.after_loss {
                    out.lost(GapCause::PacketLoss);
                }
                if is_video && tracks.needs_describing(unit.new_sets, &unit.data) {
                    match tracks.describe(intake.parameter_sets(), &unit.data) {
                        Some(described) => {
                            if let Err(e) = out.describe(described) {
                                return unpublishable(e);
                            }
                            deadline = None;
                        }
                        // The parameter sets may come with the next key frame only.
                        None if tracks.is_described() => continue,
                        None => {
                            deadline = Some((started + within * 6, unreadable()));
                            continue;
                        }
                    }
                }
                let key = !is_video || tracks.is_key(&unit.data);
                let track = TrackId(u8::from(!is_video));
                let unit = SourceUnit { track, pts, dts: None, shared_ns, arrived, key, data: unit.data };
                if let Err(e) = out.push(unit) {
                    return unpublishable(e);
                }
            }
        }
    }
}

fn setup_options(carrier: Carrier) -> SetupOptions {
    let transport = match carrier {
        Carrier::Tcp => retina::client::Transport::Tcp(TcpTransportOptions::default()),
        Carrier::Udp => retina::client::Transport::Udp(UdpTransportOptions::default()),
    };
    SetupOptions::default().transport(transport)
}

fn no_pictures(carrier: Carrier, within: Duration) -> SourceError {
    let seconds = within.as_secs_f64();
    let message = match carrier {
        Carrier::Tcp => format!("the camera accepted to play but sent no picture within {seconds:.1} s"),
        Carrier::Udp => format!(
            "the camera accepted to play but no picture came by UDP within {seconds:.1} s: a firewall may be in \
             between; try transport tcp"
        ),
    };
    SourceError::new(Reason::NoVideo, message)
}

fn unreadable() -> SourceError {
    SourceError::new(Reason::NoVideo, "the camera sends pictures whose parameters cannot be read")
}

/// The URL with the address that was looked at in the place of its name: the library looks names up by itself, and a name
/// may mean something else the second time. RTSP has no `Host` header, and a digest is made over the URI that is sent.
fn pinned(url: &Url, checked: IpAddr) -> Result<Url, SourceError> {
    let mut pinned = url.clone();
    let refused = |()| SourceError::new(Reason::Config, "the RTSP URL can have no address in the place of its name");
    pinned.set_ip_host(checked).map_err(refused)?;
    Ok(pinned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_wall_the_address_that_was_looked_at_is_the_one_that_is_dialled() {
        let url: Url = "rtsp://camera.example:8554/a/b?channel=1".parse().unwrap();
        for (checked, dialled) in [
            ("192.0.2.7", "rtsp://192.0.2.7:8554/a/b?channel=1"),
            ("2001:db8::7", "rtsp://[2001:db8::7]:8554/a/b?channel=1"),
        ] {
            assert_eq!(pinned(&url, checked.parse().unwrap()).unwrap().as_str(), dialled);
        }
    }
}
