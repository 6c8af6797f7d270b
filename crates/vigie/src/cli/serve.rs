//! `vigie serve`: the command line over the configuration, then the server until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::config::{Config, Environment, Overrides, address};
use crate::logging;
use crate::wire;

/// Options of `vigie serve`. Each is also an environment variable and a key of `vigie.toml`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Folder of database, key and recordings.
    #[arg(long, env = "VIGIE_DATA_DIR", default_value = "./vigie-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Configuration file; `<data-dir>/vigie.toml` when not given.
    #[arg(long, env = "VIGIE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the web server listens: `0.0.0.0:5000`, or a port alone. Port 0 takes a free one [VIGIE_HTTP, http.listen].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    http: Option<SocketAddr>,
    /// Where the RTSP server listens: `0.0.0.0:8554`, or a port alone [VIGIE_RTSP, rtsp.listen].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    rtsp: Option<SocketAddr>,
    /// Let everybody watch over RTSP without a password [VIGIE_RTSP_OPEN, rtsp.open].
    #[arg(long)]
    rtsp_open: bool,
    /// Serve HTTPS with a certificate made at first start [VIGIE_TLS_SELF_SIGNED, tls.self_signed].
    #[arg(long)]
    tls_self_signed: bool,
    /// Add a camera that needs no hardware: a moving test picture with a clock and a tone.
    #[arg(long, env = "VIGIE_DEMO", value_parser = clap::builder::FalseyValueParser::new())]
    demo: bool,
    /// Log one JSON object per line.
    #[arg(long, env = "VIGIE_LOG_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    log_json: bool,
    /// What to log: `info`, `debug`, or a list such as `info,vigie_source=debug` [VIGIE_LOG, log.filter].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// Where the configuration comes from, kept for reading it again on SIGHUP.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    file: PathBuf,
    named: bool,
    env: Environment,
    cli: Overrides,
}

impl Origin {
    /// Reads the configuration.
    pub(crate) fn load(&self) -> anyhow::Result<crate::config::Loaded> {
        Config::load(&self.file, self.named, &self.env, &self.cli)
    }
}

impl Serve {
    /// Runs until the server is told to stop.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let started = std::time::Instant::now();
        let origin = Origin {
            file: self.config.clone().unwrap_or_else(|| self.data_dir.join("vigie.toml")),
            named: self.config.is_some(),
            // Names and values that are no text are nobody's options.
            env: std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
            cli: self.overrides(),
        };
        let loaded = origin.load()?;
        logging::start(&loaded.config.log)?;
        for w in &loaded.warnings {
            tracing::warn!("{w}");
        }
        allow_many_sockets();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("vigie")
            .build()
            .context("cannot start the runtime")?;
        let run = wire::Run { origin, config: loaded.config, data_dir: self.data_dir, demo: self.demo, started };
        let result = runtime.block_on(wire::serve(run));
        // A file system that hangs must not keep the process from ending.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    fn overrides(&self) -> Overrides {
        let mut set: Overrides = Vec::new();
        let text = |a: SocketAddr| toml::Value::String(a.to_string());
        set.extend(self.http.map(|a| ("http.listen", text(a))));
        set.extend(self.rtsp.map(|a| ("rtsp.listen", text(a))));
        set.extend(self.log.clone().map(|f| ("log.filter", toml::Value::String(f))));
        for (given, key) in
            [(self.rtsp_open, "rtsp.open"), (self.tls_self_signed, "tls.self_signed"), (self.log_json, "log.json")]
        {
            if given {
                set.push((key, toml::Value::Boolean(true)));
            }
        }
        set
    }
}

/// Takes as many open files as the system lets this user have: each reader is one.
fn allow_many_sockets() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(e) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::warn!(error = %e, "the limit of open files could not be raised");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_generously() {
        assert_eq!(address("5000").unwrap().to_string(), "0.0.0.0:5000");
        assert_eq!(address(":0").unwrap().to_string(), "0.0.0.0:0");
        assert_eq!(address("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert!(address("nonsense").is_err());
    }
}
