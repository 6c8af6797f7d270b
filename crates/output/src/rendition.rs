//! JPEG pictures of a stream, made once for all who look.
//!
//! One worker per stream decodes while somebody looks, and encodes each wanted form (rate, width, quality) once.
//! **A form holds one picture, the newest**: whoever is slow misses some, and delays nobody. When the last viewer goes,
//! the worker and its decoder go.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use vigie_base::StreamKey;
use vigie_codec::ffmpeg::Ffmpeg;
use vigie_codec::{CodecError, Picture, PictureRef, VideoDecoder, h264, jpeg};
use vigie_hub::{Cursor, Event, Join, Lag, Purpose, Stream, SubscribeOptions};
use vigie_media::{AccessUnit, Codec, H264Params};

/// What pictures are to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    /// Most pixels in a row; `None` for the camera's own.
    pub(crate) width: Option<u32>,
    /// 1 to 100; `None` for the camera's own JPEG where it sends JPEG, else the default.
    pub(crate) quality: Option<u8>,
}

impl Form {
    fn is_as_is(self) -> bool {
        self.width.is_none() && self.quality.is_none()
    }

    fn quality(self) -> u8 {
        self.quality.unwrap_or(jpeg::DEFAULT_QUALITY)
    }
}

/// When pictures are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pace {
    /// At most one in this many milliseconds; zero for every picture.
    Every(u32),
    /// The next one, each time somebody asks.
    OnDemand,
}

/// One JPEG.
#[derive(Debug)]
pub(crate) struct Shot {
    /// Grows with each picture of this form.
    pub(crate) number: u64,
    pub(crate) jpeg: Bytes,
    /// When the camera's picture reached us.
    pub(crate) arrived: Instant,
}

/// A form being made. Keep it to keep it being made.
#[derive(Debug)]
pub(crate) struct Rendition {
    form: Form,
    pace: Pace,
    /// For [`Pace::OnDemand`]: the earliest question without an answer.
    asked: Mutex<Option<Instant>>,
    next_due: Mutex<i64>,
    latest: watch::Sender<Option<Arc<Shot>>>,
    worker: Arc<Worker>,
}

impl Rendition {
    /// The newest picture, now and from now on.
    pub(crate) fn shots(&self) -> watch::Receiver<Option<Arc<Shot>>> {
        self.latest.subscribe()
    }

    /// For [`Pace::OnDemand`]: the next picture that arrives is wanted.
    pub(crate) fn ask(&self) {
        self.asked.lock().get_or_insert_with(Instant::now);
    }

    /// Ends when the stream was removed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.worker.ended
    }

    /// Whether this picture is wanted in this form; `behind` while the worker catches up with the stream.
    fn is_due(&self, at_ms: i64, arrived: Instant, behind: bool) -> bool {
        match self.pace {
            Pace::OnDemand => self.asked.lock().take_if(|asked| arrived >= *asked).is_some(),
            Pace::Every(_) if behind && self.latest.borrow().is_some() => false,
            Pace::Every(interval) => {
                let mut due = self.next_due.lock();
                // Half a frame of tolerance at 50 fps, so that 25 of 25 are not halved by jitter.
                if at_ms + 10 < *due {
                    return false;
                }
                let interval = i64::from(interval);
                *due = if at_ms - *due > interval { at_ms } else { *due } + interval;
                true
            }
        }
    }

    fn show(&self, jpeg: Bytes, arrived: Instant) {
        self.latest.send_modify(|l| {
            let number = l.as_ref().map_or(0, |s| s.number + 1);
            *l = Some(Arc::new(Shot { number, jpeg, arrived }));
        });
    }
}

#[derive(Debug)]
struct Worker {
    wanted: Mutex<HashMap<(Form, Pace), Weak<Rendition>>>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// All workers, and the tools they share.
pub(crate) struct Renditions {
    ffmpeg_path: std::path::PathBuf,
    ffmpeg: OnceCell<Ffmpeg>,
    /// Stills decoded at once; more wait their turn, so that a wall of cameras does not starve what is live.
    turns: Semaphore,
    workers: Mutex<HashMap<StreamKey, Weak<Worker>>>,
    /// Decoders between two stills: setting one up costs more than decoding a picture with it.
    idle: Mutex<Vec<IdleDecoder>>,
}

struct IdleDecoder {
    params: Arc<H264Params>,
    decoder: Box<h264::Decoder>,
    since: Instant,
}

/// Decoders kept between two stills, each some 20 MB at 1080p.
const MAX_IDLE: usize = 2;

impl Renditions {
    pub(crate) fn new(ffmpeg_path: std::path::PathBuf) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Self {
            ffmpeg_path,
            ffmpeg: OnceCell::new(),
            turns: Semaphore::new(cores),
            workers: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// ffmpeg, probed when first needed.
    pub(crate) async fn ffmpeg(&self) -> &Ffmpeg {
        self.ffmpeg.get_or_init(|| Ffmpeg::probe(&self.ffmpeg_path)).await
    }

    /// The form of that stream, made from now on when nobody had it made yet.
    pub(crate) fn get(self: &Arc<Self>, stream: &Arc<Stream>, form: Form, pace: Pace) -> Arc<Rendition> {
        let mut workers = self.workers.lock();
        workers.retain(|_, w| w.strong_count() > 0);
        let running = workers.get(&stream.key()).and_then(Weak::upgrade).filter(|w| !w.ended.is_cancelled());
        let worker = running.unwrap_or_else(|| {
            let worker = Arc::new(Worker {
                wanted: Mutex::default(),
                stop: CancellationToken::new(),
                ended: CancellationToken::new(),
            });
            let (stop, ended) = (worker.stop.clone(), worker.ended.clone());
            let work = Work {
                owner: Arc::clone(self),
                worker: Arc::downgrade(&worker),
                decoder: Decoder::Unknown,
                video: None,
            };
            let options = SubscribeOptions { join: Join::Burst, lag: Lag::Live, purpose: Purpose::Observe };
            let cursor = stream.subscribe(options);
            tokio::spawn(async move {
                // However it ends: viewers must not wait for a worker that is gone.
                let _ended = ended.drop_guard();
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = work.run(cursor) => {}
                }
            });
            workers.insert(stream.key(), Arc::downgrade(&worker));
            worker
        });
        drop(workers);
        let mut wanted = worker.wanted.lock();
        wanted.retain(|_, r| r.strong_count() > 0);
        if let Some(r) = wanted.get(&(form, pace)).and_then(Weak::upgrade) {
            return r;
        }
        let rendition = Arc::new(Rendition {
            form,
            pace,
            asked: Mutex::new(None),
            next_due: Mutex::new(i64::MIN / 2),
            latest: watch::Sender::new(None),
            worker: Arc::clone(&worker),
        });
        wanted.insert((form, pace), Arc::downgrade(&rendition));
        drop(wanted);
        rendition
    }

    /// A decoder for key frames of that stream: a kept one, else a new one.
    fn still_decoder(&self, params: &Arc<H264Params>) -> Result<Box<h264::Decoder>, CodecError> {
        let mut idle = self.idle.lock();
        if let Some(at) = idle.iter().position(|i| i.params == *params) {
            return Ok(idle.swap_remove(at).decoder);
        }
        drop(idle);
        h264::Decoder::new(params).map(Box::new)
    }

    fn keep_decoder(&self, params: Arc<H264Params>, decoder: Box<h264::Decoder>) {
        let mut idle = self.idle.lock();
        if idle.len() >= MAX_IDLE {
            idle.remove(0);
        }
        idle.push(IdleDecoder { params, decoder, since: Instant::now() });
    }

    /// Lets all kept decoders go.
    pub(crate) fn forget(&self) {
        self.idle.lock().clear();
    }

    /// Lets decoders go that nobody needed for a while; says whether some are left.
    pub(crate) fn sweep(&self) -> bool {
        let mut idle = self.idle.lock();
        idle.retain(|i| i.since.elapsed() < WARM);
        !idle.is_empty()
    }

    /// Workers running now.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.workers.lock().values().filter(|w| w.strong_count() > 0).count()
    }
}

enum Decoder {
    Unknown,
    /// Built in; `None` until the next key frame.
    H264(Arc<H264Params>, Option<Box<h264::Decoder>>),
    Jpeg,
    /// Key frames by ffmpeg.
    Child(Codec),
}

struct Work {
    owner: Arc<Renditions>,
    worker: Weak<Worker>,
    decoder: Decoder,
    video: Option<(vigie_media::TrackId, u32)>,
}

impl Work {
    async fn run(mut self, mut cursor: Cursor) {
        loop {
            match cursor.next().await {
                Err(_) => return,
                Ok(Event::Description(d)) => {
                    self.video = d.video().map(|t| (t.id, t.clock_rate));
                    self.decoder = d.video().map_or(Decoder::Unknown, |t| decoder_for(&t.codec));
                }
                Ok(Event::Unit(u)) => {
                    let Some((track, rate)) = self.video else { continue };
                    if u.track != track {
                        continue;
                    }
                    let behind = cursor.lag().0 > 4;
                    let at_ms = u.pts.rescale(rate, 1000).0;
                    if let Err(e) = self.picture(u, at_ms, behind).await {
                        debug!(error = %e, "a picture could not be shown");
                        if let Decoder::H264(_, decoder) = &mut self.decoder {
                            *decoder = None;
                        }
                    }
                }
                Ok(Event::Gap(_) | Event::Skipped(_)) => {
                    if let Decoder::H264(_, decoder) = &mut self.decoder {
                        *decoder = None;
                    }
                }
            }
        }
    }

    fn due(&self, at_ms: i64, arrived: Instant, behind: bool) -> Vec<Arc<Rendition>> {
        let Some(worker) = self.worker.upgrade() else { return Vec::new() };
        let wanted: Vec<_> = worker.wanted.lock().values().filter_map(Weak::upgrade).collect();
        wanted.into_iter().filter(|r| r.is_due(at_ms, arrived, behind)).collect()
    }

    async fn picture(&mut self, unit: Arc<AccessUnit>, at_ms: i64, behind: bool) -> Result<(), CodecError> {
        match &mut self.decoder {
            Decoder::Unknown => Ok(()),
            Decoder::Jpeg => {
                let due = self.due(at_ms, unit.arrived, behind);
                let (same, other): (Vec<_>, Vec<_>) = due.into_iter().partition(|r| r.form.is_as_is());
                for r in same {
                    r.show(unit.data.clone(), unit.arrived);
                }
                if other.is_empty() {
                    return Ok(());
                }
                blocking(move || {
                    let picture = jpeg::decode(&unit.data)?;
                    show_all(&other, picture.view(), unit.arrived)
                })
                .await
            }
            Decoder::Child(codec) => {
                if !unit.key {
                    return Ok(());
                }
                let codec = codec.clone();
                let ffmpeg = self.owner.ffmpeg().await;
                for r in self.due(at_ms, unit.arrived, behind) {
                    let jpeg = ffmpeg.still(&codec, &unit.data, r.form.width, r.form.quality()).await?;
                    r.show(jpeg, unit.arrived);
                }
                Ok(())
            }
            Decoder::H264(params, slot) => {
                let mut decoder = match slot.take() {
                    Some(d) => d,
                    None if unit.key => match h264::Decoder::new(params) {
                        Ok(d) => Box::new(d),
                        Err(CodecError::Unsupported(_)) => {
                            self.decoder = Decoder::Child(Codec::H264(Arc::clone(params)));
                            return Ok(());
                        }
                        Err(e) => return Err(e),
                    },
                    None => return Ok(()),
                };
                let due = self.due(at_ms, unit.arrived, behind);
                let (decoder, result) = blocking(move || {
                    let result = match decoder.decode(&unit.data) {
                        Ok(Some(picture)) => show_all(&due, picture, unit.arrived),
                        Ok(None) => Ok(()),
                        Err(e) => Err(e),
                    };
                    Ok((decoder, result))
                })
                .await?;
                if result.is_ok()
                    && let Decoder::H264(_, slot) = &mut self.decoder
                {
                    *slot = Some(decoder);
                }
                result
            }
        }
    }
}

fn decoder_for(codec: &Codec) -> Decoder {
    match codec {
        Codec::H264(p) => Decoder::H264(Arc::clone(p), None),
        Codec::Jpeg(_) => Decoder::Jpeg,
        Codec::H265(_) => Decoder::Child(codec.clone()),
        Codec::Aac(_) | Codec::G711(_) | Codec::Opus(_) => Decoder::Unknown,
    }
}

fn show_all(due: &[Arc<Rendition>], picture: PictureRef<'_>, arrived: Instant) -> Result<(), CodecError> {
    for r in due {
        let jpeg = jpeg::Encoder::new(r.form.quality())?.still(picture, r.form.width)?;
        r.show(jpeg, arrived);
    }
    Ok(())
}

/// Runs work of milliseconds off the async workers.
pub(crate) async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, CodecError> + Send + 'static,
) -> Result<T, CodecError> {
    match tokio::task::spawn_blocking(f).await {
        Ok(r) => r,
        Err(_) => Err(CodecError::Library("codec", "it panicked".into())),
    }
}

/// One key frame as a JPEG: decoded alone, by whatever can.
pub(crate) async fn still(
    owner: &Arc<Renditions>,
    codec: &Codec,
    unit: Arc<AccessUnit>,
    form: Form,
) -> Result<Bytes, CodecError> {
    // Never closed, so the error cannot happen.
    let _turn = owner.turns.acquire().await.map_err(|_| CodecError::Busy)?;
    match codec {
        Codec::Jpeg(_) if form.is_as_is() => Ok(unit.data.clone()),
        Codec::Jpeg(_) => {
            let make = move || {
                let picture: Picture = jpeg::decode(&unit.data)?;
                jpeg::Encoder::new(form.quality())?.still(picture.view(), form.width)
            };
            blocking(make).await
        }
        Codec::H264(params) => {
            let (params, data, kept) = (Arc::clone(params), unit.data.clone(), Arc::clone(owner));
            let make = move || {
                let mut decoder = kept.still_decoder(&params)?;
                let jpeg = jpeg::Encoder::new(form.quality())?.still(decoder.still(&data)?, form.width)?;
                // Only one that worked is used again.
                kept.keep_decoder(params, decoder);
                Ok(jpeg)
            };
            match blocking(make).await {
                Err(CodecError::Unsupported(_)) => {
                    owner.ffmpeg().await.still(codec, &unit.data, form.width, form.quality()).await
                }
                r => r,
            }
        }
        _ => owner.ffmpeg().await.still(codec, &unit.data, form.width, form.quality()).await,
    }
}

/// How long a decoder stays warm after somebody asked for the newest picture.
pub(crate) const WARM: Duration = Duration::from_secs(5);
