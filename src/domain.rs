//! Nouns and pure rules; no input or output, and no other room is known here.
//!
//! Values and records come first ([`value`], [`record`], [`schema`]), then what the admin decides ([`mapping`],
//! [`criteria`], [`transform`]), then the rules of a run ([`canonical`], [`merge`], [`consent`], [`identity`],
//! [`plan`]), and the [`port`]s through which the engine reaches either side.

pub mod audit;
pub mod by_hand;
pub mod canonical;
pub mod clock;
pub mod codec;
pub mod command;
pub mod compiled;
pub mod consent;
pub mod cost;
pub mod criteria;
pub mod doubts;
pub mod drift;
pub mod foresight;
pub mod forget;
pub mod grouped;
pub mod hint;
pub mod hold;
pub mod identity;
pub mod mapping;
pub mod mapping_change;
pub mod merge;
pub mod outcome;
pub mod person_name;
pub mod plan;
pub mod port;
pub mod profile;
pub mod progress;
pub mod promotion;
pub mod push;
pub mod record;
pub mod rehearsal;
pub mod report;
pub mod sample;
pub mod schema;
pub mod scope;
pub mod side;
pub mod side_effects;
pub mod transform;
pub mod undo;
pub mod value;
pub mod why;
