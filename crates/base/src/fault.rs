//! Whose fault a failure is. One value drives HTTP status, retry and alarm.

use serde::Serialize;

/// The party that has to act for a failure to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// What the user asked for or configured cannot work.
    Config,
    /// Credentials were missing or refused.
    Auth,
    /// The thing asked for is not there.
    NotFound,
    /// The other side broke its protocol or sent no media.
    Peer,
    /// The way to the other side is down or too slow.
    Network,
    /// Disk, permissions, space.
    Disk,
    /// A limit of this machine was reached.
    Capacity,
    /// An optional tool is missing on this machine.
    Unsupported,
    /// We are wrong.
    Bug,
}

impl Fault {
    /// Whether trying again without changing anything can help.
    pub fn is_transient(self) -> bool {
        matches!(self, Fault::Peer | Fault::Network | Fault::Capacity)
    }
}
