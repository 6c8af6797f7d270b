//! RTSP cameras (RFC 2326), over the retina client: TCP or UDP, Basic and Digest, H.264, H.265, MJPEG, AAC, G.711.
//!
//! **Only tracks that can be understood are set up**: a camera's subtitles, metadata or exotic sound never cost its
//! pictures. Everything odd that cameras do and that can be lived with is lived with.
//!
//! A limit that is not ours: retina keeps the packets of a picture until its last one, without a bound, and neither
//! its demultiplexer nor its connection tells how many bytes that is. A camera that never ends a picture is therefore
//! bounded by time ([`Endless`]): it is hung up on after three seconds, or four intervals of a slow camera, and can
//! make us hold what its network carries until then.

mod endless;
mod errors;
mod sync;
mod tracks;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use retina::client::{
    Credentials, Demuxed, Described, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session,
    SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy,
    UdpTransportOptions, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
};
use retina::codec::{CodecItem, FrameFormat};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use vigie_hub::{GapCause, Publisher, Reason, SourceUnit};
use vigie_media::TrackId;

use self::endless::Endless;
use self::errors::{Place, Stage};
use self::sync::SharedClock;
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
        address::resolve(&host, port, self.spec.config.timeout()).await?;
        let place = Place { host, port, has_credentials: self.spec.credentials.is_some() };
        let (demuxed, tracks, carrier) = self.open(group, &place).await?;
        info!(?carrier, tracks = %tracks, "connected");
        self.pump(demuxed, tracks, carrier, &place, out).await
    }

    /// DESCRIBE, SETUP of what we understand, PLAY; each within the time-out.
    async fn open(&self, group: &Arc<SessionGroup>, place: &Place) -> Result<(Demuxed, Tracks, Carrier), SourceError> {
        let within = self.spec.config.timeout();
        let options = self.session_options(group);
        let mut session: Session<Described> =
            match timeout(within, Session::describe(self.spec.url.clone(), options)).await {
                Ok(r) => r.map_err(|e| place.explain(&e, Stage::Describe))?,
                Err(_) => return Err(place.late(Stage::Describe, within)),
            };
        let mut tracks = Tracks::choose(session.streams())?;
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
        let demuxed = playing.demuxed().map_err(|e| place.explain(&e, Stage::Describe))?;
        Ok((demuxed, tracks, carrier))
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

    /// Frames into the hub, until something ends it.
    async fn pump(
        &self,
        mut demuxed: Demuxed,
        mut tracks: Tracks,
        carrier: Carrier,
        place: &Place,
        mut out: Publisher,
    ) -> Result<(), SourceError> {
        let within = self.spec.config.timeout();
        let started = Instant::now();
        let mut deadline = Some((started + within, no_pictures(carrier, within)));
        let mut clock = SharedClock::new(tracks.video_rate(), tracks.audio_rate());
        let mut endless = Endless::new(started);
        loop {
            let next = endless.guard(demuxed.next());
            let item = match &deadline {
                Some((at, error)) => match timeout_at(*at, next).await {
                    Ok(item) => item?,
                    Err(_) => return Err(error.clone()),
                },
                None => next.await?,
            };
            match item {
                None => return Err(place.closed()),
                Some(Err(e)) => return Err(place.explain(&e, Stage::Stream)),
                Some(Ok(CodecItem::VideoFrame(frame))) => {
                    endless.picture(Instant::now());
                    if frame.loss() > 0 {
                        debug!(packets = frame.loss(), "packets lost");
                        out.lost(GapCause::PacketLoss);
                    }
                    let pts = frame.timestamp().timestamp();
                    let arrived = frame.end_ctx().received();
                    let changed = frame.has_new_parameters() || !tracks.is_described();
                    let stream = &demuxed.streams()[frame.stream_id()];
                    let data = bytes::Bytes::from(frame.into_data());
                    if tracks.needs_describing(changed, &data) {
                        match tracks.describe(stream, &data) {
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
                    let key = tracks.is_key(&data);
                    let shared_ns = clock.video(pts, arrived);
                    let unit = SourceUnit { track: TrackId(0), pts, dts: None, shared_ns, arrived, key, data };
                    if let Err(e) = out.push(unit) {
                        return unpublishable(e);
                    }
                }
                Some(Ok(CodecItem::AudioFrame(frame))) if tracks.is_described() => {
                    let pts = frame.timestamp().timestamp();
                    let arrived = frame.ctx().received();
                    let data = bytes::Bytes::copy_from_slice(frame.data());
                    let shared_ns = clock.audio(pts, arrived);
                    let unit = SourceUnit { track: TrackId(1), pts, dts: None, shared_ns, arrived, key: true, data };
                    if let Err(e) = out.push(unit) {
                        return unpublishable(e);
                    }
                }
                Some(Ok(CodecItem::Rtcp(compound))) => {
                    let report = compound.pkts().next().and_then(|p| p.as_sender_report().ok().flatten());
                    if let (Some(at), Some(report)) = (compound.rtp_timestamp(), report) {
                        let is_video = compound.stream_id() == tracks.video_stream();
                        clock.report(is_video, at.timestamp(), report.ntp_timestamp().0);
                    }
                }
                Some(Ok(_)) => {}
            }
        }
    }
}

fn setup_options(carrier: Carrier) -> SetupOptions {
    let transport = match carrier {
        Carrier::Tcp => retina::client::Transport::Tcp(TcpTransportOptions::default()),
        Carrier::Udp => retina::client::Transport::Udp(UdpTransportOptions::default()),
    };
    SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4)
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
