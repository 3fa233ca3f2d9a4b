//! Random records and random conditions over few values, so that many of them meet.

use forcesync::domain::criteria::{Criteria, Expression, Literal, Operator};
use serde_json::{Value as Json, json};

/// Numbers that follow from a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = self.below(choices.len());
        *choices.get(place).expect("a choice of some")
    }
}

const TEXTS: [&str; 14] = [
    "Acme",
    "ACME",
    "acme corp",
    "O'Hara",
    "100%",
    "100",
    "a_b",
    "axb",
    "back\\slash",
    "\\",
    "Zoë",
    "👩‍🚀 Astro",
    "' OR Name != '",
    "\"x\"",
];
const NUMBERS: [&str; 9] = ["0", "-1", "1", "9.99", "10", "10.5", "100", "1000000", "0.0001"];
const DAYS: [&str; 5] = ["1979-12-31", "1980-01-01", "1980-01-02", "2000-02-29", "2026-11-22"];
const MOMENTS: [&str; 5] = [
    "2026-11-21T23:59:59Z",
    "2026-11-22T00:00:00Z",
    "2026-11-22T10:00:00Z",
    "2026-11-22T10:00:01Z",
    "2026-11-23T00:00:00Z",
];
const SOURCES: [&str; 3] = ["Web", "Other", "Phone Inquiry"];
const TOPICS: [&str; 7] = ["A", "B", "A;B", "Cee", "A;Cee", "100%", "B;100%"];
const PARENTS: [&str; 4] = ["Big Corp", "big_corp", "small co", "Nobody"];
/// Pieces of patterns: letters, wildcards, escaped ones.
const PIECES: [&str; 16] =
    ["%", "%", "_", "a", "A", "c", "me", "100", "\\%", "\\_", "\\\\", "'", "ë", "👩‍🚀", "o", "b"];

/// A contact whose fields are blank now and then.
pub(super) fn contact(dice: &mut Dice, number: usize) -> Json {
    let mut contact = json!({
        "AssistantName": format!("r{number}"),
        "LastName": dice.of(&TEXTS),
        "VIP__c": dice.one_in(2),
        "Email": format!("{}{number}@x.example", dice.of(&["a", "B", "c"])),
        "AccountId": dice.below(4),
    });
    let mut put = |dice: &mut Dice, field: &str, value: Json| {
        if !dice.one_in(3) {
            contact[field] = value;
        }
    };
    for field in ["FirstName", "Title"] {
        let text = Json::from(dice.of(&TEXTS));
        put(dice, field, text);
    }
    let number: f64 = dice.of(&NUMBERS).parse().expect("a number");
    put(dice, "Score__c", json!(number));
    for (field, values) in [
        ("Birthdate", &DAYS[..]),
        ("Seen__c", &MOMENTS[..]),
        ("LeadSource", &SOURCES[..]),
        ("Topics__c", &TOPICS[..]),
    ] {
        let value = Json::from(dice.of(values));
        put(dice, field, value);
    }
    contact
}

/// A condition, and whether the org can test all of it.
pub(super) struct Condition {
    pub(super) criteria: Criteria,
    pub(super) testable: bool,
}

pub(super) fn condition(dice: &mut Dice, depth: usize) -> Condition {
    let mut testable = true;
    let root = expression(dice, depth, &mut testable);
    Condition { criteria: Criteria { root }, testable }
}

fn expression(dice: &mut Dice, depth: usize, testable: &mut bool) -> Expression {
    if depth == 0 || dice.one_in(3) {
        return leaf(dice, testable);
    }
    let several = |dice: &mut Dice, testable: &mut bool| {
        let count = 2 + dice.below(2);
        (0..count).map(|_| expression(dice, depth - 1, testable)).collect()
    };
    match dice.below(5) {
        0 | 1 => Expression::All(several(dice, testable)),
        2 | 3 => Expression::Any(several(dice, testable)),
        _ => Expression::Not(Box::new(expression(dice, depth - 1, testable))),
    }
}

const EQUALITY: [Operator; 2] = [Operator::Equal, Operator::NotEqual];
const ORDER: [Operator; 6] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Less,
    Operator::LessOrEqual,
    Operator::Greater,
    Operator::GreaterOrEqual,
];

fn leaf(dice: &mut Dice, testable: &mut bool) -> Expression {
    let text = |text: &str| Literal::Text(text.to_owned());
    match dice.below(40) {
        0..=12 => {
            let field = dice.of(&["LastName", "FirstName", "Title"]);
            of_text(dice, field, &TEXTS)
        }
        13..=15 => of_text(dice, "Account.Name", &PARENTS),
        16..=18 => of_text(dice, "LeadSource", &SOURCES),
        19..=24 => {
            let field = dice.of(&["Score__c", "Score__c", "Account.NumberOfEmployees"]);
            of_values(dice, field, &NUMBERS, |number| Literal::Number(number.to_owned()))
        }
        25..=28 => of_values(dice, "Birthdate", &DAYS, |day| Literal::Time(day.to_owned())),
        29..=32 => of_values(dice, "Seen__c", &MOMENTS, |moment| Literal::Time(moment.to_owned())),
        33 => of_values(dice, "Seen__c", &DAYS, |day| Literal::Time(day.to_owned())),
        34..=36 => Expression::Compare {
            field: "VIP__c".into(),
            operator: dice.of(&EQUALITY),
            literal: Literal::Bool(dice.one_in(2)),
        },
        37 => Expression::Compare {
            field: "AccountId".into(),
            operator: dice.of(&EQUALITY),
            literal: Literal::Null,
        },
        38 => {
            let compare = |field: &str, operator, literal| Expression::Compare {
                field: field.into(),
                operator,
                literal,
            };
            // Comparisons that SOQL has no word for, or another meaning.
            *testable = false;
            match dice.below(5) {
                0 => compare("Title", dice.of(&ORDER), Literal::Number("100".into())),
                1 => compare("Title", dice.of(&EQUALITY), Literal::Bool(dice.one_in(2))),
                2 => compare("Birthdate", dice.of(&ORDER), Literal::Time("1980-01-01T10:00:00Z".into())),
                3 => compare("AccountId", dice.of(&EQUALITY), text("no id at all")),
                _ => compare("Score__c", dice.of(&EQUALITY), text("no number")),
            }
        }
        _ => {
            *testable = false;
            let (operator, literal) = match dice.below(3) {
                0 => (Operator::Like, text(&pattern(dice))),
                1 => (dice.of(&EQUALITY), text(dice.of(&TOPICS))),
                _ => (dice.of(&EQUALITY), Literal::Null),
            };
            Expression::Compare { field: "Topics__c".into(), operator, literal }
        }
    }
}

fn pattern(dice: &mut Dice) -> String {
    let count = 1 + dice.below(4);
    (0..count).map(|_| dice.of(&PIECES)).collect()
}

/// A record's text in another case, as often as not.
fn any_case(dice: &mut Dice, text: &str) -> String {
    match dice.below(3) {
        0 => text.to_lowercase(),
        1 => text.to_uppercase(),
        _ => text.to_owned(),
    }
}

fn of_text(dice: &mut Dice, field: &str, values: &[&str]) -> Expression {
    let literal = |dice: &mut Dice| {
        if dice.one_in(6) {
            return if dice.one_in(2) { Literal::Null } else { Literal::Text(String::new()) };
        }
        let value = dice.of(values);
        Literal::Text(any_case(dice, value))
    };
    match dice.below(6) {
        0 | 1 => {
            let operator = dice.of(&EQUALITY);
            Expression::Compare { field: field.into(), operator, literal: literal(dice) }
        }
        2 => {
            let operator = dice.of(&ORDER);
            let value = dice.of(values);
            Expression::Compare {
                field: field.into(),
                operator,
                literal: Literal::Text(any_case(dice, value)),
            }
        }
        3 => {
            let literals = list(dice, literal);
            Expression::OneOf { field: field.into(), negated: dice.one_in(2), literals }
        }
        _ => {
            let literal = Literal::Text(pattern(dice));
            let like = Expression::Compare { field: field.into(), operator: Operator::Like, literal };
            if dice.one_in(4) { Expression::Not(Box::new(like)) } else { like }
        }
    }
}

fn of_values(dice: &mut Dice, field: &str, values: &[&str], literal: fn(&str) -> Literal) -> Expression {
    let null_or = |dice: &mut Dice| if dice.one_in(6) { Literal::Null } else { literal(dice.of(values)) };
    if dice.one_in(4) {
        let literals = list(dice, null_or);
        return Expression::OneOf { field: field.into(), negated: dice.one_in(2), literals };
    }
    if dice.one_in(5) {
        let operator = dice.of(&EQUALITY);
        return Expression::Compare { field: field.into(), operator, literal: null_or(dice) };
    }
    let operator = dice.of(&ORDER);
    Expression::Compare { field: field.into(), operator, literal: literal(dice.of(values)) }
}

fn list(dice: &mut Dice, mut literal: impl FnMut(&mut Dice) -> Literal) -> Vec<Literal> {
    let count = 1 + dice.below(3);
    (0..count).map(|_| literal(dice)).collect()
}
