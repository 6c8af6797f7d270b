//! A whole `control` for a test.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use vigie_base::{CameraId, FakeClock, Secret, SessionId, StreamKey, UnixMillis, UserId};
use vigie_control::auth::{Caller, NewAccount};
use vigie_control::cameras::CameraView;
use vigie_control::config::Argon2Cost;
use vigie_control::courts::NewCourt;
use vigie_control::host::{CameraConnection, NoFreePort, ProbeFailure, ProbeReport, StreamConnection};
use vigie_control::{Config, Control, Identity, Links, Parts, Prober, SessionPorts, StreamHost};
use vigie_hub::{Failure, GapCause, Hub, Reason, SourceTrack, SourceUnit, Status, Stream};
use vigie_media::{Codec, H264Params, TrackId, VideoInfo};
use vigie_record::{Disk, Recorder};
use vigie_store::{Role, Store};

pub(crate) const T0: UnixMillis = UnixMillis(1_700_000_000_000);
pub(crate) const PASSWORD: &str = "korrekt-horse-7";

#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) applied: Mutex<Vec<CameraConnection>>,
    pub(crate) removed: Mutex<Vec<CameraId>>,
    hub: Mutex<Option<Hub>>,
}

#[async_trait]
impl StreamHost for Host {
    fn apply(&self, camera: CameraConnection) {
        self.applied.lock().push(camera);
    }
    fn remove(&self, id: CameraId) {
        self.removed.lock().push(id);
        if let Some(hub) = &*self.hub.lock() {
            hub.remove_camera(id);
        }
    }
    async fn reconnect(&self, _id: CameraId) {}
}

#[derive(Debug, Default)]
pub(crate) struct Probe {
    pub(crate) seen: Mutex<Vec<StreamConnection>>,
    pub(crate) answer: Mutex<Option<Result<ProbeReport, ProbeFailure>>>,
}

#[async_trait]
impl Prober for Probe {
    async fn probe(&self, stream: StreamConnection, _timeout: Duration) -> Result<ProbeReport, ProbeFailure> {
        self.seen.lock().push(stream);
        self.answer
            .lock()
            .clone()
            .unwrap_or(Err(ProbeFailure { reason: Reason::Tcp, message: "connection refused".to_owned() }))
    }
    async fn picture(&self, stream: &Arc<Stream>) -> Option<Bytes> {
        stream.last_key().map(|k| k.data.clone())
    }
}

/// Ports that sessions may have; without any they have none.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    pub(crate) free: Mutex<Vec<u16>>,
    given: Mutex<Vec<(SessionId, u16)>>,
    wanted: Mutex<bool>,
}

impl SessionPorts for Ports {
    fn allocate(&self, session: &SessionId) -> Result<Option<u16>, NoFreePort> {
        let mut wanted = self.wanted.lock();
        *wanted |= !self.free.lock().is_empty();
        if !*wanted {
            return Ok(None);
        }
        let port = self.free.lock().pop().ok_or(NoFreePort)?;
        self.given.lock().push((session.clone(), port));
        Ok(Some(port))
    }
    fn release(&self, session: &SessionId) {
        let mut given = self.given.lock();
        if let Some(at) = given.iter().position(|(s, _)| s == session) {
            self.free.lock().push(given.remove(at).1);
        }
    }
    fn list(&self) -> Vec<(SessionId, u16)> {
        self.given.lock().clone()
    }
}

pub(crate) struct House {
    pub(crate) ports: Arc<Ports>,
    pub(crate) control: Arc<Control>,
    pub(crate) hub: Hub,
    pub(crate) host: Arc<Host>,
    pub(crate) probe: Arc<Probe>,
    pub(crate) clock: FakeClock,
    pub(crate) store: Store,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn config(dir: &std::path::Path) -> Config {
    Config {
        argon2: Argon2Cost { memory_kib: 8, passes: 1 },
        first_frame_timeout: Duration::from_secs(3),
        min_free_bytes: 0,
        max_concurrent_recordings: 2,
        ..Config::new(dir)
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap(), |_| {}).await
    }

    pub(crate) async fn with(dir: tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(dir.path());
        change(&mut config);
        let store = Store::open(dir.path()).await.unwrap();
        let hub = Hub::default();
        let clock = FakeClock::at(T0);
        let host = Arc::new(Host { hub: Mutex::new(Some(hub.clone())), ..Host::default() });
        let probe = Arc::new(Probe::default());
        let ports = Arc::new(Ports::default());
        let recorder = Recorder::with_clock(
            vigie_record::Config {
                max_concurrent: config.max_concurrent_recordings,
                keep_free_bytes: 0,
                log_dir: config.log_dir.join("video"),
                first_picture: Duration::from_secs(2),
                ..vigie_record::Config::default()
            },
            hub.clone(),
            Arc::new(Disk::new(&config.media_dir).unwrap()),
            Arc::new(store.clone()),
            Arc::new(clock.clone()),
        )
        .unwrap();
        let parts = Parts {
            store: store.clone(),
            hub: hub.clone(),
            clock: Arc::new(clock.clone()),
            streams: Arc::<Host>::clone(&host),
            prober: Arc::<Probe>::clone(&probe),
            ports: Arc::<Ports>::clone(&ports),
            recorder,
        };
        let control = Control::start(config, parts).await.unwrap();
        Self { ports, control, hub, host, probe, clock, store, dir }
    }

    /// Ends everything and gives the folder back, for a second start.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.control.shutdown().await;
        self.store.close().await;
        let House { control, store, dir, .. } = self;
        drop((control, store));
        dir
    }

    pub(crate) async fn camera(&self, body: Value) -> CameraView {
        self.control.cameras.create(&admin(), object(&body)).await.unwrap()
    }

    pub(crate) async fn club(&self, name: &str) -> i64 {
        self.control.clubs.create(&admin(), name, Some("UTC")).await.unwrap().id
    }

    pub(crate) async fn court(&self, club: i64, name: &str, camera: Option<i64>) -> i64 {
        let new = NewCourt { name: name.to_owned(), camera_id: camera, enabled: true };
        self.control.courts.create(&admin(), club, new).await.unwrap().id
    }

    /// An account whose password is [`PASSWORD`].
    pub(crate) async fn account(&self, name: &str, role: Role, club: Option<i64>) -> i64 {
        let password = Some(secret(PASSWORD));
        let new = NewAccount { username: name.to_owned(), password, role, club_id: club, enabled: true };
        self.control.auth.create_account(&admin(), new).await.unwrap().0.id
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Identity {
        let signed = self.control.auth.login(from("127.0.0.1"), name, &secret(PASSWORD)).await.unwrap();
        self.control.auth.authenticate(signed.token.reveal()).unwrap()
    }

    /// A camera that sends from the moment somebody wants it, until the guard goes.
    pub(crate) fn sends(&self, camera: i64) -> tokio_util::sync::DropGuard {
        let stream = self.hub.ensure(StreamKey::main(CameraId(camera)));
        let cancel = tokio_util::sync::CancellationToken::new();
        let (stop, guard) = (cancel.clone(), cancel.drop_guard());
        tokio::spawn(async move {
            let mut demand = stream.demand();
            let wanted = async {
                let _ = demand.wait_for(|d| d.any()).await;
            };
            tokio::select! { () = wanted => {}, () = stop.cancelled() => return }
            stream.set_status(Status::Connecting);
            let mut publisher = stream.publisher(GapCause::SourceLost);
            publisher.describe(vec![track()]).unwrap();
            for n in 0i64.. {
                let unit = SourceUnit {
                    track: TrackId(0),
                    pts: n * 3600,
                    dts: None,
                    shared_ns: None,
                    arrived: Instant::now(),
                    key: n % 5 == 0,
                    data: Bytes::from(vec![0, 0, 0, 5, if n % 5 == 0 { 0x65 } else { 0x41 }, 1, 2, 3, 4]),
                };
                if publisher.push(unit).is_err() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(40)) => {}
                    () = stop.cancelled() => return,
                }
            }
        });
        guard
    }

    /// A camera that refuses whoever wants it.
    pub(crate) fn refuses(&self, camera: i64) {
        let stream = self.hub.ensure(StreamKey::main(CameraId(camera)));
        tokio::spawn(async move {
            let mut demand = stream.demand();
            if demand.wait_for(|d| d.any()).await.is_ok() {
                stream.set_status(Status::Connecting);
                let message = "the camera refused the password".to_owned();
                stream.set_failure(Some(Failure { reason: Reason::Auth, message }));
                stream.set_status(Status::Waiting { attempt: 1, at: Instant::now() + Duration::from_secs(10) });
            }
        });
    }

    /// The kinds of all stored events, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let all = self.control.events.list(&admin(), None, 1000).await.unwrap();
        all.into_iter().rev().map(|e| e.kind).collect()
    }

    /// Waits until an event of that kind is stored.
    pub(crate) async fn event(&self, kind: &str) {
        until(async || self.events().await.iter().any(|k| k == kind)).await;
    }
}

fn track() -> SourceTrack {
    let video =
        VideoInfo { width: 640, height: 360, fps: Some(25.0), rfc6381: "avc1.42c01e".into(), ..Default::default() };
    let params = H264Params {
        sps: Bytes::from_static(&[0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x80]),
        pps: vec![Bytes::from_static(&[0x68, 0xce, 0x3c, 0x80])],
        video,
    };
    SourceTrack { clock_rate: 90_000, codec: Codec::H264(Arc::new(params)) }
}

/// Waits for a condition, at most five seconds.
pub(crate) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !condition().await {
        assert!(Instant::now() < end, "it did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn object(v: &Value) -> &Map<String, Value> {
    v.as_object().unwrap()
}

pub(crate) fn admin() -> Identity {
    Identity::system()
}

pub(crate) fn person(id: i64, role: Role, club: Option<i64>) -> Identity {
    Identity { user_id: UserId(id), username: format!("user{id}"), role, club_id: club, ..Identity::system() }
}

pub(crate) fn from(address: &str) -> Caller {
    Caller { address: address.parse::<IpAddr>().unwrap() }
}

pub(crate) fn secret(s: &str) -> Secret {
    Secret::new(s)
}

pub(crate) fn links() -> Links {
    let host = "192.0.2.9".to_owned();
    let (scheme, local_scheme) = ("http", "http");
    Links { host, scheme, http_port: 5000, rtsp_port: Some(8554), local_scheme, local_port: 5000 }
}
