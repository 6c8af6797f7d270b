//! The rows of recordings.

use std::fmt;

use async_trait::async_trait;
use vigie_base::{RecordingId, UnixMillis};
use vigie_store::{
    NewRecording, RecordedGap, Recording as Row, RecordingEnd, RecordingFilter, RecordingProgress, RecordingState,
    Store, StoreError,
};

/// What the recorder asks of the database. **A recording's row goes forward only**: open, then sealed or failed, then
/// deleting, then gone.
#[async_trait]
pub trait Index: Send + Sync + fmt::Debug + 'static {
    /// A file was opened; it is durable already.
    async fn opened(&self, new: NewRecording) -> Result<RecordingId, StoreError>;
    /// How far it has come.
    async fn progress(&self, id: RecordingId, progress: RecordingProgress) -> Result<(), StoreError>;
    /// Media is missing in it.
    async fn gap(&self, gap: &RecordedGap) -> Result<(), StoreError>;
    /// It is finished; the file is durable already.
    async fn sealed(&self, id: RecordingId, end: &RecordingEnd) -> Result<(), StoreError>;
    /// It came to nothing.
    async fn failed(&self, id: RecordingId, at: UnixMillis, error: &str) -> Result<(), StoreError>;
    /// Rows in that state.
    async fn rows(&self, state: RecordingState) -> Result<Vec<Row>, StoreError>;
    /// One row.
    async fn row(&self, id: RecordingId) -> Result<Option<Row>, StoreError>;
    /// The file is about to be removed.
    async fn deleting(&self, id: RecordingId) -> Result<(), StoreError>;
    /// The file is gone.
    async fn dropped(&self, id: RecordingId) -> Result<(), StoreError>;
}

#[async_trait]
impl Index for Store {
    async fn opened(&self, new: NewRecording) -> Result<RecordingId, StoreError> {
        Ok(self.insert_recording(new).await?.id)
    }
    async fn progress(&self, id: RecordingId, progress: RecordingProgress) -> Result<(), StoreError> {
        self.set_recording_progress(id, progress).await
    }
    async fn gap(&self, gap: &RecordedGap) -> Result<(), StoreError> {
        self.insert_gap(gap).await
    }
    async fn sealed(&self, id: RecordingId, end: &RecordingEnd) -> Result<(), StoreError> {
        self.seal_recording(id, end).await
    }
    async fn failed(&self, id: RecordingId, at: UnixMillis, error: &str) -> Result<(), StoreError> {
        self.fail_recording(id, at, error).await
    }
    async fn rows(&self, state: RecordingState) -> Result<Vec<Row>, StoreError> {
        self.recordings(&RecordingFilter { state: Some(state), ..Default::default() }).await
    }
    async fn row(&self, id: RecordingId) -> Result<Option<Row>, StoreError> {
        self.recording(id).await
    }
    async fn deleting(&self, id: RecordingId) -> Result<(), StoreError> {
        self.mark_recording_deleting(id).await
    }
    async fn dropped(&self, id: RecordingId) -> Result<(), StoreError> {
        self.delete_recording(id).await
    }
}
