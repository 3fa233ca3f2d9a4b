//! Read-only connections for screens and commands; they need no lock (law E14).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter, types::Value as Sql};

use crate::domain::audit::{AuditReport, Hole};
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::record::RecordId;
use crate::domain::report::{
    DriftRow, FirstSync, IssueGroup, IssueQuery, IssueRow, LastAudit, RunRow, StatusReport,
};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::store::{
    StoreError, audit, drift, feeds, from_millis, links, mappings, migrations, pending, to_millis,
};

mod bases;
mod conflicts;

mod history;
mod plans;
mod push;
mod undo;
mod why;

pub use history::HistoryPage;

/// A read-only view of a state database; cheap to clone. Calls block; run them off the event loop.
#[derive(Clone, Debug)]
pub struct Reader {
    path: PathBuf,
    db: Arc<Mutex<Connection>>,
}

/// Whether snoozed issues are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Snoozed {
    /// They are left out.
    #[default]
    Hidden,
    /// They are shown with the others.
    Shown,
}

pub(super) fn ids(org: Option<String>, platform: Option<String>) -> PerSide<Option<RecordId>> {
    let id = |text: Option<String>| text.filter(|text| !text.is_empty()).map(RecordId::new);
    PerSide { org: id(org), platform: id(platform) }
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let counts: String = row.get(6)?;
    let names: String = row.get(7)?;
    Ok(RunRow {
        run: row.get(0)?,
        kind: RunKind::from_word(&row.get::<_, String>(1)?).unwrap_or(RunKind::Instant),
        started: from_millis(row.get(2)?),
        finished: row.get::<_, Option<i64>>(3)?.map(from_millis),
        result: row.get::<_, Option<String>>(4)?.and_then(|word| RunResult::from_word(&word)),
        message: row.get(5)?,
        counts: serde_json::from_str::<Counts>(&counts).unwrap_or_default(),
        mappings: serde_json::from_str(&names).unwrap_or_default(),
    })
}

fn issue_row(row: &Row<'_>) -> rusqlite::Result<IssueRow> {
    Ok(IssueRow {
        issue: row.get(0)?,
        mapping: row.get(1)?,
        ids: ids(row.get(2)?, row.get(3)?),
        side: Side::from_number(row.get(4)?),
        label: row.get(5)?,
        code: row.get(6)?,
        cause: row.get(7)?,
        message: row.get(8)?,
        fields: serde_json::from_str(&row.get::<_, String>(9)?).unwrap_or_default(),
        run: row.get(10)?,
        since: from_millis(row.get(11)?),
        last_seen: from_millis(row.get(12)?),
        tries: row.get(13)?,
        open: row.get(14)?,
        snoozed_until: row.get::<_, Option<i64>>(15)?.map(from_millis),
    })
}

const RUN: &str = "SELECT run, kind, started, finished, result, message, counts, mappings FROM run";

impl Reader {
    /// Opens the database of a workspace for reading.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
        )?;
        db.busy_timeout(std::time::Duration::from_secs(2))?;
        db.set_prepared_statement_cache_capacity(64);
        links::clues::register(&db)?;
        let mut found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found > 0 && found < migrations::KNOWN {
            // Left behind by an older version: what is read here has to be there.
            migrations::apply(&mut Connection::open(path)?)?;
            found = migrations::KNOWN;
        }
        if found > migrations::KNOWN {
            return Err(StoreError::Newer { found, known: migrations::KNOWN });
        }
        Ok(Self { path: path.to_owned(), db: Arc::new(Mutex::new(db)) })
    }

    /// The file it reads.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read(&self.db.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What SQLite finds wrong with the file; empty if it is sound.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare("PRAGMA quick_check(20)")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            let lines: Vec<String> = rows.collect::<Result<_, _>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
    }

    /// A remembered text, such as the pinned org.
    pub fn remembered(&self, name: &'static str) -> Result<Option<String>, StoreError> {
        self.with(|db| mappings::remembered(db, name))
    }

    /// The latest audit with its first holes.
    pub fn audit(&self, limit: usize) -> Result<Option<(AuditReport, Vec<Hole>)>, StoreError> {
        self.with(|db| {
            let Some(report) = audit::last(db)? else { return Ok(None) };
            let holes = audit::holes(db, limit)?;
            Ok(Some((report, holes.into_iter().map(|(_, hole)| hole).collect())))
        })
    }

    /// The status block.
    pub fn status(&self, now: DateTime<Utc>) -> Result<StatusReport, StoreError> {
        self.with(|db| {
            let (mapped, begun, done, last_done): (i64, i64, i64, Option<i64>) = db.query_row(
                "SELECT count(*), count(initial_begun_at), count(initial_done_at), max(initial_done_at) FROM mapping",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            let first_sync = match last_done {
                Some(at) if done == mapped => FirstSync::Done { at: from_millis(at) },
                _ if begun > 0 => FirstSync::Begun,
                _ => FirstSync::Never,
            };
            let groups: i64 = db.query_row(
                "SELECT count(*) FROM (SELECT 1 FROM issue WHERE open=1 AND COALESCE(snoozed_until, 0)<=? GROUP BY code, mapping, cause)",
                [to_millis(now)],
                |row| row.get(0),
            )?;
            let snoozed: i64 = db.query_row(
                "SELECT count(*) FROM issue WHERE open=1 AND snoozed_until>?",
                [to_millis(now)],
                |row| row.get(0),
            )?;
            let oldest: Option<i64> = db.query_row("SELECT min(cursor_at) FROM feed", [], |row| row.get(0))?;
            let last_update = mappings::remembered(db, "last_update")?.and_then(|text| text.parse().ok());
            Ok(StatusReport {
                first_sync,
                issues: (mappings::counted(db, "issues")? - snoozed).max(0) as u64,
                issue_groups: groups as u64,
                pending: pending::count(db)?,
                conflicts: pending::parked_count(db)?,
                links: mappings::counted(db, "links")?.max(0) as u64,
                last_synchronization: oldest.map(from_millis),
                last_update: last_update.map(from_millis),
                last_run: self.last_run(db)?,
                last_audit: audit::last(db)?.map(|report| LastAudit {
                    run: report.run,
                    at: report.at,
                    holes: report.holes(),
                    gone: report.gone,
                }),
                ..StatusReport::default()
            })
        })
    }

    /// What differs from what was accepted of both sides, the worst first.
    pub fn drift(&self) -> Result<Vec<DriftRow>, StoreError> {
        self.with(drift::rows)
    }

    /// What both sides said of a mapping's objects when that was accepted.
    pub fn accepted_schemas(&self, mapping: &str) -> Result<Option<PerSide<ObjectSchema>>, StoreError> {
        self.with(|db| drift::accepted(db, mapping))
    }

    /// How a mapping was written when a person last accepted it.
    pub fn accepted(&self, mapping: &str) -> Result<Option<String>, StoreError> {
        self.with(|db| mappings::accepted(db, mapping))
    }

    /// Whether a feed was ever read to its end.
    pub fn has_cursor(&self, side: Side, object: &str) -> Result<bool, StoreError> {
        self.with(|db| Ok(feeds::get(db, side, object)?.cursor.is_some()))
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn last_run(&self, db: &Connection) -> Result<Option<RunRow>, StoreError> {
        let mut statement = db.prepare_cached(&format!("{RUN} ORDER BY run DESC LIMIT 1"))?;
        let mut rows = statement.query_map([], run_row)?;
        Ok(rows.next().transpose()?)
    }

    /// Runs, newest first.
    pub fn runs(&self, before: Option<i64>, limit: usize) -> Result<Vec<RunRow>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(&format!("{RUN} WHERE run<? ORDER BY run DESC LIMIT ?"))?;
            let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit as i64], run_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One run.
    pub fn run(&self, run: i64) -> Result<Option<RunRow>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(&format!("{RUN} WHERE run=?"))?;
            let mut rows = statement.query_map([run], run_row)?;
            Ok(rows.next().transpose()?)
        })
    }

    /// Open issues by cause, the largest group first. Groups of which all are snoozed at this moment are left out, unless
    /// they are asked for.
    pub fn issue_groups(&self, now: DateTime<Utc>, snoozed: Snoozed) -> Result<Vec<IssueGroup>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(
                "SELECT i.code, m.name, i.cause, count(*), min(i.since), max(i.last_seen), count(i.snoozed_until>?1 OR NULL)
                 FROM issue i JOIN mapping m USING (mapping) WHERE i.open=1
                 GROUP BY i.code, i.mapping, i.cause HAVING ?2 OR count(i.snoozed_until>?1 OR NULL)<count(*)
                 ORDER BY count(*) DESC, i.code, m.name, i.cause",
            )?;
            let rows = statement.query_map(params![to_millis(now), snoozed == Snoozed::Shown], |row| {
                Ok(IssueGroup {
                    code: row.get(0)?,
                    mapping: row.get(1)?,
                    cause: row.get(2)?,
                    records: row.get::<_, i64>(3)? as u64,
                    since: from_millis(row.get(4)?),
                    last_seen: from_millis(row.get(5)?),
                    snoozed: row.get::<_, i64>(6)? as u64,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Issues, in the order of their numbers.
    pub fn issues(&self, query: &IssueQuery) -> Result<Vec<IssueRow>, StoreError> {
        self.with(|db| {
            let mut sql = String::from(
                "SELECT i.issue, m.name, i.org_id, i.platform_id, i.side, i.label, i.code, i.cause, i.message, i.fields,
                        i.run, i.since, i.last_seen, i.tries, i.open, i.snoozed_until
                 FROM issue i JOIN mapping m USING (mapping) WHERE i.issue>?",
            );
            let mut values: Vec<Sql> = vec![query.after.unwrap_or(0).into()];
            for (column, value) in
                [("i.code", &query.code), ("m.name", &query.mapping), ("i.cause", &query.cause)]
            {
                if let Some(value) = value {
                    sql.push_str(" AND ");
                    sql.push_str(column);
                    sql.push_str("=?");
                    values.push(value.clone().into());
                }
            }
            if !query.resolved {
                sql.push_str(" AND i.open=1");
            }
            if let Some(now) = query.awake_at {
                sql.push_str(" AND COALESCE(i.snoozed_until, 0)<=?");
                values.push(to_millis(now).into());
            }
            sql.push_str(" ORDER BY i.issue LIMIT ?");
            values.push((query.limit as i64).into());
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), issue_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
