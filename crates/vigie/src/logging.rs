//! The log: text for people, JSON lines for machines; always to standard error. Its newest lines are kept in memory too,
//! for the diagnosis page.
//!
//! **What is kept is shown to others, so it is redacted**: types with secrets have no printed form anyway, and what
//! stands in text (a library's error, a URL) is masked here once more.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Context;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt as lines};
use vigie_base::{Clock, RedactedUrl, SystemClock};

use crate::config::Log;

/// Lines kept.
const KEPT: usize = 200;
/// A longer line is cut: the newest lines take at most 400 KiB.
const LONGEST_BYTES: usize = 2048;

/// Starts logging for the rest of the process; the newest lines can be asked for.
pub(crate) fn start(log: &Log) -> anyhow::Result<Recent> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter is not usable")?;
    let recent = Recent::default();
    let registry = tracing_subscriber::registry().with(filter).with(Keep(recent.clone()));
    let done = if log.json {
        registry.with(lines::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        registry.with(lines::layer().with_ansi(colours).with_writer(std::io::stderr)).try_init()
    };
    done.context("logging was started twice")?;
    Ok(recent)
}

/// The newest lines of the log, redacted. Bounded: the oldest go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<VecDeque<String>>>);

impl Recent {
    /// Oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }

    fn keep(&self, line: String) {
        let mut kept = self.0.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

/// Keeps what is logged.
struct Keep(Recent);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let meta = event.metadata();
        let mut line = format!(
            "{} {:>5} {}:{}{}",
            SystemClock.wall().rfc3339(),
            meta.level(),
            meta.target(),
            text.message,
            text.rest
        );
        if line.len() > LONGEST_BYTES {
            line.truncate(line.floor_char_boundary(LONGEST_BYTES));
            line.push('…');
        }
        self.0.keep(redacted(&line));
    }
}

/// The message and ` name=value` of each field.
#[derive(Default)]
struct Text {
    message: String,
    rest: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, " {value:?}"),
            // Said on the console, for whoever stands there, and for nobody else.
            name if is_secret(name) => write!(self.rest, " {name}=***"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}

fn is_secret(name: &str) -> bool {
    ["setup_code", "pass", "secret", "token", "ticket", "cookie", "authorization"].iter().any(|s| name.contains(s))
}

/// Masks passwords in URLs, and our own tokens, wherever they stand in a line.
fn redacted(line: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '(' | ')' | '[' | ']');
    let mut out = String::with_capacity(line.len());
    for piece in line.split_inclusive(ends) {
        let (word, end) = match piece.char_indices().next_back() {
            Some((i, c)) if ends(c) => piece.split_at(i),
            _ => (piece, ""),
        };
        // `url=rtsp://…`: a scheme begins after the last character that cannot be in one.
        let scheme = word.find("://").map(|at| {
            let before = &word[..at];
            before.rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).map_or(0, |i| i + 1)
        });
        match scheme {
            Some(from) => {
                out.push_str(&word[..from]);
                let bare = word[from..].trim_end_matches([',', ';', ':', '.']);
                match RedactedUrl::parse(bare) {
                    Ok(url) => out.push_str(url.redacted().trim_end_matches('/')),
                    // Something like one: whatever stands before its host is left out.
                    Err(_) => out.push_str(bare.rsplit_once('@').map_or(bare, |(_, host)| host)),
                }
                out.push_str(&word[from + bare.len()..]);
            }
            None if is_token(word) => out.push_str("***"),
            None => out.push_str(word),
        }
        out.push_str(end);
    }
    out
}

/// Tokens and tickets of ours (`vgk_…`), and JSON web tokens.
fn is_token(word: &str) -> bool {
    let value = word.rsplit(['=', ':']).next().unwrap_or(word);
    let ours = value.starts_with("vg") && value.get(3..4) == Some("_") && value.len() > 20;
    ours || (value.starts_with("eyJ") && value.matches('.').count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_stays_in_a_kept_line() {
        for (said, kept) in [
            (
                "camera at rtsp://admin:hunter2@10.0.0.9:554/live is gone",
                "camera at rtsp://admin:***@10.0.0.9:554/live is gone",
            ),
            ("url=\"http://h/x?token=abc&a=1\", again", "url=\"http://h/x?token=***&a=1\", again"),
            ("ticket vgk_0123456789abcdefghijklmn", "ticket ***"),
            ("Bearer eyJhbGci.eyJzdWIi.c2ln", "Bearer ***"),
            ("session sess_1_2_1701234567 in videos/1/a.mp4", "session sess_1_2_1701234567 in videos/1/a.mp4"),
            ("rtsp://a:b@[bad/x", "[bad/x"),
        ] {
            assert_eq!(redacted(said), kept);
        }
    }

    #[test]
    fn the_newest_lines_are_kept_and_no_more() {
        let recent = Recent::default();
        let subscriber = tracing_subscriber::registry().with(Keep(recent.clone()));
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..KEPT + 50 {
                tracing::info!(n, setup_code = "ABCD-1234", "said");
            }
            tracing::warn!("{}", "x".repeat(10_000));
        });
        let lines = recent.lines();
        assert_eq!(lines.len(), KEPT);
        assert!(lines[0].contains(" INFO vigie::logging::tests: said n=51 setup_code=***"), "{}", lines[0]);
        assert!(lines[KEPT - 1].contains(" WARN ") && lines[KEPT - 1].len() < LONGEST_BYTES + 8);
        assert!(lines.iter().all(|l| !l.contains("ABCD")));
    }
}
