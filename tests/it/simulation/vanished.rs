//! A record that can't be read any more, without anybody saying that it was deleted (law E9).

use forcesync::domain::mapping::DeletePolicy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;

use super::database;
use super::edits::populate;
use super::history::History;
use super::manner::Manner;
use super::settings::mappings;
use super::verdict::Verdict;
use super::world::{State, Trouble, World};

impl History {
    /// An initial sync in peace, then something happens, then another run: gives how many records are listed as missing and how
    /// many were deleted.
    pub fn without_trouble(
        self,
        manner: Manner,
        deletes: DeletePolicy,
        kind: RunKind,
        happens: impl FnOnce(&mut State),
    ) -> (u64, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::with(self.seed, manner);
            let store = database::fresh();
            let mut mappings = mappings(&world);
            for mapping in &mut mappings {
                mapping.deletes = deletes;
                mapping.deactivate = None;
                mapping.sync_flag = None;
            }
            populate(&world);
            world.lock().trouble = Trouble::default();
            let mut verdict = Verdict::default();
            self.expect_through(&world, &store, &mappings, RunKind::Initial, &mut verdict).await;
            happens(&mut world.lock());
            world.clock.advance(600_000);
            self.expect_through(&world, &store, &mappings, kind, &mut verdict).await;
            assert!(verdict.is_clean(), "{verdict}");
            let missing = store
                .write(|db| {
                    let sql = "SELECT count(*) FROM issue WHERE code='missing' AND open=1";
                    Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?)
                })
                .await
                .unwrap();
            let removals = world.lock().judge.removals;
            (u64::try_from(missing).unwrap(), removals)
        })
    }
}

#[test]
fn e9_what_cannot_be_read_is_missing_and_never_deleted() {
    for manner in (0..Manner::NUMBER).map(Manner::of) {
        for deletes in [DeletePolicy::Ignore, DeletePolicy::Propagate] {
            for side in Side::BOTH {
                let vanish = |state: &mut State| {
                    let objects = &mut state.objects[side];
                    for records in objects.values_mut() {
                        // As if this user could no longer see them.
                        records.clear();
                    }
                };
                let history = History::new(7);
                let (missing, removals) =
                    history.without_trouble(manner.clone(), deletes, RunKind::Initial, vanish);
                assert!(missing > 0, "{} {deletes:?} {side}", manner.name);
                assert_eq!(removals, 0, "{} {deletes:?} {side}", manner.name);
            }
        }
    }
}
