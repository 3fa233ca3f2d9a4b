//! One human being: names, addresses, numbers, and the ways in which the two sides come to disagree about them.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::company::{Company, Place, filled, pick};
use super::flaws::Flaw;
use super::latin::plain;
use super::mixed;
use super::names::Cast;

/// A day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 28, so that every month has it.
    pub day: u8,
}

/// A person, as one side has them.
#[derive(Debug, Clone)]
pub struct Person {
    /// First name.
    pub given: String,
    /// Last name.
    pub family: String,
    /// E-mail; unique, except where it is planted not to be.
    pub email: String,
    /// The number that a message reaches, in the org the mobile phone.
    pub phone: String,
    /// The number of the desk, which only the org knows.
    pub desk: String,
    /// Fax.
    pub fax: String,
    /// Job title.
    pub title: String,
    /// Department.
    pub department: String,
    /// Where they came from.
    pub source: String,
    /// Street, zip code, city, country.
    pub street: String,
    /// Zip code.
    pub zip: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Birthday.
    pub birthday: Option<Day>,
    /// The company's name as it stands with the person; empty for people without one.
    pub company_name: String,
    /// Which company.
    pub company: u64,
    /// Wants no e-mail.
    pub opted_out: bool,
    /// Wants no calls.
    pub do_not_call: bool,
    /// When they were entered, in milliseconds before now (a negative number).
    pub created: i64,
    /// When they were last changed, likewise.
    pub modified: i64,
}

impl Person {
    /// Makes the person of this number.
    pub(super) fn make(cast: &Cast, seed: u64, number: u64, company: Company) -> Self {
        let mut dice = SmallRng::seed_from_u64(mixed(seed, number));
        let culture = cast.culture(company.culture_word);
        let at = dice.random_range(0..culture.given.len().max(1));
        let given = culture.given.get(at).cloned().unwrap_or_default();
        let given_latin = culture.given_latin.get(at).cloned().unwrap_or_else(|| plain(&given));
        let at = dice.random_range(0..culture.family.len().max(1));
        let family = culture.family.get(at).cloned().unwrap_or_default();
        let family_latin = culture.family_latin.get(at).cloned().unwrap_or_else(|| plain(&family));
        let private = dice.random_ratio(1, 4);
        let host = if private { pick(&cast.mail_hosts, &mut dice) } else { &company.host };
        // The number at the end of the local part is what makes an address unique.
        let email = match dice.random_range(0..4_u8) {
            0 => format!("{given_latin}.{family_latin}{number}@{host}"),
            1 => format!("{}.{family_latin}{number}@{host}", given_latin.get(..1).unwrap_or("x")),
            2 => format!("{family_latin}.{given_latin}{number}@{host}"),
            _ => format!("{given_latin}{number}@{host}"),
        };
        let place = Place::pick(culture, &mut dice);
        let created = -dice.random_range(2..420) * DAY_MS - dice.random_range(0..DAY_MS);
        let modified = created + dice.random_range(0..(-created - DAY_MS).max(1));
        let has = |dice: &mut SmallRng, percent: u32| dice.random_ratio(percent, 100);
        let mut person = Self {
            given,
            family,
            email,
            phone: filled(pick(&culture.phones, &mut dice), &mut dice),
            desk: filled(pick(&culture.phones, &mut dice), &mut dice),
            fax: filled(pick(&culture.phones, &mut dice), &mut dice),
            title: pick(&cast.titles, &mut dice).to_owned(),
            department: pick(&cast.departments, &mut dice).to_owned(),
            source: pick(&cast.sources, &mut dice).to_owned(),
            street: place.street,
            zip: place.zip,
            city: place.city,
            country: culture.country.clone(),
            birthday: has(&mut dice, 30).then(|| Day {
                year: dice.random_range(1940..2005),
                month: dice.random_range(1..=12),
                day: dice.random_range(1..=28),
            }),
            company_name: company.name,
            company: company.number,
            opted_out: has(&mut dice, 8),
            do_not_call: has(&mut dice, 3),
            // Whole seconds, since the org keeps no finer ones.
            created: created / 1000 * 1000,
            modified: modified / 1000 * 1000,
        };
        for (field, percent) in [
            (&mut person.desk, 40),
            (&mut person.fax, 90),
            (&mut person.title, 15),
            (&mut person.department, 40),
            (&mut person.street, 5),
        ] {
            if has(&mut dice, percent) {
                field.clear();
            }
        }
        person
    }

    /// First and last name in one.
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family).trim().to_owned()
    }

    /// The second record of somebody: entered another day, with another phone number.
    pub(super) fn be_a_duplicate(&mut self, number: u64) {
        if number.is_multiple_of(2) {
            self.phone.clear();
            self.created /= 2;
            self.modified = self.modified.max(self.created);
        }
    }

    pub(super) fn wear_an_emoji(&mut self, cast: &Cast, number: u64) {
        let at = number as usize % cast.emoji.len().max(1);
        if let Some(emoji) = cast.emoji.get(at) {
            self.given = format!("{} {emoji}", self.given);
        }
    }

    /// The same values as another system writes them.
    pub(super) fn look_different(&mut self) {
        self.email = self.email.to_uppercase();
        self.phone = self.phone.chars().filter(|character| *character != ' ' && *character != '-').collect();
    }

    /// Somebody whom only the platform knows, perhaps with a flaw.
    pub(super) fn stay_on_platform(&mut self, flaw: Option<Flaw>, cast: &Cast, number: u64) {
        let at = number as usize;
        match flaw {
            Some(Flaw::EmptyCompany) => self.company_name.clear(),
            Some(Flaw::BadEmail) => {
                let local = self.email.split('@').next().unwrap_or("x").to_owned();
                self.email = format!("{local}@intranet");
            }
            Some(Flaw::OverLong) if at.is_multiple_of(2) => {
                self.city =
                    cast.long_cities.get(at / 2 % cast.long_cities.len().max(1)).cloned().unwrap_or_default();
            }
            Some(Flaw::OverLong) => {
                self.zip =
                    cast.long_zips.get(at / 2 % cast.long_zips.len().max(1)).cloned().unwrap_or_default();
            }
            // The rest is planted in the org, or is a mark that the seeding sets.
            Some(
                Flaw::Duplicates
                | Flaw::NoEmail
                | Flaw::LeadOfContact
                | Flaw::Emoji
                | Flaw::Cosmetic
                | Flaw::Converted
                | Flaw::Deleted,
            )
            | None => {}
        }
        self.birthday = None;
    }
}

/// In what the two sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Another phone number: the org's stands.
    Phone,
    /// Another address: the org's stands.
    Address,
    /// The platform has no phone number: it gets the org's.
    PhoneMissingOnPlatform,
    /// The org has no phone number: it gets the platform's.
    PhoneMissingInOrg,
    /// The platform has no company: it gets the org's.
    CompanyMissingOnPlatform,
    /// The platform has the name of before the wedding: the org's stands.
    FamilyName,
    /// Opted out on the platform only: opting out wins.
    OptedOutOnPlatform,
    /// The org has no street and zip code: it gets the platform's.
    StreetMissingInOrg,
}

impl Difference {
    /// One after the other; opting out is rarer than the others.
    pub(super) fn of(number: u64) -> Self {
        match number % 15 {
            0 | 1 => Self::Phone,
            2 | 3 => Self::Address,
            4 | 5 => Self::PhoneMissingOnPlatform,
            6 | 7 => Self::PhoneMissingInOrg,
            8 | 9 => Self::CompanyMissingOnPlatform,
            10 | 11 => Self::FamilyName,
            12 => Self::OptedOutOnPlatform,
            _ => Self::StreetMissingInOrg,
        }
    }
}

/// Makes the two sides of one person differ in one thing.
pub(super) fn set_apart(org: &mut Person, platform: &mut Person, difference: Difference, number: u64) {
    let difference = match difference {
        Difference::CompanyMissingOnPlatform if org.company_name.is_empty() => Difference::Phone,
        Difference::StreetMissingInOrg if org.street.is_empty() => Difference::Address,
        other => other,
    };
    match difference {
        Difference::Phone => {
            let last = platform.phone.pop().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
            platform.phone.push(char::from(b'0' + ((last + 1) % 10) as u8));
        }
        Difference::Address => {
            platform.street = format!("Neue Straße {}", number % 90 + 1);
            platform.zip = format!("{:05}", 10_000 + number % 80_000);
        }
        Difference::PhoneMissingOnPlatform => platform.phone.clear(),
        Difference::PhoneMissingInOrg => org.phone.clear(),
        Difference::CompanyMissingOnPlatform => platform.company_name.clear(),
        Difference::FamilyName => platform.family = format!("{}-{}", org.family, other_name(number)),
        Difference::OptedOutOnPlatform => {
            org.opted_out = false;
            platform.opted_out = true;
        }
        Difference::StreetMissingInOrg => {
            org.street.clear();
            org.zip.clear();
        }
    }
    platform.modified = (platform.modified + 3 * DAY_MS).min(-DAY_MS / 2);
}

fn other_name(number: u64) -> &'static str {
    let mut dice = SmallRng::seed_from_u64(number);
    ["Berg", "Lind", "Rossi", "Nagy", "Costa"].choose(&mut dice).copied().unwrap_or("Berg")
}
