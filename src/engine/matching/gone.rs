//! Tombstones close links (law E9).

use crate::domain::side::Side;
use crate::engine::context::End;
use crate::engine::session::{Session, both};
use crate::store::links::{self, Closed};
use crate::store::stage::{self};

impl Session<'_> {
    /// Only a tombstone is a delete: its link is closed and listed (law E9, policy `ignore`).
    pub(super) async fn close_gone(&self) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let places: Vec<(usize, i64, i64)> = self
                    .mappings
                    .iter()
                    .enumerate()
                    .filter(|(_, mapping)| mapping.compiled.spec.object(side) == object)
                    .map(|(place, mapping)| (place, mapping.row.mapping, mapping.row.family))
                    .collect();
                let (run, now) = (self.run, self.now());
                let names: Vec<String> =
                    self.mappings.iter().map(|mapping| mapping.compiled.spec.name.clone()).collect();
                self.context
                    .store
                    .write(move |db| {
                        for tombstone in stage::gone(db, side, &object)? {
                            // Seen alive after it went: it is back.
                            let alive = stage::get(db, side, &object, tombstone.id.as_str(), 0)?;
                            if alive.is_some_and(|alive| {
                                tombstone.at.is_none_or(|at| alive.record.stamp.is_none_or(|stamp| stamp >= at))
                            }) {
                                continue;
                            }
                            stage::remove(db, side, &object, tombstone.id.as_str())?;
                            for link in links::of_record(db, side, tombstone.id.as_str())? {
                                let Some((place, _, _)) =
                                    places.iter().find(|(_, mapping, _)| *mapping == link.mapping)
                                else {
                                    continue;
                                };
                                let why = match (side, &tombstone.merged_into) {
                                    (Side::Org, Some(winner)) => Closed::MergedInto(winner.clone()),
                                    (Side::Org, None) => Closed::OnOrg,
                                    (Side::Platform, _) => Closed::OnPlatform,
                                };
                                links::close(db, link.link, &why)?;
                                let ids = both(&link.ids);
                                crate::store::history::put(
                                    db,
                                    now,
                                    &crate::store::history::NewHistory {
                                        run,
                                        mapping: link.mapping,
                                        ids: &ids,
                                        side,
                                        action: "closed",
                                        changes: &[],
                                    },
                                )?;
                                let message = match side {
                                    Side::Org => "Deleted in Salesforce; its link is closed and the platform's record stays.",
                                    Side::Platform => "Deleted on the platform; its link is closed and the org's record stays.",
                                };
                                crate::store::facts::insert(
                                    db,
                                    now,
                                    &crate::store::facts::NewFact::new(
                                        crate::domain::report::Level::Info,
                                        Some(run),
                                        message,
                                    )
                                    .of_mapping(names.get(*place).map_or("", String::as_str))
                                    .about(&ids),
                                )?;
                            }
                        }
                        Ok(())
                    })
                    .await?;
            }
        }
        Ok(())
    }
}

/// The record that was gone is back: its link is open again, and history says so.
pub(super) fn reopen(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    side: Side,
    link: &links::Link,
) -> Result<(), crate::store::StoreError> {
    links::reopen(db, link.link)?;
    let ids = both(&link.ids);
    let row = crate::store::history::NewHistory {
        run,
        mapping: link.mapping,
        ids: &ids,
        side,
        action: "reopened",
        changes: &[],
    };
    crate::store::history::put(db, now, &row).map(drop)
}
