//! Judges the push steps: each needs a mapping that takes its fields, and the id of Salesforce (F126–F128).

use super::Findings;
use crate::domain::side::Side;
use crate::workspace::settings::Settings;

pub(super) fn judge(settings: &Settings, findings: &mut Findings) {
    for (place, step) in settings.push.iter().enumerate() {
        let path = format!("push[{place}]");
        if step.name.trim().is_empty() || step.name.contains(['/', '\\']) || step.name.starts_with('.') {
            findings.error(format!("{path}.name"), "A push step needs a name that can be that of a folder.");
        }
        if settings.push.iter().take(place).any(|other| other.name.eq_ignore_ascii_case(&step.name)) {
            findings.error(format!("{path}.name"), format!("There are two push steps “{}”.", step.name));
        }
        let mapping = settings.mappings.iter().find(|mapping| {
            mapping.enabled
                && mapping.org_object.eq_ignore_ascii_case(&step.object)
                && mapping.direction.allows(Side::Org)
        });
        let Some(mapping) = mapping else {
            findings.error(
                format!("{path}.object"),
                format!("No mapping that is switched on takes changes of {} to Salesforce.", step.object),
            );
            continue;
        };
        let by_id = mapping
            .pairs
            .iter()
            .any(|pair| pair.key && pair.org.iter().any(|field| field.eq_ignore_ascii_case("Id")));
        if !by_id && step.id.as_ref().is_none_or(|id| id.trim().is_empty()) {
            findings.error(
                format!("{path}.id"),
                format!(
                    "“{}” is recognised by another field than the id, so the step has to say which key of a line holds the id in Salesforce, \
                     such as id = \"contact_id\".",
                    mapping.name
                ),
            );
        }
        if step.fields.is_empty() {
            findings.error(format!("{path}.fields"), "A push step needs at least one field.");
        }
        for field in &step.fields {
            let flows = mapping.pairs.iter().any(|pair| {
                mapping.direction.and(pair.direction).is_some_and(|direction| direction.allows(Side::Org))
                    && pair.org.iter().any(|known| known.eq_ignore_ascii_case(field))
            });
            if !flows {
                findings.error(
                    format!("{path}.fields"),
                    format!("“{field}” does not flow to Salesforce in the mapping “{}”; a push can only use pairs that do.", mapping.name),
                );
            }
        }
    }
}
