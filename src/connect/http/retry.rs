//! When a call is repeated and how long is waited before; what a reply means stays with the connector.

use std::time::Duration;

use super::call::Idempotency;
use super::error::HttpError;

/// How often, and how long between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many times a call is sent at most.
    pub tries: u32,
    /// The pause after the first try; it doubles from there.
    pub first: Duration,
    /// The longest pause; a remote that asks for more is not waited for.
    pub most: Duration,
}

impl RetryPolicy {
    /// One try.
    pub const NONE: Self = Self { tries: 1, first: Duration::ZERO, most: Duration::ZERO };

    /// Five tries within about half a minute.
    pub const PATIENT: Self =
        Self { tries: 5, first: Duration::from_millis(500), most: Duration::from_secs(60) };

    /// Two tries, for sign-ins, where a refusal must be shown soon and too many tries lock an account.
    pub const BRIEF: Self =
        Self { tries: 2, first: Duration::from_millis(250), most: Duration::from_secs(2) };

    /// The pause after the `attempt`th try (from 1): exponential, of which `chance` (0..1) takes away up to half.
    pub fn pause(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.most).mul_f64(1.0 - 0.5 * chance.clamp(0.0, 1.0))
    }
}

/// What to do with the outcome of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts, good or bad.
    Take,
    /// Try again.
    Again,
    /// Try again, but not sooner than this.
    AgainAfter(Duration),
}

/// Whether a call without a reply may be repeated.
pub(super) fn after_error(error: &HttpError, idempotency: Idempotency) -> Verdict {
    if error.is_lasting() {
        return Verdict::Take;
    }
    if error.surely_not_sent() {
        return Verdict::Again;
    }
    match idempotency {
        Idempotency::Repeatable => Verdict::Again,
        Idempotency::Once => Verdict::Take,
    }
}
