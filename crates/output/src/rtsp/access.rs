//! Who may make a request, asked of the [`Gate`](vigie_hub::Gate).
//!
//! **Loopback is judged by the socket's peer address and nothing else.** Without credentials configured, machines
//! other than this one get a 401 whose body says what to change.

use std::net::{IpAddr, SocketAddr};

use tracing::debug;
use vigie_base::StreamKey;
use vigie_hub::{Principal, Verb};
use vigie_proto::rtsp::{Credentials, Request, Response, Status, Verdict};

use super::Server;
use super::metrics::RtspMetrics;

/// Told to clients that would be let in if the server were open.
const HOW_TO_OPEN: &str = "This server has no RTSP password yet. Set rtsp.user and rtsp.password (or RTSP_USER and \
     RTSP_PASSWORD), give a user a stream password, or set rtsp.open = true to let everybody in.";

/// Who a connection belongs to, once it was asked.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// Not asked, or not answered.
    Unknown,
    /// Let in as that.
    Known {
        principal: Principal,
        /// The user name that was proven, and what stands for the password it was proven with.
        user: Option<(String, [u8; 32])>,
    },
}

fn is_loopback(peer: SocketAddr) -> bool {
    match peer.ip() {
        IpAddr::V4(a) => a.is_loopback(),
        IpAddr::V6(a) => a.is_loopback() || a.to_ipv4_mapped().is_some_and(|a| a.is_loopback()),
    }
}

impl Server {
    /// Finds out who makes this request; an answer when it may not be made.
    pub(super) async fn identify(
        &self,
        request: &Request,
        peer: SocketAddr,
        known: &Identity,
        now_s: u64,
    ) -> Result<Identity, Response> {
        let access = self.gate.rtsp_access();
        if let Some(header) = request.header("Authorization") {
            return self.check(header, request, peer, known, now_s).await;
        }
        // The connection proved it before; players differ in whether they repeat it.
        if let Identity::Known { .. } = known {
            return Ok(known.clone());
        }
        let principal = if access.open {
            Principal::OpenDoor
        } else if access.trust_loopback && is_loopback(peer) {
            Principal::Loopback
        } else {
            let response = self.challenge(false, now_s);
            let hint = if access.trust_loopback { HOW_TO_OPEN } else { "A user name and a password are needed." };
            return Err(response.body("text/plain", format!("{hint}\r\n")));
        };
        Ok(Identity::Known { principal, user: None })
    }

    async fn check(
        &self,
        header: &str,
        request: &Request,
        peer: SocketAddr,
        known: &Identity,
        now_s: u64,
    ) -> Result<Identity, Response> {
        let access = self.gate.rtsp_access();
        let Some(credentials) = Credentials::parse(header) else {
            return Err(self.challenge(false, now_s));
        };
        let found = self.gate.stream_secret(credentials.user()).await;
        let scheme_allowed = match &credentials {
            Credentials::Basic { .. } => access.basic || !access.digest,
            Credentials::Digest(_) => access.digest,
        };
        let verdict = match &found {
            Some((_, secret)) if scheme_allowed && !secret.is_empty() => {
                self.auth.verify(&credentials, secret, request.method.as_str(), &request.uri, now_s)
            }
            _ => Verdict::Wrong,
        };
        let same_user = matches!(known, Identity::Known { user: Some((u, _)), .. } if u == credentials.user());
        match (verdict, found) {
            (Verdict::Right, Some((principal, secret))) => {
                let proven = (credentials.user().to_owned(), self.auth.fingerprint(&secret));
                Ok(Identity::Known { principal, user: Some(proven) })
            }
            // A session that lives longer than a nonce is not interrupted: this connection proved it before.
            (Verdict::Stale, Some(_)) if same_user => Ok(known.clone()),
            (Verdict::Stale, _) => Err(self.challenge(true, now_s)),
            _ if access.open => Ok(Identity::Known { principal: Principal::OpenDoor, user: None }),
            // A player with an old password on this machine is let in as it would be without one.
            _ if access.trust_loopback && is_loopback(peer) => {
                Ok(Identity::Known { principal: Principal::Loopback, user: None })
            }
            _ => {
                debug!(%peer, "wrong RTSP credentials");
                Err(self.challenge(false, now_s))
            }
        }
    }

    /// Whether somebody who was let in earlier would still be: the password is the same, the rights are there.
    pub(super) async fn still_welcome(&self, identity: &Identity, key: StreamKey, peer: SocketAddr) -> bool {
        let Identity::Known { principal, user } = identity else { return false };
        let access = self.gate.rtsp_access();
        let known = match user {
            Some((name, proven)) => match self.gate.stream_secret(name).await {
                Some((_, secret)) => self.auth.fingerprint(&secret) == *proven,
                None => access.open,
            },
            None => access.open || access.trust_loopback && is_loopback(peer),
        };
        known && self.gate.allow(principal, key, Verb::View).await
    }

    fn challenge(&self, stale: bool, now_s: u64) -> Response {
        RtspMetrics::add(&self.config.metrics.unauthorized, 1);
        let access = self.gate.rtsp_access();
        self.auth
            .challenges(access.basic, access.digest, stale, now_s)
            .into_iter()
            .fold(Response::new(Status::Unauthorized), |r, c| r.header("WWW-Authenticate", c))
    }

    /// Whether that identity may watch a stream; the refusal otherwise.
    pub(super) async fn may_view(&self, identity: &Identity, key: StreamKey, now_s: u64) -> Result<(), Response> {
        let Identity::Known { principal, .. } = identity else { return Err(self.challenge(false, now_s)) };
        if self.gate.allow(principal, key, Verb::View).await {
            return Ok(());
        }
        match principal {
            // Somebody else might; so ask who it is.
            Principal::Anonymous | Principal::OpenDoor | Principal::Loopback => Err(self.challenge(false, now_s)),
            _ => Err(Response::explained(Status::Forbidden, "You may not watch this camera.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use vigie_base::Secret;
    use vigie_hub::gate::RtspAccess;
    use vigie_hub::{Gate, Hub};
    use vigie_proto::rtsp::{Input, Parser};

    use super::*;

    struct NoCredentials;

    #[async_trait]
    impl Gate for NoCredentials {
        fn rtsp_access(&self) -> RtspAccess {
            RtspAccess { basic: true, digest: true, trust_loopback: true, open: false }
        }
        async fn stream_secret(&self, _user: &str) -> Option<(Principal, Secret)> {
            None
        }
        async fn allow(&self, _who: &Principal, _key: StreamKey, _verb: Verb) -> bool {
            true
        }
        async fn resolve(&self, _path: &str) -> Option<StreamKey> {
            None
        }
    }

    #[tokio::test]
    async fn without_credentials_this_machine_is_let_in_and_others_are_told_what_to_set() {
        let server = Server::new(Hub::default(), Arc::new(NoCredentials), super::super::RtspConfig::default(), None);
        let mut p = Parser::default();
        p.push(b"DESCRIBE rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n");
        let Ok(Some(Input::Request(r))) = p.next() else { panic!() };
        for here in ["127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            let found = server.identify(&r, here.parse().unwrap(), &Identity::Unknown, 0).await;
            assert!(matches!(found, Ok(Identity::Known { principal: Principal::Loopback, .. })), "{here}");
        }
        for away in ["192.0.2.7:5", "[2001:db8::1]:5", "[::ffff:192.0.2.7]:5"] {
            let refused = server.identify(&r, away.parse().unwrap(), &Identity::Unknown, 0).await.unwrap_err();
            assert_eq!(refused.status, Status::Unauthorized);
            assert!(refused.get("WWW-Authenticate").is_some());
            let text = String::from_utf8(refused.encode(Some("1"), 0)).unwrap();
            assert!(text.contains("rtsp.open = true"), "{text}");
        }
    }
}
