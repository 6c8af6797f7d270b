//! Cameras that are there from the start: those the file declares, and the demo.

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tracing::{info, warn};
use vigie_control::cameras::DeclaredCamera;
use vigie_control::{Control, Identity, Kind};

use crate::config::CameraTable;

/// Makes the store agree with the file.
pub(super) async fn reconcile(control: &Arc<Control>, tables: &[CameraTable]) -> anyhow::Result<()> {
    let declared = tables.iter().map(declared).collect::<anyhow::Result<Vec<_>>>()?;
    let done = control.cameras.reconcile(&declared).await.map_err(|e| anyhow::anyhow!("{e}"))?;
    if !(done.added.is_empty() && done.changed.is_empty() && done.disabled.is_empty()) {
        info!(added = ?done.added, changed = ?done.changed, disabled = ?done.disabled, "cameras of the file taken over");
    }
    Ok(())
}

/// A table in the words of the API.
fn declared(table: &CameraTable) -> anyhow::Result<DeclaredCamera> {
    let mut m = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(v) = value {
            m.insert(key.to_owned(), v);
        }
    };
    put("slug", Some(json!(table.slug)));
    put("name", Some(json!(table.name.as_ref().unwrap_or(&table.slug))));
    put("primary_stream_url", Some(json!(table.url)));
    put("secondary_stream_url", table.sub_url.as_ref().map(|v| json!(v)));
    put("connection_type", table.kind.as_ref().map(|v| json!(v)));
    put("username", table.username.as_ref().map(|v| json!(v)));
    put("manufacturer", table.manufacturer.as_ref().map(|v| json!(v)));
    put("always_on", table.always_on.map(|v| json!(v)));
    put("enabled", table.enabled.map(|v| json!(v)));
    let mut connection = Map::new();
    if let Some(t) = &table.transport {
        connection.insert("transport".to_owned(), json!(t));
    }
    if let Some(t) = table.timeout_ms {
        connection.insert("timeout_ms".to_owned(), json!(t));
    }
    put("connection_config", (!connection.is_empty()).then_some(Value::Object(connection)));
    let password = table.secret().context("[[cameras]]")?;
    put("password", password.map(|p| json!(p.reveal())));
    Ok(m)
}

/// Adds the demo camera unless there is one; says whether it is there.
pub(super) async fn ensure_demo(control: &Arc<Control>) -> bool {
    let who = Identity::system();
    match control.cameras.get(&who, "demo").await {
        Ok(_) => return true,
        Err(e) if e.kind() == Kind::NotFound => {}
        Err(e) => {
            warn!(error = %e, "cannot look for the demo camera");
            return false;
        }
    }
    let body = json!({
        "name": "Demo",
        "slug": "demo",
        "connection_type": "testcard",
        "primary_stream_url": "testcard:?width=1280&height=720&fps=25&name=Demo",
        "secondary_stream_url": "testcard:?width=640&height=360&fps=12.5&gop=25&bitrate=400&name=Demo",
    });
    let Value::Object(body) = body else { return false };
    match control.cameras.create(&who, &body).await {
        Ok(_) => true,
        Err(e) => {
            warn!(error = %e, "the demo camera could not be added");
            false
        }
    }
}
