//! How a running recording is asked where its newest media is.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use vigie_base::{RecordingId, UnixMillis};
use vigie_media::mp4::cut::Fragment;

use crate::volume::VolumeFile;
use crate::{RecordError, Recording};

/// Longer than any look of a recording that is well.
const PATIENCE: Duration = Duration::from_secs(10);
/// Fragments are not ended for clips more often than this.
const PAUSE: Duration = Duration::from_millis(500);

/// A file that is being recorded, at one moment.
pub(crate) struct Snapshot {
    pub(crate) id: RecordingId,
    pub(crate) file: Arc<dyn VolumeFile>,
    pub(crate) fragments: Vec<Fragment>,
    /// Wall time of the beginning of its visible timeline.
    pub(crate) zero: UnixMillis,
    /// `copy` or `encode`.
    pub(crate) mode: &'static str,
    /// Says that all of them are on the disk.
    pub(crate) written: oneshot::Receiver<()>,
}

/// Who waits for a snapshot.
#[derive(Clone, Default)]
pub(crate) struct Asks(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    waiting: Vec<oneshot::Sender<Snapshot>>,
    /// When the fragment that was being gathered was last ended for somebody.
    ended: Option<Instant>,
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asks").field(&self.0.lock().waiting.len()).finish()
    }
}

impl Asks {
    pub(crate) fn ask(&self) -> oneshot::Receiver<Snapshot> {
        let (answer, wait) = oneshot::channel();
        self.0.lock().waiting.push(answer);
        wait
    }

    /// Those who wait now, and whether the fragment that is being gathered is to be ended for them: not for everybody
    /// who clicks without a pause, since a recording has room for only so many.
    pub(crate) fn take(&self) -> (Vec<oneshot::Sender<Snapshot>>, bool) {
        let mut desk = self.0.lock();
        let flush = !desk.waiting.is_empty() && desk.ended.is_none_or(|at| at.elapsed() >= PAUSE);
        if flush {
            desk.ended = Some(Instant::now());
        }
        (std::mem::take(&mut desk.waiting), flush)
    }
}

impl Recording {
    /// Waits for the recording's next look, and until what it tells of is on the disk. `None` when it ended instead.
    pub(crate) async fn snapshot(&self) -> Result<Option<Snapshot>, RecordError> {
        let asked = self.asks().ask();
        let ended = async {
            // Its outcome is in its row; here it only matters that nobody will answer any more.
            let _ = self.wait().await;
        };
        let answered = async {
            let mut snapshot = asked.await.ok()?;
            (&mut snapshot.written).await.ok()?;
            Some(snapshot)
        };
        tokio::select! {
            biased;
            Some(snapshot) = answered => Ok(Some(snapshot)),
            () = ended => Ok(None),
            () = tokio::time::sleep(PATIENCE) => Err(RecordError::Disk("the disk is too slow for a clip".into())),
        }
    }
}
