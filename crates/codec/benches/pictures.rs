//! What one picture costs: painting, encoding, decoding, JPEG.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use vigie_codec::paint::{Card, CardOptions, Moment};
use vigie_codec::{Colour, VideoDecoder, VideoEncoder, h264, jpeg};

fn card(width: u32, height: u32) -> Card {
    Card::new(&CardOptions { width, height, name: "Bench".into(), note: "bench".into(), colour: Colour::HD })
}

fn pictures(c: &mut Criterion) {
    for (name, w, h) in [("720p", 1280, 720), ("1080p", 1920, 1080)] {
        let mut g = c.benchmark_group(name);
        g.sample_size(30);
        let mut painter = card(w, h);
        let mut frame = 0u64;
        g.bench_function("paint", |b| {
            b.iter(|| {
                frame += 1;
                black_box(painter.paint(Moment { frame, unix_ms: frame as i64 * 40, zone_s: 0 }));
            });
        });
        let options = h264::EncoderOptions { fps: 25.0, bitrate_bps: 4_000_000, key_interval: 50, colour: Colour::HD };
        let mut e = h264::Encoder::new(options).unwrap();
        let mut frame = 0u64;
        g.bench_function("paint and encode", |b| {
            b.iter(|| {
                frame += 1;
                let p = painter.paint(Moment { frame, unix_ms: frame as i64 * 40, zone_s: 0 });
                black_box(e.encode(p.view(), Duration::from_millis(frame * 40), false).unwrap());
            });
        });
        let p = painter.paint(Moment { frame: 1, unix_ms: 1, zone_s: 0 }).clone();
        let key = e.encode(p.view(), Duration::from_millis(frame * 40 + 40), true).unwrap();
        let params = Arc::clone(e.params().unwrap());
        g.bench_function("decode a key frame, fresh", |b| {
            b.iter(|| black_box(h264::Decoder::new(&params).unwrap().still(&key.data).unwrap().width));
        });
        let mut warm = h264::Decoder::new(&params).unwrap();
        g.bench_function("decode a key frame, warm", |b| {
            b.iter(|| black_box(warm.decode(&key.data).unwrap().is_some()));
        });
        let mut j = jpeg::Encoder::new(80).unwrap();
        g.bench_function("jpeg", |b| b.iter(|| black_box(j.still(p.view(), None).unwrap().len())));
        g.bench_function("jpeg, 640 wide", |b| b.iter(|| black_box(j.still(p.view(), Some(640)).unwrap().len())));
        g.bench_function("snapshot, fresh: decode and jpeg", |b| {
            b.iter(|| {
                let mut d = h264::Decoder::new(&params).unwrap();
                let picture = d.still(&key.data).unwrap();
                black_box(jpeg::Encoder::new(80).unwrap().still(picture, None).unwrap().len())
            });
        });
        g.finish();
    }
}

criterion_group!(benches, pictures);
criterion_main!(benches);
