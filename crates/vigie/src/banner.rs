//! What a person sees when the server is ready: where to go, and how to get in.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// What the banner tells.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// `http` or `https`.
    pub(crate) scheme: &'a str,
    /// Where the web server listens.
    pub(crate) http: SocketAddr,
    /// Where the RTSP server listens; `None` when it is off.
    pub(crate) rtsp: Option<SocketAddr>,
    /// The code that set-up asks of people who come from another machine; `None` when there are users already.
    pub(crate) setup_code: Option<&'a str>,
    /// Whether nobody has to sign in.
    pub(crate) open: bool,
    /// Whether the demo camera is there.
    pub(crate) demo: bool,
}

/// The address that other machines of the network reach this one at, as the routing table says. Sends nothing.
pub(crate) fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // A documentation address (RFC 5737): connecting a datagram socket only picks a route.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// The address to show for one that is listened on: the unspecified one is reached by loopback.
pub(crate) fn local(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, listen.port())) } else { listen }
}

fn text(f: &Facts<'_>, lan: Option<IpAddr>) -> String {
    let mut s = format!("\n  Vigie {} is ready.\n\n", env!("CARGO_PKG_VERSION"));
    let here = format!("{}://{}", f.scheme, local(f.http));
    let _ = writeln!(s, "    Open      {here}");
    let elsewhere = lan.filter(|_| f.http.ip().is_unspecified());
    if let Some(ip) = elsewhere {
        let _ = writeln!(s, "              {}://{} from other machines", f.scheme, SocketAddr::new(ip, f.http.port()));
    }
    match f.setup_code {
        _ if f.open => {
            let _ = writeln!(s, "    Sign in   not needed: whoever reaches this server may do everything");
        }
        Some(code) => {
            let _ = writeln!(s, "    Sign in   the first visit creates the administrator");
            if !f.http.ip().is_loopback() {
                let _ = writeln!(s, "              setup code, asked of visitors from other machines:  {code}");
            }
        }
        None => {
            let _ = writeln!(s, "    Sign in   with your user name and password");
        }
    }
    if let Some(rtsp) = f.rtsp {
        let path = if f.demo { "demo" } else { "<camera>" };
        let _ = writeln!(s, "    Players   rtsp://{}/{path}", local(rtsp));
    }
    let _ = writeln!(s, "    Stop      Ctrl-C\n");
    s
}

/// Prints it to standard error, beside the log.
pub(crate) fn print(f: &Facts<'_>) {
    // Nobody reads a closed standard error, and the log line before this one says the same.
    let _ = std::io::stderr().write_all(text(f, lan_address()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_address_and_the_way_in() {
        let mut f = Facts {
            scheme: "http",
            http: "0.0.0.0:5000".parse().unwrap(),
            rtsp: Some("0.0.0.0:8554".parse().unwrap()),
            setup_code: Some("ABCD-1234"),
            open: false,
            demo: true,
        };
        let t = text(&f, Some("192.168.1.9".parse().unwrap()));
        for part in ["http://127.0.0.1:5000", "http://192.168.1.9:5000", "ABCD-1234", "rtsp://127.0.0.1:8554/demo"] {
            assert!(t.contains(part), "{part}: {t}");
        }
        f.open = true;
        assert!(text(&f, None).contains("may do everything"));
        f.open = false;
        f.http = "127.0.0.1:5000".parse().unwrap();
        assert!(!text(&f, None).contains("ABCD-1234"), "on loopback nobody needs the code");
    }
}
