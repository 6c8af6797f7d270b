//! Cameras of the configuration file. **The file rules the fields it sets, people rule the others**; the key is the
//! slug; a camera that left the file is switched off, never deleted, for its recordings' sake (decision 42).

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use vigie_store::Camera;

use super::draft::Draft;
use super::input::Mode;
use super::{Cameras, slug};
use crate::error::{Error, FieldError, Result};

/// A camera in the configuration file (`[[cameras]]`): the keys of the API, plus `password_file`.
pub type DeclaredCamera = Map<String, Value>;

/// What a reconciliation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Slugs added.
    pub added: Vec<String>,
    /// Slugs changed.
    pub changed: Vec<String>,
    /// Slugs that the file no longer holds: disabled.
    pub disabled: Vec<String>,
}

/// The API's name of a field of the file.
fn canonical(key: &str) -> &str {
    match key {
        "url" | "rtsp_url" | "ip_address" | "port" => "primary_stream_url",
        "sub_url" => "secondary_stream_url",
        "transport" => "connection_config",
        "password_file" => "password",
        k => k,
    }
}

/// Fields whose values differ, by their names in the API.
pub(crate) fn differences(a: &Draft, b: &Draft) -> Vec<&'static str> {
    let (x, y) = (&a.fields, &b.fields);
    [
        ("name", x.name != y.name),
        ("slug", x.slug != y.slug),
        ("manufacturer", x.manufacturer != y.manufacturer),
        ("model", x.model != y.model),
        ("firmware_version", x.firmware_version != y.firmware_version),
        ("serial_number", x.serial_number != y.serial_number),
        ("connection_type", x.connection_type != y.connection_type),
        ("primary_stream_url", a.primary != b.primary),
        ("secondary_stream_url", a.secondary != b.secondary),
        ("snapshot_url", a.snapshot != b.snapshot),
        ("username", x.username != y.username),
        ("password", a.password != b.password),
        ("connection_config", x.connection_config != y.connection_config),
        ("club_id", x.club_id != y.club_id),
        ("terrain_id", x.terrain_id != y.terrain_id),
        ("enabled", x.enabled != y.enabled),
        ("always_on", x.always_on != y.always_on),
        ("tags", x.tags != y.tags),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

struct Plan {
    existing: Option<Camera>,
    draft: Draft,
}

impl Cameras {
    /// Makes the store agree with the configuration file. On an error nothing was changed; its field names begin with
    /// the slug.
    pub async fn reconcile(&self, declared: &[DeclaredCamera]) -> Result<Reconciled> {
        let _one = self.core.camera_changes.lock().await;
        let mut errors = Vec::new();
        let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
        for (i, table) in declared.iter().enumerate() {
            let key = table.get("slug").and_then(Value::as_str).unwrap_or_default().to_owned();
            let label = if key.is_empty() { format!("cameras[{i}]") } else { key.clone() };
            if let Err(code) = slug::check(&key) {
                errors.push(fault(
                    &label,
                    "slug",
                    code,
                    "every [[cameras]] table needs a `slug` that can stand in paths",
                ));
                continue;
            }
            if plans.contains_key(&key) {
                errors.push(fault(&label, "slug", "taken", "two [[cameras]] tables have this slug"));
                continue;
            }
            match self.plan(&key, table) {
                Ok(plan) => {
                    plans.insert(key, plan);
                }
                Err(Error::Fields(list)) => errors.extend(list.into_iter().map(|f| FieldError {
                    error: format!("camera `{label}`: {}", f.error),
                    field: format!("{label}.{}", f.field),
                    ..f
                })),
                Err(e) => return Err(e),
            }
        }
        self.check_names(&plans, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Fields(errors));
        }
        let mut done = Reconciled::default();
        let left: Vec<Camera> = {
            let cameras = self.core.cameras.read();
            let gone = |c: &&Camera| !c.fields.declared_fields.is_empty() && !plans.contains_key(&c.fields.slug);
            cameras.values().filter(gone).cloned().collect()
        };
        for (key, plan) in plans {
            match plan.existing {
                None => {
                    let court = plan.draft.fields.terrain_id;
                    let camera = self.insert(plan.draft).await?;
                    self.assign(camera.id, None, court).await?;
                    done.added.push(key);
                }
                Some(old) => {
                    let before = self.open(&old);
                    let same_rule = old.fields.declared_fields == plan.draft.fields.declared_fields;
                    if !differences(&before, &plan.draft).is_empty() || !same_rule {
                        let (was, court) = (before.fields.terrain_id, plan.draft.fields.terrain_id);
                        self.write(&old, plan.draft).await?;
                        self.assign(old.id, was, court).await?;
                        done.changed.push(key);
                    }
                }
            }
        }
        for camera in left {
            let mut draft = self.open(&camera);
            draft.fields.enabled = false;
            draft.fields.declared_fields.clear();
            done.disabled.push(camera.fields.slug.clone());
            self.write(&camera, draft).await?;
        }
        Ok(done)
    }

    fn plan(&self, key: &str, table: &DeclaredCamera) -> Result<Plan> {
        let existing = self.core.find_camera(key).filter(|c| c.fields.slug == key);
        let mut body = table.clone();
        if let Some(file) = body.remove("password_file") {
            let file =
                file.as_str().ok_or_else(|| Error::malformed("password_file", "`password_file` must be text"))?;
            body.insert("password".to_owned(), Value::String(read_password(Path::new(file))?));
        }
        if !body.contains_key("name") {
            body.insert("name".to_owned(), Value::String(key.to_owned()));
        }
        let mut fields: BTreeSet<String> = table.keys().map(|k| canonical(k).to_owned()).collect();
        let mut draft = existing.as_ref().map_or_else(Draft::empty, |c| self.open(c));
        let was_declared = !draft.fields.declared_fields.is_empty();
        if !was_declared && !fields.contains("enabled") {
            draft.fields.enabled = true;
        }
        // What the file set earlier and does not set now goes back to its default.
        for old in draft.fields.declared_fields.clone() {
            if !fields.contains(&old) && !["slug", "name", "connection_type"].contains(&old.as_str()) {
                body.entry(old).or_insert(Value::Null);
            }
        }
        // Credentials in the file's URL replace what was there, and so does a URL without any.
        if fields.contains("primary_stream_url") {
            fields.insert("connection_type".to_owned());
            for credential in ["username", "password"] {
                if !fields.contains(credential) && was_declared {
                    match credential {
                        "username" => draft.fields.username = None,
                        _ => draft.password = None,
                    }
                    body.remove(credential);
                }
            }
        }
        draft.apply(&body, Mode::Patch, &self.core.config.connection_types)?;
        if draft.fields.username.is_some() || draft.password.is_some() {
            fields.extend(["username".to_owned(), "password".to_owned()]);
        }
        draft.fields.declared_fields = fields.into_iter().collect();
        // The file is its owner's word, whoever set an address before.
        draft.walled = false;
        self.check_place(&mut draft)?;
        Ok(Plan { existing, draft })
    }

    /// Club and court of the file have to be there, and agree.
    fn check_place(&self, draft: &mut Draft) -> Result<()> {
        let f = &mut draft.fields;
        if let Some(id) = f.terrain_id {
            let court = self.core.court(id);
            let court = court.ok_or_else(|| Error::field("terrain_id", "value", "there is no such court"))?;
            if f.club_id.is_some_and(|c| c != court.club_id) {
                return Err(Error::field("club_id", "value", "the court belongs to another club"));
            }
            f.club_id = Some(court.club_id);
        }
        if f.club_id.is_some_and(|c| !self.core.clubs.read().contains_key(&c)) {
            return Err(Error::field("club_id", "value", "there is no such club"));
        }
        Ok(())
    }

    /// Names are unique per club, over the file and everything else.
    fn check_names(&self, plans: &BTreeMap<String, Plan>, errors: &mut Vec<FieldError>) {
        let mut names = BTreeSet::new();
        let cameras = self.core.cameras.read();
        let others = cameras.values().filter(|c| !plans.contains_key(&c.fields.slug)).map(|c| &c.fields);
        for f in others.chain(plans.values().map(|p| &p.draft.fields)) {
            if !names.insert((f.club_id, f.name.to_lowercase())) {
                errors.push(fault(&f.slug, "name", "taken", "two cameras have this name"));
            }
        }
    }
}

fn fault(label: &str, field: &str, code: &'static str, error: &str) -> FieldError {
    let field = format!("{label}.{field}");
    FieldError { field, code, error: format!("camera `{label}`: {error}"), malformed: false }
}

/// The first line of a small file.
fn read_password(path: &Path) -> Result<String> {
    let refuse = |why: String| Error::field("password_file", "value", format!("{}: {why}", path.display()));
    let meta = std::fs::metadata(path).map_err(|e| refuse(e.to_string()))?;
    if !meta.is_file() || meta.size() > 4096 {
        return Err(refuse("a password file is a small ordinary file".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
    match text.lines().next().map(str::trim_end) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(refuse("it is empty".to_owned())),
    }
}
