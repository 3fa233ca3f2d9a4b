//! Edits a settings document in place: what did not change between two settings is not touched.
//!
//! Both settings come from the same serialiser, so that equal parts have equal text. [`super::schema`] says which parts are
//! tables of their own and which are written on one line.

use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, TableLike, Value};

use super::inspect::survives;
use super::schema::{Key, Kind};

/// Brings a table from `before` to `after`.
pub(super) fn update(
    table: &mut dyn TableLike,
    before: &dyn TableLike,
    after: &dyn TableLike,
    keys: &'static [Key],
) {
    for (name, wanted) in after.iter() {
        let known = before.get(name);
        if known.is_some_and(|known| same(known, wanted)) {
            continue;
        }
        let kind = keys.iter().find(|key| key.name == name).map_or(Kind::Text, |key| key.kind);
        update_entry(table, name, known, wanted, kind);
    }
    let gone: Vec<String> =
        before.iter().map(|(name, _)| name.to_owned()).filter(|name| !after.contains_key(name)).collect();
    for name in gone {
        table.remove(&name);
    }
}

fn same(one: &Item, other: &Item) -> bool {
    one.to_string().trim() == other.to_string().trim()
}

fn update_entry(table: &mut dyn TableLike, name: &str, known: Option<&Item>, wanted: &Item, kind: Kind) {
    let nothing = Table::new();
    match kind {
        Kind::Section(keys) | Kind::Table(keys) => {
            let known = known.and_then(Item::as_table_like).unwrap_or(&nothing);
            let Some(wanted) = wanted.as_table_like() else { return };
            match table.get_mut(name).and_then(Item::as_table_like_mut) {
                Some(present) => update(present, known, wanted, keys),
                None => add_table(table, name, known, wanted, kind),
            }
        }
        Kind::Dictionary => {
            let present = table.get_mut(name).and_then(Item::as_table_like_mut);
            match (present, known.and_then(Item::as_table_like), wanted.as_table_like()) {
                (Some(present), Some(known), Some(wanted)) => update(present, known, wanted, &[]),
                _ => put(table, name, wanted),
            }
        }
        Kind::Variant(_, keys) => {
            let present = table.get_mut(name).and_then(Item::as_table_like_mut);
            match (present, known.and_then(Item::as_table_like), wanted.as_table_like()) {
                (Some(present), Some(known), Some(wanted)) => update(present, known, wanted, keys),
                _ => put(table, name, wanted),
            }
        }
        Kind::Tables(keys) => update_tables(table, name, known, wanted, keys),
        Kind::Text
        | Kind::Checked(_)
        | Kind::Word(_)
        | Kind::Flag
        | Kind::Whole(..)
        | Kind::Decimal(..)
        | Kind::Texts
        | Kind::CheckedTexts(_)
        | Kind::OneOrSeveral => put(table, name, wanted),
    }
}

/// Sets a value; one that stood there hands down the comment beside it.
fn put(table: &mut dyn TableLike, name: &str, wanted: &Item) {
    let Some(value) = wanted.as_value() else { return };
    let mut value = value.clone();
    if let Some(Item::Value(present)) = table.get_mut(name) {
        *value.decor_mut() = present.decor().clone();
        *present = value;
    } else {
        value.decor_mut().clear();
        table.insert(name, Item::Value(value));
    }
}

/// Adds a table with what differs from its defaults.
fn add_table(
    table: &mut dyn TableLike,
    name: &str,
    known: &dyn TableLike,
    wanted: &dyn TableLike,
    kind: Kind,
) {
    if let Kind::Section(keys) = kind {
        let mut section = Table::new();
        section.decor_mut().set_prefix("\n");
        update(&mut section, known, wanted, keys);
        // A section that holds nothing but sections needs no header.
        section.set_implicit(!section.is_empty() && section.iter().all(|(_, item)| item.is_table()));
        table.insert(name, Item::Table(section));
    } else {
        let mut line = InlineTable::new();
        let keys: &'static [Key] = if let Kind::Table(keys) = kind { keys } else { &[] };
        update(&mut line, known, wanted, keys);
        table.insert(name, Item::Value(Value::InlineTable(line)));
    }
}

/// The elements of a list of tables, however it is written.
fn elements(item: Option<&Item>) -> Vec<&dyn TableLike> {
    match item {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(Item::Value(Value::Array(list))) => {
            list.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => Vec::new(),
    }
}

fn update_tables(
    table: &mut dyn TableLike,
    name: &str,
    known: Option<&Item>,
    wanted: &Item,
    keys: &'static [Key],
) {
    match table.get_mut(name) {
        Some(Item::ArrayOfTables(present)) => {
            let rebuilt = rebuild(present, &elements(known), &elements(Some(wanted)), keys);
            *present = rebuilt;
        }
        Some(Item::Value(Value::Array(present))) => {
            let unusable: Vec<Value> = present
                .iter()
                .filter(|value| value.as_inline_table().is_none_or(|table| !survives(table, keys)))
                .cloned()
                .collect();
            let mut list: Array = wanted.as_array().cloned().unwrap_or_default();
            list.extend(unusable);
            *list.decor_mut() = present.decor().clone();
            *present = list;
        }
        _ => {
            let mut tables = ArrayOfTables::new();
            for element in elements(Some(wanted)) {
                tables.push(fresh(element, keys));
            }
            if !tables.is_empty() {
                table.insert(name, Item::ArrayOfTables(tables));
            }
        }
    }
}

/// A new table with its nested lists as tables of their own.
fn fresh(wanted: &dyn TableLike, keys: &'static [Key]) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    for (name, item) in wanted.iter() {
        match keys.iter().find(|key| key.name == name).map(|key| key.kind) {
            Some(Kind::Tables(inner)) => {
                let mut tables = ArrayOfTables::new();
                for element in elements(Some(item)) {
                    tables.push(fresh(element, inner));
                }
                if !tables.is_empty() {
                    table.insert(name, Item::ArrayOfTables(tables));
                }
            }
            _ => put(&mut table, name, item),
        }
    }
    table
}

/// What a person would call the same element: equal in all that its kind requires.
fn identity(element: &dyn TableLike, keys: &'static [Key]) -> String {
    keys.iter()
        .filter(|key| key.required)
        .map(|key| {
            element.get(key.name).map(|item| item.to_string().trim().to_lowercase()).unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// For each new element the old one that it continues.
fn continued(
    known: &[&dyn TableLike],
    wanted: &[&dyn TableLike],
    keys: &'static [Key],
) -> Vec<Option<usize>> {
    let mut free: Vec<bool> = vec![true; known.len()];
    let mut taken: Vec<Option<usize>> = Vec::with_capacity(wanted.len());
    let identities: Vec<String> = known.iter().map(|element| identity(*element, keys)).collect();
    for element in wanted {
        let wanted_identity = identity(*element, keys);
        let found = identities
            .iter()
            .enumerate()
            .position(|(place, identity)| free.get(place) == Some(&true) && *identity == wanted_identity);
        if let Some(slot) = found.and_then(|place| free.get_mut(place)) {
            *slot = false;
        }
        taken.push(found);
    }
    // Where only names changed, an element at the same place is the same one.
    if known.len() == wanted.len() {
        for (place, slot) in taken.iter_mut().enumerate() {
            if slot.is_none() && free.get(place) == Some(&true) {
                *slot = Some(place);
            }
        }
    }
    taken
}

fn rebuild(
    present: &ArrayOfTables,
    known: &[&dyn TableLike],
    wanted: &[&dyn TableLike],
    keys: &'static [Key],
) -> ArrayOfTables {
    // The usable tables of the document are the known elements, in their order; unusable ones stay behind their neighbour.
    let mut usable: Vec<(Table, Vec<Table>)> = Vec::new();
    let mut leading: Vec<Table> = Vec::new();
    for table in present.iter().cloned() {
        if survives(&table, keys) {
            usable.push((table, Vec::new()));
        } else if let Some((_, followers)) = usable.last_mut() {
            followers.push(table);
        } else {
            leading.push(table);
        }
    }
    let continued =
        if usable.len() == known.len() { continued(known, wanted, keys) } else { vec![None; wanted.len()] };
    let kept: Vec<usize> = continued.iter().copied().flatten().collect();
    let reordered = kept.windows(2).any(|pair| matches!(pair, [first, second] if first > second));

    let mut result: Vec<Table> = leading;
    for (element, place) in wanted.iter().zip(&continued) {
        let found = place.and_then(|place| usable.get(place).zip(known.get(place)));
        match found {
            Some(((table, followers), known)) => {
                let mut table = table.clone();
                update(&mut table, *known, *element, keys);
                result.push(table);
                result.extend(followers.iter().cloned());
            }
            None => result.push(fresh(*element, keys)),
        }
    }
    for (place, (_, followers)) in usable.into_iter().enumerate() {
        if !kept.contains(&place) {
            result.extend(followers);
        }
    }
    if reordered {
        result.iter_mut().for_each(forget_position);
    }
    let mut rebuilt = ArrayOfTables::new();
    for table in result {
        rebuilt.push(table);
    }
    rebuilt
}

/// Lets a table and all inside stand where the order of the list puts them, not where they stood in the file.
fn forget_position(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => forget_position(inner),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(forget_position),
            Item::None | Item::Value(_) => {}
        }
    }
}
