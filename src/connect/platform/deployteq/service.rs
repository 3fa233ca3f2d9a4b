//! One call: paced, counted, retried where that is safe, judged by its status.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::settings::Names;
use crate::connect::budget::Budget;
use crate::connect::http::{Call, Idempotency, Method, Reply, RetryPolicy, Verdict, percent_encode};
use crate::connect::platform::Opening;
use crate::connect::platform::line::{self, Line, Replied, no_interface, nothing, of_status, words};
pub(super) use crate::connect::platform::line::{Failure, Patience, Refused};
use crate::domain::port::{PortClass, PortError, RowClass, RowError};

const LABEL: &str = "Deployteq";

/// The interfaces of one portal.
pub(super) struct Service {
    line: Line,
    base: String,
    token: SecretString,
}

/// An answer, and the server's clock when the call began.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) text: String,
    pub(super) began: Option<DateTime<Utc>>,
}

impl Service {
    pub(super) fn new(opening: &Opening<'_>, names: &Names) -> Result<Self, PortError> {
        let mut options = opening.http();
        options.identity_file = opening.told.path("client_certificate").map(|file| opening.folder.join(file));
        Ok(Self {
            line: Line::new(opening, &options, RetryPolicy::PATIENT, again)?,
            base: format!("{}{}", opening.endpoint()?, names.rest_path),
            token: opening.secret("api_token"),
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

    /// Lets a moment pass, as between two looks at something that is being made.
    pub(super) async fn wait(&self, duration: std::time::Duration) {
        self.line.wait(duration).await;
    }

    /// A call of the customer interface, whose token stands in the address. `path` begins behind the base, `query` is encoded here.
    pub(super) fn customer_call(
        &self,
        name: &'static str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Call {
        use std::fmt::Write as _;
        let mut url = format!("{}{path}?", self.base);
        for (name, value) in query {
            let _ = write!(url, "{name}={}&", percent_encode(value));
        }
        let _ = write!(url, "token={}", percent_encode(self.token.expose_secret()));
        Call::new(name, method, url)
    }

    /// Sends a call and reads what it answers.
    pub(super) async fn send(&self, call: Call, patience: Patience) -> Result<Answered, Failure> {
        let Replied { reply, began } = self.line.send(&call, patience).await?;
        if !reply.is_success() {
            return Err(from_status(&reply, call.name, &self.base));
        }
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let value = if reply.body.is_empty() {
            Value::Null
        } else {
            // SOAP and odd servers answer no JSON; whoever needs it says so.
            serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
        };
        if reply.is_html() {
            return Err(no_interface(LABEL, &self.base));
        }
        Ok(Answered { value, text, began })
    }
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    line::no_sense(LABEL, what)
}

/// SOAP tells its faults with status 500.
fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    if reply.status == 500 && is_soap(reply) { Verdict::Take } else { line::again(reply, idempotency) }
}

fn is_soap(reply: &Reply) -> bool {
    reply.header("content-type").is_some_and(|kind| kind.contains("xml"))
}

fn from_status(reply: &Reply, what: &str, base: &str) -> Failure {
    let status = reply.status;
    let refused = |words| Failure::Refused(Refused { label: LABEL, status, errors: Vec::new(), words });
    match status {
        500 if is_soap(reply) => refused(String::from_utf8_lossy(&reply.body).into()),
        401 => nothing(
            PortClass::SignIn,
            "TOKEN",
            format!(
                "Deployteq does not accept the sign-in of “{what}” (status 401). A token ends when its user is deleted or was inactive \
                 for some time; make a new one and enter it in Connection Settings."
            ),
        ),
        403 => nothing(
            PortClass::Blocked,
            "NO_RIGHT",
            format!(
                "Deployteq forbids “{what}” (status 403). Give the token's user, or the OAuth2 client, the right to it."
            ),
        ),
        _ => of_status(LABEL, status).unwrap_or_else(|| {
            if reply.is_html() || (300..400).contains(&status) {
                return no_interface(LABEL, base);
            }
            refused(words(reply))
        }),
    }
}

/// Why a row was not sent, where nothing can be sent any more.
pub(super) fn not_sent(error: &PortError) -> RowError {
    let class = match error.class {
        PortClass::Limit => RowClass::Limit,
        PortClass::Blocked | PortClass::SignIn => RowClass::Permission,
        PortClass::Settings => RowClass::Data,
        PortClass::Transient | PortClass::MarkLost | PortClass::CursorLost | PortClass::Protocol => {
            RowClass::Again
        }
    };
    row_error(class, &error.code, &error.message)
}

pub(super) fn row_error(class: RowClass, code: &str, message: &str) -> RowError {
    RowError { code: code.into(), message: message.into(), fields: Vec::new(), class }
}
