//! Media as data: tracks, access units and the time they carry; bitstreams, RTP, MP4 and transport streams.
//!
//! **Pure: bytes and times in, bytes and times out.** No socket, file, clock or runtime lives here, and no byte
//! from outside can make anything here panic.

pub mod aac;
pub mod bitstream;
pub mod demux;
pub mod g711;
pub mod h264;
pub mod h265;
pub mod jpeg;
pub mod mp4;
pub mod nal;
pub mod opus;
pub mod reorder;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod time;
pub mod track;
pub mod unit;

pub use bitstream::BitstreamError;
pub use time::MediaTime;
pub use track::{
    AacParams, Codec, G711Law, G711Params, H264Params, H265Params, JpegParams, MediaKind, OpusParams,
    StreamDescription, Track, TrackId, VideoInfo,
};
pub use unit::AccessUnit;
