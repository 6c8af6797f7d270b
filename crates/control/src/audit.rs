//! Who did what. **Whatever changes something says so here**, with the name then, the target and the address; secrets
//! never.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tracing::warn;
use vigie_base::UserId;
use vigie_store::{AuditEntry, AuditFilter, StoredAudit};

use crate::auth::{Auth, Caller};
use crate::core::Core;
use crate::error::Result;
use crate::policy::{Action, Identity, Target, decide};

/// Who a refused sign-in is noted for when the name is nobody's: what people type there may be a password.
pub(crate) const NOBODY: &str = "anonymous";

/// An entry of the audit log as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditView {
    /// Grows with time.
    pub id: i64,
    /// RFC 3339.
    pub at: String,
    /// Who; null for somebody not signed in, and for Vigie itself.
    pub user_id: Option<i64>,
    /// The name then; of an API token `user/token`.
    pub actor: String,
    /// A stable word such as `camera.delete`.
    pub action: String,
    /// To what, e.g. `camera/3`.
    pub target: String,
    /// From which address.
    pub address: Option<String>,
    /// More, for machines; never a secret.
    pub details: Value,
}

impl From<StoredAudit> for AuditView {
    fn from(a: StoredAudit) -> Self {
        let e = a.entry;
        Self {
            id: a.id,
            at: e.at.rfc3339(),
            user_id: e.user_id.map(|u| u.0),
            actor: e.actor,
            action: e.action,
            target: e.target,
            address: e.address,
            details: e.details,
        }
    }
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// By this name.
    pub actor: Option<String>,
    /// This action; with a trailing dot, all that begin so (`camera.`).
    pub action: Option<String>,
    /// Older than this entry.
    pub before: Option<i64>,
    /// 1–1000.
    pub limit: u32,
}

/// The audit log. See the module.
#[derive(Debug, Clone)]
pub struct Audit {
    pub(crate) core: Arc<Core>,
}

impl Audit {
    /// Entries, newest first; for super administrators.
    pub async fn list(&self, who: &Identity, query: AuditQuery) -> Result<Vec<AuditView>> {
        decide(who, Action::ReadAudit, &Target::Any)?;
        let AuditQuery { actor, action, before, limit } = query;
        let found = self.core.store.audit(&AuditFilter { actor, action, before, limit }).await?;
        Ok(found.into_iter().map(AuditView::from).collect())
    }
}

impl Auth {
    /// Notes what somebody did who was identified.
    pub(crate) async fn note(&self, who: &Identity, action: &str, target: &str, details: Value) {
        let user = (who.user_id.0 > 0).then_some(who.user_id);
        let address = who.address.map(|a| a.to_canonical().to_string());
        self.write_audit(user, &who.username, action, target, address, details).await;
    }

    /// Notes who did what. A note that cannot be written must not undo what was done.
    pub(crate) async fn audit(
        &self,
        user_id: Option<UserId>,
        actor: &str,
        action: &str,
        target: &str,
        caller: Option<Caller>,
    ) {
        let address = caller.map(|c| c.address.to_canonical().to_string());
        self.write_audit(user_id, actor, action, target, address, Value::Null).await;
    }

    async fn write_audit(
        &self,
        user_id: Option<UserId>,
        actor: &str,
        action: &str,
        target: &str,
        address: Option<String>,
        details: Value,
    ) {
        let entry = AuditEntry {
            at: self.clock.wall(),
            user_id,
            actor: actor.to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            address,
            details,
        };
        if let Err(e) = self.store.insert_audit(&entry).await {
            warn!(action, error = %e, "the audit log could not be written");
        }
    }
}
