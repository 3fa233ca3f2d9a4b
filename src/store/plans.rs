//! Saved plans: heads and lines (law E5). Lines are numbered by mapping and ids, so that equal plans are equal line by line.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::plan::Line;
use crate::domain::plan::saved::{Deed, LineOutcome, PlanHead, PlanLine, PlanQuery, Seen};
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::store::{StoreError, to_millis};

/// Plans without a name that are kept; the oldest go first.
const KEPT: i64 = 10;

/// Opens a plan and gives its number; an unnamed one that is too old goes.
pub fn begin(db: &Connection, head: &PlanHead) -> Result<i64, StoreError> {
    db.execute(
        "INSERT INTO plan (name, made, head) VALUES (?,?,?)",
        params![head.name, to_millis(head.made), serde_json::to_string(head)?],
    )?;
    let plan = db.last_insert_rowid();
    set_head(db, &PlanHead { plan, ..head.clone() })?;
    Ok(plan)
}

/// Keeps the head of a plan anew.
pub fn set_head(db: &Connection, head: &PlanHead) -> Result<(), StoreError> {
    db.execute("UPDATE plan SET head=? WHERE plan=?", params![serde_json::to_string(head)?, head.plan])?;
    Ok(())
}

fn head_row(row: &Row<'_>) -> rusqlite::Result<(i64, Option<String>, String, Option<i64>)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn head_of(
    (plan, name, head, applied): (i64, Option<String>, String, Option<i64>),
) -> Result<PlanHead, StoreError> {
    Ok(PlanHead { plan, name, applied, ..serde_json::from_str(&head)? })
}

/// The head of a plan.
pub fn get(db: &Connection, plan: i64) -> Result<Option<PlanHead>, StoreError> {
    let row = db
        .prepare_cached("SELECT plan, name, head, applied FROM plan WHERE plan=?")?
        .query_row([plan], head_row)
        .optional()?;
    row.map(head_of).transpose()
}

/// The plan of that name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<PlanHead>, StoreError> {
    let row = db
        .prepare_cached("SELECT plan, name, head, applied FROM plan WHERE name=?")?
        .query_row([name], head_row)
        .optional()?;
    row.map(head_of).transpose()
}

/// All plans, newest first.
pub fn all(db: &Connection) -> Result<Vec<PlanHead>, StoreError> {
    let mut statement = db.prepare_cached("SELECT plan, name, head, applied FROM plan ORDER BY plan DESC")?;
    let rows: Vec<_> = statement.query_map([], head_row)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(head_of).collect()
}

/// Gives a plan a name, or takes it away; a plan that had it before loses it.
pub fn name(db: &Connection, plan: i64, name: Option<&str>) -> Result<bool, StoreError> {
    if let Some(name) = name {
        db.execute("UPDATE plan SET name=NULL WHERE name=? AND plan<>?", params![name, plan])?;
    }
    Ok(db.execute("UPDATE plan SET name=? WHERE plan=?", params![name, plan])? > 0)
}

/// Notes by which run a plan was applied to its end.
pub fn applied(db: &Connection, plan: i64, run: i64) -> Result<(), StoreError> {
    db.execute("UPDATE plan SET applied=? WHERE plan=?", params![run, plan])?;
    Ok(())
}

/// Forgets a plan; tells whether there was one.
pub fn forget(db: &Connection, plan: i64) -> Result<bool, StoreError> {
    db.execute("DELETE FROM plan_line WHERE plan=?", [plan])?;
    Ok(db.execute("DELETE FROM plan WHERE plan=?", [plan])? > 0)
}

/// Forgets plans without a name that are too many, and all plans that were made before a moment.
pub fn prune(db: &Connection, before: Option<DateTime<Utc>>) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT plan FROM plan WHERE made<?1 OR (name IS NULL AND plan NOT IN (
             SELECT plan FROM plan WHERE name IS NULL ORDER BY plan DESC LIMIT ?2))",
    )?;
    let before = before.map_or(i64::MIN, to_millis);
    let old: Vec<i64> =
        statement.query_map(params![before, KEPT], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for plan in old {
        forget(db, plan)?;
    }
    Ok(())
}

fn id(id: Option<&RecordId>) -> &str {
    id.map_or("", RecordId::as_str)
}

/// Keeps a line under its number.
pub fn put_line(db: &Connection, plan: i64, line: &PlanLine) -> Result<(), StoreError> {
    let deeds = line.line.deeds(line.linked);
    let mask = deeds.iter().fold(0, |mask, deed| mask | deed.deed.bit());
    let sides = deeds.iter().filter_map(|deed| deed.side).fold(0, |mask, side| mask | (1 << side.number()));
    db.prepare_cached(
        "INSERT INTO plan_line (plan, line, mapping, org_id, platform_id, deeds, sides, linked, label, org_seen, platform_seen,
             base_seen, body, outcome, why)
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        plan,
        line.number,
        line.line.mapping,
        id(line.line.ids.org.as_ref()),
        id(line.line.ids.platform.as_ref()),
        mask,
        sides,
        line.linked,
        line.label,
        line.seen.sides.org,
        line.seen.sides.platform,
        line.seen.base,
        serde_json::to_string(&line.line)?,
        line.outcome.map(LineOutcome::word),
        line.why,
    ])?;
    Ok(())
}

const LINE: &str =
    "SELECT line, label, linked, body, org_seen, platform_seen, base_seen, outcome, why FROM plan_line";

fn line_row(row: &Row<'_>) -> Result<PlanLine, StoreError> {
    let line: Line = serde_json::from_str(&row.get::<_, String>(3)?)?;
    Ok(PlanLine {
        number: row.get(0)?,
        label: row.get(1)?,
        linked: row.get(2)?,
        line,
        seen: Seen { sides: PerSide { org: row.get(4)?, platform: row.get(5)? }, base: row.get(6)? },
        outcome: row.get::<_, Option<String>>(7)?.and_then(|word| LineOutcome::from_word(&word)),
        why: row.get(8)?,
    })
}

fn collect(mut rows: rusqlite::Rows<'_>) -> Result<Vec<PlanLine>, StoreError> {
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(line_row(row)?);
    }
    Ok(lines)
}

/// Where a page in the order of mapping and ids goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    mapping: String,
    org: String,
    platform: String,
    line: i64,
}

impl Place {
    /// The place behind a line.
    pub fn behind(line: &PlanLine) -> Self {
        Self {
            mapping: line.line.mapping.clone(),
            org: id(line.line.ids.org.as_ref()).to_owned(),
            platform: id(line.line.ids.platform.as_ref()).to_owned(),
            line: line.number,
        }
    }
}

/// Up to `limit` lines behind a place, in the order of mapping and ids.
pub fn in_order(
    db: &Connection,
    plan: i64,
    place: &Place,
    limit: usize,
) -> Result<Vec<PlanLine>, StoreError> {
    let sql = format!(
        "{LINE} WHERE plan=?1 AND (mapping, org_id, platform_id, line) > (?2, ?3, ?4, ?5)
         ORDER BY mapping, org_id, platform_id, line LIMIT ?6"
    );
    let mut statement = db.prepare_cached(&sql)?;
    collect(statement.query(params![
        plan,
        place.mapping,
        place.org,
        place.platform,
        place.line,
        limit as i64
    ])?)
}

/// Up to `limit` lines behind a number that a question asks for.
pub fn lines(
    db: &Connection,
    plan: i64,
    query: &PlanQuery,
    after: i64,
    limit: usize,
) -> Result<Vec<PlanLine>, StoreError> {
    // Each condition is passed over where it is not asked for.
    let sql = format!(
        "{LINE} WHERE plan=?1 AND line>?2 AND (?3 IS NULL OR mapping=?3) AND (?4=0 OR deeds & ?4) AND (?5=0 OR sides & ?5)
             AND (?6='' OR instr(lower(label || char(10) || org_id || char(10) || platform_id || char(10) || body), ?6))
             AND (?7=0 OR outcome IS NULL OR outcome<>'done')
         ORDER BY line LIMIT ?8"
    );
    let mut statement = db.prepare_cached(&sql)?;
    collect(statement.query(params![
        plan,
        after,
        query.mapping,
        query.deed.map_or(0, Deed::bit),
        query.side.map_or(0, |side| 1 << side.number()),
        query.search.as_deref().unwrap_or_default().to_lowercase(),
        query.left,
        limit as i64
    ])?)
}

/// The lines of a plan about these records: one, or two where one of them was edited by hand before.
pub fn lines_of(
    db: &Connection,
    plan: i64,
    mapping: &str,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Vec<PlanLine>, StoreError> {
    let sql = format!("{LINE} WHERE plan=? AND mapping=? AND org_id=? AND platform_id=?");
    let mut statement = db.prepare_cached(&sql)?;
    collect(statement.query(params![plan, mapping, id(ids.org.as_ref()), id(ids.platform.as_ref())])?)
}

/// The line of a plan about a record of one side, whatever is on the other.
pub fn line_about(
    db: &Connection,
    plan: i64,
    mapping: &str,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Option<PlanLine>, StoreError> {
    for side in Side::BOTH {
        let Some(known) = &ids[side] else { continue };
        let column = match side {
            Side::Org => "org_id",
            Side::Platform => "platform_id",
        };
        let sql = format!("{LINE} WHERE plan=? AND mapping=? AND {column}=? LIMIT 1");
        let mut statement = db.prepare_cached(&sql)?;
        let found = collect(statement.query(params![plan, mapping, known.as_str()])?)?;
        if let Some(line) = found.into_iter().next() {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

/// Notes what became of a line.
pub fn settle(
    db: &Connection,
    plan: i64,
    line: i64,
    outcome: LineOutcome,
    why: Option<&str>,
) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE plan_line SET outcome=?, why=? WHERE plan=? AND line=?")?.execute(params![
        outcome.word(),
        why,
        plan,
        line
    ])?;
    Ok(())
}

/// Notes of all lines that would change something and were not met what that means, and tells how many they are.
pub fn settle_rest(db: &Connection, plan: i64, mask: i64, why: &str) -> Result<u64, StoreError> {
    Ok(db.execute(
        "UPDATE plan_line SET outcome=?, why=? WHERE plan=? AND outcome IS NULL AND deeds & ?",
        params![LineOutcome::Refused.word(), why, plan, mask],
    )? as u64)
}

/// Lines by what became of them: done, failed, refused.
pub fn outcomes(db: &Connection, plan: i64) -> Result<[u64; 3], StoreError> {
    let mut sums = [0; 3];
    let mut statement = db.prepare_cached(
        "SELECT outcome, count(*) FROM plan_line WHERE plan=? AND outcome IS NOT NULL GROUP BY outcome",
    )?;
    let rows =
        statement.query_map([plan], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as u64)))?;
    for row in rows {
        let (word, count) = row?;
        match LineOutcome::from_word(&word) {
            Some(LineOutcome::Done) => sums[0] = count,
            Some(LineOutcome::Failed) => sums[1] = count,
            Some(LineOutcome::Refused) => sums[2] = count,
            None => {}
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use crate::store::{Reader, Store, mappings};

    #[tokio::test]
    async fn nothing_remains_of_a_rehearsal_and_others_read_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = Store::open(&path).unwrap();
        store.write(|db| mappings::remember(db, "org", "before")).await.unwrap();
        let rehearsal = store.rehearse().await.unwrap();
        rehearsal.write(|db| mappings::remember(db, "org", "rehearsed")).await.unwrap();
        let failed = rehearsal
            .write(|db| {
                mappings::remember(db, "org", "half")?;
                Err::<(), _>(crate::store::StoreError::Busy)
            })
            .await;
        assert!(failed.is_err());
        let seen = rehearsal.write(|db| mappings::remembered(db, "org")).await.unwrap();
        assert_eq!(seen.as_deref(), Some("rehearsed"));
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.remembered("org").unwrap().as_deref(), Some("before"));
        drop(rehearsal);
        store.write(|db| mappings::remember(db, "more", "yes")).await.unwrap();
        assert_eq!(reader.remembered("org").unwrap().as_deref(), Some("before"));
    }
}
