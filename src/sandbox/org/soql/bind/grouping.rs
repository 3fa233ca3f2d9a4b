//! Groups and totals in the select list.

use super::select::innermost;
use super::{Column, Grouping, How, Operand, Scope, Total, World, position};
use crate::sandbox::org::soql::ast::{Call, Expression, Item, Query};
use crate::sandbox::org::soql::{QueryError, aggregate};

fn total(world: &World<'_>, scope: &Scope<'_>, call: &Call) -> Result<Total, QueryError> {
    let how = match call.name.to_ascii_lowercase().as_str() {
        "count" => How::Count,
        "count_distinct" => How::CountDistinct,
        "min" => How::Min,
        "max" => How::Max,
        "sum" => How::Sum,
        "avg" => How::Average,
        _ => match call.arguments.first() {
            // FORMAT(MIN(x)) and the like change how a value looks, not which it is.
            Some(Expression::Call(inner)) => return total(world, scope, inner),
            _ => {
                return Err(world.error(
                    "MALFORMED_QUERY",
                    call.at,
                    &format!("Function {} is not allowed here", call.name),
                ));
            }
        },
    };
    let of = call.arguments.first().map(|argument| world.operand(scope, argument)).transpose()?;
    let numeric = of.as_ref().is_none_or(|operand| operand.kind.is_number());
    if matches!(how, How::Sum | How::Average) && !numeric {
        return Err(world.error(
            "MALFORMED_QUERY",
            call.at,
            &format!("field does not support aggregate operator {}", call.name.to_ascii_uppercase()),
        ));
    }
    Ok(Total { how, of })
}

/// Binds a query with groups or totals.
pub(super) fn grouping(world: &World<'_>, scope: &Scope<'_>, query: &Query) -> Result<Grouping, QueryError> {
    let keys: Vec<Operand> =
        query.group_by.iter().map(|key| world.operand(scope, key)).collect::<Result<_, _>>()?;
    let mut columns = Vec::new();
    let mut unnamed = 0;
    let mut next_name = || {
        unnamed += 1;
        format!("expr{}", unnamed - 1)
    };
    for item in &query.items {
        match item {
            Item::Field { path, alias } => {
                let operand = world.operand(scope, &Expression::Field(path.clone()))?;
                let key = keys.iter().position(|key| key.route == operand.route && key.part.is_none());
                let Some(key) = key else {
                    return Err(world.error(
                        "MALFORMED_QUERY",
                        path.at,
                        &format!("Field must be grouped or aggregated: {}", path.text()),
                    ));
                };
                let own = path.parts.last().cloned().unwrap_or_default();
                columns.push(Column::Group { name: alias.clone().unwrap_or(own), key });
            }
            Item::Call { call, alias } => {
                let grouped = query.group_by.iter().position(|key| matches!(key, Expression::Call(key) if key.name.eq_ignore_ascii_case(&call.name) && same_arguments(key, call)));
                let name = alias.clone().unwrap_or_else(&mut next_name);
                columns.push(match grouped {
                    Some(key) => Column::Group { name, key },
                    None => Column::Total { name, total: total(world, scope, call)? },
                });
            }
            Item::Fields { at, .. } => {
                return Err(world.error("MALFORMED_QUERY", *at, "FIELDS cannot be grouped"));
            }
            Item::Children(_) | Item::TypeOf { .. } => {
                return Err(QueryError::plain(
                    "MALFORMED_QUERY",
                    "Grouped queries cannot hold queries or TYPEOF in their select list",
                ));
            }
        }
    }
    let having = query
        .having
        .as_ref()
        .map(|condition| {
            aggregate::bind_having(
                world,
                condition,
                &|call| total(world, scope, call),
                &|expression| world.operand(scope, expression),
                &keys,
            )
        })
        .transpose()?;
    let mut order = Vec::new();
    for key in &query.order_by {
        let column = columns.iter().position(|column| match (column, &key.by) {
            (Column::Group { name, .. } | Column::Total { name, .. }, Expression::Field(path)) => {
                path.parts.last().is_some_and(|part| part.eq_ignore_ascii_case(name))
            }
            (Column::Total { total: own, .. }, Expression::Call(call)) => {
                total(world, scope, call).is_ok_and(|asked| asked.how == own.how && asked.of == own.of)
            }
            (Column::Group { .. }, Expression::Call(_)) => false,
        });
        match column {
            Some(column) => order.push((column, key.descending)),
            None => {
                return Err(world.error(
                    "MALFORMED_QUERY",
                    position(&key.by),
                    "Ordered field must be grouped or aggregated",
                ));
            }
        }
    }
    Ok(Grouping { keys, columns, having, order })
}

fn same_arguments(one: &Call, other: &Call) -> bool {
    let text = |call: &Call| innermost(call).map(|path| path.text().to_ascii_lowercase());
    text(one) == text(other)
}
