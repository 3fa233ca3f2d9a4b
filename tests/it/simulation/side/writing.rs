//! What a side does with what is written to it, row by row, and how it finds records.

use std::collections::BTreeMap;

use async_trait::async_trait;
use forcesync::domain::port::*;
use forcesync::domain::record::{Record, RecordId, Selection};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::drifting::How;
use super::super::undo;
use super::super::world::{Author, Fate, SimRecord, State, is_converted};
use super::{Edits, SimSide, same};

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
        self.can_read(&state, object, selection)?;
        let (fields, rows) = match by {
            Finder::Field { field, values } => {
                if self.side == Side::Platform && field == "externalId" && !self.manner.finds_mark {
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
            .map(|(id, version)| self.record(&state, object, id, version, selection))
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
        let lost = changes.iter().find(|(name, _)| {
            matches!(state.drifting.of(self.side, &batch.object, name), Some(How::Hidden | How::ReadOnly))
        });
        if lost.is_some() {
            return refused("INVALID_FIELD", RowClass::Data);
        }
        let existing = match batch.kind {
            WriteKind::Update | WriteKind::Delete => row.id.as_ref().map(|id| id.as_str().to_owned()),
            WriteKind::Create => self.upsert_target(state, batch, &changes),
        };
        let by_key = self.side == Side::Platform && self.manner.by_key();
        let named = by_key.then(|| row.key.iter().map(ToString::to_string).collect::<String>());
        if let (Some(id), Some(key)) = (&existing, &named)
            && id != key
        {
            state.judge.wrong.push(format!("{id} was addressed by the key {key:?}"));
        }
        if existing.is_none() && self.refuses_namesake(state, batch, &changes) {
            return refused("DUPLICATE", RowClass::Data);
        }
        let created = existing.is_none();
        let id = existing.or(named).unwrap_or_else(|| state.new_id(self.side, &batch.object));
        let held = state.objects[self.side].get(&batch.object).and_then(|records| records.get(&id));
        if held.is_some_and(|record| record.is_locked(now)) {
            return refused("UNABLE_TO_LOCK_ROW", RowClass::Again);
        }
        if batch.kind != WriteKind::Create
            && held.and_then(SimRecord::newest).is_some_and(|version| version.deleted)
        {
            return refused("ENTITY_IS_DELETED", RowClass::Gone);
        }
        if held.and_then(SimRecord::newest).is_some_and(|version| is_converted(&version.values))
            && batch.selection.position("Flag__c").is_none()
        {
            return refused("CANNOT_UPDATE_CONVERTED_LEAD", RowClass::Data);
        }
        if batch.kind == WriteKind::Delete && self.side == Side::Platform && !self.manner.deletes {
            return refused("NOT_DELETABLE", RowClass::Permission);
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
            match self.manner.capabilities.consent_default {
                ConsentDefault::No => changes.push(("optedOut".into(), Value::Bool(true))),
                ConsentDefault::Yes => changes.push(("optedOut".into(), Value::Bool(false))),
                ConsentDefault::Unknown => {}
            }
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
            undo::judge_write(state, now, self.side, &batch.object, &id, &before, &fields);
        }
        if state.fights && changes.iter().any(|(name, _)| matches!(name.as_str(), "Phone" | "phone")) {
            state.automation.push((now + 5_000, self.side, batch.object.clone(), id.clone()));
        }
        let version = state.objects[self.side][&batch.object][&id].newest().unwrap().clone();
        RowResult::Done {
            id: id.as_str().into(),
            created,
            record: Some(self.record(state, &batch.object, &id, &version, &batch.read_back)),
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
            (_, Side::Platform) if self.manner.upserts && !state.emails_repeat => self.email_field(),
            (_, Side::Platform) if self.manner.by_key() => "externalId",
            _ => return None,
        };
        self.holder(state, batch, changes, by)
    }

    /// Whether another record has the address of a new one where no two may.
    fn refuses_namesake(&self, state: &State, batch: &WriteBatch, changes: &[(String, Value)]) -> bool {
        self.side == Side::Platform
            && self.manner.unique
            && !state.emails_repeat
            && self.holder(state, batch, changes, self.email_field()).is_some()
    }

    /// The record that holds what a new one would in a field.
    fn holder(
        &self,
        state: &State,
        batch: &WriteBatch,
        changes: &[(String, Value)],
        by: &str,
    ) -> Option<String> {
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
