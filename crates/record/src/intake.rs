//! Between the hub and the file: units that MP4 players understand pass untouched, others are converted.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use vigie_codec::ffmpeg::Ffmpeg;
use vigie_media::{AccessUnit, Codec, G711Params, StreamDescription, Track, TrackId};

use crate::RecordError;
use crate::convert::{ToAac, ToH264, ToOpus};

/// What goes into the file, in order.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// The tracks from here on.
    Description(Arc<StreamDescription>),
    /// A unit of them.
    Unit(Arc<AccessUnit>),
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
    pictures: Option<(TrackId, Mutex<ToH264>)>,
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

    /// The tracks of the stream from here on. `fps` is the measured rate, 0 when unknown.
    pub(crate) fn describe(
        &mut self,
        source: &Arc<StreamDescription>,
        fps: f64,
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
        self.pictures = None;
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
                Codec::Jpeg(_) => {
                    self.pictures = Some((t.id, Mutex::new(ToH264::new(t, fps))));
                    tracks.push(t.clone());
                }
                _ => tracks.push(t.clone()),
            }
        }
        self.replaced = before.map(|(_, sound)| sound);
        let description = StreamDescription { generation: source.generation, tracks };
        if self.pictures.is_none() {
            out.push(Piece::Description(Arc::new(description.clone())));
        }
        self.out = Some(description);
        Ok(())
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
        if let Some((track, convert)) = &mut self.pictures
            && *track == unit.track
        {
            let Some((changed, data, key)) = convert.get_mut().unit(unit)? else { return Ok(()) };
            if let (Some(codec), Some(description)) = (changed, &mut self.out) {
                description.generation += 1;
                if let Some(t) = description.tracks.get_mut(usize::from(unit.track.0)) {
                    t.codec = codec;
                }
                out.push(Piece::Description(Arc::new(description.clone())));
            }
            out.push(Piece::Unit(Arc::new(AccessUnit { data, key, ..AccessUnit::clone(unit) })));
        } else if let Some((track, convert)) = &mut self.sound
            && track.id == unit.track
        {
            let mut packets = Vec::new();
            match convert {
                Sound::Aac(c) => c.unit(unit, &mut packets),
                Sound::Opus(c) => c.get_mut().unit(unit, &mut packets),
            }
            out.extend(packets.into_iter().map(Piece::Unit));
        } else {
            out.push(Piece::Unit(Arc::clone(unit)));
        }
        Ok(())
    }
}
