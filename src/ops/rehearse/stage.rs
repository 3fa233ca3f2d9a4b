//! The stage: a sandbox on loopback and a workspace of its own in a temporary folder, with the settings of the real one and the
//! connections of the sandbox. All of it goes when it is dropped.

use std::sync::Arc;

use crate::domain::mapping::Mapping;
use crate::domain::schema::ObjectSchema;
use crate::domain::side::Side;
use crate::ops::connections::{self, KnownSecrets};
use crate::ops::error::OpError;
use crate::ops::rehearse::sample::Ends;
use crate::ops::sandbox::{self, Wanted};
use crate::ops::session::{Access, Missing, OpenOptions, Session};
use crate::ops::throwaway::Throwaway;
use crate::ops::{secrets, unlocked};
use crate::sandbox::org::ExtraSchema;
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::workspace::settings::{PlatformKind, Settings, SyncSettings};
use crate::workspace::vault::{Cost, KeySource, Vault};
use crate::workspace::{Workspace, private_file};

/// The stage. Its folder goes last.
pub(super) struct Stage {
    pub(super) session: Session,
    pub(super) sandbox: Sandbox,
    /// What the rehearsal's workspace says, without mappings.
    pub(super) settings: Settings,
    known: KnownSecrets,
    _folder: Throwaway,
}

impl Stage {
    /// Founds the sandbox in that shape and writes the workspace.
    pub(super) async fn set(
        real: &Session,
        draft: &Settings,
        shape: ExtraSchema,
        person_accounts: bool,
    ) -> Result<Self, OpError> {
        let clock = Arc::clone(real.clock());
        let folder = Throwaway::named("rehearsal", clock.as_ref());
        private_file::create_folder(folder.path())?;
        let kind = draft.platform.kind;
        let workspace = Workspace::open_or_create(&folder.path().join("rehearsal"))?;
        let options = SandboxOptions {
            platform: kind.word().to_owned(),
            records: 0,
            person_accounts,
            shape: Some(shape),
            folder: Some(workspace.folder.join(kind.word())),
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await.map_err(|error| {
            OpError::failed(crate::ops::error::sentence(&error.to_string())).code("sandbox")
        })?;
        sweep(&sandbox);
        let ready = sandbox.ready();
        let key = KeySource::KeyFile(workspace.vault_key.clone());
        drop(Vault::create(&workspace.vault, &key, Cost::default())?);
        let options = OpenOptions {
            workspace: Some(workspace.folder.clone()),
            access: Access::ReadWrite,
            missing: Missing::Refuse,
        };
        let session = Session::open(&options, clock)?;
        let wanted = Wanted {
            platform: kind.word().to_owned(),
            records: 0,
            seed: 1,
            port: None,
            tls: None,
            life_per_second: 0.0,
            person_accounts,
            real_pace: false,
            package: true,
            workspace: None,
        };
        let settings = sandbox::settings(quiet(draft.clone()), &wanted, &sandbox, &ready);
        sandbox::save(&session, settings.clone(), sandbox::secrets(&ready)).await?;
        let mut known = Vec::new();
        for side in Side::BOTH {
            unlocked::unlock(&session, side);
            let read = secrets::read(&session, &settings, side, &[]).await?;
            known.extend(
                connections::used_secrets(&settings, side)
                    .into_iter()
                    .filter_map(|name| Some((name, read.get(name)?))),
            );
        }
        Ok(Self { session, sandbox, settings, known: KnownSecrets::new(known), _folder: folder })
    }

    /// The settings with these mappings.
    pub(super) fn with(&self, mappings: &[Mapping]) -> Settings {
        let org_id = Some(self.sandbox.org().org_id());
        let mut settings = Settings { mappings: mappings.to_vec(), ..self.settings.clone() };
        settings.salesforce.org_id = org_id;
        settings
    }

    /// The real clients, connected to the sandbox.
    pub(super) fn ends(&self, settings: &Settings) -> Result<Ends, OpError> {
        let around = self.session.surroundings();
        Ok(Ends {
            org: Arc::new(connections::salesforce(settings, &self.known, &around)?),
            platform: connections::platform(settings, &self.known, &around)?,
        })
    }

    /// Keeps the settings with these mappings, so that runs use them.
    pub(super) async fn keep(&self, mappings: &[Mapping]) -> Result<(), OpError> {
        sandbox::save(&self.session, self.with(mappings), Vec::new()).await?;
        for side in Side::BOTH {
            unlocked::unlock(&self.session, side);
        }
        Ok(())
    }

    /// Writes the first line of each file, where the platform is a folder of them.
    pub(super) fn lay_out(
        &self,
        schemas: &[&ObjectSchema],
        real: &Session,
        draft: &Settings,
    ) -> Result<(), OpError> {
        if self.settings.platform.kind.word() != "csv" {
            return Ok(());
        }
        let folder = self.session.folder().join("csv");
        let theirs = draft.platform.told().path("folder").map(|folder| real.folder().join(folder));
        // Which column holds what stands in a file of its own.
        if let Some(types) = theirs.and_then(|folder| std::fs::read(folder.join("schema.toml")).ok()) {
            private_file::replace(&folder.join("schema.toml"), &types)?;
        }
        for schema in schemas {
            let mut header = csv::Writer::from_writer(Vec::new());
            let line = header
                .write_record(schema.fields.iter().map(|field| field.name.as_str()))
                .and_then(|()| header.flush().map_err(Into::into));
            let content = line.ok().and_then(|()| header.into_inner().ok()).unwrap_or_default();
            private_file::replace(&folder.join(format!("{}.csv", schema.name)), &content)?;
        }
        Ok(())
    }
}

/// The settings of the draft, without what would reach beyond the sandbox or hold a rehearsal back.
fn quiet(mut settings: Settings) -> Settings {
    settings.mappings = Vec::new();
    settings.push = Vec::new();
    settings.workspace.name = "rehearsal".into();
    settings.schedule.automatic = false;
    settings.salesforce.resolve = Vec::new();
    settings.salesforce.org_id = None;
    settings.platform.salesmanago.resolve = Vec::new();
    settings.platform.salesmanago.account_name = String::new();
    settings.platform.salesmanago.account_id = None;
    let kind = settings.platform.kind;
    if kind != PlatformKind::SALESMANAGO {
        for name in ["ca_file", "resolve", "client_certificate"] {
            settings.platform.tell(kind, name, None);
        }
    }
    // A brake is about what a run does to people's data; here it would only hide what comes behind it.
    settings.sync = SyncSettings {
        create_percent: 100,
        update_percent: 100,
        blank_percent: 100,
        delete_percent: 100,
        opt_out_percent: 100,
        minimum: 1_000_000,
    };
    settings
}

/// Takes away what the platform's sandbox has on its first day.
fn sweep(sandbox: &Sandbox) {
    let platform = sandbox.platform();
    for object in platform.objects() {
        for record in platform.records(object) {
            let id = ["id", "contactId"].iter().find_map(|name| record.get(*name));
            let id = id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
            if let Some(id) = id {
                // What can't be deleted there stays, and takes part in no mapping of people.
                let _ = platform.delete(object, &id);
            }
        }
    }
}
