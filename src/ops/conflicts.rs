//! Deciding parked pairs by hand: one, or many at once; for once, or as the pair's rule.
//!
//! Nothing is written here. What was decided goes to the engine, whose next run takes it while both sides still hold what the
//! person saw.

use crate::domain::by_hand::{Answer, ByHand, Choice, DepartureDecision, HandDecision, OPT_OUT_STANDS};
use crate::domain::consent::{Consent, ConsentForm};
use crate::domain::mapping::{Pair, Policy};
use crate::domain::plan::DELETED;
use crate::domain::report::{ConflictQuery, ConflictRow};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::ops::engine::EngineClient;
use crate::ops::error::{OpError, sentence};
use crate::ops::session::{Access, Session};
use crate::ops::{read, run, save_settings};
use crate::workspace::Severity;
use crate::workspace::settings::Settings;

/// What both sides shall hold, or what becomes of a record whose counterpart was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What that side holds.
    Take(Side),
    /// What both sides held when they were last in step.
    Base,
    /// A value for each field of the pair, as Salesforce spells it (as the platform does where Salesforce has no field).
    Values(Vec<String>),
    /// The record that is left is deleted too, or kept with its link closed (law E9).
    Record(Answer),
}

/// How long a decision holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// For this conflict.
    Once,
    /// From now on: it becomes the pair's policy.
    AsTheRule,
}

/// A conflict that can't be decided that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub conflict: i64,
    /// A sentence.
    pub reason: String,
}

/// Conflicts, sorted into those that can be decided that way and those that can't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// What goes to the engine.
    pub by_hand: ByHand,
    /// What can't be decided that way.
    pub refused: Vec<Refused>,
    /// The policies that become rules: mapping, pair, policy.
    rules: Vec<(String, String, Policy)>,
}

/// What came of deciding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// How many conflicts were decided.
    pub decided: usize,
    /// What could not be decided that way.
    pub refused: Vec<Refused>,
    /// The run that takes them; `None` where one is on its way and the next takes them.
    pub run: Option<i64>,
}

/// All conflicts that a filter lets through.
pub async fn all(session: &Session, query: &ConflictQuery) -> Result<Vec<ConflictRow>, OpError> {
    read::conflicts(session, ConflictQuery { limit: usize::MAX, ..query.clone() }).await
}

/// One conflict by its number.
pub async fn one(session: &Session, conflict: i64) -> Result<ConflictRow, OpError> {
    read::conflict(session, conflict).await?.ok_or_else(|| {
        OpError::settings(format!(
            "There is no open conflict {conflict}; it may have closed by itself. `forcesync conflicts list` lists those there are."
        ))
        .code("no_conflict")
    })
}

/// The name of whoever decides, as the machine knows it.
pub fn author() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.trim().is_empty()))
        .unwrap_or_else(|| "a person".into())
}

/// Sorts conflicts by whether they can be decided that way.
pub fn sort(settings: &Settings, rows: &[ConflictRow], wish: &Wish, holds: Holds, by: &str) -> Sorted {
    let mut sorted = Sorted::default();
    for row in rows {
        if let Wish::Record(answer) = wish {
            match depart(row, *answer, holds, by) {
                Ok(decision) => sorted.by_hand.departures.push(decision),
                Err(reason) => sorted.refused.push(Refused { conflict: row.conflict, reason }),
            }
            continue;
        }
        match decide(settings, row, wish, by) {
            Ok(decision) => match rule_of(row, wish, holds) {
                Ok(rule) => {
                    sorted.by_hand.decisions.push(decision);
                    if let Some(policy) = rule
                        && !sorted
                            .rules
                            .iter()
                            .any(|(mapping, pair, _)| (mapping, pair) == (&row.mapping, &row.pair))
                    {
                        sorted.rules.push((row.mapping.clone(), row.pair.clone(), policy));
                        sorted.by_hand.revisit.push((row.mapping.clone(), row.pair.clone()));
                    }
                }
                Err(reason) => sorted.refused.push(Refused { conflict: row.conflict, reason }),
            },
            Err(reason) => sorted.refused.push(Refused { conflict: row.conflict, reason }),
        }
    }
    sorted
}

/// Why a deletion can't be decided by a value.
const WHOLE: &str = "this conflict is about a whole record that was deleted on one side: delete it on the other side too, or keep it";

/// Why a conflict about values can't be decided by deleting.
const NOT_DELETED: &str = "neither side was deleted: choose a value for both sides";

/// What becomes of the record that is left.
fn depart(row: &ConflictRow, answer: Answer, holds: Holds, by: &str) -> Result<DepartureDecision, String> {
    if row.why != DELETED || !row.pair.is_empty() {
        return Err(NOT_DELETED.into());
    }
    if holds == Holds::AsTheRule {
        return Err(
            "the rule for deletions is `deletes` of the mapping; change it in Mapping Settings".into()
        );
    }
    Ok(DepartureDecision {
        mapping: row.mapping.clone(),
        ids: row.ids.clone(),
        seen: row.values.clone(),
        answer,
        by: by.to_owned(),
    })
}

fn decide(settings: &Settings, row: &ConflictRow, wish: &Wish, by: &str) -> Result<HandDecision, String> {
    if row.pair.is_empty() {
        return Err(WHOLE.into());
    }
    let pair = pair_of(settings, &row.mapping, &row.pair)
        .ok_or_else(|| format!("the mapping “{}” has no such pair any more", row.mapping))?;
    let choice = match wish {
        Wish::Take(side) => Choice::of(*side),
        Wish::Base => kept(pair, row)?,
        Wish::Values(values) => typed(pair, values)?,
        Wish::Record(_) => return Err(NOT_DELETED.into()),
    };
    if let Transform::Consent { org, platform } = &pair.transform {
        refuse_lifting(PerSide { org: *org, platform: *platform }, row, &choice)?;
    }
    Ok(HandDecision {
        mapping: row.mapping.clone(),
        ids: row.ids.clone(),
        pair: row.pair.clone(),
        why: row.why.clone(),
        seen: row.values.clone().map(Some),
        choice,
        by: by.to_owned(),
    })
}

/// The pair of the settings that the state database knows by this text.
pub(crate) fn pair_of<'a>(settings: &'a Settings, mapping: &str, identity: &str) -> Option<&'a Pair> {
    settings.mapping(mapping)?.pairs.iter().find(|pair| pair.identity() == identity)
}

/// What both sides held when they were last in step, in the form in which it was kept.
fn kept(pair: &Pair, row: &ConflictRow) -> Result<Choice, String> {
    let side = if pair.org.is_empty() { Side::Platform } else { Side::Org };
    let base =
        row.base.as_ref().ok_or("the records were never in step before, so there is no base to keep")?;
    Ok(Choice::Value { side, values: base[side].clone() })
}

fn typed(pair: &Pair, values: &[String]) -> Result<Choice, String> {
    let side = if pair.org.is_empty() { Side::Platform } else { Side::Org };
    let fields = pair.fields(side);
    if fields.len() != values.len() {
        return Err(format!("this pair needs a value for each of {}", fields.join(", ")));
    }
    let values = values
        .iter()
        .map(|text| if text.trim().is_empty() { Value::Null } else { Value::text(text.as_str()) });
    Ok(Choice::Value { side, values: values.collect() })
}

/// A decision by hand never lifts an opt-out (law E3).
fn refuse_lifting(forms: PerSide<ConsentForm>, row: &ConflictRow, choice: &Choice) -> Result<(), String> {
    let says = |side: Side, values: &[Value]| {
        let value = values.first().cloned().unwrap_or_default();
        forms[side].read(&value, None).unwrap_or(Consent::Unknown)
    };
    let chosen = match choice {
        Choice::Org => says(Side::Org, &row.values.org),
        Choice::Platform => says(Side::Platform, &row.values.platform),
        Choice::Value { side, values } => says(*side, values),
    };
    let out = Side::BOTH.into_iter().any(|side| says(side, &row.values[side]) == Consent::No);
    if out && chosen != Consent::No { Err(OPT_OUT_STANDS.into()) } else { Ok(()) }
}

fn rule_of(row: &ConflictRow, wish: &Wish, holds: Holds) -> Result<Option<Policy>, String> {
    match (holds, wish) {
        (Holds::Once, _) => Ok(None),
        (Holds::AsTheRule, Wish::Values(_) | Wish::Base | Wish::Record(_)) => {
            Err("a single value can't become the rule of a pair; only “Salesforce wins” or “the platform wins” can".into())
        }
        (Holds::AsTheRule, Wish::Take(side)) => match row.why.as_str() {
            "ask" | "ping_pong" => Ok(Some(match side {
                Side::Org => Policy::SalesforceWins,
                Side::Platform => Policy::PlatformWins,
            })),
            "first_meeting" => Err(
                "first meetings follow the mapping's `first_meeting`, not the policy of one pair; change it in Mapping Settings"
                    .into(),
            ),
            _ => Err("no rule can foresee this kind of conflict; decide it without making it the rule".into()),
        },
    }
}

/// Hands what was decided to the engine, after saving what became a rule.
pub async fn resolve(session: &Session, engine: &EngineClient, sorted: Sorted) -> Result<Resolved, OpError> {
    if session.access() == Access::ReadOnly {
        return Err(
            OpError::settings("The workspace was opened read-only; nothing was decided.").code("read_only")
        );
    }
    let Sorted { by_hand, refused, rules } = sorted;
    let decided = by_hand.len();
    if decided == 0 {
        let reason = refused.first().map_or("There is no such open conflict.", |first| first.reason.as_str());
        return Err(OpError::settings(sentence(reason)).code("refused"));
    }
    save_rules(session, &rules).await?;
    let run = run::decide(engine, by_hand).await?;
    Ok(Resolved { decided, refused, run })
}

async fn save_rules(session: &Session, rules: &[(String, String, Policy)]) -> Result<(), OpError> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut settings = session.settings();
    for (mapping, identity, policy) in rules {
        let found = settings.mappings.iter_mut().find(|known| known.name == *mapping);
        if let Some(pair) =
            found.and_then(|found| found.pairs.iter_mut().find(|pair| pair.identity() == *identity))
        {
            pair.policy = *policy;
        }
    }
    let problems = save_settings::save(session, settings, Vec::new()).await?;
    match problems.into_iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("The rule was not saved: {problem}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
