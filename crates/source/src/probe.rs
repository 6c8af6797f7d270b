//! Tests a camera: the same code as a real connection, into a stream nobody else sees.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, StreamKey};
use vigie_hub::{Config, Event, GapCause, Hub, Purpose, Reason, SubscribeOptions};
use vigie_media::{AccessUnit, Codec, MediaKind, StreamDescription};

use crate::{SourceError, SourceSpec, make};

/// How long pictures are watched for their rate when the camera does not declare one.
const MEASURE: Duration = Duration::from_millis(600);

/// What a camera gave when it was tried.
#[derive(Debug, Clone, Serialize)]
pub struct ProbeReport {
    /// From opening the connection to the first picture that can be shown (contract §10.9), in milliseconds.
    pub response_time_ms: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Declared by the stream, else measured over a short while; absent when neither told anything.
    pub fps: Option<f64>,
    /// Name of the pictures' codec, as [`vigie_media::Codec::name`] has it.
    pub codec: String,
    /// Name of the sound's codec, when there is sound.
    pub audio_codec: Option<String>,
    /// The first picture a decoder can start at, and what it has to know for it.
    #[serde(skip)]
    pub key: Option<(Codec, Arc<AccessUnit>)>,
}

/// Connects to the camera, waits for its first picture, and hangs up. Takes at most `timeout`, give or take the time
/// to hang up.
pub async fn probe(spec: &SourceSpec, timeout: Duration) -> Result<ProbeReport, SourceError> {
    let started = Instant::now();
    let mut source = make(spec)?;
    let hub = Hub::new(Config { budget_bytes: 64 << 20, stream_bytes: 32 << 20 });
    let stream = hub.ensure(StreamKey::main(CameraId(0)));
    let mut cursor = stream.subscribe(SubscribeOptions { purpose: Purpose::Observe, ..SubscribeOptions::view() });
    let cancel = CancellationToken::new();
    let running = source.run(stream.publisher(GapCause::Restart), cancel.clone());
    tokio::pin!(running);

    let look = async {
        let mut description = None;
        let mut first: Option<(Duration, Instant)> = None;
        let mut pictures = 0u32;
        let mut key: Option<(Codec, Arc<AccessUnit>)> = None;
        loop {
            let next = match first {
                Some((_, at)) => tokio::time::timeout_at(at + MEASURE, cursor.next()).await,
                None => Ok(cursor.next().await),
            };
            match next {
                Ok(Ok(Event::Description(d))) => description = Some(d),
                Ok(Ok(Event::Unit(u))) => {
                    let Some(d) = &description else { continue };
                    let Some(track) = d.track(u.track).filter(|t| t.kind() == MediaKind::Video) else { continue };
                    pictures += 1;
                    if key.is_none() && u.key {
                        key = Some((track.codec.clone(), u));
                    }
                    let (response, at) = *first.get_or_insert_with(|| (started.elapsed(), Instant::now()));
                    let declared = d.video().and_then(|t| t.video()).and_then(|v| v.fps);
                    if declared.is_some() || at.elapsed() >= MEASURE {
                        return Some(ProbeReport { key, ..report(d, response, pictures, at.elapsed()) });
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    let (response, at) = first?;
                    let report = report(description.as_deref()?, response, pictures, at.elapsed());
                    return Some(ProbeReport { key, ..report });
                }
            }
        }
    };
    let result = tokio::select! {
        biased;
        found = look => match found {
            Some(report) => Ok(report),
            None => Err(SourceError::new(Reason::NoVideo, "the camera sent no picture")),
        },
        ended = &mut running => match ended {
            Err(e) => return Err(e),
            // A very short file: it may all be in the stream already, but it is no camera.
            Ok(()) => return Err(SourceError::new(Reason::NoVideo, "the source ended before its first picture")),
        },
        () = tokio::time::sleep(timeout) => {
            let message = format!("no picture within {:.1} s", timeout.as_secs_f64());
            Err(SourceError::new(Reason::Timeout, message))
        }
    };
    cancel.cancel();
    // Hanging up properly matters to cameras with few connections, but not more than the answer.
    let _ = tokio::time::timeout(Duration::from_secs(2), running).await;
    result
}

fn report(d: &StreamDescription, response: Duration, pictures: u32, watched: Duration) -> ProbeReport {
    let video = d.video();
    let info = video.and_then(|t| t.video());
    let measured = (pictures > 1 && !watched.is_zero())
        .then(|| (f64::from(pictures - 1) / watched.as_secs_f64() * 10.0).round() / 10.0);
    ProbeReport {
        response_time_ms: u64::try_from(response.as_millis()).unwrap_or(u64::MAX),
        width: info.map_or(0, |v| v.width),
        height: info.map_or(0, |v| v.height),
        fps: info.and_then(|v| v.fps).or(measured),
        codec: video.map_or_else(String::new, |t| t.codec.name().to_owned()),
        audio_codec: d.audio().map(|t| t.codec.name().to_owned()),
        key: None,
    }
}
