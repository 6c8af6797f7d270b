//! What changes, as it changes: server-sent events (HTML standard §9.2).
//!
//! `camera`, `session` and `recording` carry the same JSON as the REST answers, as far as the caller may see them; a
//! thing that is gone carries `{"id":…,"deleted":true}`. **A listener that is too slow is told `resync`** and should ask
//! for everything again; nothing is queued beyond the event bus's own bound.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use vigie_control::events::Notice;
use vigie_control::{Error, Identity, Kind, Links};

use super::cameras::{EventsQuery, EventsReply};
use crate::app::App;
use crate::auth::{ForCaller, Who};
use crate::error::{ApiResult, Query};

/// A comment line this often tells both ends that the other one lives; the right to listen is checked as often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What happened, newest first; for administrators.
#[utoipa::path(get, path = "/api/events", tag = "events", params(EventsQuery), responses((status = 200, body = EventsReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    Who(who): Who,
    Query(q): Query<EventsQuery>,
) -> ApiResult<Json<EventsReply>> {
    let events = app.control().events.list(&who, q.before, q.limit()).await?;
    Ok(EventsReply::json(events))
}

struct Listener {
    app: App,
    who: Identity,
    links: Links,
    notices: Receiver<Notice>,
    greeted: bool,
}

/// Changes of cameras, sessions and recordings, as server-sent events.
#[utoipa::path(get, path = "/api/events/stream", tag = "events",
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    State(app): State<App>,
    Who(who): Who,
    ForCaller(links): ForCaller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notices = app.control().events.subscribe();
    let listener = Listener { app, who, links, notices, greeted: false };
    let events = futures_util::stream::unfold(listener, |mut l| async move { l.next().await.map(|e| (Ok(e), l)) });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Listener {
    /// The next event; `None` when the listener may listen no more, or the server stops.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.greeted, true) {
            // Proxies and browsers show the stream as open only once something came.
            return Some(Event::default().event("hello").data("{}").retry(Duration::from_secs(3)));
        }
        loop {
            let next = tokio::time::timeout(KEEP_ALIVE, self.notices.recv());
            let notice = match self.app.settings().stopping.run_until_cancelled(next).await? {
                Ok(Ok(n)) => n,
                Ok(Err(RecvError::Lagged(missed))) => {
                    return Some(event("resync", &json!({ "missed": missed })));
                }
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) => {
                    // Signed out, disabled or deleted since.
                    self.app.control().auth.me(&self.who).ok()?;
                    continue;
                }
            };
            match self.describe(notice).await {
                Ok(Some(e)) => return Some(e),
                Ok(None) => {}
                // Not for this listener, or gone in between: then another notice says so.
                Err(e) if matches!(e.kind(), Kind::Forbidden | Kind::NotFound) => {}
                Err(e) if e.kind() == Kind::Unauthenticated => return None,
                Err(e) => {
                    tracing::warn!(error = %e, "an event could not be described");
                    return Some(event("resync", &json!({})));
                }
            }
        }
    }

    async fn describe(&self, notice: Notice) -> Result<Option<Event>, Error> {
        let control = self.app.control();
        Ok(match notice {
            Notice::Camera(id) => Some(event("camera", &control.cameras.get(&self.who, &id.to_string()).await?)),
            Notice::CameraRemoved(id) => Some(event("camera", &json!({ "id": id.0, "deleted": true }))),
            Notice::Session(id) => Some(event("session", &control.sessions.get(&self.who, &id.0, &self.links).await?)),
            Notice::Recording { session, recording } => {
                let mut status =
                    serde_json::to_value(control.recordings.status(&self.who, &session.0).await?).unwrap_or_default();
                status["recording_id"] = json!(recording.0);
                Some(event("recording", &status))
            }
            Notice::Event(_) => None,
        })
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no line breaks outside strings and escapes those inside, which is what an event's data must look like.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned()))
}
