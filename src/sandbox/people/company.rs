//! One company: name, host name, address and phone number.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::mixed;
use super::names::{Cast, Culture};

/// What a person needs to know of the firm they work for.
pub(super) struct Employer<'a> {
    /// Which one.
    pub number: u64,
    /// Where it is at home.
    pub culture: &'a Culture,
    /// Its name.
    pub name: String,
    /// Its host name, which ends in `.example`.
    pub host: String,
    dice: SmallRng,
}

impl<'a> Employer<'a> {
    /// Makes the firm of this number.
    pub fn make(cast: &'a Cast, seed: u64, number: u64) -> Self {
        let mut dice = SmallRng::seed_from_u64(mixed(seed, number | 1 << 60));
        let culture = cast.culture(dice.random());
        let stem = dice.random_range(0..culture.companies.len().max(1));
        let trade = dice.random_range(0..culture.trades.len().max(1));
        let form = pick(&culture.forms, &mut dice);
        // Names repeat after a few hundred; a number tells the namesakes apart, as registers do.
        let (first, second) = (at(&culture.companies, stem), at(&culture.trades, trade));
        let name = match number / 300 {
            0 => [first, " ", second, " ", form].concat(),
            namesake => format!("{first} {second} {} {form}", namesake + 1),
        };
        let (first, second) = (at(&culture.companies_latin, stem), at(&culture.trades_latin, trade));
        let host = if first.is_empty() && second.is_empty() {
            [pick(&culture.family_latin, &mut dice), "-group.example"].concat()
        } else {
            [first, second, ".example"].concat()
        };
        Self { number, culture, name, host, dice }
    }
}

/// A firm that people work for.
#[derive(Debug, Clone)]
pub struct Company {
    /// Which one.
    pub number: u64,
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
        let Employer { number, culture, name, host, mut dice } = Employer::make(cast, seed, number);
        let place = Place::pick(culture, &mut dice);
        Self {
            number,
            name,
            host,
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

fn at(list: &[String], place: usize) -> &str {
    list.get(place).map_or("", String::as_str)
}

/// One of a list, or nothing of an empty one.
pub(super) fn pick<'a>(list: &'a [String], dice: &mut SmallRng) -> &'a str {
    list.choose(dice).map_or("", String::as_str)
}

/// A pattern with its digits filled in: `#` is any, `~` is not zero.
pub(super) fn filled(pattern: &str, dice: &mut SmallRng) -> String {
    let mut result = String::with_capacity(pattern.len());
    // One word of dice lasts for sixteen digits.
    let mut word: u64 = 0;
    for character in pattern.chars() {
        let most = match character {
            '#' => 10,
            '~' => 9,
            other => {
                result.push(other);
                continue;
            }
        };
        if word < 1000 {
            word = dice.random();
        }
        let digit = (word % most) as u8 + u8::from(most == 9);
        word /= most;
        result.push(char::from(b'0' + digit));
    }
    result
}
