//! Judges mappings against what the platform allows: its objects, its directions, which objects of the org may flow to it (F13, F29).

use super::{Findings, fields, pairs};
use crate::domain::mapping::{DeletePolicy, Direction, Mapping};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::side::Side;
use crate::workspace::nearest::nearest;
use crate::workspace::settings::Settings;

pub(super) fn judge(settings: &Settings, findings: &mut Findings) {
    let Some(profile) = settings.platform.kind.profile() else { return };
    for (place, mapping) in settings.mappings.iter().enumerate() {
        let path = format!("mapping[{place}]");
        match profile.object(&mapping.platform_object) {
            Some(object) => {
                allowed(mapping, object, profile, &path, findings);
                fields::judge(mapping, object, &path, findings);
                if !mapping.pairs.is_empty() {
                    pairs::consent(mapping, object, &path, findings);
                }
            }
            None => unknown(mapping, profile, &path, findings),
        }
        exclusive(settings, place, profile, &path, findings);
    }
}

/// Of objects that show the same records only one is mapped; the later of two is told (F138).
fn exclusive(settings: &Settings, place: usize, profile: &Profile, path: &str, findings: &mut Findings) {
    let Some(mapping) = settings.mappings.get(place).filter(|mapping| mapping.enabled) else { return };
    let Some(object) = profile.object(&mapping.platform_object) else { return };
    let excluded = |other: &&Mapping| {
        other.enabled && object.excludes.iter().any(|name| name.eq_ignore_ascii_case(&other.platform_object))
    };
    if let Some(other) = settings.mappings.iter().take(place).find(excluded) {
        let why = object.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        findings.error(
            format!("{path}.platform_object"),
            format!(
                "“{}” and “{}” of {} can't be synchronized both{why}. Set enabled = false in “{}” or in “{}”.",
                other.platform_object, mapping.platform_object, profile.label, other.name, mapping.name
            ),
        );
    }
}

fn unknown(mapping: &Mapping, profile: &Profile, path: &str, findings: &mut Findings) {
    if mapping.platform_object.trim().is_empty() || !mapping.enabled {
        return;
    }
    let names = || profile.objects.iter().map(|object| object.name.as_str());
    let near = nearest(&mapping.platform_object, names());
    let known = names().collect::<Vec<_>>().join(", ");
    let near = near.map(|near| format!(" Did you mean “{near}”?")).unwrap_or_default();
    findings.error(
        format!("{path}.platform_object"),
        format!(
            "{} has no object “{}” that can be mapped; it has {known}.{near} A mapping of another platform can be switched off with \
             enabled = false.",
            profile.label, mapping.platform_object
        ),
    );
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "both",
        Direction::ToPlatform => "to_platform",
        Direction::ToOrg => "to_org",
    }
}

fn allowed(
    mapping: &Mapping,
    object: &ObjectProfile,
    profile: &Profile,
    path: &str,
    findings: &mut Findings,
) {
    let why = object.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let foreign = !object.from_org.is_empty()
        && !object.from_org.iter().any(|known| known.eq_ignore_ascii_case(&mapping.org_object));
    if mapping.direction.allows(Side::Platform) && foreign {
        findings.error(
            format!("{path}.direction"),
            format!(
                "{} of Salesforce does not flow to “{}” of {}{why}. Only {} does; set direction = \"to_org\".",
                mapping.org_object,
                object.name,
                profile.label,
                object.from_org.join(", ")
            ),
        );
    } else if !object.directions.contains(&mapping.direction) {
        let offered: Vec<String> =
            object.directions.iter().map(|direction| format!("\"{}\"", word(*direction))).collect();
        findings.error(
            format!("{path}.direction"),
            format!(
                "“{}” of {} can't flow {} {why}. Set direction = {}.",
                object.name,
                profile.label,
                match mapping.direction {
                    Direction::Both => "both ways",
                    Direction::ToPlatform => "to the platform",
                    Direction::ToOrg => "to Salesforce",
                },
                offered.join(" or ")
            )
            .replace(" :", ":"),
        );
    }
    if mapping.deletes == DeletePolicy::Propagate
        && mapping.direction.allows(Side::Platform)
        && !object.deleteable
    {
        findings.error(
            format!("{path}.deletes"),
            format!(
                "{} deletes nothing through its interface, so deletions can't be carried over: use “ignore” or “deactivate”.",
                profile.label
            ),
        );
    }
}
