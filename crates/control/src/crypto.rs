//! The key of this installation, and what hangs on it.
//!
//! One random key lies in `<data-dir>/secret.key` (0600). From it come the key that seals secrets in the database and
//! the key that signs access tokens. **A sealed value opens only in the row and column it was sealed for.**

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use tracing::warn;
use vigie_base::{Fault, Secret};
use zeroize::Zeroizing;

/// Length of an XChaCha20 nonce, which stands before the sealed bytes.
const NONCE_BYTES: usize = 24;
/// First byte of everything sealed, so that another cipher can follow.
const FORMAT: u8 = 1;

/// Why the key file or a sealed value cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The key file cannot be read or written.
    #[error("cannot use the key file {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key file holds something else.
    #[error("the key file {0} is damaged: restore it from a backup, or delete it and enter all passwords again")]
    Damaged(String),
    /// Sealed with another key, for another place, or changed since.
    #[error("a stored secret cannot be opened: it was sealed with another key file")]
    Sealed,
}

impl CryptoError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            CryptoError::Io { .. } => Fault::Disk,
            CryptoError::Damaged(_) | CryptoError::Sealed => Fault::Config,
        }
    }
}

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The row's number.
    pub id: i64,
    /// The column.
    pub column: &'static str,
}

/// The keys of this installation.
pub struct Keys {
    seal: XChaCha20Poly1305,
    signing: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    /// Reads the key file, or makes one where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, CryptoError> {
        let io = |source| CryptoError::Io { path: path.display().to_string(), source };
        match File::open(path) {
            Ok(mut file) => {
                let meta = file.metadata().map_err(io)?;
                if meta.permissions().mode() & 0o077 != 0 {
                    warn!(path = %path.display(), "the key file was readable by others; its mode is 0600 now");
                    file.set_permissions(Permissions::from_mode(0o600)).map_err(io)?;
                }
                let mut text = Zeroizing::new(String::new());
                Read::take(&mut file, 1024).read_to_string(&mut text).map_err(io)?;
                let damaged = || CryptoError::Damaged(path.display().to_string());
                let key = Zeroizing::new(STANDARD_NO_PAD.decode(text.trim()).map_err(|_| damaged())?);
                if key.len() == 32 { Ok(Self::derive(&key)) } else { Err(damaged()) }
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let mut key = Zeroizing::new([0u8; 32]);
                rand::fill(key.as_mut_slice());
                Self::write(path, &*key).map_err(io)?;
                Ok(Self::derive(&*key))
            }
            Err(e) => Err(io(e)),
        }
    }

    /// Whole or not at all: a key cut short by a power cut would lose every stored password.
    fn write(path: &Path, key: &[u8]) -> std::io::Result<()> {
        let new = path.with_extension("key.new");
        // 1. The new file, private from its first moment, synced.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(key));
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // 2. In its place.
        std::fs::rename(&new, path)?;
        // 3. The folder, so that the name survives too.
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    fn derive(key: &[u8]) -> Self {
        let seal = subkey(key, b"vigie/seal/1");
        let signing = subkey(key, b"vigie/access-token/1");
        Self { seal: XChaCha20Poly1305::new(&(*seal).into()), signing: Zeroizing::new(signing.to_vec()) }
    }

    /// The key for access tokens (HS256).
    pub(crate) fn signing(&self) -> &[u8] {
        &self.signing
    }

    /// Seals a value for one place.
    pub fn seal(&self, place: Place, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0u8; NONCE_BYTES];
        rand::fill(nonce.as_mut_slice());
        let aad = aad(place);
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + plain.len() + 16);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        // It fails only for more than 256 GiB.
        if let Ok(body) = self.seal.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }) {
            sealed.extend_from_slice(&body);
        }
        sealed
    }

    /// Opens a value that was sealed for this place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let Some((&FORMAT, rest)) = sealed.split_first() else { return Err(CryptoError::Sealed) };
        let Some((nonce, body)) = rest.split_first_chunk::<NONCE_BYTES>() else { return Err(CryptoError::Sealed) };
        let plain = self.seal.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: &aad(place) });
        plain.map(Zeroizing::new).map_err(|_| CryptoError::Sealed)
    }
}

fn aad(place: Place) -> Vec<u8> {
    format!("{}/{}/{}", place.table, place.id, place.column).into_bytes()
}

fn subkey(key: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// SHA-256, for tokens that are random already.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// `prefix` and `bytes` random bytes in URL-safe base64.
pub(crate) fn random_token(prefix: &str, bytes: usize) -> Secret {
    let mut raw = Zeroizing::new(vec![0u8; bytes]);
    rand::fill(raw.as_mut_slice());
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&*raw)))
}

/// A code for people: groups of four characters that are not mistaken for each other, five bits each.
pub(crate) fn random_code(groups: usize) -> Secret {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut raw = Zeroizing::new(vec![0u8; groups * 4]);
    rand::fill(raw.as_mut_slice());
    let mut code = String::new();
    for (i, b) in raw.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(b % 32)]));
    }
    Secret::new(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { table: "cameras", id: 3, column: "secrets" };

    #[test]
    fn the_key_is_made_once_private_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let sealed = Keys::load_or_create(&path).unwrap().seal(PLACE, b"hunter2");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let again = Keys::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(&**again.open(PLACE, &sealed).unwrap(), b"hunter2");
        assert!(!sealed.windows(7).any(|w| w == b"hunter2"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&dir.path().join("secret.key")).unwrap();
        let sealed = keys.seal(PLACE, b"hunter2");
        assert_ne!(sealed, keys.seal(PLACE, b"hunter2"), "a nonce is used once");
        for elsewhere in
            [Place { id: 4, ..PLACE }, Place { table: "users", ..PLACE }, Place { column: "stream_password", ..PLACE }]
        {
            assert!(matches!(keys.open(elsewhere, &sealed), Err(CryptoError::Sealed)));
        }
        for cut in 0..sealed.len() {
            assert!(keys.open(PLACE, &sealed[..cut]).is_err());
        }
        let mut flipped = sealed.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(keys.open(PLACE, &flipped).is_err());
        let other = Keys::load_or_create(&dir.path().join("other.key")).unwrap();
        assert!(other.open(PLACE, &sealed).is_err());
    }

    #[test]
    fn a_damaged_key_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        for text in ["", "short", "not base64 !!!"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Keys::load_or_create(&path), Err(CryptoError::Damaged(_))));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn tokens_and_codes_are_long_and_different() {
        let (a, b) = (random_token("vgt_", 32), random_token("vgt_", 32));
        assert!(a != b && a.reveal().starts_with("vgt_") && a.reveal().len() == 4 + 43);
        let code = random_code(2);
        assert_eq!(code.reveal().len(), 9);
        assert!(code.reveal().chars().all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit()));
    }
}
