//! Judges pairs against what the platform's own description says of its fields: names, what can be written, what values are taken.

use super::Findings;
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::profile::{Access, FieldProfile, ObjectProfile};
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::workspace::nearest::nearest;

pub(super) fn judge(mapping: &Mapping, object: &ObjectProfile, path: &str, findings: &mut Findings) {
    for (place, pair) in mapping.pairs.iter().enumerate() {
        let path = format!("{path}.pair[{place}]");
        let flows = mapping.direction.and(pair.direction);
        for name in pair.platform.iter().filter(|name| !name.trim().is_empty()) {
            let known = object.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            match known {
                None if object.closed && object.open_field(name).is_none() => {
                    unknown(name, object, &path, findings);
                }
                None => {}
                Some(field) => {
                    if field.access == Access::Read && flows.is_some_and(|way| way.allows(Side::Platform)) {
                        findings.error(
                            format!("{path}.direction"),
                            format!(
                                "“{name}” of {} can only be read: set direction = \"to_org\".",
                                object.label
                            ),
                        );
                    }
                    if flows.is_some_and(|way| way.allows(Side::Platform)) {
                        values(pair, field, &path, findings);
                    }
                }
            }
        }
    }
}

fn unknown(name: &str, object: &ObjectProfile, path: &str, findings: &mut Findings) {
    let near = nearest(name, object.fields.iter().map(|field| field.name.as_str()));
    let near = near.map(|near| format!(" Did you mean “{near}”?")).unwrap_or_default();
    let open = object
        .open_prefix
        .as_deref()
        .map(|start| format!(" A field of your own begins with “{start}”, such as “{start}{name}”."))
        .unwrap_or_default();
    let out = if near.is_empty() { open } else { near };
    findings.error(format!("{path}.platform"), format!("{} has no field “{name}”.{out}", object.label));
}

/// What is written down for a field that takes only its own values has to be one of them.
fn values(pair: &Pair, field: &FieldProfile, path: &str, findings: &mut Findings) {
    if !field.restricted || field.picklist.is_empty() {
        return;
    }
    let wanted: Vec<&String> = match &pair.transform {
        Transform::Constant(text) if !text.trim().is_empty() => vec![text],
        Transform::Table(table) => table.entries.values().chain(&table.otherwise).collect(),
        Transform::Constant(_)
        | Transform::Copy
        | Transform::FullName
        | Transform::Consent { .. }
        | Transform::Reference(_)
        | Transform::Rules(_) => Vec::new(),
    };
    let known = |value: &&&String| field.picklist.iter().any(|one| one.eq_ignore_ascii_case(value.trim()));
    if let Some(value) = wanted.iter().find(|value| !known(value)) {
        let near = nearest(value, field.picklist.iter().map(String::as_str));
        let near = near.map(|near| format!(" Did you mean “{near}”?")).unwrap_or_default();
        findings.error(
            format!("{path}.transform"),
            format!("“{}” takes only {}, not “{value}”.{near}", field.name, field.picklist.join(", ")),
        );
    }
}
