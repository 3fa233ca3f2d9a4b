//! What every org has on its first day: itself, users, profiles, stages, statuses, record types.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Founders;
use super::cell::Cell;
use super::ids;
use super::moment::DAY_MS;
use super::options::OrgOptions;
use super::rights::Rights;
use super::schema::Schema;
use super::state::State;
use super::write::check::{Strictness, coerce};
use super::write::{Actor, Writer};

/// How old an org is when the sandbox starts.
pub(super) const AGE_MS: i64 = 400 * DAY_MS;

/// Puts a row in place without checks; fields that do not exist are passed over.
pub(super) fn plant(writer: &mut Writer<'_>, object: usize, fields: &Map<String, Value>) -> Option<u32> {
    let shape = writer.schema.objects.get(object)?;
    let assignments: Vec<(usize, Cell)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let place = shape.field(name).filter(|_| !name.eq_ignore_ascii_case("id"))?;
            Some((place, coerce(shape.fields.get(place)?, value, Strictness::Lenient).unwrap_or(Cell::Null)))
        })
        .collect();
    writer.create(object, assignments, Strictness::Lenient).ok()
}

pub(super) fn found(schema: &Schema, state: &mut State, options: &OrgOptions, now: i64) -> Founders {
    // The first user does not exist yet when the first rows are stamped, but its id is known.
    let first_user = ids::mint("005", 0);
    let actor = Actor {
        user: first_user.clone(),
        rights: Arc::new(Rights::default()),
        now: now - AGE_MS,
        late_ms: 0,
        save_duplicates: true,
        duplicate_rule: false,
        faults: None,
        automation: Arc::default(),
        is_automation: false,
    };
    let mut writer = Writer { schema, state, actor: &actor };
    let mut add = |object: &str, fields: Value| -> String {
        let (Some((place, shape)), Value::Object(fields)) = (schema.get(object), fields) else {
            return String::new();
        };
        plant(&mut writer, place, &fields).map_or_else(String::new, |row| ids::mint(&shape.prefix, row))
    };
    let admin = add("Profile", json!({"Name": "System Administrator", "UserType": "Standard"}));
    let integration =
        add("Profile", json!({"Name": "Minimum Access - API Only Integrations", "UserType": "Standard"}));
    let sales = add("Profile", json!({"Name": "Standard User", "UserType": "Standard"}));
    let domain = options.username.rsplit('@').next().unwrap_or("example.com");
    let mut user = |first: &str, last: &str, username: &str, profile: &str, active: bool| {
        let alias: String = format!("{}{}", first.chars().next().unwrap_or('u'), last)
            .to_lowercase()
            .chars()
            .take(8)
            .collect();
        add(
            "User",
            json!({
                "Username": username, "FirstName": first, "LastName": last, "Email": username, "Alias": alias,
                "CommunityNickname": format!("{first}.{last}").to_lowercase(), "IsActive": active, "ProfileId": profile,
                "UserType": "Standard", "TimeZoneSidKey": "Europe/London", "LocaleSidKey": "en_GB", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8",
            }),
        )
    };
    let administrator = user("Ada", "Novak", &format!("ada.novak@{domain}"), &admin, true);
    let integration_user = user("Integration", "User", &options.username, &integration, true);
    let person_user = user("Marta", "Lindqvist", &format!("marta.lindqvist@{domain}"), &sales, true);
    user("Tom", "Okafor", &format!("tom.okafor@{domain}"), &sales, true);
    user("Former", "Colleague", &format!("former.colleague@{domain}"), &sales, false);
    let automation_user = user("Automated", "Process", &format!("autoproc@{domain}"), &admin, true);
    let org = add(
        "Organization",
        json!({
            "Name": options.organization_name, "OrganizationType": options.edition, "IsSandbox": options.is_sandbox, "InstanceName": "FS1",
            "LanguageLocaleKey": "en_US", "DefaultLocaleSidKey": "en_GB", "TimeZoneSidKey": "Europe/London", "FiscalYearStartMonth": 1,
            "Country": "GB", "SignupCountryIsoCode": "GB", "PrimaryContact": "Ada Novak", "DefaultAccountAccess": "Edit",
            "DefaultContactAccess": "ControlledByParent", "DefaultLeadAccess": "ReadEditTransfer", "ReceivesInfoEmails": true, "ReceivesAdminInfoEmails": true,
        }),
    );
    add("Group", json!({"Name": "Unassigned leads", "DeveloperName": "Unassigned_Leads", "Type": "Queue"}));
    add("UserRole", json!({"Name": "Sales", "DeveloperName": "Sales"}));
    for (order, (name, probability, closed, won, category, category_name)) in
        super::write::stages().into_iter().enumerate()
    {
        add(
            "OpportunityStage",
            json!({"MasterLabel": name, "ApiName": name, "IsActive": true, "SortOrder": order + 1, "IsClosed": closed,
            "IsWon": won, "ForecastCategory": category, "ForecastCategoryName": category_name, "DefaultProbability": probability}),
        );
    }
    for (order, name) in
        ["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"]
            .iter()
            .enumerate()
    {
        add(
            "LeadStatus",
            json!({"MasterLabel": name, "ApiName": name, "SortOrder": order + 1, "IsDefault": order == 0, "IsConverted": order == 2}),
        );
    }
    if options.person_accounts {
        add(
            "RecordType",
            json!({"Name": "Business Account", "DeveloperName": "Business_Account", "SobjectType": "Account", "IsActive": true, "IsPersonType": false}),
        );
        add(
            "RecordType",
            json!({"Name": "Person Account", "DeveloperName": "PersonAccount", "SobjectType": "Account", "IsActive": true, "IsPersonType": true}),
        );
    }
    assert_eq!(administrator, first_user, "the first user signs the first rows");
    Founders { org, integration_user, person_user, automation_user }
}
