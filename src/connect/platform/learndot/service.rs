//! One call: paced, retried where that is safe, judged by its status.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;

use crate::connect::budget::{Budget, Refusal};
use crate::connect::http::{Call, Http, HttpError, Idempotency, Pace, Reply, RetryPolicy, Verdict};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

/// The header that carries the token.
const TOKEN: &str = "TrainingRocket-Authorization";

/// As integrators of the service do: ten tries, five seconds and more between them.
const RUN: RetryPolicy =
    RetryPolicy { tries: 10, first: Duration::from_secs(5), most: Duration::from_secs(60) };

/// The site that all calls go to.
pub(super) struct Service {
    http: Http,
    base: String,
    token: SecretString,
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
            Self::Refused { status, words } => {
                let class = if status == 404 { PortClass::Settings } else { PortClass::Protocol };
                PortError::new(
                    class,
                    format!("HTTP_{status}"),
                    format!(
                        "Learndot refused a question (status {status}: “{words}”). If it happens again, ask its support."
                    ),
                )
            }
        }
    }
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        let clock = Arc::clone(&opening.clock);
        let http =
            Http::new(&opening.http(), Arc::clone(&clock)).map_err(|error| from_http(&error).into_port())?;
        Ok(Self {
            http,
            base: opening.endpoint()?,
            token: opening.secret("api_token"),
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

    /// A question about an entity. `path` begins behind `/manage/`.
    pub(super) async fn get(&self, name: &'static str, path: &str) -> Result<Answered, Failure> {
        let call = Call::get(name, format!("{}/api/rest/v2/manage/{path}", self.base)).repeatable();
        self.send(call, Patience::Run).await
    }

    /// A call with a body. `path` begins behind `/manage/`.
    pub(super) async fn post(
        &self,
        name: &'static str,
        path: &str,
        body: &Value,
        idempotency: Idempotency,
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let url = format!("{}/api/rest/v2/manage/{path}", self.base);
        let mut call = Call::post(name, url).bytes("application/json", body.to_string().into_bytes());
        call.idempotency = idempotency;
        self.send(call, patience).await
    }

    async fn send(&self, call: Call, patience: Patience) -> Result<Answered, Failure> {
        let call = call.header("Accept", "application/json").secret_header(TOKEN, self.token.clone());
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
        Ok(Answered { value: self.read(&reply)?, began })
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
                return Failure::Nothing(PortError::new(
                    PortClass::Settings,
                    "NO_INTERFACE",
                    format!("{} answers with a web page instead of the Learndot interface. Check the base address.", self.base),
                ));
            }
            no_sense(&format!("{error}: “{}”", reply.text_start(80)))
        })
    }
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!("An answer of Learndot can't be understood ({what}). If it happens again, please report it."),
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
    let port = PortError::new(class, error.code(), format!("Learndot: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}

fn from_status(reply: &Reply, base: &str) -> Failure {
    let status = reply.status;
    let nothing = |class, code: &str, message: String| Failure::Nothing(PortError::new(class, code, message));
    match status {
        401 => nothing(
            PortClass::SignIn,
            "TOKEN",
            format!(
                "Learndot does not accept the API token (status 401). Make a new one at {base}/admin/api/token and enter it in \
                 Connection Settings."
            ),
        ),
        403 => nothing(
            PortClass::Blocked,
            "NO_RIGHT",
            "Learndot forbids this to the token's user (status 403). Give it the permission API ACCESS and the right to read and \
             write what is mapped."
                .into(),
        ),
        429 => nothing(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            "Learndot takes no more calls for now (status 429). The rest goes on later; lower requests_per_second if it happens \
             often."
                .into(),
        ),
        503 => nothing(
            PortClass::Transient,
            "UNAVAILABLE",
            "Learndot is not available at the moment (status 503). The next run may work.".into(),
        ),
        500..=599 => Failure::Unknown(PortError::new(
            PortClass::Transient,
            "SERVER_ERROR",
            format!("Learndot failed to answer (status {status}). The next run may work."),
        )),
        _ if reply.is_html() || (300..400).contains(&status) => nothing(
            PortClass::Settings,
            "NO_INTERFACE",
            format!("{base} answers with a web page instead of the Learndot interface. Check the base address."),
        ),
        _ => Failure::Refused { status, words: words(reply) },
    }
}

/// What a refusal says: nobody documents its shape, so the usual places are tried.
fn words(reply: &Reply) -> String {
    let told = reply.json::<Value>().ok().and_then(|body| {
        ["message", "error", "errorMessage", "detail"]
            .iter()
            .find_map(|name| body.get(*name)?.as_str().map(str::to_owned))
            .or_else(|| Some(body.get("errors").filter(|errors| !errors.is_null())?.to_string()))
    });
    told.unwrap_or_else(|| reply.text_start(200))
}
