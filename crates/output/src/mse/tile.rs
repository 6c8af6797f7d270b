//! One camera on one socket.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::Message;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use vigie_hub::{Status, Stream};
use vigie_media::Codec;

use super::Plays;
use super::feed::{Next, Place};
use crate::http::presence;
use crate::pictures::Pictures;
use crate::rendition::{Form, Pace};

/// JPEG tiles are small: they are a substitute, and each is a whole picture.
const JPEG_FORM: Form = Form { width: Some(960), quality: Some(75) };
const JPEG_INTERVAL_MS: u32 = 200;

/// Kinds of binary messages.
const INIT: u8 = 0;
const FRAGMENT: u8 = 1;
const JPEG: u8 = 2;

/// The socket is gone.
struct Gone;

struct Out {
    id: u32,
    queue: mpsc::Sender<Message>,
    status: watch::Receiver<Status>,
    stream: Arc<Stream>,
}

impl Out {
    async fn text(&self, mut body: Value) -> Result<(), Gone> {
        body["id"] = json!(self.id);
        self.queue.send(Message::Text(body.to_string().into())).await.map_err(|_| Gone)
    }

    async fn binary(&self, kind: u8, payload: &[u8]) -> Result<(), Gone> {
        let mut m = BytesMut::with_capacity(payload.len() + 5);
        m.put_u32(self.id);
        m.put_u8(kind);
        m.put_slice(payload);
        let m: Bytes = m.freeze();
        self.queue.send(Message::Binary(m)).await.map_err(|_| Gone)
    }

    async fn state(&mut self) -> Result<(), Gone> {
        let status = self.status.borrow_and_update().clone();
        let state = match &status {
            Status::Idle | Status::Connecting => "connecting",
            Status::Live => "live",
            Status::Silent => "silent",
            Status::Waiting { .. } => "waiting",
            Status::Suspended | Status::Disabled => "suspended",
        };
        let failure = self.stream.state().failure;
        let retry_in_ms = match status {
            Status::Waiting { at, .. } => u64::try_from(at.saturating_duration_since(Instant::now()).as_millis()).ok(),
            _ => None,
        };
        self.text(json!({
            "type": "state",
            "state": state,
            "message": failure.as_ref().map(|f| f.message.as_str()),
            "reason": failure.as_ref().map(|f| f.reason.as_str()),
            "retry_in_ms": retry_in_ms,
        }))
        .await
    }
}

/// Serves one tile until the stream or the socket ends.
pub(super) async fn run(id: u32, stream: Arc<Stream>, pictures: Pictures, plays: Plays, queue: mpsc::Sender<Message>) {
    let _viewer = presence(&stream);
    let status = stream.status();
    let mut out = Out { id, queue, status, stream: Arc::clone(&stream) };
    if out.state().await.is_err() {
        return;
    }
    loop {
        let Ok(codecs) = codecs(&mut out).await else { break };
        let Some((video, sound)) = codecs else {
            let _ = out
                .text(json!({ "type": "error", "code": "camera_not_found", "error": "the camera was removed" }))
                .await;
            break;
        };
        let done = if plays.video(&video) {
            let sound = sound.is_some_and(|c| plays.sound(&c));
            by_fragments(&mut out, &pictures, &video, sound).await
        } else {
            by_pictures(&mut out, &pictures, &video).await
        };
        if done.is_err() || stream.is_closed() {
            break;
        }
    }
}

/// The stream's codecs, once they are known; `None` when it was removed.
async fn codecs(out: &mut Out) -> Result<Option<(Codec, Option<Codec>)>, Gone> {
    let stream = Arc::clone(&out.stream);
    loop {
        let published = stream.notified();
        tokio::pin!(published);
        published.as_mut().enable();
        if let Some(d) = stream.description()
            && let Some(v) = d.video()
        {
            return Ok(Some((v.codec.clone(), d.audio().map(|t| t.codec.clone()))));
        }
        if stream.is_closed() {
            return Ok(None);
        }
        tokio::select! {
            () = published => {}
            _ = out.status.changed() => out.state().await?,
            () = out.queue.closed() => return Err(Gone),
        }
    }
}

/// Returns when the codec changed or the stream ended.
async fn by_fragments(out: &mut Out, pictures: &Pictures, video: &Codec, sound: bool) -> Result<(), Gone> {
    let stream = Arc::clone(&out.stream);
    let feed = pictures.feeds.get(&stream, sound);
    let mut changes = feed.changes();
    changes.mark_changed();
    let mut place = Place::default();
    loop {
        tokio::select! {
            _ = changes.changed() => {}
            _ = out.status.changed() => { out.state().await?; continue }
            () = feed.ended().cancelled() => return Ok(()),
            () = out.queue.closed() => return Err(Gone),
        }
        loop {
            match feed.next(&mut place) {
                Next::Init(init) if init.codec != video.name() => {
                    // The description is ahead of the feed, or the feed of it: look again when there is more.
                    let _ = changes.changed().await;
                    return Ok(());
                }
                Next::Init(init) => {
                    out.text(json!({
                        "type": "init", "mime": init.mime, "width": init.width, "height": init.height, "codec": init.codec,
                    }))
                    .await?;
                    out.binary(INIT, &init.segment).await?;
                }
                Next::Fragment(data) => out.binary(FRAGMENT, &data).await?,
                Next::Skipped(count) => out.text(json!({ "type": "skipped", "count": count })).await?,
                Next::Wait => break,
            }
        }
    }
}

/// Returns when the codec changed or the stream ended.
async fn by_pictures(out: &mut Out, pictures: &Pictures, video: &Codec) -> Result<(), Gone> {
    let stream = Arc::clone(&out.stream);
    let info = stream.description().and_then(|d| d.video().and_then(|t| t.video().cloned())).unwrap_or_default();
    out.text(json!({
        "type": "init", "mime": "image/jpeg", "width": info.width, "height": info.height, "codec": video.name(),
    }))
    .await?;
    let rendition = pictures.renditions.get(&stream, JPEG_FORM, Pace::Every(JPEG_INTERVAL_MS));
    let mut shots = rendition.shots();
    shots.mark_changed();
    loop {
        tokio::select! {
            _ = shots.changed() => {}
            _ = out.status.changed() => { out.state().await?; continue }
            () = rendition.ended().cancelled() => return Ok(()),
            () = out.queue.closed() => return Err(Gone),
        }
        let shot = shots.borrow_and_update().clone();
        if let Some(shot) = shot {
            out.binary(JPEG, &shot.jpeg).await?;
        }
        let now = stream.description().and_then(|d| d.video().map(|t| t.codec.name()));
        if now.is_some_and(|n| n != video.name()) {
            return Ok(());
        }
    }
}
