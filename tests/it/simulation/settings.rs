//! The settings of a history: two mappings of one family, with policies by chance.

use forcesync::domain::consent::ConsentForm;
use forcesync::domain::mapping::*;
use forcesync::domain::side::Side;
use forcesync::domain::transform::Transform;
use rand::Rng;

use super::topic::Topic;
use super::world::World;

/// The place of the pair that gives the org's id to the platform, where there is one.
pub const MARK: usize = 6;

fn pair(org: &[&str], platform: &[&str], direction: Direction) -> Pair {
    Pair {
        org: org.iter().map(ToString::to_string).collect(),
        platform: platform.iter().map(ToString::to_string).collect(),
        direction,
        key: false,
        policy: Policy::default(),
        transform: Transform::Copy,
        drift: Drift::default(),
        doubts_accepted: false,
    }
}

pub fn mappings(world: &World) -> Vec<Mapping> {
    let mut state = world.lock();
    let manner = state.manner.clone();
    let policies = [Policy::SalesforceWins, Policy::PlatformWins, Policy::NewestWins, Policy::Ask];
    let phone = policies[state.random.random_range(0..policies.len())];
    let address = policies[state.random.random_range(0..policies.len())];
    state.judge.policy.insert(Topic::Phone, phone);
    state.judge.policy.insert(Topic::Address, address);
    let all = [DeletePolicy::Ignore, DeletePolicy::Deactivate, DeletePolicy::Propagate];
    let deletes = match all[state.random.random_range(0..all.len())] {
        // What can't be deleted over there can't be mapped so.
        DeletePolicy::Propagate if manner.writes(Side::Platform) && !manner.deletes => {
            DeletePolicy::Deactivate
        }
        DeletePolicy::Deactivate if !manner.writes(Side::Platform) => DeletePolicy::Ignore,
        deletes => deletes,
    };
    state.judge.deletes = deletes;
    let (mark, flags, scoped) = (state.org_marks, state.flags, state.scoped);
    // Where nothing but the org is written to, its own people's values would stand for ever.
    let first_meeting =
        if manner.writes(Side::Platform) { FirstMeeting::SalesforceWins } else { FirstMeeting::PlatformWins };
    let (all, to_platform) = (manner.direction, Direction::ToPlatform);
    let mut pairs = vec![
        Pair { key: !manner.by_key(), ..pair(&["Email"], &["email"], all) },
        Pair { transform: Transform::FullName, ..pair(&["FirstName", "LastName"], &["name"], all) },
        Pair { policy: phone, ..pair(&["Phone"], &["phone"], all) },
        Pair { policy: address, ..pair(&["Street", "City"], &["street", "city"], all) },
        pair(&["Status"], &["status"], to_platform.and(all).unwrap_or(all)),
    ];
    if manner.writes(Side::Platform) {
        pairs.extend([
            Pair {
                transform: Transform::Consent { org: ConsentForm::OptOutFlag, platform: ConsentForm::OptOut },
                ..pair(&["HasOptedOut"], &["optedOut"], all)
            },
            Pair { key: manner.by_key(), ..pair(&["Id"], &["externalId"], to_platform) },
        ]);
    }
    manner
        .org_objects
        .iter()
        .map(|object| Mapping {
            name: object.to_lowercase(),
            enabled: true,
            org_object: (*object).into(),
            platform_object: "contact".into(),
            direction: manner.direction,
            org_criteria: match (*object, scoped) {
                ("Lead", true) => Some("IsConverted = false AND OutOfScope != true".into()),
                ("Lead", false) => Some("IsConverted = false".into()),
                (_, true) => Some("OutOfScope != true".into()),
                (_, false) => None,
            },
            platform_criteria: None,
            since: None,
            create_on_platform: manner.writes(Side::Platform),
            create_in_org: manner.writes(Side::Org) && *object == manner.org_object("Lead"),
            org_mark: (mark && manner.writes(Side::Org)).then(|| "Mark__c".to_owned()),
            platform_mark: manner.writes(Side::Platform).then(|| "externalId".into()),
            skip_create_when_blank: Vec::new(),
            default: Vec::new(),
            first_meeting,
            deletes,
            deactivate: (deletes == DeletePolicy::Deactivate).then(|| Deactivation {
                side: Side::Platform,
                field: "inactive".into(),
                value: "true".into(),
            }),
            conversion: None,
            sync_flag: flags.then(|| "Flag__c".into()),
            ignore_own_changes: false,
            every: None,
            side_effects: SideEffects::default(),
            initial_side_effects: SideEffects::default(),
            pairs: pairs.clone(),
        })
        .collect()
}
