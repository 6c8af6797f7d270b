use proptest::prelude::*;

use super::*;
use crate::rtp::Payloader;
use crate::{AccessUnit, Codec, H264Params, MediaTime, Track, TrackId, VideoInfo, aac, nal};

const SPS: &[u8] = &[0x67, 0x42, 0x00, 0x0a, 0xf4, 0x04, 0x04, 0x20];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
/// `first_mb_in_slice` is 0.
const IDR: &[u8] = &[0x65, 0x88, 1, 2, 3];
const P: &[u8] = &[0x41, 0x9a, 4, 5, 6];
/// A later slice of a picture.
const MORE: &[u8] = &[0x41, 0x4a, 7, 8, 9];
const AUD: &[u8] = &[0x09, 0xf0];
const SEI: &[u8] = &[0x06, 0x05, 0x01, 0x01, 0x80];

/// A sender that is asked for one packet after the other.
struct Camera {
    d: Depacketizer,
    sequence: u16,
}

impl Camera {
    fn new(format: &Format) -> Self {
        Self { d: Depacketizer::new(format, Limits::default()), sequence: 65_530 }
    }

    fn h264() -> Self {
        Self::new(&Format::H264 { sets: vec![Bytes::from_static(SPS), Bytes::from_static(PPS)] })
    }

    /// Sends one packet and returns what is whole then.
    fn send(&mut self, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<Unit> {
        self.try_send(timestamp, marker, payload).unwrap()
    }

    fn try_send(&mut self, timestamp: u32, marker: bool, payload: &[u8]) -> Result<Vec<Unit>, DepacketizeError> {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.d.push(&Packet { marker, payload_type: 96, sequence, timestamp, ssrc: 7, payload })?;
        Ok(std::iter::from_fn(|| self.d.pop()).collect())
    }

    fn lose(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
    }
}

fn nals(units: &[Unit]) -> Vec<Vec<&[u8]>> {
    units.iter().map(|u| nal::units(&u.data).collect()).collect()
}

/// One fragment: 1 is the first, 2 the last, 3 both.
fn fragment(which: u8, nal_header: u8, body: &[u8]) -> Vec<u8> {
    let flags = [0, 0x80, 0x40, 0xc0][usize::from(which)];
    [&[nal_header & 0x60 | 28, flags | nal_header & 0x1f][..], body].concat()
}

fn aggregate(parts: &[&[u8]]) -> Vec<u8> {
    let mut p = vec![24];
    for part in parts {
        p.extend_from_slice(&(part.len() as u16).to_be_bytes());
        p.extend_from_slice(part);
    }
    p
}

#[test]
fn pictures_end_with_their_marker() {
    let mut c = Camera::h264();
    assert!(c.send(0, false, &aggregate(&[SPS, PPS, SEI])).is_empty());
    assert!(c.send(0, false, IDR).is_empty());
    assert_eq!(nals(&c.send(0, true, MORE)), [[SEI, IDR, MORE]]);
    let second = c.send(3600, true, P);
    assert_eq!(nals(&second), [[P]]);
    assert!(!second[0].after_loss && !second[0].new_sets);
    assert_eq!(c.d.held(), (0, 0));
}

#[test]
fn pictures_without_a_marker_end_with_the_next_timestamp() {
    let mut c = Camera::h264();
    assert!(c.send(0, false, &aggregate(&[SPS, PPS])).is_empty());
    assert!(c.send(0, false, IDR).is_empty());
    // What stands before the next picture goes with that one, although it has the timestamp of this one.
    assert!(c.send(0, false, SEI).is_empty());
    let first = c.send(3600, false, P);
    assert_eq!((nals(&first), first[0].timestamp), (vec![vec![IDR]], 0));
    assert!(c.send(3600, false, MORE).is_empty());
    let second = c.send(7200, false, P);
    assert_eq!((nals(&second), second[0].timestamp), (vec![vec![SEI, P, MORE]], 3600));
}

#[test]
fn a_delimiter_ends_a_picture() {
    let mut c = Camera::h264();
    assert!(c.send(0, false, IDR).is_empty());
    assert_eq!(nals(&c.send(0, false, AUD)), [[IDR]]);
    assert_eq!(nals(&c.send(0, true, P)), [[AUD, P]]);
}

#[test]
fn markers_and_timestamps_of_parameter_sets_alone_mean_nothing() {
    let mut c = Camera::h264();
    assert!(c.send(1, true, SPS).is_empty());
    assert!(c.send(2, true, PPS).is_empty());
    assert!(c.send(3, true, SEI).is_empty());
    let u = c.send(4, true, IDR);
    assert_eq!((nals(&u), u[0].timestamp), (vec![vec![SEI, IDR]], 4));
}

#[test]
fn h265_in_every_kind_of_packet() {
    let mut c = Camera::new(&Format::H265 { sets: Vec::new() });
    let first = [0x26, 1, 0x80, 1, 1];
    let parts: Vec<u8> = [&[96u8, 1, 0, 3][..], &[0x4e, 1, 5], &[0, 0], &[0, 5], &first].concat();
    assert!(c.send(0, false, &parts).is_empty());
    assert!(c.send(0, false, &[98, 1, 0x80 | 19, 0x40, 2]).is_empty());
    assert!(c.send(0, false, &[98, 1, 19, 3]).is_empty());
    let u = c.send(0, true, &[98, 1, 0x40 | 19, 4]);
    assert_eq!(nals(&u), [[&[0x4e, 1, 5][..], &first, &[0x26, 1, 0x40, 2, 3, 4]]]);
    // A suffix SEI belongs to the picture before it, a prefix SEI does not.
    assert!(c.send(1, false, &[0x02, 1, 0x80, 9]).is_empty());
    assert!(c.send(1, false, &[80, 1, 7, 7]).is_empty());
    assert!(c.send(1, false, &[0x4e, 1, 8]).is_empty());
    let both = c.send(2, true, &[0x02, 1, 0x80, 9]);
    let p = &[0x02, 1, 0x80, 9][..];
    assert_eq!(nals(&both), [[p, &[80, 1, 7, 7]], [&[0x4e, 1, 8], p]]);
    assert!(c.send(3, true, &[100, 1, 1, 1]).is_empty(), "PACI is not read");
    assert_eq!(c.d.counters().malformed_packets, 1);
}

#[test]
fn start_codes_and_empty_parts_are_lived_with() {
    let stream = [&[0, 0, 0, 1][..], SPS, &[0, 0, 1], PPS, &[0, 0, 0, 1], SEI, &[0, 0, 0, 1], IDR, &[0, 0]].concat();
    let mut c = Camera::h264();
    assert_eq!(nals(&c.send(0, true, &stream)), [[SEI, IDR]]);
    // The same cut into fragments, in the middle of a start code, too.
    let inner = &stream[5..];
    for cut in 1..inner.len() {
        assert!(c.send(cut as u32, false, &fragment(1, SPS[0], &inner[..cut])).is_empty());
        let u = c.send(cut as u32, true, &fragment(2, SPS[0], &inner[cut..]));
        assert_eq!(nals(&u), [[SEI, IDR]], "{cut}");
    }
    assert_eq!(nals(&c.send(100, true, &aggregate(&[&[], &[0, 0, 1, 0x41, 0x9a, 4, 5, 6], &[], &[0x41]]))), [[P]]);
    assert_eq!(nals(&c.send(101, true, &fragment(3, P[0], &P[1..]))), [[P]], "one fragment, first and last");
    assert!(c.send(102, true, &[]).is_empty(), "a packet of padding");
    assert_eq!(c.d.counters(), Counters::default());
}

#[test]
fn parameter_sets_are_taken_out_and_their_change_is_told_with_the_picture_that_needs_it() {
    let mut c = Camera::new(&Format::H264 { sets: Vec::new() });
    assert_eq!(c.d.parameter_sets().unwrap().codec(), Ok(None));
    c.send(0, false, SPS);
    c.send(0, false, PPS);
    let u = c.send(0, true, IDR);
    assert!(u[0].new_sets && u[0].data.len() == IDR.len() + 4);
    assert!(matches!(c.d.parameter_sets().unwrap().codec(), Ok(Some(Codec::H264(_)))));
    c.send(1, false, SPS);
    assert!(!c.send(1, true, IDR)[0].new_sets, "the same once more");
    // A second PPS has a number of its own; behind a picture it counts for the next one.
    c.send(2, false, P);
    c.send(2, false, &[0x68, 0x50, 0x3c, 0x80]);
    assert!(!c.send(3, false, P)[0].new_sets);
    assert!(c.send(4, true, P)[0].new_sets);
    let Ok(Some(Codec::H264(p))) = c.d.parameter_sets().unwrap().codec() else { panic!("no parameters") };
    assert_eq!(p.pps.len(), 2);
    // Told once more when the picture that was to tell it is lost.
    c.send(5, false, &[0x68, 0x52, 0x3c, 0x80]);
    c.send(5, false, P);
    c.lose(1);
    assert!(c.send(6, true, P)[0].new_sets);
    for id in 0..=255u8 {
        c.send(7, false, &[0x68, 0, 0x80, id, id, 0x80]);
        c.send(7, false, &[0x68, 0x01, id, id, 0x80]);
        c.send(7, false, &[&[0x67][..], &[id; 5000]].concat());
    }
    assert!(c.d.parameter_sets().unwrap().codec().unwrap().is_some(), "a set that is too large is no set");
}

#[test]
fn a_picture_that_lost_a_piece_is_dropped() {
    // The middle.
    let mut c = Camera::h264();
    c.send(0, true, IDR);
    c.send(1, false, &fragment(1, P[0], &[0x9a, 1]));
    c.lose(1);
    assert!(c.send(1, false, &fragment(0, P[0], &[2])).is_empty());
    assert!(c.send(1, true, &fragment(2, P[0], &[3])).is_empty());
    let u = c.send(2, true, P);
    assert!(u[0].after_loss && !c.send(3, true, P)[0].after_loss);
    assert_eq!(c.d.counters(), Counters { lost_packets: 1, damaged_units: 1, malformed_packets: 0 });
    // The end: the slice looks whole, but its marker never came.
    c.send(4, false, P);
    c.lose(1);
    let u = c.send(5, true, P);
    assert_eq!((u.len(), u[0].timestamp, u[0].after_loss), (1, 5, true));
    // The beginning: the slice is whole, and not the first.
    c.lose(2);
    assert!(c.send(6, true, MORE).is_empty());
    assert!(c.send(7, true, P)[0].after_loss);
    // Whole pictures.
    c.lose(3);
    assert!(c.send(9, true, P)[0].after_loss);
    assert_eq!(c.d.counters(), Counters { lost_packets: 7, damaged_units: 3, malformed_packets: 0 });
}

#[test]
fn joining_in_the_middle_of_a_picture_is_no_fault() {
    let mut c = Camera::h264();
    assert!(c.send(0, false, &fragment(0, IDR[0], &[1, 2])).is_empty());
    assert!(c.send(0, false, MORE).is_empty());
    assert!(c.send(0, true, MORE).is_empty());
    assert!(!c.send(1, true, IDR)[0].after_loss);
    assert_eq!(c.d.counters(), Counters::default());
}

#[test]
fn fragments_out_of_place_cost_their_picture_only() {
    for bad in [
        vec![fragment(0, P[0], &[1])],
        vec![fragment(1, P[0], &[0x9a]), fragment(1, P[0], &[0x9a])],
        vec![fragment(1, P[0], &[0x9a]), P.to_vec()],
        vec![fragment(1, P[0], &[0x9a]), aggregate(&[P])],
        vec![vec![28]],
        vec![vec![24, 0, 9, 0x41]],
        vec![vec![0xc1, 0x9a, 1]],
        vec![vec![29, 0x80, 0, 0]],
    ] {
        let mut c = Camera::h264();
        c.send(0, true, IDR);
        for p in &bad {
            assert!(c.send(1, false, p).is_empty(), "{bad:?}");
        }
        assert!(c.send(1, true, &fragment(2, P[0], &[9])).is_empty(), "{bad:?}");
        let u = c.send(2, true, P);
        assert!(u.len() == 1 && u[0].after_loss, "{bad:?}");
        assert_eq!((c.d.counters().malformed_packets, c.d.held()), (1, (0, 0)), "{bad:?}");
    }
    // A picture that ends inside a fragment, with its marker or with the next timestamp.
    let mut c = Camera::h264();
    c.send(0, true, IDR);
    assert!(c.send(1, true, &fragment(1, P[0], &[0x9a])).is_empty());
    assert!(c.send(2, false, &fragment(1, P[0], &[0x9a])).is_empty());
    assert!(c.send(3, true, P)[0].after_loss);
    assert_eq!(c.d.counters().damaged_units, 2);
}

#[test]
fn a_unit_without_an_end_is_an_error_that_says_how_large_it_was() {
    let limits = Limits { unit_bytes: 100_000, unit_packets: 1000 };
    let endless = |format: &Format, first: &[u8], more: &[u8]| {
        let mut c = Camera::new(format);
        c.d.limits = limits;
        let mut most = 0;
        let mut sent = c.try_send(0, false, first);
        while sent.is_ok() {
            most = most.max(c.d.held().0);
            sent = c.try_send(0, false, more);
        }
        assert!(most <= limits.unit_bytes && c.d.held() == (0, 0), "{most}");
        sent.unwrap_err()
    };
    let h264 = Format::H264 { sets: Vec::new() };
    let e = endless(&h264, &fragment(1, IDR[0], &[0x88]), &fragment(0, IDR[0], &[0x55; 1398]));
    assert_eq!(e, DepacketizeError::Endless { bytes: 100_662, packets: 73, limit: 100_000 });
    assert!(e.to_string().contains("100662 bytes in 73 packets"), "{e}");
    let e = endless(&h264, &fragment(1, IDR[0], &[0x88]), &fragment(0, IDR[0], &[]));
    assert_eq!(e, DepacketizeError::Endless { bytes: 6, packets: 1001, limit: 100_000 });
    // Slices without an end, and what never becomes a picture.
    assert!(matches!(endless(&h264, IDR, MORE), DepacketizeError::Endless { .. }));
    assert!(matches!(endless(&h264, SEI, SEI), DepacketizeError::Endless { .. }));
    let h265 = Format::H265 { sets: Vec::new() };
    let e = endless(&h265, &[98, 1, 0x80 | 19, 0x80], &[[98, 1, 19].as_slice(), &[7; 1000]].concat());
    assert!(matches!(e, DepacketizeError::Endless { .. }));
}

#[test]
fn packets_that_never_make_sense_are_an_error() {
    let mut c = Camera::h264();
    let e = (0u32..).find_map(|i| c.try_send(i, true, &[29, 0x80, 0, 0]).err()).unwrap();
    assert!(matches!(e, DepacketizeError::Unreadable { packets: 200, .. }) && e.to_string().contains("interleaved"));
    // One now and then is lived with.
    let mut c = Camera::h264();
    for i in 0..1000 {
        c.send(i, true, if i % 2 == 0 { IDR } else { &[30] });
    }
}

fn aac_hbr() -> Camera {
    Camera::new(&Format::Aac(AacLayout {
        size_length: 13,
        index_length: 3,
        index_delta_length: 3,
        constant_size: 0,
        frame_ticks: 1024,
    }))
}

fn sound(units: &[Unit]) -> Vec<(u32, &[u8])> {
    units.iter().map(|u| (u.timestamp, &u.data[..])).collect()
}

#[test]
fn aac_frames_one_several_and_in_pieces() {
    let mut c = aac_hbr();
    assert_eq!(sound(&c.send(10, true, &[0, 16, 0, 24, 1, 2, 3])), [(10, &[1, 2, 3][..])]);
    let three = [0, 48, 0, 8, 0, 16, 0, 8, 1, 2, 3, 4];
    assert_eq!(sound(&c.send(20, true, &three)), [(20, &[1][..]), (1044, &[2, 3]), (2068, &[4])]);
    // Five bytes in three packets.
    assert!(c.send(30, false, &[0, 16, 0, 40, 1, 2]).is_empty());
    assert!(c.send(30, false, &[0, 16, 0, 40, 3, 4]).is_empty());
    assert_eq!(sound(&c.send(30, true, &[0, 16, 0, 40, 5])), [(30, &[1, 2, 3, 4, 5][..])]);
    let adts = aac::adts_header(&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 1, 2]).unwrap();
    assert_eq!((adts.frame_len, adts.header_len), (9, 7));
    let with_header = [0, 16, 0, 72, 0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 1, 2];
    assert_eq!(sound(&c.send(40, true, &with_header)), [(40, &[1, 2][..])]);
    assert_eq!(c.d.counters(), Counters::default());
    // A piece is lost: the frame is, the next one is not.
    c.send(50, false, &[0, 16, 0, 40, 1, 2]);
    c.lose(1);
    assert!(c.send(50, true, &[0, 16, 0, 40, 5]).is_empty());
    assert_eq!(c.send(60, true, &[0, 16, 0, 8, 1]).len(), 1);
    for bad in [&[0][..], &[0, 16, 0], &[0, 0, 1], &[0, 8, 1], &[0, 32, 0, 8, 0, 9, 1, 1], &[0, 32, 0, 8, 0, 99, 1]] {
        c.send(70, true, bad);
        assert_eq!(c.send(80, true, &[0, 16, 0, 8, 1]).len(), 1, "{bad:?}");
    }
    assert_eq!((c.d.counters().malformed_packets, c.d.held().0), (6, 0));
}

#[test]
fn aac_in_low_rate_and_constant_size() {
    let low = AacLayout { size_length: 6, index_length: 2, index_delta_length: 2, constant_size: 0, frame_ticks: 160 };
    let mut c = Camera::new(&Format::Aac(low));
    assert_eq!(sound(&c.send(0, true, &[0, 16, 4, 8, 7, 8, 9])), [(0, &[7][..]), (160, &[8, 9])]);
    let constant = AacLayout { size_length: 0, index_length: 0, constant_size: 2, ..low };
    let mut c = Camera::new(&Format::Aac(constant));
    assert_eq!(sound(&c.send(0, true, &[1, 2, 3, 4])), [(0, &[1, 2][..]), (160, &[3, 4])]);
}

#[test]
fn latm_elements_of_one_packet_and_of_several() {
    let mut c = Camera::new(&Format::Latm { subframes: 2, frame_ticks: 1024 });
    assert!(c.send(0, true, &[1, 1, 1, 1]).is_empty(), "perhaps the rest of an element");
    assert_eq!(sound(&c.send(10, true, &[2, 7, 8, 1, 9])), [(10, &[7, 8][..]), (1034, &[9])]);
    let long = [[255, 1].as_slice(), &[5; 256], &[0]].concat();
    assert!(c.send(20, false, &long[..100]).is_empty());
    assert_eq!(sound(&c.send(20, true, &long[100..])), [(20, &[5; 256][..])]);
    c.send(30, false, &long[..100]);
    c.lose(1);
    assert!(c.send(30, true, &long[200..]).is_empty());
    assert_eq!(c.send(40, true, &[2, 7, 8, 1, 9]).len(), 2);
    assert!(c.send(50, true, &[255, 255]).is_empty());
    for _ in 0..100 {
        c.send(60, false, &[255; 1400]);
        assert!(c.d.held().0 <= 64 << 10);
    }
}

#[test]
fn sound_of_one_packet_each() {
    let mut c = Camera::new(&Format::G711);
    assert_eq!(sound(&c.send(5, false, &[0xff; 160])), [(5, &[0xff; 160][..])]);
    assert!(c.send(6, false, &[]).is_empty());
    let mut c = Camera::new(&Format::Opus);
    assert_eq!(c.send(5, false, &[0xfc, 1, 2]).len(), 1);
    assert!(c.send(6, false, &[0xff]).is_empty() && c.send(7, false, &[]).is_empty());
    assert_eq!(c.d.counters().malformed_packets, 1);
    c.lose(1);
    assert_eq!(c.send(8, false, &[0xfc, 1, 2]).len(), 1);
}

/// A packet of a JPEG of 64×48.
fn jpeg_packet(offset: u32, kind: u8, q: u8, more: &[u8]) -> Vec<u8> {
    [&offset.to_be_bytes()[..], &[kind, q, 8, 6], more].concat()
}

#[test]
fn jpeg_with_tables_from_every_source() {
    let mut c = Camera::new(&Format::Jpeg);
    let u = c.send(0, true, &jpeg_packet(0, 1, 50, &[1, 2, 3]));
    // Quality 50 is Annex K as it stands, in zigzag order.
    let dqt = u[0].data.windows(4).position(|w| w == [0xff, 0xdb, 0, 67]).unwrap();
    assert_eq!(u[0].data[dqt + 5..dqt + 10], [16, 11, 12, 14, 12]);
    assert!(u[0].data.ends_with(&[1, 2, 3, 0xff, 0xd9]));
    let header = crate::jpeg::header(&u[0].data).unwrap();
    assert_eq!((header.width, header.height), (64, 48));
    // Tables of their own, which are kept, with restart markers; one table serves both.
    let tables = [&[0, 5, 0, 7, 0xff, 0xff][..], &[0, 0, 0, 64], &[9; 64], &[1, 0xff, 0xd9]].concat();
    let first = c.send(1, true, &jpeg_packet(0, 65, 200, &tables[2..]));
    let again = c.send(2, true, &jpeg_packet(0, 65, 200, &[&tables[2..6], &[0; 4], &[1, 0xff, 0xd9]].concat()));
    assert_eq!(first[0].data, again[0].data);
    assert!(first[0].data.windows(6).any(|w| w == [0xff, 0xdd, 0, 4, 0, 7]));
    assert!(!first[0].data.ends_with(&[0xff, 0xd9, 0xff, 0xd9]));
    for bad in [
        jpeg_packet(0, 1, 255, &[0, 0, 0, 0, 1]),
        jpeg_packet(0, 1, 201, &[0, 0, 0, 0, 1]),
        jpeg_packet(0, 1, 255, &[0, 0, 0, 200, 1]),
        jpeg_packet(0, 1, 255, &[0, 0, 0, 3, 1, 1, 1]),
        jpeg_packet(7, 1, 50, &[1]),
        vec![0; 7],
        vec![0, 0, 0, 0, 1, 50, 0, 0, 1],
    ] {
        assert!(c.send(3, true, &bad).is_empty(), "{bad:?}");
        assert!(c.send(4, true, &jpeg_packet(0, 1, 50, &[1]))[0].after_loss, "{bad:?}");
    }
    assert_eq!(c.d.counters().malformed_packets, 7);
}

#[test]
fn jpeg_in_pieces_with_and_without_markers_and_with_holes() {
    let mut c = Camera::new(&Format::Jpeg);
    assert!(c.send(0, true, &jpeg_packet(9, 1, 50, &[1])).is_empty(), "joined in the middle");
    assert!(c.send(1, false, &jpeg_packet(0, 1, 50, &[1, 2])).is_empty());
    assert!(c.send(1, false, &jpeg_packet(2, 1, 50, &[3])).is_empty());
    let u = c.send(2, false, &jpeg_packet(0, 1, 50, &[4]));
    assert!(u[0].data.ends_with(&[1, 2, 3, 0xff, 0xd9]) && u[0].timestamp == 1 && !u[0].after_loss);
    assert!(c.send(2, true, &jpeg_packet(2, 1, 50, &[3])).is_empty(), "a hole that no sequence number shows");
    c.send(3, false, &jpeg_packet(0, 1, 50, &[4]));
    c.lose(1);
    assert!(c.send(3, true, &jpeg_packet(1, 1, 50, &[4])).is_empty());
    assert_eq!(c.send(4, true, &jpeg_packet(0, 1, 50, &[4])).len(), 1);
    let e = (0u32..).find_map(|i| c.try_send(5, false, &jpeg_packet(i * 9000, 1, 50, &[9; 9000])).err()).unwrap();
    assert!(matches!(e, DepacketizeError::Endless { .. }), "{e}");
}

fn our_camera() -> (Payloader, Format) {
    let sets = vec![Bytes::from_static(SPS), Bytes::from_static(PPS)];
    let (sps, pps) = (sets[0].clone(), vec![sets[1].clone()]);
    let codec = Codec::H264(H264Params { sps, pps, video: VideoInfo::default() }.into());
    let payloader = Payloader::new(&Track { id: TrackId(0), clock_rate: 90_000, codec }, 1, 256).unwrap();
    (payloader, Format::H264 { sets })
}

proptest! {
    /// Whatever is lost, what comes out was sent exactly so, in order, and after a loss that is said.
    #[test]
    fn no_picture_comes_out_in_part(
        pictures in prop::collection::vec(prop::collection::vec(1usize..900, 1..4), 1..12),
        lost in prop::collection::vec(prop::bool::weighted(0.1), 0..150),
    ) {
        let (payloader, format) = our_camera();
        let mut d = Depacketizer::new(&format, Limits::default());
        let (mut sequence, mut sent, mut got, mut dropped) = (0u16, Vec::new(), Vec::new(), 0);
        let mut lost = lost.into_iter();
        for (i, slices) in (0i64..).zip(&pictures) {
            let key = i % 4 == 0;
            let slice = |(n, len): (usize, &usize)| {
                let header = [if key { 0x65 } else { 0x41 }, if n == 0 { 0x88 } else { 0x48 }];
                [&header[..], &vec![(i as u8) | 0x80; *len]].concat()
            };
            let slices: Vec<_> = slices.iter().enumerate().map(slice).collect();
            let data = nal::join(slices.iter().map(|s| &s[..]));
            let t = MediaTime(i * 3600);
            let unit = AccessUnit {
                track: TrackId(0), pts: t, dts: t, arrived: std::time::Instant::now(), key, data: data.clone(),
            };
            let packets = payloader.packetize(&unit, sequence).unwrap();
            sequence = sequence.wrapping_add(packets.count as u16);
            sent.push(data);
            for p in packets.iter() {
                if lost.next().unwrap_or(false) {
                    dropped += 1;
                    continue;
                }
                d.push(&Packet::parse(p).unwrap()).unwrap();
                got.extend(std::iter::from_fn(|| d.pop()));
            }
        }
        let mut rest = sent.iter();
        let mut whole = true;
        for u in &got {
            let skipped = rest.by_ref().take_while(|s| **s != u.data).count();
            prop_assert!(skipped == 0 || u.after_loss || whole, "a hole that is not told");
            whole = false;
        }
        prop_assert!(got.iter().all(|u| sent.contains(&u.data)), "a picture that was never sent");
        if dropped == 0 {
            prop_assert_eq!(got.len(), sent.len());
        }
    }

    #[test]
    fn nothing_that_comes_is_held_beyond_the_limits(
        kind in 0usize..7,
        packets in prop::collection::vec((any::<bool>(), 0u32..3, prop::collection::vec(any::<u8>(), 0..40)), 0..60),
    ) {
        let layout =
            AacLayout { size_length: 13, index_length: 3, index_delta_length: 3, constant_size: 0, frame_ticks: 1024 };
        let format = [
            Format::H264 { sets: Vec::new() }, Format::H265 { sets: Vec::new() }, Format::Jpeg, Format::Aac(layout),
            Format::Latm { subframes: 1, frame_ticks: 1 }, Format::G711, Format::Opus,
        ][kind].clone();
        let mut d = Depacketizer::new(&format, Limits { unit_bytes: 2000, unit_packets: 40 });
        for (i, (marker, timestamp, payload)) in packets.iter().enumerate() {
            let p = Packet {
                marker: *marker, payload_type: 96, sequence: i as u16, timestamp: *timestamp, ssrc: 1, payload,
            };
            let _ = d.push(&p);
            while let Some(u) = d.pop() {
                prop_assert!(!u.data.is_empty() && u.data.len() < 4000);
            }
            prop_assert!(d.held().0 <= 2000 || kind > 2);
        }
    }
}
