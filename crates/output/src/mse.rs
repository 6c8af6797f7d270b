//! Live video for browsers: many cameras over one WebSocket, as fMP4 for Media Source Extensions.
//!
//! The client sends `{"type":"hello","mse":["avc1","hvc1","opus","mp4a"]}` (what it can play; optional),
//! `{"type":"open","id":1,"camera":3,"stream":"sub"}` (or `"session":"sess_…"`) and `{"type":"close","id":1}`. The
//! server sends text (`init`, `state`, `skipped`, `error`) and binary messages: a big-endian `u32` id, one byte of
//! kind (0 initialisation segment, 1 fragment, 2 JPEG picture), the payload. What a browser cannot play by MSE comes
//! as JPEG pictures.
//!
//! **Nothing is decoded for a picture that a browser can decode, and nothing waits for a slow browser**: its queue is
//! bounded, and each tile is moved to the newest key frame when it fell behind.

pub(crate) mod feed;
pub(crate) mod package;
mod tile;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use vigie_base::StreamName;
use vigie_hub::Verb;
use vigie_media::Codec;

use crate::http::{Caller, HttpError, Shown, Target, shut_out};
use crate::pictures::Pictures;

/// Most tiles on one socket.
const MAX_TILES: usize = 64;
/// Largest message taken from a client.
const MAX_MESSAGE: usize = 16 << 10;
/// Messages waiting for the socket, of all tiles together. A tile whose turn does not come falls behind in its feed.
const QUEUE: usize = 32;
/// A socket that takes nothing for this long is closed.
const STALLED: Duration = Duration::from_secs(20);
const PING: Duration = Duration::from_secs(15);
/// A client that says nothing, not even to pings, for this long is gone.
const SILENT: Duration = Duration::from_secs(45);

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    Hello {
        #[serde(default, alias = "codecs")]
        mse: Vec<String>,
    },
    Open {
        id: u32,
        camera: Option<Value>,
        session: Option<String>,
        stream: Option<String>,
    },
    Close {
        id: u32,
    },
    Ping {},
}

/// What the browser can play.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plays {
    h264: bool,
    h265: bool,
    opus: bool,
    aac: bool,
}

impl Default for Plays {
    /// What every browser with MSE plays.
    fn default() -> Self {
        Self { h264: true, h265: false, opus: true, aac: true }
    }
}

impl Plays {
    fn of(codecs: &[String]) -> Self {
        let any = |prefixes: &[&str]| codecs.iter().any(|c| prefixes.iter().any(|p| c.starts_with(p)));
        Self { h264: any(&["avc1", "avc3"]), h265: any(&["hvc1", "hev1"]), opus: any(&["opus"]), aac: any(&["mp4a"]) }
    }

    pub(crate) fn video(self, codec: &Codec) -> bool {
        match codec {
            Codec::H264(_) => self.h264,
            Codec::H265(_) => self.h265,
            _ => false,
        }
    }

    pub(crate) fn sound(self, codec: &Codec) -> bool {
        match codec {
            Codec::Opus(_) | Codec::G711(_) => self.opus,
            Codec::Aac(_) => self.aac,
            _ => false,
        }
    }
}

/// Live video of many cameras over one WebSocket; see the page on live video for its messages.
#[utoipa::path(
    get, path = "/api/live/ws", tag = "live",
    responses((status = 101, description = "WebSocket"))
)]
pub(crate) async fn live_socket(
    State(s): State<Pictures>,
    caller: Caller,
    upgrade: WebSocketUpgrade,
) -> Result<Response, HttpError> {
    Ok(upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| async move { Box::pin(serve(socket, s, caller)).await }))
}

/// Tells the tile's task to end when it goes.
struct Tile(CancellationToken);

impl Drop for Tile {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn serve(socket: WebSocket, pictures: Pictures, caller: Caller) {
    let (sink, mut received) = socket.split();
    let (out, queue) = mpsc::channel(QUEUE);
    let mut writer = tokio::spawn(write(sink, queue));
    let mut tiles: HashMap<u32, Tile> = HashMap::new();
    let mut plays = Plays::default();
    let mut heard = Instant::now();
    let mut ping = interval(PING);
    ping.tick().await;
    loop {
        let message = tokio::select! {
            _ = &mut writer => return,
            _ = ping.tick() => {
                if heard.elapsed() > SILENT {
                    break;
                }
                // A full queue is news enough for the client; the next tick will do.
                let _ = out.try_send(Message::Ping(bytes::Bytes::new()));
                continue;
            }
            m = received.next() => m,
        };
        heard = Instant::now();
        let text = match message {
            Some(Ok(Message::Text(t))) => t,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        let answer = match serde_json::from_str::<Request>(&text) {
            Ok(Request::Hello { mse }) => {
                plays = Plays::of(&mse);
                None
            }
            Ok(Request::Ping {}) => Some(json!({ "type": "pong" })),
            Ok(Request::Close { id }) => {
                tiles.remove(&id);
                None
            }
            Ok(Request::Open { id, camera, session, stream }) => {
                tiles.remove(&id);
                let asked = Asked { id, camera, session, stream };
                if tiles.len() >= MAX_TILES {
                    Some(error(Some(id), "too_many", "64 cameras on one connection are the most"))
                } else {
                    match asked.open(&pictures, &caller).await {
                        Ok(Shown { stream, session }) => {
                            let token = CancellationToken::new();
                            let (gate, who) = (Arc::clone(&pictures.gate), caller.0.clone());
                            let end = shut_out(gate, who, stream.key(), session);
                            let tile = Box::pin(tile::run(id, stream, pictures.clone(), plays, out.clone()));
                            let (stop, told) = (token.clone(), out.clone());
                            let tile = async move {
                                tokio::select! {
                                    _ = tile => {}
                                    () = end => {
                                        let text = error(Some(id), "forbidden", "you may not watch this any more");
                                        let _ = told.send(Message::Text(text.to_string().into())).await;
                                    }
                                }
                            };
                            tokio::spawn(async move { stop.run_until_cancelled(Box::pin(tile)).await });
                            tiles.insert(id, Tile(token));
                            None
                        }
                        Err(e) => Some(error(Some(id), e.code, &e.message)),
                    }
                }
            }
            Err(_) => Some(error(None, "invalid_message", "this message is not understood")),
        };
        if let Some(answer) = answer
            && !matches!(timeout(STALLED, out.send(Message::Text(answer.to_string().into()))).await, Ok(Ok(())))
        {
            break;
        }
    }
    drop(tiles);
    drop(out);
    // What is queued still goes out; a socket that takes nothing is given up.
    if timeout(STALLED, &mut writer).await.is_err() {
        writer.abort();
    }
}

struct Asked {
    id: u32,
    camera: Option<Value>,
    session: Option<String>,
    stream: Option<String>,
}

impl Asked {
    async fn open(&self, pictures: &Pictures, caller: &Caller) -> Result<Shown, HttpError> {
        let name: StreamName = self
            .stream
            .as_deref()
            .unwrap_or("main")
            .parse()
            .map_err(|_| HttpError::invalid("`stream` is main or sub"))?;
        if let Some(session) = &self.session {
            return pictures.open(caller, Target::Session(session), Verb::View).await;
        }
        let camera = match &self.camera {
            Some(Value::String(s)) => s.clone(),
            Some(Value::Number(n)) => n.to_string(),
            _ => return Err(HttpError::invalid(format!("tile {} names no camera", self.id))),
        };
        pictures.open(caller, Target::Camera(&camera, name), Verb::View).await
    }
}

fn error(id: Option<u32>, code: &str, message: &str) -> Value {
    json!({ "type": "error", "id": id, "code": code, "error": message })
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<Message>) {
    while let Some(message) = queue.recv().await {
        if !matches!(timeout(STALLED, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(Duration::from_secs(1), sink.close()).await;
}

#[cfg(test)]
#[path = "mse/tests.rs"]
mod tests;
