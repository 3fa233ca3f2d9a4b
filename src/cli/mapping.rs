//! `forcesync mapping`: which objects are paired, and field by field how.

use serde::Serialize;

use crate::cli::arguments::{Mapping, MappingAction};
use crate::cli::context::Context;
use crate::cli::mapping_sample;
use crate::cli::table::Table;
use crate::domain::command::{Acceptance, Command};
use crate::domain::drift::Effect;
use crate::domain::mapping::{self, Pair};
use crate::domain::report::StatusReport;
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::members::{self, Members};
use crate::ops::session::{Access, Session};
use crate::ops::{drift, read};

/// `{"event":"accepted",…}`
#[derive(Serialize)]
struct Accepted<'a> {
    event: &'static str,
    what: Acceptance,
    mappings: &'a [String],
}

pub(super) async fn run(arguments: Mapping, context: &Context) -> Result<u8, OpError> {
    let action = arguments.action.unwrap_or(MappingAction::List);
    if let MappingAction::Accept { names } = action {
        return accept(names, context).await;
    }
    let session = context.open(Access::ReadOnly)?;
    let settings = session.settings();
    match action {
        MappingAction::Count { name, org, platform } => {
            let found = known(&settings.mappings, &name)?;
            let other = PerSide { org, platform };
            return count(&session, found, &other, context).await;
        }
        MappingAction::Sample { name, record } => {
            let found = known(&settings.mappings, &name)?;
            return mapping_sample::show(&session, found, record.as_deref(), context).await;
        }
        MappingAction::Accept { .. } | MappingAction::List => {
            let waiting = read::status(&session).await?;
            list(&settings.mappings, &waiting, context);
        }
        MappingAction::Show { name } => {
            show(known(&settings.mappings, &name)?, context);
        }
    }
    Ok(0)
}

fn known<'a>(mappings: &'a [mapping::Mapping], name: &str) -> Result<&'a mapping::Mapping, OpError> {
    mappings.iter().find(|mapping| mapping.name == name).ok_or_else(|| {
        let names: Vec<&str> = mappings.iter().map(|mapping| mapping.name.as_str()).collect();
        let known = if names.is_empty() {
            "there is none yet".into()
        } else {
            format!("known are {}", names.join(", "))
        };
        OpError::settings(format!("There is no mapping “{name}”; {known}.")).code("no_mapping")
    })
}

/// `{"event":"members",…}`
#[derive(Serialize)]
struct MembersOf<'a> {
    event: &'static str,
    mapping: &'a str,
    side: Side,
    object: &'a str,
    criteria: Option<&'a str>,
    #[serde(flatten)]
    members: Members,
}

async fn count(
    session: &Session,
    mapping: &mapping::Mapping,
    other: &PerSide<Option<String>>,
    context: &Context,
) -> Result<u8, OpError> {
    for side in Side::BOTH {
        let criteria = other[side].as_deref().or(mapping.criteria(side));
        let object = mapping.object(side);
        let members = members::count(session, side, object, criteria).await?;
        let event = "members";
        context.output.object(&MembersOf { event, mapping: &mapping.name, side, object, criteria, members });
        let tested = criteria.map(|criteria| format!(" where {criteria}")).unwrap_or_default();
        context.output.text(format_args!("{object} ({side}){tested}: {members}"));
    }
    Ok(0)
}

async fn accept(names: Vec<String>, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    if let Some(problem) = session.problems().iter().find(|problem| problem.blocks()) {
        return Err(OpError::settings(format!("{}: {problem}", session.settings_file().display())));
    }
    drift::known(&session, &names)?;
    let engine = attach(&session).await?;
    let done = match engine.ask(Command::Reload).await {
        Ok(_) => drift::accept(&engine, names.clone(), Acceptance::Settings).await,
        Err(error) => Err(error),
    };
    engine.close().await;
    done?;
    context.output.object(&Accepted { event: "accepted", what: Acceptance::Settings, mappings: &names });
    let which =
        if names.is_empty() { "All mappings are".to_owned() } else { format!("{}:", names.join(", ")) };
    context.output.text(format_args!("{which} accepted as written; automatic runs take them in."));
    Ok(0)
}

fn list(mappings: &[mapping::Mapping], status: &StatusReport, context: &Context) {
    let mut table = Table::new(&["name", "Salesforce", "", "platform", "pairs", "key", "state"]);
    for mapping in mappings {
        context.output.object(mapping);
        table.row([
            mapping.name.as_str(),
            &mapping.org_object,
            mapping.direction.arrow(),
            &mapping.platform_object,
            &mapping.pairs.len().to_string(),
            &key(mapping),
            &state(mapping, status),
        ]);
    }
    if table.is_empty() {
        context
            .output
            .text("There are no mappings yet. The console proposes some once both sides are connected.");
    } else {
        table.print(&context.output);
    }
}

/// Whether runs take it in, and what they leave out.
fn state(mapping: &mapping::Mapping, status: &StatusReport) -> String {
    if !mapping.enabled {
        return "off".into();
    }
    let drift = status.drift.iter().filter(|row| row.finding.mapping == mapping.name);
    match drift.map(|row| row.finding.effect).min() {
        Some(Effect::Stops) => "stopped: `forcesync drift`".into(),
        _ if status.unaccepted.contains(&mapping.name) => "on, not accepted".into(),
        Some(Effect::Parks) => "on, fields lost: `forcesync drift`".into(),
        Some(Effect::Warns | Effect::Tells) | None => "on".into(),
    }
}

fn key(mapping: &mapping::Mapping) -> String {
    let keys: Vec<String> =
        mapping.pairs.iter().filter(|pair| pair.key).map(|pair| pair.org.join(" + ")).collect();
    if keys.is_empty() { "–".into() } else { keys.join(", ") }
}

fn show(mapping: &mapping::Mapping, context: &Context) {
    let output = &context.output;
    output.object(mapping);
    output.text(format_args!(
        "{}: {} {} {}",
        mapping.name,
        mapping.org_object,
        mapping.direction.arrow(),
        mapping.platform_object
    ));
    for (side, criteria) in [("Salesforce", &mapping.org_criteria), ("platform", &mapping.platform_criteria)]
    {
        if let Some(criteria) = criteria {
            output.text(format_args!("  {side} criteria: {criteria}"));
        }
    }
    output.text(format_args!(
        "  creates: {}",
        match (mapping.create_in_org, mapping.create_on_platform) {
            (true, true) => "on both sides",
            (true, false) => "in Salesforce only",
            (false, true) => "on the platform only",
            (false, false) => "nothing",
        }
    ));
    output.text(format_args!(
        "  deletes: {}",
        match (mapping.deletes, &mapping.deactivate) {
            (mapping::DeletePolicy::Ignore, _) => "are ignored".to_owned(),
            (mapping::DeletePolicy::Propagate, _) => "reach the other side".to_owned(),
            (mapping::DeletePolicy::Deactivate, Some(chosen)) =>
                format!("set {} of the {} to {}", chosen.field, chosen.side, chosen.value),
            (mapping::DeletePolicy::Deactivate, None) => "are to deactivate, but nothing says how".to_owned(),
        }
    ));
    if mapping.org_object.eq_ignore_ascii_case("Lead") {
        output.text(format_args!(
            "  converted leads: {}",
            match mapping.conversion() {
                mapping::Conversion::HandOver => "the contact takes the platform's record over",
                mapping::Conversion::TwoRecords => "lead and contact have a record each",
            }
        ));
    }
    if let Some(flag) = mapping.flag() {
        output.text(format_args!("  sync flag: only records with {flag} are carried over"));
    }
    let mut table = Table::new(&["Salesforce field", "", "platform field", "key", "policy", "transform"]);
    for pair in &mapping.pairs {
        table.row([
            pair.org.join(" + "),
            pair.direction.arrow().into(),
            pair.platform.join(" + "),
            if pair.key { "●".into() } else { String::new() },
            policy(pair),
            transform(pair),
        ]);
    }
    for line in table.lines() {
        output.text(format_args!("  {line}"));
    }
}

fn policy(pair: &Pair) -> String {
    if pair.transform.is_consent() {
        return "opt-out wins".into();
    }
    match pair.policy {
        mapping::Policy::SalesforceWins => "salesforce_wins",
        mapping::Policy::PlatformWins => "platform_wins",
        mapping::Policy::NewestWins => "newest_wins",
        mapping::Policy::KeepNonBlank => "keep_non_blank",
        mapping::Policy::Ask => "ask",
    }
    .into()
}

fn transform(pair: &Pair) -> String {
    match &pair.transform {
        Transform::Copy => String::new(),
        Transform::FullName => "full name".into(),
        Transform::Consent { .. } => "consent".into(),
        Transform::Table(table) => format!("table of {}", table.entries.len()),
        Transform::Constant(text) => format!("always “{text}”"),
        Transform::Reference(target) => format!("leads to {target}"),
        Transform::Rules(_) => pair.transform.words(),
    }
}
