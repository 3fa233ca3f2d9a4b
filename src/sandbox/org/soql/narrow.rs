//! Finds the few rows that a condition can be true for, by id, by look-up or by stamp, so that most queries need not
//! look at every row.

use super::ast::Comparator;
use super::bind::{End, Operand, World};
use super::filter::{Filter, Test};
use crate::sandbox::org::ids;
use crate::sandbox::org::schema::Kind;
use crate::sandbox::org::table::Table;

/// Places that may meet the condition.
pub(super) enum Candidates {
    /// No shorter list than all rows.
    Everything,
    /// These places, in any order, possibly with repeats.
    Places(Vec<u32>),
    /// Rows with a stamp from the first up to and including the second, which the table gives in order.
    Stamped(i64, i64),
}

/// The shortest list of places for a condition.
pub(super) fn narrow(world: &World<'_>, object: usize, filter: &Filter) -> Candidates {
    let Some(table) = world.state.table(object) else { return Candidates::Places(Vec::new()) };
    match filter {
        Filter::All(parts) => {
            let mut best = Candidates::Everything;
            let (mut from, mut to) = (i64::MIN, i64::MAX);
            for part in parts {
                match narrow(world, object, part) {
                    Candidates::Everything => {}
                    Candidates::Stamped(low, high) => (from, to) = (from.max(low), to.min(high)),
                    Candidates::Places(places) => {
                        let better = match &best {
                            Candidates::Places(known) => places.len() < known.len(),
                            Candidates::Everything | Candidates::Stamped(..) => true,
                        };
                        if better {
                            best = Candidates::Places(places);
                        }
                    }
                }
            }
            match best {
                Candidates::Everything if from > i64::MIN || to < i64::MAX => Candidates::Stamped(from, to),
                best => best,
            }
        }
        Filter::Any(parts) => {
            let mut places = Vec::new();
            for part in parts {
                match narrow(world, object, part) {
                    Candidates::Everything => return Candidates::Everything,
                    Candidates::Places(found) => places.extend(found),
                    Candidates::Stamped(from, to) => places.extend(stamped(table, from, to)),
                }
            }
            Candidates::Places(places)
        }
        Filter::Not(_) => Candidates::Everything,
        Filter::Test { operand, test } => by_test(world, object, table, operand, test),
    }
}

/// Rows in a range of stamps, and the late ones, whose visible state may carry an older stamp.
pub(super) fn stamped(table: &Table, from: i64, to: i64) -> Vec<u32> {
    table.stamped(from, to).chain(table.late().iter().copied()).collect()
}

fn by_test(world: &World<'_>, object: usize, table: &Table, operand: &Operand, test: &Test) -> Candidates {
    let End::Field { field, .. } = operand.route.end else { return Candidates::Everything };
    if !operand.route.hops.is_empty() || operand.part.is_some() {
        return Candidates::Everything;
    }
    let place_of = |id: &str| {
        world.state.locate(world.schema, id).filter(|found| found.0 == object).map(|found| found.1)
    };
    match test {
        Test::Text(Comparator::Equal, id) if operand.kind == Kind::Id => {
            Candidates::Places(place_of(id).into_iter().collect())
        }
        Test::OneOf { values, negated: false, .. } if operand.kind == Kind::Id => {
            Candidates::Places(values.iter().filter_map(|id| place_of(id)).collect())
        }
        Test::Text(comparator @ (Comparator::Greater | Comparator::GreaterOrEqual), id)
            if operand.kind == Kind::Id =>
        {
            // Ids of this org grow with their place, so that a walk by id starts where it stopped.
            match ids::locate(id) {
                Some((prefix, place)) if world.schema.by_prefix(prefix) == Some(object) => {
                    let from = place + u32::from(*comparator == Comparator::Greater);
                    Candidates::Places((from..table.len()).collect())
                }
                _ => Candidates::Everything,
            }
        }
        Test::Text(Comparator::Equal, text) => match table.candidates(field, text) {
            Some(places) => Candidates::Places(places),
            None => Candidates::Everything,
        },
        Test::OneOf { values, negated: false, with_null: false } if table.has_lookup(field) => {
            Candidates::Places(
                values.iter().filter_map(|text| table.candidates(field, text)).flatten().collect(),
            )
        }
        Test::Span(comparator, from, to)
            if world.schema.objects.get(object).and_then(|shape| shape.system.stamp) == Some(field) =>
        {
            match comparator {
                Comparator::Equal => Candidates::Stamped(*from, to - 1),
                Comparator::Less => Candidates::Stamped(i64::MIN, from - 1),
                Comparator::LessOrEqual => Candidates::Stamped(i64::MIN, to - 1),
                Comparator::Greater => Candidates::Stamped(*to, i64::MAX),
                Comparator::GreaterOrEqual => Candidates::Stamped(*from, i64::MAX),
                Comparator::NotEqual | Comparator::Like => Candidates::Everything,
            }
        }
        _ => Candidates::Everything,
    }
}
