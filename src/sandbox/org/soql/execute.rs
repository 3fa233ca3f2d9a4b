//! Finds the rows of a bound query, in their order.

use std::cmp::Ordering;

use super::bind::{Bound, End, SortKey, World};
use super::filter::{Reader, folded};
use super::narrow::{self, Candidates};
use crate::sandbox::org::cell::{Cell, CellRef, Row};
use crate::sandbox::org::schema::Kind;
use crate::sandbox::org::table::Reach;

impl World<'_> {
    pub(in crate::sandbox::org) fn reader(&self) -> Reader<'_> {
        Reader { schema: self.schema, state: self.state, now: self.now }
    }
}

/// The places of the rows that a query selects, ordered, after OFFSET and LIMIT.
pub(in crate::sandbox::org) fn places(world: &World<'_>, bound: &Bound, reach: Reach) -> Vec<u32> {
    let Some(table) = world.state.table(bound.object) else { return Vec::new() };
    let reach = if bound.all_rows { Reach::WithDeleted } else { reach };
    let reader = world.reader();
    let order = Order::of(world, bound);
    let wanted = bound.limit.map_or(usize::MAX, |limit| limit.saturating_add(bound.offset));
    let fits = |place: &u32| {
        table.visible(*place, world.now, reach).is_some_and(|row| {
            bound.filter.as_ref().is_none_or(|filter| reader.meets(bound.object, row, filter))
        })
    };
    let candidates = bound
        .filter
        .as_ref()
        .map_or(Candidates::Everything, |filter| narrow::narrow(world, bound.object, filter));
    // With late rows around, the stamp index does not tell what readers see; then all is sorted in the ordinary way.
    let settled = table.late().is_empty();
    let mut found: Vec<u32>;
    match (candidates, &order) {
        (Candidates::Everything, Order::ById { descending: false }) => {
            found = (0..table.len()).filter(fits).take(wanted).collect();
        }
        (Candidates::Everything, Order::ById { descending: true }) => {
            found = (0..table.len()).rev().filter(fits).take(wanted).collect();
        }
        (Candidates::Everything, Order::ByStamp { descending }) if settled => {
            found = in_stamp_order(table.stamped(i64::MIN, i64::MAX), *descending, fits, wanted);
        }
        (Candidates::Stamped(from, to), Order::ByStamp { descending }) if settled => {
            found = in_stamp_order(table.stamped(from, to), *descending, fits, wanted);
        }
        (candidates, order) => {
            found = match candidates {
                Candidates::Everything => (0..table.len()).collect(),
                Candidates::Places(places) => places,
                Candidates::Stamped(from, to) => narrow::stamped(table, from, to),
            };
            found.sort_unstable();
            found.dedup();
            match order {
                Order::ById { descending: false } => {
                    found = found.into_iter().filter(fits).take(wanted).collect()
                }
                Order::ById { descending: true } => {
                    found = found.into_iter().rev().filter(fits).take(wanted).collect()
                }
                Order::ByStamp { .. } | Order::ByKeys => {
                    found.retain(fits);
                    sort(&reader, bound, &mut found, |place| table.visible(place, world.now, reach));
                }
            }
        }
    }
    found.truncate(wanted);
    if bound.offset > 0 {
        found.drain(..bound.offset.min(found.len()));
    }
    found
}

fn in_stamp_order(
    places: impl DoubleEndedIterator<Item = u32>,
    descending: bool,
    fits: impl Fn(&u32) -> bool,
    wanted: usize,
) -> Vec<u32> {
    if descending {
        places.rev().filter(fits).take(wanted).collect()
    } else {
        places.filter(fits).take(wanted).collect()
    }
}

/// Which of the orders a table has anyway a query asks for.
enum Order {
    ById { descending: bool },
    ByStamp { descending: bool },
    ByKeys,
}

impl Order {
    fn of(world: &World<'_>, bound: &Bound) -> Self {
        let shape = world.schema.objects.get(bound.object);
        let plain = |key: &SortKey| match &key.operand.route.end {
            End::Field { field, .. } if key.operand.route.hops.is_empty() && key.operand.part.is_none() => {
                Some(*field)
            }
            _ => None,
        };
        let id = |key: &SortKey| key.operand.kind == Kind::Id && plain(key).is_some();
        let stamp =
            |key: &SortKey| plain(key).is_some() && plain(key) == shape.and_then(|shape| shape.system.stamp);
        match bound.order.as_slice() {
            [] => Self::ById { descending: false },
            [only] if id(only) => Self::ById { descending: only.descending },
            [only] if stamp(only) => Self::ByStamp { descending: only.descending },
            [first, second] if stamp(first) && id(second) && first.descending == second.descending => {
                Self::ByStamp { descending: first.descending }
            }
            _ => Self::ByKeys,
        }
    }
}

/// Compares values as `ORDER BY` does; nulls are the caller's business.
pub(super) fn compare(one: &Cell, other: &Cell) -> Ordering {
    match (one, other) {
        (Cell::Text(one), Cell::Text(other)) => one.cmp(other),
        (Cell::Number(one), Cell::Number(other)) => one.total_cmp(other),
        (Cell::Bool(one), Cell::Bool(other)) => one.cmp(other),
        (Cell::Date(one), Cell::Date(other)) => one.cmp(other),
        (Cell::Moment(one), Cell::Moment(other)) => one.cmp(other),
        (Cell::Time(one), Cell::Time(other)) => one.cmp(other),
        _ => one.is_null().cmp(&other.is_null()).reverse(),
    }
}

fn sort<'a>(
    reader: &Reader<'a>,
    bound: &Bound,
    places: &mut Vec<u32>,
    row_of: impl Fn(u32) -> Option<&'a Row>,
) {
    let mut keyed: Vec<(Vec<Cell>, u32)> = places
        .iter()
        .filter_map(|place| {
            let row = row_of(*place)?;
            let keys = bound
                .order
                .iter()
                .map(|key| match reader.operand(bound.object, row, &key.operand) {
                    CellRef::Text(text) if matches!(key.operand.kind, Kind::Id | Kind::Reference) => {
                        Cell::text(text)
                    }
                    CellRef::Text(text) => Cell::Text(folded(text)),
                    value => value.to_cell(),
                })
                .collect();
            Some((keys, *place))
        })
        .collect();
    keyed.sort_by(|one, other| {
        for ((key, left), right) in bound.order.iter().zip(&one.0).zip(&other.0) {
            let order = match (left.is_null(), right.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => {
                    if key.nulls_last {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (false, true) => {
                    if key.nulls_last {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (false, false) if key.descending => compare(right, left),
                (false, false) => compare(left, right),
            };
            if order.is_ne() {
                return order;
            }
        }
        one.1.cmp(&other.1)
    });
    *places = keyed.into_iter().map(|entry| entry.1).collect();
}
