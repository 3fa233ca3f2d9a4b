//! Rules one behind the other, a list for each way; where one list is missing, the other is taken back rule by rule.

use serde::{Deserialize, Serialize};

use crate::domain::side::Side;
use crate::domain::transform::TransformError;
use crate::domain::transform::rule::{Rule, RuleError};
use crate::domain::value::Value;

/// What is done to values on either way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// On the way to the platform, the first rule first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_platform: Vec<Rule>,
    /// On the way to Salesforce; empty where the rules of the other way are taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_org: Vec<Rule>,
}

/// Why the rules can't be used on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There are none at all.
    Empty,
    /// This rule of the other way loses something, so that it can't be taken back.
    Loses(Rule),
    /// So many fields go in, so many come out, and so many are needed.
    Width {
        /// Fields of the sending side.
        from: usize,
        /// Values behind the last rule, where it can be told.
        out: Option<usize>,
        /// Fields of the receiving side.
        needed: usize,
    },
}

impl Unfit {
    /// What is wrong and the way out, for the way to a side.
    pub fn sentence(&self, target: Side) -> String {
        let (list, other) = match target {
            Side::Org => ("to_org", "to_platform"),
            Side::Platform => ("to_platform", "to_org"),
        };
        match self {
            Self::Empty => format!("it has no rules yet: add {list} = [\"trim\"], or another transform"),
            Self::Loses(rule) => {
                let loses = rule.loses().unwrap_or("can't be taken back");
                format!(
                    "the rule “{rule}” {loses}, so that the way back can't be found: give it {list} rules of its own, or set direction = \"{other}\""
                )
            }
            Self::Width { from, out, needed } => {
                let out =
                    out.map_or_else(|| "can't take them".to_owned(), |out| format!("make {out} of them"));
                format!(
                    "the {list} rules get {from} values and {out}, but {needed} are needed: join, split and template change how many there are"
                )
            }
        }
    }
}

impl Rules {
    /// The list that is written down for a way.
    pub fn written(&self, target: Side) -> &[Rule] {
        match target {
            Side::Org => &self.to_org,
            Side::Platform => &self.to_platform,
        }
    }

    /// The list that counts on a way: the one that is written down, or the other one taken back.
    pub fn on_way(&self, target: Side) -> Result<Vec<Rule>, Unfit> {
        let written = self.written(target);
        if !written.is_empty() {
            return Ok(written.to_vec());
        }
        let other = self.written(target.other());
        if other.is_empty() {
            return Err(Unfit::Empty);
        }
        other.iter().rev().map(|rule| rule.back().ok_or_else(|| Unfit::Loses(rule.clone()))).collect()
    }

    /// Whether a way can be gone with so many fields on both of its ends.
    pub fn fits(&self, target: Side, from: usize, needed: usize) -> Result<(), Unfit> {
        let mut out = Some(from);
        for rule in self.on_way(target)? {
            out = out.and_then(|count| rule.width(count, needed));
        }
        if out == Some(needed) && from > 0 { Ok(()) } else { Err(Unfit::Width { from, out, needed }) }
    }

    /// A value of the platform that becomes another one each time it goes to Salesforce and comes back (law E8), found by trying some.
    pub fn grows(&self, org: usize, platform: usize) -> Option<(String, String)> {
        const PROBES: [&str; 7] = ["Ab 1", "ab", "AB-2", "12.5", "2026-11-22", "x;y", "true"];
        let round = |values: &[Value]| {
            let back = self.apply(values, Side::Org, org).ok()?;
            self.apply(&back, Side::Platform, platform).ok()
        };
        let told = |values: &[Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        PROBES.iter().find_map(|probe| {
            let first = self.apply(&vec![Value::text(*probe); org], Side::Platform, platform).ok()?;
            // What was normalised once stays as it is then; what still changes will never stop.
            let second = round(&first)?;
            let third = round(&second)?;
            (told(&second) != told(&third)).then(|| (told(&second), told(&third)))
        })
    }

    /// Turns values for a side whose part of the pair has `width` fields.
    pub fn apply(&self, values: &[Value], target: Side, width: usize) -> Result<Vec<Value>, TransformError> {
        // The list that is written down is used as it is, without a copy.
        let written = self.written(target);
        if !written.is_empty() {
            return turned(written, values, width);
        }
        match self.on_way(target) {
            Ok(rules) => turned(&rules, values, width),
            Err(Unfit::Loses(rule)) => Err(TransformError::NoWayBack(rule.to_string())),
            Err(Unfit::Empty | Unfit::Width { .. }) => Err(TransformError::NoWayBack("nothing".into())),
        }
    }
}

fn turned(rules: &[Rule], values: &[Value], width: usize) -> Result<Vec<Value>, TransformError> {
    let mut values = values.to_vec();
    for rule in rules {
        values = rule.turn(values, width)?;
    }
    Ok(values)
}

/// A list as one line: `trim | truncate 40`.
pub fn line(rules: &[Rule]) -> String {
    rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

/// A list from one line; a bar inside quotes belongs to its rule.
pub fn parse_line(text: &str) -> Result<Vec<Rule>, RuleError> {
    let mut rules = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (place, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '|' if !quoted => {
                rules.push(text.get(start..place).unwrap_or_default());
                start = place + 1;
            }
            _ => {}
        }
    }
    rules.push(text.get(start..).unwrap_or_default());
    rules.into_iter().map(str::trim).filter(|rule| !rule.is_empty()).map(str::parse).collect()
}
