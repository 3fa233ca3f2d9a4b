//! One call: signed in by a token that is minted when needed, paced, retried where that is safe, judged by its status.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::connect::budget::{Budget, Refusal};
use crate::connect::http::{Call, Http, HttpError, Idempotency, Method, Pace, Reply, RetryPolicy, Verdict};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

const RUN: RetryPolicy =
    RetryPolicy { tries: 6, first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// A token lasts thirty days; it is minted anew long before that.
const TOKEN_LASTS: TimeDelta = TimeDelta::days(7);

/// The account that all calls go to.
pub(super) struct Service {
    http: Http,
    base: String,
    client_id: String,
    client_secret: SecretString,
    token: tokio::sync::Mutex<Option<(SecretString, DateTime<Utc>)>>,
    pace: Pace,
    budget: Budget,
}

/// How patient a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As a run is.
    Run,
    /// As a person is who waits for the outcome of a test.
    Person,
}

/// Why a call did not work.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// It surely had no effect.
    Nothing(PortError),
    /// The service refused what was sent.
    Refused(Refused),
    /// Nobody knows whether it had an effect.
    Unknown(PortError),
}

/// What the service says when it refuses.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The status.
    pub(super) status: u16,
    /// What it names and what it says of it; `_` stands for the record as a whole.
    pub(super) errors: Vec<(String, String)>,
    /// All of it in one line.
    pub(super) words: String,
}

impl Failure {
    /// For calls that change nothing, where all of them are the same.
    pub(super) fn into_port(self) -> PortError {
        match self {
            Self::Nothing(error) | Self::Unknown(error) => error,
            Self::Refused(Refused { status, words, .. }) => {
                let class = match status {
                    403 => PortClass::Blocked,
                    404 => PortClass::Settings,
                    _ => PortClass::Protocol,
                };
                let advice = if status == 403 {
                    "The key has the role of the user who made it; let somebody with more rights make one."
                } else {
                    "If it happens again, ask its support."
                };
                let said = if words.is_empty() { String::new() } else { format!(": “{words}”") };
                PortError::new(
                    class,
                    format!("HTTP_{status}"),
                    format!("SPOTIO refused a question (status {status}{said}). {advice}"),
                )
            }
        }
    }
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
        let clock = Arc::clone(&opening.clock);
        let http =
            Http::new(&opening.http(), Arc::clone(&clock)).map_err(|error| from_http(&error).into_port())?;
        Ok(Self {
            http,
            base: opening.endpoint()?,
            client_id: opening.told.text("client_id"),
            client_secret: opening.secret("client_secret"),
            token: tokio::sync::Mutex::new(None),
            pace: Pace::per_second(opening.told.decimal("requests_per_second"), clock),
            budget: opening.budget(),
        })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn calls(&self) -> u64 {
        self.http.calls()
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.clock().now()
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
            Failure::Refused(Refused { status, .. }) => Failure::Nothing(PortError::new(
                PortClass::SignIn,
                "KEY",
                format!(
                    "SPOTIO does not accept the client id and secret (status {status}). Look in SPOTIO under Settings, \
                     Integrations, API Access whether the key still exists and its user is active, and enter it in Connection \
                     Settings."
                ),
            )),
            other => other,
        })?;
        let token = answer.value.get("accessToken").and_then(Value::as_str).unwrap_or_default();
        if token.is_empty() {
            return Err(Failure::Nothing(PortError::new(
                PortClass::Protocol,
                "NO_TOKEN",
                "SPOTIO answered the sign-in without a token. If it happens again, ask its support.",
            )));
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
        if patience == Patience::Run {
            self.budget.admit(self.now()).map_err(Failure::Nothing)?;
        }
        self.pace.turn().await;
        let policy = match patience {
            Patience::Run => RUN,
            Patience::Person => RetryPolicy::BRIEF,
        };
        let idempotency = call.idempotency;
        let sent = self.now();
        let reply = self.http.send_retrying(&call, &policy, |reply| again(reply, idempotency)).await;
        self.budget.seen(self.http.calls(), self.now());
        let reply = reply.map_err(|error| from_http(&error))?;
        if reply.status == 429 {
            self.budget.refused(Refusal::TooMany, "HTTP 429", reply.retry_after(), self.now());
        } else if reply.is_success() {
            self.budget.answered(sent, self.now());
        }
        // The server stamps its answer when it is ready; what matters is when it began to look.
        let took = (self.now() - sent).max(TimeDelta::zero());
        let began = reply.date().map(|answered| answered - took);
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
                return no_interface(&self.base);
            }
            no_sense(&format!("{error}: “{}”", reply.text_start(80)))
        })
    }
}

/// A token that was minted a moment ago and is not accepted: the key is no good any more.
fn no_entry(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refused { status: 401, .. }) => Failure::Nothing(PortError::new(
            PortClass::SignIn,
            "TOKEN",
            "SPOTIO does not accept a token that it has just made (status 401). Look in SPOTIO under Settings, Integrations, API Access \
             whether the user of the key is suspended.",
        )),
        other => other,
    }
}

fn no_interface(base: &str) -> Failure {
    Failure::Nothing(PortError::new(
        PortClass::Settings,
        "NO_INTERFACE",
        format!("{base} answers with a web page instead of the SPOTIO interface. Check the base address."),
    ))
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!("An answer of SPOTIO can't be understood ({what}). If it happens again, please report it."),
    ))
}

/// Which replies are asked for again. 429 says that nothing was done; after the others only a call that may be repeated is.
fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    let wish = || reply.retry_after().map_or(Verdict::Again, Verdict::AgainAfter);
    match (reply.status, idempotency) {
        (429 | 503, _) | (500 | 502 | 504, Idempotency::Repeatable) => wish(),
        _ => Verdict::Take,
    }
}

fn from_http(error: &HttpError) -> Failure {
    let class = if error.is_lasting() { PortClass::Settings } else { PortClass::Transient };
    let port = PortError::new(class, error.code(), format!("SPOTIO: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}

fn from_status(reply: &Reply, base: &str) -> Failure {
    let status = reply.status;
    match status {
        429 => Failure::Nothing(PortError::new(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            "SPOTIO takes no more calls for now (status 429). The rest goes on later; lower requests_per_second if it happens often.",
        )),
        503 => Failure::Nothing(PortError::new(
            PortClass::Transient,
            "UNAVAILABLE",
            "SPOTIO is not available at the moment (status 503). The next run may work.",
        )),
        500..=599 => Failure::Unknown(PortError::new(
            PortClass::Transient,
            "SERVER_ERROR",
            format!("SPOTIO failed to answer (status {status}). The next run may work."),
        )),
        _ if (300..400).contains(&status) || (reply.is_html() && status != 401) => no_interface(base),
        _ => {
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
            Failure::Refused(Refused { status, errors, words })
        }
    }
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
