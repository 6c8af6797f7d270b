//! Whole files through the source, in real time.

use std::sync::Arc;

use tokio::time::timeout;
use url::Url;
use vigie_base::{CameraId, StreamKey};
use vigie_hub::{Event, GapCause, Hub, SubscribeOptions};
use vigie_media::{AccessUnit, StreamDescription};

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

/// Plays until `units` units were read or the source ended, and says how it ended.
async fn play(
    spec: &SourceSpec,
    units: usize,
) -> (Option<Arc<StreamDescription>>, Vec<Arc<AccessUnit>>, Result<(), SourceError>) {
    let stream = Hub::default().ensure(StreamKey::main(CameraId(1)));
    let mut source = make(spec).unwrap();
    let cancel = CancellationToken::new();
    let publisher = stream.publisher(GapCause::Restart);
    let mut cursor = stream.subscribe(SubscribeOptions::record(1 << 20));
    let stop = cancel.clone();
    let mut running = tokio::spawn(async move { source.run(publisher, stop).await });
    let (mut description, mut out, mut ended) = (None, Vec::new(), None);
    let reading = async {
        while out.len() < units {
            let event = tokio::select! {
                biased;
                event = cursor.next() => event.unwrap(),
                end = &mut running, if ended.is_none() => {
                    ended = Some(end.unwrap());
                    continue;
                }
                () = std::future::ready(()), if ended.is_some() => break,
            };
            match event {
                Event::Description(d) => description = Some(d),
                Event::Unit(u) => out.push(u),
                e => panic!("{e:?}"),
            }
        }
    };
    timeout(Duration::from_secs(10), reading).await.expect("the file plays");
    cancel.cancel();
    let end = match ended {
        Some(end) => end,
        None => timeout(Duration::from_secs(2), running).await.expect("it ends when told").unwrap(),
    };
    (description, out, end)
}

#[tokio::test]
async fn a_file_is_played_at_its_own_pace_and_ends() {
    let begun = Instant::now();
    let (description, units, end) = play(&spec(&format!("{MEDIA}h264_high_bframes_aac.mp4"), false, 1.0), 1000).await;
    assert_eq!(end, Ok(()));
    // 30 pictures and 58 frames of sound; the first sounds come before the first picture and are no use without it.
    let description = description.unwrap();
    assert_eq!((description.tracks[0].codec.name(), description.tracks[1].codec.name()), ("h264", "aac"));
    let count = |track| units.iter().filter(|u| u.track == TrackId(track)).count();
    assert_eq!(count(0), 30);
    assert!((54..=58).contains(&count(1)), "{}", count(1));
    // Decode times span 1.16 s from first to last picture.
    let took = begun.elapsed();
    assert!((1.1..3.0).contains(&took.as_secs_f64()), "{took:?}");
    let video: Vec<_> = units.iter().filter(|u| u.track == TrackId(0)).collect();
    let pace = video[29].arrived - video[0].arrived;
    assert!((1.0..1.6).contains(&pace.as_secs_f64()), "{pace:?}");
    assert!(video[0].key && video[0].pts.0 - video[0].dts.0 == 7200);
}

#[tokio::test]
async fn a_looped_file_is_one_endless_stream() {
    // 10 pictures of 0.1 s, ten times as fast.
    let (_, units, end) = play(&spec(&format!("{MEDIA}h264_baseline.mp4"), true, 10.0), 35).await;
    assert_eq!((units.len(), end), (35, Ok(())));
    assert!(units.windows(2).all(|w| w[1].dts.0 - w[0].dts.0 == 900), "the distance never changes");
    assert!([0, 10, 20, 30].iter().all(|&i| units[i].key));
    assert_eq!(units[0].data, units[30].data);
}

#[tokio::test]
async fn every_container_plays() {
    for (name, count) in [("h265_open_gop.mkv", 40), ("h265_open_gop.ts", 40), ("mjpeg.mp4", 5), ("alaw.mov", 25)] {
        let (_, units, end) = play(&spec(&format!("{MEDIA}{name}"), false, 16.0), 1000).await;
        assert_eq!((units.len(), end), (count, Ok(())), "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_played_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mp4 = std::fs::read(format!("{MEDIA}h264_baseline.mp4")).unwrap();
    let cases = [
        (dir.path().join("none.mp4").to_str().unwrap().to_owned(), Reason::NotFound),
        (dir.path().to_str().unwrap().to_owned(), Reason::Config),
        (write("text.mp4", b"not a film at all"), Reason::NoVideo),
        (write("short.mp4", &mp4[..300]), Reason::Protocol),
    ];
    for (path, reason) in cases {
        let (_, units, end) = play(&spec(&path, true, 1.0), 1).await;
        let e = end.unwrap_err();
        assert_eq!((units.len(), e.reason), (0, reason), "{path}: {e}");
        assert!(!e.message.contains(dir.path().to_str().unwrap()), "{e}");
    }
}

#[test]
fn configurations_that_cannot_work() {
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY, 17.0] {
        assert_eq!(make(&spec("/x.mp4", true, speed)).err().unwrap().reason, Reason::Config);
    }
    let mut elsewhere = spec("/x.mp4", true, 1.0);
    elsewhere.url = Url::parse("http://example.org/x.mp4").unwrap();
    assert_eq!(make(&elsewhere).err().unwrap().reason, Reason::Config);
}
