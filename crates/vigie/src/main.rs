//! The program. What it is made of stands in `wire.rs`; what it is told, in `config.rs`; what it can be asked, in `cli/`.

mod banner;
mod cli;
mod config;
mod logging;
mod server;
mod tls;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Connects any camera, shows it to everyone who may watch, records it without losing a frame silently.
#[derive(Debug, Parser)]
#[command(name = "vigie", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<cli::serve::Serve>),
    /// Show every setting as `serve` would take it, and where it comes from.
    Config(Box<cli::config::ShowConfig>),
    /// Say what this machine lacks, and which package has it.
    Doctor(cli::doctor::Doctor),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return fail(&anyhow::anyhow!("a TLS provider was installed before main: this is a bug in Vigie"));
    }
    let result = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Config(show) => show.run(),
        Command::Doctor(doctor) => return doctor.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e),
    }
}

fn fail(e: &anyhow::Error) -> ExitCode {
    use std::io::Write;
    // The last words of the process; if even they cannot be written, the exit code still speaks.
    let _ = writeln!(std::io::stderr(), "vigie: {e:#}");
    ExitCode::FAILURE
}
