//! Recovery (laws E6, E11): what was sent and never settled is looked up before anything is sent again.

use crate::domain::plan::{Action, Parked, UNKNOWN_OUTCOME};
use crate::domain::port::{Finder, Job, Late, PortClass, RowResult, WriteKind};
use crate::domain::progress::Phase;
use crate::domain::record::{Record, RecordId};
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::apply::{Item, LookUp, meant};
use crate::engine::commit::key_hashes;
use crate::engine::context::End;
use crate::engine::session::{Prepared, Session, both};
use crate::mutant::{Mutant, broken};
use crate::store::issues::{self, NewIssue};
use crate::store::journal::{self, Entry, Meant};
use crate::store::links::{self, Bases, NewLink};
use crate::store::{StoreError, pending, stage};

mod ahead;
mod traced;

use ahead::Ahead;

/// How far the clock of a service may be behind ours.
const LATITUDE: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// How long the values of a job that was not begun still count.
const COUNTS_FOR: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

impl Session<'_> {
    /// Settles what an interrupted run left in the journal.
    pub async fn recover(&self) -> Result<(), End> {
        let open = self.context.store.write(journal::open).await?;
        if open.is_empty() || broken(Mutant::RecoverySkipped) {
            return Ok(());
        }
        self.phase(Phase::Recovering);
        self.fact(self.say(
            Level::Warn,
            format!(
                "An earlier run was interrupted with {} rows on their way; they are looked up first.",
                open.len()
            ),
        ))
        .await?;
        self.conclude_jobs(&open).await?;
        let ahead = self.look_ahead(&open).await?;
        for entry in open {
            self.context.control.checkpoint().await?;
            let Some(place) = self.mappings.iter().position(|mapping| mapping.row.mapping == entry.mapping)
            else {
                continue;
            };
            match entry.kind {
                WriteKind::Update => self.recover_update(place, &entry, &ahead).await?,
                WriteKind::Delete => self.recover_delete(place, &entry).await?,
                WriteKind::Create => self.recover_create(place, &entry, &ahead).await?,
            }
        }
        Ok(())
    }

    /// What jobs of an interrupted run still do is waited for: until they are at rest, nobody can tell what was done. Values
    /// that were decided a moment ago still count; later ones are decided anew (law E6).
    async fn conclude_jobs(&self, open: &[Entry]) -> Result<(), End> {
        let mut jobs: Vec<(Side, &Job, chrono::DateTime<chrono::Utc>)> = Vec::new();
        for entry in open {
            if let Some(job) = &entry.job
                && !jobs.iter().any(|(side, known, _)| *side == entry.side && *known == job)
            {
                jobs.push((entry.side, job, entry.at));
            }
        }
        for (side, job, at) in jobs {
            self.context.control.checkpoint().await?;
            let late = if self.now() - at <= COUNTS_FOR { Late::StillCounts } else { Late::TooLate };
            self.context.endpoints[side].conclude(job, late).await?;
        }
        Ok(())
    }

    /// An update is decided anew from what both sides hold now. Where it was done, its bases are kept first, so that what people
    /// did to the target since is seen as their edit.
    async fn recover_update(&self, place: usize, entry: &Entry, ahead: &Ahead) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let mut held = None;
        if let Some(target) = &entry.target
            && let Some(read) = ahead.held((place, entry.side))
        {
            held = read.get(target).cloned();
        } else if let Some(target) = &entry.target {
            held = self.context.endpoints[entry.side]
                .read(
                    mapping.compiled.spec.object(entry.side),
                    &mapping.compiled.selection[entry.side],
                    std::slice::from_ref(target),
                )
                .await?
                .into_iter()
                .next();
        }
        let trace =
            held.as_ref().map_or(Trace::NotDone, |record| trace(&mapping, entry.side, &entry.pairs, record));
        let (entry, now, run) = (entry.clone(), self.now(), self.run);
        self.context
            .store
            .write(move |db| {
                if let (Trace::Done | Trace::Unclear, Some(ids)) = (trace, ids_of(&entry)) {
                    let link = links::by_org(db, entry.mapping, ids.org.as_str())?;
                    let taken = links::by_platform(db, mapping.row.family, ids.platform.as_str())?;
                    let (mut bases, mut stamps, mut read) = link
                        .as_ref()
                        .map(|link| (link.bases.clone(), link.stamps, link.read))
                        .unwrap_or_default();
                    let mut unseen = Vec::new();
                    if let (Trace::Done, Some(target)) = (trace, &held) {
                        unseen = keep_meant(&mut bases, &mapping, entry.side, &entry.pairs, target);
                        // It held its base after it was sent: whatever was read before is older than that.
                        read[entry.side] = read[entry.side].max(entry.at);
                    }
                    stamps[entry.side] = stamps[entry.side].max(held.as_ref().and_then(|held| held.stamp));
                    // Two records that met for the first time have no link yet.
                    if link.as_ref().map_or(taken.is_none(), |link| link.closed.is_none()) {
                        let kept = ids.clone();
                        let mut known = PerSide::default();
                        known[entry.side] = held.as_ref();
                        let keys = key_hashes(&mapping, &bases, &known);
                        let link = links::put(
                            db,
                            &NewLink {
                                mapping: entry.mapping,
                                family: mapping.row.family,
                                ids,
                                stamps,
                                read,
                                keys,
                                bases: bases.encode(),
                                run: entry.run,
                            },
                        )?;
                        if trace == Trace::Unclear {
                            park_unclear(db, link, entry.side, &entry.pairs, run, now)?;
                        }
                        if trace == Trace::Done {
                            park_unclear(db, link, entry.side, &unseen, run, now)?;
                            traced::put(db, &mapping, &entry, &both(&kept), held.as_ref(), now)?;
                        }
                    }
                }
                pend(db, &entry, now)?;
                journal::settle(db, entry.entry)
            })
            .await?;
        Ok(())
    }

    /// Nothing came of it: the record is decided anew.
    async fn look_again(&self, entry: &Entry) -> Result<(), End> {
        let (entry, now) = (entry.clone(), self.now());
        self.context
            .store
            .write(move |db| {
                pend(db, &entry, now)?;
                journal::settle(db, entry.entry)
            })
            .await?;
        Ok(())
    }

    async fn recover_create(&self, place: usize, entry: &Entry, ahead: &Ahead) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let Some(source) = entry.source.clone() else { return self.look_again(entry).await };
        let found = match ahead.created((place, entry.side), &source) {
            Some(found) => found,
            None => self.find_created(&mapping, entry.side, &source, &entry.key).await?,
        };
        let found = as_sent(&mapping, entry.side, &entry.pairs, found);
        let Some(first) = found.first().cloned() else { return self.look_again(entry).await };
        let fine = mapping.capabilities[entry.side].stamps.are_fine();
        let older = fine && first.stamp.is_some_and(|stamp| stamp < entry.at - LATITUDE);
        if found.len() == 1 && older && !otherwise(&mapping, entry.side, &entry.pairs, &first).is_empty() {
            // It was there before, and meets its counterpart as for the first time.
            let object = mapping.compiled.spec.object(entry.side).to_owned();
            let (side, now) = (entry.side, self.now());
            self.context.store.write(move |db| stage::put(db, side, &object, &found, now)).await?;
            return self.look_again(entry).await;
        }
        if found.len() > 1 {
            let (entry, now, run) = (entry.clone(), self.now(), self.run);
            let object = mapping.compiled.spec.object(entry.side).to_owned();
            self.context
                .store
                .write(move |db| {
                    // Read before they were there, this side would seem to lack the record, and it would be created once more.
                    stage::put(db, entry.side, &object, &found, now)?;
                    let mut ids: PerSide<Option<RecordId>> = PerSide::default();
                    ids[entry.side.other()].clone_from(&entry.source);
                    issues::raise(
                        db,
                        &NewIssue {
                            mapping: entry.mapping,
                            ids,
                            side: entry.side,
                            label: String::new(),
                            code: "unknown_outcome".into(),
                            message: "a create was interrupted and several records could be its result; link the right one by hand"
                                .into(),
                            fields: Vec::new(),
                            run,
                        },
                        now,
                    )?;
                    journal::settle(db, entry.entry)
                })
                .await?;
            return Ok(());
        }
        let read_at = self.now();
        let mut bases = Bases::default();
        let mut unseen = keep_meant(&mut bases, &mapping, entry.side, &entry.pairs, &first);
        if !fine {
            // Whether it was edited since, or is another that was there before, can't be told.
            unseen.extend(otherwise(&mapping, entry.side, &entry.pairs, &first));
        }
        let mut ids = PerSide { org: source.clone(), platform: source.clone() };
        ids[entry.side] = first.id.clone();
        let (run, now, entry) = (self.run, self.now(), entry.clone());
        let mut known = PerSide::default();
        known[entry.side] = Some(&first);
        let keys = key_hashes(&mapping, &bases, &known);
        self.context
            .store
            .write(move |db| {
                let known = links::by_org(db, mapping.row.mapping, ids.org.as_str())?.is_some()
                    || links::by_platform(db, mapping.row.family, ids.platform.as_str())?.is_some();
                if !known {
                    let mut stamps = PerSide::default();
                    stamps[entry.side] = first.stamp;
                    let link = links::put(
                        db,
                        &NewLink {
                            mapping: mapping.row.mapping,
                            family: mapping.row.family,
                            ids: ids.clone(),
                            stamps,
                            read: PerSide { org: read_at, platform: read_at },
                            keys,
                            bases: bases.encode(),
                            run,
                        },
                    )?;
                    park_unclear(db, link, entry.side, &unseen, run, now)?;
                    traced::put(db, &mapping, &entry, &both(&ids), Some(&first), now)?;
                }
                pending::put(db, entry.mapping, Side::Org, &ids.org, "interrupted", now, Some(now))?;
                journal::settle(db, entry.entry)
            })
            .await?;
        Ok(())
    }

    /// Records of `side` that could be the one created for `source`: by the mark where it can be searched, else by key.
    async fn find_created(
        &self,
        mapping: &Prepared,
        side: Side,
        source: &RecordId,
        key: &[Value],
    ) -> Result<Vec<Record>, End> {
        let spec = &mapping.compiled.spec;
        let selection = &mapping.compiled.selection[side];
        if let Some(mark) = spec.mark(side) {
            let finder = Finder::Field { field: mark.to_owned(), values: vec![Value::text(source.as_str())] };
            match self.context.endpoints[side].find(spec.object(side), selection, &finder).await {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) => {}
                // This side can't be searched by its mark.
                Err(error) if error.class == PortClass::Settings => {}
                Err(error) => return Err(error.into()),
            }
        }
        let fields = mapping.compiled.key_fields(side);
        if key.is_empty() || key.len() != fields.len() || key.iter().all(Value::is_blank) {
            return Ok(Vec::new());
        }
        let finder = match fields.as_slice() {
            [field] => Finder::Field { field: field.clone(), values: key.to_vec() },
            _ => Finder::Fields { fields, rows: vec![key.to_vec()] },
        };
        Ok(self.context.endpoints[side].find(spec.object(side), selection, &finder).await?)
    }

    /// Looks up a row whose connection broke after it was sent.
    pub async fn look_up(&self, item: &Item, side: Side) -> Result<LookUp, End> {
        let mapping = &self.mappings[item.mapping];
        let line = &item.decision.line;
        if let Action::Create { .. } = line.action {
            let Some(source) = &line.ids[side.other()] else { return Ok(LookUp::Unclear) };
            let mut key = Vec::new();
            for place in &mapping.compiled.keys {
                let change =
                    line.changes.iter().find(|change| change.pair == Some(*place) && change.to == side);
                key.extend(change.map(|change| change.new.clone()).unwrap_or_default());
            }
            let found = self.find_created(mapping, side, source, &key).await?;
            let sent = meant(mapping, item, side);
            let found = as_sent(mapping, side, &sent, found);
            return Ok(match found.as_slice() {
                [] => LookUp::NotDone,
                // Somebody edited it already, or it is another that was there before; the next run finds out.
                [one] if !otherwise(mapping, side, &sent, one).is_empty() => LookUp::Unclear,
                [one] => LookUp::Done(RowResult::Done {
                    id: one.id.clone(),
                    created: true,
                    record: Some(one.clone()),
                }),
                _ => LookUp::Unclear,
            });
        }
        let Some(id) = &line.ids[side] else { return Ok(LookUp::Unclear) };
        if let Action::Delete { .. } = line.action {
            return self.look_up_delete(mapping, side, id).await;
        }
        let read = self.context.endpoints[side]
            .read(
                mapping.compiled.spec.object(side),
                &mapping.compiled.selection[side],
                std::slice::from_ref(id),
            )
            .await?;
        let Some(record) = read.into_iter().next() else { return Ok(LookUp::Unclear) };
        let trace = trace(mapping, side, &meant(mapping, item, side), &record);
        Ok(match trace {
            Trace::Done => {
                LookUp::Done(RowResult::Done { id: id.clone(), created: false, record: Some(record) })
            }
            Trace::NotDone => LookUp::NotDone,
            Trace::Unclear => LookUp::Unclear,
        })
    }
}

/// Both records of an update.
fn ids_of(entry: &Entry) -> Option<PerSide<RecordId>> {
    let (source, target) = (entry.source.clone()?, entry.target.clone()?);
    Some(match entry.side {
        Side::Org => PerSide { org: target, platform: source },
        Side::Platform => PerSide { org: source, platform: target },
    })
}

/// Parks the pairs of an update of which nobody can tell whether it was done: both values stay until a person decides, or
/// until both sides agree.
pub fn park_unclear(
    db: &rusqlite::Connection,
    link: i64,
    side: Side,
    pairs: &[Meant],
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), StoreError> {
    for meant in pairs {
        let mut values = PerSide { org: meant.source.clone(), platform: meant.source.clone() };
        values[side].clone_from(&meant.new);
        let parked =
            Parked { pair: 0, org: values.org, platform: values.platform, why: UNKNOWN_OUTCOME.to_owned() };
        pending::park(db, link, meant.pair, &parked, run, now)?;
    }
    Ok(())
}

fn pend(
    db: &rusqlite::Connection,
    entry: &Entry,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), StoreError> {
    for (side, id) in [(entry.side.other(), &entry.source), (entry.side, &entry.target)] {
        if let Some(id) = id {
            return pending::put(db, entry.mapping, side, id, "interrupted", now, Some(now));
        }
    }
    Ok(())
}

/// Of several records that could be the one that was created, the only one that holds all that was sent; all of them where there is
/// no such one.
fn as_sent(mapping: &Prepared, side: Side, pairs: &[Meant], mut found: Vec<Record>) -> Vec<Record> {
    let holds = |record: &Record| otherwise(mapping, side, pairs, record).is_empty();
    let mut fitting = found.iter().enumerate().filter(|(_, record)| holds(record)).map(|(place, _)| place);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => vec![found.swap_remove(only)],
        _ => found,
    }
}

/// The pairs of which a record holds something else than what was sent, consents apart: those are never held back.
fn otherwise(mapping: &Prepared, side: Side, pairs: &[Meant], record: &Record) -> Vec<Meant> {
    let differs = |meant: &&Meant| {
        let place = mapping.row.pairs.iter().position(|number| *number == meant.pair);
        let pair = place.and_then(|place| mapping.compiled.pairs.get(place));
        let pair = pair.filter(|pair| !pair.spec.transform.is_consent());
        pair.and_then(|pair| pair.held(side, record)).is_some_and(|held| !alike(&held, &meant.new))
    };
    pairs.iter().filter(differs).cloned().collect()
}

/// What the target tells about an update of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// It holds what was sent.
    Done,
    /// It holds what it held before.
    NotDone,
    /// It holds something else: somebody edited it, and whether that was before or after us can't be told.
    Unclear,
}

/// A row is written as a whole, so one pair tells for all; but a tick box, or a blank, holds what was sent by chance too often to
/// tell anything against a pair that can't.
fn trace(mapping: &Prepared, side: Side, pairs: &[Meant], record: &Record) -> Trace {
    let (mut telling, mut by_chance) = (Vec::new(), Vec::new());
    for meant in pairs {
        let Some(place) = mapping.row.pairs.iter().position(|number| *number == meant.pair) else { continue };
        let Some(pair) = mapping.compiled.pairs.get(place) else { continue };
        let Some(held) = pair.held(side, record) else { continue };
        let tells = |value: &Value| !value.is_blank() && !matches!(value, Value::Bool(_));
        let traces = if meant.new.iter().any(tells) { &mut telling } else { &mut by_chance };
        traces.push(if held == meant.new {
            Trace::Done
        } else if held == meant.old {
            Trace::NotDone
        } else if alike(&held, &meant.new) {
            Trace::Done
        } else {
            Trace::Unclear
        });
    }
    let traces = if telling.is_empty() { by_chance } else { telling };
    let found = [Trace::Done, Trace::NotDone].into_iter().find(|trace| traces.contains(trace));
    found.unwrap_or(Trace::Unclear)
}

/// The bases of a write that was done: what the source held when it was decided, and what the target holds, if that is what was
/// sent or its rewriting. Whatever else differs is an edit of a person; a consent that the target holds as it was sent is our
/// own write (law E3).
///
/// Returns the pairs with a text of which the target shows nothing for now, as when a field is hidden: in which spelling it keeps
/// them can't be told.
fn keep_meant(
    bases: &mut Bases,
    mapping: &Prepared,
    side: Side,
    pairs: &[Meant],
    target: &Record,
) -> Vec<Meant> {
    let mut unseen = Vec::new();
    for meant in pairs {
        let place = mapping.row.pairs.iter().position(|number| *number == meant.pair);
        let pair = place.and_then(|place| mapping.compiled.pairs.get(place));
        let held = pair.and_then(|pair| pair.held(side, target));
        if held.is_none() && meant.new.iter().any(|value| matches!(value, Value::Text(_))) {
            unseen.push(meant.clone());
        }
        let mut base = PerSide { org: meant.source.clone(), platform: meant.source.clone() };
        base[side] = held.filter(|held| alike(held, &meant.new)).unwrap_or_else(|| meant.new.clone());
        bases.set(meant.pair, base);
    }
    unseen
}

/// Whether a target holds what was sent, apart from its own spelling of it: capitals, blanks and punctuation (law E8).
pub fn alike(held: &[Value], sent: &[Value]) -> bool {
    let bare = |value: &Value| -> String {
        value
            .to_string()
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    held.len() == sent.len()
        && held.iter().zip(sent).all(|(held, sent)| {
            held == sent
                || matches!((held, sent), (Value::Text(_), Value::Text(_)) if bare(held) == bare(sent))
        })
}
