//! The least that can be done: the same packets on the same schedule, prepared once, by a loop that knows nothing.

use std::io::{ErrorKind, IoSlice, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;
use socket2::{MsgHdr, SockAddr, SockRef};

use crate::camera;
use crate::rtsp_fanout::{Child, packets_of};
use crate::sys;

/// What a loop cost.
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) packets: u64,
}

/// One `writev` per frame and reader, an element per packet.
pub(crate) fn tcp(readers: usize, seconds: u64) -> Result<Cost> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut child = Child::start("bare", listener.local_addr()?, readers, 1)?;
    let mut sockets: Vec<TcpStream> = Vec::new();
    for _ in 0..readers {
        let (s, _) = listener.accept()?;
        s.set_nodelay(true)?;
        s.set_nonblocking(true)?;
        sockets.push(s);
    }
    child.ready()?;
    paced(seconds, child, |packets| {
        let slices: Vec<IoSlice<'_>> = packets.iter().map(|p| IoSlice::new(p)).collect();
        let whole: usize = packets.iter().map(Vec::len).sum();
        let mut taken = 0;
        for s in &mut sockets {
            match s.write_vectored(&slices) {
                Ok(n) => taken += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e.into()),
            }
        }
        // Only what the kernel took counts: the loop does not care about the rest, which a server would have to.
        Ok((taken * packets.len()).div_ceil(whole) as u64)
    })
}

/// One segmentation-offload send per 46 packets and reader.
pub(crate) fn udp(readers: usize, seconds: u64) -> Result<Cost> {
    let from = UdpSocket::bind("127.0.0.1:0")?;
    SockRef::from(&from).set_send_buffer_size(4 << 20)?;
    let mut child = Child::start("bare-udp", from.local_addr()?, readers, 1)?;
    let mut to: Vec<SockAddr> = Vec::new();
    for _ in 0..readers {
        let port: u16 = child.line("port ")?.parse()?;
        to.push(SocketAddr::from(([127, 0, 0, 1], port)).into());
    }
    child.ready()?;
    // A cmsghdr (16 bytes), the segment size, padding.
    let mut control = [0u8; 24];
    control[..8].copy_from_slice(&18usize.to_ne_bytes());
    control[8..12].copy_from_slice(&libc::SOL_UDP.to_ne_bytes());
    control[12..16].copy_from_slice(&libc::UDP_SEGMENT.to_ne_bytes());
    paced(seconds, child, |packets| {
        let mut sent = 0;
        for group in packets.chunk_by(|a, b| a.len() == b.len()).flat_map(|g| g.chunks(46)) {
            let slices: Vec<IoSlice<'_>> = group.iter().map(|p| IoSlice::new(&p[4..])).collect();
            let size = (group[0].len() - 4) as u16;
            control[16..18].copy_from_slice(&size.to_ne_bytes());
            for a in &to {
                let m = MsgHdr::new().with_addr(a).with_buffers(&slices);
                let m = if group.len() > 1 { m.with_control(&control) } else { m };
                if SockRef::from(&from).sendmsg(&m, 0).is_ok() {
                    sent += group.len() as u64;
                }
            }
        }
        Ok(sent)
    })
}

/// Calls `send` with each frame's packets at 25 frames a second, and counts what it cost once it has settled.
fn paced(seconds: u64, mut child: Child, mut send: impl FnMut(&[Vec<u8>]) -> Result<u64>) -> Result<Cost> {
    let start = Instant::now();
    let settle = camera::FPS;
    let (mut begun, mut packets) = (Duration::ZERO, 0);
    for i in 0..settle + seconds * camera::FPS {
        let due = start + Duration::from_millis(i * 40);
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
        if i == settle {
            begun = sys::cpu(true);
            packets = 0;
            child.say("mark")?;
        }
        let frame = packets_of(i, 2 * camera::FPS)?;
        packets += send(&frame)?;
    }
    let cpu = sys::cpu(true) - begun;
    child.say("stop")?;
    child.finish()?;
    Ok(Cost { cpu, packets })
}
