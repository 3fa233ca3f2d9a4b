//! Starts the sandbox and writes a workspace that is ready to use with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::clock::Clock;
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::secrets::SecretName;
use crate::ops::session::{Access, Missing, OpenOptions, Session};
use crate::ops::{default_mappings, save_settings, unlocked};
use crate::sandbox::{Ready, Sandbox, SandboxOptions};
use crate::workspace::Severity;
use crate::workspace::settings::{Environment, PlatformKind, SecretsPlace, Settings, SignIn};
use crate::workspace::vault::{Cost, KeySource, Vault};
use crate::workspace::{Workspace, private_file};

/// What the sandbox holds, and where its workspace goes.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The platform, by the word of the settings file.
    pub platform: String,
    /// People in the org.
    pub records: u64,
    /// Same seed, same people.
    pub seed: u64,
    /// The org's port; a free one if left out.
    pub port: Option<u16>,
    /// HTTPS, for these host names besides loopback's.
    pub tls: Option<Vec<String>>,
    /// Edits per second.
    pub life_per_second: f64,
    /// Whether the org has person accounts.
    pub person_accounts: bool,
    /// Whether the real pace limits hold, in the service and in the workspace.
    pub real_pace: bool,
    /// Whether the org has what the vendor's package adds, as after its installation.
    pub package: bool,
    /// Where a ready workspace is written; none if left out.
    pub workspace: Option<PathBuf>,
}

/// A running sandbox and what it says about itself.
pub struct Running {
    sandbox: Sandbox,
    /// Where and how to sign in, and what is planted.
    pub ready: Ready,
}

impl Running {
    /// The servers, to be steered.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Ends the servers after the requests in hand.
    pub async fn stop(self) {
        self.sandbox.stop().await;
    }
}

/// Starts the servers, then writes the workspace.
pub async fn start(wanted: &Wanted, clock: Arc<dyn Clock>) -> Result<Running, OpError> {
    let files = match &wanted.workspace {
        Some(folder) => {
            // For its owner alone, before a platform puts files into it.
            private_file::create_folder(folder)?;
            let folder = std::path::absolute(folder).unwrap_or_else(|_unknown| folder.clone());
            Some(folder.join(&wanted.platform))
        }
        None => None,
    };
    let options = SandboxOptions {
        platform: wanted.platform.clone(),
        records: wanted.records,
        seed: wanted.seed,
        port: wanted.port,
        tls: wanted.tls.clone(),
        life_per_second: wanted.life_per_second,
        person_accounts: wanted.person_accounts,
        real_pace: wanted.real_pace,
        folder: files,
        package: wanted.package,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| OpError::failed(crate::ops::error::sentence(&error.to_string())).code("sandbox"))?;
    let mut ready = sandbox.ready();
    match &wanted.workspace {
        Some(folder) => write_workspace(folder, wanted, &sandbox, &mut ready, clock).await?,
        None => {
            if let Some(pem) = sandbox.ca_pem() {
                // Without a workspace the certificate still has to be somewhere.
                let path =
                    std::env::temp_dir().join(format!("forcesync-sandbox-ca-{}.pem", std::process::id()));
                private_file::replace(&path, pem.as_bytes())?;
                ready.ca_file = Some(path.display().to_string());
            }
        }
    }
    Ok(Running { sandbox, ready })
}

/// A workspace with settings, secrets and mappings, in which both sides count as tested.
async fn write_workspace(
    folder: &Path,
    wanted: &Wanted,
    sandbox: &Sandbox,
    ready: &mut Ready,
    clock: Arc<dyn Clock>,
) -> Result<(), OpError> {
    let workspace = Workspace::open_or_create(folder)?;
    if let Some(pem) = sandbox.ca_pem() {
        let path = workspace.folder.join("ca.pem");
        private_file::replace(&path, pem.as_bytes())?;
        ready.ca_file = Some(path.display().to_string());
    }
    // The vault comes before the session, which would else look for a keyring.
    let key = KeySource::KeyFile(workspace.vault_key.clone());
    drop(Vault::create(&workspace.vault, &key, Cost::default())?);
    let options = OpenOptions {
        workspace: Some(workspace.folder.clone()),
        access: Access::ReadWrite,
        missing: Missing::Create,
    };
    let session = Session::open(&options, clock)?;
    save(&session, settings(session.settings(), wanted, sandbox, ready), secrets(ready)).await?;
    // The choice of the platform brought its intervals.
    let mut settings = session.settings();
    // Mappings made by a person stay when a sandbox is started again over the same folder.
    if settings.mappings.is_empty() {
        settings.mappings = default_mappings::propose(&session).await?;
        // The first save, which led to another address, took no pin.
        settings.salesforce.org_id = Some(sandbox.org().org_id());
        save(&session, settings, Vec::new()).await?;
    }
    for side in Side::BOTH {
        unlocked::unlock(&session, side);
    }
    ready.workspace = Some(workspace.folder.display().to_string());
    Ok(())
}

/// The settings with the connections of a sandbox.
pub(super) fn settings(
    mut settings: Settings,
    wanted: &Wanted,
    sandbox: &Sandbox,
    ready: &Ready,
) -> Settings {
    settings.workspace.secrets = Some(SecretsPlace::Vault);
    let org = &mut settings.salesforce;
    org.environment = Environment::Custom;
    org.my_domain.clone_from(&ready.salesforce.url);
    org.sign_in = SignIn::ClientCredentials;
    org.username.clone_from(&ready.salesforce.username);
    org.client_id.clone_from(&ready.salesforce.client_id);
    org.ca_file = sandbox.ca_pem().map(|_| PathBuf::from("ca.pem"));
    org.org_id = Some(sandbox.org().org_id());
    let ca_file = sandbox.ca_pem().map(|_| PathBuf::from("ca.pem"));
    let platform = &mut settings.platform;
    // The sandbox has just started it, so there is such a platform.
    platform.kind = wanted.platform.parse().unwrap_or_default();
    if platform.kind == PlatformKind::SALESMANAGO {
        let platform = &mut platform.salesmanago;
        ready.platform.get("endpoint").clone_into(&mut platform.endpoint);
        ready.platform.get("client_id").clone_into(&mut platform.client_id);
        ready.platform.get("owner").clone_into(&mut platform.owner);
        platform.ca_file = ca_file;
        if !wanted.real_pace {
            platform.requests_per_second = 0.0;
        }
        return settings;
    }
    let kind = platform.kind;
    let mut tell = |name: &str, value: toml::Value| platform.tell(kind, name, Some(value));
    let plain =
        kind.profile().into_iter().flat_map(|profile| &profile.settings).filter(|one| !one.is_secret());
    for setting in plain {
        let value = ready.platform.sign_in.get(&setting.name).cloned();
        if let Some(value) = value.and_then(|value| toml::Value::try_from(value).ok()) {
            tell(&setting.name, value);
        }
    }
    if let Some(file) = ca_file {
        tell("ca_file", file.display().to_string().into());
    }
    if !wanted.real_pace {
        tell("requests_per_second", toml::Value::Float(0.0));
    }
    settings
}

/// The secrets of a sandbox.
pub(super) fn secrets(ready: &Ready) -> Vec<(SecretName, SecretString)> {
    let of_org = [
        (SecretName::SalesforcePassword, ready.salesforce.password.as_str()),
        (SecretName::SalesforceSecurityToken, ready.salesforce.security_token.as_str()),
        (SecretName::SalesforceClientSecret, ready.salesforce.client_secret.as_str()),
    ];
    let of_platform = SecretName::all().filter_map(|name| {
        let (kind, setting) = name.word().split_once('.')?;
        let value = (name.platform().is_some() && kind == ready.platform.kind)
            .then(|| ready.platform.get(setting))?;
        Some((name, value)).filter(|(_, value)| !value.is_empty())
    });
    of_org.into_iter().chain(of_platform).map(|(name, value)| (name, SecretString::from(value))).collect()
}

/// Saves what must be right.
pub(super) async fn save(
    session: &Session,
    settings: Settings,
    typed: Vec<(SecretName, SecretString)>,
) -> Result<(), OpError> {
    let problems = save_settings::save(session, settings, typed).await?;
    match problems.iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("The workspace could not be written: {problem}"))),
        None => Ok(()),
    }
}
