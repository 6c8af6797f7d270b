//! Load benches of Vigie, each beside a bare loop that does the least possible, in the same run.
//!
//! `cargo run --release -p vigie-benches -- rtsp-fanout [--readers 1000] [--udp-readers 100] [--cameras 100]
//! [--seconds 8]`. The server runs in this process on the first core, the players in a child on the other: **only the
//! server's CPU time is counted**. Loopback charges part of the receivers' work to the sender, for the bare loop too:
//! read the ratios.
//!
//! `cargo run --release -p vigie-benches -- system [--vigie target/release/vigie] [--cameras 100] [--rounds 5]
//! [--seconds 10] [--only start|cameras|courts|cut|snapshot]` measures the whole program from outside.

#![allow(clippy::print_stdout)]

mod camera;
mod drain;
mod farm;
mod floor;
mod rtsp_fanout;
mod sys;
mod system;
mod table;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["rtsp-fanout", rest @ ..] => rtsp_fanout::run(&rtsp_fanout::Options::parse(rest)?),
        ["system", rest @ ..] => system::run(&system::Options::parse(rest)?),
        // What the two start beside themselves.
        ["drain", rest @ ..] => drain::run(rest),
        ["farm", rest @ ..] => farm::run(rest),
        _ => bail!(
            "usage: vigie-benches rtsp-fanout [--readers N] [--udp-readers N] [--cameras N] [--seconds S]\n       \
             vigie-benches system [--vigie PATH] [--cameras N] [--rounds N] [--seconds S] [--only start|cameras|courts|cut|snapshot]"
        ),
    }
}
