//! One record at a time: create, read, change, delete, by id or by the value of a key field.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Api;
use super::reply::{Call, Reply};
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::soql::bind::{Entry, Shape, World};
use crate::sandbox::org::soql::render::{self, Style};
use crate::sandbox::org::table::Reach;
use crate::sandbox::org::write::{Writer, atomic};

/// What an upsert came to.
pub(super) enum Upserted {
    Created(u32),
    Updated(u32),
}

/// Why an upsert did not happen.
pub(super) enum UpsertRefusal {
    Row(RowError),
    /// Several rows have the key.
    Ambiguous(Vec<u32>),
    /// No row has it, and only updates were asked for.
    Absent,
}

impl From<RowError> for UpsertRefusal {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

/// The answer about an id or key that leads nowhere.
pub(super) fn no_such_key(text: &str) -> RowError {
    RowError::new(
        "NOT_FOUND",
        format!("Provided external ID field does not exist or is not accessible: {text}"),
    )
}

/// Inserts or updates by the value of a key field; runs inside the writer, so that look-up and write are one step.
pub(super) fn upsert(
    writer: &mut Writer<'_>,
    object: usize,
    field: usize,
    value: &str,
    body: &Map<String, Value>,
    update_only: bool,
) -> Result<Upserted, UpsertRefusal> {
    let schema = writer.schema;
    let (Some(shape), Some(column)) = (schema.objects.get(object), schema.field(object, field)) else {
        return Err(RowError::new("NOT_FOUND", "The requested resource does not exist").into());
    };
    if body.keys().any(|name| name.eq_ignore_ascii_case(&column.name) && !name.eq_ignore_ascii_case("id")) {
        return Err(RowError::on(
            "INVALID_FIELD",
            format!("The {} field should not be specified in the sobject data.", column.name),
            &column.name,
        )
        .into());
    }
    let found = writer.state.matching(schema, object, field, value, writer.actor.now);
    match found.as_slice() {
        [place] => writer
            .update(object, *place, body)
            .map(|()| Upserted::Updated(*place))
            .map_err(UpsertRefusal::Row),
        [] if update_only || column.name == "Id" => Err(UpsertRefusal::Absent),
        [] => {
            let mut body = body.clone();
            let key = if column.kind.is_number() {
                value.parse::<f64>().map_or_else(|_| Value::String(value.to_owned()), |number| json!(number))
            } else {
                Value::String(value.to_owned())
            };
            body.insert(shape.fields.get(field).map_or_else(String::new, |field| field.name.clone()), key);
            writer.insert(object, &body).map(Upserted::Created).map_err(UpsertRefusal::Row)
        }
        _ => Err(UpsertRefusal::Ambiguous(found)),
    }
}

impl Api<'_> {
    fn body_of_row(call: &Call) -> Result<Map<String, Value>, Reply> {
        match call.json()? {
            Value::Object(body) => Ok(body),
            _ => Err(Reply::error(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body must be a JSON object of fields",
            )),
        }
    }

    fn id(&self, object: usize, place: u32) -> String {
        self.schema().objects.get(object).map_or_else(String::new, |shape| ids::mint(&shape.prefix, place))
    }

    fn name(&self, object: usize) -> &str {
        self.schema().objects.get(object).map_or("", |shape| shape.name.as_str())
    }

    fn location(&self, object: usize, place: u32) -> (&'static str, String) {
        (
            "location",
            format!(
                "/services/data/v{}/sobjects/{}/{}",
                self.version,
                self.name(object),
                self.id(object, place)
            ),
        )
    }

    pub(super) fn create(&mut self, call: &Call, object: usize) -> Reply {
        let body = match Self::body_of_row(call) {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        match self.write(call, |writer| atomic(writer, |writer| writer.insert(object, &body))) {
            Ok(place) => {
                self.note_assignment(object, &body);
                let reply =
                    Reply::json(201, &json!({"id": self.id(object, place), "success": true, "errors": []}));
                Reply { headers: vec![self.location(object, place)], ..reply }
            }
            Err(error) => error.into(),
        }
    }

    /// A permission set that is assigned to the integration user gives its rights at once.
    fn note_assignment(&self, object: usize, body: &Map<String, Value>) {
        let is_assignment =
            self.schema().objects.get(object).is_some_and(|shape| shape.name == "PermissionSetAssignment");
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if is_assignment && text("AssigneeId") == self.org.integration_user_id() {
            self.org.assign_set(text("PermissionSetId"));
        }
    }

    /// Object and place of an id in a path; the id must be of this object.
    fn place(&self, object: usize, text: &str) -> Result<u32, RowError> {
        let Some(id) = ids::normalise(text) else { return Err(no_such_key(text)) };
        let found = self.read(|world| world.state.locate(world.schema, &id));
        match found {
            Some((of, place)) if of == object => Ok(place),
            Some(_) | None => Err(no_such_key(text)),
        }
    }

    pub(super) fn record(&mut self, call: &Call, object: usize, text: &str) -> Reply {
        let place = match self.place(object, text) {
            Ok(place) => place,
            Err(error) => return error.into(),
        };
        match call.method {
            Method::GET => self.show(call, object, place, text),
            Method::PATCH => {
                let body = match Self::body_of_row(call) {
                    Ok(body) => body,
                    Err(reply) => return reply,
                };
                self.changed(call, |writer| writer.update(object, place, &body), text)
            }
            Method::DELETE => self.changed(call, |writer| writer.delete(object, place), text),
            _ => Reply::wrong_method(call, "GET, DELETE, PATCH, HEAD"),
        }
    }

    fn changed(
        &mut self,
        call: &Call,
        change: impl FnOnce(&mut Writer<'_>) -> Result<(), RowError>,
        text: &str,
    ) -> Reply {
        match self.write(call, |writer| atomic(writer, change)) {
            Ok(()) => Reply::empty(204),
            Err(error) if error.code == "INVALID_CROSS_REFERENCE_KEY" && error.fields.is_empty() => {
                no_such_key(text).into()
            }
            Err(error) => error.into(),
        }
    }

    fn show(&self, call: &Call, object: usize, place: u32, text: &str) -> Reply {
        let style = Style { version: &self.version, reach: Reach::Live };
        let names = call.parameter("fields");
        let shown: Result<Vec<u8>, RowError> = self.read(|world| {
            let Some(row) = world.state.row(object, place, self.now, Reach::Live) else {
                let deleted =
                    world.state.table(object).is_some_and(|table| table.is_deleted(place, self.now));
                return Err(if deleted { crate::sandbox::org::write::gone() } else { no_such_key(text) });
            };
            let shape = match names {
                Some(names) => shape_of(world, object, names.split(','))?,
                None => render::full_shape(world, object),
            };
            let mut out = Vec::with_capacity(2_048);
            render::write_row(&mut out, world, object, row, &shape, style);
            Ok(out)
        });
        match shown {
            Ok(body) => Reply::bytes(200, body),
            Err(error) => error.into(),
        }
    }

    pub(super) fn record_by_key(
        &mut self,
        call: &Call,
        object: usize,
        field_name: &str,
        value: &str,
    ) -> Reply {
        let field = self.rights.find_field(self.schema(), object, field_name);
        let usable = |field: &usize| {
            self.schema().field(object, *field).is_some_and(|column| column.external_id || column.id_lookup)
        };
        let Some(field) = field.filter(usable) else {
            return no_such_key(field_name).into();
        };
        match call.method {
            Method::GET | Method::DELETE => {
                let found =
                    self.read(|world| world.state.matching(world.schema, object, field, value, self.now));
                match (found.as_slice(), &call.method) {
                    ([place], &Method::GET) => self.show(call, object, *place, value),
                    ([place], _) => {
                        let place = *place;
                        self.changed(call, |writer| writer.delete(object, place), value)
                    }
                    ([], _) => Reply::not_found(),
                    (several, _) => self.multiple_choices(object, several),
                }
            }
            Method::PATCH => self.upsert_by_key(call, object, field, value),
            Method::POST if self.schema().field(object, field).is_some_and(|column| column.name == "Id") => {
                self.create(call, object)
            }
            _ => Reply::wrong_method(call, "GET, DELETE, PATCH, HEAD"),
        }
    }

    fn multiple_choices(&self, object: usize, places: &[u32]) -> Reply {
        let urls: Vec<String> = places.iter().map(|place| self.location(object, *place).1).collect();
        Reply::json(300, &json!(urls))
    }

    fn upsert_by_key(&mut self, call: &Call, object: usize, field: usize, value: &str) -> Reply {
        let body = match Self::body_of_row(call) {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let update_only = call.parameter("updateOnly").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let by_id = self.schema().field(object, field).is_some_and(|column| column.name == "Id");
        let outcome = self.write(call, |writer| {
            atomic(writer, |writer| upsert(writer, object, field, value, &body, update_only))
        });
        let answer = |api: &Self, status: u16, place: u32, created: bool| {
            Reply::json(
                status,
                &json!({"id": api.id(object, place), "success": true, "errors": [], "created": created}),
            )
        };
        match outcome {
            Ok(Upserted::Created(place)) => {
                Reply { headers: vec![self.location(object, place)], ..answer(self, 201, place, true) }
            }
            Ok(Upserted::Updated(_)) if by_id => Reply::empty(204),
            Ok(Upserted::Updated(place)) => answer(self, 200, place, false),
            Err(UpsertRefusal::Row(error)) => error.into(),
            Err(UpsertRefusal::Ambiguous(places)) => self.multiple_choices(object, &places),
            Err(UpsertRefusal::Absent) if by_id => no_such_key(value).into(),
            Err(UpsertRefusal::Absent) => Reply::not_found(),
        }
    }
}

/// The shape of named fields; `Id` always comes along.
pub(super) fn shape_of<'n>(
    world: &World<'_>,
    object: usize,
    names: impl Iterator<Item = &'n str>,
) -> Result<Shape, RowError> {
    let Some(shape) = world.schema.objects.get(object) else { return Err(no_such_key("")) };
    let mut entries = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let Some(field) = world.rights.find_field(world.schema, object, name) else {
            return Err(RowError::new(
                "INVALID_FIELD",
                format!("No such column '{name}' on sobject of type {}", shape.name),
            ));
        };
        if !entries.iter().any(|entry| matches!(entry, Entry::Field { field: there } if *there == field)) {
            entries.push(Entry::Field { field });
        }
    }
    if let Some(id) = shape.field("Id")
        && !entries.iter().any(|entry| matches!(entry, Entry::Field { field } if *field == id))
    {
        entries.push(Entry::Field { field: id });
    }
    Ok(Shape { entries })
}
