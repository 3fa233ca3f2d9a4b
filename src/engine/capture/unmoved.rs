//! Most records of a large read, and nearly all that a feed brings back of our own writes, hold what they last held. Such a record is
//! not staged: alone it changes nothing, and where the other side moved, the base says what it holds (law E2).
//!
//! Whatever waits for a person, for another try or for its counterpart is looked at as ever.

use rusqlite::Connection;

use crate::domain::compiled::CompiledPair;
use crate::domain::mapping::Policy;
use crate::domain::merge::{Seen, Verdict, merge};
use crate::domain::outcome::RunKind;
use crate::domain::port::Page;
use crate::domain::record::Record;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::session::{Prepared, Session};
use crate::mutant::{Mutant, broken};
use crate::store::holds::Holds;
use crate::store::links::{self, Link};
use crate::store::{StoreError, decisions, seen, stage};

/// What a page of an object is held against.
pub(super) struct Known {
    side: Side,
    object: String,
    run: i64,
    /// The mappings of the object, with their places in the run.
    mappings: Vec<(usize, Prepared)>,
}

impl Session<'_> {
    /// What the pages of an object are held against; `None` where all of them are staged.
    pub(super) fn known(&self, side: Side, object: &str) -> Option<Known> {
        let kind = self.request.kind;
        let reads = matches!(kind, RunKind::Initial | RunKind::Instant | RunKind::Automatic);
        // A plan, and what is held against one, speaks of every record.
        if !reads || !self.plan.is_free() || broken(Mutant::OneBaseForBoth) {
            return None;
        }
        let of_object = |mapping: &&Prepared| mapping.compiled.spec.object(side) == object;
        let mappings: Vec<(usize, Prepared)> = self
            .mappings
            .iter()
            .enumerate()
            .filter(|(_, mapping)| of_object(mapping))
            .map(|(place, mapping)| (place, mapping.clone()))
            .collect();
        Some(Known { side, object: object.to_owned(), run: self.run, mappings })
    }
}

impl Known {
    /// Whether it is about this object.
    pub(super) fn is_of(&self, object: &str) -> bool {
        self.object == object
    }

    /// Takes the records from a page that hold what they last held; tells how many there were for each mapping, each link once.
    pub(super) fn set_aside(
        &self,
        db: &Connection,
        page: &mut Page,
        read_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<(usize, u64)>, StoreError> {
        let mut linked = false;
        for (_, mapping) in &self.mappings {
            linked |= links::any_of_family(db, mapping.row.family)?;
        }
        if page.records.is_empty() || !linked {
            return Ok(Vec::new());
        }
        let holds = Holds::look(db)?;
        let may_wait =
            holds.parked || holds.departures || holds.pending || holds.issues || decisions::any(db)?;
        let staged = stage::has(db, self.side, &self.object, None)?;
        let mut counts: Vec<(usize, u64)> = self.mappings.iter().map(|(place, _)| (*place, 0)).collect();
        let mut kept = Vec::with_capacity(page.records.len());
        for record in std::mem::take(&mut page.records) {
            let Some(links) = self.unmoved(db, &record, (staged, may_wait))? else {
                kept.push(record);
                continue;
            };
            for (place, mapping, link) in links {
                if asks_when(mapping) {
                    links::seen_equal(db, link.link, self.side, read_at)?;
                }
                let first = seen::put(db, link.link, self.side, &self.object, record.stamp, self.run)?;
                if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == place) {
                    *count += u64::from(first);
                }
            }
        }
        page.records = kept;
        Ok(counts)
    }

    /// The links of a record for which there is nothing to do, if that is so for all of them.
    fn unmoved(
        &self,
        db: &Connection,
        record: &Record,
        (staged, may_wait): (bool, bool),
    ) -> Result<Option<Vec<(usize, &Prepared, Link)>>, StoreError> {
        let id = record.id.as_str();
        // An older read of it may say something else, and this one replaces it.
        if !record.became.is_empty() || (staged && stage::has(db, self.side, &self.object, Some(id))?) {
            return Ok(None);
        }
        let Some(found) = self.links(db, id)? else { return Ok(None) };
        for (_, mapping, link) in &found {
            let same = broken(Mutant::SameStampIsUnmoved)
                && record.stamp.is_some_and(|stamp| link.stamps[self.side] == Some(stamp));
            let same = same || holds_base(mapping, self.side, record, link);
            if !same || (may_wait && links::waits(db, link)?) {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The open links of a record, with the mapping of each and its place; `None` where a mapping would still look for one.
    ///
    /// In the org each mapping has its own link of a record, on the platform a family has one, whichever of its mappings made it.
    fn links(&self, db: &Connection, id: &str) -> Result<Option<Vec<(usize, &Prepared, Link)>>, StoreError> {
        let mut found: Vec<(usize, &Prepared, Link)> = Vec::with_capacity(1);
        let mut families: Vec<i64> = Vec::with_capacity(1);
        for (place, mapping) in &self.mappings {
            let row = &mapping.row;
            let link = match self.side {
                Side::Org => links::by_org(db, row.mapping, id)?,
                Side::Platform if families.contains(&row.family) => continue,
                Side::Platform => {
                    families.push(row.family);
                    links::by_platform(db, row.family, id)?
                }
            };
            let Some(link) = link.filter(|link| link.closed.is_none()) else { return Ok(None) };
            let of_link = |(_, known): &&(usize, Prepared)| known.row.mapping == link.mapping;
            if link.mapping == row.mapping {
                found.push((*place, mapping, link));
            } else if let Some((place, mapping)) = self.mappings.iter().find(of_link) {
                found.push((*place, mapping, link));
            }
        }
        Ok((!found.is_empty()).then_some(found))
    }
}

/// Whether a pair of the mapping asks when a side was last seen equal to its base.
fn asks_when(mapping: &Prepared) -> bool {
    mapping.compiled.pairs.iter().any(|pair| pair.spec.policy == Policy::NewestWins)
}

/// Whether a record holds what its side last held, and nothing would come of that.
fn holds_base(mapping: &Prepared, side: Side, record: &Record, link: &Link) -> bool {
    mapping.compiled.pairs.iter().zip(&mapping.row.pairs).all(|(pair, number)| {
        link.bases.get(*number).is_some_and(|base| {
            pair.holds(side, record, &base[side]) == Some(true)
                && (!pair.spec.transform.is_consent() || is_at_rest(mapping, pair, base))
        })
    })
}

/// Whether a consent pair of which both sides hold their base has nothing to send (law E3).
fn is_at_rest(mapping: &Prepared, pair: &CompiledPair, base: &PerSide<Vec<Value>>) -> bool {
    let now = PerSide::from_fn(|side| Seen { raw: base[side].clone(), folded: base[side].clone() });
    merge(pair, mapping.compiled.spec.first_meeting, &now, Some(base), &PerSide::default())
        == Verdict::Settled
}
