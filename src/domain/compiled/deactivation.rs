//! What deactivates a record of a side, checked against its description (law E9).

use crate::domain::compiled::Cause;
use crate::domain::mapping::{DeletePolicy, Mapping};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::side::Side;
use crate::domain::value::Value;

/// The field and value that deactivate a record of this side; `None` where the mapping does not ask for it.
pub(super) fn compile(
    mapping: &Mapping,
    object: &ObjectSchema,
    side: Side,
) -> Option<Result<(String, Value), (Cause, String)>> {
    let chosen = mapping.deactivation(side).filter(|_| mapping.deletes == DeletePolicy::Deactivate)?;
    let hidden = |message: String| Some(Err((Cause::of_hidden(side), message)));
    let wrong = |message: String| Some(Err((Cause::Settings, message)));
    let Some(field) = object.field(&chosen.field) else {
        return hidden(format!(
            "{} has no field {} that this user can see, so nothing can be deactivated by it",
            object.name, chosen.field
        ));
    };
    if !field.updateable {
        return hidden(format!(
            "{}.{} cannot be written by this user, so nothing can be deactivated by it",
            object.name, chosen.field
        ));
    }
    let text = chosen.value.trim();
    let value = match field.kind {
        FieldKind::Bool if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        FieldKind::Bool if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        FieldKind::Bool => {
            return wrong(format!(
                "{}.{} is a checkbox: the value that deactivates must be true or false",
                object.name, chosen.field
            ));
        }
        FieldKind::Number => Value::Number(text.into()),
        _ => Value::text(text),
    };
    if field.restricted && !field.picklist.iter().any(|known| known == text) {
        return wrong(format!(
            "{}.{} does not know the value {text}; it takes {}",
            object.name,
            chosen.field,
            field.picklist.join(", ")
        ));
    }
    Some(Ok((field.name.clone(), value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mapping::Deactivation;
    use crate::domain::schema::FieldSchema;

    fn compiled(kind: FieldKind, updateable: bool, value: &str) -> Result<(String, Value), (Cause, String)> {
        let text = "name = \"contact\"\norg_object = \"Contact\"\nplatform_object = \"contact\"";
        let mut mapping: Mapping = toml::from_str(text).unwrap();
        mapping.deletes = DeletePolicy::Deactivate;
        mapping.deactivate =
            Some(Deactivation { side: Side::Org, field: "active__c".into(), value: value.into() });
        let field = FieldSchema { name: "Active__c".into(), kind, updateable, ..FieldSchema::default() };
        let object = ObjectSchema { name: "Contact".into(), fields: vec![field], ..ObjectSchema::default() };
        assert!(compile(&mapping, &object, Side::Platform).is_none());
        compile(&mapping, &object, Side::Org).unwrap()
    }

    #[test]
    fn e9_the_value_that_deactivates_is_one_of_its_field() {
        assert_eq!(compiled(FieldKind::Bool, true, "false"), Ok(("Active__c".into(), Value::Bool(false))));
        assert_eq!(compiled(FieldKind::Text, true, "no"), Ok(("Active__c".into(), Value::text("no"))));
        assert!(compiled(FieldKind::Bool, true, "no").is_err());
        assert!(compiled(FieldKind::Text, false, "no").is_err());
    }
}
