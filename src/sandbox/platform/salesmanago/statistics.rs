//! The statistics endpoints. They insist on `user` and do not look at `owner`, which trips most clients once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::jobs::Work;
use super::lenient::Moment;
use super::read::NoBody;
use super::reply::{self, Refusal};

/// A period.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Period {
    from: Option<Moment>,
    to: Option<Moment>,
}

/// `email/globalConversationStatistics`: the sandbox sends no campaigns, so everything is zero.
pub async fn global(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Period>,
) -> Result<Response, Refusal> {
    #[derive(Serialize, Default)]
    #[serde(rename_all = "camelCase")]
    struct Totals {
        from: i64,
        to: i64,
        sent: u64,
        opened: u64,
        clicked: u64,
        opened_unique: u64,
        clicked_unique: u64,
        soft_bounce: u64,
        hard_bounce: u64,
        resigned: u64,
    }
    call.user(&service)?;
    let (Some(Moment(from)), Some(Moment(to))) = (call.body.from, call.body.to) else {
        return Err(Refusal::said("From and to cannot be empty"));
    };
    Ok(reply::success(&Totals { from, to, ..Totals::default() }))
}

/// `email/massConversationList`.
pub async fn conversations(
    State(service): State<Arc<Salesmanago>>,
    call: Call<NoBody>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Conversations {
        conversations: [(); 0],
    }
    call.user(&service)?;
    Ok(reply::success(&Conversations { conversations: [] }))
}

/// `email/conversationStatistics` and `email/messageStatistics`: a job with an empty file.
pub async fn job(State(service): State<Arc<Salesmanago>>, call: Call<NoBody>) -> Result<Response, Refusal> {
    call.user(&service)?;
    Ok(service.enqueue(Work::File(b"[]".to_vec())))
}

/// `workflow/list`.
pub async fn workflows(
    State(service): State<Arc<Salesmanago>>,
    call: Call<NoBody>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Workflows {
        workflows: [(); 0],
    }
    call.owner_or_user(&service)?;
    Ok(reply::success(&Workflows { workflows: [] }))
}
