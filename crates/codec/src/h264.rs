//! H.264 in-process, through openh264.
//!
//! **Built in: progressive pictures of 8 bits in 4:2:0, up to 3840×2160.** Interlaced streams, 10 bits and 4:2:2 are
//! answered with [`CodecError::Unsupported`]; nothing is guessed. The encoder makes constrained baseline: one slice,
//! no B-frames, parameter sets in front of every key frame.

use std::ffi::c_int;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags};
use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecoderConfig, Flush};
use openh264::encoder::{
    BitRate, Complexity, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile, RateControlMode, UsageType,
    VuiConfig,
};
use openh264::formats::{YUVSlices, YUVSource};
use vigie_media::{Codec, H264Params, VideoInfo, nal};

use crate::colour::parse_sps;
use crate::{CodecError, Coded, Colour, Encoded, Matrix, PictureRef, Range, SteadyEncoder, VideoDecoder, VideoEncoder};

/// `ENCODER_OPTION_TRACE_LEVEL` of openh264's `codec_app_def.h`.
const ENCODER_OPTION_TRACE_LEVEL: c_int = 25;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;

/// What to encode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderOptions {
    /// Pictures per second.
    pub fps: f32,
    /// Bits per second aimed at.
    pub bitrate_bps: u32,
    /// Pictures from one key frame to the next.
    pub key_interval: u32,
    /// Written into the stream; pictures must come in it.
    pub colour: Colour,
}

/// An H.264 encoder.
pub struct Encoder {
    inner: openh264::encoder::Encoder,
    fps: f32,
    size: Option<(u32, u32)>,
    params: Option<Arc<H264Params>>,
}

impl Encoder {
    /// An encoder; the size is that of the first picture.
    pub fn new(options: EncoderOptions) -> Result<Self, CodecError> {
        if !(0.1..=240.0).contains(&options.fps) || options.key_interval == 0 {
            return Err(CodecError::BadParameter("frame rate or key-frame interval out of range".into()));
        }
        let vui = match options.colour.matrix {
            Matrix::Bt601 => VuiConfig::bt601(),
            Matrix::Bt709 => VuiConfig::bt709(),
            Matrix::Bt2020 => VuiConfig::bt2020(),
        };
        let config = EncoderConfig::new()
            .profile(Profile::Baseline)
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(options.bitrate_bps.clamp(32_000, 100_000_000)))
            .max_frame_rate(FrameRate::from_hz(options.fps))
            .intra_frame_period(IntraFramePeriod::from_num_frames(options.key_interval))
            // Every picture is wanted at its time, and key frames only where they are due.
            .skip_frames(false)
            .scene_change_detect(false)
            .num_threads(1)
            .vui(vui.full_range(options.colour.range == Range::Full));
        let mut inner =
            openh264::encoder::Encoder::with_api_config(OpenH264API::from_source(), config).map_err(library)?;
        let mut quiet: c_int = 0;
        // SAFETY: the option takes a pointer to one int, which it reads before returning; it is allowed before the
        // first picture. Without it the library writes warnings to the console while it sets itself up.
        unsafe {
            inner.raw_api().set_option(ENCODER_OPTION_TRACE_LEVEL, (&raw mut quiet).cast());
        }
        Ok(Self { inner, fps: options.fps, size: None, params: None })
    }

    /// The parameter sets, once the first picture was encoded.
    pub fn params(&self) -> Option<&Arc<H264Params>> {
        self.params.as_ref()
    }
}

impl VideoEncoder for Encoder {
    fn encode(&mut self, picture: PictureRef<'_>, at: Duration, force_key: bool) -> Result<Encoded, CodecError> {
        let size = (picture.width, picture.height);
        if !picture.is_whole() || !size.0.is_multiple_of(2) || !size.1.is_multiple_of(2) || size.0 < 16 || size.1 < 16 {
            return Err(CodecError::BadParameter(format!("{}×{} cannot be encoded as H.264", size.0, size.1)));
        }
        if *self.size.get_or_insert(size) != size {
            return Err(CodecError::BadParameter("the picture size changed; a new encoder is needed".into()));
        }
        if force_key {
            self.inner.force_intra_frame();
        }
        let planes = (picture.planes[0], picture.planes[1], picture.planes[2]);
        let strides = (picture.strides[0], picture.strides[1], picture.strides[2]);
        // A plane may end right after its last row; the slices want whole strides.
        let padded;
        let source = if (0..3).all(|p| {
            let rows = if p == 0 { size.1 } else { size.1 / 2 };
            picture.planes[p].len() >= picture.strides[p] * rows as usize
        }) {
            YUVSlices::new(planes, (size.0 as usize, size.1 as usize), strides)
        } else {
            padded = picture.render(size, picture.colour);
            let v = padded.view();
            let strides = (v.strides[0], v.strides[1], v.strides[2]);
            let data = padded.planes();
            YUVSlices::new((data[0], data[1], data[2]), (size.0 as usize, size.1 as usize), strides)
        };
        let time = openh264::Timestamp::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX / 2));
        let stream = self.inner.encode_at(&source, time).map_err(library)?;
        let key = matches!(stream.frame_type(), FrameType::IDR);
        let mut annex_b = Vec::new();
        stream.write_vec(&mut annex_b);
        let nals = nal::split_annex_b(&annex_b);
        if nals.is_empty() {
            return Err(CodecError::Library("openh264", "no data for a picture".into()));
        }
        if self.params.is_none() {
            self.params = Some(Arc::new(params_of(&nals, size, self.fps)?));
        }
        Ok(Encoded { data: nal::join(nals.iter().copied()), key })
    }

    fn codec(&self) -> Option<Codec> {
        self.params.as_ref().map(|p| Codec::H264(Arc::clone(p)))
    }
}

/// The built-in encoder at a constant rate: every picture comes out at once.
pub struct Steady {
    inner: Encoder,
    options: EncoderOptions,
    count: i64,
}

impl Steady {
    /// As [`Encoder::new`].
    pub fn new(options: EncoderOptions) -> Result<Self, CodecError> {
        Ok(Self { inner: Encoder::new(options)?, options, count: 0 })
    }
}

impl SteadyEncoder for Steady {
    fn push(&mut self, picture: PictureRef<'_>, out: &mut Vec<Coded>) -> Result<(), CodecError> {
        let at = Duration::from_secs_f64(self.count as f64 / f64::from(self.options.fps));
        let Encoded { data, key } = self.inner.encode(picture, at, self.count == 0)?;
        out.push(Coded { data, key, shown: self.count, decoded: self.count });
        self.count += 1;
        Ok(())
    }

    fn pull(&mut self, _out: &mut Vec<Coded>) -> Result<(), CodecError> {
        Ok(())
    }

    fn codec(&self) -> Option<Codec> {
        self.inner.codec()
    }

    fn parameters(&self) -> String {
        let EncoderOptions { fps, bitrate_bps, key_interval, .. } = self.options;
        format!("openh264 (built in): {} kbit/s, {fps} fps, key frame every {key_interval}", bitrate_bps / 1000)
    }

    fn inside(&self) -> u64 {
        0
    }

    fn finish(&mut self, _within: Duration, _out: &mut Vec<Coded>) -> Result<(), CodecError> {
        Ok(())
    }
}

fn params_of(nals: &[&[u8]], (width, height): (u32, u32), fps: f32) -> Result<H264Params, CodecError> {
    let of = |kind: u8| nals.iter().filter(move |n| n.first().is_some_and(|b| b & 0x1f == kind));
    let sps = of(NAL_SPS).next().filter(|s| s.len() >= 4);
    let pps: Vec<Bytes> = of(NAL_PPS).map(|n| Bytes::copy_from_slice(n)).collect();
    match (sps, pps.is_empty()) {
        (Some(sps), false) => Ok(H264Params {
            sps: Bytes::copy_from_slice(sps),
            pps,
            video: VideoInfo {
                width,
                height,
                fps: Some(f64::from(fps)),
                reorder_depth: 0,
                rfc6381: format!("avc1.{:02x}{:02x}{:02x}", sps[1], sps[2], sps[3]),
            },
        }),
        _ => Err(CodecError::Library("openh264", "the first picture came without parameter sets".into())),
    }
}

/// An H.264 decoder. Feed it from a key frame on.
pub struct Decoder {
    inner: openh264::decoder::Decoder,
    flush: Flush,
    params: Arc<H264Params>,
    colour: Colour,
    annex_b: Vec<u8>,
    started: bool,
}

impl Decoder {
    /// A decoder for a stream with these parameters; says so at once when the stream cannot be decoded here.
    pub fn new(params: &Arc<H264Params>) -> Result<Self, CodecError> {
        check(&params.sps)?;
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let inner = openh264::decoder::Decoder::with_api_config(OpenH264API::from_source(), config).map_err(library)?;
        // Without reordering a picture comes out as it goes in; with it, pictures come out in order, later.
        let flush = if params.video.reorder_depth == 0 { Flush::Flush } else { Flush::NoFlush };
        let colour = Colour::of_h264(&params.sps, params.video.height);
        Ok(Self { inner, flush, params: Arc::clone(params), colour, annex_b: Vec::new(), started: false })
    }

    /// Decodes one key frame alone, at once.
    pub fn still(&mut self, unit: &[u8]) -> Result<PictureRef<'_>, CodecError> {
        self.flush = Flush::Flush;
        self.started = false;
        self.decode(unit)?.ok_or_else(|| CodecError::Damaged("H.264", "the key frame holds no picture".into()))
    }

    fn take(&mut self, unit: &[u8]) {
        self.annex_b.clear();
        let has_sets = nal::units(unit).any(|n| n.first().is_some_and(|b| b & 0x1f == NAL_SPS));
        if !self.started && !has_sets {
            for set in std::iter::once(&self.params.sps).chain(&self.params.pps) {
                self.annex_b.extend_from_slice(&[0, 0, 0, 1]);
                self.annex_b.extend_from_slice(set);
            }
        }
        for n in nal::units(unit) {
            self.annex_b.extend_from_slice(&[0, 0, 0, 1]);
            self.annex_b.extend_from_slice(n);
        }
        self.started = true;
    }
}

impl VideoDecoder for Decoder {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<PictureRef<'_>>, CodecError> {
        // The library reads a few bytes past short input; nothing shorter than a slice header is a picture anyway.
        if nal::units(unit).all(|n| n.len() < 2) {
            return Err(CodecError::Damaged("H.264", "an empty access unit".into()));
        }
        self.take(unit);
        let options = DecodeOptions::new().flush_after_decode(self.flush);
        let decoded = self
            .inner
            .decode_with_options(&self.annex_b, options)
            .map_err(|e| CodecError::Damaged("H.264", e.to_string()))?;
        let Some(yuv) = decoded else { return Ok(None) };
        let (width, height) = yuv.dimensions();
        let strides = yuv.strides();
        // SAFETY: the planes belong to the decoder and stay as they are until it is used again, which the borrow of
        // `self` in the returned value rules out. `yuv` itself only holds them.
        let own = |plane: &[u8]| unsafe { std::slice::from_raw_parts(plane.as_ptr(), plane.len()) };
        let picture = PictureRef {
            width: u32::try_from(width).unwrap_or(0),
            height: u32::try_from(height).unwrap_or(0),
            planes: [own(yuv.y()), own(yuv.u()), own(yuv.v())],
            strides: [strides.0, strides.1, strides.2],
            colour: self.colour,
        };
        if !picture.is_whole() {
            return Err(CodecError::Damaged("H.264", "the decoder gave an incomplete picture".into()));
        }
        Ok(Some(picture))
    }
}

/// Whether the built-in decoder takes a stream with that sequence parameter set.
fn check(sps: &[u8]) -> Result<(), CodecError> {
    let Some(sps) = parse_sps(sps) else {
        return Err(CodecError::Damaged("H.264", "the sequence parameter set cannot be read".into()));
    };
    let chroma = &sps.chroma_info;
    if !matches!(sps.frame_mbs_flags, FrameMbsFlags::Frames) {
        return Err(CodecError::Unsupported(
            "interlaced H.264 cannot be decoded here; set the camera to progressive".into(),
        ));
    }
    if !matches!(chroma.chroma_format, ChromaFormat::YUV420)
        || chroma.bit_depth_luma_minus8 != 0
        || chroma.bit_depth_chroma_minus8 != 0
    {
        return Err(CodecError::Unsupported("only 8-bit 4:2:0 H.264 can be decoded here".into()));
    }
    match sps.pixel_dimensions() {
        Ok((w, h)) if w.max(h) <= 4096 && w.min(h) <= 2304 => Ok(()),
        Ok((w, h)) => Err(CodecError::Unsupported(format!("{w}×{h} is larger than can be decoded here"))),
        Err(_) => Err(CodecError::Damaged("H.264", "the sequence parameter set has an impossible size".into())),
    }
}

/// Whether the access unit holds an IDR picture, the only thing the encoder here calls a key frame.
pub fn is_idr(unit: &[u8]) -> bool {
    nal::units(unit).any(|n| n.first().is_some_and(|b| b & 0x1f == NAL_IDR))
}

fn library(e: openh264::Error) -> CodecError {
    CodecError::Library("openh264", e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    fn bars(shift: u32) -> Picture {
        let mut p = Picture::new(320, 176, Colour::HD);
        let colours = [[191, 191, 191], [191, 191, 0], [0, 191, 0], [191, 0, 0], [0, 0, 191]];
        let [y, cb, cr] = p.split_mut();
        for row in 0..176usize {
            for col in 0..320usize {
                let c = Colour::HD.from_rgb(colours[(col / 64 + shift as usize) % 5]);
                y[row * 320 + col] = c[0];
                cb[row / 2 * 160 + col / 2] = c[1];
                cr[row / 2 * 160 + col / 2] = c[2];
            }
        }
        p
    }

    fn encoder() -> Encoder {
        let options = EncoderOptions { fps: 25.0, bitrate_bps: 1_000_000, key_interval: 10, colour: Colour::HD };
        Encoder::new(options).unwrap()
    }

    #[test]
    fn key_frames_come_exactly_when_due_and_colours_survive() {
        let mut e = encoder();
        let mut keys = Vec::new();
        let mut decoder = None;
        for i in 0..25u32 {
            let p = bars(i / 5);
            let out = e.encode(p.view(), Duration::from_millis(u64::from(i) * 40), i == 17).unwrap();
            assert_eq!(out.key, is_idr(&out.data));
            if out.key {
                keys.push(i);
            }
            let params = e.params().unwrap();
            let d = decoder.get_or_insert_with(|| Decoder::new(params).unwrap());
            let shown = d.decode(&out.data).unwrap().expect("no reordering, no delay");
            assert_eq!((shown.width, shown.height, shown.colour), (320, 176, Colour::HD));
            let shown = shown.render((320, 176), Colour::HD);
            for x in [32, 96, 160, 224, 288] {
                let (a, b) = (p.rgb(x, 88), shown.rgb(x, 88));
                assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 8), "frame {i} at {x}: {a:?} became {b:?}");
            }
        }
        assert_eq!(&keys[..3], &[0, 10, 17]);
        let p = e.params().unwrap();
        assert_eq!((p.video.width, p.video.height), (320, 176));
        assert!(p.video.rfc6381.starts_with("avc1.42c0"), "{}", p.video.rfc6381);
    }

    #[test]
    fn a_still_needs_nothing_but_the_key_frame() {
        let mut e = encoder();
        let out = e.encode(bars(0).view(), Duration::ZERO, false).unwrap();
        let params = Arc::clone(e.params().unwrap());
        // As a camera that sends its parameter sets out of band would.
        let bare = nal::join(nal::units(&out.data).filter(|n| n[0] & 0x1f == NAL_IDR).collect::<Vec<_>>());
        for unit in [&out.data, &bare] {
            let mut d = Decoder::new(&params).unwrap();
            assert_eq!(d.still(unit).unwrap().width, 320);
        }
    }

    #[test]
    fn damage_is_an_error_and_not_the_end() {
        let mut e = encoder();
        let out = e.encode(bars(0).view(), Duration::ZERO, false).unwrap();
        let params = Arc::clone(e.params().unwrap());
        for cut in [0, 1, 5, 9, 30, out.data.len() / 2] {
            let mut d = Decoder::new(&params).unwrap();
            let _ = d.still(&out.data[..cut]);
            let mut bent = out.data.to_vec();
            for b in bent.iter_mut().skip(40 + cut).step_by(7) {
                *b ^= 0x5a;
            }
            let _ = d.still(&bent);
        }
        assert!(matches!(
            e.encode(Picture::new(64, 64, Colour::HD).view(), Duration::ZERO, false),
            Err(CodecError::BadParameter(_))
        ));
    }
}
