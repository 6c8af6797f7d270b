//! Tickets: short-lived keys to the views of one session or camera, for `<img>` and players without cookies.
//!
//! **A ticket is checked when a view is opened, not while it runs**: streams outlive the ten minutes (decision 52).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use vigie_base::{CameraId, Secret, SessionId};

use crate::crypto::{random_token, sha256};
use crate::policy::Identity;

/// How long a ticket opens (contract §0.9).
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);
/// Tickets at one time; over it the oldest stop working.
const MAX_TICKETS: usize = 4096;

/// What a ticket opens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TicketScope {
    /// Views of one capture session.
    Session(SessionId),
    /// Views of one camera.
    Camera(CameraId),
}

#[derive(Debug, Clone)]
struct Held {
    scope: TicketScope,
    who: Identity,
    /// The user's token version when it was made.
    version: i64,
    until: Instant,
}

/// Tickets that open something now; only their hashes are kept.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    held: Mutex<HashMap<[u8; 32], Held>>,
}

impl Tickets {
    pub(crate) fn issue(&self, scope: TicketScope, who: &Identity, version: i64, now: Instant) -> Secret {
        let ticket = random_token("vgk_", 24);
        let mut held = self.held.lock();
        if held.len() >= MAX_TICKETS {
            held.retain(|_, t| t.until > now);
            if held.len() >= MAX_TICKETS
                && let Some(oldest) = held.iter().min_by_key(|(_, t)| t.until).map(|(k, _)| *k)
            {
                held.remove(&oldest);
            }
        }
        held.insert(sha256(ticket.reveal()), Held { scope, who: who.clone(), version, until: now + LIFETIME });
        ticket
    }

    pub(crate) fn redeem(&self, ticket: &str, now: Instant) -> Option<(TicketScope, Identity, i64)> {
        let held = self.held.lock();
        let t = held.get(&sha256(ticket)).filter(|t| t.until > now)?;
        Some((t.scope.clone(), t.who.clone(), t.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_one_thing_for_ten_minutes() {
        let tickets = Tickets::default();
        let now = Instant::now();
        let scope = TicketScope::Session(SessionId("sess_0_1_5".to_owned()));
        let ticket = tickets.issue(scope.clone(), &Identity::system(), 3, now);
        let (s, _, version) = tickets.redeem(ticket.reveal(), now + LIFETIME - Duration::from_millis(1)).unwrap();
        assert_eq!((s, version), (scope, 3));
        assert!(tickets.redeem(ticket.reveal(), now + LIFETIME).is_none());
        assert!(tickets.redeem("vgk_guess", now).is_none());
    }

    #[test]
    fn memory_is_bounded_and_the_newest_survive() {
        let tickets = Tickets::default();
        let now = Instant::now();
        let last = (0..MAX_TICKETS as u64 + 50)
            .map(|i| {
                let at = now + Duration::from_millis(i);
                tickets.issue(TicketScope::Camera(CameraId(1)), &Identity::system(), 0, at)
            })
            .last()
            .unwrap();
        assert_eq!(tickets.held.lock().len(), MAX_TICKETS);
        assert!(tickets.redeem(last.reveal(), now).is_some());
    }
}
