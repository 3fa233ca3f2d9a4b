use std::collections::{HashMap, HashSet};

use super::*;

fn people(records: u64) -> People {
    People::new(PeopleOptions { seed: 7, records, person_accounts: false }).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_people_and_another_seed_others() {
    let names = |seed| -> Vec<String> {
        let options = PeopleOptions { seed, records: 300, person_accounts: true };
        People::new(options).unwrap().in_org().map(|one| one.person.name() + &one.person.email).collect()
    };
    assert_eq!(names(1), names(1));
    assert_ne!(names(1), names(2));
}

#[test]
fn parts_are_played_as_often_as_the_count_says() {
    for records in [200, 1000, 3457] {
        let people = people(records);
        let planted = people.planted();
        let mut parts: HashMap<&str, u64> = HashMap::new();
        for one in people.in_org() {
            let name = match one.part {
                Part::Duplicate => "duplicates",
                Part::NoEmail => "no_email",
                Part::LeadOfContact => "lead_of_contact",
                Part::Converted => "converted",
                Part::Emoji => "emoji",
                Part::Cosmetic => "cosmetic",
                Part::Plain | Part::Held => "plain",
            };
            *parts.entry(name).or_default() += 1;
            *parts.entry("on_platform").or_default() += u64::from(one.twin.is_some());
            *parts.entry("different").or_default() += u64::from(one.twin.is_some() && !one.linked);
        }
        for one in people.on_platform_only() {
            *parts.entry(one.flaw.map_or("platform_only", Flaw::name)).or_default() += 1;
        }
        for (name, number) in parts.iter().filter(|(name, _)| **name != "plain") {
            assert_eq!(planted.get(name), *number, "{name} of {records}");
        }
        assert_eq!(planted.get("on_platform"), records * 6 / 10);
        assert_eq!(planted.get("different"), records * 6 / 100);
    }
}

#[test]
fn every_flaw_occurs_from_two_hundred_people_on_and_none_is_forced_below() {
    let enough = people(200);
    for rule in names::Rules::load().unwrap().flaw {
        assert!(enough.planted().flawed(rule.kind) >= 1, "{:?}", rule.kind);
    }
    assert_eq!(people(10).planted().get("expect_failed"), 0);
}

#[test]
fn emails_are_unique_except_where_they_are_planted_not_to_be() {
    let people = people(3000);
    let mut plain = HashSet::new();
    let mut shared: HashMap<String, u64> = HashMap::new();
    for one in people.in_org() {
        match one.part {
            Part::Duplicate => *shared.entry(one.person.email).or_default() += 1,
            Part::NoEmail => assert!(one.person.email.is_empty()),
            Part::LeadOfContact | Part::Converted => {}
            Part::Plain | Part::Held | Part::Emoji | Part::Cosmetic => {
                assert!(plain.insert(one.person.email.to_lowercase()), "{}", one.person.email);
            }
        }
    }
    assert!(shared.values().all(|number| *number == 2), "{shared:?}");
    assert!(shared.keys().all(|email| plain.insert(email.clone())));
    for one in people.on_platform_only() {
        assert!(plain.insert(one.person.email.clone()), "{}", one.person.email);
    }
}

#[test]
fn a_forgotten_lead_has_the_email_of_a_contact_that_the_platform_knows() {
    let people = people(1000);
    let held: HashSet<String> =
        people.in_org().filter(|one| one.part == Part::Held).map(|one| one.twin.unwrap().email).collect();
    let leads: Vec<OrgPerson> = people.in_org().filter(|one| one.part == Part::LeadOfContact).collect();
    assert_eq!(leads.len(), 2);
    assert!(leads.iter().all(|lead| lead.kind == Kind::Lead && held.contains(&lead.person.email)));
}

#[test]
fn a_converted_lead_is_a_plain_contact_today() {
    let people = people(1000);
    let contacts: HashMap<u64, Part> =
        people.in_org().filter(|one| one.kind == Kind::Contact).map(|one| (one.identity, one.part)).collect();
    for lead in people.in_org().filter(|one| one.part == Part::Converted) {
        assert_eq!(contacts.get(&lead.identity), Some(&Part::Plain));
    }
}

#[test]
fn values_fit_the_fields_of_the_org_except_where_they_are_planted_not_to() {
    let people = people(5000);
    for one in people.in_org() {
        let person = &one.person;
        assert!(person.email.len() <= 80, "{}", person.email);
        assert!(person.given.chars().count() <= 36 && person.family.chars().count() <= 80);
        assert!(person.city.chars().count() <= 40 && person.zip.chars().count() <= 20, "{}", person.zip);
        assert!(person.phone.len() <= 40 && !person.family.is_empty());
        assert!(person.created <= person.modified && person.modified < 0);
    }
    for one in people.on_platform_only() {
        let long = one.person.city.chars().count() > 40 || one.person.zip.chars().count() > 20;
        assert_eq!(long, one.flaw == Some(Flaw::OverLong));
        assert_eq!(one.person.company_name.is_empty(), one.flaw == Some(Flaw::EmptyCompany));
        assert_eq!(one.person.email.ends_with("@intranet"), one.flaw == Some(Flaw::BadEmail));
    }
}

#[test]
fn twins_are_equal_unless_they_are_counted_as_different() {
    for one in people(2000).in_org() {
        let Some(twin) = &one.twin else { continue };
        let key = |person: &Person| {
            let digits: String = person.phone.chars().filter(char::is_ascii_digit).collect();
            let place = format!("{}|{}|{}", person.street, person.zip, person.city);
            (person.name(), digits, place, person.company_name.clone(), person.opted_out)
        };
        assert_eq!(key(&one.person) == key(twin), one.linked, "{:?} {twin:?}", one.person);
        assert_eq!(one.person.email.to_lowercase(), twin.email.to_lowercase());
    }
}

#[test]
fn a_fifth_are_person_accounts_where_the_org_has_them() {
    let people = People::new(PeopleOptions { seed: 1, records: 1000, person_accounts: true }).unwrap();
    let accounts = people.in_org().filter(|one| one.kind == Kind::PersonAccount).count();
    assert_eq!(accounts, 200);
    assert_eq!(people.in_org().count(), 1000);
}

#[test]
fn about_eight_percent_want_no_email() {
    let out = people(10_000).in_org().filter(|one| one.person.opted_out).count();
    assert!((700..900).contains(&out), "{out}");
}
