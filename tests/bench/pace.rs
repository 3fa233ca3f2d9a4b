//! How near a run comes to what the org allows: an org that moves so many records a second, and one that is far away.
//!
//! `cargo bench --bench pace` runs an initial sync of 20,000 people (`FORCESYNC_BENCH_PEOPLE`) twice, against the sandbox in this
//! process: throttled to 3,333 records a second (`FORCESYNC_BENCH_RATE`), and with 200 ms a call. Beside each stands the bound:
//! the records that went in and out at that rate; and the calls at that latency, those that read one after another and those
//! that write as many at once as were allowed.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::outcome::RunKind;
use forcesync::ops::engine::attach;
use forcesync::ops::sandbox::{Wanted, start};
use forcesync::ops::{Access, Missing, OpenOptions, Session, run};
use forcesync::sandbox::faults::{Fault, FaultKind, Side};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let people = setting("FORCESYNC_BENCH_PEOPLE", 20_000);
    let rate = setting("FORCESYNC_BENCH_RATE", 3_333);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{:32} {:>9} {:>9} {:>7} {:>9} {:>7}",
        "initial sync", "seconds", "bound", "over", "records", "calls"
    );
    runtime.block_on(async {
        one("as fast as it goes", people, Limit::None).await;
        one(&format!("{rate} records a second"), people, Limit::Rate(rate)).await;
        one("200 ms a call to the org", people, Limit::Latency(200)).await;
    });
}

#[derive(Clone, Copy)]
enum Limit {
    None,
    Rate(u64),
    Latency(u64),
}

async fn one(name: &str, people: u64, limit: Limit) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let wanted = Wanted {
        platform: "salesmanago".into(),
        records: people,
        seed: 7,
        port: None,
        tls: None,
        life_per_second: 0.0,
        person_accounts: false,
        package: true,
        real_pace: false,
        workspace: Some(workspace.clone()),
    };
    let running = start(&wanted, forcesync::ops::clock()).await.unwrap();
    let options =
        OpenOptions { workspace: Some(workspace), access: Access::ReadWrite, missing: Missing::Refuse };
    let session = Session::open(&options, forcesync::ops::clock()).unwrap();
    let engine = attach(&session).await.unwrap();
    let sandbox = running.sandbox();
    match limit {
        Limit::None => {}
        Limit::Rate(rate) => sandbox.org().set_records_per_second(rate),
        Limit::Latency(ms) => {
            sandbox
                .arm_fault(Fault { ms: Some(ms), ..Fault::new(FaultKind::Slow) }.on_side(Side::Salesforce));
        }
    }
    let most = 10 * people;
    let request = RunRequest {
        allow: Allowances {
            creates: Some(most),
            updates: Some(most),
            blanks: Some(most),
            deletes: Some(most),
            opt_outs: Some(most),
        },
        ..RunRequest::new(RunKind::Initial)
    };
    let began = Instant::now();
    let number = run::start(&engine, request).await.unwrap();
    let report = engine.end_of(&session, number).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let moved = sandbox.org().records_moved();
    let calls = sandbox.calls().since(0, Some(Side::Salesforce));
    let writes = calls.iter().filter(|call| call.path.ends_with("/composite")).count();
    let bound = match limit {
        Limit::None => 0.0,
        Limit::Rate(rate) => moved as f64 / rate as f64,
        Limit::Latency(ms) => {
            let alone = (calls.len() - writes) as f64;
            (alone + writes as f64 / 8.0) * ms as f64 / 1_000.0
        }
    };
    let over = if bound > 0.0 { format!("{:.0} %", (seconds / bound - 1.0) * 100.0) } else { String::new() };
    println!("{name:32} {seconds:9.2} {bound:9.2} {over:>7} {moved:9} {:7}", calls.len());
    println!("  {:?} {:?}", report.result, report.message);
}
