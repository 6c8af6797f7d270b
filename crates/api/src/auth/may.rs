//! Somebody who may do a thing at all. **Rights are asked before the rest of the request is read**, so that who may never
//! do it hears 403 and not what is wrong with the body, the query or a number that does not exist.
//!
//! Whether they may do it *to this*, the call into `control` decides, as for everybody.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use vigie_control::{Action, Identity, Target, decide};

use super::Who;
use crate::error::ApiError;

/// An action as a type.
pub(crate) trait Deed {
    /// The action.
    const ACTION: Action;
}

/// Who signed in and may do `D` to something.
#[derive(Debug)]
pub(crate) struct May<D>(pub(crate) Identity, pub(crate) PhantomData<D>);

impl<D: Deed, S: Sync> FromRequestParts<S> for May<D> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Who(who) = Who::from_request_parts(parts, state).await?;
        decide(&who, D::ACTION, &Target::Any).map_err(vigie_control::Error::from)?;
        Ok(Self(who, PhantomData))
    }
}

macro_rules! deeds {
    ($($name:ident),* $(,)?) => {
        $(
            #[doc = concat!("[`Action::", stringify!($name), "`].")]
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Deed for $name {
                const ACTION: Action = Action::$name;
            }
        )*
    };
}

deeds!(
    CleanUp,
    ControlSession,
    CreateSession,
    DeleteFile,
    EditClub,
    ManageCamera,
    ManageClubs,
    ManageCourts,
    ManageUsers,
    OwnAccount,
    OwnTokens,
    ReadAudit,
    ReadSystem,
    ViewPasses,
    ViewUsers,
);
