//! The service's answers as it spells them: lists may be missing, ids have two names. Plain values are read by `lenient`.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use super::lenient::{Messages, Scalar};

/// An answer that says whether the call worked.
pub(super) trait Answer: DeserializeOwned {
    /// What it says.
    fn success(&self) -> Option<bool>;
}

/// What every answer begins with; nothing else of it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    pub(super) success: Option<bool>,
    pub(super) message: Messages,
}

impl Answer for Envelope {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// `user/listByClient`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Users {
    pub(super) success: Option<bool>,
    pub(super) users: Vec<serde_json::Value>,
}

impl Answer for Users {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

impl Users {
    /// The e-mail addresses, whether the users are texts or objects.
    pub(super) fn emails(&self) -> Vec<String> {
        let named = |user: &serde_json::Value| {
            let text = user.as_str().or_else(|| {
                ["email", "owner", "login"]
                    .iter()
                    .find_map(|key| user.get(key).and_then(serde_json::Value::as_str))
            });
            text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.users.iter().filter_map(named).collect()
    }
}

/// `contact/list…` and `contact/paginatedListById`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Contacts {
    pub(super) success: Option<bool>,
    #[serde(deserialize_with = "list_or_null")]
    pub(super) contacts: Vec<Contact>,
}

impl Answer for Contacts {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// A contact as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Contact {
    pub(super) id: Scalar,
    pub(super) contact_id: Scalar,
    pub(super) email: Scalar,
    pub(super) name: Scalar,
    pub(super) phone: Scalar,
    pub(super) fax: Scalar,
    pub(super) company: Scalar,
    pub(super) external_id: Scalar,
    pub(super) state: Scalar,
    pub(super) province: Scalar,
    pub(super) score: Scalar,
    pub(super) opted_out: Scalar,
    pub(super) opted_out_phone: Scalar,
    pub(super) deleted: Scalar,
    pub(super) invalid: Scalar,
    pub(super) birthday_year: Scalar,
    pub(super) birthday_month: Scalar,
    pub(super) birthday_day: Scalar,
    pub(super) created_on: Scalar,
    pub(super) modified_on: Scalar,
    pub(super) last_visit: Scalar,
    #[serde(deserialize_with = "present")]
    pub(super) address: Option<Address>,
    #[serde(deserialize_with = "present")]
    pub(super) contact_tags: Option<Vec<Tag>>,
    #[serde(deserialize_with = "present")]
    pub(super) properties: Option<Properties>,
}

/// The address of a contact.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Address {
    pub(super) street_address: Scalar,
    pub(super) zip_code: Scalar,
    pub(super) city: Scalar,
    pub(super) country: Scalar,
}

/// A tag of a contact.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    pub(super) tag: Box<str>,
}

/// The standard details of a contact: a list of names and values, or a map.
#[derive(Debug, Default)]
pub(super) struct Properties(pub(super) Vec<(Box<str>, Scalar)>);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Named {
            name: Box<str>,
            value: Scalar,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Properties;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("details")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Properties, A::Error> {
                let mut found = Vec::new();
                while let Some(Named { name, value }) = list.next_element()? {
                    found.push((name, value));
                }
                Ok(Properties(found))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut found = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    found.push(entry);
                }
                Ok(Properties(found))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `contact/paginatedModifiedContacts` and `contact/createdContacts`; the lists are named either way.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Mentions {
    pub(super) success: Option<bool>,
    #[serde(alias = "createdContacts", deserialize_with = "list_or_null")]
    pub(super) modified_contacts: Vec<Mention>,
    pub(super) has_more: Option<bool>,
}

impl Answer for Mentions {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// A contact that is only named.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Mention {
    pub(super) id: Scalar,
    pub(super) contact_id: Scalar,
}

/// `contact/batchupsert`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BatchAnswer {
    pub(super) success: Option<bool>,
    pub(super) contact_ids: Option<HashMap<String, Scalar>>,
}

impl Answer for BatchAnswer {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// `contact/upsert`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OneAnswer {
    pub(super) success: Option<bool>,
    pub(super) contact_id: Scalar,
}

impl Answer for OneAnswer {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// What starts a job.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct JobAnswer {
    pub(super) success: Option<bool>,
    pub(super) request_id: Scalar,
}

impl Answer for JobAnswer {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// `job/status`: a message means that it is still at work.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct JobStatus {
    pub(super) success: Option<bool>,
    pub(super) message: Messages,
    pub(super) file_url: Scalar,
}

impl Answer for JobStatus {
    fn success(&self) -> Option<bool> {
        self.success
    }
}

/// The file that a job leaves: a line for each contact.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobFile {
    #[serde(deserialize_with = "list_or_null")]
    pub(super) contacts: Vec<JobLine>,
}

/// One contact of a job's file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobLine {
    pub(super) success: Option<bool>,
    pub(super) email: Scalar,
    pub(super) id: Scalar,
    pub(super) message: Messages,
}

/// What `null` stands for where the key is there.
trait Blank {
    fn blank() -> Self;
}

impl Blank for Address {
    fn blank() -> Self {
        Self {
            street_address: Scalar::Null,
            zip_code: Scalar::Null,
            city: Scalar::Null,
            country: Scalar::Null,
        }
    }
}

impl Blank for Vec<Tag> {
    fn blank() -> Self {
        Self::new()
    }
}

impl Blank for Properties {
    fn blank() -> Self {
        Self::default()
    }
}

/// Tells a key with `null` from one that is not there.
fn present<'de, T: Deserialize<'de> + Blank, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_else(T::blank)))
}

fn list_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// platform-salesmanago.md §3: messages are a list, or one text.
    #[test]
    fn a_message_may_be_a_list_a_text_or_nothing() {
        let read = |json: &str| serde_json::from_str::<Envelope>(json).unwrap().message.0;
        assert_eq!(read(r#"{"success":false,"message":["a","b"]}"#), ["a", "b"]);
        assert_eq!(read(r#"{"success":false,"message":"a"}"#), ["a"]);
        assert!(read(r#"{"success":true,"message":[]}"#).is_empty());
        assert!(read(r#"{"success":true,"message":null}"#).is_empty());
    }

    /// platform-salesmanago.md §2: users are texts, or objects under one of three names.
    #[test]
    fn users_may_be_texts_or_objects() {
        let users: Users = serde_json::from_str(
            r#"{"success":true,"users":["a@x",{"email":"b@x"},{"login":"c@x"},{"id":1}]}"#,
        )
        .unwrap();
        assert_eq!(users.emails(), ["a@x", "b@x", "c@x"]);
    }

    #[test]
    fn absent_and_null_are_told_apart() {
        let contact: Contact = serde_json::from_str(r#"{"id":"1","fax":null,"address":null}"#).unwrap();
        assert_eq!(contact.fax, Scalar::Null);
        assert_eq!(contact.phone, Scalar::Absent);
        assert_eq!(contact.address.unwrap().city, Scalar::Null);
        assert!(contact.properties.is_none());
    }

    /// platform-salesmanago.md §4.2: details are a list when read.
    #[test]
    fn details_are_read_from_a_list_or_a_map() {
        for json in [r#"{"properties":[{"name":"A","value":"1"}]}"#, r#"{"properties":{"A":"1"}}"#] {
            let contact: Contact = serde_json::from_str(json).unwrap();
            let details = contact.properties.unwrap().0;
            assert_eq!(details, [("A".into(), Scalar::Text("1".into()))]);
        }
    }
}
