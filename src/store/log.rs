//! Reads the log: facts, and between them one line for every record that history says was written. Both share one sequence, so
//! that a written record costs no second row.

use rusqlite::{Connection, Row, params_from_iter, types::Value as Sql};

use crate::domain::record::RecordId;
use crate::domain::report::{FactRow, HistoryChange, Level, LogQuery};
use crate::domain::side::Side;
use crate::store::history::compact;
use crate::store::history::names::Names;
use crate::store::read::{Reader, ids};
use crate::store::{StoreError, from_millis};

/// A closed link has a fact of its own, which says why.
const CLOSED: &str = "closed";

impl Reader {
    /// The highest sequence of the log.
    pub fn last_fact(&self) -> Result<i64, StoreError> {
        self.with(|db| {
            Ok(db.query_row(
                "SELECT max((SELECT COALESCE(max(sequence), 0) FROM fact), (SELECT COALESCE(max(sequence), 0) FROM history))",
                [],
                |row| row.get(0),
            )?)
        })
    }

    /// Log lines: newest first, or oldest first when following (`after`).
    pub fn log(&self, query: &LogQuery) -> Result<Vec<FactRow>, StoreError> {
        self.with(|db| {
            let mut lines = facts(db, query)?;
            if query.level.is_none_or(|level| level <= Level::Info) {
                lines.extend(written(db, query)?);
                lines.sort_by_key(|line| line.sequence);
                if query.after.is_none() {
                    lines.reverse();
                }
                lines.truncate(query.limit);
            }
            Ok(lines)
        })
    }
}

/// What facts and history are narrowed by alike.
fn narrowed(query: &LogQuery, sequence: &str, mapping: &str) -> (String, Vec<Sql>) {
    let mut sql = format!(" WHERE {sequence}<? AND {sequence}>?");
    let mut values: Vec<Sql> = vec![query.before.unwrap_or(i64::MAX).into(), query.after.unwrap_or(0).into()];
    if let Some(run) = query.run {
        sql.push_str(" AND run=?");
        values.push(run.into());
    }
    if let Some(name) = &query.mapping {
        sql.push_str(" AND ");
        sql.push_str(mapping);
        sql.push_str("=?");
        values.push(name.clone().into());
    }
    (sql, values)
}

fn order(query: &LogQuery, sequence: &str) -> String {
    let way = if query.after.is_some() { "" } else { " DESC" };
    format!(" ORDER BY {sequence}{way}")
}

fn facts(db: &Connection, query: &LogQuery) -> Result<Vec<FactRow>, StoreError> {
    let (narrowed, mut values) = narrowed(query, "sequence", "mapping");
    let mut sql = format!(
        "SELECT sequence, at, level, run, mapping, org_id, platform_id, message, detail FROM fact{narrowed}"
    );
    if let Some(level) = query.level {
        sql.push_str(" AND level>=?");
        values.push(level.number().into());
    }
    if let Some(text) = &query.text {
        sql.push_str(
            " AND instr(lower(message || ' ' || COALESCE(org_id, '') || ' ' || COALESCE(platform_id, '')), lower(?))>0",
        );
        values.push(text.clone().into());
    }
    sql.push_str(&order(query, "sequence"));
    sql.push_str(" LIMIT ?");
    values.push((query.limit as i64).into());
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(FactRow {
            sequence: row.get(0)?,
            at: from_millis(row.get(1)?),
            level: Level::from_number(row.get(2)?),
            run: row.get(3)?,
            mapping: row.get(4)?,
            ids: ids(row.get(5)?, row.get(6)?),
            message: row.get(7)?,
            detail: row.get::<_, Option<String>>(8)?.and_then(|text| serde_json::from_str(&text).ok()),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One line for each record that was written.
fn written(db: &Connection, query: &LogQuery) -> Result<Vec<FactRow>, StoreError> {
    let (narrowed, mut values) = narrowed(query, "h.sequence", "m.name");
    values.push(CLOSED.to_owned().into());
    let sql = format!(
        "SELECT h.sequence, h.at, h.run, m.name, h.org_id, h.platform_id, h.side, h.action, h.changes
         FROM history h LEFT JOIN mapping m USING (mapping){narrowed} AND h.action<>?{}",
        order(query, "h.sequence")
    );
    let wanted = query.text.as_ref().map(|text| text.to_lowercase());
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut lines, mut names) = (Vec::new(), Names::new(db));
    while lines.len() < query.limit
        && let Some(row) = rows.next()?
    {
        let line = line(row, &mut names)?;
        if wanted.as_ref().is_none_or(|text| holds(&line, text)) {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn line(row: &Row<'_>, names: &mut Names<'_>) -> Result<FactRow, StoreError> {
    let mut changes: Vec<HistoryChange> = compact::decode(row.get_ref(8)?).unwrap_or_default();
    let (side, action) = (Side::from_number(row.get(6)?), row.get::<_, String>(7)?);
    names.fill(side, &mut changes)?;
    let ids = ids(row.get(4)?, row.get(5)?);
    Ok(FactRow {
        sequence: row.get(0)?,
        at: from_millis(row.get(1)?),
        level: Level::Info,
        run: row.get(2)?,
        mapping: row.get(3)?,
        message: sentence(ids.org.as_ref().or(ids.platform.as_ref()), side, &action, &changes),
        ids,
        detail: None,
    })
}

/// Fields by name, never a value: the log may be shown to people who may not see the records.
fn sentence(record: Option<&RecordId>, side: Side, action: &str, changes: &[HistoryChange]) -> String {
    let place = match side {
        Side::Org => "in Salesforce",
        Side::Platform => "on the platform",
    };
    let fields: Vec<&str> =
        changes.iter().flat_map(|change| change.fields.iter().map(String::as_str)).collect();
    let record = record.map_or("A record", RecordId::as_str);
    if fields.is_empty() {
        format!("{record} {action} {place}.")
    } else {
        format!("{record} {action} {place}: {}.", fields.join(", "))
    }
}

fn holds(line: &FactRow, text: &str) -> bool {
    line.message.to_lowercase().contains(text)
        || Side::BOTH
            .iter()
            .any(|side| line.ids[*side].as_ref().is_some_and(|id| id.as_str().to_lowercase().contains(text)))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::domain::side::PerSide;
    use crate::domain::value::Value;
    use crate::store::facts::{self, NewFact};
    use crate::store::history::{self, NewChange, NewHistory, compact};
    use crate::store::{Store, mappings};

    /// A fact, a written record, a fact, two written records, a warning.
    async fn reader(folder: &tempfile::TempDir) -> Reader {
        let path = folder.path().join("state.db");
        let store = Store::open(&path).unwrap();
        store
            .write(|db| {
                let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
                let row = mappings::register(db, "contact", "Contact", "contact", "f", &[])?;
                let fact = |level, text: &str| facts::insert(db, now, &NewFact::new(level, Some(1), text));
                let write = |id: &str, action| {
                    let ids = PerSide { org: Some(RecordId::new(id)), platform: None };
                    let change = NewChange {
                        pair: None,
                        fields: vec!["Email".into()],
                        old: vec![Value::text("a@old.example")],
                        new: vec![Value::text("a@new.example")],
                        rule: None,
                    };
                    let (side, changes) = (Side::Platform, &compact::encode(&[change]));
                    history::put(
                        db,
                        now,
                        &NewHistory { run: 1, mapping: row.mapping, ids: &ids, side, action, changes },
                    )
                };
                fact(Level::Info, "Run started.")?;
                write("003A", "created")?;
                fact(Level::Debug, "Between.")?;
                write("003B", "updated")?;
                write("003C", "closed")?;
                fact(Level::Warn, "Run ended.").map(drop)
            })
            .await
            .unwrap();
        Reader::open(&path).unwrap()
    }

    fn messages(reader: &Reader, query: &LogQuery) -> Vec<String> {
        reader.log(query).unwrap().into_iter().map(|line| line.message).collect()
    }

    #[tokio::test]
    async fn every_written_record_is_a_line_between_the_facts_without_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let reader = reader(&folder).await;
        let all = LogQuery { level: Some(Level::Info), limit: 100, ..LogQuery::default() };
        let lines = messages(&reader, &all);
        assert_eq!(
            lines,
            [
                "Run ended.",
                "003B updated on the platform: Email.",
                "003A created on the platform: Email.",
                "Run started."
            ]
        );
        assert!(lines.iter().all(|line| !line.contains("example")));
        assert_eq!(reader.last_fact().unwrap(), 6);
        assert_eq!(messages(&reader, &LogQuery { level: Some(Level::Warn), ..all.clone() }), ["Run ended."]);
        let found = reader.log(&LogQuery { text: Some("003b".into()), ..all.clone() }).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].mapping.as_deref(), Some("contact"));
        assert_eq!(messages(&reader, &LogQuery { text: Some("CREATED".into()), ..all }).len(), 1);
    }

    #[tokio::test]
    async fn pages_of_lines_meet_without_a_gap_in_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let reader = reader(&folder).await;
        let (mut back, mut forth) = (Vec::new(), Vec::new());
        let mut query = LogQuery { limit: 2, ..LogQuery::default() };
        loop {
            let page = reader.log(&query).unwrap();
            let Some(last) = page.last() else { break };
            query.before = Some(last.sequence);
            back.extend(page.iter().map(|line| line.sequence));
        }
        query = LogQuery { limit: 2, after: Some(0), ..LogQuery::default() };
        loop {
            let page = reader.log(&query).unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some(last.sequence);
            forth.extend(page.iter().map(|line| line.sequence));
        }
        back.reverse();
        assert_eq!(back, [1, 2, 3, 4, 6]);
        assert_eq!(forth, back);
    }
}
