use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;
use vigie_base::{CameraId, StreamKey};
use vigie_codec::{VideoDecoder, paint};
use vigie_hub::{Event, GapCause, Hub, SubscribeOptions};
use vigie_media::{AccessUnit, StreamDescription};

use super::*;
use crate::ConnectionConfig;

fn spec(url: &str) -> SourceSpec {
    SourceSpec {
        kind: "testcard".into(),
        url: Url::parse(url).unwrap(),
        credentials: None,
        config: ConnectionConfig::default(),
    }
}

/// Runs a card until `units` units were read, then cancels it and sees that it ends.
async fn watch(url: &str, units: usize) -> (Arc<StreamDescription>, Vec<Arc<AccessUnit>>) {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let mut source = make(&spec(url)).unwrap();
    let cancel = CancellationToken::new();
    let publisher = stream.publisher(GapCause::Restart);
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { source.run(publisher, cancel).await }
    });
    let mut cursor = stream.subscribe(SubscribeOptions::view());
    let mut out = Vec::new();
    let mut description = None;
    while out.len() < units {
        match timeout(Duration::from_secs(10), cursor.next()).await.expect("the card is alive").unwrap() {
            Event::Description(d) => description = Some(d),
            Event::Unit(u) => out.push(u),
            Event::Skipped(_) => {}
            e => panic!("{e:?}"),
        }
    }
    cancel.cancel();
    timeout(Duration::from_secs(2), running).await.expect("it ends when told").unwrap().unwrap();
    (description.unwrap(), out)
}

#[test]
fn options_are_checked() {
    let o = |url: &str| Options::from_url(&Url::parse(url).unwrap());
    let made = o("testcard:?width=641&height=361&fps=29.97&bitrate=800&name=Court%201&tone=0&codec=mjpeg").unwrap();
    assert_eq!((made.width, made.height, made.fps_milli, made.gop), (640, 360, 29_970, 59));
    assert_eq!((made.name.as_str(), made.tone, made.mjpeg, made.bitrate_bps), ("Court 1", false, true, 800_000));
    assert_eq!(o("testcard:").unwrap(), Options::default());
    for wrong in ["width=0", "fps=nan", "fps=1e9", "codec=av1", "gop=0", "colour=red", "height=99999", "tz=mars"] {
        assert_eq!(o(&format!("testcard:?{wrong}")).unwrap_err().reason, Reason::Config, "{wrong}");
    }
}

#[test]
fn frames_are_due_without_drift() {
    let o = Options { fps_milli: 29_970, ..Options::default() };
    assert_eq!(o.due(29_970, 90_000), 90_000_000);
    assert_eq!(frame_at(&o, Duration::from_secs(1000)), 29_971);
}

#[tokio::test]
async fn pictures_and_sound_are_exactly_spaced_and_show_the_time() {
    let before = SystemClock.wall().0;
    let (description, units) = watch("testcard:?width=320&height=180&gop=10&bitrate=500", 60).await;
    let after = SystemClock.wall().0;
    assert_eq!(description.tracks.len(), 2);
    let pts = |track: u8| units.iter().filter(|u| u.track.0 == track).map(|u| u.pts.0).collect::<Vec<_>>();
    assert!(pts(0).windows(2).all(|w| w[1] - w[0] == 3600), "{:?}", pts(0));
    assert!(pts(1).windows(2).all(|w| w[1] - w[0] == 960), "{:?}", pts(1));
    let (video, sound) = (pts(0)[0] as f64 / 90.0, pts(1)[0] as f64 / 48.0);
    assert!((video - sound).abs() <= 1.0, "pictures begin at {video} ms, sound at {sound} ms");
    let pictures: Vec<_> = units.iter().filter(|u| u.track.0 == 0).collect();
    let keys: Vec<_> = pictures.iter().enumerate().filter(|(_, u)| u.key).map(|(i, _)| i).collect();
    assert_eq!(keys, (0..pictures.len()).step_by(10).collect::<Vec<_>>());

    let Codec::H264(params) = &description.video().unwrap().codec else { panic!("H.264 expected") };
    let mut decoder = h264::Decoder::new(params).unwrap();
    let mut times = Vec::new();
    for u in &pictures {
        let shown = decoder.decode(&u.data).unwrap().unwrap().render((320, 180), Colour::SD);
        times.push(paint::read_code(&shown).expect("the time can be read"));
    }
    assert!(times.windows(2).all(|w| w[1].wrapping_sub(w[0]) == 40), "{times:?}");
    let first = times[0].wrapping_sub(before as u32) as i32;
    assert!((0..=(after - before) as i32).contains(&first), "{first} of {}", after - before);
}

#[tokio::test]
async fn a_card_can_be_jpeg_without_sound() {
    let (description, units) = watch("testcard:?width=320&height=180&codec=mjpeg&tone=0&tz=local", 5).await;
    assert_eq!(description.tracks.len(), 1);
    for u in units {
        assert!(u.key);
        let p = jpeg::decode(&u.data).unwrap();
        assert_eq!((p.width(), p.height()), (320, 180));
    }
}

#[tokio::test]
async fn a_second_publisher_ends_the_first_without_an_error() {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let mut source = make(&spec("testcard:?width=160&height=96")).unwrap();
    let publisher = stream.publisher(GapCause::Restart);
    let _newer = stream.publisher(GapCause::Restart);
    let end = timeout(Duration::from_secs(5), source.run(publisher, CancellationToken::new())).await;
    assert_eq!(end.expect("it ends"), Ok(()));
}

#[test]
fn the_beep_sounds_while_the_card_flashes() {
    let options = Options { width: 160, height: 96, ..Options::default() };
    let mut maker = Maker::new(&options).unwrap();
    let mut decoder = ::opus::Decoder::new(48_000, ::opus::Channels::Mono).unwrap();
    let base_ms = 1_763_695_320_400;
    let (mut flashes, mut beeps) = (Vec::new(), Vec::new());
    let mut sounding = false;
    for n in 0..75u64 {
        let wall_ms = base_ms + options.due(n, 1000);
        let moment = Moment { frame: n, unix_ms: wall_ms, zone_s: 0 };
        if moment.flashes() && wall_ms % 1000 == 0 {
            flashes.push(options.due(n, 1000));
        }
        let made = maker.make(&Job { n, wall_ms }).unwrap();
        for (at, packet) in made.sound {
            let mut samples = vec![0i16; 960];
            decoder.decode(&packet, &mut samples, false).unwrap();
            for (i, part) in (0i64..).zip(samples.chunks(48)) {
                let loud = part.iter().any(|s| s.abs() > 800);
                if loud && !sounding {
                    beeps.push(at / 48 + i);
                }
                sounding = loud;
            }
        }
    }
    assert_eq!((flashes.len(), beeps.len()), (3, 3), "{flashes:?} {beeps:?}");
    for (f, b) in flashes.iter().zip(&beeps) {
        assert!((f - b).abs() <= 15, "flash at {f} ms, beep at {b} ms");
    }
}
