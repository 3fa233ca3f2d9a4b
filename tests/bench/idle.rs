//! What it costs to learn that nothing changed, however many links there are.
//!
//! `cargo bench --bench idle` fills the store with 200,000 links (`FORCESYNC_BENCH_LINKS`; ten million is the budget of design §7)
//! and runs instant syncs against a sandbox in a second process. Processor time is that of this process, which holds the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::time::Instant;

use chrono::DateTime;
use common::{Remote, setting, short, state_bytes};
use forcesync::domain::command::RunRequest;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::record::RecordId;
use forcesync::domain::side::PerSide;
use forcesync::domain::value::Value;
use forcesync::ops::engine::attach;
use forcesync::ops::{Access, Missing, OpenOptions, Session, run};
use forcesync::store::links::{Bases, NewLink, clues, key_hash, put};
use forcesync::store::{Store, history};

/// Idle runs that are measured.
const RUNS: u32 = 20;

fn main() {
    let links = setting("FORCESYNC_BENCH_LINKS", 200_000) as i64;
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let _remote = Remote::start(&workspace, 50, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let options = OpenOptions {
            workspace: Some(workspace.clone()),
            access: Access::ReadWrite,
            missing: Missing::Refuse,
        };
        {
            let session = Session::open(&options, forcesync::ops::clock()).unwrap();
            let engine = attach(&session).await.unwrap();
            one(&session, &engine, RunKind::Initial).await;
        }
        let few = idle(&options).await;
        fill(&workspace.join("state.db"), links).await;
        let many = idle(&options).await;
        println!(
            "{:24} {:>12} {:>12} {:>10} {:>14}",
            "idle instant sync", "cpu ms/run", "wall ms/run", "calls/run", "state"
        );
        for (name, (cpu, wall, calls), bytes) in [
            ("50 people".to_owned(), few, 0),
            (format!("{} links more", short(links as f64)), many, state_bytes(&workspace)),
        ] {
            println!("{name:24} {cpu:12.2} {wall:12.2} {calls:10.1} {:11} MB", bytes >> 20);
        }
    });
}

/// Processor time of this process, in milliseconds.
fn spent() -> f64 {
    common::own_cpu().as_secs_f64() * 1_000.0
}

async fn one(session: &Session, engine: &forcesync::ops::engine::EngineClient, kind: RunKind) -> u64 {
    let number = run::start(engine, RunRequest::new(kind)).await.unwrap();
    let report = engine.end_of(session, number).await.unwrap();
    report.counts.salesforce.calls + report.counts.platform.calls
}

async fn idle(options: &OpenOptions) -> (f64, f64, f64) {
    let session = Session::open(options, forcesync::ops::clock()).unwrap();
    let engine = attach(&session).await.unwrap();
    // The first one still meets what the initial sync wrote, and signs in.
    one(&session, &engine, RunKind::Instant).await;
    let (cpu, began, mut calls) = (spent(), Instant::now(), 0);
    for _ in 0..RUNS {
        calls += one(&session, &engine, RunKind::Instant).await;
    }
    let each = |total: f64| total / f64::from(RUNS);
    (each(spent() - cpu), each(began.elapsed().as_secs_f64() * 1_000.0), each(calls as f64))
}

/// Links as an initial sync leaves them, each with a row of history.
async fn fill(path: &std::path::Path, links: i64) {
    let began = Instant::now();
    let store = Store::open(path).unwrap();
    for start in (0..links).step_by(20_000) {
        store
            .write(move |db| {
                let (mapping, family) = db.query_row(
                    "SELECT mapping, family FROM mapping WHERE org_object='Contact'",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                for number in start..links.min(start + 20_000) {
                    let email = Value::text(format!("person{number}@example.invalid"));
                    let hash = key_hash(std::slice::from_ref(&email));
                    let ids = PerSide {
                        org: RecordId::new(format!("003ZZ{number:010}AAA")),
                        platform: RecordId::new(format!("ffffffff-{number:012}-{:x}", hash as u32)),
                    };
                    let at = DateTime::from_timestamp_millis(1_790_000_000_000 + number).unwrap_or_default();
                    let base = |values: Vec<Value>| PerSide { org: values.clone(), platform: values };
                    put(
                        db,
                        &NewLink {
                            mapping,
                            family,
                            ids: ids.clone(),
                            stamps: PerSide { org: Some(at), platform: Some(at) },
                            read: PerSide { org: at, platform: at },
                            keys: PerSide { org: Some(hash), platform: Some(hash) },
                            bases: Bases(vec![
                                (1, base(vec![email.clone()])),
                                (2, base(vec![Value::text(format!("Ann Lee {number}"))])),
                                (3, base(vec![Value::text("+49 221 1234567")])),
                                (
                                    4,
                                    base(vec![
                                        Value::text("Cologne"),
                                        Value::text("50667"),
                                        Value::text("Germany"),
                                    ]),
                                ),
                            ])
                            .encode(),
                            run: 1,
                        },
                    )?;
                    let ids = ids.map(Some);
                    let row = history::NewHistory {
                        run: 1,
                        mapping,
                        ids: &ids,
                        side: forcesync::domain::side::Side::Platform,
                        action: "created",
                        changes: &[],
                    };
                    history::put(db, at, &row)?;
                }
                clues::file_many(db)
            })
            .await
            .unwrap();
    }
    println!(
        "{} links filled in {:.1} s, {:.1} µs each",
        short(links as f64),
        began.elapsed().as_secs_f64(),
        began.elapsed().as_secs_f64() * 1e6 / links.max(1) as f64
    );
}
