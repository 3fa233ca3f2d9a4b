//! Words of Connection Settings.

use crate::console::app::connection::field::FieldId;
use crate::console::app::model::SecretPlace;
use crate::console::view::text::numbers::things;
use crate::domain::side::Side;

/// Name of the org's side.
pub const SALESFORCE: &str = "Salesforce";
/// In the owner picker: type it instead.
pub const OWNER_TYPED: &str = "\u{0}typed";
/// In the owner picker: type it instead.
pub const OWNER_TYPED_LABEL: &str = "another one: type it";
/// One of several accounts of a name was picked.
pub const ACCOUNT_PICKED: &str = "That account is meant. Save again to use it.";
/// A second test.
pub const TEST_RUNNING: &str = "A test of this side is on its way.";
/// Revealing what is no secret.
pub const NO_SECRET_HERE: &str = "Only a secret that was typed here can be viewed; this field holds none.";
/// Revealing a stored secret.
pub const STORED_SECRET: &str = "A stored secret is never shown; type it again to replace it.";
/// Copying a secret.
pub const SECRET_NOT_COPIED: &str = "Secrets are never copied.";
/// Before the first test.
pub const TEST_IDLE: &str = "not tested yet";
/// While a test runs.
pub const TEST_GOING: &str = "testing …";
/// The form was edited after the test.
pub const TEST_STALE: &str = "edited since";
/// A test that passed.
pub const TEST_GOOD: &str = "passed";
/// A test that failed.
pub const TEST_BAD: &str = "failed";
/// How to begin.
pub const TEST_HOW: &str = "t tests this side with what stands here, saved or not.";
/// A secret that was typed and not saved.
pub const TYPED: &str = "typed, not saved";
/// Nobody has signed in by browser.
pub const NOT_SIGNED_IN: &str = "Sign in first: b, or Enter on this field.";
/// Signing in by browser where another way is chosen.
pub const NOT_BY_BROWSER: &str = "Choose “Browser” as Sign-in first.";
/// The button that signs in.
pub const SIGN_IN_BUTTON: &str = "Sign in with Salesforce";
/// The same where there is little room, or somebody has signed in.
pub const SIGN_IN_SHORT: &str = "Sign in";
/// An empty field that may stay so.
pub const OPTIONAL: &str = "–";

/// The question before objects are made.
pub const OBJECTS_TITLE: &str = "Make objects and fields in the org";
/// The answer that does it.
pub const OBJECTS_YES: &str = "Make them";
/// The platform's mappings want nothing in the org.
pub const NOTHING_WANTED: &str =
    "The mappings of this platform want nothing in the org that it does not have.";

/// What would be made.
pub fn objects_lines(names: &[&str]) -> Vec<String> {
    vec![
        "What is missing of these is made in the org by a metadata deploy:".to_owned(),
        names.join(", "),
        "A permission set with the right to it is assigned to the integration user.".to_owned(),
    ]
}

/// The label of a field.
pub fn label(field: FieldId) -> &'static str {
    match field {
        FieldId::PlatformKind => "Platform",
        FieldId::Setting(..) => field.setting().map_or("", |setting| setting.label.as_str()),
        FieldId::Environment => "Environment",
        FieldId::MyDomain => "My Domain",
        FieldId::SignIn => "Sign-in",
        FieldId::Username => "Username",
        FieldId::Password => "Password",
        FieldId::SecurityToken => "Security token",
        FieldId::ClientId | FieldId::PlatformClientId => "Client Id",
        FieldId::ClientSecret => "Client secret",
        FieldId::CallbackPort => "Callback port",
        FieldId::SignInNow => "Salesforce",
        FieldId::ApiVersion => "API version",
        FieldId::ApiReserve | FieldId::PlatformReserve => "API reserve %",
        FieldId::CaFile | FieldId::PlatformCaFile => "CA file",
        FieldId::Endpoint => "Endpoint",
        FieldId::ApiSecret => "API Secret",
        FieldId::Owner => "Data Owner",
        FieldId::AccountName => "Account Name",
        FieldId::MicrositeKey => "MicroSite Key",
        FieldId::IframeName => "iFrame Name",
        FieldId::Pace => "Requests/s",
        FieldId::CallsPerHour => "Calls/hour",
        FieldId::CallsPerDay => "Calls/day",
        FieldId::BatchSize => "Rows a write",
        FieldId::WindowDays => "Feed window, d",
        FieldId::Overlap => "Feed overlap, s",
        FieldId::Transport => "Transport",
    }
}

/// One line of help for a field.
pub fn help(field: FieldId) -> &'static str {
    match field {
        FieldId::PlatformKind => {
            "Each platform keeps its own settings; choosing another one forgets nothing."
        }
        FieldId::Setting(..) => field.setting().map_or("", |setting| setting.help.as_str()),
        FieldId::Environment => "Decides the sign-in host; a My Domain address goes before it.",
        FieldId::MyDomain => "Such as https://acme.my.salesforce.com; client credentials need it.",
        FieldId::SignIn => "Client credentials need no password; by browser a person signs in once.",
        FieldId::Username => "The integration user; it needs read and write access to every mapped object.",
        FieldId::Password => "Let it never expire, or the synchronization stops with it.",
        FieldId::SecurityToken => "Appended to the password; not needed from trusted networks.",
        FieldId::ClientId => "The consumer key of the connected app.",
        FieldId::ClientSecret => "The consumer secret of the connected app.",
        FieldId::CallbackPort => "Register http://localhost:PORT/callback with this port in the app.",
        FieldId::SignInNow => {
            "Opens the browser, in which a person signs in once; the session is renewed by itself."
        }
        FieldId::ApiVersion => "Such as 67.0.",
        FieldId::ApiReserve => "This part of the org's daily API calls is left to others.",
        FieldId::CaFile | FieldId::PlatformCaFile => {
            "A PEM file of certificates to trust besides the system's; usually empty."
        }
        FieldId::Endpoint => "Such as https://app2.salesmanago.com, as your account's integration page says.",
        FieldId::PlatformClientId => "From Settings, Integration center, API.",
        FieldId::ApiSecret => "From the same page as the Client Id.",
        FieldId::Owner => "The user whose account is used; after a test Enter lists them.",
        FieldId::AccountName => {
            "New Salesforce contacts go to this account; empty, other users can't see them."
        }
        FieldId::MicrositeKey => "No effect on the synchronization itself.",
        FieldId::IframeName => "The landing page shown on synchronized records in Salesforce.",
        FieldId::Pace => "Most requests a second; SALESmanago stops those who ask faster than 5.",
        FieldId::CallsPerHour => "Calls that your contract allows in any hour; 0 if no limit is known.",
        FieldId::CallsPerDay => "Calls that your contract allows in any 24 hours; 0 if no limit is known.",
        FieldId::PlatformReserve => "Percent of these calls left to others; automatic syncs stop there.",
        FieldId::BatchSize => "Most rows of one write, 1 to 1000.",
        FieldId::WindowDays => "Longest span of time that one feed request asks for, in days.",
        FieldId::Overlap => "How far a feed reaches back behind its last read, in seconds.",
        FieldId::Transport => "Row by row tells each record's own error; jobs are faster and read back.",
    }
}

/// Where a secret is kept.
pub fn place(place: SecretPlace) -> &'static str {
    match place {
        SecretPlace::Absent => "not set",
        SecretPlace::Environment => "from the environment",
        SecretPlace::Keyring => "in keyring",
        SecretPlace::Vault => "in vault",
    }
}

/// The name of a side.
pub fn side_name(side: Side, platform: &str) -> &str {
    match side {
        Side::Org => SALESFORCE,
        Side::Platform => platform,
    }
}

/// A needed field is empty.
pub fn needed(label: &str) -> String {
    format!("{label} is needed.")
}

/// Fields to fill before a test.
pub fn fill_in_first(count: usize) -> String {
    format!("Fill in {} first.", things(count as u64, "field", "fields"))
}

/// A test passed.
pub fn test_passed(side: &str) -> String {
    format!("{side}: the test passed.")
}

/// A test failed.
pub fn test_failed(side: &str) -> String {
    format!("{side}: the test failed; the lines below the form say where.")
}
