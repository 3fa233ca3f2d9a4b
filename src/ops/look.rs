//! What an admin looks at while a mapping is made: the objects of both sides, and what a record of them holds.

use std::collections::BTreeMap;

use crate::domain::mapping::Direction;
use crate::domain::port::ScanRequest;
use crate::domain::profile::Profile;
use crate::domain::record::{Record, Selection};
use crate::domain::schema::{FieldKind, ObjectEntry};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{connections, describe, secrets};

/// Records that are looked at for a filled value of each field.
const RECORDS: usize = 20;

/// What people synchronize; where one of them is missing, somebody will look for it (F62, F108).
const USUAL: [(&str, &str); 3] = [("Contact", "Contact"), ("Lead", "Lead"), ("Account", "Account")];

/// The condition that makes people of accounts.
pub const PEOPLE: &str = "IsPersonAccount = true";

/// A filled value of each field, by its name.
pub type Samples = BTreeMap<String, String>;

/// The objects of the org that a mapping can be made of, the usual ones first. What is missing says why (F108). Up to three calls.
pub async fn org_objects(session: &Session) -> Result<Vec<ObjectEntry>, OpError> {
    let settings = session.settings();
    let known = secrets::read(session, &settings, Side::Org, &[]).await?;
    let seen = connections::salesforce(&settings, &known, &session.surroundings())?.objects().await?;
    // An org without the fields of people in its accounts has no person accounts.
    let of_people = |schema: &crate::domain::schema::ObjectSchema| schema.field("IsPersonAccount").is_some();
    let people = describe::object(session, Side::Org, "Account").await.is_ok_and(|schema| of_people(&schema));
    Ok(arranged(seen, people))
}

/// The usual objects first, those that are missing with the reason, then all others by their label.
fn arranged(seen: Vec<ObjectEntry>, people: bool) -> Vec<ObjectEntry> {
    let mut entries = Vec::with_capacity(seen.len() + USUAL.len() + 1);
    for (name, label) in USUAL {
        let found = seen.iter().find(|entry| entry.name == name).cloned();
        let entry = found.unwrap_or_else(|| ObjectEntry {
            name: name.into(),
            label: label.into(),
            why: Some(missing(label)),
            ..ObjectEntry::default()
        });
        let has_accounts = name == "Account" && entry.why.is_none();
        entries.push(entry);
        if has_accounts {
            entries.push(ObjectEntry {
                name: name.into(),
                label: "Person Account".into(),
                criteria: Some(PEOPLE.into()),
                why: (!people).then(|| "This org has no person accounts.".to_owned()),
                ..ObjectEntry::default()
            });
        }
    }
    let mut others: Vec<ObjectEntry> =
        seen.into_iter().filter(|entry| !USUAL.iter().any(|(name, _)| *name == entry.name)).collect();
    others.sort_by(|left, right| (!left.custom, &left.label).cmp(&(!right.custom, &right.label)));
    entries.extend(others);
    entries
}

fn missing(label: &str) -> String {
    format!(
        "{label} can't be seen: the user that signs in has no right to read it. Ask whoever made that user for Salesforce."
    )
}

/// The platform's objects, each with the reason where this object of the org can't be mapped to it.
pub fn platform_objects(profile: &Profile, org_object: &str) -> Vec<ObjectEntry> {
    let entry = |object: &crate::domain::profile::ObjectProfile| ObjectEntry {
        name: object.name.clone(),
        label: object.label.clone(),
        why: direction(profile, &object.name, org_object).err(),
        ..ObjectEntry::default()
    };
    profile.objects.iter().map(entry).collect()
}

/// The widest direction in which an object of the org can be mapped to one of the platform, or why there is none.
pub fn direction(profile: &Profile, platform_object: &str, org_object: &str) -> Result<Direction, String> {
    let Some(object) = profile.object(platform_object) else { return Ok(Direction::Both) };
    let foreign = !object.from_org.is_empty()
        && !object.from_org.iter().any(|known| known.eq_ignore_ascii_case(org_object));
    [Direction::Both, Direction::ToPlatform, Direction::ToOrg]
        .into_iter()
        .find(|direction| {
            object.directions.contains(direction) && !(foreign && direction.allows(Side::Platform))
        })
        .ok_or_else(|| {
            let why = object.why.as_deref().map(|why| format!(" {why}.")).unwrap_or_default();
            format!("Only {} of Salesforce flows here.{why}", object.from_org.join(", "))
        })
}

/// A filled value of each field of an object, from a few records; one call or two. A field that nobody filled is left out.
pub async fn samples(session: &Session, side: Side, object: &str) -> Result<Samples, OpError> {
    let schema = describe::object(session, side, object).await?;
    let usable = |kind: FieldKind| kind != FieldKind::Other;
    // Parents are left out: their fields are as many again, and the first words of a record tell enough.
    let names = schema
        .fields
        .iter()
        .filter(|field| usable(field.kind) && (side == Side::Platform || !field.name.contains('.')))
        .map(|field| field.name.as_str());
    let selection = Selection::new(names);
    let settings = session.settings();
    let known = secrets::read(session, &settings, side, &[]).await?;
    let around = session.surroundings();
    let records = match side {
        Side::Org => {
            connections::salesforce(&settings, &known, &around)?.some(object, &selection, RECORDS).await?
        }
        Side::Platform => {
            let request = ScanRequest {
                object: object.to_owned(),
                selection: selection.clone(),
                criteria: None,
                mark: None,
            };
            connections::platform(&settings, &known, &around)?.scan(&request).await?.records
        }
    };
    Ok(filled(&selection, &records))
}

fn filled(selection: &Selection, records: &[Record]) -> Samples {
    let mut samples = Samples::new();
    for (place, name) in selection.names().iter().enumerate() {
        let value = records
            .iter()
            .take(RECORDS)
            .filter_map(|record| record.values.get(place).and_then(Option::as_ref))
            .find(|value| !value.is_blank());
        if let Some(value) = value {
            // One line tells enough of a long text.
            let line: String =
                value.to_string().lines().next().unwrap_or_default().chars().take(60).collect();
            samples.insert(name.to_string(), line);
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::profile;

    fn entry(name: &str, custom: bool) -> ObjectEntry {
        ObjectEntry { name: name.into(), label: name.into(), custom, ..ObjectEntry::default() }
    }

    #[test]
    fn f108_an_object_that_is_missing_says_that_it_is_a_matter_of_rights() {
        let entries = arranged(vec![entry("Contact", false), entry("Campaign", false)], false);
        let lead = entries.iter().find(|entry| entry.name == "Lead").unwrap();
        assert!(lead.why.as_deref().is_some_and(|why| why.contains("no right to read")));
        assert_eq!(entries.first().map(|entry| entry.name.as_str()), Some("Contact"));
        assert!(entries.iter().any(|entry| entry.name == "Campaign" && entry.why.is_none()));
    }

    #[test]
    fn f62_person_accounts_are_offered_where_the_org_has_them() {
        let people = |has: bool| {
            let entries = arranged(vec![entry("Account", false)], has);
            entries.into_iter().find(|entry| entry.criteria.is_some()).unwrap()
        };
        assert_eq!(people(true).why, None);
        assert!(people(false).why.is_some());
    }

    #[test]
    fn objects_that_somebody_made_come_before_the_many_standard_ones() {
        let entries = arranged(vec![entry("Asset", false), entry("Zoo__c", true)], false);
        let place = |name: &str| entries.iter().position(|entry| entry.name == name).unwrap();
        assert!(place("Zoo__c") < place("Asset"));
    }

    #[test]
    fn a_platform_object_that_takes_only_accounts_offers_the_way_that_is_left() {
        let learndot = profile("learndot").unwrap();
        for object in &learndot.objects {
            if let Ok(found) = direction(learndot, &object.name, "Lead") {
                assert!(object.directions.contains(&found), "{}", object.name);
            }
        }
        assert_eq!(direction(profile("salesmanago").unwrap(), "contact", "Lead"), Ok(Direction::Both));
    }
}
