//! Words that every tab uses.

use crate::console::app::effect::Part;
use crate::console::app::toast::Tone;
use crate::console::view::text::numbers::things;

/// The product.
pub const PRODUCT: &str = "forcesync";
/// An answer.
pub const NO: &str = "No";
/// An answer.
pub const SAVE: &str = "Save";
/// An answer.
pub const DISCARD: &str = "Discard";
/// An answer.
pub const STAY: &str = "Stay";
/// An answer.
pub const FINISH: &str = "Finish the run";
/// An answer.
pub const STOP_AFTER_BATCH: &str = "Stop after this batch";
/// An answer.
pub const ABORT: &str = "Abort now";

/// In read-only mode.
pub const READ_ONLY: &str = "This console is read-only; start it without --read-only to change anything.";
/// The mark of read-only mode.
pub const READ_ONLY_MARK: &str = "READ-ONLY";
/// After the first ctrl+c.
pub const INTERRUPT: &str = "Press ctrl+c again to abort now; q quits in order.";
/// A paste that hit nothing.
pub const PASTE_NOWHERE: &str = "Nothing is being typed here; press Enter on a field first, then paste.";
/// Copying nothing.
pub const NOTHING_TO_COPY: &str = "There is nothing to copy here.";
/// Copied.
pub const COPIED: &str = "Copied.";
/// Saving without edits.
pub const NOTHING_TO_SAVE: &str = "Nothing has changed since the last save.";
/// Undo without edits.
pub const NOTHING_TO_UNDO: &str = "There is nothing to undo on this tab.";
/// Redo without edits.
pub const NOTHING_TO_REDO: &str = "There is nothing to redo on this tab.";
/// A hint: turns a switch.
pub const SWITCH: &str = "switch";
/// What a does where there is nothing yet.
pub const ADD: &str = "add";
/// Discard without edits.
pub const NOTHING_TO_DISCARD: &str = "There are no unsaved edits on this tab.";
/// After a removal.
pub const REMOVED_UNDO: &str = "Removed; u brings it back, and nothing is in the file before you save.";
/// After a refresh.
pub const REFRESHED: &str = "Reading everything again.";
/// The mouse.
pub const MOUSE_ON: &str = "The mouse is on; hold Shift and drag to select text.";
/// The mouse.
pub const MOUSE_OFF: &str = "The mouse is off; drag selects text.";
/// A line without a record.
pub const NO_RECORD: &str = "This line is not about a record.";
/// While waiting for the run.
pub const LEAVING_AFTER_RUN: &str = "forcesync quits when this run has ended.";
/// The palette.
pub const PALETTE: &str = "All actions";
/// Columns of the palette.
pub const PALETTE_HEADS: [&str; 3] = ["action", "key", "command"];
/// Help.
pub const HELP: &str = "Help";
/// Something is being read.
pub const LOADING: &str = "reading …";
/// Quit guard.
pub const QUIT_UNSAVED_TITLE: &str = "Quit with unsaved edits?";
/// Quit guard.
pub const QUIT_RUNNING_TITLE: &str = "A run is on its way";
/// Quit guard.
pub const QUIT_RUNNING: &str = "It runs in this console. An aborted run is recovered by the next one.";
/// Discard guard.
pub const DISCARD_TITLE: &str = "Discard the edits?";
/// The hint that more hints exist.
pub const MORE: &str = "…";
/// While the batch in hand ends.
pub const CLOSING: &str = "Ending after the batch in hand; ctrl+c twice does not wait.";
/// Too much for a clipboard.
pub const TOO_LONG_TO_COPY: &str = "This is too long for the terminal's clipboard; E writes a file.";
/// A prompt.
pub const PASSPHRASE: &str = "Passphrase of the vault";
/// A prompt.
pub const PASSPHRASE_HELP: &str =
    "No keyring answers here, so secrets are kept in the workspace's vault; the first passphrase makes it.";
/// A prompt.
pub const PASSPHRASE_NEEDED: &str = "The vault needs a passphrase.";
/// No match in a picker.
pub const NO_MATCH: &str = "Nothing matches; Backspace widens the search.";

/// Quit guard.
pub fn quit_unsaved(tabs: &[&str]) -> String {
    format!(
        "{} {} edits that are not saved.",
        tabs.join(" and "),
        if tabs.len() == 1 { "has" } else { "have" }
    )
}

/// Discard guard.
pub fn discard_line(tab: &str) -> String {
    format!("All edits of {tab} since the last save are thrown away; u brings them back.")
}

/// A refused save.
pub fn not_saved(fields: usize) -> String {
    format!(
        "Not saved: {} {} attention first.",
        things(fields as u64, "field", "fields"),
        if fields == 1 { "needs" } else { "need" }
    )
}

/// After a save; `open` problems keep runs from starting.
pub fn saved(part: Part, open: usize) -> (Tone, String) {
    let what = match part {
        Part::Connection => "Connection settings saved.",
        Part::Mapping => "Mappings saved.",
        Part::Schedule => "Schedule saved.",
    };
    match open {
        0 => (Tone::Good, what.into()),
        1 => (Tone::Warning, format!("{what} One thing is still missing before a run can start.")),
        several => {
            (Tone::Warning, format!("{what} {several} things are still missing before a run can start."))
        }
    }
}

/// After an export.
pub fn exported(path: &str) -> String {
    format!("Written to {path}.")
}

/// The terminal is too small.
pub fn too_small(columns: u16, rows: u16) -> String {
    format!("forcesync needs 50 by 15, this is {columns} by {rows}.")
}

/// Seconds something has been going on.
pub fn since(seconds: i64) -> String {
    format!("{seconds} s")
}

/// Problems of the settings file.
pub const NO_PROBLEMS: &str = "Nothing is wrong with forcesync.toml, and nothing is missing.";

/// Problems of the settings file.
pub fn file_problems(count: usize) -> String {
    format!("{} in forcesync.toml", things(count as u64, "problem", "problems"))
}

/// The clipboard refused.
pub fn not_copied(error: &std::io::Error) -> String {
    format!("The terminal did not take it: {error}.")
}

/// An answer.
pub const SAVE_AND_SYNC: &str = "Save and sync";

/// A question.
pub const SAVE_MAPPINGS: &str = "Save these changes?";

/// Changes that have no room.
pub fn more_changes(count: usize) -> String {
    format!("… and {} more.", things(count as u64, "change", "changes"))
}

/// Problems that don't keep a mapping from being saved.
pub fn problems_stay(count: usize) -> String {
    format!("{} stay: runs leave out what they are about.", things(count as u64, "problem", "problems"))
}

/// Settings were refused.
pub fn save_refused(sentence: &str) -> String {
    format!("Not saved: {sentence}")
}

/// What Enter does in an open conflict.
pub const DECIDE: &str = "decide";
/// What Enter does on a field.
pub const EDIT: &str = "edit";
