//! `forcesync keys`: the keys of the console, from the same table that the console reads.

use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::console::app::action::Action;
use crate::ops::error::OpError;
use crate::ops::keymap;

/// The built-in keymap.
const KEYMAP: &str = include_str!("../../assets/keymap.toml");

pub(super) fn run(context: &Context) -> Result<u8, OpError> {
    let mut table = Table::new(&["where", "keys", "what"]);
    for row in keymap::rows(KEYMAP, |word| Action::from_word(word).map(Action::title))? {
        context.output.object(&row);
        table.row([row.context, row.keys.join(" "), row.description]);
    }
    table.print(&context.output);
    Ok(0)
}
