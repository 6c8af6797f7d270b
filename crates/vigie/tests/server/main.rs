//! The binary as its users meet it: spawned, spoken to over its sockets, killed.

mod crash;
mod doors;
mod flow;
mod harness;
mod rules;
mod secrets;
