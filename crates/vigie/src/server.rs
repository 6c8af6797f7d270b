//! The web server's socket: plain or TLS, headers in time, an orderly end.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;

/// A client that connected must have sent its request's head within this long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Requests still running when the server stops get this long; streams are ended by then.
const GRACE: Duration = Duration::from_secs(2);

/// Binds an address, with a sentence when that does not work.
pub(crate) fn bind(address: SocketAddr, what: &str, option: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{what}: {address} is taken by another program. Stop it, or choose another port with {option}"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{what}: this user may not listen on {address}. Choose a port above 1023 with {option}")
        }
        _ => anyhow::Error::new(e).context(format!("{what}: cannot listen on {address}")),
    })?;
    listener.set_nonblocking(true).context("cannot make a socket non-blocking")?;
    Ok(listener)
}

/// Serves until cancelled, then lets running requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let handle = Handle::new();
    let stopping = handle.clone();
    tokio::spawn(async move {
        cancel.cancelled().await;
        stopping.graceful_shutdown(Some(GRACE));
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let result = match tls {
        Some(config) => {
            let mut server = axum_server::from_tcp_rustls(listener, config)?.handle(handle);
            server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            server.serve(service).await
        }
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle);
            server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            server.serve(service).await
        }
    };
    result.context("the web server failed")
}
