//! `forcesync check`: signs in on both sides and looks whether everything would work.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::domain::report::{CheckLine, Verdict};
use crate::ops::check::check;
use crate::ops::error::OpError;
use crate::ops::session::Access;

/// One line as an object.
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    #[serde(flatten)]
    line: &'a CheckLine,
}

/// The last object.
#[derive(Serialize)]
struct Summary {
    event: &'static str,
    good: usize,
    warnings: usize,
    bad: usize,
}

pub(super) async fn run(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    prompt::unlock(&session, context).await?;
    let report = check(&session).await?;
    print(&report.lines, context);
    Ok(report.exit_code())
}

/// Prints lines of a check, and how many of each kind there are.
pub(super) fn print(lines: &[CheckLine], context: &Context) {
    let output = &context.output;
    let count = |verdict: Verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    for line in lines {
        output.object(&Line { event: "check", line });
        let sign = match line.verdict {
            Verdict::Good => "✔",
            Verdict::Warning => "⚠",
            Verdict::Bad => "✘",
        };
        output.text(format_args!("{sign} {}: {}", safe(&line.subject), safe(&line.message)));
    }
    let summary = Summary {
        event: "checked",
        good: count(Verdict::Good),
        warnings: count(Verdict::Warning),
        bad: count(Verdict::Bad),
    };
    output.object(&summary);
    // What does not work is told on stderr too, so that a script's log has the reason.
    for line in lines.iter().filter(|line| line.verdict == Verdict::Bad) {
        if output.is_json() {
            output.note(format_args!("forcesync: {}: {}", safe(&line.subject), safe(&line.message)));
        }
    }
}
