//! One contact as the service holds it. Held by `contacts`, changed by `write`, shown by `view`.

use std::fmt;

use serde::ser::{Serialize, Serializer};

/// The id of a contact, written as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactId(pub u128);

impl ContactId {
    /// Makes a well-formed random (version 4) UUID out of two random words.
    pub fn from_words(high: u64, low: u64) -> Self {
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        Self((u128::from(high) << 64) | u128::from(low))
    }

    /// Reads an id; upper case and missing hyphens are accepted, as any UUID parser of the service would.
    pub fn parse(text: &str) -> Option<Self> {
        let hex: String = text.chars().filter(|character| *character != '-').collect();
        if hex.len() != 32 {
            return None;
        }
        u128::from_str_radix(&hex, 16).ok().map(Self)
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let value = self.0;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (value >> 96) as u32,
            (value >> 80) as u16,
            (value >> 64) as u16,
            (value >> 48) as u16,
            value & 0xffff_ffff_ffff
        )
    }
}

impl Serialize for ContactId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a contact is to the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContactState {
    /// Buys already.
    Customer,
    /// May buy.
    Prospect,
    /// Works with us.
    Partner,
    /// Something else.
    Other,
    /// Nobody said so far.
    #[default]
    Unknown,
}

impl ContactState {
    /// The word of the service.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Prospect => "PROSPECT",
            Self::Partner => "PARTNER",
            Self::Other => "OTHER",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads the word of the service; anything else is refused.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Prospect, Self::Partner, Self::Other, Self::Unknown]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A birthday, whose year may be unknown (0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Birthday {
    /// The year, or 0.
    pub year: u16,
    /// 1 to 12, or 0 when there is no birthday at all.
    pub month: u8,
    /// 1 to 31, or 0.
    pub day: u8,
}

impl Birthday {
    /// Reads `yyyyMMdd` or `MMdd`; an empty text is no birthday.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::default());
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u32 = text.parse().ok()?;
        let (year, month, day) = match text.len() {
            8 => ((number / 10_000) as u16, (number / 100 % 100) as u8, (number % 100) as u8),
            4 => (0, (number / 100) as u8, (number % 100) as u8),
            _ => return None,
        };
        let year_is_possible = text.len() == 4 || (1850..=2200).contains(&year);
        (year_is_possible && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            year,
            month,
            day,
        })
    }
}

/// A typed detail shared by many contacts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DictionaryProperty {
    /// Its name.
    pub name: String,
    /// Its value, a number or milliseconds, as text.
    #[serde(default)]
    pub value: String,
    /// `NUMBER` or `DATE`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// An event that was reported for a contact.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalEvent {
    /// The id that the service gave.
    pub event_id: String,
    /// Its kind, for instance `PURCHASE`.
    pub contact_ext_event_type: String,
    /// When it happened, in milliseconds.
    pub date: i64,
    /// The caller's key.
    pub external_id: String,
    /// The rest as it was sent.
    #[serde(skip)]
    pub details: serde_json::Value,
}

/// What only few contacts have, kept apart so that a million plain ones stay small.
#[derive(Debug, Clone, Default)]
pub struct Rarities {
    /// Typed details.
    pub dictionary: Vec<DictionaryProperty>,
    /// Events, oldest first.
    pub events: Vec<ExternalEvent>,
    /// Consents as they were sent.
    pub consents: Vec<serde_json::Value>,
    /// Notes as they were sent.
    pub notes: Vec<String>,
}

/// One contact.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Which of the account's users owns it (a position in the list of users).
    pub owner: u16,
    /// As it was sent.
    pub email: Box<str>,
    /// One field, first and last name together.
    pub name: Box<str>,
    /// Phone number as it was sent.
    pub phone: Box<str>,
    /// Fax number.
    pub fax: Box<str>,
    /// Company name.
    pub company: Box<str>,
    /// The caller's key.
    pub external_id: Box<str>,
    /// Street and house.
    pub street: Box<str>,
    /// Zip code.
    pub zip: Box<str>,
    /// City.
    pub city: Box<str>,
    /// Country.
    pub country: Box<str>,
    /// Province: can be written, is not in any read shape.
    pub province: Box<str>,
    /// Language: can be written, is not in any read shape.
    pub language: Box<str>,
    /// Customer, prospect …
    pub state: ContactState,
    /// Birthday.
    pub birthday: Birthday,
    /// Tags in the order they were given.
    pub tags: Vec<Box<str>>,
    /// Standard details by name.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// What few have.
    pub rarities: Option<Box<Rarities>>,
    /// Gets no e-mail.
    pub opted_out: bool,
    /// Gets no call or text message.
    pub opted_out_phone: bool,
    /// Was deleted; stays readable.
    pub deleted: bool,
    /// E-mails to it bounce.
    pub invalid: bool,
    /// The score that tags and visits add up to.
    pub score: i32,
    /// Created, in milliseconds.
    pub created_on: i64,
    /// Last changed, in milliseconds.
    pub modified_on: i64,
}

impl Contact {
    /// A contact with nothing but an id, an owner and an e-mail; opted out until somebody opts it in.
    pub fn new(id: ContactId, owner: u16, email: &str, now: i64) -> Self {
        Self {
            id,
            owner,
            email: email.into(),
            name: "".into(),
            phone: "".into(),
            fax: "".into(),
            company: "".into(),
            external_id: "".into(),
            street: "".into(),
            zip: "".into(),
            city: "".into(),
            country: "".into(),
            province: "".into(),
            language: "".into(),
            state: ContactState::default(),
            birthday: Birthday::default(),
            tags: Vec::new(),
            properties: Vec::new(),
            rarities: None,
            opted_out: true,
            opted_out_phone: true,
            deleted: false,
            invalid: false,
            score: 0,
            created_on: now,
            modified_on: now,
        }
    }

    /// The rarities, made on first use.
    pub fn rarities_mut(&mut self) -> &mut Rarities {
        self.rarities.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// platform-salesmanago.md §6: ids are UUIDs.
    #[test]
    fn an_id_is_a_version_four_uuid_and_reads_back() {
        let id = ContactId::from_words(u64::MAX, 0);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(ContactId::parse(&id.to_string().to_uppercase()), Some(id));
        assert_eq!(ContactId::parse("no"), None);
    }

    /// platform-salesmanago.md §4.1: with the year or without.
    #[test]
    fn birthdays_have_two_formats() {
        assert_eq!(Birthday::parse("19800131"), Some(Birthday { year: 1980, month: 1, day: 31 }));
        assert_eq!(Birthday::parse("0131"), Some(Birthday { year: 0, month: 1, day: 31 }));
        assert_eq!(Birthday::parse("1980-01-31"), None);
        assert_eq!(Birthday::parse("19801331"), None);
    }
}
