//! Dates that move with the calendar: `TODAY`, `LAST_N_DAYS:30`, `THIS_MONTH`.
//!
//! They are worked out once, at the beginning of whatever tests records by them, so that a run means one and the same day from its
//! first record to its last, and both sides are asked for the same moments. A day begins at midnight UTC: in the org a relative
//! date would depend on the time zone of the user who asks (facts, Salesforce §2 “Literals”). Weeks begin on another day in
//! another country and fiscal periods are every org's own, so that these are refused.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::{Criteria, Expression, Literal, Operator};

/// The most days, months, quarters or years that a relative date may be away.
const MOST: u32 = 36_500;

/// A span of days, as seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relative {
    span: Span,
    unit: Unit,
}

/// Which of the units it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    /// The one at hand, or that many behind or ahead of it.
    One(i64),
    /// So many before the one at hand; days take today in.
    Last(u32),
    /// So many after the one at hand.
    Next(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
    Quarter,
    Year,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Day, Self::Month, Self::Quarter, Self::Year];

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// Reads `month`, or `months`.
    fn read(word: &str) -> Option<Self> {
        let single = word.strip_suffix('s').unwrap_or(word);
        Self::ALL.into_iter().find(|unit| unit.word() == single)
    }

    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let month = match self {
            Self::Day => return day,
            Self::Month => day.month(),
            Self::Quarter => day.month0() / 3 * 3 + 1,
            Self::Year => 1,
        };
        NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day)
    }

    /// The day so many units behind or ahead; the ends of the calendar that the services know where it would lie beyond them.
    fn shift(self, day: NaiveDate, by: i64) -> NaiveDate {
        let size = u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX);
        let months = |each: u32| {
            let months = Months::new(size.saturating_mul(each));
            if by < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
        };
        let shifted = match self {
            Self::Day => {
                let days = Days::new(u64::from(size));
                if by < 0 { day.checked_sub_days(days) } else { day.checked_add_days(days) }
            }
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        };
        let (first, last) = (NaiveDate::from_ymd_opt(1700, 1, 1), NaiveDate::from_ymd_opt(3999, 12, 31));
        let shifted = shifted.or(if by < 0 { first } else { last }).unwrap_or(day);
        shifted.max(first.unwrap_or(day)).min(last.unwrap_or(day))
    }
}

/// Why a word is no relative date of ours, where it looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Weeks,
    Fiscal,
    Number,
}

impl Refused {
    pub(super) fn sentence(self, word: &str) -> String {
        match self {
            Self::Weeks => format!(
                "{word} is not understood, because a week begins on another day in another country; write days, such as LAST_N_DAYS:7"
            ),
            Self::Fiscal => {
                format!(
                    "{word} is not understood, because every org has its own fiscal periods; write the dates"
                )
            }
            Self::Number => {
                format!("{word} needs a number from 1 to {MOST} behind a colon, such as LAST_N_DAYS:30")
            }
        }
    }
}

impl Relative {
    /// Reads one as SOQL writes it, or as a person says it (`last 30 days`, `3 months ago`); `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Result<Self, Refused>> {
        let lower = text.trim().to_ascii_lowercase();
        let words: Vec<&str> = lower.split(['_', ':', ' ']).filter(|word| !word.is_empty()).collect();
        let one = |by, unit| Some(Ok(Self { span: Span::One(by), unit }));
        let counted = |number: &str, unit: &str, span: fn(u32) -> Span| {
            let unit = Unit::read(unit)?;
            let number = number.parse().ok().filter(|number| (1..=MOST).contains(number));
            Some(number.map(|number| Self { span: span(number), unit }).ok_or(Refused::Number))
        };
        let ago = |number: u32| Span::One(-i64::from(number));
        match words.as_slice() {
            [.., unit] | [.., unit, _] if unit.trim_end_matches('s') == "week" => Some(Err(Refused::Weeks)),
            [_, "n", unit, ..] | [_, unit, ..] if unit.trim_end_matches('s') == "week" => {
                Some(Err(Refused::Weeks))
            }
            words if words.len() > 1 && words.contains(&"fiscal") => Some(Err(Refused::Fiscal)),
            ["today"] => one(0, Unit::Day),
            ["yesterday"] => one(-1, Unit::Day),
            ["tomorrow"] => one(1, Unit::Day),
            ["last", unit] => one(-1, Unit::read(unit).filter(|unit| *unit != Unit::Day)?),
            ["this", unit] => one(0, Unit::read(unit).filter(|unit| *unit != Unit::Day)?),
            ["next", unit] => one(1, Unit::read(unit).filter(|unit| *unit != Unit::Day)?),
            ["last", "n", unit, number] | ["last", number, unit] => counted(number, unit, Span::Last),
            ["next", "n", unit, number] | ["next", number, unit] => counted(number, unit, Span::Next),
            ["n", unit, "ago", number] | [number, unit, "ago"] => counted(number, unit, ago),
            _ => None,
        }
    }

    /// The first day, and the day behind the last one, as seen from a moment.
    fn days(self, now: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
        let Self { span, unit } = self;
        let today = now.date_naive();
        let current = unit.first_day(today);
        let after = |day| unit.shift(day, 1);
        match span {
            Span::One(by) => {
                let first = unit.shift(current, by);
                (first, after(first))
            }
            Span::Last(count) => {
                let end = if unit == Unit::Day { after(today) } else { current };
                (unit.shift(current, -i64::from(count)), end)
            }
            Span::Next(count) => (after(current), unit.shift(current, i64::from(count) + 1)),
        }
    }

    /// As it is said behind `is before`, or behind `is` with an `in` where it is more than a day.
    pub(super) fn words(self) -> String {
        let unit = self.unit.word();
        let many = |count: u32| if count == 1 { unit.to_owned() } else { format!("{count} {unit}s") };
        match (self.span, self.unit) {
            (Span::One(0), Unit::Day) => "today".into(),
            (Span::One(-1), Unit::Day) => "yesterday".into(),
            (Span::One(1), Unit::Day) => "tomorrow".into(),
            (Span::One(by), Unit::Day) => format!("{} days ago", by.unsigned_abs()),
            (Span::One(0), _) => format!("this {unit}"),
            (Span::One(-1), _) => format!("last {unit}"),
            (Span::One(1), _) => format!("next {unit}"),
            (Span::One(by), _) => format!("the {unit} {} {unit}s ago", by.unsigned_abs()),
            (Span::Last(count), _) => format!("the last {}", many(count)),
            (Span::Next(count), _) => format!("the next {}", many(count)),
        }
    }

    /// Whether it is a single day.
    pub(super) fn is_one_day(self) -> bool {
        matches!((self.span, self.unit), (Span::One(_), Unit::Day))
    }
}

impl fmt::Display for Relative {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.word().to_ascii_uppercase();
        match (self.span, self.unit) {
            (Span::One(0), Unit::Day) => formatter.write_str("TODAY"),
            (Span::One(-1), Unit::Day) => formatter.write_str("YESTERDAY"),
            (Span::One(1), Unit::Day) => formatter.write_str("TOMORROW"),
            (Span::One(0), _) => write!(formatter, "THIS_{unit}"),
            (Span::One(-1), _) => write!(formatter, "LAST_{unit}"),
            (Span::One(1), _) => write!(formatter, "NEXT_{unit}"),
            (Span::One(by), _) => write!(formatter, "N_{unit}S_AGO:{}", by.unsigned_abs()),
            (Span::Last(count), _) => write!(formatter, "LAST_N_{unit}S:{count}"),
            (Span::Next(count), _) => write!(formatter, "NEXT_N_{unit}S:{count}"),
        }
    }
}

impl Criteria {
    /// The same with every relative date worked out at a moment. Only this can be tested, here and by a side.
    pub fn at(&self, now: DateTime<Utc>) -> Self {
        Self { root: worked_out(&self.root, now) }
    }
}

fn worked_out(expression: &Expression, now: DateTime<Utc>) -> Expression {
    let all = |parts: &[Expression]| parts.iter().map(|part| worked_out(part, now)).collect();
    match expression {
        Expression::All(parts) => Expression::All(all(parts)),
        Expression::Any(parts) => Expression::Any(all(parts)),
        Expression::Not(inner) => Expression::Not(Box::new(worked_out(inner, now))),
        Expression::Compare { field, operator, literal: Literal::Relative(relative) } => {
            let (from, behind) = relative.days(now);
            let test = |operator, day: NaiveDate| Expression::Compare {
                field: field.clone(),
                operator,
                literal: Literal::Time(day.format("%Y-%m-%d").to_string()),
            };
            match operator {
                Operator::Less => test(Operator::Less, from),
                Operator::LessOrEqual => test(Operator::Less, behind),
                Operator::Greater => test(Operator::GreaterOrEqual, behind),
                Operator::GreaterOrEqual => test(Operator::GreaterOrEqual, from),
                Operator::Equal | Operator::Like => {
                    Expression::All(vec![test(Operator::GreaterOrEqual, from), test(Operator::Less, behind)])
                }
                // What is blank is unequal to every day.
                Operator::NotEqual => Expression::Any(vec![
                    Expression::Compare {
                        field: field.clone(),
                        operator: Operator::Equal,
                        literal: Literal::Null,
                    },
                    test(Operator::Less, from),
                    test(Operator::GreaterOrEqual, behind),
                ]),
            }
        }
        Expression::Compare { .. } | Expression::OneOf { .. } => expression.clone(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> String {
        // Wednesday, in a leap year's first quarter.
        let now = "2028-02-29T15:00:00Z".parse().unwrap();
        Criteria::parse(text).unwrap().at(now).to_string()
    }

    #[rstest]
    #[case("a = TODAY", "a >= 2028-02-29 AND a < 2028-03-01")]
    #[case("a = yesterday", "a >= 2028-02-28 AND a < 2028-02-29")]
    #[case("a < TODAY", "a < 2028-02-29")]
    #[case("a <= TODAY", "a < 2028-03-01")]
    #[case("a > TODAY", "a >= 2028-03-01")]
    #[case("a >= LAST_N_DAYS:30", "a >= 2028-01-30")]
    #[case("a = LAST_N_DAYS:30", "a >= 2028-01-30 AND a < 2028-03-01")]
    #[case("a = LAST_90_DAYS", "a >= 2027-12-01 AND a < 2028-03-01")]
    #[case("a = NEXT_N_DAYS:1", "a >= 2028-03-01 AND a < 2028-03-02")]
    #[case("a = N_DAYS_AGO:60", "a >= 2027-12-31 AND a < 2028-01-01")]
    #[case("a = THIS_MONTH", "a >= 2028-02-01 AND a < 2028-03-01")]
    #[case("a = LAST_N_MONTHS:3", "a >= 2027-11-01 AND a < 2028-02-01")]
    #[case("a = NEXT_N_MONTHS:1", "a >= 2028-03-01 AND a < 2028-04-01")]
    #[case("a = THIS_QUARTER", "a >= 2028-01-01 AND a < 2028-04-01")]
    #[case("a = N_QUARTERS_AGO:1", "a >= 2027-10-01 AND a < 2028-01-01")]
    #[case("a = LAST_YEAR", "a >= 2027-01-01 AND a < 2028-01-01")]
    #[case("a != TODAY", "a = null OR a < 2028-02-29 OR a >= 2028-03-01")]
    #[case("b = 1 AND NOT a = TODAY", "b = 1 AND (NOT (a >= 2028-02-29 AND a < 2028-03-01))")]
    #[case("a < N_YEARS_AGO:9999", "a < 1700-01-01")]
    fn a_relative_date_is_worked_out(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(at(text), expected);
    }

    #[rstest]
    #[case("a = LAST_90_DAYS", "a = LAST_N_DAYS:90")]
    #[case("a = n_months_ago:2", "a = N_MONTHS_AGO:2")]
    #[case("a >= this_quarter", "a >= THIS_QUARTER")]
    fn it_is_written_in_one_way(#[case] text: &str, #[case] expected: &str) {
        let criteria = Criteria::parse(text).unwrap();
        assert_eq!(criteria.to_string(), expected);
        assert_eq!(Criteria::parse(expected).unwrap(), criteria);
    }

    #[rstest]
    #[case("last 30 days", "LAST_N_DAYS:30")]
    #[case("3 months ago", "N_MONTHS_AGO:3")]
    #[case(" Today ", "TODAY")]
    #[case("next quarter", "NEXT_QUARTER")]
    fn a_person_may_say_it(#[case] typed: &str, #[case] expected: &str) {
        assert_eq!(Relative::read(typed).unwrap().unwrap().to_string(), expected);
    }
}
