//! Why something was not recorded.

use vigie_base::Fault;
use vigie_store::StoreError;

/// A refusal, or the end of a recording that should have gone on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The session is being recorded already.
    #[error("this session is being recorded already")]
    AlreadyRecording,
    /// So many recordings run already.
    #[error("{0} recordings run already, which is the limit (record.max_concurrent)")]
    TooMany(usize),
    /// No picture came in time.
    #[error("the camera has sent no picture for {0} seconds")]
    SourceDown(u64),
    /// The stream was removed.
    #[error("the camera was removed")]
    StreamClosed,
    /// There is no room.
    #[error("the disk is full: {free_mb} MB are free, {needed_mb} MB have to stay free")]
    DiskFull {
        /// What is left.
        free_mb: u64,
        /// What has to be left.
        needed_mb: u64,
    },
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// Pictures of this kind have to be converted, and that is not possible here.
    #[error("{0}")]
    EncoderUnavailable(String),
    /// A copy was asked for of pictures that no MP4 player shows as they are.
    #[error("{0} cannot be recorded as it is: ask for `auto` or `encode`, or let the camera send H.264 or H.265")]
    CannotCopy(&'static str),
    /// The stream has nothing that can be recorded.
    #[error("the stream has neither pictures nor sound that can be recorded")]
    NothingToRecord,
    /// The rows could not be written.
    #[error("the database refused: {0}")]
    Index(String),
    /// The file holds nothing.
    #[error("it ended before a picture was written")]
    Empty,
    /// Nothing of the time that was asked for is kept.
    #[error("no picture of that time is kept")]
    NothingKept,
    /// The end of a part does not lie after its beginning.
    #[error("the end of a part has to lie after its beginning")]
    EmptyPart,
    /// A part begins behind the end.
    #[error("the recording is {duration_ms} ms long")]
    BeyondEnd {
        /// How long the recording is.
        duration_ms: i64,
    },
    /// The file that is being recorded was rearranged while a clip was cut out of it, several times in a row.
    #[error("the file was rearranged while it was read")]
    Moved,
    /// There is no such recording, or it is still open.
    #[error("there is no finished recording of that number")]
    NotFinished,
}

impl RecordError {
    /// Whose fault that is.
    pub fn fault(&self) -> Fault {
        match self {
            RecordError::AlreadyRecording | RecordError::CannotCopy(_) => Fault::Config,
            RecordError::TooMany(_) => Fault::Capacity,
            RecordError::SourceDown(_) | RecordError::StreamClosed | RecordError::Empty => Fault::Network,
            RecordError::DiskFull { .. } | RecordError::Disk(_) | RecordError::Index(_) => Fault::Disk,
            RecordError::EncoderUnavailable(_) => Fault::Unsupported,
            RecordError::NothingToRecord => Fault::Peer,
            RecordError::NothingKept => Fault::Network,
            RecordError::EmptyPart | RecordError::BeyondEnd { .. } => Fault::Config,
            RecordError::Moved => Fault::Disk,
            RecordError::NotFinished => Fault::NotFound,
        }
    }

    /// The code of API answers (contract §0.8).
    pub fn code(&self) -> &'static str {
        match self {
            RecordError::AlreadyRecording => "already_recording",
            RecordError::TooMany(_) => "max_concurrent_recordings",
            RecordError::SourceDown(_) | RecordError::StreamClosed | RecordError::Empty => "camera_unreachable",
            RecordError::DiskFull { .. } => "disk_full",
            RecordError::Disk(_) => "disk_failed",
            RecordError::EncoderUnavailable(_) => "encoder_unavailable",
            RecordError::CannotCopy(_) => "invalid_field",
            RecordError::NothingToRecord => "no_video",
            RecordError::Index(_) => "database",
            RecordError::NothingKept => "no_frame_yet",
            RecordError::EmptyPart => "empty_range",
            RecordError::BeyondEnd { .. } => "beyond_end",
            RecordError::Moved => "disk_failed",
            RecordError::NotFinished => "not_found",
        }
    }
}

impl From<StoreError> for RecordError {
    fn from(e: StoreError) -> Self {
        RecordError::Index(e.to_string())
    }
}
