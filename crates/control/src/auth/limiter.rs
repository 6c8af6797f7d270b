//! Slows down guessing. **An attempt counts as wrong from the moment it begins**, so that many at once gain nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Wrong attempts that cost nothing.
const FREE: u32 = 5;
/// The first wait; it doubles with each further wrong attempt.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(900);
/// Wrong attempts are forgotten after this long without another.
const FORGET: Duration = Duration::from_secs(900);
/// Wrong attempts of one address, whatever the names.
const FREE_PER_ADDRESS: u32 = 50;
/// Entries kept. Over it, those that were quiet the longest go first.
const MAX_ENTRIES: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Pair(IpAddr, String),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    wrong: u32,
    last: Instant,
    until: Instant,
}

/// Counts wrong attempts per address and name.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    entries: Mutex<HashMap<Key, Entry>>,
}

impl Limiter {
    /// Begins an attempt, or says how long to wait.
    pub(crate) fn begin(&self, address: IpAddr, name: &str, now: Instant) -> Result<(), Duration> {
        let address = network(address);
        let keys = [(Key::Address(address), FREE_PER_ADDRESS), (Key::Pair(address, fold(name)), FREE)];
        let mut entries = self.entries.lock();
        for (key, _) in &keys {
            if let Some(e) = entries.get(key)
                && e.until > now
            {
                return Err(e.until - now);
            }
        }
        if entries.len() + 2 > MAX_ENTRIES {
            shrink(&mut entries, now);
        }
        for (key, free) in keys {
            let e = entries.entry(key).or_insert(Entry { wrong: 0, last: now, until: now });
            if now.saturating_duration_since(e.last) > FORGET {
                e.wrong = 0;
            }
            e.wrong += 1;
            e.last = now;
            if let Some(over) = e.wrong.checked_sub(free) {
                e.until = now + FIRST_WAIT.saturating_mul(2u32.pow(over.min(16))).min(MAX_WAIT);
            }
        }
        Ok(())
    }

    /// The attempt was right after all, or it was never judged.
    pub(crate) fn forgive(&self, address: IpAddr, name: &str) {
        let address = network(address);
        let mut entries = self.entries.lock();
        entries.remove(&Key::Pair(address, fold(name)));
        if let Some(e) = entries.get_mut(&Key::Address(address)) {
            e.wrong = e.wrong.saturating_sub(1);
            e.until = e.last;
        }
    }
}

fn shrink(entries: &mut HashMap<Key, Entry>, now: Instant) {
    entries.retain(|_, e| now.saturating_duration_since(e.last) <= FORGET || e.until > now);
    if entries.len() + 2 > MAX_ENTRIES {
        let mut times: Vec<Instant> = entries.values().map(|e| e.last).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        entries.retain(|_, e| e.last > middle);
    }
}

/// One household or server: the address, or its /64 for IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let s = v6.segments();
                IpAddr::from([s[0], s[1], s[2], s[3], 0, 0, 0, 0])
            }
        },
    }
}

/// Names are kept short: whoever sends long ones must not fill the memory with them.
fn fold(name: &str) -> String {
    name.chars().take(64).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn the_sixth_wrong_attempt_waits_and_others_do_not() {
        let l = Limiter::default();
        let t = Instant::now();
        for _ in 0..FREE {
            l.begin(A, "Admin", t).unwrap();
        }
        assert_eq!(l.begin(A, "admin", t), Err(FIRST_WAIT));
        l.begin(B, "admin", t).unwrap();
        l.begin(A, "zoe", t).unwrap();
        let later = t + FIRST_WAIT;
        l.begin(A, "admin", later).unwrap();
        assert_eq!(l.begin(A, "admin", later), Err(FIRST_WAIT * 2));
        assert!(l.begin(A, "admin", later + FIRST_WAIT * 2 + FORGET + FORGET).is_ok());
    }

    #[test]
    fn a_right_attempt_clears_the_count() {
        let l = Limiter::default();
        let t = Instant::now();
        for _ in 0..100 {
            l.begin(A, "admin", t).unwrap();
            l.forgive(A, "admin");
        }
    }

    #[test]
    fn one_address_cannot_try_every_name() {
        let l = Limiter::default();
        let t = Instant::now();
        let tried = (0..1000).take_while(|i| l.begin(A, &format!("user{i}"), t).is_ok()).count();
        assert_eq!(tried, FREE_PER_ADDRESS as usize);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let l = Limiter::default();
        let t = Instant::now();
        for i in 0..FREE {
            l.begin(format!("2001:db8::{i}").parse().unwrap(), "admin", t).unwrap();
        }
        assert!(l.begin("2001:db8::ffff".parse().unwrap(), "admin", t).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let l = Limiter::default();
        let t = Instant::now();
        for i in 0..30_000u32 {
            let _ =
                l.begin(IpAddr::from((0x0a00_0000 + i).to_be_bytes()), "admin", t + Duration::from_millis(i.into()));
        }
        assert!(l.entries.lock().len() <= MAX_ENTRIES);
    }
}
