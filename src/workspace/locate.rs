//! Finds the place of a setting in the file, by its path such as `mapping[0].pair[2].policy`.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

use super::inspect::survives;
use super::problems::Place;
use super::schema::{Key, Kind, root};

/// The place of a setting, or of the nearest thing around it that is in the file.
pub(super) fn locate(document: &Document<&str>, text: &str, path: &str) -> Option<Place> {
    let mut table: &dyn TableLike = document.as_table();
    let mut keys: &'static [Key] = root();
    let mut span: Option<Range<usize>> = None;
    for step in path.split('.') {
        let (name, index) = cut_index(step);
        let Some((key, item)) = table.get_key_value(name) else { break };
        span = match item {
            Item::Table(_) | Item::ArrayOfTables(_) => item.span().or_else(|| key.span()),
            Item::None | Item::Value(_) => key.span().or_else(|| item.span()),
        }
        .or(span);
        let kind = keys.iter().find(|key| key.name == name).map(|key| key.kind);
        keys = match kind {
            Some(
                Kind::Section(inner) | Kind::Table(inner) | Kind::Tables(inner) | Kind::Variant(_, inner),
            ) => inner,
            _ => &[],
        };
        let next: Option<&dyn TableLike> = match index {
            Some(index) => {
                let element = element(item, keys, index);
                if let Some((_, element_span)) = &element {
                    span = element_span.clone().or(span);
                }
                element.map(|(table, _)| table)
            }
            None => item.as_table_like(),
        };
        let Some(next) = next else { break };
        table = next;
    }
    span.map(|span| Place::of(text, span.start))
}

/// `pair[2]` → `pair` and 2.
fn cut_index(step: &str) -> (&str, Option<usize>) {
    match step.split_once('[') {
        Some((name, rest)) => (name, rest.trim_end_matches(']').parse().ok()),
        None => (step, None),
    }
}

/// The element of a list of tables; those that can't be used don't count.
fn element<'a>(
    item: &'a Item,
    keys: &'static [Key],
    index: usize,
) -> Option<(&'a dyn TableLike, Option<Range<usize>>)> {
    match item {
        Item::ArrayOfTables(tables) => tables
            .iter()
            .filter(|table| survives(*table, keys))
            .nth(index)
            .map(|table| (table as &dyn TableLike, table.span())),
        Item::Value(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_inline_table)
            .filter(|table| survives(*table, keys))
            .nth(index)
            .map(|table| (table as &dyn TableLike, table.span())),
        Item::None | Item::Value(_) | Item::Table(_) => None,
    }
}
