//! A limit of a service that holds runs back, and until when. It is no failure: what is left waits (law E7).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::grouped::grouped;
use crate::domain::outcome::RunKind;
use crate::domain::side::Side;

/// A limit that holds runs back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The side whose limit it is.
    pub side: Side,
    /// When calls are tried again.
    pub until: DateTime<Utc>,
    /// The service's own code, or `API_RESERVE` where we stop by ourselves.
    pub code: String,
    /// Which limit, in words: `daily limit of the org`.
    pub limit: String,
    /// Calls used in its window, where known.
    pub used: Option<u64>,
    /// Calls allowed in its window, where known.
    pub most: Option<u64>,
}

impl Hold {
    /// We stopped by ourselves, so that something is left to others.
    pub const RESERVE: &'static str = "API_RESERVE";

    /// Which limit, and how much of it is used: `daily limit of the org, 98,000 of 100,000 used`.
    pub fn what(&self) -> String {
        match (self.used, self.most) {
            (Some(used), Some(most)) => {
                format!("{}, {} of {} used", self.limit, grouped(used), grouped(most))
            }
            _ => self.limit.clone(),
        }
    }

    /// Whether the service itself refuses, and not only we hold back.
    pub fn is_refusal(&self) -> bool {
        self.code != Self::RESERVE
    }
}

/// How urgent calls are: what is less urgent stops earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Re-reading, audits and healing: stop at twice the reserve.
    Background,
    /// Automatic and initial syncs: stop at the reserve.
    #[default]
    Automatic,
    /// A person waits for it: may use half of the reserve.
    Interactive,
    /// A test of a connection: goes out in any case, because it is how one finds out.
    Check,
}

impl Priority {
    /// The priority of a run.
    pub fn of(kind: RunKind) -> Self {
        if matches!(kind, RunKind::Heal | RunKind::Audit) {
            Self::Background
        } else if matches!(kind, RunKind::Instant | RunKind::Apply | RunKind::Undo) {
            Self::Interactive
        } else {
            Self::Automatic
        }
    }

    /// How many calls of a limit may be used, if `reserve_percent` of it is kept for others.
    pub fn share(self, limit: u64, reserve_percent: u8) -> u64 {
        let reserve = u64::from(reserve_percent.min(100));
        let kept_of_200 = match self {
            Self::Background => 4 * reserve,
            Self::Automatic => 2 * reserve,
            Self::Interactive => reserve,
            Self::Check => 0,
        };
        limit.saturating_mul(200_u64.saturating_sub(kept_of_200)) / 200
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Priority::Background, 20, 60)]
    #[case(Priority::Automatic, 20, 80)]
    #[case(Priority::Interactive, 20, 90)]
    #[case(Priority::Check, 20, 100)]
    #[case(Priority::Background, 60, 0)]
    #[case(Priority::Automatic, 0, 100)]
    #[case(Priority::Automatic, 100, 0)]
    fn what_is_less_urgent_stops_earlier(
        #[case] priority: Priority,
        #[case] reserve: u8,
        #[case] share: u64,
    ) {
        assert_eq!(priority.share(100, reserve), share);
    }

    #[test]
    fn a_person_comes_before_the_schedule_and_the_schedule_before_mending() {
        assert!(Priority::of(RunKind::Instant) > Priority::of(RunKind::Automatic));
        assert!(Priority::of(RunKind::Initial) > Priority::of(RunKind::Heal));
        assert_eq!(Priority::of(RunKind::Audit), Priority::Background);
    }

    #[test]
    fn a_hold_says_which_limit_and_how_much_of_it_is_used() {
        let hold = Hold {
            side: Side::Org,
            until: DateTime::UNIX_EPOCH,
            code: Hold::RESERVE.into(),
            limit: "daily limit of the org".into(),
            used: Some(98_000),
            most: Some(100_000),
        };
        assert_eq!(hold.what(), "daily limit of the org, 98,000 of 100,000 used");
        assert!(!hold.is_refusal());
    }
}
