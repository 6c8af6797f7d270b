//! Signing in and out, one's own account, API tokens (contract §0.9).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use vigie_base::{Secret, UnixMillis};
use vigie_control::auth::{NewToken, SignedIn, TokenView, UserView};
use vigie_store::Role;

use super::{DONE, Done};
use crate::app::App;
use crate::auth::may::{May, OwnAccount, OwnTokens};
use crate::auth::{Peer, RefreshToken, Who, clear_cookies, set_cookies};
use crate::error::{ApiError, ApiResult, Body, Path};
use crate::lang::Lang;

#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginInput {
    username: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignInReply {
    success: bool,
    /// For `Authorization: Bearer`.
    token: String,
    /// Seconds.
    expires_in: u64,
    user: UserView,
}

impl From<&SignedIn> for SignInReply {
    fn from(s: &SignedIn) -> Self {
        let token = s.token.reveal().to_owned();
        Self { success: true, token, expires_in: s.expires_in, user: s.user.clone() }
    }
}

/// The answer to a sign-in: the token for programs, cookies for browsers.
pub(super) fn signed_in(app: &App, status: StatusCode, s: &SignedIn) -> Response {
    let mut response = (status, Json(SignInReply::from(s))).into_response();
    set_cookies(&mut response, s, app.settings().secure);
    response
}

/// Sign in.
#[utoipa::path(post, path = "/api/auth/login", tag = "sign-in", request_body = LoginInput,
    responses((status = 200, body = SignInReply)))]
pub(crate) async fn login(State(app): State<App>, peer: Peer, Body(input): Body<LoginInput>) -> ApiResult<Response> {
    let password = Secret::new(input.password);
    let done = app.control().auth.login(peer.caller(), input.username.trim(), &password).await?;
    Ok(signed_in(&app, StatusCode::OK, &done))
}

/// A new token for the refresh cookie, or for a token that is still valid.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "sign-in", responses((status = 200, body = SignInReply)))]
pub(crate) async fn refresh(
    State(app): State<App>,
    RefreshToken(token): RefreshToken,
    who: Option<axum::Extension<vigie_control::Identity>>,
) -> ApiResult<Response> {
    let Some(token) = token else {
        let who = who.ok_or_else(ApiError::unauthenticated)?;
        let done = app.control().auth.renew(&who).await?;
        return Ok(Json(SignInReply::from(&done)).into_response());
    };
    match app.control().auth.refresh(&token).await {
        Ok(done) => Ok(signed_in(&app, StatusCode::OK, &done)),
        Err(e) => {
            let mut response = ApiError::from(e).into_response();
            clear_cookies(&mut response, app.settings().secure);
            Ok(response)
        }
    }
}

/// Sign out.
#[utoipa::path(post, path = "/api/auth/logout", tag = "sign-in", responses((status = 200, body = Done)))]
pub(crate) async fn logout(State(app): State<App>, Who(who): Who) -> ApiResult<Response> {
    app.control().auth.logout(&who).await?;
    let mut response = DONE.into_response();
    clear_cookies(&mut response, app.settings().secure);
    Ok(response)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MeReply {
    success: bool,
    user: UserView,
    /// What everybody should see on every page; missing when there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    banner: Option<&'static str>,
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/auth/me", tag = "sign-in", responses((status = 200, body = MeReply)))]
pub(crate) async fn me(State(app): State<App>, lang: Lang, Who(who): Who) -> ApiResult<Json<MeReply>> {
    Ok(Json(MeReply { success: true, user: app.control().auth.me(&who)?, banner: app.banner(lang) }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordInput {
    #[serde(alias = "old_password")]
    current_password: String,
    new_password: String,
}

/// Change one's own password; every other sign-in ends.
#[utoipa::path(post, path = "/api/auth/password", tag = "sign-in", request_body = PasswordInput,
    responses((status = 200, body = SignInReply)))]
pub(crate) async fn password(
    State(app): State<App>,
    May(who, ..): May<OwnAccount>,
    peer: Peer,
    Body(input): Body<PasswordInput>,
) -> ApiResult<Response> {
    let (old, new) = (Secret::new(input.current_password), Secret::new(input.new_password));
    let done = app.control().auth.change_password(&who, peer.caller(), &old, &new).await?;
    Ok(signed_in(&app, StatusCode::OK, &done))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct StreamPasswordInput {
    /// Make a new one; the old one stops working.
    renew: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StreamPasswordReply {
    success: bool,
    username: String,
    password: String,
}

/// One's own password for RTSP players; made when there is none yet.
#[utoipa::path(post, path = "/api/auth/stream-password", tag = "sign-in", request_body = StreamPasswordInput,
    responses((status = 200, body = StreamPasswordReply)))]
pub(crate) async fn stream_password(
    State(app): State<App>,
    May(who, ..): May<OwnAccount>,
    input: Option<Json<StreamPasswordInput>>,
) -> ApiResult<Json<StreamPasswordReply>> {
    let renew = input.is_some_and(|i| i.renew);
    let c = app.control().auth.stream_password(&who, renew).await?;
    Ok(Json(StreamPasswordReply { success: true, username: c.username, password: c.password.reveal().to_owned() }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokensReply {
    success: bool,
    count: usize,
    tokens: Vec<TokenView>,
}

/// One's API tokens.
#[utoipa::path(get, path = "/api/auth/tokens", tag = "sign-in", responses((status = 200, body = TokensReply)))]
pub(crate) async fn tokens(State(app): State<App>, May(who, ..): May<OwnTokens>) -> ApiResult<Json<TokensReply>> {
    let tokens = app.control().auth.tokens(&who)?;
    Ok(Json(TokensReply { success: true, count: tokens.len(), tokens }))
}

/// A limit that is spelt wrong must not be a limit that is missing: unknown fields are refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenInput {
    name: String,
    /// `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`; at most one's own, which is the default.
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    club_id: Option<i64>,
    #[serde(default)]
    read_only: bool,
    /// RFC 3339.
    #[serde(default)]
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NewTokenReply {
    success: bool,
    /// Shown this once.
    token: String,
    api_token: TokenView,
}

/// Make an API token.
#[utoipa::path(post, path = "/api/auth/tokens", tag = "sign-in", request_body = TokenInput,
    responses((status = 201, body = NewTokenReply)))]
pub(crate) async fn create_token(
    State(app): State<App>,
    May(who, ..): May<OwnTokens>,
    Body(input): Body<TokenInput>,
) -> ApiResult<Response> {
    let role = match input.role.as_deref() {
        None => None,
        Some(word) => Some(
            Role::parse(word).map_err(|_| ApiError::invalid("role", "a role is SUPER_ADMIN, CLUB_ADMIN or PLAYER"))?,
        ),
    };
    let expires_at = match input.expires_at.as_deref() {
        None => None,
        Some(text) => Some(
            OffsetDateTime::parse(text, &Rfc3339)
                .map(|t| UnixMillis(t.unix_timestamp().saturating_mul(1000)))
                .map_err(|_| ApiError::invalid("expires_at", "a time looks like 2027-01-31T12:00:00Z"))?,
        ),
    };
    let new = NewToken { name: input.name, role, club_id: input.club_id, read_only: input.read_only, expires_at };
    let (api_token, secret) = app.control().auth.create_token(&who, new).await?;
    let body = NewTokenReply { success: true, token: secret.reveal().to_owned(), api_token };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Drop an API token.
#[utoipa::path(delete, path = "/api/auth/tokens/{id}", tag = "sign-in", params(("id" = i64, Path)),
    responses((status = 200, body = Done)))]
pub(crate) async fn delete_token(
    State(app): State<App>,
    May(who, ..): May<OwnTokens>,
    Path(id): Path<i64>,
) -> ApiResult<Json<Done>> {
    app.control().auth.delete_token(&who, id).await?;
    Ok(DONE)
}
