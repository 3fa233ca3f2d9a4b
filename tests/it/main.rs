//! The integration tests, in one binary.

mod salesmanago_account;
mod salesmanago_faults;
mod salesmanago_read;
mod salesmanago_sign_in;
mod salesmanago_write;
