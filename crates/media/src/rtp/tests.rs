use std::sync::Arc;
use std::time::Instant;

use super::depacketize::InOrder;
use super::*;
use crate::{AacParams, G711Params, H264Params, H265Params, JpegParams, OpusParams, TrackId, VideoInfo, nal};

fn unit(key: bool, data: Bytes) -> AccessUnit {
    let t = MediaTime((1 << 32) + 90_000);
    AccessUnit { track: TrackId(0), pts: t, dts: t, arrived: Instant::now(), key, data }
}

fn track(clock_rate: u32, codec: Codec) -> Track {
    Track { id: TrackId(0), clock_rate, codec }
}

fn h264() -> Codec {
    Codec::H264(Arc::new(H264Params {
        sps: Bytes::from_static(&[0x67, 0x64, 0, 0x1f, 9]),
        pps: vec![Bytes::from_static(&[0x68, 7])],
        video: VideoInfo::default(),
    }))
}

fn h265() -> Codec {
    Codec::H265(Arc::new(H265Params {
        vps: Bytes::from_static(&[0x40, 1, 5]),
        sps: Bytes::from_static(&[0x42, 1, 6]),
        pps: vec![Bytes::from_static(&[0x44, 1, 7])],
        video: VideoInfo::default(),
    }))
}

fn nal_of(header: &[u8], len: usize) -> Vec<u8> {
    let mut n = header.to_vec();
    n.extend((0..len).map(|i| (i * 7) as u8));
    n
}

/// Packetises, checks what holds for every packet, and puts the unit together again.
fn round_trip(codec: Codec, rate: u32, bytes: usize, u: &AccessUnit) -> (Packets, Bytes) {
    let p = Payloader::new(&track(rate, codec.clone()), 0xdead_beef, bytes).unwrap();
    let packets = p.packetize(u, 65_530).unwrap();
    let mut back = InOrder::new(&codec);
    let mut whole = None;
    for (i, packet) in packets.iter().enumerate() {
        assert!(packet.len() <= bytes, "{} > {bytes}", packet.len());
        assert_eq!(u16::from_be_bytes([packet[2], packet[3]]), 65_530u16.wrapping_add(i as u16));
        assert_eq!(packet[4..8], 90_000u32.to_be_bytes());
        assert_eq!(packet[8..12], 0xdead_beef_u32.to_be_bytes());
        assert!(whole.is_none(), "the unit ended before its last packet");
        whole = back.push(packet).unwrap();
    }
    // The runs describe exactly the same packets.
    let mut by_run = Vec::new();
    for r in &packets.runs {
        let mut at = r.offset as usize;
        for i in 0..r.count {
            let len = usize::from(if i + 1 == r.count { r.last } else { r.size });
            by_run.push(&packets.data[at + 4..at + 4 + len]);
            at += 4 + len;
        }
        assert!(r.last <= r.size);
    }
    assert_eq!(by_run, packets.iter().collect::<Vec<_>>());
    assert_eq!(packets.count as usize, by_run.len());
    assert_eq!(packets.payload_bytes as usize, by_run.iter().map(|p| p.len() - RTP_HEADER).sum::<usize>());
    (packets, whole.expect("the last packet completes the unit").data)
}

#[test]
fn a_large_slice_fills_its_fragments_exactly() {
    let slice = nal_of(&[0x65], 10_000);
    let sps = [0x67, 1, 2, 3];
    let pps = [0x68, 4];
    let data = nal::join([&sps[..], &pps, &slice]);
    let (packets, back) = round_trip(h264(), 90_000, 1400, &unit(true, data.clone()));
    assert_eq!(back, data);
    // One aggregate of the parameter sets, then one run of full fragments.
    assert_eq!(packets.runs.len(), 2);
    assert_eq!((packets.runs[0].count, packets.runs[1].size), (1, 1400));
    let first: Vec<_> = packets.iter().collect();
    assert_eq!(first[0][12] & 0x1f, 24);
    assert!(first[..first.len() - 1].iter().all(|p| p[1] & 0x80 == 0));
    assert_eq!(first[first.len() - 1][1], 0x80 | 96);
}

#[test]
fn every_length_around_the_packet_size_survives() {
    for len in 230..530 {
        let data = nal::join([&nal_of(&[0x41], len)[..]]);
        assert_eq!(round_trip(h264(), 90_000, 256, &unit(false, data.clone())).1, data);
        let data = nal::join([&nal_of(&[0x02, 1], len)[..], &nal_of(&[0x02, 1], 3)]);
        assert_eq!(round_trip(h265(), 90_000, 256, &unit(false, data.clone())).1, data);
    }
}

#[test]
fn a_key_frame_without_parameter_sets_gets_them() {
    let slice = nal_of(&[0x65], 50);
    let (packets, back) = round_trip(h264(), 90_000, 1400, &unit(true, nal::join([&slice[..]])));
    let nals: Vec<_> = nal::units(&back).map(<[u8]>::to_vec).collect();
    assert_eq!(nals, [vec![0x67, 0x64, 0, 0x1f, 9], vec![0x68, 7], slice.clone()]);
    assert_eq!(packets.count, 2);
    let slice = nal_of(&[0x26, 1], 50);
    let (_, back) = round_trip(h265(), 90_000, 1400, &unit(true, nal::join([&slice[..]])));
    assert_eq!(nal::units(&back).map(|n| n[0] >> 1).collect::<Vec<_>>(), [32, 33, 34, 19]);
    // Not on other pictures.
    let (_, back) = round_trip(h264(), 90_000, 1400, &unit(false, nal::join([&[0x41, 1, 2][..]])));
    assert_eq!(nal::units(&back).count(), 1);
}

#[test]
fn types_that_mean_something_else_in_rtp_are_not_sent() {
    let p = Payloader::new(&track(90_000, h264()), 1, 1400).unwrap();
    for bad in [0u8, 24, 28, 31] {
        let u = unit(false, nal::join([&[0x60 | bad, 1, 2][..]]));
        assert_eq!(p.packetize(&u, 0).err(), Some(RtpError::Malformed("nothing in it can be sent")));
    }
    let p = Payloader::new(&track(90_000, h265()), 1, 1400).unwrap();
    assert!(p.packetize(&unit(false, nal::join([&[48 << 1, 1, 2][..]])), 0).is_err());
    assert!(p.packetize(&unit(false, nal::join([&[2][..]])), 0).is_err());
    assert!(p.packetize(&unit(false, Bytes::new()), 0).is_err());
}

#[test]
fn sound_survives_whole_and_in_pieces() {
    let aac = Codec::Aac(Arc::new(AacParams {
        config: Bytes::from_static(&[0x11, 0x90]),
        sample_rate: 48_000,
        channels: 2,
        frame_samples: 1024,
        object_type: 2,
    }));
    for len in [1, 300, 3000] {
        let data = Bytes::from(nal_of(&[], len));
        let (packets, back) = round_trip(aac.clone(), 48_000, 1400, &unit(true, data.clone()));
        assert_eq!(back, data);
        let last = packets.iter().last().unwrap();
        assert_eq!(last[1] & 0x80, 0x80);
    }
    let opus = Codec::Opus(OpusParams { channels: 2, pre_skip: 312 });
    let data = Bytes::from(nal_of(&[0xfc], 200));
    assert_eq!(round_trip(opus, 48_000, 1400, &unit(true, data.clone())).1, data);
    let g711 = Codec::G711(G711Params { law: G711Law::Mu, sample_rate: 8000, channels: 1 });
    assert_eq!(round_trip(g711.clone(), 8000, 1400, &unit(true, data.clone())).1, data);
    // A unit larger than a packet: the second packet is later by the samples of the first.
    let p = Payloader::new(&track(8000, g711), 1, 256).unwrap();
    let packets = p.packetize(&unit(true, Bytes::from(vec![0xff; 400])), 0).unwrap();
    let stamps: Vec<_> = packets.iter().map(|p| u32::from_be_bytes([p[4], p[5], p[6], p[7]])).collect();
    assert_eq!(stamps, [90_000, 90_244]);
    assert_eq!(packets.iter().next().unwrap()[1], 0);
}

#[test]
fn another_channel_is_a_copy_with_other_channel_bytes() {
    let data = nal::join([&nal_of(&[0x65], 5000)[..]]);
    let (packets, _) = round_trip(h264(), 90_000, 1400, &unit(true, data));
    let other = packets.for_channel(6);
    let (a, b): (Vec<_>, Vec<_>) = (split_interleaved(&packets.data).collect(), split_interleaved(&other).collect());
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(&b).all(|(x, y)| x.0 == 0 && y.0 == 6 && x.1 == y.1));
}

/// A picture as `ffmpeg -huffman default` makes it, without its scan being meaningful.
fn jpeg_with(luma: u8, edit: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut d = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2];
    for id in 0..2u8 {
        d.extend_from_slice(&[0xff, 0xdb, 0, 67, id]);
        d.extend((0..64).map(|i| i + id));
    }
    d.extend_from_slice(&[0xff, 0xc0, 0, 17, 8, 0, 48, 0, 64, 3, 1, luma, 0, 2, 0x11, 1, 3, 0x11, 1]);
    for (class, counts, values) in super::jpeg_tables::STANDARD {
        d.extend_from_slice(&[0xff, 0xc4, 0, (values.len() + 19) as u8, class]);
        d.extend_from_slice(&counts);
        d.extend_from_slice(values);
    }
    d.extend_from_slice(&[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
    d.extend((0..4000).map(|i| (i % 251) as u8));
    d.extend_from_slice(&[0xff, 0xd9]);
    edit(&mut d);
    d
}

fn jpeg() -> Codec {
    let video = VideoInfo { width: 64, height: 48, ..Default::default() };
    Codec::Jpeg(Arc::new(JpegParams { video }))
}

#[test]
fn a_baseline_jpeg_comes_back_decodable() {
    for luma in [0x21, 0x22] {
        let data = Bytes::from(jpeg_with(luma, |_| {}));
        let (packets, back) = round_trip(jpeg(), 90_000, 1400, &unit(true, data.clone()));
        assert_eq!(packets.iter().next().unwrap()[1] & 0x7f, 26);
        assert_eq!(packets.iter().next().unwrap()[12 + 4], u8::from(luma == 0x22));
        // The same scan, and a header that says the same.
        let scan = &data[data.len() - 4002..data.len() - 2];
        assert!(back.ends_with(&[scan, &[0xff, 0xd9]].concat()));
        let size = back.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        assert_eq!(back[size + 5..size + 9], [0, 48, 0, 64]);
    }
}

#[test]
fn a_jpeg_that_rfc_2435_cannot_say_is_refused_with_a_reason() {
    let p = Payloader::new(&track(90_000, jpeg()), 1, 1400).unwrap();
    let says = |data: Vec<u8>| p.packetize(&unit(true, Bytes::from(data)), 0).unwrap_err().to_string();
    assert!(says(jpeg_with(0x11, |_| {})).contains("4:2:0"));
    let progressive = jpeg_with(0x22, |d| {
        let at = d.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        d[at + 1] = 0xc2;
    });
    assert!(says(progressive).contains("baseline"));
    let optimised = jpeg_with(0x22, |d| {
        let at = d.windows(2).position(|w| w == [0xff, 0xc4]).unwrap();
        d[at + 21] ^= 1;
    });
    assert!(says(optimised).contains("Huffman"));
    let whole = jpeg_with(0x22, |_| {});
    let header = whole.len() - 4002;
    for cut in 0..header {
        assert!(p.packetize(&unit(true, Bytes::from(whole[..cut].to_vec())), 0).is_err(), "{cut}");
    }
    let video = VideoInfo { width: 2560, height: 1440, ..Default::default() };
    let large = Codec::Jpeg(Arc::new(JpegParams { video }));
    assert!(Payloader::new(&track(90_000, large), 1, 1400).unwrap_err().to_string().contains("2040"));
}

#[test]
fn the_way_back_survives_garbage() {
    let data = nal::join([&nal_of(&[0x65], 3000)[..]]);
    let p = Payloader::new(&track(90_000, h264()), 1, 1400).unwrap();
    let packets = p.packetize(&unit(true, data), 0).unwrap();
    let mut d = InOrder::new(&h264());
    for packet in packets.iter() {
        for cut in 0..packet.len().min(20) {
            let _ = d.push(&packet[..cut]);
        }
    }
    // A missing fragment is an error, and the next unit is fine.
    let mut d = InOrder::new(&h264());
    let results: Vec<_> = packets.iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, p)| d.push(p)).collect();
    assert!(results.iter().any(Result::is_err));
}
