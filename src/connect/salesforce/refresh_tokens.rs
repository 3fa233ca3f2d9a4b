//! Where the refresh token of a connection is kept between renewals.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::port::PortError;

/// Where the refresh token is kept.
///
/// An org can replace the token at each renewal, and the old one is dead then. So only one connection renews its session at a time, by the
/// token that is kept at that moment, and the new one is kept before the session is used.
#[async_trait]
pub trait RefreshTokens: Debug + Send + Sync {
    /// Waits until nobody else renews a session, in this process or another one.
    async fn turn(&self) -> Result<Turn, PortError>;

    /// Keeps the token that counts from now on. Where that is not possible, the token lives as long as this connection.
    async fn keep(&self, token: &SecretString);
}

/// The right to renew a session; given back when dropped.
pub struct Turn {
    /// The token that counts now.
    pub token: Option<SecretString>,
    /// What keeps the others waiting.
    pub guard: Option<Box<dyn Send + Sync>>,
}
