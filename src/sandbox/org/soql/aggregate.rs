//! Groups and totals: `COUNT`, `MIN`, `MAX`, `SUM`, `AVG` with `GROUP BY` and `HAVING`.

use std::collections::{BTreeMap, BTreeSet};

use super::QueryError;
use super::ast::{Call, Comparator, Condition, Expression, Literal, Membership, is_aggregate_name};
use super::bind::{Bound, Column, Grouping, How, Operand, Total, World, position};
use super::execute::{compare, places};
use super::filter::{Test, folded, holds};
use crate::sandbox::org::cell::{Cell, CellRef};
use crate::sandbox::org::table::Reach;

/// A condition on a group.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Having {
    All(Vec<Having>),
    Any(Vec<Having>),
    Not(Box<Having>),
    Total { total: Total, comparator: Comparator, number: f64 },
    Key { key: usize, operand: Operand, tests: Vec<Test>, negated: bool },
}

/// Binds `HAVING`: totals compared with numbers, group keys with texts.
pub(super) fn bind_having(
    world: &World<'_>,
    condition: &Condition,
    total: &dyn Fn(&Call) -> Result<Total, QueryError>,
    operand: &dyn Fn(&Expression) -> Result<Operand, QueryError>,
    keys: &[Operand],
) -> Result<Having, QueryError> {
    let all = |parts: &[Condition]| {
        parts.iter().map(|part| bind_having(world, part, total, operand, keys)).collect::<Result<Vec<_>, _>>()
    };
    let refuse = |left: &Expression| {
        QueryError::at(
            "MALFORMED_QUERY",
            world.soql,
            position(left),
            "HAVING compares totals with numbers and grouped fields with texts",
        )
    };
    let key_of = |left: &Expression| {
        let operand = operand(left)?;
        let key = keys.iter().position(|key| key.route == operand.route).ok_or_else(|| refuse(left))?;
        Ok((key, operand))
    };
    let text_test = |comparator: Comparator, literal: &Literal, left: &Expression| match (literal, comparator)
    {
        (Literal::Null, Comparator::Equal) => Ok(Test::Null),
        (Literal::Null, Comparator::NotEqual) => Ok(Test::NotNull),
        (Literal::Text(text), Comparator::Like) => Ok(Test::Like(super::filter::like_pattern(text))),
        (Literal::Text(text), _) => Ok(Test::Text(comparator, text.clone())),
        (Literal::Number(number), _) => Ok(Test::Number(comparator, *number)),
        _ => Err(refuse(left)),
    };
    Ok(match condition {
        Condition::And(parts) => Having::All(all(parts)?),
        Condition::Or(parts) => Having::Any(all(parts)?),
        Condition::Not(inner) => Having::Not(Box::new(bind_having(world, inner, total, operand, keys)?)),
        Condition::Compare { left: left @ Expression::Call(call), comparator, right }
            if is_aggregate_name(&call.name) =>
        {
            match right.0 {
                Literal::Number(number) => {
                    Having::Total { total: total(call)?, comparator: *comparator, number }
                }
                _ => return Err(refuse(left)),
            }
        }
        Condition::Compare { left, comparator, right } => {
            let (key, operand) = key_of(left)?;
            Having::Key { key, operand, tests: vec![text_test(*comparator, &right.0, left)?], negated: false }
        }
        Condition::Member { left, membership, values } => {
            let (key, operand) = key_of(left)?;
            let tests = values
                .iter()
                .map(|value| text_test(Comparator::Equal, &value.0, left))
                .collect::<Result<_, _>>()?;
            Having::Key { key, operand, tests, negated: *membership == Membership::NotIn }
        }
        Condition::SubSelect { left, .. } => return Err(refuse(left)),
    })
}

/// Rows of one group, added up as they come.
#[derive(Default)]
struct Running {
    rows: usize,
    present: usize,
    sum: f64,
    least: Option<Cell>,
    most: Option<Cell>,
    distinct: BTreeSet<String>,
}

impl Running {
    fn add(&mut self, total: &Total, value: CellRef<'_>) {
        self.rows += 1;
        if value.is_null() {
            return;
        }
        self.present += 1;
        match total.how {
            How::Count => {}
            How::CountDistinct => {
                self.distinct.insert(group_text(value));
            }
            How::Sum | How::Average => {
                if let CellRef::Number(number) = value {
                    self.sum += number;
                }
            }
            How::Min => {
                let value = value.to_cell();
                if self.least.as_ref().is_none_or(|least| compare(&value, least).is_lt()) {
                    self.least = Some(value);
                }
            }
            How::Max => {
                let value = value.to_cell();
                if self.most.as_ref().is_none_or(|most| compare(&value, most).is_gt()) {
                    self.most = Some(value);
                }
            }
        }
    }

    fn result(&self, total: &Total) -> Cell {
        match total.how {
            How::Count if total.of.is_none() => Cell::Number(self.rows as f64),
            How::Count => Cell::Number(self.present as f64),
            How::CountDistinct => Cell::Number(self.distinct.len() as f64),
            How::Sum | How::Average if self.present == 0 => Cell::Null,
            How::Sum => Cell::Number(self.sum),
            How::Average => Cell::Number(self.sum / self.present as f64),
            How::Min => self.least.clone().unwrap_or(Cell::Null),
            How::Max => self.most.clone().unwrap_or(Cell::Null),
        }
    }
}

fn group_text(value: CellRef<'_>) -> String {
    match value {
        CellRef::Text(text) => folded(text),
        value => format!("{value:?}"),
    }
}

fn totals(grouping: &Grouping) -> Vec<Total> {
    fn of_having(having: &Having, found: &mut Vec<Total>) {
        match having {
            Having::All(parts) | Having::Any(parts) => parts.iter().for_each(|part| of_having(part, found)),
            Having::Not(inner) => of_having(inner, found),
            Having::Total { total, .. } => found.push(total.clone()),
            Having::Key { .. } => {}
        }
    }
    let mut found: Vec<Total> = grouping
        .columns
        .iter()
        .filter_map(|column| match column {
            Column::Total { total, .. } => Some(total.clone()),
            Column::Group { .. } => None,
        })
        .collect();
    if let Some(having) = &grouping.having {
        of_having(having, &mut found);
    }
    found
}

/// The answer's rows: values of the columns, with their names and whether they are whole numbers by nature.
pub(super) fn rows(world: &World<'_>, bound: &Bound, grouping: &Grouping, reach: Reach) -> Vec<Vec<Cell>> {
    let every = Bound { limit: None, offset: 0, order: Vec::new(), ..bound.clone() };
    let reader = world.reader();
    let totals = totals(grouping);
    let mut groups: BTreeMap<Vec<String>, (Vec<Cell>, Vec<Running>)> = BTreeMap::new();
    if grouping.keys.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), totals.iter().map(|_| Running::default()).collect()));
    }
    for place in places(world, &every, reach) {
        let Some(row) = world.state.row(bound.object, place, world.now, Reach::WithDeleted) else { continue };
        let values: Vec<CellRef<'_>> =
            grouping.keys.iter().map(|key| reader.operand(bound.object, row, key)).collect();
        let key = values.iter().map(|value| group_text(*value)).collect();
        let (_, running) = groups.entry(key).or_insert_with(|| {
            (
                values.iter().map(|value| value.to_cell()).collect(),
                totals.iter().map(|_| Running::default()).collect(),
            )
        });
        for (total, running) in totals.iter().zip(running) {
            let value = total
                .of
                .as_ref()
                .map_or(CellRef::Bool(true), |operand| reader.operand(bound.object, row, operand));
            running.add(total, value);
        }
    }
    let mut rows: Vec<Vec<Cell>> = groups
        .into_values()
        .filter_map(|(keys, running)| {
            let results: Vec<Cell> =
                totals.iter().zip(&running).map(|(total, running)| running.result(total)).collect();
            let mut next = 0;
            let columns: Vec<Cell> = grouping
                .columns
                .iter()
                .map(|column| match column {
                    Column::Group { key, .. } => keys.get(*key).cloned().unwrap_or(Cell::Null),
                    Column::Total { .. } => {
                        next += 1;
                        results.get(next - 1).cloned().unwrap_or(Cell::Null)
                    }
                })
                .collect();
            let passes = grouping.having.as_ref().is_none_or(|having| {
                let mut rest = results.get(next..).unwrap_or_default().iter();
                meets(having, &keys, &mut rest)
            });
            passes.then_some(columns)
        })
        .collect();
    if !grouping.order.is_empty() {
        rows.sort_by(|one, other| {
            let mut orders = grouping.order.iter().filter_map(|(column, descending)| {
                let order = compare(one.get(*column)?, other.get(*column)?);
                Some(if *descending { order.reverse() } else { order })
            });
            orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    rows.into_iter().skip(bound.offset).take(bound.limit.unwrap_or(usize::MAX)).collect()
}

/// Whether a group meets `HAVING`; `results` yields the totals in the order of the conditions, all of them always.
fn meets<'a>(having: &Having, keys: &[Cell], results: &mut dyn Iterator<Item = &'a Cell>) -> bool {
    match having {
        Having::All(parts) => {
            let verdicts: Vec<bool> = parts.iter().map(|part| meets(part, keys, results)).collect();
            verdicts.into_iter().all(|verdict| verdict)
        }
        Having::Any(parts) => {
            let verdicts: Vec<bool> = parts.iter().map(|part| meets(part, keys, results)).collect();
            verdicts.into_iter().any(|verdict| verdict)
        }
        Having::Not(inner) => !meets(inner, keys, results),
        Having::Total { total, comparator, number } => {
            let value = results.next().map_or(CellRef::Null, Cell::borrow);
            let test = Test::Number(*comparator, *number);
            match &total.of {
                Some(operand) => holds(value, operand, &test),
                None => match value {
                    CellRef::Number(value) => super::filter::number_fits(*comparator, value, *number),
                    _ => false,
                },
            }
        }
        Having::Key { key, operand, tests, negated } => {
            let value = keys.get(*key).map_or(CellRef::Null, Cell::borrow);
            tests.iter().any(|test| holds(value, operand, test)) != *negated
        }
    }
}
