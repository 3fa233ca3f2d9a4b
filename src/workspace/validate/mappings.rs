//! Judges mappings: names, families, criteria, what is created.

use std::collections::HashMap;

use super::{Findings, pairs};
use crate::domain::criteria::Criteria;
use crate::domain::mapping::{DeletePolicy, Direction, Mapping};
use crate::domain::side::Side;

pub(super) fn judge(mappings: &[Mapping], findings: &mut Findings) {
    names(mappings, findings);
    families(mappings, findings);
    flags(mappings, findings);
    for (place, mapping) in mappings.iter().enumerate() {
        let path = format!("mapping[{place}]");
        objects(mapping, &path, findings);
        criteria(mapping, &path, findings);
        creation(mapping, &path, findings);
        marks(mapping, &path, findings);
        deletes(mapping, &path, findings);
        pairs::judge(mapping, &path, findings);
    }
}

fn names(mappings: &[Mapping], findings: &mut Findings) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (place, mapping) in mappings.iter().enumerate() {
        let path = format!("mapping[{place}].name");
        if mapping.name.trim().is_empty() {
            findings.error(path, "The mapping has no name: give it one.");
        } else if mapping.name.contains(char::is_whitespace) {
            findings
                .error(path, format!("The name “{}” has blanks in it: use _ or - instead.", mapping.name));
        } else if seen.insert(mapping.name.to_lowercase(), place).is_some() {
            findings.error(
                path,
                format!("The name “{}” is taken by another mapping: choose another.", mapping.name),
            );
        }
    }
}

/// Mappings onto the same platform object: who creates, and who takes part.
fn families(mappings: &[Mapping], findings: &mut Findings) {
    let mut creators: HashMap<String, &str> = HashMap::new();
    let mut unconditional: HashMap<(String, String), &str> = HashMap::new();
    for (place, mapping) in mappings.iter().enumerate().filter(|(_, mapping)| mapping.enabled) {
        let family = mapping.platform_object.to_lowercase();
        if mapping.create_in_org {
            match creators.get(&family) {
                Some(first) => findings.error(
                    format!("mapping[{place}].create_in_org"),
                    format!(
                        "“{first}” and “{}” both create records of “{}” in Salesforce: only one mapping may, or \
                         every new record would come twice.",
                        mapping.name, mapping.platform_object
                    ),
                ),
                None => {
                    creators.insert(family.clone(), &mapping.name);
                }
            }
        }
        if mapping.criteria(Side::Org).is_none() {
            let objects = (mapping.org_object.to_lowercase(), family);
            match unconditional.get(&objects) {
                Some(first) => findings.error(
                    format!("mapping[{place}].org_object"),
                    format!(
                        "“{first}” and “{}” take the same records of “{}”: tell them apart by org_criteria.",
                        mapping.name, mapping.org_object
                    ),
                ),
                None => {
                    unconditional.insert(objects, &mapping.name);
                }
            }
        }
    }
}

fn objects(mapping: &Mapping, path: &str, findings: &mut Findings) {
    if mapping.org_object.trim().is_empty() {
        findings.error(format!("{path}.org_object"), "The Salesforce object is missing.");
    }
    if mapping.platform_object.trim().is_empty() {
        findings.error(format!("{path}.platform_object"), "The platform's object is missing.");
    }
}

fn criteria(mapping: &Mapping, path: &str, findings: &mut Findings) {
    for side in Side::BOTH {
        let Some(text) = mapping.criteria(side) else { continue };
        if let Err(error) = Criteria::parse(text) {
            findings.error(
                format!("{path}.{side}_criteria"),
                format!(
                    "The criteria of “{}” can't be understood at character {}: {}.",
                    mapping.name, error.position, error.message
                ),
            );
        }
    }
}

fn creation(mapping: &Mapping, path: &str, findings: &mut Findings) {
    if mapping.create_in_org && mapping.direction == Direction::ToPlatform {
        findings.warning(
            format!("{path}.create_in_org"),
            format!("“{}” flows to the platform only, so nothing is created in Salesforce.", mapping.name),
        );
    }
    for (place, default) in mapping.default.iter().enumerate() {
        let path = format!("{path}.default[{place}]");
        if default.field.trim().is_empty() {
            findings.error(
                format!("{path}.field"),
                "The default value names no field: name one, or remove the default.",
            );
        }
        if default.value.trim().is_empty() {
            findings.error(
                format!("{path}.value"),
                format!(
                    "The default value of “{}” is blank: write one, or remove the default.",
                    default.field
                ),
            );
        }
        let skipped = default.side == Side::Org
            && mapping.skip_create_when_blank.iter().any(|field| field.eq_ignore_ascii_case(&default.field));
        if skipped {
            findings.warning(
                format!("{path}.field"),
                format!(
                    "Records with a blank “{}” are skipped, so its default value is never used.",
                    default.field
                ),
            );
        }
    }
    for (place, field) in mapping.skip_create_when_blank.iter().enumerate() {
        if field.trim().is_empty() {
            findings.error(format!("{path}.skip_create_when_blank[{place}]"), "A field name is blank.");
        }
    }
    lead_company(mapping, path, findings);
}

/// Salesforce takes no lead without a company (F63, F64): such records are skipped, or get a default.
fn lead_company(mapping: &Mapping, path: &str, findings: &mut Findings) {
    let creates_leads = mapping.creates_on(Side::Org) && mapping.org_object.eq_ignore_ascii_case("Lead");
    let skipped = mapping.skip_create_when_blank.iter().any(|field| field.eq_ignore_ascii_case("Company"));
    let defaulted = mapping
        .default
        .iter()
        .any(|default| default.side == Side::Org && default.field.eq_ignore_ascii_case("Company"));
    if creates_leads && !skipped && !defaulted {
        findings.error(
            format!("{path}.create_in_org"),
            format!(
                "Salesforce takes no lead without a company: let “{}” skip records with a blank Company, or give a \
                 default company.",
                mapping.name
            ),
        );
    }
}

/// What deactivates a record has to be said where a deletion is to deactivate (law E9).
fn deletes(mapping: &Mapping, path: &str, findings: &mut Findings) {
    match (&mapping.deactivate, mapping.deletes) {
        (None, DeletePolicy::Deactivate) => findings.error(
            format!("{path}.deletes"),
            format!(
                "“{}” is to deactivate records, but nothing says how: add deactivate = {{ side = \"platform\", field = \"…\", \
                 value = \"…\" }}.",
                mapping.name
            ),
        ),
        (Some(_), DeletePolicy::Ignore | DeletePolicy::Propagate) => findings.warning(
            format!("{path}.deactivate"),
            "It is not used: deletes is not set to “deactivate”.",
        ),
        (Some(chosen), DeletePolicy::Deactivate) => {
            if chosen.field.trim().is_empty() || chosen.field.contains('.') && chosen.side == Side::Org {
                findings.error(format!("{path}.deactivate.field"), "Name a field of the record itself.");
            }
            if !mapping.direction.allows(chosen.side) {
                findings.error(
                    format!("{path}.deactivate.side"),
                    format!("“{}” does not write to the {}, so nothing can be deactivated there.", mapping.name, chosen.side),
                );
            }
        }
        (None, DeletePolicy::Ignore | DeletePolicy::Propagate) => {}
    }
    if mapping.conversion.is_some() && !mapping.org_object.eq_ignore_ascii_case("Lead") {
        findings.warning(format!("{path}.conversion"), "Only leads can be converted; it is not used.");
    }
    if mapping.flag().is_some_and(|flag| flag.contains('.')) {
        findings.error(
            format!("{path}.sync_flag"),
            "The sync flag must be a field of the object itself: name it without a path.",
        );
    }
}

/// The flag is the queue of an object, so all of its mappings wait in the same one (law E15).
fn flags(mappings: &[Mapping], findings: &mut Findings) {
    let mut seen: HashMap<String, (&str, Option<String>)> = HashMap::new();
    for (place, mapping) in mappings.iter().enumerate().filter(|(_, mapping)| mapping.enabled) {
        let flag = mapping.flag().map(str::to_lowercase);
        match seen.get(&mapping.org_object.to_lowercase()) {
            Some((first, known)) if *known != flag => findings.error(
                format!("mapping[{place}].sync_flag"),
                format!(
                    "“{first}” and “{}” read the same object; both need the same sync_flag, or none.",
                    mapping.name
                ),
            ),
            Some(_) => {}
            None => {
                seen.insert(mapping.org_object.to_lowercase(), (&mapping.name, flag));
            }
        }
    }
}

fn marks(mapping: &Mapping, path: &str, findings: &mut Findings) {
    if mapping.mark(Side::Org).is_some_and(|mark| mark.contains('.')) {
        findings.error(
            format!("{path}.org_mark"),
            "The mark must be a field of the object itself, not a path through a reference.",
        );
    }
    if mapping.ignore_own_changes {
        findings.warning(
            format!("{path}.ignore_own_changes"),
            "Changes by the integration user are left out; what automation changed in the same transaction is missed.",
        );
    }
}
