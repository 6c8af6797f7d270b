//! `vigie config`: every setting as it counts, and the place that said so. **Secrets are stars.**

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::serve::Serve;
use crate::config::Effective;

/// Options of `vigie config`: those of `vigie serve`, whose settings are shown.
#[derive(Debug, Args)]
pub(crate) struct ShowConfig {
    #[command(flatten)]
    serve: Serve,
    /// For programs: one JSON object, by key.
    #[arg(long)]
    json: bool,
}

impl ShowConfig {
    /// Prints the settings; what is odd about them goes to standard error.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let loaded = self.serve.origin().load()?;
        let text = if self.json { as_json(&loaded.effective)? } else { as_text(&loaded.effective) };
        let mut complaints = std::io::stderr().lock();
        for w in &loaded.warnings {
            // Whoever closed standard error does not want to know.
            let _ = writeln!(complaints, "vigie: {w}");
        }
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            // A pager that was closed has seen enough.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

fn as_text(settings: &[Effective]) -> String {
    let shown: Vec<(&str, String, &str)> = settings
        .iter()
        .map(|e| {
            let value = e.value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            (e.key, value, e.from.as_deref().unwrap_or("default"))
        })
        .collect();
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let key = widest(&mut shown.iter().map(|s| s.0.len()));
    // A list of networks is longer than a line; its place stands behind it.
    let value = widest(&mut shown.iter().map(|s| s.1.chars().count()).filter(|n| *n <= 40));
    shown.iter().map(|(k, v, from)| format!("{k:key$}  {v:value$}  {from}\n")).collect()
}

fn as_json(settings: &[Effective]) -> anyhow::Result<String> {
    let all: serde_json::Map<String, Value> = settings
        .iter()
        .map(|e| (e.key.to_owned(), json!({ "value": e.value, "from": e.from.as_deref().unwrap_or("default") })))
        .collect();
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_key_value_and_place() {
        let settings = [
            Effective { key: "tools.ffmpeg", value: Some("/opt/ffmpeg".into()), from: Some("command line".to_owned()) },
            Effective { key: "tls.cert", value: None, from: None },
        ];
        let text = as_text(&settings);
        assert_eq!(text, "tools.ffmpeg  \"/opt/ffmpeg\"  command line\ntls.cert      -              default\n");
        let v: Value = serde_json::from_str(&as_json(&settings).unwrap()).unwrap();
        assert_eq!(v["tools.ffmpeg"]["value"], json!("/opt/ffmpeg"));
        assert_eq!(v["tls.cert"], json!({ "value": null, "from": "default" }));
    }
}
