//! What the kernel says about this process (proc(5)).

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads `/proc/self` at each scrape; elsewhere than on Linux it shows nothing.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some(bytes) = std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident_bytes) {
            let m = encoder.encode_descriptor("process_resident_bytes", "Memory in use", None, MetricType::Gauge)?;
            ConstGauge::new(bytes).encode(m)?;
        }
        if let Some(seconds) = std::fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_seconds) {
            let m =
                encoder.encode_descriptor("process_cpu_seconds", "Processor time used", None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(m)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            let m =
                encoder.encode_descriptor("process_open_files", "Open files and sockets", None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(files.count()).unwrap_or(i64::MAX)).encode(m)?;
        }
        Ok(())
    }
}

fn resident_bytes(status: &str) -> Option<i64> {
    let kib: i64 = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// User and system time, fields 14 and 15. The second field holds the program's name and may hold spaces. The unit is
/// USER_HZ, which Linux fixed at 100 for all programs.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = after_name.next()?.parse::<f64>().ok()? + after_name.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_words_are_understood() {
        assert_eq!(resident_bytes("Name:\tvigie\nVmRSS:\t   2048 kB\n"), Some(2_097_152));
        let stat = "12 (a b) c) S 1 1 1 0 -1 4194304 100 0 0 0 150 50 0 0 20 0";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("nonsense"), None);
    }
}
