//! The players, in a process of their own: as many as asked for, most of which throw away what comes without copying
//! it; some take it apart and measure how old a frame is when its last byte is there.
//!
//! Says `ready` when all play; `mark` on its input begins the measurement, `stop` ends it.

use std::io::{BufRead as _, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use socket2::SockRef;

use crate::camera::{self, MAGIC};
use crate::sys::{self, Epoll};

/// Players that look at what they get.
const SAMPLED: usize = 25;

struct Flags {
    measuring: AtomicBool,
    stop: AtomicBool,
}

/// `drain tcp|udp|bare|bare-udp|join ADDRESS READERS [FIRST_CAMERA_STEP]`
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let [kind, address, readers, cameras] = args else { bail!("drain KIND ADDRESS READERS CAMERAS") };
    let _ = sys::pin(1);
    let address: SocketAddr = address.parse()?;
    let (readers, cameras): (usize, usize) = (readers.parse()?, cameras.parse()?);
    if *kind == "join" {
        return join(address, readers);
    }
    let flags = Arc::new(Flags { measuring: AtomicBool::new(false), stop: AtomicBool::new(false) });
    let every = every(readers);
    let (mut bulk, mut sampled, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let mut udp = Vec::new();
    for i in 0..readers {
        let path = format!("cam/{}/main", i % cameras + 1);
        match *kind {
            "tcp" | "bare" => {
                let mut s = TcpStream::connect(address)?;
                if *kind == "tcp" {
                    play(&mut s, address, &path, "RTP/AVP/TCP;unicast;interleaved=0-1")?;
                }
                s.set_nonblocking(true)?;
                if i % every == 0 { sampled.push(Player::new(s)) } else { bulk.push(s) }
            }
            _ => {
                let (rtp, rtcp) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
                SockRef::from(&rtp).set_recv_buffer_size(1 << 20)?;
                let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
                if *kind == "udp" {
                    let mut s = TcpStream::connect(address)?;
                    play(&mut s, address, &path, &format!("RTP/AVP;unicast;client_port={}-{}", ports.0, ports.1))?;
                    held.push(s);
                } else {
                    println!("port {}", ports.0);
                }
                rtp.set_nonblocking(true)?;
                udp.push((rtp, rtcp));
            }
        }
    }
    println!("ready");
    let commands = {
        let flags = Arc::clone(&flags);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                match line.as_str() {
                    "mark" => flags.measuring.store(true, Ordering::Relaxed),
                    _ => break,
                }
            }
            flags.stop.store(true, Ordering::Relaxed);
        })
    };
    let discard = {
        let flags = Arc::clone(&flags);
        std::thread::spawn(move || discard(&bulk, &udp, &flags))
    };
    let mut ages = watch(&mut sampled, &flags)?;
    let bytes = discard.join().map_err(|_| anyhow::anyhow!("the discarding thread failed"))??;
    let _ = commands.join();
    drop(held);
    ages.sort_unstable();
    println!("result {bytes} {} {} {} {}", ages.len(), rank(&ages, 0.5), rank(&ages, 0.99), rank(&ages, 1.0));
    Ok(())
}

/// One in so many players takes its stream apart.
fn every(readers: usize) -> usize {
    readers.div_ceil(SAMPLED).max(1)
}

/// How many of so many players take their stream apart.
pub(crate) fn sampled(readers: usize) -> usize {
    readers.div_ceil(every(readers))
}

/// The value below which that share of the sorted values lies.
pub(crate) fn rank(sorted: &[u64], share: f64) -> u64 {
    let i = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(i).copied().unwrap_or(0)
}

fn ask(s: &mut TcpStream, text: &str) -> Result<String> {
    s.write_all(text.as_bytes())?;
    let mut head = Vec::new();
    let mut b = [0];
    while !head.ends_with(b"\r\n\r\n") {
        s.read_exact(&mut b).context("the server closed")?;
        head.push(b[0]);
    }
    let head = String::from_utf8(head)?;
    if !head.starts_with("RTSP/1.0 200") {
        bail!("{head}");
    }
    Ok(head)
}

pub(crate) fn play(s: &mut TcpStream, address: SocketAddr, path: &str, transport: &str) -> Result<()> {
    s.set_nodelay(true)?;
    let url = format!("rtsp://{address}/{path}");
    let head = ask(s, &format!("SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: {transport}\r\n\r\n"))?;
    let session = head.lines().find_map(|l| l.strip_prefix("Session: ")).context("no session")?;
    let session = session.split(';').next().unwrap_or_default().to_owned();
    ask(s, &format!("PLAY {url} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n"))?;
    Ok(())
}

fn discard(tcp: &[TcpStream], udp: &[(UdpSocket, UdpSocket)], flags: &Flags) -> Result<u64> {
    let epoll = Epoll::new()?;
    for (i, s) in tcp.iter().enumerate() {
        epoll.add(s.as_fd(), i as u64)?;
    }
    for (i, (s, _)) in udp.iter().enumerate() {
        epoll.add(s.as_fd(), (tcp.len() + i) as u64)?;
    }
    let mut buf = vec![MaybeUninit::<u8>::uninit(); 1 << 20];
    let (mut ready, mut bytes) = (Vec::new(), 0);
    while !flags.stop.load(Ordering::Relaxed) {
        epoll.wait(&mut ready);
        for &t in &ready {
            let t = t as usize;
            let counted = u64::from(flags.measuring.load(Ordering::Relaxed));
            if let Some(s) = tcp.get(t) {
                // The kernel throws the bytes away itself.
                if let Ok(n) = SockRef::from(s).recv_with_flags(&mut buf, libc::MSG_TRUNC) {
                    bytes += n as u64 * counted;
                }
            } else if let Some((s, _)) = udp.get(t - tcp.len()) {
                while let Ok(n) = SockRef::from(s).recv_with_flags(&mut buf[..1], libc::MSG_TRUNC) {
                    bytes += n as u64 * counted;
                }
            }
        }
    }
    Ok(bytes)
}

/// A player that takes the stream apart.
pub(crate) struct Player {
    socket: TcpStream,
    buf: Vec<u8>,
    born: Option<u64>,
}

impl Player {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, buf: Vec::new(), born: None }
    }

    /// Reads what is there; calls `done` with the birth of every frame that became complete. False at the end.
    pub(crate) fn read(&mut self, mut done: impl FnMut(u64)) -> bool {
        let mut chunk = [0u8; 65_536];
        match self.socket.read(&mut chunk) {
            Ok(0) => return false,
            Ok(n) => self.buf.extend_from_slice(&chunk[..n]),
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        }
        let mut at = 0;
        while let Some([b'$', channel, h, l]) = self.buf.get(at..at + 4).and_then(|h| <[u8; 4]>::try_from(h).ok()) {
            let len = usize::from(u16::from_be_bytes([h, l]));
            let Some(packet) = self.buf.get(at + 4..at + 4 + len) else { break };
            at += 4 + len;
            if channel != 0 {
                continue;
            }
            if let Some(rest) = packet.get(14..).and_then(|p| p.strip_prefix(&MAGIC))
                && let Some(t) = rest.first_chunk()
            {
                self.born = Some(camera::born(*t));
            }
            if packet[1] & 0x80 != 0
                && let Some(born) = self.born.take()
            {
                done(born);
            }
        }
        self.buf.drain(..at);
        true
    }
}

fn watch(players: &mut [Player], flags: &Flags) -> Result<Vec<u64>> {
    let epoll = Epoll::new()?;
    for (i, p) in players.iter().enumerate() {
        epoll.add(p.socket.as_fd(), i as u64)?;
    }
    let (mut ready, mut ages) = (Vec::new(), Vec::new());
    while !flags.stop.load(Ordering::Relaxed) {
        epoll.wait(&mut ready);
        for &t in &ready {
            let Some(p) = players.get_mut(t as usize) else { continue };
            let open = p.read(|born| {
                if flags.measuring.load(Ordering::Relaxed) {
                    ages.push(sys::monotonic_ns().saturating_sub(born));
                }
            });
            if !open {
                bail!("a player was disconnected");
            }
        }
    }
    Ok(ages)
}

/// One player after the other: from connecting to the last byte of the first key frame.
fn join(address: SocketAddr, times: usize) -> Result<()> {
    let mut took = Vec::with_capacity(times);
    for i in 0..times {
        // Anywhere in the group of pictures.
        std::thread::park_timeout(Duration::from_millis((i as u64 * 37) % 91));
        let start = sys::monotonic_ns();
        let mut s = TcpStream::connect(address)?;
        let url = format!("rtsp://{address}/cam/1/main");
        let head = ask(&mut s, &format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 0\r\n\r\n"))?;
        let len = head.lines().find_map(|l| l.strip_prefix("Content-Length: ")).context("no description")?;
        s.read_exact(&mut vec![0; len.parse()?])?;
        play(&mut s, address, "cam/1/main", "RTP/AVP/TCP;unicast;interleaved=0-1")?;
        let mut p = Player::new(s);
        let mut first = None;
        while first.is_none() {
            if !p.read(|_| first = first.or(Some(sys::monotonic_ns()))) {
                bail!("disconnected while joining");
            }
        }
        took.push(first.unwrap_or(0).saturating_sub(start));
    }
    took.sort_unstable();
    println!("ready");
    println!("result 0 {} {} {} {}", took.len(), rank(&took, 0.5), rank(&took, 0.99), rank(&took, 1.0));
    Ok(())
}
