//! The journal: what was about to be sent, durable before it is sent (law E6).

use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use crate::domain::codec::{self, Reader};
use crate::domain::port::{Job, WriteKind};
use crate::domain::record::RecordId;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::store::{StoreError, from_millis, to_millis};

/// One row of a batch that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, once written.
    pub entry: i64,
    /// The run.
    pub run: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The mapping's number.
    pub mapping: i64,
    /// The side that is written.
    pub side: Side,
    /// What is done.
    pub kind: WriteKind,
    /// The record on the other side.
    pub source: Option<RecordId>,
    /// The record that is written; none for a create.
    pub target: Option<RecordId>,
    /// The field that carries the source's id on the target.
    pub mark: Option<String>,
    /// The values of the key fields on the target.
    pub key: Vec<Value>,
    /// What was meant, per pair; removed with the entry.
    pub pairs: Vec<Meant>,
    /// The job of the service that carries it, once there is one.
    pub job: Option<Job>,
}

/// What a write meant for one pair; canonical values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meant {
    /// The pair's number.
    pub pair: i64,
    /// What the source held when it was decided.
    pub source: Vec<Value>,
    /// What the target held; empty for a create.
    pub old: Vec<Value>,
    /// What it was to hold.
    pub new: Vec<Value>,
    /// Why; none in entries of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<crate::domain::plan::Rule>,
}

fn word(kind: WriteKind) -> &'static str {
    match kind {
        WriteKind::Create => "create",
        WriteKind::Update => "update",
        WriteKind::Delete => "delete",
    }
}

fn put_values(out: &mut Vec<u8>, values: &[Value]) {
    codec::put_number(out, values.len() as u64);
    for value in values {
        codec::put(out, Some(value));
    }
}

fn values(reader: &mut Reader<'_>) -> Result<Vec<Value>, StoreError> {
    let count = reader.number()?;
    (0..count).map(|_| Ok(reader.value()?.unwrap_or_default())).collect()
}

fn key_bytes(key: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    put_values(&mut out, key);
    out
}

/// The key; entries of the first versions are JSON.
fn key(stored: ValueRef<'_>) -> Result<Vec<Value>, StoreError> {
    match stored {
        ValueRef::Blob(bytes) => values(&mut Reader::new(bytes)),
        ValueRef::Text(text) => Ok(serde_json::from_slice(text)?),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Ok(Vec::new()),
    }
}

fn pairs_bytes(pairs: &[Meant]) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::with_capacity(pairs.len() * 64);
    for meant in pairs {
        codec::put_number(&mut out, meant.pair as u64);
        for values in [&meant.source, &meant.old, &meant.new] {
            put_values(&mut out, values);
        }
        let rule = meant.rule.map(|rule| serde_json::to_string(&rule)).transpose()?;
        codec::put(&mut out, rule.map(Value::text).as_ref());
    }
    Ok(out)
}

/// What was meant; entries of the first versions are JSON.
fn pairs(stored: ValueRef<'_>) -> Result<Vec<Meant>, StoreError> {
    let mut reader = match stored {
        ValueRef::Blob(bytes) => Reader::new(bytes),
        ValueRef::Text(text) => return Ok(serde_json::from_slice(text)?),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => return Ok(Vec::new()),
    };
    let mut pairs = Vec::new();
    while !reader.is_done() {
        pairs.push(Meant {
            pair: reader.number()? as i64,
            source: values(&mut reader)?,
            old: values(&mut reader)?,
            new: values(&mut reader)?,
            rule: match reader.value()? {
                Some(Value::Text(word)) => Some(serde_json::from_str(&word)?),
                _ => None,
            },
        });
    }
    Ok(pairs)
}

/// An entry in the form in which it is kept. It can be made beside the database's thread.
#[derive(Debug)]
pub struct Packed {
    entry: Entry,
    key: Vec<u8>,
    pairs: Vec<u8>,
}

impl TryFrom<Entry> for Packed {
    type Error = StoreError;

    fn try_from(entry: Entry) -> Result<Self, StoreError> {
        let (key, pairs) = (key_bytes(&entry.key), pairs_bytes(&entry.pairs)?);
        Ok(Self { entry, key, pairs })
    }
}

/// Writes an entry; gives its number.
pub fn put(db: &Connection, Packed { entry, key, pairs }: &Packed) -> Result<i64, StoreError> {
    db.prepare_cached(
        "INSERT INTO journal (run, at, mapping, side, kind, source_id, target_id, mark, key, pairs)
         VALUES (?,?,?,?,?,?,?,?,?,?)",
    )?
    .execute(params![
        entry.run,
        to_millis(entry.at),
        entry.mapping,
        entry.side.number(),
        word(entry.kind),
        entry.source.as_ref().map(RecordId::as_str),
        entry.target.as_ref().map(RecordId::as_str),
        entry.mark,
        key,
        pairs,
    ])?;
    Ok(db.last_insert_rowid())
}

/// All that was sent and never settled.
pub fn open(db: &Connection) -> Result<Vec<Entry>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT entry, run, at, mapping, side, kind, source_id, target_id, mark, key, pairs, job FROM journal ORDER BY entry",
    )?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(5)?;
        entries.push(Entry {
            entry: row.get(0)?,
            run: row.get(1)?,
            at: from_millis(row.get(2)?),
            mapping: row.get(3)?,
            side: Side::from_number(row.get(4)?),
            kind: match kind.as_str() {
                "create" => WriteKind::Create,
                "delete" => WriteKind::Delete,
                _ => WriteKind::Update,
            },
            source: row.get::<_, Option<String>>(6)?.map(RecordId::new),
            target: row.get::<_, Option<String>>(7)?.map(RecordId::new),
            mark: row.get(8)?,
            key: key(row.get_ref(9)?)?,
            pairs: pairs(row.get_ref(10)?)?,
            job: row.get::<_, Option<String>>(11)?.map(Job),
        });
    }
    Ok(entries)
}

/// A job carries these entries.
pub fn set_job(db: &Connection, entries: &[i64], job: &Job) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("UPDATE journal SET job=? WHERE entry=?")?;
    for entry in entries {
        statement.execute(params![job.0, entry])?;
    }
    Ok(())
}

/// An entry is settled.
pub fn settle(db: &Connection, entry: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM journal WHERE entry=?")?.execute([entry])?;
    Ok(())
}

/// Entries are settled; those of one batch follow one another.
pub fn settle_all(db: &Connection, mut entries: Vec<i64>) -> Result<(), StoreError> {
    entries.sort_unstable();
    let mut statement = db.prepare_cached("DELETE FROM journal WHERE entry BETWEEN ? AND ?")?;
    for row in entries.chunk_by(|one, next| *next - *one <= 1) {
        if let (Some(first), Some(last)) = (row.first(), row.last()) {
            statement.execute([first, last])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Rule;

    fn meant() -> Vec<Meant> {
        let (old, new) = (vec![], vec!["Ann".into(), Value::Null, Value::Bool(true)]);
        vec![
            Meant { pair: 300, source: vec!["A".into()], old, new, rule: Some(Rule::SalesforceChanged) },
            Meant { pair: 2, source: vec![], old: vec!["x".into()], new: vec![Value::Null], rule: None },
        ]
    }

    #[test]
    fn what_was_meant_survives_its_byte_form() {
        assert_eq!(pairs(ValueRef::Blob(&pairs_bytes(&meant()).unwrap())).unwrap(), meant());
        let of_key = vec![Value::text("a@x"), Value::Number("7".into())];
        assert_eq!(key(ValueRef::Blob(&key_bytes(&of_key))).unwrap(), of_key);
    }

    #[test]
    fn entries_of_the_first_versions_are_still_read() {
        let json = serde_json::to_vec(&meant()).unwrap();
        assert_eq!(pairs(ValueRef::Text(&json)).unwrap(), meant());
        assert_eq!(key(ValueRef::Text(br#"[{"type":"text","value":"a"}]"#)).unwrap(), ["a".into()]);
    }

    #[tokio::test]
    async fn entries_are_settled_row_by_row_of_numbers_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::Store::open(&folder.path().join("state.db")).unwrap();
        let left = store
            .write(|db| {
                let entry = Entry {
                    entry: 0,
                    run: 1,
                    at: DateTime::UNIX_EPOCH,
                    mapping: 1,
                    side: Side::Platform,
                    kind: WriteKind::Create,
                    source: Some(RecordId::new("003")),
                    target: None,
                    mark: None,
                    key: Vec::new(),
                    pairs: meant(),
                    job: None,
                };
                let entry = Packed::try_from(entry)?;
                let numbers = (0..6).map(|_| put(db, &entry)).collect::<Result<Vec<_>, _>>()?;
                assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
                settle_all(db, vec![5, 1, 2, 2])?;
                settle_all(db, Vec::new())?;
                open(db)
            })
            .await
            .unwrap();
        assert_eq!(left.iter().map(|entry| entry.entry).collect::<Vec<_>>(), [3, 4, 6]);
    }
}
