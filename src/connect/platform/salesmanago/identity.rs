//! Trying the connection out: the sign-in, the users of the account, the clocks.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Salesmanago;
use super::call::Patience;
use super::errors::Failure;
use super::wire::Users;
use crate::connect::budget::Budget;
use crate::connect::http::Idempotency;
use crate::connect::platform::{Examined, Platform};
use crate::domain::port::{PortClass, PortError};
use crate::domain::report::Verdict;

/// Who answered, and as whom we are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformIdentity {
    /// The address that was called.
    pub endpoint: String,
    /// The users of the account; one of them is the data owner.
    pub users: Vec<String>,
    /// The data owner, as the account spells it.
    pub owner: String,
    /// The server's clock.
    pub server_time: Option<DateTime<Utc>>,
    /// How far the server's clock is ahead of this machine's.
    pub clock_skew: Option<TimeDelta>,
}

impl Salesmanago {
    /// Signs in and looks the data owner up.
    pub async fn test(&self) -> Result<PlatformIdentity, PortError> {
        let sent = self.service.now();
        let (users, server_time) = self.listed_users().await?;
        let wanted = self.service.owner();
        let Some(owner) = users.iter().find(|user| user.eq_ignore_ascii_case(wanted)).cloned() else {
            return Err(unknown_owner(wanted, &users));
        };
        Ok(PlatformIdentity {
            endpoint: self.service.base().to_owned(),
            users,
            owner,
            server_time,
            clock_skew: server_time.map(|server| server - sent),
        })
    }

    /// The users of the account, to choose a data owner from; works with any owner in the settings.
    pub async fn users(&self) -> Result<Vec<String>, PortError> {
        self.listed_users().await.map(|(users, _)| users)
    }

    async fn listed_users(&self) -> Result<(Vec<String>, Option<DateTime<Utc>>), PortError> {
        let answer = self
            .service
            .call::<Users>("user/listByClient", &json!({}), Idempotency::Repeatable, Patience::Person)
            .await
            .map_err(Failure::into_port)?;
        Ok((answer.value.emails(), answer.began))
    }
}

#[async_trait]
impl Platform for Salesmanago {
    fn budget(&self) -> &Budget {
        self.service.budget()
    }

    async fn examine(&self) -> Result<Examined, PortError> {
        let mut examined = Examined::default();
        if self.ownerless {
            examined.users = self.users().await?;
            examined.good(format!("The sign-in works; {}.", found(examined.users.len())));
            let message = "No Data Owner is chosen yet: pick the user whose contacts are synchronized.";
            examined.line(Verdict::Bad, message, Some("platform.salesmanago.owner"));
            examined.unfinished = true;
            return Ok(examined);
        }
        let identity = self.test().await?;
        let client = &self.settings.client_id;
        examined.good(format!("Signed in at {} as client {client}.", identity.endpoint));
        examined.good(format!("Data Owner {}; {}.", identity.owner, found(identity.users.len())));
        examined.clock(identity.clock_skew, self.settings.overlap_seconds);
        examined.users = identity.users;
        Ok(examined)
    }
}

fn found(users: usize) -> String {
    format!("{users} owner{} found", if users == 1 { "" } else { "s" })
}

fn unknown_owner(wanted: &str, users: &[String]) -> PortError {
    let known = match users {
        [] => "The account names no users at all".to_owned(),
        few if few.len() <= 5 => format!("Its users are {}", few.join(", ")),
        many => format!(
            "Its {} users begin with {}",
            many.len(),
            many.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
        ),
    };
    PortError::new(
        PortClass::Settings,
        "OWNER_UNKNOWN",
        format!(
            "“{wanted}” is not a user of this SALESmanago account. {known}. Choose one of them as Data Owner of the connection."
        ),
    )
}
