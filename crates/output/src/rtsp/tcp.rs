//! One RTSP connection's way out: answers and interleaved media, in one order.
//!
//! **A packet, once begun, is finished before anything else is written.** A reader is *live* as long as the kernel
//! takes everything; then its shard writes to it and its task sleeps. When the kernel does not, the reader is *behind*:
//! the remainder stays here, the shard passes it over, and its own task writes on until it is back at the head.
//! A reader whose place has left the ring goes on at the next key frame, and that is counted.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use vigie_media::rtp::Packets;

use super::feed::Feed;
use super::metrics::RtspMetrics;
use super::ring::{Next, Prepared};

/// Most tracks of a stream (the hub's bound).
const MAX_TRACKS: usize = 8;
/// Answers that a client does not take beyond this end the connection.
const MAX_WAITING: usize = 256 << 10;
/// A reader this close to the head is as good as live.
const NEAR_UNITS: u64 = 12;
/// Bytes written in one go before others get a turn.
const TURN_BYTES: usize = 128 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// No media.
    Stopped,
    /// The connection's task writes.
    Behind,
    /// The shard writes.
    Live,
    /// The connection is broken.
    Broken,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Number of the PLAY that the reader is in; a shard's entry of an earlier one is dropped.
    play: u64,
    /// Place in the ring of the next packets.
    next: u64,
    need_key: bool,
    /// Begun and not finished, then whatever waits behind it.
    pending: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// When the kernel last took something.
    progress: Instant,
    /// RTP and RTCP channel by track.
    channels: [Option<(u8, u8)>; MAX_TRACKS],
}

/// See the module.
#[derive(Debug)]
pub(super) struct TcpReader {
    socket: TcpStream,
    state: Mutex<State>,
    /// Told when the task has something to do.
    pub(super) wake: Notify,
    metrics: Arc<RtspMetrics>,
}

/// How far [`TcpReader::catch_up`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// Everything is written; the shard goes on, or there is nothing more to do.
    Up,
    /// The kernel takes no more now.
    Blocked,
    /// There is more: let others have a turn.
    More {
        /// Bytes written.
        bytes: usize,
        /// The head is more than a moment away.
        far: bool,
    },
    /// The connection is gone.
    Broken,
}

impl TcpReader {
    pub(super) fn new(socket: TcpStream, metrics: Arc<RtspMetrics>) -> Self {
        let state = State {
            mode: Mode::Stopped,
            play: 0,
            next: 0,
            need_key: false,
            pending: VecDeque::new(),
            waiting_bytes: 0,
            progress: Instant::now(),
            channels: [None; MAX_TRACKS],
        };
        Self { socket, state: Mutex::new(state), wake: Notify::new(), metrics }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether something waits to be written, or media has to be caught up with, by the task.
    pub(super) fn is_behind(&self) -> bool {
        let s = self.state.lock();
        s.mode == Mode::Behind || s.mode == Mode::Broken || !s.pending.is_empty()
    }

    /// Whether the connection is to end.
    pub(super) fn is_broken(&self) -> bool {
        self.state.lock().mode == Mode::Broken
    }

    /// When the kernel last took something, while something waits.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        let s = self.state.lock();
        (!s.pending.is_empty()).then_some(s.progress)
    }

    /// Writes an answer, after what is already waiting. False when the client takes nothing and too much waits.
    pub(super) fn answer(&self, bytes: Vec<u8>) -> bool {
        let mut s = self.state.lock();
        s.enqueue(Bytes::from(bytes));
        match s.flush(&self.socket) {
            Ok(true) => {}
            Ok(false) => {
                if s.mode == Mode::Live {
                    s.mode = Mode::Behind;
                }
            }
            Err(_) => s.mode = Mode::Broken,
        }
        s.mode != Mode::Broken && s.waiting_bytes <= MAX_WAITING
    }

    /// Starts the media at a place of the ring, behind; `first` goes out before it. Returns the number of this play.
    pub(super) fn play(
        &self,
        at: u64,
        need_key: bool,
        channels: impl Iterator<Item = (u8, (u8, u8))>,
        first: Vec<Bytes>,
    ) -> u64 {
        let mut s = self.state.lock();
        s.channels = [None; MAX_TRACKS];
        for (track, pair) in channels {
            if let Some(c) = s.channels.get_mut(usize::from(track)) {
                *c = Some(pair);
            }
        }
        for b in first {
            s.enqueue(b);
        }
        s.next = at;
        s.need_key = need_key;
        s.play += 1;
        s.progress = Instant::now();
        if s.mode != Mode::Broken {
            s.mode = Mode::Behind;
        }
        s.play
    }

    /// Stops the media. What was begun is still finished.
    pub(super) fn stop(&self) {
        let mut s = self.state.lock();
        s.play += 1;
        if s.mode != Mode::Broken {
            s.mode = Mode::Stopped;
        }
    }

    /// Ends the connection from outside; its task notices at once.
    pub(super) fn end(&self) {
        self.state.lock().mode = Mode::Broken;
        self.wake.notify_one();
    }

    /// Called by the shard: writes what is ready, when the reader is live. `None` when the reader has left; otherwise
    /// packets and bytes taken by the kernel.
    pub(super) fn deliver(&self, play: u64, batch: &[Arc<Prepared>]) -> Option<(u64, u64)> {
        let mut s = self.state.lock();
        let s = &mut *s;
        if s.play != play || s.mode == Mode::Broken {
            return None;
        }
        let mut sent = (0, 0);
        if s.mode != Mode::Live {
            return Some(sent);
        }
        for p in batch {
            if p.seq < s.next {
                continue;
            }
            s.next = p.seq + 1;
            let Some(data) = s.wanted(p) else { continue };
            match self.socket.try_write(&data) {
                Ok(n) if n == data.len() => {
                    sent.0 += u64::from(p.packets.count);
                    sent.1 += n as u64;
                }
                Ok(n) => {
                    sent.0 += u64::from(p.packets.count);
                    sent.1 += n as u64;
                    s.fall_behind(data.slice(n..));
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    sent.0 += u64::from(p.packets.count);
                    s.fall_behind(data);
                }
                Err(_) => s.mode = Mode::Broken,
            }
            if s.mode != Mode::Live {
                self.wake.notify_one();
                break;
            }
        }
        Some(sent)
    }

    /// Called by the task: writes what waits and then, when playing, what the ring has, until the kernel takes no
    /// more or the reader is at the head.
    pub(super) fn catch_up(&self, feed: Option<&Feed>) -> Caught {
        let mut s = self.state.lock();
        let mut written = 0;
        loop {
            if s.mode == Mode::Broken {
                return Caught::Broken;
            }
            match s.flush(&self.socket) {
                Ok(true) => {}
                Ok(false) => return Caught::Blocked,
                Err(_) => s.mode = Mode::Broken,
            }
            match (s.mode, feed) {
                (Mode::Broken, _) => return Caught::Broken,
                (Mode::Behind, Some(feed)) => {
                    let mut ring = feed.ring.lock();
                    if written >= TURN_BYTES {
                        let far = ring.head().saturating_sub(s.next) > NEAR_UNITS;
                        return Caught::More { bytes: written, far };
                    }
                    match ring.get(s.next, Instant::now()) {
                        Next::Ready(p) => {
                            drop(ring);
                            s.next += 1;
                            if let Some(data) = s.wanted(&p) {
                                written += data.len();
                                RtspMetrics::add(&self.metrics.packets, u64::from(p.packets.count));
                                RtspMetrics::add(&self.metrics.bytes, data.len() as u64);
                                s.enqueue(data);
                            }
                        }
                        Next::Lost { at, units } => {
                            s.need_key = feed.has_video();
                            s.next = at;
                            RtspMetrics::add(&self.metrics.skipped, units);
                        }
                        // Under the ring's lock: whatever is pushed from now on, the shard delivers.
                        Next::AtHead => {
                            s.mode = Mode::Live;
                            return Caught::Up;
                        }
                    }
                }
                _ => return Caught::Up,
            }
        }
    }

    /// Waits for the next key frame instead of catching up: the way out when everybody catches up at once. The picture
    /// stands still until then, and everybody is live again after one group of pictures.
    pub(super) fn give_up(&self, feed: &Feed) {
        let mut s = self.state.lock();
        if s.mode == Mode::Behind && feed.has_video() {
            let head = feed.ring.lock().head();
            RtspMetrics::add(&self.metrics.skipped, head.saturating_sub(s.next));
            s.next = head;
            s.need_key = true;
        }
    }

    /// Queues a packet for a track's RTCP channel.
    pub(super) fn rtcp(&self, track: u8, packets: &Packets) {
        let mut s = self.state.lock();
        if let Some(Some((_, channel))) = s.channels.get(usize::from(track)).copied() {
            s.enqueue(packets.for_channel(channel));
        }
    }
}

impl State {
    fn enqueue(&mut self, b: Bytes) {
        if self.pending.is_empty() {
            self.progress = Instant::now();
        }
        self.waiting_bytes += b.len();
        self.pending.push_back(b);
    }

    fn fall_behind(&mut self, rest: Bytes) {
        self.enqueue(rest);
        self.mode = Mode::Behind;
    }

    /// The bytes of these packets for this reader, when it takes their track and can decode them.
    fn wanted(&mut self, p: &Prepared) -> Option<Bytes> {
        let (rtp, rtcp) = self.channels.get(usize::from(p.track)).copied().flatten()?;
        if p.rtcp {
            return Some(p.bytes(rtcp));
        }
        if self.need_key && !p.key {
            return None;
        }
        self.need_key = false;
        (p.packets.count > 0).then(|| p.bytes(rtp))
    }

    /// Writes what waits; true when nothing is left.
    fn flush(&mut self, socket: &TcpStream) -> io::Result<bool> {
        while let Some(first) = self.pending.front_mut() {
            match socket.try_write(first) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.waiting_bytes -= n;
                    self.progress = Instant::now();
                    if n == first.len() {
                        self.pending.pop_front();
                    } else {
                        bytes::Buf::advance(first, n);
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        // A reader that was behind once does not keep the queue's memory.
        self.pending = VecDeque::new();
        Ok(true)
    }
}
