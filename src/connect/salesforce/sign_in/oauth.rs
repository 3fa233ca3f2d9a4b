//! The OAuth token endpoint: client credentials, user name and password, refresh token, the code that a browser brought.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::id::full_id;
use super::super::settings::{SalesforceSecrets, SalesforceSettings, SignIn};
use super::{Ticket, needed, needed_text, not_salesforce, refusal, unreachable};
use crate::connect::http::{Call, Http, Reply, RetryPolicy, Verdict};
use crate::domain::port::{PortClass, PortError};

#[derive(Deserialize)]
struct TokenReply {
    access_token: SecretString,
    instance_url: String,
    id: String,
    #[serde(default)]
    refresh_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

pub(super) async fn token(
    http: &Http,
    settings: &SalesforceSettings,
    secrets: &SalesforceSecrets,
) -> Result<Ticket, PortError> {
    ask(http, settings, &request(settings, secrets)?).await
}

/// The same by the refresh token, which is kept elsewhere and may be replaced by this.
pub(super) async fn renewed(
    http: &Http,
    settings: &SalesforceSettings,
    secrets: &SalesforceSecrets,
) -> Result<Ticket, PortError> {
    let Some(kept) = &settings.refresh_tokens else { return token(http, settings, secrets).await };
    let turn = kept.turn().await?;
    let secrets = SalesforceSecrets { refresh_token: turn.token.clone(), ..secrets.clone() };
    let ticket = token(http, settings, &secrets).await?;
    if let Some(new) = &ticket.refresh_token {
        kept.keep(new).await;
    }
    // Until here the others wait; then they find the new one.
    drop(turn);
    Ok(ticket)
}

/// Changes a code that the browser brought for a session and a refresh token.
pub(super) async fn by_code(
    http: &Http,
    settings: &SalesforceSettings,
    secrets: &SalesforceSecrets,
    (code, verifier, redirect): (&SecretString, &SecretString, &str),
) -> Result<Ticket, PortError> {
    // A code counts once: sent again, it would be refused though it was taken.
    let call = Call::post("sign in", endpoint(settings))
        .header("Accept", "application/json")
        .form_field("grant_type", "authorization_code")
        .form_field("client_id", needed_text(&settings.client_id, "consumer key (client_id)")?)
        .form_field("redirect_uri", redirect)
        .secret_form_field("code", code.clone())
        .secret_form_field("code_verifier", verifier.clone());
    ask(http, settings, &with_secret(call, secrets)).await
}

async fn ask(http: &Http, settings: &SalesforceSettings, call: &Call) -> Result<Ticket, PortError> {
    let judge =
        |reply: &Reply| if matches!(reply.status, 429 | 503) { Verdict::Again } else { Verdict::Take };
    let reply = http
        .send_retrying(call, &RetryPolicy::BRIEF, judge)
        .await
        .map_err(|error| unreachable(settings, &error))?;
    read(settings, &reply)
}

fn endpoint(settings: &SalesforceSettings) -> String {
    format!("{}/services/oauth2/token", settings.environment.address())
}

/// With the consumer secret, where there is one: some apps want none of who proves himself by a verifier.
fn with_secret(call: Call, secrets: &SalesforceSecrets) -> Call {
    match &secrets.client_secret {
        Some(secret) => call.secret_form_field("client_secret", secret.clone()),
        None => call,
    }
}

fn request(settings: &SalesforceSettings, secrets: &SalesforceSecrets) -> Result<Call, PortError> {
    if settings.sign_in == SignIn::ClientCredentials && settings.environment.is_generic() {
        return Err(PortError::new(PortClass::Settings, "GENERIC_HOST", refusal::generic_host(settings)));
    }
    let client_id = needed_text(&settings.client_id, "consumer key (client_id)")?;
    // Signing in twice does no harm; a refusal is not repeated, since too many of them lock an account.
    let call = Call::post("sign in", endpoint(settings))
        .repeatable()
        .header("Accept", "application/json")
        .form_field("client_id", client_id);
    Ok(match settings.sign_in {
        SignIn::ClientCredentials => {
            let secret = needed(secrets.client_secret.as_ref(), "consumer secret", "client_secret")?;
            call.form_field("grant_type", "client_credentials")
                .secret_form_field("client_secret", secret.clone())
        }
        SignIn::Password | SignIn::Soap => {
            let secret = needed(secrets.client_secret.as_ref(), "consumer secret", "client_secret")?;
            call.form_field("grant_type", "password")
                .secret_form_field("client_secret", secret.clone())
                .form_field("username", needed_text(&settings.username, "user name")?)
                .secret_form_field("password", password_and_token(secrets)?)
        }
        SignIn::RefreshToken => {
            let refresh = needed(secrets.refresh_token.as_ref(), "refresh token", "refresh_token")?;
            let call = call
                .form_field("grant_type", "refresh_token")
                .secret_form_field("refresh_token", refresh.clone());
            with_secret(call, secrets)
        }
    })
}

/// Salesforce takes the security token behind the password, as one text.
pub(super) fn password_and_token(secrets: &SalesforceSecrets) -> Result<SecretString, PortError> {
    let password = needed(secrets.password.as_ref(), "password", "password")?;
    let token = secrets.security_token.as_ref().map_or("", |token| token.expose_secret());
    Ok(SecretString::from(format!("{}{}", password.expose_secret(), token.trim())))
}

/// Reads the reply of the token endpoint.
pub(super) fn read(settings: &SalesforceSettings, reply: &Reply) -> Result<Ticket, PortError> {
    if !reply.is_success() {
        return Err(match reply.json::<Refusal>() {
            Ok(refused) => refusal::explain(settings, &refused.error, &refused.error_description),
            Err(_not_oauth) => match super::errors::Fault::from_body(reply.status, &reply.body) {
                Some(fault) => refusal::explain(settings, &fault.code, &fault.message),
                None => not_salesforce(settings, reply),
            },
        });
    }
    let token: TokenReply = reply.json().map_err(|_unreadable| not_salesforce(settings, reply))?;
    let mut parts = token.id.trim_end_matches('/').rsplit('/');
    let user_id = parts.next().and_then(full_id);
    let org_id = parts.next().and_then(full_id);
    let (Some(user_id), Some(org_id)) = (user_id, org_id) else {
        return Err(not_salesforce(settings, reply));
    };
    Ok(Ticket {
        token: token.access_token,
        instance: token.instance_url.trim_end_matches('/').to_owned(),
        org_id,
        user_id,
        refresh_token: token.refresh_token,
    })
}
