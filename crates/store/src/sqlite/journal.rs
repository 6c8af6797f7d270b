//! What happened, who did what, and settings.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use vigie_base::{CameraId, RecordingId, SessionId, UserId};

use super::{Sqlite, get, json, millis, to_json};
use crate::entity::{AuditEntry, AuditFilter, EventFilter, NewEvent, StoredAudit, StoredEvent};
use crate::repository::{Journal, Result};
use crate::{MAX_EVENTS, MAX_REFUSED, StoreError};

fn event(row: &SqliteRow) -> Result<StoredEvent> {
    Ok(StoredEvent {
        id: get(row, "id")?,
        at: millis(row, "at")?,
        kind: get(row, "kind")?,
        camera_id: get::<Option<i64>>(row, "camera_id")?.map(CameraId),
        session_id: get::<Option<String>>(row, "session_id")?.map(SessionId),
        recording_id: get::<Option<i64>>(row, "recording_id")?.map(RecordingId),
        message: get(row, "message")?,
        data: json(row, "data")?,
    })
}

#[async_trait]
impl Journal for Sqlite {
    async fn insert_event(&self, e: &NewEvent) -> Result<StoredEvent> {
        let mut tx = self.begin_light().await?;
        let row = query(
            "INSERT INTO events (at, kind, camera_id, session_id, recording_id, message, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING *",
        )
        .bind(e.at.0)
        .bind(&e.kind)
        .bind(e.camera_id.map(|c| c.0))
        .bind(e.session_id.as_ref().map(|s| s.0.as_str()))
        .bind(e.recording_id.map(|r| r.0))
        .bind(&e.message)
        .bind(to_json(&e.data))
        .fetch_one(&mut *tx)
        .await?;
        let stored = event(&row)?;
        // Numbers only grow and rows only go from the front, so the bound is a look at the primary key.
        query("DELETE FROM events WHERE id <= ?1").bind(stored.id - MAX_EVENTS).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(stored)
    }

    async fn events(&self, f: &EventFilter) -> Result<Vec<StoredEvent>> {
        let rows = query(
            "SELECT * FROM events
             WHERE (?1 IS NULL OR camera_id = ?1) AND (?2 IS NULL OR session_id = ?2) AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(f.camera_id.map(|c| c.0))
        .bind(f.session_id.as_ref().map(|s| s.0.as_str()))
        .bind(f.before)
        .bind(f.limit.clamp(1, 1000))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(event).collect()
    }

    async fn insert_audit(&self, a: &AuditEntry) -> Result<()> {
        let mut tx = self.begin().await?;
        let row = query(
            "INSERT INTO audit (at, user_id, actor, action, target, address, details)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
        )
        .bind(a.at.0)
        .bind(a.user_id.map(|u| u.0))
        .bind(&a.actor)
        .bind(&a.action)
        .bind(&a.target)
        .bind(a.address.as_deref())
        .bind(to_json(&a.details))
        .fetch_one(&mut *tx)
        .await?;
        if a.action == "login.refused" {
            query("DELETE FROM audit WHERE action = 'login.refused' AND id <= ?1")
                .bind(get::<i64>(&row, "id")? - MAX_REFUSED)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn audit(&self, f: &AuditFilter) -> Result<Vec<StoredAudit>> {
        let rows = query(
            "SELECT * FROM audit
             WHERE (?1 IS NULL OR actor = ?1 COLLATE NOCASE)
               AND (?2 IS NULL OR action = ?2 OR (substr(?2, -1) = '.' AND substr(action, 1, length(?2)) = ?2))
               AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(f.actor.as_deref())
        .bind(f.action.as_deref())
        .bind(f.before)
        .bind(f.limit.clamp(1, 1000))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let entry = AuditEntry {
                    at: millis(row, "at")?,
                    user_id: get::<Option<i64>>(row, "user_id")?.map(UserId),
                    actor: get(row, "actor")?,
                    action: get(row, "action")?,
                    target: get(row, "target")?,
                    address: get(row, "address")?,
                    details: json(row, "details")?,
                };
                Ok(StoredAudit { id: get(row, "id")?, entry })
            })
            .collect()
    }

    async fn setting(&self, key: &str) -> Result<Option<serde_json::Value>> {
        let row = query("SELECT value FROM settings WHERE key = ?1").bind(key).fetch_optional(&self.readers).await?;
        row.as_ref().map(|row| json(row, "value")).transpose()
    }

    async fn set_setting(&self, key: &str, value: Option<&serde_json::Value>) -> Result<()> {
        let mut tx = self.begin().await?;
        match value {
            Some(v) => {
                let text = serde_json::to_string(v).map_err(|_| StoreError::Corrupt("setting"))?;
                query(
                    "INSERT INTO settings (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )
                .bind(key)
                .bind(text)
                .execute(&mut *tx)
                .await?;
            }
            None => {
                query("DELETE FROM settings WHERE key = ?1").bind(key).execute(&mut *tx).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}
