//! Clubs and their courts. **Which camera looks at which court is written in one place**: the column of the court;
//! [`follow`] copies it to the cameras in the same transaction.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite as Db, Transaction};
use vigie_base::{CameraId, UnixMillis};

use super::{Sqlite, conflict, get, millis, one};
use crate::StoreError;
use crate::entity::{Club, NewClub, NewTerrain, Terrain};
use crate::repository::{Clubs, Courts, Result};

const CLUB_UNIQUE: [(&str, &str); 1] = [("clubs.name", "name")];
const TERRAIN_UNIQUE: [(&str, &str); 1] = [("terrains.club_id, terrains.name", "name")];

fn club(row: &SqliteRow) -> Result<Club> {
    Ok(Club {
        id: get(row, "id")?,
        name: get(row, "name")?,
        timezone: get(row, "timezone")?,
        created_at: millis(row, "created_at")?,
        updated_at: millis(row, "updated_at")?,
    })
}

fn terrain(row: &SqliteRow) -> Result<Terrain> {
    Ok(Terrain {
        id: get(row, "id")?,
        club_id: get(row, "club_id")?,
        name: get(row, "name")?,
        camera_id: get::<Option<i64>>(row, "camera_id")?.map(CameraId),
        enabled: get(row, "enabled")?,
        created_at: millis(row, "created_at")?,
        updated_at: millis(row, "updated_at")?,
    })
}

#[async_trait]
impl Clubs for Sqlite {
    async fn clubs(&self) -> Result<Vec<Club>> {
        query("SELECT * FROM clubs ORDER BY id").fetch_all(&self.readers).await?.iter().map(club).collect()
    }

    async fn insert_club(&self, n: NewClub) -> Result<Club> {
        let mut tx = self.begin().await?;
        let row =
            query("INSERT INTO clubs (name, timezone, created_at, updated_at) VALUES (?1, ?2, ?3, ?3) RETURNING *")
                .bind(n.name)
                .bind(n.timezone)
                .bind(n.at.0)
                .fetch_one(&mut *tx)
                .await
                .map_err(|e| conflict(e, &CLUB_UNIQUE))?;
        tx.commit().await?;
        club(&row)
    }

    async fn update_club(&self, c: &Club) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query("UPDATE clubs SET name = ?2, timezone = ?3, updated_at = ?4 WHERE id = ?1")
            .bind(c.id)
            .bind(&c.name)
            .bind(&c.timezone)
            .bind(c.updated_at.0)
            .execute(&mut *tx)
            .await
            .map_err(|e| conflict(e, &CLUB_UNIQUE))?;
        one(done, "club")?;
        Ok(tx.commit().await?)
    }

    async fn delete_club(&self, id: i64, at: UnixMillis) -> Result<()> {
        let mut tx = self.begin().await?;
        let courts: i64 =
            sqlx::query_scalar("SELECT count(*) FROM terrains WHERE club_id = ?1").bind(id).fetch_one(&mut *tx).await?;
        if courts > 0 {
            return Err(StoreError::Conflict("terrains"));
        }
        for sql in [
            // A token that lost its limit would open more than before.
            "DELETE FROM api_tokens WHERE club_id = ?1",
            "DELETE FROM sign_ins WHERE user_id IN (SELECT id FROM users WHERE club_id = ?1)",
            "UPDATE users SET club_id = NULL, token_version = token_version + 1, updated_at = ?2 WHERE club_id = ?1",
            "UPDATE cameras SET club_id = NULL, updated_at = ?2, name = CASE
                 WHEN EXISTS (SELECT 1 FROM cameras o WHERE o.club_id IS NULL AND o.name = cameras.name)
                 THEN name || ' (' || slug || ')' ELSE name END WHERE club_id = ?1",
        ] {
            query(sql)
                .bind(id)
                .bind(at.0)
                .execute(&mut *tx)
                .await
                .map_err(|e| conflict(e, &[("cameras_name", "camera name")]))?;
        }
        one(query("DELETE FROM clubs WHERE id = ?1").bind(id).execute(&mut *tx).await?, "club")?;
        Ok(tx.commit().await?)
    }
}

/// Whether the camera may look at a court of that club.
async fn check(tx: &mut Transaction<'static, Db>, club: i64, camera: Option<CameraId>) -> Result<()> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT id FROM clubs WHERE id = ?1").bind(club).fetch_optional(&mut **tx).await?;
    if known.is_none() {
        return Err(StoreError::NotFound("club"));
    }
    let Some(camera) = camera else { return Ok(()) };
    let of: Option<Option<i64>> = sqlx::query_scalar("SELECT club_id FROM cameras WHERE id = ?1")
        .bind(camera.0)
        .fetch_optional(&mut **tx)
        .await?;
    match of {
        None => Err(StoreError::NotFound("camera")),
        Some(Some(other)) if other != club => Err(StoreError::Conflict("camera club")),
        Some(_) => Ok(()),
    }
}

/// Cameras take over what the courts say of them.
async fn follow(tx: &mut Transaction<'static, Db>, at: UnixMillis) -> Result<()> {
    query(
        "UPDATE cameras SET updated_at = ?1, terrain_id = (SELECT min(id) FROM terrains WHERE camera_id = cameras.id),
             club_id = coalesce(club_id, (SELECT club_id FROM terrains WHERE camera_id = cameras.id))
         WHERE terrain_id IS NOT (SELECT min(id) FROM terrains WHERE camera_id = cameras.id)",
    )
    .bind(at.0)
    .execute(&mut **tx)
    .await
    .map_err(|e| conflict(e, &[("cameras_name", "camera name")]))?;
    Ok(())
}

#[async_trait]
impl Courts for Sqlite {
    async fn terrains(&self) -> Result<Vec<Terrain>> {
        query("SELECT * FROM terrains ORDER BY id").fetch_all(&self.readers).await?.iter().map(terrain).collect()
    }

    async fn insert_terrain(&self, n: NewTerrain) -> Result<Terrain> {
        let mut tx = self.begin().await?;
        check(&mut tx, n.club_id, n.camera_id).await?;
        let row = query(
            "INSERT INTO terrains (club_id, name, camera_id, enabled, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING *",
        )
        .bind(n.club_id)
        .bind(n.name)
        .bind(n.camera_id.map(|c| c.0))
        .bind(n.enabled)
        .bind(n.at.0)
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| conflict(e, &TERRAIN_UNIQUE))?;
        follow(&mut tx, n.at).await?;
        tx.commit().await?;
        terrain(&row)
    }

    async fn update_terrain(&self, t: &Terrain) -> Result<()> {
        let mut tx = self.begin().await?;
        check(&mut tx, t.club_id, t.camera_id).await?;
        let done = query(
            "UPDATE terrains SET name = ?3, camera_id = ?4, enabled = ?5, updated_at = ?6 WHERE id = ?1 AND club_id = ?2",
        )
        .bind(t.id)
        .bind(t.club_id)
        .bind(&t.name)
        .bind(t.camera_id.map(|c| c.0))
        .bind(t.enabled)
        .bind(t.updated_at.0)
        .execute(&mut *tx)
        .await
        .map_err(|e| conflict(e, &TERRAIN_UNIQUE))?;
        one(done, "court")?;
        follow(&mut tx, t.updated_at).await?;
        Ok(tx.commit().await?)
    }

    async fn delete_terrain(&self, id: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        one(query("DELETE FROM terrains WHERE id = ?1").bind(id).execute(&mut *tx).await?, "court")?;
        query(
            "UPDATE cameras SET terrain_id = (SELECT min(id) FROM terrains WHERE camera_id = cameras.id)
             WHERE terrain_id = ?1",
        )
        .bind(id)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
