//! Removing what is left over (contract §20.7): idle sessions, and files with nothing in them.
//!
//! **Nothing that is being written, watched or locked is touched.**

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tracing::{info, warn};
use vigie_base::StreamKey;
use vigie_store::{Recording, RecordingFilter, RecordingState, Role, SessionState};

use super::view::Cleaned;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::policy::{Action, Identity, Target, decide};
use crate::sessions;

/// Files below this hold nothing (seed rule).
const EMPTY_BYTES: u64 = 1024;
/// A file that changed a moment ago may be one that is being written.
const SETTLED: Duration = Duration::from_secs(60);
/// Where nothing is being recorded, a young file is looked at twice, so far apart.
const SECOND_LOOK: Duration = Duration::from_secs(2);

pub(super) async fn run(core: &Core, who: &Identity) -> Result<(Cleaned, Vec<Value>)> {
    let mut cleaned = Cleaned::default();
    let mut details = Vec::new();
    for id in sessions::idle(core, who) {
        let stream = core.sessions.get(&id).and_then(|s| core.hub.get(StreamKey::main(s.camera_id?)));
        sessions::close(core, &id, None).await;
        info!(session = %id, "an idle session was closed");
        details.push(json!({ "kind": "session", "session_id": id }));
        cleaned.sessions += 1;
        // What the older systems called its proxy: the pull ends with the last claim on it.
        if stream.is_some_and(|s| !s.demand().borrow().any()) {
            details.push(json!({ "kind": "proxy", "session_id": id }));
            cleaned.proxies += 1;
        }
    }
    if who.role == Role::SuperAdmin {
        // A listener without a session would hold its port for ever.
        for (id, port) in core.ports.list() {
            if core.sessions.get(&id).is_none() {
                core.ports.release(&id);
                details.push(json!({ "kind": "proxy", "session_id": id, "port": port }));
                cleaned.proxies += 1;
            }
        }
    }
    let club = |club_id: i64| decide(who, Action::CleanUp, &Target::Club(club_id)).is_ok();
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
    for path in strays(core, who, &rows).await? {
        details.push(json!({ "kind": "empty_file", "path": path }));
        cleaned.empty_files += 1;
    }
    Ok((cleaned, details))
}

/// Removes empty files that no row knows, in the folders that `who` may clean up; says which.
async fn strays(core: &Core, who: &Identity, rows: &[Recording]) -> Result<Vec<String>> {
    let known: BTreeSet<PathBuf> = rows.iter().map(|r| core.config.media_dir.join(&r.path)).collect();
    let videos = core.config.media_dir.join("videos");
    let folder = (who.role != Role::SuperAdmin).then(|| who.club_id.unwrap_or_default().to_string());
    let found = blocking(move || foreign(&videos, folder.as_deref(), &known)).await?;
    let now = SystemTime::now();
    let old = |f: &Foreign| now.duration_since(f.modified).is_ok_and(|age| age >= SETTLED);
    let (mut empty, young): (Vec<Foreign>, Vec<Foreign>) = found.into_iter().partition(old);
    if !young.is_empty() && quiet(core) {
        tokio::time::sleep(SECOND_LOOK).await;
        // A recording that began meanwhile may have made any of them.
        if quiet(core) {
            empty.extend(young);
        }
    }
    blocking(move || remove(&empty)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Internal("looking for empty files panicked".to_owned()))
}

/// Whether no recording is beginning, running or being finished: a file may be there before its row is.
fn quiet(core: &Core) -> bool {
    let busy = |s: SessionState| matches!(s, SessionState::Starting | SessionState::Recording | SessionState::Stopping);
    core.recorder.active().is_empty() && !core.sessions.all().iter().any(|s| busy(s.state))
}

/// An empty `.mp4` file that no row knows, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Foreign {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

fn seen(path: PathBuf) -> Option<Foreign> {
    // Links are not followed: only ordinary files of ours are looked at.
    let meta = std::fs::symlink_metadata(&path).ok().filter(|m| m.is_file() && m.len() < EMPTY_BYTES)?;
    Some(Foreign { path, bytes: meta.len(), modified: meta.modified().ok()? })
}

/// What lies empty and unknown in `videos/<club>/`, or in the folders of all clubs.
fn foreign(videos: &Path, club: Option<&str>, known: &BTreeSet<PathBuf>) -> Vec<Foreign> {
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().collect::<Vec<_>>();
    entries(videos)
        .into_iter()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()) && club.is_none_or(|c| e.file_name() == c))
        .flat_map(|club| entries(&club.path()))
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|e| e == "mp4") && !known.contains(path))
        .filter_map(seen)
        .collect()
}

/// Removes those that are still as they were seen; says which.
fn remove(files: &[Foreign]) -> Vec<String> {
    let same = |f: &&Foreign| seen(f.path.clone()).as_ref() == Some(*f);
    let gone = files.iter().filter(same).filter(|f| std::fs::remove_file(&f.path).is_ok());
    gone.map(|f| f.path.display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_unknown_mp4_files_that_stay_as_they_are_go() {
        let dir = tempfile::tempdir().unwrap();
        let club = dir.path().join("0");
        std::fs::create_dir(&club).unwrap();
        let file = |name: &str, bytes: usize| {
            let path = club.join(name);
            std::fs::write(&path, vec![0; bytes]).unwrap();
            path
        };
        let (empty, growing, known) = (file("a.mp4", 1023), file("b.mp4", 10), file("known.mp4", 10));
        for (name, bytes) in [("full.mp4", 1024), ("notes.txt", 5)] {
            file(name, bytes);
        }
        let known = BTreeSet::from([known]);
        assert!(foreign(dir.path(), Some("7"), &known).is_empty(), "another club's");
        assert_eq!(foreign(dir.path(), Some("0"), &known).len(), 2);
        let mut found = foreign(dir.path(), None, &known);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(found.iter().map(|f| &f.path).collect::<Vec<_>>(), [&empty, &growing]);
        std::fs::write(&growing, [0; 20]).unwrap();
        assert_eq!(remove(&found), [empty.display().to_string()]);
        assert_eq!(std::fs::read_dir(&club).unwrap().count(), 4);
        assert!(foreign(&dir.path().join("nowhere"), None, &BTreeSet::new()).is_empty());
    }
}
