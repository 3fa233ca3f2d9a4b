//! One call: paced, counted, retried where that is safe, judged by its status.
//!
//! The service says 503 where others say 429 (platform-novoed.md §2), and 207 where there was nothing to do (§3).

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

use super::session::Key;
use super::settings::Names;
use crate::connect::budget::Budget;
use crate::connect::http::{Call, Idempotency, Reply, RetryPolicy, Verdict};
use crate::connect::platform::Opening;
use crate::connect::platform::line::{self, Line, Replied, no_interface, nothing, of_status};
pub(super) use crate::connect::platform::line::{Failure, Patience, Refused};
use crate::domain::port::{PortClass, PortError};

/// Throttling ends with the minute or the hour; a run outlasts the minute.
const RUN: RetryPolicy =
    RetryPolicy { tries: 6, first: Duration::from_secs(4), most: Duration::from_secs(60) };

const LABEL: &str = "NovoEd";

/// The interface that all calls go to.
pub(super) struct Service {
    line: Line,
    base: String,
    key: Key,
    message_pointer: String,
}

/// For calls that change nothing, where all failures are the same; an interface that is not there has a reason of its own.
pub(super) fn into_port(failure: Failure) -> PortError {
    match failure {
        Failure::Refused(Refused { status: 404, words, .. }) => PortError::new(
            PortClass::Blocked,
            "NOT_ENABLED",
            format!(
                "NovoEd has no such interface (status 404: “{words}”). Its support has to enable the connection for each customer; if \
                 it did, compare the paths of the connection with its documentation."
            ),
        ),
        other => other.into_port(),
    }
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered {
    pub(super) text: String,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>, names: &Names) -> Result<Self, PortError> {
        Ok(Self {
            line: Line::new(opening, &opening.http(), RUN, again)?.throttling_by(503),
            base: opening.endpoint()?,
            key: Key::new(opening, names),
            message_pointer: names.message_pointer.clone(),
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

    /// A question. `path` begins with a slash and holds its query.
    pub(super) async fn get(
        &self,
        name: &'static str,
        path: &str,
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let call = Call::get(name, format!("{}{path}", self.base)).repeatable();
        let shown = self.key.shown(self, patience).await?;
        match self.send(call.clone().secret_header("Authorization", shown.clone()), patience).await {
            // A token may end before its time.
            Err(Failure::Nothing(error))
                if error.class == PortClass::SignIn && self.key.forget(&shown).await =>
            {
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
        let Replied { reply, began } = self.line.send(&call, patience).await?;
        self.judge(&reply)?;
        Ok(Answered { text: String::from_utf8_lossy(&reply.body).into_owned(), began })
    }

    /// Every 2xx is fine, 207 among them.
    fn judge(&self, reply: &Reply) -> Result<(), Failure> {
        let status = reply.status;
        match status {
            200..=299 if !reply.is_html() => Ok(()),
            401 => Err(nothing(
                PortClass::SignIn,
                "KEY",
                "NovoEd does not accept the API key (status 401). Check api_key and api_secret; NovoEd's support issues them.",
            )),
            403 => Err(nothing(
                PortClass::Blocked,
                "NOT_ENABLED",
                "NovoEd forbids this to the API key (status 403). Its support has to enable the connection for each customer, and an Org \
                 Admin has to allow the key for the whole institution.",
            )),
            503 => Err(nothing(
                PortClass::Limit,
                "THROTTLED",
                "NovoEd takes no more calls for now (status 503; 200 a minute, 1,000 an hour, 13,000 a day). The rest goes on later.",
            )),
            _ => Err(of_status(LABEL, status).unwrap_or_else(|| {
                if reply.is_html() || (300..400).contains(&status) {
                    return no_interface(LABEL, &self.base);
                }
                Failure::Refused(Refused {
                    label: LABEL,
                    status,
                    errors: Vec::new(),
                    words: self.words(reply),
                })
            })),
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
    line::no_sense(LABEL, what)
}

/// Which replies are asked for again: all calls are questions, so that any of them may be repeated. 429 is not a word of this service.
fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    if reply.status == 429 { Verdict::Take } else { line::again(reply, idempotency) }
}
