//! The integration tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper fails by panicking as the test itself does; clippy exempts only functions marked as tests"
)]

mod salesforce_faults;
mod salesforce_reading;
mod salesforce_sign_in;
mod salesforce_support;
mod salesforce_writing;
