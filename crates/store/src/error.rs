//! What can go wrong with stored things.

use vigie_base::Fault;

/// A failure of the store. Sentences hold no values of rows, so no secrets.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value that must be unique is taken; the name says which.
    #[error("this {0} is taken")]
    Conflict(&'static str),
    /// There is no such row.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Another process works on this data directory.
    #[error("the data directory {0} is in use by another Vigie process: stop that one, or choose another --data-dir")]
    InUse(String),
    /// The file was written by a newer version of Vigie.
    #[error("the database was written by a newer version of Vigie: use that version, or restore an older backup")]
    Newer,
    /// The data directory cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row holds what this version cannot have written.
    #[error("the database holds an unreadable {0}")]
    Corrupt(&'static str),
    /// The database has no room.
    #[error("the disk of the data directory is full")]
    DiskFull,
    /// Anything else from the database.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            StoreError::Conflict(_) | StoreError::InUse(_) | StoreError::Newer => Fault::Config,
            StoreError::NotFound(_) => Fault::NotFound,
            StoreError::Io { .. } | StoreError::DiskFull | StoreError::Corrupt(_) => Fault::Disk,
            StoreError::Database(_) => Fault::Bug,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        if let sqlx::Error::Database(d) = &e {
            // Primary result codes of SQLite are the low byte of the extended ones.
            let code = d.code().and_then(|c| c.parse::<u32>().ok()).map(|c| c & 0xff);
            if code == Some(13) {
                return StoreError::DiskFull;
            }
        }
        StoreError::Database(e)
    }
}
