//! What every subcommand is handed.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::arguments::Arguments;
use crate::cli::logging;
use crate::cli::output::Output;
use crate::domain::clock::Clock;
use crate::ops::error::OpError;
use crate::ops::session::{Access, Missing, OpenOptions, Session};

/// What every subcommand is handed.
pub struct Context {
    /// Where it prints.
    pub output: Output,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// The workspace that was named.
    pub workspace: Option<PathBuf>,
    /// How often `-v` was given.
    pub verbose: u8,
}

impl Context {
    /// From the command line.
    pub fn new(arguments: &Arguments, output: Output) -> Self {
        Self {
            output,
            clock: crate::ops::clock(),
            workspace: arguments.workspace.clone(),
            verbose: arguments.verbose,
        }
    }

    /// Opens the workspace that was named, or the default one; there has to be one.
    pub fn open(&self, access: Access) -> Result<Session, OpError> {
        self.open_at(self.workspace.clone(), access, Missing::Refuse)
    }

    /// Opens the workspace that was named, or the default one; makes it where there is none.
    pub fn open_or_create(&self) -> Result<Session, OpError> {
        self.open_at(self.workspace.clone(), Access::ReadWrite, Missing::Create)
    }

    /// Opens a workspace and sends the program's own log there.
    pub fn open_at(
        &self,
        workspace: Option<PathBuf>,
        access: Access,
        missing: Missing,
    ) -> Result<Session, OpError> {
        let session = Session::open(&OpenOptions { workspace, access, missing }, Arc::clone(&self.clock))?;
        logging::begin(Some(&session.log_folder()), self.verbose);
        Ok(session)
    }
}
