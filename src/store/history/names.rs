//! The names of a change's fields: most rows leave them out, as the identity of their pair has them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use crate::domain::by_hand::fields_of;
use crate::domain::report::HistoryChange;
use crate::domain::side::{PerSide, Side};
use crate::store::StoreError;

/// Whether a pair's identity tells the names of its fields apart.
pub fn tells(fields: &[String]) -> bool {
    !fields.is_empty() && fields.iter().all(|name| !name.is_empty() && !name.contains(['+', '|']))
}

/// The pairs that were asked for so far.
pub struct Names<'a> {
    db: &'a Connection,
    known: BTreeMap<i64, PerSide<Vec<String>>>,
}

impl<'a> Names<'a> {
    /// Knows none yet.
    pub fn new(db: &'a Connection) -> Self {
        Self { db, known: BTreeMap::new() }
    }

    /// Fills in the names that a row of this side left out.
    pub fn fill(&mut self, side: Side, changes: &mut [HistoryChange]) -> Result<(), StoreError> {
        for change in changes.iter_mut().filter(|change| change.fields.is_empty()) {
            let Some(pair) = change.pair else { continue };
            if let Some(known) = self.known.get(&pair) {
                change.fields.clone_from(&known[side]);
                continue;
            }
            let identity: Option<String> = self
                .db
                .prepare_cached("SELECT identity FROM pair WHERE pair=?")?
                .query_row([pair], |row| row.get(0))
                .optional()?;
            let fields = identity.as_deref().map(fields_of).unwrap_or_default();
            change.fields.clone_from(&fields[side]);
            self.known.insert(pair, fields);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_where_they_can_be_told_apart() {
        assert!(tells(&["FirstName".into(), "LastName".into()]));
        for names in [vec![], vec![String::new()], vec!["A+B".into()], vec!["Id".into(), "A|B".into()]] {
            assert!(!tells(&names), "{names:?}");
        }
    }
}
