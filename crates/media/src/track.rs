//! What a stream is made of.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// Index of a track in its [`StreamDescription`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub u8);

/// Picture or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One elementary stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Its place in the description.
    pub id: TrackId,
    /// Ticks per second of every [`crate::MediaTime`] of this track, never zero.
    pub clock_rate: u32,
    /// Codec and everything a decoder has to know before the first unit.
    pub codec: Codec,
}

impl Track {
    /// Picture or sound.
    pub fn kind(&self) -> MediaKind {
        self.codec.kind()
    }

    /// Picture facts, for a video track.
    pub fn video(&self) -> Option<&VideoInfo> {
        match &self.codec {
            Codec::H264(p) => Some(&p.video),
            Codec::H265(p) => Some(&p.video),
            Codec::Jpeg(p) => Some(&p.video),
            Codec::Aac(_) | Codec::G711(_) | Codec::Opus(_) => None,
        }
    }
}

/// A codec with its out-of-band parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Codec {
    /// ITU-T H.264. Units are NAL units with 4-byte lengths.
    H264(Arc<H264Params>),
    /// ITU-T H.265. Units are NAL units with 4-byte lengths.
    H265(Arc<H265Params>),
    /// One complete JFIF picture per unit.
    Jpeg(Arc<JpegParams>),
    /// Raw AAC frames (no ADTS), usually 1024 samples each.
    Aac(Arc<AacParams>),
    /// One byte per sample.
    G711(G711Params),
    /// One Opus packet per unit (RFC 6716); the clock is always 48 kHz.
    Opus(OpusParams),
}

impl Codec {
    /// Picture or sound.
    pub fn kind(&self) -> MediaKind {
        match self {
            Codec::H264(_) | Codec::H265(_) | Codec::Jpeg(_) => MediaKind::Video,
            Codec::Aac(_) | Codec::G711(_) | Codec::Opus(_) => MediaKind::Audio,
        }
    }

    /// The name used in API answers, metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Codec::H264(_) => "h264",
            Codec::H265(_) => "h265",
            Codec::Jpeg(_) => "mjpeg",
            Codec::Aac(_) => "aac",
            Codec::G711(p) if p.law == G711Law::A => "pcm_alaw",
            Codec::G711(_) => "pcm_mulaw",
            Codec::Opus(_) => "opus",
        }
    }

    /// Whether a decoder set up for `self` can go on with `other`: same codec, perhaps other parameters.
    pub fn same_kind(&self, other: &Codec) -> bool {
        self.name() == other.name()
    }
}

/// Facts of a picture, read from the parameter sets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoInfo {
    /// Displayed width in pixels (after cropping).
    pub width: u32,
    /// Displayed height in pixels (after cropping).
    pub height: u32,
    /// Frames per second as declared by the stream; often absent, sometimes wrong.
    pub fps: Option<f64>,
    /// How many pictures may precede a picture in decoding order and follow it in output order.
    pub reorder_depth: u8,
    /// The `codecs` parameter of RFC 6381, e.g. `avc1.64001f`.
    pub rfc6381: String,
}

/// H.264 parameter sets, without start codes or lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct H264Params {
    /// Sequence parameter set NAL unit.
    pub sps: Bytes,
    /// Picture parameter set NAL units, at least one.
    pub pps: Vec<Bytes>,
    /// What the SPS says.
    pub video: VideoInfo,
}

/// H.265 parameter sets, without start codes or lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct H265Params {
    /// Video parameter set NAL unit.
    pub vps: Bytes,
    /// Sequence parameter set NAL unit.
    pub sps: Bytes,
    /// Picture parameter set NAL units, at least one.
    pub pps: Vec<Bytes>,
    /// What the SPS says.
    pub video: VideoInfo,
}

/// What is known of a series of JPEG pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct JpegParams {
    /// Size of the first picture; later ones may differ and bring a new description.
    pub video: VideoInfo,
}

/// AAC configuration.
#[derive(Clone, PartialEq)]
pub struct AacParams {
    /// AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
    pub config: Bytes,
    /// Output sampling rate in Hz.
    pub sample_rate: u32,
    /// Output channels.
    pub channels: u8,
    /// Samples per frame at `sample_rate`: 1024 or 960, twice that with spectral band replication.
    pub frame_samples: u16,
    /// Audio object type of the configuration: 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    pub object_type: u8,
}

impl fmt::Debug for AacParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aac({} Hz, {} ch, type {})", self.sample_rate, self.channels, self.object_type)
    }
}

/// Companding law of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum G711Law {
    /// A-law (PCMA).
    A,
    /// µ-law (PCMU).
    Mu,
}

/// G.711 configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct G711Params {
    /// Companding law.
    pub law: G711Law,
    /// Samples per second, nearly always 8000.
    pub sample_rate: u32,
    /// Interleaved channels, nearly always 1.
    pub channels: u8,
}

/// Opus configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusParams {
    /// 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder drops at the beginning (RFC 7845 §4.2).
    pub pre_skip: u16,
}

/// The tracks of a stream, as they are from one point of the stream on.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamDescription {
    /// Grows by one each time anything below changes.
    pub generation: u32,
    /// Video first when there is any; at most one track of each kind.
    pub tracks: Vec<Track>,
}

impl StreamDescription {
    /// The video track.
    pub fn video(&self) -> Option<&Track> {
        self.tracks.iter().find(|t| t.kind() == MediaKind::Video)
    }

    /// The audio track.
    pub fn audio(&self) -> Option<&Track> {
        self.tracks.iter().find(|t| t.kind() == MediaKind::Audio)
    }

    /// A track by its index.
    pub fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.get(usize::from(id.0))
    }

    /// Whether a reader set up for `self` can go on with `other`: the same codecs in the same places.
    pub fn continues_as(&self, other: &StreamDescription) -> bool {
        self.tracks.len() == other.tracks.len()
            && self
                .tracks
                .iter()
                .zip(&other.tracks)
                .all(|(a, b)| a.clock_rate == b.clock_rate && a.codec.same_kind(&b.codec))
    }
}
