//! Looking for records without knowing their ids. The service's search is for people: it answers near matches and parts of records,
//! so everything it finds is read by its id and compared again here.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use super::Spotio;
use super::feed::{sheet, written};
use super::json::{member, moment};
use super::service::Ask;
use super::shape::{id_of, is_of, number};
use super::view::View;
use crate::connect::http::percent_encode;
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{Finder, PortError};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// No search goes over more pages than this: near matches of one value that are so many mean nothing.
const MOST_PAGES: usize = 20;

impl Spotio {
    pub(super) async fn find_by(
        &self,
        view: View,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        match by {
            Finder::Field { field, values } if field.eq_ignore_ascii_case("id") => {
                let ids: Vec<RecordId> =
                    values.iter().map(|value| RecordId::new(value.to_string())).collect();
                if view.is_activity() {
                    return self.read_activities(view, selection, &ids).await;
                }
                let rows = self.rows_by_id(&ids).await?;
                self.records(view, selection, &rows).await
            }
            // Activities are found by their ids alone.
            Finder::Field { .. } | Finder::Fields { .. } | Finder::CreatedByUs { .. }
                if view.is_activity() =>
            {
                Ok(Vec::new())
            }
            Finder::Field { field, values } if field.eq_ignore_ascii_case("externalId") => {
                let wanted: Vec<String> = values.iter().map(ToString::to_string).collect();
                let since = self.service.now() - TimeDelta::hours(self.names.lookback_hours);
                let held =
                    |row: &Json| member(row, "externalDataObjectId").is_some_and(|id| wanted.contains(&id));
                let ids = self.exported(view, since, held).await?;
                let rows = self.rows_by_id(&ids).await?;
                self.records(view, selection, &rows).await
            }
            Finder::Field { field, values } => {
                let rows: Vec<Vec<Value>> = values.iter().map(|value| vec![value.clone()]).collect();
                self.matching(view, selection, std::slice::from_ref(field), &rows).await
            }
            Finder::Fields { fields, rows } => self.matching(view, selection, fields, rows).await,
            Finder::CreatedByUs { since } => {
                let from = *since - TimeDelta::seconds(i64::try_from(self.overlap_seconds).unwrap_or(3600));
                let made = |row: &Json| {
                    let late = member(row, "createdAt")
                        .and_then(|text| moment(&text))
                        .is_none_or(|made| made >= from);
                    // Without knowing who we are, these are everybody's; the caller compares values.
                    let ours = self.us.is_none() || member(row, "createdById") == self.us;
                    late && ours
                };
                let ids = self.exported(view, from, made).await?;
                let rows = self.rows_by_id(&ids).await?;
                self.records(view, selection, &rows).await
            }
        }
    }

    /// The ids of what changed since a moment and passes a test.
    async fn exported(
        &self,
        view: View,
        since: DateTime<Utc>,
        passes: impl Fn(&Json) -> bool,
    ) -> Result<Vec<RecordId>, PortError> {
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let mut ids: Vec<RecordId> = Vec::new();
        let mut scroll: Option<String> = None;
        loop {
            let mut path = format!(
                "/api/Exports/dataObjects/data?updatedAfter={}",
                percent_encode(&written(since.timestamp()))
            );
            if let Some(scroll) = &scroll {
                path = format!("{path}&scrollId={}", percent_encode(scroll));
            }
            let page = sheet(self.service.get("records", &path).await, "items", scroll.as_deref())?;
            for row in page.rows.iter().filter(|row| is_of(row, kind) && passes(row)) {
                ids.extend(id_of(row).filter(|id| !ids.contains(id)));
            }
            match page.scroll {
                Some(next) => scroll = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// The records whose fields hold one of these rows of values, compared by their canonical form.
    async fn matching(
        &self,
        view: View,
        selection: &Selection,
        fields: &[String],
        wanted: &[Vec<Value>],
    ) -> Result<Vec<Record>, PortError> {
        let workflow = self.workflow().await?;
        let kind = self.type_of(&workflow, view)?;
        let mut ids: Vec<RecordId> = Vec::new();
        for row in wanted {
            let Some(first) = row.iter().find(|value| !value.is_blank()) else { continue };
            let mut scroll: Option<String> = None;
            for _ in 0..MOST_PAGES {
                let mut body =
                    json!({"queryText": first.to_string(), "singleType": number(&kind.id), "perPage": 100});
                if let (Some(scroll), Some(body)) = (&scroll, body.as_object_mut()) {
                    body.insert("scrollId".into(), Json::String(scroll.clone()));
                }
                let answer = self.service.send(&Ask::post("search", "/api/DataObjectsSearch", &body)).await;
                let page = sheet(answer, "items", scroll.as_deref())?;
                ids.extend(page.rows.iter().filter_map(id_of));
                match page.scroll {
                    Some(next) => scroll = Some(next),
                    None => break,
                }
            }
        }
        ids.sort();
        ids.dedup();
        let rows = self.rows_by_id(&ids).await?;
        let keys = self.records(view, &Selection::new(fields), &rows).await?;
        let records = self.records(view, selection, &rows).await?;
        let schema = self.object(object_of(view))?.schema([]);
        let fold = |place: usize, value: &Value| {
            let kind: FieldKind = fields
                .get(place)
                .and_then(|name| schema.field(name))
                .map(|field| field.kind)
                .unwrap_or_default();
            canonical(Form { kind, scale: None }, value)
        };
        let folded = |row: &[Value]| -> Vec<Value> {
            row.iter().enumerate().map(|(place, value)| fold(place, value)).collect()
        };
        let wanted: Vec<Vec<Value>> = wanted.iter().map(|row| folded(row)).collect();
        let matches = |key: &Record| {
            let held: Vec<Value> = key.values.iter().map(|value| value.clone().unwrap_or_default()).collect();
            wanted.contains(&folded(&held))
        };
        let found: Vec<RecordId> = keys.iter().filter(|key| matches(key)).map(|key| key.id.clone()).collect();
        Ok(records.into_iter().filter(|record| found.contains(&record.id)).collect())
    }
}

fn object_of(view: View) -> &'static str {
    match view {
        View::Lead => "lead",
        View::Account => "account",
        View::Contact => "contact",
        View::Opportunity => "opportunity",
        View::LeadActivity => "activity",
        View::AccountActivity => "account_activity",
    }
}
