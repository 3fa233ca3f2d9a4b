//! Tables that lie in others (F102): a row belongs to the customer, or the row of another table, that one of its fields names.
//!
//! The data model shows such a row only below those that contain it (`/dataextension/customer/clang_42/order/clang_523`), so what a row
//! was sent with is kept, and its place put together from it. Nobody can list such a table, since that would take a call for each row that
//! may contain others; its receiver recognises what is there.

use serde_json::{Map, Value as Json};

use super::Deployteq;
use super::rows::object_of;
use super::service::row_error;
use crate::connect::platform::{Examined, Opening};
use crate::domain::port::{PortClass, PortError, RowClass, RowError};
use crate::domain::record::RecordId;
use crate::domain::report::Verdict;

/// What the number of a customer begins with in the data model.
const PREFIX: &str = "clang_";

/// The table of the data model that holds the customers.
const CUSTOMER: &str = super::CUSTOMER;

/// A table that lies in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nest {
    child: String,
    /// The field of a row that names what contains it.
    pub(super) field: String,
    /// `customer`, or a table.
    parent: String,
}

/// The nested tables of the settings.
pub(super) struct Nests {
    known: Vec<Nest>,
    /// Whether a customer is named by its number alone, without what the data model puts before it.
    by_number: bool,
}

fn wrong(entry: &str, why: &str) -> PortError {
    let message = format!("In the Deployteq connection, “{entry}” of nested_tables {why}.");
    PortError::new(PortClass::Settings, "SETTING_WRONG", message)
}

impl Nests {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        let by_number = opening.told.text("relation_value") != "clang_id";
        Self::read(&opening.told.texts("nested_tables"), by_number)
    }

    pub(super) fn read(entries: &[String], by_number: bool) -> Result<Self, PortError> {
        let mut known: Vec<Nest> = Vec::with_capacity(entries.len());
        for entry in entries {
            let read = entry.split_once('=').and_then(|(row, parent)| {
                let (child, field) = row.split_once('.')?;
                Some([child, field, parent].map(|part| part.trim().to_owned()))
            });
            let Some([child, field, parent]) = read.filter(|read| read.iter().all(|part| !part.is_empty()))
            else {
                let why = "says nothing; write it as order.customer=customer: rows of order lie in the customer that their field customer \
                           names";
                return Err(wrong(entry, why));
            };
            if known.iter().any(|nest| nest.child.eq_ignore_ascii_case(&child)) {
                return Err(wrong(entry, &format!("says once more where {child} lies")));
            }
            known.push(Nest { child, field, parent });
        }
        let nests = Self { known, by_number };
        for (entry, nest) in entries.iter().zip(&nests.known) {
            let mut above = Some(nest);
            for _ in 0..=nests.known.len() {
                above = above.and_then(|nest| nests.of(&nest.parent));
            }
            if above.is_some() {
                return Err(wrong(entry, "puts a table into itself"));
            }
        }
        Ok(nests)
    }

    /// Where a table lies, if in another.
    pub(super) fn of(&self, table: &str) -> Option<&Nest> {
        self.known.iter().find(|nest| nest.child.eq_ignore_ascii_case(table))
    }

    /// What is wrong with a new row that does not name what it lies in; nothing otherwise.
    pub(super) fn lacks(&self, table: &str, row: &Json) -> Option<RowError> {
        let Nest { field, parent, .. } = self.of(table)?;
        let named = row.get(field).and_then(Json::as_str).is_some_and(|named| !named.is_empty());
        (!named).then(|| {
            let message = format!(
                "Rows of {table} lie in rows of {parent}, and the field {field} of this one names none: it follows once what it belongs to \
                 is linked."
            );
            row_error(RowClass::Data, "NO_PARENT", &message)
        })
    }

    /// A relation to a customer as rows have it.
    pub(super) fn told(&self, table: &str, field: &str, value: Json) -> Json {
        let is_it = self.of(table).is_some_and(|nest| {
            nest.field.eq_ignore_ascii_case(field) && nest.parent.eq_ignore_ascii_case(CUSTOMER)
        });
        match value.as_str().filter(|id| is_it && !self.by_number && !id.is_empty()) {
            Some(id) => Json::String(in_model(CUSTOMER, id)),
            None => value,
        }
    }

    /// A row with its relation to a customer as links have it.
    pub(super) fn heard(&self, table: &str, mut row: Map<String, Json>) -> Map<String, Json> {
        if let Some(nest) = self.of(table).filter(|nest| nest.parent.eq_ignore_ascii_case(CUSTOMER))
            && let Some(held) = row.get_mut(&nest.field)
            && let Some(number) = held.as_str().and_then(|id| id.strip_prefix(PREFIX))
        {
            *held = Json::String(number.to_owned());
        }
        row
    }

    /// Says what is set up.
    pub(super) fn examine(&self, receivers: &[&str], examined: &mut Examined) {
        for Nest { child, field, parent } in &self.known {
            let filled = receivers.iter().any(|table| table.eq_ignore_ascii_case(parent));
            if filled || parent.eq_ignore_ascii_case(CUSTOMER) {
                examined.good(format!(
                    "Rows of {child} lie in the row of {parent} that their field {field} names."
                ));
            } else {
                let message = format!(
                    "Rows of {child} are to lie in rows of {parent}, but there is no webhook receiver that fills {parent}: add one to \
                     webhooks, or correct nested_tables."
                );
                examined.line(Verdict::Warning, message, Some("nested_tables"));
            }
        }
    }
}

/// An id as the data model writes it.
fn in_model(table: &str, id: &str) -> String {
    if table.eq_ignore_ascii_case(CUSTOMER) && !id.starts_with(PREFIX) {
        format!("{PREFIX}{id}")
    } else {
        id.to_owned()
    }
}

impl Deployteq {
    /// The path of a table at the place where a row lies; nothing where nobody knows what contains that row.
    pub(super) async fn place_of(&self, table: &str, id: &RecordId) -> Result<Option<String>, PortError> {
        let mut path = table.to_owned();
        let (mut table, mut id) = (table.to_owned(), id.clone());
        while let Some(nest) = self.nests.of(&table) {
            let note = self.notes()?.take(&object_of(&table), std::slice::from_ref(&id)).await?;
            let held: Option<Map<String, Json>> =
                note.into_iter().next().flatten().and_then(|note| serde_json::from_str(&note).ok());
            let named = held.and_then(|held| Some(held.get(&nest.field)?.as_str()?.to_owned()));
            let Some(above) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
            path = format!("{}/{}/{path}", nest.parent, in_model(&nest.parent, &above));
            table.clone_from(&nest.parent);
            id = RecordId::new(above);
        }
        Ok(Some(path))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn nests(entries: &[&str], by_number: bool) -> Result<Nests, PortError> {
        Nests::read(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>(), by_number)
    }

    #[rstest]
    #[case(&["order"], "says nothing")]
    #[case(&["order=customer"], "says nothing")]
    #[case(&["order.=customer"], "says nothing")]
    #[case(&["order.customer=customer", "Order.account=account"], "once more")]
    #[case(&["order.order=order"], "into itself")]
    #[case(&["a.b=b", "b.c=c", "c.a=a"], "into itself")]
    fn what_makes_no_sense_is_refused(#[case] entries: &[&str], #[case] why: &str) {
        let message = nests(entries, true).err().unwrap().message;
        assert!(message.contains(why), "{message}");
    }

    /// platform-deployteq.md §3: the data model puts `clang_` before the number of a customer.
    #[test]
    fn a_relation_to_a_customer_is_told_as_the_settings_say_and_heard_either_way() {
        let (number, whole) =
            (nests(&["order.who=customer"], true).unwrap(), nests(&["order.who=customer"], false).unwrap());
        assert_eq!(number.told("order", "who", json!("42")), json!("42"));
        assert_eq!(whole.told("Order", "Who", json!("42")), json!("clang_42"));
        assert_eq!(whole.told("order", "Name", json!("42")), json!("42"));
        assert_eq!(whole.told("line", "who", json!("42")), json!("42"));
        let row = json!({"who": "clang_42", "Name": "clang_7"}).as_object().cloned().unwrap();
        assert_eq!(Json::Object(whole.heard("order", row)), json!({"who": "42", "Name": "clang_7"}));
    }
}
