//! Ways out, RTSP: the server at `rtsp://…/cam/<id or slug>/main`.
//!
//! The protocol itself is `vigie_proto::rtsp`; packets come from `vigie_media::rtp`. Here are sockets and tasks:
//! one task per connection, which sleeps while its reader keeps up, and per stream one [feed](feed) that packetises
//! each frame once and writes it to everybody. **What is left per reader and frame is one system call.**

mod access;
mod connection;
mod feed;
mod gso;
mod metrics;
mod pace;
mod ring;
mod tcp;
mod udp;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rand::RngExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_base::StreamKey;
use vigie_hub::{Gate, Hub, Join, Stream};
use vigie_media::StreamDescription;
use vigie_media::rtp::{DEFAULT_PACKET_BYTES, RtpError};
use vigie_proto::rtsp::Authenticator;

use access::Identity;
use connection::Connection;
use feed::{FeedConfig, FeedHandle};
pub use metrics::RtspMetrics;
use pace::Pace;
use tcp::TcpReader;
use udp::UdpSockets;

/// Settings of the server. The defaults are those of the contract (§40.5).
#[derive(Debug, Clone)]
pub struct RtspConfig {
    /// Whether interleaved TCP is served.
    pub tcp: bool,
    /// Whether UDP is served.
    pub udp: bool,
    /// UDP port for RTP, RTCP being the next one; 0 takes free ones.
    pub rtp_port: u16,
    /// Size of RTP packets in bytes, header included.
    pub packet_bytes: usize,
    /// Tasks that serve the readers of one stream; 0 means one per core.
    pub workers: usize,
    /// Connections beyond this are answered 503.
    pub max_connections: usize,
    /// Where readers start that do not say so.
    pub join: Join,
    /// How long DESCRIBE waits for a camera that was never seen.
    pub describe_timeout: Duration,
    /// A reader that takes nothing for this long is cut.
    pub stall_timeout: Duration,
    /// A UDP session without a sign of life ends after this; players are told 60 s.
    pub session_timeout: Duration,
    /// How often the rights of those who play are looked at again.
    pub review_interval: Duration,
    /// Most bytes that the kernel may hold for one TCP reader.
    pub send_buffer: usize,
    /// Bytes per second that all readers together may use to catch up, beyond the live stream.
    pub burst_bytes_per_s: u64,
    /// Most bytes that a stream keeps packetisable for joiners; a longer group of pictures cannot be joined at once.
    pub ring_bytes: usize,
    /// Counters, shared with whoever shows them.
    pub metrics: Arc<RtspMetrics>,
}

impl Default for RtspConfig {
    fn default() -> Self {
        Self {
            tcp: true,
            udp: true,
            rtp_port: 8000,
            packet_bytes: DEFAULT_PACKET_BYTES,
            workers: 0,
            max_connections: 8192,
            join: Join::Burst,
            describe_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(10),
            session_timeout: Duration::from_secs(60),
            review_interval: Duration::from_secs(5),
            send_buffer: 512 << 10,
            burst_bytes_per_s: 256 << 20,
            ring_bytes: 64 << 20,
            metrics: Arc::default(),
        }
    }
}

/// What all connections share.
struct Server {
    hub: Hub,
    gate: Arc<dyn Gate>,
    config: RtspConfig,
    auth: Authenticator,
    boot: u64,
    cname: Arc<str>,
    udp: Option<Arc<UdpSockets>>,
    pace: Pace,
    feeds: Mutex<HashMap<StreamKey, Weak<FeedHandle>>>,
    workers: usize,
    next_session: AtomicU64,
    /// Everybody who plays, to be asked about again.
    guests: Mutex<Vec<Guest>>,
}

/// Somebody who plays, and why that is allowed.
struct Guest {
    reader: Weak<TcpReader>,
    identity: Identity,
    key: StreamKey,
    peer: SocketAddr,
    /// The capture session that is being watched, if it was asked for by its id.
    session: Option<String>,
}

impl Server {
    fn new(hub: Hub, gate: Arc<dyn Gate>, config: RtspConfig, udp: Option<Arc<UdpSockets>>) -> Self {
        let boot = rand::rng().random::<u64>();
        let workers = match config.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        Self {
            hub,
            gate,
            auth: Authenticator::new(rand::rng().random()),
            boot,
            cname: format!("vigie-{boot:016x}").into(),
            udp,
            pace: Pace::new(config.burst_bytes_per_s),
            feeds: Mutex::default(),
            workers,
            next_session: AtomicU64::new(0),
            guests: Mutex::default(),
            config,
        }
    }

    /// The feed of a stream, started when nobody plays it yet.
    fn feed(&self, stream: &Arc<Stream>, description: &Arc<StreamDescription>) -> Result<Arc<FeedHandle>, RtpError> {
        let mut feeds = self.feeds.lock();
        if let Some(f) = feeds.get(&stream.key()).and_then(Weak::upgrade)
            && !f.feed.ended.is_cancelled()
            && Arc::ptr_eq(&f.feed.stream, stream)
        {
            return Ok(f);
        }
        let config = FeedConfig {
            packet_bytes: self.config.packet_bytes,
            shards: self.workers,
            ring_bytes: self.config.ring_bytes,
            cname: Arc::clone(&self.cname),
            metrics: Arc::clone(&self.config.metrics),
            udp: self.udp.clone(),
        };
        let f = FeedHandle::start(Arc::clone(stream), Arc::clone(description), self.boot, config)?;
        feeds.retain(|_, f| f.strong_count() > 0);
        feeds.insert(stream.key(), Arc::downgrade(&f));
        Ok(f)
    }

    /// Has the rights of somebody who plays looked at again from now on.
    fn watch_rights(&self, reader: &Arc<TcpReader>, identity: Identity, key: StreamKey, peer: SocketAddr, path: &str) {
        let session = path.strip_prefix("session/").map(str::to_owned);
        let reader = Arc::downgrade(reader);
        let mut guests = self.guests.lock();
        guests.retain(|g| g.reader.strong_count() > 0 && !g.reader.ptr_eq(&reader));
        guests.push(Guest { reader, identity, key, peer, session });
    }

    /// Ends the sessions of those whose password or rights have changed (contract §40.5). One after the other, so that
    /// the gate is never asked by many at once.
    async fn review_rights(self: Arc<Self>) {
        let mut tick = tokio::time::interval(self.config.review_interval);
        loop {
            tick.tick().await;
            let guests: Vec<_> = {
                let mut guests = self.guests.lock();
                guests.retain(|g| g.reader.strong_count() > 0);
                // Whoever watches a capture session uses it.
                guests.iter().filter_map(|g| g.session.as_deref()).for_each(|s| self.gate.touch_session(s));
                guests.iter().map(|g| (Weak::clone(&g.reader), g.identity.clone(), g.key, g.peer)).collect()
            };
            for (reader, identity, key, peer) in guests {
                if !self.still_welcome(&identity, key, peer).await
                    && let Some(reader) = reader.upgrade()
                {
                    info!(%peer, stream = %key, "RTSP session ended: its password or rights have changed");
                    reader.end();
                }
            }
        }
    }

    /// A session id that nobody can guess.
    fn session_id(&self) -> String {
        let n = self.next_session.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{:04x}", rand::rng().random::<u64>(), n & 0xffff)
    }
}

/// Serves until `cancel`. Returns early only when the listener is broken.
///
/// UDP ports that are taken do not stop the server: it says so and serves TCP.
pub async fn serve(
    listener: TcpListener,
    hub: Hub,
    gate: Arc<dyn Gate>,
    config: RtspConfig,
    cancel: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let bind = || {
        UdpSockets::bind(address.ip(), config.rtp_port).or_else(|e| {
            let other = UdpSockets::bind(address.ip(), 0)?;
            let (wanted, ports) = (config.rtp_port, other.ports());
            warn!("UDP port {wanted} cannot be used ({e}): RTP goes out from ports {} and {}", ports.0, ports.1);
            Ok::<_, io::Error>(other)
        })
    };
    let udp = match config.udp.then(bind) {
        Some(Ok(s)) => Some(Arc::new(s)),
        Some(Err(e)) => {
            warn!("RTSP over UDP is off: no ports can be used ({e})");
            None
        }
        None => None,
    };
    let server = Arc::new(Server::new(hub, gate, config, udp.clone()));
    let review = Arc::clone(&server).review_rights();
    let stop = cancel.clone();
    tokio::spawn(async move { stop.run_until_cancelled(review).await });
    if let Some(udp) = udp {
        let cancel = cancel.clone();
        tokio::spawn(async move { cancel.run_until_cancelled(udp.listen()).await });
    }
    cancel.run_until_cancelled(accept(listener, server, cancel.clone())).await.unwrap_or(Ok(()))
}

async fn accept(listener: TcpListener, server: Arc<Server>, cancel: CancellationToken) -> io::Result<()> {
    let mut complained = false;
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                complained = false;
                start(socket, peer, &server, &cancel);
            }
            Err(e) if is_of_one_connection(&e) => {}
            Err(e) => {
                // Out of file descriptors or memory: waiting is all that helps, and one line says it.
                if !std::mem::replace(&mut complained, true) {
                    warn!("no RTSP connection can be accepted: {e}");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_one_connection(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(e.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn start(socket: TcpStream, peer: SocketAddr, server: &Arc<Server>, cancel: &CancellationToken) {
    if server.config.metrics.connections.load(Ordering::Relaxed) >= server.config.max_connections as u64 {
        // One answer, as far as the socket takes it at once.
        let _ = socket.try_write(b"RTSP/1.0 503 Service Unavailable\r\nRetry-After: 10\r\nServer: Vigie\r\n\r\n");
        info!(%peer, "RTSP connection refused: too many");
        return;
    }
    match Connection::new(socket, peer, Arc::clone(server)) {
        Ok(c) => {
            let cancel = cancel.clone();
            tokio::spawn(c.run(cancel));
        }
        // It went away between being accepted and being looked at.
        Err(e) => tracing::debug!(%peer, "RTSP connection lost at once: {e}"),
    }
}
