//! What a platform delivers by itself: signed posts that hint at records, and the endpoints that it sends them to.
//!
//! A hint is never data. Whoever listens ([`crate::service::inbound`]) asks here whether a post is the service's own and which records
//! it hints at; they are read by their ids, and without any hint the feeds find the same changes later.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::hint::{Hints, NotTaken, WebhookEndpoint};
use crate::domain::port::PortError;

/// Deliveries of a platform.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// How the settings want it.
    fn chosen(&self) -> Chosen;

    /// The header that carries the signature.
    fn header(&self) -> &'static str;

    /// Whether the secret that the service signs with is known.
    fn has_secret(&self) -> bool;

    /// What a post hints at.
    fn hints(&self, signature: &str, body: &[u8]) -> Result<Hints, NotTaken>;

    /// The events that the service offers.
    async fn scopes(&self) -> Result<Vec<String>, PortError>;

    /// All endpoints of the account, those of others, too, and the secret that all are signed with.
    async fn registered(&self) -> Result<Registered, PortError>;

    /// Adds an endpoint.
    async fn add(&self, callback: &str, scopes: &[String]) -> Result<WebhookEndpoint, PortError>;

    /// Changes an endpoint, and switches it on; whatever else it says stays.
    async fn change(
        &self,
        endpoint: &WebhookEndpoint,
        callback: &str,
        scopes: &[String],
    ) -> Result<WebhookEndpoint, PortError>;

    /// Removes an endpoint.
    async fn remove(&self, endpoint: &WebhookEndpoint) -> Result<(), PortError>;
}

/// How the settings want deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Whether they are listened for.
    pub on: bool,
    /// The path of the listener.
    pub path: String,
    /// The address by which the service reaches the listener, as it was last registered.
    pub address: String,
    /// The events that are asked for.
    pub scopes: Vec<String>,
}

/// The endpoints of an account.
#[derive(Debug)]
pub struct Registered {
    /// What all deliveries are signed with, where the service tells it.
    pub secret: Option<SecretString>,
    /// All of them.
    pub endpoints: Vec<WebhookEndpoint>,
}
