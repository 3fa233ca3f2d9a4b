//! What is planted among the people: kinds, how many of each, and what a sync must make of them.
//! The rules themselves are data, in `assets/sandbox/flaws.toml`, with what each service says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A kind of thing that goes wrong, or only looks as if it might.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Two org records with one e-mail.
    Duplicates,
    /// An org record without e-mail.
    NoEmail,
    /// A lead with the e-mail of a contact.
    LeadOfContact,
    /// A name with an emoji.
    Emoji,
    /// The same values, written differently.
    Cosmetic,
    /// A converted lead.
    Converted,
    /// A platform contact without company.
    EmptyCompany,
    /// A platform contact whose e-mail the org refuses.
    BadEmail,
    /// A platform contact with a value that is too long for the org.
    OverLong,
    /// A platform contact that was deleted.
    Deleted,
}

impl Flaw {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicates => "duplicates",
            Self::NoEmail => "no_email",
            Self::LeadOfContact => "lead_of_contact",
            Self::Emoji => "emoji",
            Self::Cosmetic => "cosmetic",
            Self::Converted => "converted",
            Self::EmptyCompany => "empty_company",
            Self::BadEmail => "bad_email",
            Self::OverLong => "over_long",
            Self::Deleted => "deleted",
        }
    }
}

/// Where a flaw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// In the org.
    Salesforce,
    /// On the platform.
    Platform,
    /// The same person on both.
    Both,
}

/// What an initial sync with the mappings of a new workspace makes of one flawed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A failed line, kept as an issue.
    Failed,
    /// A skipped line.
    Skipped,
    /// Nothing out of the ordinary.
    None,
}

/// How often a flaw is planted, and what comes of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlawRule {
    /// Which.
    pub kind: Flaw,
    /// Where.
    pub side: Side,
    /// How many records for a thousand people.
    pub per_thousand: u64,
    /// How many at the least, once there are enough people.
    pub at_least: u64,
    /// What is the matter.
    pub says: String,
    /// What happens, and in which words.
    pub then: String,
    /// What it counts as.
    pub outcome: Outcome,
}

/// From this many people on, each flaw occurs.
const ENOUGH_PEOPLE: u64 = 200;

impl FlawRule {
    /// How many records of this kind there are among so many people.
    pub fn count(&self, people: u64) -> u64 {
        let share = people * self.per_thousand / 1000;
        if people >= ENOUGH_PEOPLE { share.max(self.at_least) } else { share }
    }
}

/// What was planted, by name, with `expect_failed` and `expect_skipped`: the lines of an initial sync that must fail
/// and be skipped, no more and no fewer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Planted(BTreeMap<String, u64>);

impl Planted {
    /// Notes a number.
    pub fn note(&mut self, name: &str, number: u64) {
        self.0.insert(name.to_owned(), number);
    }

    /// Adds to a number.
    pub fn add(&mut self, name: &str, number: u64) {
        *self.0.entry(name.to_owned()).or_default() += number;
    }

    /// A number; what was not planted is zero.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// How many records with a flaw there are.
    pub fn flawed(&self, flaw: Flaw) -> u64 {
        self.get(flaw.name())
    }

    /// All numbers by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, number)| (name.as_str(), *number))
    }
}
