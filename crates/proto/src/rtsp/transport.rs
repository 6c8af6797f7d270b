//! The `Transport` header (RFC 2326 §12.39): what a player offers, and what it gets.

/// One way a player would take a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Inside the RTSP connection, on these channels when it said which.
    Tcp(Option<(u8, u8)>),
    /// To these ports of the player.
    Udp(u16, u16),
    /// To a group.
    Multicast,
}

/// What was agreed for a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// RTP and RTCP channel.
    Tcp(u8, u8),
    /// The player's RTP and RTCP port.
    Udp(u16, u16),
}

/// All offers that we understand, in the player's order; profiles other than RTP/AVP are left out.
pub fn offers(header: &str) -> Vec<Offer> {
    header.split(',').filter_map(|spec| offer(spec.trim())).collect()
}

fn offer(spec: &str) -> Option<Offer> {
    let mut parts = spec.split(';').map(str::trim);
    let profile = parts.next()?.to_ascii_uppercase();
    let mut multicast = false;
    let mut interleaved = None;
    let mut client_port = None;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.to_ascii_lowercase().as_str() {
            "multicast" => multicast = true,
            "interleaved" => interleaved = Some(pair::<u8>(value)?),
            "client_port" => client_port = Some(pair::<u16>(value)?),
            "mode" if !value.trim_matches('"').eq_ignore_ascii_case("play") => return None,
            _ => {}
        }
    }
    match profile.as_str() {
        "RTP/AVP/TCP" => Some(Offer::Tcp(interleaved)),
        "RTP/AVP" | "RTP/AVP/UDP" if multicast => Some(Offer::Multicast),
        "RTP/AVP" | "RTP/AVP/UDP" => client_port.filter(|p| p.0 != 0 && p.1 != 0).map(|(a, b)| Offer::Udp(a, b)),
        _ => None,
    }
}

/// `a-b`, or `a` alone, which means the next one belongs to it.
fn pair<T: std::str::FromStr + Copy + Into<u32> + TryFrom<u32>>(s: &str) -> Option<(T, T)> {
    match s.split_once('-') {
        Some((a, b)) => Some((a.trim().parse().ok()?, b.trim().parse().ok()?)),
        None => {
            let a: T = s.trim().parse().ok()?;
            Some((a, T::try_from(a.into() + 1).ok()?))
        }
    }
}

/// The first offer that we can serve. `taken` are channels of the session's other tracks; a player that asks for one
/// of them gets free ones instead.
pub fn choose(offers: &[Offer], tcp: bool, udp: bool, taken: &[u8]) -> Option<Chosen> {
    offers.iter().find_map(|o| match o {
        Offer::Tcp(asked) if tcp => {
            let free = |c: &(u8, u8)| c.0 != c.1 && !taken.contains(&c.0) && !taken.contains(&c.1);
            let (a, b) = asked.filter(free).or_else(|| (0..127u8).map(|n| (2 * n, 2 * n + 1)).find(free))?;
            Some(Chosen::Tcp(a, b))
        }
        Offer::Udp(a, b) if udp => Some(Chosen::Udp(*a, *b)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_offer_that_can_be_served_wins() {
        let ffmpeg = offers("RTP/AVP/UDP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1");
        assert_eq!(ffmpeg, [Offer::Udp(5000, 5001), Offer::Tcp(Some((0, 1)))]);
        assert_eq!(choose(&ffmpeg, true, true, &[]), Some(Chosen::Udp(5000, 5001)));
        assert_eq!(choose(&ffmpeg, true, false, &[]), Some(Chosen::Tcp(0, 1)));
        assert_eq!(choose(&ffmpeg, true, false, &[0, 1]), Some(Chosen::Tcp(2, 3)));
        assert_eq!(choose(&ffmpeg, false, false, &[]), None);
    }

    #[test]
    fn odd_offers_are_left_out() {
        assert_eq!(offers("RTP/AVP;multicast;client_port=1-2"), [Offer::Multicast]);
        assert_eq!(offers("RTP/AVP/TCP;unicast"), [Offer::Tcp(None)]);
        assert_eq!(offers("rtp/avp/tcp;interleaved=4"), [Offer::Tcp(Some((4, 5)))]);
        for bad in [
            "",
            "RAW/RAW/UDP",
            "RTP/SAVP;client_port=1-2",
            "RTP/AVP;unicast",
            "RTP/AVP;client_port=0-1",
            "RTP/AVP/TCP;interleaved=300-301",
            "RTP/AVP/TCP;interleaved=255",
            "RTP/AVP;client_port=x",
            "RTP/AVP/TCP;interleaved=0-1;mode=record",
        ] {
            assert_eq!(offers(bad), [], "{bad}");
        }
    }
}
