//! What a request still sends after it was answered.
//!
//! A connection that is closed with unread bytes is reset, and the reset can overtake the answer: the client that sent
//! too much never learns so. **An unread body is read on and thrown away, up to a bound**, while the answer goes out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};

/// Most that is thrown away for one request.
const MAX_BYTES: usize = 16 << 20;
/// Longest that it may take.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Wraps the body of a request, so that it is not dropped unread.
pub(crate) fn wrap(request: Request) -> Request {
    request.map(|body| if body.is_end_stream() { body } else { Body::new(Lingering(Some(body))) })
}

struct Lingering(Option<Body>);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(body) = self.0.take()
            && !body.is_end_stream()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(MAX_TIME, discard(body)));
        }
    }
}

async fn discard(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A body without end that counts what was taken of it.
    struct Endless(Arc<AtomicUsize>);

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = std::io::Error;
        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
            self.0.fetch_add(1 << 20, Ordering::SeqCst);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1 << 20])))))
        }
    }

    #[tokio::test]
    async fn an_unread_body_is_read_up_to_the_bound() {
        let taken = Arc::new(AtomicUsize::new(0));
        let request = wrap(Request::new(Body::new(Endless(Arc::clone(&taken)))));
        drop(request);
        while Arc::strong_count(&taken) > 1 {
            tokio::task::yield_now().await;
        }
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken > MAX_BYTES && taken <= MAX_BYTES + (2 << 20), "{taken}");
    }

    #[tokio::test]
    async fn a_body_that_was_read_is_what_was_sent() {
        let request = wrap(Request::new(Body::from("hello")));
        assert_eq!(axum::body::to_bytes(request.into_body(), 100).await.unwrap(), "hello");
    }
}
