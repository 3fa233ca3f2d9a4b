//! An org of the sandbox on a port of its own, and clients for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use forcesync::connect::salesforce::{
    Environment, Salesforce, SalesforceSecrets, SalesforceSettings, SignIn,
};
use forcesync::connect::system_clock::SystemClock;
use forcesync::domain::clock::Clock;
use forcesync::domain::port::{Mark, Page, ScanRequest, Source};
use forcesync::domain::record::{Record, Selection};
use forcesync::sandbox::clock::SandboxClock;
use forcesync::sandbox::org::{Org, OrgOptions};
use serde_json::{Map, Value as Json};

/// The real time, without waiting.
pub(crate) struct Impatient;

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now()
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// An org that answers.
pub(crate) struct Served {
    pub(crate) org: Arc<Org>,
    pub(crate) clock: Arc<SandboxClock>,
    pub(crate) address: String,
    pub(crate) options: OrgOptions,
}

pub(crate) async fn serve() -> Served {
    serve_with(OrgOptions::default()).await
}

pub(crate) async fn serve_with(options: OrgOptions) -> Served {
    let clock = Arc::new(SandboxClock::new());
    let org = Org::new(options.clone(), Arc::clone(&clock));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = org.router();
    tokio::spawn(forcesync::sandbox::tls::serve(listener, router, None, std::future::pending()));
    Served { org, clock, address, options }
}

impl Served {
    pub(crate) fn settings(&self, sign_in: SignIn) -> SalesforceSettings {
        SalesforceSettings {
            environment: Environment::Custom(self.address.clone()),
            sign_in,
            username: self.options.username.clone(),
            client_id: self.options.client_id.clone(),
            jitter_seed: Some(1),
            ..SalesforceSettings::default()
        }
    }

    pub(crate) fn secrets(&self) -> SalesforceSecrets {
        SalesforceSecrets {
            password: Some(self.options.password.as_str().into()),
            security_token: Some(self.options.security_token.as_str().into()),
            client_secret: Some(self.options.client_secret.as_str().into()),
            refresh_token: Some(self.org.refresh_token().into()),
        }
    }

    pub(crate) fn client(&self) -> Salesforce {
        self.client_with(self.settings(SignIn::ClientCredentials))
    }

    pub(crate) fn client_with(&self, settings: SalesforceSettings) -> Salesforce {
        client(settings, self.secrets())
    }

    /// A person who works in the org makes a record.
    pub(crate) fn insert(&self, object: &str, fields: Json) -> String {
        self.org.admin_insert(object, &fields_of(fields), &self.org.person_user_id()).unwrap()
    }

    pub(crate) fn update(&self, object: &str, id: &str, fields: Json) {
        self.org.admin_update(object, id, &fields_of(fields), &self.org.person_user_id()).unwrap();
    }

    /// Contacts `Person 0` and so on.
    pub(crate) fn seed_contacts(&self, count: usize) -> Vec<String> {
        let rows: Vec<Map<String, Json>> = (0..count)
            .map(|number| {
                fields_of(serde_json::json!({
                    "LastName": format!("Person {number}"), "Email": format!("person{number}@example.com"),
                }))
            })
            .collect();
        self.org.seed_rows("Contact", &rows)
    }
}

pub(crate) fn client(settings: SalesforceSettings, secrets: SalesforceSecrets) -> Salesforce {
    Salesforce::connect(settings, secrets, Arc::new(Impatient)).unwrap()
}

pub(crate) fn fields_of(fields: Json) -> Map<String, Json> {
    match fields {
        Json::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub(crate) fn scan_request(object: &str, fields: &[&str], mark: Option<Mark>) -> ScanRequest {
    ScanRequest { object: object.into(), selection: Selection::new(fields), criteria: None, mark }
}

/// Every page of a scan.
pub(crate) async fn scan_all(client: &Salesforce, request: ScanRequest) -> (Page, Vec<Record>) {
    let mut first = client.scan(&request).await.unwrap();
    let mut records = std::mem::take(&mut first.records);
    let mut mark = first.next.clone();
    while let Some(here) = mark {
        let page = client.scan(&ScanRequest { mark: Some(here), ..request.clone() }).await.unwrap();
        assert!(page.cursor.is_none());
        records.extend(page.records);
        mark = page.next;
    }
    (first, records)
}
