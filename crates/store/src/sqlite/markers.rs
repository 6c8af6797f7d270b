//! Moments of sessions.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use vigie_base::{RecordingId, SessionId, UserId};

use super::{Sqlite, get, millis, one, to_json};
use crate::entity::{Marker, NewMarker};
use crate::repository::{Markers, Result};

fn marker(row: &SqliteRow) -> Result<Marker> {
    Ok(Marker {
        id: get(row, "id")?,
        session_id: SessionId(get(row, "session_id")?),
        recording_id: get::<Option<i64>>(row, "recording_id")?.map(RecordingId),
        at: millis(row, "at")?,
        offset_ms: get(row, "offset_ms")?,
        label: get(row, "label")?,
        user_id: get::<Option<i64>>(row, "user_id")?.map(UserId),
        clip_id: get::<Option<i64>>(row, "clip_id")?.map(RecordingId),
    })
}

#[async_trait]
impl Markers for Sqlite {
    async fn insert_marker(&self, n: NewMarker) -> Result<Marker> {
        let mut tx = self.begin().await?;
        let row = query(
            "INSERT INTO markers (session_id, recording_id, at, offset_ms, label, user_id, clip_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING *",
        )
        .bind(n.session_id.0)
        .bind(n.recording_id.map(|r| r.0))
        .bind(n.at.0)
        .bind(n.offset_ms)
        .bind(n.label)
        .bind(n.user_id.map(|u| u.0))
        .bind(n.clip_id.map(|r| r.0))
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        marker(&row)
    }

    async fn set_marker_clip(&self, id: i64, clip: Option<RecordingId>) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query("UPDATE markers SET clip_id = ?2 WHERE id = ?1")
            .bind(id)
            .bind(clip.map(|r| r.0))
            .execute(&mut *tx)
            .await?;
        one(done, "marker")?;
        Ok(tx.commit().await?)
    }

    async fn marker(&self, id: i64) -> Result<Option<Marker>> {
        let row = query("SELECT * FROM markers WHERE id = ?1").bind(id).fetch_optional(&self.readers).await?;
        row.as_ref().map(marker).transpose()
    }

    async fn markers(&self, session: &SessionId) -> Result<Vec<Marker>> {
        let rows = query("SELECT * FROM markers WHERE session_id = ?1 ORDER BY at, id")
            .bind(&session.0)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(marker).collect()
    }

    async fn marker_counts(&self, recordings: &[RecordingId]) -> Result<Vec<(RecordingId, i64)>> {
        let rows = query(
            "SELECT recording_id, count(*) AS n FROM markers
             WHERE recording_id IN (SELECT value FROM json_each(?1)) GROUP BY recording_id ORDER BY recording_id",
        )
        .bind(to_json(&recordings))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((RecordingId(get(row, "recording_id")?), get(row, "n")?))).collect()
    }

    async fn delete_marker(&self, id: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        one(query("DELETE FROM markers WHERE id = ?1").bind(id).execute(&mut *tx).await?, "marker")?;
        Ok(tx.commit().await?)
    }
}
