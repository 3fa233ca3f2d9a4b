//! Rows as JSON, written straight into bytes: a page of two thousand rows makes no value in between.

use super::aggregate;
use super::ast::Comparator;
use super::bind::{Bound, Column, End, Entry, Grouping, How, Operand, Route, Shape, World};
use super::execute;
use super::filter::{Filter, Test};
use crate::sandbox::org::cell::{Cell, CellRef, Row};
use crate::sandbox::org::moment;
use crate::sandbox::org::schema::{Field, Kind, Object};
use crate::sandbox::org::table::Reach;

/// How rows name themselves.
#[derive(Clone, Copy)]
pub(in crate::sandbox::org) struct Style<'a> {
    /// The version in addresses, such as `67.0`.
    pub(in crate::sandbox::org) version: &'a str,
    pub(in crate::sandbox::org) reach: Reach,
}

/// Writes a JSON string.
pub(in crate::sandbox::org) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
        plain = at + 1;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// Writes one value as the org shows it.
pub(in crate::sandbox::org) fn write_cell(out: &mut Vec<u8>, value: CellRef<'_>, kind: Kind) {
    match value {
        CellRef::Null if kind == Kind::Boolean => out.extend_from_slice(b"false"),
        CellRef::Null => out.extend_from_slice(b"null"),
        CellRef::Bool(true) => out.extend_from_slice(b"true"),
        CellRef::Bool(false) => out.extend_from_slice(b"false"),
        CellRef::Number(number) => write_number(out, number, kind),
        CellRef::Text(text) => write_text(out, text),
        CellRef::Date(days) => {
            out.push(b'"');
            moment::write_date(out, days);
            out.push(b'"');
        }
        CellRef::Moment(ms) => {
            out.push(b'"');
            moment::write_moment(out, ms);
            out.push(b'"');
        }
        CellRef::Time(ms) => {
            out.push(b'"');
            moment::write_clock(out, ms);
            out.extend_from_slice(b"Z\"");
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: f64, kind: Kind) {
    let text = format!("{number}");
    out.extend_from_slice(text.as_bytes());
    if kind != Kind::Int && !text.contains('.') {
        out.extend_from_slice(b".0");
    }
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Writes a row with its `attributes`.
pub(in crate::sandbox::org) fn write_row(
    out: &mut Vec<u8>,
    world: &World<'_>,
    object: usize,
    row: &Row,
    shape: &Shape,
    style: Style<'_>,
) {
    let name = world.schema.objects.get(object).map_or("", |object| object.name.as_str());
    write_named_row(out, world, object, row, shape, style, name);
}

fn write_named_row(
    out: &mut Vec<u8>,
    world: &World<'_>,
    object: usize,
    row: &Row,
    shape: &Shape,
    style: Style<'_>,
    shown_type: &str,
) {
    let Some(definition) = world.schema.objects.get(object) else { return };
    let id = definition.field("Id").and_then(|field| row.get(field).as_text()).unwrap_or_default();
    push(out, "{\"attributes\":{\"type\":\"");
    push(out, shown_type);
    push(out, "\",\"url\":\"/services/data/v");
    push(out, style.version);
    push(out, "/sobjects/");
    push(out, &definition.name);
    out.push(b'/');
    push(out, id);
    push(out, "\"}");
    for entry in &shape.entries {
        out.extend_from_slice(b",\"");
        match entry {
            Entry::Field { field } => {
                let Some(column) = definition.fields.get(*field) else { continue };
                push(out, &column.name);
                out.extend_from_slice(b"\":");
                write_field(out, definition, column, row, *field, id);
            }
            Entry::TypeName => {
                push(out, "Type\":\"");
                push(out, &definition.name);
                out.push(b'"');
            }
            Entry::Parent { name, field, several, shapes } => {
                push(out, name);
                out.extend_from_slice(b"\":");
                write_parent(out, world, row, *field, *several, shapes, style);
            }
            Entry::Children { name, field, query } => {
                push(out, name);
                out.extend_from_slice(b"\":");
                write_children(out, world, id, *field, query, style);
            }
        }
    }
    out.push(b'}');
}

fn write_field(out: &mut Vec<u8>, object: &Object, column: &Field, row: &Row, field: usize, id: &str) {
    if column.kind == Kind::Address {
        return write_address(out, object, column, row);
    }
    if column.name == "PhotoUrl" {
        return write_text(out, &format!("/services/images/photo/{id}"));
    }
    write_cell(out, row.get(field), column.kind);
}

/// The parts of an address and their keys in the compound value.
const ADDRESS: [(&str, &str); 8] = [
    ("City", "city"),
    ("Country", "country"),
    ("GeocodeAccuracy", "geocodeAccuracy"),
    ("Latitude", "latitude"),
    ("Longitude", "longitude"),
    ("PostalCode", "postalCode"),
    ("State", "state"),
    ("Street", "street"),
];

fn write_address(out: &mut Vec<u8>, object: &Object, column: &Field, row: &Row) {
    let stem = column.name.strip_suffix("Address").unwrap_or_default();
    let parts = ADDRESS.map(|(part, key)| {
        let place = object.field(&format!("{stem}{part}"));
        let kind = place.and_then(|place| object.fields.get(place)).map_or(Kind::Text, |field| field.kind);
        (key, place.map_or(CellRef::Null, |place| row.get(place)), kind)
    });
    if parts.iter().all(|part| part.1.is_null()) {
        return push(out, "null");
    }
    for (place, (key, value, kind)) in parts.iter().enumerate() {
        push(out, if place == 0 { "{\"" } else { ",\"" });
        push(out, key);
        push(out, "\":");
        write_cell(out, *value, *kind);
    }
    out.push(b'}');
}

fn write_parent(
    out: &mut Vec<u8>,
    world: &World<'_>,
    row: &Row,
    field: usize,
    several: bool,
    shapes: &[(usize, Shape)],
    style: Style<'_>,
) {
    let found = row.get(field).as_text().and_then(|id| world.state.locate(world.schema, id));
    let parent = found.and_then(|(object, place)| {
        let shape = &shapes.iter().find(|entry| entry.0 == object)?.1;
        Some((object, world.state.row(object, place, world.now, Reach::WithDeleted)?, shape))
    });
    match parent {
        None => push(out, "null"),
        // A reference to one of several objects shows as the pseudo-object Name.
        Some((object, row, shape)) if several => {
            write_named_row(out, world, object, row, shape, style, "Name")
        }
        Some((object, row, shape)) => write_row(out, world, object, row, shape, style),
    }
}

fn write_children(
    out: &mut Vec<u8>,
    world: &World<'_>,
    parent: &str,
    field: usize,
    query: &Bound,
    style: Style<'_>,
) {
    let mine = Filter::Test {
        operand: Operand {
            route: Route { hops: Vec::new(), end: End::Field { object: query.object, field } },
            part: None,
            kind: Kind::Reference,
            case_sensitive: true,
        },
        test: Test::Text(Comparator::Equal, parent.to_owned()),
    };
    let mut of_parent = query.clone();
    of_parent.filter = Some(match of_parent.filter.take() {
        Some(own) => Filter::All(vec![mine, own]),
        None => mine,
    });
    let places = execute::places(world, &of_parent, style.reach);
    if places.is_empty() {
        return push(out, "null");
    }
    push(out, &format!("{{\"totalSize\":{},\"done\":true,\"records\":", places.len()));
    write_rows(out, world, query, &places, style);
    out.push(b'}');
}

/// Writes the rows at some places as an array.
pub(in crate::sandbox::org) fn write_rows(
    out: &mut Vec<u8>,
    world: &World<'_>,
    bound: &Bound,
    places: &[u32],
    style: Style<'_>,
) {
    out.push(b'[');
    let mut first = true;
    for place in places {
        let reach = if bound.all_rows { Reach::WithDeleted } else { style.reach };
        let Some(row) = world.state.row(bound.object, *place, world.now, reach) else { continue };
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_row(out, world, bound.object, row, &bound.shape, style);
    }
    out.push(b']');
}

/// Writes the whole answer of a grouped query.
pub(in crate::sandbox::org) fn write_groups(
    out: &mut Vec<u8>,
    world: &World<'_>,
    bound: &Bound,
    grouping: &Grouping,
    reach: Reach,
) {
    let rows = aggregate::rows(world, bound, grouping, reach);
    push(out, &format!("{{\"totalSize\":{},\"done\":true,\"records\":[", rows.len()));
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        push(out, "{\"attributes\":{\"type\":\"AggregateResult\"}");
        for (column, value) in grouping.columns.iter().zip(row) {
            let (name, kind) = column_kind(grouping, column);
            out.push(b',');
            write_text(out, name);
            out.push(b':');
            write_cell(out, Cell::borrow(value), kind);
        }
        out.push(b'}');
    }
    push(out, "]}");
}

fn column_kind<'a>(grouping: &Grouping, column: &'a Column) -> (&'a str, Kind) {
    match column {
        // No value at all is shown as null, also where a lone field would be false.
        Column::Group { name, key } => (name, grouping.keys.get(*key).map_or(Kind::Text, |key| key.kind)),
        Column::Total { name, total } => match total.how {
            How::Count | How::CountDistinct => (name, Kind::Int),
            How::Average => (name, Kind::Double),
            How::Min | How::Max | How::Sum => {
                (name, total.of.as_ref().map_or(Kind::Double, |operand| operand.kind))
            }
        },
    }
}

/// A row with all its visible fields as JSON text.
pub(in crate::sandbox::org) fn full_shape(world: &World<'_>, object: usize) -> Shape {
    let count = world.schema.objects.get(object).map_or(0, |shape| shape.fields.len());
    let entries =
        (0..count).filter(|field| world.rights.sees(object, *field)).map(|field| Entry::Field { field });
    Shape { entries: entries.collect() }
}
