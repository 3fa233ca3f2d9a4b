//! The whole way of a record: the program in one process, the sandbox in another, as a user would run them.
//!
//! `cargo bench --bench race` takes 20,000 people (`FORCESYNC_BENCH_PEOPLE`; a million is the budget of design §7), first with contacts of
//! a few fields and a platform that is empty, then with both sides full (`FORCESYNC_BENCH_CASE` takes `empty` or `full` alone). Time is
//! the processor time of the program alone, memory its peak as the operating system tells it. Below stands the raw download of the same
//! records by the same calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::time::Instant;

use common::{Remote, setting, short, spend, state_bytes};
use serde_json::Value;

fn main() {
    let people = setting("FORCESYNC_BENCH_PEOPLE", 20_000);
    let wanted = std::env::var("FORCESYNC_BENCH_CASE").unwrap_or_default();
    for case in ["empty", "full"] {
        if wanted.is_empty() || wanted == case {
            race(people, case == "empty");
        }
    }
}

fn race(people: u64, empty: bool) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let began = Instant::now();
    let remote = Remote::start(&workspace, if empty { 1 } else { people }, &[]);
    if empty {
        remote.insert(people);
    }
    let (cpu, peak) = remote.spent();
    println!(
        "{people} people, {}: the sandbox was ready after {:.1} s ({:.1} s of processor time, {} MB)",
        if empty { "the platform empty" } else { "both sides full" },
        began.elapsed().as_secs_f64(),
        cpu.as_secs_f64(),
        peak >> 20
    );
    println!(
        "{:28} {:>8} {:>8} {:>10} {:>10} {:>9} {:>9} {:>8} {:>8}",
        "run", "wall s", "cpu s", "µs/record", "records/s", "peak MB", "read", "written", "calls"
    );
    let place = workspace.display().to_string();
    for (name, kind) in [
        ("initial sync", "initial"),
        ("initial sync again", "initial"),
        ("instant sync", "instant"),
        ("instant sync, nothing new", "instant"),
    ] {
        let spent = spend(&["sync", kind, "--json", "--workspace", &place]);
        let end: Value = serde_json::from_str(&spent.last).unwrap_or_default();
        let number = |path: &str| end.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let (read, written) = (number("/read"), number("/created") + number("/updated"));
        let calls = number("/api_calls/salesforce") + number("/api_calls/platform");
        println!(
            "{name:28} {:8.2} {:8.2} {:10.1} {:>10} {:9} {read:9} {written:8} {calls:8}",
            spent.wall.as_secs_f64(),
            spent.cpu.as_secs_f64(),
            spent.cpu.as_secs_f64() * 1e6 / read.max(1) as f64,
            short(read as f64 / spent.wall.as_secs_f64()),
            spent.peak >> 20,
        );
    }
    let bytes = state_bytes(&workspace);
    println!("state database: {} MB, {} bytes a person", bytes >> 20, bytes / people.max(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (bytes, calls, wall) =
        runtime.block_on(common::download(&remote.ready, &["Contact", "Lead"], "FIELDS(STANDARD)"));
    println!(
        "raw download of the same people from the org: {:.2} s, {} MB, {calls} calls",
        wall.as_secs_f64(),
        bytes >> 20
    );
}
