//! Before anything is read: the org is the pinned one, both sides are described, mappings are judged, compiled and numbered.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::command::RunRequest;
use crate::domain::compiled::{Compiled, CompiledMapping, MappingProblem, Severity, compile};
use crate::domain::criteria::Criteria;
use crate::domain::drift::{Effect, Finding, Judged, footprint, judge, print_now};
use crate::domain::mapping::{Direction, Mapping, Pair};
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::port::Source;
use crate::domain::report::Level;
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::{End, RunContext};
use crate::engine::session::Prepared;
use crate::store::drift::{self, Why};
use crate::store::facts::{self, NewFact};
use crate::store::issues::{self, NewIssue};
use crate::store::{StoreError, mappings, requeue};

/// The mappings a request is about, with its direction taken in.
fn wanted(context: &RunContext, request: &RunRequest) -> Result<Vec<Mapping>, End> {
    for name in &request.mappings {
        if !context.mappings.iter().any(|mapping| mapping.name == *name) {
            let known: Vec<&str> = context.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
            return Err(End::new(
                RunResult::Failed,
                format!("there is no mapping {name}; the settings have {}", known.join(", ")),
            ));
        }
    }
    let mut kept = Vec::new();
    for mapping in &context.mappings {
        if !mapping.enabled || !(request.mappings.is_empty() || request.mappings.contains(&mapping.name)) {
            continue;
        }
        let mut mapping = mapping.clone();
        if let Some(direction) = request.direction {
            match mapping.direction.and(direction) {
                Some(both) => mapping.direction = both,
                // Among all mappings, those of the other direction are simply not meant.
                None if request.mappings.is_empty() => continue,
                None => {
                    let message = format!("mapping {} does not flow that way", mapping.name);
                    return Err(End::new(RunResult::Failed, message));
                }
            }
            restrict(&mut mapping, direction);
        }
        kept.push(mapping);
    }
    if kept.is_empty() {
        return Err(End::new(
            RunResult::Failed,
            "there is no enabled mapping to run; add one in Mapping Settings or in forcesync.toml",
        ));
    }
    Ok(kept)
}

/// A run of one direction leaves the pairs of the other direction alone.
fn restrict(mapping: &mut Mapping, direction: Direction) {
    mapping.pairs.retain_mut(|pair| match pair.direction.and(direction) {
        Some(both) => {
            pair.direction = both;
            true
        }
        // The key still tells who is who.
        None => pair.key,
    });
}

/// The objects that have to be described: those of the mappings, and parents that paths lead to.
fn objects(mappings: &[Mapping], side: Side) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for mapping in mappings {
        names.insert(mapping.object(side).to_owned());
        if side == Side::Org {
            let criteria = mapping.criteria(side).and_then(|text| Criteria::parse(text).ok());
            let fields = mapping
                .pairs
                .iter()
                .flat_map(|pair| pair.org.iter().cloned())
                .chain(criteria.iter().flat_map(Criteria::fields));
            // `Account.Name` leads to Account: the relationship of a standard field is named after its object.
            names.extend(
                fields.filter_map(|field| field.split_once('.').map(|(parent, _)| parent.to_owned())),
            );
        }
    }
    names.into_iter().collect()
}

async fn describe(
    source: &dyn Source,
    names: &[String],
) -> Result<Vec<crate::domain::schema::ObjectSchema>, End> {
    source.describe(names).await.map_err(End::from)
}

/// Another org behind the same settings stops all writes (law E17).
async fn pin_org(context: &RunContext) -> Result<(), End> {
    let Some(org) = context.org_id.clone() else { return Ok(()) };
    let pinned = context.store.write(|db| mappings::remembered(db, "org")).await?;
    match pinned {
        Some(pinned) if pinned != org => Err(End::new(
            RunResult::Blocked,
            format!(
                "these settings now lead to the org {org}, but this workspace belongs to {pinned}; \
                 nothing was written. Correct the connection, or make a new workspace for the other org"
            ),
        )),
        Some(_) => Ok(()),
        None => Ok(context.store.write(move |db| mappings::remember(db, "org", &org)).await?),
    }
}

/// What a run begins with.
pub struct Ready {
    /// The mappings that run, without the pairs that are left out.
    pub prepared: Vec<Prepared>,
    /// What should be looked at besides.
    pub warnings: Vec<MappingProblem>,
    /// Mappings that are left out.
    pub absent: Vec<Absent>,
    /// Sentences about pairs that are left out.
    pub parked: Vec<String>,
    /// What was judged, to be compared with a second look.
    looks: Vec<Look>,
}

/// A mapping that a run leaves out (laws E5 and E13); the others go on.
#[derive(Clone, Debug)]
pub struct Absent {
    /// The mapping.
    pub name: String,
    /// Its platform object: unlinked records of its family are not decided without it.
    pub platform_object: String,
    /// How the run ends for that.
    pub end: End,
    why: Why,
}

/// How a mapping stands under what both sides say now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    name: String,
    parked: Vec<String>,
    runs: bool,
    prints: Prints,
}

/// What both sides say of a mapping's objects, at a glance; `None` for an object that is not shown.
type Prints = PerSide<Option<u64>>;

/// All mappings of a run as they stand.
struct Standings {
    standings: Vec<Standing>,
    schemas: PerSide<Vec<ObjectSchema>>,
    /// All of them, compiled as they were asked for.
    compiled: Compiled,
    problems: Vec<MappingProblem>,
}

/// A mapping with what became of it.
struct Standing {
    asked: Mapping,
    judged: Judged,
    prints: Prints,
    /// Set unless both sides say at a glance what was accepted.
    differs: Option<Differs>,
}

/// What was accepted, and what is.
struct Differs {
    accepted: Option<PerSide<ObjectSchema>>,
    footprint: PerSide<Option<ObjectSchema>>,
}

/// Judges, compiles and numbers the mappings of a run; what can't run is left out, and the others go on (law E13).
pub async fn prepare(context: &RunContext, request: &RunRequest, run: i64) -> Result<Ready, End> {
    let mappings = wanted(context, request)?;
    pin_org(context).await?;
    let mut look_at = look(context, &mappings).await?;
    if look_at
        .standings
        .iter()
        .any(|standing| !standing.judged.runs() || !standing.judged.parked().is_empty())
    {
        // What was remembered may be out of date: a right that was given back is seen at once.
        for side in Side::BOTH {
            context.endpoints[side].distrust_descriptions();
        }
        look_at = look(context, &mappings).await?;
    }
    let Standings { standings, schemas, compiled, problems } = look_at;
    let looks = looks_of(&standings);
    let mut absent = absent(context, request, &standings).await?;
    if request.kind == RunKind::Initial
        && let Some(first) = absent.iter().position(|absent| absent.why == Why::Settings)
    {
        return Err(absent.swap_remove(first).end);
    }
    let mut ready = Ready { prepared: Vec::new(), warnings: Vec::new(), absent, parked: Vec::new(), looks };
    let running: Vec<&Standing> = standings
        .iter()
        .filter(|standing| ready.absent.iter().all(|absent| absent.name != standing.asked.name))
        .collect();
    for standing in &running {
        let parked = standing.judged.findings.iter().filter(|finding| finding.effect == Effect::Parks);
        ready.parked.extend(parked.map(|finding| finding.message.clone()));
    }
    let whole = ready.absent.is_empty() && ready.parked.is_empty();
    let (Compiled { mappings: compiled, .. }, problems) = if whole {
        (compiled, problems)
    } else {
        let specs: Vec<Mapping> = running.iter().map(|standing| standing.judged.mapping.clone()).collect();
        let (compiled, problems) = compile(&specs, &schemas);
        if let Some(worst) = problems.iter().find(|problem| problem.severity == Severity::Error) {
            return Err(end_of(&specs, worst));
        }
        (compiled, problems)
    };
    ready.warnings = problems;
    let now = context.clock.now();
    for compiled in compiled {
        let compiled = compiled.at(now);
        let written = context.mappings.iter().find(|known| known.name == compiled.spec.name);
        let fingerprint = fingerprint(written.map_or(&[], std::slice::from_ref));
        let parked = running.iter().find(|standing| standing.asked.name == compiled.spec.name);
        let parked = parked.map(|standing| standing.judged.parked()).unwrap_or_default();
        let left_out = written.into_iter().flat_map(|written| &written.pairs);
        let left_out = left_out.filter(|pair| parked.contains(&pair.identity())).cloned().collect();
        ready.prepared.push(number(context, compiled, fingerprint, left_out).await?);
    }
    let quiet = are_quiet(context, &standings).await?;
    for (standing, quiet) in standings.iter().zip(quiet) {
        let left_out = ready.absent.iter().find(|absent| absent.name == standing.asked.name);
        let left_out = left_out.map(|absent| absent.why);
        if request.direction.is_none() {
            if quiet && left_out.is_none() {
                continue;
            }
            note(context, standing, left_out, run).await?;
        } else {
            // Half a mapping needs less than all of it: what that lacks is for its own runs to judge.
            leave_out(context, standing, left_out).await?;
        }
    }
    match ready.absent.first() {
        Some(absent) if ready.prepared.is_empty() => Err(absent.end.clone()),
        _ => Ok(ready),
    }
}

/// Looks again once everything is read: a field that went away meanwhile was left out of what was read, and whatever the other side
/// holds for it would be passed by (law E13). Costs no call where a side knows its description.
pub async fn still_fits(context: &RunContext, request: &RunRequest, ready: &[Look]) -> Result<bool, End> {
    let mappings = wanted(context, request)?;
    let all_run = ready.iter().all(|look| look.runs && look.parked.is_empty());
    if all_run
        && prints_of(&mappings, &describe_both(context, &mappings).await?)
            .eq(ready.iter().map(|look| look.prints))
    {
        return Ok(true);
    }
    let now = look(context, &mappings).await?;
    let essence = |look: &Look| (look.name.clone(), look.parked.clone(), look.runs);
    Ok(looks_of(&now.standings).iter().map(essence).eq(ready.iter().map(essence)))
}

impl Ready {
    /// How the mappings stood, for [`still_fits`].
    pub fn looks(&self) -> Vec<Look> {
        self.looks.clone()
    }
}

fn looks_of(standings: &[Standing]) -> Vec<Look> {
    standings
        .iter()
        .map(|standing| Look {
            name: standing.asked.name.clone(),
            parked: standing.judged.parked(),
            runs: standing.judged.runs(),
            prints: standing.prints,
        })
        .collect()
}

async fn describe_both(
    context: &RunContext,
    mappings: &[Mapping],
) -> Result<PerSide<Vec<ObjectSchema>>, End> {
    let (org_names, platform_names) = (objects(mappings, Side::Org), objects(mappings, Side::Platform));
    let (org, platform) = futures_util::future::join(
        describe(context.endpoints.org.as_ref(), &org_names),
        describe(context.endpoints.platform.as_ref(), &platform_names),
    )
    .await;
    Ok(PerSide { org: org?, platform: platform? })
}

/// Judges mappings by what both sides are now and what was accepted of them.
async fn look(context: &RunContext, mappings: &[Mapping]) -> Result<Standings, End> {
    let schemas = describe_both(context, mappings).await?;
    let (compiled, problems) = compile(mappings, &schemas);
    let asked: Vec<(String, Prints, bool)> = mappings
        .iter()
        .zip(prints_of(mappings, &schemas))
        .map(|(mapping, prints)| {
            let fits = !problems
                .iter()
                .any(|problem| problem.mapping == mapping.name && problem.severity == Severity::Error);
            (mapping.name.clone(), prints, fits)
        })
        .collect();
    let known = context
        .store
        .write(move |db| {
            let mut known = Vec::with_capacity(asked.len());
            for (name, prints, fits) in asked {
                let as_accepted = fits
                    && prints.org.is_some()
                    && prints.platform.is_some()
                    && drift::accepted_prints(db, &name)? == prints;
                let accepted =
                    if as_accepted { Known::Same } else { Known::Other(drift::accepted(db, &name)?) };
                known.push((prints, accepted));
            }
            Ok(known)
        })
        .await?;
    let standings = mappings
        .iter()
        .zip(known)
        .map(|(mapping, (prints, known))| {
            let (judged, differs) = match known {
                Known::Same => {
                    (Judged { mapping: mapping.clone(), findings: Vec::new(), problems: Vec::new() }, None)
                }
                Known::Other(accepted) => (
                    judge(mapping, accepted.as_ref(), &schemas),
                    Some(Differs {
                        accepted,
                        footprint: PerSide::from_fn(|side| footprint(mapping, side, &schemas[side])),
                    }),
                ),
            };
            Standing { asked: mapping.clone(), judged, prints, differs }
        })
        .collect();
    Ok(Standings { standings, schemas, compiled, problems })
}

/// What is known of what was accepted.
enum Known {
    /// It is what both sides say now.
    Same,
    /// It may be something else.
    Other(Option<PerSide<ObjectSchema>>),
}

fn prints_of(mappings: &[Mapping], schemas: &PerSide<Vec<ObjectSchema>>) -> impl Iterator<Item = Prints> {
    mappings.iter().map(|mapping| PerSide::from_fn(|side| print_now(mapping, side, &schemas[side])))
}

/// Which mappings are as they were accepted, and were so in the last run: of them nothing is to be noted.
async fn are_quiet(context: &RunContext, standings: &[Standing]) -> Result<Vec<bool>, End> {
    let names: Vec<Option<String>> = standings
        .iter()
        .map(|standing| standing.differs.is_none().then(|| standing.asked.name.clone()))
        .collect();
    let quiet = move |db: &rusqlite::Connection| {
        let mut quiet = Vec::with_capacity(names.len());
        for name in names {
            let number = name.map(|name| drift::mapping(db, &name)).transpose()?.flatten();
            quiet.push(number.map_or(Ok(false), |number| drift::anything(db, number).map(|any| !any))?);
        }
        Ok(quiet)
    };
    Ok(context.store.write(quiet).await?)
}

/// The mappings that this run leaves out, each with how that ends the run.
async fn absent(
    context: &RunContext,
    request: &RunRequest,
    standings: &[Standing],
) -> Result<Vec<Absent>, End> {
    let mut absent = Vec::new();
    for standing in standings {
        let name = standing.asked.name.clone();
        let stopped = standing.judged.findings.iter().find(|finding| finding.effect == Effect::Stops);
        let found = if let Some(problem) = standing.judged.problems.first() {
            Some((end_of(std::slice::from_ref(&standing.asked), problem), Why::Settings))
        } else if let Some(finding) = stopped {
            let end = End::of_cause(finding.cause, format!("mapping {name}: {}", finding.message));
            Some((end, Why::Drift))
        } else if request.kind == RunKind::Automatic && !is_accepted(context, &name).await? {
            Some((
                End::new(
                    RunResult::Blocked,
                    format!(
                        "mapping {name} waits: its settings were changed outside the console and no person has accepted them. \
                         Look at them in Mapping Settings and accept them there, or run `forcesync mapping accept {name}`"
                    ),
                ),
                Why::Unaccepted,
            ))
        } else {
            None
        };
        if let Some((end, why)) = found {
            let platform_object = standing.asked.platform_object.clone();
            absent.push(Absent { name, platform_object, end, why });
        }
    }
    Ok(absent)
}

/// Whether a person has accepted a mapping as it is written (law E5).
async fn is_accepted(context: &RunContext, name: &str) -> Result<bool, End> {
    let written = context.mappings.iter().find(|known| known.name == name);
    let fingerprint = fingerprint(written.map_or(&[], std::slice::from_ref));
    let name = name.to_owned();
    let accepted = context.store.write(move |db| mappings::accepted(db, &name)).await?;
    Ok(accepted.is_some_and(|accepted| accepted == fingerprint))
}

fn end_of(mappings: &[Mapping], worst: &MappingProblem) -> End {
    let pair = worst
        .pair
        .and_then(|place| mappings.iter().find(|mapping| mapping.name == worst.mapping)?.pairs.get(place))
        .map(|pair| format!(", pair {}", pair.name()))
        .unwrap_or_default();
    End::of_cause(worst.cause, format!("mapping {}{pair}: {}", worst.mapping, worst.message))
}

/// Keeps what was found: facts for what is new or over, one issue while something is lost, and from where is to be caught up.
async fn note(context: &RunContext, standing: &Standing, left_out: Option<Why>, run: i64) -> Result<(), End> {
    // Set where there is something new to accept.
    let mut footprint = None;
    let mut seen = PerSide::default();
    if let Some(differs) = &standing.differs {
        seen = differs.footprint.clone();
        footprint =
            seen.org.clone().zip(seen.platform.clone()).map(|(org, platform)| PerSide { org, platform });
        if footprint.is_none() && differs.accepted.is_none() {
            return Ok(());
        }
    }
    let (mapping, now) = (standing.asked.clone(), context.clock.now());
    let findings = standing.judged.findings.clone();
    let fits = standing.judged.problems.is_empty();
    let parked = standing.judged.parked();
    let pairs: Vec<String> = mapping.pairs.iter().map(crate::domain::mapping::Pair::identity).collect();
    context
        .store
        .write(move |db| {
            let Some(number) = drift::mapping(db, &mapping.name)? else {
                // It has never run; what it meets first is accepted once it does.
                return Ok(());
            };
            let (fresh, ended) = drift::note(db, number, &findings, run, now)?;
            match footprint {
                Some(footprint) if fits && findings.is_empty() => {
                    drift::keep_accepted(db, number, &footprint, now)?;
                }
                Some(_) | None => drift::keep_seen(db, number, &seen)?,
            }
            tell(db, &mapping, number, &findings, &fresh, &ended, run, now)?;
            let objects = PerSide::from_fn(|side| mapping.object(side).to_owned());
            let mut absent = parked;
            for pair in &absent {
                drift::leave_out(db, number, pair, &objects, Why::Drift, now)?;
            }
            if let Some(why) = left_out {
                drift::leave_out(db, number, "", &objects, why, now)?;
                absent.push(String::new());
                // While all of it waits, its pairs do.
                absent.extend(pairs.iter().cloned());
            }
            let back = drift::take_back(db, number, &absent, &pairs, mapping.flag().is_some(), now)?;
            if back > 0 || !ended.is_empty() {
                requeue::of_mapping(db, number, now)?;
            }
            if back > 0 {
                let said = "What was left out takes part again; what was edited meanwhile is caught up.";
                facts::insert(
                    db,
                    now,
                    &NewFact::new(Level::Info, Some(run), said).of_mapping(&mapping.name),
                )?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

/// Keeps from where is to be caught up what this run leaves out, and nothing else.
async fn leave_out(context: &RunContext, standing: &Standing, left_out: Option<Why>) -> Result<(), End> {
    let (mapping, now) = (standing.asked.clone(), context.clock.now());
    let parked = standing.judged.parked();
    context
        .store
        .write(move |db| {
            let Some(number) = drift::mapping(db, &mapping.name)? else { return Ok(()) };
            let objects = PerSide::from_fn(|side| mapping.object(side).to_owned());
            for pair in &parked {
                drift::leave_out(db, number, pair, &objects, Why::Drift, now)?;
            }
            if let Some(why) = left_out {
                drift::leave_out(db, number, "", &objects, why, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

/// Under which code a mapping's issue about lost fields stands.
const DRIFT: &str = "drift";

#[expect(clippy::too_many_arguments, reason = "one step of a transaction")]
fn tell(
    db: &rusqlite::Connection,
    mapping: &Mapping,
    number: i64,
    findings: &[Finding],
    fresh: &[Finding],
    ended: &[String],
    run: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for finding in fresh {
        let level = match finding.effect {
            Effect::Stops => Level::Error,
            Effect::Parks | Effect::Warns => Level::Warn,
            Effect::Tells => Level::Info,
        };
        facts::insert(
            db,
            now,
            &NewFact::new(level, Some(run), format!("{}.", finding.message)).of_mapping(&mapping.name),
        )?;
    }
    for message in ended {
        let said = format!("No longer so: {message}.");
        facts::insert(db, now, &NewFact::new(Level::Info, Some(run), said).of_mapping(&mapping.name))?;
    }
    let lost: Vec<&Finding> = findings.iter().filter(|finding| finding.effect <= Effect::Parks).collect();
    let none = PerSide { org: None, platform: None };
    match lost.first() {
        Some(first) => issues::raise(
            db,
            &NewIssue {
                mapping: number,
                ids: none,
                side: first.side,
                label: format!(
                    "{} {} {}",
                    mapping.org_object,
                    mapping.direction.arrow(),
                    mapping.platform_object
                ),
                code: DRIFT.into(),
                message: lost.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join(". "),
                fields: lost
                    .iter()
                    .map(|finding| finding.field.clone())
                    .filter(|name| !name.is_empty())
                    .collect(),
                run,
            },
            now,
        ),
        None => issues::resolve_whole(db, number, DRIFT),
    }
}

async fn number(
    context: &RunContext,
    compiled: CompiledMapping,
    fingerprint: String,
    left_out: Vec<Pair>,
) -> Result<Prepared, End> {
    let capabilities =
        PerSide::from_fn(|side| context.endpoints[side].capabilities(compiled.spec.object(side)));
    let spec = compiled.spec.clone();
    let identities: Vec<String> = compiled.pairs.iter().map(|pair| pair.identity.clone()).collect();
    let row = context
        .store
        .write(move |db| {
            mappings::register(
                db,
                &spec.name,
                &spec.org_object,
                &spec.platform_object,
                &fingerprint,
                &identities,
            )
        })
        .await?;
    let mut us = PerSide::default();
    for side in Side::BOTH {
        us[side] = context.endpoints[side].us().await?;
    }
    Ok(Prepared { compiled: Arc::new(compiled), row, capabilities, us, left_out })
}

/// A short text that changes whenever the mappings change.
pub fn fingerprint(mappings: &[Mapping]) -> String {
    let text = serde_json::to_vec(mappings).unwrap_or_default();
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{hash:016x}")
}
