//! Ties the names of a query to the schema, for a user with certain rights, and refuses what is not there. Sub-selects of
//! conditions are answered on the way, so that what comes out needs rows alone.

use super::QueryError;
use super::ast::{Call, Expression, FieldSet, Item, Order, Path, Query};
use super::filter::{self, Filter};
use crate::sandbox::org::rights::Rights;
use crate::sandbox::org::schema::{Kind, Schema};
use crate::sandbox::org::state::State;

/// What binding needs to look things up.
#[derive(Clone, Copy)]
pub(in crate::sandbox::org) struct World<'a> {
    pub(in crate::sandbox::org) schema: &'a Schema,
    pub(in crate::sandbox::org) rights: &'a Rights,
    pub(in crate::sandbox::org) state: &'a State,
    pub(in crate::sandbox::org) now: i64,
    pub(in crate::sandbox::org) soql: &'a str,
}

/// The way from a row to a value: references to follow, then a field of whatever stands there.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Route {
    /// Reference fields, each of the object that the one before led to.
    pub(in crate::sandbox::org) hops: Vec<usize>,
    pub(in crate::sandbox::org) end: End,
}

/// The last step of a [`Route`].
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum End {
    Field {
        object: usize,
        field: usize,
    },
    /// One of several objects; the field of each, where it has it.
    Several(Vec<(usize, usize)>),
    /// The name of the object itself, as in `Who.Type`.
    TypeName,
}

/// A part of a date that a function takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum DatePart {
    Year,
    Quarter,
    Month,
    DayOfMonth,
    Hour,
    DayOnly,
}

/// A value of a row to compare, sort or group by.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Operand {
    pub(in crate::sandbox::org) route: Route,
    pub(in crate::sandbox::org) part: Option<DatePart>,
    pub(in crate::sandbox::org) kind: Kind,
    pub(in crate::sandbox::org) case_sensitive: bool,
}

/// What a row shows, in the order asked for.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox::org) struct Shape {
    pub(in crate::sandbox::org) entries: Vec<Entry>,
}

/// One key of a row's JSON.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Entry {
    Field {
        field: usize,
    },
    /// The name of the object, for `Owner.Type`.
    TypeName,
    Parent {
        name: String,
        field: usize,
        several: bool,
        shapes: Vec<(usize, Shape)>,
    },
    Children {
        name: String,
        field: usize,
        query: Box<Bound>,
    },
}

/// One column of an aggregate answer.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) enum Column {
    Group { name: String, key: usize },
    Total { name: String, total: Total },
}

/// How many rows are made one value.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) struct Total {
    pub(in crate::sandbox::org) how: How,
    pub(in crate::sandbox::org) of: Option<Operand>,
}

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum How {
    Count,
    CountDistinct,
    Min,
    Max,
    Sum,
    Average,
}

/// Groups and totals instead of rows.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) struct Grouping {
    pub(in crate::sandbox::org) keys: Vec<Operand>,
    pub(in crate::sandbox::org) columns: Vec<Column>,
    pub(in crate::sandbox::org) having: Option<super::aggregate::Having>,
    /// Order by column place, descending or not.
    pub(in crate::sandbox::org) order: Vec<(usize, bool)>,
}

/// A sort key.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) struct SortKey {
    pub(in crate::sandbox::org) operand: Operand,
    pub(in crate::sandbox::org) descending: bool,
    pub(in crate::sandbox::org) nulls_last: bool,
}

/// A query whose names are places.
#[derive(Debug, Clone)]
pub(in crate::sandbox::org) struct Bound {
    pub(in crate::sandbox::org) object: usize,
    pub(in crate::sandbox::org) shape: Shape,
    pub(in crate::sandbox::org) filter: Option<Filter>,
    pub(in crate::sandbox::org) grouping: Option<Grouping>,
    pub(in crate::sandbox::org) bare_count: bool,
    pub(in crate::sandbox::org) order: Vec<SortKey>,
    pub(in crate::sandbox::org) limit: Option<usize>,
    pub(in crate::sandbox::org) offset: usize,
    pub(in crate::sandbox::org) all_rows: bool,
}

/// Names of one query's object by which a path may start.
struct Scope<'a> {
    object: usize,
    names: [Option<&'a str>; 2],
}

impl World<'_> {
    fn error(&self, code: &'static str, at: usize, message: &str) -> QueryError {
        QueryError::at(code, self.soql, at, message)
    }

    fn object_name(&self, object: usize) -> &str {
        self.schema.objects.get(object).map_or("", |shape| shape.name.as_str())
    }

    fn no_column(&self, object: usize, path: &Path, name: &str) -> QueryError {
        let entity = self.object_name(object);
        self.error("INVALID_FIELD", path.at, &format!("No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."))
    }

    fn no_relationship(&self, path: &Path, name: &str) -> QueryError {
        self.error("INVALID_FIELD", path.at, &format!("Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."))
    }

    /// Parts of a path without the object's own name or alias in front.
    fn parts<'p>(&self, scope: &Scope<'_>, path: &'p Path) -> &'p [String] {
        let own = |part: &String| scope.names.iter().flatten().any(|name| name.eq_ignore_ascii_case(part));
        match path.parts.split_first() {
            Some((first, rest)) if !rest.is_empty() && own(first) => rest,
            _ => &path.parts,
        }
    }

    fn route(&self, scope: &Scope<'_>, path: &Path) -> Result<(Route, Kind, bool), QueryError> {
        let parts = self.parts(scope, path);
        let Some((last, parents)) = parts.split_last() else {
            return Err(self.no_column(scope.object, path, ""));
        };
        let (mut objects, mut hops) = (vec![scope.object], Vec::new());
        for parent in parents {
            let (field, targets) =
                self.hop(&objects, parent).ok_or_else(|| self.no_relationship(path, parent))?;
            hops.push(field);
            objects = targets;
        }
        let found: Vec<(usize, usize)> = objects
            .iter()
            .filter_map(|object| Some((*object, self.rights.find_field(self.schema, *object, last)?)))
            .collect();
        let (end, first) = match found.as_slice() {
            [] if objects.len() > 1 && last.eq_ignore_ascii_case("type") => {
                return Ok((Route { hops, end: End::TypeName }, Kind::Text, false));
            }
            [] => return Err(self.no_column(objects.first().copied().unwrap_or(scope.object), path, last)),
            [only] if objects.len() == 1 => (End::Field { object: only.0, field: only.1 }, *only),
            [first, ..] => (End::Several(found.clone()), *first),
        };
        let column = self.schema.field(first.0, first.1);
        let kind = column.map_or(Kind::Text, |field| field.kind);
        Ok((Route { hops, end }, kind, column.is_some_and(|field| field.case_sensitive)))
    }

    /// The reference field behind a relationship name and the objects it leads to.
    fn hop(&self, objects: &[usize], name: &str) -> Option<(usize, Vec<usize>)> {
        let object = *objects.first()?;
        let shape = self.schema.objects.get(object)?;
        let field = shape.relationship(name).filter(|field| self.rights.sees(object, *field))?;
        let targets: Vec<usize> = shape
            .fields
            .get(field)?
            .targets
            .iter()
            .copied()
            .filter(|target| self.rights.object(*target).read)
            .collect();
        (!targets.is_empty()).then_some((field, targets))
    }

    fn operand(&self, scope: &Scope<'_>, expression: &Expression) -> Result<Operand, QueryError> {
        match expression {
            Expression::Field(path) => {
                let (route, kind, case_sensitive) = self.route(scope, path)?;
                Ok(Operand { route, part: None, kind, case_sensitive })
            }
            Expression::Call(call) => {
                let part = match call.name.to_ascii_lowercase().as_str() {
                    "calendar_year" => Some(DatePart::Year),
                    "calendar_quarter" => Some(DatePart::Quarter),
                    "calendar_month" => Some(DatePart::Month),
                    "day_in_month" => Some(DatePart::DayOfMonth),
                    "hour_in_day" => Some(DatePart::Hour),
                    "day_only" => Some(DatePart::DayOnly),
                    "tolabel" | "format" | "convertcurrency" | "converttimezone" => None,
                    _ => {
                        return Err(self.error(
                            "MALFORMED_QUERY",
                            call.at,
                            &format!("Function {} is not allowed here", call.name),
                        ));
                    }
                };
                let [argument] = call.arguments.as_slice() else {
                    return Err(self.error(
                        "MALFORMED_QUERY",
                        call.at,
                        &format!("{} takes one field", call.name),
                    ));
                };
                let mut operand = self.operand(scope, argument)?;
                operand.kind = match part {
                    Some(DatePart::DayOnly) => Kind::Date,
                    Some(
                        DatePart::Year
                        | DatePart::Quarter
                        | DatePart::Month
                        | DatePart::DayOfMonth
                        | DatePart::Hour,
                    ) => Kind::Int,
                    None => operand.kind,
                };
                operand.part = part.or(operand.part);
                Ok(operand)
            }
        }
    }

    fn refuse_unsortable(
        &self,
        operand: &Operand,
        expression: &Expression,
        verb: &str,
    ) -> Result<(), QueryError> {
        let End::Field { object, field } = operand.route.end else { return Ok(()) };
        let Some(column) = self.schema.field(object, field) else { return Ok(()) };
        let fine = if verb == "filtered" { column.filterable() } else { column.sortable() };
        if fine {
            return Ok(());
        }
        Err(self.error(
            "INVALID_FIELD",
            position(expression),
            &format!("field '{}' can not be {verb} in a query call", column.name),
        ))
    }

    /// An operand that conditions may look at.
    pub(super) fn filterable(
        &self,
        scope_object: usize,
        names: [Option<&str>; 2],
        expression: &Expression,
    ) -> Result<Operand, QueryError> {
        let operand = self.operand(&Scope { object: scope_object, names }, expression)?;
        self.refuse_unsortable(&operand, expression, "filtered")?;
        Ok(operand)
    }
}

/// Where an expression starts.
pub(super) fn position(expression: &Expression) -> usize {
    match expression {
        Expression::Field(path) => path.at,
        Expression::Call(call) => call.at,
    }
}

/// Binds a query whose `FROM` names an object.
pub(in crate::sandbox::org) fn bind(world: &World<'_>, query: &Query) -> Result<Bound, QueryError> {
    let name = query.from.parts.first().map(String::as_str).unwrap_or_default();
    let object = world.rights.find_object(world.schema, name).filter(|_| query.from.parts.len() == 1).ok_or_else(|| {
        let name = query.from.text();
        world.error("INVALID_TYPE", query.from.at, &format!("sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."))
    })?;
    bind_on(world, query, object, [Some(name), query.alias.as_deref()])
}

fn bind_on(
    world: &World<'_>,
    query: &Query,
    object: usize,
    names: [Option<&str>; 2],
) -> Result<Bound, QueryError> {
    let scope = Scope { object, names };
    if query.offset > 2_000 {
        return Err(QueryError::plain("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
    }
    let filter = query
        .condition
        .as_ref()
        .map(|condition| filter::bind(world, object, names, condition))
        .transpose()?;
    let mut bound = Bound {
        object,
        shape: Shape::default(),
        filter,
        grouping: None,
        bare_count: query.is_bare_count(),
        order: Vec::new(),
        limit: query.limit,
        offset: query.offset,
        all_rows: query.all_rows,
    };
    if bound.bare_count {
        return Ok(bound);
    }
    if query.is_aggregate() {
        bound.grouping = Some(grouping(world, &scope, query)?);
        return Ok(bound);
    }
    for item in &query.items {
        add_item(world, &scope, &mut bound.shape, item, query.limit)?;
    }
    bound.order =
        query.order_by.iter().map(|order| sort_key(world, &scope, order)).collect::<Result<_, _>>()?;
    Ok(bound)
}

fn sort_key(world: &World<'_>, scope: &Scope<'_>, order: &Order) -> Result<SortKey, QueryError> {
    let operand = world.operand(scope, &order.by)?;
    world.refuse_unsortable(&operand, &order.by, "sorted")?;
    Ok(SortKey { operand, descending: order.descending, nulls_last: order.nulls_last })
}

fn add_item(
    world: &World<'_>,
    scope: &Scope<'_>,
    shape: &mut Shape,
    item: &Item,
    limit: Option<usize>,
) -> Result<(), QueryError> {
    match item {
        Item::Field { path, .. } => {
            add_path(world, shape, scope.object, path, world.parts(scope, path), Repeats::Refused)
        }
        Item::Call { call, .. } => match innermost(call) {
            Some(path) => {
                add_path(world, shape, scope.object, path, world.parts(scope, path), Repeats::Ignored)
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
        let parts: Vec<String> = world.parts(scope, path).iter().chain(&field.parts).cloned().collect();
        add_path(world, shape, scope.object, field, &parts, Repeats::Ignored)?;
    }
    Ok(())
}

fn innermost(call: &Call) -> Option<&Path> {
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
            shapes.iter_mut().for_each(|(_, below)| below.entries.push(Entry::TypeName));
        }
        return Ok(());
    }
    match refusal {
        Some(error) if !added => Err(error),
        _ => Ok(()),
    }
}

fn children(world: &World<'_>, scope: &Scope<'_>, query: &Query) -> Result<Entry, QueryError> {
    let parts = world.parts(scope, &query.from);
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

fn grouping(world: &World<'_>, scope: &Scope<'_>, query: &Query) -> Result<Grouping, QueryError> {
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
            super::aggregate::bind_having(
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
