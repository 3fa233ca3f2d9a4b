//! Tokens of the OAuth2 client, by scope, kept until shortly before they end.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::service::{Failure, Patience, Refused, Service, no_sense};
use super::settings::Names;
use crate::connect::http::{Call, Idempotency};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

/// The OAuth2 client and its tokens.
pub(super) struct Tokens {
    endpoint: String,
    client_id: String,
    client_secret: SecretString,
    held: Mutex<HashMap<String, (SecretString, DateTime<Utc>)>>,
}

impl Tokens {
    pub(super) fn new(opening: &Opening<'_>, names: &Names) -> Self {
        Self {
            endpoint: names.token_endpoint.clone(),
            client_id: opening.told.text("client_id"),
            client_secret: opening.secret("client_secret"),
            held: Mutex::default(),
        }
    }

    /// Whether there is a client at all.
    pub(super) fn is_set(&self) -> bool {
        !self.client_id.is_empty() && !self.client_secret.expose_secret().is_empty()
    }

    /// A token for a scope.
    pub(super) async fn get(
        &self,
        service: &Service,
        scope: &str,
        patience: Patience,
    ) -> Result<SecretString, PortError> {
        if !self.is_set() {
            return Err(PortError::new(
                PortClass::Settings,
                "NO_CLIENT",
                "Contact moments and the data model need an OAuth2 client: make one in Deployteq and fill in client_id and client_secret.",
            ));
        }
        let now = service.now();
        // Whoever needs a token while one is asked for waits for that one.
        let mut held = self.held.lock().await;
        if let Some((token, until)) = held.get(scope)
            && now < *until
        {
            return Ok(token.clone());
        }
        let basic = STANDARD.encode(format!("{}:{}", self.client_id, self.client_secret.expose_secret()));
        let mut call = Call::post("sign in", self.endpoint.clone())
            .secret_header("Authorization", SecretString::from(format!("Basic {basic}")))
            .form_field("grant_type", "client_credentials");
        if !scope.is_empty() {
            call = call.form_field("scope", scope);
        }
        call.idempotency = Idempotency::Repeatable;
        let answer = service.send(call, patience).await.map_err(|failure| match failure {
            Failure::Refused(Refused { status, words, .. }) => PortError::new(
                PortClass::SignIn,
                "CLIENT",
                format!(
                    "Deployteq gives the OAuth2 client no token (status {status}: “{words}”). Check client_id, client_secret and the scope \
                     “{scope}”."
                ),
            ),
            other => other.into_port(),
        })?;
        let Some(token) = answer.value.get("access_token").and_then(serde_json::Value::as_str) else {
            return Err(no_sense("the token is missing").into_port());
        };
        let seconds = answer.value.get("expires_in").and_then(serde_json::Value::as_i64).unwrap_or(300);
        let token = SecretString::from(token.to_owned());
        // A minute before its end it is used no more, so that no call meets it half-way.
        let until = now + TimeDelta::seconds((seconds - 60).clamp(1, 86_400));
        held.insert(scope.to_owned(), (token.clone(), until));
        Ok(token)
    }

    /// Forgets a token that was refused, unless somebody got another one meanwhile.
    pub(super) async fn forget(&self, scope: &str, refused: &SecretString) {
        let mut held = self.held.lock().await;
        if held.get(scope).is_some_and(|(token, _)| token.expose_secret() == refused.expose_secret()) {
            held.remove(scope);
        }
    }
}
