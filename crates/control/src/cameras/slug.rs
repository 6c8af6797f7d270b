//! A camera's name in paths: `[a-z][a-z0-9-]{0,62}`, never a word that paths use themselves (decision 39).

/// First parts of live paths.
const RESERVED: [&str; 10] = ["cam", "session", "stream", "live", "onvif", "hls", "whep", "whip", "proxy", "api"];
const MAX: usize = 63;

/// Why a slug cannot be used, as the code of a field error.
pub(crate) fn check(slug: &str) -> Result<(), &'static str> {
    let mut chars = slug.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_lowercase());
    if !first || slug.len() > MAX || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err("value");
    }
    // Session ids are looked up in the same places.
    if RESERVED.contains(&slug) || slug.starts_with("sess-") {
        return Err("reserved");
    }
    Ok(())
}

/// A slug made from a name that is not `taken`.
pub(crate) fn from_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut base = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            Some(s) => base.push_str(s),
            None if c.is_ascii_alphanumeric() => base.push(c),
            None if !base.is_empty() && !base.ends_with('-') => base.push('-'),
            None => {}
        }
        if base.len() >= 50 {
            break;
        }
    }
    let base = base.trim_end_matches('-');
    let base = match base.chars().next() {
        None => "camera".to_owned(),
        Some(c) if !c.is_ascii_lowercase() => format!("cam-{base}"),
        Some(_) if check(base).is_err() => format!("{base}-cam"),
        Some(_) => base.to_owned(),
    };
    let free = |s: &String| check(s).is_ok() && !taken(s);
    if free(&base) {
        return base;
    }
    (2u32..).map(|n| format!("{base}-{n}")).find(free).unwrap_or(base)
}

/// Latin letters with marks, without them.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ä' | 'æ' => "ae",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' => "o",
        'ö' | 'œ' => "oe",
        'ù' | 'ú' | 'û' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        for (name, slug) in [
            ("Front Door", "front-door"),
            ("  Entrée  n° 3 -- été ", "entree-n-3-ete"),
            ("Müller & Söhne", "mueller-soehne"),
            ("3rd floor", "cam-3rd-floor"),
            ("API", "api-cam"),
            ("live", "live-cam"),
            ("摄像头", "camera"),
            ("---", "camera"),
        ] {
            assert_eq!(from_name(name, |_| false), slug, "{name}");
        }
        let long = from_name(&"x".repeat(500), |_| false);
        assert!(check(&long).is_ok());
        assert_eq!(from_name("Door", |s| s == "door" || s == "door-2"), "door-3");
    }

    #[test]
    fn bad_slugs_are_named() {
        for good in ["a", "front-door", "cam1", "a-", &"a".repeat(63)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "-a", "A", "a_b", "a/b", "é", &"a".repeat(64)] {
            assert_eq!(check(bad), Err("value"), "{bad}");
        }
        for reserved in ["api", "cam", "whep", "sess-1"] {
            assert_eq!(check(reserved), Err("reserved"), "{reserved}");
        }
    }
}
