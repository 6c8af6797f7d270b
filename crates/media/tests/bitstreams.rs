//! Headers of real encoders' output against what ffprobe 5.1 says of the same files (see testdata/README.md).

use proptest::prelude::*;
use vigie_media::{aac, h264, h265, jpeg, nal, opus};

const CROPPED: &[u8] = include_bytes!("../testdata/h264_1080p_cropped.h264");
const INTERLACED: &[u8] = include_bytes!("../testdata/h264_interlaced_576i.h264");
const MAIN10: &[u8] = include_bytes!("../testdata/h265_main10_1080p.h265");

fn of_type(data: &[u8], kind: impl Fn(&[u8]) -> bool) -> Vec<&[u8]> {
    nal::split_annex_b(data).into_iter().filter(|n| kind(n)).collect()
}

fn avc(data: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let sps = of_type(data, |n| h264::nal_type(n[0]) == h264::SPS)[0];
    (sps, of_type(data, |n| h264::nal_type(n[0]) == h264::PPS))
}

fn hevc(data: &[u8]) -> (&[u8], &[u8], Vec<&[u8]>) {
    let of = |t| of_type(data, move |n| h265::nal_type(n[0]) == t);
    (of(h265::VPS)[0], of(h265::SPS)[0], of(h265::PPS))
}

#[test]
fn h264_full_hd_is_cropped_to_1080_lines() {
    let (sps, pps) = avc(CROPPED);
    let p = h264::params(sps, &pps).unwrap();
    assert_eq!((p.video.width, p.video.height), (1920, 1080));
    assert_eq!(p.video.fps, Some(25.0));
    assert_eq!(p.video.reorder_depth, 2);
    assert_eq!(p.video.rfc6381, "avc1.640028");
    assert!(h264::is_plain_420(sps));
}

#[test]
fn h264_fields_count_as_whole_frames() {
    let (sps, pps) = avc(INTERLACED);
    let p = h264::params(sps, &pps).unwrap();
    assert_eq!((p.video.width, p.video.height), (720, 576));
    assert_eq!(p.video.fps, Some(25.0));
    assert!(!h264::is_plain_420(sps));
}

#[test]
fn h264_stuffing_behind_parameter_sets_is_dropped() {
    let (sps, pps) = avc(CROPPED);
    let padded_sps = [sps, &[0, 0, 0]].concat();
    let padded_pps = [pps[0], &[0, 0]].concat();
    assert_eq!(h264::params(&padded_sps, &[&padded_pps]), h264::params(sps, &pps));
    assert!(h264::params(sps, &[]).is_err());
    assert!(h264::params(pps[0], &pps).is_err());
    assert!(h264::params(&sps[..6], &pps).is_err());
}

#[test]
fn h264_parameter_sets_of_careless_cameras() {
    let (sps, pps) = avc(CROPPED);
    let size = |sps: &[u8]| {
        let v = h264::params(sps, &pps).unwrap().video;
        (v.width, v.height)
    };
    // Bytes behind the end.
    assert_eq!(size(&[sps, &[0x12, 0x34]].concat()), (1920, 1080));
    // The VUI breaks off at any place.
    let whole = (8..sps.len()).find(|&n| h264::params(&sps[..n], &pps).is_ok()).unwrap();
    assert!(whole < sps.len() - 4, "{whole} of {}", sps.len());
    assert!((whole..sps.len()).all(|n| size(&sps[..n]) == (1920, 1080)));
    // Fewer buffers than reference frames: three, one of them out of order, but buffers for two.
    let vui = Writer::default().u(4, 0).u(1, 0).u(3, 0).u(1, 1).u(1, 1).ue(0).ue(0).ue(8).ue(8).ue(1).ue(2);
    let sps = bare_sps_with(100, 40, 0, 3, (120, 68), Some(vui));
    assert_eq!(h264::params(&sps, &pps).unwrap().video.reorder_depth, 1);
}

/// Writes bit fields; the other direction of the reader under test.
#[derive(Default)]
struct Writer(Vec<bool>);

impl Writer {
    fn u(mut self, bits: u32, value: u32) -> Self {
        self.0.extend((0..bits).rev().map(|i| value >> i & 1 == 1));
        self
    }
    fn ue(self, value: u32) -> Self {
        let bits = (value + 1).ilog2();
        self.u(bits, 0).u(bits + 1, value + 1)
    }
    fn nal(mut self, header: &[u8]) -> Vec<u8> {
        self.0.push(true);
        let mut out = header.to_vec();
        out.extend(self.0.chunks(8).map(|c| c.iter().fold(0, |b, &x| b << 1 | u8::from(x)) << (8 - c.len())));
        out
    }
}

/// An SPS without VUI, as cheap cameras send it.
fn bare_sps(profile: u32, level: u32, poc_type: u32, refs: u32, size: (u32, u32)) -> Vec<u8> {
    bare_sps_with(profile, level, poc_type, refs, size, None)
}

fn bare_sps_with(
    profile: u32,
    level: u32,
    poc_type: u32,
    refs: u32,
    (mbs_wide, mbs_high): (u32, u32),
    vui: Option<Writer>,
) -> Vec<u8> {
    let mut w = Writer::default().u(8, profile).u(8, 0).u(8, level).ue(0);
    if profile == 100 {
        w = w.ue(1).ue(0).ue(0).u(2, 0);
    }
    w = w.ue(0).ue(poc_type);
    if poc_type == 0 {
        w = w.ue(2);
    }
    w = w.ue(refs).u(1, 0).ue(mbs_wide - 1).ue(mbs_high - 1).u(1, 1).u(1, 1).u(1, 0);
    match vui {
        Some(vui) => {
            w = w.u(1, 1);
            w.0.extend(vui.0);
        }
        None => w = w.u(1, 0),
    }
    w.nal(&[0x67])
}

#[test]
fn h264_reorder_depth_without_a_restriction() {
    let depth = |sps: &[u8]| h264::params(sps, &[&[0x68, 0xce, 0x3c, 0x80]]).unwrap().video.reorder_depth;
    let full_hd = (120, 68);
    assert_eq!(depth(&bare_sps(66, 40, 0, 3, full_hd)), 0, "baseline has no B pictures");
    assert_eq!(depth(&bare_sps(77, 40, 2, 3, full_hd)), 0, "output order is decoding order");
    assert_eq!(depth(&bare_sps(77, 40, 0, 1, full_hd)), 0, "nothing to predict from on both sides");
    assert_eq!(depth(&bare_sps(100, 40, 0, 3, full_hd)), 3);
    assert_eq!(depth(&bare_sps(100, 40, 0, 16, full_hd)), 4, "level 4 holds four full HD frames");
    assert_eq!(depth(&bare_sps(100, 51, 0, 16, (8, 8))), 16);
}

#[test]
fn h264_key_frames() {
    let au = |nals: &[&[u8]]| nal::join(nals.iter().copied());
    // SEI of type 6 (recovery point), size 1: recovery_frame_cnt 0 or 1.
    let (at_once, later): (&[u8], &[u8]) = (&[6, 6, 1, 0xc4, 0x80], &[6, 6, 1, 0x44, 0x80]);
    // first_mb_in_slice 0, slice_type 7 (I) or 5 (P).
    let (intra, inter): (&[u8], &[u8]) = (&[0x41, 0b1000_1000], &[0x41, 0b1001_1000]);
    assert!(h264::is_key(&au(&[&[0x67, 1], &[0x68, 1], &[0x65, 0x88]])));
    assert!(h264::is_key(&au(&[at_once, intra])));
    assert!(!h264::is_key(&au(&[later, intra])));
    assert!(!h264::is_key(&au(&[at_once, inter])));
    assert!(!h264::is_key(&au(&[intra])));
    assert!(!h264::is_key(&au(&[&[0x67, 1], &[0x68, 1]])));
    assert!(!h264::is_key(&[]));
    let (sps, pps) = avc(CROPPED);
    let whole = au(&[sps, pps[0], &[0x65, 0x88]]);
    assert_eq!(h264::params_in(&whole), Some((sps, pps)));
    assert_eq!(h264::params_in(&au(&[sps, &[0x65]])), None);
}

#[test]
fn h265_main_10() {
    let (vps, sps, pps) = hevc(MAIN10);
    let p = h265::params(vps, sps, &pps).unwrap();
    assert_eq!((p.video.width, p.video.height), (1920, 1080));
    assert_eq!(p.video.fps, Some(30.0));
    assert_eq!(p.video.reorder_depth, 2);
    assert_eq!(p.video.rfc6381, "hvc1.2.4.L120.90");
    let facts = h265::Sps::parse(&sps[2..]).unwrap();
    assert_eq!((facts.bit_depth_luma, facts.bit_depth_chroma, facts.chroma_format), (10, 10, 1));
    let au = nal::join([vps, sps, pps[0], &[19 << 1, 1, 0x80]]);
    assert_eq!(h265::params_in(&au), Some((vps, sps, pps)));
}

#[test]
fn h265_key_frames_are_irap_pictures() {
    let key = |t: u8| h265::is_key(&nal::join([&[h265::SEI_PREFIX << 1, 1, 0][..], &[t << 1, 1, 0x80]]));
    assert_eq!((0..=31).filter(|&t| key(t)).collect::<Vec<_>>(), [16, 17, 18, 19, 20, 21]);
    assert!(!h265::is_key(&nal::join([&[h265::VPS << 1, 1][..]])));
}

#[test]
fn h265_codecs_parameter_of_the_standards_own_examples() {
    let p = h265::Profile {
        space: 0,
        high_tier: false,
        idc: 1,
        compatibility: 0x6000_0000,
        constraints: [0xb0, 0, 0, 0, 0, 0],
        level: 93,
    };
    assert_eq!(p.rfc6381(), "hvc1.1.6.L93.B0");
    assert_eq!(h265::Profile { constraints: [0; 6], ..p }.rfc6381(), "hvc1.1.6.L93");
    let a = h265::Profile { space: 1, high_tier: true, idc: 4, constraints: [1, 0, 0x2f, 0, 0, 0], ..p };
    assert_eq!(a.rfc6381(), "hvc1.A4.6.H93.1.0.2F");
}

#[test]
fn aac_configurations() {
    let facts = |asc: &[u8]| {
        aac::params(asc).map(|p| (p.object_type, p.sample_rate, p.channels, p.frame_samples)).map_err(|e| e.to_string())
    };
    assert_eq!(facts(&[0x12, 0x10]), Ok((2, 44_100, 2, 1024)));
    assert_eq!(facts(&[0x11, 0x88]), Ok((2, 48_000, 1, 1024)));
    assert_eq!(facts(&[0x11, 0x8c]), Ok((2, 48_000, 1, 960)));
    // HE-AAC: 22.05 kHz core, told in front; 24 kHz mono with parametric stereo.
    assert_eq!(facts(&[0x2b, 0x92, 0x08, 0x00]), Ok((5, 44_100, 2, 2048)));
    assert_eq!(facts(&[0xeb, 0x09, 0x88, 0x00]), Ok((29, 48_000, 2, 2048)));
    // The same told behind, so that old decoders do not see it.
    assert_eq!(facts(&[0x13, 0x90, 0x56, 0xe5, 0xa0]), Ok((5, 44_100, 2, 2048)));
    assert!(facts(&[]).is_err());
    assert!(facts(&[0x12]).is_err());
    assert!(facts(&[0x17, 0x10]).is_err(), "a reserved sampling rate");
    assert!(facts(&[0xf9, 0x46, 0x40]).is_err(), "not a general audio coder");
}

#[test]
fn aac_lc_configurations_are_read_back() {
    for (rate, channels, len) in [(48_000, 1, 2), (44_100, 2, 2), (8000, 6, 2), (44_000, 2, 5), (96_001, 1, 5)] {
        let config = aac::lc_config(rate, channels).unwrap();
        assert_eq!(config.len(), len);
        let p = aac::params(&config).unwrap();
        assert_eq!((p.sample_rate, p.channels, p.frame_samples, p.object_type), (rate, channels, 1024, aac::LC));
    }
    assert_eq!(aac::lc_config(48_000, 0), None);
    assert_eq!(aac::lc_config(0, 2), None);
}

#[test]
fn adts_frames_of_a_file_follow_each_other() {
    let file: &[u8] = include_bytes!("../testdata/aac_lc_44100_stereo.aac");
    let (mut rest, mut frames) = (file, 0);
    while !rest.is_empty() {
        let h = aac::adts_header(rest).unwrap();
        let p = h.params().unwrap();
        assert_eq!((p.sample_rate, p.channels, p.object_type, h.blocks), (44_100, 2, 2, 1));
        rest = &rest[h.frame_len..];
        frames += 1;
    }
    assert_eq!(frames, 23);
    assert!(aac::adts_header(&file[1..]).is_err());
    assert!(aac::adts_header(&file[..6]).is_err());
}

const JPEGS: [(&[u8], jpeg::Sampling); 3] = [
    (include_bytes!("../testdata/jpeg_420.jpg"), jpeg::Sampling::S420),
    (include_bytes!("../testdata/jpeg_422.jpg"), jpeg::Sampling::S422),
    (include_bytes!("../testdata/jpeg_444.jpg"), jpeg::Sampling::S444),
];

#[test]
fn jpeg_headers() {
    for (picture, sampling) in JPEGS {
        let h = jpeg::header(picture).unwrap();
        assert_eq!((h.width, h.height, h.progressive, h.sampling), (96, 64, false, sampling));
        let video = jpeg::params(picture).unwrap().video;
        assert_eq!((video.width, video.height), (96, 64));
    }
    let (picture, _) = JPEGS[0];
    let sof = picture.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let as_kind = |kind| {
        let mut p = picture.to_vec();
        p[sof + 1] = kind;
        jpeg::header(&p).map(|h| h.progressive)
    };
    assert_eq!(as_kind(0xc2), Ok(true));
    assert!(as_kind(0xc3).is_err(), "lossless");
    assert!(jpeg::header(&picture[..40]).is_err());
    assert!(jpeg::header(&picture[1..]).is_err());
}

#[test]
fn jpeg_pictures_are_found_in_any_pieces() {
    let (a, b) = (JPEGS[0].0, JPEGS[1].0);
    // Noise, a picture, noise, one that breaks off, a picture with another one inside an application segment.
    let thumb =
        [&[0xff, 0xd8, 0xff, 0xe1][..], &u16::try_from(a.len() + 2).unwrap().to_be_bytes(), a, &b[2..]].concat();
    let stream = [&b"--x\r\n\r\n"[..], a, b"\r\n", &a[..300], &thumb, b"tail"].concat();
    let expected = [a, &thumb[..]];
    for step in [1, 7, 64, 5000] {
        let (mut finder, mut buffer, mut found) = (jpeg::Finder::default(), Vec::new(), Vec::new());
        for piece in stream.chunks(step) {
            buffer.extend_from_slice(piece);
            loop {
                match finder.find(&buffer) {
                    jpeg::Found::Picture(start, end) => {
                        found.push(buffer[start..end].to_vec());
                        buffer.drain(..end);
                        finder.removed(end);
                    }
                    jpeg::Found::Partial(start) => {
                        buffer.drain(..start);
                        finder.removed(start);
                        break;
                    }
                    jpeg::Found::Nothing => break,
                }
            }
        }
        assert_eq!(found.len(), 2, "in pieces of {step}");
        assert!(found.iter().eq(expected.iter()), "in pieces of {step}");
    }
}

fn everything(data: &[u8]) {
    let nals = nal::split_annex_b(data);
    for n in nals.iter().copied().chain([data]) {
        let _ = h264::params(n, &nals);
        let _ = h265::params(n, n, &nals);
        let _ = h265::Sps::parse(n);
        h264::is_plain_420(n);
    }
    for au in [data, &nal::join(nals.iter().copied())] {
        h264::is_key(au);
        h265::is_key(au);
        h264::params_in(au);
        h265::params_in(au);
    }
    let _ = aac::params(data);
    if let Ok(h) = aac::adts_header(data) {
        let _ = h.params();
    }
    let _ = jpeg::params(data);
    let mut finder = jpeg::Finder::default();
    while let jpeg::Found::Picture(start, end) = finder.find(data) {
        assert!(start < end && end <= data.len());
    }
    let _ = opus::duration(data);
    let _ = opus::head(data);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        everything(&data);
    }

    #[test]
    fn damaged_headers_never_panic(
        which in 0usize..7,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let files: [&[u8]; 7] = [CROPPED, INTERLACED, MAIN10, JPEGS[0].0, JPEGS[1].0, &[0x2b, 0x92, 0x08, 0x00],
            include_bytes!("../testdata/aac_lc_44100_stereo.aac")];
        let mut data = files[which][..files[which].len().min(400)].to_vec();
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data.truncate(cut.index(data.len()) + 1);
        everything(&data);
    }
}
