//! Which of a camera's tracks are pulled, and what is said of them.

use std::fmt;
use std::sync::Arc;

use retina::client::Stream;
use tracing::{debug, warn};
use vigie_hub::{Reason, SourceTrack};
use vigie_media::rtp::depacketize::{Format, ParameterSets};
use vigie_media::rtp::format::{self, Medium};
use vigie_media::{Codec, h264, h265, jpeg};

use crate::SourceError;

/// The first video track, and the first audio track that can be understood.
#[derive(Debug)]
pub(super) struct Tracks {
    pictures: Format,
    video_stream: usize,
    video_rate: u32,
    audio: Option<Sound>,
    /// What was last said of the pictures.
    described: Option<Codec>,
}

#[derive(Debug)]
struct Sound {
    stream: usize,
    format: Format,
    track: SourceTrack,
}

impl Tracks {
    /// Chooses from what the client found in the session description `sdp`.
    pub(super) fn choose(streams: &[Stream], sdp: &[u8]) -> Result<Self, SourceError> {
        let media = format::media(sdp);
        let mut rest = &media[..];
        let mut video = None;
        let mut audio = None;
        let mut ignored = Vec::new();
        for (i, s) in streams.iter().enumerate() {
            // The client keeps the order of the description, but leaves out what it cannot make sense of.
            let mut fmtp = "";
            if let Some(at) = rest.iter().position(|m| is_the_same(m, s)) {
                (fmtp, rest) = (&rest[at].fmtp, &rest[at + 1..]);
            }
            let pictures = if s.media() == "video" { format::pictures(s.encoding_name(), fmtp) } else { None };
            if let (Some(p), None) = (pictures, &video) {
                video = Some((p, i, s.clock_rate_hz()));
            } else if let (Some((format, track)), None) = (sound(s, fmtp), &audio) {
                audio = Some(Sound { stream: i, format, track });
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
        audio.take_if(|a| a.track.clock_rate == 0);
        Ok(Self { pictures, video_stream, video_rate, audio, described: None })
    }

    /// Indexes of the streams to set up, pictures first.
    pub(super) fn streams(&self) -> Vec<usize> {
        std::iter::once(self.video_stream).chain(self.audio.as_ref().map(|a| a.stream)).collect()
    }

    pub(super) fn drop_audio(&mut self) {
        self.audio = None;
    }

    /// Which stream has the pictures, and how its packets are read.
    pub(super) fn pictures(&self) -> (usize, &Format) {
        (self.video_stream, &self.pictures)
    }

    /// The same for sound, if any is set up.
    pub(super) fn sound(&self) -> Option<(usize, &Format)> {
        self.audio.as_ref().map(|a| (a.stream, &a.format))
    }

    pub(super) fn video_rate(&self) -> u32 {
        self.video_rate
    }

    pub(super) fn audio_rate(&self) -> u32 {
        self.audio.as_ref().map_or(1, |a| a.track.clock_rate)
    }

    pub(super) fn is_described(&self) -> bool {
        self.described.is_some()
    }

    /// Whether the tracks have to be described before this picture.
    pub(super) fn needs_describing(&self, changed: bool, picture: &[u8]) -> bool {
        match (&self.described, &self.pictures) {
            (Some(Codec::Jpeg(known)), Format::Jpeg) => jpeg::params(picture)
                .is_ok_and(|p| p.video.width != known.video.width || p.video.height != known.video.height),
            (Some(_), _) => changed,
            (None, _) => true,
        }
    }

    /// What the tracks are from this picture on; `None` while the parameters are not known.
    pub(super) fn describe(&mut self, sets: Option<&ParameterSets>, picture: &[u8]) -> Option<Vec<SourceTrack>> {
        let codec = match sets {
            None => match jpeg::params(picture) {
                Ok(p) => Codec::Jpeg(Arc::new(p)),
                Err(e) => {
                    debug!("a picture that is no JPEG: {e}");
                    return None;
                }
            },
            Some(sets) => {
                sets.codec().inspect_err(|e| warn!("the camera's parameter sets cannot be read: {e}")).ok().flatten()?
            }
        };
        self.described = Some(codec.clone());
        let video = SourceTrack { clock_rate: self.video_rate, codec };
        Some(std::iter::once(video).chain(self.audio.as_ref().map(|a| a.track.clone())).collect())
    }

    /// Whether a decoder can start with this picture.
    pub(super) fn is_key(&self, picture: &[u8]) -> bool {
        match self.pictures {
            Format::H264 { .. } => h264::is_key(picture),
            Format::H265 { .. } => h265::is_key(picture),
            _ => true,
        }
    }
}

impl fmt::Display for Tracks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.pictures {
            Format::H264 { .. } => "h264",
            Format::H265 { .. } => "h265",
            _ => "mjpeg",
        })?;
        if let Some(a) = &self.audio {
            write!(f, "+{}", a.track.codec.name())?;
        }
        Ok(())
    }
}

/// Static payload types need no encoding name.
fn is_the_same(m: &Medium, s: &Stream) -> bool {
    m.media == s.media()
        && m.payload_type == s.rtp_payload_type()
        && (m.encoding.is_empty() || m.encoding == s.encoding_name())
}

fn sound(s: &Stream, fmtp: &str) -> Option<(Format, SourceTrack)> {
    if s.media() != "audio" {
        return None;
    }
    let channels = s.channels().map(|c| u8::try_from(c.get())).transpose().ok()?;
    let (format, codec) = format::sound(s.encoding_name(), s.clock_rate_hz(), channels, fmtp)?;
    Some((format, SourceTrack { clock_rate: s.clock_rate_hz(), codec }))
}
