//! How the service reads JSON that many different clients write: numbers as text, flags as text, null as absent.
//! Used by every request body of the emulator.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text that a client may also have sent as a number or a flag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;
            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Text, E> {
                Ok(Text(value.to_owned()))
            }
            fn visit_string<E: de::Error>(self, value: String) -> Result<Text, E> {
                Ok(Text(value))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A flag; `"true"`, `1` and null are understood as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<Text>::deserialize(deserializer)?;
        match text.as_ref().map(|text| text.0.to_ascii_lowercase()).as_deref() {
            None | Some("" | "false" | "0") => Ok(Self(false)),
            Some("true" | "1") => Ok(Self(true)),
            Some(other) => Err(de::Error::custom(format!("{other} is not a flag"))),
        }
    }
}

/// A moment in milliseconds since 1970; seconds are taken as seconds, as the service's own library sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub i64);

impl Moment {
    /// Below this a number can only be meant as seconds: as milliseconds it would be the spring of 1973.
    const SMALLEST_MILLISECONDS: i64 = 100_000_000_000;

    fn from_number(number: i64) -> Self {
        if number > 0 && number < Self::SMALLEST_MILLISECONDS / 10 {
            Self(number.saturating_mul(1000))
        } else {
            Self(number)
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let words = text.0.trim();
        // Some clients multiply a fraction of seconds by a thousand and leave the rest behind the point.
        let whole = words.split_once('.').map_or(words, |(whole, _)| whole);
        let number = whole
            .parse::<i64>()
            .map_err(|error| de::Error::custom(format!("{} is not a time: {error}", text.0)))?;
        Ok(Self::from_number(number))
    }
}

/// The flat map of "standard details" of a write. PHP clients send an empty map as `[]`.
#[derive(Debug, Clone, Default)]
pub struct Properties(pub Vec<(String, Option<Text>)>);

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PropertiesVisitor;
        impl<'de> Visitor<'de> for PropertiesVisitor {
            type Value = Properties;
            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a map of names to texts")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Properties, E> {
                Ok(Properties::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(4));
                while let Some(entry) = map.next_entry::<String, Option<Text>>()? {
                    entries.push(entry);
                }
                Ok(Properties(entries))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Properties, A::Error> {
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("properties must be a map of names to texts"));
                }
                Ok(Properties::default())
            }
        }
        deserializer.deserialize_any(PropertiesVisitor)
    }
}

/// One text or a list of texts, as the `email` and `id` fields of the read calls take both.
#[derive(Debug, Clone, Default)]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;
            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a text or a list of texts")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Texts, E> {
                Ok(Texts::default())
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Texts, E> {
                Ok(Texts(vec![value.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element::<Text>()? {
                    texts.push(text.0);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_text_and_an_empty_php_map_as_no_properties() {
        assert_eq!(serde_json::from_str::<Text>("48221").unwrap().0, "48221");
        assert!(serde_json::from_str::<Properties>("[]").unwrap().0.is_empty());
        assert!(serde_json::from_str::<Properties>(r#"[{"name":"a"}]"#).is_err());
    }

    /// platform-salesmanago.md §2: times are milliseconds; clients that send seconds work too.
    #[test]
    fn seconds_and_milliseconds_mean_the_same_moment() {
        assert_eq!(serde_json::from_str::<Moment>("1700000000").unwrap().0, 1_700_000_000_000);
        assert_eq!(serde_json::from_str::<Moment>("\"1700000000000\"").unwrap().0, 1_700_000_000_000);
        assert_eq!(serde_json::from_str::<Moment>("0").unwrap().0, 0);
    }

    #[test]
    fn flags_come_as_booleans_texts_and_null() {
        assert!(serde_json::from_str::<Flag>("\"true\"").unwrap().0);
        assert!(!serde_json::from_str::<Flag>("null").unwrap().0);
        assert!(serde_json::from_str::<Flag>("\"perhaps\"").is_err());
    }
}
