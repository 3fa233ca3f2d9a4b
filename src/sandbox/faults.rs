//! The plan of faults: what goes wrong, where, and how often. Shared by both servers (`layer` applies it to requests)
//! and by the org's rows (`RowFaults`).
//!
//! A fault in JSON, as `POST /_sandbox/faults` takes it; everything but `kind` may be left out:
//!
//! ```json
//! {"kind": "too_many", "side": "platform", "on": "contact/listById", "after": 2, "count": 3, "every": 5, "chance": 0.1}
//! ```
//!
//! `on` is a part of `METHOD /path`, for row faults of `operation Object`. The first `after` matching requests pass;
//! of the following each `every`th, or each by `chance`, or all are struck, until `count` were.

mod fault;
mod layer;
mod replies;
mod stale;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use fault::Level;
pub use fault::{Fault, FaultKind};
pub use layer::{Layer, strike};
use stale::Memory;

/// Which of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The org.
    Salesforce,
    /// The platform.
    Platform,
}

/// An armed fault with what it did so far.
#[derive(Debug, Clone, Serialize)]
pub struct Armed {
    #[serde(flatten)]
    fault: Fault,
    /// Matching requests so far.
    seen: u64,
    /// Struck requests so far.
    struck: u64,
    #[serde(skip)]
    dice: SmallRng,
}

impl Armed {
    fn matches(&self, side: Side, text: &str) -> bool {
        self.fault.side.is_none_or(|wanted| wanted == side)
            && text.to_ascii_lowercase().contains(&self.fault.on.to_ascii_lowercase())
    }

    fn is_spent(&self) -> bool {
        self.fault.count.is_some_and(|count| self.struck >= count)
    }

    /// Counts a matching request and says whether it is struck.
    fn strikes(&mut self) -> bool {
        if self.is_spent() {
            return false;
        }
        self.seen += 1;
        let Some(nth) = self.seen.checked_sub(self.fault.after).filter(|nth| *nth > 0) else { return false };
        let by_turn = self.fault.every.is_none_or(|every| nth.is_multiple_of(every.max(1)));
        let by_chance = self.fault.chance.is_none_or(|chance| self.dice.random_bool(chance.clamp(0.0, 1.0)));
        let strikes = by_turn && by_chance;
        self.struck += u64::from(strikes);
        strikes
    }
}

/// What strikes one request.
#[derive(Debug, Default)]
struct Hit {
    delay_ms: u64,
    fault: Option<Fault>,
}

/// All armed faults.
#[derive(Default)]
pub struct FaultPlan {
    armed: Mutex<Vec<Armed>>,
    memory: Memory,
}

impl FaultPlan {
    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        let dice = SmallRng::seed_from_u64(fault.seed);
        self.lock().push(Armed { fault, seen: 0, struck: 0, dice });
    }

    /// Disarms everything and forgets remembered answers.
    pub fn clear(&self) {
        self.lock().clear();
        self.memory.clear();
    }

    /// The armed faults that still strike.
    pub fn armed(&self) -> Vec<Armed> {
        self.lock().iter().filter(|armed| !armed.is_spent()).cloned().collect()
    }

    /// How often faults of a kind struck.
    pub fn struck(&self, kind: FaultKind) -> u64 {
        self.lock().iter().filter(|armed| armed.fault.kind == kind).map(|armed| armed.struck).sum()
    }

    /// The longest delay of commits that is armed for a side.
    pub fn commit_delay_ms(&self, side: Side) -> u64 {
        let armed = self.lock();
        let late =
            armed.iter().filter(|armed| armed.fault.kind == FaultKind::LateCommit && !armed.is_spent());
        let mine = late.filter(|armed| armed.fault.side.is_none_or(|wanted| wanted == side));
        mine.filter_map(|armed| armed.fault.ms).max().unwrap_or_default()
    }

    /// The error of a row that is written in the org: code and message.
    pub fn row(&self, object: &str, operation: &str) -> Option<(String, String)> {
        let text = format!("{operation} {object}");
        let mut armed = self.lock();
        let of_rows = armed.iter_mut().filter(|armed| armed.fault.kind.level() == Level::Row);
        let mut matching = of_rows.filter(|armed| armed.matches(Side::Salesforce, &text));
        let fault = &matching.find_map(|armed| armed.strikes().then_some(&armed.fault))?;
        let locked = "unable to obtain exclusive access to this record or 1 records";
        let code = fault.code.clone().unwrap_or_else(|| "UNABLE_TO_LOCK_ROW".to_owned());
        Some((code, fault.message.clone().unwrap_or_else(|| locked.to_owned())))
    }

    fn request(&self, side: Side, text: &str) -> Hit {
        let mut armed = self.lock();
        let mut hit = Hit::default();
        for armed in armed.iter_mut().filter(|armed| armed.matches(side, text)) {
            match armed.fault.kind.level() {
                Level::Delay if armed.strikes() => hit.delay_ms += armed.fault.ms.unwrap_or(1000),
                Level::Request if hit.fault.is_none() && is_meant(&armed.fault, text) && armed.strikes() => {
                    hit.fault = Some(armed.fault.clone());
                }
                Level::Delay | Level::Request | Level::Memory | Level::Row | Level::Setting => {}
            }
        }
        hit
    }

    /// Whether reads like this are answered from memory, once there is something to remember.
    fn remembers(&self, side: Side, text: &str) -> bool {
        self.lock().iter().any(|armed| {
            armed.fault.kind == FaultKind::StaleRead && !armed.is_spent() && armed.matches(side, text)
        })
    }

    /// Counts a read for which an answer is remembered, and says whether it gets that.
    fn is_stale(&self, side: Side, text: &str) -> bool {
        let mut armed = self.lock();
        let mut stale = armed.iter_mut().filter(|armed| armed.fault.kind == FaultKind::StaleRead);
        stale.any(|armed| armed.matches(side, text) && armed.strikes())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Slow jobs are about questions after jobs, whatever else matches.
fn is_meant(fault: &Fault, text: &str) -> bool {
    fault.kind != FaultKind::SlowJobs
        || text.ends_with("/job/status")
        || (text.starts_with("GET ") && text.contains("/jobs/"))
}

#[cfg(test)]
mod tests;
