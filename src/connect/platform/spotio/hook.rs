//! Deliveries of the service: signed, in handfuls, sometimes twice, and never complete. They are hints that something has changed;
//! what it is now is read by its id like any other change. Besides, the endpoints that the service sends them to.

use async_trait::async_trait;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::Spotio;
use super::json::{flag, member, moment, texts};
use super::service::{Ask, Failure, Patience, no_sense};
use super::view::View;
use crate::connect::http::{Method, percent_encode};
use crate::connect::platform::webhooks::{Chosen, Registered, Webhooks};
use crate::domain::hint::{Hinted, Hints, NotTaken, WebhookEndpoint};
use crate::domain::port::PortError;
use crate::domain::profile::{Profile, Told};
use crate::domain::record::RecordId;

/// The header that carries the signature.
pub const SIGNATURE: &str = "X-Signature";

/// What the settings say of deliveries, and what they are signed with.
pub(super) struct Hook {
    chosen: Chosen,
    secret: SecretString,
}

impl Hook {
    pub(super) fn new(told: &Told<'_>, secret: SecretString) -> Self {
        let chosen = Chosen {
            on: told.flag("webhooks"),
            path: told.text("webhook_path"),
            address: told.text("webhook_address"),
            scopes: told.texts("webhook_scopes"),
        };
        Self { chosen, secret }
    }
}

/// What an event hints at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The word of the event, such as `lead.updated`.
    pub event: String,
    /// The record or activity, where it is named.
    pub id: Option<String>,
    /// The record that an activity or appointment belongs to, where it is named.
    pub record: Option<String>,
    /// When it happened, in seconds since 1970.
    pub at: Option<i64>,
}

/// Whether a body carries the signature that the account's secret gives it: HMAC-SHA256 of the raw bytes, in hex. The comparison takes
/// the same time whatever is wrong.
pub fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let Some(bytes) = unhex(signature.trim()) else { return false };
    !secret.is_empty()
        && hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body, &bytes).is_ok()
}

/// What a delivery hints at; what it says twice is said once. Nothing can be made of a body of another shape.
pub fn hints(body: &[u8]) -> Option<Vec<Hint>> {
    let body: Json = serde_json::from_slice(body).ok()?;
    let mut hints: Vec<Hint> = Vec::new();
    for event in body.get("payload")?.as_array()? {
        let data = event.get("data").unwrap_or(&Json::Null);
        let record = data.get("dataObject").unwrap_or(&Json::Null);
        let named = |json: &Json| member(json, "objectId").or_else(|| member(json, "id"));
        let hint = Hint {
            event: member(event, "type").unwrap_or_default(),
            id: named(data),
            record: named(record).or_else(|| member(data, "dataObjectId")),
            at: member(event, "date").and_then(|text| moment(&text)).map(|moment| moment.timestamp()),
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    Some(hints)
}

/// The records behind hints, by the objects of the profile that may show them. An event of a kind that nobody knows hints at nothing.
fn looked_at(profile: &Profile, hints: &[Hint]) -> Hints {
    let mut all = Hints::default();
    for hint in hints {
        let (kind, deed) = hint.event.split_once('.').unwrap_or((hint.event.as_str(), ""));
        let (activities, id) = match kind.to_ascii_lowercase().as_str() {
            "lead" => (false, &hint.id),
            "activity" => (true, &hint.id),
            // Appointments are no object; the record says when the next one is.
            "appointment" => (false, &hint.record),
            _ => continue,
        };
        all.deletions |= kind.eq_ignore_ascii_case("lead") && deed.eq_ignore_ascii_case("deleted");
        let Some(id) = id.as_deref().filter(|id| is_id(id)) else { continue };
        for object in &profile.objects {
            let hinted = Hinted { object: object.name.clone(), id: RecordId::new(id) };
            if View::of(&object.name).is_activity() == activities && !all.records.contains(&hinted) {
                all.records.push(hinted);
            }
        }
    }
    all
}

/// Whether a text can be an id: it goes into addresses.
fn is_id(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    (!digits.is_empty() && digits.len().is_multiple_of(2))
        .then(|| digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn endpoint(row: &Json) -> Option<WebhookEndpoint> {
    Some(WebhookEndpoint {
        id: member(row, "id")?,
        callback: member(row, "callback").unwrap_or_default(),
        scopes: texts(row.get("scopes")),
        active: flag(row, "active"),
        headers: row.get("customHeaders").cloned().unwrap_or_default(),
    })
}

impl Spotio {
    async fn webhook_call(&self, ask: Ask) -> Result<Json, PortError> {
        let answer = self.service.send(&ask.with_patience(Patience::Person)).await;
        Ok(answer.map_err(Failure::into_port)?.value)
    }
}

fn understood(row: &Json) -> Result<WebhookEndpoint, PortError> {
    endpoint(row).ok_or_else(|| no_sense("a webhook without an id").into_port())
}

#[async_trait]
impl Webhooks for Spotio {
    fn chosen(&self) -> Chosen {
        self.hook.chosen.clone()
    }

    fn header(&self) -> &'static str {
        SIGNATURE
    }

    fn has_secret(&self) -> bool {
        !self.hook.secret.expose_secret().is_empty()
    }

    fn hints(&self, signature: &str, body: &[u8]) -> Result<Hints, NotTaken> {
        if !is_signed(self.hook.secret.expose_secret(), body, signature) {
            return Err(NotTaken::Unsigned);
        }
        let hints = hints(body).ok_or(NotTaken::Unreadable)?;
        Ok(looked_at(self.profile, &hints))
    }

    async fn scopes(&self) -> Result<Vec<String>, PortError> {
        let list = self.webhook_call(Ask::get("webhook scopes", "/api/Webhooks/scopes")).await?;
        Ok(texts(Some(&list)))
    }

    async fn registered(&self) -> Result<Registered, PortError> {
        let answer = self.webhook_call(Ask::get("webhooks", "/api/Webhooks")).await?;
        let endpoints = answer.get("endpoints").and_then(Json::as_array);
        Ok(Registered {
            secret: member(&answer, "secret").map(SecretString::from),
            endpoints: endpoints.into_iter().flatten().filter_map(endpoint).collect(),
        })
    }

    async fn add(&self, callback: &str, scopes: &[String]) -> Result<WebhookEndpoint, PortError> {
        let body = json!({"callback": callback, "scopes": scopes});
        understood(&self.webhook_call(Ask::post("new webhook", "/api/Webhooks", &body).once()).await?)
    }

    async fn change(
        &self,
        endpoint: &WebhookEndpoint,
        callback: &str,
        scopes: &[String],
    ) -> Result<WebhookEndpoint, PortError> {
        let body = json!({
            "callback": callback, "scopes": scopes, "active": true, "customHeaders": endpoint.headers,
        });
        let path = format!("/api/Webhooks/{}", percent_encode(&endpoint.id));
        let ask = Ask { method: Method::PUT, ..Ask::post("webhook", path, &body) };
        understood(&self.webhook_call(ask).await?)
    }

    async fn remove(&self, endpoint: &WebhookEndpoint) -> Result<(), PortError> {
        let path = format!("/api/Webhooks/{}", percent_encode(&endpoint.id));
        self.webhook_call(Ask { method: Method::DELETE, ..Ask::get("webhook", path) }).await.map(drop)
    }
}
