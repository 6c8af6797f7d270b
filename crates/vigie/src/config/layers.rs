//! The layers, merged into one table, with a note of where each value came from.
//!
//! **A layer is complete before the next one is put over it**: within a layer a full address wins over a port alone,
//! and a port alone keeps the hosts that lower layers named.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::{env_file, keys};

/// Environment variables, passed in so that tests need not touch the process.
pub(crate) type Environment = BTreeMap<String, String>;
/// What the command line sets, by dotted key.
pub(crate) type Overrides = Vec<(&'static str, Value)>;

/// A settings file longer than this is none.
const LONGEST_FILE: u64 = 4 << 20;

/// Where settings come from, beside the environment and the command line.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// `vigie.toml`.
    pub(crate) toml: PathBuf,
    /// Whether the operator named that file, which then has to be there.
    pub(crate) named: bool,
    /// The folder of `config.env` and `config.json` when `paths.etc` says nothing.
    pub(crate) etc: PathBuf,
}

/// One place's settings, in the order in which they were found there.
#[derive(Debug, Default)]
struct Layer {
    values: Vec<(&'static str, Value, String)>,
    cameras: Option<Value>,
}

/// All layers together.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The sections of `vigie.toml`.
    pub(super) table: Table,
    /// Where a key's value was set, for those that were.
    pub(super) from: BTreeMap<&'static str, String>,
    /// Sentences for the log.
    pub(super) warnings: Vec<String>,
}

/// Reads the files and merges everything, lowest first.
pub(super) fn merge(files: &Files, env: &Environment, cli: &Overrides) -> anyhow::Result<Merged> {
    let mut out = Merged::default();
    let name = files.toml.display().to_string();
    let toml = match text_of(&files.toml)? {
        Some(text) => text.parse().map_err(|e| without_source(&e)).context(name.clone())?,
        None if files.named => bail!("cannot read the configuration file {name}: there is no such file"),
        None => Table::new(),
    };
    let file = sections(toml, &name, &mut out.warnings)?;
    let (seeds, own) = environment(env, &mut out.warnings)?;
    let over =
        Layer { values: cli.iter().map(|(k, v)| (*k, v.clone(), "command line".to_owned())).collect(), cameras: None };
    // Where the older systems' files are is itself a setting, of the layers above them.
    let etc = [&over, &own, &seeds, &file].into_iter().find_map(|l| l.text("paths.etc"));
    let etc = etc.map_or_else(|| files.etc.clone(), PathBuf::from);
    let json = json(&etc.join("config.json"), &mut out.warnings)?;
    let shell = shell(&etc.join("config.env"), &mut out.warnings)?;
    for layer in [json, shell, file, seeds, own, over] {
        out.put(layer)?;
    }
    Ok(out)
}

impl Layer {
    fn push(&mut self, key: &'static str, value: Value, from: &str) {
        self.values.push((key, value, from.to_owned()));
    }

    /// Reads a variable. One that is empty is not set, but a list can be emptied by us.
    fn variable(&mut self, key: &'static str, text: &str, own: bool, from: &str) -> anyhow::Result<()> {
        let value = match keys::read(key, text) {
            Ok(list @ Value::Array(_)) if own => list,
            _ if text.trim().is_empty() => return Ok(()),
            read => read.with_context(|| format!("{from} is not usable"))?,
        };
        let value = if own { value } else { keys::seed_value(key, value) };
        self.push(key, value, from);
        Ok(())
    }

    fn text(&self, key: &str) -> Option<String> {
        let found = self.values.iter().rev().find(|(k, ..)| *k == key)?;
        found.1.as_str().map(str::to_owned)
    }
}

impl Merged {
    fn put(&mut self, layer: Layer) -> anyhow::Result<()> {
        if let Some(cameras) = layer.cameras {
            self.table.insert("cameras".to_owned(), cameras);
        }
        let (ports, rest): (Vec<_>, Vec<_>) = layer.values.into_iter().partition(|(k, ..)| k.ends_with(".port"));
        for (key, value, from) in ports {
            let listen = if key == "http.port" { "http.listen" } else { "rtsp.listen" };
            let port = value.as_integer().and_then(|n| u16::try_from(n).ok());
            let port = port.with_context(|| format!("{from}: {key} is not a port number"))?;
            let value = keys::shaped(listen, with_port(self.get(listen), port))?;
            self.set(listen, value, from);
        }
        for (key, value, from) in rest {
            self.set(key, value, from);
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<&Value> {
        let (section, name) = key.split_once('.')?;
        self.table.get(section)?.get(name)
    }

    fn set(&mut self, key: &'static str, value: Value, from: String) {
        let Some((section, name)) = key.split_once('.') else { return };
        let section = self.table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Some(t) = section.as_table_mut() {
            t.insert(name.to_owned(), value);
            self.from.insert(key, from);
        }
    }
}

/// The same hosts with another port.
fn with_port(listen: Option<&Value>, port: u16) -> Value {
    let moved = |text: &str| {
        let host = super::address(text).map_or(IpAddr::from([0, 0, 0, 0]), |a| a.ip());
        Value::String(SocketAddr::new(host, port).to_string())
    };
    match listen {
        Some(Value::Array(all)) => Value::Array(all.iter().filter_map(Value::as_str).map(moved).collect()),
        Some(Value::String(one)) => moved(one),
        _ => moved("0.0.0.0:0"),
    }
}

/// An error's message and place without the quoted line, which may hold a secret.
pub(super) fn without_source(e: &toml::de::Error) -> anyhow::Error {
    match e.span() {
        Some(span) => anyhow::anyhow!("{} (at byte {})", e.message(), span.start),
        None => anyhow::anyhow!("{}", e.message()),
    }
}

fn text_of(path: &Path) -> anyhow::Result<Option<String>> {
    let unreadable = || format!("cannot read the configuration file {}", path.display());
    let size = match std::fs::metadata(path) {
        Ok(m) => m.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(unreadable),
    };
    if size > LONGEST_FILE {
        bail!("{}: it is too long to be one", unreadable());
    }
    std::fs::read_to_string(path).map(Some).with_context(unreadable)
}

/// The settings of `vigie.toml`, or of a JSON file of the same form.
fn sections(table: Table, file: &str, warnings: &mut Vec<String>) -> anyhow::Result<Layer> {
    let mut out = Layer::default();
    let mut padelvar = None;
    for (section, value) in table {
        match (section.as_str(), value) {
            ("cameras", value) => {
                let tables = value.as_array().into_iter().flatten().filter_map(Value::as_table);
                warnings.extend(tables.flat_map(keys::unknown_of_camera));
                out.cameras = Some(value);
            }
            ("padelvar", Value::Table(t)) => padelvar = Some(t),
            (name, Value::Table(t)) if keys::is_section(name) => {
                for (key, value) in t {
                    let dotted = format!("{name}.{key}");
                    match keys::find(&dotted) {
                        Some(k) => out.push(k, shaped(k, value, file)?, file),
                        None => warnings.push(keys::unknown(&dotted)),
                    }
                }
            }
            (name, _) if keys::is_section(name) => bail!("{file}: `{name}` has to be a section of settings"),
            (name, value) => match keys::seed_key(name, false) {
                Some(k) => out.push(k, keys::seed_value(k, shaped(k, value, file)?), file),
                None => warnings.push(keys::unknown(name)),
            },
        }
    }
    // The older systems' names, where a file of ours repeats them in our own words.
    let mut seeds = Layer { cameras: out.cameras.take(), ..Layer::default() };
    for (name, value) in padelvar.unwrap_or_default() {
        match keys::seed_key(&name.to_uppercase(), true) {
            Some(k) => seeds.push(k, keys::seed_value(k, shaped(k, value, file)?), file),
            None => warnings.push(keys::unknown(&format!("padelvar.{name}"))),
        }
    }
    seeds.values.append(&mut out.values);
    Ok(seeds)
}

fn shaped(key: &'static str, value: Value, file: &str) -> anyhow::Result<Value> {
    keys::shaped(key, value).with_context(|| format!("`{key}` in {file} is not usable"))
}

fn json(path: &Path, warnings: &mut Vec<String>) -> anyhow::Result<Layer> {
    let Some(text) = text_of(path)? else { return Ok(Layer::default()) };
    let name = path.display().to_string();
    // A syntax error tells line and column, not content.
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| anyhow::anyhow!("{name} is not JSON: {e}"))?;
    match toml_of(value) {
        Some(Value::Table(table)) => sections(table, &name, warnings),
        _ => bail!("{name} does not hold a JSON object"),
    }
}

/// JSON in the words of TOML, which knows no `null`: what is null is not set.
fn toml_of(value: serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(b) => Value::Boolean(b),
        serde_json::Value::Number(n) => {
            n.as_i64().map_or_else(|| n.as_f64().map(Value::Float), |i| Some(Value::Integer(i)))?
        }
        serde_json::Value::String(s) => Value::String(s),
        serde_json::Value::Array(a) => Value::Array(a.into_iter().filter_map(toml_of).collect()),
        serde_json::Value::Object(o) => {
            Value::Table(o.into_iter().filter_map(|(k, v)| Some((k, toml_of(v)?))).collect())
        }
    })
}

fn shell(path: &Path, warnings: &mut Vec<String>) -> anyhow::Result<Layer> {
    let Some(text) = text_of(path)? else { return Ok(Layer::default()) };
    let name = path.display();
    let read = env_file::parse(&text);
    if !read.odd_lines.is_empty() {
        let lines: Vec<String> = read.odd_lines.iter().map(ToString::to_string).collect();
        warnings.push(format!("{name}: not understood and ignored: line {}", lines.join(", ")));
    }
    let pairs: BTreeMap<&str, &str> = read.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut out = Layer::default();
    let mut known = Vec::new();
    for (own, names) in [(false, keys::seed_variables().collect::<Vec<_>>()), (true, keys::own_variables().collect())] {
        for (variable, key) in names {
            if let Some(value) = pairs.get(variable.as_str()) {
                out.variable(key, value, own, &format!("{variable} in {name}"))?;
                known.push(variable);
            }
        }
    }
    let unknown: Vec<&str> = pairs.keys().copied().filter(|k| !known.iter().any(|n| n == k)).collect();
    if !unknown.is_empty() {
        warnings.push(format!("{name}: not known and ignored: {}", unknown.join(", ")));
    }
    Ok(out)
}

/// The older names, and ours.
fn environment(env: &Environment, warnings: &mut Vec<String>) -> anyhow::Result<(Layer, Layer)> {
    let (mut seeds, mut own) = (Layer::default(), Layer::default());
    for (name, key) in keys::seed_variables() {
        if let Some(v) = env.get(&name) {
            seeds.variable(key, v, false, &format!("the environment variable {name}"))?;
        }
    }
    for (name, key) in keys::own_variables() {
        if let Some(v) = env.get(&name) {
            own.variable(key, v, true, &format!("the environment variable {name}"))?;
        }
    }
    warnings.extend(env.keys().filter(|n| n.starts_with("VIGIE_")).filter_map(|n| keys::unknown_variable(n)));
    Ok((seeds, own))
}
