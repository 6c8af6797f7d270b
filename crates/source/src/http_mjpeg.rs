//! MJPEG over HTTP and HTTPS: an endless multipart answer, or single pictures fetched again and again.
//!
//! **What the camera says of its answer is not believed further than needed**: pictures are found by their own
//! structure, a body that ends after one picture is a picture to be fetched again, and where a redirect leads is
//! looked at before going there.

mod fetch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use vigie_hub::{Publisher, Reason, SourceTrack, SourceUnit};
use vigie_media::{Codec, JpegParams, MediaTime, TrackId, jpeg};
use vigie_proto::multipart::Multipart;

use self::fetch::Fetcher;
use crate::{Source, SourceError, SourceSpec, unpublishable};

/// Pictures per second fetched when nothing else is asked for.
const DEFAULT_POLL_FPS: f64 = 5.0;
/// RTP's clock for pictures; times are those of arrival.
const CLOCK_RATE: u32 = 90_000;

/// One connection to an MJPEG camera.
#[derive(Debug)]
pub struct HttpMjpegSource {
    spec: SourceSpec,
}

/// Makes the source; refuses URLs that are not HTTP.
pub fn make(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    let fits = match spec.kind.as_str() {
        "https" => spec.url.scheme() == "https",
        _ => matches!(spec.url.scheme(), "http" | "https"),
    };
    if !fits || spec.url.host_str().is_none_or(str::is_empty) {
        let scheme = if spec.kind == "https" { "https" } else { "http" };
        return Err(SourceError::new(Reason::Config, format!("this camera's URL begins with {scheme}:// and a host")));
    }
    Ok(Box::new(HttpMjpegSource { spec: spec.clone() }))
}

#[async_trait]
impl Source for HttpMjpegSource {
    async fn run(&mut self, out: Publisher, cancel: CancellationToken) -> Result<(), SourceError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Ok(()),
            result = self.work(out) => result,
        }
    }
}

/// How a body came to its end.
enum Ended {
    /// By itself, after this many pictures.
    Body(usize),
    /// The publisher was superseded.
    Superseded,
}

impl HttpMjpegSource {
    async fn work(&self, out: Publisher) -> Result<(), SourceError> {
        let mut fetcher = Fetcher::new(&self.spec);
        let mut pictures = Pictures { out, started: Instant::now(), last_pts: -1, known: None, useless: 0 };
        let fps = self.spec.config.fps_limit.filter(|f| f.is_finite()).unwrap_or(DEFAULT_POLL_FPS).clamp(0.01, 60.0);
        let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / fps));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut fetched = 0u64;
        loop {
            pace.tick().await;
            match self.body(&mut fetcher, &mut pictures, fetched == 0).await? {
                Ended::Superseded => return Ok(()),
                Ended::Body(1) => {
                    if fetched == 0 {
                        info!(fps, "single pictures: fetching them again and again");
                    }
                    fetched += 1;
                }
                Ended::Body(0) => return Err(no_picture()),
                Ended::Body(_) => {
                    let host = self.spec.url.host_str().unwrap_or("the camera");
                    return Err(SourceError::new(Reason::Tcp, format!("{host} closed the connection")));
                }
            }
        }
    }

    /// One answer of the camera, picture by picture.
    async fn body(&self, fetcher: &mut Fetcher, pictures: &mut Pictures, is_first: bool) -> Result<Ended, SourceError> {
        let within = self.spec.config.timeout();
        let mut answer = fetcher.get().await?;
        if is_first {
            info!(content_type = %answer.content_type, "connected");
        }
        let mut parser = Multipart::new(&answer.content_type);
        let deadline = Instant::now() + within;
        let mut count = 0;
        loop {
            let piece = if count == 0 {
                match timeout_at(deadline, answer.piece()).await {
                    Ok(piece) => piece?,
                    Err(_) => return Err(no_picture()),
                }
            } else {
                answer.piece().await?
            };
            let Some(piece) = piece else { return Ok(Ended::Body(count)) };
            if parser.push(&piece).is_err() {
                let message = "the camera sends something endless that is no picture: check the URL";
                return Err(SourceError::new(Reason::Protocol, message));
            }
            while let Some(picture) = parser.next_picture() {
                if let Some(done) = pictures.publish(picture) {
                    return done.map(|()| Ended::Superseded);
                }
                count += 1;
            }
        }
    }
}

/// Pictures on their way into the hub.
struct Pictures {
    out: Publisher,
    started: Instant,
    last_pts: i64,
    known: Option<JpegParams>,
    /// Pictures in a row that could not be read.
    useless: u32,
}

impl Pictures {
    /// `Some` when nothing more can be published.
    fn publish(&mut self, data: Bytes) -> Option<Result<(), SourceError>> {
        let arrived = Instant::now();
        let params = match jpeg::params(&data) {
            Ok(p) => p,
            Err(e) => {
                debug!("a picture that cannot be read: {e}");
                self.useless += 1;
                let message = "the camera's pictures are damaged JPEGs";
                return (self.useless >= 100).then(|| Err(SourceError::new(Reason::NoVideo, message)));
            }
        };
        self.useless = 0;
        if self.known.as_ref() != Some(&params) {
            let codec = Codec::Jpeg(Arc::new(params.clone()));
            if let Err(e) = self.out.describe(vec![SourceTrack { clock_rate: CLOCK_RATE, codec }]) {
                return Some(unpublishable(e));
            }
            self.known = Some(params);
        }
        let pts = MediaTime::from_duration(arrived - self.started, CLOCK_RATE).0.max(self.last_pts + 1);
        self.last_pts = pts;
        let arrived = arrived.into_std();
        let unit = SourceUnit { track: TrackId(0), pts, dts: None, shared_ns: None, arrived, key: true, data };
        self.out.push(unit).err().map(unpublishable)
    }
}

fn no_picture() -> SourceError {
    SourceError::new(Reason::NoVideo, "the URL answers, but not with JPEG pictures: check the path")
}
