//! Where each row of a file begins, by its id: sixteen bytes a row.

use std::collections::HashMap;

/// So many new rows are kept apart before they are put in order.
const FRESH: usize = 50_000;

/// Places by the hash of an id. Two ids may have one hash, so that whoever looks compares the rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    sorted: Vec<(u64, u64)>,
    fresh: HashMap<u64, Vec<u64>>,
    fresh_count: usize,
}

/// A short name of a text; FNV-1a, which is fast and the same everywhere.
pub(super) fn hash(text: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let mixed =
        text.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    // The low bits of FNV are weak on short texts.
    mixed ^ (mixed >> 29)
}

impl Index {
    /// An index of these hashes and places.
    pub(super) fn new(mut places: Vec<(u64, u64)>) -> Self {
        places.sort_unstable();
        Self { sorted: places, ..Self::default() }
    }

    /// Places where rows of this hash begin.
    pub(super) fn places(&self, hash: u64) -> Vec<u64> {
        let start = self.sorted.partition_point(|(known, _)| *known < hash);
        let old =
            self.sorted.iter().skip(start).take_while(|(known, _)| *known == hash).map(|(_, place)| *place);
        old.chain(self.fresh.get(&hash).into_iter().flatten().copied()).collect()
    }

    /// Whether there is such a row.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.fresh.contains_key(&hash) || self.sorted.binary_search_by(|(known, _)| known.cmp(&hash)).is_ok()
    }

    /// Adds a row.
    pub(super) fn add(&mut self, hash: u64, place: u64) {
        self.fresh.entry(hash).or_default().push(place);
        self.fresh_count += 1;
        if self.fresh_count >= FRESH {
            self.settle();
        }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.sorted.len() + self.fresh_count
    }

    /// Takes rows out, and moves the others to where they are after a rewrite.
    pub(super) fn moved(&mut self, gone: &[u64], to: impl Fn(u64) -> u64) {
        self.settle();
        self.sorted.retain(|(_, place)| gone.binary_search(place).is_err());
        for (_, place) in &mut self.sorted {
            *place = to(*place);
        }
    }

    /// Hashes that several rows have.
    pub(super) fn shared(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.sorted.windows(2).filter_map(|pair| match pair {
            [(one, first), (other, second)] if one == other => Some((*one, *first, *second)),
            _ => None,
        })
    }

    fn settle(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.fresh_count = 0;
        if fresh.is_empty() {
            return;
        }
        self.sorted.extend(
            fresh.into_iter().flat_map(|(hash, places)| places.into_iter().map(move |place| (hash, place))),
        );
        // The old part is in order already, which this sort makes use of.
        self.sorted.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_after_others_were_added_moved_and_removed() {
        let of = |text: &str| hash(text.as_bytes());
        let mut index = Index::new(vec![(of("a"), 10), (of("b"), 20)]);
        index.add(of("c"), 30);
        assert_eq!(index.places(of("c")), [30]);
        index.moved(&[20], |place| if place > 20 { place - 10 } else { place });
        assert_eq!(
            (index.places(of("a")), index.places(of("b")), index.places(of("c"))),
            (vec![10], vec![], vec![20])
        );
        assert_eq!(index.len(), 2);
    }
}
