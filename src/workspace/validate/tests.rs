//! Tests of judging settings.

use rstest::rstest;

use super::*;
use crate::domain::consent::ConsentForm;
use crate::domain::mapping::{DefaultValue, Direction, Mapping, Policy};
use crate::domain::side::Side;
use crate::domain::transform::{Table, Transform};
use crate::workspace::file::read_settings;
use crate::workspace::settings::{Environment, Every, SignIn};

const COMPLETE: &str = r#"
[workspace]
name = "acme"
[salesforce]
my_domain = "https://acme.my.salesforce.com"
client_id = "3MVG"
[platform.salesmanago]
endpoint = "https://app2.salesmanago.com"
client_id = "acme"
owner = "ann@acme.example"
account_name = "Web leads"
[[mapping]]
name = "contact"
org_object = "Contact"
platform_object = "contact"
[[mapping.pair]]
org = "Email"
platform = "email"
key = true
[[mapping.pair]]
org = ["FirstName", "LastName"]
platform = "name"
transform = "full_name"
[[mapping.pair]]
org = "HasOptedOutOfEmail"
platform = "optedOut"
transform = { consent = { org = "opt_out_flag", platform = "opt_out" } }
"#;

fn complete() -> Settings {
    let (settings, problems) = read_settings(COMPLETE);
    assert_eq!(problems, []);
    settings
}

/// The severity and path of every finding after a change of settings without any.
fn findings(change: impl FnOnce(&mut Settings)) -> Vec<(Severity, String)> {
    let mut settings = complete();
    change(&mut settings);
    validate(&settings).into_iter().map(|problem| (problem.severity, problem.path)).collect()
}

#[track_caller]
fn assert_finds(severity: Severity, path: &str, change: impl FnOnce(&mut Settings)) {
    let found = findings(change);
    assert!(found.contains(&(severity, path.to_owned())), "{path} is not among {found:?}");
}

#[test]
fn complete_settings_have_no_problem() {
    assert_eq!(validate(&complete()), []);
}

#[test]
fn new_settings_are_unfinished_but_not_wrong() {
    let problems = validate(&Settings::default());
    assert!(problems.iter().all(|problem| problem.severity != Severity::Error), "{problems:?}");
    assert!(problems.iter().any(Problem::blocks));
}

#[test]
fn e9_a_deactivation_needs_a_field_and_a_side_that_is_written() {
    use crate::domain::mapping::{Conversion, Deactivation, DeletePolicy};
    let chosen =
        |side: Side, field: &str| Some(Deactivation { side, field: field.into(), value: "no".into() });
    assert_finds(Severity::Error, "mapping[0].deletes", |settings| {
        settings.mappings[0].deletes = DeletePolicy::Deactivate;
    });
    assert_finds(Severity::Error, "mapping[0].deactivate.field", |settings| {
        settings.mappings[0].deletes = DeletePolicy::Deactivate;
        settings.mappings[0].deactivate = chosen(Side::Platform, " ");
    });
    assert_finds(Severity::Error, "mapping[0].deactivate.side", |settings| {
        settings.mappings[0].direction = Direction::ToPlatform;
        settings.mappings[0].deletes = DeletePolicy::Deactivate;
        settings.mappings[0].deactivate = chosen(Side::Org, "Active__c");
    });
    assert_finds(Severity::Warning, "mapping[0].deactivate", |settings| {
        settings.mappings[0].deactivate = chosen(Side::Platform, "details.Active");
    });
    assert_finds(Severity::Warning, "mapping[0].conversion", |settings| {
        settings.mappings[0].conversion = Some(Conversion::TwoRecords);
    });
}

#[test]
fn e15_all_mappings_of_an_object_wait_in_the_same_queue() {
    assert_finds(Severity::Error, "mapping[1].sync_flag", |settings| {
        let mut other = settings.mappings[0].clone();
        other.name = "other".into();
        other.org_criteria = Some("Title = 'x'".into());
        other.sync_flag = Some("Sync__c".into());
        settings.mappings.push(other);
    });
    assert_finds(Severity::Error, "mapping[0].sync_flag", |settings| {
        settings.mappings[0].sync_flag = Some("Account.Sync__c".into());
    });
}

#[test]
fn connections_are_judged_by_their_sign_in() {
    use Severity::{Error, Unfinished, Warning};
    assert_finds(Unfinished, "salesforce.username", |settings| settings.salesforce.sign_in = SignIn::Soap);
    assert_finds(Unfinished, "salesforce.client_id", |settings| settings.salesforce.client_id.clear());
    assert_finds(Unfinished, "salesforce.client_id", |settings| {
        settings.salesforce.sign_in = SignIn::Browser;
        settings.salesforce.client_id.clear();
    });
    assert_finds(Unfinished, "salesforce.my_domain", |settings| settings.salesforce.my_domain.clear());
    assert_finds(Unfinished, "salesforce.my_domain", |settings| {
        settings.salesforce.environment = Environment::Custom;
        settings.salesforce.my_domain.clear();
    });
    assert_finds(Error, "salesforce.my_domain", |settings| {
        settings.salesforce.my_domain = "http://acme.example".into();
    });
    assert_finds(Error, "salesforce.api_version", |settings| settings.salesforce.api_version = "v67".into());
    assert_finds(Error, "salesforce.api_version", |settings| settings.salesforce.api_version = "20.0".into());
    assert_finds(Warning, "salesforce.environment", |settings| {
        settings.salesforce.my_domain = "https://acme--dev.sandbox.my.salesforce.com".into();
    });
    assert_finds(Error, "platform.salesmanago.endpoint", |settings| {
        settings.platform.salesmanago.endpoint = "http://app2.salesmanago.com".into();
    });
    assert_finds(Warning, "platform.salesmanago.account_name", |settings| {
        settings.platform.salesmanago.account_name.clear();
    });
    assert_finds(Error, "schedule.every", |settings| settings.schedule.every = Every::seconds(9));
}

fn second(settings: &mut Settings, change: impl FnOnce(&mut Mapping)) {
    let mut mapping = settings.mappings[0].clone();
    mapping.name = "lead".into();
    mapping.org_object = "Lead".into();
    change(&mut mapping);
    settings.mappings.push(mapping);
}

#[test]
fn mappings_are_judged_together() {
    assert!(findings(|settings| second(settings, |_| {})).is_empty());
    assert_finds(Severity::Error, "mapping[1].name", |settings| {
        second(settings, |mapping| mapping.name = "Contact".into());
    });
    assert_finds(Severity::Error, "mapping[1].create_in_org", |settings| {
        settings.mappings[0].create_in_org = true;
        second(settings, |_| {});
        settings.mappings[1].skip_create_when_blank = vec!["Company".into()];
        settings.mappings[1].create_in_org = true;
    });
    assert_finds(Severity::Error, "mapping[1].org_object", |settings| {
        second(settings, |mapping| mapping.org_object = "contact".into());
    });
    assert!(
        findings(|settings| second(settings, |mapping| {
            mapping.org_object = "Contact".into();
            mapping.org_criteria = Some("RecordTypeId = '012'".into());
        }))
        .is_empty()
    );
}

#[test]
fn leads_are_created_only_with_an_answer_to_a_blank_company() {
    assert_finds(Severity::Error, "mapping[1].create_in_org", |settings| {
        second(settings, |mapping| mapping.create_in_org = true);
    });
    assert!(
        findings(|settings| second(settings, |mapping| {
            mapping.create_in_org = true;
            let value = "unknown".into();
            mapping.default = vec![DefaultValue { side: Side::Org, field: "Company".into(), value }];
        }))
        .is_empty()
    );
}

#[rstest]
#[case::name("name", |mapping: &mut Mapping| mapping.name = "two words".into())]
#[case::object("org_object", |mapping: &mut Mapping| mapping.org_object = " ".into())]
#[case::criteria("org_criteria", |mapping: &mut Mapping| mapping.org_criteria = Some("a = ".into()))]
#[case::platform_criteria("platform_criteria", |mapping: &mut Mapping| mapping.platform_criteria = Some("(".into()))]
#[case::no_key("pair", |mapping: &mut Mapping| mapping.pairs[0].key = false)]
#[case::blank_field("pair[0].org", |mapping: &mut Mapping| mapping.pairs[0].org = vec![" ".into()])]
#[case::uneven("pair[0]", |mapping: &mut Mapping| mapping.pairs[0].org.push("Other".into()))]
#[case::name_shape("pair[1]", |mapping: &mut Mapping| mapping.pairs[1].org.truncate(1))]
#[case::against("pair[0].direction", |mapping: &mut Mapping| {
    mapping.direction = Direction::ToPlatform;
    mapping.pairs[0].direction = Direction::ToOrg;
})]
#[case::parent("pair[0].direction", |mapping: &mut Mapping| mapping.pairs[0].org = vec!["Account.Name".into()])]
#[case::twice("pair[1].platform", |mapping: &mut Mapping| mapping.pairs[1].platform = vec!["Email".into()])]
#[case::constant_both("pair[1].direction", |mapping: &mut Mapping| {
    mapping.pairs[1].transform = Transform::Constant("x".into());
})]
#[case::constant_key("pair[0].key", |mapping: &mut Mapping| {
    mapping.pairs[0].transform = Transform::Constant("x".into());
    mapping.pairs[0].direction = Direction::ToPlatform;
})]
#[case::empty_table("pair[0].transform", |mapping: &mut Mapping| {
    mapping.pairs[0].transform = Transform::Table(Table::default());
})]
#[case::blank_default("default[0].value", |mapping: &mut Mapping| {
    mapping.default = vec![DefaultValue { side: Side::Org, field: "A".into(), value: String::new() }];
})]
#[case::mark("org_mark", |mapping: &mut Mapping| mapping.org_mark = Some("Account.X__c".into()))]
fn a_wrong_mapping_is_told_at_its_part(#[case] path: &str, #[case] change: fn(&mut Mapping)) {
    assert_finds(Severity::Error, &format!("mapping[0].{path}"), |settings| {
        change(&mut settings.mappings[0]);
    });
}

#[rstest]
#[case::consent_policy("pair[2].policy", |mapping: &mut Mapping| mapping.pairs[2].policy = Policy::NewestWins)]
#[case::no_consent("pair", |mapping: &mut Mapping| { mapping.pairs.pop(); })]
#[case::own_changes("ignore_own_changes", |mapping: &mut Mapping| mapping.ignore_own_changes = true)]
#[case::nothing_created("create_in_org", |mapping: &mut Mapping| {
    mapping.direction = Direction::ToPlatform;
    mapping.create_in_org = true;
})]
#[case::ambiguous("pair[0].transform", |mapping: &mut Mapping| {
    let entries = [("A", "x"), ("B", "X")].map(|(org, platform)| (org.to_owned(), platform.to_owned()));
    mapping.pairs[0].transform = Transform::Table(Table { entries: entries.into(), ..Table::default() });
})]
fn a_doubtful_mapping_is_only_warned_about(#[case] path: &str, #[case] change: fn(&mut Mapping)) {
    assert_finds(Severity::Warning, &format!("mapping[0].{path}"), |settings| {
        change(&mut settings.mappings[0]);
    });
    let mut settings = complete();
    change(&mut settings.mappings[0]);
    assert!(!validate(&settings).iter().any(Problem::blocks));
}

#[test]
fn a_fixed_value_needs_no_field_on_the_giving_side() {
    assert!(
        findings(|settings| {
            let pair = &mut settings.mappings[0].pairs[1];
            pair.transform = Transform::Constant("from Salesforce".into());
            pair.org.clear();
            pair.direction = Direction::ToPlatform;
        })
        .is_empty()
    );
}

#[test]
fn consent_pairs_have_one_field_on_either_side() {
    assert_finds(Severity::Error, "mapping[0].pair[1]", |settings| {
        settings.mappings[0].pairs[1].transform =
            Transform::Consent { org: ConsentForm::OptOut, platform: ConsentForm::OptIn };
    });
}
