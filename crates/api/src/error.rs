//! Failures as the contract's envelope (§0.8.2): `{"success":false,"error":…,"code":…}`.
//!
//! **Every failure that leaves this crate has a stable code and a sentence in the caller's language.** Handlers return
//! [`ApiError`]; what frameworks and routers refuse by themselves is given an envelope by
//! [`crate::http::envelope`].

mod text;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vigie_control::Kind;

use crate::lang::Lang;

/// A failed request.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable word for programs.
    pub code: &'static str,
    /// Particulars for people, in English, without secrets; goes into `message`.
    pub message: Option<String>,
    /// Particulars for programs.
    pub details: Option<Value>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
}

/// What handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A failure with nothing to add to its code.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, message: None, details: None, retry_after: None }
    }

    /// 400: the request does not have the form that it must have.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_field").message(message).details(json!({ "field": field }))
    }

    /// 400: something is missing.
    pub fn missing(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "missing_field")
            .message(format!("`{field}` is required"))
            .details(json!({ "field": field }))
    }

    /// 401.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated")
    }

    /// 403.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden")
    }

    /// 404 for a path that nothing lives at.
    pub fn no_such_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "route_not_found")
    }

    /// 400 from what serde says of a body or query: `…: field: what is wrong`.
    fn misread(said: &str) -> Self {
        let what = said.split_once(": ").map_or(said, |(_, what)| what);
        let between = |s: &str| s.split_once("missing field `")?.1.split_once('`').map(|(name, _)| name.to_owned());
        if let Some(field) = between(what) {
            return Self::missing(&field);
        }
        let named =
            |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'[' | b']'));
        match what.split_once(": ") {
            Some((field, _)) if named(field) => Self::invalid(field, what),
            _ => Self::new(StatusCode::BAD_REQUEST, "invalid_field").message(what),
        }
    }

    /// Adds particulars for people.
    #[must_use]
    pub fn message(mut self, m: impl Into<String>) -> Self {
        self.message = Some(m.into());
        self
    }

    /// Adds particulars for programs.
    #[must_use]
    pub fn details(mut self, d: Value) -> Self {
        self.details = Some(d);
        self
    }

    /// What a bare status, made by a framework, means.
    pub fn from_status(status: StatusCode) -> Self {
        Self::new(status, text::code_of_status(status))
    }

    /// The answer in that language.
    pub fn render(&self, lang: Lang) -> Response {
        let mut body = json!({
            "success": false,
            "error": text::sentence(self.code, self.status, lang),
            "code": self.code,
        });
        if let Some(m) = &self.message {
            body["message"] = json!(m);
        }
        if let Some(d) = &self.details {
            body["details"] = d.clone();
        }
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(s) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(s));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1 demands a challenge; `Bearer` makes no browser open its own dialogue.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vigie\""));
        }
        response
    }
}

/// The code as this crate knows it, if it has a sentence.
pub(crate) fn known_code(code: &str) -> Option<&'static str> {
    text::known(code)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // The caller's language is known to the middleware alone, which renders again from the extension.
        let mut response = self.render(Lang::En);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<vigie_control::Error> for ApiError {
    fn from(e: vigie_control::Error) -> Self {
        let status = status_of(e.kind());
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %e, code = e.code(), "a request failed on our side");
        }
        Self {
            status,
            code: e.code(),
            message: Some(e.to_string()),
            details: e.details(),
            retry_after: e.retry_after().map(|d| d.as_secs().max(1)),
        }
    }
}

fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Locked => StatusCode::LOCKED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
    }
}

impl From<axum::extract::rejection::JsonRejection> for ApiError {
    fn from(r: axum::extract::rejection::JsonRejection) -> Self {
        use axum::extract::rejection::JsonRejection as R;
        match &r {
            R::JsonDataError(_) => Self::misread(&r.body_text()),
            R::JsonSyntaxError(_) => Self::new(StatusCode::BAD_REQUEST, "malformed_json").message(r.body_text()),
            R::MissingJsonContentType(_) => Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
                .message("send `Content-Type: application/json`"),
            _ => Self::from_status(r.status()),
        }
    }
}

impl From<axum::extract::rejection::QueryRejection> for ApiError {
    fn from(r: axum::extract::rejection::QueryRejection) -> Self {
        Self::misread(&r.body_text())
    }
}

impl From<axum::extract::rejection::PathRejection> for ApiError {
    fn from(r: axum::extract::rejection::PathRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_field").message(r.body_text())
    }
}

/// A JSON body, or the envelope that says what is wrong with it.
#[derive(Debug, axum::extract::FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub struct Body<T>(pub T);

/// Query parameters, or the envelope that says what is wrong with them.
#[derive(Debug, axum::extract::FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

/// Path parameters, or the envelope that says what is wrong with them.
#[derive(Debug, axum::extract::FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_reads_in_the_caller_s_language_and_keeps_its_code() {
        let e = ApiError::new(StatusCode::NOT_FOUND, "session_not_found");
        let mut texts = Vec::new();
        for lang in [Lang::En, Lang::Fr] {
            let r = e.render(lang);
            assert_eq!(r.status(), StatusCode::NOT_FOUND);
            assert_eq!(r.headers()[header::CONTENT_LANGUAGE], lang.tag());
            let bytes = axum::body::to_bytes(r.into_body(), 4096).await.unwrap();
            let v: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!((&v["success"], &v["code"]), (&json!(false), &json!("session_not_found")));
            texts.push(v["error"].as_str().unwrap().to_owned());
        }
        assert_ne!(texts[0], texts[1]);
    }

    #[test]
    fn what_serde_says_names_the_field() {
        let of = |s: &str| {
            let e = ApiError::misread(s);
            (e.code, e.details.map(|d| d["field"].as_str().unwrap().to_owned()))
        };
        let prefix = "Failed to deserialize the JSON body into the target type: ";
        assert_eq!(of(&format!("{prefix}missing field `name` at line 1")), ("missing_field", Some("name".into())));
        assert_eq!(of(&format!("{prefix}a_b: invalid type: string")), ("invalid_field", Some("a_b".into())));
        assert_eq!(of(&format!("{prefix}invalid type: integer")), ("invalid_field", None));
    }

    #[test]
    fn a_401_carries_a_challenge() {
        let r = ApiError::unauthenticated().into_response();
        assert!(r.headers().contains_key(header::WWW_AUTHENTICATE));
    }
}
