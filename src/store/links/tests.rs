//! Links that are written again: what indexes tell of them follows, and what did not change stays.

use super::*;
use crate::store::testing::fresh;

fn link(platform: &str, key: i64, title: &str) -> NewLink {
    let value = vec![Value::text(title)];
    NewLink {
        mapping: 1,
        family: 1,
        ids: PerSide { org: RecordId::new("o1"), platform: RecordId::new(platform) },
        stamps: PerSide { org: Some(from_millis(7)), platform: None },
        read: PerSide { org: from_millis(8), platform: from_millis(9) },
        keys: PerSide { org: Some(key), platform: Some(key) },
        bases: Bases(vec![(3, PerSide { org: value.clone(), platform: value })]).encode(),
        run: 1,
    }
}

#[test]
fn a_link_that_is_written_again_takes_the_new_base_key_and_record_and_is_open_again() {
    let db = fresh();
    let number = put(&db, &link("p1", 5, "one")).unwrap();
    // Somebody was left out because of its key.
    contested::keep(&db, 1, 1, Side::Org, &RecordId::new("o2"), 5).unwrap();
    let freed = || -> i64 {
        db.query_row("SELECT count(*) FROM contested WHERE freed=1", [], |row| row.get(0)).unwrap()
    };
    for (again, frees) in [(link("p1", 5, "two"), 0), (link("p2", 5, "three"), 0), (link("p2", 6, "four"), 1)]
    {
        assert_eq!(put(&db, &again).unwrap(), number);
        let kept = by_platform(&db, 1, again.ids.platform.as_str()).unwrap().unwrap();
        assert_eq!((kept.link, kept.bases.encode(), &kept.ids), (number, again.bases.clone(), &again.ids));
        assert_eq!((kept.stamps, kept.read), (again.stamps, again.read));
        assert_eq!(by_key(&db, 1, again.keys.org.unwrap()).unwrap().len(), 1);
        assert_eq!(freed(), frees, "{again:?}");
    }
    assert!(by_platform(&db, 1, "p1").unwrap().is_none() && by_key(&db, 1, 5).unwrap().is_empty());
    close(&db, number, &Closed::OnOrg).unwrap();
    assert_eq!(mappings::counted(&db, "links").unwrap(), 0);
    put(&db, &link("p2", 6, "five")).unwrap();
    assert_eq!(
        (get(&db, number).unwrap().unwrap().closed, mappings::counted(&db, "links").unwrap()),
        (None, 1)
    );
}
