//! One call: paced, retried where that is safe, judged by its status.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

use crate::connect::budget::Budget;
use crate::connect::http::{Call, Idempotency, Reply, RetryPolicy};
use crate::connect::platform::Opening;
use crate::connect::platform::line::{self, Line, again, no_interface, nothing, of_status, words};
pub(super) use crate::connect::platform::line::{Failure, Patience, Refused};
use crate::domain::port::{PortClass, PortError};

/// The header that carries the token.
const TOKEN: &str = "TrainingRocket-Authorization";

/// As integrators of the service do: ten tries, five seconds and more between them.
const RUN: RetryPolicy =
    RetryPolicy { tries: 10, first: Duration::from_secs(5), most: Duration::from_secs(60) };

const LABEL: &str = "Learndot";

/// The site that all calls go to.
pub(super) struct Service {
    line: Line,
    base: String,
    token: SecretString,
}

/// An answer, and the server's clock when the call began.
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        let line = Line::new(opening, &opening.http(), RUN, again)?;
        Ok(Self { line, base: opening.endpoint()?, token: opening.secret("api_token") })
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
        let replied = self.line.send(&call, patience).await?;
        Ok(Answered { value: self.read(&replied.reply)?, began: replied.began })
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

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    line::no_sense(LABEL, what)
}

fn from_status(reply: &Reply, base: &str) -> Failure {
    let status = reply.status;
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
             write what is mapped.",
        ),
        _ => of_status(LABEL, status).unwrap_or_else(|| {
            if reply.is_html() || (300..400).contains(&status) {
                return no_interface(LABEL, base);
            }
            Failure::Refused(Refused { label: LABEL, status, errors: Vec::new(), words: words(reply) })
        }),
    }
}
