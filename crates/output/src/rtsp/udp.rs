//! Readers over UDP: one pair of sockets for all of them, one gather list per run of packets.
//!
//! **No receiver is sent more than 64 KiB in 5 ms**: that is what default socket buffers take. A group of pictures on
//! joining and a large key frame are paced alike; everything smaller goes out at once.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tracing::{info, warn};
use vigie_media::rtcp;
use vigie_media::rtp::Packets;

use super::feed::Feed;
use super::gso::{self, Scratch};
use super::metrics::RtspMetrics;
use super::ring::{Next, Prepared};

/// Most bytes for one receiver within [`PACE`].
const PACE_BYTES: usize = 64 << 10;
/// See [`PACE_BYTES`].
const PACE: Duration = Duration::from_millis(5);
/// How long a full socket is waited for.
const PATIENCE: Duration = Duration::from_millis(20);
/// Asked for as the socket's send buffer, so that a frame for many readers fits.
const SEND_BUFFER: usize = 4 << 20;

/// Signs of life of one session, in milliseconds since the sockets were opened.
pub(super) type Seen = Arc<AtomicU64>;

/// The server's RTP and RTCP socket.
#[derive(Debug)]
pub(super) struct UdpSockets {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    ports: (u16, u16),
    offload: AtomicBool,
    opened: Instant,
    /// By receiver port, RTP and RTCP: who gets packets there, and may report from there.
    peers: Mutex<HashMap<SocketAddr, Seen>>,
}

impl UdpSockets {
    /// Binds two neighbouring ports, the first even (RFC 3550 §11); 0 takes free ones.
    pub(super) fn bind(ip: IpAddr, port: u16) -> io::Result<Self> {
        let mut last = io::Error::from(ErrorKind::AddrInUse);
        for _ in 0..32 {
            let (rtp, rtcp) = match bind_pair(ip, port) {
                Ok(pair) => pair,
                Err(e) if port == 0 => {
                    last = e;
                    continue;
                }
                Err(e) => return Err(e),
            };
            let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
            return Ok(Self {
                rtp,
                rtcp,
                ports,
                offload: AtomicBool::new(true),
                opened: Instant::now(),
                peers: Mutex::default(),
            });
        }
        Err(last)
    }

    /// RTP and RTCP port.
    pub(super) fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Takes a receiver's ports for one session, until the claim is dropped. `None` when somebody has them.
    pub(super) fn claim(self: &Arc<Self>, rtp: SocketAddr, rtcp: SocketAddr, seen: &Seen) -> Option<Claim> {
        let mut peers = self.peers.lock();
        if peers.contains_key(&rtp) || peers.contains_key(&rtcp) {
            return None;
        }
        peers.insert(rtp, Arc::clone(seen));
        peers.insert(rtcp, Arc::clone(seen));
        Some(Claim { sockets: Arc::clone(self), rtp, rtcp })
    }

    /// Notes a sign of life.
    pub(super) fn touch(&self, seen: &Seen) {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        seen.store(ms, Ordering::Relaxed);
    }

    /// When the last sign of life was.
    pub(super) fn last_seen(&self, seen: &Seen) -> Instant {
        self.opened + Duration::from_millis(seen.load(Ordering::Relaxed))
    }

    /// Reads what receivers send: reports keep their session alive, everything else opened a firewall and is dropped.
    pub(super) async fn listen(self: Arc<Self>) {
        // Room for any compound packet; what is longer is cut off and then not RTCP.
        let mut rtcp_in = [0u8; 1500];
        let mut rtp_in = [0u8; 64];
        loop {
            tokio::select! {
                r = self.rtcp.recv_from(&mut rtcp_in) => {
                    if let Ok((n, from)) = r
                        && rtcp::parse(&rtcp_in[..n]).is_ok()
                        && let Some(seen) = self.peers.lock().get(&from)
                    {
                        self.touch(seen);
                    }
                }
                r = self.rtp.recv_from(&mut rtp_in) => {
                    // Errors here are those of earlier sends; there is nothing to be done about them.
                    drop(r);
                }
            }
        }
    }

    /// Sends these packets to all of `to`, paced. `budget` is what the receivers may still get in this interval.
    async fn send(
        &self,
        packets: &Packets,
        is_rtcp: bool,
        to: &[SockAddr],
        budget: &mut Budget,
        scratch: &mut Scratch,
        metrics: &RtspMetrics,
    ) {
        let socket = if is_rtcp { &self.rtcp } else { &self.rtp };
        for piece in packets.runs.iter().flat_map(gso::split) {
            let bytes = usize::from(piece.size) * usize::from(piece.count - 1) + usize::from(piece.last);
            budget.spend(bytes).await;
            let mut rest = to;
            let give_up = Instant::now() + PATIENCE;
            while !rest.is_empty() {
                let offload = self.offload.load(Ordering::Relaxed);
                let mut served = 0;
                let result = socket.try_io(Interest::WRITABLE, || {
                    served = gso::send(socket.as_fd(), &packets.data, &piece, rest, offload, scratch)?;
                    if served < rest.len() { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
                });
                rest = &rest[served..];
                match result {
                    Ok(()) => break,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        let until = tokio::time::Instant::from_std(give_up);
                        if !matches!(tokio::time::timeout_at(until, socket.writable()).await, Ok(Ok(()))) {
                            RtspMetrics::add(&metrics.udp_dropped, rest.len() as u64);
                            break;
                        }
                    }
                    Err(e) if offload && gso::is_unsupported(&e) => {
                        self.offload.store(false, Ordering::Relaxed);
                        info!("no segmentation offload here ({e}): packets are sent one by one");
                    }
                    Err(_) => {
                        RtspMetrics::add(&metrics.udp_dropped, rest.len() as u64);
                        break;
                    }
                }
            }
            let served = (to.len() - rest.len()) as u64;
            RtspMetrics::add(&metrics.packets, served * u64::from(piece.count));
            RtspMetrics::add(&metrics.bytes, served * bytes as u64);
        }
    }
}

fn bind_pair(ip: IpAddr, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
    let bind = |port: u16| -> io::Result<UdpSocket> {
        let s = Socket::new(Domain::for_address(SocketAddr::new(ip, port)), Type::DGRAM, Some(Protocol::UDP))?;
        if ip.is_ipv6() {
            s.set_only_v6(false)?;
        }
        // The kernel grants what its limit allows; less only means more waiting.
        let _ = s.set_send_buffer_size(SEND_BUFFER);
        s.set_nonblocking(true)?;
        s.bind(&SocketAddr::new(ip, port).into())?;
        UdpSocket::from_std(s.into())
    };
    let rtp = bind(port)?;
    let first = rtp.local_addr()?.port();
    if port == 0 && (first % 2 == 1 || first == u16::MAX) {
        return Err(ErrorKind::AddrInUse.into());
    }
    let next = first.checked_add(1).ok_or(ErrorKind::InvalidInput)?;
    Ok((rtp, bind(next)?))
}

/// A receiver's ports, taken. See [`UdpSockets::claim`].
#[derive(Debug)]
pub(super) struct Claim {
    sockets: Arc<UdpSockets>,
    pub(super) rtp: SocketAddr,
    pub(super) rtcp: SocketAddr,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut peers = self.sockets.peers.lock();
        peers.remove(&self.rtp);
        peers.remove(&self.rtcp);
    }
}

/// Bytes that a receiver may still get in this interval.
struct Budget {
    left: usize,
    since: Instant,
}

impl Budget {
    fn new() -> Self {
        Self { left: PACE_BYTES, since: Instant::now() }
    }

    async fn spend(&mut self, bytes: usize) {
        let now = Instant::now();
        if now.saturating_duration_since(self.since) >= PACE {
            (self.left, self.since) = (PACE_BYTES, now);
        }
        if bytes > self.left && self.left < PACE_BYTES {
            tokio::time::sleep_until((self.since + PACE).into()).await;
            (self.left, self.since) = (PACE_BYTES, Instant::now());
        }
        self.left = self.left.saturating_sub(bytes);
    }
}

#[derive(Debug)]
struct State {
    live: bool,
    next: u64,
    need_key: bool,
}

/// One reader over UDP.
#[derive(Debug)]
pub(super) struct UdpReader {
    /// Track, where its RTP and where its RTCP goes.
    to: Vec<(u8, SockAddr, SockAddr)>,
    state: Mutex<State>,
    closed: AtomicBool,
}

impl UdpReader {
    pub(super) fn new(to: Vec<(u8, SocketAddr, SocketAddr)>, at: u64, need_key: bool) -> Self {
        let to = to.into_iter().map(|(t, a, b)| (t, a.into(), b.into())).collect();
        Self { to, state: Mutex::new(State { live: false, next: at, need_key }), closed: AtomicBool::new(false) }
    }

    /// No packet is begun for it any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn address(&self, track: u8, is_rtcp: bool) -> Option<&SockAddr> {
        self.to.iter().find(|t| t.0 == track).map(|t| if is_rtcp { &t.2 } else { &t.1 })
    }

    /// Takes the next packets, when they are this reader's turn.
    fn take(s: &mut State, p: &Prepared) -> bool {
        s.next = p.seq + 1;
        if s.need_key && !p.key {
            return p.rtcp;
        }
        s.need_key &= p.rtcp;
        true
    }

    /// Sends everything from the reader's place to the head of the ring, paced, after `first`; then the shard goes on.
    pub(super) async fn catch_up(&self, feed: &Feed, sockets: &UdpSockets, first: Vec<(u8, u8, Packets)>) {
        let mut budget = Budget::new();
        let mut scratch = Scratch::default();
        let metrics = feed.metrics();
        for (track, _, packets) in &first {
            if let Some(a) = self.address(*track, true) {
                let to = std::slice::from_ref(a);
                sockets.send(packets, true, to, &mut budget, &mut scratch, metrics).await;
            }
        }
        while !self.closed.load(Ordering::Acquire) {
            let p = {
                let mut s = self.state.lock();
                let mut ring = feed.ring.lock();
                match ring.get(s.next, Instant::now()) {
                    Next::Ready(p) => Self::take(&mut s, &p).then_some(p),
                    Next::Lost { at, units } => {
                        s.need_key = feed.has_video();
                        s.next = at;
                        RtspMetrics::add(&metrics.skipped, units);
                        None
                    }
                    // Under the ring's lock: whatever is pushed from now on, the shard delivers.
                    Next::AtHead => {
                        s.live = true;
                        return;
                    }
                }
            };
            if let Some(p) = p
                && let Some(a) = self.address(p.track, p.rtcp)
            {
                let to = std::slice::from_ref(a);
                sockets.send(&p.packets, p.rtcp, to, &mut budget, &mut scratch, metrics).await;
            }
        }
    }
}

/// A feed's readers over UDP.
#[derive(Debug)]
pub(super) struct UdpShard {
    sockets: Option<Arc<UdpSockets>>,
    readers: Mutex<Vec<Arc<UdpReader>>>,
    count: AtomicUsize,
    wake: Notify,
}

impl UdpShard {
    pub(super) fn new(sockets: Option<Arc<UdpSockets>>) -> Self {
        Self { sockets, readers: Mutex::default(), count: AtomicUsize::new(0), wake: Notify::new() }
    }

    pub(super) fn wake(&self) {
        if self.count.load(Ordering::Relaxed) > 0 {
            self.wake.notify_one();
        }
    }

    pub(super) fn add(&self, reader: Arc<UdpReader>) {
        self.readers.lock().push(reader);
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Feed {
    /// Sends to every live UDP reader; one task per feed.
    pub(super) async fn serve_udp(self: Arc<Self>) {
        let Some(sockets) = self.udp.sockets.clone() else { return };
        let mut next = 0;
        let mut batch = Vec::new();
        let mut to: Vec<SockAddr> = Vec::new();
        let mut scratch = Scratch::default();
        let mut budget = Budget::new();
        loop {
            self.udp.wake.notified().await;
            loop {
                batch.clear();
                next = self.ring.lock().ready_from(next, 32, &mut batch);
                if batch.is_empty() {
                    break;
                }
                for p in &batch {
                    to.clear();
                    {
                        let mut readers = self.udp.readers.lock();
                        readers.retain(|r| !r.closed.load(Ordering::Acquire));
                        self.udp.count.store(readers.len(), Ordering::Relaxed);
                        for r in readers.iter() {
                            let mut s = r.state.lock();
                            if s.live && p.seq >= s.next && UdpReader::take(&mut s, p) {
                                to.extend(r.address(p.track, p.rtcp).cloned());
                            }
                        }
                    }
                    if !to.is_empty() {
                        sockets.send(&p.packets, p.rtcp, &to, &mut budget, &mut scratch, self.metrics()).await;
                    }
                }
            }
        }
    }

    /// Says good-bye to a UDP reader.
    pub(super) fn say_bye(&self, reader: &UdpReader) {
        let Some(sockets) = &self.udp.sockets else { return };
        for (track, packets) in self.byes() {
            if let Some(a) = reader.address(track, true)
                && let Some(packet) = packets.iter().next()
                && let Some(to) = a.as_socket()
                && let Err(e) = sockets.rtcp.try_send_to(packet, to)
            {
                warn!("no good-bye to {to}: {e}");
            }
        }
    }
}
