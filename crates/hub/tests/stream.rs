//! What every reader and publisher of a stream may rely on.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vigie_base::{CameraId, StreamKey};
use vigie_hub::publish::PublishError;
use vigie_hub::{
    Closed, Config, Cursor, Event, GapCause, Hub, Join, Lag, Publisher, Purpose, SourceTrack, SourceUnit, Status,
    Stream, SubscribeOptions,
};
use vigie_media::{AccessUnit, Codec, G711Law, G711Params, H264Params, TrackId, VideoInfo};

fn video(width: u32) -> SourceTrack {
    let video = VideoInfo { width, height: 2, fps: Some(25.0), reorder_depth: 0, rfc6381: "avc1.42e01f".into() };
    let params = H264Params { sps: Bytes::from_static(&[0x67]), pps: vec![Bytes::from_static(&[0x68])], video };
    SourceTrack { clock_rate: 90_000, codec: Codec::H264(Arc::new(params)) }
}

fn audio() -> SourceTrack {
    let codec = Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 });
    SourceTrack { clock_rate: 8000, codec }
}

/// A publisher whose pictures arrive 40 ms apart on a clock of its own.
struct Camera {
    out: Publisher,
    now: Instant,
    frame: i64,
    bytes: usize,
}

impl Camera {
    fn new(stream: &Arc<Stream>, now: Instant) -> Self {
        let mut out = stream.publisher(GapCause::SourceLost);
        out.describe(vec![video(2), audio()]).unwrap();
        Self { out, now, frame: 0, bytes: 1000 }
    }

    fn picture(&mut self, key: bool) -> Result<(), PublishError> {
        self.now += Duration::from_millis(40);
        self.frame += 1;
        let data = Bytes::from(vec![0u8; self.bytes]);
        self.unit(0, self.frame * 3600, key, data)
    }

    fn unit(&mut self, track: u8, pts: i64, key: bool, data: Bytes) -> Result<(), PublishError> {
        let arrived = self.now;
        self.out.push(SourceUnit { track: TrackId(track), pts, dts: None, shared_ns: None, arrived, key, data })
    }

    fn gop(&mut self, pictures: usize) {
        for i in 0..pictures {
            self.picture(i == 0).unwrap();
        }
    }
}

fn hub(stream_bytes: usize) -> (Hub, Arc<Stream>) {
    let hub = Hub::new(Config { budget_bytes: 64 << 20, stream_bytes });
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    (hub, stream)
}

fn all(cursor: &mut Cursor) -> Vec<Event> {
    std::iter::from_fn(|| cursor.try_next().unwrap()).collect()
}

fn units(events: &[Event]) -> Vec<Arc<AccessUnit>> {
    events.iter().filter_map(|e| if let Event::Unit(u) = e { Some(Arc::clone(u)) } else { None }).collect()
}

#[test]
fn a_newcomer_starts_at_the_last_key_frame_with_the_description_first() {
    let (_hub, stream) = hub(1 << 20);
    let mut camera = Camera::new(&stream, Instant::now());
    camera.gop(25);
    camera.gop(10);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    let events = all(&mut reader);
    assert!(matches!(events[0], Event::Description(_)));
    let got = units(&events);
    assert_eq!(got.len(), 10);
    assert!(got[0].key && got[1..].iter().all(|u| !u.key));
}

#[test]
fn join_key_waits_for_the_next_key_frame() {
    let (_hub, stream) = hub(1 << 20);
    let mut camera = Camera::new(&stream, Instant::now());
    camera.gop(5);
    let mut reader = stream.subscribe(SubscribeOptions { join: Join::Key, ..SubscribeOptions::view() });
    camera.picture(false).unwrap();
    assert!(units(&all(&mut reader)).is_empty());
    camera.gop(3);
    assert_eq!(units(&all(&mut reader)).len(), 3);
}

#[test]
fn the_old_group_of_pictures_is_let_go_and_counted() {
    let (hub, stream) = hub(64 << 20);
    let mut camera = Camera::new(&stream, Instant::now() - Duration::from_secs(3600));
    for _ in 0..100 {
        camera.gop(25);
    }
    // At most one group of pictures stays, plus what is younger than the grace time.
    assert!(stream.state().ring_bytes < 60 * 1200, "{}", stream.state().ring_bytes);
    assert_eq!(hub.held_bytes(), stream.state().ring_bytes);
    drop((camera, stream));
    hub.remove(StreamKey::main(CameraId(1)));
    assert_eq!(hub.held_bytes(), 0);
}

#[test]
fn a_slow_viewer_skips_to_a_key_frame_and_is_told() {
    let (_hub, stream) = hub(100_000);
    let mut camera = Camera::new(&stream, Instant::now() - Duration::from_secs(3600));
    camera.gop(1);
    let mut slow = stream.subscribe(SubscribeOptions::view());
    all(&mut slow);
    for _ in 0..10 {
        camera.gop(25);
    }
    let events = all(&mut slow);
    assert!(events.iter().any(|e| matches!(e, Event::Skipped(n) if *n > 0)), "{}", events.len());
    assert!(units(&events)[0].key);
    assert!(stream.state().skipped_units > 0);
}

#[test]
fn a_recorder_keeps_everything_up_to_its_budget_then_gets_a_gap() {
    let (_hub, stream) = hub(1 << 20);
    let mut camera = Camera::new(&stream, Instant::now() - Duration::from_secs(3600));
    camera.gop(1);
    let mut recorder = stream.subscribe(SubscribeOptions::record(400_000));
    for _ in 0..10 {
        camera.gop(25);
    }
    assert_eq!(units(&all(&mut recorder)).len(), 251);
    for _ in 0..40 {
        camera.gop(25);
    }
    let events = all(&mut recorder);
    let gap = events.iter().position(|e| matches!(e, Event::Gap(g) if g.cause == GapCause::Overrun));
    assert!(gap.is_some());
    assert!(units(&events[gap.unwrap()..])[0].key);
}

#[test]
fn a_group_of_pictures_larger_than_the_share_says_so_and_keeps_its_key_frame() {
    let (_hub, stream) = hub(50_000);
    let mut camera = Camera::new(&stream, Instant::now() - Duration::from_secs(3600));
    camera.gop(500);
    let state = stream.state();
    assert!(!state.instant_join && state.ring_bytes <= 51_200, "{}", state.ring_bytes);
    assert!(stream.last_key().unwrap().key);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    assert!(units(&all(&mut reader)).is_empty());
    camera.gop(2);
    assert_eq!(units(&all(&mut reader)).len(), 2);
}

#[test]
fn a_reconnect_is_a_gap_and_time_goes_on() {
    let (_hub, stream) = hub(1 << 20);
    let start = Instant::now();
    let mut camera = Camera::new(&stream, start);
    camera.gop(5);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    let before = units(&all(&mut reader)).last().unwrap().pts;
    drop(camera);
    let mut again = Camera::new(&stream, start + Duration::from_secs(10));
    again.picture(false).unwrap();
    again.gop(3);
    let events = all(&mut reader);
    assert!(matches!(&events[0], Event::Gap(g) if g.cause == GapCause::SourceLost), "{:?}", events[0]);
    let after = units(&events);
    assert_eq!(after.len(), 3, "pictures before the first key frame are not shown");
    assert!((after[0].pts - before) > 9 * 90_000);
    assert_eq!(stream.state().discarded_units, 1);
}

#[test]
fn a_reader_that_took_everything_is_told_of_a_long_outage_and_of_nothing_else() {
    let (_hub, stream) = hub(1 << 20);
    let long_ago = Instant::now().checked_sub(Duration::from_secs(3600)).unwrap();
    let mut camera = Camera::new(&stream, long_ago);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    camera.gop(3);
    all(&mut reader);
    let mut back = Camera::new(&stream, long_ago + Duration::from_secs(600));
    back.picture(true).unwrap();
    let events = all(&mut reader);
    assert!(matches!(events[..], [Event::Gap(_), Event::Unit(_)]), "{events:?}");
}

#[test]
fn changed_parameters_reach_readers_in_their_place() {
    let (_hub, stream) = hub(1 << 20);
    let mut camera = Camera::new(&stream, Instant::now());
    camera.gop(3);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    all(&mut reader);
    let same = camera.out.describe(vec![video(2), audio()]).unwrap();
    assert_eq!(same.generation, 1);
    camera.out.describe(vec![video(4), audio()]).unwrap();
    camera.picture(false).unwrap();
    camera.gop(1);
    let events = all(&mut reader);
    assert!(matches!(&events[0], Event::Description(d) if d.generation == 2));
    assert_eq!(units(&events).len(), 1);
}

#[test]
fn the_newest_publisher_has_the_stream_alone() {
    let (_hub, stream) = hub(1 << 20);
    let mut old = Camera::new(&stream, Instant::now());
    old.gop(1);
    let mut new = Camera::new(&stream, Instant::now());
    new.gop(1);
    assert_eq!(old.picture(true), Err(PublishError::Superseded));
    assert_eq!(new.unit(7, 0, true, Bytes::new()), Err(PublishError::UnknownTrack));
    assert_eq!(new.out.describe(vec![]).unwrap_err(), PublishError::BadDescription);
}

#[test]
fn a_standby_publisher_takes_over_when_it_knows_its_tracks_and_not_before() {
    let (_hub, stream) = hub(1 << 20);
    let mut old = Camera::new(&stream, Instant::now());
    old.picture(true).unwrap();
    let mut next = stream.standby(GapCause::SourceSilent);
    let epoch = stream.epoch();
    old.picture(false).unwrap();
    next.describe(vec![video(2), audio()]).unwrap();
    assert_eq!(stream.epoch(), epoch + 1);
    assert_eq!(old.picture(false), Err(PublishError::Superseded));
    // Describing again does not take the stream back.
    assert_eq!(old.out.describe(vec![video(2)]).unwrap_err(), PublishError::Superseded);
}

#[test]
fn demand_follows_readers_and_holds() {
    let (_hub, stream) = hub(1 << 20);
    let demand = stream.demand();
    let view = stream.subscribe(SubscribeOptions::view());
    let record = stream.subscribe(SubscribeOptions::record(1000));
    let observe = stream.subscribe(SubscribeOptions { join: Join::Live, lag: Lag::Live, purpose: Purpose::Observe });
    let hold = stream.hold();
    let d = *demand.borrow();
    assert_eq!((d.viewers, d.recorders, d.holds), (1, 1, 1));
    drop((view, record, observe, hold));
    assert!(!demand.borrow().any());
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_media_and_by_the_end() {
    let (hub, stream) = hub(1 << 20);
    let mut reader = stream.subscribe(SubscribeOptions::view());
    let waiting = tokio::spawn(async move {
        let mut seen = 0;
        loop {
            match reader.next().await {
                Ok(Event::Unit(_)) => seen += 1,
                Ok(_) => {}
                Err(Closed) => return seen,
            }
        }
    });
    tokio::task::yield_now().await;
    let mut camera = Camera::new(&stream, Instant::now());
    camera.gop(4);
    tokio::task::yield_now().await;
    hub.remove(StreamKey::main(CameraId(1)));
    assert_eq!(waiting.await.unwrap(), 4);
    assert_eq!(camera.picture(true), Err(PublishError::Superseded));
}

#[test]
fn the_state_says_what_is_measured() {
    let (_hub, stream) = hub(1 << 20);
    assert_eq!(stream.state().status, Status::Idle);
    let mut camera = Camera::new(&stream, Instant::now());
    camera.gop(25);
    let s = stream.state();
    assert_eq!((s.status, s.units, s.bytes, s.connects), (Status::Live, 25, 25_000, 1));
    assert!(s.connected_at.is_some() && s.instant_join);
    assert!(s.last_unit_age.unwrap() < Duration::from_secs(1));
}
