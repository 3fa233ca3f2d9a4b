//! Deliveries of the service: signed, in handfuls, sometimes twice, and never complete. They are hints that something has changed;
//! what it is now is read by its id like any other change.

use ring::hmac;
use serde_json::Value as Json;

use super::json::{member, moment};

/// The header that carries the signature.
pub const SIGNATURE: &str = "X-Signature";

/// What a delivery hints at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The word of the event, such as `lead.updated`.
    pub event: String,
    /// The record or activity, where it is named.
    pub id: Option<String>,
    /// When it happened, in seconds since 1970.
    pub at: Option<i64>,
}

/// Whether a body carries the signature that the account's secret gives it: HMAC-SHA256 of the raw bytes, in hex.
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
        let hint = Hint {
            event: member(event, "type").unwrap_or_default(),
            id: member(data, "objectId").or_else(|| member(data, "id")),
            at: member(event, "date").and_then(|text| moment(&text)).map(|moment| moment.timestamp()),
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    Some(hints)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    (!digits.is_empty() && digits.len().is_multiple_of(2))
        .then(|| digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
