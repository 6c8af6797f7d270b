//! Compressed units of any codec in, pictures with their times out.
//!
//! **A damaged unit costs its own picture and nothing else.**

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_codec::ffmpeg::Ffmpeg;
use vigie_codec::ffmpeg::decode::StreamDecoder;
use vigie_codec::{Picture, VideoDecoder, h264, jpeg};
use vigie_media::{AccessUnit, Codec, Track};

use crate::RecordError;

/// Decoders hold fewer pictures than this once they have caught up.
const MOST_INSIDE: usize = 16;
/// How long one may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(5);
/// Times that are remembered in any case.
const MOST_TIMES: usize = 4096;

pub(super) enum Pictures {
    Jpeg,
    BuiltIn(Box<h264::Decoder>, Times),
    Child(Box<StreamDecoder>, Times),
}

/// Times of units whose pictures have not come out; they come out smallest first.
///
/// A picture that never comes out would shift those after it for ever. So when there are too many times during the
/// whole of [`CATCH_UP`], the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Times {
    waiting: BinaryHeap<Reverse<i64>>,
    fewest: usize,
    since: Option<Instant>,
}

impl Times {
    fn put(&mut self, ns: i64) {
        self.waiting.push(Reverse(ns));
        if self.since.get_or_insert_with(Instant::now).elapsed() > CATCH_UP {
            for _ in MOST_INSIDE..self.fewest {
                self.waiting.pop();
            }
            (self.fewest, self.since) = (self.waiting.len(), None);
        }
        if self.waiting.len() > MOST_TIMES {
            self.waiting.pop();
        }
    }

    fn take(&mut self) -> Option<i64> {
        let ns = self.waiting.pop().map(|Reverse(ns)| ns);
        self.fewest = self.fewest.min(self.waiting.len());
        ns
    }
}

impl Pictures {
    /// By ffmpeg when there is one, else in-process where that is possible.
    pub(super) fn of(track: &Track, ffmpeg: Option<&Arc<Ffmpeg>>) -> Result<Self, RecordError> {
        let failed = |e: vigie_codec::CodecError| RecordError::EncoderUnavailable(e.to_string());
        if let Some(f) = ffmpeg.filter(|f| f.decodes(&track.codec)) {
            return Ok(Self::Child(Box::new(f.decode_stream(&track.codec).map_err(failed)?), Times::default()));
        }
        match &track.codec {
            Codec::Jpeg(_) => Ok(Self::Jpeg),
            Codec::H264(p) => Ok(Self::BuiltIn(Box::new(h264::Decoder::new(p).map_err(failed)?), Times::default())),
            other => Err(RecordError::EncoderUnavailable(format!(
                "ffmpeg is needed to encode {} anew; record it with `copy`, or install ffmpeg",
                other.name()
            ))),
        }
    }

    /// Takes a unit shown at `ns`, and gives the pictures that are ready.
    pub(super) fn push(
        &mut self,
        unit: &AccessUnit,
        ns: i64,
        out: &mut Vec<(i64, Picture)>,
    ) -> Result<(), RecordError> {
        match self {
            Self::Jpeg => {
                if let Ok(picture) = jpeg::decode(&unit.data) {
                    out.push((ns, picture));
                }
            }
            Self::BuiltIn(decoder, times) => {
                times.put(ns);
                if let Ok(Some(p)) = decoder.decode(&unit.data)
                    && let Some(at) = times.take()
                {
                    out.push((at, p.render((p.width, p.height), p.colour)));
                }
            }
            Self::Child(decoder, times) => {
                times.put(ns);
                let mut ready = Vec::new();
                let pushed = decoder.push(&unit.data, &mut ready);
                pushed.map_err(|e| RecordError::EncoderUnavailable(format!("the pictures cannot be decoded: {e}")))?;
                out.extend(ready.into_iter().filter_map(|p| Some((times.take()?, p))));
            }
        }
        Ok(())
    }

    /// The pictures that have come out meanwhile.
    pub(super) fn pull(&mut self, out: &mut Vec<(i64, Picture)>) {
        if let Self::Child(decoder, times) = self {
            let mut ready = Vec::new();
            decoder.pull(&mut ready);
            out.extend(ready.into_iter().filter_map(|p| Some((times.take()?, p))));
        }
    }

    /// What is still inside, at the end.
    pub(super) fn finish(self, within: Duration, out: &mut Vec<(i64, Picture)>) {
        if let Self::Child(decoder, mut times) = self {
            let mut ready = Vec::new();
            decoder.finish(within, &mut ready);
            out.extend(ready.into_iter().filter_map(|p| Some((times.take()?, p))));
        }
    }
}
