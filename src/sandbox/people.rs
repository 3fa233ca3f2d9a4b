//! The people of the sandbox: who they are, on which side they are, and what is wrong with some of them.
//!
//! Everything follows from a seed and a number, so that a million people need no memory: person 17 of seed 7 is the
//! same whenever somebody asks. `names` reads the data files, `flaws` counts what is planted, `roll` decides who plays
//! which part, `person` makes one human being, `company` one firm. `seed` puts them into the two services.

mod company;
mod flaws;
mod latin;
mod names;
mod person;
mod roll;

pub use company::Company;
pub use flaws::{Flaw, FlawRule, Outcome, Planted, Side};
pub use names::DataError;
pub use person::{Day, Person};
pub use roll::{Kind, Part};

use std::sync::Arc;

use names::{Cast, Rules};
use roll::Roll;

/// How many people, and of which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleOptions {
    /// What everything follows from.
    pub seed: u64,
    /// How many people the org has.
    pub records: u64,
    /// Whether a fifth of them are person accounts.
    pub person_accounts: bool,
}

/// Somebody in the org, perhaps with a twin on the platform.
#[derive(Debug, Clone)]
pub struct OrgPerson {
    /// Contact, lead or person account.
    pub kind: Kind,
    /// What part they play.
    pub part: Part,
    /// Who they are, as the org has them.
    pub person: Person,
    /// As the platform has them.
    pub twin: Option<Person>,
    /// Whether an earlier integration has noted each side's id on the other.
    pub linked: bool,
    /// The number of the person that this one is the same as (their own, mostly).
    pub identity: u64,
}

/// Somebody whom only the platform knows.
#[derive(Debug, Clone)]
pub struct PlatformPerson {
    /// What is wrong, if anything.
    pub flaw: Option<Flaw>,
    /// Who they are.
    pub person: Person,
}

/// All people of one sandbox.
pub struct People {
    options: PeopleOptions,
    cast: Arc<Cast>,
    roll: Roll,
    planted: Planted,
}

impl People {
    /// Reads the data files and counts who plays which part; makes nobody yet.
    pub fn new(options: PeopleOptions) -> Result<Self, DataError> {
        let cast = Arc::new(Cast::load()?);
        let rules = Rules::load()?;
        let roll = Roll::new(&options, &rules);
        let planted = roll.planted(&rules);
        Ok(Self { options, cast, roll, planted })
    }

    /// What is planted, counted by kind.
    pub fn planted(&self) -> &Planted {
        &self.planted
    }

    /// How many companies there are.
    pub fn companies(&self) -> u64 {
        (self.options.records / 8).max(1)
    }

    /// One company.
    pub fn company(&self, number: u64) -> Company {
        Company::make(&self.cast, self.options.seed, number % self.companies())
    }

    /// Everybody in the org: person accounts, then contacts, then leads.
    pub fn in_org(&self) -> impl Iterator<Item = OrgPerson> + '_ {
        self.roll.in_org().map(|entry| self.org_person(&entry))
    }

    /// The contacts that leads were converted into, by number.
    pub fn converted_identities(&self) -> impl Iterator<Item = u64> + '_ {
        self.roll.converted_identities()
    }

    /// Everybody whom only the platform knows.
    pub fn on_platform_only(&self) -> impl Iterator<Item = PlatformPerson> + '_ {
        self.roll.on_platform_only().map(|(number, flaw)| {
            let mut person = self.person(number);
            person.stay_on_platform(flaw, &self.cast, number);
            PlatformPerson { flaw, person }
        })
    }

    /// A new person that nobody knows yet; `number` counts the newcomers.
    pub fn newcomer(&self, number: u64) -> Person {
        self.person(self.roll.first_free_number() + number)
    }

    fn person(&self, number: u64) -> Person {
        let company = self.company(mixed(self.options.seed, number ^ 0x00c0_ffee));
        Person::make(&self.cast, self.options.seed, number, company)
    }

    fn org_person(&self, entry: &roll::Entry) -> OrgPerson {
        let mut person = self.person(entry.identity);
        let mut twin = None;
        match entry.kind {
            Kind::PersonAccount => person.company_name.clear(),
            // Some contacts belong to no account; a lead always has a company.
            Kind::Contact if entry.number % 40 == 39 => person.company_name.clear(),
            Kind::Contact | Kind::Lead => {}
        }
        // Leads have no birthday, and the two of a pair must not differ in it.
        if entry.kind == Kind::Lead || entry.part == Part::Duplicate {
            person.birthday = None;
        }
        match entry.part {
            Part::Plain | Part::Held | Part::LeadOfContact | Part::Converted => {}
            Part::Duplicate => person.be_a_duplicate(entry.number),
            Part::NoEmail => person.email.clear(),
            Part::Emoji => person.wear_an_emoji(&self.cast, entry.number),
            Part::Cosmetic => {
                let mut other = person.clone();
                other.look_different();
                twin = Some(other);
            }
        }
        if entry.part == Part::LeadOfContact || entry.part == Part::Converted {
            // A lead came before its contact, and nobody kept it up to date.
            person.created -= 30 * person::DAY_MS;
        }
        let mut linked = entry.on_platform;
        if let Some(difference) = entry.difference {
            let mut other = person.clone();
            person::set_apart(&mut person, &mut other, difference, entry.number);
            twin = Some(other);
            linked = false;
        } else if entry.on_platform && twin.is_none() {
            twin = Some(person.clone());
        }
        OrgPerson { kind: entry.kind, part: entry.part, person, twin, linked, identity: entry.identity }
    }
}

/// A word that depends on the seed and on a number, and on nothing else.
fn mixed(seed: u64, number: u64) -> u64 {
    let word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93);
    let word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ (word >> 32)
}

#[cfg(test)]
mod tests;
