//! The local socket of the engine's holder: lets the console and other commands steer a running `forcesync run`.
//!
//! One JSON object a line, as [`wire`](crate::engine::handle::wire) spells it. [`server`] answers, [`client`] asks. The
//! socket is readable by its owner alone, in a folder that is too.

#[cfg(unix)]
pub mod client;
#[cfg(unix)]
pub mod server;
#[cfg(all(test, unix))]
mod tests;

use std::time::Duration;

/// The longest line that is read; a command is a few hundred bytes, the numbers of a run with many mappings some thousand.
const LONGEST_LINE: u64 = 1 << 20;

/// How often a listener is sent numbers at most.
const THROTTLE: Duration = Duration::from_millis(100);
