//! What a claim on the past keeps, what it costs, and what it must never cost anybody else.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vigie_base::{CameraId, StreamKey};
use vigie_hub::{Config, Event, GapCause, Hub, Publisher, SourceTrack, SourceUnit, Stream, SubscribeOptions};
use vigie_media::{Codec, G711Law, G711Params, H264Params, TrackId, VideoInfo};

const GOP: usize = 25;
/// What a picture of a thousand bytes is charged.
const PICTURE: usize = 1160;

/// Pictures 40 ms apart, in groups of a second, the last of which has just arrived.
struct Camera {
    stream: Arc<Stream>,
    out: Publisher,
    now: Instant,
    frame: i64,
}

fn tracks(width: u32) -> Vec<SourceTrack> {
    let video = VideoInfo { width, height: 2, fps: Some(25.0), reorder_depth: 0, rfc6381: "avc1.42e01f".into() };
    let params = H264Params { sps: Bytes::from_static(&[0x67]), pps: vec![Bytes::from_static(&[0x68])], video };
    let sound = Codec::G711(G711Params { law: G711Law::A, sample_rate: 8000, channels: 1 });
    vec![
        SourceTrack { clock_rate: 90_000, codec: Codec::H264(Arc::new(params)) },
        SourceTrack { clock_rate: 8000, codec: sound },
    ]
}

impl Camera {
    fn new(hub: &Hub, id: i64, start: Instant) -> Self {
        let stream = hub.ensure(StreamKey::main(CameraId(id)));
        let mut out = stream.publisher(GapCause::SourceLost);
        out.describe(tracks(2)).unwrap();
        Self { stream, out, now: start, frame: 0 }
    }

    /// A camera that has been sending for that long.
    fn since(hub: &Hub, id: i64, ago: Duration) -> Self {
        Self::new(hub, id, Instant::now().checked_sub(ago).unwrap())
    }

    fn picture(&mut self, key: bool) {
        self.now += Duration::from_millis(40);
        self.frame += 1;
        let data = Bytes::from_static(&[0; 1000]);
        let pts = self.frame * 3600;
        let unit = SourceUnit { track: TrackId(0), pts, dts: None, shared_ns: None, arrived: self.now, key, data };
        self.out.push(unit).unwrap();
    }

    fn seconds(&mut self, n: usize) {
        for i in 0..n * GOP {
            self.picture(i % GOP == 0);
        }
    }

    fn kept(&self) -> usize {
        self.stream.state().ring_bytes
    }
}

fn hub(budget_bytes: usize, stream_bytes: usize) -> Hub {
    Hub::new(Config { budget_bytes, stream_bytes })
}

#[test]
fn at_least_the_claimed_time_is_kept_and_at_most_one_group_of_pictures_more() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(100));
    let _hold = camera.stream.hold_history(Duration::from_secs(30));
    camera.seconds(100);
    assert_eq!(hub.held_bytes(), camera.kept());
    let past = camera.stream.past(Duration::from_secs(120)).unwrap();
    assert!((30..=32).contains(&past.key_frames()), "{}", past.key_frames());
    assert!(past.length() >= Duration::from_secs(30) && past.length() < Duration::from_secs(32));
    assert!(matches!(&past.events[0], Event::Unit(u) if u.key));
    // A shorter piece of it begins at the key frame at or before its beginning.
    let ten = camera.stream.past(Duration::from_secs(10)).unwrap();
    let begins = ten.units().next().unwrap();
    assert!(begins.key && begins.arrived + Duration::from_secs(10) <= ten.taken);
    assert!((10..=11).contains(&ten.key_frames()), "{}", ten.key_frames());
}

#[test]
fn the_longest_claim_wins_and_what_nobody_claims_any_more_goes() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(300));
    let long = camera.stream.hold_history(Duration::from_secs(60));
    let short = camera.stream.hold_history(Duration::from_secs(10));
    assert_eq!(camera.stream.demand().borrow().holds, 2);
    camera.seconds(100);
    assert!(camera.kept() > 60 * GOP * PICTURE);
    drop(long);
    assert!((10..=12).contains(&(camera.kept() / (GOP * PICTURE))), "{}", camera.kept());
    drop(short);
    assert!(camera.kept() <= 2 * GOP * PICTURE, "{}", camera.kept());
    assert_eq!(hub.held_bytes(), camera.kept());
    assert!(!camera.stream.demand().borrow().any());
}

#[test]
fn history_is_no_backlog_a_slow_viewer_skips_as_ever_and_a_newcomer_starts_at_the_last_key_frame() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(3600));
    let _hold = camera.stream.hold_history(Duration::from_secs(60));
    camera.seconds(1);
    let mut slow = camera.stream.subscribe(SubscribeOptions::view());
    while slow.try_next().unwrap().is_some() {}
    camera.seconds(20);
    assert!(slow.lag().0 <= 2 * GOP as u64, "{:?}", slow.lag());
    let events: Vec<Event> = std::iter::from_fn(|| slow.try_next().unwrap()).collect();
    assert!(events.iter().any(|e| matches!(e, Event::Skipped(n) if *n > 0)));
    let mut newcomer = camera.stream.subscribe(SubscribeOptions::view());
    let units = std::iter::from_fn(|| newcomer.try_next().unwrap()).filter(|e| matches!(e, Event::Unit(_))).count();
    assert_eq!(units, GOP);
}

#[test]
fn when_room_is_short_history_goes_first_in_whole_groups_and_readers_lose_nothing() {
    let hub = hub(64 << 20, 12 * GOP * PICTURE);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(3600));
    let mut recorder = camera.stream.subscribe(SubscribeOptions::record(8 * GOP * PICTURE));
    let _hold = camera.stream.hold_history(Duration::from_secs(60));
    camera.seconds(5);
    let mut seen = 0;
    for _ in 0..20 {
        camera.seconds(1);
        while let Some(e) = recorder.try_next().unwrap() {
            assert!(!matches!(e, Event::Gap(_) | Event::Skipped(_)), "{e:?}");
            seen += usize::from(matches!(e, Event::Unit(_)));
        }
    }
    assert_eq!(seen, 25 * GOP);
    let kept = camera.kept() / (GOP * PICTURE);
    assert!((10..=12).contains(&kept), "{kept}");
    let events = past_of_any_age(&camera);
    assert!(matches!(&events[0], Event::Unit(u) if u.key), "cut within a group of pictures");
}

/// The camera of such a test sends from an hour ago on: everything is old.
fn past_of_any_age(camera: &Camera) -> Vec<Event> {
    camera.stream.past(Duration::from_secs(7200)).unwrap().events
}

#[test]
fn over_the_global_budget_the_stream_with_most_history_gives_way_and_nobody_is_starved() {
    let gop = GOP * PICTURE;
    let hub = hub(40 * gop, 64 << 20);
    let mut cameras: Vec<Camera> = (1..=4).map(|id| Camera::since(&hub, id, Duration::from_secs(3600))).collect();
    let holds: Vec<_> = cameras
        .iter()
        .enumerate()
        .map(|(i, c)| c.stream.hold_history(Duration::from_secs(if i == 0 { 5 } else { 60 })))
        .collect();
    for _ in 0..60 {
        cameras.iter_mut().for_each(|c| c.seconds(1));
    }
    assert!(hub.held_bytes() <= 42 * gop, "{} groups", hub.held_bytes() / gop);
    assert!(hub.held_bytes() > 30 * gop, "{} groups", hub.held_bytes() / gop);
    assert!(cameras[0].kept() >= 5 * gop, "a modest claim is kept: {}", cameras[0].kept() / gop);
    for c in &cameras[1..] {
        assert!(c.kept() >= 7 * gop, "{} groups", c.kept() / gop);
        assert!(c.stream.state().instant_join);
    }
    drop(holds);
    assert!(hub.held_bytes() <= 8 * gop);
}

#[test]
fn new_parameters_within_the_kept_time_are_in_their_place() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(20));
    let _hold = camera.stream.hold_history(Duration::from_secs(60));
    camera.seconds(10);
    camera.out.describe(tracks(4)).unwrap();
    camera.seconds(10);
    let past = camera.stream.past(Duration::from_secs(60)).unwrap();
    assert_eq!(past.description.video().and_then(|t| t.video()).map(|v| v.width), Some(2));
    let change = past.events.iter().position(|e| matches!(e, Event::Description(_))).unwrap();
    assert_eq!(change, 10 * GOP);
    assert!(matches!(&past.events[change], Event::Description(d) if d.generation == 2));
    assert!(matches!(&past.events[change + 1], Event::Unit(u) if u.key));
    // Taken from behind the change, it has the new ones from the beginning.
    let past = camera.stream.past(Duration::from_secs(5)).unwrap();
    assert_eq!(past.description.generation, 2);
    assert!(past.events.iter().all(|e| matches!(e, Event::Unit(_))));
}

#[test]
fn an_outage_is_told_in_its_place_and_what_lies_before_all_of_the_asked_time_is_nothing() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(60));
    let _hold = camera.stream.hold_history(Duration::from_secs(60));
    camera.seconds(10);
    assert!(camera.stream.past(Duration::from_secs(30)).is_none(), "its last picture is 50 seconds old");
    assert!(camera.stream.past(Duration::from_secs(55)).is_some());
    camera.out = camera.stream.publisher(GapCause::SourceLost);
    camera.out.describe(tracks(2)).unwrap();
    camera.now += Duration::from_secs(30);
    camera.seconds(10);
    let past = camera.stream.past(Duration::from_secs(55)).unwrap();
    let gap = past.events.iter().find_map(|e| if let Event::Gap(g) = e { Some(*g) } else { None }).unwrap();
    assert!(gap.to.saturating_duration_since(gap.from) >= Duration::from_secs(30));
}

#[test]
fn a_source_that_was_stopped_leaves_nothing() {
    let hub = hub(64 << 20, 64 << 20);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(20));
    let hold = camera.stream.hold_history(Duration::from_secs(60));
    camera.seconds(20);
    camera.stream.clear();
    assert_eq!((camera.kept(), hub.held_bytes()), (0, 0));
    assert!(camera.stream.past(Duration::from_secs(60)).is_none());
    camera.seconds(1);
    assert_eq!(camera.stream.past(Duration::from_secs(60)).unwrap().key_frames(), 1);
    drop((hold, camera));
    hub.remove(StreamKey::main(CameraId(1)));
    assert_eq!(hub.held_bytes(), 0);
}

#[test]
fn a_push_costs_the_same_whatever_is_kept() {
    // A ring that was scanned per push would take many minutes here.
    let hub = hub(1 << 30, 1 << 30);
    let mut camera = Camera::since(&hub, 1, Duration::from_secs(20_000));
    let _hold = camera.stream.hold_history(Duration::from_secs(7200));
    let clock = Instant::now();
    for _ in 0..8000 {
        camera.seconds(1);
    }
    let past = camera.stream.past(Duration::from_secs(30_000)).unwrap();
    assert!(past.key_frames() >= 7200);
    assert!(clock.elapsed() < Duration::from_secs(60), "{:?}", clock.elapsed());
}
