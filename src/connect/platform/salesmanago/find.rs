//! Looking for contacts without knowing their ids. The service can be asked by e-mail address and by id, and by nothing else.

use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{Finder, PortClass, PortError};
use crate::domain::record::{Record, Selection};
use crate::domain::value::Value;

use super::Salesmanago;
use super::fields::Place;
use super::read::{By, Sorted};

impl Salesmanago {
    pub(super) async fn find_by(&self, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        match by {
            Finder::Field { field, values } => {
                let texts: Vec<String> = values.iter().map(Value::to_string).collect();
                self.named(way(std::slice::from_ref(field))?.0, &texts, selection).await
            }
            Finder::Fields { fields, rows } => self.find_rows(selection, fields, rows).await,
            Finder::CreatedByUs { since } => {
                // The service does not say who created a contact, so these are everybody's; the caller compares values.
                let since = since.timestamp_millis() - self.settings.overlap().as_millis() as i64;
                let ids = self.created_ids(since).await?;
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                Ok(self.sorted(&ids, &Place::of_all(selection)).await?.records)
            }
        }
    }

    /// A key of several fields: the address finds candidates, the other fields are compared here.
    async fn find_rows(
        &self,
        selection: &Selection,
        fields: &[String],
        rows: &[Vec<Value>],
    ) -> Result<Vec<Record>, PortError> {
        let (by, position) = way(fields)?;
        let texts: Vec<String> =
            rows.iter().filter_map(|row| row.get(position)).map(Value::to_string).collect();
        let wider = Selection::new(
            selection.names().iter().map(AsRef::as_ref).chain(fields.iter().map(String::as_str)),
        );
        let mut found = self.named(by, &texts, &wider).await?;
        let forms: Vec<(Option<usize>, Form)> =
            fields.iter().map(|field| (wider.position(field), self.form(field))).collect();
        let wanted: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| row.iter().zip(&forms).map(|(value, (_, form))| canonical(*form, value)).collect())
            .collect();
        found.retain(|record| {
            let held: Vec<Value> = forms
                .iter()
                .map(|(position, form)| {
                    let value =
                        position.and_then(|position| record.values.get(position)).and_then(Option::as_ref);
                    value.map_or(Value::Null, |value| canonical(*form, value))
                })
                .collect();
            wanted.contains(&held)
        });
        for record in &mut found {
            record.values.truncate(selection.len());
        }
        Ok(found)
    }

    async fn named(&self, by: By, names: &[String], selection: &Selection) -> Result<Vec<Record>, PortError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut sorted = Sorted::default();
        sorted.add(self.contacts(by, &names).await?, &Place::of_all(selection))?;
        Ok(sorted.records)
    }

    fn form(&self, field: &str) -> Form {
        let known = self.object.fields.iter().find(|known| known.name.eq_ignore_ascii_case(field));
        Form { kind: known.map(|known| known.kind).unwrap_or_default(), scale: None }
    }
}

/// Which of the fields the service can be asked by.
fn way(fields: &[String]) -> Result<(By, usize), PortError> {
    let at = |place: &Place| fields.iter().position(|field| Place::of(field) == *place);
    if let Some(position) = at(&Place::Id) {
        return Ok((By::Id, position));
    }
    if let Some(position) = at(&Place::Email) {
        return Ok((By::Email, position));
    }
    Err(PortError::new(
        PortClass::Settings,
        "NOT_SEARCHABLE",
        format!(
            "SALESmanago contacts can't be searched by {}, only by e-mail address; make “email” part of the key.",
            fields.join(", ")
        ),
    ))
}
