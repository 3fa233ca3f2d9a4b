//! The page at which a person signs in in the browser and approves the app. Here it asks nothing: the integration user is signed in and
//! approves at once, unless the person was told to do otherwise.

use axum::http::Method;
use serde::Deserialize;

use super::Code;
use crate::sandbox::org::Org;
use crate::sandbox::org::rest::reply::{Reply, pairs};

/// What the person at the browser does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Signs in and approves.
    #[default]
    Granted,
    /// Does not approve.
    Denied,
    /// Approves, but the browser comes back with another state.
    WrongState,
    /// Approves, but the browser comes back with a code that nobody gave.
    WrongCode,
}

/// Percent-encodes a value of a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A page for the person; the app hears nothing of it.
fn page(error: &str, words: &str) -> Reply {
    let text = format!(
        "<!DOCTYPE html><html><head><title>Salesforce</title></head><body><p>We can't authorize you because of an OAuth error. \
         For more information, contact your Salesforce administrator.</p><p>{error} : {words}</p></body></html>"
    );
    Reply {
        headers: vec![("content-type", "text/html; charset=UTF-8".to_owned())],
        ..Reply::bytes(400, text.into_bytes())
    }
}

/// Sends the browser back to the app.
fn back(redirect: &str, told: &[(&str, &str)]) -> Reply {
    let query: Vec<String> = told.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let sign = if redirect.contains('?') { '&' } else { '?' };
    Reply { headers: vec![("location", format!("{redirect}{sign}{}", query.join("&")))], ..Reply::empty(302) }
}

/// Answers `/services/oauth2/authorize`.
pub(in crate::sandbox::org) fn authorize(
    org: &Org,
    base: &str,
    method: &Method,
    query: &str,
    body: &[u8],
) -> Reply {
    if !matches!(*method, Method::GET | Method::POST) {
        return Reply::not_found();
    }
    let mut asked = pairs(&String::from_utf8_lossy(body));
    asked.extend(pairs(query));
    let get = |name: &str| asked.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str());
    if get("client_id") != org.options.client_id {
        return page("invalid_client_id", "client identifier invalid");
    }
    let redirect = get("redirect_uri");
    let (approval, known, offered) = {
        let knobs = org.knobs();
        (knobs.approval, knobs.callback_urls.iter().any(|url| url == redirect), knobs.app_scopes.clone())
    };
    if !known {
        return page("redirect_uri_mismatch", "redirect_uri must match configuration");
    }
    if !super::serves(&org.options, base) || org.sessions().locked {
        return page(
            "invalid_grant",
            "Please check your username and password. If you still can't log in, contact your administrator.",
        );
    }
    let refused = |error: &str, words: &str| {
        back(redirect, &[("error", error), ("error_description", words), ("state", get("state"))])
    };
    if get("response_type") != "code" {
        return refused("unsupported_response_type", "response type not supported");
    }
    let challenge = get("code_challenge");
    if !matches!(get("code_challenge_method"), "" | "S256") {
        return refused("invalid_request", "unsupported code challenge method");
    }
    if !challenge.is_empty() && challenge.len() != 43 {
        return refused("invalid_request", "invalid code challenge");
    }
    // One that is not asked for anything else gets all that the app offers.
    let wanted: Vec<String> = match get("scope") {
        "" => offered.clone(),
        scope => scope.split(' ').filter(|word| !word.is_empty()).map(plain).collect(),
    };
    if wanted.iter().any(|word| !offered.contains(word)) {
        return refused("invalid_scope", "the requested scope is not allowed");
    }
    if approval == Approval::Denied {
        return refused("access_denied", "end-user denied authorization");
    }
    let code = Code {
        user: org.integration_user_id(),
        redirect: redirect.to_owned(),
        challenge: challenge.to_owned(),
        scope: wanted.join(" "),
        issued: org.clock.now_ms(),
    };
    let code = org.sessions().code(org.options.seed, code);
    match approval {
        Approval::WrongState => back(redirect, &[("code", &code), ("state", "somebody-else")]),
        Approval::WrongCode => back(redirect, &[("code", "aPrxNobodyGaveThis=="), ("state", get("state"))]),
        Approval::Granted | Approval::Denied => back(redirect, &[("code", &code), ("state", get("state"))]),
    }
}

/// A scope by the name under which the app offers it.
fn plain(scope: &str) -> String {
    if scope == "offline_access" { "refresh_token".to_owned() } else { scope.to_owned() }
}
