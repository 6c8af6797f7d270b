//! The pictures of an H.264 or H.265 stream, decoded by a child.
//!
//! **Pictures come out in the order in which they are shown, without times**: the caller knows the times that went in,
//! and the n-th picture has the n-th smallest of them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use vigie_media::{Codec, nal};

use super::Ffmpeg;
use super::child::Child;
use crate::{CodecError, Colour, Picture};

/// A child that takes nothing for this long is given up.
const STUCK: Duration = Duration::from_secs(10);

/// A running decoder. Dropping it kills the child.
#[derive(Debug)]
pub struct StreamDecoder {
    child: Child<Bytes>,
    runtime: Handle,
    size: (u32, u32),
    colour: Colour,
    /// Put in front of the first unit.
    sets: Vec<u8>,
    fed: u64,
    taken: u64,
}

impl Ffmpeg {
    /// Whether a stream of that codec can be decoded.
    pub fn decodes(&self, codec: &Codec) -> bool {
        match codec {
            Codec::H264(_) => self.abilities().is_ok(),
            Codec::H265(_) => self.abilities().is_ok_and(|a| a.decodes_h265),
            _ => false,
        }
    }

    /// Starts a decoder. Must be called inside a runtime.
    pub fn decode_stream(&self, codec: &Codec) -> Result<StreamDecoder, CodecError> {
        if !self.decodes(codec) {
            let why = self.abilities().err().unwrap_or("the one found was built without it");
            return Err(CodecError::ToolMissing { tool: "ffmpeg", why: why.to_owned() });
        }
        let (format, sets, video): (_, Vec<&Bytes>, _) = match codec {
            Codec::H265(p) => ("hevc", [&p.vps, &p.sps].into_iter().chain(&p.pps).collect(), &p.video),
            Codec::H264(p) => ("h264", std::iter::once(&p.sps).chain(&p.pps).collect(), &p.video),
            other => return Err(CodecError::Unsupported(format!("{} is not decoded by ffmpeg here", other.name()))),
        };
        let size = (video.width & !1, video.height & !1);
        if size.0 < 16 || size.1 < 16 {
            return Err(CodecError::BadParameter("a stream without a picture size".into()));
        }
        let colour = Colour::assumed(size.1);
        let bytes = size.0 as usize * size.1 as usize * 3 / 2;
        let start = |b: &mut Vec<u8>, set: &Bytes| {
            b.extend_from_slice(&[0, 0, 0, 1]);
            b.extend_from_slice(set);
        };
        let mut head = Vec::new();
        sets.into_iter().for_each(|s| start(&mut head, s));
        let child = Child::start(&self.path, &arguments(format, size), move |b: &mut BytesMut| {
            Ok((b.len() >= bytes).then(|| b.split_to(bytes).freeze()))
        })?;
        Ok(StreamDecoder { child, runtime: Handle::current(), size, colour, sets: head, fed: 0, taken: 0 })
    }
}

impl StreamDecoder {
    /// Takes an access unit as it crosses the hub, and gives the pictures that are ready. Not on an async worker.
    pub fn push(&mut self, unit: &[u8], out: &mut Vec<Picture>) -> Result<(), CodecError> {
        let mut data = std::mem::take(&mut self.sets);
        data.extend_from_slice(&nal::to_annex_b(unit));
        self.runtime.clone().block_on(self.child.push(data.into(), STUCK))?;
        self.fed += 1;
        self.pull(out);
        Ok(())
    }

    /// The pictures that have come out meanwhile.
    pub fn pull(&mut self, out: &mut Vec<Picture>) {
        while let Some(raw) = self.child.pull() {
            out.push(self.picture(&raw));
        }
    }

    /// Ends the stream and gives what was still inside, waiting at most so long. Not on an async worker.
    pub fn finish(mut self, within: Duration, out: &mut Vec<Picture>) {
        self.child.close();
        let runtime = self.runtime.clone();
        let deadline = tokio::time::Instant::now() + within;
        while self.taken < self.fed {
            let Some(raw) = runtime.block_on(self.child.next(deadline)) else { break };
            out.push(self.picture(&raw));
        }
        let _inside = runtime.enter();
        self.child.see_off(within);
    }

    fn picture(&mut self, raw: &[u8]) -> Picture {
        self.taken += 1;
        let mut picture = Picture::new(self.size.0, self.size.1, self.colour);
        let mut rest = raw;
        for plane in picture.split_mut() {
            let (this, after) = rest.split_at(plane.len().min(rest.len()));
            plane[..this.len()].copy_from_slice(this);
            rest = after;
        }
        picture
    }
}

fn arguments(format: &str, size: (u32, u32)) -> Vec<String> {
    let scale = format!("scale={}:{},format=yuv420p", size.0, size.1);
    let prompt = ["-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-probesize", "32", "-threads", "2"];
    let work = ["-f", format, "-i", "pipe:0", "-an", "-vf", &scale, "-vsync", "passthrough"];
    let output = ["-flush_packets", "1", "-f", "rawvideo", "pipe:1"];
    prompt.iter().chain(&work).chain(&output).map(|&s| s.to_owned()).collect()
}
