//! Judges the field pairs of a mapping.

use std::collections::{HashMap, HashSet};

use super::Findings;
use crate::domain::mapping::{Direction, Mapping, Pair, Policy};
use crate::domain::profile::ObjectProfile;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::domain::transform::rule::Rule;
use crate::domain::transform::rules::{Rules, Unfit};

pub(super) fn judge(mapping: &Mapping, path: &str, findings: &mut Findings) {
    if mapping.pairs.is_empty() {
        findings.unfinished(format!("{path}.pair"), format!("“{}” has no field pairs yet.", mapping.name));
        return;
    }
    if !mapping.pairs.iter().any(|pair| pair.key) {
        findings.error(
            format!("{path}.pair"),
            format!(
                "“{}” has no key: mark the pair by which records are recognised with key = true.",
                mapping.name
            ),
        );
    }
    for (place, pair) in mapping.pairs.iter().enumerate() {
        let path = format!("{path}.pair[{place}]");
        fields(pair, &path, findings);
        shape(mapping, pair, &path, findings);
        flow(mapping, pair, &path, findings);
        key(pair, &path, findings);
        if pair.transform.is_consent() && pair.policy != Policy::default() {
            findings.warning(
                format!("{path}.policy"),
                "Consent is decided by its own rule, in doubt against mailing; the policy of this pair is not used.",
            );
        }
    }
    targets(mapping, path, findings);
}

fn fields(pair: &Pair, path: &str, findings: &mut Findings) {
    for side in Side::BOTH {
        if pair.fields(side).iter().any(|field| field.trim().is_empty()) {
            findings.error(format!("{path}.{side}"), "A field name is blank.");
        }
    }
}

/// How many fields the transform takes on either side.
fn shape(mapping: &Mapping, pair: &Pair, path: &str, findings: &mut Findings) {
    let (org, platform) = (pair.org.len(), pair.platform.len());
    let wrong = |findings: &mut Findings, message: &str| findings.error(path, message);
    match &pair.transform {
        Transform::Copy if org != platform || org == 0 => {
            wrong(
                findings,
                "A plain pair has as many fields on one side as on the other: name as many, or choose a transform that joins them.",
            );
        }
        Transform::FullName if (org, platform) != (2, 1) => {
            wrong(findings, "A full name joins two fields of Salesforce, first and last name, into one.");
        }
        Transform::Consent { .. } if (org, platform) != (1, 1) => {
            wrong(findings, "A consent pair has one field on either side.");
        }
        Transform::Table(_) if org != platform || org == 0 => {
            wrong(
                findings,
                "A translated pair has as many fields on one side as on the other: name as many.",
            );
        }
        Transform::Table(table) => {
            let path = format!("{path}.transform");
            if table.entries.is_empty() {
                findings
                    .error(path, "The translation table has no entries: add some, or remove the transform.");
            } else if pair.direction.allows(Side::Org) {
                ambiguous_entries(table.entries.values(), &path, findings);
            }
        }
        Transform::Reference(_) if (org, platform) != (1, 1) => {
            wrong(findings, "A reference has one field on either side.");
        }
        Transform::Reference(target) if target.trim().is_empty() => {
            findings.error(
                format!("{path}.transform"),
                "Name the platform's object that the reference leads to.",
            );
        }
        Transform::Rules(rules) => rule_lists(mapping, pair, rules, path, findings),
        Transform::Constant(text) => {
            if text.trim().is_empty() {
                findings.error(format!("{path}.transform"), "The fixed value is blank.");
            }
            let receives = match pair.direction {
                Direction::ToPlatform => Some(platform),
                Direction::ToOrg => Some(org),
                Direction::Both => None,
            };
            match receives {
                Some(1) => {}
                Some(_) => wrong(findings, "A fixed value goes into exactly one field."),
                None => findings.error(
                    format!("{path}.direction"),
                    "A fixed value goes one way: set direction to to_platform or to_org.",
                ),
            }
        }
        Transform::Copy | Transform::FullName | Transform::Consent { .. } | Transform::Reference(_) => {}
    }
}

/// Rules have to get from as many fields as there are to as many as are needed, on every way that values flow.
fn rule_lists(mapping: &Mapping, pair: &Pair, rules: &Rules, path: &str, findings: &mut Findings) {
    let path = format!("{path}.transform");
    let Some(direction) = mapping.direction.and(pair.direction) else { return };
    if pair.key && matches!(rules.on_way(Side::Platform), Err(Unfit::Loses(_))) {
        findings.error(
            &path,
            "The key is compared as the platform writes it: give this pair to_platform rules, or mark another pair as key.",
        );
    }
    for side in Side::BOTH.into_iter().filter(|side| direction.allows(*side)) {
        let (from, to) = (pair.fields(side.other()).len(), pair.fields(side).len());
        if let Err(unfit) = rules.fits(side, from, to) {
            findings.error(&path, format!("{}: {}.", pair.name(), unfit.sentence(side)));
            // What is wrong with one way is mostly wrong with the other as well.
            return;
        }
        if direction == Direction::Both
            && side == Side::Platform
            && let Some((first, second)) = rules.grows(from, to)
        {
            findings.error(
                &path,
                format!(
                    "{}: the two ways undo each other, so that every run would write again (“{first}” becomes “{second}”): make to_org \
                     take back what to_platform does, or set direction = \"to_platform\".",
                    pair.name()
                ),
            );
            return;
        }
        let cuts = |rule: &&Rule| matches!(rule, Rule::Truncate(_));
        if let Some(rule) = rules.written(side).iter().find(cuts) {
            let target = match side {
                Side::Org => "Salesforce",
                Side::Platform => "the platform",
            };
            findings.warning(
                &path,
                format!("{}: “{rule}” cuts longer values on the way to {target}; what is cut off is not kept there.", pair.name()),
            );
        }
    }
}

fn ambiguous_entries<'a>(values: impl Iterator<Item = &'a String>, path: &str, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for value in values {
        if !seen.insert(value.trim().to_lowercase()) {
            findings.warning(
                path,
                format!(
                    "“{value}” stands for several Salesforce values; on the way back the first one is used."
                ),
            );
        }
    }
}

fn flow(mapping: &Mapping, pair: &Pair, path: &str, findings: &mut Findings) {
    match mapping.direction.and(pair.direction) {
        None => findings.error(
            format!("{path}.direction"),
            format!(
                "“{}” goes against the direction of “{}”, so its values never flow.",
                pair.name(),
                mapping.name
            ),
        ),
        Some(direction) => {
            let parent = pair.org.iter().find(|field| field.contains('.'));
            if let Some(field) = parent.filter(|_| direction.allows(Side::Org)) {
                findings.error(
                    format!("{path}.direction"),
                    format!("“{field}” belongs to another object and can only be read: set direction to to_platform."),
                );
            }
        }
    }
}

fn key(pair: &Pair, path: &str, findings: &mut Findings) {
    if !pair.key {
        return;
    }
    let unfit = match pair.transform {
        Transform::Constant(_) => {
            Some("A fixed value is the same on every record and can't be a key: remove key = true.")
        }
        Transform::Consent { .. } => Some("Consent can't be a key: remove key = true."),
        Transform::Copy
        | Transform::FullName
        | Transform::Table(_)
        | Transform::Reference(_)
        | Transform::Rules(_) => None,
    };
    if let Some(message) = unfit {
        findings.error(format!("{path}.key"), message);
    }
}

/// No field may receive from two pairs: they would overwrite each other in every run.
fn targets(mapping: &Mapping, path: &str, findings: &mut Findings) {
    let mut writers: HashMap<(Side, String), String> = HashMap::new();
    for (place, pair) in mapping.pairs.iter().enumerate() {
        let Some(direction) = mapping.direction.and(pair.direction) else { continue };
        for side in Side::BOTH.into_iter().filter(|side| direction.allows(*side)) {
            for field in pair.fields(side).iter().filter(|field| !field.trim().is_empty()) {
                let target = (side, field.to_lowercase());
                match writers.get(&target) {
                    Some(first) => findings.error(
                        format!("{path}.pair[{place}].{side}"),
                        format!(
                            "“{field}” is written by two pairs, “{first}” and “{}”: remove one, or let it flow the other way.",
                            pair.name()
                        ),
                    ),
                    None => {
                        writers.insert(target, pair.name());
                    }
                }
            }
        }
    }
}

/// Where the platform's object says whether a person agreed to be contacted, a pair should carry it.
pub(super) fn consent(mapping: &Mapping, object: &ObjectProfile, path: &str, findings: &mut Findings) {
    let writes_people = mapping.direction.allows(Side::Platform) && object.consent_fields().next().is_some();
    let lacks = writes_people && !mapping.pairs.iter().any(|pair| pair.transform.is_consent());
    // Where silence counts as yes, nobody is created by a mapping that says nothing (law E3).
    if lacks && mapping.creates_on(Side::Platform) && object.assumes_consent() {
        findings.error(
            format!("{path}.pair"),
            format!(
                "“{}” has no consent pair, and a “{}” that is created without an opt-in counts as opted in: pair the consent of Salesforce \
                 with {}.",
                mapping.name,
                object.name,
                object.consent_fields().collect::<Vec<_>>().join(" or ")
            ),
        );
        return;
    }
    if lacks {
        findings.warning(
            format!("{path}.pair"),
            format!("“{}” has no consent pair: opt-outs do not cross between the sides.", mapping.name),
        );
    }
}
