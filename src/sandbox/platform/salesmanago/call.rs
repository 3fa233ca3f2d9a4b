//! One authenticated call: reads the body once for its credentials and once for what it asks.
//! Every handler takes a [`Call`], so none can forget to check the signature.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::Salesmanago;
use super::auth::Credentials;
use super::reply::Refusal;

/// The largest body that is read.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// A call that passed the signature check.
pub struct Call<T> {
    /// What the endpoint itself takes.
    pub body: T,
    owner: Option<String>,
    user: Option<String>,
    /// The host that the client used, for links that lead back here.
    pub host: String,
}

impl<T> Call<T> {
    /// The owner, which must be a user of the account.
    pub fn owner(&self, service: &Salesmanago) -> Result<u16, Refusal> {
        named_user(service, self.owner.as_deref(), "Owner cannot be empty")
    }

    /// The user of a call that insists on `user` and does not look at `owner`.
    pub fn user(&self, service: &Salesmanago) -> Result<u16, Refusal> {
        named_user(service, self.user.as_deref(), "User cannot be empty")
    }

    /// The owner of a call that takes `owner` and `user` alike.
    pub fn owner_or_user(&self, service: &Salesmanago) -> Result<u16, Refusal> {
        let name = self.owner.as_deref().or(self.user.as_deref());
        named_user(service, name, "Owner cannot be empty")
    }
}

fn named_user(service: &Salesmanago, name: Option<&str>, when_missing: &str) -> Result<u16, Refusal> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::said(when_missing))?;
    service.user(name).ok_or_else(|| Refusal::said(format!("Owner {name} does not exist")))
}

impl<T: DeserializeOwned + Send> FromRequest<Arc<Salesmanago>> for Call<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, service: &Arc<Salesmanago>) -> Result<Self, Refusal> {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("localhost")
            .to_owned();
        service.admit()?;
        let bytes = to_bytes(request.into_body(), LARGEST_BODY)
            .await
            .map_err(|error| Refusal::malformed(format!("The body could not be read: {error}")))?;
        let credentials: Credentials = parse(&bytes)?;
        credentials.check(&service.options)?;
        service.settle_jobs();
        let body = parse(&bytes)?;
        let owner = credentials.owner.map(|text| text.0);
        let user = credentials.user.map(|text| text.0);
        Ok(Self { body, owner, user, host })
    }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::malformed(format!("Could not parse the request: {error}")))
}
