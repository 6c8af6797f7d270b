//! Pictures and sound in the clear: encoders and decoders behind one trait each, and the painter of the test card.
//!
//! In-process libraries (openh264, libjpeg-turbo, libopus) and supervised children (ffmpeg) live here, containers and
//! sockets do not. **Nothing here is trusted before it was tried**: an optional tool is probed by running it, and a
//! failure of a codec is an error of one picture, never of the stream it came from.

pub mod colour;
mod error;
pub mod ffmpeg;
pub mod h264;
pub mod jpeg;
pub mod opus;
pub mod paint;
pub mod picture;
mod resize;

use std::time::Duration;

use bytes::Bytes;
use vigie_media::Codec;

pub use colour::{Colour, Matrix, Range};
pub use error::CodecError;
pub use picture::{Picture, PictureRef};

/// One compressed picture.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// In the form that crosses the hub: length-prefixed NAL units, or a whole JPEG.
    pub data: Bytes,
    /// A decoder can start here.
    pub key: bool,
}

/// Makes compressed pictures. Used by one thread at a time; calls take milliseconds, so not on an async worker.
pub trait VideoEncoder: Send {
    /// Encodes one picture shown at `at` since the first; all pictures have the same size. `force_key` asks for a
    /// picture that a decoder can start at.
    fn encode(&mut self, picture: PictureRef<'_>, at: Duration, force_key: bool) -> Result<Encoded, CodecError>;

    /// What a reader has to know; for H.264 only known after the first key frame.
    fn codec(&self) -> Option<Codec>;
}

/// Makes pictures of compressed ones. Used by one thread at a time.
pub trait VideoDecoder: Send {
    /// Decodes one access unit in the form that crosses the hub. `None` when the decoder holds the picture back to
    /// put pictures in order, or waits for a key frame.
    fn decode(&mut self, unit: &[u8]) -> Result<Option<PictureRef<'_>>, CodecError>;
}

/// A compressed picture of a [`SteadyEncoder`].
#[derive(Debug, Clone)]
pub struct Coded {
    /// In the form that crosses the hub: length-prefixed NAL units.
    pub data: Bytes,
    /// A decoder can start here.
    pub key: bool,
    /// Which picture it is, counted from 0 as they went in.
    pub shown: i64,
    /// When it is decoded, on the same count; up to a few before `shown`, so the first may be negative. Grows.
    pub decoded: i64,
}

/// Makes compressed pictures of a constant rate, which may come out later than they go in and in another order. Used by
/// one thread at a time, never by an async worker: calls take milliseconds, and wait when an encoder is behind.
pub trait SteadyEncoder: Send {
    /// Takes the next picture; all have the same size. An error means that no further one will be taken; pictures that
    /// were inside are lost.
    fn push(&mut self, picture: PictureRef<'_>, out: &mut Vec<Coded>) -> Result<(), CodecError>;

    /// The pictures that have come out meanwhile.
    fn pull(&mut self, out: &mut Vec<Coded>) -> Result<(), CodecError>;

    /// What a reader has to know; known when the first picture has come out.
    fn codec(&self) -> Option<Codec>;

    /// How it encodes, for the log: for a child, its command line.
    fn parameters(&self) -> String;

    /// Pictures that went in and have not come out.
    fn inside(&self) -> u64;

    /// Ends it, and gives what was inside, waiting at most so long. After an error, the rest is lost. Nothing may be
    /// pushed afterwards.
    fn finish(&mut self, within: Duration, out: &mut Vec<Coded>) -> Result<(), CodecError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::Ffmpeg;
    use crate::ffmpeg::x264::{Preset, X264Options};

    /// What every [`SteadyEncoder`] promises.
    fn keeps_its_promises(mut e: Box<dyn SteadyEncoder>) {
        assert!(!e.parameters().is_empty());
        let mut out = Vec::new();
        for n in 0..60u8 {
            let mut picture = Picture::new(64, 48, Colour::JPEG);
            picture.split_mut()[0]
                .chunks_mut(64)
                .enumerate()
                .for_each(|(y, row)| row.fill(n.wrapping_mul(3).wrapping_add(y as u8)));
            e.push(picture.view(), &mut out).unwrap();
            assert_eq!(e.inside(), 1 + u64::from(n) - out.len() as u64);
        }
        e.finish(Duration::from_secs(30), &mut out).unwrap();
        assert_eq!((out.len(), e.inside()), (60, 0));
        assert!(matches!(e.codec(), Some(Codec::H264(p)) if p.video.width == 64 && p.video.fps == Some(25.0)));
        assert!(out[0].key && out[0].shown == 0 && out.iter().all(|c| h264::is_idr(&c.data) == c.key));
        let times: Vec<_> = out.iter().map(|c| (c.decoded, c.shown)).collect();
        assert!(times.windows(2).all(|w| w[0].0 < w[1].0), "{times:?}");
        assert!(out.iter().all(|c| c.decoded <= c.shown && c.shown <= c.decoded + 8), "{times:?}");
        let mut shown: Vec<i64> = out.iter().map(|c| c.shown).collect();
        shown.sort_unstable();
        assert!(shown.into_iter().eq(0..60));
    }

    #[test]
    fn the_built_in_encoder_keeps_its_promises() {
        let options = h264::EncoderOptions { fps: 25.0, bitrate_bps: 500_000, key_interval: 50, colour: Colour::JPEG };
        keeps_its_promises(Box::new(h264::Steady::new(options).unwrap()));
    }

    #[tokio::test]
    async fn x264_keeps_its_promises() {
        let f = Ffmpeg::probe("ffmpeg").await;
        if f.try_x264().await.is_err() {
            return;
        }
        let preset = Preset::Veryfast;
        let e = f.encode_x264(X264Options { width: 64, height: 48, colour: Colour::JPEG, fps: 25, preset, crf: 23 });
        let e = e.unwrap();
        tokio::task::spawn_blocking(|| keeps_its_promises(Box::new(e))).await.unwrap();
    }
}
