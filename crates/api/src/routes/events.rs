//! What changes, as it changes: over a WebSocket, or as server-sent events (HTML standard §9.2).
//!
//! `camera`, `session`, `recording`, `marker` and `terrain` carry the same JSON as the REST answers, as far as the
//! caller may see them **now**: rights are looked at again before each event. A thing that is gone carries
//! `{"id":…,"deleted":true}`. **A listener that is too slow is told `resync`** and should ask for everything again;
//! nothing is queued beyond the event bus's own bound.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use vigie_control::auth::Standing;
use vigie_control::events::Notice;
use vigie_control::{Error, Identity, Kind, Links};

use super::cameras::{EventsQuery, EventsReply};
use crate::app::App;
use crate::auth::may::{May, ReadAudit};
use crate::auth::{ForCaller, Who};
use crate::error::{ApiResult, Query};

/// A sign of life this often tells both ends that the other one lives; the right to listen is checked as often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A WebSocket that has not answered for this long is gone.
const GONE: Duration = Duration::from_secs(45);
/// A WebSocket that takes nothing for this long is closed.
const STALLED: Duration = Duration::from_secs(20);
/// Listeners have nothing to say but pongs and farewells.
const MAX_MESSAGE: usize = 4096;

/// What happened, newest first; for administrators.
#[utoipa::path(get, path = "/api/events", tag = "events", params(EventsQuery), responses((status = 200, body = EventsReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    May(who, ..): May<ReadAudit>,
    Query(q): Query<EventsQuery>,
) -> ApiResult<Json<EventsReply>> {
    let events = app.control().events.list(&who, q.before, q.limit()).await?;
    Ok(EventsReply::json(events))
}

/// Changes of cameras, sessions, recordings, markers and courts, as server-sent events.
#[utoipa::path(get, path = "/api/events/stream", tag = "events",
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    State(app): State<App>,
    Who(who): Who,
    ForCaller(links): ForCaller,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let changes = changes(Listener::new(app, &who, links)?);
    // Proxies and browsers show the stream as open only once something came.
    let hello = Event::default().event("hello").data("{}").retry(Duration::from_secs(3));
    // JSON has no line breaks outside strings and escapes those inside, which is what an event's data must look like.
    let events = changes.map(|c| Event::default().event(c.event).data(c.data.to_string()));
    let events = futures_util::stream::once(std::future::ready(hello)).chain(events).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// The same over a WebSocket: each message is the text `{"event":…,"data":…}`.
#[utoipa::path(get, path = "/api/events/ws", tag = "events", responses((status = 101, description = "WebSocket")))]
pub(crate) async fn socket(
    State(app): State<App>,
    Who(who): Who,
    ForCaller(links): ForCaller,
    upgrade: WebSocketUpgrade,
) -> ApiResult<Response> {
    let listener = Listener::new(app, &who, links)?;
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(|socket| Box::pin(tell(socket, changes(listener)))))
}

async fn tell(mut socket: WebSocket, changes: impl Stream<Item = Change>) {
    tokio::pin!(changes);
    let mut ping = tokio::time::interval(KEEP_ALIVE);
    let mut heard = Instant::now();
    let text = |c: &Change| Message::Text(json!({ "event": c.event, "data": c.data }).to_string().into());
    let hello = Change { event: "hello", data: json!({}) };
    let mut message = text(&hello);
    loop {
        if !matches!(tokio::time::timeout(STALLED, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
        message = loop {
            tokio::select! {
                change = changes.next() => match change {
                    Some(c) => break text(&c),
                    // The right to listen has ended, or the server stops: said, so that the other side need not guess.
                    None => {
                        let _ = tokio::time::timeout(STALLED, socket.send(Message::Close(None))).await;
                        return;
                    }
                },
                _ = ping.tick() => {
                    if heard.elapsed() > GONE {
                        return;
                    }
                    break Message::Ping(bytes::Bytes::new());
                }
                received = socket.recv() => match received {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    // Pongs, and whatever else is sent: a sign of life.
                    Some(Ok(_)) => heard = Instant::now(),
                },
            }
        };
    }
}

/// Something that is told.
struct Change {
    event: &'static str,
    data: Value,
}

/// Changes until the listener may listen no more, or the server stops.
fn changes(listener: Listener) -> impl Stream<Item = Change> {
    futures_util::stream::unfold(listener, |mut l| async move { l.next().await.map(|c| (c, l)) })
}

struct Listener {
    app: App,
    standing: Standing,
    links: Links,
    notices: Receiver<Notice>,
}

impl Listener {
    fn new(app: App, who: &Identity, links: Links) -> Result<Self, Error> {
        let notices = app.control().events.subscribe();
        let standing = app.control().auth.standing(who)?;
        Ok(Self { app, standing, links, notices })
    }

    async fn next(&mut self) -> Option<Change> {
        loop {
            let next = tokio::time::timeout(KEEP_ALIVE, self.notices.recv());
            let next = self.app.settings().stopping.run_until_cancelled(next).await?;
            // Signed out, changed, disabled or deleted since: there is nobody left to tell.
            let who = self.app.control().auth.still(&self.standing).ok()?;
            let notice = match next {
                Ok(Ok(n)) => n,
                Ok(Err(RecvError::Lagged(missed))) => {
                    return Some(Change { event: "resync", data: json!({ "missed": missed }) });
                }
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) => continue,
            };
            match self.describe(&who, notice).await {
                Ok(Some(c)) => return Some(c),
                Ok(None) => {}
                // Not for this listener, or gone in between: then another notice says so.
                Err(e) if matches!(e.kind(), Kind::Forbidden | Kind::NotFound) => {}
                Err(e) if e.kind() == Kind::Unauthenticated => return None,
                Err(e) => {
                    tracing::warn!(error = %e, "an event could not be described");
                    return Some(Change { event: "resync", data: json!({}) });
                }
            }
        }
    }

    async fn describe(&self, who: &Identity, notice: Notice) -> Result<Option<Change>, Error> {
        let control = self.app.control();
        Ok(match notice {
            Notice::Camera(id) => Some(change("camera", &control.cameras.get(who, &id.to_string()).await?)),
            Notice::CameraRemoved(id) => Some(change("camera", &json!({ "id": id.0, "deleted": true }))),
            Notice::Session(id) => Some(change("session", &control.sessions.get(who, &id.0, &self.links).await?)),
            Notice::Recording { session, recording } => {
                let mut status =
                    serde_json::to_value(control.recordings.status(who, &session.0).await?).unwrap_or_default();
                status["recording_id"] = json!(recording.0);
                Some(change("recording", &status))
            }
            Notice::TerrainRemoved(id) => Some(change("terrain", &json!({ "id": id, "deleted": true }))),
            Notice::Marker { session, marker } => {
                Some(change("marker", &control.markers.get(who, &session.0, marker).await?))
            }
            Notice::MarkerRemoved { session, marker } => {
                // Who may not see the session learns nothing of its markers either.
                let session = control.sessions.get(who, &session.0, &self.links).await?.session_id;
                Some(change("marker", &json!({ "id": marker, "session_id": session, "deleted": true })))
            }
            Notice::Terrain(id) => Some(change("terrain", &control.courts.get(who, id)?)),
            Notice::Event(_) => None,
        })
    }
}

fn change(event: &'static str, data: &impl Serialize) -> Change {
    // Views are plain data: they always become JSON.
    Change { event, data: serde_json::to_value(data).unwrap_or_default() }
}
