//! `/api/cameras/` and `/api/cameras` are one resource (contract §0.8.4).

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Takes trailing slashes off the path, before routing. The root stays.
pub(crate) fn trim<B>(mut request: Request<B>) -> Request<B> {
    if let Some(uri) = trimmed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if path.len() < 2 || !path.ends_with('/') {
        return None;
    }
    let bare = match path.trim_end_matches('/') {
        "" => "/",
        p => p,
    };
    let text = match uri.query() {
        Some(q) => format!("{bare}?{q}"),
        None => bare.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_goes_and_the_query_stays() {
        let t = |s: &str| trimmed(&s.parse().unwrap()).map(|u| u.to_string());
        assert_eq!(t("/api/cameras/").as_deref(), Some("/api/cameras"));
        assert_eq!(t("/api/cameras//?q=a/").as_deref(), Some("/api/cameras?q=a/"));
        assert_eq!(t("/"), None);
        assert_eq!(t("//").as_deref(), Some("/"));
        assert_eq!(t("/api/cameras"), None);
    }
}
