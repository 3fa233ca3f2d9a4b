//! The select list: fields, fields of parents, lists of children.

use super::{Entry, Scope, Shape, World, bind_on};
use crate::sandbox::org::soql::QueryError;
use crate::sandbox::org::soql::ast::{Call, Expression, FieldSet, Item, Path, Query};

/// Adds one thing of the select list to what a row shows.
pub(super) fn add_item(
    world: &World<'_>,
    scope: &Scope<'_>,
    shape: &mut Shape,
    item: &Item,
    limit: Option<usize>,
) -> Result<(), QueryError> {
    match item {
        Item::Field { path, .. } => {
            add_path(world, shape, scope.object, path, World::parts(scope, path), Repeats::Refused)
        }
        Item::Call { call, .. } => match innermost(call) {
            Some(path) => {
                add_path(world, shape, scope.object, path, World::parts(scope, path), Repeats::Ignored)
            }
            None => {
                Err(world.error("MALFORMED_QUERY", call.at, &format!("Function {} needs a field", call.name)))
            }
        },
        Item::Fields { set, at } => {
            if *set != FieldSet::Standard && limit.is_none_or(|limit| limit > 200) {
                return Err(world.error(
                    "MALFORMED_QUERY",
                    *at,
                    "The SOQL FIELDS function must have a LIMIT of at most 200",
                ));
            }
            let Some(object) = world.schema.objects.get(scope.object) else { return Ok(()) };
            for (place, field) in object.fields.iter().enumerate() {
                let wanted = match set {
                    FieldSet::All => true,
                    FieldSet::Standard => !field.custom,
                    FieldSet::Custom => field.custom,
                };
                let there = shape
                    .entries
                    .iter()
                    .any(|entry| matches!(entry, Entry::Field { field } if *field == place));
                if wanted && !there && world.rights.sees(scope.object, place) {
                    shape.entries.push(Entry::Field { field: place });
                }
            }
            Ok(())
        }
        Item::Children(query) => {
            let entry = children(world, scope, query)?;
            shape.entries.push(entry);
            Ok(())
        }
        Item::TypeOf { path, branches, otherwise } => {
            for (object, paths) in branches {
                if world.rights.find_object(world.schema, object).is_none() {
                    return Err(world.error(
                        "INVALID_TYPE",
                        path.at,
                        &format!("sObject type '{object}' is not supported."),
                    ));
                }
                add_below(world, scope, shape, path, paths)?;
            }
            add_below(world, scope, shape, path, otherwise)
        }
    }
}

fn add_below(
    world: &World<'_>,
    scope: &Scope<'_>,
    shape: &mut Shape,
    path: &Path,
    below: &[Path],
) -> Result<(), QueryError> {
    for field in below {
        let parts: Vec<String> = World::parts(scope, path).iter().chain(&field.parts).cloned().collect();
        add_path(world, shape, scope.object, field, &parts, Repeats::Ignored)?;
    }
    Ok(())
}

/// The field inside nested calls.
pub(super) fn innermost(call: &Call) -> Option<&Path> {
    match call.arguments.first()? {
        Expression::Field(path) => Some(path),
        Expression::Call(inner) => innermost(inner),
    }
}

/// What to do about a field that was asked for before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Refused,
    Ignored,
}

fn add_path(
    world: &World<'_>,
    shape: &mut Shape,
    object: usize,
    path: &Path,
    parts: &[String],
    repeats: Repeats,
) -> Result<(), QueryError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    if rest.is_empty() {
        let Some(field) = world.rights.find_field(world.schema, object, first) else {
            return Err(world.no_column(object, path, first));
        };
        if shape.entries.iter().any(|entry| matches!(entry, Entry::Field { field: there } if *there == field))
        {
            return match repeats {
                Repeats::Ignored => Ok(()),
                Repeats::Refused => {
                    Err(world.error("INVALID_FIELD", path.at, &format!("duplicate field selected: {first}")))
                }
            };
        }
        shape.entries.push(Entry::Field { field });
        return Ok(());
    }
    let (field, targets) = world.hop(&[object], first).ok_or_else(|| world.no_relationship(path, first))?;
    let place = shape
        .entries
        .iter()
        .position(|entry| matches!(entry, Entry::Parent { field: there, .. } if *there == field));
    let place = place.unwrap_or_else(|| {
        let name = world
            .schema
            .field(object, field)
            .and_then(|column| column.relationship.clone())
            .unwrap_or_default();
        let shapes = targets.iter().map(|target| (*target, Shape::default())).collect();
        shape.entries.push(Entry::Parent { name, field, several: targets.len() > 1, shapes });
        shape.entries.len() - 1
    });
    let Some(Entry::Parent { shapes, several, .. }) = shape.entries.get_mut(place) else { return Ok(()) };
    let mut refusal = None;
    let mut added = false;
    for (target, below) in shapes {
        match add_path(world, below, *target, path, rest, if *several { Repeats::Ignored } else { repeats }) {
            Ok(()) => added = true,
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    if !added
        && rest.len() == 1
        && rest.first().is_some_and(|part| part.eq_ignore_ascii_case("type"))
        && *several
    {
        if let Some(Entry::Parent { shapes, .. }) = shape.entries.get_mut(place) {
            for (_, below) in shapes {
                below.entries.push(Entry::TypeName);
            }
        }
        return Ok(());
    }
    match refusal {
        Some(error) if !added => Err(error),
        _ => Ok(()),
    }
}

fn children(world: &World<'_>, scope: &Scope<'_>, query: &Query) -> Result<Entry, QueryError> {
    let parts = World::parts(scope, &query.from);
    let name = parts.last().map(String::as_str).unwrap_or_default();
    let found = world.schema.objects.get(scope.object).and_then(|object| {
        object.children.iter().find(|child| {
            child.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
                && world.rights.object(child.child).read
        })
    });
    let Some(relationship) = found else {
        return Err(world.error("INVALID_TYPE", query.from.at, &format!("Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.")));
    };
    let own = world.object_name(relationship.child).to_owned();
    let bound =
        bind_on(world, query, relationship.child, [Some(&own), query.alias.as_deref().or(Some(name))])?;
    if bound.grouping.is_some() || bound.bare_count {
        return Err(world.error(
            "MALFORMED_QUERY",
            query.from.at,
            "Aggregates are not allowed in a query of the select list",
        ));
    }
    Ok(Entry::Children {
        name: relationship.name.clone().unwrap_or_default(),
        field: relationship.field,
        query: Box::new(bound),
    })
}
