//! How near a run comes to what the org allows: an org that moves so many records a second, and one that is far away.
//!
//! `cargo bench --bench pace` runs an initial sync of 20,000 people (`FORCESYNC_BENCH_PEOPLE`) against the sandbox in this process,
//! once with both sides full and once from a file into an empty org: as fast as it goes, throttled to 3,333 records a second
//! (`FORCESYNC_BENCH_RATE`), and with 200 ms a call. Beside each stands the bound: the records that went in and out at that rate,
//! whatever else goes on; and the calls at that latency, where what is verified and written goes as many calls at once as are allowed,
//! the pages of a query one after another, and everything else alone. Below stands for how long calls to either side were under way,
//! and how long each phase took.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{FILE_FIELDS, map_files, setting};
use forcesync::domain::command::{Allowances, RunRequest};
use forcesync::domain::outcome::RunKind;
use forcesync::domain::progress::{Phase, Progress};
use forcesync::engine::context::EngineOptions;
use forcesync::ops::engine::attach;
use forcesync::ops::sandbox::{Wanted, start};
use forcesync::ops::{Access, Missing, OpenOptions, Session, run};
use forcesync::sandbox::calls::Call;
use forcesync::sandbox::faults::{Fault, FaultKind, Side};
use tokio::sync::watch;

fn main() {
    let people = setting("FORCESYNC_BENCH_PEOPLE", 20_000);
    let rate = setting("FORCESYNC_BENCH_RATE", 3_333);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{:32} {:>9} {:>9} {:>7} {:>9} {:>7}",
        "initial sync", "seconds", "bound", "over", "records", "calls"
    );
    runtime.block_on(async {
        for from in [From::BothSides, From::Files] {
            one(from.name(), people, Limit::None, from).await;
            one(&format!("  {rate} records a second"), people, Limit::Rate(rate), from).await;
            one("  200 ms a call to the org", people, Limit::Latency(200), from).await;
        }
    });
}

/// Who is brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// An org and a platform that know most of each other's people.
    BothSides,
    /// An empty org gets all of them from a file.
    Files,
}

impl From {
    fn name(self) -> &'static str {
        match self {
            Self::BothSides => "both sides full",
            Self::Files => "from a file into an empty org",
        }
    }
}

/// A file of people, and the mapping that makes contacts of them.
fn new_rows(workspace: &Path, people: u64) {
    map_files(workspace, "create_in_org = true\n");
    let mut rows = format!("Id,{}\n", FILE_FIELDS.join(","));
    for number in 1..=people {
        writeln!(
            rows,
            "{number},p{number}@pace.example,Ada,Pace {number},Engineer,Works {number},+48 600 {number},Ghent"
        )
        .unwrap();
    }
    fs::write(workspace.join("csv").join("Contact.csv"), rows).unwrap();
}

#[derive(Clone, Copy)]
enum Limit {
    None,
    Rate(u64),
    Latency(u64),
}

async fn one(name: &str, people: u64, limit: Limit, from: From) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let wanted = Wanted {
        platform: if from == From::Files { "csv" } else { "salesmanago" }.into(),
        records: if from == From::Files { 1 } else { people },
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
    if from == From::Files {
        new_rows(&workspace, people);
    }
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
    let phases = Arc::new(Mutex::new(Vec::new()));
    let log = sandbox.calls().clone();
    let watched =
        tokio::spawn(watch_phases(engine.progress(), move || log.last(), began, Arc::clone(&phases)));
    let number = run::start(&engine, request).await.unwrap();
    let report = engine.end_of(&session, number).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    watched.abort();
    let moved = sandbox.org().records_moved();
    let calls = sandbox.calls().since(0, Some(Side::Salesforce));
    let bound = match limit {
        Limit::None => 0.0,
        Limit::Rate(rate) => moved as f64 / rate as f64,
        Limit::Latency(ms) => rounds(&calls, &phases.lock().unwrap()) * ms as f64 / 1_000.0,
    };
    let over = if bound > 0.0 { format!("{:.0} %", (seconds / bound - 1.0) * 100.0) } else { String::new() };
    println!("{name:32} {seconds:9.2} {bound:9.2} {over:>7} {moved:9} {:7}", calls.len());
    let (org, platform, either) = (
        busy(&sandbox.calls().since(0, Some(Side::Salesforce))),
        busy(&sandbox.calls().since(0, Some(Side::Platform))),
        busy(&sandbox.calls().since(0, None)),
    );
    println!(
        "  {:?}; calls under way to the org for {org:.2} s, to the platform for {platform:.2} s, to both for {:.2} s, to neither for \
         {:.2} s",
        report.result,
        org + platform - either,
        (seconds - either).max(0.0)
    );
    println!("  {}", told(&phases.lock().unwrap(), seconds));
}

/// Where a phase of the run began: by the clock, and in the log of calls.
struct Began {
    phase: Phase,
    at: f64,
    call: u64,
}

/// Notes where each phase of the run began.
async fn watch_phases(
    mut progress: watch::Receiver<Progress>,
    last_call: impl Fn() -> u64,
    began: Instant,
    phases: Arc<Mutex<Vec<Began>>>,
) {
    loop {
        let phase = progress.borrow_and_update().phase;
        {
            let mut known = phases.lock().unwrap();
            if known.last().is_none_or(|last| last.phase != phase) {
                known.push(Began { phase, at: began.elapsed().as_secs_f64(), call: last_call() });
            }
        }
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// How long each phase took.
fn told(phases: &[Began], seconds: f64) -> String {
    let ends = phases.iter().skip(1).map(|next| next.at).chain([seconds]);
    let shown = phases.iter().zip(ends).filter(|(began, _)| began.phase != Phase::None);
    shown
        .map(|(began, end)| format!("{:?} {:.2} s", began.phase, end - began.at))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many calls must follow one another: what is written, and read to be verified, goes side by side, as many calls as are allowed at
/// once; the pages of a query wait for one another, and those of two queries do not; all else goes alone.
fn rounds(calls: &[Call], phases: &[Began]) -> f64 {
    let writing = |call: &&Call| {
        phases
            .iter()
            .rfind(|began| began.call < call.sequence)
            .is_some_and(|began| began.phase == Phase::Writing)
    };
    let (written, others): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(writing);
    let mut pages: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &others {
        if let Some((_, locator)) = call.path.split_once("/query/") {
            *pages.entry(locator.split('-').next().unwrap_or_default()).or_default() += 1;
        }
    }
    let alone = others.len() - pages.values().sum::<usize>() + pages.values().max().unwrap_or(&0);
    let at_once = EngineOptions::default().most_parallel;
    alone as f64 + written.len() as f64 / at_once as f64
}

/// For how many seconds at least one of the calls was under way.
fn busy(calls: &[Call]) -> f64 {
    let mut spans: Vec<(f64, f64)> =
        calls.iter().map(|call| (call.at_ms as f64, call.at_ms as f64 + call.took_ms)).collect();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut sum, mut until) = (0.0, f64::MIN);
    for (from, to) in spans {
        sum += (to - from.max(until)).max(0.0);
        until = until.max(to);
    }
    sum / 1_000.0
}
