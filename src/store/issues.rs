//! Issues: failed lines, kept until resolved and grouped by their cause.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::store::{StoreError, mappings, to_millis};

/// An issue to be raised.
#[derive(Clone, Debug)]
pub struct NewIssue {
    /// The mapping's number.
    pub mapping: i64,
    /// Both records, as far as they exist.
    pub ids: PerSide<Option<RecordId>>,
    /// The side that refused.
    pub side: Side,
    /// A name by which a person knows the record.
    pub label: String,
    /// The code.
    pub code: String,
    /// The remote's own words.
    pub message: String,
    /// The fields it concerns.
    pub fields: Vec<String>,
    /// The run that saw it.
    pub run: i64,
}

/// Raises an issue, or counts another try of a known one.
pub fn raise(db: &Connection, issue: &NewIssue, now: DateTime<Utc>) -> Result<(), StoreError> {
    let id = |side: Side| issue.ids[side].as_ref().map_or("", RecordId::as_str).to_owned();
    let was_open: bool = db
        .prepare_cached("SELECT open FROM issue WHERE mapping=? AND org_id=? AND platform_id=? AND code=?")?
        .query_row(params![issue.mapping, id(Side::Org), id(Side::Platform), issue.code], |row| row.get(0))
        .unwrap_or(false);
    db.prepare_cached(
        "INSERT INTO issue (mapping, org_id, platform_id, side, label, code, cause, message, fields, run, since, last_seen)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?11)
         ON CONFLICT (mapping, org_id, platform_id, code) DO UPDATE SET side=?4, label=?5, cause=?7, message=?8,
             fields=?9, run=?10, last_seen=?11,
             snoozed_until=CASE WHEN open=1 AND message=?8 THEN snoozed_until END, tries=CASE open WHEN 1 THEN tries+1 ELSE 1 END,
             since=CASE open WHEN 1 THEN since ELSE ?11 END, open=1",
    )?
    .execute(params![
        issue.mapping,
        id(Side::Org),
        id(Side::Platform),
        issue.side.number(),
        issue.label,
        issue.code,
        cause(&issue.message),
        issue.message,
        serde_json::to_string(&issue.fields)?,
        issue.run,
        to_millis(now)
    ])?;
    if !was_open {
        mappings::count(db, "issues", 1)?;
    }
    Ok(())
}

/// Says that a linked record can't be read any more; resolved only when it was read, or is known to be deleted.
pub const MISSING: &str = "missing";

/// A record was read, or is known to be deleted: it is not missing.
pub fn found(db: &Connection, mapping: i64, side: Side, id: &RecordId) -> Result<(), StoreError> {
    let sql = match side {
        Side::Org => "UPDATE issue SET open=0 WHERE mapping=? AND org_id=? AND side=? AND code=? AND open=1",
        Side::Platform => {
            "UPDATE issue SET open=0 WHERE mapping=? AND platform_id=? AND side=? AND code=? AND open=1"
        }
    };
    let changed = db.prepare_cached(sql)?.execute(params![mapping, id.as_str(), side.number(), MISSING])?;
    if changed > 0 {
        mappings::count(db, "issues", -i64::try_from(changed).unwrap_or(0))?;
    }
    Ok(())
}

/// Resolves the open issues of a record, apart from the one that it is missing.
/// Hides open issues until a moment, or shows them again; tells how many there were.
pub fn snooze(db: &Connection, issues: &[i64], until: Option<DateTime<Utc>>) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached("UPDATE issue SET snoozed_until=? WHERE issue=? AND open=1")?;
    let mut changed = 0;
    for issue in issues {
        changed += statement.execute(params![until.map(to_millis), issue])? as u64;
    }
    Ok(changed)
}

/// Resolves the open issues of a record.
pub fn resolve(db: &Connection, mapping: i64, ids: &PerSide<Option<RecordId>>) -> Result<(), StoreError> {
    let mut changed = 0;
    if let Some(id) = &ids.org {
        changed += db
            .prepare_cached(
                "UPDATE issue SET open=0 WHERE mapping=? AND org_id=? AND open=1 AND code<>'missing'",
            )?
            .execute(params![mapping, id.as_str()])?;
    }
    if let Some(id) = &ids.platform {
        changed += db
            .prepare_cached(
                "UPDATE issue SET open=0 WHERE platform_id=? AND mapping=? AND open=1 AND code<>'missing'",
            )?
            .execute(params![id.as_str(), mapping])?;
    }
    if changed > 0 {
        mappings::count(db, "issues", -i64::try_from(changed).unwrap_or(0))?;
    }
    Ok(())
}

/// Resolves an issue of a whole mapping, which has no record.
pub fn resolve_whole(db: &Connection, mapping: i64, code: &str) -> Result<(), StoreError> {
    let changed = db
        .prepare_cached(
            "UPDATE issue SET open=0 WHERE mapping=? AND org_id='' AND platform_id='' AND code=? AND open=1",
        )?
        .execute(params![mapping, code])?;
    if changed > 0 {
        mappings::count(db, "issues", -i64::try_from(changed).unwrap_or(0))?;
    }
    Ok(())
}

/// Words of the remotes that a record's own value follows, up to the words behind it or to the end.
const BEFORE_A_VALUE: [(&str, Option<&str>); 3] = [
    ("data value too large: ", Some(" (max length=")),
    ("bad value for restricted picklist field: ", None),
    ("invalid email address: ", None),
];

/// A message without what differs from record to record: ids, addresses, numbers, values.
pub fn cause(message: &str) -> String {
    for (before, behind) in BEFORE_A_VALUE {
        let Some((head, rest)) = message.split_once(before) else { continue };
        let tail = behind.and_then(|behind| rest.rsplit_once(behind).map(|(_, tail)| (behind, tail)));
        let (behind, tail) = tail.unwrap_or_default();
        return format!("{}{before}…{behind}{tail}", without_variations(head));
    }
    without_variations(message)
}

fn without_variations(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for (place, word) in message.split(' ').enumerate() {
        if place > 0 {
            out.push(' ');
        }
        let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let varies = bare.contains('@')
            || (bare.len() >= 15 && bare.chars().any(|letter| letter.is_ascii_digit()))
            || (!bare.is_empty() && bare.chars().all(|letter| letter.is_ascii_digit()));
        if varies {
            out.push('…');
        } else {
            out.push_str(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_no_ids_addresses_or_numbers() {
        assert_eq!(cause("Email: invalid email address: bob@x"), "Email: invalid email address: …");
        assert_eq!(cause("value too large (max length=40) 41"), "value too large (max length=40) …");
        assert_eq!(cause("record 0035e00000AAbbCCAA is gone"), "record … is gone");
    }

    #[test]
    fn a_cause_has_no_value_of_a_record() {
        let too_long = "City: data value too large: Santa Fe (max length=9) de Asís (max length=40)";
        assert_eq!(cause(too_long), "City: data value too large: … (max length=40)");
        let picklist = "Status: bad value for restricted picklist field: Gold plus";
        assert_eq!(cause(picklist), "Status: bad value for restricted picklist field: …");
    }
}
