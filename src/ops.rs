//! One use case a file; called by the console and the command line alike.
//!
//! Arguments in, result out: no printing, no keys. This room alone puts the others together.

pub mod error;
