//! Tombstones become departures, and departures either close their link or become work (law E9).

use crate::domain::mapping::DeletePolicy;
use crate::domain::port::Tombstone;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::{close_departure, effective_policy, was_refused};
use crate::engine::context::End;
use crate::engine::matching::moved::{Follow, follow};
use crate::engine::session::{Prepared, Session, both};
use crate::store::departures::{self, Departure, State};
use crate::store::links::{self, Closed, Link};
use crate::store::seen::{self, Alive};
use crate::store::{StoreError, contested, history, issues, pending, stage, work};

impl Session<'_> {
    /// Only a tombstone is a delete. What it means for the other side is the mapping's policy.
    pub(super) async fn close_gone(&self) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let (run, now) = (self.run, self.now());
                let mappings = self.mappings.clone();
                self.context
                    .store
                    .write(move |db| {
                        for tombstone in stage::gone(db, side, &object)? {
                            let alive = read_alive(db, side, &object, &tombstone.id)?;
                            if alive.is_some_and(|alive| is_back(alive, tombstone.at)) {
                                continue;
                            }
                            stage::remove(db, side, &object, tombstone.id.as_str())?;
                            let open = links::of_record(db, side, &object, tombstone.id.as_str())?;
                            // What was wrong with it is wrong no more; but a merge leaves something to do behind, and a refused delete
                            // is told until something comes of it.
                            let told = tombstone.merged_into.is_some() || any_refused(db, &open)?;
                            let mut ids = PerSide::default();
                            ids[side] = Some(tombstone.id.clone());
                            for mapping in mappings.iter().filter(|_| !told) {
                                if mapping.compiled.spec.object(side) == object {
                                    issues::resolve(db, mapping.row.mapping, &ids)?;
                                }
                            }
                            contested::gone(db, side, &tombstone.id)?;
                            for link in open {
                                depart(db, run, now, &mappings, &link, side, &tombstone)?;
                            }
                            for link in links::left_behind(db, side, &object, tombstone.id.as_str())? {
                                links::bury(db, &link, side, &tombstone, now)?;
                            }
                        }
                        Ok(())
                    })
                    .await?;
            }
        }
        // Merges first: what they re-point may be gone as well.
        for merges in [true, false] {
            let (run, now) = (self.run, self.now());
            let mappings = self.mappings.clone();
            self.context
                .store
                .write(move |db| {
                    for (place, mapping) in mappings.iter().enumerate() {
                        for departure in departures::of_mapping(db, mapping.row.mapping)? {
                            let merged = departure.side == Side::Org && departure.merged_into.is_some();
                            if merged == merges {
                                settle(db, run, now, &mappings, place, &departure)?;
                            }
                        }
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }
}

/// A record that this run has read, staged or seen as it last was.
fn read_alive(
    db: &rusqlite::Connection,
    side: Side,
    object: &str,
    id: &RecordId,
) -> Result<Option<Alive>, StoreError> {
    match stage::get(db, side, object, id.as_str(), 0)? {
        Some(staged) => Ok(Some(Alive { stamp: staged.record.stamp })),
        None => seen::alive(db, side, object, id.as_str()),
    }
}

/// Whether a record was read alive after it went.
fn is_back(alive: Alive, gone_at: Option<chrono::DateTime<chrono::Utc>>) -> bool {
    gone_at.is_none_or(|at| alive.stamp.is_none_or(|stamp| stamp >= at))
}

/// Whether the service refused what would follow for one of these links.
fn any_refused(db: &rusqlite::Connection, links: &[Link]) -> Result<bool, StoreError> {
    for link in links {
        if departures::get(db, link.link)?
            .is_some_and(|known| matches!(known.state, State::Refused | State::Asked))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a linked record that was read says nothing new: its counterpart is gone, the delete that followed was refused, and nobody has
/// touched it since or asked for the delete again.
pub(super) fn stays_refused(
    db: &rusqlite::Connection,
    mapping: &Prepared,
    link: i64,
    side: Side,
    record: &Record,
) -> Result<bool, StoreError> {
    let refused =
        departures::get(db, link)?.filter(|known| known.state == State::Refused && known.side != side);
    Ok(refused.is_some_and(|departure| was_refused(mapping, &departure, side, record)))
}

/// Notes that one side of a link is gone; where the other one is gone too, nothing is left to do.
fn depart(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mappings: &[Prepared],
    link: &Link,
    side: Side,
    tombstone: &Tombstone,
) -> Result<(), StoreError> {
    let known = departures::get(db, link.link)?.filter(|known| known.state != State::Done);
    match (known, mappings.iter().find(|mapping| mapping.row.mapping == link.mapping)) {
        (Some(known), Some(mapping)) if known.side != side => {
            close_departure(db, run, now, mapping, link, &known, "closed", &[]).map(drop)
        }
        _ => departures::put(db, link.link, side, tombstone, now),
    }
}

/// Takes a departure one step further.
fn settle(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mappings: &[Prepared],
    place: usize,
    departure: &Departure,
) -> Result<(), StoreError> {
    let (Some(mapping), Some(link)) = (mappings.get(place), links::get(db, departure.link)?) else {
        return Ok(());
    };
    let side = departure.side;
    let object = mapping.compiled.spec.object(side);
    let alive = read_alive(db, side, object, &link.ids[side])?;
    if departure.state == State::Done {
        // Both were gone, and the link was made anew.
        return departures::remove(db, link.link);
    }
    // A stamp that tells the day alone may mean its end. What is taken for back too early is gone when it is read by its id.
    let grain = mapping.capabilities[side].stamps.grain();
    if alive.is_some_and(|alive| is_back(alive, departure.at.and_then(|at| at.checked_sub_signed(grain)))) {
        // It is back: the link goes on, and so does what was parked for it. What people did to the other record meanwhile was passed
        // over, so both are read once more.
        departures::remove(db, link.link)?;
        return pending::put(db, link.mapping, Side::Org, &link.ids.org, "back", now, Some(now));
    }
    if let (Side::Org, Some(winner)) = (side, &departure.merged_into) {
        let to = stage::gone_of(db, side, object, winner.as_str())?.and_then(|gone| gone.merged_into);
        let winner = to.unwrap_or_else(|| winner.clone());
        let why = Closed::MergedInto(winner.clone());
        let what = Follow { run, now, mappings, from: &link, target: place, id: &winner, why: &why };
        return follow(db, &what);
    }
    match (effective_policy(mapping, side.other()), departure.state) {
        (DeletePolicy::Ignore, _) => {
            close_departure(db, run, now, mapping, &link, departure, "closed", &[]).map(drop)
        }
        // A person decides it, or asks for it again.
        (DeletePolicy::Propagate, State::Parked) | (_, State::Refused) => Ok(()),
        (DeletePolicy::Deactivate | DeletePolicy::Propagate, _) => {
            work::put(db, place, Some(link.link), &both(&link.ids))
        }
    }
}

/// What becomes of a closed link whose record was seen alive.
pub(super) enum Back {
    /// The link is open again, with the bases it had.
    Reopened,
    /// Both were deleted, one of them by us: whichever is back is a new one.
    Anew,
    /// It is the record that was left, or its counterpart belongs to somebody else by now.
    Blocked,
}

/// A record of a closed link was seen alive: perhaps it was gone and is back (law E9).
pub(super) fn come_back(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    link: &Link,
    why: &Closed,
    side: Side,
) -> Result<Back, StoreError> {
    if departures::get(db, link.link)?.is_some_and(|departure| departure.state == State::Done) {
        return Ok(Back::Anew);
    }
    if !matches!((why, side), (Closed::OnOrg, Side::Org) | (Closed::OnPlatform, Side::Platform)) {
        return Ok(Back::Blocked);
    }
    let holder = links::by_platform(db, link.family, link.ids.platform.as_str())?;
    if holder.is_some_and(|holder| holder.closed.is_none()) {
        return Ok(Back::Blocked);
    }
    departures::remove(db, link.link)?;
    reopen(db, run, now, side, link)?;
    // What people did to the other record meanwhile was passed over; both are read once more.
    pending::put(db, link.mapping, Side::Org, &link.ids.org, "reopened", now, Some(now))?;
    Ok(Back::Reopened)
}

/// Two records without a link were found to belong together. If they were linked before they were both deleted and brought back, what
/// either side held then says who has edited what since, so their link goes on (laws E2, E9).
pub(super) fn met_again(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Option<i64>, StoreError> {
    let (Some(org), Some(platform)) = (&ids.org, &ids.platform) else { return Ok(None) };
    let known = links::by_org(db, mapping, org.as_str())?;
    let Some(link) = known.filter(|link| link.ids.platform == *platform) else { return Ok(None) };
    let side = match link.closed {
        Some(Closed::OnOrg) => Side::Org,
        Some(Closed::OnPlatform) => Side::Platform,
        _ => return Ok(None),
    };
    departures::remove(db, link.link)?;
    reopen(db, run, now, side, &link)?;
    Ok(Some(link.link))
}

/// The record that was gone is back: its link is open again, and history says so.
fn reopen(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    side: Side,
    link: &links::Link,
) -> Result<(), StoreError> {
    links::reopen(db, link.link)?;
    history::put_link(db, now, run, (link.mapping, &link.ids), side, "reopened")
}
