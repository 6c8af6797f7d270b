//! The only place that knows everybody. **No logic**: parts are made here, handed to each other, and ended in order.
//!
//! Start: lock and store → repair of recordings → hub → rules → sockets. End: no new requests → recordings finished →
//! sources stopped → store closed.

mod cameras;
mod metrics;
mod recorder;
mod streams;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vigie_api::{App, Settings};
use vigie_base::SystemClock;
use vigie_control::config::{RtspAuthMethod, RtspConfig as RtspAccess};
use vigie_control::{Control, Parts};
use vigie_hub::Hub;
use vigie_output::pictures::Stills;
use vigie_output::rtsp::{self, RtspConfig};
use vigie_store::Store;

use crate::cli::serve::Origin;
use crate::config::{AuthMethod, Config};
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
}

/// Runs everything until a signal says stop.
pub(crate) async fn serve(run: Run) -> anyhow::Result<()> {
    let Run { origin, config, data_dir, demo, started } = run;
    // Sockets first: a port that is taken should be said before anything was touched.
    let http = server::bind(config.http.listen, "the web server", "--http or http.listen")?;
    let rtsp_socket = server::bind(config.rtsp.listen, "the RTSP server", "--rtsp or rtsp.listen")?;
    let (http_address, rtsp_address) = (http.local_addr()?, rtsp_socket.local_addr()?);

    let store = Store::open(&data_dir).await.map_err(|e| anyhow::anyhow!("{e}"))?;
    let files = tls::files(&config.tls, &data_dir)?;
    let tls = match &files {
        Some((cert, key)) => Some(tls::load(cert, key).await?),
        None => None,
    };

    let settings = control_config(&config, &data_dir);
    let hub = Hub::new(vigie_hub::Config { budget_bytes: config.hub.budget_mb << 20, ..vigie_hub::Config::default() });
    let recorder = recorder::open(&store, &hub, &settings, config.tools.ffmpeg.clone())
        .await
        .context("the recorder cannot start")?;
    let streams = streams::Streams::new(hub.clone(), config.reconnect.probe);
    let parts = Parts {
        store: store.clone(),
        hub: hub.clone(),
        clock: Arc::new(SystemClock),
        streams: Arc::new(streams::Host(Arc::clone(&streams))),
        prober: Arc::new(streams::Probe(Stills::new(config.tools.ffmpeg.clone()))),
        ports: Arc::new(vigie_control::host::NoPorts),
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

    let rtsp_listener = tokio::net::TcpListener::from_std(rtsp_socket)?;
    let rtsp_config = RtspConfig { rtp_port: config.rtsp.rtp_port, ..RtspConfig::default() };
    let readings = metrics::rtsp(Arc::clone(&rtsp_config.metrics));
    let app = App::new(
        Arc::clone(&control),
        hub.clone(),
        Settings {
            http_port: http_address.port(),
            rtsp_port: Some(rtsp_address.port()),
            secure: tls.is_some(),
            cors_origins: config.http.cors_origins.clone(),
            public_url: config.http.public_url.clone(),
            ffmpeg,
            stopping: stop.child_token(),
            readings: Some(readings),
        },
    );
    let router = vigie_api::router(
        app,
        vigie_output::pictures::router_with(
            hub.clone(),
            Arc::clone(&gate),
            vigie_output::pictures::Options { ffmpeg: config.tools.ffmpeg.clone() },
        ),
    );
    let rtsp_task =
        tokio::spawn(rtsp::serve(rtsp_listener, hub.clone(), Arc::clone(&gate), rtsp_config, stop.child_token()));
    let mut http_task = tokio::spawn(server::serve(http, tls.clone(), router, stop.child_token()));

    // Before anybody is told that it runs: from then on being asked to stop has to be a polite end.
    let signals = Signals::new()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (shown_http, shown_rtsp) = (banner::local(http_address), banner::local(rtsp_address));
    info!(http = %format!("{scheme}://{shown_http}"), rtsp = %format!("rtsp://{shown_rtsp}"), "listening");
    info!(start_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), "ready");
    let code = control.auth.setup_code();
    if let (Some(code), false) = (&code, http_address.ip().is_loopback()) {
        info!(setup_code = code.reveal(), "no administrator yet: visitors from other machines need the set-up code");
    }
    if !config.log.json {
        let setup_code = code.as_ref().map(vigie_base::Secret::reveal);
        banner::print(&banner::Facts { scheme, http: http_address, rtsp: rtsp_address, setup_code, demo });
    }

    let ended = wait(signals, &control, &origin, tls.zip(files), &mut http_task).await;

    info!("stopping");
    stop.cancel();
    if tokio::time::timeout(FINISH, control.shutdown()).await.is_err() {
        error!("recordings could not be finished in time; they are repaired at the next start");
    }
    streams.shutdown().await;
    // Whoever still reads is told that there is no more, so that the web server need not wait for them.
    for stream in hub.list() {
        hub.remove(stream.key());
    }
    if !http_task.is_finished() {
        report(http_task.await);
    }
    report(rtsp_task.await.map(|r| r.context("the RTSP server failed")));
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

fn control_config(config: &Config, data_dir: &Path) -> vigie_control::Config {
    let defaults = vigie_control::Config::new(data_dir);
    vigie_control::Config {
        media_dir: config.paths.media.clone().unwrap_or_else(|| defaults.media_dir.clone()),
        log_dir: config.paths.log.clone().unwrap_or_else(|| defaults.log_dir.clone()),
        max_concurrent_recordings: config.record.max_concurrent,
        default_recording: Duration::from_secs(config.record.default_duration_seconds),
        session_timeout: Duration::from_secs(config.session.timeout_seconds),
        close_on_stop: config.session.close_on_stop,
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
