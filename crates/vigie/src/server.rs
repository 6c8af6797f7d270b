//! The web server's sockets: plain or TLS, headers in time, an orderly end.
//!
//! **Every listener serves the same router**; what differs is the port that answers name.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_api::ListenerPort;

use crate::config::Http;

/// A client that connected must have sent its request's head within this long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Requests still running when the server stops get this long; streams are ended by then.
const GRACE: Duration = Duration::from_secs(2);
/// Connections that may wait to be taken.
const BACKLOG: i32 = 1024;

/// Binds an address, with a sentence when that does not work.
pub(crate) fn bind(address: SocketAddr, what: &str, option: &str) -> anyhow::Result<TcpListener> {
    bind_alone(address, false, what, option)
}

/// `alone`: an IPv6 address leaves IPv4 to another listener.
fn bind_alone(address: SocketAddr, alone: bool, what: &str, option: &str) -> anyhow::Result<TcpListener> {
    open(address, alone).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{what}: {address} is taken by another program. Stop it, or choose another port with {option}"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{what}: this user may not listen on {address}. Choose a port above 1023 with {option}")
        }
        _ => anyhow::Error::new(e).context(format!("{what}: cannot listen on {address}")),
    })
}

fn open(address: SocketAddr, alone: bool) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Said either way: what the system does by itself differs (net.ipv6.bindv6only).
        socket.set_only_v6(alone)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The web server's listeners, bound.
#[derive(Debug)]
pub(crate) struct Listeners {
    bound: Vec<(TcpListener, SocketAddr)>,
}

impl Listeners {
    /// All addresses of `http.listen`, which have to be free, and the ports of `http.compat_ports` on the same hosts,
    /// of which a busy one is only missed. Says so once logging runs.
    pub(crate) fn bind(http: &Http) -> anyhow::Result<Self> {
        let mut bound = Vec::new();
        let mut take = |listener: TcpListener| {
            let address = listener.local_addr().context("a listener without an address")?;
            bound.push((listener, address));
            anyhow::Ok(())
        };
        let alone = |a: SocketAddr, all: &[SocketAddr]| {
            a.is_ipv6() && all.iter().any(|b| b.is_ipv4() && (b.port() == a.port() || a.port() == 0))
        };
        for address in &http.listen {
            let listener =
                bind_alone(*address, alone(*address, &http.listen), "the web server", "--http or http.listen")?;
            take(listener)?;
        }
        for port in &http.compat_ports {
            let hosts: Vec<SocketAddr> = http.listen.iter().map(|a| SocketAddr::new(a.ip(), *port)).collect();
            for address in &hosts {
                if *port != 0 && http.listen.contains(address) {
                    continue;
                }
                match bind_alone(*address, alone(*address, &hosts), "compat port", "http.compat_ports") {
                    Ok(listener) => take(listener)?,
                    Err(e) => warn!("{e:#}. Clients of that port are not served; everything else works"),
                }
            }
        }
        Ok(Self { bound })
    }

    /// The address that people are told.
    pub(crate) fn main(&self) -> SocketAddr {
        // `http.listen` is never empty: the configuration was checked.
        self.bound.first().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |(_, a)| *a)
    }

    /// Whether only this machine can come.
    pub(crate) fn on_loopback(&self) -> bool {
        self.bound.iter().all(|(_, a)| a.ip().to_canonical().is_loopback())
    }

    /// Serves on all of them until cancelled, then lets running requests end. One that fails ends the others.
    pub(crate) async fn serve(
        self,
        tls: Option<RustlsConfig>,
        router: Router,
        cancel: CancellationToken,
    ) -> anyhow::Result<()> {
        let main = self.main();
        let mut servers = JoinSet::new();
        for (listener, address) in self.bound {
            if address != main {
                info!(%address, "serving the same there");
            }
            let router = router.clone().layer(Extension(ListenerPort(address.port())));
            servers.spawn(serve(listener, tls.clone(), router, cancel.clone()));
        }
        while let Some(ended) = servers.join_next().await {
            ended.context("the web server's task ended")??;
            if !cancel.is_cancelled() {
                break;
            }
        }
        Ok(())
    }
}

async fn serve(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn http(listen: &[&str], compat_ports: &[u16]) -> Http {
        let listen = listen.iter().map(|a| a.parse().unwrap()).collect();
        Http { listen, compat_ports: compat_ports.to_vec(), ..Http::default() }
    }

    #[test]
    fn a_busy_compat_port_is_missed_and_a_busy_main_one_ends_the_start() {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = busy.local_addr().unwrap();
        let listeners = Listeners::bind(&http(&["127.0.0.1:0"], &[taken.port(), 0])).unwrap();
        assert_eq!(listeners.bound.len(), 2, "the main one and the free compat port");
        assert!(listeners.on_loopback());
        let e = Listeners::bind(&http(&[&taken.to_string()], &[])).unwrap_err().to_string();
        assert!(e.contains("taken") && e.contains("http.listen"), "{e}");
    }

    #[test]
    fn both_families_can_be_listened_on_at_once() {
        let Ok(free) = TcpListener::bind("[::1]:0") else { return };
        let port = free.local_addr().unwrap().port();
        drop(free);
        let both = [format!("127.0.0.1:{port}"), format!("[::]:{port}")];
        let listeners = Listeners::bind(&http(&both.each_ref().map(String::as_str), &[])).unwrap();
        assert_eq!(listeners.bound.len(), 2);
        assert!(!listeners.on_loopback());
        std::net::TcpStream::connect(("::1", port)).unwrap();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }

    #[test]
    fn an_ipv6_listener_alone_takes_ipv4_too() {
        let Ok(listeners) = Listeners::bind(&http(&["[::]:0"], &[])) else { return };
        std::net::TcpStream::connect(("127.0.0.1", listeners.main().port())).unwrap();
    }
}
