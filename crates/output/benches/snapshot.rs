//! What a snapshot costs through the router: fresh (a new key frame each time) and already made.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use axum::{Extension, Router};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use tower::ServiceExt;
use vigie_base::{CameraId, Secret, StreamKey};
use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{Colour, VideoEncoder, h264};
use vigie_hub::gate::RtspAccess;
use vigie_hub::{GapCause, Gate, Hub, Principal, Publisher, SourceTrack, SourceUnit, Verb};
use vigie_media::TrackId;

struct Open;

#[async_trait]
impl Gate for Open {
    fn rtsp_access(&self) -> RtspAccess {
        RtspAccess { basic: false, digest: false, trust_loopback: true, open: true }
    }
    async fn stream_secret(&self, _: &str) -> Option<(Principal, Secret)> {
        None
    }
    async fn allow(&self, _: &Principal, _: StreamKey, _: Verb) -> bool {
        true
    }
    async fn resolve(&self, _: &str) -> Option<StreamKey> {
        Some(StreamKey::main(CameraId(1)))
    }
}

fn push(out: &mut Publisher, n: i64, data: &Bytes) {
    let unit = SourceUnit {
        track: TrackId(0),
        pts: n * 3600,
        dts: Some(n * 3600),
        shared_ns: None,
        arrived: Instant::now(),
        key: true,
        data: data.clone(),
    };
    out.push(unit).unwrap();
}

async fn ask(app: &Router) -> usize {
    let request = Request::get("/api/cameras/1/snapshot.jpg").body(Body::empty()).unwrap();
    let r = app.clone().oneshot(request).await.unwrap();
    assert!(r.status().is_success());
    axum::body::to_bytes(r.into_body(), usize::MAX).await.unwrap().len()
}

fn snapshots(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let options =
        CardOptions { width: 1920, height: 1080, name: "Bench".into(), note: "1080p".into(), colour: Colour::HD };
    let mut card = Card::new(&options);
    let options = h264::EncoderOptions { fps: 25.0, bitrate_bps: 4_000_000, key_interval: 50, colour: Colour::HD };
    let mut encoder = h264::Encoder::new(options).unwrap();
    let picture = card.paint(Moment { frame: 1, unix_ms: 1_763_695_320_240, zone_s: 0 });
    let key = encoder.encode(picture.view(), Duration::ZERO, true).unwrap().data;
    let mut out = stream.publisher(GapCause::Restart);
    out.describe(vec![SourceTrack { clock_rate: 90_000, codec: encoder.codec().unwrap() }]).unwrap();
    push(&mut out, 0, &key);
    let gate: Arc<dyn Gate> = Arc::new(Open);
    let app = vigie_output::pictures::router(hub, gate)
        .split_for_parts()
        .0
        .layer(Extension(Principal::User { id: 1, name: "bench".into() }));

    let mut g = c.benchmark_group("snapshot 1080p");
    g.sample_size(40);
    g.bench_function("already made", |b| b.iter(|| runtime.block_on(ask(&app))));
    let mut n = 1;
    g.bench_function("fresh", |b| {
        b.iter(|| {
            push(&mut out, n, &key);
            n += 1;
            runtime.block_on(ask(&app))
        });
    });
    g.finish();
}

criterion_group!(benches, snapshots);
criterion_main!(benches);
