//! Criteria mean here what they mean in SOQL: the same members by the sandbox's own evaluator and by ours, for conditions written by hand and
//! for thousands of random ones. What SOQL can't test may only let more records through.

mod cases;
mod random;

use std::collections::BTreeSet;

use forcesync::connect::salesforce::Salesforce;
use forcesync::domain::criteria::Criteria;
use forcesync::domain::port::{ScanRequest, Source};
use forcesync::domain::record::{Record, Selection};
use forcesync::sandbox::org::{ExtraSchema, OrgOptions};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value as Json, json};

use crate::salesforce_support::{Served, fields_of, scan_all, scan_request, serve_with};

/// Every field that is tested, and the name of the record.
const FIELDS: [&str; 15] = [
    "AssistantName",
    "LastName",
    "FirstName",
    "Title",
    "Email",
    "Score__c",
    "Birthdate",
    "Seen__c",
    "VIP__c",
    "Topics__c",
    "LeadSource",
    "AccountId",
    "Account.Name",
    "Account.NumberOfEmployees",
    "Account.Industry",
];

const CUSTOM: &str = "
[[field]]
object = 'Contact'
name = 'Score__c'
type = 'double'
precision = 18
scale = 4
[[field]]
object = 'Contact'
name = 'Seen__c'
type = 'datetime'
[[field]]
object = 'Contact'
name = 'VIP__c'
type = 'boolean'
[[field]]
object = 'Contact'
name = 'Topics__c'
type = 'multipicklist'
values = ['A', 'B', 'Cee', '100%']
";

/// An org with the records that the cases by hand are about, and any number of others.
struct World {
    served: Served,
    client: Salesforce,
    selection: Selection,
    records: Vec<Record>,
}

impl World {
    async fn with(others: impl IntoIterator<Item = Json>) -> Self {
        let options =
            OrgOptions { extra_schema: vec![ExtraSchema::parse(CUSTOM).unwrap()], ..OrgOptions::default() };
        let served = serve_with(options).await;
        served.org.set_daily_limit(100_000_000);
        let account = |fields: Json| served.insert("Account", fields);
        let accounts = [
            account(json!({"Name": "Big Corp", "NumberOfEmployees": 500, "Industry": "Banking"})),
            account(json!({"Name": "small co", "NumberOfEmployees": 5})),
            account(json!({"Name": "Big_Corp"})),
        ];
        for mut contact in cases::contacts().into_iter().chain(others) {
            let place = contact["AccountId"].as_u64();
            contact["AccountId"] = place.and_then(|place| accounts.get(place as usize)).cloned().into();
            served.org.seed_row("Contact", &fields_of(contact));
        }
        let client = served.client();
        let (_, records) = scan_all(&client, scan_request("Contact", &FIELDS, None)).await;
        Self { served, client, selection: Selection::new(FIELDS), records }
    }

    /// The ids that our own evaluation finds.
    fn here(&self, criteria: &Criteria) -> BTreeSet<String> {
        let members = self.records.iter().filter(|record| criteria.admit(&self.selection, record));
        members.map(|record| record.id.to_string()).collect()
    }

    /// The ids that the org finds by what the client asks it.
    async fn there(&self, criteria: &Criteria) -> Result<BTreeSet<String>, String> {
        let request = ScanRequest {
            criteria: Some(criteria.clone()),
            ..scan_request("Contact", &["AssistantName"], None)
        };
        let page = self.client.scan(&request).await.map_err(|error| format!("{criteria}: {error}"))?;
        if page.next.is_some() {
            return Err(format!("{criteria}: more than a page"));
        }
        Ok(page.records.iter().map(|record| record.id.to_string()).collect())
    }

    /// Records by their names.
    fn named(&self, ids: &BTreeSet<String>) -> String {
        let mut names: Vec<String> = self
            .records
            .iter()
            .filter(|record| ids.contains(record.id.as_str()))
            .filter_map(|record| record.values.first()?.as_ref().map(ToString::to_string))
            .collect();
        names.sort();
        names.join(" ")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_conditions_by_hand_have_the_stated_members_there_and_here() {
    let world = World::with([]).await;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (text, stated) in cases::CASES {
        let criteria = Criteria::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let stated: Vec<String> = stated.chars().map(String::from).collect();
        let stated = stated.join(" ");
        let here = world.named(&world.here(&criteria));
        if here != stated {
            wrong.push(format!("{text}: stated {stated}, here {here}"));
        }
        // What the org can't test is read and tested here; whatever it can test must be the same.
        let members = world.there(&criteria).await.unwrap();
        let there = world.named(&members);
        match world.client.count("Contact", Some(&criteria)).await.unwrap() {
            Some(count) => {
                asked += 1;
                if there != stated || count as usize != members.len() {
                    wrong.push(format!("{text}: stated {stated}, there {there} ({count})"));
                }
            }
            None if !world.here(&criteria).is_subset(&members) => {
                wrong.push(format!("{text}: the org leaves out what it can't test: {there}"));
            }
            None => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases::CASES.len() >= 200 && asked >= 170, "{} cases, {asked} asked", cases::CASES.len());
    drop(world.served);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_conditions_have_the_same_members_there_and_here() {
    let mut dice = random::Dice::new(20_261_122);
    let others: Vec<Json> = (0..32).map(|number| random::contact(&mut dice, number)).collect();
    let world = World::with(others).await;
    assert_eq!(world.records.len(), 40);
    let conditions: Vec<random::Condition> = (0..10_000).map(|_| random::condition(&mut dice, 3)).collect();
    let testable = conditions.iter().filter(|condition| condition.testable).count();
    assert!(testable > 8_000, "{testable}");
    let world = &world;
    let telling = stream::iter(&conditions)
        .map(|condition| async move {
            // Through its text, as from a settings file.
            let text = condition.criteria.to_string();
            let criteria = Criteria::parse(&text).map_err(|error| format!("{text}: {error}"))?;
            let (here, there) = (world.here(&criteria), world.there(&criteria).await?);
            let agree = if condition.testable { here == there } else { here.is_subset(&there) };
            if agree {
                Ok(!here.is_empty() && here.len() < world.records.len())
            } else {
                Err(format!("{text}\nhere:  {}\nthere: {}", world.named(&here), world.named(&there)))
            }
        })
        .buffer_unordered(16)
        .try_fold(0, async |telling, tells| Ok(telling + usize::from(tells)))
        .await;
    // A condition that everything or nothing meets proves little.
    assert!(telling.unwrap_or_else(|error| panic!("{error}")) > 5_000);
}

/// Relative dates, as the org itself evaluates them.
const RELATIVE: [&str; 20] = [
    "TODAY",
    "YESTERDAY",
    "TOMORROW",
    "LAST_90_DAYS",
    "NEXT_90_DAYS",
    "LAST_N_DAYS:3",
    "LAST_N_DAYS:400",
    "NEXT_N_DAYS:2",
    "N_DAYS_AGO:2",
    "THIS_MONTH",
    "LAST_MONTH",
    "NEXT_MONTH",
    "LAST_N_MONTHS:2",
    "NEXT_N_MONTHS:1",
    "N_MONTHS_AGO:1",
    "THIS_QUARTER",
    "N_QUARTERS_AGO:1",
    "LAST_N_QUARTERS:2",
    "THIS_YEAR",
    "LAST_N_YEARS:1",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relative_dates_have_the_members_that_the_org_finds_by_them() {
    let now: chrono::DateTime<chrono::Utc> = "2028-02-29T15:00:00Z".parse().unwrap();
    let around =
        [0, 1, 2, 3, 4, 28, 29, 30, 58, 59, 60, 61, 89, 90, 91, 92, 151, 152, 365, 366, 400, 401, 425, 426];
    let days = around.into_iter().flat_map(|days: i64| [-days, days]).chain([60, 121]);
    let contacts = days.enumerate().map(|(number, days)| {
        let day = now + chrono::TimeDelta::days(days);
        json!({
            "LastName": "Relative", "AssistantName": format!("d{number}"),
            "Birthdate": day.format("%Y-%m-%d").to_string(), "Seen__c": day.format("%Y-%m-%dT23:59:59.000Z").to_string(),
        })
    });
    let world = World::with(contacts).await;
    world.served.clock.advance(now.timestamp_millis() - world.served.clock.now_ms());
    let mut telling = 0;
    for relative in RELATIVE {
        for (field, operator) in ["Birthdate", "Seen__c"]
            .into_iter()
            .flat_map(|field| ["=", "!=", "<", "<=", ">", ">="].map(|operator| (field, operator)))
        {
            let text = format!("{field} {operator} {relative}");
            let criteria = Criteria::parse(&text).unwrap().at(now);
            let here = world.here(&criteria);
            // What the client asks names days alone; the org evaluates the relative date by its own clock.
            assert_eq!(here, world.there(&criteria).await.unwrap(), "{text}");
            assert_eq!(here.len(), world.served.org.count_where("Contact", &text).unwrap(), "{text}");
            telling += usize::from(!here.is_empty() && here.len() < world.records.len());
        }
    }
    assert!(telling > 200, "{telling}");
}
