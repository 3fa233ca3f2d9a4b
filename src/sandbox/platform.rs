//! The platforms beside the org, one folder each. They share no code with one another: each is written from its own
//! fact sheet.

pub mod salesmanago;
