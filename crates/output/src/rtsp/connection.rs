//! One RTSP connection: reads requests, answers them, and looks after its reader when that cannot keep up.
//!
//! **While a reader keeps up, its task sleeps**: frames are written by the feed's shard. The task wakes for what the
//! client sends, for a reader that fell behind, and for the end.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use vigie_hub::{Cursor, Join, Lag, Purpose, Stream, SubscribeOptions};
use vigie_media::{AccessUnit, Codec, StreamDescription, rtcp, sdp};
use vigie_proto::rtsp::{
    Ask, Chosen, Input, Join as UrlJoin, Machine, Method, Offer, ParseError, Parser, Request, Response, State, Status,
    Target, TrackSetup, choose,
};

use super::Server;
use super::access::Identity;
use super::feed::{self, FeedHandle, ssrc};
use super::metrics::RtspMetrics;
use super::tcp::{Caught, TcpReader};
use super::udp::{Claim, Seen, UdpReader};

/// A client that is not playing and says nothing for this long is gone.
const IDLE: Duration = Duration::from_secs(60);
/// A request that was begun must be complete within this time.
const SLOW_REQUEST: Duration = Duration::from_secs(10);
/// Unsent bytes above which the kernel reports a socket as not writable.
const UNSENT_LOW_WATER: u32 = 128 << 10;

/// What flows now.
struct Playing {
    feed: Arc<FeedHandle>,
    /// Counts as a viewer of the stream while it is there.
    _viewer: Cursor,
    udp: Option<Arc<UdpReader>>,
}

pub(super) struct Connection {
    server: Arc<Server>,
    peer: SocketAddr,
    local: SocketAddr,
    reader: Arc<TcpReader>,
    machine: Machine,
    parser: Parser,
    identity: Identity,
    playing: Option<Playing>,
    /// Keeps an on-demand source going between DESCRIBE and PLAY.
    demand: Option<Cursor>,
    claims: Vec<(u8, Claim)>,
    seen: Seen,
    heard: Instant,
}

enum End {
    /// The client closed, or the connection broke.
    Gone,
    /// We end it, having said why.
    Closed,
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: SocketAddr, server: Arc<Server>) -> io::Result<Self> {
        let local = socket.local_addr()?;
        socket.set_nodelay(true)?;
        let s = SockRef::from(&socket);
        // A reader that does not read must not fill the kernel's memory with what nobody will want to see any more.
        s.set_send_buffer_size(server.config.send_buffer / 2)?;
        s.set_tcp_notsent_lowat(UNSENT_LOW_WATER)?;
        s.set_tcp_keepalive(
            &TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10)),
        )?;
        let metrics = Arc::clone(&server.config.metrics);
        Ok(Self {
            server,
            peer,
            local,
            reader: Arc::new(TcpReader::new(socket, metrics)),
            machine: Machine::default(),
            parser: Parser::default(),
            identity: Identity::Unknown,
            playing: None,
            demand: None,
            claims: Vec::new(),
            seen: Seen::default(),
            heard: Instant::now(),
        })
    }

    pub(super) async fn run(mut self, cancel: CancellationToken) {
        let metrics = Arc::clone(&self.server.config.metrics);
        let _held = RtspMetrics::hold(&metrics.connections);
        if cancel.run_until_cancelled(self.work()).await.is_none() {
            debug!(peer = %self.peer, "RTSP connection ended: server stops");
        }
        self.leave();
    }

    async fn work(&mut self) {
        loop {
            // Each step is one wake-up; what it needs is made for it, so that a sleeping connection is small.
            if self.step().await.is_err() {
                return;
            }
        }
    }

    async fn step(&mut self) -> Result<(), End> {
        let behind = self.reader.is_behind();
        let deadline = self.deadline();
        let reader = Arc::clone(&self.reader);
        let ended = self.playing.as_ref().map(|p| p.feed.feed.ended.clone());
        if reader.is_broken() {
            return Err(End::Gone);
        }
        tokio::select! {
            r = reader.socket().readable() => {
                r.map_err(|_| End::Gone)?;
                // Boxed: the future of a request is large, and idle connections have none.
                Box::pin(self.read()).await
            }
            r = reader.socket().writable(), if behind => {
                r.map_err(|_| End::Gone)?;
                self.write().await
            }
            () = reader.wake.notified(), if !behind => Ok(()),
            () = until(deadline) => Box::pin(self.expired()).await,
            () = cancelled(ended) => self.feed_ended().await,
        }
    }

    /// When something has to happen at the latest.
    fn deadline(&self) -> Option<Instant> {
        let stuck = self.reader.stuck_since().map(|t| t + self.server.config.stall_timeout);
        let own = match (&self.playing, &self.server.udp) {
            _ if self.parser.is_partial() => Some(self.heard + SLOW_REQUEST),
            (Some(Playing { udp: Some(_), .. }), Some(udp)) => {
                Some(self.heard.max(udp.last_seen(&self.seen)) + self.server.config.session_timeout)
            }
            (Some(_), _) => None,
            (None, _) => Some(self.heard + IDLE),
        };
        [stuck, own].into_iter().flatten().min()
    }

    async fn expired(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.deadline().is_none_or(|d| d > now) {
            return Ok(());
        }
        if self.reader.stuck_since().is_some_and(|t| t + self.server.config.stall_timeout <= now) {
            RtspMetrics::add(&self.server.config.metrics.cut, 1);
            info!(peer = %self.peer, path = self.machine.path(), "RTSP reader cut: it took nothing for too long");
            return Err(End::Closed);
        }
        if self.parser.is_partial() {
            self.answer(&Response::explained(Status::RequestTimeout, "The request did not end in time."), None)?;
        } else if self.playing.is_some() {
            RtspMetrics::add(&self.server.config.metrics.timed_out, 1);
            info!(peer = %self.peer, path = self.machine.path(), "RTSP session over UDP ended: no sign of life");
        }
        Err(End::Closed)
    }

    async fn feed_ended(&mut self) -> Result<(), End> {
        if let Some(p) = &self.playing {
            for (track, packets) in p.feed.feed.byes() {
                self.reader.rtcp(track, &packets);
            }
        }
        // As far as the socket takes it; the end of the connection says the rest.
        let _ = self.reader.catch_up(None);
        Err(End::Closed)
    }

    async fn write(&mut self) -> Result<(), End> {
        let feed = self.playing.as_ref().map(|p| Arc::clone(&p.feed));
        match self.reader.catch_up(feed.as_ref().map(|f| &*f.feed)) {
            Caught::Up | Caught::Blocked => Ok(()),
            // Close to the head: as good as live, and live media is not rationed.
            Caught::More { far: false, .. } => {
                tokio::task::yield_now().await;
                Ok(())
            }
            Caught::More { bytes, .. } => {
                if !self.server.pace.turn(bytes).await
                    && let Some(feed) = &feed
                {
                    self.reader.give_up(&feed.feed);
                }
                Ok(())
            }
            Caught::Broken => Err(End::Gone),
        }
    }

    async fn read(&mut self) -> Result<(), End> {
        let mut buf = [0u8; 4096];
        match self.reader.socket().try_read(&mut buf) {
            Ok(0) => return Err(End::Gone),
            Ok(n) => {
                if !self.parser.is_partial() {
                    self.heard = Instant::now();
                }
                self.parser.push(&buf[..n]);
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(End::Gone),
        }
        loop {
            match self.parser.next() {
                Ok(Some(Input::Request(r))) => {
                    self.heard = Instant::now();
                    self.request(&r).await?;
                }
                // Receiver reports; over TCP the connection itself is the sign of life.
                Ok(Some(Input::Interleaved { data, .. })) => {
                    self.heard = Instant::now();
                    let _ = rtcp::parse(&data);
                }
                Ok(Some(Input::Response)) => {}
                Ok(None) => return Ok(()),
                Err(e) => {
                    debug!(peer = %self.peer, "{e}");
                    let (status, cseq) = match &e {
                        ParseError::Malformed { cseq, .. } => (Status::BadRequest, cseq.clone()),
                        ParseError::TooLarge { cseq, .. } => (Status::TooLarge, cseq.clone()),
                    };
                    self.answer(&Response::explained(status, &format!("{e}.")), cseq.as_deref())?;
                    return Err(End::Closed);
                }
            }
        }
    }

    fn answer(&self, response: &Response, cseq: Option<&str>) -> Result<(), End> {
        RtspMetrics::add(&self.server.config.metrics.requests, 1);
        if self.reader.answer(response.encode(cseq, unix_s())) { Ok(()) } else { Err(End::Gone) }
    }

    async fn request(&mut self, request: &Request) -> Result<(), End> {
        let response = match Machine::screen(request) {
            Ok(target) => match self.carry_out(request, target).await {
                Ok(Some(r)) | Err(r) => r,
                // Already answered, in the order that playing needs.
                Ok(None) => return Ok(()),
            },
            Err(r) => r,
        };
        debug!(peer = %self.peer, method = request.method.as_str(), path = self.machine.path(), status = response.status.code(), "rtsp");
        self.answer(&response, request.cseq())
    }

    /// Everything that needs to know who asks. `Ok(None)` when the answer went out already.
    async fn carry_out(&mut self, request: &Request, target: Target) -> Result<Option<Response>, Response> {
        let server = Arc::clone(&self.server);
        self.identity = server.identify(request, self.peer, &self.identity, unix_s()).await?;
        if let Some(id) = self.machine.path().strip_prefix("session/") {
            server.gate.touch_session(id);
        }
        match self.machine.handle(request, target) {
            Ask::Answer(r) => Ok(Some(r)),
            Ask::Describe(target) => self.describe(&target).await.map(Some),
            Ask::Setup(target, offers) => self.setup(&target, &offers).await.map(Some),
            Ask::Play if self.playing.is_some() => Ok(Some(self.machine.played(&[]))),
            Ask::Play => self.play(request).await.map(|()| None),
            Ask::Pause => {
                let _ = self.stop();
                Ok(Some(self.machine.paused()))
            }
            Ask::Teardown => {
                self.leave();
                self.claims.clear();
                self.demand = None;
                Ok(Some(self.machine.torn_down()))
            }
        }
    }

    /// The stream behind a path, if it may be watched.
    async fn stream(&self, path: &str) -> Result<Arc<Stream>, Response> {
        let Some(key) = self.server.gate.resolve(path).await else {
            return Err(Response::explained(Status::NotFound, "There is no such camera or session."));
        };
        self.server.may_view(&self.identity, key, unix_s()).await?;
        Ok(self.server.hub.ensure(key))
    }

    /// The tracks of a stream, waiting for a camera that was never seen.
    async fn description(&mut self, stream: &Arc<Stream>) -> Result<Arc<StreamDescription>, Response> {
        if let Some(d) = stream.description() {
            return Ok(d);
        }
        let mut cursor = stream.subscribe(watching());
        let wait = async {
            while let Ok(e) = cursor.next().await {
                if let vigie_hub::Event::Description(d) = e {
                    return Some(d);
                }
            }
            None
        };
        let found = tokio::time::timeout(self.server.config.describe_timeout, wait).await.ok().flatten();
        self.demand = Some(cursor);
        found.ok_or_else(|| {
            let why = stream.state().failure.map_or(String::new(), |f| format!(" ({})", f.message));
            Response::explained(Status::Unavailable, &format!("The camera does not send pictures now{why}."))
                .header("Retry-After", "5")
        })
    }

    async fn describe(&mut self, target: &Target) -> Result<Response, Response> {
        let stream = self.stream(&target.path).await?;
        let description = self.description(&stream).await?;
        let jpeg = description.tracks.iter().any(|t| matches!(t.codec, Codec::Jpeg(_)));
        let sample = match stream.last_key() {
            // Whether RTP can carry them shows in the pictures alone (RFC 2435 §4.1).
            None if jpeg => self.first_picture(&stream).await,
            found => found,
        };
        for t in &description.tracks {
            feed::check(t, sample.as_deref(), self.server.config.packet_bytes)
                .map_err(|e| Response::explained(Status::UnsupportedMedia, &format!("{e}.")))?;
        }
        let id = u64::from(ssrc(self.server.boot, &stream, 0));
        let session = sdp::Session { name: &target.path, address: self.local.ip(), id };
        Ok(self.machine.described(target, sdp::describe(&description, session)))
    }

    /// Starts the source when it is idle, and waits for a picture, at most as long as for a description.
    async fn first_picture(&self, stream: &Arc<Stream>) -> Option<Arc<AccessUnit>> {
        let mut reader = stream.subscribe(watching());
        let found = async {
            while reader.next().await.is_ok() {
                if let Some(picture) = stream.last_key() {
                    return Some(picture);
                }
            }
            None
        };
        tokio::time::timeout(self.server.config.describe_timeout, found).await.ok().flatten()
    }

    async fn setup(&mut self, target: &Target, offers: &[Offer]) -> Result<Response, Response> {
        let stream = self.stream(&target.path).await?;
        let description = self.description(&stream).await?;
        let available = description.tracks.len();
        let track = match target.track {
            Some(t) if usize::from(t) < available => t,
            Some(_) => return Err(Response::explained(Status::NotFound, "There is no such track.")),
            None if available == 1 => 0,
            None => return Err(Response::new(Status::AggregateNotAllowed)),
        };
        let taken: Vec<u8> = match self.machine.tracks().iter().find(|t| t.track == track) {
            Some(_) => Vec::new(),
            None => self.machine.channels(),
        };
        let config = &self.server.config;
        let chosen = choose(offers, config.tcp, config.udp && self.server.udp.is_some(), &taken);
        let chosen = chosen.ok_or_else(|| Response::new(Status::UnsupportedTransport))?;
        let over_tcp = |c: &Chosen| matches!(c, Chosen::Tcp(..));
        if self.machine.tracks().iter().any(|t| t.track != track && over_tcp(&t.transport) != over_tcp(&chosen)) {
            return Err(Response::explained(Status::UnsupportedTransport, "All tracks of a session travel alike."));
        }
        self.claims.retain(|c| c.0 != track);
        let ssrc = ssrc(self.server.boot, &stream, track);
        let transport = match (chosen, &self.server.udp) {
            (Chosen::Udp(rtp, rtcp), Some(udp)) => {
                let at = |port| SocketAddr::new(self.peer.ip(), port);
                udp.touch(&self.seen);
                let claim = udp.claim(at(rtp), at(rtcp), &self.seen).ok_or_else(|| {
                    Response::explained(Status::BadRequest, "Another session is sent to these ports already.")
                })?;
                self.claims.push((track, claim));
                let (a, b) = udp.ports();
                format!("RTP/AVP;unicast;client_port={rtp}-{rtcp};server_port={a}-{b};ssrc={ssrc:08X};mode=\"PLAY\"")
            }
            (Chosen::Tcp(a, b), _) => {
                format!("RTP/AVP/TCP;unicast;interleaved={a}-{b};ssrc={ssrc:08X};mode=\"PLAY\"")
            }
            (Chosen::Udp(..), None) => return Err(Response::new(Status::UnsupportedTransport)),
        };
        // From here on the source is wanted, so that it is there when PLAY comes.
        self.demand.get_or_insert_with(|| stream.subscribe(watching()));
        let setup = TrackSetup { track, transport: chosen };
        Ok(self.machine.set_up(target, setup, available, transport, || self.server.session_id()))
    }

    async fn play(&mut self, request: &Request) -> Result<(), Response> {
        let path = self.machine.path().to_owned();
        let stream = self.stream(&path).await?;
        let description = self.description(&stream).await?;
        let handle = self
            .server
            .feed(&stream, &description)
            .map_err(|e| Response::explained(Status::UnsupportedMedia, &format!("{e}.")))?;
        let feed = &handle.feed;
        let join = match self.machine.join() {
            None => self.server.config.join,
            Some(UrlJoin::Burst) => Join::Burst,
            Some(UrlJoin::Key) => Join::Key,
            Some(UrlJoin::Live) => Join::Live,
        };
        let mut tracks: Vec<TrackSetup> = self.machine.tracks().to_vec();
        tracks.sort_by_key(|t| t.track);
        let wanted: Vec<u8> = tracks.iter().map(|t| t.track).collect();
        let (at, need_key, starts) = feed.start_of(join, &wanted);
        let answer = self.machine.played(&starts).encode(request.cseq(), unix_s());
        let reports = feed.reports(Instant::now());
        let metrics = &self.server.config.metrics;
        RtspMetrics::add(&metrics.requests, 1);
        let viewer = self.demand.take().unwrap_or_else(|| stream.subscribe(watching()));
        let udp = if self.claims.is_empty() {
            let channels = tracks.iter().filter_map(|t| match t.transport {
                Chosen::Tcp(a, b) => Some((t.track, (a, b))),
                Chosen::Udp(..) => None,
            });
            let rtcp_channel = |track: u8| {
                tracks.iter().find(|t| t.track == track).and_then(|t| match t.transport {
                    Chosen::Tcp(_, b) => Some(b),
                    Chosen::Udp(..) => None,
                })
            };
            let mut first = vec![Bytes::from(answer)];
            first.extend(reports.iter().filter_map(|(t, _, p)| rtcp_channel(*t).map(|c| p.for_channel(c))));
            let play = self.reader.play(at, need_key, channels, first);
            feed.add(Arc::clone(&self.reader), play);
            metrics.readers_tcp.fetch_add(1, Ordering::Relaxed);
            None
        } else {
            // A client that takes no answers is noticed by the next one.
            let _ = self.reader.answer(answer);
            let to = self.claims.iter().map(|(t, c)| (*t, c.rtp, c.rtcp)).collect();
            let reader = Arc::new(UdpReader::new(to, at, need_key));
            feed.udp.add(Arc::clone(&reader));
            metrics.readers_udp.fetch_add(1, Ordering::Relaxed);
            let (handle, sockets) = (Arc::clone(&handle), self.server.udp.clone());
            let joining = Arc::clone(&reader);
            // Ends with the burst, or when the reader is closed.
            tokio::spawn(async move {
                if let Some(sockets) = sockets {
                    joining.catch_up(&handle.feed, &sockets, reports).await;
                }
            });
            Some(reader)
        };
        self.server.watch_rights(&self.reader, self.identity.clone(), stream.key(), self.peer, &path);
        info!(peer = %self.peer, path, transport = if udp.is_some() { "udp" } else { "tcp" }, "RTSP reader");
        self.playing = Some(Playing { feed: handle, _viewer: viewer, udp });
        debug_assert_eq!(self.machine.state(), State::Playing);
        debug_assert_eq!(request.method, Method::Play);
        Ok(())
    }

    /// Stops what flows, for good.
    fn leave(&mut self) {
        if let Some(p) = self.stop()
            && let Some(reader) = &p.udp
        {
            p.feed.feed.say_bye(reader);
        }
    }

    /// Stops what flows; it may go on later. Without a good-bye, because players take that for the end.
    fn stop(&mut self) -> Option<Playing> {
        let p = self.playing.take()?;
        let metrics = &self.server.config.metrics;
        match &p.udp {
            Some(reader) => {
                reader.close();
                metrics.readers_udp.fetch_sub(1, Ordering::Relaxed);
            }
            None => {
                self.reader.stop();
                metrics.readers_tcp.fetch_sub(1, Ordering::Relaxed);
            }
        }
        Some(p)
    }
}

/// A viewer that is counted and reads nothing.
fn watching() -> SubscribeOptions {
    SubscribeOptions { join: Join::Live, lag: Lag::Live, purpose: Purpose::View }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(d) => tokio::time::sleep_until(d.into()).await,
        None => std::future::pending().await,
    }
}

async fn cancelled(token: Option<CancellationToken>) {
    match token {
        Some(t) => t.cancelled().await,
        None => std::future::pending().await,
    }
}
