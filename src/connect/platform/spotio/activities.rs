//! Activities: notes, visits, calls and appointments, which become tasks of the org and never come back.
//!
//! The export of activities says which there are and when they changed, but not whether they are done; so each that counts is
//! read by its id besides. Those from before the cut-off are not looked at (F162).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};

use super::Spotio;
use super::feed::{Place, What, place, sheet, since, text, written};
use super::json::{flag, member, moment};
use super::service::{Ask, Failure, Refused};
use super::shape::{number, scalar, stamp_of};
use super::view::View;
use super::workflow::Workflow;
use crate::connect::http::percent_encode;
use crate::domain::port::{FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

impl Spotio {
    fn cut_off(&self) -> Result<DateTime<Utc>, PortError> {
        self.names.activities_since.ok_or_else(|| {
            PortError::new(
                PortClass::Settings,
                "SETTING_MISSING",
                "The SPOTIO connection does not say from which day on activities become tasks; fill in “Activities from”, usually with \
                 today.",
            )
        })
    }

    pub(super) async fn scan_activities(&self, view: View, request: &ScanRequest) -> Result<Page, PortError> {
        let place = match &request.mark {
            Some(mark) => place(mark)?,
            None => Place { what: What::Records, scroll: None, since: None },
        };
        self.activities(view, &request.selection, place, request.mark.is_none()).await
    }

    pub(super) async fn changed_activities(
        &self,
        view: View,
        request: &FeedRequest,
    ) -> Result<Page, PortError> {
        let place = match &request.mark {
            Some(mark) => place(mark)?,
            None => Place { what: What::Records, scroll: None, since: Some(since(&request.cursor)?) },
        };
        self.activities(view, &request.selection, place, request.mark.is_none()).await
    }

    async fn activities(
        &self,
        view: View,
        selection: &Selection,
        place: Place,
        first: bool,
    ) -> Result<Page, PortError> {
        let cut_off = self.cut_off()?;
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        // Dates of activities may lie before the day on which they were entered.
        let start = match place.since {
            Some(since) if self.names.activity_by_update => since,
            Some(_) | None => (cut_off - TimeDelta::days(366)).timestamp(),
        };
        let scroll = place.scroll.as_deref().map(|scroll| format!("?scrollId={}", percent_encode(scroll)));
        let path = format!("/api/Exports/activities/data/flexible{}", scroll.unwrap_or_default());
        let body = json!({"startDate": written(start), "dataObjectTypeId": number(&kind.id)});
        let ours = self.service.now();
        let answer = self.service.send(&Ask::post("activities", path, &body)).await;
        let sheet = sheet(answer, "items", place.scroll.as_deref())?;
        let counts = |row: &Json| {
            let at = |name: &str| member(row, name).and_then(|text| moment(&text));
            // What has no date is looked at rather than lost.
            at("createdAt").is_none_or(|made| made >= cut_off)
                && place
                    .since
                    .is_none_or(|since| at("updatedAt").is_none_or(|changed| changed.timestamp() >= since))
        };
        let mut records = Vec::new();
        for row in sheet.rows.iter().filter(|row| counts(row)) {
            let Some(id) = member(row, "id") else { continue };
            records.extend(self.activity(&workflow, selection, &id, Some(row)).await?);
        }
        let next = sheet.scroll.clone().map(|scroll| Place { scroll: Some(scroll), ..place });
        Ok(Page {
            records,
            next: next.map(|next| Mark(text(&next))),
            cursor: first.then(|| self.cursor(sheet.began, ours)),
            ..Page::default()
        })
    }

    /// These activities as they are.
    pub(super) async fn read_activities(
        &self,
        _view: View,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let workflow = self.workflow().await?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.extend(self.activity(&workflow, selection, id.as_str(), None).await?);
        }
        Ok(records)
    }

    /// One activity with what the export told of it; nothing where it is gone.
    async fn activity(
        &self,
        workflow: &Workflow,
        selection: &Selection,
        id: &str,
        exported: Option<&Json>,
    ) -> Result<Option<Record>, PortError> {
        let path = format!("/api/v2/activities/{}", percent_encode(id));
        let mut row = match self.service.get("activity", &path).await {
            Ok(answer) => match answer.value {
                Json::Object(row) => row,
                _ => return Ok(None),
            },
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) => return Ok(None),
            Err(failure) => return Err(failure.into_port()),
        };
        for (name, held) in exported.and_then(Json::as_object).into_iter().flatten() {
            if row.get(name).is_none_or(Json::is_null) {
                row.insert(name.clone(), held.clone());
            }
        }
        row.insert("id".into(), Json::String(id.to_owned()));
        Ok(Some(activity(workflow, selection, row)))
    }
}

/// An activity as a record.
pub(super) fn activity(workflow: &Workflow, selection: &Selection, row: Map<String, Json>) -> Record {
    let id = member(&Json::Object(row.clone()), "id").unwrap_or_default();
    let row = Json::Object(row);
    Record {
        id: RecordId::new(id),
        stamp: stamp_of(&row),
        author: None,
        values: selection.names().iter().map(|name| value(workflow, &row, name)).collect(),
        became: Vec::new(),
    }
}

fn value(workflow: &Workflow, row: &Json, name: &str) -> Option<Value> {
    let told = |name: &str| Some(member(row, name).map_or(Value::Null, Value::text));
    let time = |name: &str| Some(scalar(FieldKind::Moment, row.get(name)?));
    match name.to_ascii_lowercase().as_str() {
        "id" => told("id"),
        "recordid" => told("dataObjectId"),
        "date" => Some(day(row).map_or(Value::Null, Value::Date)),
        "moment" => time("date").or_else(|| time("activityDate")),
        "name" => Some(member(row, "title").map_or_else(|| Value::text(called(workflow, row)), Value::text)),
        "notes" => told("notes"),
        "status" => row.get("done").map(|_| Value::text(if flag(row, "done") { "Done" } else { "Planned" })),
        "done" => row.get("done").map(|_| Value::Bool(flag(row, "done"))),
        "result" => match member(row, "result") {
            Some(result) => Some(Value::text(result)),
            None => Some(
                member(row, "resultId").and_then(|id| workflow.result(&id)).map_or(Value::Null, Value::text),
            ),
        },
        "kind" => Some(Value::text(kind(row))),
        "ownerexternalid" => {
            let told = member(row, "activityOwnerExternalUserId");
            let known = || Some(workflow.user(&member(row, "ownerId")?)?.external.clone());
            told.or_else(known).filter(|id| !id.is_empty()).map(Value::text)
        }
        "createdat" => time("createdAt"),
        "updatedat" => time("updatedAt"),
        _ => None,
    }
}

/// What an activity without a title is called: by its template, else by its kind.
fn called(workflow: &Workflow, row: &Json) -> String {
    let template = member(row, "activityTemplateId").and_then(|id| workflow.template(&id));
    template.unwrap_or_else(|| kind(row))
}

/// The kind of an activity with a capital letter, however the service spells it.
fn kind(row: &Json) -> String {
    let word = member(row, "type")
        .unwrap_or_else(|| if flag(row, "isNote") { "Note".into() } else { "Event".into() });
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn day(row: &Json) -> Option<NaiveDate> {
    let all_day = member(row, "allDayDate").and_then(|text| text.get(..10)?.parse().ok());
    let at = |name: &str| moment(&member(row, name)?).map(|moment| moment.date_naive());
    all_day.filter(|_| flag(row, "allDay")).or_else(|| at("date")).or_else(|| at("activityDate"))
}
