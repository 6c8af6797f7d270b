//! **Secrets never print.** Values here have no `Display`, and a `Debug` that says nothing.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

/// A password, key or token. Wiped from memory when dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(s: impl Into<String>) -> Self {
        Self(Zeroizing::new(s.into()))
    }

    /// The value itself. Keep the borrow short, and never format it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<String> for Secret {
    fn from(s: String) -> Self {
        Self::new(s)
    }
}

/// A URL that prints as `scheme://user:***@host/…`, query values that look like secrets included.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUrl(Url);

/// Query keys whose values are masked, compared without case.
const SECRET_QUERY_KEYS: [&str; 9] = ["password", "pass", "passwd", "pwd", "token", "key", "secret", "ticket", "auth"];

impl RedactedUrl {
    /// Parses a URL.
    pub fn parse(s: &str) -> Result<Self, url::ParseError> {
        Url::parse(s).map(Self)
    }

    /// The URL itself, with whatever credentials it holds.
    pub fn reveal(&self) -> &Url {
        &self.0
    }

    /// Takes user name and password out of the URL, percent-decoded.
    pub fn split_credentials(&self) -> (Url, Option<(String, Secret)>) {
        let mut bare = self.0.clone();
        let user = decode(self.0.username());
        let pass = self.0.password().map(decode);
        if user.is_empty() && pass.is_none() {
            return (bare, None);
        }
        // Only URLs that cannot have a host refuse this, and they cannot have credentials either.
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        (bare, Some((user, Secret::new(pass.unwrap_or_default()))))
    }

    /// The printable form.
    pub fn redacted(&self) -> String {
        let mut u = self.0.clone();
        if u.password().is_some() {
            let _ = u.set_password(Some("***"));
        }
        let masked: Option<Vec<(String, String)>> = u.query().map(|_| {
            u.query_pairs()
                .map(|(k, v)| {
                    let lower = k.to_ascii_lowercase();
                    let secret = SECRET_QUERY_KEYS.iter().any(|s| lower == *s);
                    (k.into_owned(), if secret { "***".to_owned() } else { v.into_owned() })
                })
                .collect()
        });
        if let Some(pairs) = masked
            && pairs.iter().any(|(_, v)| v == "***")
        {
            u.query_pairs_mut().clear().extend_pairs(pairs);
        }
        u.into()
    }
}

fn decode(s: &str) -> String {
    // `url` keeps user info percent-encoded; a form decode would turn `+` into a space, so decode by hand.
    let bytes = s.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |b: u8| char::from(b).to_digit(16);
        if bytes[i] == b'%'
            && i + 2 < bytes.len()
            && let (Some(h), Some(l)) = (hex(bytes[i + 1]), hex(bytes[i + 2]))
        {
            out.push(u8::try_from(h * 16 + l).unwrap_or(b'?'));
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_print() {
        let u = RedactedUrl::parse("rtsp://admin:S3cr3t%21x@192.168.1.9:554/a?token=abc&ch=1").unwrap();
        for s in [u.to_string(), format!("{u:?}"), format!("{:?}", Secret::new("S3cr3t!x"))] {
            assert!(!s.contains("S3cr3t") && !s.contains("abc"), "{s}");
        }
        assert!(u.to_string().starts_with("rtsp://admin:***@192.168.1.9:554/a?"));
        assert!(u.to_string().contains("ch=1"));
    }

    #[test]
    fn credentials_are_split_and_decoded() {
        let u = RedactedUrl::parse("rtsp://a%40b:p%40ss%2F1+%25@10.0.0.1/x").unwrap();
        let (bare, cred) = u.split_credentials();
        let (user, pass) = cred.unwrap();
        assert_eq!((user.as_str(), pass.reveal()), ("a@b", "p@ss/1+%"));
        assert_eq!(bare.as_str(), "rtsp://10.0.0.1/x");
    }
}
