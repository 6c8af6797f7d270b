//! `[[cameras]]`: cameras that the file declares. **The slug is the key**; what the file sets, the API may not change.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use serde::Deserialize;
use vigie_base::Secret;

/// One `[[cameras]]` table.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CameraTable {
    /// The camera's short name in paths: `[a-z][a-z0-9-]{0,62}`.
    pub(crate) slug: String,
    /// The name that people see; the slug when not set.
    pub(crate) name: Option<String>,
    /// Where the main stream is; may hold a user name and password.
    pub(crate) url: String,
    /// Where the small stream is.
    pub(crate) sub_url: Option<String>,
    /// The kind of camera; guessed from the URL when not set.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// For the camera.
    pub(crate) username: Option<String>,
    /// For the camera.
    #[serde(default, deserialize_with = "super::sections::secret")]
    pub(crate) password: Option<Secret>,
    /// A file whose first line is the password.
    pub(crate) password_file: Option<PathBuf>,
    /// `auto`, `tcp` or `udp`.
    pub(crate) transport: Option<String>,
    /// How long to wait for a connection or an answer.
    pub(crate) timeout_ms: Option<u64>,
    /// Who made it.
    pub(crate) manufacturer: Option<String>,
    /// Pull the stream even when nobody watches.
    pub(crate) always_on: Option<bool>,
    /// `false` switches it off.
    pub(crate) enabled: Option<bool>,
}

impl CameraTable {
    /// The password, from the table or the file that it names.
    pub(crate) fn secret(&self) -> anyhow::Result<Option<Secret>> {
        let Some(path) = &self.password_file else { return Ok(self.password.clone()) };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.lines().next().map(|l| Secret::new(l.trim_end()))),
            Err(e) => bail!("camera `{}`: cannot read password_file {}: {e}", self.slug, path.display()),
        }
    }
}

/// What is wrong with the tables as a whole.
pub(super) fn check(cameras: &[CameraTable]) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for c in cameras {
        if !seen.insert(&c.slug) {
            bail!("two [[cameras]] have the slug `{}`", c.slug);
        }
        if c.password.is_some() && c.password_file.is_some() {
            bail!("camera `{}` has both password and password_file: remove one of them", c.slug);
        }
        if c.url.trim().is_empty() {
            bail!("camera `{}` has an empty url", c.slug);
        }
    }
    Ok(())
}
