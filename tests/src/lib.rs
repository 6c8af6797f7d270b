//! Starts the binary and real clients for the tests beside this file.
//!
//! Everything is on loopback, on ports the system chose, in temporary folders, and ends with the test. **A test waits for a
//! condition with a deadline, never for a time.**

mod clients;
mod player;
mod server;

pub use clients::{Child, GstCamera, HttpCamera, ffprobe, ffprobe_json, require};
pub use player::Player;
pub use server::{Answer, Vigie};

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Looks until `check` gives something, at most for `limit`. The last error says why it never did.
pub fn until<T>(what: &str, limit: Duration, mut check: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + limit;
    let mut last = String::from("the condition never held");
    loop {
        match check() {
            Ok(Some(v)) => return Ok(v),
            Ok(None) => {}
            Err(e) => last = format!("{e:#}"),
        }
        if Instant::now() >= end {
            bail!("{what}: not within {limit:?}: {last}");
        }
        pause(Duration::from_millis(20));
    }
}

/// The distance of two looks at a condition.
#[expect(clippy::disallowed_methods, reason = "a test thread that polls a condition; nothing else runs on it")]
pub fn pause(d: Duration) {
    std::thread::sleep(d);
}
