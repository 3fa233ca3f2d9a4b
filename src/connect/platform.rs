//! The platforms beside the org: what each can do ([`profile`]), the mappings it starts with ([`default_mappings`]) and the
//! client that speaks to it.
//!
//! A new platform is a file under `assets/platforms`, a module here, and a line in [`profile::PROFILES`].

pub mod default_mappings;
pub mod profile;
pub mod salesmanago;
