//! The steps of a run. Knows the ports and the store, no platform by name.

pub mod control;
pub mod handle;
