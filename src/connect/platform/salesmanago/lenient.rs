//! Plain values of the service's answers, however they are spelled: numbers may be texts, messages a list or a single text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smol_str::{SmolStr, ToSmolStr};

/// One JSON value where only plain ones are expected; anything else counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The key was not there.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(SmolStr),
    /// A text.
    Text(SmolStr),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_none<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.to_smolstr()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.to_smolstr()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.to_smolstr()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.into()))
            }
            fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Absent)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Absent)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Scalar {
    /// A whole number, however it is written.
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Self::Number(text) | Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.split_once('.').and_then(|(whole, _)| whole.parse().ok()))
            }
            Self::Absent | Self::Null | Self::Bool(_) => None,
        }
    }

    /// The text of a text or number that is not blank.
    pub(super) fn filled(&self) -> Option<&str> {
        match self {
            Self::Number(text) | Self::Text(text) => Some(&**text).filter(|text| !text.trim().is_empty()),
            Self::Absent | Self::Null | Self::Bool(_) => None,
        }
    }

    /// Whether it is true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Bool(flag) => *flag,
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            Self::Number(text) => &**text == "1",
            Self::Absent | Self::Null => false,
        }
    }
}

/// What the service says beside or instead of an answer: a list of texts, or a single one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Messages(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn collect(json: &serde_json::Value, into: &mut Vec<String>) {
            match json {
                serde_json::Value::Null => {}
                serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
                serde_json::Value::String(text) if text.trim().is_empty() => {}
                serde_json::Value::String(text) => into.push(text.clone()),
                other => into.push(other.to_string()),
            }
        }
        let mut texts = Vec::new();
        collect(&serde_json::Value::deserialize(deserializer)?, &mut texts);
        Ok(Self(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_from_numbers_and_texts() {
        assert_eq!(Scalar::Number("1500000000000".into()).whole(), Some(1_500_000_000_000));
        assert_eq!(Scalar::Text(" 17 ".into()).whole(), Some(17));
        assert_eq!(Scalar::Number("1.5".into()).whole(), Some(1));
        assert_eq!(Scalar::Text("x".into()).whole(), None);
    }
}
