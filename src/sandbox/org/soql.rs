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

/// Parses and binds the query of a bulk job, which may hold less than others.
pub(super) fn bind_for_bulk(world: &bind::World<'_>) -> Result<bind::Bound, QueryError> {
    let query = parser::parse(world.soql)?;
    let bound = bind::bind(world, &query)?;
    let refused = |what: &str| {
        Err(QueryError::plain("API_ERROR", format!("FeatureNotEnabled: {what} not supported in Bulk Query")))
    };
    if bound.grouping.is_some() || bound.bare_count {
        return refused("Aggregate Relationships");
    }
    if bound.offset > 0 {
        return refused("OFFSET");
    }
    for entry in &bound.shape.entries {
        match entry {
            bind::Entry::Children { .. } => return refused("Nested Queries"),
            bind::Entry::Field { field } => {
                let compound = world
                    .schema
                    .field(bound.object, *field)
                    .is_some_and(|column| column.kind == super::schema::Kind::Address);
                if compound {
                    return Err(QueryError::plain(
                        "API_ERROR",
                        "FeatureNotEnabled: Selecting compound data not supported in Bulk Query",
                    ));
                }
            }
            bind::Entry::Parent { .. } | bind::Entry::TypeName => {}
        }
    }
    Ok(bound)
}

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
