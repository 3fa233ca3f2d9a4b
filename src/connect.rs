//! Everything that speaks to the outside.
//!
//! [`http`] is the one client that all connectors share; [`salesforce`] is the org, [`platform`] what runs beside it, and
//! [`system_clock`] the machine's time.

pub mod browser;
pub mod budget;
pub mod http;
pub mod platform;
pub mod salesforce;
pub mod system_clock;
