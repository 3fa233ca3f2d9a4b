//! Analytics events, a day at a time, and the sign-in of the OAuth2 client that reads them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use super::{ACCESS, Deployteq, bearer, lock, refused};

/// The scope of the events.
const SCOPE: &str = "analytics.events:read";

const DAY: i64 = 86_400_000;

/// The mailings of every portal: content, name, subject.
const MAILINGS: [(u64, &str, &str); 3] = [
    (501, "Newsletter", "What is new this month"),
    (502, "Webinar", "Join our next webinar"),
    (503, "Survey", "How are we doing?"),
];

/// All events, by day and in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct Events {
    days: BTreeMap<NaiveDate, Vec<(i64, Value)>>,
    last: u64,
}

impl Events {
    /// Adds an event; what it does not name is blank.
    pub(super) fn add(&mut self, metric: &str, at: i64, fields: &Map<String, Value>) -> String {
        self.last += 1;
        let uuid = format!(
            "{:08x}-0000-4000-8000-{:012x}",
            self.last.wrapping_mul(2_654_435_761) & 0xffff_ffff,
            self.last
        );
        let moment = DateTime::from_timestamp_millis(at).unwrap_or_default();
        let mut event = json!({
            "uuid": uuid, "metric": metric, "metric_id": self.last, "metric_timestamp": moment.format("%Y-%m-%dT%H:%M:%S+0000").to_string(),
            "customer_id": null, "customer_email_address": null, "external_id": null, "email_address": null, "subject": null,
            "content_id": null, "content_name": null, "campaign_id": null, "campaign_name": null, "campaign_object_id": null,
            "broadcast_id": null, "broadcast_event_type": "EMAIL", "broadcast_event_sub_type": "CAMPAIGN", "broadcast_metadata": {},
            "link_id": null, "link_description": null, "url": null, "bounce_type": null, "bounce_code": null, "bounce_category": null,
            "machine_generated": false, "test_mailing": 0, "portal_id": 1, "portal_name": "sandbox", "a_field_of_tomorrow": "kept",
        });
        if let Value::Object(event) = &mut event {
            event.extend(fields.clone());
        }
        let day = self.days.entry(moment.date_naive()).or_default();
        let place = day.partition_point(|(known, _)| *known <= at);
        day.insert(place, (at, event));
        uuid
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.days.values().flatten().map(|(_, event)| event)
    }
}

impl Deployteq {
    /// Three mailings of the past weeks to everybody who is opted in, and what became of them.
    pub(super) fn send_mailings(&self, now: i64) {
        let customers: Vec<(u64, Map<String, Value>)> = lock(&self.customers)
            .all()
            .filter(|(_, customer)| customer.fields.get("optin") == Some(&json!("Y")))
            .map(|(id, customer)| (id, customer.fields.clone()))
            .collect();
        let mut dice = SmallRng::seed_from_u64(self.options.seed ^ 0x0dea_d10c);
        let mut events = lock(&self.events);
        for (customer, fields) in customers {
            for (number, mailing) in MAILINGS.iter().enumerate() {
                if dice.random_ratio(1, 3) {
                    continue;
                }
                let sent = now - (20 - 7 * number as i64) * DAY + dice.random_range(0..3_600_000);
                let about = about(customer, &fields, *mailing);
                events.add("sends", sent, &about);
                if dice.random_ratio(1, 20) {
                    let mut bounced = about.clone();
                    bounced.insert("bounce_type".into(), json!("HARD"));
                    bounced.insert("bounce_code".into(), json!("550"));
                    bounced.insert("bounce_category".into(), json!("unknown user"));
                    events.add("bounces", sent + 60_000, &bounced);
                    continue;
                }
                if dice.random_ratio(1, 4) {
                    let mut machine = about.clone();
                    machine.insert("machine_generated".into(), json!(true));
                    events.add("opens", sent + 5_000, &machine);
                }
                if dice.random_ratio(1, 2) {
                    let opened = sent + dice.random_range(60_000..DAY);
                    events.add("opens", opened, &about);
                    if dice.random_ratio(1, 2) {
                        let mut clicked = about.clone();
                        clicked
                            .insert("url".into(), json!(format!("https://www.acme.example/{}", mailing.0)));
                        clicked.insert("link_description".into(), json!("Read more"));
                        events.add("clicks", opened + 20_000, &clicked);
                    }
                }
            }
        }
    }

    /// Somebody opens the newsletter once more.
    pub(super) fn open_again(&self, customer: u64) -> bool {
        let Some(fields) = lock(&self.customers).get(customer).map(|known| known.fields.clone()) else {
            return false;
        };
        if let Some(mailing) = MAILINGS.last() {
            lock(&self.events).add("opens", self.clock.now_ms(), &about(customer, &fields, *mailing));
        }
        true
    }
}

fn about(customer: u64, fields: &Map<String, Value>, mailing: (u64, &str, &str)) -> Map<String, Value> {
    let (content, name, subject) = mailing;
    let told = json!({
        "customer_id": customer, "customer_email_address": fields.get("emailaddress"), "email_address": fields.get("emailaddress"),
        "external_id": fields.get("externalid"), "subject": subject, "content_id": content, "content_name": name,
        "campaign_id": content + 100, "campaign_name": name, "campaign_object_id": content + 200, "broadcast_id": content + 300,
    });
    match told {
        Value::Object(told) => told,
        _ => Map::new(),
    }
}

pub(super) async fn token(
    State(portal): State<Arc<Deployteq>>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    use base64::Engine as _;
    let (id, secret) = &portal.options.client;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    let told = headers.get("authorization").and_then(|told| told.to_str().ok()).unwrap_or_default();
    if told != format!("Basic {basic}") {
        return (axum::http::StatusCode::UNAUTHORIZED, axum::Json(json!({"error": "invalid_client"})))
            .into_response();
    }
    let scope = asked.get("scope").map(String::as_str).unwrap_or_default();
    if asked.get("grant_type").is_none_or(|kind| kind != "client_credentials")
        || !(scope.is_empty() || scope == SCOPE)
    {
        return (axum::http::StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_scope"})))
            .into_response();
    }
    axum::Json(json!({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 3600})).into_response()
}

pub(super) async fn list(
    State(portal): State<Arc<Deployteq>>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if bearer(&headers) != ACCESS {
        return refused(401, "Unauthorized");
    }
    let day = |name: &str| asked.get(name).and_then(|text| text.parse::<NaiveDate>().ok());
    let (Some(from), Some(to)) = (day("filter[date_from]"), day("filter[date_to]")) else {
        return refused(422, "filter[date_from] and filter[date_to] must be dates");
    };
    if from > to {
        return refused(422, "filter[date_from] lies after filter[date_to]");
    }
    let number =
        |name: &str, default: usize| asked.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (limit, offset) = (number("limit", 100).clamp(1, 1000), number("offset", 0));
    let metric = asked.get("filter[metric]");
    let now = portal.clock.now_ms();
    // The service keeps one year.
    let oldest = now - 365 * DAY;
    let events = lock(&portal.events);
    let found: Vec<&Value> = events
        .days
        .range(from..=to)
        .flat_map(|(_, day)| day)
        .filter(|(at, event)| {
            *at <= now
                && *at >= oldest
                && metric.is_none_or(|metric| event["metric"].as_str() == Some(metric.as_str()))
        })
        .map(|(_, event)| event)
        .collect();
    let total = found.len();
    let page: Vec<&Value> = found.into_iter().skip(offset).take(limit).collect();
    let link = |offset: usize| format!("/analytics-events/events?limit={limit}&offset={offset}");
    let mut links = Map::new();
    links.insert("current".into(), json!(link(offset)));
    if offset + limit < total {
        links.insert("next".into(), json!(link(offset + limit)));
    }
    axum::Json(json!({"total_count": total, "_links": links, "data": page})).into_response()
}
