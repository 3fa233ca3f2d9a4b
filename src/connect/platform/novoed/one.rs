//! Reading and finding single records. Few users are read one by one; for more, and for whatever the service has no address for, the whole
//! data set is gone through, which takes a call for every 20,000 rows.

use std::collections::{BTreeSet, HashSet};

use super::NovoEd;
use super::feed::DataSet;
use super::rows::Rows;
use super::service::{Failure, Patience, Refused, into_port};
use super::shape::{Unenrollment, user_of};
use crate::connect::http::percent_encode;
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{Finder, PortError};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::value::Value;

impl NovoEd {
    pub(super) async fn read_ids(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.object(object)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if object == "unenrollment" {
            let known = ids.iter().filter_map(|id| Unenrollment::of(id.as_str()));
            return Ok(known.map(|left| left.record(selection)).collect());
        }
        let few = self.profile.limits.list_ids;
        let users: BTreeSet<&str> = match object {
            "user" => ids.iter().map(RecordId::as_str).collect(),
            "enrollment" => ids.iter().filter_map(|id| user_of(id.as_str())).collect(),
            _ => BTreeSet::new(),
        };
        let wanted: HashSet<&RecordId> = ids.iter().collect();
        let mut found = if object == "course" || users.len() > few {
            self.sifted(object, selection, |record| wanted.contains(&record.id)).await?
        } else {
            let mut found = Vec::new();
            for user in &users {
                let Some(rows) = self.one_user(user).await? else { continue };
                if object == "user" {
                    found.extend(self.records(object, selection, &rows, None)?);
                } else {
                    let email = rows.iter().find_map(|row| self.cell(DataSet::Users, row, "email"));
                    found.extend(self.enrollments_of(email.unwrap_or_default(), user, selection).await?);
                }
            }
            found
        };
        found.retain(|record| wanted.contains(&record.id));
        Ok(found)
    }

    /// The row of a user; nothing where there is none.
    async fn one_user(&self, id: &str) -> Result<Option<Rows>, PortError> {
        let path = self.names.user_path.replace("{id}", &percent_encode(id));
        match self.service.get("user", &path, Patience::Run).await {
            Ok(answer) => Rows::of_json(&answer.text).map(|rows| Some(self.named(rows))).map_err(into_port),
            Err(Failure::Refused(Refused { status: 404 | 410, .. })) => Ok(None),
            Err(failure) => Err(into_port(failure)),
        }
    }

    /// Rows of a user that call its id only `id`.
    fn named(&self, rows: Rows) -> Rows {
        rows.also_as("id", self.names.column("users", "user_id"))
    }

    async fn enrollments_of(
        &self,
        email: &str,
        user: &str,
        selection: &Selection,
    ) -> Result<Vec<Record>, PortError> {
        if email.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("{}?email={}", self.names.enrollments_path, percent_encode(email));
        let answer = match self.service.get("enrollments of a user", &path, Patience::Run).await {
            Ok(answer) => answer,
            Err(Failure::Refused(Refused { status: 404, .. })) => return Ok(Vec::new()),
            Err(failure) => return Err(into_port(failure)),
        };
        let rows = Rows::of_json(&answer.text).map_err(into_port)?;
        let rows = rows
            .also_as("id", self.names.column("enrollments", "enrollment_id"))
            .filled_with(self.names.column("enrollments", "user_id"), user);
        self.records("enrollment", selection, &rows, None)
    }

    /// The records of a whole data set that pass a test, each once.
    async fn sifted(
        &self,
        object: &str,
        selection: &Selection,
        passes: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, PortError> {
        let mut found: Vec<Record> = Vec::new();
        let mut trouble = None;
        self.everything(DataSet::of(object), Patience::Run, |rows| {
            match self.records(object, selection, rows, None) {
                // The newest comes first.
                Ok(records) => {
                    for record in records.into_iter().filter(|record| passes(record)) {
                        if !found.iter().any(|known| known.id == record.id) {
                            found.push(record);
                        }
                    }
                }
                Err(error) => trouble = Some(error),
            }
        })
        .await?;
        trouble.map_or(Ok(found), Err)
    }

    pub(super) async fn find_by(
        &self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        let schema = self.schema(self.object(object)?);
        let (fields, rows) = match by {
            Finder::Field { field, values } => {
                (vec![field.clone()], values.iter().map(|value| vec![value.clone()]).collect())
            }
            Finder::Fields { fields, rows } => (fields.clone(), rows.clone()),
            // We create nothing there.
            Finder::CreatedByUs { .. } => return Ok(Vec::new()),
        };
        if let [field] = fields.as_slice() {
            let texts: Vec<String> =
                rows.iter().filter_map(|row| row.first()).map(ToString::to_string).collect();
            let own_id = if object == "course" { "catalog_id" } else { "id" };
            if field.eq_ignore_ascii_case(own_id) {
                let ids: Vec<RecordId> = texts.iter().map(|id| RecordId::new(id.as_str())).collect();
                return self.read_ids(object, selection, &ids).await;
            }
            if object == "user"
                && field.eq_ignore_ascii_case("email")
                && texts.len() <= self.profile.limits.list_ids
            {
                return self.users_called(&texts, selection).await;
            }
        }
        let kinds: Vec<_> = fields
            .iter()
            .map(|name| schema.field(name).map(|field| field.kind).unwrap_or_default())
            .collect();
        let fold = |values: &[Value]| -> Vec<Value> {
            let folded = values.iter().zip(&kinds);
            folded.map(|(value, kind)| canonical(Form { kind: *kind, scale: None }, value)).collect()
        };
        let wanted: Vec<Vec<Value>> = rows.iter().map(|row| fold(row)).collect();
        // The fields that are looked for may be none of those that are asked for.
        let both = Selection::new(
            selection.names().iter().map(AsRef::as_ref).chain(fields.iter().map(String::as_str)),
        );
        let places: Vec<usize> = fields.iter().filter_map(|field| both.position(field)).collect();
        let held = |record: &Record| -> Vec<Value> {
            let values = places.iter().map(|place| record.values.get(*place).cloned().flatten());
            values.map(|value| value.unwrap_or(Value::Null)).collect()
        };
        let mut found = self.sifted(object, &both, |record| wanted.contains(&fold(&held(record)))).await?;
        for record in &mut found {
            record.values.truncate(selection.len());
        }
        Ok(found)
    }

    /// The users of these e-mail addresses.
    async fn users_called(&self, emails: &[String], selection: &Selection) -> Result<Vec<Record>, PortError> {
        let with_email = Selection::new(selection.names().iter().map(AsRef::as_ref).chain(["email"]));
        let place = with_email.position("email").unwrap_or(0);
        let mut found = Vec::new();
        for email in emails {
            let path = format!("{}?email={}", self.names.users_path, percent_encode(email));
            let answer = match self.service.get("user by e-mail", &path, Patience::Run).await {
                Ok(answer) => answer,
                Err(Failure::Refused(Refused { status: 404, .. })) => continue,
                Err(failure) => return Err(into_port(failure)),
            };
            let rows = self.named(Rows::of_json(&answer.text).map_err(into_port)?);
            let mut records = self.records("user", &with_email, &rows, None)?;
            // A service that does not know the question may answer with everybody.
            records.retain(|record| {
                let held = record.values.get(place).and_then(Option::as_ref).map(ToString::to_string);
                held.is_some_and(|held| held.eq_ignore_ascii_case(email.trim()))
            });
            for record in &mut records {
                record.values.truncate(selection.len());
            }
            found.append(&mut records);
        }
        Ok(found)
    }
}
