//! Several records of one key: nobody can tell which of them is meant, so none may be touched (law E1).

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::side::{PerSide, Side};

use super::super::world::{State, Version};
use super::Found;

/// Several records of the org with one key: at most one of them was ever linked, and none if they were there from the start as
/// records of one object.
pub(super) fn twins(state: &State, wrong: &mut Vec<String>, email: &str, found: &PerSide<Vec<Found>>) {
    let written = found.org.iter().filter(|(id, _)| touched(state, Side::Org, id)).count();
    let marks: BTreeSet<String> = found
        .platform
        .iter()
        .filter_map(|(_, values)| Some(values.get("externalId")?.to_string()))
        .filter(|mark| !mark.is_empty())
        .collect();
    let handed_on = found.platform.iter().any(|(id, _)| {
        let versions = &state.objects.platform["contact"][id].versions;
        let marks: BTreeSet<String> = versions
            .iter()
            .filter_map(|version| Some(version.values.get("externalId")?.to_string()))
            .filter(|mark| !mark.is_empty())
            .collect();
        marks.len() > 1
    });
    // What takes the place of a deleted, merged or converted record may be given its counterpart.
    let succeeded = state.judge.converted.contains(email) || state.lost_one(email);
    let (handed_on, written_both) = (handed_on && !succeeded, written > 1 && !succeeded);
    if written_both || found.platform.len() > 1 || marks.len() > 1 || handed_on {
        wrong.push(format!("{email}: {written} of {} twins were written to", found.org.len()));
    }
    let one_object = found.org.windows(2).all(|two| two[0].0.get(..3) == two[1].0.get(..3));
    let platform_touched = found.platform.iter().any(|(id, _)| touched(state, Side::Platform, id));
    if email.contains("twin")
        && one_object
        && !state.judge.strayed.contains(email)
        && !state.judge.converted.contains(email)
        && !state.lost_one(email)
        && (written > 0 || platform_touched)
    {
        wrong.push(format!("{email}: two of one key were matched although nobody can tell them apart"));
    }
}

/// Whether the sync wrote to a record. Taking a flag back says nothing about whom it was matched with.
pub(super) fn touched(state: &State, side: Side, id: &str) -> bool {
    let content = |version: &Version| {
        let values = version.values.iter().filter(|(field, _)| *field != "Flag__c");
        values.map(|(field, value)| (field.clone(), value.clone())).collect::<BTreeMap<_, _>>()
    };
    let records = state.objects[side].values().filter_map(|records| records.get(id));
    let mut versions = records.flat_map(|record| {
        let before = std::iter::once(None).chain(record.versions.iter().map(Some));
        before.zip(&record.versions)
    });
    versions.any(|(before, version)| version.by_sync && before.map(content) != Some(content(version)))
}
