//! forcesync keeps a Salesforce org in step with the platform that a company runs beside it.
//!
//! # The rooms
//!
//! | room | holds | knows |
//! |---|---|---|
//! | [`domain`] | nouns and pure rules: values, records, mappings, merge, consent, the ports | nobody |
//! | [`workspace`] | the settings file, secrets, paths | `domain` |
//! | [`connect`] | everything that speaks to the outside | `domain` |
//! | [`store`] | SQLite: links, bases, cursors, plan, journal, issues, history, runs, log | `domain` |
//! | [`engine`] | the steps of a run; knows the ports and the store, no platform by name | `domain`, `store` |
//! | [`ops`] | one use case a file; puts the rooms together for every front | all of the above |
//! | [`cli`], [`console`], [`service`] | the fronts | `ops`, `domain`, the engine's handle |
//! | [`mutant`] | laws broken on purpose, for the proof; empty in the program | nobody |
//! | [`sandbox`] | a Salesforce org and the platforms, emulated over real HTTP on loopback | nobody, not even `domain` |
//!
//! The words of the field (org, platform, side, mapping, pair, link, base, run, outcome, issue) mean the same
//! in code, screens and documentation.

pub mod cli;
pub mod connect;
pub mod console;
pub mod domain;
pub mod engine;
pub mod mutant;
pub mod ops;
pub mod sandbox;
pub mod service;
pub mod store;
pub mod workspace;
