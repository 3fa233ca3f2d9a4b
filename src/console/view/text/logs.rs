//! Words of Logs.

use crate::console::view::text::numbers::count;

/// The question before a record is set inactive.
pub const INACTIVE_TITLE: &str = "Set inactive on the platform";
/// The answer that does it.
pub const INACTIVE_YES: &str = "Set it inactive";

/// What it means.
pub fn inactive_line(id: &str, platform: &str) -> String {
    format!("The record of {id} is set inactive in {platform}; nothing is deleted.")
}

/// The tab's panel.
pub const LOG: &str = "Logs";
/// Nothing was logged yet.
pub const EMPTY: &str = "Nothing is logged yet; the first run writes here.";
/// Nothing passes.
pub const NOTHING_PASSES: &str = "No line passes the filter; L, m, n and / change it, Esc clears it.";
/// Following.
pub const FOLLOWING: &str = "following";
/// All.
pub const ALL_MAPPINGS: &str = "all mappings";
/// All.
pub const ALL_RUNS: &str = "all runs";
/// A prompt.
pub const RUN_TITLE: &str = "Show the lines of run";
/// A prompt.
pub const RUN_HELP: &str = "A number; empty shows all runs.";
/// A prompt.
pub const RUN_NEEDED: &str = "Write the number of a run, such as 118.";
/// The panel under the list.
pub const DETAIL: &str = "Detail";
/// The start of the log.
pub const START: &str = "start of the log";

/// Lines that came while somebody looked further back.
pub fn fresh(lines: usize) -> String {
    format!("{} new, f follows", count(lines as u64))
}
