//! Reading a whole object: by single calls and by a job, parsed into records; then staged in the database too.
//!
//! `cargo bench --bench read` reads 20,000 people (`FORCESYNC_BENCH_PEOPLE`; 100,000 is the budget of design §7) from a sandbox in a
//! second process. Time is the processor time of this process alone. Below stands the raw download of the same pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use common::{Remote, own_cpu, setting, short};
use forcesync::connect::salesforce::{
    Environment, Salesforce, SalesforceSecrets, SalesforceSettings, SignIn,
};
use forcesync::domain::cost::{Jobs, Rates};
use forcesync::domain::port::{ScanRequest, Source};
use forcesync::domain::record::Selection;
use forcesync::domain::side::Side;
use forcesync::store::{Store, stage};
use secrecy::SecretString;

const FIELDS: [&str; 15] = [
    "Email",
    "FirstName",
    "LastName",
    "Phone",
    "MobilePhone",
    "Title",
    "Department",
    "MailingStreet",
    "MailingPostalCode",
    "MailingCity",
    "MailingState",
    "MailingCountry",
    "HasOptedOutOfEmail",
    "DoNotCall",
    "CreatedDate",
];

/// A connection to the sandbox's org.
fn connected(remote: &Remote, jobs: Jobs) -> Salesforce {
    let text = |name: &str| remote.ready["salesforce"][name].as_str().unwrap_or_default().to_owned();
    let settings = SalesforceSettings {
        environment: Environment::Custom(text("url")),
        sign_in: SignIn::ClientCredentials,
        client_id: text("client_id"),
        rates: Rates { jobs, ..Rates::default() },
        ..SalesforceSettings::default()
    };
    let secret = SecretString::from(text("client_secret"));
    let secrets = SalesforceSecrets { client_secret: Some(secret), ..SalesforceSecrets::default() };
    Salesforce::connect(settings, secrets, forcesync::ops::clock()).unwrap()
}

fn main() {
    let people = setting("FORCESYNC_BENCH_PEOPLE", 20_000);
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    let remote = Remote::start(&workspace, people, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        println!(
            "{:34} {:>10} {:>8} {:>10} {:>10}",
            "contacts read", "records", "cpu s", "µs each", "records/s"
        );
        for (name, jobs, staged) in [
            ("single calls, parsed", Jobs::Never, false),
            ("bulk job, parsed", Jobs::Always, false),
            ("single calls, parsed and staged", Jobs::Never, true),
            ("bulk job, parsed and staged", Jobs::Always, true),
        ] {
            let org = connected(&remote, jobs);
            let store = Store::open(&folder.path().join(format!("{}-{staged}.db", name.len()))).unwrap();
            let mut request = ScanRequest {
                object: "Contact".into(),
                selection: Selection::new(FIELDS),
                criteria: None,
                mark: None,
            };
            let cpu = own_cpu();
            let began = std::time::Instant::now();
            let mut records = 0;
            loop {
                let page = org.scan(&request).await.unwrap();
                records += page.records.len();
                request.mark = page.next;
                if staged {
                    let (read, at) = (page.records, chrono::DateTime::from_timestamp_millis(0).unwrap());
                    store.write(move |db| stage::put(db, Side::Org, "Contact", &read, at)).await.unwrap();
                }
                if request.mark.is_none() {
                    break;
                }
            }
            let spent = own_cpu().saturating_sub(cpu).as_secs_f64();
            println!(
                "{name:34} {records:10} {spent:8.2} {:10.2} {:>10}",
                spent * 1e6 / records.max(1) as f64,
                short(records as f64 / began.elapsed().as_secs_f64())
            );
        }
        let cpu = own_cpu();
        let (bytes, calls, wall) = common::download(&remote.ready, &["Contact"], &FIELDS.join(",")).await;
        println!(
            "raw download by {calls} single calls: {:.2} s of processor time, {:.2} s, {} MB",
            own_cpu().saturating_sub(cpu).as_secs_f64(),
            wall.as_secs_f64(),
            bytes >> 20
        );
    });
}
