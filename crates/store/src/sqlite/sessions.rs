//! Capture sessions.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use vigie_base::{CameraId, SessionId, UserId};

use super::{Sqlite, conflict, get, maybe_millis, millis, one};
use crate::entity::{CaptureSession, SessionState};
use crate::repository::{Result, Sessions};

fn session(row: &SqliteRow) -> Result<CaptureSession> {
    Ok(CaptureSession {
        id: SessionId(get(row, "id")?),
        camera_id: get::<Option<i64>>(row, "camera_id")?.map(CameraId),
        club_id: get(row, "club_id")?,
        terrain_id: get(row, "terrain_id")?,
        user_id: get::<Option<i64>>(row, "user_id")?.map(UserId),
        state: SessionState::parse(get(row, "state")?)?,
        created_at: millis(row, "created_at")?,
        last_activity_at: millis(row, "last_activity_at")?,
        closed_at: maybe_millis(row, "closed_at")?,
        error: get(row, "error")?,
    })
}

#[async_trait]
impl Sessions for Sqlite {
    async fn insert_session(&self, s: &CaptureSession) -> Result<()> {
        let mut tx = self.begin().await?;
        query(
            "INSERT INTO capture_sessions (id, camera_id, club_id, terrain_id, user_id, state, created_at,
                 last_activity_at, closed_at, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .bind(&s.id.0)
        .bind(s.camera_id.map(|c| c.0))
        .bind(s.club_id)
        .bind(s.terrain_id)
        .bind(s.user_id.map(|u| u.0))
        .bind(s.state.as_str())
        .bind(s.created_at.0)
        .bind(s.last_activity_at.0)
        .bind(s.closed_at.map(|t| t.0))
        .bind(s.error.as_deref())
        .execute(&mut *tx)
        .await
        .map_err(|e| conflict(e, &[("capture_sessions.id", "session id")]))?;
        Ok(tx.commit().await?)
    }

    async fn update_session(&self, s: &CaptureSession) -> Result<()> {
        let mut tx = self.begin_light().await?;
        let done = query(
            "UPDATE capture_sessions SET state = ?2, last_activity_at = ?3, closed_at = ?4, error = ?5 WHERE id = ?1",
        )
        .bind(&s.id.0)
        .bind(s.state.as_str())
        .bind(s.last_activity_at.0)
        .bind(s.closed_at.map(|t| t.0))
        .bind(s.error.as_deref())
        .execute(&mut *tx)
        .await?;
        one(done, "session")?;
        Ok(tx.commit().await?)
    }

    async fn session(&self, id: &SessionId) -> Result<Option<CaptureSession>> {
        let row =
            query("SELECT * FROM capture_sessions WHERE id = ?1").bind(&id.0).fetch_optional(&self.readers).await?;
        row.as_ref().map(session).transpose()
    }

    async fn sessions_ending_with(&self, suffix: &str) -> Result<Vec<CaptureSession>> {
        let rows =
            query("SELECT * FROM capture_sessions WHERE substr(id, -length(?1)) = ?1 ORDER BY created_at DESC LIMIT 2")
                .bind(suffix)
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(session).collect()
    }

    async fn open_sessions(&self) -> Result<Vec<CaptureSession>> {
        let rows = query("SELECT * FROM capture_sessions WHERE closed_at IS NULL ORDER BY created_at, id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(session).collect()
    }
}
