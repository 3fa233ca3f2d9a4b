//! The line to a service that speaks HTTP: every call is paced, counted against the account's budget, and tried again where that is
//! safe. What a status means is the same for most services; each client judges only what its service says in its own way.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Opening;
use crate::connect::budget::{Budget, Refusal};
use crate::connect::http::{
    Call, Http, HttpError, HttpOptions, Idempotency, Pace, Reply, RetryPolicy, Verdict,
};
use crate::domain::port::{PortClass, PortError};

/// All interfaces of one account share a pace and a budget.
pub(super) struct Line {
    label: &'static str,
    http: Http,
    pace: Pace,
    budget: Budget,
    policy: RetryPolicy,
    again: Again,
    /// The status by which the service says that there were too many calls.
    too_many: u16,
}

/// Which replies are asked for again.
pub(super) type Again = fn(&Reply, Idempotency) -> Verdict;

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

/// What a service says when it refuses.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The name people know the service by.
    pub(super) label: &'static str,
    /// The status.
    pub(super) status: u16,
    /// What it names and what it says of it, where it does; `_` stands for the record as a whole.
    pub(super) errors: Vec<(String, String)>,
    /// Its words, in one line.
    pub(super) words: String,
}

impl Failure {
    /// For calls that change nothing, where all of them are the same.
    pub(super) fn into_port(self) -> PortError {
        match self {
            Self::Nothing(error) | Self::Unknown(error) => error,
            Self::Refused(Refused { label, status, words, .. }) => {
                let (class, advice) = match status {
                    403 => (
                        PortClass::Blocked,
                        "The user behind the connection lacks a right to it; let somebody with more rights connect.",
                    ),
                    404 => (PortClass::Settings, "If it happens again, ask its support."),
                    _ => (PortClass::Protocol, "If it happens again, ask its support."),
                };
                let said = if words.is_empty() { String::new() } else { format!(": “{words}”") };
                let message = format!("{label} refused a question (status {status}{said}). {advice}");
                PortError::new(class, format!("HTTP_{status}"), message)
            }
        }
    }
}

/// A reply, and the server's clock when the call began.
pub(super) struct Replied {
    pub(super) reply: Reply,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Line {
    /// Nothing is sent yet. A run tries as often as `policy` says.
    pub(super) fn new(
        opening: &Opening<'_>,
        options: &HttpOptions,
        policy: RetryPolicy,
        again: Again,
    ) -> Result<Self, PortError> {
        let (label, clock) = (opening.told.kind.label(), Arc::clone(&opening.clock));
        let http =
            Http::new(options, Arc::clone(&clock)).map_err(|error| from_http(label, &error).into_port())?;
        let pace = Pace::per_second(opening.told.decimal("requests_per_second"), clock);
        Ok(Self { label, http, pace, budget: opening.budget(), policy, again, too_many: 429 })
    }

    /// For a service that says “too many calls” by another status than 429.
    pub(super) fn throttling_by(mut self, status: u16) -> Self {
        self.too_many = status;
        self
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

    /// Lets a moment pass, as between two looks at something that is being made.
    pub(super) async fn wait(&self, duration: std::time::Duration) {
        self.http.clock().sleep(duration).await;
    }

    /// Sends a call; the reply may be a refusal.
    pub(super) async fn send(&self, call: &Call, patience: Patience) -> Result<Replied, Failure> {
        if patience == Patience::Run {
            self.budget.admit(self.now()).map_err(Failure::Nothing)?;
        }
        self.pace.turn().await;
        let policy = match patience {
            Patience::Run => self.policy,
            Patience::Person => RetryPolicy::BRIEF,
        };
        let sent = self.now();
        let judge = |reply: &Reply| (self.again)(reply, call.idempotency);
        let reply = self.http.send_retrying(call, &policy, judge).await;
        self.budget.seen(self.http.calls(), self.now());
        let reply = reply.map_err(|error| from_http(self.label, &error))?;
        if reply.status == self.too_many {
            let code = format!("HTTP {}", self.too_many);
            self.budget.refused(Refusal::TooMany, &code, reply.retry_after(), self.now());
        } else if reply.is_success() {
            self.budget.answered(sent, self.now());
        }
        // The server stamps its answer when it is ready; what matters is when it began to look.
        let took = (self.now() - sent).max(TimeDelta::zero());
        let began = reply.date().map(|answered| answered - took);
        Ok(Replied { reply, began })
    }
}

/// 429 and 503 say that nothing was done; after the others only a call that may be repeated is sent again.
pub(super) fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    match (reply.status, idempotency) {
        (429 | 503, _) | (500 | 502 | 504, Idempotency::Repeatable) => {
            reply.retry_after().map_or(Verdict::Again, Verdict::AgainAfter)
        }
        _ => Verdict::Take,
    }
}

fn from_http(label: &str, error: &HttpError) -> Failure {
    let class = if error.is_lasting() { PortClass::Settings } else { PortClass::Transient };
    let port = PortError::new(class, error.code(), format!("{label}: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}

/// What surely had no effect.
pub(super) fn nothing(class: PortClass, code: &str, message: impl Into<String>) -> Failure {
    Failure::Nothing(PortError::new(class, code, message))
}

/// What a status means that is not a matter of what was sent: too many calls, or a server in trouble.
pub(super) fn of_status(label: &str, status: u16) -> Option<Failure> {
    match status {
        429 => Some(nothing(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            format!(
                "{label} takes no more calls for now (status 429). The rest goes on later; lower requests_per_second if it happens \
                 often."
            ),
        )),
        503 => Some(nothing(
            PortClass::Transient,
            "UNAVAILABLE",
            format!("{label} is not available at the moment (status 503). The next run may work."),
        )),
        500..=599 => Some(Failure::Unknown(PortError::new(
            PortClass::Transient,
            "SERVER_ERROR",
            format!("{label} failed to answer (status {status}). The next run may work."),
        ))),
        _ => None,
    }
}

/// A web page, or a way to another address, in place of an answer.
pub(super) fn no_interface(label: &str, base: &str) -> Failure {
    let message = format!(
        "{base} answers with a web page instead of the interface of {label}. Check the addresses of the connection."
    );
    nothing(PortClass::Settings, "NO_INTERFACE", message)
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(label: &str, what: &str) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!("An answer of {label} can't be understood ({what}). If it happens again, please report it."),
    ))
}

/// What a refusal says where nobody documents its shape: the usual places are tried.
pub(super) fn words(reply: &Reply) -> String {
    let told = reply.json::<serde_json::Value>().ok().and_then(|body| {
        ["message", "msg", "error_description", "error", "errorMessage", "detail"]
            .iter()
            .find_map(|name| body.get(*name)?.as_str().map(str::to_owned))
            .or_else(|| Some(body.get("errors").filter(|errors| !errors.is_null())?.to_string()))
    });
    told.unwrap_or_else(|| reply.text_start(200))
}
