//! Starts runs, and says beforehand whether they can work.

use crate::domain::by_hand::ByHand;
use crate::domain::command::{Command, Reply, RunRequest};
use crate::domain::mapping::{Direction, Mapping};
use crate::domain::outcome::RunKind;
use crate::domain::plan::saved::PlanOrder;
use crate::domain::progress::EngineState;
use crate::domain::side::Side;
use crate::domain::side_effects::{self, Events, SideEffect};
use crate::ops::connections;
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::Session;
use crate::ops::{read, secrets};
use crate::workspace::Problem;
use crate::workspace::settings::{PlatformKind, Settings, Transport};

/// Refuses what can't work by the settings alone: a file with errors, no mapping, an unknown name.
pub fn examine(session: &Session, request: &RunRequest) -> Result<(), OpError> {
    let problems: Vec<_> = session.problems().into_iter().filter(Problem::blocks).collect();
    if let Some(first) = problems.first() {
        let more = match problems.len() {
            1 => String::new(),
            count => format!(" ({} more; `forcesync config validate` lists them.)", count - 1),
        };
        return Err(OpError::settings(format!("{}: {first}{more}", session.settings_file().display())));
    }
    let settings = session.settings();
    for name in &request.mappings {
        match settings.mapping(name) {
            None => {
                let known: Vec<&str> =
                    settings.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
                return Err(OpError::settings(format!(
                    "There is no mapping “{name}”; known are {}.",
                    known.join(", ")
                ))
                .code("no_mapping"));
            }
            Some(mapping) if !mapping.enabled => {
                return Err(OpError::settings(format!(
                    "The mapping “{name}” is switched off; switch it on first."
                ))
                .code("mapping_off"));
            }
            Some(_) => {}
        }
    }
    if !settings.mappings.iter().any(|mapping| mapping.enabled) {
        return Err(OpError::settings(
            "There is no mapping that is switched on, so there is nothing to run. Open the console and add one.",
        )
        .code("no_mapping"));
    }
    Ok(())
}

/// Refuses an engine of this process that would lack a secret; one elsewhere has its own environment.
pub async fn examine_secrets(session: &Session, engine: &EngineClient) -> Result<(), OpError> {
    if engine.place() != Place::InProcess {
        return Ok(());
    }
    let settings = session.settings();
    for side in Side::BOTH {
        let known = secrets::read(session, &settings, side, &[]).await?;
        connections::refuse_missing(&settings, side, &known)?;
    }
    Ok(())
}

/// Refuses an instant sync of what was never fully read: there is no moment since which something could have changed.
pub async fn examine_first_sync(
    session: &Session,
    engine: &EngineClient,
    request: &RunRequest,
) -> Result<(), OpError> {
    // An engine at work refuses by itself, and its run may be the very first one.
    if request.kind != RunKind::Instant || engine.progress().borrow().state != EngineState::Idle {
        return Ok(());
    }
    unread(session, &request.mappings).await?.map_or(Ok(()), Err)
}

/// Why nothing can be told from changes yet: an object of these mappings (all enabled ones if empty) was never read to its end
/// (law E11).
pub async fn unread(session: &Session, mappings: &[String]) -> Result<Option<OpError>, OpError> {
    let settings = session.settings();
    let wanted = settings
        .mappings
        .iter()
        .filter(|mapping| mapping.enabled && (mappings.is_empty() || mappings.contains(&mapping.name)));
    // Where all mappings of an object go forward, there is nothing to be read in full first.
    let mut objects: Vec<(Side, String)> = wanted
        .filter(|mapping| mapping.since.is_none())
        .flat_map(|mapping| Side::BOTH.map(|side| (side, mapping.object(side).to_owned())))
        .collect();
    objects.sort();
    objects.dedup();
    let unread = read::never_read(session, objects).await?;
    if unread.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> =
        unread.iter().map(|(side, object)| format!("{object} ({})", side.place())).collect();
    Ok(Some(OpError::settings(format!(
        "There has been no complete initial sync of {} yet, so nothing is known to tell changes from. Run `forcesync sync initial` \
         first; one that was interrupted goes on where it ended.",
        names.join(", ")
    ))
    .code("no_initial_sync")))
}

/// What a run of that kind sets off besides its writes (law E17).
pub fn side_effects(session: &Session, request: &RunRequest) -> Vec<SideEffect> {
    let settings = session.settings();
    let wanted: Vec<Mapping> = settings
        .mappings
        .iter()
        .filter(|mapping| request.mappings.is_empty() || request.mappings.contains(&mapping.name))
        .filter_map(|mapping| {
            let direction = request
                .direction
                .map_or(Some(mapping.direction), |direction| mapping.direction.and(direction))?;
            Some(Mapping { direction, ..mapping.clone() })
        })
        .collect();
    side_effects::of_run(&wanted, request.kind, events(&settings))
}

/// A request for a plan, with what the run would set off.
pub(super) fn with_side_effects(session: &Session, request: &RunRequest) -> RunRequest {
    let plan = match &request.plan {
        Some(PlanOrder::Make { name, .. }) => {
            let fires = side_effects::sentences(&side_effects(session, request));
            Some(PlanOrder::Make { name: name.clone(), fires })
        }
        other => other.clone(),
    };
    RunRequest { plan, ..request.clone() }
}

/// What the platform can hold back, as it is written to.
pub fn events(settings: &Settings) -> Events {
    let kind = settings.platform.kind;
    match settings.platform.salesmanago.transport {
        _ if kind != PlatformKind::SALESMANAGO => {
            kind.profile().map_or_else(Events::default, |profile| profile.events)
        }
        Transport::Async => Events::Switched,
        Transport::PerRow => Events::Unswitched,
    }
}

/// A person types the workspace's name, so that a sandbox is joined to a live account or the reverse (law E17).
pub async fn confirm_workspace(engine: &EngineClient, name: &str) -> Result<(), OpError> {
    match engine.ask(Command::ConfirmWorkspace { name: name.to_owned() }).await? {
        Reply::Refused { message } => Err(OpError::settings(message).code("workspace_name")),
        Reply::Accepted
        | Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Ok(()),
    }
}

/// A sentence for the question before an initial sync.
pub fn what_an_initial_sync_does(session: &Session, request: &RunRequest) -> String {
    let settings = session.settings();
    let wanted = |mapping: &&Mapping| {
        mapping.enabled && (request.mappings.is_empty() || request.mappings.contains(&mapping.name))
    };
    let lines: Vec<String> = settings
        .mappings
        .iter()
        .filter(wanted)
        .map(|mapping| {
            let direction = request
                .direction
                .map_or(Some(mapping.direction), |direction| mapping.direction.and(direction))
                .map_or("·", Direction::arrow);
            format!("  {} {direction} {}", mapping.org_object, mapping.platform_object)
        })
        .collect();
    let fires = side_effects::sentences(&side_effects(session, request));
    format!(
        "An initial sync reads every record of both sides and writes what differs:\n{}\nWhat it sets off besides:\n  {}",
        lines.join("\n"),
        fires.join("\n  ")
    )
}

/// Starts a run and tells its number.
pub async fn start(engine: &EngineClient, request: RunRequest) -> Result<i64, OpError> {
    begin(engine, Command::Start(request)).await
}

/// Tries issues again in an own run, all open ones if none is named, and tells its number.
pub async fn retry(engine: &EngineClient, issues: Vec<i64>) -> Result<i64, OpError> {
    begin(engine, Command::Retry { issues }).await
}

/// Hands the engine what a person decided; tells the run that takes it, or `None` where one is on its way and the next one does.
pub async fn decide(engine: &EngineClient, by_hand: ByHand) -> Result<Option<i64>, OpError> {
    match engine.ask(Command::Decide(by_hand)).await? {
        Reply::Started { run } => Ok(Some(run)),
        Reply::Accepted => Ok(None),
        Reply::Refused { message } => Err(refusal(engine, message)),
        Reply::Status { .. } | Reply::Forgotten { .. } | Reply::Moved { .. } | Reply::Kept { .. } => {
            Err(OpError::failed("The engine answered something else than it was asked."))
        }
    }
}

async fn begin(engine: &EngineClient, command: Command) -> Result<i64, OpError> {
    match engine.ask(command).await? {
        Reply::Started { run } => Ok(run),
        Reply::Refused { message } => Err(refusal(engine, message)),
        Reply::Accepted
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Err(OpError::failed("The engine answered something else than it was asked.")),
    }
}

/// An engine elsewhere that refuses is busy; one of our own could not begin, and its report says why.
fn refusal(engine: &EngineClient, message: String) -> OpError {
    let class = match engine.place() {
        Place::Socket { .. } => OpClass::Busy,
        Place::InProcess => engine
            .reports()
            .borrow()
            .as_ref()
            .filter(|report| report.run == 0)
            .map_or(OpClass::Failed, |report| OpClass::of_result(report.result)),
    };
    OpError::new(class, message)
}
