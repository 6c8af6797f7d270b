//! The test card: a moving picture with a burned-in clock and a beep each second, encoded in-process.
//!
//! `testcard:?width=1280&height=720&fps=25&gop=50&bitrate=2000&name=Demo&tone=1&codec=h264&tz=utc`, all optional.
//! **Picture and sound are cut from one clock**: frame `n` is due at exactly `n / fps` after the first, its timestamp
//! says so, and the card flashes in the very 100 ms in which the tone beeps. A machine too slow for the card loses
//! frames, never the time.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use vigie_base::{Clock, SystemClock};
use vigie_codec::opus::PACKET_TICKS;
use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{CodecError, Colour, VideoEncoder, h264, jpeg, opus};
use vigie_hub::{Publisher, Reason, SourceTrack, SourceUnit};
use vigie_media::{Codec, TrackId};

use crate::{Source, SourceError, SourceSpec, unpublishable};

/// Frames waiting for the encoder, and encoded frames waiting to be published; more are not painted at all.
const QUEUE: usize = 2;
const VIDEO_CLOCK: u32 = 90_000;
const SOUND_CLOCK: u32 = 48_000;
/// Quiet: it is heard through open doors all day.
const LOUDNESS: f64 = 2_600.0;

/// What the card is to look and sound like.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Pixels in a row, even.
    pub width: u32,
    /// Rows, even.
    pub height: u32,
    /// Pictures per second in thousandths.
    pub fps_milli: u32,
    /// Pictures from one key frame to the next.
    pub gop: u32,
    /// Bits per second of the picture.
    pub bitrate_bps: u32,
    /// Shown on the card.
    pub name: String,
    /// Beep each second.
    pub tone: bool,
    /// JPEG pictures instead of H.264.
    pub mjpeg: bool,
    /// The clock shows local time.
    pub local_time: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            fps_milli: 25_000,
            gop: 50,
            bitrate_bps: 2_000_000,
            name: "Test card".to_owned(),
            tone: true,
            mjpeg: false,
            local_time: false,
        }
    }
}

impl Options {
    /// Reads the query of a `testcard:` URL.
    pub fn from_url(url: &url::Url) -> Result<Self, SourceError> {
        let mut o = Self::default();
        let mut gop = None;
        for (key, value) in url.query_pairs() {
            let number = |low: u32, high: u32| match value.parse::<u32>() {
                Ok(v) if (low..=high).contains(&v) => Ok(v),
                _ => Err(bad(format!("`{key}` of a test card is a whole number from {low} to {high}"))),
            };
            match key.as_ref() {
                "width" => o.width = number(160, 3840)? & !1,
                "height" => o.height = number(96, 2160)? & !1,
                "fps" => {
                    o.fps_milli = match value.parse::<f64>() {
                        Ok(v) if (0.2..=120.0).contains(&v) => (v * 1000.0).round() as u32,
                        _ => return Err(bad("`fps` of a test card is a number from 0.2 to 120")),
                    }
                }
                "gop" => gop = Some(number(1, 3000)?),
                "bitrate" => o.bitrate_bps = number(50, 50_000)? * 1000,
                "name" => o.name = value.chars().take(40).collect(),
                "tone" => o.tone = number(0, 1)? == 1,
                "codec" => {
                    o.mjpeg = match value.as_ref() {
                        "h264" => false,
                        "mjpeg" => true,
                        _ => return Err(bad("`codec` of a test card is h264 or mjpeg")),
                    }
                }
                "tz" => {
                    o.local_time = match value.as_ref() {
                        "utc" => false,
                        "local" => true,
                        _ => return Err(bad("`tz` of a test card is utc or local")),
                    }
                }
                _ => return Err(bad(format!("a test card has no option `{key}`"))),
            }
        }
        // Two seconds between key frames unless told otherwise.
        o.gop = gop.unwrap_or((o.fps_milli / 500).max(1));
        Ok(o)
    }

    fn fps(&self) -> f64 {
        f64::from(self.fps_milli) / 1000.0
    }

    /// When frame `n` is due, in units of `rate` since the first.
    fn due(&self, n: u64, rate: u32) -> i64 {
        let ticks = u128::from(n) * u128::from(rate) * 1000 / u128::from(self.fps_milli);
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }

    fn due_after(&self, n: u64) -> Duration {
        Duration::from_nanos(self.due(n, 1_000_000_000).unsigned_abs())
    }
}

fn bad(message: impl Into<String>) -> SourceError {
    SourceError::new(Reason::Config, message)
}

/// A test card for that URL.
pub fn make(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    Ok(Box::new(TestCard { options: Options::from_url(&spec.url)? }))
}

#[derive(Debug)]
struct TestCard {
    options: Options,
}

/// One frame to paint.
struct Job {
    n: u64,
    wall_ms: i64,
}

/// One frame, with the sound that goes up to its end.
struct Made {
    /// In ticks of 90 kHz since the first frame.
    pts: i64,
    codec: Codec,
    key: bool,
    picture: Bytes,
    /// Sample of 48 kHz at which each packet begins.
    sound: Vec<(i64, Bytes)>,
    sound_codec: Option<Codec>,
}

#[async_trait]
impl Source for TestCard {
    async fn run(&mut self, mut out: Publisher, cancel: CancellationToken) -> Result<(), SourceError> {
        let options = self.options.clone();
        let (jobs, todo) = sync_channel::<Job>(QUEUE);
        let (done, made) = mpsc::channel::<Result<Made, CodecError>>(QUEUE);
        let worker = tokio::task::spawn_blocking({
            let options = options.clone();
            move || work(&options, &todo, &done)
        });
        let result = tokio::select! {
            () = cancel.cancelled() => Ok(()),
            // Both sides end when the other does: `pace` when nobody takes jobs, `publish` when nothing is made.
            r = async { tokio::join!(pace(&options, jobs), publish(&mut out, made)).1 } => r,
        };
        // Both ends of its queues are gone by now, so the worker ends after the frame it is at.
        let _ = worker.await;
        result
    }
}

/// Orders each frame at its time.
async fn pace(options: &Options, jobs: SyncSender<Job>) {
    let clock = SystemClock;
    // Frames fall on whole seconds of the wall clock where the rate allows it, so the flash is never late.
    let interval_ms = (1_000_000 / i64::from(options.fps_milli)).clamp(1, 1000);
    let (now, wall) = (clock.now(), clock.wall().0);
    let wait = (interval_ms - wall.rem_euclid(1000) % interval_ms) % interval_ms;
    let start = now + Duration::from_millis(wait.unsigned_abs());
    let mut base_ms = wall + wait;
    let mut skipped = 0u64;
    let mut n = 0;
    loop {
        sleep_until((start + options.due_after(n)).into()).await;
        let mut wall_ms = base_ms + options.due(n, 1000);
        let error = clock.wall().0 - wall_ms;
        if error.abs() > 500 && clock.now().saturating_duration_since(start + options.due_after(n)).as_millis() < 100 {
            // Somebody set the machine's clock: the card shows the new time.
            base_ms += error;
            wall_ms += error;
        }
        match jobs.try_send(Job { n, wall_ms }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                skipped += 1;
                if skipped.is_power_of_two() {
                    debug!(skipped, "the machine is too slow for this test card: frames are left out");
                }
            }
            Err(TrySendError::Disconnected(_)) => return,
        }
        // Frames whose time has passed already are not made up for.
        let late = options.due(n + 1, 1000) + 1000 < i64::try_from(start.elapsed().as_millis()).unwrap_or(0);
        n = if late { frame_at(options, start.elapsed()) } else { n + 1 };
    }
}

/// The first frame due after `passed`.
fn frame_at(options: &Options, passed: Duration) -> u64 {
    u64::try_from(passed.as_micros() * u128::from(options.fps_milli) / 1_000_000_000).unwrap_or(0) + 1
}

async fn publish(out: &mut Publisher, mut made: mpsc::Receiver<Result<Made, CodecError>>) -> Result<(), SourceError> {
    let mut described = None;
    while let Some(made) = made.recv().await {
        let made = made.map_err(|e| bad(format!("the test card cannot be encoded: {e}")))?;
        if described.as_ref() != Some(&made.codec) {
            let mut tracks = vec![SourceTrack { clock_rate: VIDEO_CLOCK, codec: made.codec.clone() }];
            tracks.extend(made.sound_codec.iter().map(|c| SourceTrack { clock_rate: SOUND_CLOCK, codec: c.clone() }));
            if let Err(e) = out.describe(tracks) {
                return unpublishable(e);
            }
            described = Some(made.codec.clone());
        }
        let arrived = Instant::now();
        for unit in made.units(arrived) {
            if let Err(e) = out.push(unit) {
                return unpublishable(e);
            }
        }
    }
    Err(SourceError::new(Reason::Protocol, "the test card's encoder ended"))
}

impl Made {
    fn units(self, arrived: Instant) -> impl Iterator<Item = SourceUnit> {
        let unit = move |track: u8, pts: i64, rate: u32, key, data| SourceUnit {
            track: TrackId(track),
            pts,
            dts: Some(pts),
            shared_ns: Some(vigie_media::MediaTime(pts).nanos(rate)),
            arrived,
            key,
            data,
        };
        let video = unit(0, self.pts, VIDEO_CLOCK, self.key, self.picture);
        std::iter::once(video).chain(self.sound.into_iter().map(move |(at, data)| unit(1, at, SOUND_CLOCK, true, data)))
    }
}

/// The encoder's thread: one frame after the other until nobody orders or takes any.
fn work(options: &Options, todo: &Receiver<Job>, done: &mpsc::Sender<Result<Made, CodecError>>) {
    let mut maker = match Maker::new(options) {
        Ok(m) => m,
        Err(e) => {
            // The receiver may be gone already; then nobody needs to know.
            let _ = done.blocking_send(Err(e));
            return;
        }
    };
    while let Ok(job) = todo.recv() {
        let made = maker.make(&job);
        let failed = made.is_err();
        if done.blocking_send(made).is_err() || failed {
            return;
        }
    }
}

struct Maker {
    options: Options,
    card: Card,
    video: Box<dyn VideoEncoder>,
    sound: Option<opus::Encoder>,
    /// Samples given to the sound encoder.
    samples: i64,
    /// 48 kHz time of the next packet.
    packet_at: i64,
}

impl Maker {
    fn new(options: &Options) -> Result<Self, CodecError> {
        let colour = Colour::assumed(options.height);
        let codec = if options.mjpeg { "MJPEG" } else { "H.264" };
        let note = format!("{}×{} {} fps {codec}", options.width, options.height, options.fps());
        let mut card = Card::new(&CardOptions {
            width: options.width,
            height: options.height,
            name: options.name.clone(),
            note,
            colour,
        });
        if options.local_time {
            card.zone_label("local");
        }
        let video: Box<dyn VideoEncoder> = if options.mjpeg {
            Box::new(jpeg::Encoder::new(jpeg::DEFAULT_QUALITY)?)
        } else {
            Box::new(h264::Encoder::new(h264::EncoderOptions {
                fps: options.fps() as f32,
                bitrate_bps: options.bitrate_bps,
                key_interval: options.gop,
                colour,
            })?)
        };
        let sound = if options.tone { Some(opus::Encoder::new(SOUND_CLOCK, 1, 32_000)?) } else { None };
        Ok(Self { options: options.clone(), card, video, sound, samples: 0, packet_at: 0 })
    }

    fn make(&mut self, job: &Job) -> Result<Made, CodecError> {
        let zone_s = if self.options.local_time { local_offset_s(job.wall_ms) } else { 0 };
        let picture = self.card.paint(Moment { frame: job.n, unix_ms: job.wall_ms, zone_s });
        let encoded = self.video.encode(picture.view(), self.options.due_after(job.n), false)?;
        let codec = self
            .video
            .codec()
            .ok_or_else(|| CodecError::Library("video", "the encoder does not say what it makes".into()))?;
        let sound = self.sound_until(job)?;
        let sound_codec = self.sound.as_ref().map(|s| Codec::Opus(s.params()));
        let pts = self.options.due(job.n, VIDEO_CLOCK);
        Ok(Made { pts, codec, key: encoded.key, picture: encoded.data, sound, sound_codec })
    }

    /// The sound from where it stopped to the end of this frame.
    fn sound_until(&mut self, job: &Job) -> Result<Vec<(i64, Bytes)>, CodecError> {
        let Some(encoder) = &mut self.sound else { return Ok(Vec::new()) };
        let frame_start = self.options.due(job.n, SOUND_CLOCK);
        let end = self.options.due(job.n + 1, SOUND_CLOCK);
        let behind = end - self.samples;
        if behind > i64::from(SOUND_CLOCK) * 2 {
            // Frames were left out for long: so is their sound.
            encoder.reset();
            self.samples = frame_start - frame_start % PACKET_TICKS;
            self.packet_at = self.samples;
        }
        let wall = |sample: i64| job.wall_ms * 48 + (sample - frame_start);
        let samples: Vec<i16> = (self.samples..end).map(|s| beep(wall(s))).collect();
        self.samples = end;
        let packets = encoder.encode(&samples)?;
        Ok(packets
            .into_iter()
            .map(|p| {
                let at = self.packet_at;
                self.packet_at += PACKET_TICKS;
                (at, p)
            })
            .collect())
    }
}

/// The sample at that time, counted in 48ths of a millisecond since 1970: 100 ms of 1 kHz each second, softly begun
/// and ended.
fn beep(at: i64) -> i16 {
    let within = at.rem_euclid(48_000);
    const LENGTH: i64 = 4_800;
    if within >= LENGTH {
        return 0;
    }
    let edge = (within.min(LENGTH - within) as f64 / 240.0).min(1.0);
    ((within as f64 / 48.0 * std::f64::consts::TAU).sin() * edge * LOUDNESS) as i16
}

/// Seconds that local time is ahead of UTC.
fn local_offset_s(unix_ms: i64) -> i32 {
    let seconds = unix_ms.div_euclid(1000) as libc::time_t;
    // SAFETY: `tm` is plain data for which zeros are valid (its string pointer is only read by nobody), and
    // `localtime_r` writes nothing else than the struct it is given.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut tm).is_null() {
            return 0;
        }
        tm
    };
    i32::try_from(tm.tm_gmtoff).unwrap_or(0)
}

#[cfg(test)]
#[path = "testcard/tests.rs"]
mod tests;
