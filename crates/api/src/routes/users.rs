//! Accounts (contract §20.11).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vigie_base::Secret;
use vigie_control::auth::{AccountChange, AccountView, NewAccount};
use vigie_store::Role;

use super::{DONE, Done, sent};
use crate::app::App;
use crate::auth::may::{ManageUsers, May, ViewUsers};
use crate::error::{ApiError, ApiResult, Body, Path, Query};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    club_id: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UsersReply {
    success: bool,
    count: usize,
    users: Vec<AccountView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UserReply {
    success: bool,
    user: AccountView,
}

fn one(user: AccountView) -> Json<UserReply> {
    Json(UserReply { success: true, user })
}

/// Accounts that the caller may manage, by name.
#[utoipa::path(get, path = "/api/admin/users", tag = "accounts", params(UsersQuery),
    responses((status = 200, body = UsersReply)))]
pub(crate) async fn list(
    State(app): State<App>,
    May(who, ..): May<ViewUsers>,
    Query(q): Query<UsersQuery>,
) -> ApiResult<Json<UsersReply>> {
    let users = app.control().auth.accounts(&who, q.club_id)?;
    Ok(Json(UsersReply { success: true, count: users.len(), users }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewUserInput {
    /// At most 64 letters, digits and `. _ - @ +`; unique without regard to case.
    username: String,
    /// At least 10 characters; made up, and answered this once, when it is left out.
    #[serde(default)]
    password: Option<String>,
    /// `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`.
    role: String,
    /// For everybody but super administrators; a club administrator's own when it is left out.
    #[serde(default)]
    club_id: Option<i64>,
    /// Whether it may sign in; true when it is left out.
    #[serde(default)]
    enabled: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NewUserReply {
    success: bool,
    user: AccountView,
    /// Only when it was made up here, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

fn role(word: &str) -> ApiResult<Role> {
    Role::parse(word).map_err(|_| ApiError::invalid("role", "a role is SUPER_ADMIN, CLUB_ADMIN or PLAYER"))
}

/// Add an account.
#[utoipa::path(post, path = "/api/admin/users", tag = "accounts", request_body = NewUserInput,
    responses((status = 201, body = NewUserReply)))]
pub(crate) async fn create(
    State(app): State<App>,
    May(who, ..): May<ManageUsers>,
    Body(input): Body<NewUserInput>,
) -> ApiResult<Response> {
    let new = NewAccount {
        username: input.username,
        password: input.password.map(Secret::new),
        role: role(&input.role)?,
        club_id: input.club_id,
        enabled: input.enabled.unwrap_or(true),
    };
    let (user, password) = app.control().auth.create_account(&who, new).await?;
    let password = password.map(|p| p.reveal().to_owned());
    Ok((StatusCode::CREATED, Json(NewUserReply { success: true, user, password })).into_response())
}

/// One account.
#[utoipa::path(get, path = "/api/admin/users/{id}", tag = "accounts", params(("id" = i64, Path)),
    responses((status = 200, body = UserReply)))]
pub(crate) async fn get(
    State(app): State<App>,
    May(who, ..): May<ViewUsers>,
    Path(id): Path<i64>,
) -> ApiResult<Json<UserReply>> {
    Ok(one(app.control().auth.account(&who, id)?))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct UserChangeInput {
    #[serde(default)]
    username: Option<String>,
    /// `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`.
    #[serde(default)]
    role: Option<String>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    club_id: Option<Option<i64>>,
    #[serde(default)]
    enabled: Option<bool>,
}

/// Change an account; fields that are left out stay. What it may do changes with its next call; one that is disabled is
/// signed out everywhere.
#[utoipa::path(put, path = "/api/admin/users/{id}", tag = "accounts", params(("id" = i64, Path)),
    request_body = UserChangeInput, responses((status = 200, body = UserReply)))]
pub(crate) async fn change(
    State(app): State<App>,
    May(who, ..): May<ManageUsers>,
    Path(id): Path<i64>,
    Body(input): Body<UserChangeInput>,
) -> ApiResult<Json<UserReply>> {
    let change = AccountChange {
        username: input.username,
        role: input.role.as_deref().map(role).transpose()?,
        club_id: input.club_id,
        enabled: input.enabled,
    };
    Ok(one(app.control().auth.change_account(&who, id, change).await?))
}

/// Remove an account; what it recorded stays.
#[utoipa::path(delete, path = "/api/admin/users/{id}", tag = "accounts", params(("id" = i64, Path)),
    responses((status = 200, body = Done)))]
pub(crate) async fn delete(
    State(app): State<App>,
    May(who, ..): May<ManageUsers>,
    Path(id): Path<i64>,
) -> ApiResult<Json<Done>> {
    app.control().auth.delete_account(&who, id).await?;
    Ok(DONE)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct ResetInput {
    /// At least 10 characters; made up, and answered this once, when it is left out.
    password: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResetReply {
    success: bool,
    /// Only when it was made up here, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Give somebody else's account a new password; it is signed out everywhere.
#[utoipa::path(post, path = "/api/admin/users/{id}/password", tag = "accounts", params(("id" = i64, Path)),
    request_body = ResetInput, responses((status = 200, body = ResetReply)))]
pub(crate) async fn reset(
    State(app): State<App>,
    May(who, ..): May<ManageUsers>,
    Path(id): Path<i64>,
    Body(input): Body<ResetInput>,
) -> ApiResult<Json<ResetReply>> {
    let made_up = app.control().auth.reset_password(&who, id, input.password.map(Secret::new)).await?;
    Ok(Json(ResetReply { success: true, password: made_up.map(|p| p.reveal().to_owned()) }))
}
