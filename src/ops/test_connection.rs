//! Tests one side with the settings as they stand in the form and the secrets as they were typed, saved or not.

use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;

use crate::connect::platform::OrgWish;
use crate::connect::salesforce::{ObjectRights, OrgIdentity, Salesforce};
use crate::domain::cost::{Task, Way, Workload};
use crate::domain::grouped::grouped;
use crate::domain::hold::Priority;
use crate::domain::port::Source;
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::{PerSide, Side};
use crate::engine::context::EngineOptions;
use crate::ops::connections;
use crate::ops::error::{OpClass, OpError};
use crate::ops::secrets::{self, SecretName};
use crate::ops::session::{Access, Session};
use crate::ops::{same_admin, save_settings, unlocked, webhooks};
use crate::workspace::settings::{PlatformKind, Settings};

/// How a test went.
#[derive(Clone, Debug, Default)]
pub struct ConnectionTest {
    /// Whether this side can be used.
    pub passed: bool,
    /// Whether trying again would not help: a refused sign-in, a missing right, a locked account.
    pub blocked: bool,
    /// What was looked at.
    pub lines: Vec<CheckLine>,
    /// The users of the platform, to pick the data owner from.
    pub owners: Vec<String>,
    /// The org that was found.
    pub org: Option<OrgSummary>,
    /// What kind of trouble ended the test, if one did.
    pub trouble: Option<OpClass>,
}

impl ConnectionTest {
    /// The exit code of a command that did this test.
    pub fn exit_code(&self) -> u8 {
        match (self.passed, self.blocked, self.trouble) {
            (true, _, _) => 0,
            (false, true, _) => OpClass::Blocked.exit_code(),
            (false, false, Some(class)) => class.exit_code(),
            (false, false, None) => OpClass::Failed.exit_code(),
        }
    }

    /// Something about the platform.
    pub(crate) fn say(&mut self, verdict: Verdict, message: impl Into<String>, field: Option<&str>) {
        self.line(verdict, subject(Side::Platform), message, field);
    }

    fn good(&mut self, subject: &str, message: impl Into<String>) {
        self.line(Verdict::Good, subject, message, None);
    }

    fn line(&mut self, verdict: Verdict, subject: &str, message: impl Into<String>, field: Option<&str>) {
        self.lines.push(CheckLine {
            verdict,
            subject: subject.into(),
            message: message.into(),
            field: field.map(str::to_owned),
        });
    }
}

/// The org that was found behind the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Such as `Enterprise Edition`.
    pub edition: String,
    /// Whether it is a sandbox.
    pub sandbox: bool,
    /// Our user.
    pub user: String,
    /// Our user's e-mail address.
    pub email: String,
    /// Whether our user may change all data, as an admin may; nothing where it can't be told.
    pub admin: Option<bool>,
    /// API calls used and allowed today.
    pub api_budget: Option<(u64, u64)>,
}

/// The last test of each side in this session, by the settings it was made with.
#[derive(Debug, Default)]
pub(crate) struct LastTests(Mutex<PerSide<Option<Passed>>>);

/// A test that was passed.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// Of the connection's settings.
    pub(crate) fingerprint: String,
    /// The org that was found.
    pub(crate) org_id: Option<String>,
    /// The same, with our user.
    pub(crate) org: Option<OrgSummary>,
}

impl LastTests {
    pub(crate) fn passed(&self, side: Side) -> Option<Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[side].clone()
    }

    fn remember(&self, side: Side, passed: Option<Passed>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[side] = passed;
    }
}

/// Signs in on one side and looks around. Typed secrets come before stored ones. A test that is passed with the saved
/// settings unlocks its side (F79), and the first one pins the org (law E17).
pub async fn test(
    session: &Session,
    side: Side,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
) -> ConnectionTest {
    let mut test = ConnectionTest::default();
    let done = match side {
        Side::Org => org(session, settings, typed, &mut test).await,
        Side::Platform => platform(session, settings, typed, &mut test).await,
    };
    match done {
        Ok(()) => test.passed = !test.lines.iter().any(|line| line.verdict == Verdict::Bad),
        Err(error) => {
            let field = field_of(side, settings, &error);
            test.blocked = error.class == OpClass::Blocked;
            test.trouble = Some(error.class);
            test.line(Verdict::Bad, subject(side), error.message, field.as_deref());
        }
    }
    remember(session, side, settings, typed, &test);
    test
}

fn subject(side: Side) -> &'static str {
    match side {
        Side::Org => "salesforce",
        Side::Platform => "platform",
    }
}

fn remember(
    session: &Session,
    side: Side,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
    test: &ConnectionTest,
) {
    let fingerprint = unlocked::fingerprint(settings, side);
    let org_id = test.org.as_ref().map(|org| org.id.clone());
    let passed = test.passed.then(|| Passed {
        fingerprint: fingerprint.clone(),
        org_id: org_id.clone(),
        org: test.org.clone(),
    });
    session.tests().remember(side, passed);
    let saved = session.settings();
    let is_saved = typed.is_empty() && unlocked::fingerprint(&saved, side) == fingerprint;
    if test.passed && is_saved && session.access() == Access::ReadWrite {
        unlocked::unlock(session, side);
        if let (Side::Org, Some(org_id), None) = (side, org_id, &saved.salesforce.org_id) {
            save_settings::pin(session, saved, org_id);
        }
    }
}

async fn org(
    session: &Session,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
    test: &mut ConnectionTest,
) -> Result<(), OpError> {
    let known = secrets::read(session, settings, Side::Org, typed).await?;
    let connection = connections::salesforce(settings, &known, &session.surroundings())?;
    let identity = connection.sign_in().await?;
    describe_org(&identity, test);
    let objects = org_objects(settings);
    let rights = connection.rights(&objects).await?;
    for rights in &rights {
        rights_line(rights, settings, test);
    }
    let needed = calls_of_initial(&connection, &rights, test);
    budget_line(&connection, settings, test, needed).await;
    test.org = Some(summary(&identity, &connection));
    Ok(())
}

fn summary(identity: &OrgIdentity, connection: &Salesforce) -> OrgSummary {
    OrgSummary {
        id: identity.org_id.to_string(),
        name: identity.name.clone(),
        edition: identity.edition.clone(),
        sandbox: identity.is_sandbox,
        user: identity.username.clone(),
        email: identity.email.clone(),
        admin: identity.modifies_all_data,
        api_budget: connection.api_budget(),
    }
}

/// The org objects of the mappings; before there are any, those that a first mapping would use.
pub(crate) fn org_objects(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = settings.mappings.iter().map(|mapping| mapping.org_object.clone()).collect();
    if names.is_empty() {
        names = vec!["Contact".into(), "Lead".into()];
    }
    names.sort();
    names.dedup();
    names
}

fn describe_org(identity: &OrgIdentity, test: &mut ConnectionTest) {
    test.good("salesforce", format!("Signed in as {}.", identity.username));
    let kind = if identity.is_sandbox { "a sandbox" } else { "not a sandbox" };
    let org = format!("Org {} “{}”, {}, {kind}.", identity.org_id, identity.name, identity.edition);
    // F45: the editions that have the API.
    let known = ["Enterprise", "Unlimited", "Developer", "Performance"];
    if known.iter().any(|edition| identity.edition.starts_with(edition)) {
        test.good("salesforce", org);
    } else {
        let advice = "This edition may have no API; Enterprise, Unlimited and Developer do.";
        test.line(Verdict::Warning, "salesforce", format!("{org} {advice}"), None);
    }
    test.good("salesforce", format!("API version {}.", identity.api_version));
}

fn rights_line(rights: &ObjectRights, settings: &Settings, test: &mut ConnectionTest) {
    let subject = subject(Side::Org);
    let writes = |wanted: fn(&crate::domain::mapping::Mapping) -> bool| {
        settings.mappings.iter().any(|mapping| {
            mapping.enabled && mapping.org_object.eq_ignore_ascii_case(&rights.object) && wanted(mapping)
        })
    };
    if !rights.readable {
        let message = format!(
            "{} can't be read by this user. Give it read access (permission set or profile) to the object.",
            rights.object
        );
        test.blocked = true;
        return test.line(Verdict::Bad, subject, message, None);
    }
    let mut may = vec!["read"];
    may.extend(rights.createable.then_some("create"));
    may.extend(rights.updateable.then_some("update"));
    let missing_create = !rights.createable && writes(|mapping| mapping.creates_on(Side::Org));
    let missing_update = !rights.updateable && writes(|mapping| mapping.direction.allows(Side::Org));
    if missing_create || missing_update {
        let what = if missing_create { "create" } else { "update" };
        let message = format!(
            "{}: {} only; the mapping needs the right to {what}. Give it to the integration user.",
            rights.object,
            may.join(", ")
        );
        test.blocked = true;
        return test.line(Verdict::Bad, subject, message, None);
    }
    test.good(subject, format!("{}: {}.", rights.object, may.join(", ")));
    if rights.sees_all() == Some(false) {
        let message = format!(
            "{}: the user sees {} of about {} records. Without “View All” the others are never synchronized.",
            rights.object,
            grouped(rights.seen.unwrap_or(0)),
            grouped(rights.existing.unwrap_or(0))
        );
        test.line(Verdict::Warning, subject, message, None);
    }
}

/// About how many calls to the org an initial sync takes: to read everything, and at most besides, if every record is written.
/// Each by the way that costs less; where that is a bulk job, it is said.
fn calls_of_initial(
    connection: &Salesforce,
    rights: &[ObjectRights],
    test: &mut ConnectionTest,
) -> (u64, u64) {
    let portion = EngineOptions::default().portion as u64;
    let (mut read, mut write) = (2, 0);
    for rights in rights {
        let Some(rows) = rights.seen else { continue };
        let foresee = |task, rows| connection.foresee(&Workload { task, rows });
        if let Some(choice) = foresee(Task::Read, rows) {
            read += choice.forecast().calls;
            if choice.way == Way::Job {
                test.good("salesforce", choice.sentence(&rights.object));
            }
        }
        // What is written is verified 2,000 at a time before.
        write += rows.div_ceil(2_000);
        let of = |rows| foresee(Task::Write, rows).map_or(0, |choice| choice.forecast().calls);
        write += (rows / portion) * of(portion) + if rows % portion > 0 { of(rows % portion) } else { 0 };
    }
    (read, write)
}

async fn budget_line(
    connection: &Salesforce,
    settings: &Settings,
    test: &mut ConnectionTest,
    (read, write): (u64, u64),
) {
    let budget = match connection.api_budget() {
        Some(budget) => Some(budget),
        None => connection.ask_api_budget().await.ok().map(|budget| (budget.used, budget.limit)),
    };
    let Some((used, limit)) = budget.filter(|(_, limit)| *limit > 0) else { return };
    let percent = used.saturating_mul(100) / limit;
    let line = format!(
        "{} of {} API calls of the last 24 hours are used ({percent} %).",
        grouped(used),
        grouped(limit)
    );
    let left = Priority::Automatic.share(limit, settings.salesforce.api_reserve_percent).saturating_sub(used);
    let reserve = u64::from(settings.salesforce.api_reserve_percent);
    if percent + reserve >= 100 {
        let message = format!(
            "{line} The {reserve} % kept for others are reached, so runs wait until calls are free again."
        );
        test.line(Verdict::Warning, "salesforce", message, Some("salesforce.api_reserve_percent"));
    } else {
        let line = format!("{line} {reserve} % are kept for others, which leaves {} to us.", grouped(left));
        let need = format!(
            "An initial sync takes about {} calls to read, and at most {} more if every record is written.",
            grouped(read),
            grouped(write)
        );
        if read > left {
            let message = format!("{line} {need} It will wait as limited in between and go on by itself.");
            test.line(Verdict::Warning, "salesforce", message, Some("salesforce.api_reserve_percent"));
        } else {
            test.good("salesforce", line);
            test.good("salesforce", need);
        }
    }
}

async fn platform(
    session: &Session,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
    test: &mut ConnectionTest,
) -> Result<(), OpError> {
    let known = secrets::read(session, settings, Side::Platform, typed).await?;
    let connection = connections::platform_to_test(settings, &known, &session.surroundings())?;
    let examined = connection.examine().await?;
    // First, so that a small screen shows it, too.
    if let Some(hooks) = connection.webhooks() {
        test.lines.extend(webhooks::state(session, settings, hooks).await);
    }
    test.lines.extend(examined.lines);
    test.owners = examined.users;
    if examined.org != OrgWish::default() {
        let org = known_org(session, settings, typed).await;
        same_admin::compare(&examined.org, org.as_ref(), test);
    }
    if examined.unfinished {
        test.trouble = Some(OpClass::Settings);
    }
    Ok(())
}

/// The org behind the settings: as a test of them has just found it, else asked.
async fn known_org(
    session: &Session,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
) -> Option<OrgSummary> {
    let fingerprint = unlocked::fingerprint(settings, Side::Org);
    let passed = session.tests().passed(Side::Org).filter(|passed| passed.fingerprint == fingerprint);
    if let Some(org) = passed.and_then(|passed| passed.org) {
        return Some(org);
    }
    let known = secrets::read(session, settings, Side::Org, typed).await.ok()?;
    let connection = connections::salesforce(settings, &known, &session.surroundings()).ok()?;
    let identity = connection.sign_in().await.ok()?;
    Some(summary(&identity, &connection))
}

/// The field of the form beside which an error belongs.
fn field_of(side: Side, settings: &Settings, error: &OpError) -> Option<String> {
    let message = error.message.to_ascii_lowercase();
    let code = error.code.as_str();
    let field = match side {
        Side::Org => match (error.class, code) {
            (OpClass::Settings, "SECRET_MISSING") => connections::needed_secrets(settings, side)
                .into_iter()
                .find(|name| error.message.contains(name.word()))
                .map(SecretName::word)?,
            (_, "NOT_SIGNED_IN") => "salesforce.refresh_token",
            _ if message.contains("refresh token") || message.contains("sign in again") => {
                "salesforce.refresh_token"
            }
            _ if message.contains("security token") => "salesforce.security_token",
            _ if message.contains("ca_file") || message.contains("certificate") => "salesforce.ca_file",
            _ if message.contains("client secret") || message.contains("consumer secret") => {
                "salesforce.client_secret"
            }
            _ if message.contains("client id") || message.contains("consumer key") => "salesforce.client_id",
            _ if code.contains("HOST") || message.contains("my domain") || message.contains("address") => {
                "salesforce.my_domain"
            }
            (OpClass::Blocked, _) if message.contains("password") => "salesforce.password",
            (OpClass::Blocked, _) => "salesforce.username",
            _ => "salesforce.my_domain",
        },
        Side::Platform if settings.platform.kind != PlatformKind::SALESMANAGO => {
            return platform_field(settings, error, &message);
        }
        Side::Platform => match (error.class, code) {
            (OpClass::Settings, "SECRET_MISSING") => "salesmanago.api_secret",
            _ if message.contains("owner") => "platform.salesmanago.owner",
            (OpClass::Blocked, _) if message.contains("secret") => "salesmanago.api_secret",
            (OpClass::Blocked, _) => "platform.salesmanago.client_id",
            _ if message.contains("client id") => "platform.salesmanago.client_id",
            _ => "platform.salesmanago.endpoint",
        },
    };
    Some(field.to_owned())
}

/// Of any platform whose settings its profile lists: the setting that the message names, else the secret where the sign-in was
/// refused, else the address.
fn platform_field(settings: &Settings, error: &OpError, message: &str) -> Option<String> {
    let kind = settings.platform.kind;
    let profile = kind.profile()?;
    let path = |name: &str| format!("platform.{kind}.{name}");
    if error.code == "SECRET_MISSING" || error.class == OpClass::Blocked {
        return Some(path(&profile.secrets().next()?.name));
    }
    let named = profile.settings.iter().find(|setting| {
        message.contains(&setting.name) || message.contains(&setting.label.to_ascii_lowercase())
    });
    Some(path(named.map_or("endpoint", |setting| setting.name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::RecordId;

    fn identity(edition: &str) -> OrgIdentity {
        OrgIdentity {
            org_id: RecordId::new("00D000000000001EAA"),
            name: "Acme".into(),
            edition: edition.into(),
            is_sandbox: false,
            instance: "EU10".into(),
            address: "https://acme.my.salesforce.com".into(),
            api_version: "67.0".into(),
            user_id: RecordId::new("005000000000001AAA"),
            username: "ops@acme.example".into(),
            email: "ops@acme.example".into(),
            language: "en_US".into(),
            modifies_all_data: Some(true),
            views_all_data: Some(true),
        }
    }

    /// F45: Enterprise, Unlimited and Developer Edition are supported.
    #[test]
    fn f45_an_edition_that_may_have_no_interface_is_warned_of() {
        for (edition, warned) in [
            ("Enterprise Edition", false),
            ("Unlimited Edition", false),
            ("Developer Edition", false),
            ("Professional Edition", true),
            ("Team Edition", true),
        ] {
            let mut test = ConnectionTest::default();
            describe_org(&identity(edition), &mut test);
            let warnings = test.lines.iter().filter(|line| line.verdict == Verdict::Warning).count();
            assert_eq!(warnings == 1, warned, "{edition}: {:?}", test.lines);
        }
    }
}
