//! What may go wrong with a mapping that can run: found from what both sides say of their fields, before a call is spent (N10, F157).
//!
//! What can't run at all is found by [`crate::domain::compiled`]. Each doubt names its pair and a way out.

use std::collections::BTreeSet;

use crate::domain::mapping::{Mapping, Pair};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::{Table, Transform};

/// Values that are named one by one before the rest is counted.
const NAMED: usize = 3;

/// Something that may go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The pair, if it is about one.
    pub pair: Option<usize>,
    /// A sentence with the way out.
    pub message: String,
}

/// Everything that is doubtful about a mapping; `family` holds all mappings, its own among them.
pub fn doubts(mapping: &Mapping, family: &[Mapping], sides: PerSide<&ObjectSchema>) -> Vec<Doubt> {
    let mut found = Vec::new();
    let accepted = |doubt: &Doubt| {
        doubt.pair.and_then(|place| mapping.pairs.get(place)).is_some_and(|pair| pair.doubts_accepted)
    };
    for (place, pair) in mapping.pairs.iter().enumerate() {
        let messages = of_pair(mapping, pair, family, sides);
        found.extend(messages.into_iter().map(|message| Doubt { pair: Some(place), message }));
    }
    found.extend(key(mapping, sides));
    found.extend(nullable(mapping, sides));
    found.retain(|doubt| !accepted(doubt));
    found
}

fn of_pair(mapping: &Mapping, pair: &Pair, family: &[Mapping], sides: PerSide<&ObjectSchema>) -> Vec<String> {
    let mut found = Vec::new();
    for (org, platform) in pair.org.iter().zip(&pair.platform) {
        let (Some(org), Some(platform)) = (sides.org.field(org), sides.platform.field(platform)) else {
            continue;
        };
        let fields = PerSide { org, platform };
        for target in Side::BOTH {
            let flows = pair.direction.allows(target) && mapping.direction.allows(target);
            if !flows || pair.org.len() != pair.platform.len() {
                continue;
            }
            let (from, to) = (fields[target.other()], fields[target]);
            match &pair.transform {
                Transform::Copy => found.extend(plain(from, to)),
                Transform::Table(table) => found.extend(translated(table, target, from, to)),
                Transform::FullName
                | Transform::Consent { .. }
                | Transform::Constant(_)
                | Transform::Reference(_)
                | Transform::Rules(_) => {}
            }
        }
    }
    if let Transform::Reference(target) = &pair.transform {
        let same = |known: &&Mapping| known.platform_object.eq_ignore_ascii_case(target);
        if !target.trim().is_empty() && !family.iter().any(|known| known.enabled && same(&known)) {
            found.push(format!(
                "no mapping in use leads to “{target}”, so that nothing can be told through this reference: add one, or remove the pair"
            ));
        }
    }
    found
}

/// A plain pair: do the types go together, do the values fit?
fn plain(from: &FieldSchema, to: &FieldSchema) -> Option<String> {
    if !goes_into(from.kind, to.kind) {
        return Some(format!(
            "{} is {} and {} is {}: values may be refused; choose rules as transform",
            from.name,
            from.kind.word(),
            to.name,
            to.kind.word()
        ));
    }
    if to.restricted && !to.picklist.is_empty() && !from.picklist.is_empty() {
        let missing = missing(&from.picklist, &to.picklist);
        if !missing.is_empty() {
            return Some(format!(
                "{} takes only its own values, and {} of {} is not among them: translate with x",
                to.name,
                listed(&missing),
                from.name
            ));
        }
    }
    // An address too long for a field made for addresses is nobody's: it becomes an issue, and to cut it would make another one.
    let addresses = from.kind == FieldKind::Email && to.kind == FieldKind::Email;
    match (from.length, to.length) {
        _ if addresses => None,
        (Some(long), Some(short)) if long > short && short > 0 && is_text(to.kind) => Some(format!(
            "{} holds up to {long} characters, {} only {short}: longer values are refused; the rule “truncate {short}” would cut them",
            from.name, to.name
        )),
        _ => None,
    }
}

/// A translated pair: is every value of the source listed, and does the target take what it becomes?
fn translated(table: &Table, target: Side, from: &FieldSchema, to: &FieldSchema) -> Vec<String> {
    let mut found = Vec::new();
    let untold: Vec<&str> = from
        .picklist
        .iter()
        .filter(|value| table.find(value, target).is_none())
        .map(String::as_str)
        .collect();
    if !untold.is_empty() && !table.entries.is_empty() {
        found.push(format!(
            "{} of {} has no translation: such records become issues; x adds it, or a value for any other",
            listed(&untold),
            from.name
        ));
    }
    if to.restricted && !to.picklist.is_empty() {
        let (values, otherwise): (Vec<&String>, _) = match target {
            Side::Platform => (table.entries.values().collect(), table.otherwise.as_ref()),
            Side::Org => (table.entries.keys().collect(), table.otherwise_org.as_ref()),
        };
        let values: Vec<String> = values.into_iter().chain(otherwise).cloned().collect();
        let unknown = missing(&values, &to.picklist);
        if !unknown.is_empty() {
            found.push(format!(
                "{} takes only its own values, and {} is not among them: change that translation with x",
                to.name,
                listed(&unknown)
            ));
        }
    }
    found
}

/// A key that neither side keeps unique makes ambiguous records.
fn key(mapping: &Mapping, sides: PerSide<&ObjectSchema>) -> Option<Doubt> {
    let keys: Vec<(usize, &Pair)> = mapping.pairs.iter().enumerate().filter(|(_, pair)| pair.key).collect();
    // Several fields together may well be unique; nobody says so of any of them.
    let [(place, pair)] = keys.as_slice() else { return None };
    let mut known = false;
    for side in Side::BOTH {
        for field in pair.fields(side).iter().filter_map(|name| sides[side].field(name)) {
            known = true;
            if field.unique || field.external_id || matches!(field.kind, FieldKind::Id | FieldKind::Email) {
                return None;
            }
        }
    }
    known.then(|| Doubt {
        pair: Some(*place),
        message: format!(
            "nothing keeps {} unique on either side: records with the same value become ambiguous_match; mark another pair as key, or \
             one more",
            pair.org.join(" + ")
        ),
    })
}

/// What a target requires has to be filled on the side it comes from (F157).
fn nullable(mapping: &Mapping, sides: PerSide<&ObjectSchema>) -> Vec<Doubt> {
    let mut found = Vec::new();
    for side in Side::BOTH.into_iter().filter(|side| mapping.creates_on(*side)) {
        for field in sides[side].fields.iter().filter(|field| field.required && field.createable) {
            let named = |name: &String| name.eq_ignore_ascii_case(&field.name);
            let defaulted =
                mapping.default.iter().any(|default| default.side == side && named(&default.field));
            let skipped = side == Side::Org && mapping.skip_create_when_blank.iter().any(named);
            if defaulted || skipped {
                continue;
            }
            let fills = |pair: &Pair| pair.direction.allows(side) && pair.fields(side).iter().any(named);
            let Some(place) = mapping.pairs.iter().position(fills) else { continue };
            let Some(pair) = mapping.pairs.get(place).filter(|pair| !pair.key) else { continue };
            let other = side.other();
            let may_be_blank = pair
                .fields(other)
                .iter()
                .filter_map(|name| sides[other].field(name))
                .any(|source| !source.required);
            if may_be_blank {
                let out = match side {
                    Side::Org => "give a default, or skip such records",
                    Side::Platform => "give a default",
                };
                found.push(Doubt {
                    pair: Some(place),
                    message: format!(
                        "{} is required to create {}, and {} may be blank: {out} (Enter on the mapping)",
                        field.name,
                        sides[side].name,
                        pair.fields(other).join(" + ")
                    ),
                });
            }
        }
    }
    found
}

fn missing<'a>(values: &'a [String], among: &[String]) -> Vec<&'a str> {
    let known: BTreeSet<String> = among.iter().map(|value| value.trim().to_lowercase()).collect();
    values.iter().filter(|value| !known.contains(&value.trim().to_lowercase())).map(String::as_str).collect()
}

fn listed(values: &[&str]) -> String {
    let named: Vec<String> = values.iter().take(NAMED).map(|value| format!("“{value}”")).collect();
    match values.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn is_text(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text | FieldKind::LongText | FieldKind::Email | FieldKind::Phone | FieldKind::Url
    )
}

fn goes_into(from: FieldKind, to: FieldKind) -> bool {
    from == to
        || matches!(to, FieldKind::Text | FieldKind::LongText)
        || (is_text(from) && (is_text(to) || matches!(to, FieldKind::Picklist | FieldKind::Set)))
        || matches!(
            (from, to),
            (FieldKind::Moment, FieldKind::Date)
                | (FieldKind::Date, FieldKind::Moment)
                | (FieldKind::Picklist, FieldKind::Set)
                | (FieldKind::Id, FieldKind::Reference)
                | (FieldKind::Reference, FieldKind::Id)
        )
}

#[cfg(test)]
mod tests;
