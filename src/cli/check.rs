//! `forcesync check`: signs in on both sides and looks whether everything would work.

use std::io::IsTerminal;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

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

/// As wide as the terminal; as wide as the text where the output goes elsewhere.
fn columns() -> usize {
    let terminal = std::io::stdout().is_terminal().then(crossterm::terminal::size);
    terminal.and_then(Result::ok).map_or(usize::MAX, |(columns, _)| usize::from(columns))
}

/// Sign, subject and sentence in columns. What several lines are about is said once, long sentences go on under themselves.
fn table(lines: &[CheckLine], columns: usize) -> Vec<String> {
    let widest = lines.iter().map(|line| safe(&line.subject).width()).max().unwrap_or(0);
    let indent = widest + 4;
    let room = columns.saturating_sub(indent).max(24);
    let mut rows = Vec::new();
    let mut before = None;
    for line in lines {
        let sign = match line.verdict {
            Verdict::Good => "✔",
            Verdict::Warning => "⚠",
            Verdict::Bad => "✘",
        };
        let subject = if before == Some(&line.subject) { "".into() } else { safe(&line.subject) };
        before = Some(&line.subject);
        let blanks = " ".repeat(widest.saturating_sub(subject.width()));
        for (place, part) in wrapped(&safe(&line.message), room).into_iter().enumerate() {
            rows.push(match place {
                0 => format!("{sign} {subject}{blanks}  {part}"),
                _ => format!("{}{part}", " ".repeat(indent)),
            });
        }
    }
    rows
}

/// A sentence in lines of so many columns; a word that is longer stays whole, so that it can be copied.
fn wrapped(sentence: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Prints lines of a check, and how many of each kind there are.
pub(super) fn print(lines: &[CheckLine], context: &Context) {
    let output = &context.output;
    let count = |verdict: Verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    for line in lines {
        output.object(&Line { event: "check", line });
    }
    for line in table(lines, columns()) {
        output.text(line);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verdict: Verdict, subject: &str, message: &str) -> CheckLine {
        CheckLine { verdict, subject: subject.into(), message: message.into(), field: None }
    }

    #[test]
    fn a_subject_is_said_once_and_long_sentences_go_on_under_themselves() {
        let lines = [
            line(Verdict::Good, "salesforce", "Signed in."),
            line(Verdict::Bad, "salesforce", "Lead can't be read by this user. Give it access."),
            line(Verdict::Good, "platform", "Signed in."),
        ];
        assert_eq!(
            table(&lines, 40),
            [
                "✔ salesforce  Signed in.",
                "✘             Lead can't be read by this",
                "              user. Give it access.",
                "✔ platform    Signed in.",
            ]
        );
        assert_eq!(table(&lines, usize::MAX).len(), 3);
    }
}
