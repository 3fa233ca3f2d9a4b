//! What columns a query has, asked for with `columns=true`: the CLI lays its tables out by it.

use serde_json::{Value, json};

use crate::sandbox::org::schema::{Field, Kind};
use crate::sandbox::org::soql::bind::{Bound, Column, Entry, Shape, World};

fn column(name: &str, field: Option<&Field>, aggregate: bool, joins: &[Value]) -> Value {
    let kind = field.map(|field| field.kind);
    let apex = match kind {
        Some(Kind::Id | Kind::Reference) => "Id",
        Some(Kind::Boolean) => "Boolean",
        Some(Kind::Int) => "Integer",
        Some(Kind::Currency | Kind::Double | Kind::Percent) => "Double",
        Some(Kind::Date) => "Date",
        Some(Kind::DateTime) => "Datetime",
        Some(Kind::Time) => "Time",
        Some(_) => "String",
        None if aggregate => "List",
        None => "SObject",
    };
    json!({
        "aggregate": aggregate, "apexType": apex, "booleanType": kind == Some(Kind::Boolean), "columnName": name,
        "custom": field.is_some_and(|field| field.custom), "displayName": name, "foreignKeyName": null,
        "insertable": field.is_some_and(|field| field.createable), "joinColumns": joins,
        "numberType": kind.is_some_and(Kind::is_number), "textType": kind.is_some_and(Kind::is_text),
        "updatable": field.is_some_and(|field| field.updateable),
    })
}

fn of_shape(world: &World<'_>, object: usize, shape: &Shape) -> Vec<Value> {
    shape
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Field { field } => {
                let field = world.schema.field(object, *field);
                column(field.map_or("", |field| field.name.as_str()), field, false, &[])
            }
            Entry::TypeName => column("Type", None, false, &[]),
            Entry::Parent { name, shapes, .. } => {
                let joins =
                    shapes.first().map_or_else(Vec::new, |(target, below)| of_shape(world, *target, below));
                column(name, None, false, &joins)
            }
            Entry::Children { name, query, .. } => {
                column(name, None, true, &of_shape(world, query.object, &query.shape))
            }
        })
        .collect()
}

/// The columns of a bound query.
pub(super) fn describe(world: &World<'_>, bound: &Bound) -> Value {
    let shape = world.schema.objects.get(bound.object);
    let columns = match &bound.grouping {
        None => of_shape(world, bound.object, &bound.shape),
        Some(grouping) => grouping
            .columns
            .iter()
            .map(|entry| match entry {
                Column::Group { name, .. } => column(name, None, false, &[]),
                Column::Total { name, .. } => column(name, None, true, &[]),
            })
            .collect(),
    };
    let id_selected = shape.and_then(|shape| shape.field("Id")).is_some_and(|id| {
        bound.shape.entries.iter().any(|entry| matches!(entry, Entry::Field { field } if *field == id))
    });
    json!({
        "columnMetadata": columns, "entityName": shape.map(|shape| shape.name.as_str()), "groupBy": bound.grouping.is_some(),
        "idSelected": id_selected, "keyPrefix": shape.map(|shape| shape.prefix.as_str()),
    })
}
