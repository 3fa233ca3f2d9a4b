//! What would become of one record, pair by pair: its value on each side, what the transform makes of it, and what is doubtful about that.
//!
//! Pure, so that the editor shows it afresh after each edit; [`crate::ops::sample`] pulls the record.

use serde::Serialize;

use crate::domain::canonical::{Form, canonical};
use crate::domain::consent::{Consent, ConsentForm};
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;

/// One record of a side, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledRecord {
    /// What was read.
    pub selection: Selection,
    /// The record.
    pub record: Record,
}

/// How two records were found to belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// They are linked.
    Linked,
    /// They have the same key; the first run would link them.
    ByKey,
    /// The other side has none of this key.
    Alone,
    /// The key is blank, so that nothing can be found by it.
    BlankKey,
    /// The other side has several of this key; a run would take none.
    Several,
}

impl Met {
    /// A sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Linked => "The two are linked.",
            Self::ByKey => "The two have the same key; a run would link them.",
            Self::Alone => "The other side has no record of this key.",
            Self::BlankKey => "Its key is blank, so that the other side's record can't be found by it.",
            Self::Several => "The other side has several records of this key; a run would take none of them.",
        }
    }
}

/// A record that was pulled into the editor, with its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// What was read on each side.
    pub records: PerSide<Option<PulledRecord>>,
    /// How they belong together.
    pub met: Met,
}

impl Pulled {
    /// Its ids.
    pub fn ids(&self) -> PerSide<Option<RecordId>> {
        PerSide::from_fn(|side| self.records[side].as_ref().map(|pulled| pulled.record.id.clone()))
    }
}

/// What a value becomes on its way to a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The values that side would get, or why they can't be made; none where nothing crosses (consent that nobody gave or took).
    pub values: Result<Vec<Value>, String>,
    /// Whether that side holds them already; nothing where it has no record.
    pub same: Option<bool>,
    /// What is doubtful about them, in sentences.
    pub doubts: Vec<String>,
}

/// One pair of a mapping with what became of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSample {
    /// What each side holds now; nothing where it has no record, or the field was not read.
    pub values: PerSide<Option<Vec<Value>>>,
    /// What each side would get from the other, where the directions allow it and the other has a value.
    pub to: PerSide<Option<Turned>>,
}

/// The worst that can be said of a pair of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Both sides agree, or there is nothing to tell a side that has no record.
    Same,
    /// One side has no record yet, and its new one would get this.
    New,
    /// They differ.
    Differs,
    /// Something is doubtful.
    Doubtful,
    /// The value can't be turned.
    Refused,
    /// A field of it was not read.
    Unread,
}

impl State {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Differs => "differs",
            Self::Doubtful => "doubtful",
            Self::Refused => "refused",
            Self::Unread => "not read",
        }
    }
}

impl PairSample {
    /// The worst of both ways.
    pub fn state(&self) -> State {
        let of = |turned: &Turned| match (&turned.values, turned.doubts.is_empty(), turned.same) {
            (Err(_), ..) => State::Refused,
            (Ok(_), false, _) => State::Doubtful,
            (Ok(_), true, Some(true)) => State::Same,
            (Ok(values), true, None) if values.iter().all(Value::is_blank) => State::Same,
            (Ok(_), true, None) => State::New,
            (Ok(_), true, Some(false)) => State::Differs,
        };
        let ways = Side::BOTH.into_iter().filter_map(|side| self.to[side].as_ref()).map(of);
        ways.max().unwrap_or(State::Unread)
    }
}

/// What became of a record in each pair of a mapping, in their order.
pub fn results(
    mapping: &Mapping,
    schemas: PerSide<Option<&ObjectSchema>>,
    pulled: &Pulled,
) -> Vec<PairSample> {
    mapping.pairs.iter().map(|pair| result(mapping, pair, schemas, pulled)).collect()
}

fn result(
    mapping: &Mapping,
    pair: &Pair,
    schemas: PerSide<Option<&ObjectSchema>>,
    pulled: &Pulled,
) -> PairSample {
    let values = PerSide::from_fn(|side| held(pair, side, pulled));
    let to = PerSide::from_fn(|target| {
        let flows = pair.direction.allows(target) && mapping.direction.allows(target);
        let from = values[target.other()].as_ref().filter(|_| flows)?;
        Some(turned(pair, target, from, values[target].as_deref(), schemas))
    });
    PairSample { values, to }
}

fn held(pair: &Pair, side: Side, pulled: &Pulled) -> Option<Vec<Value>> {
    if let (Transform::Constant(text), Side::Org) = (&pair.transform, side) {
        return Some(vec![Value::text(text.as_str())]);
    }
    let pulled = pulled.records[side].as_ref()?;
    let value = |name: &String| pulled.record.values.get(pulled.selection.position(name)?)?.clone();
    pair.fields(side).iter().map(value).collect()
}

fn turned(
    pair: &Pair,
    target: Side,
    from: &[Value],
    present: Option<&[Value]>,
    schemas: PerSide<Option<&ObjectSchema>>,
) -> Turned {
    if let Transform::Consent { org, platform } = &pair.transform {
        return consent(PerSide { org: *org, platform: *platform }, target, from, present);
    }
    let names = pair.fields(target);
    let fields: Vec<Option<&FieldSchema>> =
        names.iter().map(|name| schemas[target].and_then(|schema| schema.field(name))).collect();
    let values = match pair.transform.apply(from, target, names.len(), present) {
        Ok(values) => values,
        Err(error) => return Turned { values: Err(error.to_string()), same: None, doubts: Vec::new() },
    };
    let form = |field: Option<&FieldSchema>| {
        let (kind, scale) = field.map_or((FieldKind::Text, None), |field| (field.kind, field.scale));
        Form { kind, scale }
    };
    let folded = |values: &[Value]| -> Vec<Value> {
        let forms = fields.iter().map(|field| form(*field)).chain(std::iter::repeat(Form::default()));
        values.iter().zip(forms).map(|(value, form)| canonical(form, value)).collect()
    };
    let same = present.map(|present| folded(present) == folded(&values));
    let mut doubts: Vec<String> =
        values.iter().zip(&fields).filter_map(|(value, field)| doubt(value, (*field)?)).collect();
    if let Transform::Reference(object) = &pair.transform {
        doubts.push(format!("a run tells the id of the linked {object} instead"));
    }
    Turned { values: Ok(values), same, doubts }
}

fn consent(forms: PerSide<ConsentForm>, target: Side, from: &[Value], present: Option<&[Value]>) -> Turned {
    let said = |side: Side, values: &[Value]| {
        forms[side].read(&values.first().cloned().unwrap_or_default(), None).unwrap_or(Consent::Unknown)
    };
    let source = said(target.other(), from);
    let words = match source {
        Consent::Yes => "opted in",
        Consent::No => "opted out",
        // What nobody said never overwrites (law E3).
        Consent::Unknown => {
            return Turned { values: Ok(Vec::new()), same: present.map(|_| true), doubts: Vec::new() };
        }
    };
    let same = present.map(|present| match (source, said(target, present), forms[target]) {
        // A flag that says opt-outs alone says no more to an opt-in than to silence.
        (Consent::Yes, Consent::Unknown, ConsentForm::OptOutFlag) => true,
        (source, there, _) => source == there,
    });
    Turned { values: Ok(vec![Value::text(words)]), same, doubts: Vec::new() }
}

/// Why a field may refuse a value.
fn doubt(value: &Value, field: &FieldSchema) -> Option<String> {
    let name = &field.name;
    if !field.writable() {
        return Some(format!("{name} can't be written"));
    }
    if value.is_blank() {
        return field.required.then(|| format!("{name} is required, and this is blank"));
    }
    let text = value.to_string();
    let folded = canonical(Form { kind: field.kind, scale: field.scale }, value);
    let misfit = match field.kind {
        FieldKind::Number => !matches!(folded, Value::Number(_)),
        FieldKind::Date => !matches!(folded, Value::Date(_)),
        FieldKind::Moment => !matches!(folded, Value::Moment(_) | Value::Date(_)),
        FieldKind::Bool => !matches!(folded, Value::Bool(_)),
        FieldKind::Email => !text.contains('@'),
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Phone
        | FieldKind::Url
        | FieldKind::Picklist
        | FieldKind::Set
        | FieldKind::Reference
        | FieldKind::Other => false,
    };
    if misfit {
        return Some(format!("{name} is {}, and this is none", field.kind.word()));
    }
    let length = text.chars().count();
    if let Some(most) = field.length.filter(|most| *most > 0 && length > *most as usize) {
        return Some(format!("{name} takes {most} characters, and this has {length}"));
    }
    let listed = |text: &str| field.picklist.iter().any(|known| known.eq_ignore_ascii_case(text.trim()));
    let choices: Vec<&str> = match value {
        Value::Set(values) => values.iter().map(AsRef::as_ref).collect(),
        _ if field.kind == FieldKind::Set => text.split(';').collect(),
        _ => vec![text.as_str()],
    };
    if field.restricted && !field.picklist.is_empty() && !choices.into_iter().all(listed) {
        return Some(format!("the picklist of {name} does not have it"));
    }
    None
}

#[cfg(test)]
mod tests;
