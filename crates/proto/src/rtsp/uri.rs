//! What a request is about: the path of a stream, perhaps one of its tracks, perhaps how to join.

/// Where a player wants to start, by `?join=` in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// At the last key frame, at once.
    Burst,
    /// At the next key frame.
    Key,
    /// With the very next picture.
    Live,
}

/// The parts of a request URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Without leading or trailing slash, percent-decoded; empty for `*` and for the server itself.
    pub path: String,
    /// `…/trackID=N`.
    pub track: Option<u8>,
    /// `?join=…`.
    pub join: Option<Join>,
    /// The URL up to the path, as the client wrote it, without query and track: the base of control URLs.
    pub base: String,
}

impl Target {
    /// Takes a request URL apart. `None` when it is neither `*`, nor absolute, nor a path.
    pub fn parse(uri: &str) -> Option<Target> {
        if uri == "*" {
            return Some(Target::default());
        }
        let scheme = ["rtsp://", "rtspu://", "rtsps://"]
            .into_iter()
            .find(|s| uri.get(..s.len()).is_some_and(|p| p.eq_ignore_ascii_case(s)));
        let path_at = match scheme {
            Some(s) => {
                let rest = &uri[s.len()..];
                if rest.is_empty() || rest.starts_with('/') {
                    return None;
                }
                s.len() + rest.find(['/', '?']).unwrap_or(rest.len())
            }
            None if uri.starts_with('/') => 0,
            None => return None,
        };
        let (origin, rest) = uri.split_at(path_at);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Players glue the control word to the end of the whole URL, query included.
        let (query, glued) = match query.rsplit_once('/') {
            Some((q, tail)) if tail.is_empty() || track_of(tail).is_some() => (q, track_of(tail)),
            _ => (query, None),
        };
        let join = query.split('&').find_map(|pair| match pair {
            "join=burst" => Some(Join::Burst),
            "join=key" => Some(Join::Key),
            "join=live" => Some(Join::Live),
            _ => None,
        });
        let path = path.trim_matches('/');
        let (path, track) = match path.rsplit_once('/') {
            Some((p, tail)) if track_of(tail).is_some() => (p.trim_end_matches('/'), track_of(tail)),
            _ => (path, glued),
        };
        Some(Target { path: decode(path)?, track, join, base: format!("{origin}/{path}") })
    }
}

fn track_of(word: &str) -> Option<u8> {
    let n = word.strip_prefix("trackID=").or_else(|| word.strip_prefix("trackid="))?;
    (n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit())).then(|| n.parse().ok())?
}

fn decode(s: &str) -> Option<String> {
    let mut out = Vec::with_capacity(s.len());
    let mut bytes = s.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        let (high, low) = (hex(bytes.next())?, hex(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok().filter(|s| !s.contains(|c: char| c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_however_players_glue_them() {
        let t = |s: &str| Target::parse(s).unwrap();
        let main = t("rtsp://h:8554/cam/3/main");
        assert_eq!(
            (main.path.as_str(), main.track, main.base.as_str()),
            ("cam/3/main", None, "rtsp://h:8554/cam/3/main")
        );
        let track = t("rtsp://h/cam/3/main/trackID=1");
        assert_eq!(
            (track.path.as_str(), track.track, track.base.as_str()),
            ("cam/3/main", Some(1), "rtsp://h/cam/3/main")
        );
        let glued = t("rtsp://h/door?join=key/trackID=0");
        assert_eq!((glued.path.as_str(), glued.track, glued.join), ("door", Some(0), Some(Join::Key)));
        assert_eq!(t("rtsp://h/a/?x=1&join=live").join, Some(Join::Live));
        assert_eq!(t("rtsp://h/front%20door/").path, "front door");
        assert_eq!(t("*").path, "");
        assert_eq!(t("rtsp://h").path, "");
        for bad in ["", "http://h/a", "cam/1", "rtsp://", "rtsp:///x", "rtsp://h/%zz", "rtsp://h/%0a", "rtsp://h/%ff"] {
            assert_eq!(Target::parse(bad), None, "{bad}");
        }
    }
}
