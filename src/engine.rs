//! The steps of a run. Knows the ports and the store, no platform by name.
//!
//! A run goes [`prepare`] → [`recover`] → [`capture`] → [`matching`] → then, chunk by chunk, [`decide`] → [`verify`] →
//! [`apply`] → [`commit`]. [`run`] strings them together; [`brake`] watches the sums; nothing here asks the machine for the
//! time or for chance (law E18). [`handle`] is the host that starts runs and answers commands.

pub mod apply;
pub mod audit;
pub mod brake;
pub mod by_hand;
pub mod capture;
pub mod commit;
pub mod context;
pub mod decide;
pub mod flags;
pub mod handle;
pub mod matching;
mod offload;
pub mod plan;
pub mod prepare;
pub mod recover;
pub mod references;
mod reread;
pub mod run;
pub mod session;
pub mod undo;
pub mod verify;
