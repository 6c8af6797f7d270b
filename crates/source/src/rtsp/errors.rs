//! The client's errors, as whose fault it is and what to do.
//!
//! retina keeps the kinds of its errors to itself and documents only the status code, so the rest is told by how the
//! text begins. The version is pinned, and the tests with fake cameras notice when the texts change.

use std::time::Duration;

use vigie_hub::Reason;

use crate::SourceError;

/// How far the connection had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Describe,
    Setup,
    Play,
    Stream,
}

impl Stage {
    fn method(self) -> &'static str {
        match self {
            Stage::Describe => "DESCRIBE",
            Stage::Setup => "SETUP",
            Stage::Play => "PLAY",
            Stage::Stream => "playing",
        }
    }
}

/// Where the camera is, for sentences.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) has_credentials: bool,
}

impl Place {
    /// No answer in time.
    pub(super) fn late(&self, stage: Stage, within: Duration) -> SourceError {
        let what = match stage {
            Stage::Describe => "did not answer".to_owned(),
            _ => format!("did not answer {}", stage.method()),
        };
        let message = format!(
            "{}:{} {what} within {:.1} s: check that the camera is on and the port is right",
            self.host,
            self.port,
            within.as_secs_f64()
        );
        SourceError::new(Reason::Timeout, message)
    }

    /// The camera hung up while playing.
    pub(super) fn closed(&self) -> SourceError {
        SourceError::new(Reason::Tcp, format!("{}:{} closed the connection", self.host, self.port))
    }

    pub(super) fn explain(&self, e: &retina::Error, stage: Stage) -> SourceError {
        let text = e.to_string();
        match e.status_code() {
            Some(status) if !(200..300).contains(&status) => return self.refused(status, stage),
            Some(_) if text.contains("No parseable streams") => {
                let message = format!("{} answers, but describes no stream at this path", self.host);
                return SourceError::new(Reason::NoVideo, message);
            }
            Some(_) => {
                let message = format!("the camera's answer to {} makes no sense: {}", stage.method(), brief(e));
                return SourceError::new(Reason::Protocol, message);
            }
            None => {}
        }
        if text.starts_with("Unable to connect to RTSP server") {
            let cause = text.rsplit(": ").next().unwrap_or_default();
            let message = format!("cannot connect to {}:{}: {}", self.host, self.port, clean(cause));
            return SourceError::new(Reason::Tcp, message);
        }
        if text.contains("respond to keepalive") || text.contains("write keepalive") {
            return SourceError::new(Reason::Timeout, format!("{} no longer answers keep-alives", self.host));
        }
        let hung_up = text.starts_with("Error reading from RTSP peer")
            || text.starts_with("Error writing to RTSP peer")
            || text.contains("Incomplete RTSP message at EOF");
        if hung_up {
            let during = match stage {
                Stage::Stream => String::new(),
                _ => format!(" instead of answering {}", stage.method()),
            };
            let message = format!("{}:{} closed the connection{during}", self.host, self.port);
            return SourceError::new(Reason::Tcp, message);
        }
        if text.starts_with("Error receiving UDP packet") {
            return SourceError::new(Reason::Tcp, format!("{} refuses our UDP packets", self.host));
        }
        self.nonsense(e, stage)
    }

    fn nonsense(&self, e: &retina::Error, stage: Stage) -> SourceError {
        let message = format!("{} broke the protocol while {}: {}", self.host, doing(stage), brief(e));
        SourceError::new(Reason::Protocol, message)
    }

    fn refused(&self, status: u16, stage: Stage) -> SourceError {
        let host = &self.host;
        let mut busy = false;
        let (reason, message) = match status {
            401 if !self.has_credentials => (Reason::Auth, format!("{host} asks for a user name and a password")),
            401 => (Reason::Auth, format!("{host} does not accept this user name and password")),
            403 => (Reason::Auth, format!("{host} knows this user but does not let them watch this stream")),
            404 | 410 => (Reason::NotFound, format!("{host} has no stream at this path: check the URL")),
            453 | 503 => {
                busy = true;
                (Reason::Tcp, format!("{host} has no room for one more connection ({status})"))
            }
            461 => (Reason::Config, format!("{host} refuses this RTP transport: try transport auto")),
            300..=399 => (Reason::Protocol, format!("{host} sends us elsewhere ({status}), which is not followed")),
            500.. => (Reason::Protocol, format!("{host} failed at {} with its own error {status}", stage.method())),
            _ => (Reason::Protocol, format!("{host} refused {} with {status}", stage.method())),
        };
        SourceError { reason, message, busy }
    }
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Describe => "describing itself",
        Stage::Setup => "setting up",
        Stage::Play => "starting to play",
        Stage::Stream => "playing",
    }
}

/// Whether another way of carrying RTP may be welcome.
pub(super) fn refuses_transport(e: &retina::Error) -> bool {
    match e.status_code() {
        // 461 is the right one (RFC 2326 §11.3.14); cameras have been seen to say it in other ways.
        Some(400 | 406 | 451 | 456 | 459..=461 | 500 | 501 | 551) => true,
        Some(200) => e.to_string().contains("interleaved parameter"),
        _ => false,
    }
}

/// The first line of the client's text, fit for a log line: short, and without control characters.
pub(super) fn brief(e: &retina::Error) -> String {
    clean(e.to_string().lines().next().unwrap_or_default())
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}
