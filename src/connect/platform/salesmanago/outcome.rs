//! What became of the rows of a write: outcomes turned into results, with the contacts as the service holds them now.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::Salesmanago;
use super::errors::own_row;
use super::fields::Place;
use super::read::By;
use super::read_shape::{Found, moment};
use super::wire::Contact;
use crate::domain::port::{RowClass, RowError, RowResult, WriteKind};
use crate::domain::record::{Record, RecordId};

/// What became of a row that was sent.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    /// It is held by this contact.
    Stored(RecordId),
    /// Refused.
    Refused(RowError),
    /// Nobody knows.
    Unknown,
}

impl Salesmanago {
    /// Turns outcomes into results, with the records as the service holds them now. A record that can't be read back does not
    /// undo that it was written.
    pub(super) async fn read_back(
        &self,
        kind: WriteKind,
        targets: &[Option<&RecordId>],
        sent: Vec<Sent>,
        places: &[Place],
        began: Option<DateTime<Utc>>,
    ) -> Vec<RowResult> {
        let ids: Vec<RecordId> = sent
            .iter()
            .filter_map(|sent| match sent {
                Sent::Stored(id) => Some(id.clone()),
                Sent::Refused(_) | Sent::Unknown => None,
            })
            .collect();
        let names: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        let held = match self.contacts(By::Id, &names).await {
            Ok(contacts) => contacts,
            Err(error) => {
                tracing::warn!(%error, "What was written can't be read back.");
                Vec::new()
            }
        };
        let mut held = held_by_id(held, places);
        // Rows for one address end in one contact, which only the first of them can have created.
        let repeats = ids.len() > ids.iter().collect::<HashSet<_>>().len();
        let mut told = HashSet::new();
        sent.into_iter()
            .zip(targets)
            .map(|(sent, target)| match sent {
                Sent::Refused(error) => RowResult::Refused(error),
                Sent::Unknown => RowResult::Unknown,
                Sent::Stored(id) => {
                    let now = if repeats { held.get(id.as_str()).cloned() } else { held.remove(id.as_str()) };
                    let first = !repeats || told.insert(id.clone());
                    stored(if first { kind } else { WriteKind::Update }, *target, id, now, began)
                }
            })
            .collect()
    }
}

/// A contact that was read back: its record, unless it is deleted, and when it was created.
#[derive(Clone)]
struct Held {
    record: Option<Record>,
    created: Option<DateTime<Utc>>,
}

fn held_by_id(contacts: Vec<Contact>, places: &[Place]) -> HashMap<String, Held> {
    let mut held = HashMap::with_capacity(contacts.len());
    for contact in contacts {
        let created = moment(&contact.created_on);
        match contact.into_found(places) {
            Some(Found::Alive(record)) => {
                held.insert(record.id.as_str().to_owned(), Held { record: Some(record), created });
            }
            Some(Found::Deleted(tombstone)) => {
                held.insert(tombstone.id.as_str().to_owned(), Held { record: None, created });
            }
            None => {}
        }
    }
    held
}

fn stored(
    kind: WriteKind,
    target: Option<&RecordId>,
    id: RecordId,
    held: Option<Held>,
    began: Option<DateTime<Utc>>,
) -> RowResult {
    if let Some(target) = target
        && !target.as_str().eq_ignore_ascii_case(id.as_str())
    {
        return RowResult::Refused(own_row(
            "stray_create",
            "email",
            format!(
                "SALESmanago wrote contact {id} instead of the linked contact {target}: the e-mail address belongs to another \
                 contact now. Compare the two, delete or merge one, and link the record anew."
            ),
        ));
    }
    let Some(held) = held else {
        return RowResult::Done { id, created: kind == WriteKind::Create, record: None };
    };
    let Some(record) = held.record else { return RowResult::Refused(gone(&id)) };
    // An upsert does not say whether it created; the contact's own date does. Stamps may be cut to the second.
    let is_new = match (held.created, began) {
        (Some(created), Some(began)) => created >= began - TimeDelta::seconds(2),
        (None, _) | (_, None) => true,
    };
    RowResult::Done { id, created: kind == WriteKind::Create && is_new, record: Some(record) }
}

pub(super) fn gone(id: &RecordId) -> RowError {
    RowError {
        code: "CONTACT_GONE".into(),
        message: format!("Contact {id} was deleted in SALESmanago."),
        fields: Vec::new(),
        class: RowClass::Gone,
    }
}
