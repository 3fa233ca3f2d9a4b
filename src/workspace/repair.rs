//! Reads a text that is not quite TOML: lines that can't be read are passed over, so that the rest still counts.

use toml_edit::{Document, Table, TomlError};

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

/// How many lines above the place where reading stopped may be to blame, such as one that opens a list.
const LOOK_BACK: usize = 8;

/// Parses as much as possible.
pub(super) fn parse_leniently(original: &str) -> Lenient {
    let mut lines: Vec<String> = original.split_inclusive('\n').map(str::to_owned).collect();
    let mut problems: Vec<Problem> = Vec::new();
    // The last line of a passage over several lines, whose other lines are part of the same mistake.
    let mut passage: Option<usize> = None;
    for _ in 0..MOST_REPAIRS {
        let text = lines.concat();
        let error = match Document::parse(text.clone()) {
            Ok(document) => return Lenient { table: document.into_table(), text, problems },
            Err(error) => error,
        };
        let stopped = stop_of(&error, &text);
        let Some((line, repaired)) = best_repair(&lines, &error, stopped.line.saturating_sub(1)) else {
            break;
        };
        if passage.is_some_and(|last| line == last + 1) {
            passage = Some(line);
        } else {
            let reason = error.message().trim().replace('\n', ", ");
            let (column, message) = if line + 1 == stopped.line {
                (stopped.column, format!("This can't be read: {reason}."))
            } else {
                passage = Some(line);
                let line = stopped.line;
                (1, format!("What begins here can't be read; reading stopped in line {line}: {reason}."))
            };
            let place = Place { line: line + 1, column };
            problems.push(Problem::new(Severity::Error, "", message).at(Some(place)));
        }
        lines = repaired;
    }
    if problems.is_empty() {
        problems.push(Problem::new(Severity::Error, "", "This file can't be read as TOML."));
    }
    Lenient { table: Table::new(), text: String::new(), problems }
}

fn stop_of(error: &TomlError, text: &str) -> Place {
    Place::of(text, error.span().map_or(text.len(), |span| span.start))
}

/// A line passed over on trial.
struct Repair {
    /// Whether all can be read then, else whether the complaint is another one, and the line where reading stops.
    reach: (bool, bool, usize),
    line: usize,
    lines: Vec<String>,
}

/// The line to pass over, and all lines without it: the nearest one that lets reading get furthest.
fn best_repair(lines: &[String], error: &TomlError, stopped: usize) -> Option<(usize, Vec<String>)> {
    let candidates = lines
        .iter()
        .enumerate()
        .take(stopped.saturating_add(1))
        .rev()
        .take(LOOK_BACK + 1)
        .filter(|(_, text)| !text.trim().is_empty() && !text.contains(UNREAD));
    let mut best: Option<Repair> = None;
    for (line, _) in candidates {
        let repaired = without(lines, line);
        let text = repaired.concat();
        let reach = match Document::parse(text.clone()) {
            Ok(_) => (true, true, usize::MAX),
            // The same complaint again means that the line was not to blame.
            Err(next) => (false, next.message() != error.message(), stop_of(&next, &text).line),
        };
        if best.as_ref().is_none_or(|best| reach > best.reach) {
            best = Some(Repair { reach, line, lines: repaired });
        }
    }
    best.map(|best| (best.line, best.lines)).or_else(|| {
        let above = lines.iter().rposition(|text| !text.trim().is_empty() && !text.contains(UNREAD))?;
        Some((above, without(lines, above)))
    })
}

fn without(lines: &[String], line: usize) -> Vec<String> {
    let mut rest = lines.to_vec();
    if let Some(text) = rest.get_mut(line) {
        // What follows a broken header must not slip into the section before it.
        let header = text.trim_start().starts_with('[');
        *text = if header { format!("[{UNREAD}{line}]\n") } else { "\n".to_owned() };
    }
    rest
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::list_never_closed("[a]\nr = [ 'x',\nu = 'x'\n\n[b]\nm = 3\n", &[2], "[a]\n\nu = 'x'\n\n[b]\nm = 3\n")]
    #[case::text_never_closed("[a]\nu = \"\"\"x\nfoo\n[b]\nm = 4\n", &[2], "[a]\n\n\n[b]\nm = 4\n")]
    #[case::neighbours("key value\n= 5\n[b]\nm = 3 4\n", &[1, 2, 4], "\n\n[b]\n\n")]
    #[case::same_key_twice("u = 1\nu = 2\nv = 3\n", &[2], "u = 1\n\nv = 3\n")]
    fn the_lines_to_blame_are_passed_over(#[case] text: &str, #[case] blamed: &[usize], #[case] rest: &str) {
        let lenient = parse_leniently(text);
        let lines: Vec<usize> = lenient.problems.iter().filter_map(Problem::line).collect();
        assert_eq!((lines.as_slice(), lenient.text.as_str()), (blamed, rest), "{:#?}", lenient.problems);
    }

    #[test]
    fn what_follows_a_broken_header_joins_no_other_section() {
        let lenient = parse_leniently("[a]\nx = 1\n[broken\ny = 2\n[b]\nz = 3\n");
        assert!(lenient.table.get("a").and_then(|a| a.get("y")).is_none());
        assert!(lenient.table.get("b").and_then(|b| b.get("z")).is_some());
    }
}
