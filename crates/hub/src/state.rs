//! What is known of a stream at a moment: for health, the API, metrics and the camera page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_base::{Fault, UnixMillis};
use vigie_media::StreamDescription;

/// Where a stream's source stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Nobody wants it, nothing is pulled.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Media flows.
    Live,
    /// Connected, but no media for longer than it should be.
    Silent,
    /// Waiting for the next attempt.
    Waiting {
        /// Number of the attempt that comes next, from 1.
        attempt: u32,
        /// When it starts.
        at: Instant,
    },
    /// Five attempts failed and nobody watches: waits for a person, a viewer or a changed setting.
    Suspended,
    /// Switched off by configuration.
    Disabled,
}

impl Status {
    /// The word used in API answers and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Status::Idle => "idle",
            Status::Connecting => "connecting",
            Status::Live => "live",
            Status::Silent => "silent",
            Status::Waiting { .. } => "waiting",
            Status::Suspended => "suspended",
            Status::Disabled => "disabled",
        }
    }
}

/// Why a camera cannot be reached, as the contract names it (§20.15 `details.reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The name does not resolve.
    Dns,
    /// The connection was refused or broke.
    Tcp,
    /// Wrong or missing credentials.
    Auth,
    /// The device has no such stream.
    NotFound,
    /// It answers, but sends no pictures that we can use.
    NoVideo,
    /// No answer in time.
    Timeout,
    /// It broke the protocol.
    Protocol,
    /// The configuration cannot work.
    Config,
}

impl Reason {
    /// The word used in API answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Dns => "dns",
            Reason::Tcp => "tcp",
            Reason::Auth => "auth",
            Reason::NotFound => "not_found",
            Reason::NoVideo => "no_video",
            Reason::Timeout => "timeout",
            Reason::Protocol => "protocol",
            Reason::Config => "config",
        }
    }

    /// Whose fault that is.
    pub fn fault(self) -> Fault {
        match self {
            Reason::Dns | Reason::Tcp | Reason::Timeout => Fault::Network,
            Reason::Auth => Fault::Auth,
            Reason::NotFound => Fault::NotFound,
            Reason::NoVideo | Reason::Protocol => Fault::Peer,
            Reason::Config => Fault::Config,
        }
    }
}

/// The last thing that went wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class, for machines.
    pub reason: Reason,
    /// One sentence for people, secrets redacted.
    pub message: String,
}

/// Why media is missing between two points of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// The camera or the way to it was gone.
    SourceLost,
    /// The camera stayed connected but sent nothing.
    SourceSilent,
    /// Packets were lost on the way from the camera.
    PacketLoss,
    /// The reader was slower than its byte budget allows.
    Overrun,
    /// The codec or the set of tracks changed.
    FormatChange,
    /// The process was not running.
    Restart,
    /// The disk had no room or failed.
    Disk,
}

impl GapCause {
    /// The word used in API answers, rows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            GapCause::SourceLost => "source_lost",
            GapCause::SourceSilent => "source_silent",
            GapCause::PacketLoss => "packet_loss",
            GapCause::Overrun => "overrun",
            GapCause::FormatChange => "format_change",
            GapCause::Restart => "restart",
            GapCause::Disk => "disk",
        }
    }
}

/// A hole in the stream's timeline, told to every reader at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub cause: GapCause,
    /// Last unit before it arrived then.
    pub from: Instant,
    /// First unit after it arrived then.
    pub to: Instant,
}

/// A snapshot of everything observed about a stream.
#[derive(Debug, Clone)]
pub struct StreamState {
    /// Where the source stands.
    pub status: Status,
    /// Since when.
    pub since: Instant,
    /// Wall time of the last connection that brought media.
    pub connected_at: Option<UnixMillis>,
    /// Last failure, kept until media flows again.
    pub failure: Option<Failure>,
    /// Current tracks; kept while the source is gone.
    pub description: Option<Arc<StreamDescription>>,
    /// Measured bits per second of all tracks, over the last seconds.
    pub bitrate_bps: u64,
    /// Measured pictures per second.
    pub fps: f64,
    /// Age of the newest unit.
    pub last_unit_age: Option<Duration>,
    /// Viewers reading now.
    pub viewers: usize,
    /// Recorders reading now.
    pub recorders: usize,
    /// Other claims on the stream (open capture sessions, `always_on`).
    pub holds: usize,
    /// Units published since start.
    pub units: u64,
    /// Bytes published since start.
    pub bytes: u64,
    /// Units that readers of this stream had to skip because they were too slow.
    pub skipped_units: u64,
    /// Units thrown away on arrival (before the first key frame after a gap, or malformed).
    pub discarded_units: u64,
    /// Times that a connection brought media.
    pub connects: u64,
    /// Bytes held in the ring.
    pub ring_bytes: usize,
    /// Whether a newcomer can start at once; false while a group of pictures is larger than the stream's share.
    pub instant_join: bool,
}
