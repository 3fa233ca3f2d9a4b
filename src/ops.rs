//! One use case a file; called by the console and the command line alike.
//!
//! Arguments in, result out: no printing, no keys. This room alone puts the others together: [`session`] is an opened
//! workspace, [`connections`] turns its settings into connections, [`engine`] reaches the engine wherever it runs.

pub mod accounts;
pub mod audit;
pub mod brakes;
pub mod browser_sign_in;
pub mod budget;
pub mod check;
pub mod config;
pub mod conflicts;
pub mod connections;
pub mod deactivate;
pub mod default_mappings;
pub mod describe;
pub mod directory;
pub mod doctor;
pub mod drift;
pub mod engine;
pub mod error;
pub mod export;
pub mod forget;
pub mod hook;
pub mod issues;
pub mod keymap;
pub mod look;
pub mod members;
mod notes;
pub mod objects;
pub mod paths;
pub mod plan;
pub mod push;
mod pushing;
pub mod read;
pub mod read_again;
pub mod rebuild;
mod refresh_tokens;
pub mod rehearse;
pub mod run;
mod runner;
mod same_admin;
pub mod sample;
pub mod sandbox;
pub mod save_settings;
mod schemas;
pub mod scope;
pub mod secrets;
pub mod session;
pub mod set_connection;
pub mod suggest;
mod tempo;
pub mod test_connection;
pub mod throwaway;
pub mod undo;
mod unequal;
mod unlocked;
pub mod webhooks;
pub mod why;

use std::sync::Arc;

pub use error::{OpClass, OpError};
pub use session::{Access, Missing, OpenOptions, Session};
pub use unlocked::unlocked;

use crate::domain::clock::Clock;

/// The machine's clock, for the fronts to hand around.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(crate::connect::system_clock::SystemClock)
}
