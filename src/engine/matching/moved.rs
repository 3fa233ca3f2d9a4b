//! Links follow their records: to the winner of a merge, and from a converted lead to its contact (laws E9, N24).
//!
//! A link that is re-pointed starts without bases, so that both records meet as for the first time; of two consents the
//! stricter one wins then (law E3). One thing is kept: where the heir holds just what its predecessor last held, the base of that
//! pair goes with it. Otherwise an edit that somebody made on the platform shortly before a conversion would lose against the
//! very value that it replaced. So it is with a pair that the heir's mapping leaves out for now, because of a field that can't be seen
//! or written (law E13): it can't be compared until the field is given back.

use std::collections::HashMap;

use crate::domain::mapping::{Conversion, Pair};
use crate::domain::plan::UNKNOWN_OUTCOME;
use crate::domain::port::{Addressing, Tombstone};
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::commit::key_hashes;
use crate::engine::context::End;
use crate::engine::matching::gone::come_back;
use crate::engine::session::{Prepared, Session, both};
use crate::store::departures;
use crate::store::facts::{self, NewFact};
use crate::store::issues::{self, NewIssue};
use crate::store::links::{self, Bases, Closed, Link, NewLink};
use crate::store::moved::{self, Moved};
use crate::store::stage::{self, Staged};
use crate::store::{StoreError, history, mappings, pending, work};

/// A link on its way to another record of the org.
pub(super) struct Follow<'a> {
    pub(super) run: i64,
    pub(super) now: chrono::DateTime<chrono::Utc>,
    pub(super) mappings: &'a [Prepared],
    /// The link of the record that is no more.
    pub(super) from: &'a Link,
    /// The place of the mapping that the other record belongs to.
    pub(super) target: usize,
    /// The other record.
    pub(super) id: &'a RecordId,
    /// Why the old link is closed.
    pub(super) why: &'a Closed,
}

/// Closes the old link; the platform's record goes to the other record, unless that one has its own already.
pub(super) fn follow(db: &rusqlite::Connection, what: &Follow<'_>) -> Result<(), StoreError> {
    let Some(mapping) = what.mappings.get(what.target) else { return Ok(()) };
    let (run, now, from) = (what.run, what.now, what.from);
    let holder = links::open_in_family(db, from.family, what.id.as_str())?;
    let departure = departures::get(db, from.link)?.filter(|departure| departure.side == Side::Platform);
    links::close(db, from.link, what.why)?;
    departures::remove(db, from.link)?;
    let old_ids = both(&from.ids);
    history::put_link(db, now, run, (from.mapping, &from.ids), Side::Org, "closed")?;
    let ids = PerSide { org: what.id.clone(), platform: from.ids.platform.clone() };
    let word = match what.why {
        Closed::ConvertedTo(_) => "Converted",
        Closed::MergedInto(_) | Closed::OnOrg | Closed::OnPlatform | Closed::Forgotten => "Merged",
    };
    let name = &mapping.compiled.spec.name;
    // What is addressed by its key is nobody else's: the heir has its own, or is given one.
    let by_key = mapping.capabilities.platform.addressing == Addressing::ByKey;
    if by_key && holder.is_none() {
        pending::put(db, mapping.row.mapping, Side::Org, what.id, "merged", now, Some(now))?;
    }
    let left_over = match holder {
        Some(holder) => Some(format!(
            ", which has {} on the platform already; {} there is left over: merge the two on the platform",
            holder.ids.platform, from.ids.platform
        )),
        None if by_key => Some(format!(
            "; {} on the platform is known by its own key and is left over: delete it there",
            from.ids.platform
        )),
        None => None,
    };
    if let Some(left_over) = left_over {
        let message = format!("{} was {} into {}{left_over}", from.ids.org, word.to_lowercase(), what.id);
        issues::raise(
            db,
            &NewIssue {
                // Under its own two ids, so that what happens to the winner does not resolve it.
                mapping: from.mapping,
                ids: old_ids.clone(),
                side: Side::Platform,
                label: String::new(),
                code: "duplicate_on_platform".into(),
                message: message.clone(),
                fields: Vec::new(),
                run,
            },
            now,
        )?;
        let said = NewFact::new(Level::Warn, Some(run), format!("{message}.")).of_mapping(name);
        facts::insert(db, now, &said.about(&old_ids))?;
        return Ok(());
    }
    let object = mapping.compiled.spec.object(Side::Org);
    let fields = mapping.compiled.selection[Side::Org].len();
    let heir = stage::get(db, Side::Org, object, what.id.as_str(), fields)?;
    let predecessor = what.mappings.iter().find(|known| known.row.mapping == from.mapping);
    let left_out = left_out(db, predecessor, mapping, from)?;
    let mut bases = match (&heir, predecessor) {
        (Some(heir), Some(predecessor)) => inherited(predecessor, mapping, from, heir, &left_out),
        _ => Bases::default(),
    };
    for (old, new) in left_out.iter().filter(|(_, new)| !mapping.row.pairs.contains(new)) {
        if let Some(base) = from.bases.get(*old) {
            bases.set(*new, base.clone());
        }
    }
    let held = PerSide { org: heir.as_ref().map(|heir| &heir.record), platform: None };
    let mut keys = key_hashes(mapping, &bases, &held);
    if let (None, Some(predecessor)) = (keys.platform, predecessor) {
        keys.platform = key_hashes(predecessor, &from.bases, &PerSide::default()).platform;
    }
    let link = links::put(
        db,
        &NewLink {
            mapping: mapping.row.mapping,
            family: from.family,
            ids: ids.clone(),
            stamps: PerSide { org: None, platform: from.stamps.platform },
            read: PerSide {
                org: heir.map(|heir| heir.read_at).unwrap_or_default(),
                platform: from.read.platform,
            },
            keys,
            bases: bases.encode(),
            run,
        },
    )?;
    // Where nobody knows what became of a write, nobody knows it better of the heir.
    for (old, new) in same_pairs(predecessor, mapping).into_iter().chain(left_out) {
        pending::park_alike(db, UNKNOWN_OUTCOME, (from.link, old), (link, new))?;
    }
    // Both are read by id once more: what the old link still had to look at is the heir's business now.
    pending::put(db, mapping.row.mapping, Side::Org, what.id, "re-pointed", now, Some(now))?;
    history::put_link(db, now, run, (mapping.row.mapping, &ids), Side::Org, "linked")?;
    let ids = both(&ids);
    let said = format!("{word}: {} takes over the platform's record of {}.", what.id, from.ids.org);
    facts::insert(db, now, &NewFact::new(Level::Info, Some(run), said).of_mapping(name).about(&ids))?;
    if let Some(known) = departure {
        // The platform's record is gone, and what follows from that follows for the heir.
        let gone = Tombstone { id: from.ids.platform.clone(), at: known.at, merged_into: None };
        return departures::put(db, link, Side::Platform, &gone, now);
    }
    match stage::gone_of(db, Side::Org, object, what.id.as_str())? {
        Some(gone) => departures::put(db, link, Side::Org, &gone, now),
        None => work::put(db, what.target, Some(link), &ids),
    }
}

/// The pairs of two mappings that speak of the same fields of the platform, by their numbers.
fn same_pairs(predecessor: Option<&Prepared>, mapping: &Prepared) -> Vec<(i64, i64)> {
    let of = |known: &Prepared| -> Vec<(i64, Vec<String>)> {
        let pairs = known.compiled.pairs.iter().zip(&known.row.pairs);
        pairs.map(|(pair, number)| (*number, pair.spec.platform.clone())).collect()
    };
    let (old, new) = (predecessor.map(of).unwrap_or_default(), of(mapping));
    let same = |(number, fields): &(i64, Vec<String>)| {
        old.iter().find(|(_, known)| known == fields).map(|(before, _)| (*before, *number))
    };
    new.iter().filter_map(same).collect()
}

/// The pairs, but for consent, that both mappings have, and that one of them or both leave out for now; by their numbers.
fn left_out(
    db: &rusqlite::Connection,
    predecessor: Option<&Prepared>,
    mapping: &Prepared,
    from: &Link,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let Some(predecessor) = predecessor else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (old, _) in &from.bases.0 {
        if let Some((identity, new)) = mappings::same_pair(db, *old, mapping.row.mapping)?
            && !(predecessor.row.pairs.contains(old) && mapping.row.pairs.contains(&new))
            && !Pair::is_of_consent(&identity)
        {
            found.push((*old, new));
        }
    }
    Ok(found)
}

/// The bases of pairs in which the heir holds what its predecessor last held. Consent starts anew.
fn inherited(
    predecessor: &Prepared,
    mapping: &Prepared,
    from: &Link,
    heir: &Staged,
    left_out: &[(i64, i64)],
) -> Bases {
    let mut bases = Bases::default();
    for (pair, number) in mapping.compiled.pairs.iter().zip(&mapping.row.pairs) {
        if pair.spec.transform.is_consent() {
            continue;
        }
        let before = predecessor.compiled.pairs.iter().zip(&predecessor.row.pairs).find(|(old, _)| {
            old.spec.platform == pair.spec.platform && old.spec.transform == pair.spec.transform
        });
        let known = before.map(|(_, old)| *old);
        let known = known.or_else(|| Some(left_out.iter().find(|(_, new)| new == number)?.0));
        let known = known.and_then(|old| from.bases.get(old));
        let held = pair.held(Side::Org, &heir.record);
        if let (Some(known), Some(held)) = (known, held)
            && known.org == held
        {
            bases.set(*number, known.clone());
        }
    }
    bases
}

impl Session<'_> {
    /// Lets the links of converted leads follow to what the leads became.
    pub(super) async fn follow_moved(&self) -> Result<(), End> {
        for object in self.objects(Side::Org) {
            let name = object.clone();
            let all = self.context.store.write(move |db| moved::all(db, Side::Org, &name)).await?;
            if all.is_empty() {
                continue;
            }
            let (heirs, gone) = self.heirs(&object, &all).await?;
            let (run, now) = (self.run, self.now());
            let mappings = self.mappings.clone();
            self.context
                .store
                .write(move |db| {
                    for one in all {
                        let mut waits = false;
                        // Somebody brought it back before it was converted.
                        for link in links::closed_with(db, &object, one.id.as_str())? {
                            come_back(db, run, now, &link, &Closed::OnOrg, Side::Org)?;
                        }
                        for link in links::of_record(db, Side::Org, &object, one.id.as_str())? {
                            let mapping = mappings.iter().find(|mapping| mapping.row.mapping == link.mapping);
                            let Some(mapping) = mapping else {
                                waits = true;
                                continue;
                            };
                            if mapping.compiled.spec.conversion() == Conversion::TwoRecords {
                                continue;
                            }
                            let heir = heirs.iter().find(|heir| {
                                heir.of == one.id
                                    && mappings
                                        .get(heir.place)
                                        .is_some_and(|target| target.row.family == link.family)
                            });
                            let Some(heir) = heir else {
                                // What it became is deleted already: so is it.
                                if let Some(tombstone) = gone.get(&one.id) {
                                    departures::put(db, link.link, Side::Org, tombstone, now)?;
                                }
                                waits = true;
                                continue;
                            };
                            if let Some(target) = mappings.get(heir.place) {
                                let object = target.compiled.spec.object(Side::Org);
                                let staged = std::slice::from_ref(&heir.staged.record);
                                stage::put(db, Side::Org, object, staged, heir.staged.read_at)?;
                            }
                            let id = &heir.staged.record.id;
                            let why = Closed::ConvertedTo(id.clone());
                            let (mappings, target) = (mappings.as_slice(), heir.place);
                            follow(db, &Follow { run, now, mappings, from: &link, target, id, why: &why })?;
                        }
                        if !waits {
                            moved::remove(db, Side::Org, &object, one.id.as_str())?;
                        }
                    }
                    moved::forget_before(db, now - chrono::TimeDelta::days(15))
                })
                .await?;
        }
        Ok(())
    }

    /// What the moved records became, in the mappings that take part here, the first member that wants them first; and those of
    /// which everything that they became is deleted.
    async fn heirs(
        &self,
        object: &str,
        all: &[Moved],
    ) -> Result<(Vec<Heir>, HashMap<RecordId, Tombstone>), End> {
        let families: Vec<i64> = self
            .mappings
            .iter()
            .filter(|mapping| mapping.compiled.spec.org_object == object)
            .map(|mapping| mapping.row.family)
            .collect();
        let mut heirs = Vec::new();
        let mut gone: HashMap<RecordId, Tombstone> = HashMap::new();
        for (place, mapping) in self.mappings.iter().enumerate() {
            if !families.contains(&mapping.row.family) {
                continue;
            }
            let spec = &mapping.compiled.spec;
            let mut wanted: HashMap<RecordId, RecordId> = HashMap::new();
            for one in all {
                let targets =
                    one.to.iter().filter(|(object, _)| object.eq_ignore_ascii_case(&spec.org_object));
                wanted.extend(targets.map(|(_, id)| (one.id.clone(), id.clone())));
            }
            if wanted.is_empty() {
                continue;
            }
            let mut ids: Vec<RecordId> = wanted.values().cloned().collect();
            ids.sort();
            ids.dedup();
            let read_at = self.now();
            let selection = &mapping.compiled.selection[Side::Org];
            let records = self.context.endpoints[Side::Org].read(&spec.org_object, selection, &ids).await?;
            let unreadable: Vec<RecordId> =
                ids.into_iter().filter(|id| !records.iter().any(|record| record.id == *id)).collect();
            let fates = self.certainly_gone(Side::Org, &spec.org_object, &unreadable).await?;
            for (of, id) in &wanted {
                if let Some(tombstone) = fates.get(id).filter(|tombstone| tombstone.merged_into.is_none()) {
                    gone.insert(of.clone(), tombstone.clone());
                }
            }
            for record in records {
                if !mapping.compiled.in_scope(Side::Org, &record) {
                    continue;
                }
                for (of, _) in wanted.iter().filter(|(_, id)| **id == record.id) {
                    let staged = Staged { record: record.clone(), read_at };
                    heirs.push(Heir { of: of.clone(), place, staged });
                }
            }
        }
        heirs.sort_by_key(|heir| (heir.place, heir.of.clone()));
        Ok((heirs, gone))
    }
}

/// A record that a moved one became.
struct Heir {
    of: RecordId,
    place: usize,
    staged: Staged,
}
