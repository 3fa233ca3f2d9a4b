//! The rows of the right list: the pairs of a mapping, or all fields of its org object with their pairs (F87).

use crate::console::app::fuzzy;
use crate::console::app::mapping::MappingTab;
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::schema::{FieldSchema, ObjectSchema};
use crate::domain::side::Side;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The org's field or fields.
    pub org: String,
    /// Their type.
    pub org_type: String,
    /// The platform's field or fields.
    pub platform: String,
    /// Their type.
    pub platform_type: String,
    /// The pair's place in the mapping; `None` for a field without one.
    pub pair: Option<usize>,
}

impl MappingTab {
    /// The rows of the right list that pass the filter.
    pub fn rows(&self) -> Vec<Row> {
        let Some(mapping) = self.selected() else { return Vec::new() };
        let org = self.described(Side::Org, mapping);
        let platform = self.described(Side::Platform, mapping);
        let mut rows: Vec<Row> = mapping
            .pairs
            .iter()
            .enumerate()
            .map(|(place, pair)| row_of(place, pair, org, platform))
            .collect();
        if self.all_fields
            && let Some(schema) = org
        {
            rows.extend(schema.fields.iter().filter(|field| !is_mapped(mapping, field)).map(|field| Row {
                org: field.name.clone(),
                org_type: type_words(field),
                platform: String::new(),
                platform_type: String::new(),
                pair: None,
            }));
        }
        let filter = self.filter.text();
        rows.retain(|row| fuzzy::passes(filter, &format!("{} {} {}", row.org, row.platform, row.org_type)));
        rows
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<Row> {
        let mut rows = self.rows();
        let place = self.row.place(rows.len());
        (place < rows.len()).then(|| rows.swap_remove(place))
    }
}

fn is_mapped(mapping: &Mapping, field: &FieldSchema) -> bool {
    mapping.pairs.iter().any(|pair| pair.org.iter().any(|name| name.eq_ignore_ascii_case(&field.name)))
}

fn row_of(place: usize, pair: &Pair, org: Option<&ObjectSchema>, platform: Option<&ObjectSchema>) -> Row {
    let types = |names: &[String], schema: Option<&ObjectSchema>| {
        let first = names.first().and_then(|name| schema.and_then(|schema| schema.field(name)));
        first.map(type_words).unwrap_or_default()
    };
    Row {
        org: pair.org.join(" + "),
        org_type: types(&pair.org, org),
        platform: pair.platform.join(" + "),
        platform_type: types(&pair.platform, platform),
        pair: Some(place),
    }
}

/// The type of a field in words, with its length.
pub fn type_words(field: &FieldSchema) -> String {
    match field.length {
        Some(length) if length > 0 => format!("{} {length}", field.kind.word()),
        Some(_) | None => field.kind.word().to_owned(),
    }
}
