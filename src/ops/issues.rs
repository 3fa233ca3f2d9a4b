//! The form of one issue: what both sides hold now, the failing field first, and mending it by hand.
//!
//! Values are read from both sides when the form is opened; nothing is written here. An edited value goes to the engine as a
//! decision by hand, and its next run writes it while the record still holds what the form showed.

use serde::Serialize;

use crate::domain::by_hand::{ByHand, Choice, HandDecision};
use crate::domain::command::{Command, Reply};
use crate::domain::consent::{Consent, ConsentForm};
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::{IssueQuery, IssueRow};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::ops::connections;
use crate::ops::engine::EngineClient;
use crate::ops::error::{OpError, sentence};
use crate::ops::session::{Access, Session};
use crate::ops::{read, run, secrets};
use crate::workspace::settings::Every;

/// One pair of the mapping in the form of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormField {
    /// The pair's place in the mapping.
    pub pair: usize,
    /// The text by which the state database knows the pair.
    pub identity: String,
    /// Its fields on both sides.
    pub fields: PerSide<Vec<String>>,
    /// What they hold now; `None` where that side has no record or could not be read.
    pub values: PerSide<Option<Vec<Value>>>,
    /// Whether the issue is about it.
    pub failing: bool,
}

/// The form of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssueForm {
    /// The issue.
    pub issue: IssueRow,
    /// The side whose record an edited value belongs to: the one that the refused value came from.
    pub source: Side,
    /// The pairs, in the mapping's order.
    pub fields: Vec<FormField>,
    /// How many other open issues have the same cause on the same fields, so that a change of the mapping would clear them
    /// together.
    pub same_cause: u64,
    /// Why a side could not be read.
    pub unread: Option<String>,
}

impl IssueForm {
    /// The place of the first field that the issue is about, else of the first.
    pub fn focus(&self) -> usize {
        self.fields.iter().position(|field| field.failing).unwrap_or(0)
    }

    /// The field with that name on either side.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| {
            field
                .fields
                .org
                .iter()
                .chain(&field.fields.platform)
                .any(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

/// One issue, open or resolved.
pub async fn one(session: &Session, issue: i64) -> Result<IssueRow, OpError> {
    let query = IssueQuery { resolved: true, after: Some(issue - 1), limit: 1, ..IssueQuery::default() };
    let rows = read::issues(session, query).await?;
    rows.into_iter().find(|row| row.issue == issue).ok_or_else(|| {
        OpError::settings(format!(
            "There is no issue {issue}. `forcesync issues list --records` lists those there are."
        ))
        .code("no_issue")
    })
}

/// How many other open issues have the same cause on the same fields.
pub async fn same_cause(session: &Session, issue: &IssueRow) -> Result<u64, OpError> {
    let query = IssueQuery {
        code: Some(issue.code.clone()),
        mapping: Some(issue.mapping.clone()),
        cause: Some(issue.cause.clone()),
        limit: usize::MAX,
        ..IssueQuery::default()
    };
    let rows = read::issues(session, query).await?;
    Ok(rows.iter().filter(|row| row.issue != issue.issue && row.fields == issue.fields).count() as u64)
}

/// The form of an issue, with what both sides hold now.
pub async fn form(session: &Session, issue: i64) -> Result<IssueForm, OpError> {
    let issue = one(session, issue).await?;
    let settings = session.settings();
    let mapping = settings.mapping(&issue.mapping).ok_or_else(|| {
        OpError::settings(format!("The mapping “{}” is not in the settings any more.", issue.mapping))
            .code("no_mapping")
    })?;
    let mut unread = None;
    let mut values: PerSide<Vec<Option<Vec<Value>>>> = PerSide::default();
    for side in Side::BOTH {
        values[side] = match present(session, side, mapping, issue.ids[side].as_ref()).await {
            Ok(values) => values,
            Err(error) => {
                unread = Some(error.message);
                vec![None; mapping.pairs.len()]
            }
        };
    }
    let source = source(&issue);
    let fields = mapping
        .pairs
        .iter()
        .enumerate()
        .map(|(place, pair)| FormField {
            pair: place,
            identity: pair.identity(),
            fields: PerSide { org: pair.org.clone(), platform: pair.platform.clone() },
            values: PerSide::from_fn(|side| values[side].get(place).cloned().flatten()),
            failing: fails(pair, &issue),
        })
        .collect();
    let same_cause = same_cause(session, &issue).await?;
    Ok(IssueForm { issue, source, fields, same_cause, unread })
}

fn fails(pair: &Pair, issue: &IssueRow) -> bool {
    let names = |side: Side| {
        pair.fields(side).iter().any(|name| issue.fields.iter().any(|field| field.eq_ignore_ascii_case(name)))
    };
    names(issue.side) || names(issue.side.other())
}

/// The side that the refused value came from: the other one, where it has the record.
fn source(issue: &IssueRow) -> Side {
    let other = issue.side.other();
    if issue.ids[other].is_some() || issue.ids[issue.side].is_none() { other } else { issue.side }
}

/// What a side holds for each pair.
async fn present(
    session: &Session,
    side: Side,
    mapping: &Mapping,
    id: Option<&RecordId>,
) -> Result<Vec<Option<Vec<Value>>>, OpError> {
    let Some(id) = id else { return Ok(vec![None; mapping.pairs.len()]) };
    let selection = Selection::new(mapping.pairs.iter().flat_map(|pair| pair.fields(side)));
    let record = look(session, side, mapping.object(side), &selection, id).await?;
    let of = |pair: &Pair| -> Option<Vec<Value>> {
        let record = record.as_ref()?;
        pair.fields(side)
            .iter()
            .map(|name| record.values.get(selection.position(name)?).cloned().flatten())
            .collect()
    };
    Ok(mapping.pairs.iter().map(of).collect())
}

async fn look(
    session: &Session,
    side: Side,
    object: &str,
    selection: &Selection,
    id: &RecordId,
) -> Result<Option<Record>, OpError> {
    let settings = session.settings();
    let known = secrets::read(session, &settings, side, &[]).await?;
    let around = session.surroundings();
    let ids = std::slice::from_ref(id);
    let found = connections::endpoint(&settings, side, &known, &around)?.read(object, selection, ids).await?;
    Ok(found.into_iter().next())
}

/// An edited value of a field of the form, as a decision by hand; a sentence where it can't be.
pub fn edit(
    form: &IssueForm,
    place: usize,
    mapping: &Mapping,
    typed: &[String],
    by: &str,
) -> Result<HandDecision, String> {
    let issue = &form.issue;
    let Some(field) = form.fields.get(place) else { return Err("there is no such field".into()) };
    let Some(pair) = mapping.pairs.iter().find(|pair| pair.identity() == field.identity) else {
        return Err("the mapping has no such pair any more".into());
    };
    if !issue.open {
        return Err("this issue is resolved already".into());
    }
    let source = form.source;
    let names = pair.fields(source);
    if names.is_empty() {
        return Err("this value comes from the mapping itself; change it there".into());
    }
    if names.len() != typed.len() {
        return Err(format!("this pair needs a value for each of {}", names.join(", ")));
    }
    let Some(seen) = &field.values[source] else {
        return Err(
            "the record could not be read, so nobody knows what would be overwritten; open it again".into()
        );
    };
    let values: Vec<Value> = typed
        .iter()
        .map(|text| if text.trim().is_empty() { Value::Null } else { Value::text(text.as_str()) })
        .collect();
    if seen.iter().map(ToString::to_string).eq(values.iter().map(ToString::to_string)) {
        return Err("that is the value it has; try the record again with `retry` instead".into());
    }
    if let Transform::Consent { org, platform } = &pair.transform {
        refuse_lifting(PerSide { org: *org, platform: *platform }, field, source, &values)?;
    }
    Ok(HandDecision {
        mapping: issue.mapping.clone(),
        ids: issue.ids.clone(),
        pair: field.identity.clone(),
        why: String::new(),
        seen: field.values.clone(),
        choice: Choice::Value { side: source, values },
        by: by.to_owned(),
    })
}

/// An edit never lifts an opt-out (law E3).
fn refuse_lifting(
    forms: PerSide<ConsentForm>,
    field: &FormField,
    source: Side,
    typed: &[Value],
) -> Result<(), String> {
    let says = |side: Side, values: Option<&Vec<Value>>| {
        let value = values.and_then(|values| values.first()).cloned().unwrap_or_default();
        forms[side].read(&value, None).unwrap_or(Consent::Unknown)
    };
    let out = Side::BOTH.into_iter().any(|side| says(side, field.values[side].as_ref()) == Consent::No);
    if out && says(source, Some(&typed.to_vec())) != Consent::No {
        return Err(crate::domain::by_hand::OPT_OUT_STANDS.into());
    }
    Ok(())
}

/// Hands an edited value to the engine; tells the run that writes it, or `None` where one is on its way and the next one does.
pub async fn mend(
    session: &Session,
    engine: &EngineClient,
    form: &IssueForm,
    place: usize,
    typed: &[String],
    by: &str,
) -> Result<Option<i64>, OpError> {
    writable(session)?;
    let settings = session.settings();
    let mapping = settings.mapping(&form.issue.mapping).ok_or_else(|| {
        OpError::settings(format!("The mapping “{}” is not in the settings any more.", form.issue.mapping))
            .code("no_mapping")
    })?;
    let decision = edit(form, place, mapping, typed, by)
        .map_err(|reason| OpError::settings(sentence(&reason)).code("refused"))?;
    run::decide(engine, ByHand { decisions: vec![decision], ..ByHand::default() }).await
}

/// Hides issues for a while, or shows them again.
pub async fn snooze(
    session: &Session,
    engine: &EngineClient,
    issues: Vec<i64>,
    how_long: Option<Every>,
) -> Result<(), OpError> {
    writable(session)?;
    let until = how_long.map(|every| session.clock().now() + every.duration());
    match engine.ask(Command::Snooze { issues, until }).await? {
        Reply::Accepted => Ok(()),
        Reply::Refused { message } => Err(OpError::settings(message).code("no_issue")),
        Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Err(OpError::failed("The engine answered something else than it was asked.")),
    }
}

fn writable(session: &Session) -> Result<(), OpError> {
    match session.access() {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => {
            Err(OpError::settings("The workspace was opened read-only; nothing was changed.")
                .code("read_only"))
        }
    }
}
