//! The sentences of drift.

use crate::domain::drift::Effect;
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;

/// The side at the start of a sentence.
pub(super) fn capital(side: Side) -> &'static str {
    match side {
        Side::Org => "Salesforce",
        Side::Platform => "The platform",
    }
}

/// A field by its name and label.
pub(super) fn described(field: &FieldSchema) -> String {
    if field.label.is_empty() || field.label == field.name {
        field.name.clone()
    } else {
        format!("{} (“{}”)", field.name, field.label)
    }
}

/// A field that is not shown any more.
pub(super) fn gone(side: Side, object: &str, field: &FieldSchema) -> String {
    let field = format!("{object}.{}", described(field));
    match side {
        Side::Org => format!(
            "Salesforce does not show {field} to this user any more: the field was deleted or renamed, or its field permission \
             was withdrawn"
        ),
        Side::Platform => format!("The platform does not show {field} any more: it was deleted or renamed"),
    }
}

/// A field that can't be written any more.
pub(super) fn read_only(side: Side, object: &str, field: &FieldSchema) -> String {
    format!(
        "{object}.{} can't be written by this user any more: {} tells it as read-only (field permission)",
        described(field),
        side.place()
    )
}

/// What follows, and what to do about it.
pub(super) fn consequence(effect: Effect, mapping: &Mapping, pair: Option<&Pair>) -> String {
    match (effect, pair) {
        (Effect::Parks, Some(pair)) => format!(
            "The pair {} of the mapping {} waits and the rest goes on; give it back or change the pair. What is edited meanwhile \
             is caught up",
            pair.name(),
            mapping.name
        ),
        _ => format!(
            "The mapping {} can't do without it and waits; give it back or change the mapping. What is edited meanwhile is \
             caught up",
            mapping.name
        ),
    }
}

/// What follows until a person accepts it.
pub(super) fn until_accepted(effect: Effect, mapping: &Mapping, pair: &Pair) -> String {
    match effect {
        Effect::Stops => format!("The mapping {} waits until a person accepts that", mapping.name),
        Effect::Parks => format!(
            "The pair {} of the mapping {} waits until a person accepts that; what is edited meanwhile is caught up",
            pair.name(),
            mapping.name
        ),
        Effect::Warns | Effect::Tells => "Longer values are refused record by record".into(),
    }
}

/// The first few names of a list.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => text,
        Some(more) => format!("{text} and {more} more"),
    }
}
