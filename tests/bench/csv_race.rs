//! The race with tools that load CSV files into an org: 100,000 rows are compared with 100,000 contacts, and what changed is written.
//!
//! `cargo bench --bench csv_race`; `FORCESYNC_BENCH_ROWS` takes another number. The org is the sandbox, a process of its own. Told are the
//! processor time and the most memory of the engine's process alone (design §7: 0.6 s and 64 MB, where sfdmu takes 5.1 s and 790 MB), for the
//! first meeting, which also links all records, and for later runs with every seventh row edited, with one row edited, and with nothing new.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{Remote, Spent, map_files, setting, spend};
use serde_json::Value;

/// Every so many rows is edited: 14 %.
const EVERY: u64 = 7;

fn main() {
    let rows = setting("FORCESYNC_BENCH_ROWS", 100_000);
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let remote = Remote::start(&workspace, 1, &["--platform", "csv"]);
    remote.insert(rows);
    map_files(
        &workspace,
        "create_in_org = false\ncreate_on_platform = false\nfirst_meeting = \"platform_wins\"\n",
    );
    let file = workspace.join("csv").join("Contact.csv");
    println!("{rows} rows; run, written, wall, processor, most memory");
    write(&file, rows, 1);
    let first = run(&workspace, "initial");
    tell("first meeting", &first);
    for (name, round, every) in
        [("14 % edited", 2, EVERY), ("one edited", 3, rows), ("14 % edited", 4, EVERY)]
    {
        write_some(&file, rows, round, every);
        std::thread::park_timeout(Duration::from_secs(3));
        tell(name, &run(&workspace, "instant"));
    }
    // Written just now, a file is read once more.
    run(&workspace, "instant");
    tell("nothing new", &run(&workspace, "instant"));
}

fn write(file: &Path, rows: u64, round: u64) {
    write_with(file, rows, |number| if number % EVERY == 0 { round } else { 0 });
}

fn write_some(file: &Path, rows: u64, round: u64, every: u64) {
    let before = round - 1;
    write_with(file, rows, |number| match (number % every == 0, number % EVERY == 0) {
        (true, _) => round,
        (false, true) => {
            if every == EVERY {
                before
            } else {
                before.min(2)
            }
        }
        (false, false) => 0,
    });
}

fn write_with(file: &Path, rows: u64, title: impl Fn(u64) -> u64) {
    let mut text = String::from("Id,Email,FirstName,LastName,Title,Department,MobilePhone,MailingCity\n");
    for number in 1..=rows {
        let title = title(number);
        writeln!(
            text,
            "{number},p{number}@race.example,Ada,Race {number},Engineer {title},Works {number},+48 600 {number},Ghent"
        )
        .unwrap();
    }
    fs::write(file, text).unwrap();
}

fn run(workspace: &Path, kind: &str) -> Spent {
    let place = workspace.display().to_string();
    spend(&["sync", kind, "--yes", "--json", "--allow-updates", "1000000", "--workspace", &place])
}

fn tell(name: &str, spent: &Spent) {
    let end: Value = serde_json::from_str(&spent.last).unwrap_or_default();
    println!(
        "{name:<14} {:>7} {:>8.2} s {:>8.2} s {:>6} MB   {}",
        end["updated"],
        spent.wall.as_secs_f64(),
        spent.cpu.as_secs_f64(),
        spent.peak >> 20,
        end["result"]
    );
}
