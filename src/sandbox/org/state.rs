//! All rows of the org and the journal by which a failed transaction is taken back.

use std::collections::BTreeMap;

use super::automation::Task;
use super::cell::{Cell, CellRef, Row};
use super::ids;
use super::schema::{Kind, Schema};
use super::table::{Late, Reach, Slot, Table};

/// One thing that can be taken back.
enum Undo {
    /// A write: what stood there.
    Write { object: usize, place: u32, before: Option<Slot> },
    /// A write of the automation, put off.
    Schedule { key: (i64, u64) },
}

/// The rows.
pub(super) struct State {
    pub(super) tables: Vec<Table>,
    journal: Option<Vec<Undo>>,
    /// What the automation will write, by the time it is due and in order.
    tasks: BTreeMap<(i64, u64), Task>,
    scheduled: u64,
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
        Self { tables, journal: None, tasks: BTreeMap::new(), scheduled: 0 }
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
            match journal.pop() {
                None => break,
                Some(Undo::Schedule { key }) => {
                    self.tasks.remove(&key);
                }
                Some(Undo::Write { object, place, before }) => {
                    let fields = schema.objects.get(object).map_or(0, |object| object.fields.len());
                    if let Some(table) = self.tables.get_mut(object) {
                        table.restore(place, before, fields);
                    }
                }
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
            journal.push(Undo::Write { object, place, before: None });
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
        let late = stamp.visible_at.map(|visible_at| {
            match table.slot(place).and_then(|slot| slot.late.as_deref()) {
                // What readers see is what stood there before the first transaction that is still open.
                Some(open) => Late { visible_at: visible_at.max(open.visible_at), ..open.clone() },
                None => Late {
                    visible_at,
                    before: table.current(place).cloned(),
                    deleted_before: table.slot(place).is_some_and(|slot| slot.deleted_at.is_some()),
                },
            }
        });
        let before = table.replace(place, cells, stamp.at, deleted_at, late);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo::Write { object, place, before });
        }
    }

    /// Empties one place of the recycle bin.
    pub(super) fn purge(&mut self, object: usize, place: u32) {
        if let Some(table) = self.tables.get_mut(object) {
            table.purge(place);
        }
    }

    /// Puts a write of the automation off.
    pub(super) fn schedule(&mut self, task: Task) {
        self.scheduled += 1;
        let key = (task.due, self.scheduled);
        self.tasks.insert(key, task);
        if let Some(journal) = &mut self.journal {
            journal.push(Undo::Schedule { key });
        }
    }

    /// Whether the automation has something to write.
    pub(super) fn has_due(&self, now: i64) -> bool {
        self.tasks.first_key_value().is_some_and(|(key, _)| key.0 <= now)
    }

    /// The automation's next write, once it is due.
    pub(super) fn take_due(&mut self, now: i64) -> Option<Task> {
        let entry = self.tasks.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// How many writes the automation has put off.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Forgets what the automation has put off.
    pub(super) fn drop_tasks(&mut self) {
        self.tasks.clear();
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
