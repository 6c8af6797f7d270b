//! Basic and Digest (RFC 2617, as RFC 2326 §4 takes it over), the server's half.
//!
//! **Nothing is remembered per client**: a nonce carries its own time and a MAC over it. MD5 is what RTSP players
//! know; Digest is offered before Basic, and SHA-256 is not offered at all, because ffmpeg 5.1 takes the last Digest
//! challenge it sees and then fails on an algorithm that it does not know. The realm never changes: players and
//! recorders store it with the password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use vigie_base::Secret;

/// The realm of every challenge, for ever.
pub const REALM: &str = "Vigie";
/// Seconds after which a nonce is answered `stale=true`.
pub const NONCE_LIFETIME_S: u64 = 300;

/// What came in an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User name and password in the clear.
    Basic {
        /// User name.
        user: String,
        /// What the client says is the password.
        password: Secret,
    },
    /// A proof of knowing the password.
    Digest(DigestResponse),
}

/// The parts of a Digest answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestResponse {
    user: String,
    realm: String,
    nonce: String,
    uri: String,
    response: String,
    algorithm: Option<String>,
    /// `qop`, `nc`, `cnonce`, when the client uses them.
    qop: Option<(String, String, String)>,
}

impl Credentials {
    /// Reads an `Authorization` header.
    pub fn parse(header: &str) -> Option<Credentials> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("Basic") {
            let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            return Some(Credentials::Basic { user: user.to_owned(), password: Secret::new(password) });
        }
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut d = DigestResponse::default();
        let (mut qop, mut nc, mut cnonce) = (None, None, None);
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "username" => d.user = value,
                "realm" => d.realm = value,
                "nonce" => d.nonce = value,
                "uri" => d.uri = value,
                "response" => d.response = value,
                "algorithm" => d.algorithm = Some(value),
                "qop" => qop = Some(value),
                "nc" => nc = Some(value),
                "cnonce" => cnonce = Some(value),
                _ => {}
            }
        }
        if let Some(q) = qop {
            d.qop = Some((q, nc?, cnonce?));
        }
        Some(Credentials::Digest(d))
    }

    /// Who claims to be there.
    pub fn user(&self) -> &str {
        match self {
            Credentials::Basic { user, .. } => user,
            Credentials::Digest(d) => &d.user,
        }
    }
}

/// `name=value` and `name="quoted \" value"`, separated by commas.
fn parameters(s: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = s.trim_start_matches([' ', ',']);
    while let Some((name, tail)) = rest.split_once('=') {
        let tail = tail.trim_start();
        let mut value = String::new();
        let after = if let Some(quoted) = tail.strip_prefix('"') {
            let mut chars = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((i, c)) = chars.next() {
                match c {
                    '"' => {
                        end = i + 1;
                        break;
                    }
                    '\\' => value.extend(chars.next().map(|c| c.1)),
                    c => value.push(c),
                }
            }
            &quoted[end..]
        } else {
            let end = tail.find(',').unwrap_or(tail.len());
            value.push_str(tail[..end].trim());
            &tail[end..]
        };
        out.push((name.trim().to_owned(), value));
        rest = after.trim_start_matches([' ', ',', '\t']);
    }
    out
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is who it says.
    Right,
    /// The password is right but the nonce has expired: ask again, the client need not ask its user.
    Stale,
    /// It is not.
    Wrong,
}

/// Makes challenges and checks the answers.
#[derive(Clone)]
pub struct Authenticator {
    key: [u8; 32],
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}

impl Authenticator {
    /// With a random key, which stays the same while the process runs.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The `WWW-Authenticate` values to send, strongest first.
    pub fn challenges(&self, basic: bool, digest: bool, stale: bool, now_s: u64) -> Vec<String> {
        let mut out = Vec::new();
        if digest {
            let stale = if stale { ", stale=true" } else { "" };
            out.push(format!("Digest realm=\"{REALM}\", nonce=\"{}\", algorithm=MD5{stale}", self.nonce(now_s)));
        }
        if basic || out.is_empty() {
            out.push(format!("Basic realm=\"{REALM}\""));
        }
        out
    }

    /// Stands for a secret where the secret itself must not be kept: equal only for equal secrets, while the process
    /// runs.
    pub fn fingerprint(&self, secret: &Secret) -> [u8; 32] {
        self.mac(secret.reveal().as_bytes())
    }

    fn nonce(&self, now_s: u64) -> String {
        let time = format!("{now_s:016x}");
        let mac = self.mac(time.as_bytes());
        format!("{time}{}", hex(&mac[..16]))
    }

    fn mac(&self, data: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length; the other branch cannot be reached and would refuse everything.
        Hmac::<Sha256>::new_from_slice(&self.key)
            .map_or([0; 32], |m| m.chain_update(data).finalize().into_bytes().into())
    }

    /// Seconds since the nonce was made, when it is one of ours.
    fn age(&self, nonce: &str, now_s: u64) -> Option<u64> {
        let time = nonce.get(..16)?;
        let made = u64::from_str_radix(time, 16).ok()?;
        same(self.nonce(made).as_bytes(), nonce.as_bytes()).then(|| now_s.saturating_sub(made))
    }

    /// Whether the client knows `secret`. `method` and `uri` are those of the request.
    pub fn verify(&self, c: &Credentials, secret: &Secret, method: &str, uri: &str, now_s: u64) -> Verdict {
        match c {
            Credentials::Basic { password, .. } => {
                let (a, b) = (self.mac(password.reveal().as_bytes()), self.mac(secret.reveal().as_bytes()));
                if same(&a, &b) { Verdict::Right } else { Verdict::Wrong }
            }
            Credentials::Digest(d) => self.digest(d, secret, method, uri, now_s),
        }
    }

    fn digest(&self, d: &DigestResponse, secret: &Secret, method: &str, uri: &str, now_s: u64) -> Verdict {
        let md5_alone = d.algorithm.as_deref().is_none_or(|a| a.eq_ignore_ascii_case("MD5"));
        let Some(age) = self.age(&d.nonce, now_s) else {
            // From before a restart, or invented; a client that still knows its password asks again.
            return if md5_alone && !d.nonce.is_empty() { Verdict::Stale } else { Verdict::Wrong };
        };
        if d.realm != REALM || !md5_alone || !covers(&d.uri, uri) {
            return Verdict::Wrong;
        }
        let ha1 = md5(&format!("{}:{REALM}:{}", d.user, secret.reveal()));
        let ha2 = md5(&format!("{method}:{}", d.uri));
        let expected = match &d.qop {
            None => md5(&format!("{ha1}:{}:{ha2}", d.nonce)),
            Some((qop, nc, cnonce)) if qop == "auth" => md5(&format!("{ha1}:{}:{nc}:{cnonce}:{qop}:{ha2}", d.nonce)),
            Some(_) => return Verdict::Wrong,
        };
        match same(expected.as_bytes(), d.response.to_ascii_lowercase().as_bytes()) {
            false => Verdict::Wrong,
            true if age > NONCE_LIFETIME_S => Verdict::Stale,
            true => Verdict::Right,
        }
    }
}

/// Whether a proof made for `signed` counts for `asked`: the same URL, or its path alone, or the stream that a track's
/// URL belongs to. Players differ here.
fn covers(signed: &str, asked: &str) -> bool {
    let path = |s: &str| {
        let s = s.split_once("://").map_or(s, |(_, rest)| rest.find('/').map_or("", |i| &rest[i..]));
        s.trim_end_matches('/').to_owned()
    };
    let (signed, asked) = (path(signed), path(asked));
    asked == signed || asked.strip_prefix(&signed).is_some_and(|rest| rest.starts_with('/') || rest.starts_with('?'))
}

fn md5(s: &str) -> String {
    hex(&Md5::digest(s.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|d| char::from_digit(u32::from(d), 16)).collect()
}

/// Compares in time that depends on the lengths alone.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "rtsp://h:8554/cam/1/main";

    fn answer(challenge: &str, password: &str, method: &str, uri: &str, qop: bool) -> String {
        let nonce =
            parameters(challenge.strip_prefix("Digest").unwrap()).into_iter().find(|p| p.0 == "nonce").unwrap().1;
        let ha1 = md5(&format!("joe:Vigie:{password}"));
        let ha2 = md5(&format!("{method}:{uri}"));
        let (response, extra) = if qop {
            (md5(&format!("{ha1}:{nonce}:00000001:abc:auth:{ha2}")), ", qop=auth, nc=00000001, cnonce=\"abc\"")
        } else {
            (md5(&format!("{ha1}:{nonce}:{ha2}")), "")
        };
        format!(
            "Digest username=\"joe\", realm=\"Vigie\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\"{extra}"
        )
    }

    #[test]
    fn digest_with_and_without_qop() {
        let a = Authenticator::new([7; 32]);
        let secret = Secret::new("s3:cr\"et");
        let challenge = &a.challenges(true, true, false, 1000)[0];
        for qop in [false, true] {
            let c = Credentials::parse(&answer(challenge, "s3:cr\"et", "PLAY", URI, qop)).unwrap();
            assert_eq!(c.user(), "joe");
            assert_eq!(a.verify(&c, &secret, "PLAY", URI, 1010), Verdict::Right);
            // The track's URL is covered by the stream's; another stream is not.
            assert_eq!(a.verify(&c, &secret, "PLAY", &format!("{URI}/trackID=0"), 1010), Verdict::Right);
            assert_eq!(a.verify(&c, &secret, "PLAY", "rtsp://h:8554/cam/1/mainX", 1010), Verdict::Wrong);
            assert_eq!(a.verify(&c, &secret, "SETUP", URI, 1010), Verdict::Wrong);
            assert_eq!(a.verify(&c, &Secret::new("other"), "PLAY", URI, 1010), Verdict::Wrong);
            assert_eq!(a.verify(&c, &secret, "PLAY", URI, 1000 + NONCE_LIFETIME_S + 1), Verdict::Stale);
            assert_eq!(Authenticator::new([8; 32]).verify(&c, &secret, "PLAY", URI, 1010), Verdict::Stale);
        }
    }

    #[test]
    fn basic_compares_the_password() {
        let a = Authenticator::new([7; 32]);
        let c = Credentials::parse(&format!("Basic {}", BASE64.encode("joe:a:b"))).unwrap();
        assert_eq!(c.user(), "joe");
        assert_eq!(a.verify(&c, &Secret::new("a:b"), "PLAY", URI, 0), Verdict::Right);
        assert_eq!(a.verify(&c, &Secret::new("a:c"), "PLAY", URI, 0), Verdict::Wrong);
        assert!(!format!("{c:?}").contains("a:b"));
    }

    #[test]
    fn challenges_are_ordered_and_never_empty() {
        let a = Authenticator::new([7; 32]);
        let both = a.challenges(true, true, true, 5);
        assert!(both[0].starts_with("Digest realm=\"Vigie\", nonce=") && both[0].ends_with("stale=true"));
        assert_eq!(both[1], "Basic realm=\"Vigie\"");
        assert_eq!(a.challenges(false, false, false, 5).len(), 1);
    }

    #[test]
    fn malformed_headers_are_nobody() {
        for bad in ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x", "Digest qop=auth"] {
            assert_eq!(Credentials::parse(bad), None, "{bad}");
        }
        let open = Credentials::parse("Digest username=\"never closed, realm=x").unwrap();
        let v = Authenticator::new([0; 32]).verify(&open, &Secret::new("x"), "PLAY", URI, 0);
        assert_eq!(v, Verdict::Wrong);
    }
}
