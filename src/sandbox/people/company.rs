//! One company: name, host name, address and phone number.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::latin::plain;
use super::mixed;
use super::names::{Cast, Culture};

/// A firm that people work for.
#[derive(Debug, Clone)]
pub struct Company {
    /// Which one.
    pub number: u64,
    /// A random word that picks its culture.
    pub(super) culture_word: u64,
    /// Its name.
    pub name: String,
    /// Its host name, which ends in `.example`.
    pub host: String,
    /// Its trade.
    pub industry: String,
    /// Its phone number.
    pub phone: String,
    /// Its street.
    pub street: String,
    /// Its zip code.
    pub zip: String,
    /// Its city.
    pub city: String,
    /// Its country.
    pub country: String,
    /// How long ago it was entered, in milliseconds.
    pub age: i64,
}

impl Company {
    /// Makes the company of this number.
    pub(super) fn make(cast: &Cast, seed: u64, number: u64) -> Self {
        let mut dice = SmallRng::seed_from_u64(mixed(seed, number | 1 << 60));
        let culture_word = dice.random();
        let culture = cast.culture(culture_word);
        let stem = pick(&culture.companies, &mut dice);
        let trade = pick(&culture.trades, &mut dice);
        let form = pick(&culture.forms, &mut dice);
        let place = Place::pick(culture, &mut dice);
        // Names repeat after a few hundred; a number tells the namesakes apart, as registers do.
        let name = match number / 300 {
            0 => format!("{stem} {trade} {form}"),
            namesake => format!("{stem} {trade} {} {form}", namesake + 1),
        };
        let mut host = [plain(stem), plain(trade)].concat();
        if host.is_empty() {
            let family = culture.family_latin.choose(&mut dice).map_or("firm", String::as_str);
            host = format!("{family}-group");
        }
        Self {
            number,
            culture_word,
            name,
            host: format!("{host}.example"),
            industry: pick(&cast.industries, &mut dice).to_owned(),
            phone: filled(pick(&culture.phones, &mut dice), &mut dice),
            street: place.street,
            zip: place.zip,
            city: place.city,
            country: culture.country.clone(),
            age: dice.random_range(430..1500) * super::person::DAY_MS,
        }
    }
}

/// Where somebody lives or works.
pub(super) struct Place {
    pub city: String,
    pub zip: String,
    pub street: String,
}

impl Place {
    pub fn pick(culture: &Culture, dice: &mut SmallRng) -> Self {
        let mut parts = pick(&culture.places, dice).split('|');
        let city = parts.next().unwrap_or_default().to_owned();
        let zip = filled(parts.next().unwrap_or_default(), dice);
        let street = filled(parts.next().unwrap_or_default(), dice);
        Self { city, zip, street }
    }
}

/// One of a list, or nothing of an empty one.
pub(super) fn pick<'a>(list: &'a [String], dice: &mut SmallRng) -> &'a str {
    list.choose(dice).map_or("", String::as_str)
}

/// A pattern with its digits filled in: `#` is any, `~` is not zero.
pub(super) fn filled(pattern: &str, dice: &mut SmallRng) -> String {
    let digit = |character: char| match character {
        '#' => char::from(b'0' + dice.random_range(0..10_u8)),
        '~' => char::from(b'1' + dice.random_range(0..9_u8)),
        other => other,
    };
    pattern.chars().map(digit).collect()
}
