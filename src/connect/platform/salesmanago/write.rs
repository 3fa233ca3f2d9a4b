//! Writing contacts: batches that answer for each row, single calls for the words of a refusal, and reading back what is held now.
//!
//! A row that its batch does not answer for is sent again alone, because only then does the service say what is wrong with it. A
//! batch that is refused as a whole is halved until the row at fault is alone.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Salesmanago;
use super::call::Patience;
use super::errors::{Failure, not_sent_row, refused_row};
use super::fields::Place;
use super::lenient::Scalar;
use super::outcome::{Sent, gone};
use super::read::By;
use super::settings::Transport;
use super::wire::{BatchAnswer, Contact, OneAnswer};
use super::write_shape::{Present, Shape, UpsertRow, needs_present};
use crate::connect::http::Idempotency;
use crate::domain::mapping::SideEffects;
use crate::domain::port::{PortError, RowError, WriteBatch, WriteKind, WriteRow, Written};
use crate::domain::record::RecordId;

/// A row that is ready to be sent.
pub(super) struct Draft<'a> {
    /// Its place in the batch.
    pub(super) index: usize,
    /// What is sent.
    pub(super) upsert: UpsertRow<'a>,
    /// How many rows before it in the batch have the same address. The answers are told apart by address alone.
    pub(super) wave: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchBody<'a> {
    use_api_double_opt_in: bool,
    upsert_details: Vec<&'a UpsertRow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneBody<'a> {
    #[serde(flatten)]
    row: &'a UpsertRow<'a>,
    use_api_double_opt_in: bool,
    r#async: bool,
    tag_scoring: bool,
}

/// What the sending of a batch has brought so far.
#[derive(Default)]
struct Progress {
    sent: HashMap<usize, Sent>,
    began: Option<DateTime<Utc>>,
}

impl Salesmanago {
    pub(super) async fn upsert(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let places = Place::of_all(&batch.selection);
        let present = self.present(batch, &places).await?;
        let shape = Shape { kind: batch.kind, places: &places, consent: &batch.consent };
        let mut refused = HashMap::new();
        let drafts = drafts(batch, &shape, &present, &mut refused);
        match self.settings.transport {
            Transport::PerRow => self.upsert_now(batch, &drafts, refused).await,
            Transport::Async => self.upsert_later(batch, &drafts, refused).await,
        }
    }

    /// Sends the rows and reads back what became of them.
    pub(super) async fn upsert_now(
        &self,
        batch: &WriteBatch,
        drafts: &[Draft<'_>],
        refused: HashMap<usize, RowError>,
    ) -> Result<Written, PortError> {
        let mut progress = Progress::default();
        let last_wave = drafts.iter().map(|draft| draft.wave).max().unwrap_or(0);
        let mut stopped = None;
        'sending: for wave in 0..=last_wave {
            let wave: Vec<&Draft<'_>> = drafts.iter().filter(|draft| draft.wave == wave).collect();
            for chunk in wave.chunks(self.settings.batch_size.max(1)) {
                if let Err(error) = self.send(chunk, batch.effects, &mut progress).await {
                    stopped = Some(error);
                    break 'sending;
                }
            }
        }
        if let Some(error) = &stopped {
            if progress.sent.values().all(|sent| matches!(sent, Sent::Refused(_))) {
                return Err(error.clone());
            }
            for draft in drafts {
                let not_sent = || Sent::Refused(not_sent_row(error));
                progress.sent.entry(draft.index).or_insert_with(not_sent);
            }
        }
        for (index, error) in refused {
            progress.sent.insert(index, Sent::Refused(error));
        }
        let sent: Vec<Sent> = (0..batch.rows.len())
            .map(|index| progress.sent.remove(&index).unwrap_or(Sent::Unknown))
            .collect();
        let targets: Vec<Option<&RecordId>> = batch.rows.iter().map(|row| row.id.as_ref()).collect();
        let places = Place::of_all(&batch.read_back);
        Ok(Written::Rows(self.read_back(batch.kind, &targets, sent, &places, progress.began).await))
    }

    /// Calls of a batch to which nothing happens: what is looked up first, what is sent, what is read back. For a job, the questions
    /// after it are a guess.
    pub(super) fn calls_for(&self, batch: &WriteBatch) -> u64 {
        let rows = batch.rows.len();
        let reads = |rows: usize| rows.div_ceil(self.limits.list_ids.max(1));
        let calls = match batch.kind {
            // Contacts are deleted one by one.
            WriteKind::Delete => reads(rows) + rows,
            WriteKind::Create | WriteKind::Update => {
                let places = Place::of_all(&batch.selection);
                let first = match batch.kind {
                    WriteKind::Update => batch.rows.iter().filter(|row| needs_present(row, &places)).count(),
                    WriteKind::Create | WriteKind::Delete => 0,
                };
                let sent = match self.settings.transport {
                    Transport::PerRow => rows.div_ceil(self.settings.batch_size.max(1)),
                    // Handed over, asked after twice, its list of rows.
                    Transport::Async => 4,
                };
                reads(first) + sent + reads(rows)
            }
        };
        calls as u64
    }

    /// Looks up the contacts of the rows that can't be written without.
    async fn present(
        &self,
        batch: &WriteBatch,
        places: &[Place],
    ) -> Result<HashMap<RecordId, Option<Present>>, PortError> {
        let ids: Vec<&RecordId> = match batch.kind {
            WriteKind::Create | WriteKind::Delete => Vec::new(),
            WriteKind::Update => {
                let needing = batch.rows.iter().filter(|row| needs_present(row, places));
                needing.filter_map(|row| row.id.as_ref()).collect()
            }
        };
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut present: HashMap<RecordId, Option<Present>> =
            ids.iter().map(|id| ((*id).clone(), None)).collect();
        let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        for contact in self.contacts(By::Id, &names).await? {
            if let Some(id) = contact.id()
                && !contact.deleted.is_true()
            {
                let email = contact.email.filled().unwrap_or_default().to_owned();
                present.insert(id, Some(Present { email, tags: contact.tags() }));
            }
        }
        Ok(present)
    }

    /// Sends rows with distinct addresses. `Err` leaves the rows without an outcome unsent.
    async fn send(
        &self,
        drafts: &[&Draft<'_>],
        effects: SideEffects,
        progress: &mut Progress,
    ) -> Result<(), PortError> {
        let mut open = vec![drafts];
        while let Some(drafts) = open.pop() {
            if let [draft] = drafts {
                self.send_one(draft, effects, progress).await?;
                continue;
            }
            let body = BatchBody {
                use_api_double_opt_in: effects.double_opt_in,
                upsert_details: drafts.iter().map(|draft| &draft.upsert).collect(),
            };
            let answer = self
                .service
                .call::<BatchAnswer>("contact/batchupsert", &body, Idempotency::Once, Patience::Run)
                .await;
            match answer {
                Ok(answer) => {
                    progress.began = progress.began.or(answer.began);
                    let left = self.take_ids(drafts, answer.value.contact_ids, progress).await?;
                    for draft in left {
                        self.send_one(draft, effects, progress).await?;
                    }
                }
                Err(Failure::Refused(words)) => {
                    tracing::debug!(rows = drafts.len(), %words, "A batch was refused as a whole and is halved.");
                    let (first, second) = drafts.split_at(drafts.len() / 2);
                    open.extend([second, first]);
                }
                Err(Failure::Unknown(_)) => {
                    progress.sent.extend(drafts.iter().map(|draft| (draft.index, Sent::Unknown)));
                }
                Err(Failure::Nothing(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what a batch answers; the rows that it does not answer for come back.
    async fn take_ids<'d, 'a>(
        &self,
        drafts: &[&'d Draft<'a>],
        ids: Option<HashMap<String, Scalar>>,
        progress: &mut Progress,
    ) -> Result<Vec<&'d Draft<'a>>, PortError> {
        let ids = by_address(ids.unwrap_or_default());
        let known = |draft: &Draft<'_>| {
            let upsert = &draft.upsert;
            ids.get(&upsert.email().to_lowercase()).or_else(|| ids.get(&upsert.later_email().to_lowercase()))
        };
        let mut left = Vec::new();
        for draft in drafts {
            match known(draft) {
                Some(id) => {
                    progress.sent.insert(draft.index, Sent::Stored(id.clone()));
                }
                None => left.push(*draft),
            }
        }
        // Nobody wrote down that the ids stand under the addresses. If they stand under anything else, the addresses are
        // looked up; if they stand nowhere, every row was refused.
        if left.len() == drafts.len() && ids.keys().any(|key| !key.contains('@')) {
            let emails: Vec<&str> = drafts.iter().map(|draft| draft.upsert.later_email()).collect();
            let held = by_email(&self.contacts(By::Email, &emails).await?);
            left.retain(|draft| match held.get(&draft.upsert.later_email().to_lowercase()) {
                Some(id) => {
                    progress.sent.insert(draft.index, Sent::Stored(id.clone()));
                    false
                }
                None => true,
            });
        }
        Ok(left)
    }

    async fn send_one(
        &self,
        draft: &Draft<'_>,
        effects: SideEffects,
        progress: &mut Progress,
    ) -> Result<(), PortError> {
        let body = OneBody {
            row: &draft.upsert,
            use_api_double_opt_in: effects.double_opt_in,
            r#async: false,
            tag_scoring: false,
        };
        let answer =
            self.service.call::<OneAnswer>("contact/upsert", &body, Idempotency::Once, Patience::Run).await;
        let sent = match answer {
            Ok(answer) => {
                progress.began = progress.began.or(answer.began);
                // Without an id it is stored all the same; where, nobody said.
                answer.value.contact_id.filled().map_or(Sent::Unknown, |id| Sent::Stored(RecordId::new(id)))
            }
            Err(Failure::Refused(words)) => Sent::Refused(refused_row(&words)),
            Err(Failure::Unknown(_)) => Sent::Unknown,
            Err(Failure::Nothing(error)) => return Err(error),
        };
        progress.sent.insert(draft.index, sent);
        Ok(())
    }
}

/// Turns rows into drafts; the others land in `refused`.
fn drafts<'a>(
    batch: &'a WriteBatch,
    shape: &Shape<'a>,
    present: &HashMap<RecordId, Option<Present>>,
    refused: &mut HashMap<usize, RowError>,
) -> Vec<Draft<'a>> {
    let mut drafts = Vec::with_capacity(batch.rows.len());
    let mut waves: HashMap<String, usize> = HashMap::with_capacity(batch.rows.len());
    for (index, row) in batch.rows.iter().enumerate() {
        match draft(row, shape, present) {
            Ok(upsert) => {
                let times = waves.entry(upsert.email().to_lowercase()).or_default();
                drafts.push(Draft { index, upsert, wave: *times });
                *times += 1;
            }
            Err(error) => {
                refused.insert(index, error);
            }
        }
    }
    drafts
}

fn draft<'a>(
    row: &'a WriteRow,
    shape: &Shape<'a>,
    present: &HashMap<RecordId, Option<Present>>,
) -> Result<UpsertRow<'a>, RowError> {
    let looked_up = row.id.as_ref().and_then(|id| present.get(id));
    if let (Some(None), Some(id)) = (looked_up, &row.id) {
        return Err(gone(id));
    }
    UpsertRow::of(row, shape, looked_up.and_then(Option::as_ref))
}

/// The ids of a batch's answer by lower-case address.
fn by_address(ids: HashMap<String, Scalar>) -> HashMap<String, RecordId> {
    ids.into_iter()
        .filter_map(|(address, id)| Some((address.trim().to_lowercase(), RecordId::new(id.filled()?))))
        .collect()
}

/// The ids of contacts by lower-case address; deleted ones are left out.
pub(super) fn by_email(contacts: &[Contact]) -> HashMap<String, RecordId> {
    contacts
        .iter()
        .filter(|contact| !contact.deleted.is_true())
        .filter_map(|contact| Some((contact.email.filled()?.trim().to_lowercase(), contact.id()?)))
        .collect()
}
