//! Rows as the service answers them, CSV of its data interface and JSON of the others alike: columns, and a text in each.

use csv::StringRecord;
use serde_json::Value as Json;

use super::service::{Failure, no_sense};

/// Some rows of one data set.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// The names of the columns in lower case.
    columns: Vec<String>,
    rows: Vec<StringRecord>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    columns: &'a [String],
    cells: &'a StringRecord,
}

impl Rows {
    /// The rows of a CSV text; one that is empty has none.
    pub(super) fn of_csv(text: &str) -> Result<Self, Failure> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with(['{', '[']) {
            return Err(no_sense("it is JSON where CSV was expected"));
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let broken = |error: csv::Error| no_sense(&format!("broken CSV: {error}"));
        let header = reader.headers().map_err(broken)?;
        let columns = header.iter().map(|name| name.trim().to_lowercase()).collect();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        Ok(Self { columns, rows })
    }

    /// The rows of a JSON answer: a list, an object that holds one, or a single object.
    pub(super) fn of_json(text: &str) -> Result<Self, Failure> {
        let answer: Json =
            serde_json::from_str(text).map_err(|error| no_sense(&format!("broken JSON: {error}")))?;
        let list: Vec<&serde_json::Map<String, Json>> = match &answer {
            Json::Array(list) => list.iter().filter_map(Json::as_object).collect(),
            Json::Object(object) => match object.values().find_map(Json::as_array) {
                Some(list) => list.iter().filter_map(Json::as_object).collect(),
                // {"user": {…}} or the fields themselves.
                None if object.len() == 1 => {
                    object.values().filter_map(Json::as_object).chain(bare(object)).take(1).collect()
                }
                None => vec![object],
            },
            _ => return Err(no_sense("neither an object nor a list")),
        };
        let mut columns: Vec<String> = Vec::new();
        for name in list.iter().flat_map(|object| object.keys()) {
            let name = name.to_lowercase();
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        let cell = |object: &serde_json::Map<String, Json>, column: &String| {
            let held =
                object.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, held)| held);
            match held {
                None | Some(Json::Null) => String::new(),
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            }
        };
        let rows =
            list.iter().map(|object| columns.iter().map(|column| cell(object, column)).collect()).collect();
        Ok(Self { columns, rows })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the rows have a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The same, where what stands in one column stands in another, too, unless that is there.
    pub(super) fn also_as(mut self, column: &str, other: &str) -> Self {
        if let Some(place) = self.columns.iter().position(|known| known == column)
            && !self.has(other)
        {
            self.columns.push(other.to_owned());
            for row in &mut self.rows {
                let cell = row.get(place).unwrap_or_default().to_owned();
                row.push_field(&cell);
            }
        }
        self
    }

    /// The same with a column that holds one text, unless it is there.
    pub(super) fn filled_with(mut self, column: &str, text: &str) -> Self {
        if !self.has(column) {
            self.columns.push(column.to_owned());
            for row in &mut self.rows {
                row.push_field(text);
            }
        }
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }
}

/// The object itself where it holds no other.
fn bare(object: &serde_json::Map<String, Json>) -> Option<&serde_json::Map<String, Json>> {
    (!object.values().any(Json::is_object)).then_some(object)
}

impl<'a> Row<'a> {
    /// What stands in a column, without the blanks around it; nothing where the rows have no such column. A row that is too short
    /// holds a blank.
    pub(super) fn get(&self, column: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|known| known == column)?;
        Some(self.cells.get(place).unwrap_or_default().trim())
    }

    /// What stands in a column and is not blank.
    pub(super) fn filled(&self, column: &str) -> Option<&'a str> {
        self.get(column).filter(|text| !text.is_empty())
    }
}
