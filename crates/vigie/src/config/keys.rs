//! Every key that exists, how its value is written, and the names that the older systems gave it.
//!
//! **A key that is not in this list is not read**, and whoever writes one is told the nearest that is.

use std::path::Path;

use anyhow::{Context, bail};
use toml::Value;

/// How a key's value is written where there is only text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// Text that is never shown.
    Secret,
    Number,
    Switch,
    /// Comma-separated.
    List,
    /// Comma-separated numbers.
    Numbers,
}

use Shape::{List, Number, Numbers, Secret, Switch, Text};

/// Every key outside `[[cameras]]`. `VIGIE_` and the key in capitals, dots as underscores, sets it.
const KEYS: &[(&str, Shape)] = &[
    ("auth.admin_password", Secret),
    ("auth.admin_username", Text),
    ("auth.insecure_open", Switch),
    ("auth.mode", Text),
    ("compat.session_port_base", Number),
    ("compat.session_port_last", Number),
    ("compat.session_ports", Switch),
    ("http.allowed_networks", List),
    ("http.compat_ports", Numbers),
    ("http.cors_origins", List),
    ("http.listen", List),
    ("http.port", Number),
    ("http.public_url", Text),
    ("http.trusted_proxies", List),
    ("hub.budget_mb", Number),
    ("log.filter", Text),
    ("log.json", Switch),
    ("paths.etc", Text),
    ("paths.log", Text),
    ("paths.media", Text),
    ("paths.video_logs", Text),
    ("paths.videos", Text),
    ("reconnect.probe", Switch),
    ("record.crf", Number),
    ("record.default_duration_seconds", Number),
    ("record.encoder", Text),
    ("record.fps", Number),
    ("record.max_concurrent", Number),
    ("record.min_free_disk_mb", Number),
    ("record.preset", Text),
    ("record.video_mode", Text),
    ("rtsp.auth_method", Text),
    ("rtsp.enabled", Switch),
    ("rtsp.listen", Text),
    ("rtsp.open", Switch),
    ("rtsp.password", Secret),
    ("rtsp.port", Number),
    ("rtsp.rtp_port", Number),
    ("rtsp.trust_loopback", Switch),
    ("rtsp.user", Text),
    ("session.close_on_stop", Switch),
    ("session.replay_seconds", Number),
    ("session.timeout_seconds", Number),
    ("tls.cert", Text),
    ("tls.key", Text),
    ("tls.self_signed", Switch),
    ("tools.ffmpeg", Text),
    ("tools.ffprobe", Text),
];

/// Keys of one `[[cameras]]` table.
const CAMERA_KEYS: &[&str] = &[
    "always_on",
    "enabled",
    "manufacturer",
    "name",
    "password",
    "password_file",
    "slug",
    "sub_url",
    "timeout_ms",
    "transport",
    "type",
    "url",
    "username",
];

/// Names that the older systems used (contract §0.6, §20.10), and whether they count bare (decision 16 of the
/// corrections): the others mean something else in another of those systems, and take `PADELVAR_` or `[padelvar]`.
const SEED_NAMES: &[(&str, &str, bool)] = &[
    ("DEFAULT_DURATION_SECONDS", "record.default_duration_seconds", true),
    ("FFMPEG_PATH", "tools.ffmpeg", true),
    ("FFPROBE_PATH", "tools.ffprobe", true),
    ("LOGS_DIR", "paths.video_logs", true),
    ("MAX_CONCURRENT_RECORDINGS", "record.max_concurrent", true),
    ("MIN_FREE_DISK_MB", "record.min_free_disk_mb", true),
    ("PROXY_BASE_PORT", "compat.session_port_base", true),
    ("RTSP_AUTH_METHOD", "rtsp.auth_method", true),
    ("RTSP_PASSWORD", "rtsp.password", true),
    ("RTSP_PORT", "rtsp.port", true),
    ("RTSP_USER", "rtsp.user", true),
    ("SESSION_TIMEOUT_SECONDS", "session.timeout_seconds", true),
    ("VIDEOS_DIR", "paths.videos", true),
    ("VIDEO_CODEC", "record.encoder", false),
    ("VIDEO_CRF", "record.crf", false),
    ("VIDEO_FPS", "record.fps", false),
    ("VIDEO_PRESET", "record.preset", false),
];

/// Shorter names of ours.
const OWN_SHORT: &[(&str, &str)] = &[
    ("VIGIE_ADMIN_PASSWORD", "auth.admin_password"),
    ("VIGIE_ADMIN_USERNAME", "auth.admin_username"),
    ("VIGIE_HTTP", "http.listen"),
    ("VIGIE_LOG", "log.filter"),
    ("VIGIE_RTSP", "rtsp.listen"),
];

/// Variables of ours that are no configuration keys.
const OTHER_VARIABLES: &[&str] =
    &["VIGIE_CONFIG", "VIGIE_DATA_DIR", "VIGIE_DEMO", "VIGIE_INSECURE_OPEN", "VIGIE_SEED_PORTS"];

/// Every key, in order of the alphabet.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(k, _)| *k)
}

/// The key as this list holds it.
pub(super) fn find(key: &str) -> Option<&'static str> {
    all().find(|k| *k == key)
}

/// Whether a section of the file has keys.
pub(super) fn is_section(name: &str) -> bool {
    all().any(|k| k.split_once('.').is_some_and(|(s, _)| s == name))
}

/// Whether the value must never be shown.
pub(super) fn is_secret(key: &str) -> bool {
    shape(key) == Secret
}

fn shape(key: &str) -> Shape {
    KEYS.iter().find(|(k, _)| *k == key).map_or(Text, |(_, s)| *s)
}

/// Variables of ours, shorter names last: they win.
pub(super) fn own_variables() -> impl Iterator<Item = (String, &'static str)> {
    let full = all().map(|k| (format!("VIGIE_{}", k.replace('.', "_").to_uppercase()), k));
    full.chain(OWN_SHORT.iter().map(|(n, k)| ((*n).to_owned(), *k)))
}

/// Names of the older systems as they stand in an environment, bare ones first.
pub(super) fn seed_variables() -> impl Iterator<Item = (String, &'static str)> {
    let bare = SEED_NAMES.iter().filter(|(_, _, bare)| *bare).map(|(n, k, _)| ((*n).to_owned(), *k));
    bare.chain(SEED_NAMES.iter().map(|(n, k, _)| (format!("PADELVAR_{n}"), *k)))
}

/// The key that such a name means: bare, or with `prefixed` inside a `[padelvar]` section.
pub(super) fn seed_key(name: &str, prefixed: bool) -> Option<&'static str> {
    SEED_NAMES.iter().find(|(n, _, bare)| *n == name && (prefixed || *bare)).map(|(_, k, _)| *k)
}

/// A seed's folder is relative to where the program was started, as it was there; ours are relative to each other.
pub(super) fn seed_value(key: &str, value: Value) -> Value {
    match &value {
        Value::String(text) if matches!(key, "paths.videos" | "paths.video_logs") => {
            std::path::absolute(Path::new(text)).map_or(value.clone(), |p| Value::String(p.display().to_string()))
        }
        _ => value,
    }
}

/// Reads a value that was written as text.
pub(super) fn read(key: &str, text: &str) -> anyhow::Result<Value> {
    let items = || text.split(',').map(str::trim).filter(|s| !s.is_empty());
    let number = |s: &str| s.trim().parse().map(Value::Integer).context("a whole number is expected");
    Ok(match shape(key) {
        Text | Secret => Value::String(text.to_owned()),
        Number => number(text)?,
        Switch => Value::Boolean(match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "y" | "t" => true,
            "0" | "false" | "no" | "off" | "n" | "f" => false,
            _ => bail!("`true` or `false` is expected"),
        }),
        List => Value::Array(items().map(|s| Value::String(s.to_owned())).collect()),
        Numbers => Value::Array(items().map(number).collect::<anyhow::Result<_>>()?),
    })
}

/// Brings a value of a file into the form of its key. The failure does not quote it: it may be a password.
pub(super) fn shaped(key: &str, value: Value) -> anyhow::Result<Value> {
    let wanted = shape(key);
    Ok(match (wanted, value) {
        (_, Value::String(text)) => read(key, &text)?,
        (Text | Secret, Value::Integer(n)) => Value::String(n.to_string()),
        (List, Value::Integer(n)) => Value::Array(vec![Value::String(n.to_string())]),
        (Numbers, v @ Value::Integer(_)) => Value::Array(vec![v]),
        (Number, v @ Value::Integer(_)) | (Switch, v @ Value::Boolean(_)) => v,
        (List | Numbers, Value::Array(items)) => {
            let mut out = Vec::new();
            for item in items {
                match shaped_item(wanted, item) {
                    Some(v) => out.push(v),
                    None => bail!("{}", expected(wanted)),
                }
            }
            Value::Array(out)
        }
        _ => bail!("{}", expected(wanted)),
    })
}

fn shaped_item(list: Shape, item: Value) -> Option<Value> {
    match (list, item) {
        (List, Value::String(s)) => Some(Value::String(s)),
        (List, Value::Integer(n)) => Some(Value::String(n.to_string())),
        (Numbers, v @ Value::Integer(_)) => Some(v),
        (Numbers, Value::String(s)) => s.trim().parse().ok().map(Value::Integer),
        _ => None,
    }
}

fn expected(shape: Shape) -> &'static str {
    match shape {
        Text | Secret => "text is expected",
        Number => "a whole number is expected",
        Switch => "`true` or `false` is expected",
        List => "a list of texts is expected",
        Numbers => "a list of whole numbers is expected",
    }
}

/// A sentence for a key of a file that nothing reads.
pub(super) fn unknown(dotted: &str) -> String {
    let sections = all().filter_map(|k| k.split('.').next()).chain(["cameras", "padelvar"]);
    let near = if dotted.contains('.') { nearest(dotted, all()) } else { nearest(dotted, sections) };
    sentence("key", dotted, near)
}

/// Sentences for keys of `[[cameras]]` tables that nothing reads.
pub(super) fn unknown_of_camera(table: &toml::Table) -> impl Iterator<Item = String> + '_ {
    let unknown = table.keys().filter(|k| !CAMERA_KEYS.contains(&k.as_str()));
    unknown.map(|k| sentence("key", &format!("cameras.{k}"), nearest(k, CAMERA_KEYS.iter().copied())))
}

/// A sentence for a variable that begins with `VIGIE_` and means nothing; `None` when it does.
pub(super) fn unknown_variable(name: &str) -> Option<String> {
    let known: Vec<String> =
        own_variables().map(|(n, _)| n).chain(OTHER_VARIABLES.iter().map(|n| (*n).to_owned())).collect();
    if known.iter().any(|k| k == name) {
        return None;
    }
    Some(match nearest(name, known.iter().map(String::as_str)) {
        Some(n) => format!("the environment variable {name} is not known and ignored; did you mean {n}?"),
        None => format!("the environment variable {name} is not known and ignored"),
    })
}

fn sentence(what: &str, name: &str, near: Option<&str>) -> String {
    match near {
        Some(n) => format!("unknown {what} `{name}` in the configuration is ignored; did you mean `{n}`?"),
        None => format!("unknown {what} `{name}` in the configuration is ignored"),
    }
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.len() / 3).max(2);
    known.map(|k| (distance(name, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// Edits (insert, delete, replace) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_a_key_that_exists() {
        for (name, key) in own_variables().chain(seed_variables()) {
            assert!(find(key).is_some(), "{name} means {key}, which is no key");
        }
        assert!(all().is_sorted(), "the list is kept in order");
    }

    #[test]
    fn clashing_names_of_the_older_systems_take_a_prefix() {
        assert_eq!(seed_key("VIDEO_FPS", false), None);
        assert_eq!(seed_key("VIDEO_FPS", true), Some("record.fps"));
        assert_eq!(seed_key("FFMPEG_PATH", false), Some("tools.ffmpeg"));
        let names: Vec<String> = seed_variables().map(|(n, _)| n).collect();
        assert!(names.contains(&"PADELVAR_VIDEO_FPS".to_owned()) && !names.contains(&"VIDEO_FPS".to_owned()));
    }

    #[test]
    fn values_of_files_are_read_generously_and_never_quoted() {
        let text = |s: &str| Value::String(s.to_owned());
        assert_eq!(shaped("http.compat_ports", text("5002, 8000")).unwrap(), Value::from(vec![5002, 8000]));
        assert_eq!(shaped("http.listen", Value::Integer(80)).unwrap(), Value::from(vec!["80"]));
        assert_eq!(shaped("record.max_concurrent", text("12")).unwrap(), Value::Integer(12));
        assert_eq!(shaped("rtsp.password", Value::Integer(1234)).unwrap(), text("1234"));
        let e = shaped("rtsp.password", Value::Array(vec![text("S3cr3t")])).unwrap_err().to_string();
        assert_eq!(e, "text is expected");
        assert!(shaped("record.crf", Value::Float(1.5)).is_err());
    }
}
