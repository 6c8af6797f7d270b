//! Which of a camera's tracks are pulled, and what is said of them.

use std::fmt;
use std::sync::Arc;

use retina::client::Stream;
use retina::codec::{ParametersRef, VideoParameters, VideoParametersCodec};
use tracing::{debug, warn};
use vigie_hub::{Reason, SourceTrack};
use vigie_media::{Codec, G711Law, G711Params, aac, h264, h265, jpeg};

use crate::SourceError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pictures {
    H264,
    H265,
    Jpeg,
}

/// The first video track, and the first audio track that can be understood.
#[derive(Debug)]
pub(super) struct Tracks {
    pictures: Pictures,
    video_stream: usize,
    video_rate: u32,
    audio: Option<(usize, SourceTrack)>,
    /// What was last said of the pictures.
    described: Option<Codec>,
}

impl Tracks {
    pub(super) fn choose(streams: &[Stream]) -> Result<Self, SourceError> {
        let mut video = None;
        let mut audio = None;
        let mut ignored = Vec::new();
        for (i, s) in streams.iter().enumerate() {
            let pictures = match (s.media(), s.encoding_name()) {
                ("video", "h264") => Some(Pictures::H264),
                ("video", "h265") => Some(Pictures::H265),
                ("video", "jpeg") => Some(Pictures::Jpeg),
                _ => None,
            };
            if let (Some(p), None) = (pictures, &video) {
                video = Some((p, i, s.clock_rate_hz()));
            } else if let (Some(codec), None) = (sound(s), &audio) {
                audio = Some((i, SourceTrack { clock_rate: s.clock_rate_hz(), codec }));
            } else {
                debug!("ignoring track {}/{}", s.media(), s.encoding_name());
                if s.media() == "video" {
                    ignored.push(s.encoding_name().to_owned());
                }
            }
        }
        let Some((pictures, video_stream, video_rate)) = video else {
            let message = match ignored.first() {
                Some(name) => {
                    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
                    format!("the camera's pictures are {name}, which cannot be read: set it to H.264 or H.265")
                }
                None => "the camera answers, but this stream has no pictures".to_owned(),
            };
            return Err(SourceError::new(Reason::NoVideo, message));
        };
        if video_rate == 0 {
            return Err(SourceError::new(Reason::Protocol, "the camera's pictures have a clock of 0 Hz"));
        }
        audio.take_if(|(_, t)| t.clock_rate == 0);
        Ok(Self { pictures, video_stream, video_rate, audio, described: None })
    }

    /// Indexes of the streams to set up, pictures first.
    pub(super) fn streams(&self) -> Vec<usize> {
        std::iter::once(self.video_stream).chain(self.audio.as_ref().map(|(i, _)| *i)).collect()
    }

    pub(super) fn drop_audio(&mut self) {
        self.audio = None;
    }

    pub(super) fn video_stream(&self) -> usize {
        self.video_stream
    }

    pub(super) fn video_rate(&self) -> u32 {
        self.video_rate
    }

    pub(super) fn audio_rate(&self) -> u32 {
        self.audio.as_ref().map_or(1, |(_, t)| t.clock_rate)
    }

    pub(super) fn is_described(&self) -> bool {
        self.described.is_some()
    }

    /// Whether the tracks have to be described before this picture.
    pub(super) fn needs_describing(&self, changed: bool, picture: &[u8]) -> bool {
        match (&self.described, self.pictures) {
            (Some(Codec::Jpeg(known)), Pictures::Jpeg) => jpeg::params(picture)
                .is_ok_and(|p| p.video.width != known.video.width || p.video.height != known.video.height),
            (Some(_), _) => changed,
            (None, _) => true,
        }
    }

    /// What the tracks are from this picture on; `None` while the parameters are not known.
    pub(super) fn describe(&mut self, stream: &Stream, picture: &[u8]) -> Option<Vec<SourceTrack>> {
        let codec = match self.pictures {
            Pictures::Jpeg => match jpeg::params(picture) {
                Ok(p) => Codec::Jpeg(Arc::new(p)),
                Err(e) => {
                    debug!("a picture that is no JPEG: {e}");
                    return None;
                }
            },
            Pictures::H264 | Pictures::H265 => {
                let Some(ParametersRef::Video(p)) = stream.parameters() else { return None };
                coded(p)?
            }
        };
        self.described = Some(codec.clone());
        let video = SourceTrack { clock_rate: self.video_rate, codec };
        Some(std::iter::once(video).chain(self.audio.as_ref().map(|(_, t)| t.clone())).collect())
    }

    /// Whether a decoder can start with this picture. retina's own flag misses the CRA and BLA pictures of H.265.
    pub(super) fn is_key(&self, picture: &[u8]) -> bool {
        match self.pictures {
            Pictures::H264 => h264::is_key(picture),
            Pictures::H265 => h265::is_key(picture),
            Pictures::Jpeg => true,
        }
    }
}

impl fmt::Display for Tracks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.pictures {
            Pictures::H264 => "h264",
            Pictures::H265 => "h265",
            Pictures::Jpeg => "mjpeg",
        })?;
        if let Some((_, t)) = &self.audio {
            write!(f, "+{}", t.codec.name())?;
        }
        Ok(())
    }
}

fn coded(p: &VideoParameters) -> Option<Codec> {
    let codec = match p.codec_params() {
        VideoParametersCodec::H264 { sps, pps } => h264::params(sps, &[pps]).map(|p| Codec::H264(Arc::new(p))),
        VideoParametersCodec::H265 { vps, sps, pps } => {
            h265::params(vps, sps, &[pps]).map(|p| Codec::H265(Arc::new(p)))
        }
        _ => return None,
    };
    codec.inspect_err(|e| warn!("the camera's parameter sets cannot be read: {e}")).ok()
}

fn sound(s: &Stream) -> Option<Codec> {
    if s.media() != "audio" {
        return None;
    }
    // `None` also when the client could not make sense of the track: then it would fail the whole session.
    let Some(ParametersRef::Audio(p)) = s.parameters() else { return None };
    let channels = u8::try_from(p.channels().get()).ok()?;
    let g711 = |law| Some(Codec::G711(G711Params { law, sample_rate: s.clock_rate_hz(), channels }));
    match s.encoding_name() {
        "mpeg4-generic" => match aac::params(p.extra_data()) {
            Ok(p) => Some(Codec::Aac(Arc::new(p))),
            Err(e) => {
                debug!("the sound's AAC configuration cannot be read: {e}");
                None
            }
        },
        "pcma" => g711(G711Law::A),
        "pcmu" => g711(G711Law::Mu),
        _ => None,
    }
}
