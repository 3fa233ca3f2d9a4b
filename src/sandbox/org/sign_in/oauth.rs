//! OAuth: tokens for client credentials, passwords, codes and refresh tokens; revocation; introspection.

use axum::http::{HeaderMap, Method};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::IDLE_MS;
use crate::sandbox::org::Org;
use crate::sandbox::org::rest::reply::{Reply, decode, pairs};

/// Hosts that sign in for every org, where client credentials are refused.
const GENERIC: [&str; 2] = ["login.salesforce.com", "test.salesforce.com"];

fn refuse(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}

/// The parameters of a request to the OAuth pages: form, query string and HTTP Basic together.
struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    fn of(query: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut all = pairs(&String::from_utf8_lossy(body));
        all.extend(pairs(query));
        let basic = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Basic "));
        if let Some(text) = basic
            .and_then(|text| STANDARD.decode(text.trim()).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            && let Some((id, secret)) = text.split_once(':')
        {
            all.push(("client_id".to_owned(), decode(id, false)));
            all.push(("client_secret".to_owned(), decode(secret, false)));
        }
        Self { pairs: all }
    }

    fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str())
    }
}

/// Answers `/services/oauth2/{page}`.
pub(in crate::sandbox::org) fn oauth(
    org: &Org,
    base: &str,
    page: &str,
    method: &Method,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
) -> Reply {
    let form = Form::of(query, headers, body);
    match page {
        "token" if *method == Method::POST => token(org, base, headers, &form),
        "token" => refuse(400, "invalid_request", "must use HTTP POST"),
        "authorize" => super::authorize(org, base, method, query, body),
        "revoke" => {
            let known = org.sessions().revoke(form.get("token"));
            if known { Reply::empty(200) } else { refuse(400, "invalid_token", "the token is not known") }
        }
        "introspect" if *method == Method::POST => introspect(org, base, &form),
        "userinfo" => super::user_info(org, base, headers, &form.pairs),
        _ => Reply::not_found(),
    }
}

fn client(org: &Org, form: &Form) -> Result<(), Reply> {
    if form.get("client_id") != org.options.client_id {
        return Err(refuse(400, "invalid_client_id", "client identifier invalid"));
    }
    if form.get("client_secret") != org.options.client_secret {
        return Err(refuse(400, "invalid_client", "invalid client credentials"));
    }
    Ok(())
}

/// The app, where it proves itself by a verifier or a refresh token: some want no secret then, and a wrong one never counts.
fn public_client(org: &Org, form: &Form) -> Result<(), Reply> {
    if form.get("client_secret").is_empty()
        && form.get("client_id") == org.options.client_id
        && !org.knobs().require_secret
    {
        return Ok(());
    }
    client(org, form)
}

/// What a token is given for: whose, with which scopes, and the refresh token that comes with it.
struct Grant {
    user: String,
    scope: String,
    refresh_token: Option<String>,
}

impl Grant {
    fn of(user: String) -> Self {
        Self { user, scope: "api id web refresh_token".to_owned(), refresh_token: None }
    }
}

fn token(org: &Org, base: &str, headers: &HeaderMap, form: &Form) -> Reply {
    let grant = match form.get("grant_type") {
        "client_credentials" => client_credentials(org, headers, form).map(Grant::of),
        "password" => password(org, base, form).map(Grant::of),
        "refresh_token" => public_client(org, form).and_then(|()| renewal(org, form)),
        "authorization_code" => public_client(org, form).and_then(|()| by_code(org, form)),
        _ => Err(refuse(400, "unsupported_grant_type", "grant type not supported")),
    };
    match grant {
        Err(reply) => reply,
        Ok(grant) => granted(org, base, grant),
    }
}

fn renewal(org: &Org, form: &Form) -> Result<Grant, Reply> {
    let old = form.get("refresh_token");
    let rotates = org.knobs().rotate_refresh_tokens;
    let mut sessions = org.sessions();
    let user = sessions
        .user_of_refresh(old)
        .filter(|_| !sessions.locked)
        .ok_or_else(|| refuse(400, "invalid_grant", "expired access/refresh token"))?;
    let refresh_token = if rotates { sessions.rotate(org.options.seed, old) } else { None };
    Ok(Grant { refresh_token, ..Grant::of(user) })
}

fn by_code(org: &Org, form: &Form) -> Result<Grant, Reply> {
    let mut sessions = org.sessions();
    let code = sessions
        .take_code(form.get("code"), org.clock.now_ms())
        .ok_or_else(|| refuse(400, "invalid_grant", "expired authorization code"))?;
    if form.get("redirect_uri") != code.redirect {
        return Err(refuse(400, "redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    let verifier = form.get("code_verifier");
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let proven = URL_SAFE_NO_PAD.encode(digest) == code.challenge && (43..=128).contains(&verifier.len());
    if !code.challenge.is_empty() && !proven {
        return Err(refuse(400, "invalid_grant", "invalid code verifier"));
    }
    let refresh_token = code.scope.split(' ').any(|word| word == "refresh_token").then(|| {
        let token = sessions.refresh_token(org.options.seed, &code.user);
        sessions.approve(&token);
        token
    });
    Ok(Grant { user: code.user, scope: code.scope, refresh_token })
}

fn granted(org: &Org, base: &str, grant: Grant) -> Reply {
    let Grant { user, scope, refresh_token } = grant;
    let now = org.clock.now_ms();
    let token = org.open_session(&user);
    let id = format!("{base}/id/{}/{user}", org.org_id());
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, org.options.client_secret.as_bytes());
    let signature = STANDARD.encode(ring::hmac::sign(&key, format!("{id}{now}").as_bytes()));
    let mut answer = json!({
        "access_token": token, "signature": signature, "scope": scope, "instance_url": base,
        "id": id, "token_type": "Bearer", "issued_at": now.to_string(), "api_instance_url": base,
    });
    if let (Some(refresh_token), Some(fields)) = (refresh_token, answer.as_object_mut()) {
        fields.insert("refresh_token".to_owned(), refresh_token.into());
    }
    Reply::json(200, &answer)
}

fn client_credentials(org: &Org, headers: &HeaderMap, form: &Form) -> Result<String, Reply> {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    if org.options.generic_login_host || GENERIC.contains(&name) {
        return Err(refuse(400, "invalid_grant", "request not supported on this domain"));
    }
    client(org, form)?;
    if org.sessions().locked {
        return Err(refuse(400, "invalid_grant", "no client credentials user enabled"));
    }
    Ok(org.integration_user_id())
}

fn password(org: &Org, base: &str, form: &Form) -> Result<String, Reply> {
    client(org, form)?;
    if !org.options.password_flow || !super::serves(&org.options, base) {
        return Err(refuse(400, "invalid_grant", "authentication failure"));
    }
    match org.check_password(form.get("username"), form.get("password")) {
        Ok(_) if org.sessions().password_expired => Err(refuse(400, "invalid_grant", "expired password")),
        Ok(user) => Ok(user),
        Err(()) => Err(refuse(400, "invalid_grant", "authentication failure")),
    }
}

fn introspect(org: &Org, base: &str, form: &Form) -> Reply {
    // The CLI sends no secret of its own; a wrong one is still refused.
    if !form.get("client_secret").is_empty()
        && let Err(reply) = client(org, form)
    {
        return reply;
    }
    let now = org.clock.now_ms();
    let sessions = org.sessions();
    let answer: Value = match sessions.look(form.get("token"), now) {
        None => json!({"active": false}),
        Some(session) => json!({
            "active": true, "scope": "api id web refresh_token", "client_id": org.options.client_id, "username": org.options.username,
            "sub": format!("{base}/id/{}/{}", org.org_id(), session.user), "token_type": "access_token",
            "exp": (session.used + IDLE_MS) / 1_000, "iat": session.started / 1_000, "nbf": session.started / 1_000,
        }),
    };
    Reply::json(200, &answer)
}
