//! Session descriptions (RFC 8866) of what we serve.
//!
//! **Says what is true now**: parameter sets come from the current description, and change with it.

use std::fmt::Write;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::rtp::payload_type;
use crate::{AacParams, Codec, G711Law, H264Params, H265Params, MediaKind, StreamDescription, Track};

/// What a session description says beside the tracks.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Shown by players. Line ends are removed.
    pub name: &'a str,
    /// Our address on this connection.
    pub address: IpAddr,
    /// Identifies the stream (RFC 8866 §5.2); stays the same while it is the same stream.
    pub id: u64,
}

/// The control word of a track: what its SETUP ends with.
pub fn control(track: &Track) -> String {
    format!("trackID={}", track.id.0)
}

/// The description that DESCRIBE answers with.
pub fn describe(description: &StreamDescription, session: Session<'_>) -> String {
    let mut s = String::with_capacity(600);
    let family = if session.address.is_ipv4() { "IP4" } else { "IP6" };
    let any = if session.address.is_ipv4() { "0.0.0.0" } else { "::" };
    let name: String = session.name.chars().filter(|c| !c.is_control()).collect();
    let name = if name.is_empty() { "-" } else { &name };
    // Writing to a String cannot fail.
    let _ = write!(
        s,
        "v=0\r\no=- {} {} IN {family} {}\r\ns={name}\r\nc=IN {family} {any}\r\nt=0 0\r\n\
         a=tool:Vigie\r\na=type:broadcast\r\na=control:*\r\na=range:npt=now-\r\n",
        session.id, description.generation, session.address,
    );
    for t in &description.tracks {
        track(&mut s, t);
    }
    s
}

fn track(s: &mut String, t: &Track) {
    let pt = payload_type(t);
    let media = match t.kind() {
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
    };
    let _ = write!(s, "m={media} 0 RTP/AVP {pt}\r\n");
    let encoding = match &t.codec {
        Codec::H264(_) => "H264/90000".to_owned(),
        Codec::H265(_) => "H265/90000".to_owned(),
        Codec::Jpeg(_) => "JPEG/90000".to_owned(),
        Codec::Aac(p) => format!("mpeg4-generic/{}/{}", t.clock_rate, p.channels),
        Codec::G711(p) => {
            let law = if p.law == G711Law::A { "PCMA" } else { "PCMU" };
            if p.channels > 1 {
                format!("{law}/{}/{}", p.sample_rate, p.channels)
            } else {
                format!("{law}/{}", p.sample_rate)
            }
        }
        // Always 48000/2, whatever is inside (RFC 7587 §7).
        Codec::Opus(_) => "opus/48000/2".to_owned(),
    };
    let _ = write!(s, "a=rtpmap:{pt} {encoding}\r\n");
    match &t.codec {
        Codec::H264(p) => h264(s, pt, p),
        Codec::H265(p) => h265(s, pt, p),
        Codec::Aac(p) => aac(s, pt, p),
        Codec::Opus(p) => {
            let stereo = u8::from(p.channels > 1);
            let _ = write!(s, "a=fmtp:{pt} sprop-stereo={stereo}\r\n");
        }
        Codec::Jpeg(_) | Codec::G711(_) => {}
    }
    if let Some(v) = t.video() {
        if let Some(fps) = v.fps.filter(|f| f.is_finite() && *f > 0.0) {
            let _ = write!(s, "a=framerate:{fps:.3}\r\n");
        }
        if v.width > 0 && v.height > 0 {
            let _ = write!(s, "a=x-dimensions:{},{}\r\n", v.width, v.height);
        }
    }
    let _ = write!(s, "a=control:{}\r\n", control(t));
}

fn sets<'a>(nals: impl IntoIterator<Item = &'a bytes::Bytes>) -> String {
    nals.into_iter().map(|n| BASE64.encode(n)).collect::<Vec<_>>().join(",")
}

fn h264(s: &mut String, pt: u8, p: &H264Params) {
    let _ = write!(s, "a=fmtp:{pt} packetization-mode=1");
    if let Some(profile) = p.sps.get(1..4) {
        let _ = write!(s, ";profile-level-id={:02X}{:02X}{:02X}", profile[0], profile[1], profile[2]);
    }
    let _ = write!(s, ";sprop-parameter-sets={}\r\n", sets([&p.sps].into_iter().chain(&p.pps)));
}

fn h265(s: &mut String, pt: u8, p: &H265Params) {
    let _ = write!(
        s,
        "a=fmtp:{pt} sprop-vps={};sprop-sps={};sprop-pps={}\r\n",
        sets([&p.vps]),
        sets([&p.sps]),
        sets(&p.pps)
    );
}

fn aac(s: &mut String, pt: u8, p: &AacParams) {
    let _ = write!(s, "a=fmtp:{pt} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;");
    let _ = write!(s, "indexdeltalength=3;config=");
    for b in &p.config {
        let _ = write!(s, "{b:02X}");
    }
    s.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{G711Params, OpusParams, TrackId, VideoInfo};

    #[test]
    fn every_codec_is_described_as_its_rfc_says() {
        let video = VideoInfo { width: 1920, height: 1080, fps: Some(25.0), ..Default::default() };
        let b = Bytes::from_static;
        let h264 = H264Params { sps: b(&[0x67, 0x64, 0, 0x1f]), pps: vec![b(&[0x68, 1])], video: video.clone() };
        let h265 =
            H265Params { vps: b(&[0x40, 1]), sps: b(&[0x42, 1]), pps: vec![b(&[0x44, 1])], video: video.clone() };
        let aac = AacParams {
            config: b(&[0x11, 0x90]),
            sample_rate: 48000,
            channels: 2,
            frame_samples: 1024,
            object_type: 2,
        };
        let all = [
            (
                90_000,
                Codec::H264(Arc::new(h264)),
                "a=fmtp:96 packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QAHw==,aAE=",
            ),
            (90_000, Codec::H265(Arc::new(h265)), "sprop-vps=QAE=;sprop-sps=QgE=;sprop-pps=RAE="),
            (
                90_000,
                Codec::Jpeg(Arc::new(crate::JpegParams { video })),
                "m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000",
            ),
            (48_000, Codec::Aac(Arc::new(aac)), "a=rtpmap:96 mpeg4-generic/48000/2"),
            (
                8000,
                Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 }),
                "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n",
            ),
            (
                16000,
                Codec::G711(G711Params { law: G711Law::Mu, sample_rate: 16000, channels: 1 }),
                "a=rtpmap:96 PCMU/16000\r\n",
            ),
            (
                48_000,
                Codec::Opus(OpusParams { channels: 1, pre_skip: 0 }),
                "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 sprop-stereo=0",
            ),
        ];
        for (clock_rate, codec, expected) in all {
            let d = StreamDescription { generation: 3, tracks: vec![Track { id: TrackId(0), clock_rate, codec }] };
            let session = Session { name: "Court 1\r\na=evil", address: IpAddr::from([127, 0, 0, 1]), id: 5 };
            let text = describe(&d, session);
            assert!(text.contains(expected), "{text}");
            assert!(text.contains("s=Court 1a=evil\r\n") && text.contains("o=- 5 3 IN IP4 127.0.0.1\r\n"), "{text}");
            let parsed = sdp_types::Session::parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.medias.len(), 1);
            assert_eq!(parsed.medias[0].get_first_attribute_value("control").unwrap(), Some("trackID=0"));
        }
    }
}
