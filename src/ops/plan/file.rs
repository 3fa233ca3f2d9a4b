//! A plan as a file: its head, then its lines, one JSON object a line; the same that `plan show --json` prints.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::plan::saved::{PlanHead, PlanLine, PlanQuery};
use crate::ops::error::OpError;
use crate::ops::export::{create, unwritable};
use crate::ops::plan::{PAGE, lines};
use crate::ops::session::Session;

/// One line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// `{"event":"plan",…}`
    Plan(Box<PlanHead>),
    /// `{"event":"line",…}`
    Line(Box<PlanLine>),
}

/// What a line of the file is.
pub(super) enum Record {
    Head(Box<PlanHead>),
    Line(Box<PlanLine>),
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        match event {
            Event::Plan(head) => Self::Head(head),
            Event::Line(line) => Self::Line(line),
        }
    }
}

/// Whether a word names a file and not a plan: it has a dot or a separator in it.
pub fn is_file(word: &str) -> bool {
    word.contains(['.', '/', '\\'])
}

/// Writes a plan to a new file; tells how many lines.
pub async fn write(session: &Session, head: &PlanHead, path: &Path) -> Result<u64, OpError> {
    let mut file = BufWriter::new(create(path)?);
    put(&mut file, &Event::Plan(Box::new(head.clone())), path)?;
    let (mut after, mut count) = (0, 0);
    loop {
        let page = lines(session, head.plan, &PlanQuery::default(), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for line in page {
            put(&mut file, &Event::Line(Box::new(line)), path)?;
            count += 1;
        }
    }
    file.flush().map_err(|error| unwritable(path, &error))?;
    Ok(count)
}

fn put(file: &mut impl Write, event: &Event, path: &Path) -> Result<(), OpError> {
    let mut bytes = serde_json::to_vec(event)
        .map_err(|error| OpError::failed(format!("The plan could not be written: {error}.")))?;
    bytes.push(b'\n');
    file.write_all(&bytes).map_err(|error| unwritable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_dot_or_a_separator() {
        for word in ["plan.jsonl", "./friday", "/tmp/friday", "..\\friday"] {
            assert!(is_file(word), "{word}");
        }
        for word in ["friday", "7", "first-try"] {
            assert!(!is_file(word), "{word}");
        }
    }
}
