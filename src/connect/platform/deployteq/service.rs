//! One call: paced, counted, retried where that is safe, judged by its status.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::settings::Names;
use crate::connect::budget::{Budget, Refusal};
use crate::connect::http::{
    Call, Http, HttpError, Idempotency, Method, Pace, Reply, RetryPolicy, Verdict, percent_encode,
};
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError, RowClass, RowError};

/// All interfaces of one portal share a pace and a budget.
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
                        "Deployteq refused a question (status {status}: “{words}”). If it happens again, ask its support."
                    ),
                )
            }
        }
    }
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
        let clock = Arc::clone(&opening.clock);
        let mut options = opening.http();
        options.identity_file = opening.told.path("client_certificate").map(|file| opening.folder.join(file));
        let http = Http::new(&options, Arc::clone(&clock)).map_err(|error| from_http(&error).into_port())?;
        Ok(Self {
            http,
            base: format!("{}{}", opening.endpoint()?, names.rest_path),
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

    /// Lets a moment pass, as between two looks at something that is being made.
    pub(super) async fn wait(&self, duration: std::time::Duration) {
        self.http.clock().sleep(duration).await;
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
        if !reply.is_success() {
            return Err(from_status(&reply, call.name));
        }
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let value = if reply.body.is_empty() {
            Value::Null
        } else {
            // SOAP and odd servers answer no JSON; whoever needs it says so.
            serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
        };
        if reply.is_html() {
            return Err(web_page());
        }
        Ok(Answered { value, text, began })
    }
}

fn web_page() -> Failure {
    Failure::Nothing(PortError::new(
        PortClass::Settings,
        "NO_INTERFACE",
        "Deployteq answers with a web page instead of its interface. Check the addresses of the connection.",
    ))
}

/// An answer of which nothing can be made.
pub(super) fn no_sense(what: &str) -> Failure {
    Failure::Unknown(PortError::new(
        PortClass::Protocol,
        "NO_SENSE",
        format!(
            "An answer of Deployteq can't be understood ({what}). If it happens again, please report it."
        ),
    ))
}

/// Which replies are asked for again. 429 and 503 say that nothing was done; after the others only a call that may be repeated is.
fn again(reply: &Reply, idempotency: Idempotency) -> Verdict {
    let wish = || reply.retry_after().map_or(Verdict::Again, Verdict::AgainAfter);
    match (reply.status, idempotency) {
        (429 | 503, _) | (502 | 504, Idempotency::Repeatable) => wish(),
        // SOAP tells its faults with status 500.
        (500, Idempotency::Repeatable) if !is_soap(reply) => wish(),
        _ => Verdict::Take,
    }
}

fn is_soap(reply: &Reply) -> bool {
    reply.header("content-type").is_some_and(|kind| kind.contains("xml"))
}

fn from_http(error: &HttpError) -> Failure {
    let class = if error.is_lasting() { PortClass::Settings } else { PortClass::Transient };
    let port = PortError::new(class, error.code(), format!("Deployteq: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}

fn from_status(reply: &Reply, what: &str) -> Failure {
    let status = reply.status;
    let nothing = |class, code: &str, message: String| Failure::Nothing(PortError::new(class, code, message));
    match status {
        500 if is_soap(reply) => Failure::Refused { status, words: String::from_utf8_lossy(&reply.body).into() },
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
            format!("Deployteq forbids “{what}” (status 403). Give the token's user, or the OAuth2 client, the right to it."),
        ),
        429 => nothing(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            "Deployteq takes no more calls for now (status 429). The rest goes on later; lower requests_per_second if it happens often."
                .into(),
        ),
        503 => nothing(
            PortClass::Transient,
            "UNAVAILABLE",
            "Deployteq is not available at the moment (status 503). The next run may work.".into(),
        ),
        500..=599 => Failure::Unknown(PortError::new(
            PortClass::Transient,
            "SERVER_ERROR",
            format!("Deployteq failed to answer “{what}” (status {status}). The next run may work."),
        )),
        _ if reply.is_html() || (300..400).contains(&status) => web_page(),
        _ => Failure::Refused { status, words: words(reply) },
    }
}

/// What a refusal says: nobody documents its shape, so the usual places are tried.
fn words(reply: &Reply) -> String {
    let told = reply.json::<Value>().ok().and_then(|body| {
        ["message", "msg", "error_description", "error", "detail"]
            .iter()
            .find_map(|name| body.get(*name)?.as_str().map(str::to_owned))
            .or_else(|| Some(body.get("errors").filter(|errors| !errors.is_null())?.to_string()))
    });
    told.unwrap_or_else(|| reply.text_start(200))
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
