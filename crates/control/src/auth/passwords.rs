//! Login passwords: Argon2id, and only here. **Never on a media path**: hashing takes tens of milliseconds and
//! megabytes, so at most two run at a time, and few may wait (decision 15).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use vigie_base::Secret;

use crate::config::Argon2Cost;
use crate::error::{Error, Result};

/// Hashes at one time.
const AT_ONCE: usize = 2;
/// Requests that may wait for one of them; more are refused (429).
const WAITING: usize = 8;
/// Longest password, in bytes; longer ones are refused before they cost anything.
pub(crate) const MAX_BYTES: usize = 256;
/// Shortest new password, in characters.
const MIN_CHARS: usize = 10;
/// Long enough, yet the first that anybody tries.
const COMMON: [&str; 14] = [
    "1234567890",
    "12345678910",
    "0123456789",
    "0987654321",
    "password12",
    "password123",
    "password1234",
    "passwordpassword",
    "motdepasse",
    "motdepasse1",
    "motdepasse123",
    "qwertyuiop",
    "azertyuiop",
    "changemenow",
];

/// Hashes and checks passwords. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    /// Checked for unknown users, so that they take as long as known ones.
    nobody: Arc<str>,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Passwords {
    pub(crate) async fn new(cost: Argon2Cost) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|e| Error::Internal(format!("argon2 cost: {e}")))?;
        let mut new = Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobody: Arc::from(""),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
        };
        new.nobody = nobody(cost).into();
        Ok(new)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static) -> Result<T> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= AT_ONCE + WAITING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::SignInBusy);
        }
        let waiting = Waiting(Arc::clone(&self.waiting));
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Error::Stopping)?;
        let argon2 = self.argon2.clone();
        let work = move || {
            // Both are given back when the work is done, not when the asker goes away.
            let _held = (permit, waiting);
            work(&argon2)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Internal("hashing panicked".to_owned()))
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<String> {
        let password = password.clone();
        self.run(move |argon2| argon2.hash_password(password.reveal().as_bytes()).map(|h| h.to_string()))
            .await?
            .map_err(|e| Error::Internal(format!("argon2: {e}")))
    }

    /// Whether the password fits. Without a hash (an unknown user) it takes just as long, and never fits.
    pub(crate) async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool> {
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.nobody), Arc::from);
        // An overlong password is wrong; it is cut so that it costs no more than others.
        let fits = password.reveal().len() <= MAX_BYTES;
        let password = if fits { password.clone() } else { Secret::new("") };
        let right = self
            .run(move |argon2| {
                PasswordHash::new(&hash).is_ok_and(|h| argon2.verify_password(password.reveal().as_bytes(), &h).is_ok())
            })
            .await?;
        Ok(right && known && fits)
    }
}

/// A PHC string of the same cost whose output no password gives: checking it costs what checking any other does.
fn nobody(cost: Argon2Cost) -> String {
    let zeros = "A".repeat(43);
    format!("$argon2id$v=19$m={},t={},p=1$AAAAAAAAAAAAAAAAAAAAAA${zeros}", cost.memory_kib, cost.passes)
}

/// Whether a user name can be used: it stands in Basic, Digest and log lines.
pub(crate) fn check_username(name: &str) -> Result<()> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    if name.is_empty() {
        return Err(Error::missing("username"));
    }
    if name.chars().count() > 64 || !name.chars().all(fine) {
        return Err(Error::field(
            "username",
            "value",
            "a user name has at most 64 letters, digits and the characters . _ - @ +",
        ));
    }
    Ok(())
}

/// Whether a password may be chosen.
pub(crate) fn check_new_password(field: &str, username: &str, password: &Secret) -> Result<()> {
    let p = password.reveal();
    let refuse = |error: &str| Err(Error::field(field, "value", error));
    if p.is_empty() {
        return Err(Error::missing(field));
    }
    if p.chars().count() < MIN_CHARS {
        return refuse("a password has at least 10 characters");
    }
    if p.len() > MAX_BYTES {
        return refuse("a password has at most 256 bytes");
    }
    let lower = p.to_lowercase();
    if lower == username.to_lowercase() {
        return refuse("the password must not be the user name");
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 4 || COMMON.contains(&lower.as_str()) {
        return refuse("this password is one of the first that anybody tries: choose another");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 8, passes: 1 };

    #[tokio::test]
    async fn passwords_fit_or_do_not() {
        let p = Passwords::new(CHEAP).await.unwrap();
        let hash = p.hash(&Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(p.verify(&Secret::new("correct horse"), Some(&hash)).await.unwrap());
        assert!(!p.verify(&Secret::new("correct horsE"), Some(&hash)).await.unwrap());
        assert!(!p.verify(&Secret::new("correct horse"), None).await.unwrap());
        assert!(!p.verify(&Secret::new("x".repeat(10_000)), Some(&hash)).await.unwrap());
        assert!(!p.verify(&Secret::new("correct horse"), Some("no hash at all")).await.unwrap());
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let text = nobody(Argon2Cost::default());
        let hash = PasswordHash::new(&text).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!((params.m_cost(), params.t_cost()), (19 * 1024, 2));
        assert_eq!(hash.hash.unwrap().len(), 32);
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_instead_of_queued() {
        let p = Passwords::new(CHEAP).await.unwrap();
        // Both places are taken, so that everybody who comes has to wait.
        let held = Arc::clone(&p.permits).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let p = p.clone();
            waiting.spawn(async move { p.verify(&Secret::new("x"), None).await });
        }
        let mut refused = 0;
        while refused < 100 - AT_ONCE - WAITING {
            assert!(matches!(waiting.join_next().await.unwrap().unwrap(), Err(Error::SignInBusy)));
            refused += 1;
        }
        drop(held);
        while let Some(r) = waiting.join_next().await {
            assert!(!r.unwrap().unwrap());
        }
        assert!(p.verify(&Secret::new("x"), None).await.is_ok(), "places are given back");
    }

    #[test]
    fn poor_passwords_and_odd_names_are_refused() {
        for (name, password) in [
            ("guard", ""),
            ("guard", "short"),
            ("administrator", "Administrator"),
            ("guard", "aaaaaaaaaaaaaaaa"),
            ("guard", "Password123"),
        ] {
            assert!(check_new_password("password", name, &Secret::new(password)).is_err(), "{password}");
        }
        assert!(check_new_password("password", "guard", &Secret::new("grün-wie-7-Äpfel")).is_ok());
        for name in ["", "a b", "a:b", "a\"b", "a\nb", "<x>"] {
            assert!(check_username(name).is_err(), "{name:?}");
        }
        for name in ["admin", "zoé", "a.b-c_d@club+1"] {
            assert!(check_username(name).is_ok(), "{name:?}");
        }
    }
}
