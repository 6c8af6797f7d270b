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
