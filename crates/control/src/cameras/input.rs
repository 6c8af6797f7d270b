//! Reading what people say about a camera. **Every field is judged, and all that is wrong is said at once.**

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Map, Value};
use url::{Host, Url};
use vigie_base::{RedactedUrl, Secret};

use super::draft::{Draft, Which, infer, shown};
use super::slug;
use crate::error::{Error, FieldError, Result};

/// Every connection type of the contract (§10.1), whether this version has it or not.
const TYPES: [&str; 15] = [
    "rtsp",
    "rtmp",
    "onvif",
    "http_mjpeg",
    "https",
    "webrtc",
    "hls",
    "cloud_api",
    "webhook",
    "nvr_dvr",
    "usb",
    "file",
    "csi",
    "screen",
    "testcard",
];
/// Fields of answers that clients send back with the rest; they are not theirs to set.
const OBSERVED: [&str; 14] = [
    "id",
    "has_password",
    "connection_health",
    "last_health_check",
    "uptime_percentage",
    "failed_connection_attempts",
    "last_error_message",
    "created_at",
    "updated_at",
    "declared",
    "declared_fields",
    "streams",
    "last_seen_at",
    "rtsp_path",
];

/// How a request changes a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is new.
    Create,
    /// Fields that are left out stay.
    Patch,
    /// Fields that are left out become what they are by default; slug and password stay.
    Replace,
}

struct Reader<'a> {
    body: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

/// What a request says of a field: nothing, `null`, or something.
enum Said<T> {
    Nothing,
    Null,
    This(T),
}

impl Reader<'_> {
    fn wrong(&mut self, field: &str, code: &'static str, error: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), code, error: error.into(), malformed: false });
    }

    fn unreadable(&mut self, field: &str, what: &str) {
        let error = format!("`{field}` must be {what}");
        self.errors.push(FieldError { field: field.to_owned(), code: "type", error, malformed: true });
    }

    fn text(&mut self, field: &str, max: usize) -> Said<String> {
        match self.body.get(field) {
            None => Said::Nothing,
            Some(Value::Null) => Said::Null,
            Some(Value::String(s)) => {
                let s = s.trim();
                if s.chars().count() > max {
                    self.wrong(field, "too_long", format!("`{field}` has at most {max} characters"));
                    Said::Nothing
                } else if s.chars().any(char::is_control) {
                    self.wrong(field, "value", format!("`{field}` holds control characters"));
                    Said::Nothing
                } else if s.is_empty() {
                    Said::Null
                } else {
                    Said::This(s.to_owned())
                }
            }
            Some(_) => {
                self.unreadable(field, "text");
                Said::Nothing
            }
        }
    }

    fn optional_text(&mut self, field: &str, max: usize, to: &mut Option<String>) {
        match self.text(field, max) {
            Said::Nothing => {}
            Said::Null => *to = None,
            Said::This(s) => *to = Some(s),
        }
    }

    fn flag(&mut self, field: &str, default: bool, to: &mut bool) {
        match self.body.get(field) {
            None => {}
            Some(Value::Null) => *to = default,
            Some(Value::Bool(b)) => *to = *b,
            Some(_) => self.unreadable(field, "true or false"),
        }
    }

    fn number(&mut self, field: &str, to: &mut Option<i64>) {
        match self.body.get(field) {
            None => {}
            Some(Value::Null) => *to = None,
            Some(v) => match v.as_i64() {
                Some(n) if n > 0 => *to = Some(n),
                Some(_) => self.wrong(field, "value", format!("`{field}` must be greater than 0")),
                None => self.unreadable(field, "a whole number"),
            },
        }
    }
}

impl Draft {
    /// Takes over what `body` says. `types` are the connection types that this program has.
    pub(crate) fn apply(&mut self, body: &Map<String, Value>, mode: Mode, types: &[&str]) -> Result<()> {
        let before = self.clone();
        if mode == Mode::Replace {
            let slug = std::mem::take(&mut self.fields.slug);
            let declared = std::mem::take(&mut self.fields.declared_fields);
            *self = Draft::empty();
            self.fields.slug = slug;
            self.fields.declared_fields = declared;
            // The court says which camera looks at it: leaving it out takes nothing from it.
            self.fields.terrain_id = before.fields.terrain_id;
            self.walled = before.walled;
            self.fields.username = before.fields.username.clone();
            self.password = before.password.clone();
        }
        let mut r = Reader { body, errors: Vec::new() };
        self.people(&mut r, mode);
        self.addresses(&mut r, &before);
        self.credentials(&mut r);
        self.connection_type(&mut r, types);
        self.config(&mut r);
        for field in body.keys() {
            if !KNOWN.contains(&field.as_str()) && !OBSERVED.contains(&field.as_str()) {
                r.wrong(field, "unknown", format!("there is no field `{field}`"));
            }
        }
        if r.errors.is_empty() { Ok(()) } else { Err(Error::Fields(r.errors)) }
    }

    fn people(&mut self, r: &mut Reader<'_>, mode: Mode) {
        let f = &mut self.fields;
        match r.text("name", 100) {
            Said::This(s) => f.name = s,
            Said::Nothing if mode == Mode::Patch || r.body.contains_key("name") => {}
            Said::Nothing | Said::Null => {
                let error = "`name` is missing".to_owned();
                r.errors.push(FieldError { field: "name".to_owned(), code: "missing", error, malformed: true });
            }
        }
        if let Said::This(s) = r.text("slug", 63) {
            match slug::check(&s) {
                Ok(()) => f.slug = s,
                Err(code) => r.wrong(
                    "slug",
                    code,
                    "a slug begins with a letter and has lower-case letters, digits and dashes; some words are reserved",
                ),
            }
        }
        r.optional_text("manufacturer", 100, &mut f.manufacturer);
        f.manufacturer = f.manufacturer.as_ref().map(|m| m.to_lowercase());
        r.optional_text("model", 100, &mut f.model);
        r.optional_text("firmware_version", 100, &mut f.firmware_version);
        r.optional_text("serial_number", 100, &mut f.serial_number);
        r.number("club_id", &mut f.club_id);
        r.number("terrain_id", &mut f.terrain_id);
        r.flag("enabled", true, &mut f.enabled);
        r.flag("always_on", false, &mut f.always_on);
        match r.body.get("tags") {
            None => {}
            Some(Value::Null) => f.tags.clear(),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                let tags: Vec<String> = list
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|t| t.trim().to_owned())
                    .filter(|t| !t.is_empty())
                    .collect();
                if tags.len() > 20 || tags.iter().any(|t| t.chars().count() > 50) {
                    r.wrong("tags", "too_long", "a camera has at most 20 tags of at most 50 characters");
                } else {
                    f.tags = tags;
                }
            }
            Some(_) => r.unreadable("tags", "a list of texts"),
        }
        if r.body.get("cloud_config").is_some_and(|v| !matches!(v, Value::Null) && v != &serde_json::json!({})) {
            r.wrong("cloud_config", "not_allowed", "this version connects no cloud cameras");
        }
    }

    /// URLs under their new, short and legacy names; then `ip_address` and `port`, which change or make the first.
    fn addresses(&mut self, r: &mut Reader<'_>, before: &Draft) {
        for (which, names) in [
            (Which::Primary, ["primary_stream_url", "url", "rtsp_url"].as_slice()),
            (Which::Secondary, ["secondary_stream_url", "sub_url"].as_slice()),
            (Which::Snapshot, ["snapshot_url"].as_slice()),
        ] {
            // `rtsp_url` is null in answers of cameras that are not RTSP: sent back, it says nothing.
            let said = names.iter().find(|n| r.body.get(**n).is_some_and(|v| !v.is_null()));
            let said = said.or(names.iter().take(names.len().min(2)).find(|n| r.body.contains_key(**n)));
            let Some(field) = said else { continue };
            match r.text(field, 2048) {
                Said::Nothing => {}
                Said::Null => self.set_url(which, None),
                Said::This(text) => self.address(r, before, which, field, &text),
            }
        }
        self.legacy_address(r, before);
        let testcard =
            self.fields.connection_type == "testcard" || r.body.get("connection_type") == Some(&"testcard".into());
        if testcard && self.primary.is_none() {
            self.set_url(Which::Primary, RedactedUrl::parse("testcard:").ok());
        }
        if self.primary.is_none() {
            let error = "`primary_stream_url` is missing".to_owned();
            let already =
                r.errors.iter().any(|e| ["primary_stream_url", "url", "rtsp_url", "port"].contains(&e.field.as_str()));
            if !already {
                let field = "primary_stream_url".to_owned();
                r.errors.push(FieldError { field, code: "missing", error, malformed: true });
            }
        }
    }

    fn address(&mut self, r: &mut Reader<'_>, before: &Draft, which: Which, field: &str, text: &str) {
        let was = before.fields_url(which);
        let has_password = before.password.is_some();
        if was.is_some() && (shown(was, before.fields.username.as_deref(), has_password).as_deref() == Some(text)) {
            // Sent back as it was shown.
            self.set_url(which, before.url(which).clone());
            return;
        }
        let parsed = if text.starts_with("/dev/video") {
            RedactedUrl::parse(&format!("usb://{text}")).ok()
        } else if text.starts_with('/') {
            Url::from_file_path(text).ok().and_then(|u| RedactedUrl::parse(u.as_str()).ok())
        } else {
            RedactedUrl::parse(text).ok()
        };
        let Some(url) = parsed else {
            r.wrong(field, "value", format!("`{field}` is not a URL"));
            return;
        };
        if infer(url.reveal()).is_none() {
            r.wrong(field, "value", format!("`{field}` has a scheme that no camera speaks"));
            return;
        }
        let needs_host = !matches!(url.reveal().scheme(), "testcard" | "file" | "usb");
        if needs_host && url.reveal().host_str().is_none_or(str::is_empty) {
            r.wrong(field, "value", format!("`{field}` names no host"));
            return;
        }
        if let Some(error) = refused_host(url.reveal()) {
            r.wrong(field, "not_allowed", error);
            return;
        }
        let masked = url.is_masked();
        let (bare, credentials) = url.split_credentials();
        if masked || credentials.as_ref().is_some_and(|(_, p)| is_mask(p.reveal())) {
            let error = format!("`{field}` has stars where the password belongs: give the real one, or use `password`");
            r.wrong(field, "masked_credentials", error);
            return;
        }
        if let Some((user, password)) = credentials {
            let user = (!user.is_empty()).then_some(user);
            let password = (!password.is_empty()).then_some(password);
            let first = which == Which::Primary;
            let same = self.fields.username == user && self.password == password;
            let free = self.fields.username.is_none() && self.password.is_none();
            if first || free {
                self.fields.username = user;
                self.password = password;
            } else if !same {
                r.wrong(field, "value", "both streams of a camera use the same user name and password");
                return;
            }
        }
        self.set_url(which, RedactedUrl::parse(bare.as_str()).ok());
    }

    fn fields_url(&self, which: Which) -> &Option<String> {
        match which {
            Which::Primary => &self.fields.primary_stream_url,
            Which::Secondary => &self.fields.secondary_stream_url,
            Which::Snapshot => &self.fields.snapshot_url,
        }
    }

    fn legacy_address(&mut self, r: &mut Reader<'_>, before: &Draft) {
        let ip = match r.text("ip_address", 255) {
            Said::This(s) => Some(s),
            Said::Nothing | Said::Null => None,
        };
        let port = match r.body.get("port") {
            None | Some(Value::Null) => None,
            Some(v) => match v.as_u64().and_then(|p| u16::try_from(p).ok()).filter(|p| *p > 0) {
                Some(p) => Some(p),
                None => {
                    r.wrong("port", "value", "`port` must be between 1 and 65535");
                    None
                }
            },
        };
        if ip.is_none() && port.is_none() {
            return;
        }
        match self.primary.clone() {
            // Given together with a URL that changed, they are what the URL was before, or say the same.
            Some(url) if before.primary.as_ref() == Some(&url) => {
                let mut changed = url.reveal().clone();
                if let Some(ip) = &ip
                    && changed.host_str() != Some(ip)
                    && changed.set_host(Some(ip)).is_err()
                {
                    r.wrong("ip_address", "value", "`ip_address` is not a host");
                    return;
                }
                if let Some(port) = port
                    && super::port_of(&changed) != Some(port)
                {
                    let _ = changed.set_port(Some(port));
                }
                if let Some(error) = refused_host(&changed) {
                    r.wrong("ip_address", "not_allowed", error);
                    return;
                }
                self.set_url(Which::Primary, RedactedUrl::parse(changed.as_str()).ok());
            }
            Some(_) => {}
            None => match (ip, port) {
                (Some(ip), None | Some(554 | 8554)) => {
                    let host = if ip.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{ip}]") } else { ip };
                    let text = format!("rtsp://{host}:{}/", port.unwrap_or(554));
                    self.address(r, before, Which::Primary, "ip_address", &text);
                }
                (Some(_), Some(_)) => {
                    r.wrong("port", "value", "what speaks on this port is not known: give the stream's URL")
                }
                (None, _) => {}
            },
        }
    }

    fn credentials(&mut self, r: &mut Reader<'_>) {
        r.optional_text("username", 128, &mut self.fields.username);
        match r.body.get("password") {
            None => {}
            Some(Value::Null) => self.password = None,
            Some(Value::String(s)) if s.is_empty() => self.password = None,
            Some(Value::String(s)) if s.len() > 256 || s.chars().any(char::is_control) => {
                r.wrong("password", "too_long", "`password` has at most 256 bytes and no control characters")
            }
            Some(Value::String(s)) if is_mask(s) => {
                r.wrong("password", "masked_credentials", "`password` is only stars: give the real one")
            }
            Some(Value::String(s)) => self.password = Some(Secret::new(s.clone())),
            Some(_) => r.unreadable("password", "text"),
        }
    }

    fn connection_type(&mut self, r: &mut Reader<'_>, types: &[&str]) {
        let inferred = self.primary.as_ref().and_then(|u| infer(u.reveal()));
        match r.text("connection_type", 32) {
            Said::This(s) if !TYPES.contains(&s.as_str()) => {
                r.wrong("connection_type", "value", format!("`{s}` is not a connection type"));
                return;
            }
            Said::This(s) => {
                // A type that contradicts the URL would fail at every attempt.
                let fits = inferred.is_none_or(|i| {
                    i == s || matches!((i, s.as_str()), ("http_mjpeg" | "https", "http_mjpeg" | "https" | "hls"))
                });
                if !fits && types.contains(&s.as_str()) {
                    // With a new URL of another scheme and the old type sent along, the URL is what was meant.
                    let stale = self.fields.connection_type == s;
                    if !stale {
                        r.wrong("connection_type", "value", format!("the URL does not fit the connection type `{s}`"));
                        return;
                    }
                    self.fields.connection_type = inferred.unwrap_or_default().to_owned();
                } else {
                    self.fields.connection_type = s;
                }
            }
            Said::Nothing | Said::Null => {
                if let Some(i) = inferred {
                    let kept = matches!(
                        (i, self.fields.connection_type.as_str()),
                        ("http_mjpeg" | "https", "http_mjpeg" | "https")
                    );
                    if !kept {
                        self.fields.connection_type = i.to_owned();
                    }
                }
            }
        }
        let t = self.fields.connection_type.clone();
        if !t.is_empty() && !types.contains(&t.as_str()) {
            r.wrong("connection_type", "not_allowed", format!("this version has no way in of type `{t}` yet"));
        }
    }

    fn config(&mut self, r: &mut Reader<'_>) {
        let mut config = match &self.fields.connection_config {
            Value::Object(o) => o.clone(),
            _ => Map::new(),
        };
        match r.body.get("connection_config") {
            None => {}
            Some(Value::Null) => config.clear(),
            Some(Value::Object(new)) => {
                for (key, value) in new {
                    // The old systems' name: seconds, or milliseconds when it would be minutes.
                    let old = (key == "timeout").then(|| value.as_f64()).flatten();
                    let in_ms = old.map(|t| Value::from(if t <= 120.0 { t * 1000.0 } else { t }.round() as u64));
                    let (key, value) = in_ms.as_ref().map_or((key.as_str(), value), |v| ("timeout_ms", v));
                    if value.is_null() {
                        config.remove(if key == "timeout" { "timeout_ms" } else { key });
                    } else if let Some(what) = config_fault(key, value) {
                        r.wrong(&format!("connection_config.{key}"), "value", format!("`{key}` {what}"));
                    } else {
                        config.insert(key.to_owned(), value.clone());
                    }
                }
            }
            Some(_) => r.unreadable("connection_config", "an object"),
        }
        match r.body.get("transport") {
            None => {}
            Some(Value::Null) => {
                config.remove("transport");
            }
            Some(v) => match config_fault("transport", v) {
                Some(what) => r.wrong("transport", "value", format!("`transport` {what}")),
                None => {
                    config.insert("transport".to_owned(), v.clone());
                }
            },
        }
        self.fields.connection_config = Value::Object(config);
    }
}

const KNOWN: [&str; 25] = [
    "name",
    "slug",
    "manufacturer",
    "model",
    "firmware_version",
    "serial_number",
    "connection_type",
    "primary_stream_url",
    "url",
    "rtsp_url",
    "secondary_stream_url",
    "sub_url",
    "snapshot_url",
    "ip_address",
    "port",
    "username",
    "password",
    "connection_config",
    "transport",
    "cloud_config",
    "club_id",
    "terrain_id",
    "enabled",
    "always_on",
    "tags",
];

fn is_mask(s: &str) -> bool {
    s.len() >= 3 && s.chars().all(|c| c == '*' || c == '•')
}

/// What is wrong with one key of `connection_config` (contract §10.6).
fn config_fault(key: &str, value: &Value) -> Option<&'static str> {
    let whole = |from: u64, to: u64| value.as_u64().is_some_and(|n| (from..=to).contains(&n));
    let text = |max: usize| value.as_str().is_some_and(|s| s.len() <= max && !s.chars().any(char::is_control));
    let number = |from: f64, to: f64| value.as_f64().is_some_and(|n| (from..=to).contains(&n));
    let fine = match key {
        "timeout_ms" => whole(100, 120_000),
        "retry" => whole(0, 100),
        "transport" => value.as_str().is_some_and(|s| ["auto", "tcp", "udp", "multicast", "http"].contains(&s)),
        "rtsp_keepalive" => value.is_boolean() || whole(1, 3600),
        "latency_ms" => whole(0, 60_000),
        "channel" => whole(0, 1024),
        "tls_fingerprint" => text(200),
        "user_agent" => text(200),
        "fps_limit" => number(0.1, 120.0),
        "loop" => value.is_boolean(),
        "speed" => number(0.1, 16.0),
        _ => return Some("is not an option of a connection"),
    };
    (!fine).then_some("has a value that makes no sense")
}

/// Addresses that are nobody's camera: link-local ones (cloud metadata above all), and those of no host.
fn refused_host(url: &Url) -> Option<&'static str> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip).to_canonical(),
        Host::Domain(d) => IpAddr::V4(numeric(d)?),
    };
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => (v6.segments()[0] & 0xffc0) == 0xfe80,
    };
    if link_local {
        return Some("link-local addresses are not allowed");
    }
    let nobody = ip.is_unspecified() || matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    nobody.then_some("this is no host's address")
}

/// The address that a host means when it is one in disguise: `url` reads `0xa9fea9fe` or `2852039166` as IPv4 only in
/// schemes of the web, while the resolver does so in all.
fn numeric(host: &str) -> Option<Ipv4Addr> {
    match Host::parse(host.trim_end_matches('.')) {
        Ok(Host::Ipv4(ip)) => Some(ip),
        _ => None,
    }
}

/// Whether a URL reaches into this machine, which club administrators may not do (decision 51).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
        Some(Host::Domain(d)) => {
            let d = d.trim_end_matches('.').to_ascii_lowercase();
            d == "localhost"
                || d.ends_with(".localhost")
                || numeric(&d).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())
        }
        None => false,
    }
}
