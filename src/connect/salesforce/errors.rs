//! What Salesforce's error codes mean: one table, from which the classes for calls and for rows follow.
//!
//! Codes are an open set and messages come in the user's language; so codes decide, and words only where the code alone can't.

use serde::Deserialize;

use crate::connect::http::{HttpError, Reply};
use crate::domain::port::{PortClass, PortError, RowClass};

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// The session is over.
    Session,
    /// The sign-in is refused.
    SignIn,
    /// The API, the org or a feature is switched off.
    SwitchedOff,
    /// The daily quota, or too many calls at once; the words tell which.
    Quota,
    /// Passing trouble.
    Transient,
    /// The server gave up on the request as it is.
    Heavy,
    /// A page's locator is dead.
    Locator,
    /// The cursor is older than the org remembers.
    Replication,
    /// The request does not fit the org's schema.
    Schema,
    /// The record is gone.
    Gone,
    /// An id that leads nowhere: the record itself, or a reference in its values.
    CrossReference,
    /// The values are refused.
    Data,
    /// A value that has to be unique is taken.
    Duplicate,
    /// The org's own automation refused.
    Automation,
    /// A right is missing.
    Permission,
    /// The record's state forbids it.
    State,
    /// Storage or another amount is used up.
    Storage,
    /// Refused because something beside it was.
    Innocent,
    /// Somebody changed it in between.
    Conflict,
}

const TABLE: &[(Topic, &[&str])] = &[
    (Topic::Session, &["INVALID_SESSION_ID", "INVALID_AUTH_HEADER"]),
    (
        Topic::SignIn,
        &[
            "INVALID_LOGIN",
            "invalid_grant",
            "LOGIN_MUST_USE_SECURITY_TOKEN",
            "LOGIN_DURING_RESTRICTED_DOMAIN",
            "LOGIN_DURING_RESTRICTED_TIME",
            "LOGIN_CHALLENGE_ISSUED",
            "LOGIN_CHALLENGE_PENDING",
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        ],
    ),
    (
        Topic::SwitchedOff,
        &[
            "API_DISABLED_FOR_ORG",
            "API_CURRENTLY_DISABLED",
            "FUNCTIONALITY_NOT_ENABLED",
            "PASSWORD_LOCKOUT",
            "ORG_LOCKED",
            "TRIAL_EXPIRED",
        ],
    ),
    (Topic::Quota, &["REQUEST_LIMIT_EXCEEDED"]),
    (
        Topic::Transient,
        &[
            "SERVER_UNAVAILABLE",
            "ORG_IN_MAINTENANCE",
            "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
            "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE",
            "UNKNOWN_EXCEPTION",
            "INTERNAL_ERROR",
            "UNABLE_TO_LOCK_ROW",
            "REQUEST_RUNNING_TOO_LONG",
            "TOO_MANY_APEX_REQUESTS",
            "TXN_SECURITY_METERING_ERROR",
        ],
    ),
    (Topic::Heavy, &["QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "EXCEEDED_ID_LIMIT", "OPERATION_TOO_LARGE"]),
    (Topic::Locator, &["INVALID_QUERY_LOCATOR", "INVALID_LOCATOR", "INVALID_QUERY_KEY"]),
    (Topic::Replication, &["INVALID_REPLICATION_DATE"]),
    (
        Topic::Schema,
        &[
            "MALFORMED_QUERY",
            "INVALID_FIELD",
            "INVALID_TYPE",
            "INVALID_QUERY_FILTER_OPERATOR",
            "INVALID_DATE_FORMAT",
            "JSON_PARSER_ERROR",
            "XML_PARSER_ERROR",
            "ILLEGAL_QUERY_PARAMETER_VALUE",
            "UNSUPPORTED_API_VERSION",
            "GONE",
            "METHOD_NOT_ALLOWED",
            "UNSUPPORTED_MEDIA_TYPE",
        ],
    ),
    (Topic::Gone, &["NOT_FOUND", "ENTITY_IS_DELETED", "MISSING_RECORD"]),
    (Topic::CrossReference, &["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]),
    (Topic::Duplicate, &["DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"]),
    (
        Topic::Data,
        &[
            "DUPLICATES_DETECTED",
            "REQUIRED_FIELD_MISSING",
            "STRING_TOO_LONG",
            "INVALID_EMAIL_ADDRESS",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "FIELD_FILTER_VALIDATION_EXCEPTION",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "FIELD_INTEGRITY_EXCEPTION",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
            "INVALID_CURRENCY_ISO",
            "INVALID_INET_ADDRESS",
            "SELF_REFERENCE_FROM_TRIGGER",
            "CIRCULAR_DEPENDENCY",
        ],
    ),
    (
        Topic::Automation,
        &["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "CUSTOM_APEX_ERROR"],
    ),
    (
        Topic::Permission,
        &[
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "TRANSFER_REQUIRES_READ",
            "INVALID_OWNER",
            "INACTIVE_OWNER_OR_USER",
            "OP_WITH_INVALID_USER_TYPE_EXCEPTION",
        ],
    ),
    (
        Topic::State,
        &[
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "ENTITY_IS_LOCKED",
            "ENTITY_IS_ARCHIVED",
            "DELETE_FAILED",
            "DEPENDENCY_EXISTS",
            "INVALID_PERSON_ACCOUNT_OPERATION",
            "MIXED_DML_OPERATION",
        ],
    ),
    (Topic::Storage, &["STORAGE_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "LICENSE_LIMIT_EXCEEDED"]),
    (Topic::Innocent, &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"]),
    (Topic::Conflict, &["ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"]),
];

/// What a code is about; `None` for one that is not in the table.
pub(super) fn topic(code: &str) -> Option<Topic> {
    TABLE
        .iter()
        .find(|(_, codes)| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
        .map(|(topic, _)| *topic)
}

/// Whether a quota refusal means too many calls at once, which passes, and not the day's quota.
pub(super) fn is_concurrency(message: &str) -> bool {
    message.to_ascii_lowercase().contains("concurrent")
}

/// The class of a refused call, from its code, its words and its HTTP status.
pub fn port_class(code: &str, message: &str, status: u16) -> PortClass {
    match topic(code) {
        Some(Topic::Session | Topic::SignIn) => PortClass::SignIn,
        Some(Topic::SwitchedOff | Topic::Permission) => PortClass::Blocked,
        Some(Topic::Quota) if is_concurrency(message) => PortClass::Transient,
        Some(Topic::Quota | Topic::Storage) => PortClass::Limit,
        Some(Topic::Transient | Topic::Innocent | Topic::Conflict) => PortClass::Transient,
        Some(Topic::Heavy) if code.eq_ignore_ascii_case("QUERY_TIMEOUT") => PortClass::Transient,
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
            406 | 420 | 429 => PortClass::Transient,
            400..=499 => PortClass::Settings,
            500..=599 => PortClass::Transient,
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

/// Makes a sentence of an error's words.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut out: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
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
