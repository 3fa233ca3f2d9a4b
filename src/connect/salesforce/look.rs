//! What a person who makes a mapping wants to see: the objects that this user can reach, and a few records of one.

use serde::Deserialize;

use super::composite::{self, QueryKind};
use super::describe::Schemas;
use super::errors::senseless;
use super::query::read_page;
use super::rows::Shape;
use super::session::{Door, Request};
use super::soql;
use crate::domain::criteria::Criteria;
use crate::domain::port::PortError;
use crate::domain::record::{Record, Selection};
use crate::domain::schema::ObjectEntry;

#[derive(Deserialize)]
struct Global {
    sobjects: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    name: String,
    label: String,
    #[serde(default)]
    queryable: bool,
    #[serde(default)]
    custom: bool,
    #[serde(default)]
    custom_setting: bool,
    #[serde(default)]
    deprecated_and_hidden: bool,
    #[serde(default)]
    associate_entity_type: Option<String>,
}

/// Every object that this user can query, as the org orders them; what belongs to another object (shares, histories, feeds) and what
/// holds settings is left out.
pub(super) async fn objects(door: &Door) -> Result<Vec<ObjectEntry>, PortError> {
    let base = door.base().await?;
    let what = "listing the objects";
    let reply = door
        .send(&Request::get("objects", format!("{base}/sobjects")))
        .await
        .map_err(|error| error.told(what))?;
    let global: Global = serde_json::from_slice(&reply.body).map_err(|error| senseless(what, &error))?;
    let usable = |told: &Told| {
        told.queryable
            && !told.custom_setting
            && !told.deprecated_and_hidden
            && told.associate_entity_type.is_none()
    };
    Ok(global
        .sobjects
        .into_iter()
        .filter(usable)
        .map(|told| ObjectEntry {
            name: told.name,
            label: told.label,
            custom: told.custom,
            ..ObjectEntry::default()
        })
        .collect())
}

/// A few records of an object that meet the criteria as far as SOQL can test them, the ones that were changed last; one call.
pub(super) async fn some(
    door: &Door,
    schemas: &Schemas,
    object: &str,
    selection: &Selection,
    criteria: Option<&Criteria>,
    most: usize,
) -> Result<Vec<Record>, PortError> {
    let tested = criteria.map(Criteria::fields).unwrap_or_default();
    let names = selection.names().iter().map(AsRef::as_ref).chain(tested.iter().map(String::as_str));
    let catalog = schemas.catalog_for(door, object, names).await?;
    let narrowed = soql::narrow(&catalog, object, criteria);
    let filter = narrowed.clause().map(|clause| format!("WHERE {clause} ")).unwrap_or_default();
    let shape = Shape::new(&catalog, object, selection);
    let order = if shape.has_stamp() { "ORDER BY SystemModstamp DESC " } else { "" };
    let query = soql::select(&shape, object, &format!("{filter}{order}LIMIT {most}"));
    let answer = composite::query(door, QueryKind::Live, &query)
        .await
        .map_err(|error| error.told(&format!("reading {object}")))?;
    Ok(read_page(&shape, &answer.body, object)?.records)
}
