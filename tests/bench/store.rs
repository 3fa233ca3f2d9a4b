//! What a link costs to keep, with its bases and its row of history: through the store, and as raw inserts into the same tables.
//!
//! `cargo bench --bench store` writes 100,000 links (`FORCESYNC_BENCH_LINKS`) in chunks of 800, in the order of the org's ids, with
//! ids of the platform and keys in no order. The raw inserts are one transaction of the same statements.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::path::Path;
use std::time::Instant;

use chrono::DateTime;
use common::{own_cpu, setting};
use forcesync::domain::plan::Rule;
use forcesync::domain::record::RecordId;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use forcesync::store::history::{Call, Met, NewChange, NewHistory, compact, put_call};
use forcesync::store::links::{Bases, NewLink, clues, key_hash, put};
use forcesync::store::{Store, mappings};

/// As many as the engine commits at once.
const CHUNK: i64 = 800;

fn email(number: i64) -> Value {
    Value::text(format!("person{number}@example.invalid"))
}

fn bases(number: i64) -> Bases {
    let base = |values: Vec<Value>| PerSide { org: values.clone(), platform: values };
    Bases(vec![
        (1, base(vec![email(number)])),
        (2, base(vec![Value::text(format!("Annabel Lee{number}"))])),
        (3, base(vec![Value::text("+49 221 1234567")])),
        (4, base(vec![Value::text("Cologne"), Value::text("50667"), Value::text("Germany")])),
        (5, base(vec![Value::Bool(false)])),
    ])
}

fn link(number: i64, mapping: i64, family: i64) -> NewLink {
    let hash = key_hash(&[email(number)]);
    let at = DateTime::from_timestamp_millis(1_790_000_000_000 + number).unwrap_or_default();
    NewLink {
        mapping,
        family,
        ids: PerSide {
            org: RecordId::new(format!("003ZZ{number:010}AAA")),
            platform: RecordId::new(format!("{:016x}-4000-8000-{number:012x}", hash as u64)),
        },
        stamps: PerSide { org: Some(at), platform: Some(at) },
        read: PerSide { org: at, platform: at },
        keys: PerSide { org: Some(hash), platform: Some(hash) },
        bases: bases(number).encode(),
        run: 1,
    }
}

fn changes(number: i64) -> Vec<NewChange> {
    let bases = bases(number).0.into_iter();
    bases
        .map(|(pair, base)| NewChange {
            pair: Some(pair),
            fields: vec!["field".into(); base.org.len()],
            old: Vec::new(),
            new: base.org,
            rule: Some(Rule::Created),
        })
        .collect()
}

fn main() {
    let links = setting("FORCESYNC_BENCH_LINKS", 100_000) as i64;
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    println!(
        "{:34} {:>9} {:>10} {:>10} {:>12}",
        "links with a row of history", "cpu s", "wall s", "µs each", "bytes each"
    );
    let show = |name: &str, path: &Path, work: &dyn Fn()| {
        let (cpu, began) = (own_cpu(), Instant::now());
        work();
        let (cpu, wall) = (own_cpu().saturating_sub(cpu).as_secs_f64(), began.elapsed().as_secs_f64());
        let bytes = std::fs::metadata(path).unwrap().len();
        println!(
            "{name:34} {cpu:9.2} {wall:10.2} {:10.1} {:12}",
            cpu * 1e6 / links as f64,
            bytes / links as u64
        );
    };
    let path = folder.path().join("store.db");
    show("through the store, by chunks", &path, &|| runtime.block_on(through(&path, links)));
    let raw = folder.path().join("raw.db");
    drop(Store::open(&raw).unwrap());
    show("raw, one transaction", &raw, &|| inserts(&raw, &path));
}

async fn through(path: &Path, links: i64) {
    let store = Store::open(path).unwrap();
    let row = store
        .write(move |db| {
            mappings::register(db, "contact", "Contact", "contact", "", &["Email|email|Copy".into()])
        })
        .await
        .unwrap();
    for start in (0..links).step_by(CHUNK as usize) {
        store
            .write(move |db| {
                for number in start..links.min(start + CHUNK) {
                    let new = link(number, row.mapping, row.family);
                    put(db, &new)?;
                    let ids = new.ids.clone().map(Some);
                    let changes = changes(number);
                    let told = NewHistory {
                        run: 1,
                        mapping: row.mapping,
                        ids: &ids,
                        side: Side::Platform,
                        action: "created",
                        changes: &compact::encode(&changes),
                    };
                    put_call(
                        db,
                        DateTime::from_timestamp_millis(number).unwrap_or_default(),
                        &told,
                        Some(Call { kind: "upsert", met: Met::Ours }),
                    )?;
                }
                clues::file_many(db)
            })
            .await
            .unwrap();
    }
}

/// The same rows, copied as they are.
fn inserts(into: &Path, from: &Path) {
    let db = rusqlite::Connection::open(into).unwrap();
    clues::register(&db).unwrap();
    db.execute("ATTACH ? AS source", [from.to_str().unwrap()]).unwrap();
    db.execute_batch(
        "PRAGMA synchronous = NORMAL;
         BEGIN;
         INSERT INTO main.link SELECT * FROM source.link;
         INSERT INTO main.history SELECT * FROM source.history;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);",
    )
    .unwrap();
}
