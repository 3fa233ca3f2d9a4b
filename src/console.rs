//! The console: four tabs on a terminal.
//!
//! [`app`] is what the screen means and is pure; [`view`] is how it looks.

pub mod app;
pub mod view;
