//! Saves settings and typed secrets together, after looking whether they can work.

use secrecy::SecretString;

use crate::domain::command::{Acceptance, Command};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::runner::run_mappings;
use crate::ops::secrets::{self, SecretName};
use crate::ops::session::{Access, Session};
use crate::ops::{accounts, drift, engine, unlocked};
use crate::workspace::settings::Settings;
use crate::workspace::validate::validate;
use crate::workspace::{Problem, Severity};

/// Saves. The answer is what is wrong: nothing was saved if one of them is an [`Severity::Error`], else they are things to
/// finish or to look at.
pub async fn save(
    session: &Session,
    settings: Settings,
    typed: Vec<(SecretName, SecretString)>,
) -> Result<Vec<Problem>, OpError> {
    keep(session, settings, typed, None).await
}

/// Saves settings as they stand in another text, which takes the place of the file's. Nobody accepts a mapping by that: who did not
/// make it looks at its plan first (law E5).
pub(crate) async fn replace(
    session: &Session,
    settings: Settings,
    text: &str,
) -> Result<Vec<Problem>, OpError> {
    keep(session, settings, Vec::new(), Some(text)).await
}

async fn keep(
    session: &Session,
    settings: Settings,
    typed: Vec<(SecretName, SecretString)>,
    text: Option<&str>,
) -> Result<Vec<Problem>, OpError> {
    if session.access() == Access::ReadOnly {
        return Err(
            OpError::settings("The workspace was opened read-only; nothing was saved.").code("read_only")
        );
    }
    let mut settings = settings;
    let mut problems = validate(&settings);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Ok(problems);
    }
    let before = session.settings();
    follow_platform(&before, &mut settings);
    keep_what_was_found_out(session, &before, &mut settings);
    if let Some(problem) = accounts::resolve(session, &before, &mut settings, &typed).await {
        let refused = problem.severity == Severity::Error;
        problems.push(problem);
        if refused {
            return Ok(problems);
        }
    }
    for (name, value) in typed {
        secrets::set(session, name, value).await?;
    }
    let moved = before.workspace.secrets != settings.workspace.secrets;
    session.with_file(|file| match text {
        Some(text) => file.replace(text.as_bytes(), &settings),
        None => file.save(&settings),
    })?;
    if moved {
        session.open_secrets();
    }
    for side in Side::BOTH {
        let passed = session.tests().passed(side);
        if passed.is_some_and(|passed| passed.fingerprint == unlocked::fingerprint(&settings, side)) {
            unlocked::unlock(session, side);
        }
    }
    session.schemas().clear();
    let (was, is) = (run_mappings(&before), run_mappings(&settings));
    let fresh = is.iter().filter(|mapping| text.is_none() && !was.contains(mapping));
    let accepted: Vec<String> = fresh.map(|mapping| mapping.name.clone()).collect();
    tell_engine(session, accepted).await;
    Ok(problems)
}

/// Another platform has other intervals; those that a person chose stay.
fn follow_platform(before: &Settings, settings: &mut Settings) {
    let interval = |settings: &Settings| settings.platform.kind.profile().map(|profile| profile.interval);
    if before.platform.kind == settings.platform.kind || before.schedule != settings.schedule {
        return;
    }
    let mut usual = before.schedule;
    if let Some(interval) = interval(before) {
        usual.follow(&interval);
    }
    if let (true, Some(interval)) = (usual == before.schedule, interval(settings)) {
        settings.schedule.follow(&interval);
    }
}

/// The pinned org stays as long as the connection leads to it; a test that was just passed pins a new one.
fn keep_what_was_found_out(session: &Session, before: &Settings, settings: &mut Settings) {
    let same = |first: &Settings, second: &Settings| {
        let (first, second) = (&first.salesforce, &second.salesforce);
        first.sign_in_address() == second.sign_in_address() && first.username == second.username
    };
    if !same(before, settings) {
        settings.salesforce.org_id = None;
    } else if settings.salesforce.org_id.is_none() {
        settings.salesforce.org_id.clone_from(&before.salesforce.org_id);
    }
    if settings.salesforce.org_id.is_none() {
        settings.salesforce.org_id = session
            .tests()
            .passed(Side::Org)
            .filter(|passed| passed.fingerprint == unlocked::fingerprint(settings, Side::Org))
            .and_then(|passed| passed.org_id);
    }
}

/// Pins the org that the first test of saved settings found.
pub(crate) fn pin(session: &Session, mut settings: Settings, org_id: String) {
    settings.salesforce.org_id = Some(org_id);
    if let Err(error) = session.with_file(|file| file.save(&settings)) {
        tracing::warn!(%error, "The org could not be pinned in the settings.");
    }
}

/// A running engine works with the new settings from its next run on. Who saves a mapping has accepted it (law E5).
pub(crate) async fn tell_engine(session: &Session, accepted: Vec<String>) {
    match engine::peek(session).await {
        Ok(Some(client)) => {
            let mut told = client.ask(Command::Reload).await.map(drop);
            if told.is_ok() && !accepted.is_empty() {
                told = drift::accept(&client, accepted, Acceptance::Settings).await;
            }
            if let Err(error) = told {
                tracing::warn!(%error, "The engine could not be told about the new settings.");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "The engine could not be told about the new settings."),
    }
}
