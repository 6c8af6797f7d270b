//! All recordings of this process.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use vigie_base::{CameraId, Clock, RecordingId, SessionId, StreamKey, SystemClock, UserId};
use vigie_codec::ffmpeg::Ffmpeg;
use vigie_hub::Hub;
use vigie_store::RecordingState;

use crate::convert::h264::Means;
use crate::recording::{Recording, spawn};
use crate::volume::Volume;
use crate::writer::Writer;
use crate::{EncoderChoice, EncoderState, Encoding, Index, RecordError, VideoMode};

/// Finished recordings that still answer `get`.
const REMEMBERED: usize = 256;

/// Limits and places.
#[derive(Debug, Clone)]
pub struct Config {
    /// Recordings that may run at once (`record.max_concurrent`).
    pub max_concurrent: usize,
    /// Bytes that a recording may lag behind its camera before it gets a gap.
    pub lag_bytes: usize,
    /// Bytes that always stay free.
    pub keep_free_bytes: u64,
    /// How long to wait for the first picture.
    pub first_picture: Duration,
    /// Where session logs go.
    pub log_dir: PathBuf,
    /// The ffmpeg program (`tools.ffmpeg`, `FFMPEG_PATH`); without it G.711 becomes Opus instead of AAC.
    pub ffmpeg: PathBuf,
    /// How pictures are recorded that are not copied, and whether they are copied.
    pub encoding: Encoding,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_concurrent: 10,
            lag_bytes: 32 << 20,
            keep_free_bytes: 512 << 20,
            first_picture: Duration::from_secs(10),
            log_dir: PathBuf::from("logs/video"),
            ffmpeg: PathBuf::from("ffmpeg"),
            encoding: Encoding::default(),
        }
    }
}

/// What to record.
#[derive(Debug, Clone)]
pub struct Request {
    /// For which capture session; names the file.
    pub session_id: SessionId,
    /// Which stream.
    pub stream: StreamKey,
    /// What the camera is called now.
    pub camera_name: String,
    /// The club; 0 without a court.
    pub club_id: i64,
    /// The court.
    pub terrain_id: Option<i64>,
    /// Who started it.
    pub user_id: Option<UserId>,
    /// After this long it stops by itself.
    pub duration: Duration,
    /// Whether pictures are copied or encoded; `None` as configured (`record.video_mode`).
    pub mode: Option<VideoMode>,
}

/// What a recording would need, before it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Measured, or what such a recording usually has.
    pub bitrate_bps: u64,
    /// Whether it was measured on this stream. Encoded pictures are never measured beforehand.
    pub measured: bool,
    /// Bytes at that rate.
    pub bytes: u64,
    /// Bytes free now, beyond what has to stay free.
    pub free_bytes: u64,
    /// `copy` or `encode`: what the recording would be.
    pub mode: &'static str,
    /// Whether there is an encoder for it, should it need one.
    pub encoder_available: bool,
}

impl Estimate {
    /// Whether the disk can hold it.
    pub fn fits(&self) -> bool {
        self.bytes <= self.free_bytes
    }
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) hub: Hub,
    pub(crate) index: Arc<dyn Index>,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<dyn Clock>,
    /// Held by whoever replaces or removes finished files, so that none of them comes back.
    pub(crate) tidy: tokio::sync::Mutex<()>,
    /// Finished files that are about to be replaced ([`crate::shrink`]).
    pub(crate) shrinking: tokio::sync::watch::Sender<BTreeSet<RecordingId>>,
    /// Clips that may be made now.
    pub(crate) clips: tokio::sync::Semaphore,
    /// Parts that were asked for lately.
    pub(crate) planned: crate::clip::Planned,
    running: Mutex<BTreeMap<SessionId, Slot>>,
    ffmpeg: OnceCell<Arc<Ffmpeg>>,
    encoder: OnceCell<(EncoderState, Option<Arc<Ffmpeg>>)>,
}

impl Shared {
    /// ffmpeg, probed when first needed.
    pub(crate) async fn ffmpeg(&self) -> Arc<Ffmpeg> {
        let probe = || async { Arc::new(Ffmpeg::probe(&self.config.ffmpeg).await) };
        Arc::clone(self.ffmpeg.get_or_init(probe).await)
    }

    /// The encoder, tried out when first needed, and ffmpeg when that is what runs x264.
    async fn encoder(&self) -> &(EncoderState, Option<Arc<Ffmpeg>>) {
        self.encoder.get_or_init(|| self.try_encoder()).await
    }

    async fn try_encoder(&self) -> (EncoderState, Option<Arc<Ffmpeg>>) {
        let choice = self.config.encoding.encoder;
        let built_in = |why| (EncoderState { name: "openh264", available: true, why }, None);
        if choice == EncoderChoice::Openh264 {
            return built_in(None);
        }
        let ffmpeg = self.ffmpeg().await;
        match (ffmpeg.try_x264().await, choice) {
            (Ok(()), _) => (EncoderState { name: "libx264", available: true, why: None }, Some(ffmpeg)),
            (Err(why), EncoderChoice::Libx264) => {
                (EncoderState { name: "libx264", available: false, why: Some(why) }, None)
            }
            (Err(why), _) => built_in(Some(why)),
        }
    }

    /// What a recording that encodes needs.
    pub(crate) async fn means(&self) -> Result<Means, RecordError> {
        let (state, x264) = self.encoder().await;
        if !state.available {
            let why = state.why.as_deref().unwrap_or("it does not work");
            return Err(RecordError::EncoderUnavailable(format!(
                "these pictures have to be encoded, and record.encoder = \"{}\" is not possible here: {why}",
                state.name
            )));
        }
        let ffmpeg = Some(self.ffmpeg().await).filter(|f| f.abilities().is_ok());
        Ok(Means { encoding: self.config.encoding, x264: x264.clone(), ffmpeg })
    }
}

enum Slot {
    /// Waits for its first picture.
    Starting,
    Running(Arc<Recording>),
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder into `volume`, with its rows in `index`.
    pub fn new(config: Config, hub: Hub, volume: Arc<dyn Volume>, index: Arc<dyn Index>) -> io::Result<Self> {
        Self::with_clock(config, hub, volume, index, Arc::new(SystemClock))
    }

    /// As [`Self::new`], with the clock that labels rows.
    pub fn with_clock(
        config: Config,
        hub: Hub,
        volume: Arc<dyn Volume>,
        index: Arc<dyn Index>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let writer = Writer::start(volume)?;
        let running = Mutex::default();
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                hub,
                index,
                writer,
                clock,
                tidy: tokio::sync::Mutex::default(),
                shrinking: tokio::sync::watch::Sender::default(),
                clips: tokio::sync::Semaphore::new(crate::clip::MAX_AT_ONCE),
                planned: crate::clip::Planned::default(),
                running,
                ffmpeg: OnceCell::new(),
                encoder: OnceCell::new(),
            }),
        })
    }

    /// The limits.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Starts a recording, and returns when its file is open and its row is written: at once when the stream is
    /// being pulled, after at most [`Config::first_picture`] otherwise.
    pub async fn start(&self, request: Request) -> Result<Arc<Recording>, RecordError> {
        let clicked = std::time::Instant::now();
        let session = request.session_id.clone();
        {
            let mut running = self.shared.running.lock();
            let over = |s: &Slot| matches!(s, Slot::Running(r) if r.is_over());
            if running.get(&session).is_some_and(|s| !over(s)) {
                return Err(RecordError::AlreadyRecording);
            }
            let active = running.values().filter(|s| !over(s)).count();
            if active >= self.shared.config.max_concurrent {
                return Err(RecordError::TooMany(active));
            }
            // Those that are over still answer questions, as long as there are not too many.
            if running.len() > active + REMEMBERED {
                running.retain(|_, s| !over(s));
            }
            running.insert(session.clone(), Slot::Starting);
        }
        // Also when the caller goes away while the first picture is awaited.
        let mut place = Place { shared: Arc::clone(&self.shared), session: session.clone(), keep: false };
        self.check_space()?;
        let recording = spawn(Arc::clone(&self.shared), request, clicked).await?;
        place.keep = true;
        self.shared.running.lock().insert(session, Slot::Running(Arc::clone(&recording)));
        Ok(recording)
    }

    fn check_space(&self) -> Result<(), RecordError> {
        let space = self.shared.writer.volume().space().map_err(|e| RecordError::Disk(e.to_string()))?;
        disk_full(space.free, self.shared.config.keep_free_bytes)
    }

    /// The newest recording of a session in this process, running or over.
    pub fn get(&self, session: &SessionId) -> Option<Arc<Recording>> {
        match self.shared.running.lock().get(session) {
            Some(Slot::Running(r)) => Some(Arc::clone(r)),
            Some(Slot::Starting) | None => None,
        }
    }

    /// Recordings that run now.
    pub fn active(&self) -> Vec<Arc<Recording>> {
        let running = self.shared.running.lock();
        let all = running.values().filter_map(|s| match s {
            Slot::Running(r) if !r.is_over() => Some(Arc::clone(r)),
            Slot::Running(_) | Slot::Starting => None,
        });
        all.collect()
    }

    /// Whether that camera is being recorded.
    pub fn is_recording(&self, camera: CameraId) -> bool {
        self.active().iter().any(|r| r.request().stream.camera == camera)
    }

    /// What a recording of that stream would need; `mode` as in [`Request::mode`].
    pub async fn estimate(
        &self,
        stream: StreamKey,
        duration: Duration,
        mode: Option<VideoMode>,
    ) -> Result<Estimate, RecordError> {
        let stream = self.shared.hub.get(stream);
        let description = stream.as_ref().and_then(|s| s.description());
        let video = description.as_ref().and_then(|d| d.video());
        let encoding = self.shared.config.encoding;
        let encodes = encoding.encodes(mode, video.map(|v| &v.codec));
        let measured = stream.map_or(0, |s| s.state().bitrate_bps);
        let (bitrate_bps, measured) = match measured {
            _ if encodes => (encoding.usual_bitrate(video.and_then(|v| v.video())), false),
            0 => (4_000_000, false),
            bps => (bps, true),
        };
        let space = self.shared.writer.volume().space().map_err(|e| RecordError::Disk(e.to_string()))?;
        Ok(Estimate {
            bitrate_bps,
            measured,
            bytes: (bitrate_bps / 8).saturating_mul(duration.as_secs()),
            free_bytes: space.free.saturating_sub(self.shared.config.keep_free_bytes),
            mode: if encodes { "encode" } else { "copy" },
            encoder_available: match &encoding.encoder {
                // Always there; nothing has to be tried out for it.
                EncoderChoice::Auto | EncoderChoice::Openh264 => true,
                EncoderChoice::Libx264 => self.encoder().await.available,
            },
        })
    }

    /// The encoder that recordings use which cannot be copied, for health. The first call tries it out, which takes
    /// up to some seconds; later ones answer at once.
    pub async fn encoder(&self) -> EncoderState {
        self.shared.encoder().await.0.clone()
    }

    /// Finishes everything: for the end of the process.
    pub async fn stop_all(&self) {
        for r in self.active() {
            // Each outcome is in its row and in its log.
            let _ = r.stop().await;
        }
    }

    /// Waits until a finished file is no longer going to be replaced by a smaller one or one that starts faster, so
    /// that its bytes stay what they are while it is read in pieces. At most for `limit`.
    pub async fn settled(&self, id: RecordingId, limit: Duration) {
        let mut shrinking = self.shared.shrinking.subscribe();
        // Neither outcome matters: the sender lives as long as we do, and after the limit the file is read as it is.
        let _ = tokio::time::timeout(limit, shrinking.wait_for(|all| !all.contains(&id))).await;
    }

    /// Deletes a finished recording: the row is marked, the file goes, then the row.
    pub async fn delete(&self, id: RecordingId) -> Result<(), RecordError> {
        let row = self.shared.index.row(id).await?.ok_or(RecordError::NotFinished)?;
        if row.state == RecordingState::Open {
            return Err(RecordError::NotFinished);
        }
        if row.state != RecordingState::Deleting {
            self.shared.index.deleting(id).await?;
        }
        self.erase(id, &row.path).await
    }

    /// What is left of a deletion once the row is marked. May be repeated.
    pub(crate) async fn erase(&self, id: RecordingId, path: &str) -> Result<(), RecordError> {
        let _tidy = self.shared.tidy.lock().await;
        self.shared.planned.forget(id);
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        let removed = tokio::task::spawn_blocking(move || {
            let volume = shared.writer.volume();
            // A copy of it that is being made goes with it.
            for path in [&path, &crate::shrink::beside(&path)] {
                match volume.remove(path) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    _ => {}
                }
            }
            match volume.sync_folder_of(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            }
        });
        removed.await.map_err(io::Error::other).flatten().map_err(|e| RecordError::Disk(e.to_string()))?;
        self.shared.index.dropped(id).await?;
        Ok(())
    }
}

/// Refuses when less than `keep` is left.
pub(crate) fn disk_full(free: u64, keep: u64) -> Result<(), RecordError> {
    if free >= keep { Ok(()) } else { Err(RecordError::DiskFull { free_mb: free >> 20, needed_mb: keep >> 20 }) }
}

struct Place {
    shared: Arc<Shared>,
    session: SessionId,
    keep: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            self.shared.running.lock().remove(&self.session);
        }
    }
}
