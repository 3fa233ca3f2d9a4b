//! From the rows of a batch to contacts as the service takes them.
//!
//! What a row leaves alone is left out; what it blanks is sent as an empty text. Consent travels as orders and never as a field:
//! without a value none is given, and the contact's status stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::errors::own_row;
use super::fields::Place;
use crate::domain::port::{RowError, WriteKind, WriteRow};
use crate::domain::value::Value;

/// One row of a write.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpsertRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<&'a str>,
    contact: ContactBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    province: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remove_tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<&'a str, Cow<'a, str>>,
    force_opt_in: bool,
    force_opt_out: bool,
    force_phone_opt_in: bool,
    force_phone_opt_out: bool,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactBody<'a> {
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fax: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "AddressBody::is_empty")]
    address: AddressBody<'a>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    street_address: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zip_code: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Cow<'a, str>>,
}

impl AddressBody<'_> {
    fn is_empty(&self) -> bool {
        self.street_address.is_none()
            && self.zip_code.is_none()
            && self.city.is_none()
            && self.country.is_none()
    }
}

/// What the contact of an update holds now, where it had to be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Present {
    /// Its e-mail address, by which the service addresses it.
    pub(super) email: String,
    /// Its tags, of which only the difference can be sent.
    pub(super) tags: Vec<Box<str>>,
}

/// What holds for all rows of a batch.
pub(super) struct Shape<'a> {
    /// What is done.
    pub(super) kind: WriteKind,
    /// Where the values belong.
    pub(super) places: &'a [Place],
    /// Which of the values come from consent pairs.
    pub(super) consent: &'a [usize],
}

/// Whether the contact of an update has to be looked up before it can be written: an address that changes has to be sent beside
/// the old one, and tags as a difference.
pub(super) fn needs_present(row: &WriteRow, places: &[Place]) -> bool {
    let touched = |place: &Place| {
        places.iter().zip(&row.values).any(|(known, value)| known == place && value.is_some())
    };
    key_email(row).is_none() || touched(&Place::Email) || touched(&Place::Tags)
}

/// The key of a row, if it looks like an e-mail address.
fn key_email(row: &WriteRow) -> Option<&str> {
    row.key.iter().filter_map(Value::as_text).map(str::trim).find(|text| text.contains('@'))
}

impl<'a> UpsertRow<'a> {
    /// Turns a row around, or says why that can't be done.
    pub(super) fn of(
        row: &'a WriteRow,
        shape: &Shape<'a>,
        present: Option<&Present>,
    ) -> Result<Self, RowError> {
        let mut upsert = Self {
            contact_id: row.id.as_ref().map(crate::domain::record::RecordId::as_str),
            ..Self::default()
        };
        upsert.address_by(row, shape, present)?;
        for (position, (place, value)) in shape.places.iter().zip(&row.values).enumerate() {
            if let Some(value) = value {
                upsert.put(place, value, shape.consent.contains(&position), present)?;
            }
        }
        Ok(upsert)
    }

    /// The e-mail address that the service finds the contact by.
    pub(super) fn email(&self) -> &str {
        &self.contact.email
    }

    /// The address after the write.
    pub(super) fn later_email(&self) -> &str {
        self.new_email.as_deref().unwrap_or(&self.contact.email)
    }

    fn address_by(
        &mut self,
        row: &WriteRow,
        shape: &Shape<'_>,
        present: Option<&Present>,
    ) -> Result<(), RowError> {
        let given = shape.places.iter().zip(&row.values).find(|(place, _)| **place == Place::Email);
        let given = given.and_then(|(_, value)| value.as_ref());
        let wanted = match given {
            Some(value) if value.is_blank() => return Err(no_email(shape.kind)),
            Some(value) => Some(value.to_string().trim().to_owned()),
            None => None,
        };
        let now = match shape.kind {
            WriteKind::Create => None,
            WriteKind::Update | WriteKind::Delete => present
                .map(|present| present.email.trim())
                .filter(|email| !email.is_empty())
                .or_else(|| key_email(row))
                .map(str::to_owned),
        };
        (self.contact.email, self.new_email) = match (now, wanted) {
            (Some(now), Some(wanted)) if now.to_lowercase() == wanted.to_lowercase() => (wanted, None),
            (Some(now), wanted) => (now, wanted),
            (None, Some(wanted)) => (wanted, None),
            (None, None) => match key_email(row) {
                Some(email) => (email.to_owned(), None),
                None => return Err(no_email(shape.kind)),
            },
        };
        Ok(())
    }

    fn put(
        &mut self,
        place: &'a Place,
        value: &'a Value,
        is_consent: bool,
        present: Option<&Present>,
    ) -> Result<(), RowError> {
        let contact = &mut self.contact;
        match place {
            Place::Email => {}
            Place::Name => contact.name = Some(text(value)),
            Place::Phone => contact.phone = Some(text(value)),
            Place::Fax => contact.fax = Some(text(value)),
            Place::Company => contact.company = Some(text(value)),
            Place::ExternalId => contact.external_id = Some(text(value)),
            Place::State => contact.state = Some(state(value)?),
            Place::Street => contact.address.street_address = Some(text(value)),
            Place::ZipCode => contact.address.zip_code = Some(text(value)),
            Place::City => contact.address.city = Some(text(value)),
            Place::Country => contact.address.country = Some(text(value)),
            Place::Province => self.province = Some(text(value)),
            Place::Birthday => self.birthday = Some(birthday(value)?),
            Place::Tags => self.put_tags(value, present),
            Place::OptedOut => match order(value, is_consent, "optedOut")? {
                Order::Leave => {}
                Order::OptIn => self.force_opt_in = true,
                Order::OptOut => self.force_opt_out = true,
            },
            Place::OptedOutPhone => match order(value, is_consent, "optedOutPhone")? {
                Order::Leave => {}
                Order::OptIn => self.force_phone_opt_in = true,
                Order::OptOut => self.force_phone_opt_out = true,
            },
            Place::Detail(name) => {
                self.properties.insert(name, text(value));
            }
            Place::Id
            | Place::CreatedOn
            | Place::ModifiedOn
            | Place::Score
            | Place::LastVisit
            | Place::Invalid
            | Place::Nowhere => {
                return Err(own_row(
                    "READ_ONLY",
                    "",
                    format!(
                        "A field of the mapping can't be written in SALESmanago ({place:?}); make its pair one-way."
                    ),
                ));
            }
        }
        Ok(())
    }

    fn put_tags(&mut self, value: &Value, present: Option<&Present>) {
        let wanted: Vec<String> = match value {
            Value::Set(tags) => tags.iter().map(ToString::to_string).collect(),
            other => other.to_string().split(';').map(|tag| tag.trim().to_owned()).collect(),
        };
        let wanted: Vec<String> = wanted.into_iter().filter(|tag| !tag.is_empty()).collect();
        let has: &[Box<str>] = present.map_or(&[], |present| &present.tags);
        self.remove_tags = has
            .iter()
            .filter(|tag| !wanted.iter().any(|kept| **kept == ***tag))
            .map(ToString::to_string)
            .collect();
        self.tags = wanted.into_iter().filter(|tag| !has.iter().any(|held| **held == **tag)).collect();
    }
}

/// What is ordered about a person's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Leave,
    OptIn,
    OptOut,
}

/// An opt-out is always passed on. An opt-in is one only if a consent pair says so; anything else could lift an opt-out.
fn order(value: &Value, is_consent: bool, field: &str) -> Result<Order, RowError> {
    let opted_out = match value {
        Value::Bool(flag) => Some(*flag),
        Value::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        value if value.is_blank() => None,
        other => {
            return Err(own_row(
                "NO_CONSENT_VALUE",
                field,
                format!("“{other}” does not say whether the person opted out; only true and false do."),
            ));
        }
    };
    match (opted_out, is_consent) {
        (None, _) => Ok(Order::Leave),
        (Some(true), _) => Ok(Order::OptOut),
        (Some(false), true) => Ok(Order::OptIn),
        (Some(false), false) => Err(own_row(
            "NO_CONSENT_PAIR",
            field,
            format!(
                "Only a consent pair may opt a person in; give the pair of {field} the transform “consent”."
            ),
        )),
    }
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Moment(_) | Value::Set(_) => {
            Cow::Owned(value.to_string())
        }
    }
}

const STATES: [&str; 5] = ["CUSTOMER", "PROSPECT", "PARTNER", "OTHER", "UNKNOWN"];

fn state(value: &Value) -> Result<String, RowError> {
    let word = value.to_string().trim().to_uppercase();
    if word.is_empty() || STATES.contains(&word.as_str()) {
        return Ok(word);
    }
    let message = format!("“{value}” is no state that SALESmanago knows; it knows {}.", STATES.join(", "));
    Err(own_row("NO_SUCH_STATE", "state", message))
}

fn birthday(value: &Value) -> Result<String, RowError> {
    let day = match value {
        Value::Date(day) => Some(*day),
        Value::Moment(moment) => Some(moment.date_naive()),
        value if value.is_blank() => return Ok(String::new()),
        other => other.to_string().trim().parse().ok(),
    };
    day.map(|day: chrono::NaiveDate| day.format("%Y%m%d").to_string())
        .ok_or_else(|| own_row("NO_DAY", "birthday", format!("“{value}” is no day such as 1980-01-31.")))
}

fn no_email(kind: WriteKind) -> RowError {
    let message = match kind {
        WriteKind::Create => "SALESmanago takes no contact without an e-mail address.",
        WriteKind::Update | WriteKind::Delete => {
            "The e-mail address of a SALESmanago contact can't be blanked; it is what the contact is found by."
        }
    };
    own_row("EMAIL_REQUIRED", "email", message.into())
}

#[cfg(test)]
mod tests;
