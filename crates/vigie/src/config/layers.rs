//! The layers over `vigie.toml`, and the list of all keys that exist.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use toml::{Table, Value};

/// Environment variables, passed in so that tests need not touch the process.
pub(crate) type Environment = BTreeMap<String, String>;
/// What the command line sets, by dotted key.
pub(crate) type Overrides = Vec<(&'static str, Value)>;

/// How a key's value is written in an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Switch,
    /// Comma-separated.
    List,
}

use Shape::{List, Number, Switch, Text};

/// Every key outside `[[cameras]]`. `VIGIE_` and the key in capitals, dots as underscores, sets it.
const KEYS: &[(&str, Shape)] = &[
    ("auth.admin_password", Text),
    ("auth.admin_username", Text),
    ("http.cors_origins", List),
    ("http.listen", Text),
    ("http.public_url", Text),
    ("hub.budget_mb", Number),
    ("log.filter", Text),
    ("log.json", Switch),
    ("paths.log", Text),
    ("paths.media", Text),
    ("reconnect.probe", Switch),
    ("record.default_duration_seconds", Number),
    ("record.max_concurrent", Number),
    ("record.min_free_disk_mb", Number),
    ("rtsp.auth_method", Text),
    ("rtsp.listen", Text),
    ("rtsp.open", Switch),
    ("rtsp.password", Text),
    ("rtsp.rtp_port", Number),
    ("rtsp.trust_loopback", Switch),
    ("rtsp.user", Text),
    ("session.close_on_stop", Switch),
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

/// Names that the older systems used (contract §0.6, §20.10), and shorter ones for the two addresses.
const ALIASES: &[(&str, &str)] = &[
    ("FFMPEG_PATH", "tools.ffmpeg"),
    ("FFPROBE_PATH", "tools.ffprobe"),
    ("RTSP_USER", "rtsp.user"),
    ("RTSP_PASSWORD", "rtsp.password"),
    ("RTSP_AUTH_METHOD", "rtsp.auth_method"),
    ("MIN_FREE_DISK_MB", "record.min_free_disk_mb"),
    ("MAX_CONCURRENT_RECORDINGS", "record.max_concurrent"),
    ("SESSION_TIMEOUT_SECONDS", "session.timeout_seconds"),
    ("DEFAULT_DURATION_SECONDS", "record.default_duration_seconds"),
];

/// Variables of ours that are not configuration keys.
const OTHER_VARIABLES: &[&str] = &["VIGIE_CONFIG", "VIGIE_DATA_DIR", "VIGIE_DEMO", "VIGIE_LOG_JSON"];

const OWN_SHORT: &[(&str, &str)] = &[
    ("VIGIE_HTTP", "http.listen"),
    ("VIGIE_RTSP", "rtsp.listen"),
    ("VIGIE_LOG", "log.filter"),
    ("VIGIE_ADMIN_USERNAME", "auth.admin_username"),
    ("VIGIE_ADMIN_PASSWORD", "auth.admin_password"),
];

/// An error's message and place without the quoted line, which may hold a secret.
pub(super) fn without_source(e: &toml::de::Error) -> anyhow::Error {
    match e.span() {
        Some(span) => anyhow::anyhow!("{} (at byte {})", e.message(), span.start),
        None => anyhow::anyhow!("{}", e.message()),
    }
}

/// A sentence for each key that nothing reads.
pub(super) fn unknown_keys(table: &Table) -> Vec<String> {
    let mut out = Vec::new();
    for (section, value) in table {
        if section == "cameras" {
            let tables = value.as_array().into_iter().flatten().filter_map(Value::as_table);
            for key in tables.flat_map(Table::keys).filter(|k| !CAMERA_KEYS.contains(&k.as_str())) {
                out.push(sentence(&format!("cameras.{key}"), key, CAMERA_KEYS.iter().copied()));
            }
            continue;
        }
        let prefix = format!("{section}.");
        let Some(inner) = value.as_table().filter(|_| KEYS.iter().any(|(k, _)| k.starts_with(&prefix))) else {
            out.push(sentence(section, section, sections()));
            continue;
        };
        for key in inner.keys() {
            let dotted = format!("{prefix}{key}");
            if !KEYS.iter().any(|(k, _)| *k == dotted) {
                out.push(sentence(&dotted, &dotted, KEYS.iter().map(|(k, _)| *k)));
            }
        }
    }
    out
}

fn sections() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|(k, _)| k.split('.').next()).chain(["cameras"])
}

fn sentence(shown: &str, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    match nearest(name, known) {
        Some(n) => format!("unknown key `{shown}` in the configuration is ignored; did you mean `{n}`?"),
        None => format!("unknown key `{shown}` in the configuration is ignored"),
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

/// Puts environment variables over the file: the older names first, ours over them.
pub(super) fn apply_environment(
    table: &mut Table,
    env: &Environment,
    warnings: &mut Vec<String>,
) -> anyhow::Result<()> {
    let full: Vec<(String, &str)> =
        KEYS.iter().map(|(k, _)| (format!("VIGIE_{}", k.replace('.', "_").to_uppercase()), *k)).collect();
    let own = full.iter().map(|(n, k)| (n.as_str(), *k)).chain(OWN_SHORT.iter().copied());
    for (name, key) in ALIASES.iter().copied().chain(own) {
        if let Some(v) = env.get(name) {
            let value = read(key, v).with_context(|| format!("the environment variable {name} is not usable"))?;
            set(table, key, value);
        }
    }
    for (name, key) in
        [("RTSP_PORT", "rtsp.listen"), ("VIGIE_RTSP_PORT", "rtsp.listen"), ("VIGIE_HTTP_PORT", "http.listen")]
    {
        // A port alone keeps the address that a lower layer named; the full address in VIGIE_… wins over it.
        if let Some(v) = env.get(name)
            && !own_address_given(env, key)
        {
            let port: u16 = v.trim().parse().with_context(|| format!("{name} is not a port number"))?;
            let host = get(table, key)
                .and_then(Value::as_str)
                .and_then(|a| a.parse::<std::net::SocketAddr>().ok())
                .map_or(std::net::IpAddr::from([0, 0, 0, 0]), |a| a.ip());
            set(table, key, Value::String(std::net::SocketAddr::new(host, port).to_string()));
        }
    }
    let known: Vec<&str> = full
        .iter()
        .map(|(n, _)| n.as_str())
        .chain(OWN_SHORT.iter().map(|(n, _)| *n))
        .chain(OTHER_VARIABLES.iter().copied())
        .chain(["VIGIE_RTSP_PORT", "VIGIE_HTTP_PORT"])
        .collect();
    for name in env.keys().filter(|n| n.starts_with("VIGIE_") && !known.contains(&n.as_str())) {
        warnings.push(match nearest(name, known.iter().copied()) {
            Some(n) => format!("the environment variable {name} is not known and ignored; did you mean {n}?"),
            None => format!("the environment variable {name} is not known and ignored"),
        });
    }
    Ok(())
}

fn own_address_given(env: &Environment, key: &str) -> bool {
    let names: [&str; 2] =
        if key == "rtsp.listen" { ["VIGIE_RTSP", "VIGIE_RTSP_LISTEN"] } else { ["VIGIE_HTTP", "VIGIE_HTTP_LISTEN"] };
    names.iter().any(|n| env.contains_key(*n))
}

/// Puts the command line over everything.
pub(super) fn apply_overrides(table: &mut Table, cli: &Overrides) {
    for (key, value) in cli {
        set(table, key, value.clone());
    }
}

fn read(key: &str, text: &str) -> anyhow::Result<Value> {
    let shape = KEYS.iter().find(|(k, _)| *k == key).map_or(Text, |(_, s)| *s);
    Ok(match shape {
        Text => Value::String(text.to_owned()),
        Number => Value::Integer(text.trim().parse().context("a whole number is expected")?),
        Switch => Value::Boolean(match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => true,
            "0" | "false" | "no" | "off" | "" => false,
            _ => bail!("`true` or `false` is expected"),
        }),
        List => Value::Array(
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| Value::String(s.to_owned())).collect(),
        ),
    })
}

fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (section, name) = key.split_once('.')?;
    table.get(section)?.get(name)
}

fn set(table: &mut Table, key: &str, value: Value) {
    let Some((section, name)) = key.split_once('.') else { return };
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    // A section that is not a table is left for the typed step to complain about.
    if let Some(t) = entry.as_table_mut() {
        t.insert(name.to_owned(), value);
    }
}
