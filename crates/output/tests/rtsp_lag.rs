//! Readers that are slower than their camera: skipped, cut, and nobody else notices.

// Everything here is a test, helpers included.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code, unreachable_pub)]
#[path = "support/rtsp.rs"]
mod support;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use support::*;
use vigie_hub::{GapCause, SourceTrack};
use vigie_media::rtp::depacketize::InOrder;
use vigie_media::{h264, nal};
use vigie_output::rtsp::RtspConfig;

fn picture(key: bool, bytes: usize) -> Bytes {
    let mut n = vec![0x55; bytes];
    n[0] = if key { 0x65 } else { 0x41 };
    nal::join([&n[..]])
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_skipped_then_cut_and_others_do_not_notice() {
    let config =
        RtspConfig { stall_timeout: Duration::from_millis(1500), send_buffer: 64 << 10, ..RtspConfig::default() };
    let server = Server::with(OPEN, config).await;
    let stream = server.hub.ensure(CAMERA);
    let mut out = stream.publisher(GapCause::SourceLost);
    let codec = Fixture::load().video;
    out.describe(vec![SourceTrack { clock_rate: 90_000, codec: codec.clone() }]).unwrap();
    let cancel = server.cancel.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        for i in 0.. {
            if cancel.run_until_cancelled(tick.tick()).await.is_none() {
                return;
            }
            out.push(unit(0, i * 900, 90_000, i % 20 == 0, picture(i % 20 == 0, 40_000))).unwrap();
        }
    });
    let url = server.url("door");
    let mut good = Client::connect(&server).await;
    let mut slow = Client::connect(&server).await;
    let mut dead = Client::connect(&server).await;
    for c in [&mut good, &mut slow, &mut dead] {
        let session = c.set_up(&url, &[0]).await;
        assert_eq!(c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await.status, 200);
    }
    // The good one gets every picture, without a hole, while the others stand still.
    let mut video = InOrder::new(&codec);
    let mut count = 0;
    while server.metrics.cut.load(Relaxed) == 0 || count < 300 {
        let (channel, p) = good.packet().await;
        if channel == 0 && video.push(&p).unwrap().is_some() {
            count += 1;
        }
        // The slow one takes a little now and then, so that it is not cut.
        if count % 20 == 0 {
            let mut buf = [0; 4096];
            let _ = slow.socket.try_read(&mut buf);
        }
        assert!(count < 2000, "the dead reader is not cut");
    }
    assert!(server.metrics.skipped.load(Relaxed) > 0);
    // `dead` was cut: whatever the kernel still held comes, then the end, and never half a packet in between.
    while let Some(m) = dead.next().await {
        assert!(matches!(m, Message::Packet(0 | 1, _)), "{m:?}");
    }
}

#[tokio::test]
async fn a_slow_reader_goes_on_at_a_key_frame() {
    let server = Server::with(OPEN, RtspConfig { send_buffer: 64 << 10, ..RtspConfig::default() }).await;
    let stream = server.hub.ensure(CAMERA);
    let mut out = stream.publisher(GapCause::SourceLost);
    let codec = Fixture::load().video;
    out.describe(vec![SourceTrack { clock_rate: 90_000, codec: codec.clone() }]).unwrap();
    out.push(unit(0, 0, 90_000, true, picture(true, 40_000))).unwrap();
    let url = server.url("door");
    let mut c = Client::connect(&server).await;
    let session = c.set_up(&url, &[0]).await;
    assert_eq!(c.ask("PLAY", &url, &format!("Session: {session}\r\n")).await.status, 200);
    // Two seconds of pictures while the reader stands still; it reads only when it has lost some.
    let mut i = 1;
    while server.metrics.skipped.load(Relaxed) == 0 || i < 200 {
        out.push(unit(0, i * 900, 90_000, i % 20 == 0, picture(i % 20 == 0, 40_000))).unwrap();
        i += 1;
        assert!(i < 1500, "nothing was skipped");
        tokio::time::sleep(Duration::from_millis(10)).await;
        if i > 200 {
            let mut buf = vec![0; 1 << 20];
            if let Ok(n) = c.socket.try_read(&mut buf) {
                c.feed(&buf[..n]);
            }
        }
    }
    out.push(unit(0, i * 900, 90_000, true, picture(true, 41_000))).unwrap();
    let mut video = InOrder::new(&codec);
    let (mut skipped_to, mut last_seq) = (None, None::<u16>);
    while skipped_to.is_none() {
        let (channel, p) = c.packet().await;
        if channel != 0 {
            continue;
        }
        let seq = u16::from_be_bytes([p[2], p[3]]);
        let hole = last_seq.replace(seq).is_some_and(|l| l.wrapping_add(1) != seq);
        if hole {
            video = InOrder::new(&codec);
        }
        // Whole pictures only, on both sides of every hole.
        if let Some(u) = video.push(&p).unwrap()
            && (hole || skipped_to.is_some())
        {
            skipped_to = Some(u);
        }
        if hole {
            let u = loop {
                let (channel, p) = c.packet().await;
                if channel == 0 {
                    last_seq = Some(u16::from_be_bytes([p[2], p[3]]));
                    if let Some(u) = video.push(&p).unwrap() {
                        break u;
                    }
                }
            };
            skipped_to = Some(u);
        }
    }
    assert!(h264::is_key(&skipped_to.unwrap().data));
}
