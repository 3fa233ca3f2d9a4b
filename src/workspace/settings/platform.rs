//! How to reach the platform: which one it is, and what each one was told. Choosing another one forgets nothing.
//!
//! SALESmanago's settings have a type of their own; those of all others are values by name, as their profile lists them.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Account, SalesmanagoConnection};
use crate::domain::profile::PlatformKind;
pub use crate::domain::profile::{PlatformValues, Told};

/// How to reach the platform.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlatformConnection {
    /// Which platform it is.
    pub kind: PlatformKind,
    /// What SALESmanago is told.
    pub salesmanago: SalesmanagoConnection,
    /// What the others are told; one that was told nothing is not among them.
    pub others: BTreeMap<PlatformKind, PlatformValues>,
}

impl PlatformConnection {
    /// The chosen platform's settings with its profile's defaults; not for SALESmanago, whose settings have a type.
    pub fn told(&self) -> Told<'_> {
        self.told_of(self.kind)
    }

    /// The settings of a platform, chosen or not.
    pub fn told_of(&self, kind: PlatformKind) -> Told<'_> {
        Told::new(kind, self.others.get(&kind))
    }

    /// Says something to a platform; `None` goes back to the default.
    pub fn tell(&mut self, kind: PlatformKind, name: &str, value: Option<toml::Value>) {
        let values = self.others.entry(kind).or_default();
        values.set(name, value);
        if values.is_empty() {
            self.others.remove(&kind);
        }
    }

    /// What the platform's account was said to be for.
    pub fn account(&self) -> Option<Account> {
        if self.kind == PlatformKind::SALESMANAGO {
            return self.salesmanago.account;
        }
        match self.told().text("account").as_str() {
            "live" => Some(Account::Live),
            "test" => Some(Account::Test),
            _ => None,
        }
    }

    /// The platform's address, whichever it is; empty for files.
    pub fn address(&self) -> String {
        if self.kind == PlatformKind::SALESMANAGO {
            self.salesmanago.endpoint.clone()
        } else {
            self.told().text("endpoint")
        }
    }
}

impl Serialize for PlatformConnection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("salesmanago", &self.salesmanago)?;
        for (kind, values) in self.others.iter().filter(|(_, values)| !values.is_empty()) {
            map.serialize_entry(kind.word(), values)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PlatformConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut connection = Self::default();
        for (name, value) in BTreeMap::<String, toml::Value>::deserialize(deserializer)? {
            match name.as_str() {
                "kind" => connection.kind = PlatformKind::deserialize(value).map_err(D::Error::custom)?,
                "salesmanago" => {
                    connection.salesmanago =
                        SalesmanagoConnection::deserialize(value).map_err(D::Error::custom)?;
                }
                other => {
                    let kind: PlatformKind = other.parse().map_err(D::Error::custom)?;
                    let values = PlatformValues::deserialize(value).map_err(D::Error::custom)?;
                    if !values.is_empty() {
                        connection.others.insert(kind, values);
                    }
                }
            }
        }
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_choice_forgets_nothing_and_defaults_come_from_the_profile() {
        let learndot: PlatformKind = "learndot".parse().unwrap();
        let mut connection = PlatformConnection::default();
        connection.salesmanago.endpoint = "https://app2.salesmanago.com".into();
        connection.kind = learndot;
        connection.tell(learndot, "endpoint", Some("https://learn.acme.example".into()));
        assert_eq!(connection.told().text("endpoint"), "https://learn.acme.example");
        assert!(connection.told().decimal("requests_per_second") > 0.0);
        let text = toml::to_string(&connection).unwrap();
        let mut read: PlatformConnection = toml::from_str(&text).unwrap();
        assert_eq!(read, connection);
        read.kind = PlatformKind::SALESMANAGO;
        assert_eq!(read.address(), "https://app2.salesmanago.com");
        read.tell(learndot, "endpoint", None);
        assert!(read.others.is_empty());
    }
}
