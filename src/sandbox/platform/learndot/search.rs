//! Searching: a field holds one of these values, a date lies in a range, a text is found by a part of it. 25 rows a page.

use serde_json::{Map, Value, json};

use super::Learndot;
use super::entity::{ENTITIES, Entity, Kind};
use super::table::Row;

/// The rows of a page; nothing changes it.
const PAGE: usize = 25;

/// What stands behind the question mark.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    page: Option<usize>,
    #[serde(rename = "orderBy")]
    order_by: Option<String>,
    asc: Option<bool>,
    or: Option<bool>,
}

/// How a condition compares.
enum Test<'a> {
    /// Numbers, flags and words are equal to one of these.
    Among(&'a str, &'a [Value]),
    /// A text contains one of these; the service answers near matches.
    Near(&'a str, Vec<String>),
    /// A date lies between these two, both included.
    Between(&'a str, &'a str, &'a str),
}

impl Test<'_> {
    fn passes(&self, row: &Row) -> bool {
        match self {
            Self::Among(name, values) => row.fields.get(*name).is_some_and(|held| values.contains(held)),
            Self::Near(name, texts) => {
                let held = row.fields.get(*name).and_then(Value::as_str).map(str::to_lowercase);
                held.is_some_and(|held| texts.iter().any(|text| held.contains(text.as_str())))
            }
            Self::Between(name, from, to) => {
                let held = row.fields.get(*name).and_then(Value::as_str);
                held.is_some_and(|held| held >= *from && held <= *to)
            }
        }
    }
}

/// Fields that every entity has.
const STAMPS: [&str; 2] = ["created", "modified"];

fn tests<'a>(shape: &Entity, body: &'a Map<String, Value>) -> Result<Vec<Test<'a>>, String> {
    body.iter()
        .map(|(name, values)| {
            let Some(values) = values.as_array() else {
                return Err(format!("{name} must be a list of values"));
            };
            let kind = shape.fields.iter().find(|field| field.name == name).map(|field| field.kind);
            let is_date = STAMPS.contains(&name.as_str()) || matches!(kind, Some(Kind::Date));
            if is_date && let [Value::String(from), Value::String(to)] = values.as_slice() {
                return Ok(Test::Between(name, from, to));
            }
            match kind {
                Some(Kind::Text) => Ok(Test::Near(
                    name,
                    values.iter().filter_map(|value| value.as_str().map(str::to_lowercase)).collect(),
                )),
                Some(_) => Ok(Test::Among(name, values)),
                None if matches!(name.as_str(), "id" | "createdById" | "modifiedById") || is_date => {
                    Ok(Test::Among(name, values))
                }
                None => Err(format!("Unknown field {name}")),
            }
        })
        .collect()
}

impl Learndot {
    /// The answer to a search.
    pub(super) fn answer(
        &self,
        place: usize,
        paging: &Paging,
        body: &Map<String, Value>,
    ) -> Result<Value, String> {
        let Some(shape) = ENTITIES.get(place) else { return Err("No such entity".into()) };
        let tests = tests(shape, body)?;
        let any = paging.or == Some(true);
        let tables = self.held();
        let Some(rows) = tables.of(place) else { return Err("No such entity".into()) };
        let asks_for_changes =
            tests.iter().any(|test| matches!(test, Test::Between(name, ..) if STAMPS.contains(name)));
        let visible = self.visible_until();
        let passes = |row: &Row| {
            (!asks_for_changes || row.changed <= visible)
                && if any && !tests.is_empty() {
                    tests.iter().any(|test| test.passes(row))
                } else {
                    tests.iter().all(|test| test.passes(row))
                }
        };
        let skip = paging.page.unwrap_or(1).saturating_sub(1).saturating_mul(PAGE);
        let order = paging.order_by.as_deref().unwrap_or("id");
        let by_id = order.eq_ignore_ascii_case("id") && paging.asc != Some(false);
        // Ids in order are how the rows lie, so that a long scan needs no sorting.
        if by_id && tests.is_empty() {
            let page: Vec<Value> = rows.values().skip(skip).take(PAGE).map(|row| shown(shape, row)).collect();
            return Ok(json!({"size": rows.len(), "results": page}));
        }
        let direct = match tests.as_slice() {
            [Test::Among("id", ids)] => Some(ids),
            _ => None,
        };
        let mut found: Vec<&Row> = match direct {
            Some(ids) => {
                let mut ids: Vec<u64> = ids.iter().filter_map(Value::as_u64).collect();
                ids.sort_unstable();
                ids.dedup();
                ids.iter().filter_map(|id| rows.get(id)).collect()
            }
            None => rows.values().filter(|row| passes(row)).collect(),
        };
        if !order.eq_ignore_ascii_case("id") {
            let name = shape
                .fields
                .iter()
                .map(|field| field.name)
                .chain(STAMPS)
                .find(|name| name.eq_ignore_ascii_case(order));
            let name = name.ok_or_else(|| format!("Cannot order by {order}"))?;
            found.sort_by_key(|row| row.fields.get(name).map(Value::to_string));
        }
        if paging.asc == Some(false) {
            found.reverse();
        }
        let page: Vec<Value> = found.iter().skip(skip).take(PAGE).map(|row| shown(shape, row)).collect();
        Ok(json!({"size": found.len(), "results": page}))
    }
}

/// A row as it is answered.
pub(super) fn shown(shape: &Entity, row: &Row) -> Value {
    let mut fields = row.fields.clone();
    let name = match shape.name {
        "contact" => {
            let part = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            format!("{} {}", part("firstName"), part("lastName"))
        }
        _ => fields.get(shape.shown).and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    fields.insert("_displayName_".into(), json!(name));
    Value::Object(fields)
}
