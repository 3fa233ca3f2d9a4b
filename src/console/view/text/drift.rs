//! Words of what both sides changed since it was accepted.

use crate::domain::drift::Effect;

/// Nothing differs.
pub const NOTHING: &str = "Both sides are as they were accepted, as far as runs have seen.";
/// What that is good for.
pub const NOTHING_HOW: &str = "Every run compares the fields of both sides with those that the mappings were made for. What changes there is listed here.";
/// An answer.
pub const ACCEPT: &str = "Accept";
/// What accepting does.
pub const ACCEPTING: &str = "From the next run on these fields are taken as they are now.";
/// It can't be shown.
pub const NOT_ON_SCREEN: &str = "That mapping is not on the screen any more; R reads everything again.";
/// A label.
pub const WAITS: &str = "waits";
/// A label.
pub const SINCE: &str = "since";
/// A label.
pub const WAY_OUT: &str = "way out";
/// It ends by being accepted.
pub const CAN_ACCEPT: &str =
    "K accepts it, and what else can be accepted of this mapping; or Enter goes to it, to change it";
/// It does not.
pub const CAN_MEND: &str = "give the field or the right back over there, or Enter goes to it, to choose another field; then it ends by itself";
/// It does not end by being accepted.
pub const NOT_ACCEPTABLE: &str =
    "That can't be accepted away: give it back over there, or choose another field.";
/// It needs nothing.
pub const CAN_LEAVE: &str = "nothing has to be done; K takes note of it";

/// The title of the list.
pub fn title(count: usize) -> String {
    match count {
        0 => "Changes of both sides".into(),
        1 => "Changes of both sides · 1".into(),
        more => format!("Changes of both sides · {more}"),
    }
}

/// What it does, in two words.
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Stops => "mapping waits",
        Effect::Parks => "field waits",
        Effect::Warns => "may refuse",
        Effect::Tells => "goes on",
    }
}

/// What waits for it.
pub fn waits(effect: Effect, mapping: &str, pair: &str) -> String {
    match (effect, pair) {
        (Effect::Stops, _) => format!("the whole mapping {mapping}; the others go on"),
        (Effect::Parks, "") => format!("a field of {mapping}; the rest of each record goes on"),
        (Effect::Parks, pair) => format!("{pair}, of {mapping}; the rest of each record goes on"),
        (Effect::Warns, _) => "nothing; single records may be refused, and become issues".into(),
        (Effect::Tells, _) => "nothing".into(),
    }
}

/// The title of the question.
pub fn accept_title(mapping: &str) -> String {
    format!("Accept what changed for {mapping}?")
}
