//! Rows as the CSV of query jobs, and the dialect that a job asks for.

use serde_json::Value;

use crate::sandbox::org::cell::{CellRef, Row};
use crate::sandbox::org::moment::{self, DAY_MS};
use crate::sandbox::org::schema::Kind;
use crate::sandbox::org::soql::bind::{Bound, Entry, Shape, World};
use crate::sandbox::org::table::Reach;

/// Delimiters by the names that jobs give them.
const DELIMITERS: [(&str, u8); 6] = [
    ("COMMA", b','),
    ("TAB", b'\t'),
    ("SEMICOLON", b';'),
    ("PIPE", b'|'),
    ("CARET", b'^'),
    ("BACKQUOTE", b'`'),
];

/// How a job's CSV is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    crlf: bool,
}

impl Dialect {
    pub(super) fn of(body: &Value) -> Result<Self, String> {
        let text = |name: &str, default: &'static str| {
            body.get(name).and_then(Value::as_str).unwrap_or(default).to_owned()
        };
        let (delimiter, ending) = (text("columnDelimiter", "COMMA"), text("lineEnding", "LF"));
        if text("contentType", "CSV") != "CSV" {
            return Err("Invalid contentType; CSV is the one there is".to_owned());
        }
        let delimiter = DELIMITERS
            .iter()
            .find(|known| known.0 == delimiter)
            .ok_or(format!("Invalid columnDelimiter {delimiter}"))?
            .1;
        match ending.as_str() {
            "LF" | "CRLF" => Ok(Self { delimiter, crlf: ending == "CRLF" }),
            _ => Err(format!("Invalid lineEnding {ending}")),
        }
    }

    pub(super) fn delimiter_word(self) -> &'static str {
        DELIMITERS.iter().find(|known| known.1 == self.delimiter).map_or("COMMA", |known| known.0)
    }

    pub(super) fn line_ending_word(self) -> &'static str {
        if self.crlf { "CRLF" } else { "LF" }
    }

    /// Ends a line.
    pub(super) fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.crlf { b"\r\n" } else { b"\n" });
    }

    /// Writes one value, in quotes, after a delimiter unless it is the line's first.
    pub(super) fn value(self, out: &mut Vec<u8>, first: bool, text: &str) {
        if !first {
            out.push(self.delimiter);
        }
        out.push(b'"');
        for (at, part) in text.split('"').enumerate() {
            if at > 0 {
                out.extend_from_slice(b"\"\"");
            }
            out.extend_from_slice(part.as_bytes());
        }
        out.push(b'"');
    }
}

/// A column: references to follow and the field at their end.
struct Column {
    name: String,
    hops: Vec<usize>,
    /// Field by the object that it is found on.
    fields: Vec<(usize, usize, Kind)>,
}

fn columns(
    world: &World<'_>,
    object: usize,
    shape: &Shape,
    name: &str,
    hops: &[usize],
    found: &mut Vec<Column>,
) {
    for entry in &shape.entries {
        match entry {
            Entry::Field { field } => {
                let Some(column) = world.schema.field(object, *field) else { continue };
                let name = format!("{name}{}", column.name);
                let place = (object, *field, column.kind);
                // The same path on another object that a reference may lead to is the same column.
                match found.iter_mut().find(|known| known.name == name) {
                    Some(known) => known.fields.push(place),
                    None => found.push(Column { name, hops: hops.to_vec(), fields: vec![place] }),
                }
            }
            Entry::Parent { name: parent, field, shapes, .. } => {
                let hops: Vec<usize> = hops.iter().copied().chain([*field]).collect();
                for (target, below) in shapes {
                    columns(world, *target, below, &format!("{name}{parent}."), &hops, found);
                }
            }
            Entry::TypeName | Entry::Children { .. } => {}
        }
    }
}

/// Writes a header and the rows; gives how many rows.
pub(super) fn write(
    out: &mut Vec<u8>,
    world: &World<'_>,
    bound: &Bound,
    places: &[u32],
    reach: Reach,
    dialect: Dialect,
) -> usize {
    let mut all = Vec::new();
    columns(world, bound.object, &bound.shape, "", &[], &mut all);
    for (at, column) in all.iter().enumerate() {
        dialect.value(out, at == 0, &column.name);
    }
    dialect.end(out);
    let mut count = 0;
    let mut text = Vec::new();
    for place in places {
        let Some(row) = world.state.row(bound.object, *place, world.now, reach) else { continue };
        count += 1;
        for (at, column) in all.iter().enumerate() {
            text.clear();
            value(&mut text, world, bound.object, row, column);
            dialect.value(out, at == 0, std::str::from_utf8(&text).unwrap_or_default());
        }
        dialect.end(out);
    }
    count
}

fn value(out: &mut Vec<u8>, world: &World<'_>, object: usize, row: &Row, column: &Column) {
    let reader = world.reader();
    let (mut object, mut row) = (object, row);
    for hop in &column.hops {
        match reader.parent(row, *hop) {
            Some((parent, _, parent_row)) => (object, row) = (parent, parent_row),
            None => return,
        }
    }
    let Some((_, field, kind)) = column.fields.iter().find(|entry| entry.0 == object) else { return };
    match row.get(*field) {
        CellRef::Null if *kind == Kind::Boolean => out.extend_from_slice(b"false"),
        CellRef::Null => {}
        CellRef::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        CellRef::Text(text) => out.extend_from_slice(text.as_bytes()),
        CellRef::Number(number) if *kind == Kind::Int => {
            out.extend_from_slice(format!("{number}").as_bytes());
        }
        CellRef::Number(number) => out.extend_from_slice(format!("{number:?}").as_bytes()),
        CellRef::Date(days) => moment::write_date(out, days),
        CellRef::Time(ms) => {
            moment::write_clock(out, ms);
            out.push(b'Z');
        }
        CellRef::Moment(ms) => {
            moment::write_date(out, ms.div_euclid(DAY_MS) as i32);
            out.push(b'T');
            moment::write_clock(out, ms.rem_euclid(DAY_MS) as u32);
            out.push(b'Z');
        }
    }
}
