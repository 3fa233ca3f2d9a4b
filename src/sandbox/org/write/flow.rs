//! Runs the org's automation around a save: rules before it, inside the transaction, and the scheduling of those that
//! write later.

use super::{Writer, gone, set};
use crate::sandbox::org::automation::{Task, Trigger};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::row_error::RowError;

impl Writer<'_> {
    /// Gives a row about to be saved what the rules say, in their order.
    pub(super) fn before_save(
        &self,
        object: usize,
        cells: &mut [Cell],
        trigger: Trigger,
    ) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        for rule in &self.actor.automation.rules {
            if rule.after_ms.is_none() && rule.fires(object, trigger, &self.actor.user, cells) {
                for (field, cell) in rule.values(shape, cells)? {
                    set(cells, Some(field), cell);
                }
            }
        }
        Ok(())
    }

    /// Notes what the rules will do about a saved row in their own time.
    pub(super) fn after_save(&mut self, object: usize, place: u32, cells: &[Cell], trigger: Trigger) {
        if self.actor.is_automation {
            return;
        }
        for rule in &self.actor.automation.rules {
            if let Some(after_ms) = rule.after_ms
                && rule.fires(object, trigger, &self.actor.user, cells)
            {
                // It starts from what is committed, so never before that.
                let due = self.actor.now + self.actor.late_ms + after_ms;
                self.state.schedule(Task { due, object, place, rule: rule.clone() });
            }
        }
    }

    /// Does what a rule had put off, if the row still is as the rule wants it.
    pub(in crate::sandbox::org) fn run_task(&mut self, task: &Task) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(task.object) else { return Err(gone()) };
        self.refuse_gone(task.object, task.place)?;
        self.refuse_closed_rows(task.object, task.place)?;
        let row =
            self.state.table(task.object).and_then(|table| table.current(task.place)).ok_or_else(gone)?;
        let cells = row.decode(shape.fields.len());
        if !task.rule.holds(&cells) {
            return Ok(());
        }
        let values = task.rule.values(shape, &cells)?;
        if values.is_empty() {
            return Ok(());
        }
        self.change(task.object, task.place, values)
    }
}
