//! What a session description says about the packets of a track (RFC 8866 §6.15; the `fmtp` of each payload format).
//!
//! **What is missing or nonsense is left out, not refused**: parameter sets come between the pictures, too.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use bytes::Bytes;

use super::depacketize::{AacLayout, Format};
use crate::bitstream::{Bits, BitstreamError};
use crate::{AacParams, Codec, G711Law, G711Params, OpusParams, aac, nal};

/// Some cameras leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Parameter sets and configurations are a few dozen bytes.
const MAX_VALUE: usize = 8192;

/// One medium of a session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// `video`, `audio`, `application`, …
    pub media: String,
    /// The first payload type that is offered.
    pub payload_type: u8,
    /// Encoding name of its `rtpmap` in lower case; empty for the static types.
    pub encoding: String,
    /// Its `fmtp`, without the payload type.
    pub fmtp: String,
}

/// The media of a session description, in order. Never fails: what is not understood is not there.
pub fn media(sdp: &[u8]) -> Vec<Medium> {
    let text = String::from_utf8_lossy(sdp);
    let mut all: Vec<Medium> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if let Some(m) = line.strip_prefix("m=") {
            let mut words = m.split_ascii_whitespace();
            let media = words.next().unwrap_or_default().to_owned();
            let payload_type = words.nth(2).and_then(|pt| pt.parse().ok()).unwrap_or(u8::MAX);
            all.push(Medium { media, payload_type, encoding: String::new(), fmtp: String::new() });
            continue;
        }
        let Some(current) = all.last_mut() else { continue };
        let of_type = |value: &str| -> Option<String> {
            let (pt, rest) = value.trim_start().split_once(' ')?;
            (pt.parse() == Ok(current.payload_type)).then(|| rest.trim().to_owned())
        };
        if let Some(v) = line.strip_prefix("a=rtpmap:").and_then(of_type) {
            current.encoding = v.split('/').next().unwrap_or_default().to_ascii_lowercase();
        } else if let Some(v) = line.strip_prefix("a=fmtp:").and_then(of_type) {
            current.fmtp = v;
        }
    }
    all
}

/// The value of a parameter of `fmtp`, whose names do not tell upper case from lower.
fn value<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').filter_map(|p| p.trim().split_once('=')).find_map(|(k, v)| {
        (k.trim().eq_ignore_ascii_case(name) && v.len() <= MAX_VALUE).then(|| v.trim().trim_matches('"'))
    })
}

fn number(fmtp: &str, name: &str) -> Option<u32> {
    value(fmtp, name)?.parse().ok()
}

/// How pictures with that encoding name travel; `None` when they cannot be read.
pub fn pictures(encoding: &str, fmtp: &str) -> Option<Format> {
    match encoding {
        "h264" => Some(Format::H264 { sets: sets(fmtp, &["sprop-parameter-sets"]) }),
        "h265" => Some(Format::H265 { sets: sets(fmtp, &["sprop-vps", "sprop-sps", "sprop-pps"]) }),
        "jpeg" => Some(Format::Jpeg),
        _ => None,
    }
}

fn sets(fmtp: &str, names: &[&str]) -> Vec<Bytes> {
    let values = names.iter().filter_map(|n| value(fmtp, n));
    let decoded = values.flat_map(|v| v.split(',')).filter_map(|s| BASE64.decode(s.trim()).ok());
    decoded.flat_map(|set| pieces(&set)).collect()
}

/// Some cameras put start codes around the sets.
fn pieces(set: &[u8]) -> Vec<Bytes> {
    let nals = match set {
        [0, 0, 1, ..] | [0, 0, 0, 1, ..] => nal::split_annex_b(set),
        _ => {
            let code = set.windows(3).position(|w| w == [0, 0, 1]);
            let (first, rest) = set.split_at(code.unwrap_or(set.len()));
            std::iter::once(nal::trim_zeros(first)).chain(nal::split_annex_b(rest)).collect()
        }
    };
    nals.into_iter().filter(|n| !n.is_empty()).map(Bytes::copy_from_slice).collect()
}

/// How sound with that encoding name travels, and what it is; `None` when it cannot be read.
pub fn sound(encoding: &str, clock_rate: u32, channels: Option<u8>, fmtp: &str) -> Option<(Format, Codec)> {
    let g711 = |law| {
        let channels = channels.unwrap_or(1);
        Some((Format::G711, Codec::G711(G711Params { law, sample_rate: clock_rate, channels })))
    };
    match encoding {
        "pcma" => g711(G711Law::A),
        "pcmu" => g711(G711Law::Mu),
        // The clock is 48 kHz, whatever is said (RFC 7587 §4.1). Two channels hold one, too, and a packet says itself
        // how many it has (§6.1).
        "opus" if clock_rate == 48_000 => {
            let channels = if number(fmtp, "sprop-stereo") == Some(0) { 1 } else { 2 };
            Some((Format::Opus, Codec::Opus(OpusParams { channels, pre_skip: 0 })))
        }
        "mpeg4-generic" => {
            let params = aac::params(&hex(value(fmtp, "config")?)?).ok()?;
            let layout = aac_layout(fmtp, frame_ticks(&params, clock_rate)?)?;
            Some((Format::Aac(layout), Codec::Aac(params.into())))
        }
        "mp4a-latm" if number(fmtp, "cpresent") == Some(0) => {
            let (config, subframes) = latm_config(&hex(value(fmtp, "config")?)?).ok()?;
            let params = aac::params(&config).ok()?;
            let frame_ticks = frame_ticks(&params, clock_rate)?;
            Some((Format::Latm { subframes, frame_ticks }, Codec::Aac(params.into())))
        }
        _ => None,
    }
}

fn frame_ticks(params: &AacParams, clock_rate: u32) -> Option<u32> {
    let ticks = u64::from(params.frame_samples) * u64::from(clock_rate) / u64::from(params.sample_rate.max(1));
    u32::try_from(ticks).ok().filter(|t| *t > 0)
}

/// RFC 3640 §4.1. Without any numbers, they are those of the mode (§3.3.5, §3.3.6).
fn aac_layout(fmtp: &str, frame_ticks: u32) -> Option<AacLayout> {
    let low = value(fmtp, "mode").is_some_and(|m| m.eq_ignore_ascii_case("AAC-lbr"));
    let constant_size = number(fmtp, "constantsize").and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
    let of = |name: &str, usual: u8| match number(fmtp, name) {
        Some(n) => u8::try_from(n).ok().filter(|n| *n <= 16),
        None if constant_size > 0 => Some(0),
        None => Some(usual),
    };
    let layout = AacLayout {
        size_length: of("sizelength", if low { 6 } else { 13 })?,
        index_length: of("indexlength", if low { 2 } else { 3 })?,
        index_delta_length: of("indexdeltalength", if low { 2 } else { 3 })?,
        constant_size,
        frame_ticks,
    };
    // Fields that nobody was seen to send would stand between the ones that we read.
    let more = ["ctsdeltalength", "dtsdeltalength", "randomaccessindication", "streamstateindication"];
    let plain = more.iter().chain(&["auxiliarydatasizelength"]).all(|n| number(fmtp, n).unwrap_or(0) == 0);
    (plain && (layout.size_length > 0 || constant_size > 0)).then_some(layout)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|c| Some(digit(*c.first()?)? << 4 | digit(*c.get(1)?)?)).collect()
}

/// The audio configuration inside a StreamMuxConfig (ISO/IEC 14496-3 table 1.42), and the frames of an element. Only
/// what cameras send: one program, one layer, frames with a length, AAC without extras.
fn latm_config(mux: &[u8]) -> Result<(Vec<u8>, u8), BitstreamError> {
    let mut b = Bits::new(mux, "LATM configuration");
    let unsupported = BitstreamError::Unsupported { what: "this kind of LATM" };
    // audioMuxVersion 0, allStreamsSameTimeFraming 1.
    if b.u(2)? != 1 {
        return Err(unsupported);
    }
    let subframes = b.u8(6)? + 1;
    if b.u(4 + 3)? != 0 {
        return Err(unsupported);
    }
    let mut config = Copier { from: &mut b, to: Vec::new(), bits: 0 };
    let mut object_type = config.take(5)?;
    config.rate()?;
    let channels = config.take(4)?;
    if matches!(object_type, 5 | 29) {
        config.rate()?;
        object_type = config.take(5)?;
    }
    // frameLengthFlag, dependsOnCoreCoder, extensionFlag.
    let flags = config.take(3)?;
    if object_type != 2 || channels == 0 || flags & 3 != 0 {
        return Err(unsupported);
    }
    let config = config.to;
    // frameLengthType 0: each frame says how long it is.
    if b.u(3)? != 0 {
        return Err(unsupported);
    }
    Ok((config, subframes))
}

/// Copies bit fields to where they begin with a byte.
struct Copier<'a, 'b> {
    from: &'a mut Bits<'b>,
    to: Vec<u8>,
    bits: u32,
}

impl Copier<'_, '_> {
    fn take(&mut self, count: u32) -> Result<u32, BitstreamError> {
        let value = self.from.u(count)?;
        for i in (0..count).rev() {
            if self.bits.is_multiple_of(8) {
                self.to.push(0);
            }
            if let Some(last) = self.to.last_mut() {
                *last |= ((value >> i & 1) as u8) << (7 - self.bits % 8);
            }
            self.bits += 1;
        }
        Ok(value)
    }

    fn rate(&mut self) -> Result<(), BitstreamError> {
        if self.take(4)? == 15 {
            self.take(24)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264;

    const SDP: &[u8] = b"v=0\r\ns=cam\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        a=fmtp:97 nothing=here\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z00AKeKQFAe2AtwEBAaQeJEV,aO48gA\r\n\
        m=audio 0 RTP/AVP 8\r\na=control:a\r\nm=application 0 RTP/AVP x\r\na=fmtp:\r\nm=audio 0 RTP/AVP 98 99\n\
        a=rtpmap:98 MPEG4-GENERIC/48000/2\na=fmtp:98 mode=AAC-hbr; Config=1190; SizeLength=13;indexlength=3;\n";

    #[test]
    fn each_medium_keeps_its_own_parameters() {
        let m = media(SDP);
        let names: Vec<_> = m.iter().map(|m| (&m.media[..], m.payload_type, &m.encoding[..])).collect();
        let wanted =
            [("video", 96, "h264"), ("audio", 8, ""), ("application", 255, ""), ("audio", 98, "mpeg4-generic")];
        assert_eq!(names, wanted);
        let Some(Format::H264 { sets }) = pictures("h264", &m[0].fmtp) else { panic!("{m:?}") };
        assert!(h264::params(&sets[0], &[&sets[1]]).is_ok(), "padding left out: {sets:?}");
        let (format, codec) = sound("mpeg4-generic", 48_000, Some(2), &m[3].fmtp).unwrap();
        let Format::Aac(layout) = format else { panic!("{format:?}") };
        assert_eq!((layout.size_length, layout.index_delta_length, layout.frame_ticks), (13, 3, 1024));
        assert_eq!(codec.name(), "aac");
        for cut in 0..SDP.len() {
            for m in media(&SDP[..cut]) {
                let _ = (pictures("h264", &m.fmtp), sound("mpeg4-generic", 48_000, None, &m.fmtp));
            }
        }
    }

    #[test]
    fn start_codes_around_parameter_sets_are_taken_off() {
        let encode = |b: &[u8]| base64::engine::general_purpose::STANDARD.encode(b);
        for raw in [&[0, 0, 0, 1, 0x67, 9, 8, 0, 0, 1, 0x68, 7][..], &[0x67, 9, 8, 0, 0, 0, 1, 0x68, 7, 0, 0, 0, 1]] {
            let found = sets(&format!("a=b;sprop-parameter-sets={},!!", encode(raw)), &["sprop-parameter-sets"]);
            assert_eq!(found, [&[0x67, 9, 8][..], &[0x68, 7]]);
        }
        assert_eq!(sets("sprop-vps=QAE=;sprop-sps=QgE=", &["sprop-vps", "sprop-sps", "sprop-pps"]).len(), 2);
    }

    #[test]
    fn sound_that_is_not_read_is_not_taken() {
        let is = |e: &str, rate, fmtp: &str| sound(e, rate, None, fmtp).map(|(f, _)| f);
        assert_eq!(is("opus", 48_000, ""), Some(Format::Opus));
        assert_eq!(is("opus", 16_000, ""), None);
        assert_eq!(is("mpeg4-generic", 48_000, "mode=AAC-hbr"), None, "no configuration");
        assert_eq!(is("mpeg4-generic", 48_000, "mode=AAC-hbr;config=119"), None, "half a byte");
        assert_eq!(is("mpeg4-generic", 48_000, "mode=AAC-hbr;config=1190;ctsdeltalength=4"), None);
        assert_eq!(is("mpeg4-generic", 48_000, "mode=AAC-hbr;config=1190;sizelength=99"), None);
        let low = is("mpeg4-generic", 48_000, "mode=AAC-lbr;config=1190");
        assert!(matches!(low, Some(Format::Aac(AacLayout { size_length: 6, index_length: 2, .. }))), "{low:?}");
        assert_eq!(is("g726-32", 8000, ""), None);
    }

    #[test]
    fn latm_configuration_of_rfc_6416() {
        // 44.1 kHz, stereo, one frame in an element.
        let (format, codec) =
            sound("mp4a-latm", 44_100, Some(2), "profile-level-id=15; object=2; cpresent=0; config=400024203fc0")
                .unwrap();
        assert_eq!(format, Format::Latm { subframes: 1, frame_ticks: 1024 });
        let Codec::Aac(p) = codec else { panic!("not AAC") };
        assert_eq!((p.sample_rate, p.channels, &p.config[..]), (44_100, 2, &[0x12, 0x10][..]));
        assert_eq!(sound("mp4a-latm", 44_100, None, "cpresent=1;config=400024203fc0"), None);
        assert_eq!(sound("mp4a-latm", 44_100, None, "cpresent=0;config=4000"), None);
    }
}
