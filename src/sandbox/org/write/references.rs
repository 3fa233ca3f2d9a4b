//! Where reference fields point: ids that must exist and be of the right kind, and parents named by their external id.

use serde_json::{Map, Value};

use super::check::wrong_id;
use super::{MASTER_RECORD_TYPE, Writer, gone};
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::schema::Object;
use crate::sandbox::org::table::Reach;

impl Writer<'_> {
    /// The id behind `{"Account": {"Ext__c": "A-1"}}`.
    pub(super) fn by_foreign_key(
        &self,
        object: usize,
        field: usize,
        key: &Map<String, Value>,
    ) -> Result<String, RowError> {
        let Some(column) = self.schema.field(object, field) else { return Err(gone()) };
        let wanted =
            key.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
        let mut parts = key.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("attributes"));
        let (Some((name, value)), None) = (parts.next(), parts.next()) else {
            return Err(RowError::new(
                "INVALID_FIELD",
                format!(
                    "More than 1 field provided in an external foreign key reference in entity: {}",
                    column.relationship.as_deref().unwrap_or_default()
                ),
            ));
        };
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        for target in &column.targets {
            let Some(parent) = self.schema.objects.get(*target) else { continue };
            if wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&parent.name)) {
                continue;
            }
            let Some(foreign) = self.actor.rights.find_field(self.schema, *target, name) else { continue };
            if !parent.fields.get(foreign).is_some_and(|field| field.external_id || field.id_lookup) {
                continue;
            }
            let found = self.state.matching(self.schema, *target, foreign, &text, self.actor.now);
            return match found.as_slice() {
                [place] => Ok(ids::mint(&parent.prefix, *place)),
                [] => Err(RowError::new(
                    "INVALID_FIELD",
                    format!(
                        "Foreign key external ID: {} not found for field {name} in entity {}",
                        text.to_lowercase(),
                        parent.name
                    ),
                )),
                _ => Err(RowError::new(
                    "DUPLICATE_EXTERNAL_ID",
                    format!(
                        "Foreign key external ID: {text} is not unique for field {name} in entity {}",
                        parent.name
                    ),
                )),
            };
        }
        let entity = column
            .targets
            .first()
            .and_then(|target| self.schema.objects.get(*target))
            .map_or("", |object| object.name.as_str());
        Err(RowError::new(
            "INVALID_FIELD",
            format!(
                "Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {entity}"
            ),
        ))
    }

    pub(super) fn check_reference(&self, shape: &Object, field: usize, id: &str) -> Result<(), RowError> {
        let Some(column) = shape.fields.get(field) else { return Err(gone()) };
        let prefix = id.get(..3).unwrap_or_default();
        if column.targets.is_empty() {
            return Ok(());
        }
        if !self.schema.by_prefix(prefix).is_some_and(|target| column.targets.contains(&target)) {
            return Err(wrong_id(column, id));
        }
        // The master record type is no row of its own, yet every org has it.
        if id == MASTER_RECORD_TYPE {
            return Ok(());
        }
        let known = self.state.locate(self.schema, id).is_some_and(|(target, place)| {
            self.state
                .table(target)
                .and_then(|table| table.slot(place))
                .is_some_and(|slot| slot.row.is_some() && slot.deleted_at.is_none())
        });
        if !known {
            return Err(RowError::on(
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
                &column.name,
            ));
        }
        if Some(field) == shape.system.owner
            && let Some((target, place)) = self.state.locate(self.schema, id)
            && let Some(active) = self.schema.objects.get(target).and_then(|user| user.field("IsActive"))
            && !self
                .state
                .row(target, place, self.actor.now, Reach::Live)
                .is_some_and(|row| row.get(active).is_true())
        {
            return Err(RowError::on(
                "INACTIVE_OWNER_OR_USER",
                format!(
                    "operation performed with inactive user [{id}] as owner of {}",
                    shape.name.to_lowercase()
                ),
                &column.name,
            ));
        }
        Ok(())
    }
}
