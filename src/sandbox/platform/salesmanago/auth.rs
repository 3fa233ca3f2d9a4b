//! Who is asking: the SHA-1 signature that every body carries, the owner it names, and the pace limit.
//! Used by `call` before any handler sees a body.

use std::collections::VecDeque;
use std::fmt::Write as _;

use ring::digest;
use serde::Deserialize;

use super::lenient::{Moment, Text};
use super::reply::Refusal;
use super::{Salesmanago, SalesmanagoOptions};

/// The fields that every body carries besides its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Credentials {
    client_id: Option<Text>,
    api_key: Option<Text>,
    request_time: Option<Moment>,
    sha: Option<Text>,
    /// The user whose contacts are meant.
    pub owner: Option<Text>,
    /// The same under another name, which some calls insist on.
    pub user: Option<Text>,
}

/// The signature: lower-case hex SHA-1 of key, client id and secret, one after the other.
pub fn signature(api_key: &str, client_id: &str, api_secret: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for part in [api_key, client_id, api_secret] {
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().fold(String::with_capacity(40), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Credentials {
    /// Refuses what the service refuses, in its own words.
    pub fn check(&self, options: &SalesmanagoOptions) -> Result<(), Refusal> {
        let (Some(client_id), Some(api_key), Some(sha)) = (&self.client_id, &self.api_key, &self.sha) else {
            return Err(Refusal::said("Not authenticated"));
        };
        if self.request_time.is_none() {
            return Err(Refusal::said("Not authenticated"));
        }
        let expected = signature(api_key.as_str(), client_id.as_str(), &options.api_secret);
        if client_id.as_str() != options.client_id || sha.as_str() != expected {
            return Err(Refusal::said("User not authenticated"));
        }
        if !options.active {
            return Err(Refusal::said("Not authenticated"));
        }
        Ok(())
    }
}

impl Salesmanago {
    /// The position of a user of the account.
    pub(super) fn user(&self, email: &str) -> Option<u16> {
        let email = email.trim();
        self.options.users.iter().position(|user| user.eq_ignore_ascii_case(email)).map(|at| at as u16)
    }

    /// Lets a request in, or says 429 when the last second was full already.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        if !self.options.real_pace {
            return Ok(());
        }
        let now = self.clock.now_ms();
        if super::lock(&self.pace).admit(now, self.options.requests_per_second) {
            Ok(())
        } else {
            Err(Refusal::too_many())
        }
    }
}

/// The moments of the requests of the last second.
#[derive(Debug, Default)]
pub struct Pace {
    recent: VecDeque<i64>,
}

impl Pace {
    fn admit(&mut self, now: i64, most: u32) -> bool {
        while self.recent.front().is_some_and(|at| *at <= now - 1000) {
            self.recent.pop_front();
        }
        if self.recent.len() >= most as usize {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// platform-salesmanago.md §2: the hash that a call has to carry.
    #[test]
    fn the_signature_is_the_sha1_of_the_three_parts() {
        assert_eq!(signature("a", "b", "c"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn the_pace_limit_counts_the_last_second_only() {
        let mut pace = Pace::default();
        assert!(pace.admit(0, 2));
        assert!(pace.admit(1, 2));
        assert!(!pace.admit(999, 2));
        assert!(pace.admit(1000, 2));
    }
}
