//! Counting links by what both sides last held of one pair.

use rusqlite::OptionalExtension;

use crate::domain::side::PerSide;
use crate::domain::value::Value;
use crate::store::StoreError;
use crate::store::links::Bases;
use crate::store::read::Reader;

impl Reader {
    /// How many open links of a mapping pass a test on what both sides last held of a pair, as it was written then. `None` where the
    /// pair is not known, where the test can't tell, or where there are more links than `most`, which nobody waits for.
    pub fn count_bases(
        &self,
        mapping: &str,
        pair_identity: &str,
        most: usize,
        test: impl Fn(&PerSide<Vec<Value>>) -> Option<bool>,
    ) -> Result<Option<u64>, StoreError> {
        self.with(|db| {
            let known: Option<(i64, i64)> = db
                .prepare_cached(
                    "SELECT m.mapping, p.pair FROM mapping m JOIN pair p USING (mapping) WHERE m.name=? AND p.identity=?",
                )?
                .query_row([mapping, pair_identity], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((mapping, pair)) = known else { return Ok(None) };
            let limit = most.saturating_add(1) as i64;
            let links: i64 = db
                .prepare_cached("SELECT COUNT(*) FROM (SELECT 1 FROM link WHERE mapping=? LIMIT ?)")?
                .query_row([mapping, limit], |row| row.get(0))?;
            if links >= limit {
                return Ok(None);
            }
            let mut statement = db.prepare_cached("SELECT base FROM link WHERE mapping=? AND closed=0")?;
            let mut rows = statement.query([mapping])?;
            let mut count = 0;
            while let Some(row) = rows.next()? {
                let bases = Bases::decode(&row.get::<_, Vec<u8>>(0)?)?;
                let Some(held) = bases.get(pair) else { continue };
                match test(held) {
                    Some(true) => count += 1,
                    Some(false) => {}
                    None => return Ok(None),
                }
            }
            Ok(Some(count))
        })
    }
}
