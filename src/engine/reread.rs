//! The slow re-read: in each run a slice of the linked records is read by id, so that what moves no stamp is seen, too.
//!
//! A formula field, a right that was granted later, a commit that came later than the overlap: no feed tells of them (law E4).
//! The slice is taken in the order of links; within `100 / percent` days every link has had its turn.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::{StoreError, audit, mappings, stage};

/// Under which name the state database remembers the last link that had its turn, and when.
const PLACE: &str = "reread";

/// A slice smaller than this waits, so that an idle run stays free; but no longer than a day.
const WORTH_A_CALL: u64 = 200;

/// No slice is larger than this, so that no run is held up.
const MOST: u64 = 5_000;

/// How many links are due, or none while they are too few to be worth a call.
fn due(links: u64, percent_per_day: u64, since: TimeDelta) -> u64 {
    let seconds = u64::try_from(since.num_seconds()).unwrap_or(0).min(86_400);
    let share = links.saturating_mul(percent_per_day).saturating_mul(seconds).div_ceil(100 * 86_400);
    if share >= WORTH_A_CALL || seconds >= 86_400 { share.min(MOST) } else { 0 }
}

/// The last link that had its turn, and when that was.
fn place(db: &rusqlite::Connection) -> Result<Option<(i64, DateTime<Utc>)>, StoreError> {
    let text = mappings::remembered(db, PLACE)?;
    Ok(text.and_then(|text| {
        let (link, at) = text.split_once(' ')?;
        Some((link.parse().ok()?, DateTime::from_timestamp_millis(at.parse().ok()?)?))
    }))
}

fn remember(db: &rusqlite::Connection, link: i64, at: DateTime<Utc>) -> Result<(), StoreError> {
    mappings::remember(db, PLACE, &format!("{link} {}", at.timestamp_millis()))
}

impl Session<'_> {
    /// Stages the links whose turn it is, on both sides.
    pub(super) async fn reread(&mut self) -> Result<(), End> {
        let percent = self.context.options.reread_percent_per_day;
        if percent == 0 {
            return Ok(());
        }
        let numbers: Vec<i64> = self.mappings.iter().map(|mapping| mapping.row.mapping).collect();
        let now = self.now();
        let asked = numbers.clone();
        let slice = self
            .context
            .store
            .write(move |db| {
                let Some((last, at)) = place(db)? else {
                    remember(db, 0, now)?;
                    return Ok(Vec::new());
                };
                // The kept total, so that a run that finds nothing new counts nothing.
                let total = u64::try_from(mappings::counted(db, "links")?).unwrap_or(0);
                let due = due(total, percent, now - at);
                if due == 0 {
                    return Ok(Vec::new());
                }
                let mut slice = audit::links_after(db, &asked, last, due)?;
                if (slice.len() as u64) < due.min(total) {
                    // Once around: from the first link on, but no link twice.
                    let rest = due.min(total) - slice.len() as u64;
                    let begin = audit::links_after(db, &asked, 0, rest)?;
                    slice.extend(begin.into_iter().filter(|(link, ..)| *link <= last));
                }
                Ok(slice)
            })
            .await?;
        let Some(last) = slice.last().map(|(link, ..)| *link) else { return Ok(()) };
        for place in 0..self.mappings.len() {
            let mapping = self.mappings[place].row.mapping;
            for side in Side::BOTH {
                let mut ids: Vec<_> = slice
                    .iter()
                    .filter(|(_, known, _)| *known == mapping)
                    .map(|(_, _, ids): &(i64, i64, PerSide<_>)| ids[side].clone())
                    .collect();
                if ids.is_empty() {
                    continue;
                }
                ids.sort();
                ids.dedup();
                let object = self.mappings[place].compiled.spec.object(side).to_owned();
                let selection = self.selection(side, &object);
                let read_at = self.now();
                let records = self.context.endpoints[side].read_early(&object, &selection, &ids).await?;
                self.counts.read += records.len() as u64;
                self.context.store.write(move |db| stage::put(db, side, &object, &records, read_at)).await?;
            }
        }
        // The turn counts once it is staged: what a crash loses now is read again from the cursor or in the next round.
        self.context.store.write(move |db| remember(db, last, now)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_slice_waits_for_a_day_and_a_large_one_does_not() {
        let hours = TimeDelta::hours;
        assert_eq!(due(60, 15, hours(12)), 0);
        assert_eq!(due(60, 15, hours(24)), 9);
        assert_eq!(due(18_000, 15, TimeDelta::minutes(5)), 0);
        assert_eq!(due(18_000, 15, hours(2)), 225);
        assert_eq!(due(10_000_000, 15, hours(24)), MOST);
    }
}
