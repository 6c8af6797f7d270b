//! What the program can be asked.

pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod serve;
