//! One simulated side: the ports over the shared state, with trouble.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::DateTime;
use forcesync::domain::criteria::Criteria;
use forcesync::domain::port::*;
use forcesync::domain::record::{Record, RecordId, Selection};
use forcesync::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use rand::Rng;

use super::edits::people_edit;
use super::world::{Author, Fate, SimRecord, State, Version, World, is_converted};

/// The ports of one side.
pub struct SimSide {
    pub world: World,
    pub side: Side,
    pub settle_millis: i64,
    pub page: usize,
    /// Plain writes of the platform find their record by its e-mail, as SALESmanago does.
    pub upsert_by_email: bool,
}

/// Where people may edit while a call is under way.
enum Edits<'a> {
    None,
    Anywhere,
    Behind(&'a [String]),
}

const EMAIL: [&str; 2] = ["Email", "email"];

impl SimSide {
    fn email_field(&self) -> &'static str {
        if self.side == Side::Org { EMAIL[0] } else { EMAIL[1] }
    }

    /// Every call takes time, may meet trouble, and gives people the chance to edit meanwhile.
    async fn call(&self, what: &str, edits: Edits<'_>) -> Result<(), PortError> {
        let (crash, result) = {
            let mut state = self.world.lock();
            state.calls[self.side] += 1;
            let took = state.random.random_range(20..400);
            self.world.clock.advance(took);
            let now = self.world.clock.millis();
            let call = format!("{} {what}", self.side);
            state.say(now, &*call);
            state.play_script(now, &call);
            let odds = state.trouble;
            let crash = state.chance(odds.crash);
            let result = if state.chance(odds.transient) {
                Err(PortError::new(PortClass::Transient, "503", "the service is not available"))
            } else if state.chance(odds.limit) {
                Err(PortError::new(PortClass::Limit, "REQUEST_LIMIT_EXCEEDED", "the daily limit is reached"))
            } else {
                Ok(())
            };
            if matches!(edits, Edits::Anywhere) {
                state.automate(now);
            }
            match edits {
                Edits::Anywhere if state.chance(odds.edit) => people_edit(&mut state, now, &|_, _| true),
                // Other rows of this side may be verified and not yet sent.
                Edits::Behind(ids) if state.chance(odds.edit) => {
                    let here = self.side;
                    people_edit(&mut state, now, &|side, id| side != here || ids.contains(&id.to_owned()));
                }
                Edits::None | Edits::Anywhere | Edits::Behind(_) => {}
            }
            if crash {
                state.say(now, "CRASH");
                state.crash_asked = true;
            }
            (crash, result)
        };
        if crash {
            // The process dies here: nothing after this await ever runs.
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        result
    }

    fn record(id: &str, version: &Version, selection: &Selection) -> Record {
        Record {
            id: id.into(),
            stamp: DateTime::from_timestamp_millis(version.stamp),
            author: Some(if version.by_sync { "sync" } else { "person" }.into()),
            became: version
                .values
                .get("ConvertedContactId")
                .map(|heir| ("Contact".to_owned(), heir.to_string().as_str().into()))
                .into_iter()
                .collect(),
            values: selection
                .names()
                .iter()
                .map(|name| {
                    Some(if matches!(&**name, "Id" | "id") {
                        Value::text(id)
                    } else {
                        version.values.get(&**name).cloned().unwrap_or_default()
                    })
                })
                .collect(),
        }
    }

    fn tombstone(id: &str, version: &Version) -> Tombstone {
        Tombstone {
            id: id.into(),
            at: DateTime::from_timestamp_millis(version.stamp),
            merged_into: version.merged_into.as_deref().map(Into::into),
        }
    }

    /// The moment a read shows: now, or a little earlier where it comes from a copy that lags behind.
    fn seen_at(&self, state: &mut State) -> i64 {
        let odds = state.trouble.stale;
        let lag = if state.chance(odds) { state.random.random_range(1_000..60_000) } else { 0 };
        self.world.clock.millis() - lag
    }

    fn visible<'a>(&self, state: &'a State, object: &str, now: i64) -> Vec<(&'a String, &'a Version)> {
        let records = state.objects[self.side].get(object).into_iter().flatten();
        records.filter_map(|(id, record)| Some((id, record.at(now)?))).collect()
    }
}

fn same(one: &Value, other: &Value) -> bool {
    one.to_string().to_lowercase() == other.to_string().to_lowercase()
}

#[async_trait]
impl Source for SimSide {
    fn capabilities(&self, _object: &str) -> Capabilities {
        Capabilities {
            stamps: Stamps::Seconds,
            author: self.side == Side::Org,
            tombstones: true,
            settle: std::time::Duration::from_millis(self.settle_millis as u64),
            addressing: Addressing::ById,
            read_batch: 50,
            write_batch: 7,
            consent_default: ConsentDefault::No,
        }
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.call("describe", Edits::None).await?;
        let text = |name: &str, kind: FieldKind| FieldSchema {
            name: name.into(),
            label: name.into(),
            kind,
            createable: !matches!(name, "Id" | "id"),
            updateable: !matches!(name, "Id" | "id"),
            ..FieldSchema::default()
        };
        let fields: &[(&str, FieldKind)] = match self.side {
            Side::Org => &[
                ("Id", FieldKind::Id),
                ("Email", FieldKind::Email),
                ("FirstName", FieldKind::Text),
                ("LastName", FieldKind::Text),
                ("Phone", FieldKind::Phone),
                ("Street", FieldKind::Text),
                ("City", FieldKind::Text),
                ("Status", FieldKind::Text),
                ("HasOptedOut", FieldKind::Bool),
                ("Mark__c", FieldKind::Text),
                ("Flag__c", FieldKind::Bool),
                ("IsConverted", FieldKind::Bool),
                ("OutOfScope", FieldKind::Bool),
            ],
            Side::Platform => &[
                ("id", FieldKind::Id),
                ("email", FieldKind::Email),
                ("name", FieldKind::Text),
                ("phone", FieldKind::Phone),
                ("street", FieldKind::Text),
                ("city", FieldKind::Text),
                ("status", FieldKind::Text),
                ("optedOut", FieldKind::Bool),
                ("externalId", FieldKind::Text),
                ("inactive", FieldKind::Bool),
            ],
        };
        Ok(objects
            .iter()
            .map(|object| ObjectSchema {
                name: object.clone(),
                label: object.clone(),
                createable: true,
                updateable: true,
                readable: true,
                fields: fields
                    .iter()
                    .map(|(name, kind)| {
                        let mut field = text(name, *kind);
                        // The platform upper-cases cities: compared as it stores them, or every write would come back.
                        field.required = *name == "LastName";
                        field
                    })
                    .collect(),
            })
            .collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.call(&format!("scan {}", request.object), Edits::Anywhere).await?;
        let mut state = self.world.lock();
        let seen_at = self.seen_at(&mut state);
        let now = self.world.clock.millis();
        let after = request.mark.as_ref().map(|mark| mark.0.clone()).unwrap_or_default();
        let mut rows: Vec<_> = self
            .visible(&state, &request.object, seen_at)
            .into_iter()
            .filter(|(id, version)| **id > after && !version.deleted)
            .collect();
        let more = rows.len() > self.page;
        rows.truncate(self.page);
        Ok(Page {
            next: if more { rows.last().map(|(id, _)| Mark((*id).clone())) } else { None },
            records: rows.iter().map(|(id, version)| Self::record(id, version, &request.selection)).collect(),
            cursor: request.mark.is_none().then(|| Cursor((now - self.settle_millis).to_string())),
            ..Page::default()
        })
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.call("changes", Edits::Anywhere).await?;
        let mut state = self.world.lock();
        let seen_at = self.seen_at(&mut state);
        let now = self.world.clock.millis();
        Ok(requests
            .iter()
            .map(|request| {
                let cursor: i64 = request.cursor.0.parse().unwrap();
                let floor = if self.side == Side::Org { cursor / 1_000 * 1_000 } else { cursor };
                let mut rows: Vec<_> = self
                    .visible(&state, &request.object, seen_at)
                    .into_iter()
                    .filter(|(_, version)| match &request.flag {
                        Some(flag) if !version.deleted => {
                            version.values.get(flag) == Some(&Value::Bool(true))
                        }
                        _ => version.stamp >= floor,
                    })
                    .map(|(id, version)| ((version.stamp, id.clone()), version))
                    .collect();
                rows.sort_by(|one, other| one.0.cmp(&other.0));
                if let Some(mark) = &request.mark {
                    let after: (i64, String) = serde_json::from_str(&mark.0).unwrap();
                    rows.retain(|(place, _)| *place > after);
                }
                let more = rows.len() > self.page;
                rows.truncate(self.page);
                Page {
                    next: if more {
                        rows.last().map(|(place, _)| Mark(serde_json::to_string(place).unwrap()))
                    } else {
                        None
                    },
                    records: rows
                        .iter()
                        .filter(|(_, version)| !version.deleted)
                        .map(|((_, id), version)| Self::record(id, version, &request.selection))
                        .collect(),
                    tombstones: rows
                        .iter()
                        .filter(|(_, version)| version.deleted)
                        .map(|((_, id), version)| Self::tombstone(id, version))
                        .collect(),
                    cursor: request.mark.is_none().then(|| Cursor((now - self.settle_millis).to_string())),
                    ..Page::default()
                }
            })
            .collect())
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        // Nobody edits between a verifying read and the write that follows it: that window is stated, not closed.
        self.call(&format!("read {object} {ids:?}"), Edits::None).await?;
        // Feeds may lag behind; a record read by its id is what it is now, or nothing could be verified.
        let state = self.world.lock();
        let now = self.world.clock.millis();
        Ok(ids
            .iter()
            .filter_map(|id| {
                let version = state.objects[self.side].get(object)?.get(id.as_str())?.at(now)?;
                (!version.deleted).then(|| Self::record(id.as_str(), version, selection))
            })
            .collect())
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.call(&format!("fates {object} {ids:?}"), Edits::None).await?;
        let state = self.world.lock();
        let now = self.world.clock.millis();
        Ok(ids
            .iter()
            .filter_map(|id| {
                let version = state.objects[self.side].get(object)?.get(id.as_str())?.at(now)?;
                version.deleted.then(|| Self::tombstone(id.as_str(), version))
            })
            .collect())
    }

    async fn count(&self, _object: &str, _criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        Ok(None)
    }

    fn calls(&self) -> u64 {
        self.world.lock().calls[self.side]
    }
}

#[async_trait]
impl Sink for SimSide {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.call(&format!("write {} {:?} {} rows", batch.object, batch.kind, batch.rows.len()), Edits::None)
            .await?;
        let mut results = Vec::new();
        let cut;
        {
            let mut state = self.world.lock();
            let now = self.world.clock.millis();
            let odds = state.trouble;
            if state.chance(odds.cut_before) {
                state.judge.unknown_outcomes += 1;
                return Ok(Written::Rows(batch.rows.iter().map(|_| RowResult::Unknown).collect()));
            }
            for row in &batch.rows {
                results.push(self.write_row(&mut state, now, batch, row));
            }
            cut = state.chance(odds.cut_after);
            if cut {
                state.judge.unknown_outcomes += 1;
                state.say(now, "the connection broke after the commit");
                results = batch.rows.iter().map(|_| RowResult::Unknown).collect();
            }
        }
        // A crash here is a crash between the commit of the service and ours.
        let ids: Vec<String> =
            batch.rows.iter().filter_map(|row| Some(row.id.as_ref()?.as_str().to_owned())).collect();
        // What was done is answered, whatever trouble this call would meet.
        let _ = self.call("answer", Edits::Behind(&ids)).await;
        Ok(Written::Rows(results))
    }

    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Ok(None)
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.call(&format!("find {object}"), Edits::None).await?;
        let state = self.world.lock();
        let (fields, rows) = match by {
            Finder::Field { field, values } => {
                if self.side == Side::Platform && field == "externalId" {
                    return Err(PortError::new(
                        PortClass::Settings,
                        "unsearchable",
                        "externalId can't be searched",
                    ));
                }
                (vec![field.clone()], values.iter().map(|value| vec![value.clone()]).collect())
            }
            Finder::Fields { fields, rows } => (fields.clone(), rows.clone()),
            Finder::CreatedByUs { .. } => (Vec::new(), Vec::new()),
        };
        Ok(self
            .visible(&state, object, self.world.clock.millis())
            .into_iter()
            .filter(|(_, version)| {
                !version.deleted
                    && rows.iter().any(|row: &Vec<Value>| {
                        fields.iter().zip(row).all(|(field, value)| {
                            version
                                .values
                                .get(field)
                                .is_some_and(|held| !held.is_blank() && same(held, value))
                        })
                    })
            })
            .map(|(id, version)| Self::record(id, version, selection))
            .collect())
    }
}

impl SimSide {
    fn write_row(&self, state: &mut State, now: i64, batch: &WriteBatch, row: &WriteRow) -> RowResult {
        let odds = state.trouble;
        if state.chance(odds.limit) {
            return refused("REQUEST_LIMIT_EXCEEDED", RowClass::Limit);
        }
        if state.is_held(self.side, &batch.object, row.id.as_ref().map(RecordId::as_str), now) {
            return refused("UNABLE_TO_LOCK_ROW", RowClass::Again);
        }
        let changes: Vec<(String, Value)> = batch
            .selection
            .names()
            .iter()
            .zip(&row.values)
            .filter_map(|(name, value)| Some((name.to_string(), value.clone()?)))
            .collect();
        let existing = match batch.kind {
            WriteKind::Update | WriteKind::Delete => row.id.as_ref().map(|id| id.as_str().to_owned()),
            WriteKind::Create => self.upsert_target(state, batch, &changes),
        };
        let created = existing.is_none();
        let id = existing.unwrap_or_else(|| state.new_id(self.side, &batch.object));
        let held = state.objects[self.side].get(&batch.object).and_then(|records| records.get(&id));
        if held.is_some_and(|record| record.is_locked(now)) {
            return refused("UNABLE_TO_LOCK_ROW", RowClass::Again);
        }
        if held.and_then(SimRecord::newest).is_some_and(|version| version.deleted) {
            return refused("ENTITY_IS_DELETED", RowClass::Gone);
        }
        if held.and_then(SimRecord::newest).is_some_and(|version| is_converted(&version.values))
            && batch.selection.position("Flag__c").is_none()
        {
            return refused("CANNOT_UPDATE_CONVERTED_LEAD", RowClass::Data);
        }
        if batch.kind == WriteKind::Delete && self.side == Side::Org && state.refuses_deletes {
            state.refused_deletes += 1;
            return refused("DELETE_FAILED", RowClass::Data);
        }
        if batch.kind == WriteKind::Delete {
            state.say(now, format!("  {} deletes {id}", self.side));
            state.judge.sync_writes += 1;
            state.judge_removal(now, self.side, &batch.object, &id);
            state.bury(now, self.side, &batch.object, &id, Fate::Deleted, Author::Sync);
            return RowResult::Done { id: id.as_str().into(), created: false, record: None };
        }
        let mut changes = changes;
        if created && self.side == Side::Platform && !changes.iter().any(|(name, _)| name == "optedOut") {
            changes.push(("optedOut".into(), Value::Bool(true)));
        }
        state.say(now, format!("  {} {id} <- {changes:?}", self.side));
        if batch.selection.position("Flag__c").is_none() {
            state.judge_write(self.side, &batch.object, &id, &changes);
        }
        if !created {
            state.judge.sync_updates += 1;
        }
        let before = held_values(state, self.side, &batch.object, &id);
        state.put(now, self.side, &batch.object, &id, &changes, Author::Sync);
        if state.undoing {
            let fields: Vec<String> = changes.iter().map(|(name, _)| name.clone()).collect();
            super::undo::judge_write(state, now, self.side, &batch.object, &id, &before, &fields);
        }
        if state.fights && changes.iter().any(|(name, _)| matches!(name.as_str(), "Phone" | "phone")) {
            state.automation.push((now + 5_000, self.side, batch.object.clone(), id.clone()));
        }
        let version = state.objects[self.side][&batch.object][&id].newest().unwrap().clone();
        RowResult::Done {
            id: id.as_str().into(),
            created,
            record: Some(Self::record(&id, &version, &batch.read_back)),
        }
    }

    fn upsert_target(
        &self,
        state: &State,
        batch: &WriteBatch,
        changes: &[(String, Value)],
    ) -> Option<String> {
        let by = match (&batch.mark, self.side) {
            (Some(mark), Side::Org) => mark.as_str(),
            _ if self.upsert_by_email && !state.emails_repeat => self.email_field(),
            _ => return None,
        };
        let wanted = changes.iter().find(|(name, _)| name == by).map(|(_, value)| value)?;
        state
            .live(self.side, &batch.object)
            .into_iter()
            .find(|(_, version)| {
                version.values.get(by).is_some_and(|held| !held.is_blank() && same(held, wanted))
            })
            .map(|(id, _)| id)
    }
}

fn held_values(state: &State, side: Side, object: &str, id: &str) -> BTreeMap<String, Value> {
    let record = state.objects[side].get(object).and_then(|records| records.get(id));
    record.and_then(SimRecord::newest).map(|version| version.values.clone()).unwrap_or_default()
}

fn refused(code: &str, class: RowClass) -> RowResult {
    RowResult::Refused(RowError { code: code.into(), message: code.into(), fields: Vec::new(), class })
}
