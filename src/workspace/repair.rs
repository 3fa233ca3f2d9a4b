//! Reads a text that is not quite TOML: lines that can't be read are passed over, so that the rest still counts.

use toml_edit::{Document, Table};

use super::inspect::UNREAD;
use super::problems::{Place, Problem, Severity};

/// A document without the lines that can't be read.
pub(super) struct Lenient {
    /// Its root, with the places of everything.
    pub(super) table: Table,
    /// Its text; every other line and its number are those of the original.
    pub(super) text: String,
    /// One problem for each passage that can't be read.
    pub(super) problems: Vec<Problem>,
}

/// After this many lines a file is given up as a whole.
const MOST_REPAIRS: usize = 100;

/// Parses as much as possible.
pub(super) fn parse_leniently(original: &str) -> Lenient {
    let mut lines: Vec<String> = original.split_inclusive('\n').map(str::to_owned).collect();
    let mut problems: Vec<Problem> = Vec::new();
    let mut last_line = None;
    for repair in 0..MOST_REPAIRS {
        let text = lines.concat();
        let error = match Document::parse(text.clone()) {
            Ok(document) => return Lenient { table: document.into_table(), text, problems },
            Err(error) => error,
        };
        let offset = error.span().map_or(text.len(), |span| span.start);
        let place = Place::of(&text, offset);
        let Some(line) = nearest_filled(&lines, place.line.saturating_sub(1)) else { break };
        // A passage over several lines is one mistake, and is reported once.
        if last_line.is_none_or(|last: usize| line.abs_diff(last) > 1) {
            let column = if line + 1 == place.line { place.column } else { 1 };
            let message = format!("This can't be read: {}.", error.message().trim().replace('\n', ", "));
            problems
                .push(Problem::new(Severity::Error, "", message).at(Some(Place { line: line + 1, column })));
        }
        last_line = Some(line);
        if let Some(text) = lines.get_mut(line) {
            // What follows a broken header must not slip into the section before it.
            let header = text.trim_start().starts_with('[');
            *text = if header { format!("[{UNREAD}{repair}]\n") } else { "\n".to_owned() };
        }
    }
    if problems.is_empty() {
        problems.push(Problem::new(Severity::Error, "", "This file can't be read as TOML."));
    }
    Lenient { table: Table::new(), text: String::new(), problems }
}

/// The line itself or the nearest one above that has text in it.
fn nearest_filled(lines: &[String], line: usize) -> Option<usize> {
    lines
        .iter()
        .enumerate()
        .take(line.saturating_add(1))
        .rev()
        .find(|(_, text)| !text.trim().is_empty() && !text.contains(UNREAD))
        .map(|(place, _)| place)
}
