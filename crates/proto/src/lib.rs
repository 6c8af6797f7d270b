//! Wire protocols as state machines.
//!
//! **Bytes and times in, bytes and decisions out**: no socket, clock or runtime lives here.

pub mod multipart;
pub mod rtsp;
