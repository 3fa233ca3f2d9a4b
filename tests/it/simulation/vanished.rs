//! A record that can't be read any more, without anybody saying that it was deleted (law E9).

use forcesync::domain::mapping::DeletePolicy;
use forcesync::domain::outcome::RunKind;
use forcesync::domain::side::Side;

use super::history::History;

#[test]
fn e9_what_cannot_be_read_is_missing_and_never_deleted() {
    for deletes in [DeletePolicy::Ignore, DeletePolicy::Propagate] {
        for side in Side::BOTH {
            let (missing, removals) = History::new(7).without_trouble(deletes, RunKind::Initial, |state| {
                let objects = &mut state.objects[side];
                for records in objects.values_mut() {
                    // As if this user could no longer see them.
                    records.clear();
                }
            });
            assert!(missing > 0, "{deletes:?} {side}");
            assert_eq!(removals, 0, "{deletes:?} {side}");
        }
    }
}
