//! Tests of the rules that clients meet.

use super::customers::Customers;
use serde_json::{Map, Value, json};

fn map(json: &Value) -> Map<String, Value> {
    json.as_object().cloned().unwrap()
}

/// platform-deployteq.md §1: the consent trap.
#[test]
fn a_customer_created_without_an_opt_in_has_one() {
    let mut customers = Customers::default();
    let id = customers.create(&map(&json!({"emailaddress": "a@b.example"})), 0).unwrap();
    assert_eq!(customers.shown(id).unwrap()["optin"], "Y");
}

/// platform-deployteq.md §1: words of lists are upper case, opt-in is Y or N.
#[test]
fn values_that_the_service_does_not_know_are_refused() {
    let mut customers = Customers::default();
    for body in [
        json!({"optin": "yes"}),
        json!({"gender": "M"}),
        json!({"status": "prospect"}),
        json!({"shoe": "42"}),
    ] {
        assert!(customers.create(&map(&body), 0).is_err(), "{body}");
    }
}

/// platform-deployteq.md §6: addresses are not unique.
#[test]
fn an_e_mail_address_may_belong_to_two_customers_and_finds_both() {
    let mut customers = Customers::default();
    for _ in 0..2 {
        customers.create(&map(&json!({"emailaddress": "A@b.example"})), 0).unwrap();
    }
    assert_eq!(customers.with("emailaddress", "a@B.example"), [1, 2]);
    customers.update(1, &map(&json!({"emailaddress": "c@b.example"})), 1).unwrap();
    assert_eq!(customers.with("emailaddress", "a@b.example"), [2]);
}
