//! A look at the link of a record that was read, without a copy of it: most records of a large read hold what they last held.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::domain::side::Side;
use crate::store::{StoreError, from_millis};

/// What a record that was read is held against: its link as it stands in the database.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The link's number.
    pub link: i64,
    /// The mapping's number.
    pub mapping: i64,
    /// Whether it is open.
    pub open: bool,
    /// The newest stamp seen on this side.
    pub stamp: Option<DateTime<Utc>>,
    /// Whether one of its records was seen in this run already.
    pub seen: bool,
    /// Whether an older read of this record is staged.
    pub staged: bool,
    /// What each side last held.
    pub bases: &'a [u8],
}

/// Shows the link of a record without a copy of it; nothing where it has none. `number` is that of the mapping, or, for a record of the
/// platform, of the family.
pub fn glance<T>(
    db: &Connection,
    (side, object): (Side, &str),
    (number, run): (i64, i64),
    id: &str,
    judge: impl FnOnce(&Glance<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(match side {
        Side::Org => {
            "SELECT link, mapping, closed=0, org_stamp, EXISTS (SELECT 1 FROM seen WHERE seen.link=link.link AND run=?3),
                 EXISTS (SELECT 1 FROM stage WHERE side=0 AND object=?4 AND id=?2), base
             FROM link WHERE mapping=?1 AND org_id=?2"
        }
        Side::Platform => {
            "SELECT link, mapping, closed=0, platform_stamp,
                 EXISTS (SELECT 1 FROM seen WHERE seen.link=link.link AND run=?3),
                 EXISTS (SELECT 1 FROM stage WHERE side=1 AND object=?4 AND id=?2), base
             FROM link WHERE family=?1 AND platform_id=?2 ORDER BY CASE closed WHEN 0 THEN 0 ELSE link END LIMIT 1"
        }
    })?;
    let mut rows = statement.query(params![number, id, run, object])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let glance = Glance {
        link: row.get(0)?,
        mapping: row.get(1)?,
        open: row.get(2)?,
        stamp: row.get::<_, Option<i64>>(3)?.map(from_millis),
        seen: row.get(4)?,
        staged: row.get(5)?,
        bases: row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?,
    };
    judge(&glance).map(Some)
}
