//! Reading contacts that are known by id or e-mail address, fifty a call, a few calls at a time.

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;

use super::Salesmanago;
use super::call::Patience;
use super::errors::{Failure, says_missing};
use super::fields::Place;
use super::read_shape::Found;
use super::wire::{Contact, Contacts};
use crate::connect::http::Idempotency;
use crate::domain::port::{PortClass, PortError, Tombstone};
use crate::domain::record::{Record, RecordId};

/// Contacts by one of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Id,
    Email,
}

#[derive(Serialize)]
struct ByIds<'a> {
    #[serde(rename = "contactId")]
    ids: &'a [&'a str],
}

#[derive(Serialize)]
struct ByEmails<'a> {
    email: &'a [&'a str],
}

/// Records and tombstones, in the order of the answers.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) records: Vec<Record>,
    pub(super) tombstones: Vec<Tombstone>,
}

impl Sorted {
    /// Turns contacts into records with these fields.
    pub(super) fn add(&mut self, contacts: Vec<Contact>, places: &[Place]) -> Result<(), PortError> {
        self.records.reserve(contacts.len());
        for contact in contacts {
            match contact.into_found(places) {
                Some(Found::Alive(record)) => self.records.push(record),
                Some(Found::Deleted(tombstone)) => self.tombstones.push(tombstone),
                None => {
                    return Err(PortError::new(
                        PortClass::Protocol,
                        "NO_ID",
                        "SALESmanago answered a contact without an id; nothing can be done with it. Please report this.",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Salesmanago {
    /// Contacts as they are now, alive or deleted. One that is not there is not in the answer; names may repeat.
    pub(super) async fn contacts(&self, by: By, names: &[&str]) -> Result<Vec<Contact>, PortError> {
        let mut seen = HashSet::with_capacity(names.len());
        let names: Vec<&str> = names
            .iter()
            .map(|name| name.trim())
            .filter(|name| {
                !name.is_empty()
                    && match by {
                        By::Id => seen.insert((*name).to_owned()),
                        By::Email => seen.insert(name.to_lowercase()),
                    }
            })
            .collect();
        let calls: Vec<_> = names.chunks(self.limits.list_ids.max(1)).map(|few| self.few(by, few)).collect();
        let answers: Vec<Vec<Contact>> =
            stream::iter(calls).buffered(self.limits.concurrent_reads.max(1)).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// One call, or, where the service refuses a whole call because of one contact that is not there, as many as it takes.
    async fn few(&self, by: By, names: &[&str]) -> Result<Vec<Contact>, PortError> {
        let mut found = Vec::with_capacity(names.len());
        let mut open = vec![names];
        while let Some(names) = open.pop() {
            match self.list(by, names).await {
                Ok(contacts) => found.extend(contacts),
                Err(Failure::Refused(words)) if says_missing(&words) => {
                    if names.len() > 1 {
                        let (first, second) = names.split_at(names.len() / 2);
                        open.extend([second, first]);
                    }
                }
                Err(failure) => return Err(failure.into_port()),
            }
        }
        Ok(found)
    }

    async fn list(&self, by: By, names: &[&str]) -> Result<Vec<Contact>, Failure> {
        let (again, patience) = (Idempotency::Repeatable, Patience::Run);
        let answer = match by {
            By::Id => {
                self.service
                    .call::<Contacts>("contact/listById", &ByIds { ids: names }, again, patience)
                    .await?
            }
            By::Email => {
                self.service
                    .call::<Contacts>("contact/list", &ByEmails { email: names }, again, patience)
                    .await?
            }
        };
        Ok(answer.value.contacts)
    }

    /// Contacts by id, sorted into records and tombstones.
    pub(super) async fn sorted(&self, ids: &[&str], places: &[Place]) -> Result<Sorted, PortError> {
        let mut sorted = Sorted::default();
        sorted.add(self.contacts(By::Id, ids).await?, places)?;
        Ok(sorted)
    }

    pub(super) async fn read_ids(
        &self,
        ids: &[RecordId],
        places: &[Place],
    ) -> Result<Vec<Record>, PortError> {
        let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        Ok(self.sorted(&ids, places).await?.records)
    }
}
