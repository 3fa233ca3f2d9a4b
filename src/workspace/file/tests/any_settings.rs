//! Settings of every kind, for property tests. Naming each field makes sure that none is forgotten.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::prelude::*;

use crate::domain::consent::ConsentForm;
use crate::domain::mapping::{
    Conversion, Deactivation, DefaultValue, DeletePolicy, Direction, Drift, FirstMeeting, Mapping, Pair,
    Policy, SideEffects,
};
use crate::domain::side::Side;
use crate::domain::transform::rule::Rule;
use crate::domain::transform::rules::Rules;
use crate::domain::transform::{Table as Translation, Transform};
use crate::workspace::settings::*;

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z_]{1,10}", "\\PC{1,12}", Just("it's \"quoted\" \\ \n x".to_owned())]
}

fn any_transform() -> impl Strategy<Value = Transform> {
    let form =
        prop_oneof![Just(ConsentForm::OptOutFlag), Just(ConsentForm::OptOut), Just(ConsentForm::OptIn)];
    prop_oneof![
        Just(Transform::Copy),
        Just(Transform::FullName),
        (form.clone(), form).prop_map(|(org, platform)| Transform::Consent { org, platform }),
        (
            prop::collection::btree_map(words(), words(), 0..4),
            prop::option::of(words()),
            prop::option::of(words())
        )
            .prop_map(|(entries, otherwise, otherwise_org): (BTreeMap<_, _>, _, _)| {
                Transform::Table(Translation { entries, otherwise, otherwise_org })
            }),
        (prop::collection::vec(any_rule(), 0..3), prop::collection::vec(any_rule(), 0..3))
            .prop_map(|(to_platform, to_org)| Transform::Rules(Rules { to_platform, to_org })),
        words().prop_map(Transform::Constant),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        Just(Rule::Trim),
        (1usize..99).prop_map(Rule::Truncate),
        words().prop_map(Rule::Prefix),
        Just("date dd.MM.yyyy".parse().unwrap()),
    ]
}

fn any_direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Both), Just(Direction::ToPlatform), Just(Direction::ToOrg)]
}

fn any_pair() -> impl Strategy<Value = Pair> {
    let fields = || prop::collection::vec(words(), 0..3);
    let policy = prop_oneof![
        Just(Policy::SalesforceWins),
        Just(Policy::PlatformWins),
        Just(Policy::NewestWins),
        Just(Policy::KeepNonBlank),
        Just(Policy::Ask)
    ];
    let drift = prop_oneof![Just(Drift::Leave), Just(Drift::Enforce)];
    (fields(), fields(), any_direction(), any::<bool>(), policy, any_transform(), drift).prop_map(
        |(org, platform, direction, key, policy, transform, drift)| Pair {
            org,
            platform,
            direction,
            key,
            policy,
            transform,
            drift,
            doubts_accepted: key,
        },
    )
}

fn any_mapping() -> impl Strategy<Value = Mapping> {
    let texts = (words(), words(), words(), prop::option::of(words()), prop::option::of(words()));
    let marks = (prop::option::of(words()), prop::option::of(words()));
    let meeting = prop_oneof![
        Just(FirstMeeting::SalesforceWins),
        Just(FirstMeeting::PlatformWins),
        Just(FirstMeeting::FillBlanksOnly),
        Just(FirstMeeting::Ask)
    ];
    let default = (any::<bool>(), words(), words()).prop_map(|(org, field, value)| DefaultValue {
        side: if org { Side::Org } else { Side::Platform },
        field,
        value,
    });
    let deletes =
        (
            prop_oneof![
                Just(DeletePolicy::Ignore),
                Just(DeletePolicy::Deactivate),
                Just(DeletePolicy::Propagate)
            ],
            prop::option::of((any::<bool>(), words(), words()).prop_map(|(org, field, value)| {
                Deactivation { side: if org { Side::Org } else { Side::Platform }, field, value }
            })),
            prop::option::of(prop_oneof![Just(Conversion::HandOver), Just(Conversion::TwoRecords)]),
            prop::option::of(words()),
        );
    let lists = (
        prop::collection::vec(words(), 0..3),
        prop::collection::vec(default, 0..3),
        prop::collection::vec(any_pair(), 0..4),
    );
    (texts, marks, any::<[bool; 8]>(), any_direction(), meeting, lists, deletes).prop_map(
        |(
            (name, org_object, platform_object, org_criteria, platform_criteria),
            (org_mark, platform_mark),
            [
                enabled,
                create_on_platform,
                create_in_org,
                ignore_own_changes,
                fire_events,
                double_opt_in,
                assignment_rules,
                allow_duplicates,
            ],
            direction,
            first_meeting,
            (skip_create_when_blank, default, pairs),
            (deletes, deactivate, conversion, sync_flag),
        )| Mapping {
            name,
            enabled,
            org_object,
            platform_object,
            direction,
            org_criteria,
            platform_criteria,
            since: double_opt_in.then_some(DateTime::UNIX_EPOCH),
            create_on_platform,
            create_in_org,
            org_mark,
            platform_mark,
            skip_create_when_blank,
            default,
            first_meeting,
            deletes,
            deactivate,
            conversion,
            sync_flag,
            ignore_own_changes,
            every: fire_events.then(|| "1h".to_owned()),
            side_effects: SideEffects {
                fire_events,
                double_opt_in,
                assignment_rules,
                allow_duplicates,
                feed_tracking: double_opt_in,
            },
            initial_side_effects: SideEffects { fire_events: assignment_rules, ..SideEffects::default() },
            pairs,
        },
    )
}

fn any_salesforce() -> impl Strategy<Value = SalesforceConnection> {
    let environment =
        prop_oneof![Just(Environment::Production), Just(Environment::Sandbox), Just(Environment::Custom)];
    let sign_in = prop_oneof![
        Just(SignIn::ClientCredentials),
        Just(SignIn::UsernamePassword),
        Just(SignIn::Soap),
        Just(SignIn::Browser),
    ];
    let resolve = any::<[u8; 4]>().prop_map(|[a, b, c, d]| HostAddress {
        host: "acme.example".into(),
        address: ([a, b, c, d], 8443).into(),
    });
    (
        environment,
        sign_in,
        (words(), words(), words(), words()),
        (0u8..=100, 1_024u16..),
        prop::option::of(words()),
        prop::option::of(words()),
        prop::collection::vec(resolve, 0..2),
        any_bulk(),
    )
        .prop_map(
            |(
                environment,
                sign_in,
                (my_domain, username, client_id, api_version),
                (reserve, callback_port),
                ca_file,
                org_id,
                resolve,
                bulk,
            )| {
                SalesforceConnection {
                    environment,
                    my_domain,
                    sign_in,
                    username,
                    client_id,
                    callback_port,
                    api_version,
                    api_reserve_percent: reserve,
                    ca_file: ca_file.map(Into::into),
                    org_id,
                    resolve,
                    bulk,
                }
            },
        )
}

fn any_bulk() -> impl Strategy<Value = BulkSettings> {
    let jobs = prop_oneof![Just(BulkUse::ByCost), Just(BulkUse::Always), Just(BulkUse::Never)];
    (jobs, 1u32..100_000, 0u32..=3600, 0u32..=1_000_000, 1u32..=100).prop_map(
        |(jobs, from, call_worth_seconds, page_rows, upload_mb)| BulkSettings {
            jobs,
            from,
            call_worth_seconds,
            page_rows,
            upload_mb,
        },
    )
}

fn any_salesmanago() -> impl Strategy<Value = SalesmanagoConnection> {
    (
        (words(), words(), words(), words(), words(), words()),
        prop::option::of(words()),
        (0.0f64..100.0, 1u32..=1000, 1u32..100, 0u32..1000),
        (0u32..5000, 0u32..50_000, 0u8..=100),
        prop::option::of(words()),
        any::<bool>(),
    )
        .prop_map(
            |(
                (endpoint, client_id, owner, account_name, microsite_key, iframe_name),
                account_id,
                (pace, batch, window, overlap),
                (per_hour, per_day, reserve),
                ca_file,
                per_row,
            )| {
                SalesmanagoConnection {
                    endpoint,
                    client_id,
                    owner,
                    account_name,
                    account_id,
                    microsite_key,
                    iframe_name,
                    requests_per_second: pace,
                    calls_per_hour: per_hour,
                    calls_per_day: per_day,
                    reserve_percent: reserve,
                    batch_size: batch,
                    max_window_days: window,
                    overlap_seconds: overlap,
                    ca_file: ca_file.map(Into::into),
                    resolve: Vec::new(),
                    transport: if per_row { Transport::PerRow } else { Transport::Async },
                    account: (!per_row).then_some(crate::workspace::settings::Account::Test),
                }
            },
        )
}

pub(super) fn any_settings() -> impl Strategy<Value = Settings> {
    let secrets = prop::option::of(prop_oneof![Just(SecretsPlace::Keyring), Just(SecretsPlace::Vault)]);
    let quiet = prop::option::of(Just("22:00-06:30".parse::<QuietHours>().unwrap()));
    let sync =
        (0u8..=100, 0u8..=100, 0u8..=100, any::<u32>()).prop_map(|(create, update, blank, minimum)| {
            SyncSettings {
                create_percent: create,
                update_percent: update,
                blank_percent: blank,
                delete_percent: create,
                opt_out_percent: update,
                minimum,
            }
        });
    (
        (words(), secrets),
        any_salesforce(),
        any_salesmanago(),
        (any::<bool>(), any::<u32>(), quiet),
        sync,
        prop::collection::vec(any_mapping(), 0..4),
    )
        .prop_map(
            |((name, secrets), salesforce, salesmanago, (automatic, every, quiet), sync, mappings)| {
                Settings {
                    workspace: WorkspaceSettings { name, secrets },
                    salesforce,
                    platform: PlatformConnection { salesmanago, ..PlatformConnection::default() },
                    schedule: Schedule {
                        automatic,
                        every: Every::seconds(every),
                        quiet,
                        ..Schedule::default()
                    },
                    sync,
                    history: HistorySettings { retention_days: sync.minimum % 36_501 },
                    audit: AuditSettings {
                        reread_percent_per_day: sync.create_percent,
                        ..AuditSettings::default()
                    },
                    mappings,
                    ..Settings::default()
                }
            },
        )
}
