//! Cameras in a process of their own, on the second core: an RTSP server with as many streams as asked for.
//!
//! Says `ready ADDRESS ACCEPTING BEGUN` (nanoseconds of the machine's monotonic clock: when it began to accept connections,
//! and when its cameras began); ends when its input does, or is killed.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{Colour, VideoEncoder as _, h264};

use crate::rtsp_fanout::{Bench, Child, Feed};
use crate::{camera, sys};

/// `farm PORT CAMERAS synthetic|picture GOP`
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let [port, cameras, what, gop] = args else { bail!("farm PORT CAMERAS synthetic|picture GOP") };
    let _ = sys::pin(1);
    let gop = gop.parse()?;
    let feed = match *what {
        "picture" => pictures(gop)?,
        _ => Feed::synthetic(gop)?,
    };
    // The old process's connections linger on the port when a farm is started again.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], port.parse()?)).into())?;
    socket.listen(1024)?;
    let accepting = sys::monotonic_ns();
    let bench = Bench::start_on(TcpListener::from(socket), cameras.parse()?, &feed)?;
    println!("ready {} {accepting} {}", bench.address, bench.begun_ns);
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    bench.stop();
    Ok(())
}

/// One group of real 1080p pictures, coded beforehand so that the camera costs next to nothing, over and over.
fn pictures(gop: u64) -> Result<Feed> {
    let colour = Colour::HD;
    let card = CardOptions { width: 1920, height: 1080, name: "Bench".into(), note: String::new(), colour };
    let mut card = Card::new(&card);
    let options = h264::EncoderOptions { fps: 25.0, bitrate_bps: 4_000_000, key_interval: u32::try_from(gop)?, colour };
    let mut encoder = h264::Encoder::new(options)?;
    let mut frames: Vec<(bool, Bytes)> = Vec::new();
    for frame in 0..gop {
        let picture = card.paint(Moment { frame, unix_ms: frame as i64 * 40, zone_s: 0 });
        let made = encoder.encode(picture.view(), Duration::from_millis(frame * 40), frame == 0)?;
        frames.push((made.key, made.data));
    }
    let codec = encoder.codec().context("the encoder does not say what it makes")?;
    Ok(Feed { codec, frame: Arc::new(move |i| frames[(i % gop) as usize].clone()) })
}

/// A running farm.
pub(crate) struct Farm {
    child: Child,
    pub(crate) address: SocketAddr,
    /// When it began to accept connections.
    pub(crate) accepting_ns: u64,
    /// When its cameras began; see [`Bench::begun_ns`].
    pub(crate) begun_ns: u64,
}

impl Farm {
    /// Cameras with frames of the right sizes; port 0 takes a free one.
    pub(crate) fn synthetic(port: u16, cameras: usize) -> Result<Self> {
        Self::start(port, cameras, "synthetic", 2 * camera::FPS)
    }

    /// One camera with a real picture, a key frame each second.
    pub(crate) fn picture() -> Result<Self> {
        Self::start(0, 1, "picture", camera::FPS)
    }

    fn start(port: u16, cameras: usize, what: &str, gop: u64) -> Result<Self> {
        let mut child = Child::spawn(&["farm", &port.to_string(), &cameras.to_string(), what, &gop.to_string()])?;
        let line = child.line("ready ")?;
        let words: Vec<&str> = line.split(' ').collect();
        let [address, accepting, begun] = words[..] else { bail!("odd farm: {line}") };
        Ok(Self { address: address.parse()?, accepting_ns: accepting.parse()?, begun_ns: begun.parse()?, child })
    }

    pub(crate) fn kill(self) -> Result<()> {
        self.child.kill()
    }
}
