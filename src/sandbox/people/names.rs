//! The data files of the sandbox's people, embedded and read: names by culture, and the rules of what goes wrong.

use serde::Deserialize;

use super::flaws::FlawRule;

/// An embedded data file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file is not what it should be.
    #[error("assets/sandbox/{file} cannot be read: {reason}; correct the file and build again")]
    Unreadable {
        /// Which file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Everybody's names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// What people do.
    pub titles: Vec<String>,
    /// Where they do it.
    pub departments: Vec<String>,
    /// What their firm does.
    pub industries: Vec<String>,
    /// Where they came from.
    pub sources: Vec<String>,
    /// Hosts of private mail boxes.
    pub mail_hosts: Vec<String>,
    /// What some put behind their name.
    pub emoji: Vec<String>,
    /// Cities that are longer than the org's field.
    pub long_cities: Vec<String>,
    /// Zip codes that are longer than the org's field.
    pub long_zips: Vec<String>,
    /// The cultures.
    pub culture: Vec<Culture>,
}

/// Names, places and habits of one culture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Culture {
    /// Its name, for tests and messages.
    pub name: String,
    /// Its country.
    pub country: String,
    /// How many of a thousand people come from it.
    pub weight: u64,
    /// First names.
    pub given: Vec<String>,
    /// The same in Latin letters; empty where they are.
    #[serde(default)]
    pub given_latin: Vec<String>,
    /// Last names.
    pub family: Vec<String>,
    /// The same in Latin letters.
    #[serde(default)]
    pub family_latin: Vec<String>,
    /// `city|zip pattern|street pattern`.
    pub places: Vec<String>,
    /// Patterns of phone numbers.
    pub phones: Vec<String>,
    /// First words of company names.
    pub companies: Vec<String>,
    /// Second words.
    pub trades: Vec<String>,
    /// Last words.
    pub forms: Vec<String>,
}

impl Cast {
    /// Reads the embedded file.
    pub fn load() -> Result<Self, DataError> {
        let cast: Self = parse("names.toml", include_str!("../../../assets/sandbox/names.toml"))?;
        let unreadable = |reason: String| DataError::Unreadable { file: "names.toml", reason };
        if cast.culture.is_empty() {
            return Err(unreadable("there is no culture".into()));
        }
        for culture in &cast.culture {
            let latin = [(&culture.given, &culture.given_latin), (&culture.family, &culture.family_latin)];
            if latin.iter().any(|(names, latin)| !latin.is_empty() && latin.len() != names.len()) {
                return Err(unreadable(format!(
                    "{}: the Latin names are not as many as the names",
                    culture.name
                )));
            }
        }
        Ok(cast)
    }

    /// The culture that a random word falls into, by weight.
    pub fn culture(&self, word: u64) -> &Culture {
        let total = self.culture.iter().map(|culture| culture.weight).sum::<u64>().max(1);
        let mut left = word % total;
        for culture in &self.culture {
            if left < culture.weight {
                return culture;
            }
            left -= culture.weight;
        }
        // The weights add up to the total, so the loop has returned; the load made sure that there is a culture.
        &self.culture[0]
    }
}

/// What goes wrong, and how often.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// One rule a flaw.
    pub flaw: Vec<FlawRule>,
}

impl Rules {
    /// Reads the embedded file.
    pub fn load() -> Result<Self, DataError> {
        parse("flaws.toml", include_str!("../../../assets/sandbox/flaws.toml"))
    }
}

fn parse<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, DataError> {
    toml::from_str(text).map_err(|error| DataError::Unreadable { file, reason: error.to_string() })
}
