//! Values that only one row may have, and the duplicate rule for e-mails.

use serde_json::{Value, json};

use super::{Writer, gone};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::schema::Object;

impl Writer<'_> {
    /// Refuses a row whose unique values another row has; `own` is the row itself before an update.
    pub(super) fn refuse_duplicates(
        &self,
        object: usize,
        cells: &[Cell],
        own: Option<(u32, &[Cell])>,
    ) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let others = |field: usize, text: &str| -> Vec<u32> {
            let found = self.state.matching(self.schema, object, field, text, self.actor.now);
            found.into_iter().filter(|place| own.is_none_or(|(own, _)| own != *place)).collect()
        };
        for (place, field) in shape.fields.iter().enumerate() {
            let Some(Cell::Text(text)) = cells.get(place) else { continue };
            let unchanged = own.is_some_and(|(_, before)| before.get(place) == cells.get(place));
            if field.unique
                && !unchanged
                && let Some(other) = others(place, text).first()
            {
                let id = ids::mint(&shape.prefix, *other);
                return Err(RowError::new(
                    "DUPLICATE_VALUE",
                    format!(
                        "duplicate value found: {} duplicates value on record with id: {}",
                        field.name,
                        id.get(..15).unwrap_or(&id)
                    ),
                ));
            }
            let watched = self.actor.duplicate_rule
                && !self.actor.save_duplicates
                && matches!(shape.name.as_str(), "Contact" | "Lead")
                && field.name == "Email";
            if watched && !unchanged {
                let found = others(place, text);
                if !found.is_empty() {
                    return Err(duplicates_detected(shape, &found));
                }
            }
        }
        Ok(())
    }
}

fn duplicates_detected(shape: &Object, found: &[u32]) -> RowError {
    let records: Vec<Value> = found
        .iter()
        .map(|place| {
            let id = ids::mint(&shape.prefix, *place);
            json!({"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0,
                "record": {"attributes": {"type": shape.name, "url": format!("/services/data/v67.0/sobjects/{}/{id}", shape.name)}, "Id": id}})
        })
        .collect();
    RowError {
        duplicates: Some(Box::new(json!({
            "allowSave": true,
            "duplicateRule": format!("Standard_{}_Duplicate_Rule", shape.name),
            "duplicateRuleEntityType": shape.name,
            "errorMessage": "Use one of these records?",
            "matchResults": [{"entityType": shape.name, "errors": [], "matchEngine": "FuzzyMatchEngine",
                "matchRecords": records, "rule": format!("Standard_{}_Match_Rule_v1_0", shape.name), "size": found.len(), "success": true}],
        }))),
        ..RowError::new("DUPLICATES_DETECTED", "Use one of these records?")
    }
}
