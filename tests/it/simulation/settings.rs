//! The settings of a history: two mappings of one family, with policies by chance.

use forcesync::domain::consent::ConsentForm;
use forcesync::domain::mapping::*;
use forcesync::domain::side::Side;
use forcesync::domain::transform::Transform;
use rand::Rng;

use super::topic::Topic;
use super::world::World;

fn pair(org: &[&str], platform: &[&str]) -> Pair {
    Pair {
        org: org.iter().map(ToString::to_string).collect(),
        platform: platform.iter().map(ToString::to_string).collect(),
        direction: Direction::Both,
        key: false,
        policy: Policy::default(),
        transform: Transform::Copy,
        drift: Drift::default(),
        doubts_accepted: false,
    }
}

pub fn mappings(world: &World) -> Vec<Mapping> {
    let mut state = world.lock();
    let policies = [Policy::SalesforceWins, Policy::PlatformWins, Policy::NewestWins, Policy::Ask];
    let phone = policies[state.random.random_range(0..policies.len())];
    let address = policies[state.random.random_range(0..policies.len())];
    state.judge.policy.insert(Topic::Phone, phone);
    state.judge.policy.insert(Topic::Address, address);
    let all = [DeletePolicy::Ignore, DeletePolicy::Deactivate, DeletePolicy::Propagate];
    let deletes = all[state.random.random_range(0..all.len())];
    state.judge.deletes = deletes;
    let (mark, flags, scoped) = (state.org_marks, state.flags, state.scoped);
    let pairs = vec![
        Pair { key: true, ..pair(&["Email"], &["email"]) },
        Pair { transform: Transform::FullName, ..pair(&["FirstName", "LastName"], &["name"]) },
        Pair { policy: phone, ..pair(&["Phone"], &["phone"]) },
        Pair { policy: address, ..pair(&["Street", "City"], &["street", "city"]) },
        Pair { direction: Direction::ToPlatform, ..pair(&["Status"], &["status"]) },
        Pair {
            transform: Transform::Consent { org: ConsentForm::OptOutFlag, platform: ConsentForm::OptOut },
            ..pair(&["HasOptedOut"], &["optedOut"])
        },
        Pair { direction: Direction::ToPlatform, ..pair(&["Id"], &["externalId"]) },
    ];
    ["Contact", "Lead"]
        .into_iter()
        .map(|object| Mapping {
            name: object.to_lowercase(),
            enabled: true,
            org_object: object.into(),
            platform_object: "contact".into(),
            direction: Direction::Both,
            org_criteria: match (object, scoped) {
                ("Lead", true) => Some("IsConverted = false AND OutOfScope != true".into()),
                ("Lead", false) => Some("IsConverted = false".into()),
                (_, true) => Some("OutOfScope != true".into()),
                (_, false) => None,
            },
            platform_criteria: None,
            since: None,
            create_on_platform: true,
            create_in_org: object == "Lead",
            org_mark: mark.then(|| "Mark__c".to_owned()),
            platform_mark: Some("externalId".into()),
            skip_create_when_blank: Vec::new(),
            default: Vec::new(),
            first_meeting: FirstMeeting::SalesforceWins,
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
