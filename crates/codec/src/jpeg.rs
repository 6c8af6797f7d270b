//! JPEG, through libjpeg-turbo.
//!
//! **What goes into a JPEG is always BT.601 in full range (JFIF 1.02)**, whatever the picture was before.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use turbojpeg::{Compressor, Decompressor, Subsamp, YuvImage, YuvPlanesImage};
use vigie_media::{Codec, JpegParams, VideoInfo};

use crate::picture::MAX_SIDE;
use crate::{CodecError, Colour, Encoded, Picture, PictureRef, VideoEncoder};

/// Quality used when nobody asks for another.
pub const DEFAULT_QUALITY: u8 = 80;

/// A JPEG encoder. Reusable; not shared between threads.
pub struct Encoder {
    inner: Compressor,
    params: Option<Arc<JpegParams>>,
}

impl Encoder {
    /// An encoder of that quality, 1 to 100.
    pub fn new(quality: u8) -> Result<Self, CodecError> {
        let mut inner = Compressor::new().map_err(library)?;
        inner.set_quality(i32::from(quality.clamp(1, 100))).map_err(library)?;
        Ok(Self { inner, params: None })
    }

    /// Encodes a picture, scaled down to `width` when that is smaller.
    pub fn still(&mut self, picture: PictureRef<'_>, width: Option<u32>) -> Result<Bytes, CodecError> {
        if !picture.is_whole() {
            return Err(CodecError::BadParameter("an incomplete picture".into()));
        }
        let out = picture.render(picture.size_for(width), Colour::JPEG);
        let v = out.view();
        let image = YuvPlanesImage {
            y_plane: v.planes[0],
            u_plane: v.planes[1],
            v_plane: v.planes[2],
            width: v.width as usize,
            height: v.height as usize,
            y_stride: v.strides[0],
            u_stride: v.strides[1],
            v_stride: v.strides[2],
            subsamp: Subsamp::Sub2x2,
        };
        let jpeg = self.inner.compress_yuv_planes_to_owned(&image).map_err(library)?;
        Ok(Bytes::copy_from_slice(&jpeg))
    }
}

impl VideoEncoder for Encoder {
    fn encode(&mut self, picture: PictureRef<'_>, _at: Duration, _force_key: bool) -> Result<Encoded, CodecError> {
        let data = self.still(picture, None)?;
        self.params.get_or_insert_with(|| {
            let video = VideoInfo { width: picture.width, height: picture.height, ..VideoInfo::default() };
            Arc::new(JpegParams { video })
        });
        Ok(Encoded { data, key: true })
    }

    fn codec(&self) -> Option<Codec> {
        self.params.as_ref().map(|p| Codec::Jpeg(Arc::clone(p)))
    }
}

/// Decodes a JPEG into 4:2:0 planes of [`Colour::JPEG`], whatever its subsampling.
pub fn decode(jpeg: &[u8]) -> Result<Picture, CodecError> {
    let mut inner = Decompressor::new().map_err(library)?;
    // Progressive pictures of a thousand scans are an attack.
    inner.set_scan_limit(64).map_err(library)?;
    let header = inner.read_header(jpeg).map_err(damaged)?;
    let (w, h) = (header.width, header.height);
    if w == 0 || h == 0 || w > MAX_SIDE as usize || h > MAX_SIDE as usize {
        return Err(CodecError::Unsupported(format!("a JPEG of {w}×{h} is larger than can be decoded here")));
    }
    let (across, down) = match header.subsamp {
        Subsamp::None => (1, 1),
        Subsamp::Sub2x1 => (2, 1),
        Subsamp::Sub2x2 => (2, 2),
        Subsamp::Sub1x2 => (1, 2),
        Subsamp::Sub4x1 => (4, 1),
        Subsamp::Gray => (0, 0),
        other => return Err(CodecError::Unsupported(format!("JPEG with chroma subsampling {other:?}"))),
    };
    let size = turbojpeg::yuv_pixels_len(w, 1, h, header.subsamp).map_err(library)?;
    let mut pixels = vec![0; size];
    let image = YuvImage { pixels: &mut pixels[..], width: w, align: 1, height: h, subsamp: header.subsamp };
    inner.decompress_to_yuv(jpeg, image).map_err(damaged)?;

    let mut out = Picture::new(w as u32, h as u32, Colour::JPEG);
    let [luma, cb, cr] = out.split_mut();
    // Rows of libjpeg-turbo's planes are padded to whole chroma samples.
    let up = |v: usize, by: usize| v.div_ceil(by.max(1)) * by.max(1);
    let (yw, yh) = (up(w, across), up(h, down));
    for (row, source) in luma.chunks_exact_mut(w).zip(pixels.chunks_exact(yw)) {
        row.copy_from_slice(&source[..w]);
    }
    if across == 0 {
        cb.fill(128);
        cr.fill(128);
        return Ok(out);
    }
    let (cw, ch) = (yw / across, yh / down);
    let chroma = pixels.get(yw * yh..).unwrap_or(&[]);
    let target = (w.div_ceil(2), h.div_ceil(2));
    for (plane, source) in [cb, cr].into_iter().zip(chroma.chunks_exact(cw * ch)) {
        crate::resize::resize_plane(source, cw, (cw, ch), plane, target);
    }
    Ok(out)
}

fn library(e: turbojpeg::Error) -> CodecError {
    CodecError::Library("JPEG", e.to_string())
}

fn damaged(e: turbojpeg::Error) -> CodecError {
    CodecError::Damaged("JPEG", e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(rgb: [u8; 3], colour: Colour) -> Picture {
        let mut p = Picture::new(64, 48, colour);
        for (plane, v) in p.split_mut().into_iter().zip(colour.from_rgb(rgb)) {
            plane.fill(v);
        }
        p
    }

    /// What a browser shows: libjpeg-turbo's own conversion to RGB, independent of ours.
    fn seen(jpeg: &[u8]) -> (usize, [u8; 3]) {
        let image = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).unwrap();
        let at = image.pitch * (image.height / 2) + 3 * (image.width / 2);
        (image.width, [image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]])
    }

    #[test]
    fn a_browser_sees_the_colours_of_either_standard() {
        for colour in [Colour::HD, Colour::SD, Colour::JPEG] {
            for rgb in [[0, 0, 0], [255, 255, 255], [191, 0, 0], [0, 191, 0], [0, 0, 191], [30, 140, 60]] {
                let jpeg = Encoder::new(90).unwrap().still(flat(rgb, colour).view(), None).unwrap();
                let (_, out) = seen(&jpeg);
                assert!(out.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 4), "{colour:?} {rgb:?} is seen as {out:?}");
            }
        }
    }

    #[test]
    fn width_scales_and_decoding_gives_the_picture_back() {
        let jpeg = Encoder::new(90).unwrap().still(flat([200, 100, 50], Colour::HD).view(), Some(32)).unwrap();
        assert_eq!(seen(&jpeg).0, 32);
        let back = decode(&jpeg).unwrap();
        assert_eq!((back.width(), back.height()), (32, 24));
        assert!(back.rgb(16, 12).iter().zip([200u8, 100, 50]).all(|(a, b)| a.abs_diff(b) <= 5));
    }

    #[test]
    fn every_subsampling_decodes() {
        let rgb: Vec<u8> = [40, 200, 90].repeat(33 * 17);
        for s in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Gray] {
            let image = turbojpeg::Image {
                pixels: &rgb[..],
                width: 33,
                pitch: 99,
                height: 17,
                format: turbojpeg::PixelFormat::RGB,
            };
            let jpeg = turbojpeg::compress(image, 95, s).unwrap();
            let out = decode(&jpeg).unwrap();
            let seen = out.rgb(32, 16);
            let wanted = if s == Subsamp::Gray { [140, 140, 140] } else { [40, 200, 90] };
            assert!(seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 6), "{s:?}: {seen:?}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        let jpeg = Encoder::new(50).unwrap().still(flat([1, 2, 3], Colour::SD).view(), None).unwrap();
        assert!(matches!(decode(b"no picture"), Err(CodecError::Damaged(..))));
        assert!(decode(&[]).is_err());
        for cut in [2, 20, 100, 300] {
            let _ = decode(&jpeg[..cut.min(jpeg.len())]);
        }
    }
}
