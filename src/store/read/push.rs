//! Which records are linked, and what became of them.

use rusqlite::OptionalExtension;

use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::store::StoreError;
use crate::store::read::Reader;

impl Reader {
    /// The other side's ids of records of a side that are linked in a mapping, in their order.
    pub fn linked(
        &self,
        mapping: &str,
        side: Side,
        ids: &[RecordId],
    ) -> Result<Vec<Option<RecordId>>, StoreError> {
        let sql = match side {
            Side::Org => {
                "SELECT l.platform_id FROM link l JOIN mapping m ON m.mapping=l.mapping
                 WHERE m.name=? AND l.org_id=? AND l.closed=0"
            }
            Side::Platform => {
                "SELECT l.org_id FROM link l JOIN mapping m ON m.mapping=+l.mapping AND m.family=l.family
                 WHERE m.name=?1 AND l.link IN (SELECT link FROM clues WHERE hash=id_hash(?2)) AND l.platform_id=?2
                     AND l.closed=0"
            }
        };
        self.with(|db| {
            let mut statement = db.prepare_cached(sql)?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let linked: Option<String> =
                    statement.query_row([mapping, id.as_str()], |row| row.get(0)).optional()?;
                found.push(linked.map(RecordId::new));
            }
            Ok(found)
        })
    }

    /// Whether a record of the platform must be looked at again.
    pub fn is_pending(&self, mapping: &str, ids: &[RecordId]) -> Result<Vec<bool>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(
                "SELECT 1 FROM pending p JOIN mapping m ON m.mapping=p.mapping WHERE m.name=? AND p.side=? AND p.id=?",
            )?;
            ids.iter()
                .map(|id| Ok(statement.exists(rusqlite::params![mapping, Side::Platform.number(), id.as_str()])?))
                .collect()
        })
    }
}
