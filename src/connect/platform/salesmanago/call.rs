//! One signed call: paced, retried where that is safe, judged by what the answer says and not by its status.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::{self, Failure};
use super::settings::{SalesmanagoSecrets, SalesmanagoSettings};
use super::signature::Signer;
use super::wire::{Answer, Envelope};
use crate::connect::budget::{Budget, Refusal, Rules};
use crate::connect::http::{Call, Http, HttpOptions, Idempotency, Pace, Reply, RetryPolicy, Verdict};
use crate::domain::clock::Clock;
use crate::domain::port::{PortClass, PortError};
use crate::domain::side::Side;

/// The account that all calls go to.
pub(super) struct Service {
    http: Http,
    base: String,
    owner: String,
    signer: Signer,
    pace: Pace,
    budget: Budget,
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered<T> {
    pub(super) value: T,
    pub(super) began: Option<DateTime<Utc>>,
}

/// How patient a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As a run is.
    Run,
    /// As a person is who waits for the outcome of a test.
    Person,
}

impl Service {
    pub(super) fn new(
        settings: &SalesmanagoSettings,
        secrets: &SalesmanagoSecrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let options = HttpOptions {
            ca_file: settings.ca_file.clone(),
            resolve: settings.resolve.clone(),
            timeout: settings.timeout,
            jitter_seed: settings.seed,
            ..HttpOptions::default()
        };
        let http =
            Http::new(&options, Arc::clone(&clock)).map_err(|error| errors::from_http(&error).into_port())?;
        let rules = Rules {
            side: Side::Platform,
            owner: "SALESmanago",
            reserve_percent: settings.reserve_percent,
            reserve_setting: "reserve_percent",
            per_hour: settings.calls_per_hour,
            per_day: settings.calls_per_day,
            logins_per_hour: 0,
        };
        Ok(Self {
            budget: Budget::new(rules, settings.ledger.clone()),
            http,
            base: settings.base()?,
            owner: settings.owner.trim().to_owned(),
            signer: Signer::new(&settings.client_id, secrets.api_secret.clone(), settings.seed),
            pace: Pace::per_second(settings.requests_per_second, clock),
        })
    }

    /// The user whose contacts are meant.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// The address that all calls begin with.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// How many calls were sent.
    pub(super) fn calls(&self) -> u64 {
        self.http.calls()
    }

    /// What limits the calls.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.clock().now()
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.http.clock().sleep(duration).await;
    }

    /// A call that changes nothing; all failures are one.
    pub(super) async fn ask<T: Answer>(
        &self,
        path: &'static str,
        body: &(impl Serialize + Sync),
    ) -> Result<Answered<T>, PortError> {
        self.call(path, body, Idempotency::Repeatable, Patience::Run).await.map_err(Failure::into_port)
    }

    /// A call of the interface. `path` begins behind `/api/`.
    pub(super) async fn call<T: Answer>(
        &self,
        path: &'static str,
        body: &(impl Serialize + Sync),
        idempotency: Idempotency,
        patience: Patience,
    ) -> Result<Answered<T>, Failure> {
        let signed = self.signer.sign(&self.owner, self.now().timestamp_millis(), body);
        let bytes = serde_json::to_vec(&signed).map_err(|error| {
            Failure::Nothing(PortError::new(
                PortClass::Protocol,
                "UNWRITABLE",
                format!(
                    "A call of SALESmanago's {path} can't be written as JSON: {error}. Please report this."
                ),
            ))
        })?;
        let mut call = Call::post(path, format!("{}/{path}", self.base))
            .header("Accept", "application/json, application/json")
            .bytes("application/json;charset=UTF-8", bytes);
        call.idempotency = idempotency;
        let (reply, began) = self.send(&call, patience).await?;
        let value = self.read(&reply)?;
        Ok(Answered { value, began })
    }

    /// The file that a job left; it needs no signature. A path without a host is taken to be on the service's.
    pub(super) async fn file<T: DeserializeOwned>(&self, url: &str) -> Result<T, PortError> {
        let url = match url.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.base.trim_end_matches("/api")),
            None => url.to_owned(),
        };
        let (reply, _) =
            self.send(&Call::get("job file", url), Patience::Run).await.map_err(Failure::into_port)?;
        if !reply.is_success() {
            return Err(errors::from_status(&reply, &self.base).into_port());
        }
        reply.json().map_err(|error| no_sense(&reply, &error).into_port())
    }

    async fn send(&self, call: &Call, patience: Patience) -> Result<(Reply, Option<DateTime<Utc>>), Failure> {
        if patience == Patience::Run {
            self.budget.admit(self.now()).map_err(Failure::Nothing)?;
        }
        self.pace.turn().await;
        let policy = match patience {
            Patience::Run => RetryPolicy::PATIENT,
            Patience::Person => RetryPolicy::BRIEF,
        };
        let idempotency = call.idempotency;
        let sent = self.now();
        let reply = self.http.send_retrying(call, &policy, |reply| again(reply, idempotency)).await;
        self.budget.seen(self.http.calls(), self.now());
        let reply = reply.map_err(|error| errors::from_http(&error))?;
        if reply.status == 429 {
            self.budget.refused(Refusal::TooMany, "HTTP 429", reply.retry_after(), self.now());
        } else if reply.is_success() {
            self.budget.answered(sent, self.now());
        }
        // The server stamps its answer when it is ready, and to the second; what matters is when it began to look.
        let took = (self.now() - sent).max(TimeDelta::zero());
        let began = reply.date().map(|answered| answered - took);
        Ok((reply, began))
    }

    fn read<T: Answer>(&self, reply: &Reply) -> Result<T, Failure> {
        // Clients of the service are known to meet 302 with a sound body.
        if reply.is_success() || reply.status == 302 {
            match reply.json::<T>() {
                Ok(value) if value.success() == Some(true) => return Ok(value),
                Ok(_) => {}
                Err(error) if reply.is_html() || reply.body.is_empty() => {
                    tracing::debug!(%error, "An answer is no JSON.");
                    return Err(errors::from_status(reply, &self.base));
                }
                Err(error) => {
                    // A refusal may lack everything that an answer needs.
                    if reply.json::<Envelope>().map_or(true, |envelope| envelope.success != Some(false)) {
                        return Err(no_sense(reply, &error));
                    }
                }
            }
        }
        let words =
            reply.json::<Envelope>().map(|envelope| envelope.message.0.join("; ")).unwrap_or_default();
        if reply.is_success() {
            let words = if words.is_empty() { "no reason given" } else { &words };
            return Err(errors::from_words(words, &self.owner));
        }
        match reply.status {
            400 | 402 | 406..=428 if !words.is_empty() => Err(errors::from_words(&words, &self.owner)),
            _ => Err(errors::from_status(reply, &self.base)),
        }
    }
}

/// Which replies are asked for again. 429 and 503 say that nothing was done; after any other failure of the server only a call
/// that may be repeated is.
fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    let wish = || reply.retry_after().map_or(Verdict::Again, Verdict::AgainAfter);
    match (reply.status, idempotency) {
        (408 | 429 | 503, _) | (500 | 502 | 504, Idempotency::Repeatable) => wish(),
        _ => Verdict::Take,
    }
}

fn no_sense(reply: &Reply, error: &serde_json::Error) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!(
            "An answer of SALESmanago can't be understood ({error}): “{}”. If it happens again, please report it.",
            reply.text_start(80)
        ),
    ))
}
