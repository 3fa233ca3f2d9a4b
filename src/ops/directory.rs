//! What ids of an org are called, and which id has that name in another org.

use serde::Serialize;

use crate::connect::salesforce::Salesforce;
use crate::domain::criteria::Criteria;
use crate::domain::port::{Finder, Sink};
use crate::domain::promotion::IdKind;
use crate::domain::record::{Record, Selection};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{connections, secrets};

/// A thing of an org that has an id there, by what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its id, 18 characters.
    pub id: String,
    /// What kind of thing it is.
    pub kind: IdKind,
    /// By what it is known in every org: the developer name, or the user name.
    pub name: String,
    /// What people see.
    pub label: String,
    /// The object that a record type belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// What stands for a thing in another org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// This alone.
    One(Named),
    /// Several are called so.
    Several(Vec<Named>),
    /// Nothing.
    Missing,
}

/// What these ids are called in the org of a workspace; those of other kinds, and those that can't be seen, are left out.
pub async fn names(session: &Session, ids: &[String]) -> Result<Vec<Named>, OpError> {
    let mut found = Vec::new();
    for kind in [IdKind::RecordType, IdKind::User, IdKind::Group] {
        let wanted: Vec<String> = ids.iter().filter(|id| IdKind::of(id) == kind).cloned().collect();
        if !wanted.is_empty() {
            found.extend(by(session, kind, "Id", &wanted).await?);
        }
    }
    Ok(found)
}

/// Most names of a kind that are offered.
const MOST: usize = 2_000;

/// Everything of these kinds that a field of an object may name: active users, queues, the object's active record types. One call a kind.
pub async fn all(session: &Session, object: &str, kinds: &[IdKind]) -> Result<Vec<Named>, OpError> {
    let org = org(session).await?;
    let mut found = Vec::new();
    for kind in kinds {
        let condition = match kind {
            IdKind::User => "IsActive = true".to_owned(),
            IdKind::Group => "Type = 'Queue'".to_owned(),
            IdKind::RecordType => {
                let escaped = object.replace('\\', "\\\\").replace('\'', "\\'");
                format!("IsActive = true AND SobjectType = '{escaped}'")
            }
            IdKind::Other => continue,
        };
        let criteria = Criteria::parse(&condition).map_err(|error| OpError::failed(error.to_string()))?;
        let records = org.recent(self::object(*kind), &selection(*kind), Some(&criteria), MOST).await?;
        found.extend(records.iter().map(|record| named(*kind, record)));
    }
    found.sort_by_cached_key(|named| (named.label.to_lowercase(), named.id.clone()));
    Ok(found)
}

/// What stands for these in the org of a workspace, in their order.
pub async fn counterparts(session: &Session, wanted: &[Named]) -> Result<Vec<Counterpart>, OpError> {
    let mut found = vec![Counterpart::Missing; wanted.len()];
    for kind in [IdKind::RecordType, IdKind::User, IdKind::Group] {
        let names: Vec<String> =
            wanted.iter().filter(|named| named.kind == kind).flat_map(names_there).collect();
        if names.is_empty() {
            continue;
        }
        let mut there = by(session, kind, name_field(kind), &names).await?;
        if kind == IdKind::User {
            // Whose user name leads nowhere may still be there by the name that people see.
            let labels: Vec<String> =
                wanted.iter().filter(|named| named.kind == kind).map(|named| named.label.clone()).collect();
            there.extend(by(session, kind, "Name", &labels).await?);
        }
        for (named, place) in wanted.iter().zip(found.iter_mut()).filter(|(named, _)| named.kind == kind) {
            *place = choose(named, &there);
        }
    }
    Ok(found)
}

/// The best of those that are there: by its own name, by the name without a sandbox's ending, by what people see.
fn choose(named: &Named, there: &[Named]) -> Counterpart {
    let by_name = names_there(named).into_iter().map(Way::Name);
    for way in by_name.chain((named.kind == IdKind::User).then_some(Way::Label)) {
        let fits = |other: &Named| match &way {
            Way::Name(name) => other.name.eq_ignore_ascii_case(name),
            Way::Label => other.label == named.label,
        };
        let of_object = |other: &Named| named.kind != IdKind::RecordType || other.object == named.object;
        let mut fitting: Vec<Named> =
            there.iter().filter(|other| of_object(other) && fits(other)).cloned().collect();
        fitting.sort_by(|one, other| one.id.cmp(&other.id));
        fitting.dedup_by(|one, other| one.id == other.id);
        match fitting.len() {
            0 => {}
            1 => return Counterpart::One(fitting.remove(0)),
            _ => return Counterpart::Several(fitting),
        }
    }
    Counterpart::Missing
}

/// How a counterpart is looked for.
enum Way {
    /// By the name that every org knows.
    Name(String),
    /// By what people see.
    Label,
}

/// The names by which a thing is looked for: a user of a sandbox is called as in production, with the sandbox's name behind it.
fn names_there(named: &Named) -> Vec<String> {
    let mut names = vec![named.name.clone()];
    if named.kind == IdKind::User
        && let Some((stem, _)) = named.name.rsplit_once('.')
        && stem.split_once('@').is_some_and(|(_, host)| host.contains('.'))
    {
        names.push(stem.to_owned());
    }
    names
}

fn object(kind: IdKind) -> &'static str {
    match kind {
        IdKind::RecordType => "RecordType",
        IdKind::User | IdKind::Other => "User",
        IdKind::Group => "Group",
    }
}

fn name_field(kind: IdKind) -> &'static str {
    match kind {
        IdKind::User => "Username",
        IdKind::RecordType | IdKind::Group | IdKind::Other => "DeveloperName",
    }
}

async fn by(session: &Session, kind: IdKind, field: &str, values: &[String]) -> Result<Vec<Named>, OpError> {
    let selection = selection(kind);
    let values = values.iter().map(|text| Value::text(text.as_str())).collect();
    let finder = Finder::Field { field: field.into(), values };
    let records = org(session).await?.find(object(kind), &selection, &finder).await?;
    Ok(records.into_iter().map(|record| named(kind, &record)).collect())
}

fn selection(kind: IdKind) -> Selection {
    let mut fields = vec![name_field(kind), "Name"];
    if kind == IdKind::RecordType {
        fields.push("SobjectType");
    }
    Selection::new(fields)
}

fn named(kind: IdKind, record: &Record) -> Named {
    let text = |place: usize| {
        record.values.get(place).and_then(Option::as_ref).map(ToString::to_string).unwrap_or_default()
    };
    Named {
        id: record.id.to_string(),
        kind,
        name: text(0),
        label: text(1),
        object: (kind == IdKind::RecordType).then(|| text(2)),
    }
}

async fn org(session: &Session) -> Result<Salesforce, OpError> {
    let settings = session.settings();
    let known = secrets::read(session, &settings, Side::Org, &[]).await?;
    Ok(connections::salesforce(&settings, &known, &session.surroundings())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str, name: &str, label: &str) -> Named {
        Named { id: id.into(), kind: IdKind::User, name: name.into(), label: label.into(), object: None }
    }

    fn record_type(id: &str, name: &str, object: &str) -> Named {
        Named {
            id: id.into(),
            kind: IdKind::RecordType,
            name: name.into(),
            label: name.into(),
            object: Some(object.into()),
        }
    }

    #[test]
    fn a_user_of_a_sandbox_is_found_by_the_name_in_production() {
        let wanted = user("1", "ann@acme.example.dev", "Ann Lee");
        let there = [user("2", "bob@acme.example", "Ann Lee"), user("3", "ann@acme.example", "A. Lee")];
        assert_eq!(choose(&wanted, &there), Counterpart::One(there[1].clone()));
        assert_eq!(choose(&wanted, &there[..1]), Counterpart::One(there[0].clone()), "by what people see");
        assert_eq!(choose(&wanted, &[]), Counterpart::Missing);
    }

    #[test]
    fn two_of_the_same_name_are_nobody() {
        let wanted = user("1", "ann@acme.example.dev", "Ann Lee");
        let there = [user("2", "a@x.example", "Ann Lee"), user("3", "b@x.example", "Ann Lee")];
        assert!(matches!(choose(&wanted, &there), Counterpart::Several(found) if found.len() == 2));
    }

    #[test]
    fn a_record_type_belongs_to_its_object() {
        let wanted = record_type("1", "Partner", "Account");
        let there = [record_type("2", "Partner", "Contact"), record_type("3", "partner", "Account")];
        assert_eq!(choose(&wanted, &there), Counterpart::One(there[1].clone()));
    }
}
