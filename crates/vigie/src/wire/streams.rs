//! Sources for cameras: what `control` wants to run, run by `source`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, StreamKey};
use vigie_control::host::{CameraConnection, ProbeFailure, ProbeReport, StreamConnection};
use vigie_control::{Prober, StreamHost};
use vigie_hub::{Hold, Hub, Status, Stream};
use vigie_media::{AccessUnit, Codec};
use vigie_output::pictures::Stills;
use vigie_source::supervisor::{Options, Saved, Supervisor, supervise};
use vigie_source::{ConnectionConfig, SourceSpec};

/// One supervised stream, and the claim that keeps it going while nobody watches.
#[derive(Debug)]
struct Running {
    supervisor: Supervisor,
    always_on: Option<Hold>,
}

/// Runs the sources of all cameras.
#[derive(Debug)]
pub(crate) struct Streams {
    hub: Hub,
    probe: bool,
    running: Mutex<BTreeMap<StreamKey, Running>>,
    cancel: CancellationToken,
}

impl Streams {
    /// Nothing runs yet.
    pub(crate) fn new(hub: Hub, probe: bool) -> Arc<Self> {
        Arc::new(Self { hub, probe, running: Mutex::default(), cancel: CancellationToken::new() })
    }

    /// Stops every source and waits for it.
    pub(crate) async fn shutdown(&self) {
        self.cancel.cancel();
        let all = std::mem::take(&mut *self.running.lock());
        for running in all.into_values() {
            running.supervisor.stop().await;
        }
    }

    fn stop(self: &Arc<Self>, key: StreamKey) {
        let Some(running) = self.running.lock().remove(&key) else { return };
        drop(running.always_on);
        let streams = Arc::clone(self);
        tokio::spawn(async move {
            running.supervisor.stop().await;
            // Said last, or the supervisor's own farewell would stand instead; unless it was started again since.
            if !streams.running.lock().contains_key(&key)
                && let Some(stream) = streams.hub.get(key)
            {
                stream.set_status(Status::Disabled);
                stream.clear();
            }
        });
    }
}

/// What [`Streams`] shows to `control`.
#[derive(Debug, Clone)]
pub(crate) struct Host(pub(crate) Arc<Streams>);

#[async_trait]
impl StreamHost for Host {
    fn apply(&self, camera: CameraConnection) {
        let streams = &self.0;
        let wanted: Vec<StreamKey> =
            camera.streams.iter().map(|s| StreamKey { camera: camera.id, stream: s.stream }).collect();
        let gone: Vec<StreamKey> = streams
            .running
            .lock()
            .keys()
            .filter(|k| k.camera == camera.id && !(camera.enabled && wanted.contains(k)))
            .copied()
            .collect();
        for key in gone {
            streams.stop(key);
            if !wanted.contains(&key) {
                streams.hub.remove(key);
            }
        }
        for connection in camera.streams {
            let key = StreamKey { camera: camera.id, stream: connection.stream };
            let stream = streams.hub.ensure(key);
            if !camera.enabled {
                stream.set_status(Status::Disabled);
                continue;
            }
            let spec = specification(connection);
            // Only the main stream is kept going for nobody: a small one has no use before somebody looks.
            let always_on = camera.always_on && key == StreamKey::main(camera.id);
            let mut running = streams.running.lock();
            let entry = running.entry(key).or_insert_with(|| {
                let options = Options {
                    probe: streams.probe,
                    saved: Saved { failures: camera.failures, next: camera.next_attempt },
                    ..Options::default()
                };
                if stream.state().status == Status::Disabled {
                    stream.set_status(Status::Idle);
                }
                let supervisor = supervise(Arc::clone(&stream), spec.clone(), options, streams.cancel.child_token());
                Running { supervisor, always_on: None }
            });
            entry.supervisor.update(spec);
            match (always_on, entry.always_on.is_some()) {
                (true, false) => entry.always_on = Some(stream.hold()),
                (false, true) => entry.always_on = None,
                _ => {}
            }
        }
    }

    fn remove(&self, id: CameraId) {
        let gone: Vec<Running> = {
            let mut running = self.0.running.lock();
            let keys: Vec<StreamKey> = running.keys().filter(|k| k.camera == id).copied().collect();
            keys.iter().filter_map(|k| running.remove(k)).collect()
        };
        // Dropping a supervisor ends its source.
        drop(gone);
        self.0.hub.remove_camera(id);
    }

    async fn reconnect(&self, id: CameraId) {
        for (_, running) in self.0.running.lock().iter().filter(|(k, _)| k.camera == id) {
            running.supervisor.reconnect();
        }
    }
}

fn specification(c: StreamConnection) -> SourceSpec {
    let config = serde_json::from_value::<ConnectionConfig>(c.config).unwrap_or_else(|e| {
        // `control` checked it when it was stored; an older version may have known other fields.
        tracing::warn!(error = %e, "a stored connection_config is not understood; defaults are used");
        ConnectionConfig::default()
    });
    SourceSpec { kind: c.kind, url: c.url, credentials: c.credentials, config }
}

/// Widest picture of a test, in pixels.
const PICTURE_WIDTH: u32 = 480;
const PICTURE_QUALITY: u8 = 75;
/// A test does not wait longer for its picture; the answer is worth more.
const PICTURE_LIMIT: Duration = Duration::from_secs(4);

/// Connection tests.
#[derive(Clone)]
pub(crate) struct Probe(pub(crate) Stills);

impl Probe {
    async fn still(&self, codec: &Codec, key: Arc<AccessUnit>) -> Option<Bytes> {
        let made = self.0.jpeg(codec, key, PICTURE_WIDTH, PICTURE_QUALITY);
        tokio::time::timeout(PICTURE_LIMIT, made).await.ok().flatten()
    }
}

#[async_trait]
impl Prober for Probe {
    async fn probe(&self, stream: StreamConnection, timeout: Duration) -> Result<ProbeReport, ProbeFailure> {
        match vigie_source::probe(&specification(stream), timeout).await {
            Ok(r) => Ok(ProbeReport {
                picture: match r.key {
                    Some((codec, key)) => self.still(&codec, key).await,
                    None => None,
                },
                response_time_ms: r.response_time_ms,
                width: r.width,
                height: r.height,
                fps: r.fps,
                codec: Some(r.codec),
                audio_codec: r.audio_codec,
            }),
            Err(e) => Err(ProbeFailure { reason: e.reason, message: e.message }),
        }
    }

    async fn picture(&self, stream: &Arc<Stream>) -> Option<Bytes> {
        let key = stream.last_key()?;
        let codec = stream.description()?.video()?.codec.clone();
        self.still(&codec, key).await
    }
}
