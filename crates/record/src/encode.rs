//! Whether pictures are copied or encoded, and how: what the operator and the caller choose.
//!
//! **Compressed stays compressed unless somebody asks**: `auto` encodes only what no MP4 player shows as it is.

use std::fmt;
use std::str::FromStr;

use vigie_codec::ffmpeg::x264::Preset;
use vigie_media::{Codec, VideoInfo};

/// Whether pictures go into the file as the camera sent them (`record.video_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VideoMode {
    /// H.264 and H.265 are copied, the rest is encoded.
    #[default]
    Auto,
    /// Nothing is encoded; what cannot be copied is refused.
    Copy,
    /// Everything is encoded, at a constant frame rate.
    Encode,
}

impl VideoMode {
    /// As in configuration and API.
    pub fn as_str(self) -> &'static str {
        match self {
            VideoMode::Auto => "auto",
            VideoMode::Copy => "copy",
            VideoMode::Encode => "encode",
        }
    }
}

impl fmt::Display for VideoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VideoMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(VideoMode::Auto),
            "copy" => Ok(VideoMode::Copy),
            "encode" => Ok(VideoMode::Encode),
            _ => Err("a mode is one of auto, copy, encode".to_owned()),
        }
    }
}

/// Which encoder makes H.264 (`record.encoder`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncoderChoice {
    /// x264 through ffmpeg when that works on this machine, the built-in one otherwise.
    #[default]
    Auto,
    /// x264 through ffmpeg; without it, recordings that need an encoder are refused.
    Libx264,
    /// The built-in one.
    Openh264,
}

impl EncoderChoice {
    /// As in configuration and API.
    pub fn as_str(self) -> &'static str {
        match self {
            EncoderChoice::Auto => "auto",
            EncoderChoice::Libx264 => "libx264",
            EncoderChoice::Openh264 => "openh264",
        }
    }
}

impl fmt::Display for EncoderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EncoderChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(EncoderChoice::Auto),
            "libx264" => Ok(EncoderChoice::Libx264),
            "openh264" => Ok(EncoderChoice::Openh264),
            _ => Err("an encoder is one of auto, libx264, openh264".to_owned()),
        }
    }
}

/// How pictures are recorded (contract §20.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// For requests that do not say.
    pub mode: VideoMode,
    /// Which encoder.
    pub encoder: EncoderChoice,
    /// x264's preset (`record.preset`).
    pub preset: Preset,
    /// x264's constant rate factor, 0 to 51 (`record.crf`).
    pub crf: u8,
    /// Pictures per second of what is encoded, 1 to 120, constant (`record.fps`).
    pub fps: u32,
}

impl Default for Encoding {
    fn default() -> Self {
        Self { mode: VideoMode::Auto, encoder: EncoderChoice::Auto, preset: Preset::Veryfast, crf: 23, fps: 25 }
    }
}

impl Encoding {
    /// Whether a recording of such pictures encodes them, in that mode or in the configured one.
    pub fn encodes(&self, mode: Option<VideoMode>, codec: Option<&Codec>) -> bool {
        match mode.unwrap_or(self.mode) {
            VideoMode::Auto => matches!(codec, Some(Codec::Jpeg(_))),
            VideoMode::Copy => false,
            VideoMode::Encode => true,
        }
    }

    /// Bits per second that encoded pictures of a court usually take: a twentieth of a bit per pixel, which is
    /// 2.6 Mbit/s at 1080p25 (contract §20.9 names 2 to 3).
    pub(crate) fn usual_bitrate(&self, video: Option<&VideoInfo>) -> u64 {
        let pixels = video.map_or(0, |v| u64::from(v.width) * u64::from(v.height));
        let pixels = if pixels == 0 { 1920 * 1080 } else { pixels };
        (pixels * u64::from(self.fps) / 20).max(256_000)
    }
}

/// What health says about the encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderState {
    /// `libx264` or `openh264`.
    pub name: &'static str,
    /// Whether it works here; when not, recordings that need it are refused.
    pub available: bool,
    /// Why it is not the one that would be preferred, or why it does not work.
    pub why: Option<String>,
}
