//! The settings file, secrets and paths of a workspace.
//!
//! | file | job |
//! |---|---|
//! | [`paths`] | where everything of a workspace is; makes a new one |
//! | [`settings`], [`mod@file`], [`validate`] | what the settings file says, reading and saving it, judging it |
//! | [`secrets`] | where secrets come from; [`vault`], [`keyring`] and [`environment`] are the places |
//! | [`lock`] | one engine a workspace |
//!
//! Knows `domain` alone. Nothing here prints or asks; whoever calls does.

pub mod address;
mod edit;
pub mod environment;
pub mod error;
pub mod file;
mod inspect;
pub mod keyring;
mod locate;
pub mod lock;
mod nearest;
pub mod paths;
pub mod private_file;
pub mod problems;
mod repair;
mod schema;
pub mod secrets;
pub mod settings;
mod template;
pub mod validate;
pub mod vault;

pub use self::error::WorkspaceError;
pub use self::nearest::nearest;
pub use self::paths::Workspace;
pub use self::problems::{Place, Problem, Severity};
pub use self::settings::Settings;
