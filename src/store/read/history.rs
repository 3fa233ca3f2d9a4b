//! History, newest first, page by page: by record, run, mapping, field and time, without counting and without offsets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value as Sql};

use crate::domain::by_hand::fields_of;
use crate::domain::report::{HistoryQuery, HistoryRow};
use crate::domain::side::Side;
use crate::store::history::compact;
use crate::store::history::names::Names;
use crate::store::read::{Reader, ids};
use crate::store::{StoreError, from_millis, to_millis};

/// Rows looked through for a field before a page is handed out, full or not.
const SLICE: usize = 20_000;

/// One page of history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// The rows, newest first.
    pub rows: Vec<HistoryRow>,
    /// Before which sequence to go on; `None` if there is nothing more.
    pub next: Option<i64>,
}

impl Reader {
    /// History, newest first: as many rows as were asked for, or all there are.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryRow>, StoreError> {
        let mut query = query.clone();
        let mut rows = Vec::new();
        loop {
            let page = self.history_page(&query)?;
            query.limit = query.limit.saturating_sub(page.rows.len());
            rows.extend(page.rows);
            match page.next {
                Some(next) if query.limit > 0 => query.before = Some(next),
                _ => return Ok(rows),
            }
        }
    }

    /// One page of history. Where a field is asked for, a page may come with fewer rows than its limit, even none, and still have
    /// a `next`: the search streams and can be stopped between two pages.
    pub fn history_page(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        self.with(|db| page(db, query))
    }
}

/// What narrows a page, in the words of the database.
struct Bounds {
    conditions: String,
    values: Vec<Sql>,
}

impl Bounds {
    fn and(&mut self, condition: &str, value: impl Into<Sql>) {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
        self.values.push(value.into());
    }
}

fn page(db: &Connection, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
    let names = names(db)?;
    let mapping = match &query.mapping {
        None => None,
        Some(name) => match names.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            Some((number, _)) => Some(*number),
            None => return Ok(HistoryPage::default()),
        },
    };
    let mut before = query.before.unwrap_or(i64::MAX);
    let mut bounds = Bounds { conditions: String::new(), values: Vec::new() };
    if let Some(until) = query.until {
        before = before.min(first_since(db, until)?.unwrap_or(i64::MAX));
    }
    if let Some(since) = query.since {
        // Nothing happened since.
        let Some(first) = first_since(db, since)? else { return Ok(HistoryPage::default()) };
        bounds.and("sequence>=?", first);
        bounds.and("at>=?", to_millis(since));
    }
    // The narrowest index leads; the plus keeps the others from being used instead.
    if let Some(run) = query.run {
        bounds.and(if query.id.is_some() { "+run=?" } else { "run=?" }, run);
    }
    if let Some(mapping) = mapping {
        bounds
            .and(if query.id.is_some() || query.run.is_some() { "+mapping=?" } else { "mapping=?" }, mapping);
    }
    let looked_at = if query.field.is_some() { SLICE.max(query.limit) } else { query.limit };
    let mut rows = Vec::new();
    match &query.id {
        None => rows = select(db, "", &[], before, &bounds, looked_at, &names)?,
        Some(id) => {
            for (record, values) in of_record(db, id)? {
                rows.extend(select(db, record, &values, before, &bounds, looked_at, &names)?);
            }
            rows.sort_by_key(|row| std::cmp::Reverse(row.sequence));
            rows.dedup_by_key(|row| row.sequence);
        }
    }
    let full = rows.len() >= looked_at && looked_at > 0;
    rows.truncate(looked_at);
    let mut next = rows.last().map(|row| row.sequence).filter(|_| full);
    if let Some(field) = &query.field {
        let pairs = pairs_with(db, field)?;
        rows.retain(|row| {
            row.changes.iter().any(|change| {
                change.pair.is_some_and(|pair| pairs.contains(&pair))
                    || change.fields.iter().any(|name| name.eq_ignore_ascii_case(field))
            })
        });
        if rows.len() > query.limit {
            rows.truncate(query.limit);
            next = rows.last().map(|row| row.sequence);
        }
    }
    Ok(HistoryPage { rows, next })
}

/// Conditions that together find the rows of a record by its id on either side, each along an index. How a record of the platform
/// was created is looked for with the records of the org that it is or was linked with.
fn of_record(db: &Connection, id: &str) -> Result<Vec<(&'static str, Vec<String>)>, StoreError> {
    let mut found = vec![
        ("org_id=?", vec![id.to_owned()]),
        ("platform_id=? AND action<>'created'", vec![id.to_owned()]),
        // What was created without a counterpart.
        ("org_id IS NULL AND platform_id=? AND action='created'", vec![id.to_owned()]),
    ];
    let mut statement = db.prepare_cached(
        "SELECT org_id FROM link WHERE link IN (SELECT link FROM clues WHERE hash=id_hash(?1)) AND platform_id=?1
         UNION SELECT org_id FROM history WHERE platform_id=?1 AND action<>'created' AND org_id IS NOT NULL",
    )?;
    let linked = statement.query_map([id], |row| row.get(0))?;
    for org in linked {
        found.push(("org_id=? AND platform_id=? AND action='created'", vec![org?, id.to_owned()]));
    }
    Ok(found)
}

fn names(db: &Connection) -> Result<BTreeMap<i64, String>, StoreError> {
    let mut statement = db.prepare_cached("SELECT mapping, name FROM mapping")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The pairs that have a field on either side, also those of old.
fn pairs_with(db: &Connection, field: &str) -> Result<BTreeSet<i64>, StoreError> {
    let mut statement = db.prepare_cached("SELECT pair, identity FROM pair")?;
    let mut rows = statement.query([])?;
    let mut pairs = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let fields = fields_of(&row.get::<_, String>(1)?);
        if fields.org.iter().chain(&fields.platform).any(|name| name.eq_ignore_ascii_case(field)) {
            pairs.insert(row.get(0)?);
        }
    }
    Ok(pairs)
}

fn select(
    db: &Connection,
    record: &str,
    ids: &[String],
    before: i64,
    bounds: &Bounds,
    limit: usize,
    names: &BTreeMap<i64, String>,
) -> Result<Vec<HistoryRow>, StoreError> {
    let mut sql = String::from(
        "SELECT sequence, at, run, mapping, org_id, platform_id, side, action, call, changes FROM history WHERE sequence<?",
    );
    let mut values: Vec<Sql> = vec![before.into()];
    if !record.is_empty() {
        sql.push_str(" AND ");
        sql.push_str(record);
        values.extend(ids.iter().map(|id| id.clone().into()));
    }
    sql.push_str(&bounds.conditions);
    values.extend(bounds.values.iter().cloned());
    sql.push_str(" ORDER BY sequence DESC LIMIT ?");
    values.push((limit as i64).into());
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(values))?;
    let (mut rows, mut fields) = (Vec::new(), Names::new(db));
    while let Some(row) = found.next()? {
        let mut row = history_row(row, names)?;
        fields.fill(row.side, &mut row.changes)?;
        rows.push(row);
    }
    Ok(rows)
}

/// A row as it is shown; its columns in the order of [`select`].
fn history_row(row: &Row<'_>, names: &BTreeMap<i64, String>) -> Result<HistoryRow, StoreError> {
    let mapping: i64 = row.get(3)?;
    Ok(HistoryRow {
        sequence: row.get(0)?,
        at: from_millis(row.get(1)?),
        run: row.get(2)?,
        mapping: names.get(&mapping).cloned().unwrap_or_default(),
        ids: ids(row.get(4)?, row.get(5)?),
        side: Side::from_number(row.get(6)?),
        action: row.get(7)?,
        call: row.get(8)?,
        changes: compact::decode(row.get_ref(9)?)?,
    })
}

/// The first sequence of a moment or later. Sequences rise with time, so it is found by halving, without an index of its own;
/// a clock that was set back blurs it by as much.
fn first_since(db: &Connection, moment: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
    let wanted = to_millis(moment);
    let edge = |order: &str| -> Result<Option<i64>, StoreError> {
        Ok(db
            .query_row(
                &format!("SELECT sequence FROM history ORDER BY sequence {order} LIMIT 1"),
                [],
                |row| row.get(0),
            )
            .optional()?)
    };
    let (Some(mut low), Some(last)) = (edge("ASC")?, edge("DESC")?) else { return Ok(None) };
    let mut high = last + 1;
    let mut probe =
        db.prepare_cached("SELECT sequence, at FROM history WHERE sequence>=? ORDER BY sequence LIMIT 1")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64)> =
            probe.query_row(params![middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((sequence, at)) if at < wanted => low = sequence + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok((low <= last).then_some(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::RecordId;
    use crate::domain::side::PerSide;
    use crate::store::history::{NewHistory, put};
    use crate::store::links::{Bases, NewLink, make};
    use crate::store::{Store, mappings};

    /// Two people are created on the platform; the first contact of the second goes on with another one there.
    #[tokio::test]
    async fn how_a_record_was_created_is_found_by_either_id_also_after_it_was_linked_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = Store::open(&path).unwrap();
        store
            .write(|db| {
                let row = mappings::register(db, "contact", "Contact", "contact", "f", &[])?;
                let write = |org: Option<&str>, platform: &str, action: &str| {
                    let ids =
                        PerSide { org: org.map(RecordId::new), platform: Some(RecordId::new(platform)) };
                    let (mapping, ids) = (row.mapping, &ids);
                    let new = NewHistory { run: 1, mapping, ids, side: Side::Platform, action, changes: &[] };
                    put(db, DateTime::UNIX_EPOCH, &new).map(drop)
                };
                let link = |org: &str, platform: &str| {
                    make(
                        db,
                        &NewLink {
                            mapping: row.mapping,
                            family: row.family,
                            ids: PerSide { org: RecordId::new(org), platform: RecordId::new(platform) },
                            stamps: PerSide::default(),
                            read: PerSide::default(),
                            keys: PerSide::default(),
                            bases: Bases::default().encode(),
                            run: 1,
                        },
                    )
                };
                write(Some("003A"), "p1", "created")?;
                write(Some("003B"), "p2", "created")?;
                write(Some("003B"), "p2", "closed")?;
                write(Some("003B"), "p3", "created")?;
                write(None, "p4", "created")?;
                assert!(link("003A", "p1")?.is_some() && link("003B", "p3")?.is_some());
                // A record has one link.
                assert!(link("003A", "p5")?.is_none() && link("003C", "p1")?.is_none());
                Ok(())
            })
            .await
            .unwrap();
        let reader = Reader::open(&path).unwrap();
        let found = |id: &str| {
            let query = HistoryQuery { id: Some(id.into()), limit: 10, ..HistoryQuery::default() };
            let rows = reader.history(&query).unwrap();
            rows.into_iter().map(|row| (row.sequence, row.action)).collect::<Vec<_>>()
        };
        let (created, closed) = ("created".to_owned(), "closed".to_owned());
        assert_eq!(found("p1"), [(1, created.clone())]);
        assert_eq!(found("p2"), [(3, closed.clone()), (2, created.clone())]);
        assert_eq!(found("p3"), [(4, created.clone())]);
        assert_eq!(found("p4"), [(5, created.clone())]);
        assert_eq!(found("003B"), [(4, created.clone()), (3, closed), (2, created)]);
        assert!(found("p5").is_empty());
    }
}
