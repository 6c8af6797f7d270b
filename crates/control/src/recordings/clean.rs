//! Removing what is left over (contract §20.7): idle sessions, and files with nothing in them.
//!
//! **Nothing that is being written, watched or locked is touched.**

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tracing::{info, warn};
use vigie_store::{RecordingFilter, RecordingState, Role};

use super::view::Cleaned;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::policy::Identity;
use crate::sessions;

/// Files below this hold nothing (seed rule).
const EMPTY_BYTES: u64 = 1024;
/// A file that changed a moment ago may be one that is being written by somebody else.
const SETTLED: Duration = Duration::from_secs(60);

pub(super) async fn run(core: &Core, who: &Identity) -> Result<(Cleaned, Vec<Value>)> {
    let mut cleaned = Cleaned::default();
    let mut details = Vec::new();
    for id in sessions::idle(core, who) {
        sessions::close(core, &id, None).await;
        info!(session = %id, "an idle session was closed");
        details.push(json!({ "kind": "session", "session_id": id }));
        cleaned.sessions += 1;
    }
    let club = |club_id: i64| who.role == Role::SuperAdmin || who.club_id == Some(club_id);
    let rows = core.store.recordings(&RecordingFilter::default()).await?;
    for row in rows.iter().filter(|r| club(r.club_id) && !r.locked) {
        let empty = match row.state {
            RecordingState::Failed => true,
            RecordingState::Sealed => row.size_bytes < EMPTY_BYTES as i64,
            RecordingState::Open | RecordingState::Deleting => false,
        };
        if !empty {
            continue;
        }
        match core.recorder.delete(row.id).await {
            Ok(()) => {
                details.push(json!({ "kind": "empty_file", "recording_id": row.id, "path": row.path }));
                cleaned.empty_files += 1;
                if let Some(session) = row.session_id.clone() {
                    core.bus.tell(Notice::Recording { session, recording: row.id });
                }
            }
            Err(e) => warn!(recording = %row.id, error = %e, "an empty file could not be removed"),
        }
    }
    if who.role == Role::SuperAdmin {
        let known: BTreeSet<PathBuf> = rows.iter().map(|r| core.config.media_dir.join(&r.path)).collect();
        let videos = core.config.media_dir.join("videos");
        let removed = tokio::task::spawn_blocking(move || remove_foreign(&videos, &known, SystemTime::now()))
            .await
            .map_err(|_| Error::Internal("looking for empty files panicked".to_owned()))?;
        cleaned.empty_files += removed.len();
        details.extend(removed.into_iter().map(|p| json!({ "kind": "empty_file", "path": p })));
    }
    Ok((cleaned, details))
}

/// Empty `.mp4` files that no row knows, in `videos/<club>/`.
fn remove_foreign(videos: &Path, known: &BTreeSet<PathBuf>, now: SystemTime) -> Vec<String> {
    let mut removed = Vec::new();
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().collect::<Vec<_>>();
    for club in entries(videos).into_iter().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
        for file in entries(&club.path()) {
            let path = file.path();
            // `metadata` of an entry does not follow links: only ordinary files of ours are looked at.
            let Ok(meta) = file.metadata() else { continue };
            let settled = meta.modified().is_ok_and(|m| now.duration_since(m).is_ok_and(|age| age >= SETTLED));
            let mp4 = path.extension().is_some_and(|e| e == "mp4");
            if meta.is_file()
                && mp4
                && settled
                && meta.len() < EMPTY_BYTES
                && !known.contains(&path)
                && std::fs::remove_file(&path).is_ok()
            {
                removed.push(path.display().to_string());
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_small_unknown_mp4_files_go() {
        let dir = tempfile::tempdir().unwrap();
        let club = dir.path().join("0");
        std::fs::create_dir(&club).unwrap();
        let file = |name: &str, bytes: usize| {
            let path = club.join(name);
            std::fs::write(&path, vec![0; bytes]).unwrap();
            path
        };
        let (empty, known) = (file("a.mp4", 1023), file("known.mp4", 10));
        for (name, bytes) in [("full.mp4", 1024), ("notes.txt", 5)] {
            file(name, bytes);
        }
        let rows = BTreeSet::from([known]);
        assert!(remove_foreign(dir.path(), &rows, SystemTime::now()).is_empty(), "too young to judge");
        let later = SystemTime::now() + SETTLED;
        assert_eq!(remove_foreign(dir.path(), &rows, later), [empty.display().to_string()]);
        assert_eq!(std::fs::read_dir(&club).unwrap().count(), 3);
        assert!(remove_foreign(&dir.path().join("nowhere"), &rows, later).is_empty());
    }
}
