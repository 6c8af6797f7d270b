//! Bytes of a client into requests and interleaved packets.
//!
//! **At most one request's worth of bytes is ever held**: 16 KiB of headers, 64 KiB of body or packet. Lines may end
//! in LF alone; everything else that is not RTSP ends the connection.

use super::message::{Method, Request};

/// Most bytes of request line and headers.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Most bytes of a body.
pub const MAX_BODY_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 100;

/// Something a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A request.
    Request(Request),
    /// A packet on an interleaved channel (§10.12); from a player that is RTCP.
    Interleaved {
        /// The channel.
        channel: u8,
        /// The packet.
        data: Vec<u8>,
    },
    /// An answer to something; we never ask, so it is ignored.
    Response,
}

/// Not RTSP, or too much of it. The connection cannot go on, because nobody knows where the next message starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not RTSP.
    #[error("this is not RTSP: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// The request's sequence number, when it could be read.
        cseq: Option<String>,
    },
    /// Over the bounds.
    #[error("the {what} is larger than {limit} bytes")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// The request's sequence number, when it could be read.
        cseq: Option<String>,
    },
}

/// Collects bytes until they are messages.
#[derive(Debug, Default)]
pub struct Parser {
    buf: Vec<u8>,
    /// No end of the headers was found before here.
    scanned: usize,
}

fn malformed(what: &'static str) -> ParseError {
    ParseError::Malformed { what, cseq: None }
}

impl Parser {
    /// Adds bytes. Call [`Self::next`] until it has nothing more before adding again.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Whether a message has begun and not ended.
    pub fn is_partial(&self) -> bool {
        !self.buf.is_empty()
    }

    /// The next message, when it is complete.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Input>, ParseError> {
        let blank = self.buf.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if blank > 0 && self.scanned == 0 {
            self.buf.drain(..blank);
        }
        let Some(&first) = self.buf.first() else {
            // An idle connection keeps no buffer.
            self.buf = Vec::new();
            return Ok(None);
        };
        if first == b'$' {
            return Ok(self.interleaved());
        }
        if !first.is_ascii_alphabetic() {
            return Err(malformed("a request begins with a method"));
        }
        let Some(end) = self.header_end()? else { return Ok(None) };
        let head = std::str::from_utf8(&self.buf[..end]).map_err(|_| malformed("headers are text"))?;
        let (input, body_len) = parse_head(head)?;
        if self.buf.len() < end + body_len {
            return Ok(None);
        }
        let input = match input {
            Input::Request(mut r) => {
                r.body = self.buf[end..end + body_len].to_vec();
                Input::Request(r)
            }
            other => other,
        };
        self.consume(end + body_len);
        Ok(Some(input))
    }

    fn consume(&mut self, n: usize) {
        self.buf.drain(..n);
        self.scanned = 0;
    }

    fn interleaved(&mut self) -> Option<Input> {
        let [_, channel, l1, l0, rest @ ..] = &self.buf[..] else { return None };
        let (len, channel) = (usize::from(u16::from_be_bytes([*l1, *l0])), *channel);
        let data = rest.get(..len)?.to_vec();
        self.consume(4 + len);
        Some(Input::Interleaved { channel, data })
    }

    /// One past the empty line. Looks at each byte once, however slowly they come.
    fn header_end(&mut self) -> Result<Option<usize>, ParseError> {
        let from = self.scanned.saturating_sub(3);
        let window = &self.buf[from..self.buf.len().min(MAX_HEADER_BYTES)];
        for (i, b) in window.iter().enumerate() {
            if *b != b'\n' {
                continue;
            }
            let end = match &window[i + 1..] {
                [b'\n', ..] => i + 2,
                [b'\r', b'\n', ..] => i + 3,
                _ => continue,
            };
            return Ok(Some(from + end));
        }
        if self.buf.len() >= MAX_HEADER_BYTES {
            return Err(ParseError::TooLarge { what: "header", limit: MAX_HEADER_BYTES, cseq: None });
        }
        self.scanned = self.buf.len();
        Ok(None)
    }
}

fn parse_head(head: &str) -> Result<(Input, usize), ParseError> {
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut broken = None;
    for line in lines {
        if line.is_empty() {
            break;
        }
        if headers.len() == MAX_HEADERS {
            broken = Some("more than 100 headers");
            break;
        }
        // A continued line belongs to the header before it (RFC 2616 §2.2, which RFC 2326 §4.2 takes over).
        if line.starts_with([' ', '\t']) {
            match headers.last_mut() {
                Some((_, v)) => {
                    v.push(' ');
                    v.push_str(line.trim());
                }
                None => broken = Some("a continued line before the first header"),
            }
            continue;
        }
        match line.split_once(':') {
            Some((n, v)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_graphic()) => {
                headers.push((n.to_owned(), v.trim().to_owned()));
            }
            _ => broken = Some("a header has a name and a colon"),
        }
    }
    let find = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
    let cseq = find("CSeq").filter(|c| c.len() <= 10 && c.bytes().all(|b| b.is_ascii_digit()));
    let fail = |what: &'static str| ParseError::Malformed { what, cseq: cseq.clone() };
    if let Some(what) = broken {
        return Err(fail(what));
    }
    let mut lengths = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("Content-Length")).map(|(_, v)| v);
    let body_len = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        // Digits alone: `+5` and `-1` are not lengths, and two lengths are a trick.
        (Some(v), None) if !v.is_empty() && v.len() <= 9 && v.bytes().all(|b| b.is_ascii_digit()) => {
            v.parse().map_err(|_| fail("Content-Length is a number"))?
        }
        (Some(v), None) if v.len() > 9 && v.bytes().all(|b| b.is_ascii_digit()) => usize::MAX,
        _ => return Err(fail("Content-Length is one number")),
    };
    if body_len > MAX_BODY_BYTES {
        return Err(ParseError::TooLarge { what: "body", limit: MAX_BODY_BYTES, cseq });
    }
    if first.starts_with("RTSP/") {
        return Ok((Input::Response, body_len));
    }
    let mut words = first.split(' ').filter(|w| !w.is_empty());
    let (Some(method), Some(uri), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(fail("a request line is `METHOD URL RTSP/1.0`"));
    };
    if !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b == b'-') || !version.starts_with("RTSP/") {
        return Err(fail("a request line is `METHOD URL RTSP/1.0`"));
    }
    let request = Request {
        method: Method::from_token(method),
        uri: uri.to_owned(),
        version_1_0: version == "RTSP/1.0",
        headers,
        body: Vec::new(),
    };
    Ok((Input::Request(request), body_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Input>, ParseError> {
        let mut p = Parser::default();
        p.push(bytes);
        let mut out = Vec::new();
        while let Some(i) = p.next()? {
            out.push(i);
        }
        Ok(out)
    }

    const PIPELINED: &[u8] = b"\r\nOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n$\x01\x00\x03abcSET_PARAMETER rtsp://h/a \
        RTSP/1.0\nCSeq: 2\nX: a\n b\nContent-Length: 3\n\nxyzRTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\nPLAY rtsp://h/a RTSP/2.0\r\n\r\n";

    #[test]
    fn pipelined_requests_and_packets_come_out_in_order() {
        let out = all(PIPELINED).unwrap();
        assert_eq!(out.len(), 5);
        assert!(matches!(&out[0], Input::Request(r) if r.method == Method::Options && r.cseq() == Some("1")));
        assert_eq!(out[1], Input::Interleaved { channel: 1, data: b"abc".to_vec() });
        assert!(matches!(&out[2], Input::Request(r) if r.body == b"xyz" && r.header("x") == Some("a b")));
        assert_eq!(out[3], Input::Response);
        assert!(matches!(&out[4], Input::Request(r) if !r.version_1_0));
    }

    #[test]
    fn byte_by_byte_is_the_same() {
        let mut p = Parser::default();
        let mut out = Vec::new();
        for b in PIPELINED {
            p.push(&[*b]);
            while let Some(i) = p.next().unwrap() {
                out.push(i);
            }
        }
        assert_eq!(out, all(PIPELINED).unwrap());
        assert!(!p.is_partial());
    }

    #[test]
    fn what_is_not_rtsp_is_refused_at_once() {
        for bad in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"GET / HTTP/1.1\r\n\r\n",
            b"OPTIONS *\r\n\r\n",
            b"options * RTSP/1.0\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\n: x\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"OPTIONS * RTSP/1.0\r\nX: \xff\xfe\r\n\r\n",
        ] {
            assert!(matches!(all(bad), Err(ParseError::Malformed { .. })), "{}", bad.escape_ascii());
        }
        let e = all(b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\nContent-Length: x\r\n\r\n").unwrap_err();
        assert!(matches!(e, ParseError::Malformed { cseq: Some(c), .. } if c == "9"));
    }

    #[test]
    fn giants_are_refused_before_they_are_held() {
        for length in ["65537", "99999999999999999999999999"] {
            let text = format!("OPTIONS * RTSP/1.0\r\nContent-Length: {length}\r\n\r\n");
            assert!(matches!(all(text.as_bytes()), Err(ParseError::TooLarge { what: "body", .. })));
        }
        let mut p = Parser::default();
        let mut refused = false;
        for _ in 0..20 {
            p.push(&[b'A'; 1000]);
            if p.next().is_err() {
                refused = true;
                break;
            }
        }
        assert!(refused && p.buf.len() <= MAX_HEADER_BYTES + 1000);
    }
}
