//! Pushes what a campaign has seen to the org (F125–F135): each line is a record of the platform, recognised by its id in Salesforce.
//!
//! A pushed record is decided like any other: its values count as what the platform holds now, and all laws hold, from consent to history. One that
//! was never linked is left out and is no error. Lines go in handfuls, each a run of the engine, here or where it lives.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::connect::salesforce::full_id;
use crate::domain::command::{RunReport, RunRequest};
use crate::domain::mapping::Mapping;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::progress::EngineState;
use crate::domain::push::{PushOrder, PushOutcome, PushedLine, PushedRecord};
use crate::domain::record::RecordId;
use crate::domain::report::{ConflictQuery, HistoryQuery, IssueQuery};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::engine::EngineClient;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::run;
use crate::ops::session::Session;
use crate::workspace::private_file;
use crate::workspace::settings::PushStep;

/// Lines of one run.
pub const HANDFUL: usize = 100;

/// How often an engine that is at work is asked again, and how long between.
const PATIENCE: (u32, Duration) = (600, Duration::from_millis(500));

/// A step with the mapping that it uses.
pub struct Step {
    step: PushStep,
    mapping: Mapping,
}

/// What came of a handful.
pub struct Pushed {
    /// A line for each, in their order.
    pub lines: Vec<PushedLine>,
    /// How the run ended; nothing where none was needed.
    pub report: Option<RunReport>,
}

/// Finds a step of the settings and the mapping that it uses.
pub fn step(session: &Session, name: &str) -> Result<Step, OpError> {
    run::examine(session, &RunRequest::new(RunKind::Instant))?;
    let settings = session.settings();
    let Some(step) = settings.push.iter().find(|step| step.name.eq_ignore_ascii_case(name)) else {
        let known: Vec<&str> = settings.push.iter().map(|step| step.name.as_str()).collect();
        let known = if known.is_empty() {
            "there are none yet".to_owned()
        } else {
            format!("known are {}", known.join(", "))
        };
        return Err(OpError::settings(format!(
            "There is no push step “{name}” ({known}). A step is a [[push]] in the settings file, with name, object, id and fields."
        ))
        .code("no_step"));
    };
    let mapping = settings.mappings.iter().find(|mapping| {
        mapping.enabled
            && mapping.org_object.eq_ignore_ascii_case(&step.object)
            && mapping.direction.allows(Side::Org)
    });
    let mapping = mapping.ok_or_else(|| {
        OpError::settings(format!(
            "No mapping that is switched on takes changes of {} to Salesforce.",
            step.object
        ))
    })?;
    Ok(Step { step: step.clone(), mapping: mapping.clone() })
}

/// A line that was understood.
struct Read {
    id: RecordId,
    values: BTreeMap<String, Value>,
}

impl Step {
    /// The values of a line by the platform's field names. A line may name either side's field.
    fn read(&self, text: &str) -> Result<Option<Read>, (Option<String>, String)> {
        let body: Map<String, Json> = match serde_json::from_str(text) {
            Ok(Json::Object(body)) => body,
            Ok(_) => return Err((None, "The line is no JSON object.".into())),
            Err(error) => return Err((None, format!("The line is no JSON: {error}."))),
        };
        let key = self.step.id.as_deref().unwrap_or("Id");
        let told = body.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let told = told.and_then(Json::as_str).map(str::trim).filter(|id| !id.is_empty());
        // Without an id it was never enriched from Salesforce (F133, F135).
        let Some(told) = told else { return Ok(None) };
        let Some(id) = full_id(told) else {
            return Err((Some(told.to_owned()), format!("“{told}” in {key} is no id of Salesforce.")));
        };
        let mut values = BTreeMap::new();
        for pair in &self.mapping.pairs {
            for (place, field) in pair.platform.iter().enumerate() {
                let org = pair.org.get(place).or_else(|| pair.org.first());
                let wanted = pair
                    .org
                    .iter()
                    .any(|org| self.step.fields.iter().any(|known| known.eq_ignore_ascii_case(org)));
                if !wanted {
                    continue;
                }
                let said = body.iter().find(|(name, _)| {
                    name.eq_ignore_ascii_case(field) || org.is_some_and(|org| name.eq_ignore_ascii_case(org))
                });
                if let Some((_, value)) = said {
                    values.insert(field.clone(), Value::from_json(value));
                }
            }
        }
        Ok(Some(Read { id, values }))
    }
}

/// Pushes up to [`HANDFUL`] lines, the first of which is number `first`.
pub async fn push(
    session: &Session,
    engine: &EngineClient,
    step: &Step,
    first: usize,
    texts: &[String],
) -> Result<Pushed, OpError> {
    let name = &step.mapping.name;
    let line = |place: usize, id: Option<String>, outcome: PushOutcome, message: Option<String>| PushedLine {
        event: "pushed",
        line: first + place,
        id,
        outcome,
        streams: outcome.streams(),
        message,
        run: None,
    };
    let mut lines: Vec<Option<PushedLine>> = Vec::with_capacity(texts.len());
    let mut wanted: Vec<(usize, Read)> = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        lines.push(match step.read(text) {
            Ok(Some(read)) => {
                wanted.push((place, read));
                None
            }
            Ok(None) => Some(line(
                place,
                None,
                PushOutcome::Skipped,
                Some("not linked: the line has no id of Salesforce".into()),
            )),
            Err((id, message)) => Some(line(place, id, PushOutcome::Failed, Some(message))),
        });
    }
    let ids: Vec<RecordId> = wanted.iter().map(|(_, read)| read.id.clone()).collect();
    let (mapping, asked) = (name.clone(), ids.clone());
    let linked = read::read(session, move |reader| reader.linked(&mapping, Side::Org, &asked)).await?;
    let mut records: Vec<(usize, RecordId, PushedRecord)> = Vec::new();
    for (number, (place, read)) in wanted.into_iter().enumerate() {
        if let Some(platform) = linked.get(number).cloned().flatten() {
            // Of two lines about one record the later one counts, and what only the earlier one says.
            let earlier = records.iter().position(|(_, _, known)| known.id == platform);
            let mut values = earlier.map(|place| records.remove(place).2.values).unwrap_or_default();
            values.extend(read.values);
            records.push((place, read.id, PushedRecord { id: platform, values }));
        } else {
            let why = "not linked: it was never enriched from Salesforce";
            if let Some(slot) = lines.get_mut(place) {
                *slot = Some(line(place, Some(read.id.to_string()), PushOutcome::Skipped, Some(why.into())));
            }
        }
    }
    let mut report = None;
    if !records.is_empty() {
        let order = PushOrder {
            mapping: name.clone(),
            records: records.iter().map(|(_, _, record)| record.clone()).collect(),
        };
        let ended = run_to_its_end(session, engine, order).await?;
        for (place, id, record) in &records {
            let (outcome, message) = ending(session, name, &ended, id, &record.id).await?;
            if let Some(slot) = lines.get_mut(*place) {
                *slot = Some(PushedLine {
                    run: Some(ended.run),
                    ..line(*place, Some(id.to_string()), outcome, message)
                });
            }
        }
        report = Some(ended);
    }
    let lines = lines.into_iter().enumerate().map(|(place, known)| {
        // Told again by a later line of the same handful.
        known.unwrap_or_else(|| {
            line(
                place,
                None,
                PushOutcome::Succeeded,
                Some("it was taken together with a later line about the same record".into()),
            )
        })
    });
    Ok(Pushed { lines: lines.collect(), report })
}

/// Starts a run, as soon as the engine has time for it, and waits for its end.
async fn run_to_its_end(
    session: &Session,
    engine: &EngineClient,
    order: PushOrder,
) -> Result<RunReport, OpError> {
    let request = RunRequest {
        mappings: vec![order.mapping.clone()],
        reads: Some(Side::Org),
        push: Some(order),
        ..RunRequest::new(RunKind::Instant)
    };
    run::examine(session, &request)?;
    run::examine_first_sync(session, engine, &request).await?;
    let mut tries = 0;
    loop {
        match run::start(engine, request.clone()).await {
            Ok(run) => return engine.end_of(session, run).await,
            Err(error) => {
                tries += 1;
                let at_work = engine.progress().borrow().state != EngineState::Idle;
                if !at_work || tries > PATIENCE.0 {
                    return Err(error);
                }
                session.clock().sleep(PATIENCE.1).await;
            }
        }
    }
}

/// How a record ended in a run.
async fn ending(
    session: &Session,
    mapping: &str,
    report: &RunReport,
    org: &RecordId,
    platform: &RecordId,
) -> Result<(PushOutcome, Option<String>), OpError> {
    let history = HistoryQuery {
        id: Some(org.to_string()),
        run: Some(report.run),
        limit: 10,
        ..HistoryQuery::default()
    };
    if read::history(session, history).await?.iter().any(|row| row.side == Side::Org) {
        return Ok((PushOutcome::Succeeded, None));
    }
    let is_it = |ids: &crate::domain::side::PerSide<Option<RecordId>>| {
        ids.org.as_ref() == Some(org) || ids.platform.as_ref() == Some(platform)
    };
    let issues = IssueQuery { mapping: Some(mapping.to_owned()), limit: 10_000, ..IssueQuery::default() };
    let issues = read::issues(session, issues).await?;
    if let Some(issue) =
        issues.iter().find(|issue| issue.open && issue.run == report.run && is_it(&issue.ids))
    {
        return Ok((PushOutcome::Failed, Some(format!("{}: {}", issue.code, issue.message))));
    }
    let (name, id) = (mapping.to_owned(), platform.clone());
    let pending =
        read::read(session, move |reader| reader.is_pending(&name, std::slice::from_ref(&id))).await?;
    let pending = pending.first().copied().unwrap_or(false);
    let said = report.message.clone();
    match report.result {
        RunResult::Limited => {
            let said = said.unwrap_or_else(|| "a limit of Salesforce was reached".into());
            return Ok((PushOutcome::Limited, Some(format!("{said}; it is tried again by itself"))));
        }
        RunResult::Braked | RunResult::Blocked | RunResult::Failed | RunResult::Cancelled => {
            return Ok((
                PushOutcome::Failed,
                said.or_else(|| Some("the run did not come to its end".into())),
            ));
        }
        RunResult::Succeeded | RunResult::PartlyFailed => {}
    }
    if pending {
        return Ok((
            PushOutcome::Failed,
            Some("it moved while it was written, and is looked at again in the next run".into()),
        ));
    }
    let conflicts =
        ConflictQuery { mapping: Some(mapping.to_owned()), limit: 10_000, ..ConflictQuery::default() };
    let conflicts = read::conflicts(session, conflicts).await?;
    if conflicts.iter().any(|row| row.run == report.run && is_it(&row.ids)) {
        return Ok((
            PushOutcome::Failed,
            Some("both sides changed it, and a person has to decide: see forcesync conflicts".into()),
        ));
    }
    Ok((PushOutcome::Succeeded, Some("nothing had to be changed".into())))
}

/// The streams, and what the file of each is called.
const STREAMS: [(&str, &str); 4] = [
    ("Doorgaan", "doorgaan"),
    ("Bij success", "bij-success"),
    ("Bij fout", "bij-fout"),
    ("Bij limiet", "bij-limiet"),
];

/// A line as JSON, with its end.
pub fn json_line(line: &PushedLine) -> String {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes a file for each stream, readable by its owner alone.
pub fn keep_streams(folder: &Path, name: &str, lines: &[PushedLine]) -> Result<(), OpError> {
    for (stream, word) in STREAMS {
        let text: String =
            lines.iter().filter(|line| line.streams.contains(&stream)).map(json_line).collect();
        private_file::replace(&folder.join(format!("{name}.{word}.jsonl")), text.as_bytes())?;
    }
    Ok(())
}
