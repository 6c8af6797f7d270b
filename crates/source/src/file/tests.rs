//! Whole files through the source, in real time.

use std::sync::Arc;

use tokio::time::timeout;
use url::Url;
use vigie_base::{CameraId, StreamKey};
use vigie_hub::{Event, GapCause, Hub, Stream, SubscribeOptions};
use vigie_media::{AccessUnit, MediaTime};

use super::*;
use crate::ConnectionConfig;

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../media/testdata/");

fn spec(path: &str, looped: bool, speed: f64) -> SourceSpec {
    SourceSpec {
        kind: "file".to_owned(),
        url: Url::from_file_path(path).unwrap(),
        credentials: None,
        config: ConnectionConfig { looped, speed, ..ConnectionConfig::default() },
    }
}

fn stream() -> Arc<Stream> {
    Hub::default().ensure(KEY())
}
