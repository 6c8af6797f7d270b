//! Waiting for a camera's first frame.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::time::timeout;
use vigie_hub::{Event, Failure, Join, Lag, Purpose, Reason, Status, Stream, SubscribeOptions};
use vigie_media::MediaKind;

use crate::core::Core;

/// Returns when a key frame is there that the camera sent on its present connection; otherwise says why none came.
///
/// The caller holds the stream, so its source is running or starting. The first attempt that fails decides: whoever
/// stands in front of the camera should not wait for a back-off.
///
/// `status` and `first` were taken before the caller's claim, at `claimed`.
pub(super) async fn first_frame(
    core: &Core,
    stream: &Arc<Stream>,
    mut status: watch::Receiver<Status>,
    first: Status,
    claimed: Instant,
) -> Result<(), Failure> {
    let observe = SubscribeOptions { join: Join::Key, lag: Lag::Live, purpose: Purpose::Observe };
    let mut cursor = stream.subscribe(observe);
    if first == Status::Live && stream.last_key().is_some() {
        return Ok(());
    }
    // The first frame may have come between the claim and the cursor.
    if stream.last_key().is_some_and(|k| k.arrived >= claimed) {
        return Ok(());
    }
    // Anything that waits is told to try now.
    if matches!(first, Status::Waiting { .. } | Status::Suspended | Status::Silent) {
        core.streams.reconnect(stream.key().camera).await;
    }
    let removed = || Failure { reason: Reason::Config, message: "the camera was removed".to_owned() };
    let waiting = async {
        loop {
            tokio::select! {
                event = cursor.next() => match event {
                    Ok(Event::Unit(u)) => {
                        let video = stream.description().and_then(|d| d.track(u.track).map(|t| t.kind()));
                        if u.key && video == Some(MediaKind::Video) {
                            return Ok(());
                        }
                    }
                    Ok(_) => {}
                    Err(_) => return Err(removed()),
                },
                changed = status.changed() => {
                    if changed.is_err() {
                        return Err(removed());
                    }
                    let now = status.borrow_and_update().clone();
                    if matches!(now, Status::Waiting { .. } | Status::Suspended | Status::Disabled) {
                        return Err(failure(stream, Reason::Timeout));
                    }
                }
            }
        }
    };
    match timeout(core.config.first_frame_timeout, waiting).await {
        Ok(outcome) => outcome,
        Err(_) => Err(failure(stream, Reason::NoVideo)),
    }
}

fn failure(stream: &Stream, otherwise: Reason) -> Failure {
    let message = || match otherwise {
        Reason::NoVideo => "the camera sent no picture in time".to_owned(),
        _ => "the camera cannot be reached".to_owned(),
    };
    stream.state().failure.unwrap_or_else(|| Failure { reason: otherwise, message: message() })
}
