//! The state database.
