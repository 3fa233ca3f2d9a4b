//! Every way in which Salesforce refuses a sign-in, and what the admin can do about it.

use super::super::settings::{Environment, SalesforceSettings, SignIn};
use crate::domain::port::{PortClass, PortError};

/// Turns a refusal into an error. `code` is an OAuth error or a SOAP exception code.
pub(super) fn explain(settings: &SalesforceSettings, code: &str, words: &str) -> PortError {
    let lower = words.to_ascii_lowercase();
    let (class, sentence) = match code {
        "invalid_grant" if lower.contains("client credentials user") => (PortClass::SignIn, no_run_as_user()),
        "invalid_grant" if lower.contains("access/refresh token") => (
            PortClass::SignIn,
            "The sign-in by browser has ended: its refresh token has expired or was revoked, or five newer ones of the same user and app \
             took its place. Sign in again, in Connection Settings or by `forcesync connection sign-in`."
                .into(),
        ),
        "invalid_grant" if lower.contains("authorization code") => (
            PortClass::SignIn,
            "The code that the browser brought is not taken: it is too old, or was used already. Begin the sign-in anew.".into(),
        ),
        "invalid_grant" if lower.contains("code verifier") => (
            PortClass::SignIn,
            "The code that the browser brought belongs to another sign-in. Begin anew, and close older tabs of it first.".into(),
        ),
        "invalid_grant" if lower.contains("expired") && lower.contains("password") => (PortClass::SignIn, expired_password(settings)),
        "invalid_grant" if lower.contains("locked") => (PortClass::Blocked, locked(settings)),
        "invalid_grant" if lower.contains("inactive user") => (PortClass::Blocked, inactive(settings)),
        "invalid_grant" if lower.contains("not supported on this domain") => (PortClass::Settings, generic_host(settings)),
        "invalid_grant" if lower.contains("approved this consumer") => (
            PortClass::SignIn,
            "The user has not approved the app yet. Let an administrator pre-authorise it for this user.".into(),
        ),
        "invalid_grant" if settings.sign_in == SignIn::RefreshToken => (
            PortClass::SignIn,
            "Salesforce does not renew the session that was begun in a browser. Sign in again, in Connection Settings or by `forcesync \
             connection sign-in`."
                .into(),
        ),
        "invalid_grant" | "INVALID_LOGIN" => (PortClass::SignIn, wrong_credentials(settings)),
        "invalid_client" | "invalid_client_id" | "invalid_app_access" => (
            PortClass::SignIn,
            "The consumer key or the consumer secret of the app is wrong, or the app is not known in this org. Copy both \
             again from the app's settings; a new app needs some minutes until it works."
                .into(),
        ),
        "redirect_uri_mismatch" => (PortClass::Settings, callback_mismatch()),
        "unsupported_grant_type" | "invalid_request" if settings.sign_in == SignIn::ClientCredentials => {
            (PortClass::Settings, generic_host(settings))
        }
        "unsupported_grant_type" => (
            PortClass::Settings,
            "The org does not allow this way of signing in for the app. Allow it in Setup (OAuth and OpenID Connect settings), or \
             use client credentials."
                .into(),
        ),
        "inactive_user" => (PortClass::Blocked, inactive(settings)),
        "inactive_org" | "ORG_LOCKED" | "TRIAL_EXPIRED" => {
            (PortClass::Blocked, "The org is locked, inactive, or its trial is over. Ask Salesforce or the org's administrator.".into())
        }
        "rate_limit_exceeded" | "LOGIN_RATE_EXCEEDED" => (
            PortClass::Limit,
            "The user has signed in too often (3,600 sign-ins an hour are allowed). Wait an hour, and look for another program that \
             uses the same user."
                .into(),
        ),
        "REQUEST_LIMIT_EXCEEDED" => (
            PortClass::Limit,
            "The org has used up its API calls of the last 24 hours, so that it does not even let anybody sign in. The rest waits until \
             the window frees calls."
                .into(),
        ),
        "LOGIN_MUST_USE_SECURITY_TOKEN" => (
            PortClass::SignIn,
            "Salesforce wants the security token as well, because this network is not among the org's trusted ones. Fill it in; a \
             new one comes by e-mail after “Reset My Security Token” in the user's personal settings."
                .into(),
        ),
        "LOGIN_DURING_RESTRICTED_DOMAIN" => (
            PortClass::Blocked,
            "The user's profile does not allow signing in from this network address. Add it to the profile's login IP ranges.".into(),
        ),
        "LOGIN_DURING_RESTRICTED_TIME" => {
            (PortClass::Blocked, "The user's profile does not allow signing in at this hour. Change the profile's login hours.".into())
        }
        "LOGIN_CHALLENGE_ISSUED" | "LOGIN_CHALLENGE_PENDING" => (
            PortClass::SignIn,
            "Salesforce wants this computer to be confirmed. Sign in once in a browser from here, or fill in the security token.".into(),
        ),
        "PASSWORD_LOCKOUT" => (PortClass::Blocked, locked(settings)),
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD" => (PortClass::SignIn, expired_password(settings)),
        "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => (
            PortClass::Blocked,
            "The API is not enabled for this org or this user. Salesforce Enterprise, Unlimited, Performance or Developer edition is \
             needed, and the permission “API Enabled” for the user."
                .into(),
        ),
        "ORG_IN_MAINTENANCE" | "SERVER_UNAVAILABLE" => {
            (PortClass::Transient, "The org is in maintenance. Try again later; maintenance can last hours.".into())
        }
        "INSUFFICIENT_ACCESS" if settings.sign_in == SignIn::Soap => (
            PortClass::Blocked,
            "The user may not sign in by user name and password through SOAP. Give it the permission “Use Any API Auth”, or use \
             client credentials."
                .into(),
        ),
        "UNSUPPORTED_API_VERSION" | "INVALID_OPERATION" | "FUNCTIONALITY_NOT_ENABLED" if settings.sign_in == SignIn::Soap => (
            PortClass::Settings,
            "This org does not allow signing in by user name and password through SOAP. Enable “SOAP API login()” in Setup (User \
             Interface), or use client credentials, which is what Salesforce recommends."
                .into(),
        ),
        _ => (PortClass::SignIn, format!("Salesforce refused the sign-in at {}.", settings.environment.address())),
    };
    told(class, code, &sentence, words)
}

fn told(class: PortClass, code: &str, sentence: &str, words: &str) -> PortError {
    let told = super::super::errors::plain_words(words);
    let told = told.trim_end_matches('.');
    let message = if told.is_empty() || told == code {
        format!("{sentence} (Salesforce: {code})")
    } else {
        format!("{sentence} (Salesforce: {code}, {told})")
    };
    PortError::new(class, code, message)
}

fn who(settings: &SalesforceSettings) -> String {
    let name = settings.username.trim();
    if name.is_empty() { "the user".into() } else { name.to_owned() }
}

fn wrong_credentials(settings: &SalesforceSettings) -> String {
    let hint = match &settings.environment {
        Environment::Production => {
            " If it is a user of a sandbox, choose the environment “sandbox”: sandbox users sign in at test.salesforce.com, never at \
             login.salesforce.com."
        }
        Environment::Sandbox => {
            " If it is not a user of a sandbox, choose the environment “production”; and a sandbox's user name usually ends with the \
             sandbox's name."
        }
        Environment::Custom(_) => {
            " Check that the address belongs to this user's org (a sandbox has an address of its own)."
        }
    };
    format!(
        "Salesforce does not let {} in at {}: the user name, the password or the security token is wrong, or the user is locked.{hint} \
         Not tried again, so that the account does not get locked.",
        who(settings),
        settings.environment.address()
    )
}

fn no_run_as_user() -> String {
    "The app has no run-as user. Open the app's policies in Setup and choose one for the client credentials flow.".into()
}

fn expired_password(settings: &SalesforceSettings) -> String {
    format!(
        "The password of {} has expired. Sign in in a browser, set a new one, and store it with its new security token; let the \
         integration user's password never expire.",
        who(settings)
    )
}

fn locked(settings: &SalesforceSettings) -> String {
    format!(
        "The account of {} is locked after too many wrong passwords. Wait until the lock ends or let an administrator unlock the user, then correct \
         the password here before anything else.",
        who(settings)
    )
}

fn inactive(settings: &SalesforceSettings) -> String {
    format!("The user ({}) is inactive. Let an administrator activate it.", who(settings))
}

fn callback_mismatch() -> String {
    "The app knows another callback URL than the one that was used. Register that one in the app's OAuth settings, letter for letter; a \
     change takes some minutes to work."
        .into()
}

/// Turns what the browser brought instead of a code into an error.
pub(super) fn at_the_browser(settings: &SalesforceSettings, code: &str, words: &str) -> PortError {
    let (class, sentence) = match code {
        "access_denied" => (
            PortClass::SignIn,
            "The sign-in was refused in the browser. Begin anew and choose “Allow”; if there was no question, an administrator has to let \
             this user use the app.",
        ),
        "invalid_scope" => (
            PortClass::Settings,
            "The app does not offer what is asked for. Give it the scopes “Manage user data via APIs (api)” and “Perform requests at any \
             time (refresh_token, offline_access)”, wait some minutes, and begin anew.",
        ),
        "unsupported_response_type" => (
            PortClass::Settings,
            "The app does not allow signing in by browser. Enable the authorization code flow in its OAuth settings, and begin anew.",
        ),
        "OAUTH_APPROVAL_ERROR_GENERIC" | "OAUTH_APP_BLOCKED" | "OAUTH_EC_APP_NOT_FOUND" => (
            PortClass::Blocked,
            "The app is not installed in this org, or is blocked there. Let an administrator install it or allow it for this user.",
        ),
        _ => return explain(settings, code, words),
    };
    told(class, code, sentence, words)
}

/// The refresh token is missing in what the org gave.
pub(super) fn no_refresh_token() -> PortError {
    PortError::new(
        PortClass::Settings,
        "NO_REFRESH_TOKEN",
        "The org let you in, but gave no refresh token, so the session could not be renewed without you. Give the app the scope “Perform \
         requests at any time (refresh_token, offline_access)”, wait some minutes, and begin anew.",
    )
}

/// The words for client credentials at a host that serves all orgs.
pub(super) fn generic_host(settings: &SalesforceSettings) -> String {
    format!(
        "Client credentials don't work at {}. Use the org's My Domain address, such as https://acme.my.salesforce.com.",
        settings.environment.address()
    )
}
