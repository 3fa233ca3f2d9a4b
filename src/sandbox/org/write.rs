//! Inserts, updates and deletes with everything the org checks and fills in on the way. The REST calls, people's edits
//! and seeding all come through here.

pub(super) mod admin;
pub(super) mod check;
mod person;
mod rules;

pub(super) use rules::stages;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::RowFaults;
use super::cell::Cell;
use super::ids;
use super::rights::Rights;
use super::row_error::RowError;
use super::schema::{Kind, Object, Schema};
use super::state::{Stamp, State};
use super::table::Reach;
use check::{Strictness, coerce, wrong_id};

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
        let assignments = self.assignments(object, body, Operation::Update)?;
        self.refuse_closed_rows(object, place)?;
        self.change(object, place, assignments)
    }

    /// Moves a row, and what hangs on it, to the recycle bin.
    pub(super) fn delete(&mut self, object: usize, place: u32) -> Result<(), RowError> {
        self.guard(object, Operation::Delete)?;
        self.refuse_gone(object, place)?;
        self.refuse_person_contact(object, place)?;
        self.bin(object, place, None);
        Ok(())
    }

    /// Brings a row back from the recycle bin.
    pub(super) fn undelete(&mut self, object: usize, place: u32) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let table = self.state.table(object).ok_or_else(gone)?;
        if !table.is_deleted(place, self.actor.now) {
            return Err(RowError::new("UNDELETE_FAILED", "Entity is not in the recycle bin"));
        }
        let Some(mut cells) = table.current(place).map(|row| row.decode(shape.fields.len())) else {
            return Err(gone());
        };
        set(&mut cells, shape.system.deleted, Cell::Bool(false));
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, place, &cells, &stamp, None);
        Ok(())
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
            let cell = coerce(column, json, Strictness::Full)?;
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

    /// The id behind `{"Account": {"Ext__c": "A-1"}}`.
    fn by_foreign_key(
        &self,
        object: usize,
        field: usize,
        key: &Map<String, Value>,
    ) -> Result<String, RowError> {
        let Some(column) = self.schema.field(object, field) else { return Err(gone()) };
        let wanted =
            key.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
        let mut parts = key.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("attributes"));
        let (Some((name, value)), None) = (parts.next(), parts.next()) else {
            return Err(RowError::new(
                "INVALID_FIELD",
                format!(
                    "More than 1 field provided in an external foreign key reference in entity: {}",
                    column.relationship.as_deref().unwrap_or_default()
                ),
            ));
        };
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        for target in &column.targets {
            let Some(parent) = self.schema.objects.get(*target) else { continue };
            if wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&parent.name)) {
                continue;
            }
            let Some(foreign) = self.actor.rights.find_field(self.schema, *target, name) else { continue };
            if !parent.fields.get(foreign).is_some_and(|field| field.external_id || field.id_lookup) {
                continue;
            }
            let found = self.state.matching(self.schema, *target, foreign, &text, self.actor.now);
            return match found.as_slice() {
                [place] => Ok(ids::mint(&parent.prefix, *place)),
                [] => Err(RowError::new(
                    "INVALID_FIELD",
                    format!(
                        "Foreign key external ID: {} not found for field {name} in entity {}",
                        text.to_lowercase(),
                        parent.name
                    ),
                )),
                _ => Err(RowError::new(
                    "DUPLICATE_EXTERNAL_ID",
                    format!(
                        "Foreign key external ID: {text} is not unique for field {name} in entity {}",
                        parent.name
                    ),
                )),
            };
        }
        let entity = column
            .targets
            .first()
            .and_then(|target| self.schema.objects.get(*target))
            .map_or("", |object| object.name.as_str());
        Err(RowError::new(
            "INVALID_FIELD",
            format!(
                "Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {entity}"
            ),
        ))
    }

    fn check_reference(&self, shape: &Object, field: usize, id: &str) -> Result<(), RowError> {
        let Some(column) = shape.fields.get(field) else { return Err(gone()) };
        let prefix = id.get(..3).unwrap_or_default();
        if column.targets.is_empty() {
            return Ok(());
        }
        if !self.schema.by_prefix(prefix).is_some_and(|target| column.targets.contains(&target)) {
            return Err(wrong_id(column, id));
        }
        // The master record type is no row of its own, yet every org has it.
        if id == MASTER_RECORD_TYPE {
            return Ok(());
        }
        let known = self.state.locate(self.schema, id).is_some_and(|(target, place)| {
            self.state
                .table(target)
                .and_then(|table| table.slot(place))
                .is_some_and(|slot| slot.row.is_some() && slot.deleted_at.is_none())
        });
        if !known {
            return Err(RowError::on(
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
                &column.name,
            ));
        }
        if Some(field) == shape.system.owner
            && let Some((target, place)) = self.state.locate(self.schema, id)
            && let Some(active) = self.schema.objects.get(target).and_then(|user| user.field("IsActive"))
            && !self
                .state
                .row(target, place, self.actor.now, Reach::Live)
                .is_some_and(|row| row.get(active).is_true())
        {
            return Err(RowError::on(
                "INACTIVE_OWNER_OR_USER",
                format!(
                    "operation performed with inactive user [{id}] as owner of {}",
                    shape.name.to_lowercase()
                ),
                &column.name,
            ));
        }
        Ok(())
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
        rules::compute(self, object, &mut cells, None, strictness)?;
        if strictness == Strictness::Full {
            refuse_missing(shape, &cells)?;
            self.refuse_duplicates(object, &cells, None)?;
        }
        let at = match shape.system.stamp.and_then(|stamp| cells.get(stamp)) {
            Some(Cell::Moment(ms)) => *ms,
            _ => second,
        };
        let stamp = Stamp { at, visible_at: self.visible_at() };
        let place = self.state.insert(object, &cells, &stamp).ok_or_else(gone)?;
        person::after_insert(self, object, place, &cells, &stamp);
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
        rules::compute(self, object, &mut cells, Some(&before), Strictness::Full)?;
        refuse_missing(shape, &cells)?;
        self.refuse_duplicates(object, &cells, Some((place, &before)))?;
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, place, &cells, &stamp, None);
        person::after_update(self, object, &cells, &stamp);
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

    fn visible_at(&self) -> Option<i64> {
        (self.actor.late_ms > 0).then(|| self.actor.now + self.actor.late_ms)
    }

    /// Moves a row and its dependents to the bin; losers of a merge name their master.
    pub(super) fn bin(&mut self, object: usize, place: u32, master: Option<&str>) {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(object) else { return };
        let Some(mut cells) = self
            .state
            .table(object)
            .and_then(|table| table.current(place))
            .map(|row| row.decode(shape.fields.len()))
        else {
            return;
        };
        set(&mut cells, shape.system.deleted, Cell::Bool(true));
        if let Some(master) = master {
            set(&mut cells, shape.system.master, Cell::text(master));
        }
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, place, &cells, &stamp, Some(self.actor.now));
        let id = ids::mint(&shape.prefix, place);
        for relationship in &shape.children {
            let children =
                self.state.matching(schema, relationship.child, relationship.field, &id, self.actor.now);
            for child in children {
                if relationship.cascade {
                    self.bin(relationship.child, child, None);
                } else {
                    self.point(relationship.child, child, relationship.field, Cell::Null);
                }
            }
        }
    }

    /// Sets one reference of a row without touching its stamps, as the org does behind the scenes.
    pub(super) fn point(&mut self, object: usize, place: u32, field: usize, to: Cell) {
        let Some(shape) = self.schema.objects.get(object) else { return };
        let Some(slot) = self.state.table(object).and_then(|table| table.slot(place)) else { return };
        let Some(mut cells) = slot.row.as_ref().map(|row| row.decode(shape.fields.len())) else { return };
        let (at, deleted_at) = (slot.stamp, slot.deleted_at);
        set(&mut cells, Some(field), to);
        self.state.replace(object, place, &cells, &Stamp { at, visible_at: None }, deleted_at);
    }

    fn refuse_duplicates(
        &self,
        object: usize,
        cells: &[Cell],
        own: Option<(u32, &[Cell])>,
    ) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let others = |field: usize, text: &str| -> Vec<u32> {
            let found = self.state.matching(self.schema, object, field, text, self.actor.now);
            found.into_iter().filter(|place| own.is_none_or(|(own, _)| own != *place)).collect()
        };
        for (place, field) in shape.fields.iter().enumerate() {
            let Some(Cell::Text(text)) = cells.get(place) else { continue };
            let unchanged = own.is_some_and(|(_, before)| before.get(place) == cells.get(place));
            if field.unique
                && !unchanged
                && let Some(other) = others(place, text).first()
            {
                let id = ids::mint(&shape.prefix, *other);
                return Err(RowError::new(
                    "DUPLICATE_VALUE",
                    format!(
                        "duplicate value found: {} duplicates value on record with id: {}",
                        field.name,
                        id.get(..15).unwrap_or(&id)
                    ),
                ));
            }
            let watched = self.actor.duplicate_rule
                && !self.actor.save_duplicates
                && matches!(shape.name.as_str(), "Contact" | "Lead")
                && field.name == "Email";
            if watched && !unchanged {
                let found = others(place, text);
                if !found.is_empty() {
                    return Err(duplicates_detected(shape, &found));
                }
            }
        }
        Ok(())
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

fn refuse_missing(shape: &Object, cells: &[Cell]) -> Result<(), RowError> {
    let person = shape.field("IsPersonAccount").and_then(|place| cells.get(place)) == Some(&Cell::Bool(true));
    let business = shape.name == "Account" && !person;
    let missing: Vec<String> = shape
        .fields
        .iter()
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

fn duplicates_detected(shape: &Object, found: &[u32]) -> RowError {
    let records: Vec<Value> = found
        .iter()
        .map(|place| {
            let id = ids::mint(&shape.prefix, *place);
            json!({"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
                "record": {"attributes": {"type": shape.name, "url": format!("/services/data/v67.0/sobjects/{}/{id}", shape.name)}, "Id": id}})
        })
        .collect();
    RowError {
        duplicates: Some(json!({
            "allowSave": true,
            "duplicateRule": format!("Standard_{}_Duplicate_Rule", shape.name),
            "duplicateRuleEntityType": shape.name,
            "errorMessage": "Use one of these records?",
            "matchResults": [{"entityType": shape.name, "errors": [], "matchEngine": "FuzzyMatchEngine",
                "matchRecords": records, "rule": format!("Standard_{}_Match_Rule_v1_0", shape.name), "size": found.len(), "success": true}],
        })),
        ..RowError::new("DUPLICATES_DETECTED", "Use one of these records?")
    }
}
