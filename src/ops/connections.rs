//! Turns settings and secrets into connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::connect::platform::salesmanago::{
    Salesmanago, SalesmanagoSecrets, SalesmanagoSettings, Transport as ConnectTransport,
};
use crate::connect::platform::{self, Opening, Platform};
use crate::connect::salesforce::{
    Environment as ConnectEnvironment, RefreshTokens, Salesforce, SalesforceSecrets, SalesforceSettings,
    SignIn as ConnectSignIn,
};
use crate::domain::clock::Clock;
use crate::domain::cost::{Jobs, Rates};
use crate::domain::hold::Priority;
use crate::domain::mapping::Mapping;
use crate::domain::port::{Endpoint, PortClass, PortError};
use crate::domain::side::Side;
use crate::ops::budget;
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::{
    BulkSettings, BulkUse, HostAddress, PlatformKind, Settings, SignIn, Transport,
};

/// What a connection needs besides its settings.
#[derive(Clone)]
pub struct Surroundings<'a> {
    /// The workspace's folder, from which relative files are named.
    pub folder: &'a Path,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where a refresh token is kept between renewals.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
}

/// Secrets that have been read already.
#[derive(Clone, Debug, Default)]
pub struct KnownSecrets(Vec<(SecretName, SecretString)>);

impl KnownSecrets {
    /// These secrets.
    pub fn new(secrets: Vec<(SecretName, SecretString)>) -> Self {
        Self(secrets)
    }

    /// One of them.
    pub fn get(&self, name: SecretName) -> Option<SecretString> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

/// The secrets that a side can't sign in without.
pub fn needed_secrets(settings: &Settings, side: Side) -> Vec<SecretName> {
    match side {
        Side::Org => match settings.salesforce.sign_in {
            SignIn::ClientCredentials => vec![SecretName::SalesforceClientSecret],
            SignIn::UsernamePassword => {
                vec![SecretName::SalesforcePassword, SecretName::SalesforceClientSecret]
            }
            SignIn::Soap => vec![SecretName::SalesforcePassword],
            SignIn::Browser => vec![SecretName::SalesforceRefreshToken],
        },
        Side::Platform => platform_secrets(settings.platform.kind, true),
    }
}

/// The secrets of a platform, or only those that it can't do without.
fn platform_secrets(kind: PlatformKind, needed: bool) -> Vec<SecretName> {
    if kind == PlatformKind::SALESMANAGO {
        return vec![SecretName::SalesmanagoApiSecret];
    }
    let secrets = kind.profile().into_iter().flat_map(crate::domain::profile::Profile::secrets);
    secrets
        .filter(|secret| secret.needed || !needed)
        .filter_map(|secret| SecretName::of_platform(kind, &secret.name))
        .collect()
}

/// The secrets that a side reads: the needed ones, and those that only some accounts want.
pub fn used_secrets(settings: &Settings, side: Side) -> Vec<SecretName> {
    if side == Side::Platform {
        return platform_secrets(settings.platform.kind, false);
    }
    let mut names = needed_secrets(settings, side);
    match (side, settings.salesforce.sign_in) {
        (Side::Org, SignIn::UsernamePassword | SignIn::Soap) => {
            names.push(SecretName::SalesforceSecurityToken);
        }
        (Side::Org, SignIn::Browser) => names.push(SecretName::SalesforceClientSecret),
        (Side::Org, SignIn::ClientCredentials) | (Side::Platform, _) => {}
    }
    names
}

/// The org's connection; nothing is sent yet.
pub fn salesforce(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
) -> Result<Salesforce, PortError> {
    refuse_missing(settings, Side::Org, secrets)?;
    let (settings, secrets) = salesforce_parts(settings, secrets, around)?;
    let connection = Salesforce::connect(settings, secrets, Arc::clone(&around.clock))?;
    // A person looks; runs say for themselves how urgent they are.
    connection.budget().set_priority(Priority::Check);
    Ok(connection)
}

/// What a connection to the org is made of.
pub(crate) fn salesforce_parts(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
) -> Result<(SalesforceSettings, SalesforceSecrets), PortError> {
    let given = &settings.salesforce;
    let address = given.sign_in_address().ok_or_else(|| {
        PortError::new(
            PortClass::Settings,
            "SETTING_MISSING",
            "The Salesforce environment is “custom” but no address is given: fill in My Domain, such as https://acme.my.salesforce.com.",
        )
    })?;
    let environment = match address.as_str() {
        "https://login.salesforce.com" => ConnectEnvironment::Production,
        "https://test.salesforce.com" => ConnectEnvironment::Sandbox,
        _ => ConnectEnvironment::Custom(address),
    };
    let settings = SalesforceSettings {
        environment,
        sign_in: match given.sign_in {
            SignIn::ClientCredentials => ConnectSignIn::ClientCredentials,
            SignIn::UsernamePassword => ConnectSignIn::Password,
            SignIn::Soap => ConnectSignIn::Soap,
            SignIn::Browser => ConnectSignIn::RefreshToken,
        },
        username: given.username.clone(),
        client_id: given.client_id.clone(),
        refresh_tokens: Some(Arc::clone(&around.refresh_tokens)),
        api_version: given.api_version.clone(),
        api_reserve_percent: given.api_reserve_percent,
        calls_per_hour: settings.platform.told().whole("salesforce_calls_per_hour"),
        ledger: Some(budget::ledger(settings, Side::Org, around.folder)),
        ca_file: given.ca_file.as_ref().map(|file| around.folder.join(file)),
        resolve: resolved(&given.resolve),
        org_id: given.org_id.clone(),
        rates: rates(&given.bulk),
        bulk_page_rows: Some(u64::from(given.bulk.page_rows)).filter(|rows| *rows > 0),
        bulk_upload_bytes: given.bulk.upload_mb as usize * 1_000_000,
        ..SalesforceSettings::default()
    };
    let secrets = SalesforceSecrets {
        password: secrets.get(SecretName::SalesforcePassword),
        security_token: secrets.get(SecretName::SalesforceSecurityToken),
        client_secret: secrets.get(SecretName::SalesforceClientSecret),
        refresh_token: secrets.get(SecretName::SalesforceRefreshToken),
    };
    Ok((settings, secrets))
}

/// What calls and bulk jobs are taken to cost.
fn rates(given: &BulkSettings) -> Rates {
    Rates {
        jobs: match given.jobs {
            BulkUse::ByCost => Jobs::ByCost,
            BulkUse::Always => Jobs::Always,
            BulkUse::Never => Jobs::Never,
        },
        from: u64::from(given.from),
        call_worth: Duration::from_secs(u64::from(given.call_worth_seconds)),
        ..Rates::default()
    }
}

/// The platform's connection; nothing is sent yet. The mappings tell which details are in use.
pub fn platform(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
) -> Result<Arc<dyn Platform>, PortError> {
    open_platform(settings, secrets, around, Salesmanago::connect)
}

/// The connection of a side, for what both sides can do; nothing is sent yet.
pub fn endpoint(
    settings: &Settings,
    side: Side,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
) -> Result<Arc<dyn Endpoint>, PortError> {
    Ok(match side {
        Side::Org => Arc::new(salesforce(settings, secrets, around)?),
        Side::Platform => platform(settings, secrets, around)?,
    })
}

/// The platform's connection to be tested, for which less may be filled in.
pub fn platform_to_test(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
) -> Result<Arc<dyn Platform>, PortError> {
    open_platform(settings, secrets, around, Salesmanago::connect_to_test)
}

type ConnectSalesmanago =
    fn(SalesmanagoSettings, &SalesmanagoSecrets, Arc<dyn Clock>) -> Result<Salesmanago, PortError>;

fn open_platform(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
    connect: ConnectSalesmanago,
) -> Result<Arc<dyn Platform>, PortError> {
    refuse_missing(settings, Side::Platform, secrets)?;
    let kind = settings.platform.kind;
    if kind == PlatformKind::SALESMANAGO {
        return Ok(Arc::new(salesmanago(settings, secrets, around, connect)?));
    }
    let told = settings.platform.told();
    let own = |name: &SecretName| match name {
        SecretName::Platform(secret) => Some((secret.setting, secrets.get(*name)?)),
        _ => None,
    };
    let own: Vec<_> = platform_secrets(kind, false).iter().filter_map(own).collect();
    let hosts: Vec<HostAddress> = told.texts("resolve").iter().filter_map(|text| text.parse().ok()).collect();
    let connection = platform::open(&Opening {
        told,
        secrets: &own,
        ca_file: told.path("ca_file").map(|file| around.folder.join(file)),
        folder: around.folder.to_owned(),
        resolve: resolved(&hosts),
        ledger: Some(budget::ledger(settings, Side::Platform, around.folder)),
        fields: platform_fields(&settings.mappings),
        clock: Arc::clone(&around.clock),
    })?;
    connection.budget().set_priority(Priority::Check);
    Ok(connection)
}

/// The platform's fields that the mappings use, each with its object.
fn platform_fields(mappings: &[Mapping]) -> Vec<(String, String)> {
    let of = |mapping: &Mapping| -> Vec<(String, String)> {
        let fields = mapping.pairs.iter().flat_map(|pair| &pair.platform);
        let inactive = mapping.deactivation(Side::Platform).map(|chosen| &chosen.field);
        fields
            .chain(inactive)
            .chain(&mapping.platform_mark)
            .map(|field| (mapping.platform_object.clone(), field.clone()))
            .collect()
    };
    let mut fields: Vec<_> = mappings.iter().flat_map(of).collect();
    fields.sort();
    fields.dedup();
    fields
}

fn salesmanago(
    settings: &Settings,
    secrets: &KnownSecrets,
    around: &Surroundings<'_>,
    connect: ConnectSalesmanago,
) -> Result<Salesmanago, PortError> {
    let given = &settings.platform.salesmanago;
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let details = details(&settings.mappings);
    let api_secret = secrets.get(SecretName::SalesmanagoApiSecret).unwrap_or_default();
    let settings = SalesmanagoSettings {
        endpoint: given.endpoint.clone(),
        client_id: given.client_id.clone(),
        owner: given.owner.clone(),
        account_name: some(&given.account_name),
        account_id: given.account_id.clone(),
        microsite_key: some(&given.microsite_key),
        iframe_name: some(&given.iframe_name),
        requests_per_second: given.requests_per_second,
        calls_per_hour: u64::from(given.calls_per_hour),
        calls_per_day: u64::from(given.calls_per_day),
        reserve_percent: given.reserve_percent,
        ledger: Some(budget::ledger(settings, Side::Platform, around.folder)),
        batch_size: given.batch_size as usize,
        max_window_days: given.max_window_days,
        overlap_seconds: u64::from(given.overlap_seconds),
        transport: match given.transport {
            Transport::PerRow => ConnectTransport::PerRow,
            Transport::Async => ConnectTransport::Async,
        },
        ca_file: given.ca_file.as_ref().map(|file| around.folder.join(file)),
        resolve: resolved(&given.resolve),
        ..SalesmanagoSettings::default()
    };
    let connection = connect(settings, &SalesmanagoSecrets { api_secret }, Arc::clone(&around.clock))?;
    connection.budget().set_priority(Priority::Check);
    Ok(connection.with_details(details))
}

/// The platform's details that the mappings use, by their full names.
fn details(mappings: &[Mapping]) -> Vec<String> {
    let mut names: Vec<String> = mappings
        .iter()
        .flat_map(|mapping| &mapping.pairs)
        .flat_map(|pair| &pair.platform)
        .chain(mappings.iter().filter_map(|mapping| Some(&mapping.deactivation(Side::Platform)?.field)))
        .filter(|field| field.starts_with("details."))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}

fn resolved(addresses: &[HostAddress]) -> Vec<(String, std::net::SocketAddr)> {
    addresses.iter().map(|entry| (entry.host.clone(), entry.address)).collect()
}

/// Names the first secret that a side can't sign in without and that is not there.
pub(crate) fn refuse_missing(
    settings: &Settings,
    side: Side,
    secrets: &KnownSecrets,
) -> Result<(), PortError> {
    for name in needed_secrets(settings, side) {
        if secrets.get(name).is_none() {
            if name == SecretName::SalesforceRefreshToken {
                return Err(PortError::new(
                    PortClass::Settings,
                    "NOT_SIGNED_IN",
                    "Nobody has signed in to Salesforce by browser yet: do so in Connection Settings, or run `forcesync connection sign-in`.",
                ));
            }
            return Err(PortError::new(
                PortClass::Settings,
                "SECRET_MISSING",
                format!(
                    "The secret {name} ({}) is not set: enter it in Connection Settings, or run `forcesync secret set {name}`.",
                    name.label()
                ),
            ));
        }
    }
    Ok(())
}
