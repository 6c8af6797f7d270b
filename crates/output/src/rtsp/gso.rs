//! Sending prepared packets as datagrams: segmentation offload where the kernel has it, `sendmmsg` where not.
//!
//! **The only place in this crate with `unsafe`.** One gather list per run of packets points into the prepared buffer,
//! skipping the interleaving headers, and is shared by the messages to all receivers: one system call carries a
//! run to many of them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::SockAddr;
use vigie_media::rtp::{INTERLEAVE_HEADER, Run};

/// Most segments that the kernel takes in one message (6.1 has 64).
pub(super) const MAX_SEGMENTS: usize = 64;
/// Most bytes of one message: the largest UDP payload over IPv4.
pub(super) const MAX_MESSAGE_BYTES: usize = 65_507;
/// Most messages of one system call that we prepare.
const MAX_MESSAGES: usize = 512;

/// Memory for the kernel's structures, kept between calls.
#[derive(Default)]
pub(super) struct Scratch {
    iovecs: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the pointers inside are written anew by every call before they are used, and are never followed after it.
unsafe impl Send for Scratch {}

/// One control message: `UDP_SEGMENT` with the size of a segment.
#[repr(C, align(8))]
struct SegmentControl([u8; 32]);

impl SegmentControl {
    fn new(segment: u16) -> (Self, usize) {
        let mut c = Self([0; 32]);
        // SAFETY: CMSG_LEN and CMSG_SPACE only compute. The buffer is 32 bytes and aligned to 8, which holds a
        // cmsghdr (16 bytes) and a u16 after it; the data pointer is computed within that buffer.
        unsafe {
            let header = c.0.as_mut_ptr().cast::<libc::cmsghdr>();
            (*header).cmsg_level = libc::SOL_UDP;
            (*header).cmsg_type = libc::UDP_SEGMENT;
            (*header).cmsg_len = libc::CMSG_LEN(2) as _;
            libc::CMSG_DATA(header).cast::<u16>().write_unaligned(segment);
            (c, libc::CMSG_SPACE(2) as usize)
        }
    }
}

/// Pieces of a run that fit one message each.
pub(super) fn split(run: &Run) -> impl Iterator<Item = Run> + use<> {
    let run = *run;
    let per_message = (MAX_MESSAGE_BYTES / usize::from(run.size.max(1))).clamp(1, MAX_SEGMENTS);
    let per_message = u16::try_from(per_message).unwrap_or(1);
    let stride = u32::from(run.size) + INTERLEAVE_HEADER as u32;
    (0..run.count).step_by(usize::from(per_message)).map(move |first| {
        let count = per_message.min(run.count - first);
        let is_end = first + count == run.count;
        Run {
            offset: run.offset + u32::from(first) * stride,
            size: run.size,
            count,
            last: if is_end { run.last } else { run.size },
        }
    })
}

/// Sends one piece (see [`split`]) of `data` to each of `to`, in as few system calls as possible.
///
/// Returns how many receivers were served; fewer than all only when the socket is full. Receivers that cannot be
/// reached at all are passed over. An error means that segmentation is not possible here (when `offload`), or that
/// the socket is broken.
pub(super) fn send(
    socket: BorrowedFd<'_>,
    data: &[u8],
    piece: &Run,
    to: &[SockAddr],
    offload: bool,
    scratch: &mut Scratch,
) -> io::Result<usize> {
    let Scratch { iovecs, headers } = scratch;
    iovecs.clear();
    let mut at = piece.offset as usize;
    for i in 0..piece.count {
        let len = usize::from(if i + 1 == piece.count { piece.last } else { piece.size });
        let start = at + INTERLEAVE_HEADER;
        // A slice of the buffer, so that no wrong run can point outside it.
        let Some(packet) = data.get(start..start + len) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a run outside its buffer"));
        };
        iovecs.push(libc::iovec { iov_base: packet.as_ptr().cast_mut().cast(), iov_len: packet.len() });
        at = start + len;
    }
    if offload || piece.count == 1 {
        let (mut control, control_len) = SegmentControl::new(piece.size);
        let control = (piece.count > 1).then_some((control.0.as_mut_ptr(), control_len));
        let mut done = 0;
        while done < to.len() {
            headers.clear();
            let all = (iovecs.as_mut_ptr(), iovecs.len());
            headers.extend(to[done..].iter().take(MAX_MESSAGES).map(|a| message(a, all, control)));
            match sendmmsg(socket, headers) {
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if is_about_one_receiver(&e) => done += 1,
                Err(e) => return Err(e),
            }
        }
        return Ok(done);
    }
    for (served, address) in to.iter().enumerate() {
        headers.clear();
        headers.extend(iovecs.iter_mut().map(|v| message(address, (std::ptr::from_mut(v), 1), None)));
        let mut from = 0;
        while from < headers.len() {
            match sendmmsg(socket, &mut headers[from..]) {
                Ok(n) => from += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && from == 0 => return Ok(served),
                // Half a run is sent: its rest is lost, as a full queue further on would have lost it.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock || is_about_one_receiver(&e) => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
    Ok(to.len())
}

/// Whether an error says that this way of sending does not work here (no checksum offload, a tunnel, a sandbox).
pub(super) fn is_unsupported(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOPROTOOPT | libc::EMSGSIZE))
}

fn is_about_one_receiver(e: &io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(libc::ECONNREFUSED | libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EPERM | libc::EACCES | libc::ENOBUFS)
    )
}

fn message(
    address: &SockAddr,
    (iov, iovlen): (*mut libc::iovec, usize),
    control: Option<(*mut u8, usize)>,
) -> libc::mmsghdr {
    // SAFETY: all fields of mmsghdr are integers and pointers, for which zero is a value.
    let mut m: libc::mmsghdr = unsafe { std::mem::zeroed() };
    m.msg_hdr.msg_name = address.as_ptr().cast_mut().cast();
    m.msg_hdr.msg_namelen = address.len();
    m.msg_hdr.msg_iov = iov;
    m.msg_hdr.msg_iovlen = iovlen as _;
    if let Some((c, len)) = control {
        m.msg_hdr.msg_control = c.cast();
        m.msg_hdr.msg_controllen = len as _;
    }
    m
}

fn sendmmsg(socket: BorrowedFd<'_>, headers: &mut [libc::mmsghdr]) -> io::Result<usize> {
    let len = u32::try_from(headers.len()).unwrap_or(u32::MAX);
    // SAFETY: `headers` is a live slice of `len` messages. Their names, gather lists and control buffers belong to
    // the caller's `to`, `data` and locals, which live until this function returned; the kernel only reads them (it
    // writes `msg_len` of the headers).
    let n = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), len, libc::MSG_NOSIGNAL as _) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;

    #[test]
    fn pieces_respect_both_limits() {
        let run = Run { offset: 8, size: 1400, count: 100, last: 7 };
        let pieces: Vec<_> = split(&run).collect();
        assert_eq!(pieces.iter().map(|p| p.count).collect::<Vec<_>>(), [46, 46, 8]);
        assert_eq!((pieces[1].offset, pieces[1].last, pieces[2].last), (8 + 46 * 1404, 1400, 7));
        assert!(split(&Run { offset: 0, size: 100, count: 200, last: 100 }).all(|p| p.count <= 64));
        assert_eq!(split(&Run { offset: 0, size: 65_000, count: 3, last: 1 }).count(), 3);
    }

    /// Both ways of sending deliver the same datagrams to every receiver.
    #[test]
    fn offloaded_and_plain_packets_arrive_alike() {
        let packets: [&[u8]; 3] = [&[1; 300], &[2; 300], &[3; 20]];
        let mut data = Vec::new();
        for p in packets {
            data.extend_from_slice(&[b'$', 0, (p.len() >> 8) as u8, p.len() as u8]);
            data.extend_from_slice(p);
        }
        let run = Run { offset: 0, size: 300, count: 3, last: 20 };
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        for offload in [true, false] {
            let receivers: Vec<_> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
            let to: Vec<SockAddr> = receivers.iter().map(|r| r.local_addr().unwrap().into()).collect();
            let sent = send(from.as_fd(), &data, &run, &to, offload, &mut Scratch::default());
            match sent {
                Err(e) if offload && is_unsupported(&e) => continue,
                other => assert_eq!(other.unwrap(), 3),
            }
            for r in &receivers {
                r.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                for expected in packets {
                    let mut buf = [0; 2000];
                    let n = r.recv(&mut buf).unwrap();
                    assert_eq!(&buf[..n], expected);
                }
            }
        }
        let outside = Run { offset: 900, ..run };
        assert!(send(from.as_fd(), &data, &outside, &[], true, &mut Scratch::default()).is_err());
    }
}
