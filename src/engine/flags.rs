//! The sync flag (law E15): a tick box of the org that is the queue of its object.
//!
//! It is taken back last, once every mapping of the object has dealt with the record, and journaled like any other write of ours.
//! What failed keeps it. Somebody may edit a record between our read and the taking back, and set a flag that we then take: so
//! the records are read by id in the next run, whatever their flag says.

use crate::domain::mapping::SideEffects;
use crate::domain::port::{RowResult, WriteBatch, WriteKind, WriteRow};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::apply::{deliver, end_of};
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::facts::NewFact;
use crate::store::issues::{self, NewIssue};
use crate::store::journal::{self, Entry};
use crate::store::{flagged, pending};

impl Session<'_> {
    /// The sync flag of an object of the org, with its place in what is read.
    pub(in crate::engine) fn flag(&self, side: Side, object: &str) -> Option<(String, usize)> {
        let mut of_object = self
            .mappings
            .iter()
            .filter(|mapping| side == Side::Org && mapping.compiled.spec.org_object == object);
        of_object.find_map(|mapping| Some((mapping.compiled.spec.flag()?.to_owned(), mapping.compiled.flag?)))
    }

    /// Those of the records whose flag is set.
    pub(in crate::engine) fn flagged(&self, side: Side, object: &str, records: &[Record]) -> Vec<RecordId> {
        let Some((_, place)) = self.flag(side, object) else { return Vec::new() };
        records
            .iter()
            .filter(|record| matches!(record.values.get(place), Some(Some(Value::Bool(true)))))
            .map(|record| record.id.clone())
            .collect()
    }

    /// Takes back the flags of all that was dealt with.
    pub async fn take_back_flags(&mut self) -> Result<(), End> {
        for object in self.objects(Side::Org) {
            let Some((flag, _)) = self.flag(Side::Org, &object) else { continue };
            let concerned = self
                .context
                .mappings
                .iter()
                .filter(|mapping| mapping.enabled && mapping.org_object == object);
            let here: Vec<(usize, i64)> = self
                .mappings
                .iter()
                .enumerate()
                .filter(|(_, mapping)| mapping.compiled.spec.org_object == object)
                .map(|(place, mapping)| (place, mapping.row.mapping))
                .collect();
            let mut taken = 0;
            // Where another mapping of the object has not run, the flag is still needed.
            if concerned.count() == here.len() {
                taken = self.take_back(&object, &flag, &here).await?;
            }
            let name = object.clone();
            self.context.store.write(move |db| flagged::clear(db, &name)).await?;
            if taken > 0 {
                let said = format!("{object}: {flag} was taken back on {taken} records.");
                self.fact(self.say(Level::Info, said)).await?;
            }
        }
        Ok(())
    }

    async fn take_back(&mut self, object: &str, flag: &str, here: &[(usize, i64)]) -> Result<u64, End> {
        let Some((first, _)) = here.first().copied() else { return Ok(0) };
        let most = self.mappings[first].capabilities[Side::Org].write_batch.max(1);
        let numbers: Vec<i64> = here.iter().map(|(_, number)| *number).collect();
        let mut last = String::new();
        let mut taken = 0;
        loop {
            self.context.control.checkpoint().await?;
            let (name, from, of) = (object.to_owned(), last.clone(), numbers.clone());
            let found =
                self.context.store.write(move |db| flagged::done_after(db, &name, &from, &of, most)).await?;
            let Some((ids, end)) = found else { return Ok(taken) };
            last = end;
            if ids.is_empty() {
                continue;
            }
            let entries = self.journal_flags(&ids, &numbers).await?;
            let selection = Selection::new([flag]);
            let batch = WriteBatch {
                object: object.to_owned(),
                kind: WriteKind::Update,
                selection: selection.clone(),
                rows: ids
                    .iter()
                    .map(|id| WriteRow {
                        id: Some(id.clone()),
                        values: vec![Some(Value::Bool(false))],
                        key: Vec::new(),
                    })
                    .collect(),
                read_back: selection,
                mark: None,
                consent: Vec::new(),
                effects: SideEffects::default(),
            };
            let results = deliver(self.context, Side::Org, &batch, &entries).await.map_err(end_of)?;
            taken += self.settle_flags(first, &ids, entries, &results).await?;
        }
    }

    /// Durable before it is sent: the write, and that the records are read again.
    async fn journal_flags(&self, ids: &[RecordId], mappings: &[i64]) -> Result<Vec<i64>, End> {
        let (run, now) = (self.run, self.now());
        let (ids, mappings) = (ids.to_vec(), mappings.to_vec());
        Ok(self
            .context
            .store
            .write_durably(move |db| {
                let mut entries = Vec::with_capacity(ids.len());
                for id in &ids {
                    for mapping in &mappings {
                        pending::put(db, *mapping, Side::Org, id, "flag_taken_back", now, Some(now))?;
                    }
                    let entry = Entry {
                        entry: 0,
                        run,
                        at: now,
                        mapping: mappings.first().copied().unwrap_or_default(),
                        side: Side::Org,
                        kind: WriteKind::Update,
                        source: None,
                        target: Some(id.clone()),
                        mark: None,
                        key: Vec::new(),
                        pairs: Vec::new(),
                        job: None,
                    };
                    entries.push(journal::put(db, &entry.try_into()?)?);
                }
                Ok(entries)
            })
            .await?)
    }

    /// A flag that could not be taken back stays set, so its record comes again in the next run.
    async fn settle_flags(
        &mut self,
        place: usize,
        ids: &[RecordId],
        entries: Vec<i64>,
        results: &[RowResult],
    ) -> Result<u64, End> {
        let (run, now) = (self.run, self.now());
        let (mapping, name) =
            (self.mappings[place].row.mapping, self.mappings[place].compiled.spec.name.clone());
        let mut taken = 0;
        let mut refused = Vec::new();
        for (id, result) in ids.iter().zip(results) {
            match result {
                RowResult::Done { .. } => taken += 1,
                RowResult::Refused(error) => refused.push((id.clone(), error.clone())),
                RowResult::Unknown => {}
            }
        }
        if let Some((_, error)) = refused.first() {
            let said = format!("{} flags could not be taken back: {}", refused.len(), error.message);
            self.fact(NewFact::new(Level::Warn, Some(run), said).of_mapping(&name)).await?;
            let failed = refused.len() as u64;
            self.count(place, |counts| counts.failed += failed);
        }
        self.context
            .store
            .write(move |db| {
                for entry in entries {
                    journal::settle(db, entry)?;
                }
                for (id, error) in refused {
                    let issue = NewIssue {
                        mapping,
                        ids: PerSide { org: Some(id), platform: None },
                        side: Side::Org,
                        label: String::new(),
                        code: error.code,
                        message: error.message,
                        fields: error.fields,
                        run,
                    };
                    issues::raise(db, &issue, now)?;
                }
                Ok(())
            })
            .await?;
        Ok(taken)
    }
}
