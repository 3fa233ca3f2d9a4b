//! Merging rows: losers go to the recycle bin naming their master, what hung on them changes parents, and the master
//! takes the values that were chosen for it. People do it on a screen, programs by SOAP; REST has no word for it.

use serde_json::{Map, Value};

use super::{Operation, Writer, gone, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::schema::Object;
use crate::sandbox::org::state::Stamp;

/// Losers of one merge at most.
const MOST_LOSERS: usize = 2;

/// What a merge did besides changing its master.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Ids of the rows that went into the master.
    pub losers: Vec<String>,
    /// Ids of the rows that hung on a loser and hang on the master now.
    pub related: Vec<String>,
}

impl Writer<'_> {
    /// Merges one or two rows into a master and gives it the values of `fields`.
    pub(in crate::sandbox::org) fn merge(
        &mut self,
        object: usize,
        master: u32,
        losers: &[u32],
        fields: &Map<String, Value>,
    ) -> Result<Merged, RowError> {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(object) else { return Err(gone()) };
        if !shape.mergeable {
            return Err(RowError::new(
                "INVALID_TYPE",
                format!("entity type cannot be merged: {}", shape.label),
            ));
        }
        self.guard(object, Operation::Update)?;
        self.guard(object, Operation::Delete)?;
        refuse_bad_choice(master, losers)?;
        for place in losers.iter().chain(std::iter::once(&master)) {
            self.refuse_gone(object, *place)?;
            self.refuse_closed_rows(object, *place)?;
            if self.is_person(object, *place) != self.is_person(object, master) {
                return Err(RowError::new(
                    "INVALID_PERSON_ACCOUNT_OPERATION",
                    "a person account can only be merged with person accounts",
                ));
            }
        }
        let assignments = self.assignments(object, fields, Operation::Update)?;
        let mut merged = Merged::default();
        for loser in losers {
            self.absorb(object, master, *loser, &mut merged.related)?;
            merged.losers.push(ids::mint(&shape.prefix, *loser));
        }
        // Only now, for a value that none but one row may have can have been a loser's until here.
        self.change(object, master, assignments)?;
        Ok(merged)
    }

    /// Hands everything that hangs on a loser to its master and puts the loser into the bin.
    fn absorb(
        &mut self,
        object: usize,
        master: u32,
        loser: u32,
        related: &mut Vec<String>,
    ) -> Result<(), RowError> {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(object) else { return Err(gone()) };
        let (master_id, loser_id) = (ids::mint(&shape.prefix, master), ids::mint(&shape.prefix, loser));
        if let (Some(master_shadow), Some(loser_shadow)) =
            (self.shadow(shape, master), self.shadow(shape, loser))
            && let Some(contacts) = schema.find("Contact")
        {
            self.absorb(contacts, master_shadow, loser_shadow, related)?;
        }
        for relationship in &shape.children {
            let Some(child_shape) = schema.objects.get(relationship.child) else { continue };
            let now = self.actor.now;
            for child in self.state.matching(schema, relationship.child, relationship.field, &loser_id, now) {
                if relationship.child == object && child == master {
                    return Err(RowError::new(
                        "CIRCULAR_DEPENDENCY",
                        "attempt to create a circular dependency: the master hangs on a record that is merged into it",
                    ));
                }
                self.hand_over(relationship.child, child, relationship.field, &master_id);
                related.push(ids::mint(&child_shape.prefix, child));
            }
        }
        self.bin(object, loser, Some(&master_id));
        Ok(())
    }

    /// Sets a reference as the org does when what it points at moved: nobody has modified the row, yet its
    /// `SystemModstamp` is new.
    pub(super) fn hand_over(&mut self, object: usize, place: u32, field: usize, to: &str) {
        let Some(shape) = self.schema.objects.get(object) else { return };
        let Some(slot) = self.state.table(object).and_then(|table| table.slot(place)) else { return };
        let deleted_at = slot.deleted_at;
        let Some(mut cells) = slot.row.as_ref().map(|row| row.decode(shape.fields.len())) else { return };
        let at = self.actor.now.div_euclid(1_000) * 1_000;
        set(&mut cells, Some(field), Cell::text(to));
        set(&mut cells, shape.system.stamp, Cell::Moment(at));
        let stamp = Stamp { at, visible_at: self.visible_at() };
        self.state.replace(object, place, &cells, &stamp, deleted_at);
    }

    fn is_person(&self, object: usize, place: u32) -> bool {
        let flag = self.schema.objects.get(object).and_then(|shape| shape.field("IsPersonAccount"));
        let row = self.state.table(object).and_then(|table| table.current(place));
        flag.zip(row).is_some_and(|(flag, row)| row.get(flag).is_true())
    }

    /// The place of the shadow contact of a person account.
    fn shadow(&self, shape: &Object, place: u32) -> Option<u32> {
        let (object, _) = self.schema.get(&shape.name)?;
        let id = self.state.table(object)?.current(place)?.get(shape.field("PersonContactId")?).as_text()?;
        self.state.locate(self.schema, id).map(|found| found.1)
    }
}

/// The API's documentation sets the bounds; code and words of the refusal are a guess.
fn refuse_bad_choice(master: u32, losers: &[u32]) -> Result<(), RowError> {
    let refused = |message: &str| Err(RowError::new("MERGE_FAILED", message));
    match losers {
        [] => refused("Merge needs at least one record to merge into the master record"),
        _ if losers.len() > MOST_LOSERS => {
            refused("Up to three records can be merged in a single request, including the master record")
        }
        _ if losers.contains(&master) => refused("A record cannot be merged into itself"),
        [one, other] if one == other => refused("The same record is named twice in recordToMergeIds"),
        _ => Ok(()),
    }
}
