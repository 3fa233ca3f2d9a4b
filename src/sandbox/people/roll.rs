//! Who plays which part. Parts are counted exactly and spread evenly: a person's place in line is a permutation of
//! their number, and the first so many places play the first part, the next the second, and so on. So a part needs no
//! list of who plays it, and who is at a given place is known as well (which is how a lead finds its contact).

use super::PeopleOptions;
use super::flaws::{Flaw, Outcome, Planted};
use super::mixed;
use super::names::Rules;
use super::person::Difference;

/// What somebody is in the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An account that is a person.
    PersonAccount,
    /// A contact of an account.
    Contact,
    /// A lead.
    Lead,
}

/// What part somebody in the org plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing special.
    Plain,
    /// One of two with the same e-mail.
    Duplicate,
    /// No e-mail.
    NoEmail,
    /// A contact whose lead was forgotten.
    Held,
    /// The forgotten lead.
    LeadOfContact,
    /// A converted lead.
    Converted,
    /// An emoji in the name.
    Emoji,
    /// Written differently on the platform.
    Cosmetic,
}

/// One line of the roll.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Their own number.
    pub number: u64,
    /// The number of the human being they are.
    pub identity: u64,
    /// What they are in the org.
    pub kind: Kind,
    /// What part they play.
    pub part: Part,
    /// Whether the platform has them too.
    pub on_platform: bool,
    /// In what the sides differ.
    pub difference: Option<Difference>,
}

/// One kind of people, in line.
#[derive(Debug, Clone)]
struct Line {
    kind: Kind,
    /// The number of the first.
    first: u64,
    size: u64,
    step: u64,
    back: u64,
    shift: u64,
    /// How many places each part takes, in order.
    parts: Vec<(Part, u64)>,
    /// How many of the plain are on the platform, and how many of these differ.
    plain_on_platform: u64,
    different: u64,
}

/// The whole roll.
#[derive(Debug, Clone)]
pub struct Roll {
    records: u64,
    lines: Vec<Line>,
    platform_only: Vec<(Option<Flaw>, u64)>,
}

impl Roll {
    /// Counts everybody.
    pub fn new(options: &PeopleOptions, rules: &Rules) -> Self {
        let records = options.records;
        let count = |flaw: Flaw| {
            rules.flaw.iter().find(|rule| rule.kind == flaw).map_or(0, |rule| rule.count(records))
        };
        let person_accounts = if options.person_accounts { records / 5 } else { 0 };
        let contacts = ((records - person_accounts) * 55).div_ceil(100);
        let leads = records - person_accounts - contacts;
        let (held, converted) = (count(Flaw::LeadOfContact), count(Flaw::Converted));
        let pairs = count(Flaw::Duplicates) / 2;
        // An odd one goes to the contacts.
        let halves = |number: u64| (number.div_ceil(2), number / 2);
        let (contact_pairs, lead_pairs) = halves(pairs);
        let (contact_blank, lead_blank) = halves(count(Flaw::NoEmail));
        let (contact_emoji, lead_emoji) = halves(count(Flaw::Emoji));
        let (contact_cosmetic, lead_cosmetic) = halves(count(Flaw::Cosmetic));
        let contact_parts = vec![
            (Part::Duplicate, 2 * contact_pairs),
            (Part::NoEmail, contact_blank),
            (Part::Held, held),
            (Part::Emoji, contact_emoji),
            (Part::Cosmetic, contact_cosmetic),
        ];
        let lead_parts = vec![
            (Part::Duplicate, 2 * lead_pairs),
            (Part::NoEmail, lead_blank),
            (Part::LeadOfContact, held),
            (Part::Converted, converted),
            (Part::Emoji, lead_emoji),
            (Part::Cosmetic, lead_cosmetic),
        ];
        let on_platform = records * 6 / 10;
        let (of_accounts, of_leads) = (person_accounts * 6 / 10, leads * 6 / 10);
        let different = on_platform / 10;
        let (different_accounts, different_leads) = (of_accounts / 10, of_leads / 10);
        let shares = [
            (Kind::PersonAccount, person_accounts, Vec::new(), of_accounts, different_accounts),
            (
                Kind::Contact,
                contacts,
                contact_parts,
                on_platform - of_accounts - of_leads,
                different - different_accounts - different_leads,
            ),
            (Kind::Lead, leads, lead_parts, of_leads, different_leads),
        ];
        let mut lines = Vec::with_capacity(3);
        let mut first = 0;
        for (kind, size, parts, share, different) in shares {
            lines.push(Line::new(options.seed, kind, first, size, parts, share, different));
            first += size;
        }
        let flawed = [Flaw::EmptyCompany, Flaw::BadEmail, Flaw::OverLong, Flaw::Deleted];
        let mut platform_only = vec![(None, records / 20)];
        platform_only.extend(flawed.into_iter().map(|flaw| (Some(flaw), count(flaw))));
        Self { records, lines, platform_only }
    }

    /// Everybody in the org.
    pub fn in_org(&self) -> impl Iterator<Item = Entry> + '_ {
        self.lines.iter().flat_map(move |line| (0..line.size).map(move |at| self.entry(line, at)))
    }

    /// The numbers of the contacts that leads were converted into.
    pub fn converted_identities(&self) -> impl Iterator<Item = u64> + '_ {
        let leads = self.lines.iter().filter(|line| line.kind == Kind::Lead);
        leads.flat_map(move |line| {
            let number = line.parts.iter().filter(|part| part.0 == Part::Converted).map(|part| part.1).sum();
            (0..number)
                .map(|nth| self.entry(line, line.number_of(Part::Converted, nth) - line.first).identity)
        })
    }

    /// Everybody whom only the platform knows: number and flaw.
    pub fn on_platform_only(&self) -> impl Iterator<Item = (u64, Option<Flaw>)> + '_ {
        let flaws = self.platform_only.iter().flat_map(|(flaw, number)| (0..*number).map(move |_| *flaw));
        (self.records..).zip(flaws)
    }

    /// The first number that nobody has.
    pub fn first_free_number(&self) -> u64 {
        self.records + self.platform_only.iter().map(|(_, number)| number).sum::<u64>()
    }

    /// Everything there is to know about what was planted.
    pub fn planted(&self, rules: &Rules) -> Planted {
        let mut planted = Planted::default();
        let part = |wanted: Part| -> u64 {
            self.lines
                .iter()
                .map(|line| line.parts.iter().filter(|part| part.0 == wanted).map(|part| part.1).sum::<u64>())
                .sum()
        };
        for line in &self.lines {
            let name = match line.kind {
                Kind::PersonAccount => "person_accounts",
                Kind::Contact => "contacts",
                Kind::Lead => "leads",
            };
            planted.note(name, line.size);
            planted.add("on_platform", line.on_platform());
            planted.add("different", line.different);
        }
        planted.note("people", self.records);
        for (flaw, number) in &self.platform_only {
            if flaw.is_none() {
                planted.note("platform_only", *number);
            }
        }
        for rule in &rules.flaw {
            let number = match rule.kind {
                Flaw::Duplicates => part(Part::Duplicate),
                Flaw::NoEmail => part(Part::NoEmail),
                Flaw::LeadOfContact => part(Part::LeadOfContact),
                Flaw::Emoji => part(Part::Emoji),
                Flaw::Cosmetic => part(Part::Cosmetic),
                Flaw::Converted => part(Part::Converted),
                Flaw::EmptyCompany | Flaw::BadEmail | Flaw::OverLong | Flaw::Deleted => {
                    let mine = self.platform_only.iter().filter(|(flaw, _)| *flaw == Some(rule.kind));
                    mine.map(|(_, number)| number).sum()
                }
            };
            planted.note(rule.kind.name(), number);
            match rule.outcome {
                Outcome::Failed => planted.add("expect_failed", number),
                Outcome::Skipped => planted.add("expect_skipped", number),
                Outcome::None => {}
            }
        }
        planted
    }

    fn entry(&self, line: &Line, at: u64) -> Entry {
        let number = line.first + at;
        let place = line.place(at);
        let (part, nth) = line.part(place);
        let contacts = self.lines.iter().find(|line| line.kind == Kind::Contact);
        let identity = match part {
            // The even and the odd one of a pair are the human being of the even one.
            Part::Duplicate => line.first + line.at_place(place - nth % 2),
            Part::LeadOfContact => contacts.map_or(number, |contacts| contacts.number_of(Part::Held, nth)),
            // From the far end of the plain contacts, whose parts nothing else touches.
            Part::Converted => contacts.map_or(number, |contacts| {
                contacts.first + contacts.at_place(contacts.size - 1 - nth % contacts.size)
            }),
            Part::Plain | Part::NoEmail | Part::Held | Part::Emoji | Part::Cosmetic => number,
        };
        let (on_platform, difference) = match part {
            Part::Held | Part::Emoji | Part::Cosmetic => (true, None),
            Part::Duplicate | Part::NoEmail | Part::LeadOfContact | Part::Converted => (false, None),
            Part::Plain if nth < line.different => (true, Some(Difference::of(nth))),
            Part::Plain => (nth < line.plain_on_platform, None),
        };
        Entry { number, identity, kind: line.kind, part, on_platform, difference }
    }
}

impl Line {
    fn new(
        seed: u64,
        kind: Kind,
        first: u64,
        size: u64,
        mut parts: Vec<(Part, u64)>,
        share: u64,
        different: u64,
    ) -> Self {
        // With very few people there may be more parts than players.
        let mut left = size;
        for (_, number) in &mut parts {
            *number = (*number).min(left);
            left -= *number;
        }
        let elsewhere: u64 = parts.iter().filter(|part| is_on_platform(part.0)).map(|part| part.1).sum();
        let plain_on_platform = share.saturating_sub(elsewhere).min(left);
        let different = different.min(plain_on_platform);
        let (step, back) = coprime_step(seed ^ first, size);
        let shift = if size == 0 { 0 } else { mixed(seed, first ^ 0x5eed) % size };
        Self { kind, first, size, step, back, shift, parts, plain_on_platform, different }
    }

    /// The place in line of the one at this position.
    fn place(&self, at: u64) -> u64 {
        (product(at, self.step, self.size) + self.shift) % self.size
    }

    /// The position of the one at this place in line.
    fn at_place(&self, place: u64) -> u64 {
        product((place + self.size - self.shift) % self.size, self.back, self.size)
    }

    /// What is played at a place, and how many play it before.
    fn part(&self, place: u64) -> (Part, u64) {
        let mut nth = place;
        for (part, number) in &self.parts {
            if nth < *number {
                return (*part, nth);
            }
            nth -= number;
        }
        (Part::Plain, nth)
    }

    /// The number of the nth player of a part.
    fn number_of(&self, wanted: Part, nth: u64) -> u64 {
        let before: u64 = self.parts.iter().take_while(|part| part.0 != wanted).map(|part| part.1).sum();
        self.first + self.at_place((before + nth) % self.size)
    }

    fn on_platform(&self) -> u64 {
        let others: u64 = self.parts.iter().filter(|part| is_on_platform(part.0)).map(|part| part.1).sum();
        others + self.plain_on_platform
    }
}

fn is_on_platform(part: Part) -> bool {
    match part {
        Part::Held | Part::Emoji | Part::Cosmetic => true,
        Part::Plain | Part::Duplicate | Part::NoEmail | Part::LeadOfContact | Part::Converted => false,
    }
}

fn product(left: u64, right: u64, modulus: u64) -> u64 {
    (u128::from(left) * u128::from(right) % u128::from(modulus.max(1))) as u64
}

/// A step that visits every place once, and the step that leads back.
fn coprime_step(seed: u64, size: u64) -> (u64, u64) {
    if size < 3 {
        return (1, 1);
    }
    let mut step = mixed(seed, 0x57e9) % size;
    loop {
        if let Some(back) = inverse(step, size) {
            return (step, back);
        }
        step = (step + 1) % size;
    }
}

/// The multiplicative inverse, where there is one.
fn inverse(number: u64, modulus: u64) -> Option<u64> {
    let (mut old_rest, mut rest) = (i128::from(number), i128::from(modulus));
    let (mut old_factor, mut factor) = (1_i128, 0_i128);
    while rest != 0 {
        let quotient = old_rest / rest;
        (old_rest, rest) = (rest, old_rest - quotient * rest);
        (old_factor, factor) = (factor, old_factor - quotient * factor);
    }
    (old_rest == 1).then(|| old_factor.rem_euclid(i128::from(modulus)) as u64)
}
