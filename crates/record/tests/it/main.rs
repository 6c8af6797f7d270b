//! The recorder against real media, real crashes and a disk that fails.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod bench;
mod clip;
mod crash;
mod cut;
mod encode;
mod fixture;
mod fragments;
mod growth;
mod large;
mod recorder;
mod session;
mod sound;
