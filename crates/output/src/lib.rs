//! Ways out: one file or folder per way, one list.
//!
//! **An output is a guest of a stream**: it reads, it may be too slow or fail, and nobody else notices. No users and no
//! SQL live here: outputs ask [`vigie_hub::Gate`].

mod http;
mod mjpeg;
mod mse;
pub mod pictures;
mod preview;
mod rendition;
pub mod rtsp;
pub mod session_port;
mod snapshot;
#[cfg(test)]
mod testing;
