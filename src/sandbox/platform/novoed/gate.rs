//! Who may come in, and how often: the key shown as Basic, as a token, in the query or in the body; and the windows of the limits, past which
//! everything is answered with 503.

use std::sync::{Arc, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::NovoEd;
use super::routes::refused;

/// The largest body of a call.
const MOST_BYTES: usize = 1 << 16;

#[derive(Debug, Deserialize)]
pub(super) struct TokenWish {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

impl NovoEd {
    fn is_key(&self, key: &str, secret: &str) -> bool {
        key == self.options.key.0 && secret == self.options.key.1
    }

    fn is_token(&self, token: &str) -> bool {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|until| self.clock.now_ms() < *until)
    }

    /// Ends all tokens.
    pub(super) fn end_tokens(&self) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether one more call fits into the minute, the hour and the day.
    fn admit(&self) -> bool {
        if !self.options.real_pace {
            return true;
        }
        let now = self.clock.now_ms();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fits = true;
        for (window, (length, most)) in recent.iter_mut().zip(self.options.limits) {
            while window.front().is_some_and(|at| *at <= now - length) {
                window.pop_front();
            }
            fits &= window.len() < most;
        }
        if fits {
            for window in recent.iter_mut() {
                window.push_back(now);
            }
        }
        fits
    }

    fn knows(&self, request: &Request, body: &Bytes) -> bool {
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
        if let Some(shown) = shown {
            if let Some(token) = shown.strip_prefix("Bearer ") {
                return self.is_token(token);
            }
            let pair = shown.strip_prefix("Basic ").and_then(|pair| STANDARD.decode(pair).ok());
            let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
            return pair
                .as_deref()
                .and_then(|pair| pair.split_once(':'))
                .is_some_and(|(key, secret)| self.is_key(key, secret));
        }
        let query = request.uri().query().unwrap_or_default();
        let asked = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(known, _)| *known == name).map(|(_, text)| text.to_owned()).next()
        };
        if let (Some(key), Some(secret)) = (asked("api_key"), asked("api_secret")) {
            return self.is_key(&key, &secret);
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let told = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.is_key(&told("api_key"), &told("api_secret"))
    }
}

/// Before every call but that for a token.
pub(super) async fn let_in(State(site): State<Arc<NovoEd>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MOST_BYTES).await else { return refused(400, "The body is too large") };
    let request = Request::from_parts(head, Body::from(bytes.clone()));
    if !site.knows(&request, &bytes) {
        return refused(401, "Invalid API key");
    }
    if !site.admit() {
        return refused(503, "Service Unavailable");
    }
    next.run(request).await
}

/// `POST /oauth/token`.
pub(super) async fn token(State(site): State<Arc<NovoEd>>, Form(wish): Form<TokenWish>) -> Response {
    if wish.grant_type != "password" || !site.is_key(&wish.username, &wish.password) {
        return refused(401, "invalid_grant");
    }
    let now = site.clock.now_ms();
    let mut tokens = site.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    let token = format!("novoed-token-{}-{now}", tokens.len() + 1);
    tokens.insert(token.clone(), now + site.options.token_seconds * 1000);
    axum::Json(json!({
        "access_token": token, "token_type": "Bearer", "expires_in": site.options.token_seconds,
        "refresh_token": format!("{token}-refresh"),
    }))
    .into_response()
}

/// Clients take the server's time from here, so it has to be the one that all stamps come from.
pub(super) async fn dated(State(site): State<Arc<NovoEd>>, mut response: Response) -> Response {
    let now = chrono::DateTime::from_timestamp_millis(site.clock.now_ms()).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
