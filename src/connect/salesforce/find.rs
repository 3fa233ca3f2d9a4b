//! Looking for records without their ids: by key, by mark, or by who created them.

use super::convert::moment_text;
use super::describe::{Catalog, Schemas};
use super::id::full_id;
use super::query::known;
use super::read;
use super::rows::Shape;
use super::session::Door;
use super::soql;
use crate::domain::port::{Finder, PortClass, PortError};
use crate::domain::record::{Record, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::value::Value;

/// The longest condition of one query.
const LONGEST_CONDITION: usize = 9_000;
/// Most values in one list.
const MOST_VALUES: usize = 500;
/// Taken off the moment of [`Finder::CreatedByUs`]: stamps have whole seconds and clocks differ a little.
const CLOCK_TOLERANCE: chrono::TimeDelta = chrono::TimeDelta::seconds(5);

/// Looks for records; each is handed back once.
pub(super) async fn find(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    selection: &Selection,
    by: &Finder,
) -> Result<Vec<Record>, PortError> {
    let tested: Vec<&str> = match by {
        Finder::Field { field, .. } => vec![field.as_str()],
        Finder::Fields { fields, .. } => fields.iter().map(String::as_str).collect(),
        Finder::CreatedByUs { .. } => Vec::new(),
    };
    let paths = selection.names().iter().map(AsRef::as_ref).chain(tested.iter().copied());
    let catalog = schemas.catalog_for(door, object, paths).await?;
    known(&catalog, object)?;
    let conditions = match by {
        Finder::Field { field, values } => in_lists(&catalog, object, field, values)?,
        Finder::Fields { fields, rows } => alternatives(&catalog, object, fields, rows)?,
        Finder::CreatedByUs { since } => {
            let (_, me) = door.ids().await?;
            let since = *since + door.ahead() - CLOCK_TOLERANCE;
            vec![format!(
                "CreatedById = {} AND CreatedDate >= {}",
                soql::quote(me.as_str()),
                moment_text(since)
            )]
        }
    };
    let shape = Shape::new(&catalog, object, selection);
    let queries: Vec<String> = conditions
        .iter()
        .map(|condition| soql::select(&shape, object, &format!("WHERE {condition} {}", soql::order(&shape))))
        .collect();
    let mut records = read::run(door, &shape, object, &queries).await?;
    records.sort_by(|left, right| left.id.cmp(&right.id));
    records.dedup_by(|left, right| left.id == right.id);
    Ok(records)
}

fn field(catalog: &Catalog, object: &str, name: &str) -> Result<super::describe::Resolved, PortError> {
    catalog.resolve(object, name).ok_or_else(|| {
        PortError::new(
            PortClass::Settings,
            "INVALID_FIELD",
            format!(
                "{object} has no field {name}, or the integration user can't see it. Check the mapping and the user's permissions."
            ),
        )
    })
}

/// Whether a field could hold this at all. What a platform keeps in the place of the org's id may be anybody's number, and one that is
/// no id would make the org refuse the whole query.
fn may_be(kind: FieldKind, value: &Value) -> bool {
    !matches!(kind, FieldKind::Id | FieldKind::Reference) || full_id(&value.to_string()).is_some()
}

fn in_lists(catalog: &Catalog, object: &str, name: &str, values: &[Value]) -> Result<Vec<String>, PortError> {
    let field = field(catalog, object, name)?;
    let mut literals: Vec<String> = values
        .iter()
        .filter(|value| !value.is_blank() && may_be(field.kind, value))
        .filter_map(|value| soql::literal(field.kind, value))
        .collect();
    literals.sort_unstable();
    literals.dedup();
    Ok(packed(&literals, ",").into_iter().map(|list| format!("{} IN ({list})", field.path)).collect())
}

fn alternatives(
    catalog: &Catalog,
    object: &str,
    names: &[String],
    rows: &[Vec<Value>],
) -> Result<Vec<String>, PortError> {
    let fields =
        names.iter().map(|name| field(catalog, object, name)).collect::<Result<Vec<_>, PortError>>()?;
    let mut each: Vec<String> = rows
        .iter()
        // A key with a blank part matches nothing (law E1).
        .filter(|row| row.len() == fields.len() && !row.iter().any(Value::is_blank))
        .filter(|row| fields.iter().zip(row.iter()).all(|(field, value)| may_be(field.kind, value)))
        .filter_map(|row| {
            let parts: Option<Vec<String>> = fields
                .iter()
                .zip(row)
                .map(|(field, value)| Some(format!("{} = {}", field.path, soql::literal(field.kind, value)?)))
                .collect();
            Some(format!("({})", parts?.join(" AND ")))
        })
        .collect();
    each.sort_unstable();
    each.dedup();
    Ok(packed(&each, " OR "))
}

/// Joins pieces into texts that are short enough.
fn packed(pieces: &[String], with: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut held = 0;
    for piece in pieces {
        match out.last_mut() {
            Some(last)
                if held < MOST_VALUES && last.len() + piece.len() + with.len() <= LONGEST_CONDITION =>
            {
                last.push_str(with);
                last.push_str(piece);
                held += 1;
            }
            _ => {
                out.push(piece.clone());
                held = 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_before_they_get_too_long() {
        let pieces: Vec<String> = (0..2_000).map(|number| format!("'{number:010}'")).collect();
        let packed = packed(&pieces, ",");
        assert!(packed.iter().all(|text| text.len() <= LONGEST_CONDITION));
        assert_eq!(packed.iter().map(|text| text.split(',').count()).sum::<usize>(), 2_000);
        assert!(packed.len() >= 4);
    }
}
