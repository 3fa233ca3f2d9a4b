//! Proposes pairs for a mapping: the usual ones of the platform first, then fields of the same name or label.

use std::collections::BTreeSet;

use crate::connect::platform::default_mappings::{OrgShape, cut, default_mappings};
use crate::domain::mapping::{Direction, Drift, Mapping, Pair, Policy};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::workspace::settings::PlatformKind;

/// Why a pair is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is usual for these two objects.
    Usual,
    /// The fields have the same name.
    SameName,
    /// The fields have the same label.
    SameLabel,
}

impl Why {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Usual => "usual pair",
            Self::SameName => "same name",
            Self::SameLabel => "same label",
        }
    }
}

/// A proposed pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The pair.
    pub pair: Pair,
    /// Why it is proposed.
    pub why: Why,
}

/// The pairs that a mapping lacks, best first; no field is proposed twice, and none that a pair has already.
pub fn pairs(
    kind: PlatformKind,
    mapping: &Mapping,
    org: &ObjectSchema,
    platform: &ObjectSchema,
) -> Vec<Suggestion> {
    let mut taken = Taken::of(mapping);
    let has_key = mapping.pairs.iter().any(|pair| pair.key);
    let mut found = Vec::new();
    for mut pair in usual(kind, mapping, org) {
        pair.key &= !has_key;
        if let Some(direction) = pair.direction.and(mapping.direction) {
            pair.direction = direction;
            if taken.take(&pair) {
                found.push(Suggestion { pair, why: Why::Usual });
            }
        }
    }
    for (why, name_of) in [
        (Why::SameName, (|field| folded(&field.name)) as fn(&FieldSchema) -> String),
        (Why::SameLabel, |field| folded(&field.label)),
    ] {
        for theirs in platform.fields.iter().filter(|field| field.kind != FieldKind::Other) {
            let name = name_of(theirs);
            let ours = org.fields.iter().find(|field| {
                !field.name.contains('.') && field.kind != FieldKind::Other && name_of(field) == name
            });
            let Some(ours) = ours.filter(|_| !name.is_empty()) else { continue };
            let Some(pair) = pair_of(mapping, ours, theirs) else { continue };
            if taken.take(&pair) {
                found.push(Suggestion { pair, why });
            }
        }
    }
    // What says who is who comes first; the rest stays in its order.
    found.sort_by_key(|suggestion| !suggestion.pair.key);
    found
}

/// The pairs that a new workspace would have between these two objects.
fn usual(kind: PlatformKind, mapping: &Mapping, org: &ObjectSchema) -> Vec<Pair> {
    let has_field = |object: &str, field: &str| {
        if !object.eq_ignore_ascii_case(&org.name) {
            return false;
        }
        match field.split_once('.') {
            None => org.field(field).is_some(),
            Some((parent, _)) => {
                let leads = |field: &&FieldSchema| {
                    field.relationship.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(parent))
                };
                org.field(field).is_some() || org.fields.iter().any(|field| leads(&field))
            }
        }
    };
    let people = org.field("IsPersonAccount").is_some();
    let shape = OrgShape { person_accounts: people, has_field: &has_field };
    let all = if kind == PlatformKind::SALESMANAGO {
        default_mappings(&shape)
    } else {
        kind.profile().map(|profile| cut(&profile.mappings, &shape)).unwrap_or_default()
    };
    let same = |known: &&Mapping| {
        known.org_object.eq_ignore_ascii_case(&mapping.org_object)
            && known.platform_object.eq_ignore_ascii_case(&mapping.platform_object)
    };
    // Accounts that are people and accounts that are companies are told apart by their criteria.
    let exact = all.iter().filter(same).find(|known| known.org_criteria == mapping.org_criteria);
    let pairs = exact.or_else(|| all.iter().find(same)).map(|known| known.pairs.clone()).unwrap_or_default();
    let fits = |pair: &Pair| pair.org.iter().all(|name| has_field(&org.name, name));
    pairs.into_iter().filter(fits).collect()
}

/// A pair of two fields, in the direction in which both can take part; `None` where nothing could flow.
fn pair_of(mapping: &Mapping, org: &FieldSchema, platform: &FieldSchema) -> Option<Pair> {
    // Consent has forms of its own, and ids mean nothing to the other side: nobody shall pair them by their names.
    let plain = |field: &FieldSchema| !matches!(field.kind, FieldKind::Id | FieldKind::Reference);
    if !plain(org) || !plain(platform) || !goes(org.kind, platform.kind) || is_consent(mapping, platform) {
        return None;
    }
    let direction = match (org.writable(), platform.writable()) {
        (true, true) => Direction::Both,
        (false, true) => Direction::ToPlatform,
        (true, false) => Direction::ToOrg,
        (false, false) => return None,
    };
    Some(Pair {
        org: vec![org.name.clone()],
        platform: vec![platform.name.clone()],
        direction: direction.and(mapping.direction)?,
        key: false,
        policy: Policy::default(),
        transform: Transform::Copy,
        drift: Drift::default(),
        doubts_accepted: false,
    })
}

fn is_consent(mapping: &Mapping, platform: &FieldSchema) -> bool {
    crate::domain::profile::profiles()
        .filter_map(|profile| profile.object(&mapping.platform_object))
        .any(|object| object.consent_fields().any(|name| name.eq_ignore_ascii_case(&platform.name)))
}

/// Whether two kinds are near enough to be proposed.
fn goes(org: FieldKind, platform: FieldKind) -> bool {
    let family = |kind: FieldKind| match kind {
        FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url
        | FieldKind::Picklist => 0,
        FieldKind::Date | FieldKind::Moment => 1,
        FieldKind::Bool => 2,
        FieldKind::Number => 3,
        FieldKind::Set => 4,
        FieldKind::Id | FieldKind::Reference | FieldKind::Other => 5,
    };
    family(org) == family(platform)
}

/// A name without case, blanks, marks and what only says where the field lives.
fn folded(name: &str) -> String {
    let name = name.strip_suffix("__c").unwrap_or(name);
    let name = name.rsplit('.').next().unwrap_or(name);
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The fields that have a pair, per side.
struct Taken(BTreeSet<(Side, String)>);

impl Taken {
    fn of(mapping: &Mapping) -> Self {
        let mut taken = Self(BTreeSet::new());
        for pair in &mapping.pairs {
            taken.note(pair);
        }
        for side in Side::BOTH {
            taken.0.extend(mapping.mark(side).map(|mark| (side, mark.to_lowercase())));
        }
        taken
    }

    fn note(&mut self, pair: &Pair) {
        for side in Side::BOTH {
            self.0.extend(pair.fields(side).iter().map(|name| (side, name.to_lowercase())));
        }
    }

    /// Takes the fields of a pair, if all are free.
    fn take(&mut self, pair: &Pair) -> bool {
        let free = Side::BOTH
            .into_iter()
            .all(|side| pair.fields(side).iter().all(|name| !self.0.contains(&(side, name.to_lowercase()))));
        if free {
            self.note(pair);
        }
        free
    }
}

#[cfg(test)]
mod tests;
