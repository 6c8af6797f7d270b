//! The binary as its users meet it: spawned, spoken to over its sockets, killed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends by saying so")]

mod clubs;
mod crash;
mod doors;
mod exposure;
mod flow;
mod harness;
mod replay;
mod rules;
mod secrets;
mod seed_ports;
