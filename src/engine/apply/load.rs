//! A chunk as it is loaded: the records that are staged, the links with their bases, and what waits or was decided about them.

use crate::domain::plan::{PING_PONG, UNKNOWN_OUTCOME};
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::decide::Decision;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::holds::Holds;
use crate::store::work::Work;
use crate::store::{StoreError, decisions, departures, links, pending, seen, stage, turns};

impl Session<'_> {
    pub(super) async fn load(&self, chunk: Vec<Work>) -> Result<Vec<Item>, End> {
        let shapes: Vec<PerSide<(String, usize)>> = self
            .mappings
            .iter()
            .map(|mapping| {
                PerSide::from_fn(|side| {
                    (mapping.compiled.spec.object(side).to_owned(), mapping.compiled.selection[side].len())
                })
            })
            .collect();
        let (run, now) = (self.run, self.now());
        let numbers: Vec<i64> = self.mappings.iter().map(|mapping| mapping.row.mapping).collect();
        Ok(self
            .context
            .store
            .write(move |db| {
                let mut items = Vec::with_capacity(chunk.len());
                let (by_hand, holds) = (decisions::any(db)?, Holds::look(db)?);
                let any_seen = seen::any(db)?;
                for work in chunk {
                    let Some(shape) = shapes.get(work.mapping) else { continue };
                    let link = match work.link {
                        Some(number) => links::get(db, number)?,
                        None => None,
                    };
                    // Closed since it became work, because its record lives on as another.
                    if link.as_ref().is_some_and(|link| link.closed.is_some()) {
                        continue;
                    }
                    let waiting = match work.link {
                        Some(number) if holds.parked || holds.turns => waiting(db, number, now)?,
                        Some(_) | None => Vec::new(),
                    };
                    let by_hand = match numbers.get(work.mapping) {
                        Some(mapping)
                            if by_hand && Side::BOTH.iter().all(|side| work.ids[*side].is_some()) =>
                        {
                            decisions::of_record(db, *mapping, &work.ids)?
                        }
                        _ => Vec::new(),
                    };
                    let mut records = PerSide::default();
                    for side in Side::BOTH {
                        let Some(id) = &work.ids[side] else { continue };
                        let (object, fields) = &shape[side];
                        // A read older than the base is worth nothing any more (law E2).
                        records[side] =
                            stage::get(db, side, object, id.as_str(), *fields)?.filter(|staged| {
                                broken(Mutant::StaleReadBelieved)
                                    || link.as_ref().is_none_or(|link| {
                                        staged.read_at >= link.read[side]
                                            && !matches!((staged.record.stamp, link.stamps[side]),
                                        (Some(read), Some(known)) if read < known)
                                    })
                            });
                    }
                    let gone = match work.link {
                        Some(number) if holds.departures => departures::get(db, number)?,
                        Some(_) | None => None,
                    };
                    let unsettled = match work.link {
                        Some(number) if holds.parked || holds.pending => pending::is_unsettled(db, number)?,
                        Some(_) | None => false,
                    };
                    let counted = match work.link {
                        Some(number) if any_seen => seen::take(db, number, run)?,
                        Some(_) | None => false,
                    };
                    items.push(Item {
                        counted,
                        unsettled,
                        gone: gone.filter(|departure| departure.state != departures::State::Done),
                        work: work.work,
                        mapping: work.mapping,
                        link,
                        waiting,
                        by_hand,
                        given: false,
                        records,
                        verified: PerSide::default(),
                        decision: Decision::nothing("", work.ids),
                        results: PerSide::default(),
                        looked_up: PerSide::default(),
                        entries: Vec::new(),
                        later: None,
                        undo: None,
                    });
                }
                Ok(items)
            })
            .await?)
    }
}

/// The pairs of a link that may not be written now: an earlier write of unknown outcome, or both sides write them in turn.
fn waiting(
    db: &rusqlite::Connection,
    link: i64,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<(i64, &'static str)>, StoreError> {
    let unclear = pending::parked_for(db, link, UNKNOWN_OUTCOME)?;
    let mut waiting: Vec<(i64, &'static str)> =
        unclear.into_iter().map(|pair| (pair, UNKNOWN_OUTCOME)).collect();
    if !broken(Mutant::FightGoesOn) {
        let fights = pending::parked_for(db, link, PING_PONG)?;
        let begun = turns::fighting(db, link, now)?;
        waiting.extend(fights.into_iter().chain(begun).map(|pair| (pair, PING_PONG)));
    }
    Ok(waiting)
}
