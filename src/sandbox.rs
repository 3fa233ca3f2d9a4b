//! A Salesforce org and the platforms, emulated over real HTTP on loopback.

pub mod calls;
pub mod clock;
pub mod faults;
pub mod people;
pub mod platform;
pub mod tls;
