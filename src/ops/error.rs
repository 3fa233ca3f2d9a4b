//! What every use case may answer instead of a result.

use crate::domain::outcome::RunResult;
use crate::domain::port::{PortClass, PortError};
use crate::store::StoreError;
use crate::workspace::WorkspaceError;

/// What kind of trouble it is; decides the exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpClass {
    /// It could not be done.
    Failed,
    /// The command or the settings are wrong.
    Settings,
    /// A limit was reached.
    Limited,
    /// A brake stopped it.
    Braked,
    /// Another engine holds the workspace and does not answer, or does not let this be done now.
    Busy,
    /// No right, no session, a locked account.
    Blocked,
    /// A person stopped it.
    Cancelled,
}

impl OpClass {
    /// The exit code of the command line's contract.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Settings => 2,
            Self::Limited => 4,
            Self::Braked => 5,
            Self::Busy => 6,
            Self::Blocked => 7,
            Self::Cancelled => 130,
        }
    }

    /// The class of a run that ended badly.
    pub fn of_result(result: RunResult) -> Self {
        match result {
            RunResult::Limited => Self::Limited,
            RunResult::Braked => Self::Braked,
            RunResult::Blocked => Self::Blocked,
            RunResult::Cancelled => Self::Cancelled,
            RunResult::Succeeded | RunResult::PartlyFailed | RunResult::Failed => Self::Failed,
        }
    }

    /// The word used in JSON when there is no better code.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Settings => "settings",
            Self::Limited => "limited",
            Self::Braked => "braked",
            Self::Busy => "busy",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a use case gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OpError {
    /// What kind of trouble it is.
    pub class: OpClass,
    /// A code for programs: the remote's own, or one of ours such as `no_mapping`.
    pub code: String,
    /// A sentence for people: what happened, where, and what to do next.
    pub message: String,
}

impl OpError {
    /// Trouble of a class, with the class's own word as its code.
    pub fn new(class: OpClass, message: impl Into<String>) -> Self {
        Self { class, code: class.word().into(), message: message.into() }
    }

    /// Something that could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(OpClass::Failed, message)
    }

    /// A wrong command or wrong settings.
    pub fn settings(message: impl Into<String>) -> Self {
        Self::new(OpClass::Settings, message)
    }

    /// The same trouble under a code of its own.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }
}

impl From<PortError> for OpError {
    fn from(error: PortError) -> Self {
        let class = match error.class {
            PortClass::SignIn | PortClass::Blocked => OpClass::Blocked,
            PortClass::Limit => OpClass::Limited,
            PortClass::Settings => OpClass::Settings,
            PortClass::Transient | PortClass::MarkLost | PortClass::CursorLost | PortClass::Protocol => {
                OpClass::Failed
            }
        };
        Self { class, code: error.code, message: error.message }
    }
}

impl From<StoreError> for OpError {
    fn from(error: StoreError) -> Self {
        let (class, code) = match &error {
            StoreError::Full => (OpClass::Failed, "disk_full"),
            StoreError::Damaged(_) => (OpClass::Failed, "database_damaged"),
            StoreError::Newer { .. } => (OpClass::Failed, "database_newer"),
            StoreError::Busy => (OpClass::Busy, "database_busy"),
            StoreError::Unusable(_) => (OpClass::Failed, "database_unusable"),
            StoreError::Closed | StoreError::Sqlite(_) => (OpClass::Failed, "database"),
        };
        Self { class, code: code.into(), message: sentence(&error.to_string()) }
    }
}

impl From<WorkspaceError> for OpError {
    fn from(error: WorkspaceError) -> Self {
        let (class, code) = match &error {
            WorkspaceError::Missing(_) | WorkspaceError::NoHome | WorkspaceError::WrongKind { .. } => {
                (OpClass::Settings, "no_workspace")
            }
            WorkspaceError::Io { .. } => (OpClass::Failed, "files"),
            WorkspaceError::EngineRunning { .. } => (OpClass::Busy, "busy"),
            WorkspaceError::Keyring(_) => (OpClass::Failed, "keyring"),
            _ => (OpClass::Settings, "workspace"),
        };
        Self { class, code: code.into(), message: sentence(&error.to_string()) }
    }
}

/// The text with a capital at its start and a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let mut sentence: String =
        characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sign_in_is_blocked_and_a_dead_network_has_failed() {
        let refused = OpError::from(PortError::new(PortClass::SignIn, "INVALID_LOGIN", "No."));
        assert_eq!((refused.class.exit_code(), refused.code.as_str()), (7, "INVALID_LOGIN"));
        let dead = OpError::from(PortError::new(PortClass::Transient, "network", "No."));
        assert_eq!(dead.class.exit_code(), 1);
    }
}
