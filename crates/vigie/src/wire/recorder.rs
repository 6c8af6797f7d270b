//! The recorder, ready: what the last process left behind is put right before anything else is recorded.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tracing::info;
use vigie_hub::Hub;
use vigie_record::{Disk, Encoding, Recorder};
use vigie_store::Store;

/// Opens the media folder and finishes open files.
pub(super) async fn open(
    store: &Store,
    hub: &Hub,
    config: &vigie_control::Config,
    ffmpeg: PathBuf,
    encoding: Encoding,
) -> anyhow::Result<Recorder> {
    let media = &config.media_dir;
    let volume = Disk::new(media).with_context(|| format!("the media folder {} cannot be used", media.display()))?;
    let limits = vigie_record::Config {
        max_concurrent: config.max_concurrent_recordings,
        keep_free_bytes: config.min_free_bytes,
        log_dir: config.log_dir.join("video"),
        ffmpeg,
        encoding,
        ..vigie_record::Config::default()
    };
    let recorder = Recorder::new(limits, hub.clone(), Arc::new(volume), Arc::new(store.clone()))?;
    let report = recorder.repair_all().await?;
    if report.repaired + report.failed + report.deleted + report.cleared > 0 {
        info!(
            repaired = report.repaired,
            failed = report.failed,
            deleted = report.deleted,
            cleared = report.cleared,
            "put right what the last run left behind"
        );
    }
    // Beforehand, so that neither health nor the first recording that has to encode waits for it.
    let tried = recorder.clone();
    tokio::spawn(async move {
        let state = tried.encoder().await;
        info!(encoder = state.name, available = state.available, why = state.why, "the encoder for recordings");
    });
    Ok(recorder)
}
