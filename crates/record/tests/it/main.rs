//! The recorder against real media, real crashes and a disk that fails.

mod fixture;
mod fragments;
mod session;
