//! Inserts, updates and deletes with everything the org checks and fills in on the way. The REST calls, people's edits
//! and seeding all come through here.

mod bin;
pub(super) mod check;
pub(super) mod convert;
mod duplicates;
mod flow;
pub(super) mod merge;
mod person;
mod references;
mod rules;

pub(super) use rules::stages;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::RowFaults;
use super::automation::{Automation, Trigger};
use super::cell::Cell;
use super::ids;
use super::rights::Rights;
use super::row_error::RowError;
use super::schema::{Kind, Object, Schema};
use super::state::{Stamp, State};
use check::{Strictness, coerce};

/// Who writes, and how.
#[derive(Clone)]
pub(super) struct Actor {
    /// The user that the stamps will name.
    pub(super) user: String,
    pub(super) rights: Arc<Rights>,
    /// Virtual time in milliseconds.
    pub(super) now: i64,
    /// How long readers do not see the write.
    pub(super) late_ms: i64,
    /// Save although a duplicate rule objects.
    pub(super) save_duplicates: bool,
    pub(super) duplicate_rule: bool,
    pub(super) faults: Option<Arc<dyn RowFaults>>,
    pub(super) automation: Arc<Automation>,
    /// Whether the automation itself writes, in its own time; such a write sets off no later ones.
    pub(super) is_automation: bool,
}

/// One object's rows being written by one actor.
pub(super) struct Writer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) state: &'a mut State,
    pub(super) actor: &'a Actor,
}

/// What is being done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    Delete,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

pub(super) fn read_only_field(name: &str) -> RowError {
    RowError::on(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        format!(
            "Unable to create/update fields: {name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set."
        ),
        name,
    )
}

impl Writer<'_> {
    /// Inserts a row and gives its place.
    pub(super) fn insert(&mut self, object: usize, body: &Map<String, Value>) -> Result<u32, RowError> {
        self.guard(object, Operation::Insert)?;
        let assignments = self.assignments(object, body, Operation::Insert)?;
        let place = self.create(object, assignments, Strictness::Full)?;
        Ok(place)
    }

    /// Changes a row.
    pub(super) fn update(
        &mut self,
        object: usize,
        place: u32,
        body: &Map<String, Value>,
    ) -> Result<(), RowError> {
        self.guard(object, Operation::Update)?;
        self.refuse_gone(object, place)?;
        self.refuse_locked(object, place)?;
        let assignments = self.assignments(object, body, Operation::Update)?;
        self.refuse_closed_rows(object, place)?;
        self.change(object, place, assignments)
    }

    fn guard(&self, object: usize, operation: Operation) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        if let Some(faults) = &self.actor.faults
            && let Some((code, message)) = faults.row(&shape.name, operation.word())
        {
            return Err(RowError::new(&code, message));
        }
        let permission = self.actor.rights.object(object);
        let refused = |verb: &str| {
            Err(RowError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                format!("entity type cannot be {verb}: {}", shape.label),
            ))
        };
        let no_right = || {
            Err(RowError::new("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
        };
        match operation {
            Operation::Insert if !shape.writable || !permission.create => refused("inserted"),
            Operation::Update if !shape.writable => refused("updated"),
            Operation::Update if !permission.edit => no_right(),
            Operation::Delete if !shape.deletable => refused("deleted"),
            Operation::Delete if !permission.delete => no_right(),
            Operation::Insert | Operation::Update | Operation::Delete => Ok(()),
        }
    }

    fn refuse_gone(&self, object: usize, place: u32) -> Result<(), RowError> {
        let table = self.state.table(object).ok_or_else(gone)?;
        match table.slot(place) {
            Some(slot) if slot.row.is_none() => {
                Err(RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
            }
            Some(slot) if slot.deleted_at.is_some() => Err(gone()),
            Some(_) => Ok(()),
            None => Err(RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
        }
    }

    /// A row that an open transaction has written is locked for everybody else until that commits.
    pub(super) fn refuse_locked(&self, object: usize, place: u32) -> Result<(), RowError> {
        let slot = self.state.table(object).and_then(|table| table.slot(place));
        let open =
            slot.and_then(|slot| slot.late.as_ref()).is_some_and(|late| self.actor.now < late.visible_at);
        // Late writers are taken to be one transaction.
        if open && self.actor.late_ms == 0 {
            return Err(RowError::new(
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 1 records",
            ));
        }
        Ok(())
    }

    /// Values for fields from a body, with relationships resolved and rights looked at.
    fn assignments(
        &self,
        object: usize,
        body: &Map<String, Value>,
        operation: Operation,
    ) -> Result<Vec<(usize, Cell)>, RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let mut assignments = Vec::with_capacity(body.len());
        for (name, json) in body {
            if name.eq_ignore_ascii_case("attributes") {
                continue;
            }
            if name.eq_ignore_ascii_case("id") {
                return Err(RowError::on(
                    "INVALID_FIELD",
                    "The Id field should not be specified in the sobject data.",
                    "Id",
                ));
            }
            if let Value::Object(key) = json
                && let Some(field) = shape.relationship(name)
            {
                let id = self.by_foreign_key(object, field, key)?;
                self.refuse_read_only(object, field, operation)?;
                assignments.push((field, Cell::Text(id)));
                continue;
            }
            let Some(field) = self.actor.rights.find_field(self.schema, object, name) else {
                return Err(RowError::on(
                    "INVALID_FIELD",
                    format!("No such column '{name}' on sobject of type {}", shape.name),
                    name,
                ));
            };
            self.refuse_read_only(object, field, operation)?;
            let Some(column) = shape.fields.get(field) else { continue };
            let now = self.actor.rights.column(object, field, column);
            // What is kept stays of the kind that the table was made for.
            let kept = if now.kind == column.kind { now } else { std::borrow::Cow::Borrowed(column) };
            let cell = coerce(&kept, json, Strictness::Full)?;
            if column.kind == Kind::Reference
                && let Some(id) = cell.as_text()
            {
                self.check_reference(shape, field, id)?;
            }
            assignments.push((field, cell));
        }
        Ok(assignments)
    }

    fn refuse_read_only(&self, object: usize, field: usize, operation: Operation) -> Result<(), RowError> {
        let Some(column) = self.schema.field(object, field) else { return Err(gone()) };
        let allowed = match operation {
            Operation::Insert => column.createable,
            Operation::Update => column.updateable,
            Operation::Delete => false,
        };
        if allowed && self.actor.rights.edits(object, field) {
            Ok(())
        } else {
            Err(read_only_field(&column.name))
        }
    }

    /// Puts a new row in its table: defaults, computed fields, rules, stamps.
    pub(super) fn create(
        &mut self,
        object: usize,
        assignments: Vec<(usize, Cell)>,
        strictness: Strictness,
    ) -> Result<u32, RowError> {
        let schema = self.schema;
        let (Some(shape), Some(table)) = (schema.objects.get(object), self.state.table(object)) else {
            return Err(gone());
        };
        let id = ids::mint(&shape.prefix, table.len());
        let mut cells = vec![Cell::Null; shape.fields.len()];
        let second = self.actor.now.div_euclid(1_000) * 1_000;
        set(&mut cells, shape.field("Id"), Cell::text(&id));
        set(&mut cells, shape.system.owner, Cell::text(&self.actor.user));
        for (place, field) in shape.fields.iter().enumerate() {
            if let Some(default) = &field.default {
                let json = Value::String(default.clone());
                set(&mut cells, Some(place), coerce(field, &json, Strictness::Lenient).unwrap_or(Cell::Null));
            }
        }
        for stamp in [shape.system.created, shape.system.modified, shape.system.stamp] {
            set(&mut cells, stamp, Cell::Moment(second));
        }
        for user in [shape.system.created_by, shape.system.modified_by] {
            set(&mut cells, user, Cell::text(&self.actor.user));
        }
        for (place, cell) in assignments {
            let keeps_default =
                cell.is_null() && shape.fields.get(place).is_some_and(|field| field.defaulted_on_create);
            if !keeps_default {
                set(&mut cells, Some(place), cell);
            }
        }
        if shape.custom
            && let Some(name) = shape.field("Name")
            && cells.get(name).is_some_and(Cell::is_null)
        {
            set(&mut cells, Some(name), Cell::text(&id));
        }
        if strictness == Strictness::Full {
            self.before_save(object, &mut cells, Trigger::Create)?;
        }
        rules::compute(self, object, &mut cells, None, strictness)?;
        if strictness == Strictness::Full {
            refuse_missing(shape, &cells, object, &self.actor.rights)?;
            self.refuse_duplicates(object, &cells, None)?;
        }
        let at = match shape.system.stamp.and_then(|stamp| cells.get(stamp)) {
            Some(Cell::Moment(ms)) => *ms,
            _ => second,
        };
        let stamp = Stamp { at, visible_at: self.visible_at() };
        let place = self.state.insert(object, &cells, &stamp).ok_or_else(gone)?;
        person::after_insert(self, object, place, &cells, &stamp);
        if strictness == Strictness::Full {
            self.after_save(object, place, &cells, Trigger::Create);
        }
        Ok(place)
    }

    fn change(&mut self, object: usize, place: u32, assignments: Vec<(usize, Cell)>) -> Result<(), RowError> {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(object) else { return Err(gone()) };
        let Some(before) = self
            .state
            .table(object)
            .and_then(|table| table.current(place))
            .map(|row| row.decode(shape.fields.len()))
        else {
            return Err(gone());
        };
        let mut cells = before.clone();
        for (field, cell) in assignments {
            set(&mut cells, Some(field), cell);
        }
        self.before_save(object, &mut cells, Trigger::Update)?;
        rules::compute(self, object, &mut cells, Some(&before), Strictness::Full)?;
        refuse_missing(shape, &cells, object, &self.actor.rights)?;
        self.refuse_duplicates(object, &cells, Some((place, &before)))?;
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, place, &cells, &stamp, None);
        person::after_update(self, object, &cells, &stamp);
        self.after_save(object, place, &cells, Trigger::Update);
        Ok(())
    }

    /// Sets the stamps of a change and gives what the table wants to know.
    pub(super) fn touch(&self, shape: &Object, cells: &mut [Cell]) -> Stamp {
        let at = self.actor.now.div_euclid(1_000) * 1_000;
        set(cells, shape.system.modified, Cell::Moment(at));
        set(cells, shape.system.stamp, Cell::Moment(at));
        set(cells, shape.system.modified_by, Cell::text(&self.actor.user));
        Stamp { at, visible_at: self.visible_at() }
    }

    /// Gives the first so many live rows one `SystemModstamp` and leaves everything else of them alone.
    pub(super) fn touch_many(&mut self, object: usize, count: usize) -> usize {
        let Some(shape) = self.schema.objects.get(object) else { return 0 };
        let length = self.state.table(object).map_or(0, super::table::Table::len);
        let at = self.actor.now.div_euclid(1_000) * 1_000;
        let mut touched = 0;
        for place in 0..length {
            if touched == count {
                break;
            }
            let slot = self.state.table(object).and_then(|table| table.slot(place));
            let live = slot.filter(|slot| slot.deleted_at.is_none()).and_then(|slot| slot.row.as_ref());
            let Some(mut cells) = live.map(|row| row.decode(shape.fields.len())) else { continue };
            set(&mut cells, shape.system.stamp, Cell::Moment(at));
            let stamp = Stamp { at, visible_at: self.visible_at() };
            self.state.replace(object, place, &cells, &stamp, None);
            touched += 1;
        }
        touched
    }

    pub(super) fn visible_at(&self) -> Option<i64> {
        (self.actor.late_ms > 0).then(|| self.actor.now + self.actor.late_ms)
    }
}

/// The record type that every object has.
pub(super) const MASTER_RECORD_TYPE: &str = "012000000000000AAA";

/// Sets a cell where the field exists.
pub(super) fn set(cells: &mut [Cell], place: Option<usize>, cell: Cell) {
    if let Some(target) = place.and_then(|place| cells.get_mut(place)) {
        *target = cell;
    }
}

/// The refusal of a row that was deleted.
pub(super) fn gone() -> RowError {
    RowError::new("ENTITY_IS_DELETED", "entity is deleted")
}

fn refuse_missing(shape: &Object, cells: &[Cell], object: usize, rights: &Rights) -> Result<(), RowError> {
    let person = shape.field("IsPersonAccount").and_then(|place| cells.get(place)) == Some(&Cell::Bool(true));
    let business = shape.name == "Account" && !person;
    let missing: Vec<String> = shape
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| rights.column(object, place, field))
        .zip(cells)
        .filter(|(field, cell)| {
            let needed = field.required()
                || (!field.nillable && field.updateable)
                || (business && field.name == "Name");
            cell.is_null() && needed
        })
        // A business account of an org with person accounts has no last name, and a person's name is computed.
        .filter(|(field, _)| !(shape.name == "Account" && field.name == "LastName" && !person))
        .map(|(field, _)| field.name.clone())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(RowError {
        fields: missing.clone(),
        ..RowError::new(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", missing.join(", ")),
        )
    })
}

/// Runs a write that leaves nothing behind when it fails.
pub(super) fn atomic<T, E>(
    writer: &mut Writer<'_>,
    write: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mark = writer.state.begin();
    let result = write(writer);
    if result.is_err() {
        writer.state.roll_back(writer.schema, mark);
    }
    result
}
