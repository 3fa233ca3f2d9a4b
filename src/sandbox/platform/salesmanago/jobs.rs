//! Work that the service does later: jobs, their status, and the files they leave behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::lenient::Text;
use super::reply::{self, Refusal};
use super::upsert::BatchWork;
use super::{lists, lock};

/// A job that nobody asks about is done after this time.
const LONGEST_WAIT_MS: i64 = 60_000;

/// So many finished jobs keep their files.
const KEPT_JOBS: usize = 4_000;

/// What a job has to do.
pub enum Work {
    /// Write rows.
    Upsert(BatchWork),
    /// Export one page of the contact list.
    Page(lists::PageWork),
    /// Export data of chosen contacts.
    Data(lists::DataWork),
    /// Only make a file.
    File(Vec<u8>),
}

/// What a question after a job is answered with.
enum Poll {
    Running,
    Done(String),
}

enum Progress {
    Waiting { polls_left: u32, due: i64, work: Work },
    Done { file: String },
}

/// The jobs by number.
#[derive(Default)]
pub struct Jobs {
    last: u64,
    all: BTreeMap<u64, Progress>,
    files: BTreeMap<String, Vec<u8>>,
    waiting: usize,
}

impl Salesmanago {
    /// Takes on a job and answers with its number.
    pub(super) fn enqueue(&self, work: Work) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Accepted {
            request_id: u64,
        }
        let polls_left = self.job_polls.load(Ordering::Relaxed);
        let due = self.clock.now_ms() + LONGEST_WAIT_MS;
        let number = {
            let mut jobs = lock(&self.jobs);
            jobs.last += 1;
            jobs.waiting += 1;
            let number = jobs.last;
            jobs.all.insert(number, Progress::Waiting { polls_left, due, work });
            number
        };
        if polls_left == 0 {
            self.finish(number);
        }
        reply::success(&Accepted { request_id: number })
    }

    /// Does what is overdue. Every call begins with it, so that a job is done even when nobody polls.
    pub(super) fn settle_jobs(&self) {
        let overdue: Vec<u64> = {
            let jobs = lock(&self.jobs);
            if jobs.waiting == 0 {
                return;
            }
            let now = self.clock.now_ms();
            let is_overdue =
                |progress: &Progress| matches!(progress, Progress::Waiting { due, .. } if *due <= now);
            jobs.all.iter().filter(|(_, progress)| is_overdue(progress)).map(|(number, _)| *number).collect()
        };
        for number in overdue {
            self.finish(number);
        }
    }

    /// Does a job that waits. Jobs end in the order in which they are asked for, like those of the service.
    fn finish(&self, number: u64) {
        let mut jobs = lock(&self.jobs);
        let work = match jobs.all.remove(&number) {
            Some(Progress::Waiting { work, .. }) => work,
            Some(done @ Progress::Done { .. }) => {
                jobs.all.insert(number, done);
                return;
            }
            None => return,
        };
        jobs.waiting = jobs.waiting.saturating_sub(1);
        let bytes = match work {
            Work::Upsert(work) => self.work_through(&work),
            Work::Page(work) => self.export_page(&work),
            Work::Data(work) => self.export_data(&work),
            Work::File(bytes) => bytes,
        };
        let file = format!("job-{number}.json");
        jobs.files.insert(file.clone(), bytes);
        jobs.all.insert(number, Progress::Done { file });
        while jobs.all.len() > KEPT_JOBS {
            if let Some((_, Progress::Done { file })) = jobs.all.pop_first() {
                jobs.files.remove(&file);
            }
        }
    }

    fn poll(&self, number: u64) -> Option<Poll> {
        {
            let mut jobs = lock(&self.jobs);
            match jobs.all.get_mut(&number)? {
                Progress::Done { file } => return Some(Poll::Done(file.clone())),
                Progress::Waiting { polls_left, .. } if *polls_left > 0 => {
                    *polls_left -= 1;
                    return Some(Poll::Running);
                }
                Progress::Waiting { .. } => {}
            }
        }
        self.finish(number);
        self.poll(number)
    }
}

/// What `job/status` takes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusBody {
    request_id: Option<Text>,
}

/// `job/status`: a message while the job runs, none and a file when it is done.
pub async fn status(
    State(service): State<Arc<Salesmanago>>,
    call: Call<StatusBody>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct StatusReply {
        request_id: u64,
        file_url: Option<String>,
    }
    let number = call.body.request_id.as_ref().and_then(|text| text.as_str().parse().ok());
    let unknown = || Refusal::said("Request with the given id does not exist");
    let request_id: u64 = number.ok_or_else(unknown)?;
    let scheme = service.options.scheme;
    let (message, file_url) = match service.poll(request_id).ok_or_else(unknown)? {
        Poll::Running => (vec!["Request is in progress".to_owned()], None),
        Poll::Done(file) => (Vec::new(), Some(format!("{scheme}://{}/files/{file}", call.host))),
    };
    Ok(reply::success_with(&message, &StatusReply { request_id, file_url }))
}

/// The file of a finished job. Like the real links it needs no credentials.
pub async fn file(State(service): State<Arc<Salesmanago>>, Path(name): Path<String>) -> Response {
    lock(&service.jobs).files.get(&name).map_or_else(
        || Refusal::not_found().into_response(),
        |bytes| reply::raw(StatusCode::OK, bytes.clone()),
    )
}
