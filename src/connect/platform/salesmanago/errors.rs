//! What the service's refusals mean: it answers most of them with status 200 and a sentence.

use crate::connect::http::{HttpError, Reply};
use crate::domain::port::{PortClass, PortError, RowClass, RowError};

/// The code of a row that the service refused in its own words.
pub(super) const REFUSED: &str = "SALESMANAGO";

/// Why a call did not work.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// It surely had no effect.
    Nothing(PortError),
    /// The service refused it in these words.
    Refused(String),
    /// Nobody knows whether it had an effect.
    Unknown(PortError),
}

impl Failure {
    /// For calls that change nothing, where all three are the same.
    pub(super) fn into_port(self) -> PortError {
        match self {
            Self::Nothing(error) | Self::Unknown(error) => error,
            Self::Refused(words) => PortError::new(
                PortClass::Protocol,
                REFUSED,
                format!("SALESmanago refused the call: “{words}”. If it happens again, ask its support."),
            ),
        }
    }
}

/// No complete reply.
pub(super) fn from_http(error: &HttpError) -> Failure {
    let class = if error.is_lasting() { PortClass::Settings } else { PortClass::Transient };
    let port = PortError::new(class, error.code(), format!("SALESmanago: {error}."));
    if error.surely_not_sent() { Failure::Nothing(port) } else { Failure::Unknown(port) }
}

/// A reply that is no answer of the interface.
pub(super) fn from_status(reply: &Reply, host: &str) -> Failure {
    let status = reply.status;
    let nothing = |class, code: &str, message: String| Failure::Nothing(PortError::new(class, code, message));
    match status {
        401 | 403 => Failure::Nothing(sign_in(&format!("status {status}"))),
        404 | 405 => nothing(
            PortClass::Settings,
            "NOT_FOUND",
            format!("There is no SALESmanago interface at {host} (status {status}). Check the Endpoint of the connection."),
        ),
        429 => nothing(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            "SALESmanago takes no more calls for now (status 429). The rest goes on later; lower requests_per_second if it \
             happens often."
                .into(),
        ),
        408 | 503 => nothing(
            PortClass::Transient,
            "UNAVAILABLE",
            format!("SALESmanago is not available at the moment (status {status}). The next run may work."),
        ),
        500..=599 => Failure::Unknown(PortError::new(
            PortClass::Transient,
            "SERVER_ERROR",
            format!("SALESmanago failed to answer (status {status}). The next run may work."),
        )),
        _ if reply.is_html() || (300..400).contains(&status) => nothing(
            PortClass::Settings,
            "NO_INTERFACE",
            format!(
                "{host} answers with a web page instead of the SALESmanago interface. Check the Endpoint of the connection."
            ),
        ),
        _ => Failure::Unknown(PortError::new(
            PortClass::Protocol,
            "NO_SENSE",
            format!("SALESmanago answered something that makes no sense (status {status}: “{}”).", reply.text_start(80)),
        )),
    }
}

/// A refusal in the service's own words. Those about the sign-in and the owner concern the connection and not the data.
pub(super) fn from_words(words: &str, owner: &str) -> Failure {
    match meaning(words) {
        Meaning::SignIn => Failure::Nothing(sign_in(words)),
        Meaning::Owner => Failure::Nothing(PortError::new(
            PortClass::Settings,
            "OWNER",
            format!(
                "SALESmanago does not accept “{owner}” as data owner: “{words}”. Choose one of the account's users as Data \
                 Owner."
            ),
        )),
        Meaning::Rate => Failure::Nothing(PortError::new(
            PortClass::Limit,
            "TOO_MANY_REQUESTS",
            format!("SALESmanago takes no more calls for now: “{words}”. The rest goes on later."),
        )),
        Meaning::Data => Failure::Refused(words.to_owned()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    SignIn,
    Owner,
    Rate,
    Data,
}

fn meaning(words: &str) -> Meaning {
    // E-mail addresses and names in quotes may contain anything.
    let words: Vec<String> = words
        .split_whitespace()
        .filter(|word| !word.contains('@'))
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase())
        .collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if words.iter().any(|word| word.contains("authenticat") || word.starts_with("unauthor"))
        || has(&["sha", "apikey", "apisecret", "clientid", "inactive"])
    {
        return Meaning::SignIn;
    }
    if has(&["owner", "user"])
        && !has(&["contact", "contacts"])
        && has(&["not", "cannot", "can't", "invalid", "unknown", "empty", "no", "missing", "required"])
    {
        return Meaning::Owner;
    }
    if has(&["requests", "rate"]) && has(&["limit", "exceeded"]) {
        return Meaning::Rate;
    }
    Meaning::Data
}

/// Whether a refusal only says that a contact is not there.
pub(super) fn says_missing(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("contact")
        && ["does not exist", "doesn't exist", "not found", "no such"]
            .iter()
            .any(|known| words.contains(known))
}

fn sign_in(words: &str) -> PortError {
    PortError::new(
        PortClass::SignIn,
        "NOT_AUTHENTICATED",
        format!(
            "SALESmanago refused the sign-in: “{words}”. Check Client Id and API Secret of the connection; an inactive \
             account gets the same answer."
        ),
    )
}

/// A row that the service refused in its own words.
pub(super) fn refused_row(words: &str) -> RowError {
    let lower = words.to_lowercase();
    let named = |(word, field): &(&str, &str)| lower.contains(word).then(|| (*field).to_owned());
    let fields = [
        ("email", "email"),
        ("e-mail", "email"),
        ("state", "state"),
        ("birthday", "birthday"),
        ("phone", "phone"),
    ]
    .iter()
    .find_map(named);
    RowError {
        code: REFUSED.into(),
        message: words.to_owned(),
        fields: fields.into_iter().collect(),
        class: if says_missing(words) { RowClass::Gone } else { RowClass::Data },
    }
}

/// A row that is refused here, because sending it would do harm or surely fail.
pub(super) fn own_row(code: &str, field: &str, message: String) -> RowError {
    RowError {
        code: code.into(),
        message,
        fields: (!field.is_empty()).then(|| field.to_owned()).into_iter().collect(),
        class: RowClass::Data,
    }
}

/// A row that was not sent because of what happened to its batch.
pub(super) fn not_sent_row(error: &PortError) -> RowError {
    let class = match error.class {
        PortClass::Limit => RowClass::Limit,
        PortClass::Blocked | PortClass::SignIn => RowClass::Permission,
        PortClass::Transient
        | PortClass::MarkLost
        | PortClass::CursorLost
        | PortClass::Settings
        | PortClass::Protocol => RowClass::Again,
    };
    RowError { code: error.code.clone(), message: error.message.clone(), fields: Vec::new(), class }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// platform-salesmanago.md §3: the known words of refusals.
    #[rstest]
    #[case("User not authenticated", Meaning::SignIn)]
    #[case("Not authenticated", Meaning::SignIn)]
    #[case("User cannot be empty", Meaning::Owner)]
    #[case("Owner nobody@acme.example does not exist", Meaning::Owner)]
    #[case("Contact user@owner.example does not exist", Meaning::Data)]
    #[case("Invalid email not-an-address", Meaning::Data)]
    #[case("Requests limit exceeded", Meaning::Rate)]
    fn the_words_of_a_refusal_tell_whose_business_it_is(#[case] words: &str, #[case] expected: Meaning) {
        assert_eq!(meaning(words), expected);
    }

    #[test]
    fn a_refused_row_keeps_the_words_and_names_the_field() {
        let row = refused_row("Invalid email not-an-address");
        assert_eq!(row.message, "Invalid email not-an-address");
        assert_eq!(row.fields, ["email"]);
        assert_eq!(row.class, RowClass::Data);
        assert_eq!(refused_row("Contact does not exist").class, RowClass::Gone);
    }
}
