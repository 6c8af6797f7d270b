//! The few system calls that the standard library does not have: affinity, CPU time, epoll, a bare writev.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Ties this thread, and every thread it starts, to one core.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    // SAFETY: cpu_set_t is plain integers; CPU_SET writes inside it for core < 1024, and the call reads it only.
    let r = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core.min(1023), &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// CPU time used by this process (all threads), or by this thread alone.
pub(crate) fn cpu(thread_alone: bool) -> Duration {
    let who = if thread_alone { libc::RUSAGE_THREAD } else { libc::RUSAGE_SELF };
    // SAFETY: rusage is plain integers and the call fills it.
    let u = unsafe {
        let mut u: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &raw mut u);
        u
    };
    let d = |t: libc::timeval| Duration::new(t.tv_sec.unsigned_abs(), t.tv_usec.unsigned_abs() as u32 * 1000);
    d(u.ru_utime) + d(u.ru_stime)
}

/// CPU time used by another process, ended threads included.
pub(crate) fn cpu_of(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let pid = pid.cast_signed();
    // SAFETY: the first call fills the clock's number, the second the timespec.
    let error = unsafe {
        match libc::clock_getcpuclockid(pid, &raw mut clock) {
            0 if libc::clock_gettime(clock, &raw mut t) == 0 => 0,
            0 => return Err(io::Error::last_os_error()),
            e => e,
        }
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    Ok(Duration::new(t.tv_sec.unsigned_abs(), t.tv_nsec.unsigned_abs() as u32))
}

/// Resident memory of this process in KiB.
pub(crate) fn rss_kib() -> u64 {
    rss_kib_of("self")
}

/// Resident memory of a process in KiB.
pub(crate) fn rss_kib_of(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Nanoseconds of the clock that all processes of the machine share.
pub(crate) fn monotonic_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the timespec it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec.unsigned_abs() * 1_000_000_000 + t.tv_nsec.unsigned_abs()
}

/// Readable sockets, level-triggered.
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: a new descriptor, owned from here on.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above, and checked.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: both descriptors are open, the event is read only.
        let r = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut e) };
        if r == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Tokens of what is readable, waiting at most 100 ms.
    pub(crate) fn wait(&self, out: &mut Vec<u64>) {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 256];
        // SAFETY: the array has room for 256 events.
        let n = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), 256, 100) };
        out.clear();
        out.extend(events.iter().take(usize::try_from(n).unwrap_or(0)).map(|e| e.u64));
    }
}
