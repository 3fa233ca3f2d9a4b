//! Looking for rows without knowing their ids. The service's search for text finds near matches too, so everything it answers is
//! compared again here.

use serde_json::{Map, Value as Json, json};

use super::Learndot;
use super::search::Condition;
use super::shape::{at, kind_of, value, wire_value};
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{Finder, PortError};
use crate::domain::record::{Record, Selection};
use crate::domain::value::Value;

/// So many values are asked for at once: their near matches should still fit on few pages.
const HANDFUL: usize = 10;

impl Learndot {
    pub(super) async fn find_by(
        &self,
        entity: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        self.object(entity)?;
        let rows = match by {
            Finder::Field { field, values } => {
                let rows: Vec<Vec<Value>> = values.iter().map(|value| vec![value.clone()]).collect();
                self.matching(entity, std::slice::from_ref(field), &rows).await?
            }
            Finder::Fields { fields, rows } => self.matching(entity, fields, rows).await?,
            Finder::CreatedByUs { since } => {
                let created = self.names.created.as_deref().unwrap_or(&self.names.modified);
                let from = *since - chrono::TimeDelta::seconds(self.overlap_seconds as i64);
                let until = self.service.now() + chrono::TimeDelta::days(1);
                let range = vec![json!(self.names.written(from)), json!(self.names.written(until))];
                let mut rows = self.all(entity, &[(created.to_owned(), range)]).await?;
                // Without knowing who we are, these are everybody's; the caller compares values.
                if let Some(us) = &self.us {
                    rows.retain(|row| {
                        row.get("createdById").is_none_or(|author| super::shape::plain(author) == *us)
                    });
                }
                rows
            }
        };
        self.records(entity, selection, rows).await
    }

    /// The rows whose fields hold one of these rows of values, compared by their canonical form.
    async fn matching(
        &self,
        entity: &str,
        fields: &[String],
        wanted: &[Vec<Value>],
    ) -> Result<Vec<Map<String, Json>>, PortError> {
        let schema = self.object(entity)?.schema([]);
        let kinds: Vec<_> = fields.iter().map(|field| kind_of(&schema, field)).collect();
        let fold = |place: usize, value: &Value| {
            let kind = kinds.get(place).copied().unwrap_or_default();
            canonical(Form { kind, scale: None }, value)
        };
        let folded: Vec<Vec<Value>> = wanted
            .iter()
            .map(|row| row.iter().enumerate().map(|(place, value)| fold(place, value)).collect())
            .collect();
        let mut found: Vec<Map<String, Json>> = Vec::new();
        for chunk in wanted.chunks(HANDFUL) {
            let conditions: Vec<Condition> = fields
                .iter()
                .enumerate()
                .map(|(place, field)| {
                    let kind = kinds.get(place).copied().unwrap_or_default();
                    let values = chunk.iter().filter_map(|row| row.get(place));
                    let values = values.map(|value| wire_value(kind, value, &self.names)).collect();
                    (self.names.wire(entity, field).to_owned(), values)
                })
                .collect();
            for row in self.all(entity, &conditions).await? {
                let held: Vec<Value> = fields
                    .iter()
                    .enumerate()
                    .map(|(place, field)| {
                        let kind = kinds.get(place).copied().unwrap_or_default();
                        let held = at(&row, self.names.wire(entity, field)).unwrap_or(&Json::Null);
                        fold(place, &value(kind, held, self.names.zone))
                    })
                    .collect();
                let known = found.iter().any(|known| known.get("id") == row.get("id"));
                if folded.contains(&held) && !known {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }
}
