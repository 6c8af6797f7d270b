//! What every request and answer passes through, whatever its route.

pub(crate) mod client;
pub(crate) mod envelope;
pub(crate) mod headers;
pub(crate) mod linger;
pub(crate) mod origin;
pub(crate) mod slash;

use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Most bytes of a request body.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// How long a handler may take to begin its answer. Streams begin at once and last as long as they like.
pub(crate) const HANDLER_TIMEOUT: Duration = Duration::from_secs(60);

/// Ends a handler that takes too long.
pub(crate) async fn timeout(request: Request, next: Next) -> Response {
    match tokio::time::timeout(HANDLER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "timeout").into_response(),
    }
}
