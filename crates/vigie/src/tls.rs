//! The certificate of the web server: the operator's own, or one made at the first start.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;

use crate::config::Tls;

/// Where certificate and key are, made when asked for and missing; `None` for plain HTTP.
pub(crate) fn files(tls: &Tls, data_dir: &Path) -> anyhow::Result<Option<(PathBuf, PathBuf)>> {
    if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
        return Ok(Some((cert.clone(), key.clone())));
    }
    if !tls.self_signed {
        return Ok(None);
    }
    let dir = data_dir.join("tls");
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    if !(cert.exists() && key.exists()) {
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        make(&cert, &key).context("cannot make a certificate")?;
        tracing::info!(cert = %cert.display(), "made a self-signed certificate; browsers will ask once whether to trust it");
    }
    Ok(Some((cert, key)))
}

/// Reads both files into a server configuration that can be reloaded.
pub(crate) async fn load(cert: &Path, key: &Path) -> anyhow::Result<RustlsConfig> {
    RustlsConfig::from_pem_file(cert, key)
        .await
        .with_context(|| format!("cannot use the certificate {} with the key {}", cert.display(), key.display()))
}

fn make(cert: &Path, key: &Path) -> anyhow::Result<()> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        let host = host.trim();
        if !host.is_empty() && host != "localhost" {
            names.extend([host.to_owned(), format!("{host}.local")]);
        }
    }
    names.extend(crate::banner::lan_address().map(|a| a.to_string()));
    let made = rcgen::generate_simple_self_signed(names)?;
    // The key first: a certificate without its key would look finished at the next start.
    write_private(key, made.signing_key.serialize_pem().as_bytes())?;
    write_private(cert, made.cert.pem().as_bytes())
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_certificate_is_made_once_and_its_key_is_private() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let tls = Tls { self_signed: true, ..Tls::default() };
        let (cert, key) = files(&tls, dir.path()).unwrap().unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let before = std::fs::read(&cert).unwrap();
        load(&cert, &key).await.unwrap();
        files(&tls, dir.path()).unwrap();
        assert_eq!(before, std::fs::read(&cert).unwrap());
        assert!(files(&Tls::default(), dir.path()).unwrap().is_none());
    }
}
