//! What the benchmarks share: settings, a sandbox in a process of its own, what a process spent, and one way to print a table.
#![allow(dead_code, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a process spent until it ended.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    pub wall: Duration,
    /// User and system time together, in steps of 10 ms.
    pub cpu: Duration,
    /// The most memory that was resident, in bytes; at most 10 ms of its life are not seen.
    pub peak: u64,
    /// Its last line.
    pub last: String,
}

/// What the operating system says of a process; `None` where it does not say.
fn cpu_of(process: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// User and system time of this process, in steps of 10 ms.
pub fn own_cpu() -> Duration {
    cpu_of(std::process::id()).unwrap_or_default()
}

fn peak_of(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Runs the program to its end and tells what it spent.
pub fn spend(arguments: &[&str]) -> Spent {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_forcesync"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let (process, output) = (child.id(), child.stdout.take());
    let lines = std::thread::spawn(move || {
        output.map(|output| BufReader::new(output).lines().map_while(Result::ok).last())
    });
    let mut spent = Spent::default();
    // Once it has ended, and before it is waited for, the system still knows its time.
    while !lines.is_finished() {
        spent.peak = peak_of(process).unwrap_or(0).max(spent.peak);
        std::thread::park_timeout(Duration::from_millis(10));
    }
    while std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|text| !text.contains(") Z ")) {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    spent.wall = began.elapsed();
    spent.cpu = cpu_of(process).unwrap_or_default();
    drop(child.wait());
    spent.last = lines.join().ok().flatten().flatten().unwrap_or_default();
    spent
}

/// A sandbox in a process of its own, with a workspace; it ends with this value.
pub struct Remote {
    child: Child,
    /// What it said when it was ready.
    pub ready: serde_json::Value,
}

impl Remote {
    /// Starts it and waits until it is ready.
    pub fn start(workspace: &Path, people: u64, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_forcesync"))
            .args(["sandbox", "--json", "--records", &people.to_string(), "--workspace"])
            .arg(workspace)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is ours");
        BufReader::new(output).read_line(&mut line).expect("it says when it is ready");
        Self { child, ready: serde_json::from_str(&line).expect("a line of JSON") }
    }

    /// Puts contacts with a few fields into the org, as if they had always been there.
    pub fn insert(&self, rows: u64) {
        let url = self.ready["salesforce"]["url"].as_str().expect("the address of the org");
        let fields = serde_json::json!({
            "FirstName": "Ada", "LastName": "Race {n}", "Email": "p{n}@race.example", "Title": "Engineer 0",
            "Department": "Works {n}", "MobilePhone": "+48 600 {n}", "MailingCity": "Ghent",
        });
        let body = serde_json::json!({
            "side": "salesforce", "action": "insert", "object": "Contact", "count": rows, "fields": fields
        });
        let (body, host) = (body.to_string(), url.trim_start_matches("http://"));
        let mut stream = TcpStream::connect(host).expect("the sandbox listens");
        write!(
            stream,
            "POST /_sandbox/records HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.contains("\"success\":true"), "{answer}");
    }

    /// What its process spent so far, and its memory.
    pub fn spent(&self) -> (Duration, u64) {
        let process = self.child.id();
        (cpu_of(process).unwrap_or_default(), peak_of(process).unwrap_or(0))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The bytes of all files of the state database.
pub fn state_bytes(workspace: &Path) -> u64 {
    ["state.db", "state.db-wal", "state.db-shm"]
        .iter()
        .filter_map(|name| std::fs::metadata(workspace.join(name)).ok())
        .map(|file| file.len())
        .sum()
}

/// The fields of a file of people.
pub const FILE_FIELDS: [&str; 7] =
    ["Email", "FirstName", "LastName", "Title", "Department", "MobilePhone", "MailingCity"];

/// One mapping instead of those that are there, from a file of people to the contacts of the org; `more` are its other settings.
pub fn map_files(workspace: &Path, more: &str) {
    let path = workspace.join("forcesync.toml");
    let settings = std::fs::read_to_string(&path).expect("the workspace has settings");
    let mut text = settings.split("[[mapping]]").next().unwrap_or_default().to_owned();
    text.push_str("\n[[mapping]]\nname = \"files\"\norg_object = \"Contact\"\nplatform_object = \"Contact\"\ndirection = \"to_org\"\n");
    text.push_str(more);
    text.extend(FILE_FIELDS.map(|field| {
        let key = if field == "Email" { "key = true\n" } else { "" };
        format!("[[mapping.pair]]\norg = \"{field}\"\nplatform = \"{field}\"\ndirection = \"to_org\"\n{key}")
    }));
    std::fs::write(path, text).expect("the settings can be written");
}

/// A number with its unit in a few letters.
pub fn short(number: f64) -> String {
    match number {
        large if large >= 1e6 => format!("{:.2} M", large / 1e6),
        middle if middle >= 1e4 => format!("{:.0} k", middle / 1e3),
        small if small >= 100.0 => format!("{small:.0}"),
        tiny => format!("{tiny:.2}"),
    }
}

/// Does something again and again for about a second; gives the time of one, the median.
pub fn median(mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || (began.elapsed() < Duration::from_secs(1) && times.len() < 200) {
        let start = Instant::now();
        work();
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// Reads objects of the org page by page with a plain client, and throws the bytes away: how many, in how many calls.
pub async fn download(ready: &serde_json::Value, objects: &[&str], fields: &str) -> (usize, u32, Duration) {
    let text =
        |path: &str| ready.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let (org, token) = (text("/salesforce/url"), text("/salesforce/access_token"));
    forcesync::connect::http::install_crypto_provider();
    #[allow(clippy::disallowed_methods)]
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let began = Instant::now();
    let (mut bytes, mut calls) = (0, 0);
    for object in objects {
        let soql = format!("SELECT {fields} FROM {object}").replace(' ', "+");
        let mut next = Some(format!("/services/data/v67.0/query?q={soql}"));
        while let Some(path) = next.take() {
            let call = client.get(format!("{org}{path}")).bearer_auth(&token);
            let body = call.send().await.expect("an answer").bytes().await.expect("its body");
            bytes += body.len();
            calls += 1;
            // The link stands before the records.
            let head =
                String::from_utf8_lossy(body.get(..400.min(body.len())).unwrap_or_default()).into_owned();
            let link = head.split_once("\"nextRecordsUrl\":\"").and_then(|(_, rest)| rest.split_once('"'));
            next = link.map(|(path, _)| path.to_owned());
        }
    }
    (bytes, calls, began.elapsed())
}
