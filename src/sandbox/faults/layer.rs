//! The layer around each service: notes every call, and lets the plan of faults strike.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::stale::{self, Remembered};
use super::{Fault, FaultKind, FaultPlan, Side, replies};
use crate::sandbox::calls::{Call, CallLog};
use crate::sandbox::clock::SandboxClock;

/// What the layer of one side needs.
pub struct Layer {
    /// Which side it is.
    pub side: Side,
    /// What goes wrong.
    pub faults: Arc<FaultPlan>,
    /// Where calls are noted.
    pub calls: Arc<CallLog>,
    /// What time it is.
    pub clock: Arc<SandboxClock>,
}

/// What became of a request.
struct Answer {
    response: Response,
    fault: Option<FaultKind>,
    was_cut: bool,
}

impl Answer {
    fn plain(response: Response) -> Self {
        Self { response, fault: None, was_cut: false }
    }

    fn struck(kind: FaultKind, response: Response) -> Self {
        Self { response, fault: Some(kind), was_cut: false }
    }

    fn cut(kind: FaultKind) -> Self {
        Self { response: replies::cut(), fault: Some(kind), was_cut: true }
    }
}

/// The middleware: `axum::middleware::from_fn_with_state(layer, strike)`.
pub async fn strike(State(layer): State<Arc<Layer>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let at_ms = layer.clock.now_ms();
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answer = layer.answer(&format!("{method} {path}"), request, next).await;
    layer.calls.note(Call {
        sequence: 0,
        at_ms,
        side: layer.side,
        method,
        path,
        query,
        status: if answer.was_cut { 0 } else { answer.response.status().as_u16() },
        took_ms: (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        fault: answer.fault.map(FaultKind::name),
    });
    answer.response
}

impl Layer {
    async fn answer(&self, target: &str, request: Request, next: Next) -> Answer {
        let hit = self.faults.request(self.side, target);
        if hit.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(hit.delay_ms)).await;
        }
        let mut answer = match hit.fault {
            Some(fault) => self.struck(&fault, request, next).await,
            None if self.faults.remembers(self.side, target) => {
                self.remember_or_answer(target, request, next).await
            }
            None => Answer::plain(next.run(request).await),
        };
        if hit.delay_ms > 0 && answer.fault.is_none() {
            answer.fault = Some(FaultKind::Slow);
        }
        answer
    }

    async fn struck(&self, fault: &Fault, request: Request, next: Next) -> Answer {
        let kind = fault.kind;
        match kind {
            FaultKind::Unauthorized => Answer::struck(kind, replies::unauthorized(self.side)),
            FaultKind::TooMany => Answer::struck(kind, replies::too_many(self.side, fault)),
            FaultKind::Limit => Answer::struck(kind, replies::limit(self.side, fault)),
            FaultKind::Html503 => Answer::struck(kind, replies::html_503()),
            FaultKind::SuccessFalse => Answer::struck(kind, replies::success_false(fault)),
            FaultKind::CutBefore => Answer::cut(kind),
            FaultKind::CutAfter => {
                // The service must have finished its answer, else the client could not know less than it does.
                let (_, body) = next.run(request).await.into_parts();
                let _ = to_bytes(body, usize::MAX).await;
                Answer::cut(kind)
            }
            FaultKind::SlowJobs => match self.side {
                Side::Platform => Answer::struck(kind, replies::in_progress()),
                Side::Salesforce => Answer::struck(kind, undone(next.run(request).await).await),
            },
            FaultKind::DeliveredTwice => match whole(request).await {
                Ok((parts, body)) => {
                    let first = Request::from_parts(parts.clone(), Body::from(body.clone()));
                    let (_, first_body) = next.clone().run(first).await.into_parts();
                    let _ = to_bytes(first_body, usize::MAX).await;
                    let second = Request::from_parts(parts, Body::from(body));
                    Answer::struck(kind, next.run(second).await)
                }
                Err(()) => Answer::cut(kind),
            },
            // These strike elsewhere: rows in the org, answers in memory, settings of the services.
            FaultKind::RowLock
            | FaultKind::RowError
            | FaultKind::Slow
            | FaultKind::LateCommit
            | FaultKind::StaleRead => Answer::plain(next.run(request).await),
        }
    }

    async fn remember_or_answer(&self, target: &str, request: Request, next: Next) -> Answer {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let Ok((parts, body)) = whole(request).await else { return Answer::cut(FaultKind::StaleRead) };
        if !stale::is_read(self.side, target, &body) {
            return Answer::plain(next.run(Request::from_parts(parts, Body::from(body))).await);
        }
        let key = stale::key(&format!("{target}?{query}"), &body);
        if let Some(remembered) = self.faults.memory.get(&key)
            && self.faults.is_stale(self.side, target)
        {
            return Answer::struck(FaultKind::StaleRead, remembered.response());
        }
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let remembered =
            Remembered { status: parts.status, headers: parts.headers.clone(), body: body.clone() };
        if parts.status.is_success() {
            self.faults.memory.put(key, remembered);
        }
        Answer::plain(Response::from_parts(parts, Body::from(body)))
    }
}

async fn whole(request: Request) -> Result<(axum::http::request::Parts, Bytes), ()> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => Ok((parts, body)),
        // The client went away while it was sending.
        Err(_) => Err(()),
    }
}

/// The org's reply about a finished job, made to say that the job still runs.
async fn undone(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    if let Some(state) = value.get_mut("state").filter(|state| *state == "JobComplete") {
        *state = "InProgress".into();
    }
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(value.to_string()))
}
