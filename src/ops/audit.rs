//! What the latest completeness audit found. It runs, and its holes are mended, as a run of the engine.

use crate::domain::audit::{AuditReport, Hole};
use crate::domain::command::RunRequest;
use crate::domain::outcome::RunKind;
use crate::ops::error::OpError;
use crate::ops::session::Session;

/// At most so many holes are listed.
const LISTED: usize = 10_000;

/// The latest audit with its holes; `None` before the first one.
pub async fn latest(session: &Session) -> Result<Option<(AuditReport, Vec<Hole>)>, OpError> {
    let session = session.clone();
    let read = tokio::task::spawn_blocking(move || match session.reader()? {
        Some(reader) => Ok::<_, OpError>(reader.audit(LISTED)?),
        None => Ok(None),
    });
    match read.await {
        Ok(result) => result,
        Err(error) => Err(OpError::failed(format!("The state database could not be read: {error}."))),
    }
}

/// The run that looks for holes.
pub fn audit() -> RunRequest {
    RunRequest::new(RunKind::Audit)
}

/// The run that mends the holes of the latest audit, under the brakes.
pub fn heal() -> RunRequest {
    RunRequest::new(RunKind::Heal)
}
