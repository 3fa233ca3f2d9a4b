//! What a site has besides people and companies: groups, courses, enrolments, orders and payments, drawn by seed.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use super::entity::{ENTITIES, STATUSES, entity};
use super::table::blank;
use super::{Learndot, PERSON, date};

/// The user groups of every site.
pub(super) const GROUPS: [&str; 4] = ["Customers", "Partners", "Employees", "Beta Testers"];

const COURSES: [&str; 8] = [
    "Getting Started",
    "Administration I",
    "Administration II",
    "Reporting Basics",
    "Advanced Automation",
    "Security for Admins",
    "Developer Workshop",
    "Certification Exam",
];

const DAY: i64 = 86_400_000;

impl Learndot {
    /// Puts a row in place, stamped so many milliseconds before now.
    pub(super) fn plant(
        &self,
        name: &str,
        id: Option<u64>,
        fields: Value,
        (created, modified): (i64, i64),
    ) -> u64 {
        let Some((place, shape)) = entity(name) else { return 0 };
        let mut row = blank(shape);
        if let Value::Object(fields) = fields {
            row.extend(fields);
        }
        let mut tables = self.held_mut();
        let id = id.unwrap_or_else(|| tables.next_id(place));
        row.insert("id".into(), json!(id));
        row.insert("created".into(), json!(date(created)));
        row.insert("createdById".into(), json!(PERSON));
        row.insert("modified".into(), json!(date(modified)));
        row.insert("modifiedById".into(), json!(PERSON));
        tables.plant(place, id, row, modified);
        id
    }

    /// The groups and the courses, which are there before anybody is.
    pub(super) fn found_school(&self, now: i64) {
        for name in GROUPS {
            self.plant("user_group", None, json!({"name": name}), (now - 500 * DAY, now - 500 * DAY));
        }
        for (name, number) in COURSES.iter().zip(1_i64..) {
            let fields = json!({
                "name": name, "urlName": name.to_lowercase().replace(' ', "-"), "status": "ENABLED",
                "visibility": "PUBLIC", "price": {"amount": 100 * number, "currency": "EUR"},
                "duration": {"days": 1, "minutesPerDay": 420}, "expiryDays": 365, "language": "en",
            });
            self.plant("learning_component", None, fields, (now - 480 * DAY, now - (480 - number) * DAY));
        }
    }

    /// Two of three contacts take a course or two, half of them against money.
    pub(super) fn enrol(&self, now: i64) {
        let contacts: Vec<(u64, Value)> = {
            let tables = self.held();
            let rows = tables.of(0).into_iter().flatten();
            rows.map(|(id, row)| (*id, row.fields.get("organizationId").cloned().unwrap_or_default()))
                .collect()
        };
        let mut dice = SmallRng::seed_from_u64(self.options.seed ^ 0x01ea_2d07);
        for (contact, organization) in contacts {
            if dice.random_ratio(1, 3) {
                continue;
            }
            let at = now - dice.random_range(2..200) * DAY - dice.random_range(0..DAY / 1000) * 1000;
            let courses = dice.random_range(1..=2_u64);
            let mut total = 0;
            for step in 0..courses {
                let course = (dice.random_range(0..4_u64) + step * 4) % COURSES.len() as u64 + 1;
                total += 100 * course;
                let status =
                    STATUSES.get(dice.random_range(0..STATUSES.len())).copied().unwrap_or("CONFIRMED");
                let expires = dice.random_ratio(3, 4).then(|| date(at + 365 * DAY));
                let fields = json!({"contactId": contact, "componentId": course, "status": status, "expiryDate": expires});
                let id = self.plant("enrolment", None, fields, (at, at));
                if self.options.dateless_enrolments && dice.random_ratio(1, 2) {
                    self.forget_change("enrolment", id);
                }
            }
            if dice.random_ratio(1, 2) {
                let money = json!({"amount": total, "currency": "EUR"});
                let fields = json!({
                    "contactId": contact, "organizationId": organization, "status": "COMPLETED", "total": money,
                    "orderDate": date(at),
                });
                let order = self.plant("order", None, fields, (at, at));
                let fields = json!({
                    "orderId": order, "status": "PAID", "amount": money, "paymentType": "CREDIT_CARD",
                    "paymentDate": date(at),
                });
                self.plant("payment", None, fields, (at, at));
            }
        }
    }

    fn forget_change(&self, name: &str, id: u64) {
        let Some((place, _)) = entity(name) else { return };
        let mut tables = self.held_mut();
        let Some((mut fields, changed)) =
            tables.of(place).and_then(|rows| rows.get(&id)).map(|row| (row.fields.clone(), row.changed))
        else {
            return;
        };
        fields.insert("modified".into(), Value::Null);
        tables.plant(place, id, fields, changed);
    }
}

/// Whether a name is that of an entity.
pub(super) fn is_entity(name: &str) -> bool {
    ENTITIES.iter().any(|entity| entity.name.eq_ignore_ascii_case(name))
}

/// Fields without the blank ones.
pub(super) fn filled<const N: usize>(fields: [(&str, &str); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), if value.is_empty() { Value::Null } else { json!(value) }))
        .collect()
}
