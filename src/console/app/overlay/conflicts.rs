//! The conflict inbox: a list with a filter, and one conflict with what each side holds and what both shall hold.

use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::domain::by_hand::Choice;
use crate::domain::report::ConflictRow;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::conflicts::Wish;

/// The conflict inbox.
#[derive(Default)]
pub struct Conflicts {
    /// All open conflicts.
    pub rows: Load<Vec<ConflictRow>>,
    /// Which of the shown ones is selected.
    pub selection: Selection,
    /// What a shown one contains.
    pub filter: String,
    /// Whether the selected one is open as a record.
    pub open: bool,
    /// What was chosen for the open one, not yet decided.
    pub wish: Option<Wish>,
    /// Whether the choice shall become the rule for the pair.
    pub rule: bool,
}

impl Conflicts {
    /// The conflicts that the filter lets through.
    pub fn shown(&self) -> Vec<&ConflictRow> {
        let wanted = self.filter.to_lowercase();
        let rows = self.rows.ready().map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| wanted.is_empty() || words(row).contains(&wanted)).collect()
    }

    /// The selected one.
    pub fn selected(&self) -> Option<&ConflictRow> {
        let shown = self.shown();
        shown.get(self.selection.place(shown.len())).copied()
    }

    /// Whether the selected one is about a record that was deleted on one side.
    pub fn is_deletion(&self) -> bool {
        self.selected().is_some_and(|row| row.deleted.is_some())
    }

    /// Forgets what was chosen and not decided.
    pub fn forget(&mut self) {
        self.wish = None;
        self.rule = false;
    }

    /// Takes over new rows; the selection stays with its conflict.
    pub fn take(&mut self, fresh: Load<Vec<ConflictRow>>) {
        let before = self.selected().map(|row| row.conflict);
        self.rows = fresh;
        let shown: Vec<i64> = self.shown().iter().map(|row| row.conflict).collect();
        match before.map(|before| shown.iter().position(|conflict| *conflict == before)) {
            Some(Some(place)) => self.selection.set(place),
            Some(None) => {
                self.open = false;
                self.forget();
            }
            None => {}
        }
    }
}

/// Everything of a conflict that a filter looks at.
fn words(row: &ConflictRow) -> String {
    let fields = row.fields.org.iter().chain(&row.fields.platform);
    let mut words = format!("{} {} {}", row.mapping, row.why, row.label);
    for field in fields {
        words.push(' ');
        words.push_str(field);
    }
    words.to_lowercase()
}

/// What both sides would hold, in the spelling of the side it comes from.
pub fn result(row: &ConflictRow, wish: &Wish) -> Vec<Value> {
    match wish {
        Wish::Take(side) => row.values[*side].clone(),
        Wish::Base => {
            let side = if row.fields.org.is_empty() { Side::Platform } else { Side::Org };
            row.base.as_ref().map(|base| base[side].clone()).unwrap_or_default()
        }
        Wish::Values(values) => values.iter().map(|text| Value::text(text.as_str())).collect(),
        Wish::Record(_) => Vec::new(),
    }
}

/// What a decision that waits chose.
pub fn decided(row: &ConflictRow, choice: &Choice) -> Vec<Value> {
    match choice {
        Choice::Org => row.values.org.clone(),
        Choice::Platform => row.values.platform.clone(),
        Choice::Value { values, .. } => values.clone(),
    }
}
