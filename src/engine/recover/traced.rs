//! A write that was found done after a break has its row of history like any other (law E16).

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::domain::port::WriteKind;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::PerSide;
use crate::engine::session::Prepared;
use crate::store::StoreError;
use crate::store::history::{self, Call, Met, NewChange, NewHistory, compact};
use crate::store::journal::Entry;

/// Writes the row for the run that sent it, unless that run wrote it itself before it broke.
pub(super) fn put(
    db: &Connection,
    mapping: &Prepared,
    entry: &Entry,
    ids: &PerSide<Option<RecordId>>,
    held: Option<&Record>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let PerSide { org: Some(org), platform: Some(platform) } = ids else { return Ok(()) };
    let known = PerSide { org: org.clone(), platform: platform.clone() };
    if history::has(db, entry.run, entry.mapping, entry.side, &known)? {
        return Ok(());
    }
    let changes: Vec<NewChange> = entry
        .pairs
        .iter()
        .filter_map(|meant| {
            let place = mapping.row.pairs.iter().position(|number| *number == meant.pair)?;
            let pair = mapping.compiled.pairs.get(place)?;
            // As it is written: what the target holds now, where that is what was sent.
            let new = held
                .and_then(|record| pair.values(entry.side, record))
                .filter(|raw| pair.fold(entry.side, raw) == meant.new)
                .unwrap_or_else(|| meant.new.clone());
            Some(NewChange {
                pair: Some(meant.pair),
                fields: pair.spec.fields(entry.side).to_vec(),
                old: meant.old.clone(),
                new,
                rule: meant.rule,
            })
        })
        .collect();
    let (action, call) = match entry.kind {
        WriteKind::Create if entry.mark.is_some() => ("created", "upsert"),
        WriteKind::Create => ("created", "create"),
        WriteKind::Update => ("updated", "update"),
        WriteKind::Delete => ("deleted", "delete"),
    };
    let row = NewHistory {
        run: entry.run,
        mapping: entry.mapping,
        ids,
        side: entry.side,
        action,
        changes: &compact::encode(&changes),
    };
    // Who had it before is not known any more.
    let met = if entry.kind == WriteKind::Update { Met::Others } else { Met::Ours };
    history::put_call(db, now, &row, Some(Call { kind: call, met })).map(drop)
}
