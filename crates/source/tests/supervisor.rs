//! The supervisor against scripted sources, in time that does not pass by itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use vigie_base::{CameraId, FakeClock, StreamKey, UnixMillis};
use vigie_hub::{Cursor, Event, Hub, Publisher, Reason, SourceTrack, SourceUnit, Status, Stream, SubscribeOptions};
use vigie_media::{Codec, JpegParams, TrackId, VideoInfo};
use vigie_source::supervisor::Reach;
use vigie_source::{ConnectionConfig, Options, Saved, Source, SourceError, SourceSpec, Supervisor, supervise};

/// What one attempt does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Fail(Reason),
    Busy,
    /// Pictures until cancelled.
    Live,
    /// Pictures for so long, then the connection breaks.
    LiveFor(Duration, Reason),
    /// Pictures for so long, nothing for so long, pictures again.
    Pause(Duration, Duration),
    /// Connects and says nothing.
    Hang,
    /// The end of a file.
    End,
    Panic,
}

#[derive(Debug, Default)]
struct Script {
    acts: Mutex<VecDeque<Act>>,
    /// When each attempt began, in ms since the world began, and on which URL.
    begun: Mutex<Vec<(u64, String)>>,
    /// When each attempt ended, by its number.
    ended: Mutex<Vec<(usize, u64)>>,
}

struct Scripted {
    number: usize,
    act: Act,
    script: Arc<Script>,
    start: Instant,
}

impl Scripted {
    async fn play(&self, out: &mut Publisher, how_long: Duration, frame: &mut i64) -> Result<(), SourceError> {
        let until = Instant::now() + how_long;
        while Instant::now() < until {
            let unit = SourceUnit {
                track: TrackId(0),
                pts: *frame * 3600,
                dts: None,
                shared_ns: None,
                arrived: Instant::now().into_std(),
                key: true,
                data: Bytes::from_static(&[0xff, 0xd8, 0xff, 0xd9]),
            };
            *frame += 1;
            if let Err(e) = out.push(unit) {
                return vigie_source::unpublishable(e).and(Err(SourceError::new(Reason::Config, "superseded")));
            }
            sleep(Duration::from_millis(40)).await;
        }
        Ok(())
    }

    async fn act(&self, out: &mut Publisher) -> Result<(), SourceError> {
        let video = VideoInfo { width: 2, height: 2, ..VideoInfo::default() };
        let track = SourceTrack { clock_rate: 90_000, codec: Codec::Jpeg(Arc::new(JpegParams { video })) };
        let forever = Duration::from_secs(1 << 30);
        let mut frame = 0;
        match self.act {
            Act::Fail(reason) => return Err(SourceError::new(reason, "scripted failure")),
            Act::Busy => return Err(SourceError { busy: true, ..SourceError::new(Reason::Tcp, "453") }),
            Act::Hang => sleep(forever).await,
            Act::End => {}
            Act::Panic => panic!("scripted panic"),
            Act::Live | Act::LiveFor(..) | Act::Pause(..) => {
                sleep(Duration::from_millis(100)).await;
                out.describe(vec![track]).unwrap();
            }
        }
        match self.act {
            Act::Live => self.play(out, forever, &mut frame).await,
            Act::LiveFor(how_long, reason) => {
                self.play(out, how_long, &mut frame).await?;
                Err(SourceError::new(reason, "scripted cut"))
            }
            Act::Pause(before, silence) => {
                self.play(out, before, &mut frame).await?;
                sleep(silence).await;
                self.play(out, forever, &mut frame).await
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Source for Scripted {
    async fn run(&mut self, mut out: Publisher, cancel: CancellationToken) -> Result<(), SourceError> {
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Ok(()),
            r = self.act(&mut out) => match r {
                Err(e) if e.message == "superseded" => Ok(()),
                r => r,
            },
        };
        self.script.ended.lock().push((self.number, ms(self.start)));
        result
    }
}

#[derive(Debug, Default)]
struct FakeReach {
    up: AtomicBool,
    asked: AtomicUsize,
}

#[async_trait]
impl Reach for FakeReach {
    async fn answers(&self, host: &str, port: u16) -> bool {
        assert_eq!((host, port), ("camera.test", 554));
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.up.load(Ordering::Relaxed)
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap()
}

struct World {
    start: Instant,
    hub: Hub,
    stream: Arc<Stream>,
    script: Arc<Script>,
    reach: Arc<FakeReach>,
    saved: Arc<Mutex<Vec<Saved>>>,
    supervisor: Supervisor,
}

fn spec(path: &str) -> SourceSpec {
    SourceSpec {
        kind: "rtsp".into(),
        url: format!("rtsp://camera.test/{path}").parse().unwrap(),
        credentials: None,
        config: ConnectionConfig::default(),
    }
}

impl World {
    fn new(acts: &[Act]) -> Self {
        Self::with(acts, Options::default())
    }

    fn with(acts: &[Act], options: Options) -> Self {
        let start = Instant::now();
        let hub = Hub::default();
        let stream = hub.ensure(StreamKey::main(CameraId(1)));
        let script = Arc::new(Script { acts: Mutex::new(acts.iter().copied().collect()), ..Script::default() });
        let reach = Arc::new(FakeReach::default());
        let saved: Arc<Mutex<Vec<Saved>>> = Arc::default();
        let (s, log) = (Arc::clone(&script), Arc::clone(&saved));
        let options = Options {
            make: Arc::new(move |spec: &SourceSpec| {
                let mut acts = s.acts.lock();
                // The last act is repeated.
                let act = if acts.len() > 1 { acts.pop_front().unwrap() } else { acts[0] };
                let mut begun = s.begun.lock();
                let number = begun.len();
                begun.push((ms(start), spec.url.path().to_owned()));
                Ok(Box::new(Scripted { number, act, script: Arc::clone(&s), start }))
            }),
            reach: reach.clone(),
            on_change: Some(Arc::new(move |s| log.lock().push(s))),
            clock: Arc::new(FakeClock::at(UnixMillis(0))),
            ..options
        };
        let supervisor = supervise(Arc::clone(&stream), spec("a"), options, CancellationToken::new());
        Self { start, hub, stream, script, reach, saved, supervisor }
    }

    fn watch(&self) -> Cursor {
        self.stream.subscribe(SubscribeOptions::view())
    }

    async fn at(&self, seconds: f64) {
        sleep_until(self.start + Duration::from_secs_f64(seconds)).await;
    }

    fn begun(&self) -> Vec<u64> {
        self.script.begun.lock().iter().map(|(t, _)| *t).collect()
    }

    /// Seconds of the beginnings, to the nearest tenth.
    fn tenths(&self) -> Vec<u64> {
        self.begun().iter().map(|t| (t + 50) / 100).collect()
    }

    fn ended(&self, number: usize) -> Option<u64> {
        self.script.ended.lock().iter().find(|(n, _)| *n == number).map(|(_, t)| *t)
    }

    fn status(&self) -> Status {
        self.stream.state().status
    }

    fn is_live(&self) -> bool {
        self.status() == Status::Live
    }
}

fn naked() -> Options {
    Options { probe: false, ..Options::default() }
}

fn units(cursor: &mut Cursor) -> usize {
    let mut n = 0;
    while let Some(e) = cursor.try_next().expect("the stream stays") {
        n += usize::from(matches!(e, Event::Unit(_)));
    }
    n
}

const TCP: Act = Act::Fail(Reason::Tcp);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_idle_camera_follows_the_table_and_is_suspended() {
    let w = World::with(&[TCP], naked());
    w.at(5.0).await;
    assert_eq!((w.begun(), w.status()), (vec![], Status::Idle), "nobody wants it");
    let viewer = w.watch();
    w.at(6.0).await;
    drop(viewer);
    w.at(4000.0).await;
    assert_eq!(w.tenths(), [50, 150, 350, 750, 1550, 3150], "10, 20, 40, 80, 160 s apart");
    assert_eq!(w.status(), Status::Suspended);
    assert_eq!(w.saved.lock().last(), Some(&Saved { failures: 6, next: None }));
    // A viewer is a reason to look again.
    let _viewer = w.watch();
    w.at(4000.1).await;
    assert_eq!(w.begun().len(), 7);
    assert!(matches!(w.status(), Status::Waiting { attempt: 7, .. }), "{:?}", w.status());
}

#[tokio::test(start_paused = true)]
async fn a_watched_camera_is_tried_every_300_s_for_ever() {
    let w = World::with(&[TCP], naked());
    let _viewer = w.watch();
    w.at(1300.0).await;
    assert_eq!(w.tenths(), [0, 100, 300, 700, 1500, 3100, 6100, 9100, 12100]);
    assert_eq!(w.reach.asked.load(Ordering::Relaxed), 0, "probes are switched off");
    let f = w.stream.state().failure.unwrap();
    assert_eq!((f.reason, f.message.as_str()), (Reason::Tcp, "scripted failure"));
}

#[tokio::test(start_paused = true)]
async fn a_camera_back_after_a_cut_is_there_within_a_second() {
    let w = World::new(&[Act::LiveFor(5 * SECOND, Reason::Tcp), Act::Live]);
    let mut viewer = w.watch();
    w.at(4.0).await;
    assert!(w.is_live());
    assert!(units(&mut viewer) > 0);
    w.at(8.2).await;
    assert!(matches!(w.status(), Status::Waiting { attempt: 1, .. }));
    w.reach.up.store(true, Ordering::Relaxed);
    w.at(9.3).await;
    assert!(w.is_live(), "{:?}", w.status());
    assert!(units(&mut viewer) > 0, "the reader was kept");
    assert_eq!(w.begun().len(), 2);
    assert_eq!(w.saved.lock().last().unwrap().failures, 1);
    w.at(12.0).await;
    assert_eq!(w.saved.lock().last(), Some(&Saved::default()), "forgiven once it works");
}

#[tokio::test(start_paused = true)]
async fn a_second_cut_is_as_short_as_the_first() {
    let w = World::new(&[Act::LiveFor(5 * SECOND, Reason::Tcp), Act::LiveFor(5 * SECOND, Reason::Tcp), Act::Live]);
    let _viewer = w.watch();
    w.at(7.0).await;
    w.reach.up.store(true, Ordering::Relaxed);
    w.at(8.0).await;
    assert!(w.is_live(), "brought back by a probe");
    w.reach.up.store(false, Ordering::Relaxed);
    w.at(14.0).await;
    assert!(!w.is_live());
    w.reach.up.store(true, Ordering::Relaxed);
    w.at(15.0).await;
    assert!(w.is_live(), "{:?}, tried at {:?}", w.status(), w.tenths());
}

#[tokio::test(start_paused = true)]
async fn a_healthy_camera_that_is_up_is_reconnected_at_once() {
    let w = World::new(&[Act::LiveFor(5 * SECOND, Reason::Protocol), Act::Live]);
    w.reach.up.store(true, Ordering::Relaxed);
    let _viewer = w.watch();
    w.at(5.4).await;
    assert!(w.is_live());
    assert_eq!(w.begun().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_booting_camera_is_not_hammered() {
    let w = World::new(&[TCP]);
    w.reach.up.store(true, Ordering::Relaxed);
    let _viewer = w.watch();
    w.at(130.0).await;
    // By the table, then once by probe within a second, then muted until the table says so again.
    assert_eq!(w.tenths(), [0, 8, 208, 216, 1016, 1024]);
    assert_eq!(w.reach.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_and_wrong_paths_are_never_probed() {
    for reason in [Reason::Auth, Reason::NotFound, Reason::Config, Reason::NoVideo] {
        let w = World::new(&[Act::Fail(reason)]);
        w.reach.up.store(true, Ordering::Relaxed);
        let _viewer = w.watch();
        w.at(w.start.elapsed().as_secs_f64() + 75.0).await;
        assert_eq!(w.tenths(), [0, 100, 300, 700]);
        assert_eq!(w.reach.asked.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn probing_ends_with_the_last_viewer_and_begins_with_a_new_one() {
    let w = World::new(&[TCP, TCP, TCP, TCP, Act::Live]);
    let viewer = w.watch();
    w.at(75.5).await;
    drop(viewer);
    w.at(80.0).await;
    let before = w.reach.asked.load(Ordering::Relaxed);
    w.at(100.0).await;
    assert_eq!(w.reach.asked.load(Ordering::Relaxed), before);
    w.reach.up.store(true, Ordering::Relaxed);
    let _viewer = w.watch();
    w.at(100.3).await;
    assert!(w.is_live(), "{:?}", w.status());
}

#[tokio::test(start_paused = true)]
async fn the_source_stops_ten_seconds_after_the_last_reader() {
    let w = World::new(&[Act::Live]);
    let viewer = w.watch();
    w.at(3.0).await;
    drop(viewer);
    w.at(12.0).await;
    assert!(w.is_live());
    let viewer = w.watch();
    w.at(20.0).await;
    drop(viewer);
    w.at(29.9).await;
    assert!(w.is_live(), "the count began anew");
    w.at(30.1).await;
    assert_eq!((w.status(), w.ended(0).is_some()), (Status::Idle, true));
    assert_eq!(w.stream.state().ring_bytes, 0);
    let _viewer = w.watch();
    w.at(30.5).await;
    assert!(w.is_live());
}

#[tokio::test(start_paused = true)]
async fn always_on_needs_no_reader() {
    let w = World::with(&[Act::Live], Options { always_on: true, ..Options::default() });
    w.at(3600.0).await;
    assert!(w.is_live());
    assert_eq!(w.begun().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_in_three_seconds_and_the_old_connection_kept_until_the_new_one_shows_something() {
    let w = World::new(&[Act::Pause(4 * SECOND, 1000 * SECOND), TCP, Act::Live]);
    let mut viewer = w.watch();
    w.at(4.5).await;
    assert!(w.is_live());
    w.at(7.2).await;
    assert!(!w.is_live(), "last picture at 4.1 s");
    assert_eq!(w.tenths(), [0, 71]);
    assert_eq!(w.ended(0), None, "make before break");
    units(&mut viewer);
    w.at(8.5).await;
    // The camera's port is closed to new connections; then it opens.
    assert_eq!(w.begun().len(), 2);
    w.reach.up.store(true, Ordering::Relaxed);
    w.at(9.6).await;
    assert!(w.is_live(), "{:?}", w.status());
    assert!(units(&mut viewer) > 0);
    assert!(w.ended(0).is_some(), "the old one is closed now");
}

#[tokio::test(start_paused = true)]
async fn a_silent_camera_that_resumes_keeps_its_connection() {
    let w = World::new(&[Act::Pause(4 * SECOND, 5 * SECOND), Act::Hang]);
    let mut viewer = w.watch();
    w.at(8.0).await;
    assert_eq!((w.status(), w.begun().len()), (Status::Silent, 2));
    units(&mut viewer);
    w.at(9.5).await;
    assert!(w.is_live());
    assert!(units(&mut viewer) > 0);
    assert!(w.ended(1).is_some() && w.ended(0).is_none());
    // And it is known now for pausing five seconds.
    w.at(60.0).await;
    assert_eq!(w.begun().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_up_after_a_minute() {
    let w = World::with(&[Act::Pause(4 * SECOND, 1000 * SECOND), Act::Fail(Reason::Timeout)], naked());
    let _viewer = w.watch();
    w.at(60.0).await;
    assert_eq!(w.ended(0), None);
    w.at(70.0).await;
    assert!(w.ended(0).is_some());
    assert_eq!(w.tenths(), [0, 71, 171, 371]);
    w.at(78.0).await;
    assert_eq!(w.tenths(), [0, 71, 171, 371, 771], "the table goes on");
}

#[tokio::test(start_paused = true)]
async fn a_camera_with_room_for_one_session_is_let_go_first() {
    let w = World::new(&[Act::Pause(4 * SECOND, 1000 * SECOND), Act::Busy, Act::Live]);
    let _viewer = w.watch();
    w.at(7.5).await;
    assert!(w.is_live(), "{:?}", w.status());
    let second = w.ended(1).unwrap();
    assert!(w.ended(0).unwrap() >= second, "kept until the camera refused a second one");
    assert!(w.begun()[2] >= w.ended(0).unwrap(), "closed before the next one");
}

#[tokio::test(start_paused = true)]
async fn changed_settings_count_at_once_and_reset_the_table() {
    let w = World::with(&[Act::Fail(Reason::NotFound), Act::Fail(Reason::NotFound), Act::Live], naked());
    let mut viewer = w.watch();
    w.at(15.0).await;
    assert_eq!(w.saved.lock().last().unwrap().failures, 2);
    w.supervisor.update(spec("a"));
    w.at(16.0).await;
    assert_eq!(w.begun().len(), 2, "nothing changed");
    w.supervisor.update(spec("b"));
    w.at(16.3).await;
    assert!(w.is_live());
    assert_eq!(w.script.begun.lock()[2].1, "/b");
    assert_eq!(w.saved.lock().last(), Some(&Saved::default()));
    // Also while it runs: the reader stays.
    assert!(units(&mut viewer) > 0);
    w.supervisor.update(spec("c"));
    w.at(17.0).await;
    assert!(w.is_live() && w.ended(2).is_some());
    assert!(units(&mut viewer) > 0);
}

#[tokio::test(start_paused = true)]
async fn reconnecting_on_request_makes_before_it_breaks() {
    let w = World::new(&[Act::Live, TCP, Act::Live]);
    let mut viewer = w.watch();
    w.at(5.0).await;
    w.supervisor.reconnect();
    w.at(6.0).await;
    assert!(w.is_live() && w.ended(0).is_none(), "the new one failed: the old one is kept");
    w.supervisor.reconnect();
    w.at(7.0).await;
    assert!(w.is_live());
    assert_eq!(w.begun().len(), 3);
    let handed_over = w.ended(0).unwrap();
    assert!((6100..6200).contains(&handed_over), "when the new one had tracks: {handed_over}");
    units(&mut viewer);
    w.at(8.0).await;
    assert!(units(&mut viewer) > 0);
    w.at(600.0).await;
    assert_eq!(w.begun().len(), 3, "and it stays that way");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_runs_failures_are_remembered() {
    let saved = Saved { failures: 3, next: Some(UnixMillis(25_000)) };
    let w = World::with(&[TCP], Options { saved, ..naked() });
    w.at(1.0).await;
    assert!(matches!(w.status(), Status::Waiting { attempt: 3, .. }), "{:?}", w.status());
    w.at(500.0).await;
    assert_eq!(w.tenths(), [250, 1050, 2650]);
    assert_eq!(w.status(), Status::Suspended);

    let saved = Saved { failures: 6, next: None };
    let w = World::with(&[Act::Live], Options { saved, ..naked() });
    sleep(60 * SECOND).await;
    assert_eq!((w.status(), w.begun().len()), (Status::Suspended, 0));
    w.supervisor.reconnect();
    sleep(SECOND).await;
    assert!(w.is_live(), "a person asked for it");
    sleep(15 * SECOND).await;
    assert_eq!(w.status(), Status::Idle, "nobody watches, but the camera is fine");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_well_is_left_alone_until_somebody_new_comes() {
    let w = World::new(&[Act::End]);
    let viewer = w.watch();
    w.at(100.0).await;
    assert_eq!((w.status(), w.begun().len()), (Status::Idle, 1));
    drop(viewer);
    w.at(101.0).await;
    let _viewer = w.watch();
    w.at(102.0).await;
    assert_eq!(w.begun().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_or_hangs_is_a_failure_like_any_other() {
    let w = World::with(&[Act::Panic, Act::Hang, Act::Live], naked());
    let _viewer = w.watch();
    w.at(1.0).await;
    assert_eq!(w.stream.state().failure.unwrap().reason, Reason::Protocol);
    w.at(75.0).await;
    assert_eq!(w.stream.state().failure.unwrap().reason, Reason::Timeout);
    w.at(100.0).await;
    assert!(w.is_live());
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_stream_and_with_its_handle() {
    let w = World::new(&[Act::Live]);
    let viewer = w.watch();
    w.at(1.0).await;
    w.hub.remove(w.stream.key());
    w.at(2.0).await;
    assert!(w.ended(0).is_some());
    drop(viewer);

    let w = World::new(&[Act::Live]);
    let _viewer = w.watch();
    sleep(SECOND).await;
    let (script, stream) = (Arc::clone(&w.script), Arc::clone(&w.stream));
    w.supervisor.stop().await;
    assert_eq!(script.ended.lock().len(), 1);
    assert_eq!(stream.state().status, Status::Idle);
}
