//! People, and what they sign in with.

use async_trait::async_trait;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use vigie_base::{UnixMillis, UserId};

use super::{Sqlite, conflict, get, hash, maybe_millis, millis, one};
use crate::entity::{ApiToken, NewUser, Role, SignIn, User};
use crate::repository::{Result, Users};

fn user(row: &SqliteRow) -> Result<User> {
    Ok(User {
        id: UserId(get(row, "id")?),
        username: get(row, "username")?,
        password_hash: get(row, "password_hash")?,
        role: Role::parse(get(row, "role")?)?,
        club_id: get(row, "club_id")?,
        enabled: get(row, "enabled")?,
        token_version: get(row, "token_version")?,
        stream_password: get(row, "stream_password")?,
        created_at: millis(row, "created_at")?,
        updated_at: millis(row, "updated_at")?,
        last_login_at: maybe_millis(row, "last_login_at")?,
    })
}

fn sign_in(row: &SqliteRow) -> Result<SignIn> {
    Ok(SignIn {
        id: get(row, "id")?,
        user_id: UserId(get(row, "user_id")?),
        hash: hash(row, "hash")?,
        created_at: millis(row, "created_at")?,
        expires_at: millis(row, "expires_at")?,
    })
}

fn api_token(row: &SqliteRow) -> Result<ApiToken> {
    Ok(ApiToken {
        id: get(row, "id")?,
        user_id: UserId(get(row, "user_id")?),
        name: get(row, "name")?,
        hash: hash(row, "hash")?,
        role: Role::parse(get(row, "role")?)?,
        club_id: get(row, "club_id")?,
        terrain_id: get(row, "terrain_id")?,
        read_only: get(row, "read_only")?,
        created_at: millis(row, "created_at")?,
        expires_at: maybe_millis(row, "expires_at")?,
        last_used_at: maybe_millis(row, "last_used_at")?,
    })
}

const INSERT: &str = "INSERT INTO users (username, password_hash, role, club_id, created_at, updated_at, enabled)
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) RETURNING *";
/// One statement, so that two first users cannot both see an empty table.
const INSERT_FIRST: &str = "INSERT INTO users (username, password_hash, role, club_id, created_at, updated_at, enabled)
    SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM users) RETURNING *";

impl Sqlite {
    async fn add_user(&self, sql: &'static str, new: NewUser) -> Result<Option<User>> {
        let mut tx = self.begin().await?;
        let row = query(sql)
            .bind(new.username)
            .bind(new.password_hash)
            .bind(new.role.as_str())
            .bind(new.club_id)
            .bind(new.at.0)
            .bind(new.enabled)
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| conflict(e, &[("users.username", "username")]))?;
        tx.commit().await?;
        row.as_ref().map(user).transpose()
    }
}

#[async_trait]
impl Users for Sqlite {
    async fn users(&self) -> Result<Vec<User>> {
        query("SELECT * FROM users ORDER BY id").fetch_all(&self.readers).await?.iter().map(user).collect()
    }

    async fn insert_user(&self, new: NewUser) -> Result<User> {
        self.add_user(INSERT, new).await?.ok_or(crate::StoreError::Corrupt("user"))
    }

    async fn insert_first_user(&self, new: NewUser) -> Result<Option<User>> {
        self.add_user(INSERT_FIRST, new).await
    }

    async fn update_user(&self, u: &User) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = query(
            "UPDATE users SET username = ?2, password_hash = ?3, role = ?4, club_id = ?5, enabled = ?6,
             token_version = ?7, stream_password = ?8, updated_at = ?9, last_login_at = ?10 WHERE id = ?1",
        )
        .bind(u.id.0)
        .bind(&u.username)
        .bind(&u.password_hash)
        .bind(u.role.as_str())
        .bind(u.club_id)
        .bind(u.enabled)
        .bind(u.token_version)
        .bind(u.stream_password.as_deref())
        .bind(u.updated_at.0)
        .bind(u.last_login_at.map(|t| t.0))
        .execute(&mut *tx)
        .await
        .map_err(|e| conflict(e, &[("users.username", "username")]))?;
        one(done, "user")?;
        Ok(tx.commit().await?)
    }

    async fn delete_user(&self, id: UserId) -> Result<()> {
        let mut tx = self.begin().await?;
        one(query("DELETE FROM users WHERE id = ?1").bind(id.0).execute(&mut *tx).await?, "user")?;
        Ok(tx.commit().await?)
    }

    async fn insert_sign_in(&self, s: &SignIn) -> Result<()> {
        let mut tx = self.begin().await?;
        query("DELETE FROM sign_ins WHERE expires_at <= ?1").bind(s.created_at.0).execute(&mut *tx).await?;
        query("INSERT INTO sign_ins (id, user_id, hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(&s.id)
            .bind(s.user_id.0)
            .bind(s.hash.as_slice())
            .bind(s.created_at.0)
            .bind(s.expires_at.0)
            .execute(&mut *tx)
            .await
            .map_err(|e| conflict(e, &[("sign_ins", "sign-in")]))?;
        query("UPDATE users SET last_login_at = ?2 WHERE id = ?1")
            .bind(s.user_id.0)
            .bind(s.created_at.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn sign_in_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SignIn>> {
        let row = query("SELECT * FROM sign_ins WHERE hash = ?1 AND ended_at IS NULL")
            .bind(hash.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(sign_in).transpose()
    }

    async fn extend_sign_in(&self, id: &str, expires_at: UnixMillis) -> Result<()> {
        let mut tx = self.begin_light().await?;
        let done = query("UPDATE sign_ins SET expires_at = ?2 WHERE id = ?1 AND ended_at IS NULL")
            .bind(id)
            .bind(expires_at.0)
            .execute(&mut *tx)
            .await?;
        one(done, "sign-in")?;
        Ok(tx.commit().await?)
    }

    async fn end_sign_in(&self, id: &str, at: UnixMillis, until: UnixMillis) -> Result<()> {
        let mut tx = self.begin().await?;
        query("UPDATE sign_ins SET ended_at = ?2, expires_at = ?3 WHERE id = ?1 AND ended_at IS NULL")
            .bind(id)
            .bind(at.0)
            .bind(until.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn ended_sign_ins(&self) -> Result<Vec<(String, UnixMillis)>> {
        let rows = query("SELECT id, expires_at FROM sign_ins WHERE ended_at IS NOT NULL ORDER BY ended_at, id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok((get(row, "id")?, millis(row, "expires_at")?))).collect()
    }

    async fn delete_sign_ins(&self, user: UserId) -> Result<()> {
        let mut tx = self.begin().await?;
        query("DELETE FROM sign_ins WHERE user_id = ?1").bind(user.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        query("SELECT * FROM api_tokens ORDER BY id").fetch_all(&self.readers).await?.iter().map(api_token).collect()
    }

    async fn insert_api_token(&self, t: ApiToken) -> Result<ApiToken> {
        let mut tx = self.begin().await?;
        let row = query(
            "INSERT INTO api_tokens (user_id, name, hash, role, club_id, read_only, created_at, expires_at, terrain_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING *",
        )
        .bind(t.user_id.0)
        .bind(t.name)
        .bind(t.hash.as_slice())
        .bind(t.role.as_str())
        .bind(t.club_id)
        .bind(t.read_only)
        .bind(t.created_at.0)
        .bind(t.expires_at.map(|t| t.0))
        .bind(t.terrain_id)
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| conflict(e, &[("api_tokens", "token")]))?;
        tx.commit().await?;
        api_token(&row)
    }

    async fn api_token_used(&self, id: i64, at: UnixMillis) -> Result<()> {
        let mut tx = self.begin_light().await?;
        let done = query("UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1").bind(id).bind(at.0).execute(&mut *tx);
        one(done.await?, "token")?;
        Ok(tx.commit().await?)
    }

    async fn delete_api_token(&self, id: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        one(query("DELETE FROM api_tokens WHERE id = ?1").bind(id).execute(&mut *tx).await?, "token")?;
        Ok(tx.commit().await?)
    }
}
