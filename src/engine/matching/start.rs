//! "Going forward" (F151): of a mapping with a start, records take part once one of both was changed from then on.
//!
//! Both sides are matched as ever, so that a record that changes finds the one that was there before (law E1).

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use crate::domain::outcome::RunKind;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::{StoreError, stage};

/// From when on the records of a mapping take part.
#[derive(Clone, Debug)]
pub(super) struct Start {
    since: DateTime<Utc>,
    objects: PerSide<String>,
    /// How coarse the stamps of each side are.
    grains: PerSide<TimeDelta>,
    /// Whether what is staged without a stamp has just changed.
    from_feeds: bool,
}

impl Start {
    /// Whether all that is read of these records was last changed before the start.
    pub(super) fn is_ahead_of(
        &self,
        db: &Connection,
        ids: &PerSide<Option<RecordId>>,
    ) -> Result<bool, StoreError> {
        for side in Side::BOTH {
            let Some(id) = &ids[side] else { continue };
            let stamp = stage::stamp(db, side, &self.objects[side], id.as_str())?;
            // A stamp that tells the day alone may mean its end.
            if stamp.map_or(self.from_feeds, |stamp| stamp + self.grains[side] >= self.since) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Session<'_> {
    /// The start of each mapping that has one.
    pub(super) fn starts(&self) -> Vec<Option<Start>> {
        let from_feeds = matches!(self.request.kind, RunKind::Instant | RunKind::Automatic);
        self.mappings
            .iter()
            .map(|mapping| {
                let spec = &mapping.compiled.spec;
                spec.since.map(|since| Start {
                    since,
                    objects: PerSide::from_fn(|side| spec.object(side).to_owned()),
                    grains: PerSide::from_fn(|side| mapping.capabilities[side].stamps.grain()),
                    from_feeds,
                })
            })
            .collect()
    }

    /// Tells how many records an initial sync left as they were, mapping by mapping.
    pub(super) async fn tell_ahead(&self, left: &[u64]) -> Result<(), End> {
        for (mapping, left) in self.mappings.iter().zip(left) {
            let spec = &mapping.compiled.spec;
            let Some(since) = spec.since.filter(|_| *left > 0 && self.request.kind == RunKind::Initial)
            else {
                continue;
            };
            let (what, they) = if *left == 1 { ("record", "it changes") } else { ("records", "they change") };
            let sentence = format!(
                "{left} {what} last changed before {} until {they}; remove “since” from the mapping to bring all.",
                since.format("%Y-%m-%d %H:%M UTC stay out")
            );
            self.fact(self.say(crate::domain::report::Level::Info, sentence).of_mapping(&spec.name)).await?;
        }
        Ok(())
    }
}
