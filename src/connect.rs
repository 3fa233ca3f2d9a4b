//! Everything that speaks to the outside.

pub mod platform;
