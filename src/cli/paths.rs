//! `forcesync paths`: where everything lies. Works without a workspace, too.

use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::ops::error::OpError;
use crate::ops::paths::paths;

pub(super) fn run(context: &Context) -> Result<u8, OpError> {
    let all = paths(context.workspace.as_deref())?;
    let object: serde_json::Map<String, serde_json::Value> =
        all.iter().map(|entry| (entry.name.to_owned(), entry.path.display().to_string().into())).collect();
    context.output.object(&object);
    let mut table = Table::new(&["what", "where", ""]);
    for entry in &all {
        let exists = if entry.path.exists() { "" } else { "(not there yet)" };
        table.row([entry.name, &entry.path.display().to_string(), exists]);
    }
    table.print(&context.output);
    Ok(0)
}
