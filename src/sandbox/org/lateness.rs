//! Transactions that take long: their rows are stamped when they are written and seen by readers when they commit.

use serde::{Deserialize, Serialize};

use super::automation::By;
use super::schema::Schema;

/// Whose writes to which object commit late, as it is ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateCommits {
    /// The object; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Seconds between stamp and commit, of the org's time.
    pub seconds: f64,
    /// Whose writes: `others` (anybody but the integration user), `anyone`, `integration`, `person`, or the id of a user.
    #[serde(default = "others")]
    pub by: String,
}

fn others() -> String {
    "others".to_owned()
}

/// The same, bound.
#[derive(Debug, Clone)]
pub(super) struct BoundLateness {
    object: Option<usize>,
    ms: i64,
    by: By,
}

impl BoundLateness {
    pub(super) fn bind(schema: &Schema, ordered: &LateCommits, by: By) -> Result<Self, String> {
        let object = match &ordered.object {
            None => None,
            Some(name) => Some(schema.find(name).ok_or_else(|| format!("There is no object {name}"))?),
        };
        if !ordered.seconds.is_finite() || ordered.seconds < 0.0 {
            return Err("seconds must be a number from 0 up".to_owned());
        }
        Ok(Self { object, ms: (ordered.seconds.min(1e9) * 1_000.0).round() as i64, by })
    }
}

/// How late a user's transaction that touches these objects commits: as late as the slowest of them.
pub(super) fn delay_ms(rules: &[BoundLateness], objects: &[usize], user: &str) -> i64 {
    rules
        .iter()
        .filter(|rule| rule.by.covers(user))
        .filter(|rule| rule.object.is_none_or(|object| objects.contains(&object)))
        .map(|rule| rule.ms)
        .max()
        .unwrap_or_default()
}
