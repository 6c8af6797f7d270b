//! What outlives the process: people, clubs, courts, cameras, sessions, recordings, events, settings.
//!
//! Entities are plain data; a backend implements [`Repository`]; no rule about who may do what lives here, and no SQL
//! lives anywhere else. **A data directory has one process**: opening takes a lock that lasts until
//! the store is closed, or the process ends.

pub mod entity;
mod error;
mod lock;
pub mod repository;
mod sqlite;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

pub use entity::*;
pub use error::StoreError;
pub use repository::{Cameras, Clubs, Courts, Journal, Markers, Recordings, Repository, Seal, Sessions, Users};

/// Events kept; older ones are dropped as new ones come.
pub const MAX_EVENTS: i64 = 100_000;
/// A refused sign-in is forgotten when so many later entries stand in the audit log: strangers can write those.
pub const MAX_REFUSED: i64 = 100_000;

/// An open store. Cheap to clone; use it as the [`Repository`] it holds.
#[derive(Debug, Clone)]
pub struct Store {
    repository: Arc<dyn Repository>,
    lock: Arc<parking_lot::Mutex<Option<lock::DirLock>>>,
}

impl Store {
    /// Opens (and makes, when missing) the SQLite store of a data directory: `vigie.db`, migrated to this version.
    ///
    /// Refuses a directory that another process works on.
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let lock = lock::DirLock::take(data_dir)?;
        let repository = sqlite::Sqlite::open(&data_dir.join("vigie.db")).await?;
        Ok(Self { repository: Arc::new(repository), lock: Arc::new(parking_lot::Mutex::new(Some(lock))) })
    }

    /// Writes everything out, ends all connections, and lets go of the directory, whoever still holds a clone: those
    /// get errors from now on.
    pub async fn close(&self) {
        self.repository.close().await;
        self.lock.lock().take();
    }
}

impl Deref for Store {
    type Target = dyn Repository;
    fn deref(&self) -> &Self::Target {
        &*self.repository
    }
}
