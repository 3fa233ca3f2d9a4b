//! Parked pairs with everything a person needs to decide them.

use rusqlite::{Connection, Row, params_from_iter, types::Value as Sql};

use crate::domain::by_hand::fields_of;
use crate::domain::report::{ConflictQuery, ConflictRow, Decided};
use crate::domain::side::{PerSide, Side};
use crate::store::read::{Reader, ids};
use crate::store::{StoreError, from_millis, links};

const SELECT: &str = "SELECT p.conflict, m.name, COALESCE(r.identity, ''), p.why, p.label, l.org_id, l.platform_id, p.org, p.platform,
        p.since, p.run, p.note, p.link, p.pair, d.choice, d.author, d.at, g.side
 FROM parked p JOIN link l USING (link) JOIN mapping m ON m.mapping=l.mapping LEFT JOIN pair r ON r.pair=p.pair
 LEFT JOIN departure g ON g.link=p.link AND p.pair=0
 LEFT JOIN decision d ON d.mapping=l.mapping AND d.org_id=l.org_id AND d.platform_id=l.platform_id AND d.pair=p.pair
 WHERE l.closed=0 AND (g.state IS NULL OR g.state<>'decided')";

/// A row, with the numbers of its link and its pair.
type Found = (ConflictRow, i64, i64);

fn from_row(row: &Row<'_>) -> rusqlite::Result<Found> {
    let identity: String = row.get(2)?;
    let values = |place: usize| -> rusqlite::Result<Vec<crate::domain::value::Value>> {
        Ok(serde_json::from_str(&row.get::<_, String>(place)?).unwrap_or_default())
    };
    let note: String = row.get(11)?;
    let decided = match row.get::<_, Option<String>>(14)?.map(|choice| serde_json::from_str(&choice)) {
        Some(Ok(choice)) => Some(Decided { choice, by: row.get(15)?, at: from_millis(row.get(16)?) }),
        Some(Err(_)) | None => None,
    };
    let mut found = ConflictRow {
        conflict: row.get(0)?,
        mapping: row.get(1)?,
        fields: fields_of(&identity),
        pair: identity,
        why: row.get(3)?,
        label: row.get(4)?,
        ids: ids(row.get(5)?, row.get(6)?),
        base: None,
        values: PerSide { org: values(7)?, platform: values(8)? },
        since: from_millis(row.get(9)?),
        run: row.get(10)?,
        note: (!note.is_empty()).then_some(note),
        decided,
        deleted: row.get::<_, Option<i64>>(17)?.map(Side::from_number),
    };
    if let Some(gone) = found.deleted {
        // Where a record is gone stand the names of the fields that were edited on the other side.
        let names = std::mem::take(&mut found.values[gone]);
        found.fields[gone.other()] = names.iter().map(ToString::to_string).collect();
    }
    Ok((found, row.get(12)?, row.get(13)?))
}

fn with_base(db: &Connection, (row, link, pair): Found) -> Result<ConflictRow, StoreError> {
    let base = links::get(db, link)?.and_then(|link| link.bases.get(pair).cloned());
    Ok(ConflictRow { base, ..row })
}

impl Reader {
    /// Conflicts, in the order of their numbers.
    pub fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<ConflictRow>, StoreError> {
        self.with(|db| {
            let mut sql = format!("{SELECT} AND p.conflict>?");
            let mut values: Vec<Sql> = vec![query.after.unwrap_or(0).into()];
            for (column, value) in [("m.name", &query.mapping), ("p.why", &query.why)] {
                if let Some(value) = value {
                    sql.push_str(" AND ");
                    sql.push_str(column);
                    sql.push_str("=?");
                    values.push(value.clone().into());
                }
            }
            sql.push_str(" ORDER BY p.conflict");
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let row = from_row(row)?;
                if query.field.as_deref().is_none_or(|field| has_field(&row.0, field)) {
                    found.push(with_base(db, row)?);
                }
                if found.len() == query.limit {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// One conflict.
    pub fn conflict(&self, conflict: i64) -> Result<Option<ConflictRow>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(&format!("{SELECT} AND p.conflict=?"))?;
            let found = statement.query_map([conflict], from_row)?.next().transpose()?;
            found.map(|found| with_base(db, found)).transpose()
        })
    }
}

fn has_field(row: &ConflictRow, field: &str) -> bool {
    let fields = row.fields.org.iter().chain(&row.fields.platform);
    row.pair == field || fields.into_iter().any(|known| known.eq_ignore_ascii_case(field))
}
