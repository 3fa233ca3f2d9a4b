//! The mappings that a new workspace starts with, cut to what the org has: those of a profile by [`cut`], those of SALESmanago by
//! [`default_mappings`].
//!
//! The family onto SALESmanago's contact, in order of precedence: Person Account, Contact, Lead. What nobody claims becomes a
//! Lead, if it has a company.

use crate::domain::consent::ConsentForm;
use crate::domain::mapping::{
    DeletePolicy, Direction, Drift, FirstMeeting, Mapping, Pair, Policy, SideEffects,
};
use crate::domain::transform::Transform;

/// What must be known of an org to propose mappings.
pub struct OrgShape<'a> {
    /// Whether person accounts are switched on.
    pub person_accounts: bool,
    /// Whether an object has a field that this user can see.
    pub has_field: &'a dyn Fn(&str, &str) -> bool,
}

/// The mappings of a profile without what the org lacks: a pair goes with one of its fields, a mapping with its key, a mark by itself.
/// In an org with person accounts, a mapping of accounts is of companies.
pub fn cut(mappings: &[Mapping], org: &OrgShape<'_>) -> Vec<Mapping> {
    let mut kept = Vec::with_capacity(mappings.len());
    for mapping in mappings {
        let mut mapping = mapping.clone();
        let object = mapping.org_object.clone();
        let has = |field: &String| field == "Id" || (org.has_field)(&object, field);
        mapping.pairs.retain(|pair| pair.org.iter().all(has));
        mapping.org_mark = mapping.org_mark.filter(has);
        mapping.skip_create_when_blank.retain(has);
        let of_people = |mapping: &Mapping| mapping.org_criteria.as_deref() == Some("IsPersonAccount = true");
        if of_people(&mapping) && !org.person_accounts {
            continue;
        }
        // Where person accounts have a mapping of their own, their shadows among the contacts are left to it.
        let is_shadowed = object == "Contact"
            && mappings
                .iter()
                .any(|other| of_people(other) && other.platform_object == mapping.platform_object);
        if org.person_accounts && (object == "Account" || is_shadowed) && mapping.org_criteria.is_none() {
            mapping.org_criteria = Some("IsPersonAccount = false".into());
        }
        if mapping.pairs.iter().any(|pair| pair.key) {
            kept.push(mapping);
        }
    }
    kept
}

/// The platform object of the family.
const CONTACT: &str = "contact";

/// The org's field that holds the platform's id, where somebody made it.
const ORG_MARK: &str = "SALESmanago_Id__c";

/// The proposal for SALESmanago.
pub fn default_mappings(org: &OrgShape<'_>) -> Vec<Mapping> {
    let mut family = Vec::new();
    if org.person_accounts {
        family.push(person_account(org));
    }
    family.push(contact(org));
    family.push(lead(org));
    family
}

fn person_account(org: &OrgShape<'_>) -> Mapping {
    let names = Names {
        object: "Account",
        email: "PersonEmail",
        phones: &["PersonMobilePhone", "Phone", "PersonHomePhone"],
        company: None,
        address: [
            "PersonMailingStreet",
            "PersonMailingPostalCode",
            "PersonMailingCity",
            "PersonMailingCountry",
        ],
        opted_out: "PersonHasOptedOutOfEmail",
        do_not_call: "PersonDoNotCall",
        state: "CUSTOMER",
        details: &[
            (&["PersonTitle"], "details.SF_Title"),
            (&["PersonLeadSource", "PersonDepartment"], "details.SF_LeadSource"),
        ],
    };
    Mapping { org_criteria: Some("IsPersonAccount = true".into()), ..mapping(org, "person_account", &names) }
}

fn contact(org: &OrgShape<'_>) -> Mapping {
    let names = Names {
        object: "Contact",
        email: "Email",
        phones: &["MobilePhone", "Phone"],
        company: Some(Company::OfTheAccount),
        address: ["MailingStreet", "MailingPostalCode", "MailingCity", "MailingCountry"],
        opted_out: "HasOptedOutOfEmail",
        do_not_call: "DoNotCall",
        state: "CUSTOMER",
        details: &[
            (&["Title"], "details.SF_Title"),
            (&["LeadSource", "Department"], "details.SF_LeadSource"),
        ],
    };
    Mapping {
        org_criteria: org.person_accounts.then(|| "IsPersonAccount = false".into()),
        ..mapping(org, "contact", &names)
    }
}

fn lead(org: &OrgShape<'_>) -> Mapping {
    let names = Names {
        object: "Lead",
        email: "Email",
        phones: &["MobilePhone", "Phone"],
        company: Some(Company::Own),
        address: ["Street", "PostalCode", "City", "Country"],
        opted_out: "HasOptedOutOfEmail",
        do_not_call: "DoNotCall",
        state: "PROSPECT",
        details: &[(&["Title"], "details.SF_Title"), (&["LeadSource", "Status"], "details.SF_LeadSource")],
    };
    Mapping {
        org_criteria: Some("IsConverted = false".into()),
        create_in_org: true,
        skip_create_when_blank: vec!["Company".into()],
        ..mapping(org, "lead", &names)
    }
}

/// What an object of the org calls the things of a person.
struct Names {
    object: &'static str,
    email: &'static str,
    /// The first that exists is paired with the one phone of a contact: mobile numbers first, because that is where text
    /// messages go.
    phones: &'static [&'static str],
    company: Option<Company>,
    /// Street, postal code, city, country.
    address: [&'static str; 4],
    opted_out: &'static str,
    do_not_call: &'static str,
    state: &'static str,
    /// Candidates, and the detail that the first existing one is shown as.
    details: &'static [(&'static [&'static str], &'static str)],
}

/// Where an object has its company.
#[derive(Clone, Copy)]
enum Company {
    /// In a field of its own.
    Own,
    /// In the account above it; it can only be read there.
    OfTheAccount,
}

const ADDRESS: [&str; 4] = ["address.streetAddress", "address.zipCode", "address.city", "address.country"];

fn mapping(org: &OrgShape<'_>, name: &str, names: &Names) -> Mapping {
    let has = |field: &str| (org.has_field)(names.object, field);
    Mapping {
        name: name.into(),
        enabled: true,
        org_object: names.object.into(),
        platform_object: CONTACT.into(),
        direction: Direction::Both,
        org_criteria: None,
        platform_criteria: None,
        since: None,
        create_on_platform: true,
        create_in_org: false,
        org_mark: has(ORG_MARK).then(|| ORG_MARK.into()),
        platform_mark: Some("externalId".into()),
        skip_create_when_blank: Vec::new(),
        default: Vec::new(),
        first_meeting: FirstMeeting::SalesforceWins,
        deletes: DeletePolicy::Ignore,
        deactivate: None,
        conversion: None,
        sync_flag: None,
        ignore_own_changes: false,
        every: None,
        side_effects: SideEffects::default(),
        initial_side_effects: SideEffects::default(),
        pairs: pairs(&has, names),
    }
}

fn pairs(has: &dyn Fn(&str) -> bool, names: &Names) -> Vec<Pair> {
    let mut pairs = vec![Pair { key: true, ..pair(&[names.email], &["email"], Direction::Both) }];
    if has("FirstName") && has("LastName") {
        let whole = pair(&["FirstName", "LastName"], &["name"], Direction::Both);
        pairs.push(Pair { transform: Transform::FullName, ..whole });
    }
    if let Some(phone) = names.phones.iter().find(|name| has(name)) {
        pairs.push(pair(&[phone], &["phone"], Direction::Both));
    }
    if has("Fax") {
        pairs.push(pair(&["Fax"], &["fax"], Direction::Both));
    }
    match names.company {
        Some(Company::Own) if has("Company") => pairs.push(pair(&["Company"], &["company"], Direction::Both)),
        Some(Company::OfTheAccount) if has("AccountId") => {
            pairs.push(pair(&["Account.Name"], &["company"], Direction::ToPlatform));
        }
        Some(Company::Own | Company::OfTheAccount) | None => {}
    }
    pairs.extend(address(has, &names.address));
    for (field, flag) in [(names.opted_out, "optedOut"), (names.do_not_call, "optedOutPhone")] {
        if has(field) {
            pairs.push(Pair { transform: opt_out(), ..pair(&[field], &[flag], Direction::Both) });
        }
    }
    pairs.push(Pair {
        transform: Transform::Constant(names.state.into()),
        ..pair(&[], &["state"], Direction::ToPlatform)
    });
    pairs.push(pair(&["Id"], &["externalId"], Direction::ToPlatform));
    for (candidates, detail) in names.details {
        if let Some(field) = candidates.iter().find(|name| has(name)) {
            pairs.push(pair(&[field], &[detail], Direction::ToPlatform));
        }
    }
    pairs
}

/// An address is one value: it is won or lost as a whole. Only where the org lacks a part of it is it taken apart.
fn address(has: &dyn Fn(&str) -> bool, org: &[&str; 4]) -> Vec<Pair> {
    if org.iter().all(|field| has(field)) {
        return vec![pair(org, &ADDRESS, Direction::Both)];
    }
    org.iter()
        .zip(ADDRESS)
        .filter(|(field, _)| has(field))
        .map(|(field, part)| pair(&[field], &[part], Direction::Both))
        .collect()
}

fn opt_out() -> Transform {
    Transform::Consent { org: ConsentForm::OptOutFlag, platform: ConsentForm::OptOut }
}

fn pair(org: &[&str], platform: &[&str], direction: Direction) -> Pair {
    Pair {
        org: org.iter().map(|name| (*name).to_owned()).collect(),
        platform: platform.iter().map(|name| (*name).to_owned()).collect(),
        direction,
        key: false,
        policy: Policy::SalesforceWins,
        transform: Transform::Copy,
        drift: Drift::Leave,
        doubts_accepted: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::profile;

    fn everything(person_accounts: bool) -> Vec<Mapping> {
        default_mappings(&OrgShape { person_accounts, has_field: &|_, _| true })
    }

    fn names(mappings: &[Mapping]) -> Vec<&str> {
        mappings.iter().map(|mapping| mapping.name.as_str()).collect()
    }

    #[test]
    fn person_accounts_come_first_and_only_where_they_exist() {
        assert_eq!(names(&everything(true)), ["person_account", "contact", "lead"]);
        assert_eq!(names(&everything(false)), ["contact", "lead"]);
        assert_eq!(everything(false)[0].org_criteria, None);
        assert_eq!(everything(true)[1].org_criteria.as_deref(), Some("IsPersonAccount = false"));
    }

    #[test]
    fn exactly_one_member_creates_in_the_org_and_skips_people_without_a_company() {
        let family = everything(true);
        let creators: Vec<_> = family.iter().filter(|mapping| mapping.create_in_org).collect();
        assert_eq!(creators.len(), 1);
        assert_eq!(creators[0].org_object, "Lead");
        assert_eq!(creators[0].skip_create_when_blank, ["Company"]);
    }

    #[test]
    fn every_platform_field_of_the_proposal_exists_and_can_take_what_flows_to_it() {
        let profile = profile("salesmanago").unwrap();
        let object = profile.object(CONTACT).unwrap();
        for mapping in everything(true) {
            for pair in &mapping.pairs {
                let schema = object.schema(pair.platform.iter().map(String::as_str));
                for field in &pair.platform {
                    assert!(schema.field(field).unwrap().writable(), "{field}");
                }
            }
            assert_eq!(mapping.pairs.iter().filter(|pair| pair.key).count(), 1);
        }
    }

    #[test]
    fn the_address_is_one_value_of_four_fields() {
        for mapping in everything(true) {
            assert!(mapping.pairs.iter().any(|pair| pair.org.len() == 4 && pair.platform.len() == 4));
        }
    }

    #[test]
    fn what_the_org_lacks_is_left_out() {
        let lacks = ["DoNotCall", "Fax", "MailingCountry", "MobilePhone", "SALESmanago_Id__c"];
        let family = default_mappings(&OrgShape {
            person_accounts: false,
            has_field: &|_, field| !lacks.contains(&field),
        });
        let contact = &family[0];
        assert!(
            contact.pairs.iter().all(|pair| pair.org.iter().all(|field| !lacks.contains(&field.as_str())))
        );
        assert!(contact.pairs.iter().any(|pair| pair.org == ["Phone"] && pair.platform == ["phone"]));
        assert!(contact.pairs.iter().any(|pair| pair.org == ["MailingCity"]));
        assert_eq!(contact.org_mark, None);
    }

    #[test]
    fn the_proposal_survives_a_settings_file() {
        for mapping in everything(true) {
            let text = toml::to_string(&mapping).unwrap();
            assert_eq!(toml::from_str::<Mapping>(&text).unwrap(), mapping);
        }
    }
}
