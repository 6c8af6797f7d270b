//! Finished files: listed, sent, protected, deleted (contract §20.6).
//!
//! **Who names only a session means its newest recording, never a clip.**

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tracing::warn;
use vigie_base::{RecordingId, UnixMillis};
use vigie_record::PartFile;
use vigie_store::{Recording as Row, RecordingFilter, RecordingKind, RecordingState, Role, StoreError};

use super::Recordings;
use super::running::record_error;
use super::view::{self, Download, FileList, VideoView};
use crate::error::{Error, Result};
use crate::events::Notice;
use crate::policy::{Action, Identity, Target, decide};

/// Longest that a download waits for its file to get its final size.
const SETTLE: Duration = Duration::from_secs(5);

/// Which files are listed.
#[derive(Debug, Clone, Default)]
pub struct FileQuery {
    /// Whose.
    pub club_id: Option<i64>,
    /// Of this kind; `None` means all.
    pub kind: Option<RecordingKind>,
}

/// Which part of which recording.
#[derive(Debug, Clone, Copy, Default)]
pub struct PartQuery {
    /// Checked when given.
    pub club_id: Option<i64>,
    /// Which file of the session; the newest recording when missing.
    pub recording_id: Option<i64>,
    /// Seconds as it plays.
    pub from: f64,
    /// Seconds; moved to the end when it lies behind it.
    pub to: f64,
}

/// A part of a recording, to be sent.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file, which exists nowhere.
    pub file: PartFile,
    /// For `Content-Disposition`.
    pub filename: String,
}

impl Recordings {
    /// Finished files of a club; of the own club when `club_id` is `None`. Super administrators have none of their
    /// own: they say which (contract §20.6), 0 being what belongs to no club. Players see what they made themselves, a
    /// kiosk pass what was made with it on its court.
    pub async fn files(&self, who: &Identity, query: &FileQuery) -> Result<FileList> {
        let club = query.club_id.or(who.club_id).ok_or(Error::missing("club_id"))?;
        decide(who, Action::ReadFile, &Target::Club(club))?;
        let filter = RecordingFilter {
            kind: query.kind,
            club_id: Some(club),
            terrain_id: who.terrain_id,
            user_id: (who.role == Role::Player || who.terrain_id.is_some()).then_some(who.user_id),
            state: Some(RecordingState::Sealed),
            ..Default::default()
        };
        let rows = self.core.store.recordings(&filter).await?;
        let videos = self.videos(&rows).await?;
        Ok(FileList {
            club_id: Some(club),
            count: videos.len(),
            total_size_bytes: videos.iter().map(|v| v.size_bytes).sum(),
            videos,
        })
    }

    /// Rows as the API shows them.
    async fn videos(&self, rows: &[Row]) -> Result<Vec<VideoView>> {
        let core = &self.core;
        let ids: Vec<RecordingId> = rows.iter().map(|r| r.id).collect();
        let gaps = core.store.gaps_of(&ids).await?;
        let marked: BTreeMap<RecordingId, i64> = core.store.marker_counts(&ids).await?.into_iter().collect();
        let video = |r: &Row| VideoView {
            terrain_name: r.terrain_id.and_then(|t| core.court(t)).map(|c| c.name),
            username: r.user_id.and_then(|u| core.auth.name_of(u)),
            markers: marked.get(&r.id).copied().unwrap_or(0),
            ..view::video(r, &gaps)
        };
        Ok(rows.iter().map(video).collect())
    }

    /// A recording's row that `who` may do that to: `recording_id`, or else the newest of the session. What belongs to
    /// somebody else is refused, also where there is nothing (rule 6 of §20.11).
    async fn row(
        &self,
        who: &Identity,
        action: Action,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<Row> {
        let session = self.core.find_session(session_id).await?.ok_or(Error::VideoNotFound)?;
        decide(who, action, &crate::sessions::target(&session))?;
        let row = match recording_id {
            Some(id) => self.core.store.recording(RecordingId(id)).await?,
            None => self.newest(&session.id).await?,
        };
        let fits = |r: &Row| {
            r.session_id.as_ref() == Some(&session.id)
                && r.state != RecordingState::Deleting
                && club_id.is_none_or(|c| c == r.club_id)
        };
        let row = row.filter(fits).ok_or(Error::VideoNotFound)?;
        let club_id = (row.club_id != 0).then_some(row.club_id);
        decide(who, action, &Target::Session { club_id, terrain_id: row.terrain_id, user_id: row.user_id })?;
        Ok(row)
    }

    /// One file, by `recording_id` or else the newest of the session.
    pub async fn video(&self, who: &Identity, session_id: &str, recording_id: Option<i64>) -> Result<VideoView> {
        let row = self.row(who, Action::ReadFile, session_id, None, recording_id).await?;
        let videos = self.videos(std::slice::from_ref(&row)).await?;
        videos.into_iter().next().ok_or(Error::VideoNotFound)
    }

    /// A finished file to be sent.
    pub async fn download(
        &self,
        who: &Identity,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<Download> {
        let row = self.row(who, Action::ReadFile, session_id, club_id, recording_id).await?;
        match row.state {
            RecordingState::Sealed => {}
            RecordingState::Open => return Err(Error::RecordingActive),
            RecordingState::Failed | RecordingState::Deleting => return Err(Error::VideoNotFound),
        }
        // A short file is rewritten without its reserve right after the stop; a player that reads it in pieces must not
        // get some of the one and some of the other.
        self.core.recorder.settled(row.id, SETTLE).await;
        let path = self.core.config.media_dir.join(&row.path);
        let meta = tokio::fs::metadata(&path).await.map_err(|e| {
            warn!(recording = %row.id, path = %path.display(), error = %e, "a recorded file is missing");
            Error::VideoNotFound
        })?;
        Ok(Download {
            filename: view::filename(&row),
            path,
            size_bytes: meta.len(),
            modified: meta.modified().map_or(row.started_at, UnixMillis::from),
            recording_id: row.id.0,
        })
    }

    /// A part of a finished recording, without coding or writing anything.
    pub async fn part(&self, who: &Identity, session_id: &str, query: &PartQuery) -> Result<Part> {
        let row = self.row(who, Action::ReadFile, session_id, query.club_id, query.recording_id).await?;
        let time = |field: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| Error::field(field, "value", format!("`{field}` is a time in seconds, from 0 on")))
        };
        let (from, to) = (time("from", query.from)?, time("to", query.to)?);
        match row.state {
            RecordingState::Sealed => {}
            RecordingState::Open => return Err(Error::RecordingActive),
            RecordingState::Failed | RecordingState::Deleting => return Err(Error::VideoNotFound),
        }
        let file = self.core.recorder.part(row.id, from, to).await.map_err(record_error)?;
        let name = view::filename(&row);
        let stem = name.strip_suffix(".mp4").unwrap_or(&name);
        let (begins, ends) = (file.start(), file.start() + file.duration());
        let filename = format!("{stem}_{}-{}.mp4", begins.as_secs(), ends.as_secs_f64().ceil());
        Ok(Part { file, filename })
    }

    /// Deletes file and row.
    pub async fn delete(
        &self,
        who: &Identity,
        session_id: &str,
        club_id: Option<i64>,
        recording_id: Option<i64>,
    ) -> Result<()> {
        let row = self.row(who, Action::DeleteFile, session_id, club_id, recording_id).await?;
        if row.state == RecordingState::Open {
            return Err(Error::RecordingActive);
        }
        if row.locked {
            return Err(Error::Locked);
        }
        self.core.recorder.delete(row.id).await.map_err(record_error)?;
        let target = format!("recording/{}", row.id);
        self.core.auth.note(who, "recording.delete", &target, Value::Null).await;
        if let Some(session) = row.session_id {
            self.core.bus.tell(Notice::Recording { session, recording: row.id });
        }
        Ok(())
    }

    /// Protects a file from being deleted, or no longer; also one that is still being recorded. Who may delete it may.
    pub async fn lock(
        &self,
        who: &Identity,
        session_id: &str,
        recording_id: Option<i64>,
        locked: bool,
    ) -> Result<VideoView> {
        let row = self.row(who, Action::DeleteFile, session_id, None, recording_id).await?;
        self.core.store.lock_recording(row.id, locked).await.map_err(|e| match e {
            StoreError::NotFound(_) => Error::VideoNotFound,
            e => e.into(),
        })?;
        let action = if locked { "recording.lock" } else { "recording.unlock" };
        let target = format!("recording/{}", row.id);
        self.core.auth.note(who, action, &target, Value::Null).await;
        if let Some(session) = row.session_id {
            self.core.bus.tell(Notice::Recording { session, recording: row.id });
        }
        self.video(who, session_id, Some(row.id.0)).await
    }
}
