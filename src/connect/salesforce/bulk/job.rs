//! Jobs as such: made, asked after, closed, given up and deleted.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::connect::http::Idempotency;
use crate::connect::salesforce::errors::{Fault, Topic, senseless, topic};
use crate::connect::salesforce::session::{Door, DoorError, Request};
use crate::domain::cost::{self, Rates};
use crate::domain::port::{PortClass, PortError};

/// Which of the two kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Ingest,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Ingest => "ingest",
        }
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum State {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
    /// A state that did not exist when this was written; the job is at work.
    #[serde(other)]
    Other,
}

impl State {
    pub(super) fn is_over(self) -> bool {
        match self {
            Self::JobComplete | Self::Failed | Self::Aborted => true,
            Self::Open | Self::UploadComplete | Self::InProgress | Self::Other => false,
        }
    }
}

/// What the service says about a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    pub(super) id: String,
    pub(super) state: State,
    #[serde(default)]
    pub(super) number_records_processed: u64,
    #[serde(default)]
    pub(super) number_records_failed: u64,
    #[serde(default)]
    pub(super) error_message: Option<String>,
}

/// The path of a job, without a slash at its end.
pub(super) async fn path(door: &Door, kind: Kind, id: &str) -> Result<String, PortError> {
    // The id comes from a mark or a journal, which come from disk.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(lost());
    }
    Ok(format!("{}/jobs/{}/{id}", door.base().await?, kind.word()))
}

pub(super) fn lost() -> PortError {
    PortError::new(
        PortClass::MarkLost,
        "INVALIDJOB",
        "The bulk job of a long read of the org is gone; the read starts again.",
    )
}

/// Whether an error says that there is no such job (any more).
pub(super) fn is_gone(fault: &Fault) -> bool {
    fault.status == 404 || topic(&fault.code) == Some(Topic::Gone)
}

/// Makes a job; what is in it comes later, if anything.
pub(super) async fn create(door: &Door, kind: Kind, body: &serde_json::Value) -> Result<Info, DoorError> {
    let path = format!("{}/jobs/{}", door.base().await?, kind.word());
    // A job made twice does nothing by itself: one that reads is only waited for, one that writes is still empty.
    let request = Request::post("bulk job", path, body.to_string().into_bytes(), Idempotency::Once);
    let reply = door.send(&request).await?;
    Ok(reply.json().map_err(|error| senseless("a bulk job", &error))?)
}

/// Asks after a job; `None` if there is none.
pub(super) async fn info(door: &Door, kind: Kind, id: &str) -> Result<Option<Info>, PortError> {
    let path = path(door, kind, id).await?;
    match door.send(&Request::get("bulk job state", path)).await {
        Ok(reply) => Ok(Some(reply.json().map_err(|error| senseless("a bulk job", &error))?)),
        Err(DoorError::Fault(fault)) if is_gone(&fault) => Ok(None),
        Err(error) => Err(error.told("the state of a bulk job")),
    }
}

/// Moves a job to a state that clients may ask for.
pub(super) async fn set(door: &Door, kind: Kind, id: &str, state: &'static str) -> Result<Info, DoorError> {
    let path = path(door, kind, id).await?;
    let body = json!({ "state": state }).to_string().into_bytes();
    let reply = door.send(&Request::patch("bulk job", path, body)).await?;
    Ok(reply.json().map_err(|error| senseless("a bulk job", &error))?)
}

/// Gives a job up and takes it away. It did its work, or will do none; that it could not be deleted harms nobody, as the
/// service deletes it in seven days.
pub(super) async fn discard(door: &Door, kind: Kind, id: &str, over: bool) {
    if !over && let Err(error) = set(door, kind, id, "Aborted").await {
        tracing::info!(job = id, ?error, "A bulk job could not be given up.");
    }
    let Ok(path) = path(door, kind, id).await else { return };
    if let Err(error) = door.send(&Request::delete("bulk job", path)).await {
        tracing::info!(job = id, ?error, "A bulk job could not be deleted.");
    }
}

/// Waits for the end of a job, at growing pauses. `None` if there is no such job.
pub(super) async fn wait(
    door: &Door,
    kind: Kind,
    id: &str,
    rates: &Rates,
) -> Result<Option<Info>, PortError> {
    let mut asked = 0;
    let mut broken = 0;
    loop {
        door.pause(cost::pause_before(rates, asked)).await;
        asked = asked.saturating_add(1);
        match info(door, kind, id).await {
            Ok(Some(info)) if info.state.is_over() => return Ok(Some(info)),
            Ok(Some(_)) => broken = 0,
            Ok(None) => return Ok(None),
            // The job goes on meanwhile, and nothing may be concluded before it ends.
            Err(error) if error.class == PortClass::Transient && broken < PATIENCE => {
                broken += 1;
                door.pause(LONG).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How often the state of a job may not be told in a row.
const PATIENCE: u32 = 10;
/// The pause after it was not.
const LONG: Duration = Duration::from_secs(30);
