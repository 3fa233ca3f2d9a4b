//! What a platform offers, read from its file under `assets/platforms`: settings, objects, fields, directions, keys, intervals,
//! limits, default mappings, and the objects that it wants in the org ([`org_object`]).
//!
//! Forms, validation, help, the clients and the sandbox's workspaces read the same file, so that they can't disagree. [`kind`] is
//! the platform that a workspace has chosen, [`setting`] what a connection to it can be told, [`told`] what it was told.
//!
//! To add a platform: a file `assets/platforms/x.toml` and its line in [`PROFILES`]; a client `connect/platform/x.rs` and its
//! line in `connect::platform::CONNECTORS`; an emulator `sandbox/platform/x.rs` and its line in `sandbox::platform::EMULATORS`.
//! Settings, secrets, forms, help, validation, default mappings and command line follow from the file.

pub mod kind;
pub mod org_object;
pub mod setting;
pub mod told;

use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

pub use kind::PlatformKind;
pub use org_object::{OrgField, OrgObject};
pub use setting::{SettingKind, SettingProfile};
pub use told::{PlatformValues, Told};

use crate::domain::mapping::{Direction, Mapping};
use crate::domain::port::{Addressing, Capabilities, ConsentDefault, Stamps};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side_effects::Events;

/// Each known platform: the word of the settings file, and its profile's text.
pub const PROFILES: &[(&str, &str)] = &[
    ("salesmanago", include_str!("../../assets/platforms/salesmanago.toml")),
    ("learndot", include_str!("../../assets/platforms/learndot.toml")),
    ("deployteq", include_str!("../../assets/platforms/deployteq.toml")),
    ("spotio", include_str!("../../assets/platforms/spotio.toml")),
    ("novoed", include_str!("../../assets/platforms/novoed.toml")),
    ("csv", include_str!("../../assets/platforms/csv.toml")),
];

/// All profiles, read once. A damaged file is a damaged build; a test reads them all.
static READ: LazyLock<Vec<Result<Profile, ProfileError>>> = LazyLock::new(|| {
    let read = |(kind, text): &(&str, &str)| {
        toml::from_str::<Profile>(text)
            .map(Profile::complete)
            .map_err(|error| ProfileError::Damaged((*kind).into(), error.to_string()))
    };
    PROFILES.iter().map(read).collect()
});

/// What a platform offers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The word of the settings file.
    pub kind: String,
    /// The name people see.
    pub label: String,
    /// What an admin should know of it before anything else; shown in the help.
    #[serde(default)]
    pub help: String,
    /// What a write sets off there.
    #[serde(default)]
    pub events: Events,
    /// Why its records can't be copied into a sandbox, so that its mappings can't be rehearsed; nothing where they can.
    #[serde(default)]
    pub not_rehearsed: Option<String>,
    /// How often automatic sync runs.
    pub interval: Interval,
    /// What the service bears.
    pub limits: Limits,
    /// What a connection is told, in the order of its form.
    #[serde(default, rename = "setting")]
    pub settings: Vec<SettingProfile>,
    /// The objects that can be mapped.
    #[serde(rename = "object")]
    pub objects: Vec<ObjectProfile>,
    /// The mappings that a new workspace starts with, cut to what the org has.
    #[serde(default, rename = "mapping")]
    pub mappings: Vec<Mapping>,
    /// Objects and fields that the mappings want in the org and that no org has by itself (N26).
    #[serde(default, rename = "org_object")]
    pub org_objects: Vec<OrgObject>,
}

/// How often automatic sync runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Unless the admin says otherwise.
    pub default_seconds: u64,
    /// At most this often.
    pub minimum_seconds: u64,
    /// How often the platform's changes are brought to the org, where that is another interval.
    #[serde(default)]
    pub to_org_seconds: Option<u64>,
    /// How often the org's changes are brought to the platform, where that is another interval.
    #[serde(default)]
    pub to_platform_seconds: Option<u64>,
}

/// What a service bears; the settings of a connection may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Calls a second; 0 means that the calls are not paced.
    pub requests_per_second: f64,
    /// Calls in any hour; 0 means that no limit is known.
    #[serde(default)]
    pub per_hour: u64,
    /// Calls in any 24 hours; 0 means that no limit is known.
    #[serde(default)]
    pub per_day: u64,
    /// Most ids in one read.
    pub list_ids: usize,
    /// Most rows in one page.
    pub page_rows: usize,
    /// Most rows in one write.
    pub batch_rows: usize,
    /// Longest window of a "changed since" call.
    pub window_days: u32,
    /// How long after its stamp a change may become visible.
    pub overlap_seconds: u64,
    /// Most reads at the same time.
    pub concurrent_reads: usize,
}

/// One object of a platform.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectProfile {
    /// The name in mappings.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// The fields of the key that a new mapping starts with.
    pub key: Vec<String>,
    /// The field that can hold the org's id.
    #[serde(default)]
    pub mark: Option<String>,
    /// Which ways it may be synchronized.
    pub directions: Vec<Direction>,
    /// The org's objects that may flow to it; any if none is named.
    #[serde(default)]
    pub from_org: Vec<String>,
    /// Why the other directions, or other objects of the org, are not offered.
    #[serde(default)]
    pub why: Option<String>,
    /// Other objects that show the same records, so that no workspace may map one of them besides.
    #[serde(default)]
    pub excludes: Vec<String>,
    /// The field and value by which a record is set inactive by hand.
    #[serde(default)]
    pub inactive: Option<Inactive>,
    /// What of it nobody could confirm; `forcesync doctor` lists it.
    #[serde(default)]
    pub unconfirmed: Option<String>,
    /// Whether records can be created.
    pub createable: bool,
    /// Whether records can be changed.
    pub updateable: bool,
    /// Whether records can be deleted through the interface.
    pub deleteable: bool,
    /// Any field name that begins like this is accepted as a text field.
    #[serde(default)]
    pub open_prefix: Option<String>,
    /// Whether no account has other fields than these and those below the open prefix.
    #[serde(default)]
    pub closed: bool,
    /// What the engine must know of it.
    pub capabilities: CapabilityProfile,
    /// The fields.
    #[serde(rename = "field")]
    pub fields: Vec<FieldProfile>,
}

/// The field and value by which a record of the platform is no longer active.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inactive {
    /// The field.
    pub field: String,
    /// What it is set to.
    pub value: String,
}

/// What the engine must know of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityProfile {
    /// Whether records carry the moment of their last change.
    stamps: StampWord,
    /// Whether a record says who changed it last.
    author: bool,
    /// Whether deletions are told.
    tombstones: bool,
    /// How updates name their target.
    addressing: AddressingWord,
    /// What consent a record has that was created without one.
    consent_default: ConsentWord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StampWord {
    Seconds,
    Days,
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AddressingWord {
    ById,
    ByKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConsentWord {
    No,
    Yes,
    Unknown,
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldProfile {
    /// The name in mappings.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// What it holds.
    #[serde(default)]
    pub kind: FieldKind,
    /// Longest text, where known.
    #[serde(default)]
    pub length: Option<u32>,
    /// Whether a record can't be created without it.
    #[serde(default)]
    pub required: bool,
    /// Whether the service keeps it unique.
    #[serde(default)]
    pub unique: bool,
    /// Whether records can be looked up by it.
    #[serde(default)]
    pub external_id: bool,
    /// Whether it can be read, written or both.
    #[serde(default)]
    pub access: Access,
    /// The values of a picklist.
    #[serde(default)]
    pub picklist: Vec<String>,
    /// Whether other values are refused.
    #[serde(default)]
    pub restricted: bool,
    /// Whether it says if a person agreed to be contacted; only a consent pair may map it.
    #[serde(default)]
    pub consent: bool,
    /// Whether it holds the id of a user of the org.
    #[serde(default)]
    pub org_user: bool,
}

/// Whether a field can be read, written or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Both.
    #[default]
    Full,
    /// It is never accepted.
    Read,
    /// It is never returned.
    Write,
}

/// A platform that nobody knows, or a file of ours that is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No such platform.
    #[error("there is no platform “{0}”; known are: {1}")]
    Unknown(String, String),
    /// The built-in file can't be read.
    #[error("the built-in profile of “{0}” can't be read: {1}")]
    Damaged(String, String),
}

/// The profile of a platform, by the word of the settings file.
pub fn profile(kind: &str) -> Result<&'static Profile, ProfileError> {
    let Some(place) = PROFILES.iter().position(|(known, _)| *known == kind) else {
        let known: Vec<&str> = PROFILES.iter().map(|(known, _)| *known).collect();
        return Err(ProfileError::Unknown(kind.into(), known.join(", ")));
    };
    match READ.get(place) {
        Some(Ok(profile)) => Ok(profile),
        Some(Err(error)) => Err(error.clone()),
        None => Err(ProfileError::Damaged(kind.into(), "it was not read".into())),
    }
}

/// The profiles of all platforms.
pub fn profiles() -> impl Iterator<Item = &'static Profile> {
    READ.iter().filter_map(|read| read.as_ref().ok())
}

impl Profile {
    /// With the settings that every connection has, behind its own.
    fn complete(mut self) -> Self {
        for common in setting::common(&self.limits) {
            if !self.settings.iter().any(|own| own.name == common.name) {
                self.settings.push(common);
            }
        }
        self
    }

    /// A setting of its connection by name.
    pub fn setting(&self, name: &str) -> Option<&SettingProfile> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// Its settings that are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &SettingProfile> {
        self.settings.iter().filter(|setting| setting.is_secret())
    }

    /// An object by name; one whose name ends with an asterisk stands for all that begin like it, as the tables of an account do.
    pub fn object(&self, name: &str) -> Option<&ObjectProfile> {
        let begins = |pattern: &str| {
            let start = name.split_at_checked(pattern.len());
            start.is_some_and(|(start, rest)| start.eq_ignore_ascii_case(pattern) && !rest.trim().is_empty())
        };
        self.objects
            .iter()
            .find(|object| object.name.eq_ignore_ascii_case(name))
            .or_else(|| self.objects.iter().find(|object| object.name.strip_suffix('*').is_some_and(begins)))
    }
}

impl ObjectProfile {
    /// The schema that a describe answers, with `extra` fields below the open prefix.
    pub fn schema<'a>(&self, extra: impl IntoIterator<Item = &'a str>) -> ObjectSchema {
        let mut fields: Vec<FieldSchema> = self.fields.iter().map(FieldProfile::schema).collect();
        for name in extra {
            if !fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
                && let Some(field) = self.open_field(name)
            {
                fields.push(field);
            }
        }
        ObjectSchema {
            name: self.name.clone(),
            label: self.label.clone(),
            createable: self.createable,
            updateable: self.updateable,
            readable: true,
            fields,
        }
    }

    /// The schema of a field below the open prefix; `None` for any other name.
    pub fn open_field(&self, name: &str) -> Option<FieldSchema> {
        let short = name.strip_prefix(self.open_prefix.as_deref()?)?;
        (!short.trim().is_empty()).then(|| FieldSchema {
            name: name.to_owned(),
            label: if short == name { short.to_owned() } else { format!("Detail {short}") },
            kind: FieldKind::Text,
            createable: true,
            updateable: true,
            ..FieldSchema::default()
        })
    }

    /// Whether a record that is created without consent counts as opted in.
    pub fn assumes_consent(&self) -> bool {
        self.capabilities.consent_default == ConsentWord::Yes
    }

    /// The names of the fields that only a consent pair may map.
    pub fn consent_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|field| field.consent).map(|field| field.name.as_str())
    }

    /// The names of the fields that hold the id of a user of the org.
    pub fn org_user_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|field| field.org_user).map(|field| field.name.as_str())
    }

    /// What the engine must know, with the limits of the connection's settings.
    pub fn capabilities(&self, read_batch: usize, write_batch: usize, settle: Duration) -> Capabilities {
        let known = self.capabilities;
        Capabilities {
            stamps: match known.stamps {
                StampWord::Seconds => Stamps::Seconds,
                StampWord::Days => Stamps::Days,
                StampWord::Absent => Stamps::Absent,
            },
            author: known.author,
            tombstones: known.tombstones,
            settle,
            addressing: match known.addressing {
                AddressingWord::ById => Addressing::ById,
                AddressingWord::ByKey => Addressing::ByKey,
            },
            read_batch,
            write_batch,
            consent_default: match known.consent_default {
                ConsentWord::No => ConsentDefault::No,
                ConsentWord::Yes => ConsentDefault::Yes,
                ConsentWord::Unknown => ConsentDefault::Unknown,
            },
        }
    }
}

impl FieldProfile {
    /// The field as a describe answers it.
    pub fn schema(&self) -> FieldSchema {
        let writable = match self.access {
            Access::Full | Access::Write => true,
            Access::Read => false,
        };
        FieldSchema {
            name: self.name.clone(),
            label: self.label.clone(),
            kind: self.kind,
            length: self.length,
            required: self.required,
            createable: writable,
            updateable: writable,
            unique: self.unique,
            external_id: self.external_id,
            picklist: self.picklist.clone(),
            restricted: self.restricted,
            ..FieldSchema::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_can_be_read_and_is_consistent() {
        for (kind, _) in PROFILES {
            let profile = profile(kind).unwrap();
            assert_eq!(&profile.kind, kind);
            assert!(profile.interval.minimum_seconds <= profile.interval.default_seconds);
            for object in &profile.objects {
                let schema = object.schema([]);
                for name in object.key.iter().chain(&object.mark) {
                    let field = schema.field(name);
                    // What is only read may be known by what the platform alone gives, such as its number.
                    let fits = |field: &FieldSchema| field.writable() || !object.createable;
                    assert!(field.is_some_and(fits), "{kind} {name}");
                }
                for name in &object.excludes {
                    assert!(profile.object(name).is_some(), "{kind} {name}");
                }
                assert!(!object.directions.is_empty());
            }
        }
    }

    #[test]
    fn an_unknown_platform_is_told_with_the_known_ones() {
        let error = profile("salesmango").unwrap_err();
        assert!(
            error.to_string().starts_with("there is no platform “salesmango”; known are: salesmanago"),
            "{error}"
        );
    }

    #[test]
    fn any_detail_is_a_text_field_on_demand() {
        let profile = profile("salesmanago").unwrap();
        let contact = profile.object("contact").unwrap();
        let schema = contact.schema(["details.SF_Title", "email", "nonsense", "details."]);
        assert!(schema.field("details.SF_Title").is_some_and(FieldSchema::writable));
        assert_eq!(schema.fields.len(), contact.fields.len() + 1);
    }

    #[test]
    fn read_only_fields_are_not_writable() {
        let profile = profile("salesmanago").unwrap();
        let schema = profile.object("contact").unwrap().schema([]);
        assert!(!schema.field("modifiedOn").unwrap().writable());
        assert!(schema.field("optedOut").unwrap().writable());
    }
}
