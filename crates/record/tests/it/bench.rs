//! A disk and rows in memory that stop working when told to, and a camera that plays a fixture.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use vigie_base::{CameraId, RecordingId, SessionId, StreamKey, UnixMillis};
use vigie_hub::{GapCause, Hub, Publisher, SourceTrack, SourceUnit, Stream};
use vigie_media::MediaTime;
use vigie_record::volume::{Space, VolumeFile};
use vigie_record::{Config, Index, Recorder, Request, Volume};
use vigie_store::{
    CameraFields, CaptureSession, NewRecording, RecordedGap, Recording as Row, RecordingEnd, RecordingProgress,
    RecordingState, SessionState, Store, StoreError,
};

use crate::fixture::Fixture;

/// Counts down with every effect; at zero the process is dead and nothing has effects any more.
#[derive(Debug)]
pub(crate) struct Fuse(AtomicI64);

impl Fuse {
    pub(crate) fn new(effects: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(effects)))
    }
    fn burn(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 { Ok(()) } else { Err(io::Error::other("the process is dead")) }
    }
    pub(crate) fn is_out(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }
}

type Files = Arc<Mutex<BTreeMap<String, Arc<Mutex<Vec<u8>>>>>>;

#[derive(Debug, Clone)]
pub(crate) struct MemoryDisk {
    pub(crate) files: Files,
    pub(crate) fuse: Arc<Fuse>,
    /// Bytes that may still be written.
    pub(crate) room: Arc<AtomicU64>,
    pub(crate) sync_fails: Arc<AtomicBool>,
    pub(crate) free: Arc<AtomicU64>,
    /// Space can be put into the middle of a file.
    pub(crate) inserts: Arc<AtomicBool>,
}

impl MemoryDisk {
    pub(crate) fn new() -> Self {
        Self {
            files: Files::default(),
            fuse: Fuse::new(i64::MAX),
            room: Arc::new(AtomicU64::new(u64::MAX)),
            sync_fails: Arc::default(),
            free: Arc::new(AtomicU64::new(1 << 40)),
            inserts: Arc::default(),
        }
    }
    pub(crate) fn with_fuse(&self, fuse: &Arc<Fuse>) -> Self {
        Self { fuse: Arc::clone(fuse), ..self.clone() }
    }
    pub(crate) fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().get(path).map(|f| f.lock().clone())
    }
    fn file(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>> {
        let data = self.files.lock().get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(MemoryFile { data, disk: self.clone() }))
    }
}

impl Volume for MemoryDisk {
    fn create(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>> {
        self.fuse.burn()?;
        if self.files.lock().insert(path.into(), Arc::default()).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.file(path)
    }
    fn open(&self, path: &str) -> io::Result<Arc<dyn VolumeFile>> {
        self.file(path)
    }
    fn exists(&self, path: &str) -> bool {
        self.files.lock().contains_key(path)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let files = self.files.lock();
        Ok(files.keys().filter(|p| p.strip_prefix(folder).is_some_and(|r| r.starts_with('/'))).cloned().collect())
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.fuse.burn()?;
        self.files.lock().remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        self.fuse.burn()?;
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.into(), file);
        Ok(())
    }
    fn sync_folder_of(&self, _: &str) -> io::Result<()> {
        self.fuse.burn()
    }
    fn space(&self) -> io::Result<Space> {
        Ok(Space { free: self.free.load(Ordering::SeqCst), total: 1 << 41 })
    }
}

#[derive(Debug)]
struct MemoryFile {
    data: Arc<Mutex<Vec<u8>>>,
    disk: MemoryDisk,
}

impl MemoryFile {
    fn put(&self, at: u64, bytes: &[u8]) {
        let mut data = self.data.lock();
        let end = at as usize + bytes.len();
        if data.len() < end {
            data.resize(end, 0);
        }
        data[at as usize..end].copy_from_slice(bytes);
    }
}

impl VolumeFile for MemoryFile {
    fn write_at(&self, at: u64, pieces: &[Bytes]) -> io::Result<()> {
        let all = pieces.concat();
        if let Err(e) = self.disk.fuse.burn() {
            // The write during which the process died is torn, except for the 8 bytes of the flip.
            if !self.disk.fuse.is_out() || all.len() == 8 {
                return Err(e);
            }
            if self.disk.fuse.0.load(Ordering::SeqCst) == -1 {
                self.put(at, &all[..all.len() / 2]);
            }
            return Err(e);
        }
        // Writing again where something stands already needs no room.
        let grows = (at + all.len() as u64).saturating_sub(self.data.lock().len() as u64);
        let room = self.disk.room.load(Ordering::SeqCst);
        if grows > room {
            let fits = all.len() as u64 - (grows - room);
            self.put(at, &all[..fits as usize]);
            self.disk.room.store(0, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.disk.room.fetch_sub(grows, Ordering::SeqCst);
        self.put(at, &all);
        Ok(())
    }
    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let data = self.data.lock();
        let from = data.get(at as usize..).unwrap_or(&[]);
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        Ok(n)
    }
    fn size(&self) -> io::Result<u64> {
        Ok(self.data.lock().len() as u64)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.fuse.burn()?;
        self.data.lock().truncate(len as usize);
        Ok(())
    }
    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
    fn insert(&self, at: u64, len: u64) -> io::Result<()> {
        if !self.disk.inserts.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.disk.fuse.burn()?;
        // As file systems do: whole blocks, inside the file.
        let mut data = self.data.lock();
        if !at.is_multiple_of(4096) || !len.is_multiple_of(4096) || at >= data.len() as u64 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        data.splice(at as usize..at as usize, std::iter::repeat_n(0, len as usize));
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.fuse.burn()?;
        if self.disk.sync_fails.load(Ordering::SeqCst) { Err(io::Error::other("input/output error")) } else { Ok(()) }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) rows: Mutex<BTreeMap<i64, Row>>,
    pub(crate) gaps: Mutex<Vec<RecordedGap>>,
}

/// Rows in memory, behind the same fuse as the disk.
#[derive(Debug, Clone)]
pub(crate) struct MemoryIndex {
    pub(crate) rows: Arc<Rows>,
    pub(crate) fuse: Arc<Fuse>,
}

impl MemoryIndex {
    pub(crate) fn new() -> Self {
        Self { rows: Arc::default(), fuse: Fuse::new(i64::MAX) }
    }
    pub(crate) fn with_fuse(&self, fuse: &Arc<Fuse>) -> Self {
        Self { rows: Arc::clone(&self.rows), fuse: Arc::clone(fuse) }
    }
    pub(crate) fn all(&self) -> Vec<Row> {
        self.rows.rows.lock().values().cloned().collect()
    }
    fn change(&self, id: RecordingId, from: &[RecordingState], f: impl FnOnce(&mut Row)) -> Result<(), StoreError> {
        self.burn()?;
        let mut rows = self.rows.rows.lock();
        let row = rows.get_mut(&id.0).ok_or(StoreError::NotFound("recording"))?;
        assert!(from.contains(&row.state), "{:?} is not one of {from:?}", row.state);
        f(row);
        Ok(())
    }
    fn burn(&self) -> Result<(), StoreError> {
        self.fuse.burn().map_err(|source| StoreError::Io { path: "rows".into(), source })
    }
}

#[async_trait]
impl Index for MemoryIndex {
    async fn opened(&self, new: NewRecording) -> Result<RecordingId, StoreError> {
        self.burn()?;
        let mut rows = self.rows.rows.lock();
        let id = RecordingId(rows.len() as i64 + 1);
        rows.insert(
            id.0,
            Row {
                id,
                kind: new.kind,
                session_id: new.session_id,
                camera_id: Some(new.camera_id),
                camera_name: new.camera_name,
                club_id: new.club_id,
                terrain_id: new.terrain_id,
                user_id: new.user_id,
                path: new.path,
                state: RecordingState::Open,
                started_at: new.started_at,
                ended_at: None,
                planned_ms: new.planned_ms,
                duration_ms: 0,
                size_bytes: 0,
                frames: 0,
                interrupted: false,
                locked: false,
                mode: new.mode,
                codec: None,
                audio_codec: None,
                width: None,
                height: None,
                checksum: None,
                error: None,
                clip_of: new.clip_of,
            },
        );
        Ok(id)
    }
    async fn progress(&self, id: RecordingId, p: RecordingProgress) -> Result<(), StoreError> {
        self.change(id, &[RecordingState::Open], |r| r.frames = p.frames)
    }
    async fn gap(&self, gap: &RecordedGap) -> Result<(), StoreError> {
        self.burn()?;
        self.rows.gaps.lock().push(gap.clone());
        Ok(())
    }
    async fn sealed(&self, id: RecordingId, end: &RecordingEnd) -> Result<(), StoreError> {
        self.change(id, &[RecordingState::Open], |r| {
            r.state = RecordingState::Sealed;
            r.frames = end.progress.frames;
            r.duration_ms = end.progress.duration_ms;
            r.size_bytes = end.progress.size_bytes;
            r.interrupted = end.interrupted;
            r.ended_at = Some(end.ended_at);
            r.codec.clone_from(&end.codec);
            r.audio_codec.clone_from(&end.audio_codec);
        })
    }
    async fn failed(&self, id: RecordingId, at: UnixMillis, error: &str) -> Result<(), StoreError> {
        self.change(id, &[RecordingState::Open], |r| {
            r.state = RecordingState::Failed;
            r.ended_at = Some(at);
            r.error = Some(error.into());
        })
    }
    async fn rows(&self, state: RecordingState) -> Result<Vec<Row>, StoreError> {
        Ok(self.all().into_iter().filter(|r| r.state == state).collect())
    }
    async fn row(&self, id: RecordingId) -> Result<Option<Row>, StoreError> {
        Ok(self.rows.rows.lock().get(&id.0).cloned())
    }
    async fn deleting(&self, id: RecordingId) -> Result<(), StoreError> {
        let from = [RecordingState::Sealed, RecordingState::Failed];
        self.change(id, &from, |r| r.state = RecordingState::Deleting)
    }
    async fn dropped(&self, id: RecordingId) -> Result<(), StoreError> {
        self.burn()?;
        self.rows.rows.lock().remove(&id.0).map(drop).ok_or(StoreError::NotFound("recording"))
    }
}

pub(crate) const KEY: StreamKey = StreamKey { camera: CameraId(1), stream: vigie_base::StreamName::Main };

pub(crate) fn request(duration: Duration) -> Request {
    Request {
        session_id: SessionId("sess_0_1_1700000000".into()),
        stream: KEY,
        camera_name: "Court 1".into(),
        club_id: 0,
        terrain_id: None,
        user_id: None,
        duration,
        mode: None,
    }
}

pub(crate) fn config(dir: &std::path::Path) -> Config {
    Config { log_dir: dir.join("logs"), first_picture: Duration::from_secs(2), ..Config::default() }
}

/// A camera whose time is the test's.
pub(crate) struct Camera {
    pub(crate) stream: Arc<Stream>,
    publisher: Publisher,
    pub(crate) start: Instant,
}

impl Camera {
    pub(crate) fn new(hub: &Hub) -> Self {
        let stream = hub.ensure(KEY);
        let publisher = stream.publisher(GapCause::SourceLost);
        Self { stream, publisher, start: Instant::now() }
    }

    /// Waits until somebody records.
    pub(crate) async fn wanted(&self) {
        let mut demand = self.stream.demand();
        demand.wait_for(|d| d.recorders > 0).await.expect("a stream");
    }

    pub(crate) fn describe(&mut self, f: &Fixture) {
        let track = |t: &vigie_media::Track| SourceTrack { clock_rate: t.clock_rate, codec: t.codec.clone() };
        self.publisher.describe(f.description.tracks.iter().map(track).collect()).expect("described");
    }

    /// Plays everything at once, as if it had arrived in real time from `at` after the start on.
    pub(crate) fn play(&mut self, f: &Fixture, at: Duration) {
        self.play_between(f, at, Duration::ZERO..Duration::MAX);
    }

    /// As [`Self::play`], only what is sent between those times of the fixture.
    pub(crate) fn play_between(&mut self, f: &Fixture, at: Duration, part: Range<Duration>) {
        for u in &f.units {
            let rate = f.description.tracks[usize::from(u.track.0)].clock_rate;
            // Pictures are sent in the order in which they are decoded.
            let first = f.units[0].dts.nanos(f.description.tracks[0].clock_rate);
            let sent = Duration::from_nanos((u.dts.nanos(rate) - first) as u64);
            if !part.contains(&sent) {
                continue;
            }
            let later = MediaTime::from_duration(at, rate).0;
            let unit = SourceUnit {
                track: u.track,
                pts: u.pts.0 + later,
                dts: Some(u.dts.0 + later),
                shared_ns: Some(u.pts.nanos(rate) + at.as_nanos() as i64),
                arrived: self.start + at + sent,
                key: u.key,
                data: u.data.clone(),
            };
            self.publisher.push(unit).expect("published");
        }
    }

    /// The connection broke; a new one begins.
    pub(crate) fn reconnect(&mut self) {
        self.publisher = self.stream.publisher(GapCause::SourceLost);
    }
}

pub(crate) fn recorder(dir: &std::path::Path, hub: &Hub, disk: &MemoryDisk, index: &MemoryIndex) -> Recorder {
    Recorder::new(config(dir), hub.clone(), Arc::new(disk.clone()), Arc::new(index.clone())).expect("threads")
}

/// The camera and the capture session that a row refers to.
pub(crate) async fn seed(store: &Store) {
    let fields = CameraFields {
        slug: "court-1".into(),
        name: "Court 1".into(),
        connection_type: "testcard".into(),
        primary_stream_url: None,
        secondary_stream_url: None,
        snapshot_url: None,
        username: None,
        connection_config: serde_json::Value::Null,
        cloud_config: serde_json::Value::Null,
        manufacturer: None,
        model: None,
        firmware_version: None,
        serial_number: None,
        club_id: None,
        terrain_id: None,
        enabled: true,
        always_on: false,
        tags: Vec::new(),
        declared_fields: Vec::new(),
    };
    let at = UnixMillis(1_700_000_000_000);
    let camera = store.insert_camera(fields, &|_| None, at).await.expect("a camera");
    assert_eq!(camera.id, KEY.camera);
    let session = CaptureSession {
        id: request(Duration::ZERO).session_id,
        camera_id: Some(camera.id),
        club_id: 0,
        terrain_id: None,
        user_id: None,
        state: SessionState::Recording,
        created_at: at,
        last_activity_at: at,
        closed_at: None,
        error: None,
    };
    store.insert_session(&session).await.expect("a session");
}
