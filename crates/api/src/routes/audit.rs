//! The audit log (contract §20.11).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vigie_control::audit::{AuditQuery, AuditView};

use crate::app::App;
use crate::auth::may::{May, ReadAudit};
use crate::error::{ApiResult, Query};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditInput {
    /// 1–1000; 100 when missing.
    limit: Option<u32>,
    /// Older than the entry of this number.
    before: Option<i64>,
    /// By this name, without regard to case.
    actor: Option<String>,
    /// This action; with a trailing dot, every action that begins so (`camera.`).
    action: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AuditReply {
    success: bool,
    count: usize,
    /// Newest first.
    entries: Vec<AuditView>,
}

/// Who did what; for super administrators.
#[utoipa::path(get, path = "/api/admin/audit", tag = "accounts", params(AuditInput),
    responses((status = 200, body = AuditReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    May(who, ..): May<ReadAudit>,
    Query(q): Query<AuditInput>,
) -> ApiResult<Json<AuditReply>> {
    let said = |s: Option<String>| s.filter(|s| !s.is_empty());
    let query = AuditQuery {
        actor: said(q.actor),
        action: said(q.action),
        before: q.before,
        limit: q.limit.unwrap_or(100).clamp(1, 1000),
    };
    let entries = app.control().audit.list(&who, query).await?;
    Ok(Json(AuditReply { success: true, count: entries.len(), entries }))
}
