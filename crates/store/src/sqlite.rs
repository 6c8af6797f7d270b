//! The backend of one machine: SQLite in WAL mode, one writing connection, a few reading ones.
//!
//! **Only the writer writes, one transaction at a time**, so there is nothing to wait for but the disk. What must
//! survive a power cut is committed with `synchronous = FULL`; what is merely observed (progress, health, activity)
//! with `NORMAL`, where a power cut may lose the last seconds but never the order.

mod cameras;
mod clubs;
mod journal;
mod markers;
mod recordings;
mod sessions;
mod users;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite as Db, SqlitePool, Transaction};
use vigie_base::UnixMillis;

use crate::StoreError;
use crate::repository::{Repository, Result};

/// See the module.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens or makes the file (0600: it holds password hashes), and migrates it.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|source| StoreError::Io { path: path.display().to_string(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // 2 MiB of page cache each: the whole of a small database, and no more when it has grown.
            .pragma("cache_size", "-2048")
            .pragma("trusted_schema", "OFF");
        migrate(&options).await?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(3)
            .idle_timeout(Duration::from_secs(60))
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// A transaction that survives a power cut once committed.
    async fn begin(&self) -> Result<Transaction<'static, Db>> {
        self.begin_synchronous("PRAGMA synchronous = FULL").await
    }

    /// A transaction whose loss in a power cut harms nobody.
    async fn begin_light(&self) -> Result<Transaction<'static, Db>> {
        self.begin_synchronous("PRAGMA synchronous = NORMAL").await
    }

    async fn begin_synchronous(&self, pragma: &'static str) -> Result<Transaction<'static, Db>> {
        // The writer is alone in its pool, so the pragma meets the connection that the transaction runs on, and
        // nobody can come in between: whoever begins sets it first.
        let mut connection = self.writer.acquire().await?;
        sqlx::query(pragma).execute(&mut *connection).await?;
        Ok(Transaction::begin(connection, Some(sqlx::SqlSafeStr::into_sql_str("BEGIN IMMEDIATE"))).await?)
    }
}

/// Brings the file to this version. A migration is one transaction with its note in `_sqlx_migrations`: a crash in the
/// middle leaves the old version. On a connection of its own, without references, which a rebuilt table would set off.
async fn migrate(options: &SqliteConnectOptions) -> Result<()> {
    let mut connection = options.clone().foreign_keys(false).connect().await?;
    sqlx::migrate!("migrations/sqlite").run(&mut connection).await.map_err(|e| match e {
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => StoreError::Newer,
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => e.into(),
        e => StoreError::Database(sqlx::Error::Migrate(Box::new(e))),
    })?;
    Ok(connection.close().await?)
}

#[async_trait]
impl Repository for Sqlite {
    async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    async fn close(&self) {
        // Readers first: the last connection to close folds the WAL into the file.
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Reads a column of any plain type.
fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    Ok(row.try_get(column)?)
}

fn millis(row: &SqliteRow, column: &str) -> Result<UnixMillis> {
    Ok(UnixMillis(get(row, column)?))
}

fn maybe_millis(row: &SqliteRow, column: &str) -> Result<Option<UnixMillis>> {
    Ok(get::<Option<i64>>(row, column)?.map(UnixMillis))
}

fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T> {
    serde_json::from_str(get(row, column)?).map_err(|_| StoreError::Corrupt(column))
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    // Plain data with string keys: serialising cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn hash(row: &SqliteRow, column: &'static str) -> Result<[u8; 32]> {
    get::<&[u8]>(row, column)?.try_into().map_err(|_| StoreError::Corrupt(column))
}

/// Names the unique value that was taken. Each pair is a piece of SQLite's message and our word for it.
fn conflict(e: sqlx::Error, unique: &[(&str, &'static str)]) -> StoreError {
    if let sqlx::Error::Database(d) = &e
        && d.is_unique_violation()
        && let Some((_, what)) = unique.iter().find(|(piece, _)| d.message().contains(piece))
    {
        return StoreError::Conflict(what);
    }
    e.into()
}

/// An update or delete that must have met exactly one row.
fn one(done: sqlx::sqlite::SqliteQueryResult, what: &'static str) -> Result<()> {
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound(what)) }
}
