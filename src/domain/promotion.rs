//! Takes mappings from one org to another: which of their words belong to an org alone (ids, picklist values, fields), and putting the
//! other org's in their place.
//!
//! [`visit`] knows where a mapping names a value of the org; `ops::config::promote` knows what stands for it over there.

use serde::Serialize;

use crate::domain::criteria::{Criteria, Expression, Literal, Operator};
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::domain::transform::rule::Rule;

/// Where a mapping names a value of the org.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The mapping.
    pub mapping: String,
    /// The org's object.
    pub object: String,
    /// Where in it, in words.
    pub place: String,
    /// The org's field that it is a value of, where one alone comes into question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What kind of thing an id of the org names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// A record type.
    RecordType,
    /// A user.
    User,
    /// A queue or another group.
    Group,
    /// Any other record.
    Other,
}

impl IdKind {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::RecordType => "record type",
            Self::User => "user",
            Self::Group => "queue",
            Self::Other => "record",
        }
    }

    /// What the ids of a field may name, of what has a name in every org: owners and record types.
    pub fn in_field(field: &FieldSchema) -> Vec<Self> {
        let leads_to = |object: &str| field.references.iter().any(|known| known.eq_ignore_ascii_case(object));
        let kinds = [(Self::User, "User"), (Self::Group, "Group"), (Self::RecordType, "RecordType")];
        kinds.into_iter().filter(|(_, object)| leads_to(object)).map(|(kind, _)| kind).collect()
    }

    /// The kind of an id, by its first letters.
    pub fn of(id: &str) -> Self {
        match id.get(..3) {
            Some("012") => Self::RecordType,
            Some("005") => Self::User,
            Some("00G") => Self::Group,
            _ => Self::Other,
        }
    }
}

/// Whether a text looks like an id of the org: 15 or 18 letters and digits that begin with the mark of a kind we know, or with a digit
/// and zeros as all standard ones do.
pub fn looks_like_id(text: &str) -> bool {
    let text = text.trim();
    let plain = matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // The fourth to sixth letters tell the server and the reserve, in which there is always a digit.
    let numbered = text.get(3..7).is_some_and(|server| server.bytes().any(|byte| byte.is_ascii_digit()));
    let named = text.get(..3).is_some_and(|prefix| prefix.bytes().any(|byte| byte.is_ascii_digit()));
    plain && numbered && named
}

/// Whether two ids are the same, in 15 or 18 characters.
pub fn same_id(one: &str, other: &str) -> bool {
    let head = |id: &str| id.trim().get(..15).map(str::to_owned);
    head(one).is_some() && head(one) == head(other)
}

/// Shows every value of the org that a mapping names, to be changed where it stands.
pub fn visit(mapping: &mut Mapping, look: &mut dyn FnMut(&Spot, &mut String)) {
    let (name, object) = (mapping.name.clone(), mapping.org_object.clone());
    let spot = |place: String, field: Option<&str>| Spot {
        mapping: name.clone(),
        object: object.clone(),
        place,
        field: field.map(str::to_owned),
    };
    if let Some(text) = mapping.org_criteria.clone()
        && let Ok(mut criteria) = Criteria::parse(&text)
    {
        let before = criteria.clone();
        in_criteria(&mut criteria.root, &mut |field, literal| {
            look(&spot("criteria of Salesforce".into(), Some(field)), literal);
        });
        if criteria != before {
            mapping.org_criteria = Some(criteria.to_string());
        }
    }
    for default in mapping.default.iter_mut().filter(|default| default.side == Side::Org) {
        let field = default.field.clone();
        look(&spot(format!("default of {field}"), Some(&field)), &mut default.value);
    }
    if let Some(chosen) = mapping.deactivate.as_mut().filter(|chosen| chosen.side == Side::Org) {
        let field = chosen.field.clone();
        look(&spot(format!("deactivation by {field}"), Some(&field)), &mut chosen.value);
    }
    for pair in &mut mapping.pairs {
        in_pair(pair, &spot, look);
    }
}

fn in_criteria(expression: &mut Expression, look: &mut dyn FnMut(&str, &mut String)) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            for part in parts {
                in_criteria(part, look);
            }
        }
        Expression::Not(inner) => in_criteria(inner, look),
        // A pattern is a part of a value, not one.
        Expression::Compare { operator: Operator::Like, .. } => {}
        Expression::Compare { field, literal, .. } => in_literal(field, literal, look),
        Expression::OneOf { field, literals, .. } => {
            for literal in literals {
                in_literal(field, literal, look);
            }
        }
    }
}

fn in_literal(field: &str, literal: &mut Literal, look: &mut dyn FnMut(&str, &mut String)) {
    if let Literal::Text(text) = literal {
        look(field, text);
    }
}

fn in_pair(
    pair: &mut Pair,
    spot: &dyn Fn(String, Option<&str>) -> Spot,
    look: &mut dyn FnMut(&Spot, &mut String),
) {
    let name = pair.name();
    let field = match pair.org.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let to_org = pair.direction.allows(Side::Org);
    let at = |what: &str| spot(format!("{name}, {what}"), field.as_deref());
    match &mut pair.transform {
        Transform::Constant(value) if to_org => look(&at("constant"), value),
        Transform::Copy
        | Transform::FullName
        | Transform::Consent { .. }
        | Transform::Constant(_)
        | Transform::Reference(_) => {}
        Transform::Table(table) => {
            let entries = std::mem::take(&mut table.entries);
            for (mut org, platform) in entries {
                look(&at("translation"), &mut org);
                table.entries.insert(org, platform);
            }
            if let Some(value) = &mut table.otherwise_org {
                look(&at("any other value on the way back"), value);
            }
        }
        Transform::Rules(rules) => {
            for rule in &mut rules.to_platform {
                if let Rule::Blank(value) | Rule::Replace(value, _) = rule {
                    look(&at("rule for the platform"), value);
                }
            }
            for rule in &mut rules.to_org {
                if let Rule::Default(value) | Rule::Replace(_, value) = rule {
                    look(&at("rule for Salesforce"), value);
                }
            }
        }
    }
}

/// Gives a field of the org another name, wherever the mapping says it.
pub fn rename_field(mapping: &mut Mapping, from: &str, to: &str) {
    let rename = |name: &mut String| {
        if name.eq_ignore_ascii_case(from) {
            to.clone_into(name);
        }
    };
    mapping.pairs.iter_mut().flat_map(|pair| pair.org.iter_mut()).for_each(rename);
    mapping.skip_create_when_blank.iter_mut().for_each(rename);
    mapping.org_mark.iter_mut().chain(mapping.sync_flag.iter_mut()).for_each(rename);
    let of_org = mapping.default.iter_mut().filter(|default| default.side == Side::Org);
    of_org.for_each(|default| rename(&mut default.field));
    if let Some(chosen) = mapping.deactivate.as_mut().filter(|chosen| chosen.side == Side::Org) {
        rename(&mut chosen.field);
    }
    if let Some(Ok(mut criteria)) = mapping.criteria(Side::Org).map(Criteria::parse)
        && criteria.fields().iter().any(|field| field.eq_ignore_ascii_case(from))
    {
        in_fields(&mut criteria.root, &rename);
        mapping.org_criteria = Some(criteria.to_string());
    }
}

fn in_fields(expression: &mut Expression, rename: &dyn Fn(&mut String)) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            for part in parts {
                in_fields(part, rename);
            }
        }
        Expression::Not(inner) => in_fields(inner, rename),
        Expression::Compare { field, .. } | Expression::OneOf { field, .. } => rename(field),
    }
}

/// The fields of the org that a mapping can't do without, each once.
pub fn org_fields(mapping: &Mapping) -> Vec<String> {
    let mut fields: Vec<String> = mapping.pairs.iter().flat_map(|pair| pair.org.clone()).collect();
    if let Some(Ok(criteria)) = mapping.criteria(Side::Org).map(Criteria::parse) {
        fields.extend(criteria.fields());
    }
    fields.extend(mapping.mark(Side::Org).map(str::to_owned));
    fields.extend(mapping.flag().map(str::to_owned));
    fields.extend(mapping.skip_create_when_blank.iter().cloned());
    let of_org = mapping.default.iter().filter(|default| default.side == Side::Org);
    fields.extend(of_org.map(|default| default.field.clone()));
    fields.extend(mapping.deactivation(Side::Org).map(|chosen| chosen.field.clone()));
    let mut seen = std::collections::HashSet::new();
    fields.retain(|field| seen.insert(field.to_ascii_lowercase()));
    fields
}

#[cfg(test)]
mod tests;
