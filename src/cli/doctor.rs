//! `forcesync doctor`: examines the workspace itself, without the outside.

use crate::cli::check::print;
use crate::cli::context::Context;
use crate::domain::report::Verdict;
use crate::ops::doctor;
use crate::ops::error::OpError;

pub(super) async fn run(context: &Context) -> Result<u8, OpError> {
    let lines = doctor::examine(context.workspace.clone(), context.clock.clone()).await;
    print(&lines, context);
    let settings_wrong =
        lines.iter().any(|line| line.verdict == Verdict::Bad && line.subject.starts_with("settings"));
    let bad = lines.iter().any(|line| line.verdict == Verdict::Bad);
    Ok(match (settings_wrong, bad) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    })
}
