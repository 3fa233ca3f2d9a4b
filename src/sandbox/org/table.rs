//! The rows of one object with the look-ups that keep queries fast: by place (which is the id), by stamp, and by the
//! value of every key and reference field.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::cell::{Cell, CellRef, Row};
use super::moment::DAY_MS;

/// How long a deleted row stays in the recycle bin.
pub(super) const BIN_MS: i64 = 15 * DAY_MS;

/// A row that was written by a transaction which has not committed yet, as far as readers are concerned.
#[derive(Debug, Clone)]
pub(super) struct Late {
    /// When readers see the new state.
    pub(super) visible_at: i64,
    /// What they see until then; `None` for an insert.
    pub(super) before: Option<Row>,
    /// Whether the row was in the recycle bin before.
    pub(super) deleted_before: bool,
}

/// One place of a table.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// `None` when the insert was rolled back: the id is spent.
    pub(super) row: Option<Row>,
    /// `SystemModstamp` in milliseconds.
    pub(super) stamp: i64,
    /// When it was deleted, in milliseconds.
    pub(super) deleted_at: Option<i64>,
    pub(super) late: Option<Box<Late>>,
}

/// Which rows a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Live rows.
    Live,
    /// Live rows and the recycle bin.
    WithDeleted,
}

#[derive(Default)]
struct KeptHash(u64);

impl Hasher for KeptHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Rows that may hold a value; nearly always one.
#[derive(Debug, Clone)]
enum Posting {
    One(u32),
    Many(Vec<u32>),
}

type Postings = HashMap<u64, Posting, BuildHasherDefault<KeptHash>>;

/// The rows of one object.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    live: usize,
    by_stamp: BTreeSet<(i64, u32)>,
    lookups: Vec<(usize, Postings)>,
    late: Vec<u32>,
    /// Places that were deleted for good.
    purged: HashSet<u32>,
}

/// The hash under which a text is looked up: case does not count.
pub(super) fn folded_hash(text: &str) -> u64 {
    // FNV-1a: short keys, no attacker, and the same on every machine.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    if text.is_ascii() {
        text.bytes().for_each(|byte| feed(byte.to_ascii_lowercase()));
    } else {
        text.chars().flat_map(char::to_lowercase).for_each(|letter| {
            let mut buffer = [0; 4];
            letter.encode_utf8(&mut buffer).bytes().for_each(&mut feed);
        });
    }
    hash
}

impl Table {
    pub(super) fn new(indexed: &[usize]) -> Self {
        Self {
            lookups: indexed.iter().map(|field| (*field, Postings::default())).collect(),
            ..Self::default()
        }
    }

    /// Number of places, which is the place of the next row.
    pub(super) fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Number of rows outside the recycle bin.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn slot(&self, place: u32) -> Option<&Slot> {
        self.slots.get(place as usize)
    }

    /// The row as it stands, committed or not, in the bin or not.
    pub(super) fn current(&self, place: u32) -> Option<&Row> {
        self.slot(place)?.row.as_ref()
    }

    /// The row that a reader sees at `now`.
    pub(super) fn visible(&self, place: u32, now: i64, reach: Reach) -> Option<&Row> {
        let slot = self.slot(place)?;
        let (row, deleted) = match &slot.late {
            Some(late) if now < late.visible_at => (late.before.as_ref()?, late.deleted_before),
            _ => (slot.row.as_ref()?, slot.deleted_at.is_some()),
        };
        if deleted {
            let gone = reach == Reach::Live
                || slot.deleted_at.is_some_and(|at| now - at > BIN_MS)
                || self.purged.contains(&place);
            if gone {
                return None;
            }
        }
        Some(row)
    }

    pub(super) fn is_deleted(&self, place: u32, now: i64) -> bool {
        self.visible(place, now, Reach::Live).is_none()
            && self.visible(place, now, Reach::WithDeleted).is_some()
    }

    /// Takes a deleted row out of the recycle bin for good.
    pub(super) fn purge(&mut self, place: u32) {
        self.purged.insert(place);
    }

    /// Whether a row was deleted as far as readers know, be it still in the bin or not.
    pub(super) fn was_deleted(&self, place: u32, now: i64) -> bool {
        self.slot(place).is_some_and(|slot| match &slot.late {
            Some(late) if now < late.visible_at => late.deleted_before,
            _ => slot.row.is_some() && slot.deleted_at.is_some(),
        })
    }

    /// Adds a row at the next place.
    pub(super) fn push(&mut self, cells: &[Cell], stamp: i64, late: Option<Late>) -> u32 {
        let place = self.len();
        self.index(place, cells, stamp);
        if late.is_some() {
            self.late.push(place);
        }
        self.slots.push(Slot {
            row: Some(Row::encode(cells)),
            stamp,
            deleted_at: None,
            late: late.map(Box::new),
        });
        self.live += 1;
        place
    }

    /// Puts a new state in the place of a row and hands back the old one.
    pub(super) fn replace(
        &mut self,
        place: u32,
        cells: &[Cell],
        stamp: i64,
        deleted_at: Option<i64>,
        late: Option<Late>,
    ) -> Option<Slot> {
        let old = self.slots.get(place as usize)?.clone();
        self.unindex(place, &old);
        self.index(place, cells, stamp);
        if late.is_some() {
            self.late.push(place);
        }
        self.put(place, Slot { row: Some(Row::encode(cells)), stamp, deleted_at, late: late.map(Box::new) });
        Some(old)
    }

    /// Takes a write back: `old` is what stood there, `None` for a row that did not exist.
    pub(super) fn restore(&mut self, place: u32, old: Option<Slot>, fields: usize) {
        let Some(now) = self.slots.get(place as usize).cloned() else { return };
        self.unindex(place, &now);
        let slot = old.unwrap_or(Slot { row: None, stamp: 0, deleted_at: None, late: None });
        if let Some(row) = &slot.row {
            self.index(place, &row.decode(fields), slot.stamp);
        }
        self.put(place, slot);
    }

    fn put(&mut self, place: u32, slot: Slot) {
        let counts = |slot: &Slot| usize::from(slot.row.is_some() && slot.deleted_at.is_none());
        if let Some(target) = self.slots.get_mut(place as usize) {
            self.live = self.live + counts(&slot) - counts(target);
            *target = slot;
        }
    }

    fn index(&mut self, place: u32, cells: &[Cell], stamp: i64) {
        self.by_stamp.insert((stamp, place));
        for (field, postings) in &mut self.lookups {
            if let Some(Cell::Text(text)) = cells.get(*field) {
                match postings.entry(folded_hash(text)) {
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        entry.insert(Posting::One(place));
                    }
                    std::collections::hash_map::Entry::Occupied(mut entry) => match entry.get_mut() {
                        Posting::One(first) if *first != place => {
                            let both = vec![*first, place];
                            entry.insert(Posting::Many(both));
                        }
                        Posting::One(_) => {}
                        Posting::Many(places) => places.push(place),
                    },
                }
            }
        }
    }

    fn unindex(&mut self, place: u32, slot: &Slot) {
        self.by_stamp.remove(&(slot.stamp, place));
        let Some(row) = &slot.row else { return };
        for (field, postings) in &mut self.lookups {
            let CellRef::Text(text) = row.get(*field) else { continue };
            let hash = folded_hash(text);
            match postings.get_mut(&hash) {
                Some(Posting::One(_)) => {
                    postings.remove(&hash);
                }
                Some(Posting::Many(places)) => {
                    places.retain(|candidate| *candidate != place);
                    if places.is_empty() {
                        postings.remove(&hash);
                    }
                }
                None => {}
            }
        }
    }

    /// Places whose `field` may equal `text`; `None` when the field has no look-up. Callers compare the value itself.
    pub(super) fn candidates(&self, field: usize, text: &str) -> Option<Vec<u32>> {
        let (_, postings) = self.lookups.iter().find(|entry| entry.0 == field)?;
        let mut places = match postings.get(&folded_hash(text)) {
            None => Vec::new(),
            Some(Posting::One(place)) => vec![*place],
            Some(Posting::Many(places)) => places.clone(),
        };
        places.extend_from_slice(&self.late);
        Some(places)
    }

    pub(super) fn has_lookup(&self, field: usize) -> bool {
        self.lookups.iter().any(|entry| entry.0 == field)
    }

    /// Places with a stamp from `from` up to and including `to`, in order of stamp.
    pub(super) fn stamped(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let range = (from <= to).then(|| self.by_stamp.range((from, 0)..=(to, u32::MAX)));
        range.into_iter().flatten().map(|entry| entry.1)
    }

    /// Rows that readers do not see yet, or did not at some time since the last tidying.
    pub(super) fn late(&self) -> &[u32] {
        &self.late
    }

    /// The earliest stamp of a row that readers do not see yet.
    pub(super) fn earliest_open(&self, now: i64) -> Option<i64> {
        self.late
            .iter()
            .filter_map(|place| self.slot(*place))
            .filter(|slot| slot.late.as_ref().is_some_and(|late| now < late.visible_at))
            .map(|slot| slot.stamp)
            .min()
    }

    /// How many rows readers do not see as they are yet.
    pub(super) fn open_rows(&self, now: i64) -> usize {
        let places: HashSet<u32> = self.late.iter().copied().collect();
        let open = |place: &u32| {
            self.slot(*place).and_then(|slot| slot.late.as_ref()).is_some_and(|late| now < late.visible_at)
        };
        places.iter().filter(|place| open(place)).count()
    }

    /// Forgets about late rows that have become visible.
    pub(super) fn settle(&mut self, now: i64) {
        let Self { late, slots, .. } = self;
        late.retain(|place| {
            let Some(slot) = slots.get_mut(*place as usize) else { return false };
            let open = slot.late.as_ref().is_some_and(|late| now < late.visible_at);
            if !open {
                slot.late = None;
            }
            open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<Cell> {
        vec![Cell::text("id"), Cell::text(text)]
    }

    #[test]
    fn look_ups_follow_inserts_updates_and_take_backs() {
        let mut table = Table::new(&[1]);
        let first = table.push(&row("A@x.com"), 10, None);
        let second = table.push(&row("a@X.com"), 20, None);
        assert_eq!(table.candidates(1, "a@x.com").unwrap(), [first, second]);
        let old = table.replace(first, &row("b@x.com"), 30, None, None);
        assert_eq!(table.candidates(1, "A@X.COM").unwrap(), [second]);
        assert_eq!(table.stamped(15, 100).collect::<Vec<_>>(), [second, first]);
        table.restore(first, old, 2);
        assert_eq!(table.candidates(1, "a@x.com").unwrap(), [second, first]);
        table.restore(second, None, 2);
        assert_eq!(table.live(), 1);
        assert_eq!(table.stamped(0, 100).collect::<Vec<_>>(), [first]);
    }

    #[test]
    fn a_late_row_shows_its_old_self_until_its_time() {
        let mut table = Table::new(&[]);
        let place = table.push(&row("old"), 10, None);
        let before = table.current(place).cloned();
        table.replace(
            place,
            &row("new"),
            20,
            None,
            Some(Late { visible_at: 100, before, deleted_before: false }),
        );
        let seen =
            |table: &Table, now| table.visible(place, now, Reach::Live).map(|row| row.get(1).to_cell());
        assert_eq!(seen(&table, 99), Some(Cell::text("old")));
        assert_eq!(table.earliest_open(99), Some(20));
        assert_eq!(seen(&table, 100), Some(Cell::text("new")));
        table.settle(100);
        assert_eq!(table.late(), [] as [u32; 0]);
    }

    #[test]
    fn the_bin_is_emptied_after_fifteen_days() {
        let mut table = Table::new(&[]);
        let place = table.push(&row("x"), 10, None);
        table.replace(place, &row("x"), 20, Some(20), None);
        assert!(table.visible(place, 30, Reach::Live).is_none());
        assert!(table.visible(place, 30, Reach::WithDeleted).is_some());
        assert!(table.visible(place, 21 + BIN_MS, Reach::WithDeleted).is_none());
        assert_eq!(table.live(), 0);
    }
}
