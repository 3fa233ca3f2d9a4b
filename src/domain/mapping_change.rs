//! What changes between two sets of mappings, in meanings: what an admin would say, not what a file shows.

pub mod differing;

use std::fmt;

use crate::domain::criteria::Criteria;
use crate::domain::mapping::{Mapping, Pair, SideEffects};
use crate::domain::side::Side;
use crate::domain::transform::Transform;

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The mapping.
    pub mapping: String,
    /// The pair, by the name people know; nothing where it is about the whole mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// What becomes of it, such as `Salesforce wins → newest wins`.
    pub message: String,
    /// How many linked records hold what this would not make of one another, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differ: Option<u64>,
}

/// `contact, Email ⇄ email: Salesforce wins → newest wins`
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.mapping)?;
        if let Some(pair) = &self.pair {
            write!(formatter, ", {pair}")?;
        }
        write!(formatter, ": {}", self.message)?;
        match self.differ {
            None => Ok(()),
            Some(0) => formatter.write_str("; no record differs now"),
            Some(1) => formatter.write_str("; 1 record differs now"),
            Some(count) => write!(formatter, "; {count} records differ now"),
        }
    }
}

/// Everything that changes from `before` to `after`, mapping by mapping in the order of `after`; what is removed comes last.
pub fn changes(before: &[Mapping], after: &[Mapping]) -> Vec<Change> {
    let mut found = Vec::new();
    let renamed = renamed(before, after);
    let origin = |mapping: &Mapping| {
        let name = renamed.iter().find(|(_, new)| *new == mapping.name).map_or(&mapping.name, |(old, _)| old);
        before.iter().find(|known| known.name == *name)
    };
    for mapping in after {
        if let Some(known) = origin(mapping) {
            Compare { found: &mut found, mapping: &mapping.name }.mapping(known, mapping);
            continue;
        }
        let keys = key(mapping);
        let pairs = mapping.pairs.len();
        let noun = if pairs == 1 { "pair" } else { "pairs" };
        let direction = mapping.direction.arrow();
        let title = format!("{} {direction} {}", mapping.org_object, mapping.platform_object);
        found.push(Change {
            mapping: mapping.name.clone(),
            pair: None,
            message: format!("added: {title}, {pairs} {noun}, key {keys}"),
            differ: None,
        });
    }
    let order = |mappings: &[Mapping], others: &[Mapping]| -> Vec<String> {
        let known = |mapping: &&Mapping| others.iter().any(|other| other.name == mapping.name);
        mappings.iter().filter(known).map(|mapping| mapping.name.clone()).collect()
    };
    let (was, is) = (order(before, after), order(after, before));
    if was != is {
        found.push(Change {
            mapping: "order".into(),
            pair: None,
            message: format!("{} → {}", was.join(", "), is.join(", ")),
            differ: None,
        });
    }
    for mapping in before {
        let gone = !after.iter().any(|other| other.name == mapping.name)
            && !renamed.iter().any(|(old, _)| *old == mapping.name);
        if gone {
            found.push(Change {
                mapping: mapping.name.clone(),
                pair: None,
                message: "removed; no record is changed, its links are kept".into(),
                differ: None,
            });
        }
    }
    found
}

/// Mappings that only got another name: same objects and same pairs, old name gone, new name fresh.
fn renamed(before: &[Mapping], after: &[Mapping]) -> Vec<(String, String)> {
    let fresh = |mapping: &&Mapping| !before.iter().any(|known| known.name == mapping.name);
    let gone = |mapping: &&Mapping| !after.iter().any(|known| known.name == mapping.name);
    let mut pairs = Vec::new();
    for new in after.iter().filter(fresh) {
        let same = |old: &&Mapping| {
            Mapping { name: new.name.clone(), ..(*old).clone() } == *new
                && !pairs.iter().any(|(known, _)| *known == old.name)
        };
        if let Some(old) = before.iter().filter(gone).find(same) {
            pairs.push((old.name.clone(), new.name.clone()));
        }
    }
    pairs
}

fn key(mapping: &Mapping) -> String {
    let keys: Vec<String> =
        mapping.pairs.iter().filter(|pair| pair.key).map(|pair| pair.org.join(" + ")).collect();
    if keys.is_empty() { "none yet".into() } else { keys.join(" and ") }
}

struct Compare<'a> {
    found: &'a mut Vec<Change>,
    mapping: &'a str,
}

impl Compare<'_> {
    fn tell(&mut self, pair: Option<&Pair>, message: String) {
        let pair = pair.map(Pair::name);
        self.found.push(Change { mapping: self.mapping.to_owned(), pair, message, differ: None });
    }

    fn turns(&mut self, pair: Option<&Pair>, what: &str, was: impl fmt::Display, is: impl fmt::Display) {
        let (was, is) = (was.to_string(), is.to_string());
        if was != is {
            let what = if what.is_empty() { String::new() } else { format!("{what} ") };
            self.tell(pair, format!("{what}{was} → {is}"));
        }
    }

    fn mapping(&mut self, before: &Mapping, after: &Mapping) {
        self.turns(None, "name", &before.name, &after.name);
        if before.enabled != after.enabled {
            let words =
                if after.enabled { "runs use it again" } else { "runs leave it out; its links are kept" };
            self.tell(None, words.into());
        }
        self.turns(None, "Salesforce object", &before.org_object, &after.org_object);
        self.turns(None, "platform object", &before.platform_object, &after.platform_object);
        self.turns(None, "direction", before.direction.words(), after.direction.words());
        for side in Side::BOTH {
            let criteria = |mapping: &Mapping| quoted(mapping.criteria(side).map(meant).as_deref());
            self.turns(None, &format!("criteria of {}", name(side)), criteria(before), criteria(after));
        }
        let since = |mapping: &Mapping| {
            mapping.since.map_or_else(
                || "all records".to_owned(),
                |since| since.format("%Y-%m-%d %H:%M UTC").to_string(),
            )
        };
        self.turns(None, "going forward since:", since(before), since(after));
        for (side, was, is) in [
            (Side::Platform, before.create_on_platform, after.create_on_platform),
            (Side::Org, before.create_in_org, after.create_in_org),
        ] {
            if was != is {
                let word = if is { "creates" } else { "creates no" };
                self.tell(None, format!("{word} records on {}", name(side)));
            }
        }
        self.turns(
            None,
            "skips a create where blank:",
            list(&before.skip_create_when_blank),
            list(&after.skip_create_when_blank),
        );
        self.turns(None, "defaults on create", defaults(before), defaults(after));
        self.turns(None, "first meeting:", before.first_meeting.words(), after.first_meeting.words());
        self.turns(None, "deletions:", before.deletes.words(), after.deletes.words());
        let deactivate = |mapping: &Mapping| {
            mapping.deactivate.as_ref().map_or_else(
                || "nothing".to_owned(),
                |chosen| format!("{} = {} on {}", chosen.field, chosen.value, name(chosen.side)),
            )
        };
        self.turns(None, "deactivates by", deactivate(before), deactivate(after));
        if before.conversion != after.conversion {
            self.turns(None, "converted leads:", before.conversion().words(), after.conversion().words());
        }
        self.turns(None, "sync flag", quoted(before.flag()), quoted(after.flag()));
        for side in Side::BOTH {
            self.turns(
                None,
                &format!("id field on {}", name(side)),
                quoted(before.mark(side)),
                quoted(after.mark(side)),
            );
        }
        if before.ignore_own_changes != after.ignore_own_changes {
            let words = if after.ignore_own_changes { "leaves out" } else { "takes in" };
            self.tell(None, format!("{words} what the integration user changed last"));
        }
        let every = |mapping: &Mapping| mapping.every.clone().unwrap_or_else(|| "each automatic run".into());
        self.turns(None, "takes part every:", every(before), every(after));
        self.effects("", before.side_effects, after.side_effects);
        self.effects(" in an initial sync", before.initial_side_effects, after.initial_side_effects);
        self.pairs(before, after);
    }

    fn effects(&mut self, when: &str, before: SideEffects, after: SideEffects) {
        for (what, was, is) in [
            ("workflows of the platform fire", before.fire_events, after.fire_events),
            ("new contacts get the confirmation mail", before.double_opt_in, after.double_opt_in),
            ("assignment rules run", before.assignment_rules, after.assignment_rules),
            ("duplicate rules are passed over", before.allow_duplicates, after.allow_duplicates),
            ("Chatter feeds tell changes", before.feed_tracking, after.feed_tracking),
        ] {
            if was != is {
                self.tell(None, format!("{what}{when}: {} → {}", yes(was), yes(is)));
            }
        }
    }

    fn pairs(&mut self, before: &Mapping, after: &Mapping) {
        let origins = origins(&before.pairs, &after.pairs);
        for (pair, origin) in after.pairs.iter().zip(&origins) {
            if let Some(known) = origin.and_then(|place| before.pairs.get(place)) {
                self.pair(known, pair);
                continue;
            }
            let key = if pair.key { ", part of the key" } else { "" };
            let transform = match &pair.transform {
                Transform::Copy => String::new(),
                other => format!(", {}", other.words()),
            };
            self.tell(Some(pair), format!("added{transform}{key}"));
        }
        for (place, pair) in before.pairs.iter().enumerate() {
            if !origins.contains(&Some(place)) {
                self.tell(Some(pair), "removed; both sides keep their values".into());
            }
        }
        let kept: Vec<usize> = origins.iter().flatten().copied().collect();
        if kept.windows(2).any(|two| matches!(two, [first, second] if first > second)) {
            self.tell(None, "the pairs stand in another order".into());
        }
    }

    fn pair(&mut self, before: &Pair, after: &Pair) {
        let pair = Some(before);
        for side in Side::BOTH {
            let fields = |pair: &Pair| list(pair.fields(side));
            self.turns(pair, &format!("{} field", name(side)), fields(before), fields(after));
        }
        self.turns(pair, "", before.direction.words(), after.direction.words());
        if before.key != after.key {
            let words = if after.key { "belongs to the key" } else { "no longer belongs to the key" };
            self.tell(pair, words.into());
        }
        self.turns(pair, "", before.policy.words(), after.policy.words());
        self.transform(pair, &before.transform, &after.transform);
        self.turns(pair, "when the target drifts:", before.drift.words(), after.drift.words());
        if before.doubts_accepted != after.doubts_accepted {
            let words = if after.doubts_accepted { "accepted, no longer told" } else { "told again" };
            self.tell(pair, format!("what may go wrong with it is {words}"));
        }
    }

    fn transform(&mut self, pair: Option<&Pair>, before: &Transform, after: &Transform) {
        if let (Transform::Table(was), Transform::Table(is)) = (before, after) {
            for (org, platform) in &is.entries {
                match was.entries.get(org) {
                    Some(known) if known == platform => {}
                    Some(known) => self.tell(pair, format!("“{org}” means “{known}” → “{platform}”")),
                    None => self.tell(pair, format!("“{org}” means “{platform}”, new")),
                }
            }
            for org in was.entries.keys().filter(|org| !is.entries.contains_key(*org)) {
                self.tell(pair, format!("“{org}” has no translation any more"));
            }
            self.turns(
                pair,
                "any other value",
                quoted(was.otherwise.as_deref()),
                quoted(is.otherwise.as_deref()),
            );
            self.turns(
                pair,
                "any other value on the way back",
                quoted(was.otherwise_org.as_deref()),
                quoted(is.otherwise_org.as_deref()),
            );
        } else if before != after {
            self.turns(pair, "values:", before.words(), after.words());
        }
    }
}

/// The pairs of a mapping that are not what they were, each as it was and as it is.
pub fn changed_pairs<'a>(before: &'a Mapping, after: &'a Mapping) -> Vec<(&'a Pair, &'a Pair)> {
    let origins = origins(&before.pairs, &after.pairs);
    let continued = after.pairs.iter().zip(origins);
    continued
        .filter_map(|(pair, origin)| Some((before.pairs.get(origin?)?, pair)))
        .filter(|(known, pair)| known != pair)
        .collect()
}

/// For each pair of `after` the one of `before` that it continues: same fields, else same fields on one side, else the same place.
fn origins(before: &[Pair], after: &[Pair]) -> Vec<Option<usize>> {
    let mut free = vec![true; before.len()];
    let mut origins: Vec<Option<usize>> = vec![None; after.len()];
    let rules: [fn(&Pair, &Pair) -> bool; 3] = [
        |old, new| old.org == new.org && old.platform == new.platform,
        |old, new| !old.org.is_empty() && old.org == new.org,
        |old, new| old.platform == new.platform,
    ];
    for rule in rules {
        for (new, origin) in after.iter().zip(origins.iter_mut()) {
            if origin.is_some() {
                continue;
            }
            let found = before
                .iter()
                .enumerate()
                .position(|(place, old)| free.get(place) == Some(&true) && rule(old, new));
            if let Some(slot) = found.and_then(|place| free.get_mut(place)) {
                *slot = false;
                *origin = found;
            }
        }
    }
    origins
}

/// Criteria as they are understood, so that blanks between words are no change.
fn meant(criteria: &str) -> String {
    Criteria::parse(criteria).map_or_else(|_| criteria.to_owned(), |parsed| parsed.to_string())
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Org => "Salesforce",
        Side::Platform => "the platform",
    }
}

fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| format!("“{text}”"))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(" + ") }
}

fn defaults(mapping: &Mapping) -> String {
    let lines: Vec<String> = mapping
        .default
        .iter()
        .map(|default| format!("{} = {} on {}", default.field, default.value, name(default.side)))
        .collect();
    if lines.is_empty() { "none".into() } else { lines.join(", ") }
}

#[cfg(test)]
mod tests;
