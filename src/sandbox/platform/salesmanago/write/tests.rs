use serde_json::json;

use super::*;

fn row(value: serde_json::Value) -> Row {
    serde_json::from_value(value).unwrap()
}

fn upsert(contacts: &mut Contacts, value: serde_json::Value) -> Result<Written, String> {
    let next = contacts.live() as u64 + contacts.deleted() as u64 + 1;
    write(contacts, 0, &row(value), Mode::Upsert, 1000, || ContactId::from_words(next, next))
}

/// platform-salesmanago.md §8: without orders the status stays; it begins as opted out.
#[test]
fn a_new_contact_starts_opted_out_and_a_plain_upsert_leaves_the_status_alone() {
    let mut contacts = Contacts::default();
    let written = upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}})).unwrap();
    assert!(contacts.get(written.position).unwrap().opted_out);
    upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}, "forceOptIn": true})).unwrap();
    assert!(!contacts.get(written.position).unwrap().opted_out);
    assert!(contacts.get(written.position).unwrap().opted_out_phone);
    upsert(&mut contacts, json!({"contact": {"email": "A@b.example", "name": "Ann"}})).unwrap();
    assert!(!contacts.get(written.position).unwrap().opted_out);
}

#[test]
fn opting_out_wins_over_opting_in() {
    let mut contacts = Contacts::default();
    let both = json!({"contact": {"email": "a@b.example"}, "forceOptIn": true, "forceOptOut": true});
    let written = upsert(&mut contacts, both).unwrap();
    assert!(contacts.get(written.position).unwrap().opted_out);
}

#[test]
fn absent_and_null_leave_a_field_alone_and_an_empty_text_clears_it() {
    let mut contacts = Contacts::default();
    let filled = json!({"contact": {"email": "a@b.example", "phone": "1", "fax": "2", "company": "Acme"},
        "properties": {"Title": "Boss", "Hat": "red"}});
    let at = upsert(&mut contacts, filled).unwrap().position;
    let change =
        json!({"contact": {"email": "a@b.example", "phone": null, "fax": ""}, "properties": {"Hat": ""}});
    upsert(&mut contacts, change).unwrap();
    let contact = contacts.get(at).unwrap();
    assert_eq!((&*contact.phone, &*contact.fax, &*contact.company), ("1", "", "Acme"));
    assert_eq!(contact.properties.len(), 1);
}

#[test]
fn what_is_wrong_is_refused_before_anything_changes() {
    let mut contacts = Contacts::default();
    for bad in [
        json!({"contact": {"email": "nobody"}}),
        json!({"contact": {"email": ""}}),
        json!({"contact": {"email": "a@b.example", "state": "FRIEND"}}),
        json!({"contact": {"email": "a@b.example"}, "birthday": "31.01.1980"}),
    ] {
        assert!(upsert(&mut contacts, bad).is_err());
    }
    assert_eq!(contacts.live(), 0);
}

#[test]
fn a_rename_onto_another_contact_is_refused() {
    let mut contacts = Contacts::default();
    upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}})).unwrap();
    upsert(&mut contacts, json!({"contact": {"email": "c@b.example"}})).unwrap();
    assert!(
        upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}, "newEmail": "C@b.example"}))
            .is_err()
    );
    upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}, "newEmail": "d@b.example"})).unwrap();
    assert!(contacts.by_email(0, "a@b.example").is_none());
}

#[test]
fn a_deleted_email_becomes_a_new_contact() {
    let mut contacts = Contacts::default();
    let first = upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}})).unwrap();
    contacts.delete(first.position, 2000);
    let second = upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}})).unwrap();
    assert!(second.created && second.id != first.id);
    assert!(contacts.get(first.position).unwrap().deleted);
}

#[test]
fn an_id_addresses_a_contact_whose_email_moved_on() {
    let mut contacts = Contacts::default();
    let first = upsert(&mut contacts, json!({"contact": {"email": "a@b.example"}})).unwrap();
    let by_id = json!({"contactId": first.id.to_string(), "contact": {"name": "Ann"}});
    let second = upsert(&mut contacts, by_id).unwrap();
    assert_eq!(second.id, first.id);
    assert_eq!(&*contacts.get(first.position).unwrap().name, "Ann");
}
