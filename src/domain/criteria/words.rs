//! Criteria as a sentence: `Email is not blank and (Status is “Gold” or VIP is yes)`.

use super::tree::{Junction, Node, NodeKind};
use super::ways::{Needs, Way};
use super::{Criteria, Expression, Literal};
use crate::domain::schema::FieldKind;

/// What a field is, where its side has described it.
pub type KindOf<'a> = &'a dyn Fn(&str) -> Option<FieldKind>;

/// A condition as a sentence without a full stop.
pub fn sentence(criteria: &Criteria, kind_of: KindOf<'_>) -> String {
    said(&Node::of(criteria), kind_of, Brackets::Unneeded)
}

/// Whether a group is set apart from what stands around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brackets {
    Unneeded,
    Needed,
}

fn said(node: &Node, kind_of: KindOf<'_>, brackets: Brackets) -> String {
    match &node.kind {
        NodeKind::Test(test) => test_words(test, node.negated, kind_of),
        NodeKind::Group(junction, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| said(part, kind_of, Brackets::Needed)).collect();
            let all = parts.join(junction_between(*junction));
            match (node.negated, brackets) {
                (true, _) => format!("not ({all})"),
                (false, Brackets::Needed) => format!("({all})"),
                (false, Brackets::Unneeded) => all,
            }
        }
    }
}

fn junction_between(junction: Junction) -> &'static str {
    match junction {
        Junction::And => " and ",
        Junction::Or => " or ",
    }
}

/// One comparison in words.
pub fn test_words(test: &Expression, negated: bool, kind_of: KindOf<'_>) -> String {
    let field = match test {
        Expression::Compare { field, .. } | Expression::OneOf { field, .. } => field,
        Expression::All(_) | Expression::Any(_) | Expression::Not(_) => {
            return sentence(&Criteria { root: test.clone() }, kind_of);
        }
    };
    let known = kind_of(field);
    let kind = known.unwrap_or(time_of(test));
    let Some((way, values)) = Way::of(test, known) else { return String::new() };
    let words = if negated { opposite(way, kind) } else { way.words(kind) };
    if let Expression::Compare { literal: Literal::Relative(relative), .. } = test {
        let within = matches!(way, Way::Is | Way::IsNot) && !relative.is_one_day();
        return format!("{field} {words} {}{}", if within { "in " } else { "" }, relative.words());
    }
    match way.needs() {
        Needs::Nothing => format!("{field} {words}"),
        Needs::Value | Needs::Values => {
            let quoted = values.iter().map(|value| quoted(value, test)).collect::<Vec<_>>();
            format!("{field} {words} {}", quoted.join(", "))
        }
    }
}

/// Where the field is not described, a comparison with a date is one of times.
fn time_of(test: &Expression) -> FieldKind {
    match test {
        Expression::Compare { literal: Literal::Time(_) | Literal::Relative(_), .. } => FieldKind::Moment,
        _ => FieldKind::Text,
    }
}

fn quoted(value: &str, test: &Expression) -> String {
    let plain = matches!(test, Expression::Compare { literal: Literal::Number(_) | Literal::Time(_), .. });
    if value.is_empty() {
        "blank".into()
    } else if plain {
        value.to_owned()
    } else {
        format!("“{value}”")
    }
}

/// What holds where a way does not: null is neither less nor greater than anything, so that the opposite of both takes the blank ones in.
fn opposite(way: Way, kind: FieldKind) -> &'static str {
    let time = matches!(kind, FieldKind::Date | FieldKind::Moment);
    match way {
        Way::Is => "is not",
        Way::IsNot => "is",
        Way::OneOf => "is none of",
        Way::NoneOf => "is one of",
        Way::Contains if kind == FieldKind::Set => "does not include",
        Way::Contains => "does not contain",
        Way::Begins => "does not begin with",
        Way::Ends => "does not end with",
        Way::Pattern => "does not look like",
        Way::Less if time => "is blank or not before",
        Way::Less => "is blank or at least",
        Way::AtMost if time => "is blank or after",
        Way::AtMost => "is blank or more than",
        Way::More if time => "is blank or not after",
        Way::More => "is blank or at most",
        Way::AtLeast if time => "is blank or before",
        Way::AtLeast => "is blank or less than",
        Way::Blank => "is not blank",
        Way::Filled => "is blank",
        Way::Yes => "is no",
        Way::No => "is yes",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Email != null", "Email is not blank")]
    #[case("IsConverted = false", "IsConverted is no")]
    #[case("IsConverted != false", "IsConverted is yes")]
    #[case("A = 1 AND (B = 'x' OR NOT C LIKE '%y%')", "A is 1 and (B is “x” or C does not contain “y”)")]
    #[case("NOT (A = 1 OR B IN ('x', 'y', null))", "not (A is 1 or B is one of “x”, “y”, blank)")]
    #[case("NOT NOT A = 1", "A is 1")]
    #[case("CreatedDate >= 2026-11-22", "CreatedDate is not before 2026-11-22")]
    #[case("CreatedDate >= LAST_N_DAYS:30", "CreatedDate is not before the last 30 days")]
    #[case("CreatedDate = LAST_N_DAYS:30", "CreatedDate is in the last 30 days")]
    #[case("CreatedDate != THIS_MONTH", "CreatedDate is not in this month")]
    #[case("CreatedDate = TODAY", "CreatedDate is today")]
    #[case("CreatedDate < N_DAYS_AGO:3", "CreatedDate is before 3 days ago")]
    #[case("Amount < 5", "Amount is less than 5")]
    #[case("Name LIKE 'A_%'", "Name looks like “A_%”")]
    fn criteria_are_said_in_a_sentence(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(sentence(&Criteria::parse(text).unwrap(), &|_| None), expected);
    }
}
