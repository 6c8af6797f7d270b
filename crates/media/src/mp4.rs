//! ISO base media files: written while they grow, finished in place, and repaired.
//!
//! [`boxes`] has the sample entries, [`fragment`] the initialisation segment and the fragments of MSE and of growing
//! files, [`session`] the file of one recording as a state machine, [`repair`] what start-up does with a file whose
//! writer died, [`cut`] a part of a recording as a file of its own. **Every function here returns bytes and where they go; nobody here touches a file.**
//!
//! H.264 is written as `avc1`, never `avc3`, and H.265 as `hvc1`: Safari and QuickTime play only those. Both keep the
//! parameter sets in the sample entry; the sets that a camera repeats in its stream are left in the samples, where
//! every decoder that we tried accepts them, because they are the same ones: when they change, a further sample entry
//! is written (ISO/IEC 14496-15 §5.3.3, §8.3.3).

pub mod boxes;
pub mod compact;
pub mod cut;
mod finish;
pub mod fragment;
mod read;
pub mod repair;
pub mod session;
pub mod silence;
pub mod tables;
