//! Which of our two languages a client reads.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

/// A language that error texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English, also for clients that say nothing.
    #[default]
    En,
    /// French.
    Fr,
}

impl Lang {
    /// Reads an `Accept-Language` value (RFC 9110 §12.5.4): the language of ours with the highest weight, the earlier
    /// one when weights are equal.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let mut best = (0.0_f32, Self::En);
        for item in accept.unwrap_or_default().split(',').take(32) {
            let mut parts = item.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts
                .find_map(|p| p.trim().strip_prefix("q=").map(str::to_owned))
                .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            let lang = match tag.split('-').next() {
                Some("fr") => Self::Fr,
                Some("en" | "*") => Self::En,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The tag for `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::negotiate(parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_s_preference_wins() {
        for (header, expected) in [
            (None, Lang::En),
            (Some("fr-FR,fr;q=0.9,en;q=0.8"), Lang::Fr),
            (Some("en-GB, fr;q=0.9"), Lang::En),
            (Some("de, fr;q=0.3"), Lang::Fr),
            (Some("fr;q=0, en;q=0.1"), Lang::En),
            (Some("de"), Lang::En),
            (Some(";;;q=x,,"), Lang::En),
        ] {
            assert_eq!(Lang::negotiate(header), expected, "{header:?}");
        }
    }
}
