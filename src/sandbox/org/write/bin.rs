//! The recycle bin: deleting, bringing back, emptying.

use super::{Operation, Writer, gone, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::state::Stamp;

impl Writer<'_> {
    /// Moves a row, and what hangs on it, to the recycle bin.
    pub(in crate::sandbox::org) fn delete(&mut self, object: usize, place: u32) -> Result<(), RowError> {
        self.guard(object, Operation::Delete)?;
        self.refuse_gone(object, place)?;
        self.refuse_locked(object, place)?;
        self.refuse_person_contact(object, place)?;
        self.bin(object, place, None);
        Ok(())
    }

    /// Brings a row back from the recycle bin, and what was deleted together with it.
    pub(in crate::sandbox::org) fn undelete(&mut self, object: usize, place: u32) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let table = self.state.table(object).ok_or_else(gone)?;
        if !shape.undeletable || !table.is_deleted(place, self.actor.now) {
            return Err(RowError::new("UNDELETE_FAILED", "Entity is not in the recycle bin"));
        }
        let together = self.deleted_together(object, place);
        let Some(mut cells) = table.current(place).map(|row| row.decode(shape.fields.len())) else {
            return Err(gone());
        };
        // What a merge has moved away from the row does not come back.
        set(&mut cells, shape.system.deleted, Cell::Bool(false));
        set(&mut cells, shape.system.master, Cell::Null);
        self.refuse_duplicates(object, &cells, None)?;
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, place, &cells, &stamp, None);
        for (child, place) in together {
            self.undelete(child, place)?;
        }
        Ok(())
    }

    /// Takes a row, and what was deleted together with it, out of the recycle bin for good.
    pub(in crate::sandbox::org) fn purge(&mut self, object: usize, place: u32) -> Result<(), RowError> {
        let table = self.state.table(object).ok_or_else(gone)?;
        if !table.is_deleted(place, self.actor.now) {
            return Err(RowError::new("DELETE_FAILED", "Entity is not in the recycle bin"));
        }
        let together = self.deleted_together(object, place);
        self.state.purge(object, place);
        for (child, place) in together {
            self.purge(child, place)?;
        }
        Ok(())
    }

    /// Rows that went to the bin because this one did.
    fn deleted_together(&self, object: usize, place: u32) -> Vec<(usize, u32)> {
        let Some(shape) = self.schema.objects.get(object) else { return Vec::new() };
        let deleted_at = |object, place| {
            self.state.table(object).and_then(|table| table.slot(place)).and_then(|slot| slot.deleted_at)
        };
        let Some(at) = deleted_at(object, place) else { return Vec::new() };
        let id = ids::mint(&shape.prefix, place);
        let mut together = Vec::new();
        for relationship in shape.children.iter().filter(|relationship| relationship.cascade) {
            let Some(table) = self.state.table(relationship.child) else { continue };
            let named = |place: &u32| {
                table
                    .current(*place)
                    .is_some_and(|row| row.get(relationship.field).as_text() == Some(id.as_str()))
            };
            let found = table.candidates(relationship.field, &id).unwrap_or_default();
            let binned = found.into_iter().filter(|child| {
                deleted_at(relationship.child, *child) == Some(at)
                    && table.is_deleted(*child, self.actor.now)
                    && named(child)
            });
            together.extend(binned.map(|child| (relationship.child, child)));
        }
        together.sort_unstable();
        together.dedup();
        together
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
}
