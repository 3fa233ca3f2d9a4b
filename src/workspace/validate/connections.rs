//! Judges the workspace's name, both connections and the schedule.

use std::time::Duration;

use super::Findings;
use crate::domain::profile::SettingKind;
use crate::workspace::address;
use crate::workspace::settings::{
    Environment, PlatformConnection, PlatformKind, SalesforceConnection, SalesmanagoConnection, Settings,
    SignIn,
};

/// The shortest interval of automatic sync.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// The oldest version of Salesforce's API that has everything we use.
const OLDEST_API: u32 = 45;

pub(super) fn judge(settings: &Settings, findings: &mut Findings) {
    if settings.workspace.name.trim().is_empty() {
        findings.unfinished("workspace.name", "The workspace has no name yet.");
    }
    salesforce(&settings.salesforce, findings);
    if settings.platform.kind == PlatformKind::SALESMANAGO {
        salesmanago(&settings.platform.salesmanago, findings);
    } else {
        platform(&settings.platform, findings);
    }
    let schedule = &settings.schedule;
    let intervals = [
        ("schedule.every", Some(schedule.every)),
        ("schedule.every_to_org", schedule.every_to_org),
        ("schedule.every_to_platform", schedule.every_to_platform),
    ];
    for (path, every) in intervals {
        if every.is_some_and(|every| every.duration() < SHORTEST_INTERVAL) {
            findings.error(path, "The interval is too short: automatic sync needs 10 seconds or more.");
        }
    }
}

fn salesforce(connection: &SalesforceConnection, findings: &mut Findings) {
    let has_address = !connection.my_domain.trim().is_empty();
    if has_address {
        if let Err(error) = address::check(&connection.my_domain) {
            findings.error("salesforce.my_domain", as_sentence(&error));
        }
    } else if connection.environment == Environment::Custom {
        findings.unfinished(
            "salesforce.my_domain",
            "A custom environment needs the address of the org in my_domain.",
        );
    } else if connection.sign_in == SignIn::ClientCredentials {
        findings.unfinished(
            "salesforce.my_domain",
            "Client credentials only work at the org's own address: enter its My Domain, such as \
             https://acme.my.salesforce.com.",
        );
    }
    let (needs_user, needs_client) = match connection.sign_in {
        SignIn::ClientCredentials | SignIn::Browser => (false, true),
        SignIn::UsernamePassword => (true, true),
        SignIn::Soap => (true, false),
    };
    if needs_user && connection.username.trim().is_empty() {
        findings.unfinished("salesforce.username", "The user name of the integration user is missing.");
    }
    if needs_client && connection.client_id.trim().is_empty() {
        findings.unfinished(
            "salesforce.client_id",
            "The client id (consumer key) of the connected app is missing.",
        );
    }
    if connection.environment == Environment::Production && connection.my_domain.contains(".sandbox.my.") {
        findings.warning(
            "salesforce.environment",
            "The address is that of a sandbox, while the environment says production.",
        );
    }
    api_version(&connection.api_version, findings);
}

fn api_version(text: &str, findings: &mut Findings) {
    let version = text.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
    match version {
        Some(version) if version >= OLDEST_API => {}
        Some(version) => findings.error(
            "salesforce.api_version",
            format!("Version {version}.0 of the API is too old: use {OLDEST_API}.0 or later."),
        ),
        None => findings.error(
            "salesforce.api_version",
            format!("“{text}” is no version of the API: write one such as 67.0."),
        ),
    }
}

fn salesmanago(connection: &SalesmanagoConnection, findings: &mut Findings) {
    if connection.endpoint.trim().is_empty() {
        findings.unfinished("platform.salesmanago.endpoint", "The endpoint of SALESmanago is missing.");
    } else if let Err(error) = address::check(&connection.endpoint) {
        findings.error("platform.salesmanago.endpoint", as_sentence(&error));
    }
    if connection.client_id.trim().is_empty() {
        findings.unfinished("platform.salesmanago.client_id", "The client id of SALESmanago is missing.");
    }
    if connection.owner.trim().is_empty() {
        findings.unfinished(
            "platform.salesmanago.owner",
            "The data owner is missing: the SALESmanago user whose account is used for the synchronization.",
        );
    }
    if connection.account_name.trim().is_empty() {
        findings.warning(
            "platform.salesmanago.account_name",
            "Without an account name, other Salesforce users cannot see the contacts that come from SALESmanago.",
        );
    }
}

/// Any platform whose settings its profile lists.
fn platform(connection: &PlatformConnection, findings: &mut Findings) {
    let kind = connection.kind;
    let Some(profile) = kind.profile() else {
        return findings
            .error("platform.kind", format!("The profile of “{kind}” is damaged: reinstall forcesync."));
    };
    let told = connection.told();
    for setting in profile.settings.iter().filter(|setting| !setting.is_secret()) {
        let path = format!("platform.{kind}.{}", setting.name);
        let text = told.text(&setting.name);
        if text.is_empty() {
            if setting.needed {
                let message = format!("{} of {} is missing. {}", setting.label, profile.label, setting.help);
                findings.unfinished(path, message);
            }
        } else if setting.kind == SettingKind::Address
            && let Err(error) = address::check(&text)
        {
            findings.error(path, as_sentence(&error));
        }
    }
}

/// First letter large, one full stop.
fn as_sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first: String = characters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}
