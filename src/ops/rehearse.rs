//! Rehearses the mappings of a workspace (N8, N9): copies shape and a sample of both sides into a sandbox on this machine, runs the
//! mappings there with the real engine until nothing is written any more, and tells what became of the sample.
//!
//! Nothing leaves the machine, nothing is written to either real side, and the workspace's own state stays as it is. The sample is
//! kept in memory and in a temporary folder for its owner alone, which goes whichever way the rehearsal ends: whoever does not want to wait
//! drops the future.

mod nudge;
mod outcome;
mod plant;
mod sample;
mod shape;
mod stage;

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::command::RunRequest;
use crate::domain::mapping::Mapping;
use crate::domain::outcome::RunKind;
use crate::domain::port::Source;
use crate::domain::progress::Progress;
use crate::domain::rehearsal::{Edited, LATE, MOST_RUNS, Rehearsal, RehearsedRun, Uncopied, broke_off};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::Side;
use crate::engine::context::Control;
use crate::engine::handle::Runner;
use crate::ops::error::OpError;
use crate::ops::runner::{WorkspaceRunner, run_mappings};
use crate::ops::session::Session;
use crate::ops::{connections, secrets};
use crate::workspace::Problem;
use crate::workspace::settings::Settings;
use crate::workspace::validate::validate;
use outcome::Outcome;
use plant::{Ids, Planting};
use sample::{Ends, Sample, Taking};
use stage::Stage;

/// Records of each mapping, if nobody says otherwise.
pub const RECORDS: usize = 200;

/// The most that can be asked for: what the org gives in one page.
pub const MOST_RECORDS: usize = 2_000;

/// What to rehearse.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Records of each mapping.
    pub records: usize,
    /// Only these mappings; all that are switched on if empty.
    pub mappings: Vec<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { records: RECORDS, mappings: Vec::new() }
    }
}

/// Rehearses the mappings of `draft`, saved or not, with the connections of the workspace. `told` gets a sentence about each step.
pub async fn rehearse(
    session: &Session,
    draft: &Settings,
    wanted: &Wanted,
    told: &watch::Sender<String>,
) -> Result<Rehearsal, OpError> {
    if !(1..=MOST_RECORDS).contains(&wanted.records) {
        return Err(OpError::settings(format!(
            "{} records can't be rehearsed: take 1 to {MOST_RECORDS} of each mapping.",
            wanted.records
        ))
        .code("usage"));
    }
    let mut mappings = chosen(draft, wanted)?;
    let mut taking = Taking {
        session,
        ends: real_ends(session, draft).await?,
        profile: draft.platform.kind.profile(),
        most: wanted.records,
        sample: Sample::default(),
        uncopied: Vec::new(),
    };
    told.send_replace("Reading what both sides say of their fields …".into());
    taking.describe(&mut mappings).await?;
    refuse_nothing(&mappings, &taking.uncopied)?;
    for (number, mapping) in mappings.iter().enumerate() {
        told.send_replace(format!(
            "Reading records of {} ({} of {}) …",
            mapping.name,
            number + 1,
            mappings.len()
        ));
        taking.take(mapping).await?;
    }
    told.send_replace("Reading what the records lead to …".into());
    let named = sample::ids_in(&serde_json::to_value(&mappings).unwrap_or_default());
    taking.parents(&named).await?;
    let Taking { sample, mut uncopied, .. } = taking;

    told.send_replace("Making the sandbox …".into());
    let person_accounts = sample
        .get(Side::Org, "Account")
        .is_some_and(|account| account.schema.field("IsPersonAccount").is_some())
        || sample
            .get(Side::Org, "Contact")
            .is_some_and(|contact| contact.schema.field("IsPersonAccount").is_some());
    let shape = shape::of(&sample, &mut uncopied)?;
    let stage = Stage::set(session, draft, shape, person_accounts).await?;
    let (mappings, ids) = build(session, draft, &stage, &sample, mappings, &mut uncopied).await?;
    let mut rehearsal = Rehearsal::default();
    let runner = WorkspaceRunner::new(stage.session.apart());
    rehearsal.quiet = run(&runner, &mut rehearsal.runs, told).await;
    let first = rehearsal.runs.len();
    if rehearsal.quiet {
        let ends = stage.ends(&stage.with(&mappings))?;
        let records = nudge::nudge(&stage, &ends, &sample, &mappings, &ids).await?;
        if records > 0 {
            rehearsal.edited = Some(Edited { records, before_run: first + 1 });
            rehearsal.quiet = run(&runner, &mut rehearsal.runs, told).await;
        }
    }
    told.send_replace("Looking at what came of it …".into());
    let runs: Vec<i64> = (1..).take(rehearsal.runs.len()).collect();
    let outcome =
        Outcome { session: &stage.session, mappings: &mappings, sample: &sample, ids: &ids, runs: &runs };
    let history = outcome.history().await?;
    rehearsal.mappings = outcome.mappings(&history).await?;
    let (mut unsettled, mut values) = outcome.unsettled(history.get(..first).unwrap_or_default(), 0);
    if unsettled.is_empty() {
        (unsettled, values) = outcome.unsettled(&history, first);
    }
    (rehearsal.unsettled, rehearsal.unsettled_values) = (unsettled, values);
    rehearsal.quiet &= rehearsal.unsettled_values == 0;
    uncopied.sort_by(|one, other| (&one.mapping, &one.what).cmp(&(&other.mapping, &other.what)));
    uncopied.dedup();
    rehearsal.uncopied = uncopied;
    Ok(rehearsal)
}

/// The mappings as a run would use them; refuses what no run could work with.
fn chosen(draft: &Settings, wanted: &Wanted) -> Result<Vec<Mapping>, OpError> {
    if let Some(why) = draft.platform.kind.profile().and_then(|profile| profile.not_rehearsed.as_ref()) {
        return Err(OpError::settings(format!(
            "Nothing was rehearsed: {why}. A plan (`forcesync plan --initial`) shows what a run would do."
        ))
        .code("no_rehearsal"));
    }
    if let Some(problem) = validate(draft).into_iter().find(Problem::blocks) {
        return Err(OpError::settings(format!("Nothing was rehearsed: {problem}")));
    }
    for name in &wanted.mappings {
        if draft.mapping(name).is_none() {
            let known: Vec<&str> = draft.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
            return Err(OpError::settings(format!(
                "There is no mapping “{name}”; known are {}.",
                known.join(", ")
            ))
            .code("no_mapping"));
        }
    }
    let is_meant = |mapping: &Mapping| {
        wanted.mappings.iter().any(|name| name.eq_ignore_ascii_case(&mapping.name))
            || (wanted.mappings.is_empty() && mapping.enabled)
    };
    let mut mappings: Vec<Mapping> = run_mappings(draft).into_iter().filter(is_meant).collect();
    for mapping in &mut mappings {
        mapping.enabled = true;
    }
    refuse_nothing(&mappings, &[])?;
    Ok(mappings)
}

fn refuse_nothing(mappings: &[Mapping], uncopied: &[Uncopied]) -> Result<(), OpError> {
    if !mappings.is_empty() {
        return Ok(());
    }
    let why = uncopied.first().map_or_else(
        || "there is no mapping that is switched on".to_owned(),
        |first| format!("{}: {}", first.what, first.why),
    );
    Err(OpError::settings(format!("There is nothing to rehearse: {why}.")).code("no_mapping"))
}

async fn real_ends(session: &Session, draft: &Settings) -> Result<Ends, OpError> {
    let around = session.surroundings();
    let of_org = secrets::read(session, draft, Side::Org, &[]).await?;
    let of_platform = secrets::read(session, draft, Side::Platform, &[]).await?;
    Ok(Ends {
        org: Arc::new(connections::salesforce(draft, &of_org, &around)?),
        platform: connections::platform(draft, &of_platform, &around)?,
    })
}

/// Makes the sandbox like the real sides and puts the sample in; the mappings with what they can have there, and the ids.
async fn build(
    session: &Session,
    draft: &Settings,
    stage: &Stage,
    sample: &Sample,
    mappings: Vec<Mapping>,
    uncopied: &mut Vec<Uncopied>,
) -> Result<(Vec<Mapping>, Ids), OpError> {
    let of_platform = || sample.objects.iter().filter(|sampled| sampled.side == Side::Platform);
    let files: Vec<&ObjectSchema> = of_platform().map(|sampled| &sampled.schema).collect();
    stage.lay_out(&files, session, draft)?;
    let ends = stage.ends(&stage.with(&mappings))?;
    let names = |side: Side| -> Vec<String> {
        let of_side = sample.objects.iter().filter(|sampled| sampled.side == side);
        of_side.map(|sampled| sampled.schema.name.clone()).collect()
    };
    let there = ends.org.describe(&names(Side::Org)).await?;
    shape::adjust(stage.sandbox.org(), sample, &there, uncopied);
    ends.org.distrust_descriptions();
    let org = ends.org.describe(&names(Side::Org)).await?;
    let platform = ends.platform.describe(&names(Side::Platform)).await?;
    let mappings = fitting(mappings, sample, [&org, &platform], uncopied);
    refuse_nothing(&mappings, uncopied)?;
    let planting = Planting {
        sandbox: &stage.sandbox,
        ends: &ends,
        sample,
        mappings: &mappings,
        profile: draft.platform.kind.profile(),
        clock: session.clock().as_ref(),
        uncopied,
    };
    let ids = planting.plant().await;
    let mappings: Vec<Mapping> = mappings.iter().map(|mapping| ids.mapping(mapping)).collect();
    stage.keep(&mappings).await?;
    Ok((mappings, ids))
}

/// The mappings without the pairs whose fields one side or its copy lacks.
fn fitting(
    mut mappings: Vec<Mapping>,
    sample: &Sample,
    copies: [&[ObjectSchema]; 2],
    uncopied: &mut Vec<Uncopied>,
) -> Vec<Mapping> {
    let [org, platform] = copies;
    for mapping in &mut mappings {
        let name = mapping.name.clone();
        let objects = [(Side::Org, org), (Side::Platform, platform)]
            .map(|(side, copies)| (side, mapping.object(side).to_owned(), copies));
        mapping.pairs.retain(|pair| {
            let lacking = objects.iter().find_map(|(side, object, copies)| {
                let real = &sample.get(*side, object)?.schema;
                let copy = copies.iter().find(|copy| copy.name.eq_ignore_ascii_case(object))?;
                let has = |field: &String| field.eq_ignore_ascii_case("Id") || copy.field(field).is_some();
                let lacks = pair.fields(*side).iter().find(|field| !has(field))?;
                let why = match real.field(lacks) {
                    Some(_) if *side == Side::Org => "the sandbox can't be given this field",
                    Some(_) => "the sandbox of this platform has fixed fields, and not this one",
                    None => "this user can't see such a field",
                };
                Some((format!("{object}.{lacks}"), why))
            });
            if let Some((what, why)) = &lacking {
                uncopied.push(Uncopied {
                    mapping: Some(name.clone()),
                    what: what.clone(),
                    why: format!("{why}; the pair {} is left out", pair.name()),
                });
            }
            lacking.is_none()
        });
    }
    for mapping in mappings.iter().filter(|mapping| !mapping.pairs.iter().any(|pair| pair.key)) {
        uncopied.push(Uncopied {
            mapping: Some(mapping.name.clone()),
            what: mapping.platform_object.clone(),
            why: "nothing of its key could be copied; the mapping is left out".into(),
        });
    }
    mappings.retain(|mapping| mapping.pairs.iter().any(|pair| pair.key));
    mappings
}

/// Runs until a run writes nothing; whether none after the second did.
async fn run(runner: &WorkspaceRunner, runs: &mut Vec<RehearsedRun>, told: &watch::Sender<String>) -> bool {
    let (control, progress) = (Control::new(), watch::Sender::new(Progress::default()));
    for turn in 1..=MOST_RUNS {
        let kind = if runs.is_empty() { RunKind::Initial } else { RunKind::Instant };
        let run = runs.len() + 1;
        told.send_replace(format!("Run {run} ({}) …", kind.word()));
        let report = runner.run(&RunRequest::new(kind), &control, &progress).await;
        let (result, counts) = (report.result, report.counts);
        let done = RehearsedRun { run, kind, result, message: report.message, counts };
        let written = done.written();
        runs.push(done);
        if broke_off(result) {
            return false;
        }
        if written == 0 {
            return turn <= LATE;
        }
    }
    false
}
