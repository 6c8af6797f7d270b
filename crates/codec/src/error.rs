//! What can go wrong with one picture.

use vigie_base::Fault;

/// Why a picture or a piece of sound could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes are not what they should be.
    #[error("the {0} data is damaged: {1}")]
    Damaged(&'static str, String),
    /// Valid, but beyond what is built in (interlaced, 10 bits, 4:2:2, H.265).
    #[error("{0}")]
    Unsupported(String),
    /// A tool that is needed is not on this machine, or does not work.
    #[error("{tool} is needed for this and {why}")]
    ToolMissing {
        /// Its name.
        tool: &'static str,
        /// What was found instead.
        why: String,
    },
    /// A tool took too long and was ended.
    #[error("{0} took too long")]
    Timeout(&'static str),
    /// All permitted conversions are running.
    #[error("too many pictures are being converted at once")]
    Busy,
    /// A size or rate that makes no sense.
    #[error("{0}")]
    BadParameter(String),
    /// The codec library refused something it should accept.
    #[error("the {0} library failed: {1}")]
    Library(&'static str, String),
}

impl CodecError {
    /// Who has to act.
    pub fn fault(&self) -> Fault {
        match self {
            CodecError::Damaged(..) => Fault::Peer,
            CodecError::Unsupported(_) | CodecError::ToolMissing { .. } => Fault::Unsupported,
            CodecError::Timeout(_) | CodecError::Busy => Fault::Capacity,
            CodecError::BadParameter(_) => Fault::Config,
            CodecError::Library(..) => Fault::Bug,
        }
    }
}
