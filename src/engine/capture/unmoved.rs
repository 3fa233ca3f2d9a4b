//! Most records of a large read, and nearly all that a feed brings back of our own writes, hold what they last held. Such a record is
//! not staged: alone it changes nothing, and where the other side moved, the base says what it holds (law E2).
//!
//! Whatever waits for a person, for another try or for its counterpart is looked at as ever.

use std::collections::HashSet;

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
use crate::store::links::{self, Bases, Glance};
use crate::store::{StoreError, decisions, seen};

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
        let mut same = self.unmoved(db, &page.records)?;
        let holds = Holds::look(db)?;
        if holds.parked || holds.departures || holds.pending || holds.issues || decisions::any(db)? {
            same = still(db, same)?;
        }
        let mut counts: Vec<(usize, u64)> = self.mappings.iter().map(|(place, _)| (*place, 0)).collect();
        // A record may come twice, and each link counts once.
        let mut links: HashSet<i64> = HashSet::with_capacity(same.len());
        for same in &same {
            if asks_when(same.mapping) {
                links::seen_equal(db, same.link, self.side, read_at)?;
            }
            if links.insert(same.link)
                && same.first
                && let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == same.place)
            {
                *count += 1;
            }
        }
        let stamp = |same: &Same<'_>| page.records.get(same.record).and_then(|record| record.stamp);
        let of_links = same.iter().map(|same| (same.link, stamp(same)));
        seen::put(db, (self.side, &self.object), self.run, &of_links.collect::<Vec<_>>())?;
        let aside: HashSet<usize> = same.iter().map(|same| same.record).collect();
        let mut place = 0;
        page.records.retain(|_| {
            place += 1;
            !aside.contains(&(place - 1))
        });
        Ok(counts)
    }

    /// The links of those records for which there is nothing to do, where that is so for all links of a record; none of a record for
    /// which a mapping would still look for one.
    ///
    /// In the org each mapping has its own link of a record, on the platform a family has one, whichever of its mappings made it.
    fn unmoved(&self, db: &Connection, records: &[Record]) -> Result<Vec<Same<'_>>, StoreError> {
        let mut stays: Vec<bool> = records.iter().map(|record| record.became.is_empty()).collect();
        let mut found: Vec<Same<'_>> = Vec::with_capacity(records.len());
        let mut numbers: Vec<i64> = Vec::with_capacity(1);
        for (_, mapping) in &self.mappings {
            let number = match self.side {
                Side::Org => mapping.row.mapping,
                Side::Platform => mapping.row.family,
            };
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        for number in numbers {
            let mut asked: Vec<usize> = (0..records.len()).filter(|record| stays[*record]).collect();
            asked.sort_unstable_by(|one, other| records[*one].id.cmp(&records[*other].id));
            // Whoever has no link does not stay.
            stays.fill(false);
            let ids = asked.iter().map(|record| records[*record].id.as_str());
            let place = (self.side, self.object.as_str());
            links::glance(db, place, (number, self.run), ids, |at, link| {
                let Some(record) = asked.get(at).copied() else { return Ok(()) };
                match self.judge((record, &records[record]), link)? {
                    Looked::Moved => {}
                    Looked::Foreign => stays[record] = true,
                    Looked::Same(same) => {
                        stays[record] = true;
                        found.push(same);
                    }
                }
                Ok(())
            })?;
        }
        found.retain(|same| stays[same.record]);
        Ok(found)
    }

    fn judge(&self, (number, record): (usize, &Record), link: &Glance<'_>) -> Result<Looked<'_>, StoreError> {
        // An older read of it may say something else, and this one replaces it.
        if link.staged {
            return Ok(Looked::Moved);
        }
        let Some((place, mapping)) =
            self.mappings.iter().find(|(_, known)| known.row.mapping == link.mapping)
        else {
            return Ok(Looked::Foreign);
        };
        let stamped =
            broken(Mutant::SameStampIsUnmoved) && record.stamp.is_some() && link.stamp == record.stamp;
        if !stamped && !holds_base(mapping, self.side, record, link.bases)? {
            return Ok(Looked::Moved);
        }
        Ok(Looked::Same(Same { record: number, place: *place, mapping, link: link.link, first: !link.seen }))
    }
}

/// Those of which nothing waits; a record of which anything waits is left out with all its links.
fn still<'a>(db: &Connection, mut same: Vec<Same<'a>>) -> Result<Vec<Same<'a>>, StoreError> {
    let mut waiting: HashSet<usize> = HashSet::new();
    for same in &same {
        let link = links::get(db, same.link)?;
        if link.map_or(Ok(true), |link| links::waits(db, &link))? {
            waiting.insert(same.record);
        }
    }
    same.retain(|same| !waiting.contains(&same.record));
    Ok(same)
}

/// A link of a record that holds what it last held.
struct Same<'a> {
    /// The place of the record in its page.
    record: usize,
    /// The place of its mapping in the run.
    place: usize,
    mapping: &'a Prepared,
    link: i64,
    /// Whether it is the first of its link's records in this run.
    first: bool,
}

/// What a look at a link told.
enum Looked<'a> {
    /// There may be something to do.
    Moved,
    /// It belongs to a mapping that is not about this object now.
    Foreign,
    Same(Same<'a>),
}

/// Whether a pair of the mapping asks when a side was last seen equal to its base.
fn asks_when(mapping: &Prepared) -> bool {
    mapping.compiled.pairs.iter().any(|pair| pair.spec.policy == Policy::NewestWins)
}

/// Whether a record holds what its side last held, and nothing would come of that.
fn holds_base(mapping: &Prepared, side: Side, record: &Record, bases: &[u8]) -> Result<bool, StoreError> {
    Bases::all_stored(bases, &mapping.row.pairs, |place, base| {
        let Some(pair) = mapping.compiled.pairs.get(place) else { return Ok(false) };
        let (mut values, count) = base.of(side);
        Ok(pair.holds_stored(side, record, &mut values, count)? == Some(true)
            && (!pair.spec.transform.is_consent() || is_at_rest(mapping, pair, &base.to_base()?)))
    })
}

/// Whether a consent pair of which both sides hold their base has nothing to send (law E3).
fn is_at_rest(mapping: &Prepared, pair: &CompiledPair, base: &PerSide<Vec<Value>>) -> bool {
    let now = PerSide::from_fn(|side| Seen { raw: base[side].clone(), folded: base[side].clone() });
    merge(pair, mapping.compiled.spec.first_meeting, &now, Some(base), &PerSide::default())
        == Verdict::Settled
}
