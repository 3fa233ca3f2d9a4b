//! One call: paced, counted, retried where that is safe, judged by its status.
//!
//! The service says 503 where others say 429 (platform-novoed.md §2), and 207 where there was nothing to do (§3).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;

use super::session::Key;
use super::settings::Names;
use crate::connect::budget::{Budget, Refusal};
use crate::connect::http::{Call, Http, HttpError, Idempotency, Pace, Reply, RetryPolicy, Verdict};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

/// Throttling ends with the minute or the hour; a run outlasts the minute.
const RUN: RetryPolicy =
    RetryPolicy { tries: 6, first: Duration::from_secs(4), most: Duration::from_secs(60) };

/// The interface that all calls go to.
pub(super) struct Service {
    http: Http,
    base: String,
    key: Key,
    message_pointer: String,
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
    /// The service refused what was asked.
    Refused {
        /// The status.
        status: u16,
        /// The service's own words.
        words: String,
    },
    /// Nobody knows whether it had an effect.
    Unknown(PortError),
}

impl Failure {
    /// For calls that change nothing, where all of them are the same.
    pub(super) fn into_port(self) -> PortError {
        match self {
            Self::Nothing(error) | Self::Unknown(error) => error,
            Self::Refused { status: 404, words } => PortError::new(
                PortClass::Blocked,
                "NOT_ENABLED",
                format!(
                    "NovoEd has no such interface (status 404: “{words}”). Its support has to enable the connection for each customer; if \
                     it did, compare the paths of the connection with its documentation."
                ),
            ),
            Self::Refused { status, words } => PortError::new(
                PortClass::Protocol,
                format!("HTTP_{status}"),
                format!(
                    "NovoEd refused a question (status {status}: “{words}”). If it happens again, ask its support."
                ),
            ),
        }
    }
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered {
    pub(super) text: String,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>, names: &Names) -> Result<Self, PortError> {
        let clock = Arc::clone(&opening.clock);
        let http =
            Http::new(&opening.http(), Arc::clone(&clock)).map_err(|error| from_http(&error).into_port())?;
        Ok(Self {
            http,
            base: opening.endpoint()?,
            key: Key::new(opening, names),
            message_pointer: names.message_pointer.clone(),
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

    /// A question. `path` begins with a slash and holds its query.
    pub(super) async fn get(
        &self,
        name: &'static str,
        path: &str,
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let call = Call::get(name, format!("{}{path}", self.base)).repeatable();
        let shown = self.key.shown(self, patience).await?;
        match self.send(call.clone().secret_header("Authorization", shown), patience).await {
            // A token may end before its time.
            Err(Failure::Nothing(error)) if error.class == PortClass::SignIn && self.key.forget() => {
                let shown = self.key.shown(self, patience).await?;
                self.send(call.secret_header("Authorization", shown), patience).await
            }
            done => done,
        }
    }

    /// Asks for a token by key and secret.
    pub(super) async fn token(
        &self,
        path: &str,
        fields: [(&'static str, SecretString); 2],
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let mut call =
            Call::post("sign in", format!("{}{path}", self.base)).form_field("grant_type", "password");
        for (name, text) in fields {
            call = call.secret_form_field(name, text);
        }
        call.idempotency = Idempotency::Repeatable;
        self.send(call, patience).await
    }

    async fn send(&self, call: Call, patience: Patience) -> Result<Answered, Failure> {
        if patience == Patience::Run {
            self.budget.admit(self.now()).map_err(Failure::Nothing)?;
        }
        self.pace.turn().await;
        let policy = match patience {
            Patience::Run => RUN,
            Patience::Person => RetryPolicy::BRIEF,
        };
        let sent = self.now();
        let reply = self.http.send_retrying(&call, &policy, again).await;
        self.budget.seen(self.http.calls(), self.now());
        let reply = reply.map_err(|error| from_http(&error))?;
        if reply.status == 503 {
            self.budget.refused(Refusal::TooMany, "HTTP 503", reply.retry_after(), self.now());
        } else if reply.is_success() {
            self.budget.answered(sent, self.now());
        }
        // The server stamps its answer when it is ready; what matters is when it began to look.
        let took = (self.now() - sent).max(TimeDelta::zero());
        let began = reply.date().map(|answered| answered - took);
        self.judge(&reply)?;
        Ok(Answered { text: String::from_utf8_lossy(&reply.body).into_owned(), began })
    }

    /// Every 2xx is fine, 207 among them.
    fn judge(&self, reply: &Reply) -> Result<(), Failure> {
        let status = reply.status;
        let nothing =
            |class, code: &str, message: String| Err(Failure::Nothing(PortError::new(class, code, message)));
        match status {
            200..=299 if !reply.is_html() => Ok(()),
            401 => nothing(
                PortClass::SignIn,
                "KEY",
                "NovoEd does not accept the API key (status 401). Check api_key and api_secret; NovoEd's support issues them.".into(),
            ),
            403 => nothing(
                PortClass::Blocked,
                "NOT_ENABLED",
                "NovoEd forbids this to the API key (status 403). Its support has to enable the connection for each customer, and an Org \
                 Admin has to allow the key for the whole institution."
                    .into(),
            ),
            503 => nothing(
                PortClass::Limit,
                "THROTTLED",
                "NovoEd takes no more calls for now (status 503; 200 a minute, 1,000 an hour, 13,000 a day). The rest goes on later."
                    .into(),
            ),
            500..=599 => Err(Failure::Unknown(PortError::new(
                PortClass::Transient,
                "SERVER_ERROR",
                format!("NovoEd failed to answer (status {status}). The next run may work."),
            ))),
            _ if reply.is_html() || (300..400).contains(&status) => nothing(
                PortClass::Settings,
                "NO_INTERFACE",
                format!("{} answers with a web page instead of the NovoEd interface. Check the base address.", self.base),
            ),
            _ => Err(Failure::Refused { status, words: self.words(reply) }),
        }
    }

    /// What a refusal says, where its words are said to stand; else as it came.
    fn words(&self, reply: &Reply) -> String {
        let told = reply.json::<Value>().ok();
        let told = told.as_ref().and_then(|body| body.pointer(&self.message_pointer)?.as_str());
        told.map_or_else(|| reply.text_start(200), str::to_owned)
    }
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!("An answer of NovoEd can't be understood ({what}). If it happens again, please report it."),
    ))
}

/// Which replies are asked for again: all calls are questions, so that any of them may be repeated.
fn again(reply: &Reply) -> Verdict {
    match reply.status {
        500 | 502..=504 => reply.retry_after().map_or(Verdict::Again, Verdict::AgainAfter),
        _ => Verdict::Take,
    }
}

fn from_http(error: &HttpError) -> Failure {
    let class = if error.is_lasting() { PortClass::Settings } else { PortClass::Transient };
    let port = PortError::new(class, error.code(), format!("NovoEd: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}
