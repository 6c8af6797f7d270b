//! Small files lose the space that their plan reserved, in the background, after they are finished.
//!
//! **The finished file stays in its place until the smaller one is durable**: 1. a copy beside it, synced, 2. put in
//! its place, 3. the folder synced. A copy that a crash left behind is written over by the next one.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, warn};
use vigie_base::RecordingId;
use vigie_media::mp4::compact::compact;
use vigie_store::RecordingState;

use crate::recorder::Shared;
use crate::volume::{Reader, Volume};

/// Longer files are left alone: the reserve is a small part of them, and copying them costs the disk.
const SMALL: u64 = 64 << 20;
/// Bytes copied at a time.
const PIECE: usize = 1 << 20;

/// A file that is about to be replaced by a smaller one; whoever wants to read it in pieces waits until this is gone.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    id: RecordingId,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.shared.shrinking.send_modify(|all| {
            all.remove(&self.id);
        });
    }
}

/// Says that the file will be replaced, before anybody can know of it. `None` when it is too large for that.
pub(crate) fn announce(shared: &Arc<Shared>, id: RecordingId, media_bytes: u64) -> Option<Pending> {
    if media_bytes >= SMALL {
        return None;
    }
    shared.shrinking.send_modify(|all| {
        all.insert(id);
    });
    Some(Pending { shared: Arc::clone(shared), id })
}

/// Does it when nobody waits any more.
pub(crate) fn later(pending: Pending, path: String) {
    tokio::spawn(async move {
        let (shared, id) = (Arc::clone(&pending.shared), pending.id);
        let _tidy = shared.tidy.lock().await;
        // Deleted meanwhile: then there is nothing to do, and nothing may come back.
        let sealed = shared.index.row(id).await;
        if !matches!(sealed, Ok(Some(row)) if row.state == RecordingState::Sealed) {
            return;
        }
        let volume = Arc::clone(shared.writer.volume());
        let name = path.clone();
        match tokio::task::spawn_blocking(move || shrink(volume.as_ref(), &name)).await {
            Ok(Ok(saved)) => debug!(path, saved, "shrunk"),
            Ok(Err(e)) => warn!(path, error = %e, "could not be shrunk; the file stays as it is"),
            Err(_) => warn!(path, "shrinking has crashed; the file stays as it is"),
        }
        drop(pending);
    });
}

/// Returns the bytes saved.
pub(crate) fn shrink(volume: &dyn Volume, path: &str) -> io::Result<u64> {
    let old = volume.open(path)?;
    let before = old.size()?;
    let mut reader = Reader::new(old);
    let Some(plan) = compact(&mut reader).map_err(io::Error::other)? else { return Ok(0) };
    let beside = format!("{path}.part");
    if volume.exists(&beside) {
        volume.remove(&beside)?;
    }
    let copied = copy(volume, &mut reader, &beside, plan);
    if copied.is_err() {
        // What is left of it is of no use; a failure to remove it changes nothing.
        let _ = volume.remove(&beside);
    }
    let after = copied?;
    volume.replace(&beside, path)?;
    volume.sync_folder_of(path)?;
    Ok(before.saturating_sub(after))
}

fn copy(volume: &dyn Volume, from: &mut Reader, to: &str, plan: vigie_media::mp4::compact::Compact) -> io::Result<u64> {
    let new = volume.create(to)?;
    let mut at = plan.head.len() as u64;
    new.write_at(0, &[Bytes::from(plan.head)])?;
    from.seek(SeekFrom::Start(plan.from))?;
    let mut left = plan.len;
    while left > 0 {
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        from.read_exact(&mut piece)?;
        let n = piece.len() as u64;
        new.write_at(at, &[Bytes::from(piece)])?;
        at += n;
        left -= n;
    }
    new.sync()?;
    Ok(at)
}
