//! Finished files are rewritten in the background where that makes them better: small ones lose the space that their
//! plan reserved, and those that outgrew their plan get their movie in front of the media (fast start).
//!
//! **The finished file stays in its place until the other one is durable**: 1. a copy beside it (`….mp4.part`), synced,
//! 2. put in its place, 3. the folder synced. A file whose movie lies behind is flagged before its row is sealed, by an
//! empty `.part`: start-up removes whatever `.part` it finds, and takes the work up again ([`crate::repair`]).

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, info, warn};
use vigie_base::RecordingId;
use vigie_media::mp4::compact::{Compact, compact};
use vigie_store::RecordingState;

use crate::recorder::Shared;
use crate::volume::{Reader, Volume};

/// Longer files are left alone when only their reserve is too large: it is a small part of them, and copying them
/// costs the disk.
const SMALL: u64 = 64 << 20;
/// Bytes copied at a time.
const PIECE: usize = 1 << 20;
/// Bytes after which a long copy is synced, so that the syncs of running recordings never wait for much of it.
const SYNC_EVERY: u64 = 16 << 20;

/// The name of the copy of a file.
pub(crate) fn beside(path: &str) -> String {
    format!("{path}.part")
}

/// A file that is about to be replaced; whoever wants to read it in pieces waits until this is gone.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    id: RecordingId,
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Whoever did not wait has planned with the file that is gone now.
        self.shared.planned.forget(self.id);
        self.shared.shrinking.send_modify(|all| {
            all.remove(&self.id);
        });
    }
}

/// Says that the file will be replaced, before anybody can know of it. `None` when it is good as it is.
pub(crate) fn announce(shared: &Arc<Shared>, id: RecordingId, media_bytes: u64, behind: bool) -> Option<Pending> {
    if media_bytes >= SMALL && !behind {
        return None;
    }
    shared.shrinking.send_modify(|all| {
        all.insert(id);
    });
    Some(Pending { shared: Arc::clone(shared), id })
}

/// Makes the flag of a file whose movie lies behind its media durable.
pub(crate) async fn flag(shared: &Arc<Shared>, path: &str) -> io::Result<()> {
    let (volume, path) = (Arc::clone(shared.writer.volume()), path.to_owned());
    let made = tokio::task::spawn_blocking(move || {
        let name = beside(&path);
        if !volume.exists(&name) {
            volume.create(&name)?;
        }
        volume.sync_folder_of(&path)
    });
    made.await.map_err(io::Error::other).flatten()
}

/// Does it when nobody waits any more.
pub(crate) fn later(pending: Pending, path: String) {
    tokio::spawn(async move {
        match replace(&pending, &path).await {
            Ok(saved) => debug!(path, saved, "rewritten"),
            Err(e) => warn!(path, error = %e, "could not be rewritten; the file stays as it is"),
        }
        drop(pending);
    });
}

/// Returns by how many bytes the file became smaller.
async fn replace(pending: &Pending, path: &str) -> io::Result<u64> {
    let shared = &pending.shared;
    let (volume, name, keep) = (Arc::clone(shared.writer.volume()), path.to_owned(), shared.config.keep_free_bytes);
    // 1. The copy. Whoever deletes the recording meanwhile need not wait for it.
    let copied = tokio::task::spawn_blocking(move || copy(volume.as_ref(), &name, keep));
    let copied = copied.await.map_err(io::Error::other).flatten()?;
    let Some((before, after)) = copied else { return Ok(0) };
    let _tidy = shared.tidy.lock().await;
    // Deleted meanwhile: then nothing may come back.
    let row = shared.index.row(pending.id).await.map_err(io::Error::other)?;
    let wanted = row.is_some_and(|row| row.state == RecordingState::Sealed);
    let (volume, name) = (Arc::clone(shared.writer.volume()), path.to_owned());
    let done = tokio::task::spawn_blocking(move || {
        let copy = beside(&name);
        if !wanted {
            return if volume.exists(&copy) { volume.remove(&copy) } else { Ok(()) };
        }
        // 2. In its place; 3. durable.
        volume.replace(&copy, &name)?;
        volume.sync_folder_of(&name)
    });
    done.await.map_err(io::Error::other).flatten()?;
    Ok(before.saturating_sub(after))
}

/// Makes the copy, and returns the lengths of both files; `None` when the file is good as it is.
fn copy(volume: &dyn Volume, path: &str, keep_free: u64) -> io::Result<Option<(u64, u64)>> {
    let old = volume.open(path)?;
    let before = old.size()?;
    let mut reader = Reader::new(old);
    let copy = beside(path);
    let plan = compact(&mut reader).map_err(io::Error::other)?;
    if volume.exists(&copy) {
        volume.remove(&copy)?;
    }
    let Some(plan) = plan else { return Ok(None) };
    if plan.behind {
        let free = volume.space()?.free;
        if free < before.saturating_add(keep_free) {
            // Flagged again: the next start may find more room.
            volume.create(&copy)?;
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("{} MB are needed and {} MB are free", (before + keep_free) >> 20, free >> 20),
            ));
        }
        info!(path, megabytes = before >> 20, "putting the movie of a finished recording in front");
    }
    let behind = plan.behind;
    let written = fill(volume, &mut reader, &copy, plan);
    if written.is_err() {
        // What is left of it is of no use, except as a flag; a failure to remove it changes nothing.
        let removed = volume.remove(&copy);
        let _ = if behind && removed.is_ok() { volume.create(&copy).map(drop) } else { removed };
    }
    Ok(Some((before, written?)))
}

fn fill(volume: &dyn Volume, from: &mut Reader, to: &str, plan: Compact) -> io::Result<u64> {
    let new = volume.create(to)?;
    let mut at = plan.head.len() as u64;
    new.write_at(0, &[Bytes::from(plan.head)])?;
    from.seek(SeekFrom::Start(plan.from))?;
    let (mut left, mut synced) = (plan.len, at);
    while left > 0 {
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        from.read_exact(&mut piece)?;
        let n = piece.len() as u64;
        new.write_at(at, &[Bytes::from(piece)])?;
        at += n;
        left -= n;
        if at - synced >= SYNC_EVERY {
            new.sync()?;
            synced = at;
        }
    }
    new.sync()?;
    Ok(at)
}
