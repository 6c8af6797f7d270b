//! Requests and responses (RFC 2326 §6, §7).

use std::fmt::Write;

/// A method we know. Compared with case, as RFC 2326 §6.1 wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Options,
    Describe,
    Setup,
    Play,
    Pause,
    Teardown,
    GetParameter,
    SetParameter,
    Announce,
    Record,
    Redirect,
    /// Anything else that looks like a method.
    Other,
}

/// The methods we carry out, for `Public` and `Allow`.
pub const PUBLIC: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

impl Method {
    pub(super) fn from_token(s: &str) -> Self {
        match s {
            "OPTIONS" => Method::Options,
            "DESCRIBE" => Method::Describe,
            "SETUP" => Method::Setup,
            "PLAY" => Method::Play,
            "PAUSE" => Method::Pause,
            "TEARDOWN" => Method::Teardown,
            "GET_PARAMETER" => Method::GetParameter,
            "SET_PARAMETER" => Method::SetParameter,
            "ANNOUNCE" => Method::Announce,
            "RECORD" => Method::Record,
            "REDIRECT" => Method::Redirect,
            _ => Method::Other,
        }
    }

    /// The word on the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Options => "OPTIONS",
            Method::Describe => "DESCRIBE",
            Method::Setup => "SETUP",
            Method::Play => "PLAY",
            Method::Pause => "PAUSE",
            Method::Teardown => "TEARDOWN",
            Method::GetParameter => "GET_PARAMETER",
            Method::SetParameter => "SET_PARAMETER",
            Method::Announce => "ANNOUNCE",
            Method::Record => "RECORD",
            Method::Redirect => "REDIRECT",
            Method::Other => "unknown",
        }
    }
}

/// A request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// To what: an absolute URL, or `*`.
    pub uri: String,
    /// Whether the request line said `RTSP/1.0`; anything else is answered 505.
    pub version_1_0: bool,
    pub(crate) headers: Vec<(String, String)>,
    /// What came after the headers.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The sequence number, when there is a usable one.
    pub fn cseq(&self) -> Option<&str> {
        let c = self.header("CSeq")?;
        (!c.is_empty() && c.len() <= 10 && c.bytes().all(|b| b.is_ascii_digit())).then_some(c)
    }

    /// The session id, without its parameters.
    pub fn session(&self) -> Option<&str> {
        self.header("Session").map(|s| s.split(';').next().unwrap_or_default().trim())
    }
}

/// Status codes (RFC 2326 §7.1.1), as far as we use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs)]
pub enum Status {
    Ok = 200,
    BadRequest = 400,
    Unauthorized = 401,
    Forbidden = 403,
    NotFound = 404,
    MethodNotAllowed = 405,
    NotAcceptable = 406,
    RequestTimeout = 408,
    TooLarge = 413,
    UnsupportedMedia = 415,
    ParameterNotUnderstood = 451,
    NotEnoughBandwidth = 453,
    SessionNotFound = 454,
    NotValidInState = 455,
    InvalidRange = 457,
    AggregateNotAllowed = 459,
    OnlyAggregateAllowed = 460,
    UnsupportedTransport = 461,
    Internal = 500,
    NotImplemented = 501,
    Unavailable = 503,
    VersionNotSupported = 505,
    OptionNotSupported = 551,
}

impl Status {
    /// The number.
    pub fn code(self) -> u16 {
        self as u16
    }

    fn reason(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::BadRequest => "Bad Request",
            Status::Unauthorized => "Unauthorized",
            Status::Forbidden => "Forbidden",
            Status::NotFound => "Not Found",
            Status::MethodNotAllowed => "Method Not Allowed",
            Status::NotAcceptable => "Not Acceptable",
            Status::RequestTimeout => "Request Time-out",
            Status::TooLarge => "Request Entity Too Large",
            Status::UnsupportedMedia => "Unsupported Media Type",
            Status::ParameterNotUnderstood => "Parameter Not Understood",
            Status::NotEnoughBandwidth => "Not Enough Bandwidth",
            Status::SessionNotFound => "Session Not Found",
            Status::NotValidInState => "Method Not Valid in This State",
            Status::InvalidRange => "Invalid Range",
            Status::AggregateNotAllowed => "Aggregate operation not allowed",
            Status::OnlyAggregateAllowed => "Only aggregate operation allowed",
            Status::UnsupportedTransport => "Unsupported transport",
            Status::Internal => "Internal Server Error",
            Status::NotImplemented => "Not Implemented",
            Status::Unavailable => "Service Unavailable",
            Status::VersionNotSupported => "RTSP Version not supported",
            Status::OptionNotSupported => "Option not supported",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// What came of it.
    pub status: Status,
    headers: Vec<(&'static str, String)>,
    body: String,
    content_type: &'static str,
}

impl Response {
    /// An answer without more to say.
    pub fn new(status: Status) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), content_type: "text/plain" }
    }

    /// An answer that says in a sentence what is wrong.
    pub fn explained(status: Status, sentence: &str) -> Self {
        Self { body: format!("{sentence}\r\n"), ..Self::new(status) }
    }

    /// Adds a header. Line ends in the value are dropped, so that nothing a client sent can forge one.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let mut value = value.into();
        value.retain(|c| c != '\r' && c != '\n');
        self.headers.push((name, value));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: String) -> Self {
        self.content_type = content_type;
        self.body = body;
        self
    }

    /// A header that was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The bytes to send. `unix_s` is the wall time, for `Date`.
    pub fn encode(&self, cseq: Option<&str>, unix_s: u64) -> Vec<u8> {
        let mut s = String::with_capacity(256 + self.body.len());
        // Writing to a String cannot fail.
        let _ = write!(s, "RTSP/1.0 {} {}\r\n", self.status.code(), self.status.reason());
        if let Some(c) = cseq {
            let _ = write!(s, "CSeq: {c}\r\n");
        }
        let _ = write!(s, "Server: Vigie\r\nDate: {}\r\n", http_date(unix_s));
        for (n, v) in &self.headers {
            let _ = write!(s, "{n}: {v}\r\n");
        }
        if !self.body.is_empty() {
            let _ = write!(s, "Content-Type: {}\r\nContent-Length: {}\r\n", self.content_type, self.body.len());
        }
        s.push_str("\r\n");
        s.push_str(&self.body);
        s.into_bytes()
    }
}

/// A date as RFC 1123 writes it.
fn http_date(unix_s: u64) -> String {
    let (days, s) = (unix_s / 86_400, unix_s % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    // Days since 0000-03-01 in cycles of 400 years (proleptic Gregorian calendar).
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let year = yoe + era * 400 + u64::from(mp >= 10);
    let month =
        ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"][(mp % 12) as usize];
    format!("{weekday}, {day:02} {month} {year} {:02}:{:02}:{:02} GMT", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_rfc_1123() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(1_709_210_096), "Thu, 29 Feb 2024 12:34:56 GMT");
    }

    #[test]
    fn what_a_client_sent_cannot_forge_a_header() {
        let r = Response::new(Status::OptionNotSupported).header("Unsupported", "a\r\nSession: 1");
        let text = String::from_utf8(r.encode(Some("7"), 0)).unwrap();
        assert!(text.starts_with("RTSP/1.0 551 Option not supported\r\nCSeq: 7\r\n"));
        assert!(text.contains("Unsupported: aSession: 1\r\n\r\n"));
    }
}
