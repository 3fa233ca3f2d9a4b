//! The shapes in which a contact is read: `basic`, full, and the dump of the sandbox. Used by `read`, `lists`, `admin`.

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};

use super::contact::Contact;

/// How much of a contact a reply shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// `basic` and `basicById`.
    Basic,
    /// `list…`: with tags, details and events.
    Full,
    /// The sandbox's own dump: also what no call of the service returns.
    Everything,
}

/// A contact in a read shape.
pub struct ContactView<'a>(pub &'a Contact, pub Detail);

impl Serialize for ContactView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(contact, detail) = *self;
        let mut shape = serializer.serialize_struct("contact", 24)?;
        shape.serialize_field("id", &contact.id)?;
        shape.serialize_field("contactId", &contact.id)?;
        shape.serialize_field("name", &contact.name)?;
        shape.serialize_field("email", &contact.email)?;
        shape.serialize_field("phone", &contact.phone)?;
        shape.serialize_field("fax", &(!contact.fax.is_empty()).then_some(&contact.fax))?;
        shape.serialize_field("company", &contact.company)?;
        shape.serialize_field("score", &contact.score)?;
        shape.serialize_field("state", contact.state.as_str())?;
        shape.serialize_field("optedOut", &contact.opted_out)?;
        shape.serialize_field("optedOutPhone", &contact.opted_out_phone)?;
        shape.serialize_field("deleted", &contact.deleted)?;
        shape.serialize_field("invalid", &contact.invalid)?;
        shape.serialize_field("externalId", &contact.external_id)?;
        shape.serialize_field("address", &AddressView(contact))?;
        let birthday = contact.birthday;
        shape.serialize_field("birthdayYear", &digits(u32::from(birthday.year), 4))?;
        shape.serialize_field("birthdayMonth", &digits(u32::from(birthday.month), 2))?;
        shape.serialize_field("birthdayDay", &digits(u32::from(birthday.day), 2))?;
        shape.serialize_field("createdOn", &contact.created_on)?;
        shape.serialize_field("modifiedOn", &contact.modified_on)?;
        shape.serialize_field("lastVisit", &None::<i64>)?;
        if detail != Detail::Basic {
            let rarities = contact.rarities.as_deref();
            shape.serialize_field("contactTags", &TagsView(&contact.tags))?;
            shape.serialize_field("properties", &PropertiesView(&contact.properties))?;
            shape
                .serialize_field("dictionaryProperties", rarities.map_or(&[][..], |rare| &rare.dictionary))?;
            shape.serialize_field("contactExtEvents", rarities.map_or(&[][..], |rare| &rare.events))?;
        }
        if detail == Detail::Everything {
            shape.serialize_field("province", &contact.province)?;
            shape.serialize_field("lang", &contact.language)?;
            shape.serialize_field(
                "consentDetails",
                contact.rarities.as_deref().map_or(&[][..], |rare| &rare.consents),
            )?;
            shape
                .serialize_field("notes", contact.rarities.as_deref().map_or(&[][..], |rare| &rare.notes))?;
        }
        shape.end()
    }
}

/// Zero as an empty text, anything else with leading zeros.
fn digits(number: u32, width: usize) -> String {
    if number == 0 { String::new() } else { format!("{number:0width$}") }
}

struct AddressView<'a>(&'a Contact);

impl Serialize for AddressView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = serializer.serialize_struct("address", 4)?;
        shape.serialize_field("streetAddress", &self.0.street)?;
        shape.serialize_field("zipCode", &self.0.zip)?;
        shape.serialize_field("city", &self.0.city)?;
        shape.serialize_field("country", &self.0.country)?;
        shape.end()
    }
}

struct TagsView<'a>(&'a [Box<str>]);

impl Serialize for TagsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct TagView<'a> {
            tag: &'a str,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for tag in self.0 {
            list.serialize_element(&TagView { tag })?;
        }
        list.end()
    }
}

struct PropertiesView<'a>(&'a [(Box<str>, Box<str>)]);

impl Serialize for PropertiesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct PropertyView<'a> {
            name: &'a str,
            value: &'a str,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0 {
            list.serialize_element(&PropertyView { name, value })?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::platform::salesmanago::contact::ContactId;

    /// platform-salesmanago.md §4.2: details come with the full lists alone.
    #[test]
    fn properties_are_an_array_when_read() {
        let mut contact = Contact::new(ContactId(1), 0, "a@b.example", 5);
        contact.properties.push(("SF_Account".into(), "Acme".into()));
        let value = serde_json::to_value(ContactView(&contact, Detail::Full)).unwrap();
        assert_eq!(value["properties"], serde_json::json!([{"name": "SF_Account", "value": "Acme"}]));
        assert_eq!(value["fax"], serde_json::Value::Null);
        let basic = serde_json::to_value(ContactView(&contact, Detail::Basic)).unwrap();
        assert!(basic.get("properties").is_none());
    }
}
