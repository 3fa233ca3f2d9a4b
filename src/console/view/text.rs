//! All words of the screen, one file a tab.

pub mod common;
pub mod conditions;
pub mod connection;
pub mod drift;
pub mod inbox;
pub mod logs;
pub mod mapping;
pub mod numbers;
pub mod plan;
pub mod rehearsal;
pub mod sample;
pub mod scope;
pub mod sheet;
pub mod sign_in;
pub mod sync;
pub mod tabs;
