//! The org's API budget: told on every reply, asked for when it is not known.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::errors::senseless;
use super::session::{Door, Request};
use crate::domain::port::{PortClass, PortError};

/// How long a budget that forbids further calls is believed before a call may find out anew.
const BELIEVED: Duration = Duration::from_secs(900);

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

    /// Refuses a call that would go into the part that is left to others. An old refusal lets one call through to find out.
    pub(super) fn guard(&self, reserve_percent: u8, now: DateTime<Utc>) -> Result<(), PortError> {
        let ours = self.limit.saturating_mul(100_u64.saturating_sub(u64::from(reserve_percent))) / 100;
        let old = (now - self.at).to_std().unwrap_or_default() > BELIEVED;
        if self.limit == 0 || self.used < ours || old {
            return Ok(());
        }
        Err(PortError::new(
            PortClass::Limit,
            "API_RESERVE",
            format!(
                "The org has used {} of its {} API calls of the last 24 hours; the last {reserve_percent} % are left to others. The rest \
                 waits. To use more, lower `api_reserve_percent`.",
                self.used, self.limit
            ),
        ))
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
    Ok(ApiBudget { used: daily.most.saturating_sub(daily.remaining), limit: daily.most, at: door.now() })
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

    #[test]
    fn the_reserve_is_left_to_others() {
        let soon = DateTime::UNIX_EPOCH + Duration::from_secs(60);
        assert!(budget(79).guard(20, soon).is_ok());
        assert_eq!(budget(80).guard(20, soon).unwrap_err().class, PortClass::Limit);
        assert!(budget(80).guard(0, soon).is_ok());
        assert!(budget(80).guard(20, soon + BELIEVED).is_ok());
    }
}
