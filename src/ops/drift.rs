//! Drift: what both sides say of their fields that is not what was accepted (law E13), and accepting it; and accepting a mapping as
//! it is written (law E5).

use crate::domain::command::{Acceptance, Command, Reply};
use crate::domain::report::DriftRow;
use crate::ops::engine::EngineClient;
use crate::ops::error::{OpClass, OpError};
use crate::ops::read;
use crate::ops::session::Session;

/// Everything that differs, the worst first; of one mapping, if one is named.
pub async fn rows(session: &Session, mapping: Option<&str>) -> Result<Vec<DriftRow>, OpError> {
    if let Some(name) = mapping {
        known(session, std::slice::from_ref(&name.to_owned()))?;
    }
    let mut rows = read::status(session).await?.drift;
    rows.retain(|row| mapping.is_none_or(|name| row.finding.mapping.eq_ignore_ascii_case(name)));
    Ok(rows)
}

/// Refuses names that are no mapping's.
pub fn known(session: &Session, names: &[String]) -> Result<(), OpError> {
    let settings = session.settings();
    match names.iter().find(|name| settings.mapping(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let known: Vec<&str> = settings.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
            let known = if known.is_empty() {
                "there is none yet".into()
            } else {
                format!("known are {}", known.join(", "))
            };
            Err(OpError::settings(format!("There is no mapping “{name}”; {known}.")).code("no_mapping"))
        }
    }
}

/// A person accepts mappings, all of them if none is named.
pub async fn accept(engine: &EngineClient, mappings: Vec<String>, what: Acceptance) -> Result<(), OpError> {
    match engine.ask(Command::Accept { mappings, what }).await? {
        Reply::Refused { message } => Err(OpError::new(OpClass::Failed, message)),
        Reply::Accepted
        | Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Ok(()),
    }
}
