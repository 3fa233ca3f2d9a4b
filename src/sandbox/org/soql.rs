//! The org's query language: `lexer` and `parser` read the text, `bind` ties its names to the schema, `filter` decides
//! about a row, `execute` finds the rows, `render` writes them as JSON.

mod aggregate;
pub(super) mod ast;
pub(super) mod bind;
pub(super) mod dates;
pub(super) mod execute;
mod filter;
mod lexer;
mod narrow;
pub(super) mod parser;
pub(super) mod render;

/// A query that cannot be answered, in the org's code and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryError {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl QueryError {
    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An error that points at a place of the text, as the org shows it: the text around, a caret, row and column.
    pub(super) fn at(code: &'static str, soql: &str, byte: usize, message: &str) -> Self {
        let before = soql.get(..byte).unwrap_or(soql);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let row = before.matches('\n').count() + 1;
        let column = before.get(line_start..).map_or(0, |text| text.chars().count()) + 1;
        let line = soql.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        // The org shows a window of the line, not all of a long one.
        let letters: Vec<char> = line.chars().collect();
        let from = column.saturating_sub(41);
        let window: String = letters.iter().skip(from).take(80).collect();
        let caret = " ".repeat(column.saturating_sub(1).saturating_sub(from));
        Self { code, message: format!("\n{window}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}") }
    }
}
