//! One call: signed in by a token that is minted when needed, paced, retried where that is safe, judged by its status.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::connect::budget::Budget;
use crate::connect::http::{Call, Idempotency, Method, Reply, RetryPolicy};
use crate::connect::platform::Opening;
use crate::connect::platform::line::{self, Line, Replied, again, no_interface, nothing, of_status};
pub(super) use crate::connect::platform::line::{Failure, Patience, Refused};
use crate::domain::port::{PortClass, PortError};

const RUN: RetryPolicy =
    RetryPolicy { tries: 6, first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// A token lasts thirty days; it is minted anew long before that.
const TOKEN_LASTS: TimeDelta = TimeDelta::days(7);

const LABEL: &str = "SPOTIO";

/// The account that all calls go to.
pub(super) struct Service {
    line: Line,
    base: String,
    client_id: String,
    client_secret: SecretString,
    token: tokio::sync::Mutex<Option<(SecretString, DateTime<Utc>)>>,
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered {
    pub(super) value: Value,
    /// The body as it came, where it is lines of JSON.
    pub(super) body: Vec<u8>,
    pub(super) began: Option<DateTime<Utc>>,
}

/// One call in the making.
pub(super) struct Ask {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) idempotency: Idempotency,
    pub(super) patience: Patience,
}

impl Ask {
    /// A question.
    pub(super) fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self {
            name,
            method: Method::GET,
            path: path.into(),
            body: None,
            idempotency: Idempotency::Repeatable,
            patience: Patience::Run,
        }
    }

    /// A question with a body.
    pub(super) fn post(name: &'static str, path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: Method::POST,
            body: Some(("application/json", body.to_string().into_bytes())),
            ..Self::get(name, path)
        }
    }

    /// A call that does its work each time it is sent.
    pub(super) fn once(mut self) -> Self {
        self.idempotency = Idempotency::Once;
        self
    }

    pub(super) fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        Ok(Self {
            line: Line::new(opening, &opening.http(), RUN, again)?,
            base: opening.endpoint()?,
            client_id: opening.told.text("client_id"),
            client_secret: opening.secret("client_secret"),
            token: tokio::sync::Mutex::new(None),
        })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn calls(&self) -> u64 {
        self.line.calls()
    }

    pub(super) fn budget(&self) -> &Budget {
        self.line.budget()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.line.now()
    }

    /// A question without a body.
    pub(super) async fn get(&self, name: &'static str, path: &str) -> Result<Answered, Failure> {
        self.send(&Ask::get(name, path)).await
    }

    /// Sends it; a token that is not accepted any more is minted anew, once.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answered, Failure> {
        let (token, fresh) = self.token(ask.patience).await?;
        match self.exchange(self.call(ask).bearer(&token), ask.patience).await {
            Err(Failure::Refused(Refused { status: 401, .. })) if !fresh => {
                self.forget(&token).await;
                let (token, _) = self.token(ask.patience).await?;
                self.exchange(self.call(ask).bearer(&token), ask.patience).await.map_err(no_entry)
            }
            other => other.map_err(no_entry),
        }
    }

    fn call(&self, ask: &Ask) -> Call {
        let mut call = Call::new(ask.name, ask.method.clone(), format!("{}{}", self.base, ask.path));
        if let Some((kind, bytes)) = &ask.body {
            call = call.bytes(*kind, bytes.clone());
        }
        call.idempotency = ask.idempotency;
        call.header("Accept", "application/json")
    }

    /// The token, and whether it was minted just now.
    async fn token(&self, patience: Patience) -> Result<(SecretString, bool), Failure> {
        let mut kept = self.token.lock().await;
        if let Some((token, minted)) = kept.as_ref()
            && self.now() - *minted < TOKEN_LASTS
        {
            return Ok((token.clone(), false));
        }
        let body = json!({"clientId": self.client_id, "secret": self.client_secret.expose_secret()});
        let call = Call::post("mint a token", format!("{}/api/users/apitoken", self.base))
            .secret_body("application/json", SecretString::from(body.to_string()))
            .header("Accept", "application/json")
            .repeatable();
        let answer = self.exchange(call, patience).await.map_err(|failure| match failure {
            Failure::Refused(Refused { status, .. }) => nothing(
                PortClass::SignIn,
                "KEY",
                format!(
                    "SPOTIO does not accept the client id and secret (status {status}). Look in SPOTIO under Settings, \
                     Integrations, API Access whether the key still exists and its user is active, and enter it in Connection \
                     Settings."
                ),
            ),
            other => other,
        })?;
        let token = answer.value.get("accessToken").and_then(Value::as_str).unwrap_or_default();
        if token.is_empty() {
            return Err(nothing(
                PortClass::Protocol,
                "NO_TOKEN",
                "SPOTIO answered the sign-in without a token. If it happens again, ask its support.",
            ));
        }
        let token = SecretString::from(token.to_owned());
        *kept = Some((token.clone(), self.now()));
        Ok((token, true))
    }

    /// Drops a token, unless somebody has minted another one meanwhile.
    async fn forget(&self, token: &SecretString) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|(known, _)| known.expose_secret() == token.expose_secret()) {
            *kept = None;
        }
    }

    async fn exchange(&self, call: Call, patience: Patience) -> Result<Answered, Failure> {
        let Replied { reply, began } = self.line.send(&call, patience).await?;
        let value = match call.name {
            // Lines of JSON are no JSON.
            "results of a job" if reply.is_success() => Value::Null,
            _ => self.read(&reply)?,
        };
        Ok(Answered { value, body: reply.body, began })
    }

    fn read(&self, reply: &Reply) -> Result<Value, Failure> {
        if !reply.is_success() {
            return Err(from_status(reply, &self.base));
        }
        if reply.body.is_empty() {
            return Ok(Value::Null);
        }
        reply.json::<Value>().map_err(|error| {
            if reply.is_html() {
                return no_interface(LABEL, &self.base);
            }
            no_sense(&format!("{error}: “{}”", reply.text_start(80)))
        })
    }
}

/// A token that was minted a moment ago and is not accepted: the key is no good any more.
fn no_entry(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refused { status: 401, .. }) => nothing(
            PortClass::SignIn,
            "TOKEN",
            "SPOTIO does not accept a token that it has just made (status 401). Look in SPOTIO under Settings, Integrations, API Access \
             whether the user of the key is suspended.",
        ),
        other => other,
    }
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    line::no_sense(LABEL, what)
}

fn from_status(reply: &Reply, base: &str) -> Failure {
    let status = reply.status;
    if let Some(failure) = of_status(LABEL, status) {
        return failure;
    }
    if (300..400).contains(&status) || (reply.is_html() && status != 401) {
        return no_interface(LABEL, base);
    }
    let errors = errors_of(reply);
    let words = if errors.is_empty() {
        reply.text_start(200)
    } else {
        let said = errors.iter().map(|(field, words)| match field.as_str() {
            "_" | "" => words.clone(),
            field => format!("{field}: {words}"),
        });
        said.collect::<Vec<_>>().join("; ")
    };
    Failure::Refused(Refused { label: LABEL, status, errors, words })
}

/// `{"errors": {"field": "words"}}`; words may be a list, and the whole may be a text.
fn errors_of(reply: &Reply) -> Vec<(String, String)> {
    let Ok(body) = reply.json::<Value>() else { return Vec::new() };
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    };
    match body.get("errors") {
        Some(Value::Object(errors)) => {
            errors.iter().map(|(field, said)| (field.clone(), words(said))).collect()
        }
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![("_".to_owned(), words(other))],
    }
}
