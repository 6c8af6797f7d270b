//! Names into addresses, and addresses nobody should be sent to.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use vigie_hub::Reason;

use crate::SourceError;

/// Looks a host up. A literal address costs nothing.
///
/// Errors are [`Reason::Dns`], or [`Reason::Timeout`] when the resolver keeps silent.
pub async fn resolve(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, SourceError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let unknown = || {
        let message = format!("the name {host} does not resolve: check its spelling and this machine's DNS");
        SourceError::new(Reason::Dns, message)
    };
    match tokio::time::timeout(within, tokio::net::lookup_host((host, port))).await {
        Err(_) => Err(SourceError::new(Reason::Dns, format!("looking up the name {host} took too long"))),
        Ok(Err(_)) => Err(unknown()),
        Ok(Ok(found)) => {
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() { Err(unknown()) } else { Ok(found) }
        }
    }
}

/// As [`resolve`], for a camera that must be outside of this machine when it is `walled`: every address that its name
/// has is looked at, so that a name that changed its mind is found out.
///
/// Errors of a wall are [`Reason::Config`].
pub async fn resolve_within(
    host: &str,
    port: u16,
    within: Duration,
    walled: bool,
) -> Result<Vec<SocketAddr>, SourceError> {
    let found = resolve(host, port, within).await?;
    if walled && found.iter().any(|a| is_inside(a.ip())) {
        let message = format!("{host} leads into this machine, which this camera may not reach");
        return Err(SourceError::new(Reason::Config, message));
    }
    Ok(found)
}

/// Addresses of this machine and its link, and those where clouds keep the secrets of their machines.
pub fn is_inside(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let odd = match ip {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.octets() == [100, 100, 100, 200],
        IpAddr::V6(v6) => v6.is_unspecified(),
    };
    odd || ip.is_loopback() || is_link_local(ip)
}

/// Link-local addresses (RFC 3927, RFC 4291 §2.5.6), where cloud machines keep their secrets: no camera's redirect
/// may lead there.
pub fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.is_link_local(),
            // The IPv6 metadata address of one large provider is unique-local, not link-local.
            None => v6.is_unicast_link_local() || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_in_every_disguise() {
        for bad in ["169.254.169.254", "fe80::1", "::ffff:169.254.1.1", "fd00:ec2::254"] {
            assert!(is_link_local(bad.parse().unwrap()), "{bad}");
        }
        for good in ["192.168.1.9", "10.0.0.1", "127.0.0.1", "2001:db8::1", "fd00::1"] {
            assert!(!is_link_local(good.parse().unwrap()), "{good}");
        }
    }

    #[tokio::test]
    async fn behind_a_wall_nothing_leads_into_this_machine() {
        for bad in
            ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "0.0.0.0", "169.254.169.254", "100.100.100.200"]
        {
            let refused = resolve_within(bad, 80, Duration::from_secs(5), true).await.unwrap_err();
            assert_eq!(refused.reason, Reason::Config, "{bad}");
        }
        assert!(resolve_within("192.0.2.1", 80, Duration::ZERO, true).await.is_ok());
        assert!(resolve_within("127.0.0.1", 80, Duration::ZERO, false).await.is_ok());
    }

    #[tokio::test]
    async fn literals_need_no_resolver_and_nonsense_is_dns() {
        let a = resolve("127.0.0.1", 5, Duration::ZERO).await.unwrap();
        assert_eq!(a, ["127.0.0.1:5".parse().unwrap()]);
        let e = resolve("no-such-host.invalid", 5, Duration::from_secs(4)).await.unwrap_err();
        assert_eq!(e.reason, Reason::Dns);
    }
}
