//! What people do, and how often each of it.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Another phone number.
    Phone,
    /// Another address.
    Moved,
    /// Another title in the org, another detail on the platform.
    Title,
    /// Another last name.
    Married,
    /// Opted out.
    OptedOut,
    /// A new person.
    Joined,
    /// Deleted.
    Deleted,
    /// Brought back from the org's recycle bin.
    Undeleted,
    /// Two records of the org made one.
    Merged,
    /// A lead of the org that became a contact.
    Converted,
}

impl Deed {
    /// Whether only the org knows such a thing.
    pub(super) fn is_of_org(self) -> bool {
        match self {
            Self::Undeleted | Self::Merged | Self::Converted => true,
            Self::Phone
            | Self::Moved
            | Self::Title
            | Self::Married
            | Self::OptedOut
            | Self::Joined
            | Self::Deleted => false,
        }
    }
}

/// How often each deed happens, in comparison with the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rates(BTreeMap<Deed, u32>);

impl Default for Rates {
    /// Mostly edits; of a thousand deeds, eight delete and six each undelete, merge and convert.
    fn default() -> Self {
        Self(BTreeMap::from([
            (Deed::Phone, 320),
            (Deed::Moved, 240),
            (Deed::Title, 180),
            (Deed::Married, 80),
            (Deed::OptedOut, 40),
            (Deed::Joined, 114),
            (Deed::Deleted, 8),
            (Deed::Undeleted, 6),
            (Deed::Merged, 6),
            (Deed::Converted, 6),
        ]))
    }
}

impl Rates {
    /// Changes the named rates and leaves the others.
    pub fn change(&mut self, rates: &BTreeMap<Deed, u32>) {
        self.0.extend(rates);
    }

    /// One deed, or none when nothing ever happens.
    pub(super) fn draw(&self, dice: &mut SmallRng) -> Option<Deed> {
        let total: u64 = self.0.values().map(|rate| u64::from(*rate)).sum();
        let mut at = if total == 0 { return None } else { dice.random_range(0..total) };
        self.0.iter().find_map(|(deed, rate)| {
            let rate = u64::from(*rate);
            if at < rate {
                return Some(*deed);
            }
            at -= rate;
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn only_what_has_a_rate_is_drawn() {
        let mut dice = SmallRng::seed_from_u64(1);
        let mut rates = Rates::default();
        let none: BTreeMap<Deed, u32> = rates.0.keys().map(|deed| (*deed, 0)).collect();
        rates.change(&none);
        assert_eq!(rates.draw(&mut dice), None);
        rates.change(&BTreeMap::from([(Deed::Merged, 1)]));
        assert!((0..50).all(|_| rates.draw(&mut dice) == Some(Deed::Merged)));
    }
}
