//! The org's API budget: told on every reply, asked for when it is not known.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::errors::senseless;
use super::session::{Door, Request};
use crate::domain::port::PortError;

/// API calls of the whole org in the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiBudget {
    /// Used by everybody.
    pub used: u64,
    /// Allowed.
    pub limit: u64,
    /// When this was told, on our clock.
    pub at: DateTime<Utc>,
}

impl ApiBudget {
    /// Reads `Sforce-Limit-Info`, in which other figures may stand beside the one that counts.
    pub(super) fn from_header(text: &str, at: DateTime<Utc>) -> Option<Self> {
        text.split([';', ',']).find_map(|part| {
            let (used, limit) = part.trim().strip_prefix("api-usage=")?.split_once('/')?;
            Some(Self { used: used.trim().parse().ok()?, limit: limit.trim().parse().ok()?, at })
        })
    }
}

#[derive(Deserialize)]
struct Figure {
    #[serde(rename = "Max")]
    most: u64,
    #[serde(rename = "Remaining")]
    remaining: u64,
}

/// Asks for the limits.
pub(super) async fn ask(door: &Door) -> Result<ApiBudget, PortError> {
    let base = door.base().await?;
    let request = Request::get("limits", format!("{base}/limits")).past_the_reserve();
    let reply = door.send(&request).await.map_err(|error| error.told("the limits of the org"))?;
    let figures: HashMap<String, serde_json::Value> =
        reply.json().map_err(|error| senseless("the question for its limits", &error))?;
    let daily = figures.get("DailyApiRequests").cloned().unwrap_or_default();
    let daily: Figure =
        serde_json::from_value(daily).map_err(|error| senseless("the question for its limits", &error))?;
    let budget =
        ApiBudget { used: daily.most.saturating_sub(daily.remaining), limit: daily.most, at: door.now() };
    door.remember_budget(budget);
    Ok(budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(used: u64) -> ApiBudget {
        ApiBudget { used, limit: 100, at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn the_figure_is_found_among_others() {
        for text in [
            "api-usage=18/100",
            "api-usage=18/100; api-bursts=1/750",
            "per-app-api-usage=17/250(appName=x), api-usage=18/100",
        ] {
            assert_eq!(ApiBudget::from_header(text, DateTime::UNIX_EPOCH), Some(budget(18)), "{text}");
        }
        assert_eq!(ApiBudget::from_header("per-app-api-usage=17/250", DateTime::UNIX_EPOCH), None);
    }
}
