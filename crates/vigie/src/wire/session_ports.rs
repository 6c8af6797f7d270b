//! A port of its own for each session, as the older systems had (contract X-03, `compat.session_ports`).
//!
//! **A port is free again the moment its session is closed**: its listener is closed then and there, not when some task
//! finds the time, and whoever still watches through it is told that there is no more.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::serve::Listener;
use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use vigie_base::SessionId;
use vigie_control::SessionPorts;
use vigie_control::host::NoFreePort;
use vigie_output::pictures::Outputs;

/// One session's listener. Dropping it closes the port and ends its connections.
#[derive(Debug)]
struct Open {
    port: u16,
    listener: Arc<Mutex<Option<TcpListener>>>,
    ended: CancellationToken,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.listener.lock().take();
        self.ended.cancel();
    }
}

/// The ports of all sessions.
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    outputs: OnceLock<Outputs>,
    open: Mutex<BTreeMap<SessionId, Open>>,
}

impl Ports {
    /// Nothing is open yet.
    pub(super) fn new(range: RangeInclusive<u16>) -> Arc<Self> {
        Arc::new(Self { range, outputs: OnceLock::new(), open: Mutex::default() })
    }

    /// What the ports show. The rules come before the outputs, which ask them; so this is said afterwards.
    pub(super) fn show(&self, outputs: Outputs) {
        if self.outputs.set(outputs).is_err() {
            warn!("session ports were told twice what to show");
        }
    }

    /// Closes every port.
    pub(super) fn shutdown(&self) {
        self.open.lock().clear();
    }

    /// The first port of the range that is free. Whatever listens there already keeps it.
    fn bind(&self) -> Option<TcpListener> {
        self.range.clone().find_map(|port| {
            let bound = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok()?;
            bound.set_nonblocking(true).ok()?;
            TcpListener::from_std(bound).ok()
        })
    }
}

impl SessionPorts for Ports {
    fn allocate(&self, session: &SessionId) -> Result<Option<u16>, NoFreePort> {
        let Some(outputs) = self.outputs.get() else { return Ok(None) };
        let mut open = self.open.lock();
        if let Some(there) = open.get(session) {
            return Ok(Some(there.port));
        }
        let bound = self.bind().and_then(|l| Some((l.local_addr().ok()?.port(), l)));
        let Some((port, listener)) = bound else {
            warn!(first = self.range.start(), last = self.range.end(), "every port for sessions is taken");
            return Err(NoFreePort);
        };
        let (listener, ended) = (Arc::new(Mutex::new(Some(listener))), CancellationToken::new());
        let door = Door { listener: Arc::clone(&listener), port };
        tokio::spawn(serve(door, outputs.session_port(&session.0), ended.clone()));
        open.insert(session.clone(), Open { port, listener, ended });
        info!(session = %session, port, "the session has a port of its own");
        Ok(Some(port))
    }

    fn release(&self, session: &SessionId) {
        self.open.lock().remove(session);
    }

    fn list(&self) -> Vec<(SessionId, u16)> {
        self.open.lock().iter().map(|(s, o)| (s.clone(), o.port)).collect()
    }
}

async fn serve(door: Door, router: Router, ended: CancellationToken) {
    let until = ended.clone();
    let router = router.layer(from_fn(move |request: Request, next: Next| {
        let until = until.clone();
        async move {
            // Pictures without end have to end with the session.
            next.run(request)
                .await
                .map(|body| Body::from_stream(body.into_data_stream().take_until(until.cancelled_owned())))
        }
    }));
    if let Err(e) = axum::serve(door, router).with_graceful_shutdown(ended.cancelled_owned()).await {
        warn!(error = %e, "a session's port ended badly");
    }
}

/// A listener that can be closed from outside. Once closed, nobody comes any more.
#[derive(Debug)]
struct Door {
    listener: Arc<Mutex<Option<TcpListener>>>,
    port: u16,
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = poll_fn(|cx| match &*self.listener.lock() {
                Some(listener) => listener.poll_accept(cx),
                None => Poll::Pending,
            });
            match accepted.await {
                Ok(connection) => return connection,
                // Out of files, or the client went away already: the next one may have more luck.
                Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(e) => {
                    warn!(port = self.port, error = %e, "a connection to a session's port was not taken");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_hub::Hub;

    /// A gate that knows no session: these tests are about ports.
    struct Nobody;

    #[async_trait::async_trait]
    impl vigie_hub::Gate for Nobody {
        fn rtsp_access(&self) -> vigie_hub::gate::RtspAccess {
            vigie_hub::gate::RtspAccess { basic: false, digest: false, trust_loopback: false, open: false }
        }
        async fn stream_secret(&self, _: &str) -> Option<(vigie_hub::Principal, vigie_base::Secret)> {
            None
        }
        async fn allow(&self, _: &vigie_hub::Principal, _: vigie_base::StreamKey, _: vigie_hub::Verb) -> bool {
            false
        }
        async fn resolve(&self, _: &str) -> Option<vigie_base::StreamKey> {
            None
        }
    }

    fn session(n: u16) -> SessionId {
        SessionId(format!("sess_0_1_{n}"))
    }

    fn ports(range: RangeInclusive<u16>) -> Arc<Ports> {
        let ports = Ports::new(range);
        let options = vigie_output::pictures::Options::default();
        ports.show(Outputs::new(Hub::default(), Arc::new(Nobody), options));
        ports
    }

    /// So many ports in a row that were free a moment ago, the listeners that hold them now.
    fn row(count: u16) -> (u16, Vec<std::net::TcpListener>) {
        let hold = |p| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, p));
        (20_000..30_000)
            .step_by(usize::from(count))
            .find_map(|first| Some((first, (first..first + count).map(|p| hold(p).ok()).collect::<Option<Vec<_>>>()?)))
            .expect("somewhere ports are free")
    }

    #[tokio::test]
    async fn ports_are_given_in_order_past_busy_ones_and_come_back_at_once() {
        let (first, mut held) = row(4);
        // Somebody else listens on the second.
        let _busy = held.remove(1);
        drop(held);
        let ports = ports(first..=first + 3);
        assert_eq!(ports.allocate(&session(1)), Ok(Some(first)));
        assert_eq!(ports.allocate(&session(1)), Ok(Some(first)), "asked twice, one port");
        assert_eq!(ports.allocate(&session(2)), Ok(Some(first + 2)));
        assert_eq!(ports.allocate(&session(3)), Ok(Some(first + 3)));
        assert_eq!(ports.allocate(&session(4)), Err(NoFreePort));
        assert_eq!(ports.list().len(), 3);
        ports.release(&session(2));
        assert_eq!(ports.allocate(&session(4)), Ok(Some(first + 2)));
        ports.shutdown();
        assert!(ports.list().is_empty());
        std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("a closed port is free for others");
    }

    #[tokio::test]
    async fn a_port_answers_on_loopback_while_its_session_is_open() {
        let (first, held) = row(1);
        drop(held);
        let ports = ports(first..=first);
        ports.allocate(&session(1)).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{first}/health");
        assert_eq!(client.get(&url).send().await.unwrap().status(), 404, "this gate knows no session");
        ports.release(&session(1));
        assert!(client.get(&url).send().await.is_err(), "nobody listens any more");
    }
}
