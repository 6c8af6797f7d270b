//! Video sources.

use std::str::FromStr;

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use vigie_base::{CameraId, StreamName, UnixMillis};

use super::{Sqlite, conflict, get, json, maybe_millis, millis, one, to_json};
use crate::StoreError;
use crate::entity::{Camera, CameraFields, CameraHealth, RememberedStream};
use crate::repository::{Cameras, Result, Seal};

const UNIQUE: [(&str, &str); 2] = [("cameras.slug", "slug"), ("cameras_name", "name")];

const SELECT_ALL: &str = "SELECT c.*, h.* FROM cameras c LEFT JOIN camera_health h ON h.camera_id = c.id ORDER BY c.id";
const SELECT_ID: &str =
    "SELECT c.*, h.* FROM cameras c LEFT JOIN camera_health h ON h.camera_id = c.id WHERE c.id = ?1";
const SELECT_SLUG: &str =
    "SELECT c.*, h.* FROM cameras c LEFT JOIN camera_health h ON h.camera_id = c.id WHERE c.slug = ?1";

/// Columns in the order of [`bind`], which starts at parameter 2. The court is not among them: it follows the courts.
const INSERT: &str = "INSERT INTO cameras (created_at, updated_at, slug, name, connection_type, primary_stream_url,
    secondary_stream_url, snapshot_url, username, connection_config, cloud_config, manufacturer, model,
    firmware_version, serial_number, club_id, enabled, always_on, tags, declared_fields)
    VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
    RETURNING id";
const UPDATE: &str = "UPDATE cameras SET updated_at = ?1, slug = ?2, name = ?3, connection_type = ?4,
    primary_stream_url = ?5, secondary_stream_url = ?6, snapshot_url = ?7, username = ?8, connection_config = ?9,
    cloud_config = ?10, manufacturer = ?11, model = ?12, firmware_version = ?13, serial_number = ?14, club_id = ?15,
    enabled = ?16, always_on = ?17, tags = ?18, declared_fields = ?19, secrets = ?21 WHERE id = ?20";

fn bind(
    sql: &'static str,
    at: UnixMillis,
    f: CameraFields,
) -> sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments> {
    query(sql)
        .bind(at.0)
        .bind(f.slug)
        .bind(f.name)
        .bind(f.connection_type)
        .bind(f.primary_stream_url)
        .bind(f.secondary_stream_url)
        .bind(f.snapshot_url)
        .bind(f.username)
        .bind(to_json(&f.connection_config))
        .bind(to_json(&f.cloud_config))
        .bind(f.manufacturer)
        .bind(f.model)
        .bind(f.firmware_version)
        .bind(f.serial_number)
        .bind(f.club_id)
        .bind(f.enabled)
        .bind(f.always_on)
        .bind(to_json(&f.tags))
        .bind(to_json(&f.declared_fields))
}

fn camera(row: &SqliteRow) -> Result<Camera> {
    let health = CameraHealth {
        level: get::<Option<String>>(row, "level")?.unwrap_or_default(),
        checked_at: maybe_millis(row, "checked_at")?,
        last_seen_at: maybe_millis(row, "last_seen_at")?,
        failures: get::<Option<u32>>(row, "failures")?.unwrap_or(0),
        next_attempt_at: maybe_millis(row, "next_attempt_at")?,
        suspended: get::<Option<bool>>(row, "suspended")?.unwrap_or(false),
        last_error: get(row, "last_error")?,
        uptime_percentage: get(row, "uptime_percentage")?,
    };
    let fields = CameraFields {
        slug: get(row, "slug")?,
        name: get(row, "name")?,
        connection_type: get(row, "connection_type")?,
        primary_stream_url: get(row, "primary_stream_url")?,
        secondary_stream_url: get(row, "secondary_stream_url")?,
        snapshot_url: get(row, "snapshot_url")?,
        username: get(row, "username")?,
        connection_config: json(row, "connection_config")?,
        cloud_config: json(row, "cloud_config")?,
        manufacturer: get(row, "manufacturer")?,
        model: get(row, "model")?,
        firmware_version: get(row, "firmware_version")?,
        serial_number: get(row, "serial_number")?,
        club_id: get(row, "club_id")?,
        terrain_id: get(row, "terrain_id")?,
        enabled: get(row, "enabled")?,
        always_on: get(row, "always_on")?,
        tags: json(row, "tags")?,
        declared_fields: json(row, "declared_fields")?,
    };
    Ok(Camera {
        id: CameraId(get(row, "id")?),
        fields,
        secrets: get(row, "secrets")?,
        health,
        created_at: millis(row, "created_at")?,
        updated_at: millis(row, "updated_at")?,
    })
}

#[async_trait]
impl Cameras for Sqlite {
    async fn cameras(&self) -> Result<Vec<Camera>> {
        query(SELECT_ALL).fetch_all(&self.readers).await?.iter().map(camera).collect()
    }

    async fn camera(&self, id: CameraId) -> Result<Option<Camera>> {
        query(SELECT_ID).bind(id.0).fetch_optional(&self.readers).await?.as_ref().map(camera).transpose()
    }

    async fn camera_by_slug(&self, slug: &str) -> Result<Option<Camera>> {
        query(SELECT_SLUG).bind(slug).fetch_optional(&self.readers).await?.as_ref().map(camera).transpose()
    }

    async fn insert_camera(&self, fields: CameraFields, seal: Seal<'_>, at: UnixMillis) -> Result<Camera> {
        let mut tx = self.begin().await?;
        let row = bind(INSERT, at, fields).fetch_one(&mut *tx).await.map_err(|e| conflict(e, &UNIQUE))?;
        let id = CameraId(get(&row, "id")?);
        if let Some(sealed) = seal(id) {
            query("UPDATE cameras SET secrets = ?2 WHERE id = ?1").bind(id.0).bind(sealed).execute(&mut *tx).await?;
        }
        let row = query(SELECT_ID).bind(id.0).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        camera(&row)
    }

    async fn update_camera(
        &self,
        id: CameraId,
        fields: CameraFields,
        secrets: Option<Vec<u8>>,
        at: UnixMillis,
    ) -> Result<Camera> {
        let mut tx = self.begin().await?;
        let done = bind(UPDATE, at, fields)
            .bind(id.0)
            .bind(secrets)
            .execute(&mut *tx)
            .await
            .map_err(|e| conflict(e, &UNIQUE))?;
        one(done, "camera")?;
        let row = query(SELECT_ID).bind(id.0).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        camera(&row)
    }

    async fn set_camera_health(&self, id: CameraId, h: &CameraHealth) -> Result<()> {
        let mut tx = self.begin_light().await?;
        // INSERT … SELECT, so that a camera deleted a moment ago is no error.
        query(
            "INSERT INTO camera_health (camera_id, level, checked_at, last_seen_at, failures, next_attempt_at,
                 suspended, last_error, uptime_percentage)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM cameras WHERE id = ?1)
             ON CONFLICT (camera_id) DO UPDATE SET level = excluded.level, checked_at = excluded.checked_at,
                 last_seen_at = excluded.last_seen_at, failures = excluded.failures,
                 next_attempt_at = excluded.next_attempt_at, suspended = excluded.suspended,
                 last_error = excluded.last_error, uptime_percentage = excluded.uptime_percentage",
        )
        .bind(id.0)
        .bind(if h.level.is_empty() { "unknown" } else { &h.level })
        .bind(h.checked_at.map(|t| t.0))
        .bind(h.last_seen_at.map(|t| t.0))
        .bind(h.failures)
        .bind(h.next_attempt_at.map(|t| t.0))
        .bind(h.suspended)
        .bind(h.last_error.as_deref())
        .bind(h.uptime_percentage)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn delete_camera(&self, id: CameraId) -> Result<()> {
        let mut tx = self.begin().await?;
        one(query("DELETE FROM cameras WHERE id = ?1").bind(id.0).execute(&mut *tx).await?, "camera")?;
        Ok(tx.commit().await?)
    }

    async fn remembered_streams(&self) -> Result<Vec<RememberedStream>> {
        let rows =
            query("SELECT * FROM remembered_streams ORDER BY camera_id, stream").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(RememberedStream {
                    camera_id: CameraId(get(row, "camera_id")?),
                    stream: StreamName::from_str(get(row, "stream")?).map_err(|_| StoreError::Corrupt("stream"))?,
                    description: json(row, "description")?,
                    seen_at: millis(row, "seen_at")?,
                })
            })
            .collect()
    }

    async fn remember_stream(&self, s: &RememberedStream) -> Result<()> {
        let mut tx = self.begin_light().await?;
        query(
            "INSERT INTO remembered_streams (camera_id, stream, description, seen_at)
             SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM cameras WHERE id = ?1)
             ON CONFLICT (camera_id, stream) DO UPDATE SET description = excluded.description,
                 seen_at = excluded.seen_at",
        )
        .bind(s.camera_id.0)
        .bind(s.stream.as_str())
        .bind(to_json(&s.description))
        .bind(s.seen_at.0)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    async fn forget_streams(&self, id: CameraId) -> Result<()> {
        let mut tx = self.begin_light().await?;
        query("DELETE FROM remembered_streams WHERE camera_id = ?1").bind(id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}
