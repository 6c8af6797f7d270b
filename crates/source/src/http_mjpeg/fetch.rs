//! One HTTP request and its answer: redirects, authentication, and sentences for what goes wrong.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_auth::{PasswordClient, PasswordParams};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, USER_AGENT, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};
use vigie_hub::Reason;

use crate::{SourceError, SourceSpec, address};

/// Redirects followed for one picture.
const MAX_REDIRECTS: usize = 3;

/// Fetches the camera's URL, once or again and again.
pub(super) struct Fetcher {
    spec: SourceSpec,
    /// The client of the last host, with that host's addresses.
    client: Option<(String, Client)>,
    auth: Option<PasswordClient>,
}

/// A successful answer, its body still to come.
pub(super) struct Answer {
    response: Response,
    pub(super) content_type: String,
    host: String,
}

impl Answer {
    /// More of the body; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        self.response.chunk().await.map_err(|_| {
            SourceError::new(Reason::Tcp, format!("{} closed the connection in the middle of a picture", self.host))
        })
    }
}

impl Fetcher {
    pub(super) fn new(spec: &SourceSpec) -> Self {
        Self { spec: spec.clone(), client: None, auth: None }
    }

    /// Follows redirects and answers a challenge; each step within the time-out.
    pub(super) async fn get(&mut self) -> Result<Answer, SourceError> {
        let mut url = self.spec.url.clone();
        for hop in 0..=MAX_REDIRECTS {
            let response = self.request(&url, hop).await?;
            let status = response.status();
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                url = self.follow(&url, response.headers())?;
                continue;
            }
            let host = host_of(&url);
            if !status.is_success() {
                return Err(refused(&host, status, self.spec.credentials.is_some()));
            }
            let content_type = header(response.headers(), CONTENT_TYPE);
            if content_type.to_ascii_lowercase().starts_with("text/html") {
                let message = format!("{host} answers with a web page, not with pictures: check the path");
                return Err(SourceError::new(Reason::NoVideo, message));
            }
            return Ok(Answer { response, content_type, host });
        }
        Err(SourceError::new(Reason::Protocol, format!("{} redirects in circles", host_of(&self.spec.url))))
    }

    fn follow(&self, from: &Url, headers: &HeaderMap) -> Result<Url, SourceError> {
        let bad = || {
            let message = format!("{} redirects to something that is no HTTP address", host_of(from));
            SourceError::new(Reason::Protocol, message)
        };
        let mut next = from.join(&header(headers, LOCATION)).map_err(|_| bad())?;
        if !matches!(next.scheme(), "http" | "https") || next.host_str().is_none() {
            return Err(bad());
        }
        if from.scheme() == "https" && next.scheme() == "http" {
            let message = format!("{} redirects from HTTPS to unprotected HTTP, which is not followed", host_of(from));
            return Err(SourceError::new(Reason::Protocol, message));
        }
        // Credentials in a redirect are the redirector's idea, not the user's.
        let _ = next.set_username("");
        let _ = next.set_password(None);
        Ok(next)
    }

    async fn request(&mut self, url: &Url, hop: usize) -> Result<Response, SourceError> {
        let client = self.client_for(url, hop).await?;
        // A password is for the host it was given for.
        let same_host = url.host_str() == self.spec.url.host_str()
            && url.port_or_known_default() == self.spec.url.port_or_known_default()
            && url.scheme() == self.spec.url.scheme();
        let answered_before = self.auth.is_some();
        let response = self.send(&client, url, same_host).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !same_host || self.spec.credentials.is_none() {
            return Ok(response);
        }
        let mut challenges = PasswordClient::builder();
        for value in response.headers().get_all(WWW_AUTHENTICATE) {
            challenges = challenges.challenges(value.to_str().unwrap_or_default());
        }
        let host = host_of(url);
        let challenge = challenges.build().map_err(|_| {
            SourceError::new(Reason::Auth, format!("{host} asks for a password in a way that is not understood"))
        })?;
        // A second refusal of the same password would be the same; a nonce that ran out is worth one more try.
        self.auth = Some(challenge);
        drop(response);
        let response = self.send(&client, url, true).await?;
        if response.status() == StatusCode::UNAUTHORIZED && !answered_before {
            self.auth = None;
        }
        Ok(response)
    }

    async fn send(&mut self, client: &Client, url: &Url, with_password: bool) -> Result<Response, SourceError> {
        let mut request = client.get(url.clone());
        let agent = self.spec.config.user_agent.as_deref();
        request = request.header(USER_AGENT, agent.unwrap_or(concat!("Vigie/", env!("CARGO_PKG_VERSION"))));
        if let (true, Some(auth), Some((user, password))) = (with_password, &mut self.auth, &self.spec.credentials) {
            let uri = &url[url::Position::BeforePath..url::Position::AfterQuery];
            let parameters =
                PasswordParams { username: user, password: password.reveal(), uri, method: "GET", body: Some(&[]) };
            let value = auth.respond(&parameters).map_err(|_| {
                SourceError::new(Reason::Auth, format!("{} asks for a password in an unknown way", host_of(url)))
            })?;
            request = request.header(AUTHORIZATION, value);
        }
        let within = self.spec.config.timeout();
        match timeout(within, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(e)) => Err(unreachable(&host_of(url), &e)),
            Err(_) => Err(late(&host_of(url), within)),
        }
    }

    /// A client that can only go to the addresses that were looked at.
    async fn client_for(&mut self, url: &Url, hop: usize) -> Result<Client, SourceError> {
        let within = self.spec.config.timeout();
        let host = host_of(url);
        if hop == 0
            && let Some((known, client)) = &self.client
            && *known == host
        {
            return Ok(client.clone());
        }
        let bare = match url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            _ => url.host_str().unwrap_or_default().to_owned(),
        };
        let addresses: Vec<SocketAddr> =
            address::resolve_within(&bare, url.port_or_known_default().unwrap_or(80), within, self.spec.config.walled)
                .await?;
        if hop > 0 && addresses.iter().any(|a| address::is_link_local(a.ip())) {
            let message = "the camera redirects to a link-local address, which is not followed";
            return Err(SourceError::new(Reason::Protocol, message));
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(within)
            .resolve_to_addrs(&bare, &addresses)
            .build()
            .map_err(|e| SourceError::new(Reason::Config, format!("no HTTP client on this machine: {e}")))?;
        if hop == 0 {
            self.client = Some((host, client.clone()));
        }
        Ok(client)
    }
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the camera");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn header(headers: &HeaderMap, name: reqwest::header::HeaderName) -> String {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

fn late(host: &str, within: Duration) -> SourceError {
    let message = format!("{host} did not answer within {:.1} s", within.as_secs_f64());
    SourceError::new(Reason::Timeout, message)
}

fn refused(host: &str, status: StatusCode, has_credentials: bool) -> SourceError {
    let code = status.as_u16();
    let (reason, message) = match code {
        401 if has_credentials => (Reason::Auth, format!("{host} does not accept this user name and password")),
        401 => (Reason::Auth, format!("{host} asks for a user name and a password")),
        403 => (Reason::Auth, format!("{host} does not let us watch this stream")),
        404 | 410 => (Reason::NotFound, format!("{host} has nothing at this path: check the URL")),
        503 => (Reason::Tcp, format!("{host} has no room for one more connection (503)")),
        _ => (Reason::Protocol, format!("{host} answered with {code}")),
    };
    SourceError { reason, message, busy: code == 503 }
}

/// Why no answer came, told by the chain of causes.
fn unreachable(host: &str, e: &reqwest::Error) -> SourceError {
    let mut cause = e.source();
    let mut last = String::new();
    while let Some(c) = cause {
        last = c.to_string();
        cause = c.source();
    }
    let certificate = last.to_ascii_lowercase().contains("certificate");
    let last: String = last.chars().filter(|c| !c.is_control()).take(160).collect();
    match () {
        () if certificate => SourceError::new(
            Reason::Config,
            format!("{host} shows a certificate that nobody vouches for ({last}): use http, or give it a real one"),
        ),
        () if e.is_timeout() => SourceError::new(Reason::Timeout, format!("{host} did not answer in time")),
        () if e.is_connect() => SourceError::new(Reason::Tcp, format!("cannot connect to {host}: {last}")),
        () if last.contains("invalid HTTP") || e.is_decode() => {
            SourceError::new(Reason::Protocol, format!("{host} does not speak HTTP: {last}"))
        }
        () => SourceError::new(Reason::Tcp, format!("{host} closed the connection instead of answering: {last}")),
    }
}
