//! From the hub into files: one MP4 per capture session, finished in place, repaired after a crash.
//!
//! **What was recorded whole is never lost silently.** Media that is missing has a gap row with its cause; a disk that
//! fails ends the recording with a sentence; a process that dies leaves a file that the next start finishes.
//!
//! Order of effects, each durable before the next begins (a test kills between each pair):
//!
//! 1. the file is made and its head synced, 2. the folder is synced, 3. the row is written (`open`),
//! 4. media is appended, synced once a second, 5. the file is finished ([`vigie_media::mp4::session`]), 6. the row is
//!    sealed. Deleting: 1. the row is marked, 2. the file removed, 3. the folder synced, 4. the row dropped.
//!
//! [`volume`] is the disk as a trait, [`writer`] the threads that use it, [`intake`] what happens to units before they
//! are written, [`recording`] one running recording, [`recorder`] all of them, [`clip`] pieces of
//! them as files of their own, [`index`] the rows, [`repair`] start-up.

pub mod clip;
mod convert;
mod encode;
mod error;
pub mod index;
mod intake;
pub mod log;
pub mod recorder;
pub mod recording;
pub mod repair;
mod shrink;
pub mod volume;
pub mod writer;

pub use clip::{Clip, ClipRequest, PartFile};
pub use encode::{EncoderChoice, EncoderState, Encoding, VideoMode};
pub use error::RecordError;
pub use index::Index;
pub use recorder::{Config, Estimate, Recorder, Request};
pub use recording::{Ended, Finished, Phase, Recording, RecordingStatus};
pub use repair::RepairReport;
pub use volume::{Disk, Volume};
