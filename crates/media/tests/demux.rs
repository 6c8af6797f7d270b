//! Whole files through the demuxers, against what ffprobe 5.1 says of them (see testdata/README.md).

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::io::Cursor;

use proptest::prelude::*;
use vigie_media::demux::{self, DemuxError, Demuxer, Sample};
use vigie_media::{Codec, h265, nal};

macro_rules! testdata {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/", $name)).as_slice()
    };
}

const H264_MP4: &[u8] = testdata!("h264_high_bframes_aac.mp4");
const H264_FRAGMENTED: &[u8] = testdata!("h264_high_bframes_aac_fragmented.mp4");
const H264_MKV: &[u8] = testdata!("h264_high_bframes_aac.mkv");
const H264_TS: &[u8] = testdata!("h264_high_bframes_aac.ts");
const H265: [&[u8]; 3] =
    [testdata!("h265_open_gop.mp4"), testdata!("h265_open_gop.mkv"), testdata!("h265_open_gop.ts")];

fn open(data: &'static [u8]) -> Box<dyn Demuxer> {
    demux::open(Cursor::new(data)).unwrap()
}

fn all(demuxer: &mut dyn Demuxer) -> Vec<Sample> {
    let mut out = Vec::new();
    while let Some(s) = demuxer.next_sample().unwrap() {
        out.push(s);
    }
    out
}

fn of(samples: &[Sample], track: usize) -> Vec<&Sample> {
    samples.iter().filter(|s| s.track == track).collect()
}

/// In 25ths of a second: what ffprobe lists for the H.264 files, from the first picture shown.
const SHOWN: [i64; 10] = [0, 4, 2, 1, 3, 8, 6, 5, 7, 9];

fn check_h264_and_aac(demuxer: &mut dyn Demuxer, tolerance: i64) -> Vec<Sample> {
    let tracks = demuxer.tracks().to_vec();
    assert_eq!(tracks.len(), 2);
    let Codec::H264(video) = &tracks[0].codec else { panic!("{:?}", tracks[0]) };
    assert_eq!((video.video.width, video.video.height, video.video.reorder_depth), (160, 90, 2));
    assert_eq!((video.video.fps, video.video.rfc6381.as_str()), (Some(25.0), "avc1.64000b"));
    assert_eq!(tracks[0].clock_rate, 90_000);
    let Codec::Aac(sound) = &tracks[1].codec else { panic!("{:?}", tracks[1]) };
    assert_eq!((sound.sample_rate, sound.channels, sound.frame_samples), (48_000, 1, 1024));
    assert_eq!(tracks[1].clock_rate, 48_000);

    let samples = all(demuxer);
    let video = of(&samples, 0);
    assert_eq!(video.len(), 30);
    let keys: Vec<usize> = (0..30).filter(|&i| video[i].key).collect();
    assert_eq!(keys, [0, 10, 20]);
    let first = video[0].pts;
    for (i, s) in video.iter().enumerate() {
        let expected = (i as i64 / 10 * 10 + SHOWN[i % 10]) * 3600;
        assert!((s.pts - first - expected).abs() <= tolerance, "picture {i}: {} for {expected}", s.pts - first);
        assert!(s.pts >= s.dts);
        assert!(nal::units(&s.data).map(|n| n.len() + 4).sum::<usize>() == s.data.len());
    }
    assert!(video.windows(2).all(|w| w[1].dts > w[0].dts));
    let sound = of(&samples, 1);
    // The last one is cut to the length of the sound in MP4.
    assert!(sound.iter().rev().skip(1).all(|s| s.key && s.duration == 1024));
    assert!(sound.windows(2).all(|w| w[1].pts - w[0].pts == 1024));
    samples
}

#[test]
fn mp4_with_b_frames_and_an_edit_list() {
    let mut d = open(H264_MP4);
    assert_eq!(d.duration().map(|d| d.as_millis()), Some(1200));
    let samples = check_h264_and_aac(&mut *d, 0);
    let (video, sound) = (of(&samples, 0), of(&samples, 1));
    // ffprobe: dts −1024, −512, 0, 512 … of 12,800, pts 0; sound begins at −1024 of 48,000.
    assert_eq!(video.iter().take(4).map(|s| s.dts).collect::<Vec<_>>(), [-7200, -3600, 0, 3600]);
    assert_eq!((video[0].pts, video[0].duration), (0, 3600));
    assert_eq!((sound[0].pts, sound.len()), (-1024, 58));
    assert_eq!(video.iter().take(5).map(|s| s.data.len()).collect::<Vec<_>>(), [1254, 125, 45, 30, 32]);
}

#[test]
fn fragmented_mp4_holds_the_same() {
    let mut d = open(H264_FRAGMENTED);
    let samples = check_h264_and_aac(&mut *d, 0);
    let whole = all(&mut *open(H264_MP4));
    let data = |s: &[Sample], t| of(s, t).into_iter().map(|s| s.data.clone()).collect::<Vec<_>>();
    assert_eq!(data(&samples, 0), data(&whole, 0));
    assert_eq!(data(&samples, 1), data(&whole, 1));
}

#[test]
fn matroska_holds_the_same() {
    let mut d = open(H264_MKV);
    // Times are whole milliseconds there.
    let samples = check_h264_and_aac(&mut *d, 90);
    let whole = all(&mut *open(H264_MP4));
    let video = |s: &[Sample]| of(s, 0).into_iter().map(|s| s.data.clone()).collect::<Vec<_>>();
    assert_eq!(video(&samples), video(&whole));
    assert_eq!(of(&samples, 1).len(), 58);
    // ffprobe: pictures from 0.021 s, sound from 0.
    assert_eq!(of(&samples, 0)[0].pts, 1890);
    assert_eq!(of(&samples, 1)[0].pts, 0);
}

#[test]
fn transport_stream_holds_the_same() {
    let mut d = open(H264_TS);
    let samples = check_h264_and_aac(&mut *d, 0);
    let video = of(&samples, 0);
    assert_eq!((video[0].pts - video[0].dts, video[1].dts - video[0].dts), (7200, 3600));
    // ffprobe: pictures shown from 1.480, sound from 1.458667: 1024 samples earlier.
    let sound = of(&samples, 1);
    assert_eq!(video[0].pts * 48_000 / 90_000 - sound[0].pts, 1024);
    assert_eq!(sound.len(), 58);
    // Without the delimiters of the transport stream, and behind parameter sets.
    let whole = all(&mut *open(H264_MP4));
    assert_eq!(video[1].data, of(&whole, 0)[1].data);
}

#[test]
fn h265_with_an_open_gop() {
    for file in H265 {
        let mut d = open(file);
        let [track] = d.tracks() else { panic!("{:?}", d.tracks()) };
        let Codec::H265(p) = &track.codec else { panic!("{track:?}") };
        assert_eq!((p.video.width, p.video.height, p.video.fps), (192, 108, Some(25.0)));
        assert_eq!((p.video.reorder_depth, p.video.rfc6381.as_str()), (2, "hvc1.1.6.L30.90"));
        let samples = all(&mut *d);
        assert_eq!(samples.len(), 40);
        let keys: Vec<_> = samples.iter().enumerate().filter(|(_, s)| s.key).map(|(i, _)| i).collect();
        assert_eq!(keys, [0, 9, 19, 29]);
        let picture = |s: &Sample| nal::units(&s.data).map(|n| h265::nal_type(n[0])).find(|&t| t < h265::VPS);
        assert_eq!(picture(&samples[9]), Some(21), "a CRA picture");
        assert!(samples[10].pts < samples[9].pts, "shown before the key frame it follows");
        assert!(samples.iter().all(|s| s.pts >= s.dts));
        assert!(samples.windows(2).all(|w| w[1].dts > w[0].dts));
    }
}

#[test]
fn other_codecs() {
    let facts = |data| {
        let mut d = open(data);
        let samples = all(&mut *d);
        let track = d.tracks()[0].clone();
        let last = samples.last().unwrap();
        (track.codec.name(), track.clock_rate, samples.len(), samples[0].pts, last.pts + last.duration)
    };
    assert_eq!(facts(testdata!("h264_baseline.mp4")), ("h264", 90_000, 10, 0, 90_000));
    assert_eq!(facts(testdata!("mjpeg.mp4")), ("mjpeg", 90_000, 5, 0, 90_000));
    assert_eq!(facts(testdata!("mjpeg.mkv")), ("mjpeg", 90_000, 5, 0, 90_000));
    assert_eq!(facts(testdata!("aac_lc_44100_stereo.mp4")), ("aac", 44_100, 23, -1024, 22_050));
    assert_eq!(facts(testdata!("opus.mp4")), ("opus", 48_000, 26, 0, 25_008));
    assert_eq!(facts(testdata!("opus.mkv")).0, "opus");
    assert_eq!(facts(testdata!("mulaw.mkv")), ("pcm_mulaw", 8000, 4, 0, 4000));
    assert_eq!(facts(testdata!("alaw.mov")), ("pcm_alaw", 8000, 25, 0, 4000));
}

#[test]
fn a_rewound_file_gives_the_same_again() {
    for file in [H264_MP4, H264_FRAGMENTED, H264_MKV, H264_TS, H265[0], testdata!("alaw.mov")] {
        let mut d = open(file);
        for _ in 0..7 {
            d.next_sample().unwrap();
        }
        d.rewind().unwrap();
        let again = all(&mut *d);
        let fresh = all(&mut *open(file));
        let key = |s: &Sample| (s.track, s.pts, s.dts, s.key, s.data.clone());
        assert!(again.iter().map(key).eq(fresh.iter().map(key)));
        assert!(d.next_sample().unwrap().is_none());
    }
}

#[test]
fn what_is_there_of_a_cut_file_is_played() {
    for file in [H264_MP4, H264_FRAGMENTED, H264_MKV, H264_TS] {
        let cut = &file[..file.len() * 2 / 3];
        let mut d = open(cut);
        let (got, whole) = (all(&mut *d).len(), all(&mut *open(file)).len());
        assert!(got > whole / 3 && got < whole, "{got} of {whole}");
    }
}

#[test]
fn files_that_are_none() {
    let error = |data: &'static [u8]| demux::open(Cursor::new(data)).err().unwrap();
    assert!(matches!(error(b""), DemuxError::UnknownContainer));
    assert!(matches!(error(b"hello, this is text"), DemuxError::UnknownContainer));
    assert!(matches!(error(&H264_MP4[..40]), DemuxError::Damaged { .. }));
    assert!(matches!(error(&H264_MKV[..60]), DemuxError::Damaged { .. }));
    assert!(matches!(error(&H264_TS[..188 * 4]), DemuxError::NoTracks));
    assert!(!error(b"").to_string().is_empty());
}

fn play(data: Vec<u8>) {
    let Ok(mut d) = demux::open(Cursor::new(data)) else { return };
    for _ in 0..2 {
        // Every sample has a byte, so no file has more than its length, but for header stripping and lacing.
        for _ in 0..100_000 {
            match d.next_sample() {
                Ok(Some(s)) => assert!(s.track < d.tracks().len() && !s.data.is_empty() && s.pts >= s.dts),
                Ok(None) | Err(_) => break,
            }
        }
        let _ = d.rewind();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_never_panic(
        which in 0usize..8,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        in_front in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let files = [H264_MP4, H264_FRAGMENTED, H264_MKV, H264_TS, H265[0], H265[1], testdata!("alaw.mov"), testdata!("opus.mp4")];
        let mut data = files[which].to_vec();
        let reach = if in_front { data.len().min(1500) } else { data.len() };
        for (at, byte) in damage {
            data[at.index(reach)] = byte;
        }
        if cut.index(3) == 0 {
            data.truncate(cut.index(data.len()) + 1);
        }
        play(data);
    }

    #[test]
    fn arbitrary_bytes_never_panic(head in 0usize..4, data in proptest::collection::vec(any::<u8>(), 0..800)) {
        let heads: [&[u8]; 4] = [&[0, 0, 0, 8, b'f', b't', b'y', b'p'], &[0x1a, 0x45, 0xdf, 0xa3, 0x80], &[0x47], &[]];
        play([heads[head], &data].concat());
    }
}
