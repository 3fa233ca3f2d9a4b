//! Which sides have ever passed a test with the saved settings; mapping and runs unlock with it (F79).

use std::fmt::Write;

use crate::domain::side::{PerSide, Side};
use crate::ops::session::Session;
use crate::workspace::private_file;
use crate::workspace::settings::{PlatformKind, Settings};

/// The file in the workspace that remembers it.
const FILE: &str = "tested.json";

/// Whether each side has ever passed a test with saved settings.
pub fn unlocked(session: &Session) -> PerSide<bool> {
    let known: PerSide<Option<String>> = std::fs::read(session.folder().join(FILE))
        .ok()
        .and_then(|content| serde_json::from_slice(&content).ok())
        .unwrap_or_default();
    known.map(|fingerprint| fingerprint.is_some())
}

/// Remembers that a side has passed.
pub(crate) fn unlock(session: &Session, side: Side) {
    let path = session.folder().join(FILE);
    let mut known: PerSide<Option<String>> = std::fs::read(&path)
        .ok()
        .and_then(|content| serde_json::from_slice(&content).ok())
        .unwrap_or_default();
    let fingerprint = Some(fingerprint(&session.settings(), side));
    if known[side] == fingerprint {
        return;
    }
    known[side] = fingerprint;
    let written = serde_json::to_vec(&known)
        .map_err(|error| error.to_string())
        .and_then(|content| private_file::replace(&path, &content).map_err(|error| error.to_string()));
    if let Err(error) = written {
        // Nothing is lost: the side has to pass another test after the next start.
        tracing::warn!(%error, "It could not be remembered that a test was passed.");
    }
}

/// Of a side's connection, without what tests and saves find out by themselves.
pub(crate) fn fingerprint(settings: &Settings, side: Side) -> String {
    let text = match side {
        Side::Org => {
            let mut connection = settings.salesforce.clone();
            connection.org_id = None;
            serde_json::to_string(&connection)
        }
        Side::Platform => {
            // What other platforms were told does not matter to this one.
            let chosen = &settings.platform;
            if chosen.kind == PlatformKind::SALESMANAGO {
                let mut connection = chosen.salesmanago.clone();
                connection.account_id = None;
                serde_json::to_string(&(chosen.kind, connection))
            } else {
                serde_json::to_string(&(chosen.kind, chosen.others.get(&chosen.kind)))
            }
        }
    }
    .unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
