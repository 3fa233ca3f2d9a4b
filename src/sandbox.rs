//! A Salesforce org and the platforms, emulated over real HTTP on loopback.

pub mod clock;
pub mod org;
pub mod tls;
