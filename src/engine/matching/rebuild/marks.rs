//! Links by the other side's id that a record carries.

use std::collections::BTreeSet;

use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::context::End;
use crate::engine::matching::BATCH;
use crate::engine::matching::rebuild::{Rebuilt, new_link};
use crate::engine::session::{Prepared, Session, both};
use crate::store::StoreError;
use crate::store::links::{self, Closed};
use crate::store::stage::{self, Staged};

/// The id that a record carries in the field for the other side's id.
fn mark_of(mapping: &Prepared, side: Side, record: &Record) -> Option<RecordId> {
    let place = mapping.compiled.marks[side]?;
    match record.values.get(place)? {
        Some(Value::Text(text)) if !text.trim().is_empty() => Some(RecordId::new(text.trim())),
        _ => None,
    }
}

/// What a mark leads to.
enum Claim {
    /// Both records are there.
    Both(PerSide<RecordId>),
    /// The counterpart is gone.
    Gone(PerSide<RecordId>),
}

impl Session<'_> {
    pub(super) async fn link_by_mark(&self, found: &mut Rebuilt) -> Result<(), End> {
        let mut contested: BTreeSet<(i64, RecordId)> = BTreeSet::new();
        // Records that are there come first: a mark that leads nowhere says less than one that leads to somebody.
        for gone_too in [false, true] {
            for side in Side::BOTH {
                for place in 0..self.mappings.len() {
                    if self.mappings[place].compiled.marks[side].is_some() {
                        self.walk_marks(side, place, gone_too, found, &mut contested).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn walk_marks(
        &self,
        side: Side,
        place: usize,
        gone_too: bool,
        found: &mut Rebuilt,
        contested: &mut BTreeSet<(i64, RecordId)>,
    ) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let object = mapping.compiled.spec.object(side).to_owned();
        let fields = mapping.compiled.selection[side].len();
        let (run, now) = (self.run, self.now());
        let mut last = String::new();
        loop {
            self.context.control.checkpoint().await?;
            let (from, object, mapping) = (last.clone(), object.clone(), mapping.clone());
            let (mut sums, mut doubtful) = (found.clone(), std::mem::take(contested));
            let (reached, sums, doubtful) = self
                .context
                .store
                .write(move |db| {
                    let batch = stage::after(db, side, &object, &from, fields, BATCH)?;
                    let reached = batch.last().map(|staged| staged.record.id.as_str().to_owned());
                    let full = batch.len() == BATCH;
                    for staged in batch {
                        match claim(db, &mapping, side, &staged, gone_too)? {
                            Some(Claim::Both(ids)) => {
                                take(db, run, now, &mapping, ids, &mut sums, &mut doubtful)?;
                            }
                            Some(Claim::Gone(ids)) if free(db, &mapping, &ids)? => {
                                let link = new_link(run, &mapping, ids, &PerSide::default(), now);
                                let number = links::put(db, &link)?;
                                let why = match side {
                                    Side::Org => Closed::OnPlatform,
                                    Side::Platform => Closed::OnOrg,
                                };
                                links::close(db, number, &why)?;
                                sums.closed += 1;
                            }
                            Some(Claim::Gone(_)) | None => {}
                        }
                    }
                    Ok((reached.filter(|_| full), sums, doubtful))
                })
                .await?;
            *found = sums;
            *contested = doubtful;
            match reached {
                Some(id) => last = id,
                None => return Ok(()),
            }
        }
    }
}

/// What the mark of a staged record leads to, if it leads anywhere in this mapping.
fn claim(
    db: &rusqlite::Connection,
    mapping: &Prepared,
    side: Side,
    staged: &Staged,
    gone_too: bool,
) -> Result<Option<Claim>, StoreError> {
    let Some(other) = mark_of(mapping, side, &staged.record) else { return Ok(None) };
    let object = mapping.compiled.spec.object(side.other());
    let there = stage::get(db, side.other(), object, other.as_str(), 0)?.is_some();
    let mut ids = PerSide { org: other.clone(), platform: other };
    ids[side] = staged.record.id.clone();
    if there {
        return Ok(Some(Claim::Both(ids)));
    }
    if !gone_too {
        return Ok(None);
    }
    // An org id tells its object by its first three characters; one of another object is for another mapping of the family.
    let ours = match side {
        Side::Org => true,
        Side::Platform => stage::has_prefix(db, Side::Org, object, ids.org.as_str())?,
    };
    Ok(ours.then_some(Claim::Gone(ids)))
}

/// Whether neither record has a link yet.
fn free(db: &rusqlite::Connection, mapping: &Prepared, ids: &PerSide<RecordId>) -> Result<bool, StoreError> {
    Ok(links::by_org(db, mapping.row.mapping, ids.org.as_str())?.is_none()
        && links::by_platform(db, mapping.row.family, ids.platform.as_str())?.is_none())
}

/// Links what a mark joins. Two marks that contradict each other join nobody: then the key decides (law E1).
fn take(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    ids: PerSide<RecordId>,
    sums: &mut Rebuilt,
    contested: &mut BTreeSet<(i64, RecordId)>,
) -> Result<(), StoreError> {
    let family = mapping.row.family;
    let held = [
        links::by_org(db, mapping.row.mapping, ids.org.as_str())?,
        links::by_platform(db, family, ids.platform.as_str())?,
    ];
    let mut clash = [&ids.org, &ids.platform].iter().any(|id| contested.contains(&(family, (*id).clone())));
    for link in held.into_iter().flatten() {
        if link.ids == ids && link.mapping == mapping.row.mapping {
            return Ok(());
        }
        clash = true;
        if links::forget(db, link.link)? {
            sums.by_mark = sums.by_mark.saturating_sub(1);
        }
        contested.extend([(family, link.ids.org), (family, link.ids.platform)]);
    }
    if clash {
        contested.extend([(family, ids.org), (family, ids.platform)]);
        return Ok(());
    }
    let staged = mapping.staged(db, &both(&ids))?;
    links::put(db, &new_link(run, mapping, ids, &staged, now))?;
    sums.by_mark += 1;
    Ok(())
}
