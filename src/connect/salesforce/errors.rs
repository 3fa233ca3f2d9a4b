//! What Salesforce's error codes mean: one table, from which the classes for calls and for rows follow.
//!
//! Codes are an open set and messages come in the user's language; so codes decide, and words only where the code alone can't.

mod table;

use serde::Deserialize;

use crate::connect::http::{HttpError, Reply};
use crate::domain::port::{PortClass, PortError, RowClass};

pub(super) use table::{Topic, topic};

/// Whether a quota refusal means too many calls at once, which passes, and not the day's quota.
pub(super) fn is_concurrency(message: &str) -> bool {
    message.to_ascii_lowercase().contains("concurrent")
}

/// Whether a refusal of a kind that usually lasts will pass this time.
fn passes(code: &str, message: &str) -> bool {
    code.eq_ignore_ascii_case("QUERY_TIMEOUT")
        || (topic(code) == Some(Topic::Quota) && is_concurrency(message))
}

/// The class of a refused call, from its code, its words and its HTTP status.
pub fn port_class(code: &str, message: &str, status: u16) -> PortClass {
    match topic(code) {
        Some(Topic::Session | Topic::SignIn) => PortClass::SignIn,
        Some(Topic::SwitchedOff | Topic::Permission) => PortClass::Blocked,
        Some(Topic::Quota | Topic::Heavy) if passes(code, message) => PortClass::Transient,
        Some(Topic::Transient | Topic::Innocent | Topic::Conflict) => PortClass::Transient,
        Some(Topic::Quota | Topic::Storage) => PortClass::Limit,
        Some(Topic::Locator) => PortClass::MarkLost,
        Some(Topic::Replication) => PortClass::CursorLost,
        Some(
            Topic::Heavy
            | Topic::Schema
            | Topic::Gone
            | Topic::CrossReference
            | Topic::Data
            | Topic::Duplicate
            | Topic::Automation
            | Topic::State,
        ) => PortClass::Settings,
        None => match status {
            401 => PortClass::SignIn,
            403 => PortClass::Blocked,
            420 | 429 => PortClass::Limit,
            406 | 500..=599 => PortClass::Transient,
            400..=499 => PortClass::Settings,
            _ => PortClass::Protocol,
        },
    }
}

/// The class of a refused row. `fields` are those that the error names.
pub fn row_class(code: &str, message: &str, fields: &[String]) -> RowClass {
    match topic(code) {
        Some(Topic::Transient | Topic::Innocent | Topic::Conflict | Topic::Session) => RowClass::Again,
        Some(Topic::Gone) => RowClass::Gone,
        Some(Topic::CrossReference)
            if fields.is_empty() && code.eq_ignore_ascii_case("INVALID_CROSS_REFERENCE_KEY") =>
        {
            RowClass::Gone
        }
        Some(Topic::Quota) if is_concurrency(message) => RowClass::Again,
        Some(Topic::Storage | Topic::Quota) => RowClass::Limit,
        Some(Topic::Permission | Topic::SwitchedOff | Topic::SignIn) => RowClass::Permission,
        Some(Topic::Automation) if is_passing_automation(message) => RowClass::Again,
        Some(
            Topic::Automation
            | Topic::CrossReference
            | Topic::Data
            | Topic::Duplicate
            | Topic::Schema
            | Topic::State
            | Topic::Heavy
            | Topic::Locator
            | Topic::Replication,
        )
        | None => RowClass::Data,
    }
}

fn is_passing_automation(message: &str) -> bool {
    ["UNABLE_TO_LOCK_ROW", "CPU time limit", "CPU_TIME", "QUERY_TIMEOUT"]
        .iter()
        .any(|word| message.contains(word))
}

/// What to do next, for the end of a message.
fn advice(class: PortClass, code: &str) -> &'static str {
    match (class, topic(code)) {
        (_, Some(Topic::Session)) => "The session was refused twice; check the user and the connected app.",
        (_, Some(Topic::Schema)) => {
            "A field or object may be gone or hidden from the integration user; run `forcesync check`."
        }
        (_, Some(Topic::Heavy)) => "Ask for fewer fields or records at once.",
        (PortClass::Blocked, Some(Topic::SwitchedOff)) => {
            "Ask the org's administrator; until then nothing can be read or written."
        }
        (PortClass::Blocked, _) => "Give the integration user the missing right.",
        (PortClass::Limit, Some(Topic::Storage)) => "Free storage in the org or buy more.",
        (PortClass::Limit, _) => "The rest waits until the 24-hour window frees calls.",
        (PortClass::Transient, _) => "This usually passes; the next run tries again.",
        (PortClass::MarkLost, _) => "The read starts again from its cursor.",
        (PortClass::CursorLost, _) => {
            "The org no longer remembers deletions that far back; everything is read again."
        }
        (PortClass::SignIn, _) => "Check the sign-in of the connection.",
        (PortClass::Settings | PortClass::Protocol, _) => "Check the connection and the mapping.",
    }
}

/// A call that Salesforce refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The HTTP status.
    pub(super) status: u16,
    /// The code, or one of ours where the reply holds none.
    pub(super) code: String,
    /// Its words.
    pub(super) message: String,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(alias = "statusCode", default)]
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Fault {
    /// Reads a refusal from a reply, whatever form it has.
    pub(super) fn from_reply(reply: &Reply) -> Self {
        if reply.is_html() || reply.body.is_empty() {
            let message = if reply.body.is_empty() {
                "an empty reply".into()
            } else {
                "a web page instead of data".into()
            };
            return Self { status: reply.status, code: format!("HTTP_{}", reply.status), message };
        }
        Self::from_body(reply.status, &reply.body).unwrap_or_else(|| Self {
            status: reply.status,
            code: format!("HTTP_{}", reply.status),
            message: reply.text_start(300),
        })
    }

    /// Reads the error array of a body.
    pub(super) fn from_body(status: u16, body: &[u8]) -> Option<Self> {
        let errors: Vec<WireError> = serde_json::from_slice(body)
            .or_else(|_single| serde_json::from_slice::<WireError>(body).map(|error| vec![error]))
            .ok()?;
        let first = errors.into_iter().find(|error| error.error_code.is_some())?;
        let message = plain_words(&first.message.unwrap_or_default());
        Some(Self { status, code: first.error_code.unwrap_or_default(), message })
    }

    /// The error for the engine; `what` says what was tried, such as `reading Contact`.
    pub(super) fn to_port_error(&self, what: &str) -> PortError {
        let class = port_class(&self.code, &self.message, self.status);
        let next = advice(class, &self.code);
        let words = self.message.trim().trim_end_matches('.');
        PortError::new(
            class,
            self.code.clone(),
            format!("Salesforce refused {what}: {words} ({}). {next}", self.code),
        )
    }
}

/// The error for the engine of a call that got no reply.
pub(super) fn from_http(error: &HttpError) -> PortError {
    let class = match error {
        HttpError::NotSent { .. } if !error.is_lasting() => PortClass::Transient,
        HttpError::Broken { .. } | HttpError::Timeout { .. } | HttpError::TooLarge { .. } => {
            PortClass::Transient
        }
        HttpError::NotSent { .. }
        | HttpError::PlainHttp { .. }
        | HttpError::BadAddress { .. }
        | HttpError::CaFile { .. }
        | HttpError::Setup { .. } => PortClass::Settings,
    };
    PortError::new(class, error.code(), sentence(&error.to_string()))
}

/// Whether an error says that a field or an object is not there (any more).
pub(super) fn is_about_schema(error: &PortError) -> bool {
    topic(&error.code) == Some(Topic::Schema) && error.code.to_ascii_uppercase().starts_with("INVALID_")
}

/// Makes a sentence of an error's words; a host name in front stays as it is.
pub(super) fn sentence(text: &str) -> String {
    let is_host = text.split(' ').next().is_some_and(|word| word.contains(['.', ':', '/']));
    let mut characters = text.chars();
    let mut out = if is_host {
        String::new()
    } else {
        characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
    };
    out.push_str(characters.as_str());
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

/// Words of the remote on one line: queries are quoted in them over several, with a pointer below.
pub(super) fn plain_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "^").collect();
    words.join(" ")
}

/// An answer that makes no sense.
pub(super) fn senseless(what: &str, error: &serde_json::Error) -> PortError {
    PortError::new(
        PortClass::Protocol,
        "UNREADABLE_REPLY",
        format!(
            "The reply of Salesforce to {what} can't be read ({error}). Check that the address is that of an org."
        ),
    )
}

#[cfg(test)]
mod tests;
