//! Deleting contacts: by address, which is looked up first, so that never another contact is deleted.

use serde_json::json;

use super::Salesmanago;
use super::call::Patience;
use super::errors::{Failure, not_sent_row, own_row, refused_row, says_missing};
use super::read::By;
use super::wire::{Contact, Envelope};
use crate::connect::http::Idempotency;
use crate::domain::port::{PortError, RowResult, WriteBatch, WriteRow, Written};
use crate::domain::record::RecordId;

impl Salesmanago {
    pub(super) async fn remove(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let ids: Vec<&str> =
            batch.rows.iter().filter_map(|row| row.id.as_ref()).map(RecordId::as_str).collect();
        let held = self.contacts(By::Id, &ids).await?;
        let mut results = Vec::with_capacity(batch.rows.len());
        let mut stopped: Option<PortError> = None;
        for row in &batch.rows {
            let result = match &stopped {
                Some(error) => RowResult::Refused(not_sent_row(error)),
                None => match self.remove_one(row, &held).await {
                    Ok(result) => result,
                    Err(error) if results.is_empty() => return Err(error),
                    Err(error) => {
                        let result = RowResult::Refused(not_sent_row(&error));
                        stopped = Some(error);
                        result
                    }
                },
            };
            results.push(result);
        }
        Ok(Written::Rows(results))
    }

    async fn remove_one(&self, row: &WriteRow, held: &[Contact]) -> Result<RowResult, PortError> {
        let Some(id) = row.id.clone() else {
            let message = "A contact can only be deleted by its id.".to_owned();
            return Ok(RowResult::Refused(own_row("ID_REQUIRED", "", message)));
        };
        let done = |id| RowResult::Done { id, created: false, record: None };
        let found = held.iter().find(|contact| contact.id().as_ref() == Some(&id));
        let Some(contact) = found.filter(|contact| !contact.deleted.is_true()) else {
            // It is gone, as was asked for.
            return Ok(done(id));
        };
        let Some(email) = contact.email.filled() else {
            let message =
                format!("Contact {id} has no e-mail address to delete it by; delete it in SALESmanago.");
            return Ok(RowResult::Refused(own_row("EMAIL_REQUIRED", "email", message)));
        };
        let answer = self
            .service
            .call::<Envelope>("contact/delete", &json!({ "email": email }), Idempotency::Once, Patience::Run)
            .await;
        match answer {
            Ok(_) => Ok(done(id)),
            Err(Failure::Refused(words)) if says_missing(&words) => Ok(done(id)),
            Err(Failure::Refused(words)) => Ok(RowResult::Refused(refused_row(&words))),
            Err(Failure::Unknown(_)) => Ok(RowResult::Unknown),
            Err(Failure::Nothing(error)) => Err(error),
        }
    }
}
