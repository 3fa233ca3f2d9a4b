//! Signing in: four ways to get a session, one kind of ticket.
//!
//! [`oauth`] asks the token endpoint, [`soap`] the old `login()`; [`browser`] is how a person gives the refresh token that one of the four
//! ways begins with; [`refusal`] turns every way of being refused into a sentence that
//! says what to do. Nothing here is repeated after a refusal: too many wrong tries lock an account.

pub(super) mod browser;
mod oauth;
mod refusal;
mod soap;

use secrecy::SecretString;

use super::errors;
use super::settings::{SalesforceSecrets, SalesforceSettings, SignIn};
use crate::connect::http::{Http, HttpError, NotSent, Reply};
use crate::domain::port::{PortClass, PortError};
use crate::domain::record::RecordId;

/// What a sign-in brings.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) token: SecretString,
    /// Where the org's data is, without a trailing slash.
    pub(super) instance: String,
    pub(super) org_id: RecordId,
    pub(super) user_id: RecordId,
    /// The refresh token that counts from now on, where the app rotates them.
    pub(super) refresh_token: Option<SecretString>,
}

/// Signs in once.
pub(super) async fn sign_in(
    http: &Http,
    settings: &SalesforceSettings,
    secrets: &SalesforceSecrets,
) -> Result<Ticket, PortError> {
    let ticket = match settings.sign_in {
        SignIn::Soap => soap::login(http, settings, secrets).await,
        SignIn::ClientCredentials | SignIn::Password => oauth::token(http, settings, secrets).await,
        SignIn::RefreshToken => oauth::renewed(http, settings, secrets).await,
    }?;
    of_this_org(settings, ticket)
}

/// The ticket, unless it is of another org than the pinned one.
fn of_this_org(settings: &SalesforceSettings, ticket: Ticket) -> Result<Ticket, PortError> {
    match settings.org_id.as_deref().map(|pinned| super::id::full_id(pinned).ok_or(pinned)) {
        Some(Err(pinned)) => Err(PortError::new(
            PortClass::Settings,
            "ORG_ID",
            format!(
                "“{pinned}” is no org id. Remove it from the connection; the next sign-in pins the org anew."
            ),
        )),
        Some(Ok(pinned)) if pinned != ticket.org_id => Err(PortError::new(
            PortClass::Settings,
            "ANOTHER_ORG",
            format!(
                "The sign-in leads to another org ({}) than the one this workspace belongs to ({pinned}). Nothing is read or \
                 written. Correct the address or the user; for another org make another workspace.",
                ticket.org_id
            ),
        )),
        Some(Ok(_)) | None => Ok(ticket),
    }
}

/// A secret that the chosen way of signing in can't do without.
fn needed<'a>(
    secret: Option<&'a SecretString>,
    name: &str,
    key: &str,
) -> Result<&'a SecretString, PortError> {
    secret.ok_or_else(|| {
        PortError::new(
            PortClass::SignIn,
            "MISSING_SECRET",
            format!("The {name} of the Salesforce connection is missing. Set it in the connection, or by `forcesync secret set salesforce.{key}`."),
        )
    })
}

fn needed_text<'a>(text: &'a str, name: &str) -> Result<&'a str, PortError> {
    if text.trim().is_empty() {
        return Err(PortError::new(
            PortClass::Settings,
            "MISSING_SETTING",
            format!("The {name} of the Salesforce connection is missing. Fill it in."),
        ));
    }
    Ok(text.trim())
}

/// The words for a host that can't be reached during the sign-in.
fn unreachable(settings: &SalesforceSettings, error: &HttpError) -> PortError {
    let mut told = errors::from_http(error);
    if let HttpError::NotSent { host, cause: NotSent::UnknownHost } = error {
        told.message = format!(
            "There is no host {host}. Check the address in the connection ({}), and this machine's network.",
            settings.environment.address()
        );
    }
    told
}

/// A reply that no Salesforce host would give.
fn not_salesforce(settings: &SalesforceSettings, reply: &Reply) -> PortError {
    let address = settings.environment.address();
    if reply.status >= 500 && reply.status != 501 {
        return PortError::new(
            PortClass::Transient,
            format!("HTTP_{}", reply.status),
            format!(
                "{address} answered the sign-in with HTTP {}, which usually passes. Try again in some minutes.",
                reply.status
            ),
        );
    }
    let kind = if reply.is_html() { "a web page" } else { "something else" };
    PortError::new(
        PortClass::Settings,
        "NOT_SALESFORCE",
        format!(
            "{address} answered the sign-in with {kind} (HTTP {}), so it is not the address of a Salesforce org. Use the My Domain \
             address that Setup shows, such as https://acme.my.salesforce.com.",
            reply.status
        ),
    )
}

#[cfg(test)]
mod tests;
