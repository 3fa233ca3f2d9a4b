//! An opened workspace: its settings, its secrets' places, its state. Cheap to clone.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::domain::clock::Clock;
use crate::ops::connections::Surroundings;
use crate::ops::engine::EngineClient;
use crate::ops::error::OpError;
use crate::ops::refresh_tokens::{KeptTokens, Unkept};
use crate::ops::schemas::Schemas;
use crate::ops::test_connection::LastTests;
use crate::store::Reader;
use crate::workspace::environment::Variables;
use crate::workspace::file::SettingsFile;
use crate::workspace::secrets::Secrets;
use crate::workspace::settings::Settings;
use crate::workspace::{Problem, Workspace};

/// What may be done with the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing is changed.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// What happens where there is no workspace yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is made.
    Create,
    /// That is an error.
    Refuse,
}

/// Which workspace, and what for.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Its folder; the default one if left out.
    pub workspace: Option<PathBuf>,
    /// What may be done with it.
    pub access: Access,
    /// What happens where there is none yet.
    pub missing: Missing,
}

/// An opened workspace.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
    /// The engine that was attached; not shared with the engine's own session, which would keep it alive for ever.
    engine: Arc<Mutex<Option<EngineClient>>>,
}

struct Inner {
    workspace: Workspace,
    access: Access,
    clock: Arc<dyn Clock>,
    file: RwLock<SettingsFile>,
    secrets: RwLock<Arc<Secrets>>,
    reader: std::sync::Mutex<Option<Reader>>,
    schemas: Schemas,
    tests: LastTests,
    unkept: Unkept,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("folder", &self.inner.workspace.folder)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a workspace. Settings with mistakes are no error here: see [`Session::problems`].
    pub fn open(options: &OpenOptions, clock: Arc<dyn Clock>) -> Result<Self, OpError> {
        let folder = Workspace::choose_folder(options.workspace.as_deref(), &Variables::of_process())?;
        let workspace = match options.missing {
            Missing::Create => Workspace::open_or_create(&folder)?,
            Missing::Refuse => Workspace::open(&folder)?,
        };
        let file = SettingsFile::load(&workspace.settings_file)?;
        let secrets = secrets_of(&workspace, file.settings());
        Ok(Self {
            inner: Arc::new(Inner {
                workspace,
                access: options.access,
                clock,
                file: RwLock::new(file),
                secrets: RwLock::new(secrets),
                reader: std::sync::Mutex::new(None),
                schemas: Schemas::default(),
                tests: LastTests::default(),
                unkept: Unkept::default(),
            }),
            engine: Arc::default(),
        })
    }

    /// The same workspace for the engine itself, which must not hold on to its own client.
    pub(crate) fn apart(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), engine: Arc::default() }
    }

    /// Where everything is.
    pub fn workspace(&self) -> &Workspace {
        &self.inner.workspace
    }

    /// The workspace's folder.
    pub fn folder(&self) -> &Path {
        &self.inner.workspace.folder
    }

    /// The settings file.
    pub fn settings_file(&self) -> &Path {
        &self.inner.workspace.settings_file
    }

    /// Where the program's own log goes.
    pub fn log_folder(&self) -> PathBuf {
        self.inner.workspace.log_folder.clone()
    }

    /// What may be done with it.
    pub fn access(&self) -> Access {
        self.inner.access
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The settings as they were last read or saved.
    pub fn settings(&self) -> Settings {
        self.inner.file.read().unwrap_or_else(PoisonError::into_inner).settings().clone()
    }

    /// Everything that is wrong with them, by line.
    pub fn problems(&self) -> Vec<Problem> {
        self.inner.file.read().unwrap_or_else(PoisonError::into_inner).all_problems()
    }

    /// The name shown in titles: the one of the settings, else the folder's.
    pub fn name(&self) -> String {
        let name = self.settings().workspace.name;
        if name.trim().is_empty() {
            self.folder().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        } else {
            name
        }
    }

    /// Whether the settings file on disk is no longer the one that was read.
    pub fn changed_on_disk(&self) -> bool {
        self.inner.file.read().unwrap_or_else(PoisonError::into_inner).changed_on_disk()
    }

    /// Reads the settings file again.
    pub fn reload(&self) -> Result<(), OpError> {
        let file = SettingsFile::load(&self.inner.workspace.settings_file)?;
        let before = self.settings().workspace.secrets;
        *self.inner.file.write().unwrap_or_else(PoisonError::into_inner) = file;
        self.inner.schemas.clear();
        if self.settings().workspace.secrets != before {
            self.open_secrets();
        }
        Ok(())
    }

    /// Changes the settings file itself.
    pub(crate) fn with_file<T>(&self, change: impl FnOnce(&mut SettingsFile) -> T) -> T {
        change(&mut self.inner.file.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stores of secrets.
    pub(crate) fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.inner.secrets.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the stores anew, after the settings chose another one.
    pub(crate) fn open_secrets(&self) {
        let secrets = secrets_of(&self.inner.workspace, &self.settings());
        *self.inner.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
    }

    /// What connections need besides settings.
    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            folder: self.folder(),
            clock: Arc::clone(&self.inner.clock),
            refresh_tokens: Arc::new(KeptTokens::new(self.apart())),
        }
    }

    pub(crate) fn schemas(&self) -> &Schemas {
        &self.inner.schemas
    }

    /// The refresh token that could not be kept, for all connections of this workspace.
    pub(crate) fn unkept(&self) -> &Unkept {
        &self.inner.unkept
    }

    pub(crate) fn tests(&self) -> &LastTests {
        &self.inner.tests
    }

    pub(crate) fn engine(&self) -> &Mutex<Option<EngineClient>> {
        &self.engine
    }

    /// Lets go of the state's reader, before or after its file is replaced.
    pub(crate) fn forget_reader(&self) {
        *self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A reader of the state; `None` while nothing has ever run here. Blocks, so call it off the async threads.
    pub(crate) fn reader(&self) -> Result<Option<Reader>, OpError> {
        let mut kept = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let path = &self.inner.workspace.state_db;
            // An empty file is a database that is just being made.
            if !path.metadata().is_ok_and(|found| found.len() > 0) {
                return Ok(None);
            }
            *kept = Some(Reader::open(path)?);
        }
        Ok(kept.clone())
    }
}

fn secrets_of(workspace: &Workspace, settings: &Settings) -> Arc<Secrets> {
    Arc::new(Secrets::new(workspace, settings.workspace.secrets, Variables::of_process()))
}
