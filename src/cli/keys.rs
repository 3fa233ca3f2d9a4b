//! `forcesync keys`: the keys of the console, from the same table that the console reads.

use serde::{Deserialize, Serialize};

use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::ops::error::OpError;
use crate::ops::keymap;

/// One binding.
#[derive(Serialize, Deserialize)]
struct Key {
    context: String,
    keys: Vec<String>,
    action: String,
    description: String,
}

pub(super) fn run(context: &Context) -> Result<u8, OpError> {
    let mut table = Table::new(&["where", "keys", "what"]);
    for binding in keymap::bindings()? {
        context.output.object(&binding);
        table.row([binding.context, binding.keys.join(" "), binding.description]);
    }
    table.print(&context.output);
    Ok(0)
}
