//! Tickets for previews (contract §20.5). The pictures themselves come from outputs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use vigie_control::auth::Ticket;

use crate::app::App;
use crate::auth::Who;
use crate::error::{ApiResult, Path};

#[derive(Serialize, ToSchema)]
pub(crate) struct TicketReply {
    success: bool,
    /// For `?ticket=`.
    ticket: String,
    /// Seconds.
    expires_in: u64,
}

impl TicketReply {
    pub(super) fn json(t: &Ticket) -> Json<Self> {
        Json(Self { success: true, ticket: t.ticket.reveal().to_owned(), expires_in: t.expires_in })
    }
}

/// A ticket for views of this session, so that `<img>` and players without a sign-in can show it.
#[utoipa::path(post, path = "/api/preview/{session_id}/ticket", tag = "preview", params(("session_id" = String, Path)),
    responses((status = 200, body = TicketReply)))]
pub(crate) async fn ticket(
    State(app): State<App>,
    Who(who): Who,
    Path(id): Path<String>,
) -> ApiResult<Json<TicketReply>> {
    Ok(TicketReply::json(&app.control().sessions.ticket(&who, &id).await?))
}
