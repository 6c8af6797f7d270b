//! A stream's tracks as JSON, so that they outlive the process: a client can then be told the tracks before the
//! camera answers (decision 47). What cannot be read back is forgotten, never half-read.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vigie_media::{
    AacParams, Codec, G711Law, G711Params, H264Params, H265Params, JpegParams, OpusParams, StreamDescription, Track,
    TrackId, VideoInfo,
};

#[derive(Serialize, Deserialize)]
struct Described {
    tracks: Vec<StoredTrack>,
}

#[derive(Serialize, Deserialize)]
struct StoredTrack {
    clock_rate: u32,
    #[serde(flatten)]
    codec: StoredCodec,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "codec", rename_all = "lowercase")]
enum StoredCodec {
    H264 { sps: String, pps: Vec<String>, video: Video },
    H265 { vps: String, sps: String, pps: Vec<String>, video: Video },
    Jpeg { video: Video },
    Aac { config: String, sample_rate: u32, channels: u8, frame_samples: u16, object_type: u8 },
    G711 { a_law: bool, sample_rate: u32, channels: u8 },
    Opus { channels: u8, pre_skip: u16 },
}

#[derive(Serialize, Deserialize)]
struct Video {
    width: u32,
    height: u32,
    fps: Option<f64>,
    reorder_depth: u8,
    rfc6381: String,
}

impl From<&VideoInfo> for Video {
    fn from(v: &VideoInfo) -> Self {
        Self {
            width: v.width,
            height: v.height,
            fps: v.fps.filter(|f| f.is_finite()),
            reorder_depth: v.reorder_depth,
            rfc6381: v.rfc6381.clone(),
        }
    }
}

impl From<Video> for VideoInfo {
    fn from(v: Video) -> Self {
        VideoInfo { width: v.width, height: v.height, fps: v.fps, reorder_depth: v.reorder_depth, rfc6381: v.rfc6381 }
    }
}

fn text(b: &Bytes) -> String {
    STANDARD.encode(b)
}

fn bytes(s: &str) -> Option<Bytes> {
    STANDARD.decode(s).ok().filter(|b| !b.is_empty()).map(Bytes::from)
}

fn all(list: &[String]) -> Option<Vec<Bytes>> {
    let list: Option<Vec<Bytes>> = list.iter().map(|s| bytes(s)).collect();
    list.filter(|l| !l.is_empty())
}

/// The JSON of a description.
pub(crate) fn to_json(d: &StreamDescription) -> Value {
    let tracks = d
        .tracks
        .iter()
        .map(|t| StoredTrack {
            clock_rate: t.clock_rate,
            codec: match &t.codec {
                Codec::H264(p) => StoredCodec::H264 {
                    sps: text(&p.sps),
                    pps: p.pps.iter().map(text).collect(),
                    video: (&p.video).into(),
                },
                Codec::H265(p) => StoredCodec::H265 {
                    vps: text(&p.vps),
                    sps: text(&p.sps),
                    pps: p.pps.iter().map(text).collect(),
                    video: (&p.video).into(),
                },
                Codec::Jpeg(p) => StoredCodec::Jpeg { video: (&p.video).into() },
                Codec::Aac(p) => StoredCodec::Aac {
                    config: text(&p.config),
                    sample_rate: p.sample_rate,
                    channels: p.channels,
                    frame_samples: p.frame_samples,
                    object_type: p.object_type,
                },
                Codec::G711(p) => {
                    StoredCodec::G711 { a_law: p.law == G711Law::A, sample_rate: p.sample_rate, channels: p.channels }
                }
                Codec::Opus(p) => StoredCodec::Opus { channels: p.channels, pre_skip: p.pre_skip },
            },
        })
        .collect();
    serde_json::to_value(Described { tracks }).unwrap_or(Value::Null)
}

/// Reads it back; `None` for anything that this version would not have written.
pub(crate) fn from_json(value: &Value) -> Option<StreamDescription> {
    let stored = Described::deserialize(value).ok()?;
    let mut tracks = Vec::new();
    for (i, t) in stored.tracks.into_iter().enumerate() {
        let codec = match t.codec {
            StoredCodec::H264 { sps, pps, video } => {
                Codec::H264(Arc::new(H264Params { sps: bytes(&sps)?, pps: all(&pps)?, video: video.into() }))
            }
            StoredCodec::H265 { vps, sps, pps, video } => Codec::H265(Arc::new(H265Params {
                vps: bytes(&vps)?,
                sps: bytes(&sps)?,
                pps: all(&pps)?,
                video: video.into(),
            })),
            StoredCodec::Jpeg { video } => Codec::Jpeg(Arc::new(JpegParams { video: video.into() })),
            StoredCodec::Aac { config, sample_rate, channels, frame_samples, object_type } => {
                let config = bytes(&config)?;
                Codec::Aac(Arc::new(AacParams { config, sample_rate, channels, frame_samples, object_type }))
            }
            StoredCodec::G711 { a_law, sample_rate, channels } => {
                let law = if a_law { G711Law::A } else { G711Law::Mu };
                Codec::G711(G711Params { law, sample_rate, channels })
            }
            StoredCodec::Opus { channels, pre_skip } => Codec::Opus(OpusParams { channels, pre_skip }),
        };
        if t.clock_rate == 0 {
            return None;
        }
        tracks.push(Track { id: TrackId(u8::try_from(i).ok()?), clock_rate: t.clock_rate, codec });
    }
    (!tracks.is_empty()).then_some(StreamDescription { generation: 0, tracks })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_codec_comes_back_as_it_was() {
        let video = VideoInfo { width: 1920, height: 1080, fps: Some(25.0), reorder_depth: 2, rfc6381: "x".into() };
        let b = |s: &'static [u8]| Bytes::from_static(s);
        let codecs = vec![
            Codec::H264(Arc::new(H264Params {
                sps: b(&[0x67, 0, 255]),
                pps: vec![b(&[0x68]), b(&[0x68, 1])],
                video: video.clone(),
            })),
            Codec::H265(Arc::new(H265Params { vps: b(&[1]), sps: b(&[2]), pps: vec![b(&[3])], video: video.clone() })),
            Codec::Jpeg(Arc::new(JpegParams { video })),
            Codec::Aac(Arc::new(AacParams {
                config: b(&[0x12, 0x10]),
                sample_rate: 44_100,
                channels: 2,
                frame_samples: 1024,
                object_type: 2,
            })),
            Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 }),
            Codec::G711(G711Params { law: G711Law::Mu, sample_rate: 8000, channels: 1 }),
            Codec::Opus(OpusParams { channels: 2, pre_skip: 312 }),
        ];
        let tracks = codecs
            .into_iter()
            .enumerate()
            .map(|(i, codec)| Track { id: TrackId(i as u8), clock_rate: 90_000, codec })
            .collect();
        let d = StreamDescription { generation: 0, tracks };
        let text = to_json(&d).to_string();
        assert_eq!(from_json(&serde_json::from_str(&text).unwrap()), Some(d));
    }

    #[test]
    fn what_is_odd_is_forgotten() {
        for odd in [
            json!(null),
            json!({"tracks": []}),
            json!({"tracks": [{"clock_rate": 0, "codec": "opus", "channels": 1, "pre_skip": 0}]}),
            json!({"tracks": [{"clock_rate": 90000, "codec": "av1"}]}),
            json!({"tracks": [{"clock_rate": 90000, "codec": "h264", "sps": "!", "pps": [], "video":
                {"width": 1, "height": 1, "fps": null, "reorder_depth": 0, "rfc6381": ""}}]}),
        ] {
            assert!(from_json(&odd).is_none(), "{odd}");
        }
    }
}
