//! What is known of an undo: beforehand from history, afterwards from its own lines.

use rusqlite::params;

use crate::domain::plan::Line;
use crate::domain::side::{PerSide, Side};
use crate::domain::undo::{UndoLeft, UndoPreview};
use crate::store::read::Reader;
use crate::store::{StoreError, undo};

impl Reader {
    /// What history tells about a run that is to be taken back; `None` if there is no such run.
    pub fn undo_preview(&self, run: i64) -> Result<Option<UndoPreview>, StoreError> {
        let Some(row) = self.run(run)? else { return Ok(None) };
        let mut preview = UndoPreview {
            run,
            kind: row.kind,
            updated: PerSide::default(),
            created: PerSide::default(),
            deleted: PerSide::default(),
            forgotten: 0,
        };
        let mut known = 0;
        let sums: Vec<(i64, String, u64)> = self.with(|db| {
            let mut statement = db.prepare_cached(
                "SELECT side, action, count(*) FROM history WHERE run=? GROUP BY side, action",
            )?;
            let rows = statement.query_map(params![run], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        for (side, action, count) in sums {
            let place = match action.as_str() {
                "updated" => &mut preview.updated,
                "created" | "restored" => &mut preview.created,
                "deleted" => &mut preview.deleted,
                _ => continue,
            };
            place[Side::from_number(side)] += count;
            known += count;
        }
        let counts = &row.counts;
        preview.forgotten = (counts.created() + counts.updated() + counts.deleted()).saturating_sub(known);
        Ok(Some(preview))
    }

    /// What an undo left as it is, page by page behind a number.
    pub fn undo_left(&self, run: i64, after: i64, limit: usize) -> Result<Vec<(i64, UndoLeft)>, StoreError> {
        self.with(|db| undo::left(db, run, after, limit))
    }

    /// The lines that an undo would write, page by page behind a number.
    pub fn undo_planned(&self, run: i64, after: i64, limit: usize) -> Result<Vec<(i64, Line)>, StoreError> {
        self.with(|db| undo::planned(db, run, after, limit))
    }
}
