//! A look at the links of records that were read, without copies of them: most records of a large read hold what they last held.

use std::rc::Rc;

use chrono::{DateTime, Utc};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};

use crate::domain::side::Side;
use crate::store::links::clues;
use crate::store::{StoreError, from_millis};

/// What a record that was read is held against: its link as it stands in the database.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The link's number.
    pub link: i64,
    /// The mapping's number.
    pub mapping: i64,
    /// The newest stamp seen on this side.
    pub stamp: Option<DateTime<Utc>>,
    /// Whether one of its records was seen in this run already.
    pub seen: bool,
    /// Whether an older read of this record is staged.
    pub staged: bool,
    /// What each side last held.
    pub bases: &'a [u8],
}

/// Shows the open links of records to a judge, with the places that the records have in `ids`, without a copy of them; those that have none
/// are passed over. `number` is that of the mapping, or, for records of the platform, of the family.
///
/// It is one statement for all of them, which costs half as much as one for each. Those of the org cost least in the order of their ids: each is
/// then found beside the one before. Those of the platform are found by clues first, and then looked at in the order of their links.
pub fn glance<'i>(
    db: &Connection,
    (side, object): (Side, &str),
    (number, run): (i64, i64),
    ids: impl Iterator<Item = &'i str>,
    mut judge: impl FnMut(usize, &Glance<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let ids: Vec<&str> = ids.collect();
    let found = match side {
        Side::Org => Vec::new(),
        Side::Platform => clues::find(db, &ids)?,
    };
    let (sql, asked): (_, Vec<Sql>) = match side {
        Side::Org => (
            "SELECT asked.rowid, link.org_id, link.link, link.mapping, link.org_stamp,
                 one.link IS NOT NULL OR other.link IS NOT NULL, stage.id IS NOT NULL, link.base
             FROM rarray(?1) AS asked
             CROSS JOIN link ON link.mapping=?2 AND link.org_id=asked.value AND link.closed=0
             LEFT JOIN seen AS one ON one.link=link.link AND one.side=0 AND one.run=?3
             LEFT JOIN seen AS other ON other.link=link.link AND other.side=1 AND other.run=?3
             LEFT JOIN stage ON stage.side=0 AND stage.object=?4 AND stage.id=asked.value",
            ids.iter().map(|id| Sql::Text((*id).to_owned())).collect(),
        ),
        Side::Platform => (
            "SELECT asked.rowid, link.platform_id, link.link, link.mapping, link.platform_stamp,
                 one.link IS NOT NULL OR other.link IS NOT NULL, stage.id IS NOT NULL, link.base
             FROM rarray(?1) AS asked
             CROSS JOIN link ON link.link=asked.value AND link.family=?2 AND link.closed=0
             LEFT JOIN seen AS one ON one.link=link.link AND one.side=0 AND one.run=?3
             LEFT JOIN seen AS other ON other.link=link.link AND other.side=1 AND other.run=?3
             LEFT JOIN stage ON stage.side=1 AND stage.object=?4 AND stage.id=link.platform_id",
            found.iter().map(|(link, _)| Sql::Integer(*link)).collect(),
        ),
    };
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![Rc::new(asked), number, run, object])?;
    while let Some(row) = rows.next()? {
        let asked = row.get::<_, i64>(0)? as usize - 1;
        let place = found.get(asked).map_or(asked, |(_, place)| *place);
        // A clue may be another id's.
        if ids.get(place).copied() != Some(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?) {
            continue;
        }
        let glance = Glance {
            link: row.get(2)?,
            mapping: row.get(3)?,
            stamp: row.get::<_, Option<i64>>(4)?.map(from_millis),
            seen: row.get(5)?,
            staged: row.get(6)?,
            bases: row.get_ref(7)?.as_blob().map_err(rusqlite::Error::from)?,
        };
        judge(place, &glance)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::side::PerSide;
    use crate::store::testing::fresh;

    /// Places, links, and whether they were seen or are staged.
    fn shown(db: &Connection, side: Side, ids: &[&str]) -> Vec<(usize, i64, bool, bool)> {
        let mut shown = Vec::new();
        let object = if side == Side::Org { "Contact" } else { "contact" };
        glance(db, (side, object), (1, 5), ids.iter().copied(), |place, link| {
            shown.push((place, link.link, link.seen, link.staged));
            Ok(())
        })
        .unwrap();
        shown
    }

    #[test]
    fn open_links_are_shown_with_the_places_of_their_records_and_closed_ones_are_not() {
        let db = fresh();
        db.execute_batch(
            "INSERT INTO link (link, mapping, family, org_id, platform_id, closed, base, run) VALUES
                 (1, 1, 1, 'o1', 'p1', 0, x'', 1), (2, 1, 1, 'o2', 'p2', 1, x'', 1), (3, 1, 1, 'o3', 'p2', 0, x'', 1),
                 (4, 2, 1, 'o1', 'p4', 0, x'', 1), (5, 1, 2, 'o5', 'p1', 0, x'', 1);
             INSERT INTO seen (link, side, object, run) VALUES (1, 1, 'contact', 5), (3, 0, 'Contact', 4);
             INSERT INTO stage (side, object, id, read_at, body) VALUES (0, 'Contact', 'o3', 0, x''), (1, 'other', 'p2', 0, x'');",
        )
        .unwrap();
        for (link, platform) in [(1, "p1"), (2, "p2"), (3, "p2"), (4, "p4"), (5, "p1")] {
            clues::note(&db, link, platform, &PerSide::default()).unwrap();
        }
        assert_eq!(
            shown(&db, Side::Org, &["o1", "o1", "o2", "o3", "o9"]),
            [(0, 1, true, false), (1, 1, true, false), (3, 3, false, true)]
        );
        assert_eq!(
            shown(&db, Side::Platform, &["p4", "p2", "p1", "p9"]),
            [(2, 1, true, false), (1, 3, false, false), (0, 4, false, false)]
        );
        assert!(shown(&db, Side::Platform, &[]).is_empty());
    }
}
