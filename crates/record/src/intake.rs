//! Between the hub and the file: units that MP4 players understand pass untouched, others are converted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use vigie_codec::ffmpeg::Ffmpeg;
use vigie_media::{AccessUnit, Codec, G711Params, MediaKind, StreamDescription, Track, TrackId};

use crate::convert::h264::{CLOCK, Made, Means};
use crate::convert::{ToAac, ToH264, ToOpus};
use crate::{Encoding, RecordError, VideoMode};

/// Sound that may wait for pictures that are inside an encoder: more than a minute of it.
const WAITING: usize = 4096;
/// Sound goes ahead of the pictures by so much, so that a fragment has both.
const AHEAD_NS: i64 = 200_000_000;

/// What goes into the file, in order.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// The tracks from here on.
    Description(Arc<StreamDescription>),
    /// A unit of them.
    Unit(Arc<AccessUnit>),
    /// An encoder has lost pictures, from and to in nanoseconds of the stream.
    Gap(i64, i64),
    /// A line for the recording's log.
    Note(String),
}

/// See the module.
#[derive(Default)]
pub(crate) struct Intake {
    /// As recorded; `None` until a converted track is known.
    out: Option<StreamDescription>,
    source: Option<Arc<StreamDescription>>,
    // Encoders are not `Sync`, and are never shared: the locks are only there to say so.
    sound: Option<(Track, Sound)>,
    /// Had another track before; its last frames are still to be taken.
    replaced: Option<Sound>,
    ffmpeg: Option<Arc<Ffmpeg>>,
    encoding: Encoding,
    mode: Option<VideoMode>,
    means: Option<Means>,
    pictures: Option<Mutex<ToH264>>,
    /// Sound whose pictures have not come out of the encoder.
    waiting: VecDeque<Arc<AccessUnit>>,
}

/// How G.711 is recorded.
enum Sound {
    Aac(Box<ToAac>),
    Opus(Mutex<ToOpus>),
}

impl Sound {
    fn codec(&mut self) -> Codec {
        match self {
            Sound::Aac(c) => Codec::Aac(c.params()),
            Sound::Opus(c) => Codec::Opus(c.get_mut().params()),
        }
    }

    async fn finish(&mut self) -> Vec<Piece> {
        let mut packets = Vec::new();
        if let Sound::Aac(convert) = self {
            convert.finish(&mut packets).await;
        }
        packets.into_iter().map(Piece::Unit).collect()
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("out", &self.out).finish_non_exhaustive()
    }
}

impl Intake {
    /// For a recording that pictures are copied or encoded in as `encoding` and the request's `mode` say.
    pub(crate) fn new(encoding: Encoding, mode: Option<VideoMode>) -> Self {
        Self { encoding, mode, ..Self::default() }
    }

    /// Pictures per second of what is encoded.
    pub(crate) fn fps(&self) -> Option<f64> {
        self.is_heavy().then(|| f64::from(self.encoding.fps))
    }

    /// Whether [`Self::describe`] needs an encoder and has none yet.
    pub(crate) fn wants_means(&self, source: &StreamDescription) -> bool {
        self.means.is_none() && source.video().is_some_and(|v| self.encoding.encodes(self.mode, Some(&v.codec)))
    }

    /// How pictures are encoded that are described later.
    pub(crate) fn set_means(&mut self, means: Means) {
        self.means = Some(means);
    }

    /// Whether units cost milliseconds each: they are then handled away from the async workers.
    pub(crate) fn is_heavy(&self) -> bool {
        self.pictures.is_some()
    }

    /// `copy` or `encode`, as rows and API answers say.
    pub(crate) fn mode(&self) -> &'static str {
        if self.pictures.is_some() { "encode" } else { "copy" }
    }

    /// Whether [`Self::describe`] makes use of ffmpeg and has none yet.
    pub(crate) fn wants_ffmpeg(&self, source: &StreamDescription) -> bool {
        self.ffmpeg.is_none() && source.tracks.iter().any(|t| matches!(t.codec, Codec::G711(_)))
    }

    /// Sound that is described later becomes AAC, when that ffmpeg can make it.
    pub(crate) fn set_ffmpeg(&mut self, ffmpeg: Arc<Ffmpeg>) {
        self.ffmpeg = Some(ffmpeg);
    }

    /// The tracks of the stream from here on.
    pub(crate) fn describe(
        &mut self,
        source: &Arc<StreamDescription>,
        out: &mut Vec<Piece>,
    ) -> Result<(), RecordError> {
        if source.tracks.is_empty() {
            return Err(RecordError::NothingToRecord);
        }
        if self.source.as_ref().is_some_and(|s| s.tracks == source.tracks) {
            return Ok(());
        }
        self.source = Some(Arc::clone(source));
        let mut before = self.sound.take();
        let mut tracks = Vec::with_capacity(source.tracks.len());
        for t in &source.tracks {
            match &t.codec {
                Codec::G711(law) => {
                    // Pictures of another size are no reason to interrupt the sound.
                    let mut sound = match before.take_if(|(known, _)| known == t) {
                        Some((_, sound)) => sound,
                        None => self.sound_of(*law, t.clock_rate)?,
                    };
                    tracks.push(Track { id: t.id, clock_rate: 48_000, codec: sound.codec() });
                    self.sound = Some((t.clone(), sound));
                }
                codec if t.kind() == MediaKind::Video && self.encoding.encodes(self.mode, Some(codec)) => {
                    tracks.push(Track { id: t.id, clock_rate: CLOCK, codec: self.encode(t)? });
                }
                Codec::Jpeg(_) => return Err(RecordError::CannotCopy("MJPEG")),
                _ => tracks.push(t.clone()),
            }
        }
        self.replaced = before.map(|(_, sound)| sound);
        let description = StreamDescription { generation: source.generation, tracks };
        // The parameters of what is encoded come with its first picture.
        if !description.tracks.iter().any(|t| matches!(t.codec, Codec::Jpeg(_))) && self.is_known() {
            out.push(Piece::Description(Arc::new(description.clone())));
        }
        self.out = Some(description);
        Ok(())
    }

    fn is_known(&self) -> bool {
        self.pictures.as_ref().is_none_or(|p| p.lock().codec().is_some())
    }

    /// What an encoded track has now; what the source has while that is not known.
    fn encode(&mut self, t: &Track) -> Result<Codec, RecordError> {
        let pictures = match &mut self.pictures {
            Some(pictures) => {
                pictures.get_mut().source(t)?;
                pictures
            }
            None => {
                let unready = || RecordError::EncoderUnavailable("the encoder was not looked for".into());
                let means = self.means.clone().ok_or_else(unready)?;
                self.pictures.insert(Mutex::new(ToH264::new(means, t)?))
            }
        };
        Ok(pictures.get_mut().codec().cloned().unwrap_or_else(|| t.codec.clone()))
    }

    fn sound_of(&self, law: G711Params, rate: u32) -> Result<Sound, RecordError> {
        if let Some(aac) = self.ffmpeg.as_ref().and_then(|f| ToAac::new(Arc::clone(f), law, rate)) {
            return Ok(Sound::Aac(Box::new(aac)));
        }
        Ok(Sound::Opus(Mutex::new(ToOpus::new(law, rate)?)))
    }

    /// The sound that is still inside an encoder, at the end of a file. What comes afterwards begins anew.
    pub(crate) async fn finish(&mut self) -> Vec<Piece> {
        match &mut self.sound {
            Some((_, sound)) => sound.finish().await,
            None => Vec::new(),
        }
    }

    /// The sound that is still inside an encoder which [`Self::describe`] has replaced.
    pub(crate) async fn rest_of_replaced(&mut self) -> Vec<Piece> {
        match self.replaced.take() {
            Some(mut sound) => sound.finish().await,
            None => Vec::new(),
        }
    }

    /// How much sound went into an encoder and has not come out.
    pub(crate) fn held(&self) -> std::time::Duration {
        match &self.sound {
            Some((_, Sound::Aac(c))) => c.held(),
            _ => std::time::Duration::ZERO,
        }
    }

    /// The sound that came out meanwhile.
    pub(crate) fn drain(&mut self, out: &mut Vec<Piece>) {
        if let Some((_, Sound::Aac(c))) = &mut self.sound {
            let mut packets = Vec::new();
            c.take(&mut packets);
            out.extend(packets.into_iter().map(Piece::Unit));
        }
    }

    /// One unit of the stream.
    pub(crate) fn unit(&mut self, unit: &Arc<AccessUnit>, out: &mut Vec<Piece>) -> Result<(), RecordError> {
        if let Some(pictures) = &mut self.pictures
            && pictures.get_mut().track() == unit.track
        {
            let mut made = Vec::new();
            let result = pictures.get_mut().unit(unit, &mut made);
            self.made(made, out);
            return result;
        }
        let mut sound = Vec::new();
        if let Some((track, convert)) = &mut self.sound
            && track.id == unit.track
        {
            match convert {
                Sound::Aac(c) => c.unit(unit, &mut sound),
                Sound::Opus(c) => c.get_mut().unit(unit, &mut sound),
            }
        } else {
            sound.push(Arc::clone(unit));
        }
        if self.pictures.is_none() {
            out.extend(sound.into_iter().map(Piece::Unit));
            return Ok(());
        }
        self.waiting.extend(sound);
        // Nobody misses sound without pictures that is more than a minute old.
        let over = self.waiting.len().saturating_sub(WAITING);
        self.waiting.drain(..over);
        Ok(())
    }

    /// Media was lost because this is too slow.
    pub(crate) fn fell_behind(&mut self) {
        if let Some(pictures) = &mut self.pictures {
            pictures.get_mut().fell_behind();
        }
    }

    /// What came out of encoders meanwhile. Frames are made up to `ns` of the stream, when the camera is silent.
    pub(crate) fn look(&mut self, ns: i64, out: &mut Vec<Piece>) -> Result<(), RecordError> {
        let Some(pictures) = &mut self.pictures else { return Ok(()) };
        let mut made = Vec::new();
        let result = pictures.get_mut().look(ns, &mut made);
        self.made(made, out);
        result
    }

    /// The pictures up to `ns` of the stream and everything that is inside the encoder, at the end. `sound` is what
    /// [`Self::finish`] gave.
    pub(crate) fn finish_pictures(
        &mut self,
        ns: i64,
        sound: Vec<Piece>,
        out: &mut Vec<Piece>,
    ) -> Result<(), RecordError> {
        let mut result = Ok(());
        if let Some(pictures) = &mut self.pictures {
            let mut made = Vec::new();
            result = pictures.get_mut().finish(ns, &mut made);
            self.made(made, out);
            out.extend(self.waiting.drain(..).map(Piece::Unit));
        }
        out.extend(sound);
        result
    }

    /// What came out of the encoder, with the sound that belongs to it.
    fn made(&mut self, made: Vec<Made>, out: &mut Vec<Piece>) {
        for made in made {
            match made {
                Made::Codec(codec) => {
                    let Some(description) = &mut self.out else { continue };
                    description.generation += 1;
                    if let Some(t) = description.tracks.iter_mut().find(|t| t.kind() == MediaKind::Video) {
                        t.codec = codec;
                    }
                    out.push(Piece::Description(Arc::new(description.clone())));
                }
                Made::Unit(unit) => {
                    let until = unit.dts.nanos(CLOCK).saturating_add(AHEAD_NS);
                    out.push(Piece::Unit(Arc::new(unit)));
                    let rate = |t: TrackId| self.out.as_ref().and_then(|d| d.track(t)).map_or(48_000, |t| t.clock_rate);
                    while self.waiting.front().is_some_and(|s| s.dts.nanos(rate(s.track)) <= until) {
                        out.extend(self.waiting.pop_front().map(Piece::Unit));
                    }
                }
                Made::Gap(from, to) => out.push(Piece::Gap(from, to)),
                Made::Note(text) => out.push(Piece::Note(text)),
            }
        }
    }
}
