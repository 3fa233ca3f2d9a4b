//! Jobs of the service: asked until they are done, more and more rarely.

use std::time::Duration;

use serde_json::json;

use super::Salesmanago;
use super::wire::{JobAnswer, JobStatus};
use crate::domain::port::{PortClass, PortError};

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Still at work.
    Running,
    /// Done, with the address of its file where it left one.
    Done(Option<String>),
}

/// The first pause between two questions; it doubles up to [`LONGEST_PAUSE`], which is what other clients ask at.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After so many questions (about ten minutes) a job counts as lost.
const QUESTIONS: u32 = 120;

impl Salesmanago {
    /// Asks once.
    pub(super) async fn job(&self, request: &str) -> Result<Progress, PortError> {
        // The id is a number wherever it was seen, so it goes back as one.
        let id = request.parse::<u64>().map_or_else(|_| json!(request), |number| json!(number));
        let status: JobStatus = self.service.ask("job/status", &json!({ "requestId": id })).await?.value;
        Ok(match status.file_url.filled() {
            Some(url) => Progress::Done(Some(url.to_owned())),
            None if status.message.0.is_empty() => Progress::Done(None),
            None => Progress::Running,
        })
    }

    /// Asks until it is done.
    pub(super) async fn finished_job(&self, request: &str) -> Result<Option<String>, PortError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..QUESTIONS {
            match self.job(request).await? {
                Progress::Done(file) => return Ok(file),
                Progress::Running => self.service.sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(PortError::new(
            PortClass::Transient,
            "JOB_SLOW",
            format!(
                "Job {request} of SALESmanago was not done within ten minutes. The next run tries again."
            ),
        ))
    }
}

/// The number of a job that was just started.
pub(super) fn request_of(answer: &JobAnswer) -> Result<String, PortError> {
    answer.request_id.filled().map(str::to_owned).ok_or_else(|| {
        PortError::new(
            PortClass::Protocol,
            "NO_JOB",
            "SALESmanago took a job over but named no number to ask for it by. If it happens again, ask its support.",
        )
    })
}
