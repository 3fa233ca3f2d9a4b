//! Activities: what somebody does or has done at a record.

use serde_json::{Map, Value, json};

use super::records::{Refusal, number};
use super::workflow::{RESULTS, TEMPLATES, TYPES, User};
use super::{Account, from_iso, iso};

/// An activity.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    pub(super) record: String,
    /// `Note`, `Event`, `Transition`, …
    pub(super) kind: String,
    pub(super) template: Option<u32>,
    pub(super) title: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) date: i64,
    pub(super) done: bool,
    pub(super) owner: u32,
    pub(super) result: Option<u32>,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// Rows of a page of the export.
const PAGE: usize = 100;

impl Activity {
    /// As it is read by its id, which does not tell when it was made or changed.
    pub(super) fn whole(&self, id: u64) -> Value {
        json!({
            "id": id.to_string(), "dataObjectId": self.record, "type": self.kind, "done": self.done,
            "isNote": self.kind == "Note", "activityTemplateId": self.template.map(|id| id.to_string()),
            "title": self.title, "notes": self.notes, "date": iso(self.date), "allDay": false, "duration": 30,
            "ownerId": self.owner.to_string(), "resultId": self.result.map(|id| id.to_string()),
        })
    }

    /// As the export tells it, which does not say whether it is done.
    fn exported(&self, id: u64, users: &[User]) -> Value {
        let owner = users.iter().find(|user| user.id == self.owner);
        let template =
            TEMPLATES.iter().find(|(known, ..)| Some(*known) == self.template).map(|(_, name, ..)| *name);
        let result = RESULTS.iter().find(|(known, _)| Some(*known) == self.result).map(|(_, name)| *name);
        json!({
            "id": id.to_string(), "activityDate": iso(self.date), "owner": owner.map(|user| &user.email),
            "title": self.title, "notes": self.notes, "activityType": template.unwrap_or(&self.kind),
            "result": result, "duration": 30, "dataObjectId": self.record,
            "activityOwnerExternalUserId": owner.and_then(|user| user.external.clone()),
            "updatedAt": iso(self.updated), "createdAt": iso(self.created),
        })
    }
}

impl Account {
    /// Makes an activity of a body, or changes one.
    pub(super) fn put_activity(
        &mut self,
        id: u64,
        body: &Map<String, Value>,
        (by, now): (u32, i64),
    ) -> Result<(), Refusal> {
        let mut activity = match self.activities.get(&id) {
            Some(held) if held.done => {
                return Err((422, "_".into(), "Only planned activity could be changed".into()));
            }
            Some(held) => held.clone(),
            None => {
                Activity { created: now, date: now, owner: by, kind: "Event".into(), ..Activity::default() }
            }
        };
        for (name, value) in body {
            let text = || value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            match name.as_str() {
                "dataObjectId" => activity.record = text().unwrap_or_default(),
                "type" => activity.kind = text().unwrap_or_else(|| "Event".into()),
                "title" => activity.title = text(),
                "notes" => activity.notes = text(),
                "done" => activity.done = value.as_bool().unwrap_or(false),
                "date" => activity.date = text().and_then(|text| from_iso(&text)).unwrap_or(now),
                "ownerId" => activity.owner = number(Some(value)).unwrap_or(by),
                "resultId" => activity.result = number(Some(value)),
                "activityTemplateId" => activity.template = number(Some(value)),
                _ => {}
            }
        }
        if !self.records.contains_key(&activity.record) {
            return Err((422, "dataObjectId".into(), "The record does not exist.".into()));
        }
        activity.updated = now;
        let kind = if activity.done {
            "activity.done"
        } else if self.activities.contains_key(&id) {
            "activity.updated"
        } else {
            "activity.created"
        };
        self.activities.insert(id, activity);
        self.tell_activity(kind, id, now);
        Ok(())
    }

    /// A page of the export. The dates are those of the activities.
    pub(super) fn export_activities(
        &self,
        body: &Value,
        scroll: Option<u64>,
        visible: i64,
    ) -> (Vec<Value>, Option<u64>) {
        let date = |name: &str| body.get(name).and_then(Value::as_str).and_then(from_iso);
        let (from, to) = (date("startDate").unwrap_or(i64::MIN), date("endDate").unwrap_or(i64::MAX));
        let kind =
            number(body.get("dataObjectTypeId")).filter(|id| TYPES.iter().any(|(known, _)| known == id));
        let mut page = Vec::new();
        for (id, activity) in self.activities.range(scroll.map_or(0, |last| last + 1)..) {
            let of_type = kind
                .is_none_or(|kind| self.records.get(&activity.record).is_some_and(|held| held.kind == kind));
            if of_type && activity.updated <= visible && (from..=to).contains(&activity.date) {
                page.push((*id, activity.exported(*id, &self.users)));
                if page.len() == PAGE {
                    break;
                }
            }
        }
        let next = if page.len() == PAGE { page.last().map(|(id, _)| *id) } else { None };
        (page.into_iter().map(|(_, row)| row).collect(), next)
    }
}
