//! `control` as its callers see it: a store and files in a temporary folder, a clock that tests own, cameras made of
//! nothing.
#![allow(clippy::unwrap_used, reason = "a test that meets an error should stop there")]

mod accounts;
mod cameras;
mod clubs;
mod courts;
mod door;
mod house;
mod kiosk;
mod markers;
mod sessions;
mod sign_in;
