//! How long the first page of history takes, and the page of one record, in a table of any length.
//!
//! `cargo bench --bench history` fills 200,000 rows; `FORCESYNC_BENCH_ROWS=10000000` the ten million of the budget (design §7:
//! first page within 50 ms). Every figure is the median of several calls on one open connection, beside the first call of a
//! fresh one.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use chrono::DateTime;
use forcesync::domain::plan::Rule;
use forcesync::domain::record::RecordId;
use forcesync::domain::report::HistoryQuery;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use forcesync::store::history::{Call, Met, NewChange, NewHistory, compact, put_call};
use forcesync::store::{Reader, Store, mappings};

/// Rows of one run, and rows of one record, in the filled table.
const RUN: i64 = 5_000;
const RECORD: i64 = 10;

fn main() {
    let rows: i64 =
        std::env::var("FORCESYNC_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let began = Instant::now();
    runtime.block_on(fill(&path, rows));
    let size = std::fs::metadata(&path).unwrap().len();
    println!(
        "{rows} rows in {:.1} s, {} bytes a row",
        began.elapsed().as_secs_f64(),
        size / rows.max(1) as u64
    );
    let middle = DateTime::from_timestamp_millis(rows / 2 * 100).unwrap();
    let queries = [
        ("first page", HistoryQuery::default()),
        ("page in the middle", HistoryQuery { before: Some(rows / 2), ..HistoryQuery::default() }),
        ("a record", HistoryQuery { id: Some(org(rows / 3)), ..HistoryQuery::default() }),
        (
            "a record, by the platform's id",
            HistoryQuery { id: Some(platform(rows / 3)), ..HistoryQuery::default() },
        ),
        ("a run", HistoryQuery { run: Some(rows / RUN / 2), ..HistoryQuery::default() }),
        ("a mapping", HistoryQuery { mapping: Some("contact".into()), ..HistoryQuery::default() }),
        ("until a moment", HistoryQuery { until: Some(middle), ..HistoryQuery::default() }),
        ("a field", HistoryQuery { field: Some("Phone".into()), ..HistoryQuery::default() }),
    ];
    for (name, query) in queries {
        let query = HistoryQuery { limit: 100, ..query };
        let cold = Instant::now();
        let found = Reader::open(&path).unwrap().history(&query).unwrap().len();
        let cold = cold.elapsed();
        let reader = Reader::open(&path).unwrap();
        let mut times: Vec<_> = (0..15)
            .map(|_| {
                let start = Instant::now();
                reader.history(&query).unwrap();
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("{name:32} {found:4} rows   median {:>9.2?}   fresh connection {cold:>9.2?}", times[7]);
    }
}

fn org(number: i64) -> String {
    format!("003Fs{:010}AAA", number / RECORD)
}

fn platform(number: i64) -> String {
    format!("{:08x}-0000-4000-8000-000000000000", number / RECORD)
}

async fn fill(path: &std::path::Path, rows: i64) {
    let store = Store::open(path).unwrap();
    let mapping = store
        .write(|db| mappings::register(db, "contact", "Contact", "contact", "", &["Phone|phone|Copy".into()]))
        .await
        .unwrap()
        .mapping;
    for start in (0..rows).step_by(50_000) {
        store
            .write(move |db| {
                for number in start..rows.min(start + 50_000) {
                    let ids = PerSide {
                        org: Some(RecordId::new(org(number))),
                        platform: Some(RecordId::new(platform(number))),
                    };
                    let changes = [NewChange {
                        pair: Some(1),
                        fields: vec!["Phone".into()],
                        old: vec![Value::text(format!("+49 221 {number}"))],
                        new: vec![Value::text(format!("+49 221 {}", number + 1))],
                        rule: Some(Rule::SalesforceChanged),
                    }];
                    let row = NewHistory {
                        run: number / RUN,
                        mapping,
                        ids: &ids,
                        side: Side::Org,
                        action: "updated",
                        changes: &compact::encode(&changes),
                    };
                    let at = DateTime::from_timestamp_millis(number * 100).unwrap_or_default();
                    put_call(db, at, &row, Some(Call { kind: "update", met: Met::Ours }))?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }
}
