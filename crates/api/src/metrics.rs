//! `GET /metrics` for Prometheus. **Label values come from bounded sets**: camera numbers, stream names, route
//! templates, methods and status classes; never a path, name or address that a client chose.

mod process;

use std::fmt;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use vigie_hub::{Hub, StreamState};

use crate::app::App;

/// Counters of this crate, and a view of the hub taken at each scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: &'static str,
}

impl Metrics {
    pub(crate) fn new(hub: Hub, readings: Option<Readings>) -> Self {
        let mut registry = Registry::with_prefix("vigie");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("http_requests", "HTTP requests answered, by route template", requests.clone());
        registry.register_collector(Box::new(Streams(hub)));
        registry.register_collector(Box::new(process::Process));
        if let Some(readings) = readings {
            registry.register_collector(Box::new(readings));
        }
        Self { registry, requests }
    }

    /// The exposition text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(4096);
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// Counts requests by the template of their route.
pub(crate) async fn count(
    State(app): State<App>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    };
    let route = route.map_or_else(|| "none".to_owned(), |r| r.as_str().to_owned());
    let response = next.run(request).await;
    let status = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    app.metrics().requests.get_or_create(&RequestLabels { method, route, status }).inc();
    response
}

/// The hub's streams.
#[derive(Debug)]
struct Streams(Hub);

type Labels = [(&'static str, String); 2];

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let streams: Vec<(Labels, StreamState)> = self
            .0
            .list()
            .iter()
            .map(|s| {
                let key = s.key();
                ([("camera", key.camera.to_string()), ("stream", key.stream.as_str().to_owned())], s.state())
            })
            .collect();
        let mut gauge = |name: &str, help: &str, value: &dyn Fn(&StreamState) -> f64| -> fmt::Result {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, state) in &streams {
                ConstGauge::new(value(state)).encode(family.encode_family(labels)?)?;
            }
            Ok(())
        };
        gauge("stream_up", "1 while media flows", &|s| f64::from(u8::from(s.status.as_str() == "live")))?;
        gauge("stream_bitrate_bps", "Measured bits per second", &|s| s.bitrate_bps as f64)?;
        gauge("stream_fps", "Measured pictures per second", &|s| s.fps)?;
        gauge("stream_viewers", "Readers that watch", &|s| s.viewers as f64)?;
        gauge("stream_recorders", "Readers that record", &|s| s.recorders as f64)?;
        gauge("stream_held_bytes", "Bytes of media held for newcomers", &|s| s.ring_bytes as f64)?;
        gauge("stream_last_unit_age_seconds", "Age of the newest unit; -1 before the first", &|s| {
            s.last_unit_age.map_or(-1.0, |d| d.as_secs_f64())
        })?;
        let mut counter = |name: &str, help: &str, value: &dyn Fn(&StreamState) -> u64| -> fmt::Result {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (labels, state) in &streams {
                ConstCounter::new(value(state)).encode(family.encode_family(labels)?)?;
            }
            Ok(())
        };
        counter("stream_units", "Access units published", &|s| s.units)?;
        counter("stream_bytes", "Bytes published", &|s| s.bytes)?;
        counter("stream_skipped_units", "Units that slow readers had to skip", &|s| s.skipped_units)?;
        counter("stream_discarded_units", "Units thrown away on arrival", &|s| s.discarded_units)?;
        counter("stream_connects", "Connections that brought media", &|s| s.connects)?;
        let mut states =
            encoder.encode_descriptor("stream_state", "1 for the present state", None, MetricType::Gauge)?;
        for (labels, state) in &streams {
            let [camera, stream] = labels.clone();
            let labels = [camera, stream, ("state", state.status.as_str().to_owned())];
            ConstGauge::new(1i64).encode(states.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// A collector that the binary adds (RTSP counters): name without prefix, help, kind and value.
pub type Reading = (&'static str, &'static str, bool, u64);

/// Reads counters of a part that this crate cannot see.
#[derive(Clone)]
pub struct Readings(pub Arc<dyn Fn() -> Vec<Reading> + Send + Sync>);

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readings")
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, grows, value) in (self.0)() {
            if grows {
                let m = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
                ConstCounter::new(value).encode(m)?;
            } else {
                let m = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(m)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_base::{CameraId, StreamKey};

    #[test]
    fn a_scrape_shows_streams_and_the_process() {
        let hub = Hub::default();
        let _stream = hub.ensure(StreamKey::main(CameraId(7)));
        let text = Metrics::new(hub, None).text().unwrap();
        assert!(text.contains("vigie_stream_state{camera=\"7\",stream=\"main\",state=\"idle\"} 1"), "{text}");
        assert!(text.contains("vigie_process_resident_bytes "), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
