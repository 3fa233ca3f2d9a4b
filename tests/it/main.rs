//! The integration tests, in one binary.

mod salesforce_reading;
mod salesforce_sign_in;
mod salesforce_support;
mod salesforce_writing;
