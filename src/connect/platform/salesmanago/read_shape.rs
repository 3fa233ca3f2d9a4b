//! From contacts as the service spells them to records.

use chrono::{DateTime, NaiveDate, Utc};

use super::fields::Place;
use super::lenient::Scalar;
use super::wire::{Address, Contact, Properties, Tag};
use crate::domain::port::Tombstone;
use crate::domain::record::{Record, RecordId};
use crate::domain::value::Value;

/// A contact that was read: alive, or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Alive.
    Alive(Record),
    /// Deleted; the service keeps such contacts readable.
    Deleted(Tombstone),
}

impl Contact {
    /// Its id, which has two names.
    pub(super) fn id(&self) -> Option<RecordId> {
        self.contact_id.filled().or_else(|| self.id.filled()).map(|id| RecordId::new(id.trim()))
    }

    /// Turns it into a record with these fields; `None` without an id.
    pub(super) fn into_found(mut self, places: &[Place]) -> Option<Found> {
        let id = self.id()?;
        let stamp = moment(&self.modified_on);
        if self.deleted.is_true() {
            return Some(Found::Deleted(Tombstone { id, at: stamp, merged_into: None }));
        }
        let values = places.iter().map(|place| self.take(place, &id)).collect();
        Some(Found::Alive(Record { id, stamp, author: None, values, became: Vec::new() }))
    }

    /// Whether the answer carried all of these fields.
    pub(super) fn carries(&self, places: &[Place]) -> bool {
        places.iter().all(|place| !self.lacks(place))
    }

    fn lacks(&self, place: &Place) -> bool {
        match place {
            Place::OptedOut => self.opted_out == Scalar::Absent,
            Place::OptedOutPhone => self.opted_out_phone == Scalar::Absent,
            Place::Tags => self.contact_tags.is_none(),
            Place::Detail(_) => self.properties.is_none(),
            Place::Street | Place::ZipCode | Place::City | Place::Country => self.address.is_none(),
            Place::Email => self.email == Scalar::Absent,
            Place::Name => self.name == Scalar::Absent,
            Place::Phone => self.phone == Scalar::Absent,
            Place::Fax => self.fax == Scalar::Absent,
            Place::Company => self.company == Scalar::Absent,
            Place::ExternalId => self.external_id == Scalar::Absent,
            Place::State => self.state == Scalar::Absent,
            Place::ModifiedOn => self.modified_on == Scalar::Absent,
            Place::CreatedOn => self.created_on == Scalar::Absent,
            Place::Score => self.score == Scalar::Absent,
            Place::LastVisit => self.last_visit == Scalar::Absent,
            Place::Invalid => self.invalid == Scalar::Absent,
            Place::Birthday => {
                [&self.birthday_year, &self.birthday_month, &self.birthday_day].contains(&&Scalar::Absent)
            }
            Place::Id => self.id().is_none(),
            Place::Province | Place::Nowhere => false,
        }
    }

    /// Moves a value out; each place is asked for once, as a selection names no field twice.
    fn take(&mut self, place: &Place, id: &RecordId) -> Option<Value> {
        match place {
            Place::Id => Some(Value::text(id.as_str())),
            Place::Email => text(&mut self.email),
            Place::Name => text(&mut self.name),
            Place::Phone => text(&mut self.phone),
            Place::Fax => text(&mut self.fax),
            Place::Company => text(&mut self.company),
            Place::ExternalId => text(&mut self.external_id),
            Place::State => text(&mut self.state),
            Place::Province => text(&mut self.province),
            Place::Street => self.of_address(|address| &mut address.street_address),
            Place::ZipCode => self.of_address(|address| &mut address.zip_code),
            Place::City => self.of_address(|address| &mut address.city),
            Place::Country => self.of_address(|address| &mut address.country),
            Place::Birthday => self.birthday(),
            Place::OptedOut => flag(&self.opted_out),
            Place::OptedOutPhone => flag(&self.opted_out_phone),
            Place::Invalid => flag(&self.invalid),
            Place::Tags => self.contact_tags.as_deref().map(tag_set),
            Place::CreatedOn => moment_value(&self.created_on),
            Place::ModifiedOn => moment_value(&self.modified_on),
            Place::LastVisit => moment_value(&self.last_visit),
            Place::Score => match std::mem::take(&mut self.score) {
                Scalar::Absent => None,
                Scalar::Number(number) => Some(Value::Number(number)),
                Scalar::Text(digits) if digits.trim().parse::<f64>().is_ok() => {
                    Some(Value::Number(digits.trim().into()))
                }
                Scalar::Null | Scalar::Bool(_) | Scalar::Text(_) => Some(Value::Null),
            },
            Place::Detail(name) => self.properties.as_mut().map(|details| detail(details, name)),
            Place::Nowhere => None,
        }
    }

    fn of_address(&mut self, part: impl Fn(&mut Address) -> &mut Scalar) -> Option<Value> {
        text(part(self.address.as_mut()?))
    }

    /// A day needs a year. A birthday of month and day alone can't be told as one, so it counts as not returned: neither is it
    /// blank, nor may anything be concluded from it.
    fn birthday(&self) -> Option<Value> {
        let parts = [&self.birthday_year, &self.birthday_month, &self.birthday_day];
        if parts.contains(&&Scalar::Absent) {
            return None;
        }
        let [year, month, day] = parts.map(|part| part.whole().filter(|number| *number > 0));
        match (year, month, day) {
            (None, None, None) => Some(Value::Null),
            (Some(year), Some(month), Some(day)) => {
                let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
                NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).map(Value::Date)
            }
            _ => None,
        }
    }

    /// The tags it has.
    pub(super) fn tags(&self) -> Vec<Box<str>> {
        self.contact_tags.iter().flatten().map(|tag| tag.tag.clone()).collect()
    }
}

fn text(scalar: &mut Scalar) -> Option<Value> {
    match std::mem::take(scalar) {
        Scalar::Absent => None,
        Scalar::Null => Some(Value::Null),
        Scalar::Bool(flag) => Some(Value::text(flag.to_string())),
        Scalar::Text(text) if text.is_empty() => Some(Value::Null),
        Scalar::Number(text) | Scalar::Text(text) => Some(Value::Text(text)),
    }
}

fn flag(scalar: &Scalar) -> Option<Value> {
    match scalar {
        Scalar::Absent => None,
        Scalar::Null => Some(Value::Null),
        Scalar::Text(text) if text.trim().is_empty() => Some(Value::Null),
        Scalar::Bool(_) | Scalar::Number(_) | Scalar::Text(_) => Some(Value::Bool(scalar.is_true())),
    }
}

/// Milliseconds since 1970; 0 stands for never.
pub(super) fn moment(scalar: &Scalar) -> Option<DateTime<Utc>> {
    scalar.whole().filter(|milliseconds| *milliseconds > 0).and_then(DateTime::from_timestamp_millis)
}

fn moment_value(scalar: &Scalar) -> Option<Value> {
    match scalar {
        Scalar::Absent => None,
        Scalar::Null | Scalar::Bool(_) | Scalar::Number(_) | Scalar::Text(_) => {
            Some(moment(scalar).map_or(Value::Null, Value::Moment))
        }
    }
}

fn tag_set(tags: &[Tag]) -> Value {
    let tags: Vec<Box<str>> =
        tags.iter().filter(|tag| !tag.tag.trim().is_empty()).map(|tag| tag.tag.clone()).collect();
    if tags.is_empty() { Value::Null } else { Value::Set(tags) }
}

/// Spelled exactly if there is such a one, else without regard to case.
fn detail(details: &mut Properties, name: &str) -> Value {
    let all = &mut details.0;
    let place = all
        .iter()
        .position(|(known, _)| **known == *name)
        .or_else(|| all.iter().position(|(known, _)| known.eq_ignore_ascii_case(name)));
    place.and_then(|place| all.get_mut(place)).and_then(|(_, value)| text(value)).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Selection;

    const FULL: &str = r#"{"id":"c-1","contactId":"c-1","name":"Ann Lee","email":"ann@x.example","phone":"","fax":null,
        "company":"Acme","score":5,"state":"PROSPECT","optedOut":false,"optedOutPhone":true,"deleted":false,"invalid":false,
        "externalId":"003","address":{"streetAddress":"1 Road","zipCode":"","city":"Graz","country":null},
        "birthdayYear":"1980","birthdayMonth":"1","birthdayDay":"31","createdOn":1500000000000,"modifiedOn":1500000001000,
        "lastVisit":null,"contactTags":[{"tag":"B"},{"tag":"A"}],"properties":[{"name":"SF_Title","value":"Boss"}]}"#;

    fn read(json: &str, names: &[&str]) -> Option<Found> {
        let contact: Contact = serde_json::from_str(json).unwrap();
        contact.into_found(&Place::of_all(&Selection::new(names)))
    }

    fn values(json: &str, names: &[&str]) -> Vec<Option<Value>> {
        match read(json, names).unwrap() {
            Found::Alive(record) => record.values,
            Found::Deleted(tombstone) => unreachable!("{tombstone:?}"),
        }
    }

    /// platform-salesmanago.md §4.2: the names and shapes of a contact that is read.
    #[test]
    fn every_kind_of_field_is_read() {
        let names = [
            "id",
            "name",
            "phone",
            "fax",
            "address.city",
            "birthday",
            "optedOut",
            "optedOutPhone",
            "tags",
            "createdOn",
            "score",
            "details.sf_title",
            "details.Other",
            "lastVisit",
        ];
        let expected = vec![
            Some("c-1".into()),
            Some("Ann Lee".into()),
            Some(Value::Null),
            Some(Value::Null),
            Some("Graz".into()),
            Some(Value::Date(NaiveDate::from_ymd_opt(1980, 1, 31).unwrap())),
            Some(Value::Bool(false)),
            Some(Value::Bool(true)),
            Some(Value::Set(vec!["B".into(), "A".into()])),
            Some(Value::Moment(DateTime::from_timestamp_millis(1_500_000_000_000).unwrap())),
            Some(Value::Number("5".into())),
            Some("Boss".into()),
            Some(Value::Null),
            Some(Value::Null),
        ];
        assert_eq!(values(FULL, &names), expected);
    }

    /// platform-salesmanago.md §4.2: the id has two names; the province is told by no answer.
    #[test]
    fn what_was_not_returned_is_absent_and_not_blank() {
        let names = ["name", "optedOut", "details.X", "tags", "address.city", "birthday", "province"];
        assert_eq!(values(r#"{"contactId":"c"}"#, &names), vec![None; names.len()]);
    }

    /// platform-salesmanago.md §4.2: a birthday has three parts.
    #[test]
    fn a_birthday_without_a_year_says_nothing() {
        let json = r#"{"id":"c","birthdayYear":"","birthdayMonth":"1","birthdayDay":"31"}"#;
        assert_eq!(values(json, &["birthday"]), [None]);
        let blank = r#"{"id":"c","birthdayYear":"","birthdayMonth":null,"birthdayDay":""}"#;
        assert_eq!(values(blank, &["birthday"]), [Some(Value::Null)]);
    }

    /// platform-salesmanago.md §4.2: a deleted contact says so.
    #[test]
    fn a_deleted_contact_is_a_tombstone() {
        let found = read(r#"{"id":"c","deleted":true,"modifiedOn":1500000000000}"#, &["email"]).unwrap();
        assert!(matches!(found, Found::Deleted(Tombstone { at: Some(_), .. })));
    }

    #[test]
    fn a_contact_without_an_id_is_none() {
        assert!(read(r#"{"email":"a@x"}"#, &["email"]).is_none());
    }

    #[test]
    fn a_partial_answer_is_recognised() {
        let places = Place::of_all(&Selection::new(["email", "optedOut"]));
        let contact: Contact = serde_json::from_str(r#"{"id":"c","email":"a@x"}"#).unwrap();
        assert!(!contact.carries(&places));
        let contact: Contact = serde_json::from_str(FULL).unwrap();
        assert!(contact.carries(&places));
    }
}
