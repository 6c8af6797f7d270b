//! H.264 by x264 in a child that runs as long as the recording does: raw pictures go in, coded ones come out.
//!
//! **The n-th picture that goes in is the n-th that is shown.** The child gives times with each picture (FLV), so that
//! nobody has to guess how x264 reorders; times on the wall are the caller's business.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::runtime::Handle;
use vigie_media::{Codec, H264Params, VideoInfo};

use super::Ffmpeg;
use super::child::Child;
use crate::{CodecError, Coded, Colour, Matrix, Picture, PictureRef, Range, SteadyEncoder};

/// A child that takes no picture for this long is given up.
const STUCK: Duration = Duration::from_secs(10);
/// How long is waited for what a child wrote before it ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long the real encode of a probe may take.
const PROBE: Duration = Duration::from_secs(10);
/// Largest coded picture that is believed.
const MAX_TAG: usize = 64 << 20;
/// Threads of x264: each holds a picture back, and recordings are many.
const THREADS: &str = "3";

/// What to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct X264Options {
    /// Pixels in a row, even.
    pub width: u32,
    /// Rows, even.
    pub height: u32,
    /// What the numbers of the pictures mean; written into the stream.
    pub colour: Colour,
    /// Pictures per second.
    pub fps: u32,
    /// How much work.
    pub preset: Preset,
    /// Constant rate factor, 0 to 51.
    pub crf: u8,
}

/// A running x264. Dropping it kills the child.
#[derive(Debug)]
pub struct X264Encoder {
    child: Child<Tag>,
    runtime: Handle,
    options: X264Options,
    params: Option<Arc<H264Params>>,
    /// Time of the first picture that came out, milliseconds.
    first_ms: Option<i64>,
    fed: u64,
    taken: u64,
    line: String,
}

impl Ffmpeg {
    /// Whether x264 really works here: a second of pictures is encoded. What comes back otherwise says why not.
    pub async fn try_x264(&self) -> Result<(), String> {
        let abilities = self.abilities().map_err(|why| format!("ffmpeg: {why}"))?;
        if !abilities.encoders.iter().any(|e| e == "libx264") {
            return Err("the ffmpeg found was built without libx264".to_owned());
        }
        let colour = Colour::SD;
        let (width, height, fps) = (320, 240, 25);
        let options = X264Options { width, height, colour, fps, preset: Preset::Veryfast, crf: 23 };
        let mut encoder = self.encode_x264(options).map_err(|e| e.to_string())?;
        let work = tokio::task::spawn_blocking(move || {
            let mut out = Vec::new();
            let mut picture = Picture::new(width, height, colour);
            for n in 0..fps {
                picture.split_mut()[0].fill(u8::try_from(n * 8).unwrap_or(0));
                encoder.push(picture.view(), &mut out)?;
            }
            encoder.finish(PROBE, &mut out)?;
            Ok::<_, CodecError>(out.len())
        });
        match work.await {
            Ok(Ok(n)) if n == fps as usize => Ok(()),
            Ok(Ok(n)) => Err(format!("a trial gave {n} of {fps} pictures")),
            Ok(Err(e)) => Err(format!("a trial failed: {e}")),
            Err(_) => Err("a trial crashed".to_owned()),
        }
    }

    /// Starts an encoder. Must be called inside a runtime.
    pub fn encode_x264(&self, options: X264Options) -> Result<X264Encoder, CodecError> {
        self.abilities().map_err(|why| CodecError::ToolMissing { tool: "ffmpeg", why: why.to_owned() })?;
        let X264Options { width, height, fps, crf, .. } = options;
        let even = width.is_multiple_of(2) && height.is_multiple_of(2);
        if !even || width < 16 || height < 16 || !(1..=120).contains(&fps) || crf > 51 {
            return Err(CodecError::BadParameter(format!(
                "{width}×{height} at {fps} fps, CRF {crf} cannot be encoded"
            )));
        }
        let arguments = arguments(options);
        let line = format!("{} {}", self.path.display(), arguments.join(" "));
        let mut begun = false;
        let child = Child::start(&self.path, &arguments, move |b| next_tag(b, &mut begun))?;
        let runtime = Handle::current();
        Ok(X264Encoder { child, runtime, options, params: None, first_ms: None, fed: 0, taken: 0, line })
    }
}

impl X264Encoder {
    /// The child's process number, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    fn take(&mut self, tag: Tag, out: &mut Vec<Coded>) -> Result<(), CodecError> {
        match tag {
            Tag::Head(avcc) => {
                let params = params_of(&avcc, self.options);
                let params = params.ok_or(CodecError::Library("x264", "no parameter sets came out".into()))?;
                self.params = Some(Arc::new(params));
            }
            Tag::Picture { dts_ms, pts_ms, key, data } => {
                let first = *self.first_ms.get_or_insert(pts_ms);
                let fps = i64::from(self.options.fps);
                let number = |ms: i64| ((ms - first) * fps * 2 + 1000).div_euclid(2000);
                self.taken += 1;
                out.push(Coded { data, key, shown: number(pts_ms), decoded: number(dts_ms) });
            }
        }
        Ok(())
    }

    /// What the child complained about, when it has ended by itself.
    fn with_words(&self, e: CodecError) -> CodecError {
        match (e, self.child.last_words()) {
            (CodecError::Library(tool, why), words) if !words.is_empty() => {
                CodecError::Library(tool, format!("{why}: {words}"))
            }
            (e, _) => e,
        }
    }
}

impl SteadyEncoder for X264Encoder {
    fn push(&mut self, picture: PictureRef<'_>, out: &mut Vec<Coded>) -> Result<(), CodecError> {
        let X264Options { width, height, .. } = self.options;
        if (picture.width, picture.height) != (width, height) || !picture.is_whole() {
            return Err(CodecError::BadParameter("the picture size changed; a new encoder is needed".into()));
        }
        let data = raw(picture);
        let pushed = self.runtime.clone().block_on(self.child.push(data, STUCK));
        if let Err(e) = pushed {
            // What it gave before it ended is not lost with it.
            let deadline = tokio::time::Instant::now() + LAST_WORDS;
            while let Some(tag) = self.runtime.clone().block_on(self.child.next(deadline)) {
                self.take(tag, out)?;
            }
            return Err(self.with_words(e));
        }
        self.fed += 1;
        self.pull(out)
    }

    fn pull(&mut self, out: &mut Vec<Coded>) -> Result<(), CodecError> {
        while let Some(tag) = self.child.pull() {
            self.take(tag, out)?;
        }
        Ok(())
    }

    fn codec(&self) -> Option<Codec> {
        self.params.as_ref().map(|p| Codec::H264(Arc::clone(p)))
    }

    fn parameters(&self) -> String {
        self.line.clone()
    }

    fn inside(&self) -> u64 {
        self.fed.saturating_sub(self.taken)
    }

    fn finish(&mut self, within: Duration, out: &mut Vec<Coded>) -> Result<(), CodecError> {
        let runtime = self.runtime.clone();
        let deadline = tokio::time::Instant::now() + within;
        self.child.close();
        // Whatever the child does afterwards, the pictures are what matters.
        while self.taken < self.fed {
            let Some(tag) = runtime.block_on(self.child.next(deadline)) else { break };
            self.take(tag, out)?;
        }
        let lost = self.inside();
        {
            // Seeing it off is the runtime's work.
            let _inside = runtime.enter();
            self.child.see_off(within);
        }
        match lost {
            0 => Ok(()),
            n => Err(self.with_words(CodecError::Library("ffmpeg", format!("{n} pictures did not come out")))),
        }
    }
}

/// The planes one after another, without padding.
fn raw(picture: PictureRef<'_>) -> Bytes {
    let mut out = BytesMut::new();
    for p in 0..3 {
        let by = if p == 0 { 1 } else { 2 };
        let (w, h) = ((picture.width / by) as usize, (picture.height / by) as usize);
        for row in picture.planes[p].chunks(picture.strides[p]).take(h) {
            out.extend_from_slice(row.get(..w).unwrap_or(row));
        }
    }
    out.freeze()
}

fn arguments(o: X264Options) -> Vec<String> {
    let format = if o.colour.range == Range::Full { "yuvj420p" } else { "yuv420p" };
    let matrix = match o.colour.matrix {
        Matrix::Bt601 => "smpte170m",
        Matrix::Bt709 => "bt709",
        Matrix::Bt2020 => "bt2020nc",
    };
    let (size, fps, crf) = (format!("{}x{}", o.width, o.height), o.fps.to_string(), o.crf.to_string());
    let key_interval = (o.fps * 2).to_string();
    let input = ["-f", "rawvideo", "-pix_fmt", format, "-video_size", &size, "-framerate", &fps, "-i", "pipe:0"];
    let coding = ["-an", "-c:v", "libx264", "-preset", o.preset.as_str(), "-crf", &crf, "-g", &key_interval];
    let rest = ["-colorspace", matrix, "-threads", THREADS, "-vsync", "passthrough", "-flush_packets", "1"];
    let output = ["-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1"];
    let prompt = ["-hide_banner", "-nostats", "-loglevel", "error", "-nostdin"];
    let all = prompt.iter().chain(&input).chain(&coding).chain(&rest).chain(&output);
    all.map(|&s| s.to_owned()).collect()
}

/// What the child writes (Adobe FLV 10.1, annex E).
#[derive(Debug, PartialEq, Eq)]
enum Tag {
    /// AVCDecoderConfigurationRecord.
    Head(Bytes),
    Picture {
        dts_ms: i64,
        pts_ms: i64,
        key: bool,
        data: Bytes,
    },
}

/// Takes one tag that matters from the beginning of what the child wrote.
fn next_tag(buffer: &mut BytesMut, begun: &mut bool) -> Result<Option<Tag>, ()> {
    if !*begun {
        // The header, and the length of no tag.
        if buffer.len() < 13 {
            return Ok(None);
        }
        if !buffer.starts_with(b"FLV") {
            return Err(());
        }
        buffer.advance(13);
        *begun = true;
    }
    loop {
        let Some(head) = buffer.first_chunk::<11>() else { return Ok(None) };
        let [kind, s0, s1, s2, t0, t1, t2, t3, ..] = *head;
        let size = u32::from_be_bytes([0, s0, s1, s2]) as usize;
        let dts_ms = i64::from(u32::from_be_bytes([t3, t0, t1, t2]));
        if size > MAX_TAG {
            return Err(());
        }
        if buffer.len() < 11 + size + 4 {
            return Ok(None);
        }
        buffer.advance(11);
        let mut data = buffer.split_to(size).freeze();
        buffer.advance(4);
        if kind != 9 || data.len() < 5 {
            continue;
        }
        let (frame, packet) = (data[0], data[1]);
        // 24 bits with a sign.
        let offset = i64::from(i32::from_be_bytes([data[2], data[3], data[4], 0]) >> 8);
        data.advance(5);
        match (frame & 0x0f, packet) {
            (7, 0) => return Ok(Some(Tag::Head(data))),
            (7, 1) => return Ok(Some(Tag::Picture { dts_ms, pts_ms: dts_ms + offset, key: frame >> 4 == 1, data })),
            (7, _) => {}
            _ => return Err(()),
        }
    }
}

/// Parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1).
fn params_of(avcc: &Bytes, o: X264Options) -> Option<H264Params> {
    let mut rest = avcc.slice(avcc.len().min(5)..);
    let mut sets = |mask: u8| -> Option<Vec<Bytes>> {
        let count = rest.first()? & mask;
        rest.advance(1);
        (0..count)
            .map(|_| {
                let len = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
                rest.advance(2);
                (rest.len() >= len).then(|| rest.split_to(len))
            })
            .collect()
    };
    let (sps, pps) = (sets(0x1f)?, sets(0xff)?);
    let sps = sps.into_iter().next().filter(|s| s.len() >= 4)?;
    let rfc6381 = format!("avc1.{:02x}{:02x}{:02x}", sps[1], sps[2], sps[3]);
    let fps = Some(f64::from(o.fps));
    let video = VideoInfo { width: o.width, height: o.height, fps, reorder_depth: 2, rfc6381 };
    (!pps.is_empty()).then_some(H264Params { sps, pps, video })
}

/// How much work x264 spends on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Least work, largest files.
    Ultrafast,
    /// More work than `ultrafast`.
    Superfast,
    /// What recordings use (contract §20.4).
    #[default]
    Veryfast,
    /// More work than `veryfast`.
    Faster,
    /// More work than `faster`.
    Fast,
    /// What x264 does when nobody asks for anything.
    Medium,
    /// More work than `medium`.
    Slow,
    /// More work than `slow`.
    Slower,
    /// Most work, smallest files; not in real time on most machines.
    Veryslow,
}

impl Preset {
    /// All of them, fastest first.
    pub const ALL: [Preset; 9] = [
        Preset::Ultrafast,
        Preset::Superfast,
        Preset::Veryfast,
        Preset::Faster,
        Preset::Fast,
        Preset::Medium,
        Preset::Slow,
        Preset::Slower,
        Preset::Veryslow,
    ];

    /// As x264 calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::Ultrafast => "ultrafast",
            Preset::Superfast => "superfast",
            Preset::Veryfast => "veryfast",
            Preset::Faster => "faster",
            Preset::Fast => "fast",
            Preset::Medium => "medium",
            Preset::Slow => "slow",
            Preset::Slower => "slower",
            Preset::Veryslow => "veryslow",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or_else(|| format!("a preset is one of {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_cut_wherever_they_are_read() {
        let tag = |kind: u8, ms: u32, body: &[u8]| {
            let t = ms.to_be_bytes();
            let n = (body.len() as u32).to_be_bytes();
            [&[kind, n[1], n[2], n[3], t[1], t[2], t[3], t[0], 0, 0, 0], body, &[0; 4]].concat()
        };
        let all = [
            b"FLV\x01\x01\0\0\0\x09\0\0\0\0".to_vec(),
            tag(18, 0, b"metadata"),
            tag(9, 0, &[0x17, 0, 0, 0, 0, 1, 2, 3]),
            tag(9, 0x0100_0001, &[0x17, 1, 0, 0, 80, 9]),
            tag(9, 40, &[0x27, 1, 0xff, 0xff, 0xd8, 8]),
        ]
        .concat();
        for cut in 0..all.len() {
            let (mut buffer, mut got, mut begun) = (BytesMut::new(), Vec::new(), false);
            for part in [&all[..cut], &all[cut..]] {
                buffer.extend_from_slice(part);
                while let Some(t) = next_tag(&mut buffer, &mut begun).unwrap() {
                    got.push(t);
                }
            }
            assert_eq!(got[0], Tag::Head(Bytes::from_static(&[1, 2, 3])));
            let picture =
                |dts_ms, pts_ms, key, byte: &'static [u8]| Tag::Picture { dts_ms, pts_ms, key, data: byte.into() };
            assert_eq!(got[1], picture(0x0100_0001, 0x0100_0051, true, &[9]));
            assert_eq!(got[2], picture(40, 0, false, &[8]));
        }
        assert!(next_tag(&mut BytesMut::from(&b"this is no movie"[..]), &mut false).is_err());
    }

    #[test]
    fn a_preset_is_known_by_its_name() {
        assert!(Preset::ALL.into_iter().all(|p| p.as_str().parse() == Ok(p)));
        assert!("placebo".parse::<Preset>().unwrap_err().contains("veryfast"));
    }

    #[tokio::test]
    async fn the_parameters_of_the_contract_are_in_the_stream() {
        let f = Ffmpeg::probe("ffmpeg").await;
        if f.try_x264().await.is_err() {
            return;
        }
        let o =
            X264Options { width: 64, height: 48, colour: Colour::JPEG, fps: 25, preset: Preset::default(), crf: 23 };
        let mut e = f.encode_x264(o).unwrap();
        assert!(e.parameters().contains("-c:v libx264 -preset veryfast -crf 23"), "{}", e.parameters());
        let first = tokio::task::spawn_blocking(move || {
            let mut out = Vec::new();
            for _ in 0..5 {
                e.push(Picture::new(64, 48, Colour::JPEG).view(), &mut out).unwrap();
            }
            e.finish(Duration::from_secs(20), &mut out).unwrap();
            out.remove(0)
        });
        let first = first.await.unwrap();
        // x264 writes what it does into a user data message (ITU-T H.264 §D.1.7).
        let text = String::from_utf8_lossy(&first.data).into_owned();
        for expected in ["x264 - core", "rc=crf", "crf=23.0", "subme=2", "keyint=50", "rc_lookahead=10"] {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
    }

    #[tokio::test]
    async fn without_ffmpeg_the_trial_says_so() {
        let why = Ffmpeg::probe("/nonexistent/ffmpeg").await.try_x264().await.unwrap_err();
        assert_eq!(why, "ffmpeg: it is not installed");
    }
}
