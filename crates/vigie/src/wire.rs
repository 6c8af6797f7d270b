//! The only place that knows everybody. **No logic**: parts are made here, handed to each other, and ended in order.
//!
//! Start: lock and store → repair of recordings → hub → rules → sockets. End: no new requests → recordings finished →
//! sources stopped → store closed.

mod cameras;
mod folders;
mod metrics;
mod recorder;
mod session_ports;
mod streams;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vigie_api::{App, Doors, Exposure, LogLines, Settings};
use vigie_base::SystemClock;
use vigie_control::config::{RtspAuthMethod, RtspConfig as RtspAccess};
use vigie_control::host::NoPorts;
use vigie_control::{Control, Parts, SessionPorts};
use vigie_hub::Hub;
use vigie_output::pictures::{Outputs, Stills};
use vigie_output::rtsp::{self, RtspConfig};
use vigie_store::Store;

use crate::cli::serve::Origin;
use crate::config::{AuthMethod, AuthMode, Config};
use crate::logging::Recent;
use crate::server::Listeners;
use crate::{banner, cli, server, tls};

/// How long finishing recordings may take when the process ends (contract §20.1.5).
const FINISH: Duration = Duration::from_secs(10);

/// What `vigie serve` was asked to run.
#[derive(Debug)]
pub(crate) struct Run {
    /// Where the configuration came from.
    pub(crate) origin: Origin,
    /// The configuration.
    pub(crate) config: Config,
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// Whether the demo camera is wanted.
    pub(crate) demo: bool,
    /// When the process started.
    pub(crate) started: Instant,
    /// The newest lines of the log.
    pub(crate) recent: Recent,
}

/// Runs everything until a signal says stop.
pub(crate) async fn serve(run: Run) -> anyhow::Result<()> {
    let Run { origin, config, data_dir, demo, started, recent } = run;
    // Sockets first: a port that is taken should be said before anything was touched.
    let http = Listeners::bind(&config.http)?;
    let (http_address, on_loopback) = (http.main(), http.on_loopback());
    let rtsp_socket = match config.rtsp.enabled {
        true => Some(server::bind(config.rtsp.listen, "the RTSP server", "--rtsp or rtsp.listen")?),
        false => None,
    };
    let rtsp_address = rtsp_socket.as_ref().map(std::net::TcpListener::local_addr).transpose()?;

    let store = Store::open(&data_dir).await.map_err(|e| anyhow::anyhow!("{e}"))?;
    let files = tls::files(&config.tls, &data_dir)?;
    let tls = match &files {
        Some((cert, key)) => Some(tls::load(cert, key).await?),
        None => None,
    };

    let settings = control_config(&config, &data_dir);
    folders::place(&settings.media_dir, "videos", &config.paths.videos, "paths.videos")?;
    folders::place(&settings.log_dir, "video", &config.paths.video_logs, "paths.video_logs")?;
    let hub = Hub::new(vigie_hub::Config { budget_bytes: config.hub.budget_mb << 20, ..vigie_hub::Config::default() });
    let recorder = recorder::open(&store, &hub, &settings, config.tools.ffmpeg.clone(), config.record.encoding()?)
        .await
        .context("the recorder cannot start")?;
    let streams = streams::Streams::new(hub.clone(), config.reconnect.probe);
    let ports = config.compat.session_ports.then(|| session_ports::Ports::new(config.compat.range()));
    let parts = Parts {
        store: store.clone(),
        hub: hub.clone(),
        clock: Arc::new(SystemClock),
        streams: Arc::new(streams::Host(Arc::clone(&streams))),
        prober: Arc::new(streams::Probe(Stills::new(config.tools.ffmpeg.clone()))),
        ports: match &ports {
            Some(ports) => Arc::clone(ports) as Arc<dyn SessionPorts>,
            None => Arc::new(NoPorts),
        },
        recorder,
    };
    let control = Control::start(settings, parts).await.map_err(|e| anyhow::anyhow!("{e}"))?;
    if let Err(e) = cameras::reconcile(&control, &config.cameras).await {
        return Err(e.context("the cameras of the configuration file cannot be used"));
    }
    let demo = demo && cameras::ensure_demo(&control).await;

    let stop = CancellationToken::new();
    let gate = control.gate();
    let ffmpeg = Arc::new(OnceLock::new());
    let ask = (Arc::clone(&ffmpeg), config.tools.ffmpeg.clone());
    // Asked beside the start, which does not wait for it.
    tokio::task::spawn_blocking(move || ask.0.set(cli::doctor::version_of(&ask.1)));

    let rtsp_config = RtspConfig { rtp_port: config.rtsp.rtp_port, ..RtspConfig::default() };
    let readings = metrics::rtsp(Arc::clone(&rtsp_config.metrics));
    let app = App::new(
        Arc::clone(&control),
        hub.clone(),
        Settings {
            http_port: http_address.port(),
            rtsp_port: rtsp_address.map(|a| a.port()),
            secure: tls.is_some(),
            cors_origins: config.http.cors_origins.clone(),
            public_url: config.http.public_url.clone(),
            exposure: exposure(&config, on_loopback),
            ffmpeg,
            stopping: stop.child_token(),
            readings: Some(readings),
            log: Some(LogLines(Arc::new(move || recent.lines()))),
        },
    );
    let options = vigie_output::pictures::Options { ffmpeg: config.tools.ffmpeg.clone() };
    let outputs = Outputs::new(hub.clone(), Arc::clone(&gate), options);
    if let Some(ports) = &ports {
        ports.show(outputs.clone());
    }
    let router = vigie_api::router(app, outputs.routes());
    let rtsp_task = match rtsp_socket {
        Some(socket) => {
            let listener = tokio::net::TcpListener::from_std(socket)?;
            let serving = rtsp::serve(listener, hub.clone(), Arc::clone(&gate), rtsp_config, stop.child_token());
            Some(tokio::spawn(serving))
        }
        None => None,
    };
    let mut http_task = tokio::spawn(http.serve(tls.clone(), router, stop.child_token()));

    // Before anybody is told that it runs: from then on being asked to stop has to be a polite end.
    let signals = Signals::new()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let shown_http = format!("{scheme}://{}", banner::local(http_address));
    let shown_rtsp = rtsp_address.map_or_else(|| "off".to_owned(), |a| format!("rtsp://{}", banner::local(a)));
    info!(http = %shown_http, rtsp = %shown_rtsp, "listening");
    if config.auth.mode == AuthMode::Open {
        warn!("auth.mode is open: nobody has to sign in, and whoever reaches the web server may do everything");
    }
    info!(start_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), "ready");
    let code = control.auth.setup_code();
    if let (Some(code), false) = (&code, on_loopback) {
        info!(setup_code = code.reveal(), "no administrator yet: visitors from other machines need the set-up code");
    }
    if !config.log.json {
        let setup_code = code.as_ref().map(vigie_base::Secret::reveal);
        let open = config.auth.mode == AuthMode::Open;
        banner::print(&banner::Facts { scheme, http: http_address, rtsp: rtsp_address, setup_code, open, demo });
    }

    let ended = wait(signals, &control, &origin, tls.zip(files), &mut http_task).await;

    info!("stopping");
    stop.cancel();
    if tokio::time::timeout(FINISH, control.shutdown()).await.is_err() {
        error!("recordings could not be finished in time; they are repaired at the next start");
    }
    if let Some(ports) = &ports {
        ports.shutdown();
    }
    streams.shutdown().await;
    // Whoever still reads is told that there is no more, so that the web server need not wait for them.
    for stream in hub.list() {
        hub.remove(stream.key());
    }
    if !http_task.is_finished() {
        report(http_task.await);
    }
    if let Some(task) = rtsp_task {
        report(task.await.map(|r| r.context("the RTSP server failed")));
    }
    store.close().await;
    info!("stopped");
    ended
}

/// What the operating system asks of us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
            hang_up: signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?,
        })
    }
}

/// Waits for the end; reads the configuration again on SIGHUP.
async fn wait(
    mut signals: Signals,
    control: &Arc<Control>,
    origin: &Origin,
    tls: Option<(axum_server::tls_rustls::RustlsConfig, (PathBuf, PathBuf))>,
    http: &mut tokio::task::JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.hang_up.recv() => {
                reload(control, origin).await;
                if let Some((config, (cert, key))) = &tls
                    && let Err(e) = config.reload_from_pem_file(cert, key).await
                {
                    warn!(error = %e, "the certificate could not be read again; the old one stays in use");
                }
            }
            ended = &mut *http => {
                return match ended {
                    Ok(Ok(())) => Err(anyhow::anyhow!("the web server ended by itself")),
                    Ok(Err(e)) => Err(e),
                    Err(e) => Err(anyhow::anyhow!("the web server's task ended: {e}")),
                };
            }
        }
    }
}

/// Takes over the cameras of the file. A bad file changes nothing.
async fn reload(control: &Arc<Control>, origin: &Origin) {
    let taken = async {
        let loaded = origin.load()?;
        for w in &loaded.warnings {
            warn!("{w}");
        }
        cameras::reconcile(control, &loaded.config.cameras).await
    };
    match taken.await {
        Ok(()) => info!("configuration read again; settings other than cameras need a restart"),
        Err(e) => {
            let why = format!("{e:#}");
            error!(error = %why, "the configuration file is not usable; everything stays as it was");
            control.events.configuration_rejected(why).await;
        }
    }
}

fn report(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(e)) => error!(error = %format!("{e:#}"), "a server ended badly"),
        Err(e) => error!(error = %e, "a server's task ended badly"),
    }
}

fn exposure(config: &Config, on_loopback: bool) -> Exposure {
    Exposure {
        allowed: config.http.allowed_networks.clone(),
        trusted: config.http.trusted_proxies.clone(),
        doors: match (config.auth.mode, on_loopback && !config.auth.insecure_open) {
            (AuthMode::Required, _) => Doors::Locked,
            (AuthMode::Open, true) => Doors::OpenHere,
            (AuthMode::Open, false) => Doors::OpenToAll,
        },
    }
}

fn control_config(config: &Config, data_dir: &Path) -> vigie_control::Config {
    let defaults = vigie_control::Config::new(data_dir);
    vigie_control::Config {
        media_dir: config.paths.media.clone().unwrap_or_else(|| defaults.media_dir.clone()),
        log_dir: config.paths.log.clone().unwrap_or_else(|| defaults.log_dir.clone()),
        max_concurrent_recordings: config.record.max_concurrent,
        default_recording: Duration::from_secs(config.record.default_duration_seconds),
        session_timeout: Duration::from_secs(config.session.timeout_seconds),
        close_on_stop: config.session.close_on_stop,
        replay: Duration::from_secs(config.session.replay_seconds.min(120)),
        min_free_bytes: config.record.min_free_disk_mb << 20,
        rtsp: RtspAccess {
            user: config.rtsp.user.clone(),
            password: config.rtsp.password.clone(),
            auth_method: match config.rtsp.auth_method {
                AuthMethod::Both => RtspAuthMethod::Both,
                AuthMethod::Basic => RtspAuthMethod::Basic,
                AuthMethod::Digest => RtspAuthMethod::Digest,
            },
            open: config.rtsp.open,
            trust_loopback: config.rtsp.trust_loopback,
        },
        connection_types: vigie_source::KINDS.iter().map(|k| k.name).collect(),
        admin: config.auth.admin_username.clone().zip(config.auth.admin_password.clone()),
        ..defaults
    }
}
