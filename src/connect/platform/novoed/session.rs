//! How the key is shown: with every call, or once for a token that is kept until shortly before its end. And whether the admin is
//! signed in to NovoEd, where somebody wants that looked at before each run (F38).

use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::NovoEd;
use super::service::{Failure, Patience, Refused, Service, into_port, no_sense};
use super::settings::{Names, SignIn};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

/// So long a session that was seen is taken to last; a run reads several data sets.
const SEEN_SECONDS: i64 = 60;

/// The API key.
pub(super) struct Key {
    sign_in: SignIn,
    token_path: String,
    key: String,
    secret: SecretString,
    token: tokio::sync::Mutex<Option<(SecretString, DateTime<Utc>)>>,
}

impl Key {
    pub(super) fn new(opening: &Opening<'_>, names: &Names) -> Self {
        Self {
            sign_in: names.sign_in,
            token_path: names.token_path.clone(),
            key: opening.told.text("api_key"),
            secret: opening.secret("api_secret"),
            token: tokio::sync::Mutex::default(),
        }
    }

    /// What stands in the header of a call.
    pub(super) async fn shown(&self, service: &Service, patience: Patience) -> Result<SecretString, Failure> {
        match self.sign_in {
            SignIn::Basic => {
                let pair = STANDARD.encode(format!("{}:{}", self.key, self.secret.expose_secret()));
                Ok(SecretString::from(format!("Basic {pair}")))
            }
            SignIn::Token => {
                // Whoever needs a token while one is asked for waits for that one.
                let mut held = self.token.lock().await;
                match held.as_ref() {
                    Some((token, until)) if service.now() < *until => Ok(bearer(token)),
                    Some(_) | None => {
                        let (token, until) = self.sign_in(service, patience).await?;
                        let shown = bearer(&token);
                        *held = Some((token, until));
                        Ok(shown)
                    }
                }
            }
        }
    }

    /// A token, and until when it is used.
    async fn sign_in(
        &self,
        service: &Service,
        patience: Patience,
    ) -> Result<(SecretString, DateTime<Utc>), Failure> {
        let fields = [("username", SecretString::from(self.key.clone())), ("password", self.secret.clone())];
        let now = service.now();
        let answer = service.token(&self.token_path, fields, patience).await.map_err(|failure| match failure {
            Failure::Refused(Refused { status, words, .. }) => Failure::Nothing(PortError::new(
                PortClass::SignIn,
                "KEY",
                format!("NovoEd gives the API key no token (status {status}: “{words}”). Check api_key and api_secret."),
            )),
            other => other,
        })?;
        let answer: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let Some(token) = answer.get("access_token").and_then(Value::as_str) else {
            return Err(no_sense("the token is missing"));
        };
        let seconds = answer.get("expires_in").and_then(Value::as_i64).unwrap_or(300);
        let token = SecretString::from(token.to_owned());
        // A minute before its end it is used no more, so that no call meets it half-way.
        Ok((token, now + TimeDelta::seconds((seconds - 60).clamp(1, 86_400))))
    }

    /// Forgets a token that was refused, unless somebody got another one meanwhile; whether it was one.
    pub(super) async fn forget(&self, shown: &SecretString) -> bool {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|(token, _)| bearer(token).expose_secret() == shown.expose_secret()) {
            *held = None;
        }
        matches!(self.sign_in, SignIn::Token)
    }
}

fn bearer(token: &SecretString) -> SecretString {
    SecretString::from(format!("Bearer {}", token.expose_secret()))
}

impl NovoEd {
    /// Sees that the admin is signed in, where that is asked for.
    pub(super) async fn see_session(&self, patience: Patience) -> Result<(), PortError> {
        if !self.names.session_check {
            return Ok(());
        }
        let now = self.service.now();
        let seen = *self.session_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| now - seen < TimeDelta::seconds(SEEN_SECONDS)) {
            return Ok(());
        }
        let who = self.names.admin_email.as_deref().unwrap_or("the Org Admin");
        let missing = || {
            PortError::new(
                PortClass::Blocked,
                "NO_SESSION",
                format!(
                    "Nobody is signed in to NovoEd as {who}, so nothing was read (session check). Sign in there and run again, or switch \
                     session_check off."
                ),
            )
        };
        match self.service.get("session check", &self.names.session_path, patience).await {
            Ok(answer) => {
                let said: Value = serde_json::from_str(&answer.text).unwrap_or_default();
                let other = said.get("email").and_then(Value::as_str).zip(self.names.admin_email.as_deref());
                let other = other.is_some_and(|(held, wanted)| !held.trim().eq_ignore_ascii_case(wanted));
                if other || said.get("signed_in").and_then(Value::as_bool) == Some(false) {
                    return Err(missing());
                }
            }
            Err(Failure::Refused(Refused { status: 404, .. })) => {
                return Err(PortError::new(
                    PortClass::Settings,
                    "NO_SESSION_CHECK",
                    format!(
                        "NovoEd has no session check at {}; correct session_path, or switch session_check off.",
                        self.names.session_path
                    ),
                ));
            }
            Err(Failure::Refused(_)) => return Err(missing()),
            Err(Failure::Nothing(error)) if error.class == PortClass::Blocked => return Err(missing()),
            Err(failure) => return Err(into_port(failure)),
        }
        *self.session_seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(())
    }
}
