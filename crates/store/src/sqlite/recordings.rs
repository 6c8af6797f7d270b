//! Recorded files. **A state only moves forward**: each statement names the states it may leave.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use vigie_base::{CameraId, RecordingId, SessionId, UnixMillis, UserId};

use super::{Sqlite, conflict, get, maybe_millis, millis, one, to_json};
use crate::StoreError;
use crate::entity::{
    NewRecording, RecordedGap, Recording, RecordingEnd, RecordingFilter, RecordingKind, RecordingProgress,
    RecordingState,
};
use crate::repository::{Recordings, Result};

fn recording(row: &SqliteRow) -> Result<Recording> {
    Ok(Recording {
        id: RecordingId(get(row, "id")?),
        kind: RecordingKind::parse(get(row, "kind")?)?,
        session_id: get::<Option<String>>(row, "session_id")?.map(SessionId),
        camera_id: get::<Option<i64>>(row, "camera_id")?.map(CameraId),
        camera_name: get(row, "camera_name")?,
        club_id: get(row, "club_id")?,
        terrain_id: get(row, "terrain_id")?,
        user_id: get::<Option<i64>>(row, "user_id")?.map(UserId),
        path: get(row, "path")?,
        state: RecordingState::parse(get(row, "state")?)?,
        started_at: millis(row, "started_at")?,
        ended_at: maybe_millis(row, "ended_at")?,
        planned_ms: get(row, "planned_ms")?,
        duration_ms: get(row, "duration_ms")?,
        size_bytes: get(row, "size_bytes")?,
        frames: get(row, "frames")?,
        interrupted: get(row, "interrupted")?,
        locked: get(row, "locked")?,
        mode: get(row, "mode")?,
        codec: get(row, "codec")?,
        audio_codec: get(row, "audio_codec")?,
        width: get(row, "width")?,
        height: get(row, "height")?,
        checksum: get(row, "checksum")?,
        error: get(row, "error")?,
        clip_of: get::<Option<i64>>(row, "clip_of")?.map(RecordingId),
    })
}

fn gap(row: &SqliteRow) -> Result<RecordedGap> {
    Ok(RecordedGap {
        recording_id: RecordingId(get(row, "recording_id")?),
        from: millis(row, "from_at")?,
        to: maybe_millis(row, "to_at")?,
        offset_ms: get(row, "offset_ms")?,
        cause: get(row, "cause")?,
    })
}

#[async_trait]
impl Recordings for Sqlite {
    async fn insert_recording(&self, n: NewRecording) -> Result<Recording> {
        let mut tx = self.begin().await?;
        let row = query(
            "INSERT INTO recordings (kind, session_id, camera_id, camera_name, club_id, terrain_id, user_id, path,
                 started_at, planned_ms, mode, clip_of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING *",
        )
        .bind(n.kind.as_str())
        .bind(n.session_id.map(|s| s.0))
        .bind(n.camera_id.0)
        .bind(n.camera_name)
        .bind(n.club_id)
        .bind(n.terrain_id)
        .bind(n.user_id.map(|u| u.0))
        .bind(n.path)
        .bind(n.started_at.0)
        .bind(n.planned_ms)
        .bind(n.mode)
        .bind(n.clip_of.map(|r| r.0))
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| conflict(e, &[("recordings.path", "path")]))?;
        tx.commit().await?;
        recording(&row)
    }

    async fn set_recording_progress(&self, id: RecordingId, p: RecordingProgress) -> Result<()> {
        let mut tx = self.begin_light().await?;
        let done = query(
            "UPDATE recordings SET duration_ms = ?2, size_bytes = ?3, frames = ?4 WHERE id = ?1 AND state = 'open'",
        )
        .bind(id.0)
        .bind(p.duration_ms)
        .bind(p.size_bytes)
        .bind(p.frames)
        .execute(&mut *tx)
        .await?;
        one(done, "open recording")?;
        Ok(tx.commit().await?)
    }

    async fn seal_recording(&self, id: RecordingId, e: &RecordingEnd) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query(
            "UPDATE recordings SET state = 'sealed', duration_ms = ?2, size_bytes = ?3, frames = ?4, ended_at = ?5,
                 interrupted = ?6, codec = ?7, audio_codec = ?8, width = ?9, height = ?10
             WHERE id = ?1 AND state = 'open'",
        )
        .bind(id.0)
        .bind(e.progress.duration_ms)
        .bind(e.progress.size_bytes)
        .bind(e.progress.frames)
        .bind(e.ended_at.0)
        .bind(e.interrupted)
        .bind(e.codec.as_deref())
        .bind(e.audio_codec.as_deref())
        .bind(e.width)
        .bind(e.height)
        .execute(&mut *tx)
        .await?;
        one(done, "open recording")?;
        // A gap that lasted to the end ends with the recording.
        query("UPDATE gaps SET to_at = ?2 WHERE recording_id = ?1 AND to_at IS NULL")
            .bind(id.0)
            .bind(e.ended_at.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn fail_recording(&self, id: RecordingId, at: UnixMillis, error: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        let done =
            query("UPDATE recordings SET state = 'failed', ended_at = ?2, error = ?3 WHERE id = ?1 AND state = 'open'")
                .bind(id.0)
                .bind(at.0)
                .bind(error)
                .execute(&mut *tx)
                .await?;
        one(done, "open recording")?;
        Ok(tx.commit().await?)
    }

    async fn mark_recording_deleting(&self, id: RecordingId) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query(
            "UPDATE recordings SET state = 'deleting'
             WHERE id = ?1 AND state IN ('sealed', 'failed', 'deleting') AND locked = 0",
        )
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            let locked: Option<bool> = sqlx::query_scalar("SELECT locked FROM recordings WHERE id = ?1")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
            return Err(match locked {
                Some(true) => StoreError::Conflict("lock"),
                Some(false) | None => StoreError::NotFound("finished recording"),
            });
        }
        Ok(tx.commit().await?)
    }

    async fn delete_recording(&self, id: RecordingId) -> Result<()> {
        let mut tx = self.begin().await?;
        let done =
            query("DELETE FROM recordings WHERE id = ?1 AND state = 'deleting'").bind(id.0).execute(&mut *tx).await?;
        one(done, "recording marked for deletion")?;
        Ok(tx.commit().await?)
    }

    async fn lock_recording(&self, id: RecordingId, locked: bool) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query("UPDATE recordings SET locked = ?2 WHERE id = ?1 AND state <> 'deleting'")
            .bind(id.0)
            .bind(locked)
            .execute(&mut *tx)
            .await?;
        one(done, "recording")?;
        Ok(tx.commit().await?)
    }

    async fn set_recording_checksum(&self, id: RecordingId, sha256_hex: &str) -> Result<()> {
        let mut tx = self.begin_light().await?;
        let done = query("UPDATE recordings SET checksum = ?2 WHERE id = ?1 AND state = 'sealed'")
            .bind(id.0)
            .bind(sha256_hex)
            .execute(&mut *tx)
            .await?;
        one(done, "sealed recording")?;
        Ok(tx.commit().await?)
    }

    async fn recording(&self, id: RecordingId) -> Result<Option<Recording>> {
        let row = query("SELECT * FROM recordings WHERE id = ?1").bind(id.0).fetch_optional(&self.readers).await?;
        row.as_ref().map(recording).transpose()
    }

    async fn recordings(&self, f: &RecordingFilter) -> Result<Vec<Recording>> {
        let rows = query(
            "SELECT * FROM recordings
             WHERE (?1 IS NULL OR session_id = ?1) AND (?2 IS NULL OR club_id = ?2) AND (?3 IS NULL OR user_id = ?3)
               AND (?4 IS NULL OR camera_id = ?4) AND (?5 IS NULL OR state = ?5) AND (?7 IS NULL OR kind = ?7)
               AND (?8 IS NULL OR terrain_id = ?8)
             ORDER BY started_at DESC, id DESC LIMIT ?6",
        )
        .bind(f.session_id.as_ref().map(|s| s.0.as_str()))
        .bind(f.club_id)
        .bind(f.user_id.map(|u| u.0))
        .bind(f.camera_id.map(|c| c.0))
        .bind(f.state.map(RecordingState::as_str))
        // A negative limit means none.
        .bind(f.limit.map_or(-1, i64::from))
        .bind(f.kind.map(RecordingKind::as_str))
        .bind(f.terrain_id)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(recording).collect()
    }

    async fn recordings_total(&self) -> Result<(i64, i64)> {
        let row =
            query("SELECT count(*) AS n, coalesce(sum(size_bytes), 0) AS bytes FROM recordings WHERE state = 'sealed'")
                .fetch_one(&self.readers)
                .await?;
        Ok((get(&row, "n")?, get(&row, "bytes")?))
    }

    async fn insert_gap(&self, g: &RecordedGap) -> Result<()> {
        let mut tx = self.begin_light().await?;
        query(
            "INSERT INTO gaps (recording_id, from_at, to_at, offset_ms, cause)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM recordings WHERE id = ?1)",
        )
        .bind(g.recording_id.0)
        .bind(g.from.0)
        .bind(g.to.map(|t| t.0))
        .bind(g.offset_ms)
        .bind(&g.cause)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn gaps_of(&self, ids: &[RecordingId]) -> Result<Vec<RecordedGap>> {
        let rows = query(
            "SELECT * FROM gaps WHERE recording_id IN (SELECT value FROM json_each(?1))
             ORDER BY recording_id, from_at, id",
        )
        .bind(to_json(&ids))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(gap).collect()
    }

    async fn gaps(&self, id: RecordingId) -> Result<Vec<RecordedGap>> {
        self.gaps_of(&[id]).await
    }
}
