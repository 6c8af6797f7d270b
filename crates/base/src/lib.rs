//! Ground floor: identifiers, clocks, back-off, secrets and supervised tasks.
//!
//! Nothing in here knows what a camera is; everything above may use it.

pub mod backoff;
pub mod clock;
pub mod fault;
pub mod ids;
pub mod secret;
pub mod task;

pub use backoff::Backoff;
pub use clock::{Clock, FakeClock, SystemClock, UnixMillis};
pub use fault::Fault;
pub use ids::{CameraId, RecordingId, SessionId, StreamKey, StreamName, UserId};
pub use secret::{RedactedUrl, Secret};
