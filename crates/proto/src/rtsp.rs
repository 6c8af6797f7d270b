//! The server's half of RTSP 1.0 (RFC 2326), without sockets.
//!
//! Bytes go into a [`Parser`], requests out of it into a [`Machine`], which answers them or says what it has to be
//! told before it can. **Every request gets exactly one answer, and no byte of a client costs more than the bounds
//! of the parser.** Sockets, users and streams are the business of the shell in `output`.
//!
//! The messages are our own and not those of `rtsp-types`: that parser refuses unknown versions (which must be
//! answered 505), reads from the beginning again with each packet, and has no bound on headers; what is left would be
//! a map of strings.

pub mod auth;
pub mod machine;
pub mod message;
pub mod parse;
pub mod transport;
pub mod uri;

pub use auth::{Authenticator, Credentials, Verdict};
pub use machine::{Ask, Machine, State, TrackSetup};
pub use message::{Method, Request, Response, Status};
pub use parse::{Input, ParseError, Parser};
pub use transport::{Chosen, Offer, choose};
pub use uri::{Join, Target};

/// Seconds after which a session without a sign of life ends; announced in every `Session` header.
pub const SESSION_TIMEOUT_S: u64 = 60;
