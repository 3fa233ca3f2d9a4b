//! Before anything is read: the org is the pinned one, both sides are described, mappings are compiled and numbered.

use std::collections::BTreeSet;

use crate::domain::command::RunRequest;
use crate::domain::compiled::{Compiled, CompiledMapping, MappingProblem, Severity, compile};
use crate::domain::criteria::Criteria;
use crate::domain::mapping::{Direction, Mapping};
use crate::domain::outcome::RunResult;
use crate::domain::port::Source;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::{End, RunContext};
use crate::engine::session::Prepared;
use crate::store::mappings;

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

/// Compiles and numbers the mappings of a run; gives what should be looked at besides.
pub async fn prepare(
    context: &RunContext,
    request: &RunRequest,
) -> Result<(Vec<Prepared>, Vec<MappingProblem>), End> {
    let mappings = wanted(context, request)?;
    pin_org(context).await?;
    let (compiled, problems) = match compiled(context, &mappings).await {
        // What was remembered may be out of date: a right that was given back is seen at once.
        Err(end) if end.result == RunResult::Blocked => {
            for side in Side::BOTH {
                context.endpoints[side].distrust_descriptions();
            }
            compiled(context, &mappings).await?
        }
        compiled => compiled?,
    };
    let mut prepared = Vec::with_capacity(compiled.len());
    for mapping in compiled {
        prepared.push(number(context, mapping).await?);
    }
    Ok((prepared, problems))
}

/// Looks again once everything is read: a field that went away meanwhile was left out of what was read, and whatever the other side
/// holds for it would be passed by (law E13). Costs no call where a side knows its description.
pub async fn still_fits(context: &RunContext, request: &RunRequest) -> Result<(), End> {
    compiled(context, &wanted(context, request)?).await.map(drop)
}

/// Compiles mappings against what both sides are now; what can't work ends the run.
async fn compiled(
    context: &RunContext,
    mappings: &[Mapping],
) -> Result<(Vec<CompiledMapping>, Vec<MappingProblem>), End> {
    let (org_names, platform_names) = (objects(mappings, Side::Org), objects(mappings, Side::Platform));
    let (org, platform) = futures_util::future::join(
        describe(context.endpoints.org.as_ref(), &org_names),
        describe(context.endpoints.platform.as_ref(), &platform_names),
    )
    .await;
    let (Compiled { mappings: compiled, .. }, problems) =
        compile(mappings, &PerSide { org: org?, platform: platform? });
    if let Some(worst) = problems.iter().find(|problem| problem.severity == Severity::Error) {
        let pair = worst
            .pair
            .and_then(|place| mappings.iter().find(|mapping| mapping.name == worst.mapping)?.pairs.get(place))
            .map(|pair| format!(", pair {}", pair.name()))
            .unwrap_or_default();
        return Err(End::new(
            RunResult::Blocked,
            format!("mapping {}{pair}: {}", worst.mapping, worst.message),
        ));
    }
    Ok((compiled, problems))
}

async fn number(context: &RunContext, compiled: CompiledMapping) -> Result<Prepared, End> {
    let capabilities =
        PerSide::from_fn(|side| context.endpoints[side].capabilities(compiled.spec.object(side)));
    let spec = compiled.spec.clone();
    let identities: Vec<String> = compiled.pairs.iter().map(|pair| pair.identity.clone()).collect();
    let fingerprint = fingerprint(std::slice::from_ref(&spec));
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
    Ok(Prepared { compiled, row, capabilities })
}

/// A short text that changes whenever the mappings change.
pub fn fingerprint(mappings: &[Mapping]) -> String {
    let text = serde_json::to_vec(mappings).unwrap_or_default();
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{hash:016x}")
}
