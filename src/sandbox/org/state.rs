//! All rows of the org and the journal by which a failed transaction is taken back.

use super::cell::{Cell, CellRef, Row};
use super::ids;
use super::schema::{Kind, Schema};
use super::table::{Late, Reach, Slot, Table};

/// One write that can be taken back.
struct Undo {
    object: usize,
    place: u32,
    before: Option<Slot>,
}

/// The rows.
pub(super) struct State {
    pub(super) tables: Vec<Table>,
    journal: Option<Vec<Undo>>,
}

/// What a write leaves in a row besides its values.
pub(super) struct Stamp {
    /// `SystemModstamp` in milliseconds.
    pub(super) at: i64,
    /// When readers see it, if later than now.
    pub(super) visible_at: Option<i64>,
}

impl State {
    pub(super) fn new(schema: &Schema) -> Self {
        let user = schema.find("User").unwrap_or(usize::MAX);
        let tables = schema
            .objects
            .iter()
            .map(|object| {
                let indexed: Vec<usize> = object
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| field.indexed(user))
                    .map(|(place, _)| place)
                    .collect();
                Table::new(&indexed)
            })
            .collect();
        Self { tables, journal: None }
    }

    pub(super) fn table(&self, object: usize) -> Option<&Table> {
        self.tables.get(object)
    }

    /// The row that a reader sees.
    pub(super) fn row(&self, object: usize, place: u32, now: i64, reach: Reach) -> Option<&Row> {
        self.table(object)?.visible(place, now, reach)
    }

    /// Object and place of an id of this org, whether or not there is (still) a row.
    pub(super) fn locate(&self, schema: &Schema, id: &str) -> Option<(usize, u32)> {
        let (prefix, place) = ids::locate(id)?;
        let object = schema.by_prefix(prefix)?;
        (place < self.table(object)?.len()).then_some((object, place))
    }

    /// Starts a transaction; a row that fails, or the whole of a call, can then be taken back to a mark.
    pub(super) fn begin(&mut self) -> usize {
        let journal = self.journal.get_or_insert_with(Vec::new);
        journal.len()
    }

    /// Takes back all writes since `mark`.
    pub(super) fn roll_back(&mut self, schema: &Schema, mark: usize) {
        let Some(journal) = &mut self.journal else { return };
        while journal.len() > mark {
            let Some(undo) = journal.pop() else { break };
            let fields = schema.objects.get(undo.object).map_or(0, |object| object.fields.len());
            if let Some(table) = self.tables.get_mut(undo.object) {
                table.restore(undo.place, undo.before, fields);
            }
        }
    }

    /// Ends the transaction; what was written stays.
    pub(super) fn commit(&mut self) {
        self.journal = None;
    }

    pub(super) fn insert(&mut self, object: usize, cells: &[Cell], stamp: &Stamp) -> Option<u32> {
        let late =
            stamp.visible_at.map(|visible_at| Late { visible_at, before: None, deleted_before: false });
        let place = self.tables.get_mut(object)?.push(cells, stamp.at, late);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo { object, place, before: None });
        }
        Some(place)
    }

    pub(super) fn replace(
        &mut self,
        object: usize,
        place: u32,
        cells: &[Cell],
        stamp: &Stamp,
        deleted_at: Option<i64>,
    ) {
        let Some(table) = self.tables.get_mut(object) else { return };
        let late = stamp.visible_at.map(|visible_at| Late {
            visible_at,
            before: table.current(place).cloned(),
            deleted_before: table.slot(place).is_some_and(|slot| slot.deleted_at.is_some()),
        });
        let before = table.replace(place, cells, stamp.at, deleted_at, late);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo { object, place, before });
        }
    }

    /// Live rows, committed or not, whose `field` equals `text`; a look-up where there is one, a scan where not.
    pub(super) fn matching(
        &self,
        schema: &Schema,
        object: usize,
        field: usize,
        text: &str,
        now: i64,
    ) -> Vec<u32> {
        let (Some(table), Some(column)) = (self.table(object), schema.field(object, field)) else {
            return Vec::new();
        };
        if column.kind == Kind::Id {
            let place = ids::normalise(text).and_then(|id| self.locate(schema, &id));
            return place
                .filter(|(found, place)| {
                    *found == object && table.visible(*place, now, Reach::Live).is_some()
                })
                .map(|(_, place)| vec![place])
                .unwrap_or_default();
        }
        let equal = |value: CellRef<'_>| match value {
            CellRef::Text(value) if column.case_sensitive => value == text,
            CellRef::Text(value) => same_text(value, text),
            CellRef::Number(number) => text.parse() == Ok(number),
            CellRef::Null | CellRef::Bool(_) | CellRef::Date(_) | CellRef::Moment(_) | CellRef::Time(_) => {
                false
            }
        };
        let live = |place: &u32| {
            table.slot(*place).is_some_and(|slot| slot.deleted_at.is_none())
                && table.current(*place).is_some_and(|row| equal(row.get(field)))
        };
        let mut places: Vec<u32> = match table.candidates(field, text) {
            Some(places) => places.into_iter().filter(live).collect(),
            None => (0..table.len()).filter(live).collect(),
        };
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Whether two texts are the same to the org, which does not look at case.
pub(super) fn same_text(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}
