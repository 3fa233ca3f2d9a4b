//! What is wrong with the settings, and where.

use std::fmt;

use serde::Serialize;

/// A place in the settings file, both counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte in a text.
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte.min(text.len())).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Wrong; no run starts.
    Error,
    /// Not wrong, but something is still missing; no run starts.
    Unfinished,
    /// Worth a look; runs start.
    Warning,
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How much it weighs.
    pub severity: Severity,
    /// Where in the file, if the file is known.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The setting, such as `salesforce.username` or `mapping[0].pair[2].policy`; places in lists count from 0.
    pub path: String,
    /// A sentence: what is wrong and what to do.
    pub message: String,
    /// The nearest known name or word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// What one of has to be chosen, where the setting can mean several things: each by its id and the words that tell it from the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<(String, Vec<String>)>,
}

impl Problem {
    /// A problem of a setting.
    pub fn new(severity: Severity, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity,
            place: None,
            path: path.into(),
            message: message.into(),
            suggestion: None,
            choices: Vec::new(),
        }
    }

    /// The same problem at a place.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// The same problem with the nearest known name.
    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The line it is on, where known.
    pub fn line(&self) -> Option<usize> {
        self.place.map(|place| place.line)
    }

    /// The column it is at, where known.
    pub fn column(&self) -> Option<usize> {
        self.place.map(|place| place.column)
    }

    /// Whether it keeps runs from starting.
    pub fn blocks(&self) -> bool {
        match self.severity {
            Severity::Error | Severity::Unfinished => true,
            Severity::Warning => false,
        }
    }
}

/// `line 3, column 1: salesforce.usernam: … Did you mean “username”?`
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(formatter, "line {}, column {}: ", place.line, place.column)?;
        }
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(formatter, " Did you mean “{suggestion}”?")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 'ä'\nb = 'ööö' x";
        let byte = text.find('x').unwrap();
        assert_eq!(Place::of(text, byte), Place { line: 2, column: 11 });
        assert_eq!(Place::of(text, 10_000).line, 2);
        assert_eq!(Place::of("", 0), Place { line: 1, column: 1 });
    }
}
