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

/// A URL that prints as `scheme://user:***@host/…`, values that look like secrets included: those of the query, and
/// those in the path (`/user=admin&password=…&channel=1` is how many recorders want it).
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUrl(Url);

/// Names of secrets, as a whole, without case.
const SECRET_NAMES: [&str; 7] = ["key", "auth", "ticket", "pw", "psw", "apikey", "streamkey"];
/// Parts of names that make a secret of the value: `loginpas`, `user_pwd`, `access_token`.
const SECRET_PARTS: [&str; 6] = ["pass", "loginpas", "pwd", "token", "secret", "_key"];

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_PARTS.iter().any(|p| name.contains(p))
}

/// A path with its secrets masked; `None` when there are none. A pair ends at `&`, `;` or `/`, or where `_name=` begins
/// the next one.
fn masked_path(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut found = false;
    for piece in path.split_inclusive(['&', ';', '/', ',']) {
        let (body, end) = match piece.char_indices().next_back() {
            Some((i, c)) if "&;/,".contains(c) => piece.split_at(i),
            _ => (piece, ""),
        };
        let mut rest = body;
        while let Some(equals) = rest.find('=') {
            let (name, value) = (&rest[..equals], &rest[equals + 1..]);
            // `user=admin_password=x_channel=1`: the last word before the next `=` is the next name.
            let next = value.find('=').and_then(|e| value[..e].rfind('_'));
            let (value, more) = value.split_at(next.unwrap_or(value.len()));
            let secret = !value.is_empty() && names_a_secret(name.trim_start_matches('_'));
            found |= secret;
            out.push_str(name);
            out.push('=');
            out.push_str(if secret { "***" } else { value });
            rest = more;
        }
        out.push_str(rest);
        out.push_str(end);
    }
    found.then_some(out)
}

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
                    let secret = names_a_secret(&k);
                    (k.into_owned(), if secret { "***".to_owned() } else { v.into_owned() })
                })
                .collect()
        });
        if let Some(pairs) = masked
            && pairs.iter().any(|(_, v)| v == "***")
        {
            u.query_pairs_mut().clear().extend_pairs(pairs);
        }
        if let Some(path) = masked_path(u.path()) {
            u.set_path(&path);
        }
        u.into()
    }

    /// Whether stars stand where a secret of the path or the query belongs: somebody copied a printed form.
    pub fn is_masked(&self) -> bool {
        let in_path = masked_path(self.0.path()).is_some_and(|p| p == self.0.path());
        in_path || self.0.query_pairs().any(|(_, v)| v == "***")
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
    fn secrets_in_the_path_never_print() {
        for (url, shown) in [
            ("rtsp://h/user=admin&password=S3cr3t!x&channel=1", "rtsp://h/user=admin&password=***&channel=1"),
            (
                "rtsp://h:554/user=admin_password=S3c_r3t_channel=1_stream=0.sdp?real_stream",
                "rtsp://h:554/user=admin_password=***_channel=1_stream=0.sdp?real_stream",
            ),
            ("rtsp://h/a/PWD=S3cr3t/b", "rtsp://h/a/PWD=***/b"),
            ("http://h/v.cgi?loginuse=a&loginpas=S3cr3t", "http://h/v.cgi?loginuse=a&loginpas=***"),
            ("rtsp://h/access_token=S3cr3t", "rtsp://h/access_token=***"),
        ] {
            let u = RedactedUrl::parse(url).unwrap();
            assert_eq!(u.to_string(), shown);
            assert!(!u.is_masked() && RedactedUrl::parse(shown).unwrap().is_masked(), "{shown}");
        }
        for plain in ["rtsp://h/Streaming/Channels/101", "rtsp://h/channel=1_stream=0.sdp", "rtsp://h/a=b/c?x=1"] {
            let u = RedactedUrl::parse(plain).unwrap();
            assert_eq!(u.to_string(), plain);
            assert!(!u.is_masked());
        }
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
