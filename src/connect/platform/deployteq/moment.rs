//! One contact moment: an e-mail that a customer was sent, and what became of it, put together from single events.
//!
//! An event is known by its `uuid`, of which a short mark is kept, so that one that is read twice counts once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::settings::Names;
use super::shape::{moment, plain};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::value::Value;

/// No more opens or clicks than this are told apart; nobody needs to know how often beyond.
const MOST_MARKS: usize = 500;

/// Characters of the mark of an event.
const MARK: usize = 8;

/// What is known of one contact moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Moment {
    customer: String,
    external: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    campaign: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    campaign_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<i64>,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    opens: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    clicks: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    bounces: Tally,
    #[serde(skip_serializing_if = "String::is_empty")]
    clicked_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    bounce_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    bounce_category: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    bounce_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    online: String,
    /// The newest event, in seconds.
    newest: i64,
    /// How many events were counted.
    events: u32,
}

/// Events of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Tally {
    /// The marks of all events, one behind the other.
    marks: String,
    first: Option<i64>,
    last: Option<i64>,
}

impl Tally {
    fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn count(&self) -> usize {
        self.marks.len() / MARK
    }

    /// Counts an event; whether it is new, and whether it is the newest of its kind.
    fn add(&mut self, mark: &str, at: i64) -> (bool, bool) {
        let known = self.marks.as_bytes().chunks(MARK).any(|known| known == mark.as_bytes());
        if known || self.count() >= MOST_MARKS {
            return (false, false);
        }
        self.marks.push_str(mark);
        let newest = self.last.is_none_or(|last| at >= last);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        (true, newest)
    }
}

/// The contact moment that an event belongs to; `None` where it names no customer.
pub(super) fn moment_of(event: &Map<String, Json>, names: &Names) -> Option<RecordId> {
    let customer = text(event, "customer_id");
    if customer.is_empty() {
        return None;
    }
    let mut id = customer;
    for field in &names.moment_key {
        id.push('-');
        let part = text(event, field);
        id.push_str(if part.is_empty() { "0" } else { &part });
    }
    Some(RecordId::new(id))
}

/// When an event happened, in seconds.
pub(super) fn happened(event: &Map<String, Json>) -> Option<i64> {
    Some(moment(event.get("metric_timestamp")?.as_str()?)?.timestamp())
}

/// Whether an open or a click was a machine's.
pub(super) fn by_machine(event: &Map<String, Json>) -> bool {
    match event.get("machine_generated") {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::Number(number)) => number.as_i64() == Some(1),
        Some(Json::String(text)) => text == "1" || text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

impl Moment {
    /// Takes an event in.
    pub(super) fn take(&mut self, metric: &str, event: &Map<String, Json>, names: &Names) {
        let at = happened(event).unwrap_or_default();
        let mark = mark(event);
        let fill = |slot: &mut String, name: &str| {
            let told = text(event, name);
            if !told.is_empty() {
                *slot = told;
            }
        };
        let newer = at >= self.newest;
        if newer || self.customer.is_empty() {
            fill(&mut self.customer, "customer_id");
            fill(&mut self.external, "external_id");
            fill(&mut self.email, "email_address");
            if self.email.is_empty() {
                fill(&mut self.email, "customer_email_address");
            }
            fill(&mut self.subject, "subject");
            fill(&mut self.content, "content_name");
            fill(&mut self.campaign, "campaign_name");
            fill(&mut self.campaign_id, "campaign_id");
            fill(&mut self.kind, "broadcast_event_type");
            fill(&mut self.subtype, "broadcast_event_sub_type");
        }
        if self.online.is_empty()
            && let Some(template) = &names.online_url
        {
            self.online = online(template, event);
        }
        let is_new = match metric {
            "sends" => {
                let first = self.sent.is_none_or(|sent| at < sent);
                if first {
                    self.sent = Some(at);
                }
                first
            }
            "opens" => self.opens.add(&mark, at).0,
            "clicks" => {
                let (new, newest) = self.clicks.add(&mark, at);
                if newest {
                    fill(&mut self.clicked_url, "url");
                }
                new
            }
            "bounces" => {
                let (new, newest) = self.bounces.add(&mark, at);
                if newest {
                    fill(&mut self.bounce_type, "bounce_type");
                    fill(&mut self.bounce_category, "bounce_category");
                    fill(&mut self.bounce_code, "bounce_code");
                }
                new
            }
            // Kept as a sign of life of the moment; what it means is not known here.
            _ => false,
        };
        self.newest = self.newest.max(at);
        self.events += u32::from(is_new);
    }

    /// The stamp: the newest event, and in its milliseconds how many were counted, so that a late one changes it too.
    fn stamp(&self) -> Option<DateTime<Utc>> {
        let within = i64::from(self.events.min(999));
        DateTime::from_timestamp_millis(self.newest.saturating_mul(1000).saturating_add(within))
    }

    /// As a record in the order of a selection.
    pub(super) fn record(&self, id: &RecordId, selection: &Selection) -> Record {
        Record {
            id: id.clone(),
            stamp: self.stamp(),
            author: None,
            values: selection.names().iter().map(|name| self.field(id, name)).collect(),
            became: Vec::new(),
        }
    }

    fn field(&self, id: &RecordId, name: &str) -> Option<Value> {
        let filled = |text: &str| if text.is_empty() { Value::Null } else { Value::text(text) };
        let when = |seconds: Option<i64>| {
            let moment = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            moment.map_or(Value::Null, Value::Moment)
        };
        let number = |count: usize| Value::Number(count.to_string().into());
        // The first three characters of an id of Salesforce say what it is of.
        let of = |prefix: &str| {
            let is_id = matches!(self.external.len(), 15 | 18) && self.external.starts_with(prefix);
            if is_id { Value::text(self.external.as_str()) } else { Value::Null }
        };
        Some(match name.to_ascii_lowercase().as_str() {
            "id" => Value::text(id.as_str()),
            "customer_id" => filled(&self.customer),
            "salesforce_id" => ["00Q", "003", "001"]
                .into_iter()
                .map(of)
                .find(|value| !value.is_blank())
                .unwrap_or(Value::Null),
            "lead_id" => of("00Q"),
            "contact_id" => of("003"),
            "account_id" => of("001"),
            "email_address" => filled(&self.email),
            "subject" => filled(&self.subject),
            "content_name" => filled(&self.content),
            "campaign_name" => filled(&self.campaign),
            "campaign_id" => filled(&self.campaign_id),
            "type" => filled(&self.kind),
            "subtype" => filled(&self.subtype),
            "sent_at" => when(self.sent),
            "opened" => Value::Bool(!self.opens.is_empty()),
            "opens" => number(self.opens.count()),
            "first_opened_at" => when(self.opens.first),
            "last_opened_at" => when(self.opens.last),
            "clicked" => Value::Bool(!self.clicks.is_empty()),
            "clicks" => number(self.clicks.count()),
            "first_clicked_at" => when(self.clicks.first),
            "last_clicked_at" => when(self.clicks.last),
            "last_clicked_url" => filled(&self.clicked_url),
            "bounced" => Value::Bool(!self.bounces.is_empty()),
            "bounced_at" => when(self.bounces.last),
            "bounce_type" => filled(&self.bounce_type),
            "bounce_category" => filled(&self.bounce_category),
            "bounce_code" => filled(&self.bounce_code),
            "online_url" => filled(&self.online),
            _ => return None,
        })
    }
}

fn text(event: &Map<String, Json>, name: &str) -> String {
    match event.get(name) {
        None | Some(Json::Null) => String::new(),
        Some(value) => plain(value).trim().to_owned(),
    }
}

/// A short mark of an event; by its `uuid`, else by all of it.
fn mark(event: &Map<String, Json>) -> String {
    let uuid = text(event, "uuid");
    let whole = if uuid.is_empty() { Json::Object(event.clone()).to_string() } else { uuid };
    let hash = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
    format!("{folded:08x}")
}

/// The address of the online version by its template.
fn online(template: &str, event: &Map<String, Json>) -> String {
    let mut address = template.to_owned();
    for name in ["content_id", "broadcast_id", "customer_id", "campaign_id", "campaign_object_id", "uuid"] {
        let slot = format!("{{{name}}}");
        if address.contains(&slot) {
            let told = text(event, name);
            if told.is_empty() {
                return String::new();
            }
            address = address.replace(&slot, &crate::connect::http::percent_encode(&told));
        }
    }
    address
}
